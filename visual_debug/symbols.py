"""What replay's stack and variables hold instead of values: where a value came from, as far as that is certain.

A *reference* is one of: an int (the id of a node), `Leaf` (a number from outside, not yet needed by an operation),
`Sequence` or `Mapping` (a container whose items are references), `Stream` (an iterator), `Closure`, `Method`, or
`Thing` (any other object, with the nodes that its content may depend on).
"""

from __future__ import annotations

import enum
import numbers
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from visual_debug.tape import Site


class Unset:
    """The type of `UNSET`: a value that was not recorded."""

    def __repr__(self) -> str:
        return "<not recorded>"


UNSET = Unset()

Ref = Any


@dataclass(slots=True, eq=False)
class Leaf:
    """A literal, an input, or a number read from outside; it becomes a node when an operation needs it."""

    value: Any
    op: str  #: `input` or `const`
    name: str | None
    site: Site
    node: int | None = None


#: More numbers than this that cannot be told apart are gathered in one node.
FEW = 16
#: More objects than this are not looked through again each time something is asked of them: they get a pool.
MANY = 64

#: In `Pool.found`: there are several such nodes.
SEVERAL_NODES = -1


@dataclass(slots=True, eq=False)
class Pool:
    """What objects hold between them that code which was not recorded had in hand together, or that are very many.

    It can no longer be said which of the objects holds which of the numbers. Objects come to share a pool and never
    part again (a union-find forest), and a pool's numbers are gathered in one node as soon as they are more than a
    few: whatever may depend on any of them has one operand for all, and nothing is ever looked through twice.
    """

    above: Pool | None = None  #: the pool that this one was merged into
    fresh: list[Ref] = field(default_factory=list)  #: numbers that came in since it was asked last
    nodes: dict[int, None] = field(default_factory=dict)  #: those before, at most a few
    found: dict[int, int] = field(default_factory=dict)  #: identity of a number in it -> its node, if it is one node
    exact: dict[int, Ref] = field(default_factory=dict)  #: containers, cells and objects whose content is still known
    is_shared: bool = False  #: whether any object has it
    touched: bool = False  #: whether unrecorded code may have made other numbers of these
    has_arrays: bool = False
    written: int = -1  #: node of what unrecorded code may have written to those arrays

    def root(self) -> Pool:
        """The pool that this one is part of by now."""
        pool = self
        while pool.above is not None:
            if pool.above.above is not None:
                pool.above = pool.above.above
            pool = pool.above
        return pool


@dataclass(slots=True, eq=False)
class Sequence:
    """A list, tuple or deque; `items` is None once its content is no longer known.

    Then it may hold any of `among`, or of what is in the pool. If there is a pool, it has the items, too.
    """

    kind: type
    items: Any  #: a list, or of a deque a deque of the same `maxlen`
    object: Any = UNSET
    among: list[Ref] = field(default_factory=list)
    pool: Pool | None = None
    summary: tuple[Any, Pool] | None = None  #: items as they were, and a pool of those alone

    def forget(self) -> None:
        """From now on the content may be anything that was in it."""
        if self.items is not None:
            if self.pool is None:
                self.among.extend(self.items)
            self.items = None


@dataclass(slots=True, eq=False)
class Mapping:
    """A dict, by key; as with `Sequence`. `keys` has the references of keys that were computed."""

    items: dict[Any, Ref] | None
    object: Any = UNSET
    among: list[Ref] = field(default_factory=list)
    keys: dict[Any, Ref] = field(default_factory=dict)
    pool: Pool | None = None
    summary: tuple[Any, Pool] | None = None

    def forget(self) -> None:
        """From now on the content may be anything that was in it."""
        if self.items is not None:
            if self.pool is None:
                self.among.extend((*self.items.values(), *self.keys.values()))
            self.items, self.keys = None, {}


@dataclass(slots=True, eq=False)
class Stream:
    """An iterator: `advance(value)` gives the reference of the next item, whose recorded value is `value`.

    `rest()` gives the references of all items that are left, for a consumer of the whole; None if they are not known.
    `peek(count)` gives those of the next items, of a range the numbers, and leaves them there; `skip(count)` takes them.
    """

    advance: Callable[[Any], Ref]
    source: Ref = None
    rest: Callable[[], list[Ref] | None] = lambda: None
    counts: bool = False  #: over a range, whose items are known without having been recorded
    frame: Any = None  #: the machine's frame of a generator that is recorded
    peek: Callable[[int], list[Any] | None] | None = None
    skip: Callable[[int], None] | None = None
    site: Any = None  #: of a range, where it is gone through

    def lose(self) -> None:
        """Unrecorded code has taken nobody knows how many items."""
        self.advance, self.rest, self.peek = lambda _: None, lambda: None, None


@dataclass(slots=True, eq=False)
class Late:
    """The next item of a stream (`source`) that was passed on before its value was recorded, as `yield from` does."""

    source: Stream


