"""Tape and plans -> columns: the recorded path run again, with references to nodes in place of values.

The machine executes the original instructions of every activation. Branches are decided by the words of the path,
results are taken from the recorded values, and what each operation works on is known from the machine's own stack and
variables, never guessed from values. Where something passed through code that was not recorded, a value is accepted
only if the very object is found again; if that is not certain, the node is `opaque` and says what it may depend on,
so that a gradient through it is refused rather than wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, MutableSequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from visual_debug import arrays, collector, cpython, display, kinds, structures
from visual_debug.columns import WORTH_NUMPY, Call, Columns
from visual_debug.errors import TraceError
from visual_debug.kinds import SCALARS, Gone
from visual_debug.replaying import calls, containers, links, opcodes
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes import functions, jumps, resuming
from visual_debug.replaying.symbols import UNSET, Leaf, Mapping, Ref, Sequence, Thing
from visual_debug.tracing import hooks, policy, record
from visual_debug.tracing.tape import Beginning, Contents, Plan, Tape, parameters
from visual_debug.versions import Versions


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a tape says: the columns, and where arguments and result are in them.

    `inputs` and `result` are node ids in the structure of the argument or result; None stands for what is no number.
    """

    columns: Columns
    inputs: dict[str, Any]
    result: Any
    sliced: bool = False  #: a part of a trace, whose result is a node that was picked


def replay(tape: Tape, learn: Callable[[Columns, dict[str, Any], Any], None] | None = None) -> Replayed:
    """Rebuild the columns of a tape, in time linear in its length. Raises TraceError if it does not fit its code.

    `learn` is told columns, inputs and result while the values are still the very objects that were recorded.
    """
    tape.check()
    count, words = tape.end if tape.end is not None else (len(tape.values), len(tape.path))
    count = min(count, tape.limit)
    values = tape.values if count == len(tape.values) else tape.values[:count]
    player = _Player(Machine(tape, values, tape.path[:words]))
    with collector.paused():
        player.run()
    machine = player.machine
    result = _result(machine)
    if learn is not None:
        learn(machine.columns, player.inputs, result)
    _restore_arrays(machine, copies_of_sealed(tape))
    machine.columns.check()
    return Replayed(machine.columns, player.inputs, result)


def _result(machine: Machine) -> Any:
    """Node ids of what the call returned or, if it was a generator's, of what it yielded."""
    if machine.tape.plan.yields and machine.yields is not None:
        return [_structure(machine, ref, {}) for ref in machine.yields.rest() or []]
    if machine.tape.exception is not None or machine.tape.truncated:
        return None
    return _structure(machine, machine.result, _objects(machine.tape.returned))


def _objects(returned: Any) -> dict[int, Contents]:
    """The objects made of fields in what a call returned, by identity."""
    found: dict[int, Contents] = {}
    seen: set[int] = set()
    work = [returned]
    while work:
        item = work.pop()
        if type(item) is Contents and id(item) not in seen:
            seen.add(id(item))
            work.extend(item.items)
            if item.has_fields:
                found[id(item.container)] = item
    return found


def _structure(machine: Machine, ref: Ref, objects: dict[int, Contents]) -> Any:
    """Node ids in the structure of a container; None for anything that is no number, and for a container in itself.

    `objects` are those made of fields that are looked into, by identity.
    """
    done: list[Any] = []
    inside: set[int] = set()
    work: list[tuple[Any, Any]] = [(ref, None)]  # references, and how to put together what was made of the last ones
    while work:
        ref, join = work.pop()
        if join is not None:
            count, make, key = join
            parts = done[len(done) - count :]
            del done[len(done) - count :]
            inside.discard(key)
            done.append(make(parts))
            continue
        opened = _opened(machine, ref, objects) if id(ref) not in inside else None
        if opened is None:
            done.append(machine.node(ref))
            continue
        parts, make = opened
        inside.add(id(ref))
        work.append((None, (len(parts), make, id(ref))))
        work.extend((part, None) for part in reversed(parts))
    return done[0]


