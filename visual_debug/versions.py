"""Arrays as they were before later writes: what each write overwrote is undone, when a version is asked for.

A write to a part of an array keeps that part only (a `Patch`), so that n writes of one element cost n elements and not
n arrays. A version is made from a later one by putting the overwritten parts back, the latest first. One working copy
of each memory serves for that: it is moved from version to version, each step costs as much as the write that it
undoes or does again, and what is given out is a copy of what was asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableSequence
from threading import RLock
from typing import Any, NamedTuple, overload

from visual_debug import arrays
from visual_debug.columns import OVERWRITTEN


class Patch(NamedTuple):
    """What a write was about to overwrite: `array[key]`, and what stood there."""

    array: Any
    key: Any
    content: Any


class Snapshot(NamedTuple):
    """The content of an array, or of a part of it, before something was written there."""

    at: int  #: length of the list of values at the time
    array: Any  #: the owner of the memory
    content: Any  #: a copy in the same memory order, or None
    perhaps: bool = False  #: whether it is not known that it was written to
    sample: int = 0  #: hash of some elements' bytes, where there is no copy
    patch: Patch | None = None  #: the part that was written to, where only that was kept


class Seal(NamedTuple):
    """An array that the user holds after the call, too, and its content when the call ended.

    Of a small array a copy is kept. Of a large one only what a sample of its elements hashes to: if that has changed,
    the trace can no longer tell what was computed.
    """

    array: Any
    content: Any  #: a copy in the same memory order, or None
    sample: int  #: hash of some elements' bytes, where there is no copy


class _Log:
    """The versions of one memory. Version k is its content before snapshot k of it; the last one that at the end."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.positions: list[int] = []  # among all snapshots
        self.snapshots: list[Snapshot] = []
        self.end: Any = owner  # the last version
        self._bases: list[int] | None = None
        self._changed: list[bool] = []
        self._held: dict[int, Any] = {}  # of patches: what stands in another version than the working copy's
        self._views: dict[int, Any] = {}  # parts of the working copy, by the array that shows the same of the memory
        self._copy: Any = None
        self._version = -1
        self._base = -1

    def is_changed(self, k: int) -> bool:
        """Whether memory was written to between two versions."""
        self._prepare()
        return self._changed[k]

    def base(self, k: int) -> int:
        """The version that is there as a whole and that version k is made from; -1 if the way to it is lost."""
        return k if k == len(self.snapshots) else self._prepare()[k]

    def _prepare(self) -> list[int]:
        if self._bases is None:
            count = len(self.snapshots)
            self._bases = [count] * count
            self._changed = [True] * count
            for k in range(count - 1, -1, -1):  # a version is told by those after it
                snapshot = self.snapshots[k]
                following = self._bases[k + 1] if k + 1 < count else count
                self._changed[k] = not snapshot.perhaps or self._differs(k, following)
                if snapshot.content is not None:
                    self._bases[k] = k
                else:
                    self._bases[k] = following if snapshot.patch is not None or not self._changed[k] else -1
        return self._bases

    def _differs(self, k: int, following: int) -> bool:
        """Whether the content that was kept because it might be written to is not that of the version after it."""
        snapshot = self.snapshots[k]
        after = self.snapshots[k + 1] if k + 1 < len(self.snapshots) else None
        if after is not None and after.content is None and after.patch is None:
            before = snapshot.sample if snapshot.content is None else arrays.sample(snapshot.content)
            return before != after.sample
        if following < 0:
            return True
        content = self.whole(k + 1)
        if snapshot.content is None:
            return snapshot.sample != arrays.sample(content)
        return snapshot.content is not content and not arrays.same_content(snapshot.content, content)

    def whole(self, k: int) -> Any:
        """Version k of the whole memory, as it is until another one is asked for."""
        base = self.base(k)
        if base == k:
            return self.end if k == len(self.snapshots) else self.snapshots[k].content
        if self._base != base:
            self._copy = (self.end if base == len(self.snapshots) else self.snapshots[base].content).copy(order="K")
            self._base = self._version = base
            self._held.clear()
            self._views.clear()
        while self._version > k:
            self._version -= 1
            self._exchange(self._version)
        while self._version < k:
            self._exchange(self._version)
            self._version += 1
        return self._copy

    def _exchange(self, k: int) -> None:
        """Put into the working copy what a write overwrote, and keep what it wrote; or the other way round."""
        patch = self.snapshots[k].patch
        if patch is None:
            return  # nothing was written
        view = self._views.get(id(patch.array))
        if view is None:
            view = self._views[id(patch.array)] = arrays.same_view(patch.array, self.owner, self._copy)
        there = view[patch.key]
        if arrays.is_array(there):
            there = there.copy()
        view[patch.key] = self._held.get(k, patch.content)
        self._held[k] = there