@dataclass(slots=True, eq=False)
class Wrapped:
    """What an asynchronous generator yields to who iterates over it, not to the event loop."""

    source: Ref


@dataclass(slots=True, eq=False)
class View:
    """A view of a container (`d.values()`): `make()` gives a new stream over it."""

    make: Callable[[], Stream]
    source: Ref


@dataclass(slots=True, eq=False)
class Thing:
    """An object that is no number: what was recorded of it, and references that its content may depend on."""

    object: Any = UNSET
    among: list[Ref] = field(default_factory=list)
    pool: Pool | None = None
    outside: bool = False  #: it was there before, and nothing was put in it but what the replay has seen put in


@dataclass(slots=True, eq=False)
class Method:
    """An attribute about to be called, read from `base`."""

    base: Ref


@dataclass(slots=True, eq=False)
class Cell:
    """A variable shared between a function and those defined in it."""

    ref: Ref = None
    pool: Pool | None = None  #: of whoever may read it unseen
    is_exposed: bool = False  #: and whether they may bind it anew


@dataclass(slots=True, eq=False)
class Closure:
    """A function made while recording, with the cells it closes over and its defaults (a `Sequence`, a `Mapping`)."""

    object: Any
    cells: list[Cell] = field(default_factory=list)
    defaults: Ref = None
    keyword_defaults: Ref = None


class Null:
    """The type of `NULL`, the empty slot of a call."""


NULL = Null()

#: Types that are numbers without a further look.
SCALARS = frozenset({int, float, complex, bool, Fraction, Decimal})
#: Types of keys that are equal by what they are, and have it still when they are all that is left of a call.
_PLAIN_KEYS = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range, slice})
#: Immutable numbers that CPython shares between unrelated uses, or may: their identity says nothing.
SHARED = frozenset({int, bool, type(None), str, bytes})


def module_of(kind: type) -> str:
    """The module of a class, without running code of its metaclass; `""` if it says something else than a name."""
    module = _MODULE.__get__(kind, type(kind))
    return module if type(module) is str else ""


def is_plain_key(key: Any) -> bool:
    """Whether a key of a dict tells which entry it means: others like it are equal, and no code of the user's decides that.

    What is left of an object of the user's has lost what its hash was made of.
    """
    kind = type(key)
    if kind in _PLAIN_KEYS or issubclass(kind, enum.Enum):
        return True
    if kind is tuple or kind is frozenset:
        return all(map(is_plain_key, key))
    if kind is Gone or kind is GoneMethod or kind is type or not by_identity(kind):
        return kind is type or is_number(key)
    return True


def by_identity(kind: type) -> bool:
    """Whether objects of a class are equal only to themselves."""
    return all(
        next(vars(holder)[name] for holder in type.mro(kind) if name in vars(holder)) is vars(object)[name]
        for name in ("__eq__", "__hash__")
    )


def key_text(key: Any) -> str | None:
    """A plain key as it is written, if that takes no code of the user's."""
    kind = type(key)
    if issubclass(kind, enum.Enum):
        return f"{kind.__qualname__.rpartition('.')[2]}.{key._name_}"
    if kind is tuple:
        parts = [key_text(part) for part in key]
        return None if None in parts else f"({', '.join(parts)}{',' * (len(parts) == 1)})"  # type: ignore[arg-type]
    return repr(key) if kind in _PLAIN_KEYS or kind in SCALARS or module_of(kind) == "numpy" else None


def has_special(kind: type, name: str) -> bool:
    """Whether a class or one of its bases has such a method, asked in the same way."""
    return any(name in vars(holder) for holder in type.mro(kind)) if kind is not type else False


_MODULE: Any = vars(type)["__module__"]


def is_number(value: Any) -> bool:
    """Whether a value takes part in the computation graph: a number, or an array."""
    if type(value) in SCALARS:
        return True
    kind = type(value)  # not isinstance, which asks the object for its __class__ and may run its code
    if issubclass(kind, numbers.Number):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, (numpy.ndarray, numpy.generic))


def is_structural(value: Any) -> bool:
    """Whether a number is a count or a switch rather than a quantity: an int or bool that is no array."""
    return issubclass(type(value), int) or (getattr(value, "shape", None) == () and value.dtype.kind in "iub")


def has_identity(value: Any) -> bool:
    """Whether finding the same object again proves that it is the same value of the computation.

    Not so for what the interpreter shares: ints, bools, and strings.
    """
    return type(value) not in SHARED


class Gone:
    """Stands for an object that the trace has not kept alive, and of which an empty one cannot be made."""

    __slots__ = ("kind",)

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind.__name__}, not kept>"


class GoneMethod:
    """Stands for a method of C that was bound to an object which the trace has not kept alive."""

    def __init__(self, name: str, owner: Any) -> None:
        self.__name__, self.__self__ = name, owner