def _opened(
    machine: Machine, ref: Ref, objects: dict[int, Contents]
) -> tuple[list[Ref], Callable[[list[Any]], Any]] | None:
    """What is in a container, and how to put together what was made of it; None for what is none."""
    kind = type(ref)
    if kind is int or kind is Leaf:
        node = machine.node(ref)
        value = None if node is None else machine.columns.value[node]
        if node is None or machine.main is None or not isinstance(value, tuple):
            return None
        # What an operation returned that has several results, such as `divmod` or `numpy.linalg.qr`: each of them.
        site, items = machine.columns.site[node], enumerate(value)
        return [containers.item_of_array(machine, machine.main, site, node, (i,), part) for i, part in items], tuple
    if kind is Sequence and ref.items is not None:
        fields = structures.tuple_fields(type(ref.object))
        return list(ref.items), (tuple if ref.kind is tuple else list) if fields is None else _as_record(
            type(ref.object), fields
        )
    if kind is Mapping and ref.items is not None:
        keys = list(ref.items)
        return list(ref.items.values()), lambda parts: dict(zip(keys, parts, strict=True))
    if kind is Thing and id(ref.object) in objects:
        contents = objects[id(ref.object)]
        value = contents.container
        record = value.kind if type(value) is Gone else type(value)
        return _fields(machine, ref, contents), _as_record(record, tuple(contents.keys or ()))
    return None


def _fields(machine: Machine, ref: Thing, contents: Contents) -> list[Ref]:
    """What is in the fields of an object."""
    known = machine.attributes.get(id(ref.object), {})
    site, found = machine.tape.plan.site(-1), []
    for name, item in zip(contents.keys or (), contents.items, strict=True):
        value = item.container if type(item) is Contents else item
        part = known.get(name)
        if machine.main is not None and (kinds.is_number(value) or type(item) is Contents):
            part = machine.claim(part, value, site, name, ref)
        found.append(part)
    return found


def _as_record(kind: type, names: tuple[str, ...]) -> Callable[[list[Any]], Any]:
    return lambda parts: structures.Record(kind, kind.__name__, dict(zip(names, parts, strict=True)))


def copies_of_sealed(tape: Tape) -> dict[int, Any]:
    """Copies of arrays that the user still holds, as they were when the call ended; by the identity of the array."""
    copies: dict[int, Any] = {}
    for seal in tape.seals:
        if seal.content is None and arrays.sample(seal.array) != seal.sample:
            raise TraceError(
                f"an array ({display.value_text(seal.array)}) that {tape.plan.code.co_qualname} was given or "
                "returned was written to after the call, before anything was asked of the trace: ask first, for "
                "instance for len(trace), or write to a copy"
            )
        copies[id(seal.array)] = seal.array.copy(order="K") if seal.content is None else seal.content
    return copies


def part_from_the_user(value: MutableSequence[Any], copies: dict[int, Any], late: Container[int] = ()) -> None:
    """Put copies in place of arrays that the user still holds, but for those that are made when they are asked for."""
    for node, array in enumerate(value) if copies else ():
        if type(array) not in SCALARS and arrays.is_array(array) and node not in late:
            owner = array if array.base is None else arrays.owner_of(array)
            if id(owner) in copies:
                value[node] = arrays.same_view(array, owner, copies[id(owner)])


def _restore_arrays(machine: Machine, copies: dict[int, Any]) -> None:
    """Give nodes the content that their array had then, and none that the user still holds."""
    columns, value = machine.columns, machine.columns.value
    late: dict[int, int] = {}
    if machine.tape.snapshots:
        history = machine.history
        history.end((seal.array, copies[id(seal.array)]) for seal in machine.tape.seals)
        for node, epoch in machine.epochs.items():
            if history.is_partial(value[node], epoch):
                late[node] = epoch
            else:
                value[node] = history.at(value[node], epoch)
        for node, epoch in machine.call_epochs.items():
            call = columns.calls[node]
            args = tuple(arg if i in call.where else history.at(arg, epoch) for i, arg in enumerate(call.args))
            kwargs = {key: history.at(item, epoch) for key, item in call.kwargs.items()}
            columns.calls[node] = Call(args, kwargs, call.where)
    part_from_the_user(value, copies, late)
    if late:
        columns.value = Versions(list(value), late, machine.history)


