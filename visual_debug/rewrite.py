"""Code object -> rewritten code object and its `Plan`.

Every recorded instruction is followed by the append of its result to the values, every way on from a conditional jump
by the append of a word to the path, and every call resolves what it calls first. Everything inserted leaves the stack
as it was at each original instruction, so the original's exception table holds, shifted by what lies at the bottom (the
`bytecode` library's defaults recompute its depths, and get nested handlers wrong).

The two lists lie at the bottom of the frame's stack, below everything of the function's own: there an append takes
two instructions, `locals()` does not show them, and no name of the function can meet them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from bytecode import Bytecode, Instr, Label
from bytecode.instr import TryBegin, TryEnd

from visual_debug import cpython, flow
from visual_debug.assemble import Item, assemble
from visual_debug.errors import UntraceableError
from visual_debug.tape import Handler, Instruction, Plan, parameters

#: Words are unique over all plans of the process.
_words = itertools.count(1)


class Hooks(NamedTuple):
    """The functions that rewritten code calls; `record` provides them, so that rewriting knows nothing of running."""

    sinks: Callable[[], Any]  #: () -> the tape of this context
    resolve: Callable[[Any, Any], Any]  #: (call site, callable) -> what to call instead
    call_site: Callable[[int], Any]  #: (count of positional arguments) -> a new cache with attribute `pair`
    before_write: Callable[[list[Any], Any], Any]  #: (values, array about to be written to)
    landed: Callable[..., None]  #: in an exception handler: (values, path, word, exception[, generator])
    created: Callable[[int], Any]  #: a generator is made: (word) -> (generator, path, values)
    immutable: frozenset[type]  #: types that are no arrays, for a quick look before `before_write`


class DoorHooks(NamedTuple):
    """What a function that is entered from outside needs besides: the recording is opened and closed here."""

    enter: Callable[[Any, tuple[Any, ...]], Any]  #: (door, arguments) -> (state, path, values)
    leave: Callable[[Any, Any], None]  #: (state, result)
    abandon: Callable[[Any, BaseException], None]  #: (state, exception)


@dataclass(frozen=True, slots=True)
class Door:
    """Stands in the constants of a door's code for the object that `open_door` puts in its place."""


def refuse(code: CodeType, line: int | None, what: str) -> UntraceableError:
    """The error for a construct that cannot be recorded faithfully."""
    place = f"{code.co_filename}:{line or code.co_firstlineno}"
    return UntraceableError(
        f"{place}: {code.co_qualname} uses {what}, which cannot be recorded; trace a function without it"
    )


def plan_of(code: CodeType) -> tuple[Plan, flow.Flow]:
    """Analyse a code object: its instructions for replay, and the words of its branches and handlers.

    Raises UntraceableError for constructs that cannot be recorded.
    """
    try:
        source = flow.Flow(list(Bytecode.from_code(code, conserve_exception_block_stackdepth=True)))
    except ValueError as error:  # some template strings of 3.14
        raise refuse(code, None, f"an instruction that cannot be read ({error})") from error
    where = source.labels
    _check_constructs(code, source.instructions)
    skipped = flow.unrecorded(source) | flow.counting_loops(source)
    plan = Plan(code, [])
    for index, instr in enumerate(source.instructions):
        arg = where[instr.arg] if isinstance(instr.arg, Label) else instr.arg
        plan.instructions.append(Instruction(instr.name, arg, index in skipped))
        at = instr.location
        span = (at.lineno, at.end_lineno, at.col_offset, at.end_col_offset) if at else (None, None, None, None)
        plan.spans.append(span)
        if instr.name == "FOR_ITER":
            plan.taken[index] = next(_words)
        elif instr.name in cpython.POP_JUMPS or instr.name in cpython.KEEP_JUMPS:
            plan.taken[index], plan.fallen[index] = next(_words), next(_words)
    for index in flow.unconditional_loops(plan.instructions):
        plan.loops[index] = next(_words)
    handlers = {
        Handler(where[item.target], item.stack_depth or 0, item.push_lasti): None
        for item in source.items
        if isinstance(item, TryBegin)
    }
    plan.handlers.update((next(_words), handler) for handler in handlers)
    plan.entry, plan.door, plan.raised, plan.resumed = (next(_words) for _ in range(4))
    return plan, source


