"""The running side: recordings that are opened and closed, generators that are suspended and go on.

Everything here is called from rewritten code while the user's function runs, so it is short and never raises.
"""

from __future__ import annotations

import functools
import math
import sys
import weakref
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from threading import get_ident
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from visual_debug import arrays, cpython, kinds, structures
from visual_debug.tracing import classes, shells, window
from visual_debug.tracing.classes import Facts
from visual_debug.tracing.context import NOWHERE, Nowhere, tape_here
from visual_debug.tracing.tape import AMPLE, TANK, Contents, Plan, Tape
from visual_debug.tracing.writes import IMMUTABLE, settled
from visual_debug.versions import Seal

#: Container types whose content is kept as it was when the call began.
CONTAINERS = frozenset({list, tuple, dict, deque, array, OrderedDict, defaultdict, Counter})
#: Lists longer than this are looked through for containers only if they begin or end with one.
_LONG = 64


#: Containers nested deeper than this in an argument are not followed.
_DEEP = 50


def contents(value: Any, known: dict[int, Contents], facts: dict[int, Facts], depth: int = 0) -> Any:
    """A container argument as it is now, item by item; anything else as it is.

    `known` holds the containers met before, so that one container is one whatever it is reached through, itself
    included; `facts` what is known of classes. A list is copied at 1 ns an item, but looking at every item would cost
    24 (3.11): a container in the middle of a long list of numbers is left out, and replay takes what is read from it
    for numbers from outside.
    """
    kind = type(value)
    if depth > _DEEP:
        return value
    if kind not in CONTAINERS:
        return value if kind in shells.LASTING else _fields(value, known, facts, depth)
    kept = known.get(id(value))
    if kept is None:
        is_mapping = issubclass(kind, dict)
        items = list(value.values() if is_mapping else value)
        kept = known[id(value)] = Contents(value, items, list(value) if is_mapping else None)
        if len(items) <= _LONG or type(items[0]) in CONTAINERS or type(items[-1]) in CONTAINERS:
            kept.items = [item if type(item) in _NUMBERS else contents(item, known, facts, depth + 1) for item in items]
    return kept


def _fields(value: Any, known: dict[int, Contents], facts: dict[int, Facts], depth: int) -> Any:
    """The same of a named tuple, or of an object made of fields, if there are numbers or containers in it."""
    kind: Any = type(value)
    of_class = facts.get(id(kind)) or classes.met(facts, kind)
    if not of_class.has_items:
        return value
    kept = known.get(id(value))
    if kept is not None:
        return kept
    if of_class.layout is None:
        kept = known[id(value)] = Contents(value, [], None)
        kept.items = [contents(item, known, facts, depth + 1) for item in tuple.__iter__(value)]
        return kept
    inside = structures.fields(value, of_class.layout)
    if inside is None:
        return value
    kept = known[id(value)] = Contents(value, [], list(inside), has_fields=True)
    kept.items = [
        item if type(item) in _NUMBERS else contents(item, known, facts, depth + 1) for item in inside.values()
    ]
    if not any(type(item) is Contents or kinds.is_number(item) for item in kept.items):
        del known[id(value)]
        return value
    return kept


class Door:
    """One function that may be entered from unrecorded code, and what becomes of its tapes."""

    __slots__ = ("finish", "fuel", "has_cells", "head", "is_ample", "last", "limit", "of", "plan", "policy")

    def __init__(self, plan: Plan, policy: Any, finish: Callable[[Tape], None] | None, limit: int, last: int) -> None:
        self.of: Callable[[], Any] = _nothing  # the function; weakly, as all that a code object leads back to
        self.plan = plan
        self.policy = policy
        self.finish = finish
        self.limit = limit
        self.last = last  # how many of the newest values are kept; 0 for all
        #: Whether the limit is so far that looking at it every so often will do, whoever used up the fuel.
        self.is_ample = not last and limit >= AMPLE
        self.fuel = iter(TANK)
        self.has_cells = bool(plan.code.co_freevars)
        self.head = [plan.door, -1, -1, -1]  # what the path of a recording begins with that this opens

    def closure(self) -> Any:
        """The cells of the function."""
        function = self.of() if self.has_cells else None
        return None if function is None else function.__closure__

    def __reduce__(self) -> tuple[Any, ...]:
        return Elsewhere, ()


