"""The plain data of recording: what is known of a code object (`Plan`) and what one run left behind (`Tape`)."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from visual_debug.errors import TraceError
from visual_debug.tracing import lent
from visual_debug.tracing.classes import Facts
from visual_debug.versions import Seal, Snapshot

if TYPE_CHECKING:
    from types import CodeType, FunctionType

M = TypeVar("M")


class Source(NamedTuple):
    """Where an operation stands in the user's source. Lines count from 1, columns from 0 in UTF-8 bytes."""

    file: str
    line: int | None
    end_line: int | None
    column: int | None
    end_column: int | None
    text: str  #: the expression's own text, `""` when the source is not to be had


class Site:
    """One instruction of a code object: the place in the source that its values belong to."""

    __slots__ = ("_text", "column", "end_column", "end_line", "file", "function", "line")

    def __init__(
        self,
        file: str,
        function: str,
        span: tuple[int | None, int | None, int | None, int | None],
        text: str | None = None,
    ) -> None:
        """`span` is (line, end line, column, end column) as `code.co_positions()` gives it; without text that is read."""
        self.file = file
        self.function = function
        self.line, self.end_line, self.column, self.end_column = span
        self._text = text

    @property
    def text(self) -> str:
        """The source text of the expression, lines joined by a newline; `""` where it cannot be had."""
        if self._text is None:
            self._text = self._read()
        return self._text

    def _read(self) -> str:
        if self.line is None or self.end_line is None or self.column is None or self.end_column is None:
            return ""
        lines = [linecache.getline(self.file, n).encode() for n in range(self.line, self.end_line + 1)]
        if not lines or not all(lines):
            return ""
        lines[-1] = lines[-1][: self.end_column]
        lines[0] = lines[0][self.column :]
        return b"".join(lines).decode(errors="replace")

    @property
    def source(self) -> Source:
        """The place and the text together."""
        return Source(self.file, self.line, self.end_line, self.column, self.end_column, self.text)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line is not None else self.file

    def __repr__(self) -> str:
        return f"<Site {self} in {self.function}>"


class Instruction(NamedTuple):
    """One original instruction as replay reads it; a jump's argument is the index of the instruction jumped to."""

    name: str
    arg: Any
    skip: bool  #: its value was not recorded, although those of instructions of this name are


class Handler(NamedTuple):
    """An entry of the exception table that was landed in: where to go on and how much of the stack is left."""

    target: int
    depth: int
    lasti: bool  #: whether the instruction offset is pushed below the exception


@dataclass(slots=True, eq=False)
class Plan:
    """What is static in one code object: its instructions and the words that its path is written in.

    Words are positive integers that are unique over all plans, so that a path which has lost its alignment is found
    at the first word. A word that announces an event (an activation entered from outside, an exception, the end of a
    `for` loop) is followed by the length of the list of values as `~length`, so that the two streams stay in step.
    """

    code: CodeType
    instructions: list[Instruction]
    taken: dict[int, int] = field(default_factory=dict)  #: instruction -> word if the jump was taken (or loop ended)
    fallen: dict[int, int] = field(default_factory=dict)  #: instruction -> word if not
    loops: dict[int, int] = field(default_factory=dict)  #: backward jump of a loop without any condition -> word
    handlers: dict[int, Handler] = field(default_factory=dict)  #: word -> handler
    entry: int = 0  #: word of an activation called from recorded code
    door: int = 0  #: word of an activation entered from anywhere else
    raised: int = 0  #: word of an activation left by an exception
    resumed: int = 0  #: word of a generator going on
    origins: dict[bool, list[int]] = field(
        default_factory=dict
    )  #: as a door or not: original index by code unit, `~index` in the plain copy
    hooked: dict[bool, list[bool]] = field(
        default_factory=dict
    )  #: likewise: whether something is called there that records
    feeders: set[int] = field(default_factory=set)  #: calls and loops handed an iterator that nobody else has
    _sites: dict[int, Site] = field(default_factory=dict)
    echo: Any = field(default=None, repr=False, compare=False)  #: what replay keeps of an earlier call

    @property
    def is_generator(self) -> bool:
        """Whether an activation can be suspended."""
        return bool(self.code.co_flags & (0x20 | 0x80 | 0x200))  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR

    @property
    def is_asynchronous(self) -> bool:
        """Whether a `yield` may go to the event loop: of coroutines and asynchronous generators."""
        return bool(self.code.co_flags & (0x80 | 0x200))

    @property
    def yields(self) -> bool:
        """Whether a call gives values one by one: of generators and asynchronous generators."""
        return bool(self.code.co_flags & (0x20 | 0x200))

    def site(self, index: int) -> Site:
        """The site of an instruction; index -1 is the function itself."""
        site = self._sites.get(index)
        if site is None:
            code = self.code
            span = (code.co_firstlineno, None, None, None) if index < 0 else self.spans[index]
            site = self._sites[index] = Site(code.co_filename, code.co_qualname, span)
        return site

    spans: list[tuple[int | None, int | None, int | None, int | None]] = field(default_factory=list)