def rewrite(plan: Plan, source: flow.Flow, hooks: Hooks, door: DoorHooks | None = None) -> CodeType:
    """The code object that records. With `door`, the variant that may be entered from unrecorded code.

    In that variant the constant `Door()` stands for the object handed to `enter`; see `open_door`. Generators have none.
    """
    emitter = _Emitter(plan, source, hooks, door)
    # The deepest insertion is the call in a handler or before a call: up to 8 values over the original's stack, which
    # itself stands on up to 3; a handler needs 2 even where the original had no stack at all.
    stacksize = plan.code.co_stacksize + 13
    hidden = (CARRIED,) if emitter.generator else ()
    code, plan.origins[door is not None] = assemble(emitter.items(), emitter.origin, plan.code, stacksize, hidden)
    return code


def open_door(code: CodeType, door: object) -> CodeType:
    """The same code for one particular door."""
    return code.replace(co_consts=tuple(door if isinstance(c, Door) else c for c in code.co_consts))


def _check_constructs(code: CodeType, instructions: list[Instr]) -> None:
    if code.co_flags & cpython.CO_ASYNC:
        raise refuse(code, None, "await or an asynchronous generator")
    for instr in instructions:
        line = instr.location.lineno if instr.location else None
        if instr.name in cpython.DELEGATES:
            raise refuse(code, line, "`yield from`")
        if instr.name not in cpython.UNDERSTOOD:
            raise refuse(code, line, f"the instruction {instr.name}")


#: Places on the stack from the bottom: the values, the path, and in a door the state that closes the recording, in a
#: generator its number as it is written on the path.
VALUES, PATH, STATE = range(3)
#: The local variable that carries these three into a generator. No Python identifier contains a dot.
CARRIED = ".recording"