class Elsewhere:
    """Stands in code that was pickled for the door, which is of another process."""


def _nothing() -> None:
    return None


class Ticket:
    """The recording that belongs to a generator, also while this is suspended.

    A generator made by recorded code writes to the tape of that code, whoever resumes it: its ticket has no door.
    """

    __slots__ = ("door", "fed", "number", "since", "tape", "token", "word")

    def __init__(self, tape: Any, door: Door | None, number: int, word: int) -> None:
        self.tape = tape
        self.door = door
        self.token: Token[Tape | Nowhere] | None = None  # for giving the context back
        self.fed: int | None = None  # of one that nobody else has: from where it is always resumed, as an operand
        self.since = -1  # of the first object of a recording: from which value on there may be others
        self.number = number  # negative as the operands of events are
        self.word = word  # that says that the generator goes on

    def take_over(self) -> None:
        """From now on this context records on this tape."""
        if self.token is None and tape_here.get() is not self.tape:
            self.token = tape_here.set(self.tape)

    def give_back(self) -> None:
        """This context records again what it did before."""
        token, self.token = self.token, None
        if token is not None:
            tape_here.reset(token)


class Known(NamedTuple):
    """What is known of a rewritten code object."""

    code: weakref.ref[CodeType]
    policy: Any  #: that it records for
    entry: int  #: word of its plan
    standings: list[int]  #: by code unit: one of those below
    places: list[int]  #: by code unit: the operand that tells it; 0 where it does not lead anywhere
    feeders: dict[int, bool]  #: code units of calls and loops that nobody else shares an iterator with: whether loops
    written: CodeType  #: as the user wrote it


#: What it means for code that is entered that recorded code stands at a code unit: that led to it,
AT_WORK = 0
#: it is interrupted where it records, by a signal or a collection of garbage,
RECORDING = 1
#: or nothing. A generator that delegates stands between, though it does not run, when something is thrown into it; so
#: does what has changed over to its plain copy.
PASSED_BY = 2

#: Rewritten code objects by identity (by value they compare slowly).
_known: dict[int, Known] = {}


def register(code: CodeType, plan: Plan, is_door: bool, policy: Any) -> CodeType:
    """Make a rewritten code object known as such."""
    key = id(code)
    standings = [
        _standing(plan, origin, is_hook)
        for origin, is_hook in zip(plan.origins[is_door], plan.hooked[is_door], strict=True)
    ]
    # A callback in Python could lose an exception that a signal raised in it.
    reference = weakref.ref(code, functools.partial(_known.pop, key))
    places = [~(plan.entry << _PLACE | unit) if s == AT_WORK else 0 for unit, s in enumerate(standings)]
    feeders = {
        unit: plan.instructions[origin].name == "FOR_ITER"
        for unit, origin in enumerate(plan.origins[is_door])
        if origin in plan.feeders and places[unit]
    }
    _known[key] = Known(reference, policy, plan.entry, standings, places, feeders, plan.code)
    return code


def plain_code(code: CodeType) -> CodeType:
    """The code that the user wrote, which `code` is, or has been rewritten from: a generator shows the rewritten one."""
    known = _known.get(id(code))
    return code if known is None else known.written


def _standing(plan: Plan, origin: int, is_hook: bool) -> int:
    if origin < 0:
        return PASSED_BY
    name, arg, _ = plan.instructions[origin]
    # At the first RESUME it is about to lie down what it stands on, for which 3.11 makes an iterator at first.
    if plan.is_generator and (name == "YIELD_VALUE" or (name == "RESUME" and arg & cpython.RESUMES)):
        return PASSED_BY
    return RECORDING if is_hook or name in _UNANNOUNCED else AT_WORK


