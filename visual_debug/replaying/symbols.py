"""What replay's stack and variables hold instead of values: where a value came from, as far as that is certain.

A *reference* is one of: an int (the id of a node), `Leaf` (a number from outside, not yet needed by an operation),
`Sequence` or `Mapping` (a container whose items are references), `Stream` (an iterator), `Closure`, `Method`, or
`Thing` (any other object, with the nodes that its content may depend on).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from visual_debug.tracing.tape import Site


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
class Asked:
    """A recorded function that an iterator, or a call such as `functools.reduce`, computes something of each item with.

    `take(values)` gives the references of the next arguments, `answer(result)` is told what came of them, and `ahead()`
    gives the arguments that can be told beforehand, so that iterators with the same function are told apart.
    """

    code: CodeType
    take: Callable[[tuple[Any, ...]], list[Ref]]
    answer: Callable[[Ref], None]
    ahead: Callable[[], list[Ref]]


def _unknown() -> None:
    return None


@dataclass(slots=True, eq=False)
class Stream:
    """An iterator: `advance(value)` gives the reference of the next item, whose recorded value is `value`.

    `rest()` gives the references of all items that are left, for a consumer of the whole; None if they are not known.
    `peek(count)` gives those of the next items, of a range the numbers, and leaves them there; `skip(count)` takes them.
    `made()` gives the items that an iterator which computes has made and nobody has taken: it makes none unasked. None
    if it has others besides.
    """

    advance: Callable[[Any], Ref]
    source: Ref = None
    rest: Callable[[], list[Ref] | None] = _unknown
    counts: bool = False  #: over a range, whose items are known without having been recorded
    frame: Any = None  #: the machine's frame of a generator that is recorded
    peek: Callable[[int], list[Any] | range | None] | None = None
    skip: Callable[[int], None] | None = None
    site: Any = None  #: of a range, where it is gone through
    made: Callable[[], list[Ref] | None] | None = None
    ahead: Callable[[], Ref] | None = None  #: the next of those
    asked: Asked | None = None
    endless: bool = False
    each: bool = False  #: it has an item for each that all of `streams` have
    object: Any = UNSET
    streams: tuple[Stream, ...] = ()  #: that it takes its items from

    @property
    def is_followed(self) -> bool:
        """Whether it is known what the items are."""
        return self.rest is not _unknown

    def lose(self) -> None:
        """Unrecorded code has taken nobody knows how many items."""
        work = [self]
        while work:
            stream = work.pop()
            stream.advance, stream.rest, stream.peek = lambda _: None, _unknown, None
            stream.made = stream.ahead = stream.asked = None
            stream.endless = False
            work.extend(stream.streams)
            stream.streams = ()


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