class _Emitter:
    """Writes the items of the rewritten code and, beside them, the original index that each instruction belongs to.

    `height` is everywhere the number of values that stand above the bottom, the function's own and temporary ones.
    """

    def __init__(self, plan: Plan, source: flow.Flow, hooks: Hooks, door: DoorHooks | None) -> None:
        self.plan = plan
        self.source = source.items
        self.hooks = hooks
        self.door = door
        self.generator = plan.is_generator
        self.base = 2 if door is None and not self.generator else 3
        self.origin: list[int] = []
        self.handlers = {handler.target: (word, handler) for word, handler in plan.handlers.items()}
        self.shapes = source.shapes
        self.outlets: dict[int, list[tuple[Label, int]]] = {}  # 3.11: label index -> ends of loops, their FOR_ITER
        self.catch_all = Label()
        self.open: TryBegin | None = None  # the catch-all region being written
        self.region: TryBegin | None = None  # the region of the original being written
        self.parameters = parameters(plan.code)
        self.cells = set(plan.code.co_cellvars)

    # ---- the stack

    def _sink(self, place: int, height: int) -> int:
        """How deep a place at the bottom is, with `height` values above the bottom."""
        return self.base + height - place

    def _record(self, height: int, where: Any, value: int = 1) -> Iterator[Instr]:
        """Append the value at depth `value` to the values."""
        return cpython.append(self._sink(VALUES, height), where, value)

    def _mark(self, word: int, height: int, where: Any) -> Iterator[Instr]:
        """Append a word to the path."""
        return cpython.mark(word, self._sink(PATH, height), where)

    def _fetch(self, place: int, height: int, where: Any) -> Instr:
        """Push what lies at a place at the bottom."""
        return cpython.copy(self._sink(place, height), where)

    # ---- the whole

    def items(self) -> Iterator[Item]:
        """The whole rewritten code."""
        index = 0
        started = False
        landing: int | None = None
        for item in self.source:
            if isinstance(item, TryBegin):
                yield from self._close()
                self.region = TryBegin(item.target, item.push_lasti, (item.stack_depth or 0) + self.base)
                if started:  # else it begins behind the prologue, which lays the bottom that its handler stands on
                    yield self.region
            elif isinstance(item, TryEnd):
                assert self.region is not None
                yield TryEnd(self.region)
                self.region = None
            elif isinstance(item, Label):
                if self.outlets.get(index):
                    yield from self._write(self._loop_ends(index, item), index, started)
                yield item
                landing = index
            else:
                if landing == index and index in self.handlers:
                    word, handler = self.handlers[index]
                    height = handler.depth + handler.lasti + 1
                    yield from self._write(self._landing(word, height), index, started)
                landing = None
                # 3.11's specialised PRECALL makes the call itself, so that an exception comes from there.
                owner = index + 1 if item.name == "PRECALL" else index
                if item.name == "RETURN_GENERATOR":
                    yield from self._write(self._created(), index, started)
                yield from self._write(self._instruction(index, item), owner, started)
                if item.name == "RESUME" and not started:
                    yield from self._write(self._prologue(), index, started)
                    started = True
                    if self.region is not None:
                        yield self.region
                index += 1
        yield from self._close()
        yield self.catch_all
        yield from self._write(self._raised(), index - 1, False)

    def _write(self, items: Iterator[Item], index: int, started: bool) -> Iterator[Item]:
        """Pass items on, protecting by the catch-all handler whatever no handler of the original protects."""
        for item in items:
            if isinstance(item, Instr):
                if started and self.region is None and self.open is None:
                    self.open = TryBegin(self.catch_all, push_lasti=True, stack_depth=self.base)
                    yield self.open
                self.origin.append(index)
            yield item

    def _close(self) -> Iterator[Item]:
        if self.open is not None:
            yield TryEnd(self.open)
            self.open = None

    def _prologue(self) -> Iterator[Item]:
        """Put the lists at the bottom of the stack and announce the activation."""
        if self.generator:
            yield Instr("LOAD_FAST", CARRIED)  # (generator, path, values)
            yield Instr("DELETE_FAST", CARRIED)
            yield Instr("UNPACK_SEQUENCE", 3)  # values path generator
            yield from self._resumed(0)
            return
        if self.door is None:
            yield from cpython.call(self.hooks.sinks, [], None)  # tape
            yield cpython.copy(1, None)  # tape tape
            yield cpython.attribute("values")  # tape values
            yield cpython.swap(2, None)  # values tape
            yield cpython.attribute("path")  # values path
            yield from self._mark(self.plan.entry, 0, None)
            return
        arguments = [
            Instr("LOAD_DEREF", cpython.cell(name)) if name in self.cells else Instr("LOAD_FAST", name)
            for name in self.parameters
        ]
        packed = [cpython.const(Door(), None), *arguments, Instr("BUILD_TUPLE", len(arguments))]
        yield from cpython.call(self.door.enter, packed, None, count=2)  # (state, path, values)
        yield Instr("UNPACK_SEQUENCE", 3)  # values path state

    def _landing(self, word: int, height: int) -> Iterator[Item]:
        """An exception was caught by the table: say where the recording stands. The exception is on top."""
        pushes = [
            self._fetch(VALUES, height + 2, None),
            self._fetch(PATH, height + 3, None),
            cpython.const(word, None),
            cpython.copy(6, None),  # .. exc NULL f values path word
        ]
        if self.generator:
            pushes.append(self._fetch(STATE, height + 6, None))
        yield from cpython.call(self.hooks.landed, pushes, None)
        yield cpython.pop(None)

    def _raised(self) -> Iterator[Item]:
        """The end of an activation that an exception leaves. Stack: the bottom, lasti, exc."""
        yield from self._landing(self.plan.raised, 2)
        if self.door is not None:
            # lasti exc NULL f state: the exception is 4 deep
            yield from cpython.call(self.door.abandon, [self._fetch(STATE, 4, None), cpython.copy(4, None)], None)
            yield cpython.pop(None)
        yield Instr("RERAISE", 1)  # lasti restored: no line and no traceback entry of ours

    def _created(self) -> Iterator[Item]:
        """A generator is made by recorded code, whose tape it will write to whoever resumes it."""
        yield from cpython.call(self.hooks.created, [cpython.const(self.plan.entry, None)], None)
        yield Instr("STORE_FAST", CARRIED)

    def _resumed(self, height: int) -> Iterator[Item]:
        """A generator goes on: say which, and where the recording stands."""
        yield from self._event(self.plan.resumed, height, None)
        yield self._fetch(STATE, height, None)
        yield Instr("LIST_APPEND", self._sink(PATH, height))

    # ---- instructions

    def _instruction(self, index: int, instr: Instr) -> Iterator[Item]:
        """One original instruction with what is recorded of it."""
        if index not in self.shapes.before:  # never reached
            yield instr
            return
        name, where = instr.name, instr.location
        before, after = self.shapes.before[index], self.shapes.after[index]
        if name in cpython.POP_JUMPS or name in cpython.KEEP_JUMPS:
            yield from self._branch(index, instr, before - 1)
        elif name == "FOR_ITER":
            yield from self._for_iter(index, instr, after)
        elif cpython.is_method_load(instr):
            yield from cpython.as_attribute(instr)
        elif name in cpython.RETURNS:
            yield from self._return(instr)
        else:
            if index in self.shapes.heads:
                yield from self._resolve(self.shapes.heads[index], instr, before)
            elif name in cpython.WRITES:
                yield from self._before_write(cpython.WRITES[name], instr, before)
            elif name == "BINARY_OP" and cpython.symbol_of(instr)[1]:
                yield from self._before_write(2, instr, before)
            elif name in cpython.JUMPS and index in self.plan.loops:
                yield from self._mark(self.plan.loops[index], before, where)
            yield instr
            if name in ("UNPACK_SEQUENCE", "UNPACK_EX"):
                for depth in range(1, cpython.unpacked(instr) + 1):
                    yield from self._record(after, where, depth)
            elif name in cpython.CALLS or (name in cpython.RECORDED and not self.plan.instructions[index].skip):
                yield from self._record(after, where)
        if name == "RESUME" and cpython.number(instr) & 3 == cpython.RESUMES_YIELD:
            yield from self._resumed(after)
            yield from self._record(after, where)  # what was sent
        if index in self.shapes.loop_ends:
            yield from self._event(self.plan.taken[self.shapes.loop_ends[index]], after, where)

    def _branch(self, index: int, instr: Instr, height: int) -> Iterator[Item]:
        """`if c goto L` becomes `if not c goto S; taken; goto L; S: fallen`."""
        where = instr.location
        skip = Label()
        keeps = instr.name in cpython.KEEP_JUMPS
        if keeps:
            yield cpython.copy(1, where)
        yield Instr({**cpython.POP_JUMPS, **cpython.KEEP_JUMPS}[instr.name], skip, location=where)
        yield from self._mark(self.plan.taken[index], height + keeps, where)
        yield cpython.jump_like(instr, instr.arg)  # type: ignore[arg-type]
        yield skip
        if keeps:
            yield cpython.pop(where)
        yield from self._mark(self.plan.fallen[index], height, where)

    def _for_iter(self, index: int, instr: Instr, after: int) -> Iterator[Item]:
        """Record the items; the end of the loop is told by a word with the length of the values."""
        if cpython.HAS_END_FOR:
            yield instr
        else:
            end = Label()
            self.outlets.setdefault(self.plan.instructions[index].arg, []).append((end, index))
            yield Instr(instr.name, end, location=instr.location)
        if self.plan.instructions[index].skip:
            # Something must count the turns; an int of its own would take 28 bytes more.
            yield from cpython.mark(None, self._sink(VALUES, after), instr.location)
        else:
            yield from self._record(after, instr.location)

    def _event(self, word: int, height: int, where: Any) -> Iterator[Item]:
        """A word, and the length of the values."""
        yield from self._mark(word, height, where)
        yield from cpython.call(len, [self._fetch(VALUES, height + 2, where)], where)
        yield Instr("UNARY_INVERT", location=where)
        yield Instr("LIST_APPEND", self._sink(PATH, height), location=where)

    def _loop_ends(self, index: int, label: Label) -> Iterator[Item]:
        """3.11: the exhausted `for` loops that go on at `label` announce it on a way of their own."""
        yield Instr("JUMP_FORWARD", label)  # whoever comes from above passes by
        for end, loop in self.outlets.pop(index):
            yield end
            yield from self._event(self.plan.taken[loop], self.shapes.before[loop] - 1, None)
            yield Instr("JUMP_FORWARD", label)

    def _return(self, instr: Instr) -> Iterator[Item]:
        """Take the bottom away, and in a door close the recording."""
        where = instr.location
        if instr.name == "RETURN_CONST":
            yield cpython.const(instr.arg, where)
        if self.door is not None:
            # result NULL f state: the result is 4 deep
            pushes = [self._fetch(STATE, 3, where), cpython.copy(4, where)]
            yield from cpython.call(self.door.leave, pushes, where)
            yield cpython.pop(where)
        yield cpython.swap(self.base + 1, where)  # result .. values
        for _ in range(self.base):
            yield cpython.pop(where)
        yield Instr("RETURN_VALUE", location=where)

    def _before_write(self, depth: int, instr: Instr, height: int) -> Iterator[Item]:
        """Let an array about to be written to be kept as it was; scalars pass by one look at their type."""
        where = instr.location
        skip = Label()
        # Above the operand stand NULL and `type`.
        yield from cpython.call(type, [cpython.copy(depth + 2, where)], where)  # .. type
        yield cpython.const(self.hooks.immutable, where)  # .. type set
        yield Instr("CONTAINS_OP", 0, location=where)  # .. bool
        yield cpython.jump_if(True, skip, where)
        pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(depth + 3, where)]
        yield from cpython.call(self.hooks.before_write, pushes, where)
        yield cpython.pop(where)
        yield skip

    def _resolve(self, call: flow.CallShape, instr: Instr, height: int) -> Iterator[Item]:
        """Before a call: look up what to call instead, append the callable (and the packed arguments of `f(*a)`)."""
        where = instr.location
        site = self.hooks.call_site(call.positional)
        depth = call.callable
        hit = Label()
        if call.out is not None:
            yield from self._before_write(call.out, instr, height)
        for packed in call.packed:
            yield from self._record(height, where, packed)
        yield cpython.const(site, where)
        yield cpython.attribute("pair", where)  # .. (key, twin)
        yield Instr("UNPACK_SEQUENCE", 2, location=where)  # .. twin key
        yield cpython.copy(depth + 2, where)  # .. twin key f
        yield Instr("IS_OP", 0, location=where)  # .. twin bool
        yield cpython.jump_if(True, hit, where)  # .. twin
        yield cpython.pop(where)
        # .. NULL resolve site: the callable is 3 deeper
        pushed = [cpython.const(site, where), cpython.copy(depth + 3, where)]
        yield from cpython.call(self.hooks.resolve, pushed, where)  # .. twin
        yield hit
        yield from self._record(height + 1, where, depth + 1)
        yield cpython.swap(depth + 1, where)  # twin .. f
        yield cpython.pop(where)
