"""Which node stands for an array now: arrays are written to, and views show what was written to other arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from visual_debug import arrays
from visual_debug.replaying.symbols import FEW


@dataclass(slots=True)
class _Writes:
    """The writes to one stretch of memory."""

    last: dict[int, tuple[Any, int]] = field(default_factory=dict)  #: array -> its latest write, in order of time
    before: int | None = None  #: one node for all that were made before those
    until: int = -1  #: the last of them


class Memory:
    """Nodes of arrays that were written to, and the writes that other arrays in the same memory have yet to show.

    A write makes a node of the array that it was made through. Any other array in that memory gets its new node when it
    is used next, so that views which nobody uses again cost nothing. Nodes are numbered in order of time.
    """

    def __init__(self) -> None:
        self.active = False  # whether anything was written to
        self.newest: dict[int, int] = {}  # identity of an owner of memory -> newest node that shows a part of it
        self._whole: dict[int, int] = {}  # identity of an owner of memory -> first node that shows all of it
        self._versions: dict[int, int] = {}  # identity of an array -> its newest node
        self._writes: dict[int, _Writes] = {}  # identity of an owner of memory

    def version(self, array: Any, node: int) -> int:
        """The newest node of an array that `node` was the node of."""
        return self._versions.get(id(array), node)

    def came(self, array: Any, node: int) -> None:
        """A node was made, whose value is an array."""
        owner = arrays.owner_of(array)
        self.newest[id(owner)] = node
        if array is owner or (array.size == owner.size and (array.flags.c_contiguous or array.flags.f_contiguous)):
            self._whole.setdefault(id(owner), node)

    def whole(self, array: Any) -> int | None:
        """A node of an array that shows all of the memory that another is in."""
        return self._whole.get(id(arrays.owner_of(array)))

    def shows(self, array: Any, node: int) -> None:
        """A node was made for what an array shows now."""
        self._versions[id(array)] = node

    def wrote(self, array: Any, node: int) -> None:
        """A node was made for what was written through an array."""
        self.active = True
        self._versions[id(array)] = node
        writes = self._writes.setdefault(id(arrays.owner_of(array)), _Writes())
        writes.last.pop(id(array), None)
        writes.last[id(array)] = array, node

    def unseen(self, array: Any, version: int) -> list[int]:
        """Writes through other arrays since a version of this one that it shows, in order of time."""
        writes = self._writes.get(id(arrays.owner_of(array)))
        if writes is None:
            return []
        found: list[int] = []
        for other, node in reversed(writes.last.values()):
            if node <= version:
                return found[::-1]
            if other is not array and arrays.share_memory(other, array):
                found.append(node)
        if writes.before is not None and writes.until > version:
            found.append(writes.before)
        return found[::-1]

    def written(self, array: Any) -> list[int]:
        """All writes to the memory that an array is in, in order of time."""
        writes = self._writes.get(id(arrays.owner_of(array)))
        if writes is None:
            return []
        return [*([] if writes.before is None else [writes.before]), *(node for _, node in writes.last.values())]

    def crowd(self, array: Any) -> list[int]:
        """All writes but the last to the memory of an array, if they are so many that one node should stand for them."""
        writes = self._writes[id(arrays.owner_of(array))]
        return self.written(array)[:-1] if len(writes.last) > FEW else []

    def gathered(self, array: Any, node: int) -> None:
        """A node was made that stands for the crowd."""
        writes = self._writes[id(arrays.owner_of(array))]
        *_, (_, until), (last, newest) = writes.last.values()
        self._writes[id(arrays.owner_of(array))] = _Writes({id(last): (last, newest)}, node, until)
