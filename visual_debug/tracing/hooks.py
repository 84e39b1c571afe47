"""What rewritten code has in it besides the user's instructions: the functions that it calls, and marks of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Hooks(NamedTuple):
    """The functions that rewritten code calls; `record` provides them, so that rewriting knows nothing of running.

    `fuel` is an iterator that every turn of a loop takes one item from. None in its place means that nothing is to be
    recorded: the activation goes on in the plain copy of its code.
    """

    sinks: Callable[[], Any]  #: () -> the tape of this context, whose `bottom` is (fuel, path, values)
    refuel: Callable[[list[Any]], Any]  #: (values) -> fuel
    turned: Callable[..., Any]  #: the same in a loop of a door: (values, state, instruction, *iterators) -> fuel
    resolve: Callable[..., Any]  #: (values, call site, callable, *arguments) -> what to call instead
    #: The same with `FEW` arguments, None for those that there are not: a call of a fixed number is quicker.
    resolve_few: Callable[..., Any]
    note: Callable[[list[Any], Any], None]  #: append what is no number: (values, value)
    lasting: Any  #: its attribute `types` is the set of types of which every object may be appended as it is
    call_site: Callable[[int, int], Any]  #: (how many positional arguments, how many) -> a cache with attribute `pair`
    before_write: Callable[[list[Any], Any], Any]  #: (values, array about to be written to)
    before_out: Callable[[list[Any], Any], Any]  #: (values, what a call is given to write its result to)
    before_item: Callable[..., Any]  #: (values, array about to be written to, index or ends of the slice)
    before_attribute: Callable[[list[Any], Any], None]  #: (values, object of which an attribute is about to be written)
    settled: Any  #: its attribute `types` is the set of types for which that need not be called
    landed: Callable[[Any], int]  #: in a generator's exception handler: (ticket) -> from where, as its operand
    leave: Callable[[Any, Any], None]  #: a function that opened a recording ends: (state, result)
    ended: Callable[[Any, Any], None]  #: the same of a generator: (ticket, result)
    abandon: Callable[[Any, BaseException], None]  #: the same by an exception: (state or ticket, exception)
    created: Callable[[int, int], Any]  #: recorded code made a generator: (entry word, word of resuming) -> ticket
    begun: Callable[[Any], Any]  #: a generator is resumed for the first time: (ticket) -> (fuel, ticket, path, values)
    resumed: Callable[[Any], Any]  #: a generator goes on: (ticket) -> fuel
    suspended: Callable[[Any], None]  #: it yields, having taken its context's recording over: (ticket)
    delegated: Callable[[Any, int], None]  #: what it delegated to has returned: (ticket, word)
    reassigned: Callable[[], Any]  #: the code or the defaults of a function may have been assigned to
    note_sum: Callable[[list[Any], Any], None]  #: append the result of `+=`, if it is no text: (values, result)
    immutable: frozenset[type]  #: types that are no arrays and no texts, for a quick look before `before_write`
    comprehend: Callable[..., Any]  #: (values, call site, function of a comprehension) -> what to call instead
    watch: Callable[[Any], None] | None = None  #: looks at what every operator and call yields: (value); it may raise


#: Calls with no more arguments have a hook of their own.
FEW = 2


class DoorHooks(NamedTuple):
    """What a function that is entered from outside needs besides: the recording is opened here."""

    enter: Callable[[Any, tuple[Any, ...]], Any]  #: (door, arguments) -> (fuel, state, path, values)
    create: Callable[[Any, tuple[Any, ...], int], Any]  #: of a generator: (door, arguments, word of resuming) -> ticket


class Elsewhere:
    """Stands for a traceback that begins in other code; its offset is none of any instruction."""

    tb_lasti = 1 << 30
    co_linetable = None

    def __init__(self) -> None:
        self.tb_frame = self.f_code = self

    def __reduce__(self) -> str:
        return "ELSEWHERE"


ELSEWHERE = Elsewhere()


class Origin(NamedTuple):
    """What an instruction of rewritten code is there for."""

    instruction: int  #: index of that of the original; `~index` in the plain copy
    is_hook: bool  #: whether it calls something for the recording, and not for the user


class Identity:
    """Tells code from all other code, by an object that is its own alone: code cannot hold itself."""

    __slots__ = ("table",)
    table: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return Identity, ()  # what was pickled runs nowhere as it is


@dataclass(frozen=True, slots=True)
class Door:
    """Stands in the constants of a door's code for the object that `open_door` puts in its place."""