#: How many words the events of generators take.
_LENGTH = {policy.RESUMED: 4, policy.DELEGATED: 3, policy.RAISED: 5}


#: Where in them the number of the generator stands.
_NUMBER = {policy.RESUMED: 2, policy.DELEGATED: 2, policy.RAISED: 3}


#: Turns of a loop between two looks at whether those to come are alike: doubled after each look in vain, up to this.
MOST_WAIT = 1024


class _Player:
    """Runs a machine over its tape, event by event."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.inputs: dict[str, Any] = {}
        path = machine.path
        self.events = [i - 1 for i, word in enumerate(path) if word < 0 and path[i - 1] >= 0]
        self.event = 0
        self.raised_at = (-1, -1)  # where the recording stood when an exception left an activation
        self.event_v = self.event_p = -1
        self.is_long = len(machine.values) > WORTH_NUMPY
        self.waits: dict[tuple[Plan, int], tuple[int, int]] = {}  # loops -> turns until they are looked at, and after
        self.path: Any = None
        self.passages: Any = None
        self.next_event()

    def run(self) -> None:
        """Execute the whole tape."""
        machine = self.machine
        try:
            if machine.tape.beginning is None:
                self._enter_by_door(None)
            else:
                self._begin(machine.tape.beginning)
            while True:
                frame = machine.frame
                if frame is None:
                    if machine.p == len(machine.path):
                        break
                    self._from_outside()
                    continue
                steps = machine.steps.get(frame.plan)
                if steps is None:
                    steps = machine.steps[frame.plan] = opcodes.prepare(frame.plan)
                while machine.frame is frame:
                    pc = frame.pc
                    if machine.v == self.event_v and machine.p == self.event_p and self._on_event(frame):
                        continue
                    frame.pc = pc + 1
                    handler, arg = steps[pc]
                    handler(machine, frame, arg)
                    if frame.pc < pc and self.is_long:
                        self._go_round(frame)
        except (IndexError, KeyError, TraceError) as error:
            # Ctrl-C can come in the middle of what tells of an event.
            interrupted = not isinstance(machine.tape.exception, (Exception, type(None)))
            if (machine.tape.truncated or interrupted) and machine.v >= len(machine.values):
                return  # recording stopped in the middle of something
            if isinstance(error, TraceError):
                raise
            raise machine.misfit(f"{type(error).__name__}: {error}") from error
        if machine.v != len(machine.values) or machine.p != len(machine.path):
            raise machine.misfit("something recorded was left over")

    def _go_round(self, frame: Frame) -> None:
        """The frame has come to the head of a loop, perhaps with many turns before it that are all alike."""
        from visual_debug.replaying import passages, turns

        key = frame.plan, frame.pc
        left, wait = self.waits.get(key, (1, 1))
        if left:
            self.waits[key] = left - 1, wait
            return
        done = turns.advance(self.machine, frame, (self.event_v, self.event_p), self._path)
        if not done and not turns.is_barred(self.machine, frame):
            if self.passages is None or self.passages.frame is not frame:
                self.passages = passages.Passages(self.machine, frame, self.events)
            done = self.passages.advance()
            while 0 <= self.event_p < self.machine.p:
                self.next_event()
        wait = 1 if done >= turns.WORTH else min(wait * 2, MOST_WAIT)
        self.waits[key] = wait, wait

    def _path(self) -> Any:
        """The path as an array."""
        if self.path is None:
            import numpy as np

            self.path = np.fromiter(self.machine.path, np.int64, len(self.machine.path))
        return self.path

    def _begin(self, beginning: Beginning) -> None:
        """Begin between two turns of a loop, with what variables and iterators were then."""
        machine = self.machine
        plan = machine.tape.plan
        frame = machine.main = machine.activate(plan, None)
        frame.by_door, frame.pc = True, beginning.instruction
        machine.generators = [frame] * beginning.generators  # they have ended
        site = plan.site(-1)
        for name, value in beginning.variables.items():
            frame.locals[name] = machine.argument(value, name, site)
        machine.open_cells(frame, machine.tape.arguments[0][2])
        for name in plan.code.co_freevars:
            if name in frame.locals:
                frame.cells[name].ref = frame.locals[name]
        head = plan.instructions[beginning.instruction]
        stack = list(beginning.stack)
        if head.name == "FOR_ITER" and head.skip:  # the number at hand is the next that the loop is given
            number, rest = stack.pop(), stack.pop()
            is_range = type(rest) is range and len(rest)
            stack.append(range(number, rest.stop, rest.step) if is_range else range(number, number + 1))
        frame.stack = [containers.iterate(machine, frame, beginning.instruction, Thing(item)) for item in stack]
        self.inputs = dict.fromkeys(parameters(plan.code))

    def _from_outside(self) -> None:
        """No recorded code is running: a generator or coroutine is resumed by unrecorded code, or a function called."""
        machine = self.machine
        word = policy.meaning(machine.path[machine.p])
        if word is None or machine.p != self.event_p or machine.v != self.event_v:
            raise machine.misfit("nothing was running")
        if word.kind == policy.DOOR:
            self._enter_by_door(None)
        elif word.kind in (policy.RESUMED, policy.DELEGATED) or (word.kind == policy.RAISED and word.plan.is_generator):
            self._go_on(None, word.kind)
        else:
            raise machine.misfit(f"a word for {word.kind} from outside")

    def next_event(self) -> None:
        """Look ahead to the next event: the lengths of values and path at which it is due."""
        if self.event < len(self.events):
            self.event_p = self.events[self.event]
            self.event_v = ~self.machine.path[self.event_p + 1]
            self.event += 1
        else:
            self.event_p = self.event_v = -1

    def _on_event(self, frame: Frame) -> bool:
        """Handle the event due now, if it happened at the instruction the frame has come to."""
        machine = self.machine
        number = machine.path[machine.p]
        word = policy.meaning(number)
        if word is None:
            raise machine.misfit(f"word {number} begins no event")
        name = frame.plan.instructions[frame.pc].name
        if word.kind == policy.LOOP_END:
            if name != "FOR_ITER" or frame.plan.taken[frame.pc] != number:
                return False
            machine.p += 2
            self.next_event()
            jumps.end_loop(machine, frame)
            return True
        if word.kind == policy.DOOR:
            if not self._stands_at(frame, word.kind):
                return False
            self._enter_by_door(frame)
            return True
        if word.plan.is_generator:
            return self._generator_event(frame, name, number, word.kind)
        if word.plan is not frame.plan or not self._raises_here(frame):
            return False
        at = machine.p
        machine.p += 3
        self.next_event()
        self._raise(frame, number, at)
        return True

    def _raises_here(self, frame: Frame) -> bool:
        """Whether the instruction that the frame has come to is the one, by code unit, that raised."""
        name = frame.plan.instructions[frame.pc].name
        if name == "YIELD_VALUE":  # thrown in there, once it has yielded
            return False
        unit = self._raising_unit(self.machine.p)
        if name in cpython.RAISES or (name in cpython.MAY_RERAISE and unit == frame.landed):
            return True
        if (
            unit is None
        ):  # 3.11 makes an exception that C code raised where it is caught, and its traceback begins there
            return frame.pending is not None
        plan = frame.plan
        raised = plan.origins[frame.by_door][unit]
        if raised == frame.pc:
            return True
        # A jump that a signal interrupted on its way, as Ctrl-C does: its word has been read already.
        ways = plan.taken.get(raised), plan.fallen.get(raised), plan.loops.get(raised)
        return self.machine.path[self.machine.p - 1] in ways

    def _raising_unit(self, at: int) -> int | None:
        """The code unit that raised an exception, told `at` a word of the path; None if it is one of other code."""
        offset = ~self.machine.path[at + 2]
        return None if offset == hooks.ELSEWHERE.tb_lasti else offset // 2

    def _stands_at(self, frame: Frame, kind: str) -> bool:
        """Whether the frame has come to the code unit that an activation was begun from, or a generator resumed."""
        entry, unit = record.place_of(self.machine.path[self.machine.p + (4 if kind == policy.RAISED else 3)])
        return entry == frame.plan.entry and frame.plan.origins[frame.by_door][unit] == frame.pc

    def _generator_of(self, kind: str) -> Frame:
        """The generator that the event due now is of."""
        machine = self.machine
        return machine.generators[-machine.path[machine.p + _NUMBER[kind]] - 1]

    def _generator_event(self, frame: Frame, name: str, number: int, kind: str) -> bool:
        """Something happened in a generator: in the one that runs, or in another that the instruction resumed."""
        machine = self.machine
        generator = self._generator_of(kind)
        if generator is not frame:
            if not generator.suspended:
                return False
            if not (name in opcodes.MAY_CALL if kind == policy.DELEGATED else self._stands_at(frame, kind)):
                return False
            self._go_on(frame, kind)
            return True
        if kind == policy.RESUMED:
            return False
        if kind == policy.DELEGATED:
            if name != "SEND" or frame.plan.taken[frame.pc] != number:
                return False
            machine.p += 3
            self.next_event()
            resuming.end_send(machine, frame, frame.pc)
            return True
        if not self._raises_here(frame):
            return False
        at = machine.p
        machine.p += _LENGTH[kind]
        self.next_event()
        self._raise(frame, number, at)
        return True

    def _go_on(self, caller: Frame | None, kind: str) -> None:
        """A suspended generator is resumed, or something is thrown into it (as `close` does)."""
        machine = self.machine
        generator = self._generator_of(kind)
        at, number = machine.p, machine.path[machine.p]
        machine.p += _LENGTH[kind]
        self.next_event()
        generator.caller, generator.suspended = caller, False
        machine.frame = generator
        if kind == policy.DELEGATED:  # 3.11: thrown into what it delegated to, which then returned
            sends = [i for i, word in generator.plan.taken.items() if word == number]
            resuming.end_send(machine, generator, sends[0])
        elif kind == policy.RAISED:
            if not (generator.child_raised and self.raised_at == (machine.v, at)):
                machine.exception = machine.handed_over(caller)  # no operation of its own raised
            generator.child_raised, self.raised_at = True, (machine.v, at)
            self._raise(generator, number, at)

    def _raise(self, frame: Frame, word: int, at: int) -> None:
        """Leave the instruction by an exception, told `at` a word of the path: into a handler, or out altogether."""
        machine = self.machine
        if not (frame.child_raised and self.raised_at == (machine.v, at)):
            functions.raised(machine, frame)
        frame.child_raised = False
        frame.pending = None
        frame.received = frame.returned = None
        if word == frame.plan.raised:
            machine.frame, frame.caller = frame.caller, None
            if machine.frame is not None:
                machine.frame.child_raised = True
                if frame.answer is not None:
                    calls.lose_streams(links.taken_from(machine.frame))
                # A caller that sees the exception says so with its very next word.
                self.raised_at = machine.v, self.event_p if self.event_p >= 0 else machine.p
            return
        handler = frame.plan.handlers.get(word)
        if handler is None:
            raise machine.misfit(f"word {word} is no handler of this function")
        frame.landed = self._raising_unit(at)
        del frame.stack[handler.depth :]
        if handler.lasti:
            frame.stack.append(Thing())
        frame.stack.append(machine.exception if machine.exception is not None else Thing())
        frame.pc = handler.target

    def _enter_by_door(self, caller: Frame | None) -> None:
        """Begin an activation entered from unrecorded code; the first one is the traced call itself."""
        machine = self.machine
        word, extra = machine.path[machine.p], ~machine.path[machine.p + 2]
        plan, arguments, closure = machine.tape.arguments[extra]
        if word != plan.door:
            raise machine.misfit("an activation of another function")
        machine.p += 4
        self.next_event()
        is_main = machine.main is None
        source = None if is_main else machine.handed_over(caller)
        given: list[Ref] = []
        by_name: dict[str, Ref] = {}
        values = tuple(value.container if type(value) is Contents else value for value in arguments)
        asked = links.asked(machine, caller, plan, values) if caller is not None and arguments else None
        if asked is not None:
            given = asked.take(values)
        elif caller is not None and arguments:
            given, by_name = links.arguments(machine, caller, plan, values[0])
        frame = machine.activate(plan, caller)
        frame.answer = asked.answer if asked is not None else None
        frame.by_door, frame.is_exact = True, bool(given or by_name)
        if caller is not None:
            caller.entered = caller.pc
        known = {**dict(zip(plan.code.co_varnames[: plan.code.co_argcount], given, strict=False)), **by_name}
        _gather_rest(machine, plan.code, values, given, known)
        named = plan.code.co_varnames[: plan.code.co_argcount + plan.code.co_kwonlyargcount]
        for name, value, object_ in zip(parameters(plan.code), arguments, values, strict=True):
            ref = known.get(name)
            is_object = asked is not None or type(ref) in (Sequence, Thing)
            if ref is None or not machine.agrees(ref, object_ if is_object else value):
                is_default = frame.is_exact and name in named and name not in known
                behind = _behind_default(machine, plan, values) if is_default else source
                ref = machine.argument(value, name, plan.site(-1), behind)
            frame.locals[name] = ref
        if is_main:
            machine.main = frame
            self._materialise_inputs(frame.locals)
        machine.open_cells(frame, closure)
        if plan.is_generator:
            stream = machine.generator(frame)
            if is_main:
                machine.yields = stream
            machine.frame = caller

    def _materialise_inputs(self, arguments: dict[str, Ref]) -> None:
        """Inputs are the first nodes, in the order of the arguments, used or not."""
        work = list(reversed(list(arguments.values())))
        seen: set[int] = set()
        while work:
            ref = work.pop()
            if type(ref) is Leaf:
                self.machine.node(ref)
            elif type(ref) in (Sequence, Mapping) and id(ref) not in seen:
                seen.add(id(ref))
                items = list(ref.items or ()) if type(ref) is Sequence else list((ref.items or {}).values())
                work.extend(reversed(items))
            elif type(ref) is Thing and id(ref.object) in self.machine.records and id(ref) not in seen:
                seen.add(id(ref))
                work.extend(reversed(self.machine.attributes[id(ref.object)].values()))
        records = self.machine.records
        self.inputs = {name: _structure(self.machine, ref, records) for name, ref in arguments.items()}


def _gather_rest(
    machine: Machine, code: CodeType, values: tuple[Any, ...], given: list[Ref], known: dict[str, Ref]
) -> None:
    """Put what an activation is given beyond its named parameters, if that is known, under the name of `*rest`."""
    rest = given[code.co_argcount :]
    if code.co_flags & inspect.CO_VARARGS and rest and None not in rest:
        at = code.co_argcount + code.co_kwonlyargcount
        gathered = Sequence(tuple, rest)
        if machine.agrees(gathered, values[at]):
            gathered.object = values[at]
            machine.heap[id(values[at])] = known[code.co_varnames[at]] = gathered


def _behind_default(machine: Machine, plan: Plan, values: tuple[Any, ...]) -> Ref:
    """What a default that nobody saw handed over may hold: what the function or its class was made with, if recorded."""
    made = [machine.defaults[plan.code]] if plan.code in machine.defaults else []
    classes = [machine.heap.get(id(kind)) for kind in type.mro(type(values[0]))] if type(values[0]) is not type else []
    made += [ref for ref in classes if type(ref) is Thing]
    return Thing(UNSET, list(made)) if made else None