def _place(depth: int, tape: Tape) -> int:
    """Where recorded code stands that led to what is done `depth` frames above, as `place_of` tells.

    0 if none did, and -1 if it was interrupted where it records.
    """
    try:
        frame: FrameType | None = sys._getframe(depth + 1)
    except ValueError:  # a generator that dies with the interpreter
        return 0
    while frame is not None:
        known = _known.get(id(frame.f_code))
        if known is not None and known.policy is tape.policy:
            unit = frame.f_lasti // 2
            standing = known.standings[unit]
            if standing == AT_WORK or (standing == RECORDING and tape.lets_go):
                return known.entry << _PLACE | unit
            if standing == RECORDING:
                return -1
        frame = frame.f_back
    return 0


def place_of(word: int) -> tuple[int, int]:
    """The entry word of the plan, and the code unit, of a place on a path."""
    return ~word >> _PLACE, ~word & ((1 << _PLACE) - 1)


#: Bits of a place that hold the code unit.
_PLACE = 24
#: Where an activation stands of which the path does not tell yet.
_UNANNOUNCED = frozenset({"RESUME", "RETURN_GENERATOR", "MAKE_CELL", "COPY_FREE_VARS"})

#: What closes the recording is the tape in the activation that has opened it, and in generators their ticket.
Bottom = tuple[Any, "Tape | Ticket | None", list[int], list[Any]]


def _announce(door: Door, arguments: tuple[Any, ...], depth: int) -> tuple[Any, bool]:
    """Begin an activation from unrecorded code: on this context's tape if it follows the function, else on a new one.

    `depth` frames from here is who called. Returns the tape and whether it is a new one.
    """
    tape = tape_here.get()
    thread = get_ident()
    if tape.policy is door.policy and tape.is_open and tape.thread == thread:  # type: ignore[union-attr]
        place = _place(depth, tape)  # type: ignore[arg-type]
        if place > 0 or (not place and (tape.end is not None or tape.plan.is_generator)):
            if tape.end is not None:
                return NOWHERE, False  # the recording has stopped, and the call that it is of still goes on
            assert isinstance(tape, Tape)
            _told(door, tape, arguments, ~place if place else -1)
            return tape, False
        if not place:
            tape.close()  # type: ignore[union-attr]
        # that call is over: its recording could not be laid under it, or not be closed
    if door.finish is None:
        return NOWHERE, False  # the code is lent to the function for a recording elsewhere
    return _begun(door, arguments), True


def _told(door: Door, tape: Tape, arguments: tuple[Any, ...], place: int) -> None:
    """Say that an activation begins on a recording that goes on, and where it was called, as an operand.

    Of the arguments is kept what is left of objects. What is in their fields a recording that goes on knows.
    """
    memory = tape.shells
    facts = memory.facts
    kept: list[Any] | tuple[Any, ...] = []
    for value in arguments:
        kind = type(value)
        if kind not in _NUMBERS:
            of_class = facts.get(id(kind))
            if of_class is None or not of_class.is_object:
                tape.unsettled.append(tape.entered)
                kept = _kept(door, tape, arguments, is_new=False)
                break
            key = id(value)
            known = memory.get(key)
            value = known[1] if known is not None else shells.made(value, key, of_class, memory)
        kept.append(value)  # type: ignore[union-attr]
    number = tape.entered
    tape.path += door.plan.door, ~len(tape.values), ~number, place
    tape.arguments[number] = door.plan, tuple(kept), door.closure() if door.has_cells else None
    tape.entered = number + 1


def _begun(door: Door, arguments: tuple[Any, ...]) -> Tape:
    """A new recording, with the call that it is of."""
    tape = Tape()
    tape.door = door
    tape.policy = policy = door.policy
    tape.thread = get_ident()
    values: list[Any] = []
    tape.values = values
    tape.path = path = door.head.copy()
    twins = policy.twins
    twins.now = tape.began = twins.now + 1
    tape.end = None
    tape.is_open = tape.is_plain = True
    tape.has_objects = tape.has_lent = False
    if door.is_ample:
        tape.fuel = fuel = door.fuel
        tape.bottom = fuel, path, values
    else:
        tape.fill()
    if door.has_cells:
        tape.cells = door.closure()
    for value in arguments:
        if type(value) not in _NUMBERS:
            tape.is_plain = False
            arguments = _kept(door, tape, arguments, is_new=True)
            break
    tape.given = arguments
    return tape