def parameters(code: CodeType) -> tuple[str, ...]:
    """Names of a function's parameters in the order of its local variables, `*args` and `**kwargs` last."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # CO_VARARGS, CO_VARKEYWORDS
    return code.co_varnames[:count]


@dataclass(slots=True, eq=False)
class Contents:
    """A container that was an argument, and what was in it when the call began; nested containers likewise.

    Objects made of fields are containers, too; those of a result are kept as they were when the call ended.
    """

    container: Any
    items: list[Any]
    keys: list[Any] | None  #: of a dict, in the order of `items`; of an object the names of its fields
    has_fields: bool = False


class Beginning(NamedTuple):
    """Where a recording begins that has forgotten what was before: between two turns of a loop of the function."""

    instruction: int
    variables: dict[str, Any]
    stack: tuple[Any, ...]  #: iterators of its loops; of ranges the range that is left
    generators: int  #: how many were made and have ended before


class Shells(dict[int, tuple[Any, Any]]):
    """What is left of objects that were recorded, by their identity: the object or a weak reference to it, its shell."""

    __slots__ = ("facts", "made")

    def __init__(self) -> None:
        self.made: set[int] = set()  # identities of the shells, which nobody but the recording has
        self.facts: dict[int, Facts] = {}  # of the classes that were met, by their identity


class Dropped:
    """The type of `DROPPED`, which stands on a tape for a text that was computed and not kept."""

    def __repr__(self) -> str:
        return "<not kept>"


DROPPED = Dropped()

#: Turns of loops between two looks at how much has been recorded. A list: its iterator is the quickest in FOR_ITER.
TANK = [None] * 256
#: With a limit of so many values a whole tank is less than an eighth of them.
AMPLE = 8 * len(TANK)


class _WhenNeeded(Generic[M]):
    """An attribute made when it is first looked for; `functools.cached_property` takes a lock for it before 3.12."""

    def __init__(self, make: Callable[[Any], M]) -> None:
        self.make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> M:
        made = self.make(instance)
        setattr(instance, self.name, made)  # into its `__dict__` would make all attributes slower
        return made


class Tape:
    """What one run recorded: values, the path through the code, and the arguments of entered activations.

    `values` holds, in order, what every recorded instruction yielded; `path` says which instructions those were.
    A generator can go on appending after the run has ended: `end` tells how much of values and path belongs to it.
    `bottom` is what the frame of every activation stands on: (fuel, path, values).
    """

    # A call of a small function is dear by what it sets up. What every recording needs is set by `record.enter`; the
    # defaults of what few need are the class's, and containers are made when they are first looked for. There is no
    # `__init__`, with which it takes twice as long to make one. An attribute that is in the class as well is found ten
    # times as slowly (30 ns on 3.11), so those that calls of recorded functions look at have no default there.
    door: Any  #: what opened it, and tells how much is to be kept
    policy: Any
    thread: int
    given: tuple[Any, ...]  #: the arguments of the traced call
    cells: Any = None  #: its closure
    values: list[Any]
    path: list[int]
    token: Any  #: for giving the context back
    fuel: Iterator[None]
    bottom: tuple[Iterator[None], list[int], list[Any]]
    began: int  #: the number of this recording
    ended: int  #: that of the newest when it ended
    end: tuple[int, int] | None
    is_open: bool  #: the traced call goes on
    has_objects: bool  #: other than numbers, containers and functions
    has_lent: bool  #: whether functions were lent recording code
    is_plain: bool  #: whether the arguments of the traced call are numbers
    result: Any
    exception: BaseException | None
    entered = 1  #: how many activations were entered from outside, the traced call among them
    note: Any = None  # where the recording could begin
    beginning: Beginning | None = None  # where it does, if not with the call
    running = 0  # generators that were made and have not ended
    generators = 0  # how many were made
    exchanged = 0  # values before are exchanged for their shells
    looked_at = 0  # how many objects there were when they were last looked at
    lets_go = False  # objects come to an end now, between two values
    truncated = False
    returned: Any = None  # the contents of the result, if it has objects made of fields
    #: Of activations entered from outside: the plan, the arguments and the closure, by number.
    arguments = _WhenNeeded["dict[int, tuple[Plan, tuple[Any, ...], Any]]"](lambda t: {0: (t.plan, t.given, t.cells)})
    snapshots = _WhenNeeded[list[Snapshot]](lambda _: [])
    copies = _WhenNeeded[dict[int, Any]](lambda _: {})  # the newest of each owner of memory that was perhaps written to
    seals = _WhenNeeded[list[Seal]](lambda _: [])
    lent = _WhenNeeded[dict["FunctionType", None]](lambda _: {})  # functions that record for as long as this is open
    classes = _WhenNeeded[set[type]](lambda _: set())  # whose special methods are among them
    shells = _WhenNeeded(lambda _: Shells())
    unsettled = _WhenNeeded[list[int]](lambda _: [])  # activations with arguments that the objects are still in

    @property
    def plan(self) -> Plan:
        """That of the traced function."""
        return self.door.plan  # type: ignore[no-any-return]

    @property
    def limit(self) -> int:
        """The most values that it is to hold."""
        return self.door.limit  # type: ignore[no-any-return]

    @property
    def last(self) -> int:
        """How many of the newest values are kept; 0 for all."""
        return self.door.last  # type: ignore[no-any-return]

    def fill(self) -> None:
        """Fill the tank."""
        # Near a limit smaller portions, for a turn of a loop may record many values.
        if self.door.is_ample:
            self.fuel = self.door.fuel = iter(TANK)
        else:
            portion = min(self.limit - len(self.values), self.last or self.limit) // 8
            self.fuel = iter(TANK if portion >= len(TANK) else TANK[: max(portion, 1)])
        self.bottom = self.fuel, self.path, self.values

    def refuel(self) -> Iterator[None] | None:
        """More fuel, or None if as much has been recorded as was asked for; then the recording stops."""
        if len(self.values) > self.limit:
            if self.end is None:
                self.end = len(self.values), len(self.path)
                self.truncated = True
            return None
        if not self.fuel.__length_hint__():  # type: ignore[attr-defined]  # else another activation has filled it
            self.fill()
        return self.fuel

    def close(self) -> None:
        """The traced call is over."""
        self.is_open = False
        self.ended = self.policy.twins.now
        if self.end is None:
            self.end = count, _ = len(self.values), len(self.path)
            if count > self.door.limit:
                self.truncated = True
        if self.has_lent:
            lent.take_back(self.lent)
            self.lent.clear()
            self.classes.clear()

    def check(self) -> None:
        """Raise TraceError if the two streams cannot belong together: event lengths must rise and fit."""
        if self.end is not None and (len(self.values) < self.end[0] or len(self.path) < self.end[1]):
            raise TraceError(f"tape out of step: {len(self.values)} values and {len(self.path)} words of {self.end}")
        last = 0
        previous = -1
        length = len(self.values) if self.end is None else self.end[0]
        for word in self.path if self.end is None else self.path[: self.end[1]]:
            if word < 0 <= previous:  # the first operand of an event
                if not last <= ~word <= length:
                    raise TraceError(f"tape out of step: an event at value {~word}, after {last} of {length}")
                last = ~word
            previous = word