class History:
    """All versions of all arrays of a recording. An epoch is how many of the snapshots have been made."""

    def __init__(self, snapshots: list[Snapshot]) -> None:
        self._snapshots = snapshots
        self._logs: dict[int, _Log] = {}
        self._places: list[int] = []  # of each snapshot, which of its memory's it is
        self._lock = RLock()
        for position, snapshot in enumerate(snapshots):
            log = self._logs.setdefault(id(snapshot.array), _Log(snapshot.array))
            self._places.append(len(log.positions))
            log.positions.append(position)
            log.snapshots.append(snapshot)

    def end(self, copies: Iterable[tuple[Any, Any]]) -> None:
        """Told arrays that others hold too, and copies of what they hold at the end."""
        for owner, content in copies:
            log = self._logs.get(id(owner))
            if log is not None:
                log.end = content

    def is_changed(self, position: int) -> bool:
        """Whether memory was written to after a snapshot and before the next one of it."""
        snapshot = self._snapshots[position]
        return not snapshot.perhaps or self._logs[id(snapshot.array)].is_changed(self._places[position])

    def is_partial(self, value: Any, epoch: int) -> bool:
        """Whether a value is an array whose content at an epoch has to be made up from parts."""
        if not arrays.is_array(value):
            return False
        log, k = self._find(value, epoch)
        return log is not None and log.base(k) not in (k, -1)

    def at(self, value: Any, epoch: int) -> Any:
        """An array (or tuple of such, as an index is) as it was; OVERWRITTEN if that is lost."""
        if type(value) is tuple:
            return tuple(self.at(item, epoch) for item in value)
        if not arrays.is_array(value):
            return value
        log, k = self._find(value, epoch)
        if log is None or (k == len(log.snapshots) and log.end is log.owner):
            return value
        base = log.base(k)
        if base < 0:
            return OVERWRITTEN
        with self._lock:
            view = arrays.same_view(value, log.owner, log.whole(k))
            return view if base == k else view.copy(order="K")

    def _find(self, array: Any, epoch: int) -> tuple[_Log | None, int]:
        log = self._logs.get(id(arrays.owner_of(array)))
        return log, 0 if log is None else bisect_left(log.positions, epoch)


#: Bytes of versions that are kept once they were asked for.
_KEPT = 1 << 26


class Versions(MutableSequence[Any]):
    """A column of values, of which some are versions of arrays that are made when they are asked for."""

    def __init__(self, values: list[Any], epochs: dict[int, int], history: History) -> None:
        self._values, self._epochs, self._history = values, epochs, history
        self._made: dict[int, Any] = {}
        self._size = 0

    @property
    def forms(self) -> list[Any]:
        """The whole column, with arrays of the form that the values have in place of those to be made."""
        return self._values

    def form(self, node: int) -> Any:
        """An array of the form (shape, type) that the value has; its content may be another."""
        return self._values[node]

    @overload
    def __getitem__(self, node: int) -> Any: ...
    @overload
    def __getitem__(self, node: slice) -> list[Any]: ...
    def __getitem__(self, node: int | slice) -> Any:
        if isinstance(node, slice):
            return [self[i] for i in range(*node.indices(len(self._values)))]
        node = node + len(self._values) if node < 0 else node
        if node not in self._epochs:
            return self._values[node]
        made = self._made.get(node)
        if made is None:
            made = self._history.at(self._values[node], self._epochs[node])
            self._size += made.nbytes
            if self._size > _KEPT:
                self._made, self._size = {}, made.nbytes
            self._made[node] = made
        return made

    def __setitem__(self, node: Any, value: Any) -> None:
        self._values[node] = value
        self._epochs.pop(node, None)

    def __delitem__(self, node: Any) -> None:
        raise TypeError("nodes are not taken out of a trace")

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self._values)))

    def insert(self, index: int, value: Any) -> None:
        """Append a value: there is no other place to put one."""
        if index != len(self._values):
            raise TypeError("nodes are not put between others")
        self._values.append(value)