#: Arguments of these types lead to nothing else.
_NUMBERS = frozenset({float, int, complex, bool, type(None)})


def _kept(door: Door, tape: Tape, arguments: tuple[Any, ...], *, is_new: bool) -> tuple[Any, ...]:
    """What a recording keeps of arguments that are not all numbers; functions that they lead to are lent its code."""
    if is_new:
        door.policy.lend(tape, arguments)
    given = arguments
    for value in given:
        if type(value) not in shells.LASTING:
            arguments = shells.noted(tape, arguments)
            break
    else:
        if CONTAINERS.isdisjoint(map(type, given)):
            return given
    facts = tape.shells.facts
    known: dict[int, Contents] = {}
    kept = tuple([value if type(value) in _NUMBERS else contents(value, known, facts) for value in given])
    if not known:
        return arguments
    for value, rest in zip(given, arguments, strict=True):
        if rest is not value and id(value) in known:
            known[id(value)].container = rest
            tape.has_objects = True
    return tuple([new if type(new) is Contents else rest for new, rest in zip(kept, arguments, strict=True)])


def enter(door: Door, arguments: tuple[Any, ...]) -> Bottom:
    """A function is called from outside. Returns what its frame stands on: (fuel, state, path, values)."""
    tape: Any = tape_here.get()
    if tape is NOWHERE and door.finish is not None:  # nothing is being recorded: nearly always
        tape = _begun(door, arguments)
        tape.token = tape_here.set(tape)
        return tape.fuel, tape, tape.path, tape.values
    if tape.policy is door.policy and tape.end is None and tape.thread == get_ident():
        # Code that is recorded stands right behind this: it has called a class, or an operator of one.
        frame = sys._getframe(2)
        known = _known.get(id(frame.f_code))
        place = known.places[frame.f_lasti // 2] if known is not None and known.policy is tape.policy else 0
        if place:
            _told(door, tape, arguments, place)
            return tape.fuel, None, tape.path, tape.values
    tape, is_new = _announce(door, arguments, 3)
    if is_new:
        tape.token = tape_here.set(tape)
        return tape.fuel, tape, tape.path, tape.values
    return (None, None, [], []) if tape is NOWHERE else (tape.fuel, None, tape.path, tape.values)


def create(door: Door, arguments: tuple[Any, ...], word: int) -> Ticket:
    """A generator or coroutine is made from outside; returns its ticket."""
    # A frame that has not come to its first RESUME is none for `sys._getframe`.
    tape, is_new = _announce(door, arguments, 2)
    if is_new:
        tape.token = None  # its ticket has that
    return _numbered(tape, door if is_new else None, word)


def created(entry: int, word: int) -> Ticket:
    """Recorded code makes a generator or coroutine; returns its ticket."""
    tape = tape_here.get()
    if isinstance(tape, Tape) and tape.end is None:
        tape.path.append(entry)
    return _numbered(tape, None, word)


def _numbered(tape: Any, door: Door | None, word: int) -> Ticket:
    if tape.end is not None:
        return Ticket(NOWHERE, None, 0, word)
    tape.generators += 1
    tape.running += 1
    ticket = Ticket(tape, door, -tape.generators, word)
    if not tape.has_objects:
        ticket.since = 0
        tape.has_objects = True
    return ticket


def begun(ticket: Ticket) -> Bottom:
    """A generator is resumed for the first time. Returns what its frame stands on."""
    tape = ticket.tape
    if tape_here.get() is tape and tape.end is None and tape.generators == -ticket.number and ticket.door is None:
        # Whatever may start a collection, and code with it that says where it comes from, is made before it is told.
        _feed(ticket, sys._getframe(2), sys._getframe(1))
    bottom = (None, ticket, [], []) if tape.end is not None else (tape.fuel, ticket, tape.path, tape.values)
    return (None, ticket, [], []) if resumed(ticket, 2) is None else bottom


def _feed(ticket: Ticket, consumer: FrameType, generator: FrameType) -> None:
    """See whether the newest generator is one that only who begins it now will ever resume, and always from there."""
    tape, known = ticket.tape, _known.get(id(consumer.f_code))
    if known is None or known.policy is not tape.policy or tape.thread != get_ident():
        return
    unit = consumer.f_lasti // 2
    is_loop = known.feeders.get(unit)
    if is_loop is None:
        return
    if not is_loop:
        if id(tape.values[-1]) in _FEEDERS:
            ticket.fed = known.places[unit]
            if ticket.since >= 0:
                ticket.since = len(tape.values)
                tape.has_objects = False  # it is in no container
    elif not known.written.co_flags & _SUSPENDS and len(tape.values) > 1:
        # The call before the loop was one of the generator's own function, and not of one that may have kept it.
        made_by = tape.values[-2]
        if type(made_by) is MethodType:
            made_by = made_by.__func__
        own = _known.get(id(generator.f_code))
        if type(made_by) is FunctionType and own is not None and made_by.__code__ is own.written:
            ticket.fed = known.places[unit]


#: CO_GENERATOR, CO_COROUTINE and CO_ASYNC_GENERATOR: who is suspended may go on in another thread.
_SUSPENDS = 0x20 | 0x80 | 0x200
#: Functions that take their only argument's items until they return, and cannot be handed a generator by those.
_FEEDERS = {id(f) for f in (sum, list, tuple, set, frozenset, min, max, sorted, any, all, math.fsum, math.prod)}


def resumed(ticket: Ticket, depth: int = 1) -> Any:
    """A generator goes on: say which, and where the recording stands. Returns fuel, or None if that has ended."""
    tape = ticket.tape
    if tape.end is not None:
        return None
    thread = get_ident()
    if tape.thread != thread:
        if ticket.door is None:
            ticket.tape = NOWHERE  # the recording goes on elsewhere, perhaps at this moment
            return None
        tape.thread = thread
    if ticket.token is None and tape_here.get() is not tape:
        ticket.token = tape_here.set(tape)
        tape.policy.forget()  # who knows what was assigned to functions since it was suspended
    # Two generators that a foreign consumer resumes in turn cannot be told apart without the place.
    place = 0
    try:
        frame = sys._getframe(depth + 1)
        known = _known[id(frame.f_code)]
        if known.policy is tape.policy:
            place = known.places[frame.f_lasti // 2]
    except (KeyError, ValueError):
        pass  # resumed by other code
    path = tape.path
    path += ticket.word, ~len(tape.values), ticket.number, place or ~max(_place(depth + 1, tape), 0)
    return tape.fuel


def suspended(ticket: Ticket) -> None:
    """A generator that has taken its context over yields."""
    ticket.give_back()


def delegated(ticket: Ticket, word: int) -> None:
    """What a generator delegated to has returned, perhaps to `throw`, which does not resume the generator first."""
    ticket.take_over()
    path = ticket.tape.path
    path.append(word)
    path.append(~len(ticket.tape.values))
    path.append(ticket.number)


def refuel(values: list[Any]) -> Any:
    """More fuel for the activation that writes to these values; None if its recording is over."""
    tape = tape_here.get()
    if tape.end is not None or tape.values is not values:
        return None
    return tape.refuel()


def turned(values: list[Any], state: Tape | None, instruction: int, *stack: Any) -> Any:
    """The same for a loop of a door, at which a flight recorder may begin if it is that of the traced call."""
    if state is not None and state.last and state.end is None:
        window.turn(state, instruction, sys._getframe(1).f_locals, stack)
    return refuel(values)


def landed(ticket: Ticket) -> int:
    """An exception was caught in a generator, into which it may have been thrown; returns who may have, for the path."""
    ticket.take_over()
    return ~max(_place(2, ticket.tape), 0)


def leave(tape: Tape, result: Any, exception: BaseException | None = None) -> None:
    """The call that a recording is of has ended."""
    token = tape.token
    try:
        if token is not None:
            tape.token = None
            tape_here.reset(token)
    finally:
        is_open = tape.is_open  # not so if it was closing the recording that failed
        if is_open:
            tape.result, tape.exception = result, exception
            tape.close()
    if is_open:
        if tape.policy.fleeting:
            tape.policy.forget()
        if type(result) not in _NUMBERS or not tape.is_plain:
            _seal(tape, result)
            if type(result) not in shells.STAYS:
                _keep_result(tape, result)
        if tape.has_objects:
            shells.empty(tape)
            settled.forget()
        tape.door.finish(tape)


def ended(ticket: Ticket, result: Any) -> None:
    """A generator returns."""
    _give_up(ticket, result, None)


def abandon(state: Tape | Ticket | None, exception: BaseException) -> None:
    """A function that opened a recording, or any generator, is left by an exception."""
    if type(state) is Ticket:
        _give_up(state, None, None if isinstance(exception, GeneratorExit) else exception)
    elif type(state) is Tape:
        leave(state, None, exception)


def _give_up(ticket: Ticket, result: Any, exception: BaseException | None) -> None:
    """A generator has ended."""
    door, tape = ticket.door, ticket.tape
    try:
        ticket.give_back()
    finally:
        if tape is not NOWHERE:
            tape.running -= 1
            if not tape.has_objects and not shells.stay(tape.values[ticket.since : ticket.since + _FIRST]):
                tape.has_objects = True
            if door is not None:
                leave(tape, result, exception)


def _keep_result(tape: Tape, result: Any) -> None:
    """Keep what is in objects made of fields that a call returns, which whoever has them may change."""
    known: dict[int, Contents] = {}
    kept = contents(result, known, {})
    if any(item.has_fields or type(item.container) not in CONTAINERS for item in known.values()):
        tape.returned = kept
        tape.has_objects = True


#: How many values are looked at to see whether a generator went through objects.
_FIRST = 4
#: Arrays up to this many elements are copied when a call ends, which takes as long as hashing them.
_SMALL = 4096


def _seal(tape: Tape, result: Any) -> None:
    """Keep what is in the arrays that the user goes on holding, so that a later write to them is not mistaken."""
    if "numpy" not in sys.modules:
        return
    work = [result, *tape.arguments[0][1]]
    seen: set[int] = set()
    while work:
        value = work.pop()
        if type(value) is Contents:
            if id(value) not in seen:
                work.extend(value.items)
                seen.add(id(value))
        elif type(value) in CONTAINERS and len(value) <= _LONG and id(value) not in seen:
            work.extend(value.values() if issubclass(type(value), dict) else value)
            seen.add(id(value))
        elif type(value) not in IMMUTABLE and arrays.is_array(value):
            owner = arrays.owner_of(value)
            if id(owner) not in seen:
                seen.add(id(owner))
                small = owner.size <= _SMALL
                tape.seals.append(
                    Seal(owner, owner.copy(order="K") if small else None, 0 if small else arrays.sample(owner))
                )


#: As many items as there are contexts somewhere in which traces are collected.
collecting_somewhere: list[None] = []
_collectors: ContextVar[tuple[list[Any], ...]] = ContextVar("visual_debug_collectors", default=())


@contextmanager
def collecting(traces: list[Any]) -> Iterator[None]:
    """Within it, finished traces of this context are appended to `traces` too."""
    collecting_somewhere.append(None)
    token = _collectors.set((*_collectors.get(), traces))
    try:
        yield
    finally:
        _collectors.reset(token)
        collecting_somewhere.pop()


def collect(trace: Any) -> None:
    """Hand a finished trace to whoever collects in this context."""
    for traces in _collectors.get():
        traces.append(trace)
