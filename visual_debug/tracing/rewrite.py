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
from collections.abc import Iterator
from types import CodeType
from typing import Any

from bytecode import Instr, Label
from bytecode.instr import InstrLocation, TryBegin, TryEnd

from visual_debug import cpython
from visual_debug.errors import UntraceableError
from visual_debug.tracing import flow
from visual_debug.tracing.assemble import Item, assemble
from visual_debug.tracing.hooks import ELSEWHERE, Door, DoorHooks, Hooks, Identity, Origin
from visual_debug.tracing.insertions import PATH, STATE, VALUES, Insertions
from visual_debug.tracing.tape import Handler, Instruction, Plan, parameters

#: Words are unique over all plans of the process.
_words = itertools.count(1)


#: The instructions that calls consist of; the first of the two may make the call itself where it is specialised (3.11).
#: A tuple may be what sets off a collection of garbage there.
_CALLING = frozenset({"PRECALL", "CALL", "BUILD_TUPLE"})


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
        source = flow.Flow(cpython.decode(code))
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
        if instr.name in ("FOR_ITER", "SEND"):
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
    plan.feeders = flow.feeders(source)
    plan.entry, plan.door, plan.raised, plan.resumed = (next(_words) for _ in range(4))
    return plan, source


def rewrite(plan: Plan, source: flow.Flow, hooks: Hooks, door: DoorHooks | None = None) -> CodeType:
    """The code object that records. With `door`, the variant that may be entered from unrecorded code.

    In that variant the constant `Door()` stands for the object handed to `enter`; see `open_door`.
    """
    emitter = _Emitter(plan, source, hooks, door)
    # The deepest insertion is the resolving of a call: 4 values and the arguments over the original's stack, which
    # itself stands on up to 4; a handler needs 2 and calls with 7 even where the original had no stack at all.
    stacksize = plan.code.co_stacksize + 15 + emitter.most_arguments
    hidden = (CARRIED,) if emitter.generator else ()
    code, units = assemble(emitter.items(), emitter.origin, plan.code, stacksize, hidden)
    plan.origins[door is not None] = [origin.instruction for origin in units]
    plan.hooked[door is not None] = [origin.is_hook for origin in units]
    emitter.identity.table = code.co_linetable
    return code


def open_door(code: CodeType, door: object) -> CodeType:
    """The same code for one particular door."""
    return code.replace(co_consts=tuple(door if isinstance(c, Door) else c for c in code.co_consts))


#: What of a function decides how a call of it goes. It is looked at when a recording begins, and when it is assigned to.
_SIGNATURE = frozenset({"__code__", "__defaults__", "__kwdefaults__"})


def _check_constructs(code: CodeType, instructions: list[Instr]) -> None:
    if any(type(const) is Identity for const in code.co_consts):
        raise refuse(code, None, "code that has been rewritten and then changed")
    for instr in instructions:
        if instr.name not in cpython.UNDERSTOOD:
            line = instr.location.lineno if instr.location else None
            raise refuse(code, line, f"the instruction {instr.name}")


#: The local variable that carries the ticket into a generator. No Python identifier contains a dot.
CARRIED = ".recording"


def _is_border(items: list[Any], position: int) -> bool:
    """Whether a protected region begins or ends here, behind labels at the most."""
    while isinstance(items[position], Label):
        position += 1
    return isinstance(items[position], (TryBegin, TryEnd))


def _nesting(instructions: list[Instruction]) -> list[int]:
    """How many `for` loops each instruction is in, from their FOR_ITER to where that jumps to."""
    change = [0] * (len(instructions) + 1)
    for index, instruction in enumerate(instructions):
        if instruction.name == "FOR_ITER" and instruction.arg > index:
            change[index] += 1
            change[instruction.arg] -= 1
    return list(itertools.accumulate(change))


class _Emitter(Insertions):
    """Writes the items of the rewritten code and, beside them, the original index that each instruction belongs to.

    Behind the code that records follows a plain copy of the original on the same stack, into which an activation
    changes over, at its start, at the end of a loop's turn or behind a `yield`, when nothing more is to be recorded.
    """

    def __init__(self, plan: Plan, source: flow.Flow, hooks: Hooks, door: DoorHooks | None) -> None:
        self.generator = plan.is_generator
        self.has_state = door is not None or self.generator
        super().__init__(source, hooks, 4 if self.has_state else 3)
        self.plan = plan
        self.source = source.items
        self.door = door
        self.origin: list[Origin] = []
        self.identity = Identity()
        self.handlers = {handler.target: (word, handler) for word, handler in plan.handlers.items()}
        self.shapes = source.shapes
        self.labels = source.labels
        self.outlets: dict[int, list[tuple[Label, int]]] = {}  # 3.11: label index -> ends of loops, their FOR_ITER
        self.delegations: dict[int, Label] = {}  # SEND -> where it jumps to when the iterator has returned
        self.plain: dict[int, Label] = {}  # instruction -> where the plain copy begins with it
        self.landings = {self._landing_place(target): target for target in self.handlers}
        self.catch_all = Label()
        self.open: TryBegin | None = None  # the catch-all region being written
        self.region: TryBegin | None = None  # the region of the original being written
        self.parameters = parameters(plan.code)
        self.cells = set(plan.code.co_cellvars)
        self.deferred: list[Iterator[Item]] = []  # to be written where nothing falls through
        # Of any call that is inserted: one that opens the recording, resolves a callable, or goes round a loop.
        resolved = (1 + len(call.arguments) for call in self.shapes.heads.values())
        self.nesting = _nesting(plan.instructions)
        self.most_arguments = max(len(self.parameters), *resolved, max(self.nesting) + 4)

    # ---- the stack

    def _plain(self, index: int) -> Label:
        """Where the plain copy goes on with an instruction of the original."""
        return self.plain.setdefault(index, Label())

    def _fill(self, height: int, index: int, where: Any) -> Iterator[Instr]:
        """Put what lies on top into the place of the fuel; if it is None, change over to the plain copy."""
        yield cpython.swap(height + 2, where)  # fuel .. old
        yield cpython.pop(where)
        yield cpython.copy(height + 1, where)
        yield cpython.jump_if_none(self._plain(index), where)

    # ---- the whole

    def items(self) -> Iterator[Item]:
        """The whole rewritten code."""
        yield from self._recording()
        yield from self._plain_copy()
        yield self.catch_all
        yield from self._write(self._raised(), len(self.plan.instructions) - 1, False, cpython.NO_LINE)

    def _recording(self) -> Iterator[Item]:
        """The code that records."""
        index = 0
        started = False
        for position, item in enumerate(self.source):
            if self.deferred and _is_border(self.source, position):
                yield from self._rare_here(index, started)
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
            else:
                target = self.landings.get(index, -1)
                if target == index and item.name != "PUSH_EXC_INFO":
                    yield from self._write(self._landed(target), target, started, item.location)
                # 3.11's specialised PRECALL makes the call itself, so that an exception comes from there.
                owner = index + 1 if item.name == "PRECALL" else index
                if item.name == "RETURN_GENERATOR":
                    yield from self._write(self._created(), index, started)
                yield from self._write(self._instruction(index, item), owner, started)
                if item.name == "RESUME" and not started:
                    yield from self._write(self._prologue(index + 1), index, started, self._first_line(index))
                    started = True
                    if self.region is not None:
                        yield self.region
                if target >= 0 and (target < index or item.name == "PUSH_EXC_INFO"):
                    yield from self._write(self._landed(target), target, started, item.location)
                index += 1
        yield from self._write(self._rare(), index - 1, started)
        yield from self._close()

    def _plain_copy(self) -> Iterator[Item]:
        """The original code behind its first RESUME, entered where the code that records changes over."""
        labels = {item: Label() for item in self.source if isinstance(item, Label)}
        index = 0
        started = False
        for item in self.source:
            if isinstance(item, TryBegin):
                yield from self._close()
                depth = (item.stack_depth or 0) + self.base
                self.region = TryBegin(labels[item.target], item.push_lasti, depth)
                if started:
                    yield self.region
            elif isinstance(item, TryEnd):
                assert self.region is not None
                if started:
                    yield TryEnd(self.region)
                self.region = None
            elif isinstance(item, Label):
                yield labels[item]
            else:
                if started:
                    if index in self.plain:
                        yield self.plain[index]
                    # Only what closes a recording needs to know of exceptions here.
                    yield from self._write(self._verbatim(index, item, labels), ~index, self.has_state)
                elif item.name == "RESUME":
                    started = True
                    if self.region is not None:
                        yield self.region
                index += 1
        yield from self._close()

    def _verbatim(self, index: int, instr: Instr, labels: dict[Any, Label]) -> Iterator[Item]:
        """An instruction of the plain copy, where only the bottom of the stack is ours."""
        if instr.name in cpython.RETURNS:
            yield from self._return(instr)
            return
        if self._is_before_suspension(index, instr):
            yield from self._suspended(self.shapes.before[index], instr.location)
        if isinstance(instr.arg, Label):
            yield Instr(instr.name, labels[instr.arg], location=instr.location)
        else:
            yield cpython.exposed(instr) if self.door is not None else instr

    def _first_line(self, index: int) -> InstrLocation:
        """Where the body begins: to a debugger the prologue is part of its first line, not a stop on the `def`."""
        lines = (instr.location.lineno for instr in self.instructions[index + 1 :] if instr.location)
        return InstrLocation(next((line for line in lines if line is not None), None), None, None, None)

    def _write(
        self, items: Iterator[Item], index: int, started: bool, at: InstrLocation | None = None
    ) -> Iterator[Item]:
        """Pass items on, protecting by the catch-all handler whatever no handler of the original protects.

        `at` is the place of those that have none: by default that of the instruction written before.
        """
        at_last = max(index, ~index)
        own = self.instructions[max(at_last - 1, 0) : at_last + 1]  # a PRECALL belongs to the CALL behind it
        for item in items:
            if isinstance(item, Instr):
                is_hook = item.name in _CALLING and not any(item is instr for instr in own)
                if at is not None and item.location is None:
                    item = cpython.located(item, at)
                if started and self.region is None and self.open is None:
                    self.open = TryBegin(self.catch_all, push_lasti=True, stack_depth=self.base)
                    yield self.open
                self.origin.append(Origin(index, is_hook))
            yield item

    def _close(self) -> Iterator[Item]:
        if self.open is not None:
            yield TryEnd(self.open)
            self.open = None

    def _prologue(self, index: int) -> Iterator[Item]:
        """Lay the bottom of the stack and announce the activation; the original goes on with instruction `index`."""
        if self.generator:
            yield from cpython.call(self.hooks.begun, [Instr("LOAD_FAST", CARRIED)], None)
            yield Instr("DELETE_FAST", CARRIED)
            yield from self._lay(index)
            return
        if self.door is None:
            yield from cpython.call(self.hooks.sinks, [], None)  # tape
            yield cpython.attribute("bottom")
            yield Instr("UNPACK_SEQUENCE", 3)  # values path fuel
            yield from self._burn(index, 0, None)
            yield from self._mark(self.plan.entry, 0, None)
            return
        packed = [cpython.const(Door(), None), *self._arguments()]
        yield from cpython.call(self.door.enter, packed, None, count=2)
        yield from self._lay(index)

    def _lay(self, index: int) -> Iterator[Item]:
        """Lay out the bottom; where there is no fuel, change over at instruction `index`."""
        yield Instr("UNPACK_SEQUENCE", 4)  # (fuel, state, path, values) -> values path state fuel
        yield cpython.copy(1, None)
        yield cpython.jump_if_none(self._plain(index), None)

    def _arguments(self) -> list[Instr]:
        """Push the arguments as a tuple."""
        arguments = [
            Instr("LOAD_DEREF", cpython.cell(name)) if name in self.cells else Instr("LOAD_FAST", name)
            for name in self.parameters
        ]
        return [*arguments, Instr("BUILD_TUPLE", len(arguments))]

    def _burn(self, index: int, height: int, where: Any) -> Iterator[Item]:
        """Take one item of fuel; when there is none left, ask for more, or change over at instruction `index`."""
        out, on = Label(), Label()
        yield cpython.copy(height + 1, where)  # .. fuel
        yield Instr("FOR_ITER", out, location=where)  # .. fuel item
        yield cpython.pop(where)
        yield cpython.pop(where)
        yield Instr("JUMP_FORWARD", on, location=where)
        yield out
        yield from self._refuel(index, height, where)
        yield on

    def _refuel(
        self, index: int, height: int, where: Any, loop: int | None = None, *, gone: bool = False
    ) -> Iterator[Item]:
        """Ask for more fuel; `loop` is the instruction at the head of the loop that is gone round."""
        yield from cpython.end_for(where)
        if gone:  # the handler stands on it when a signal raises in the hook
            yield cpython.const(None, where)
        pushes = [self._fetch(VALUES, height + 2, where)]
        if loop is None or self.door is None or self.generator or not self._only_iterators(loop, height):
            yield from cpython.call(self.hooks.refuel, pushes, where)
        else:
            pushes += [self._fetch(STATE, height + 3, where), cpython.const(loop, where)]
            pushes += [cpython.copy(height + 5, where)] * height  # each is one deeper, and the next one higher
            yield from cpython.call(self.hooks.turned, pushes, where)
        yield from self._fill(height, index, where)

    def _only_iterators(self, loop: int, height: int) -> bool:
        """Whether nothing but the iterators of loops around it stands on the stack, and perhaps a counting loop's item.

        Not so inside a call, a `with` or an inlined comprehension, where a NULL may stand there, which none may copy.
        """
        counts = self.plan.instructions[loop].name == "FOR_ITER" and self.plan.instructions[loop].skip
        return height == self.nesting[loop] + counts

    def _jump_back(self, target: Label, height: int, where: Any) -> Iterator[Item]:
        """Go round a loop once more, if there is fuel. With nothing above it, it need not be copied."""
        out = Label()
        head = self.plan.instructions[self.labels[target]]
        if head.name == "FOR_ITER" and head.skip:
            yield Instr("JUMP_BACKWARD", target, location=where)  # the head takes it
            yield from self._rare()
            return
        if height:
            yield cpython.copy(height + 1, where)
        yield Instr("FOR_ITER", out, location=where)
        yield cpython.pop(where)
        if height:
            yield cpython.pop(where)
        yield Instr("JUMP_BACKWARD", target, location=where)
        yield out
        yield from self._refuel(self.labels[target], height, where, self.labels[target], gone=not height)
        yield Instr("JUMP_BACKWARD", target, location=where)
        yield from self._rare()

    def _rare_here(self, index: int, started: bool) -> Iterator[Item]:
        """What waits, before a border of a protected region: what it raises has the same handler as what it is for."""
        over = Label()
        yield from self._write(iter([Instr("JUMP_FORWARD", over)]), index - 1, started)
        yield from self._write(self._rare(), index - 1, started)
        yield over

    def _rare(self) -> Iterator[Item]:
        """What waits for a place that nothing falls through to."""
        while self.deferred:
            yield from self.deferred.pop()

    def _landing_place(self, target: int) -> int:
        """The instruction of the handler at `target` by which the landing there is told.

        A signal can raise in the hook. The state of exceptions must then be one that the regions around reckon with:
        behind PUSH_EXC_INFO, or where a handler only clears up, behind its POP_EXCEPT.
        """
        names = [instr.name for instr in self.instructions[target : target + 2]]
        return target + 1 if names == ["COPY", "POP_EXCEPT"] else target

    def _landed(self, target: int) -> Iterator[Item]:
        """The landing in the handler at an instruction of the original."""
        word, handler = self.handlers[target]
        pushed = self.instructions[target].name == "PUSH_EXC_INFO"
        return self._landing(word, handler.depth + handler.lasti + 1 + pushed)

    def _landing(self, word: int, height: int) -> Iterator[Item]:
        """An exception was caught by the table: say where the recording stands. The exception is on top.

        Outside of generators nothing is called for it: at the limit of recursion any call would raise. And no signal
        can come in between.
        """
        exc = 1
        if self.generator:
            yield from cpython.call(self.hooks.landed, [self._fetch(STATE, height + 2, None)], None)  # exc place
            exc, height = 2, height + 1
        yield from self._raising_place(exc)  # exc .. offset
        yield from self._event(word, height + 1, None)
        yield cpython.instruction("LIST_APPEND", None, self._sink(PATH, height))
        if self.generator:
            yield self._fetch(STATE, height, None)
            yield cpython.attribute("number")
            yield cpython.instruction("LIST_APPEND", None, self._sink(PATH, height))
            yield cpython.instruction("LIST_APPEND", None, self._sink(PATH, height - 1))  # exc

    def _raising_place(self, exc: int) -> Iterator[Item]:
        """Push `~f_lasti` of what raised the exception at depth `exc`, if its traceback begins in this code.

        A `raise` without an exception adds nothing to the traceback, which may begin anywhere, or be None. There are
        no jumps in this, for it belongs to no line, and the compiler gives every jump one.
        """
        yield cpython.const(ELSEWHERE, None)
        yield cpython.copy(exc + 1, None)
        yield cpython.attribute("__traceback__")
        yield cpython.instruction("BUILD_TUPLE", None, 2)
        yield cpython.copy(1, None)
        yield cpython.const(1, None)
        yield cpython.subscript(None)  # tracebacks tb
        yield cpython.const(None, None)
        yield cpython.instruction("IS_OP", None, 1)
        yield cpython.subscript(None)  # tb
        yield cpython.copy(1, None)
        yield cpython.attribute("tb_lasti")  # tb lasti
        yield cpython.const(ELSEWHERE.tb_lasti, None)
        yield cpython.swap(2, None)
        yield cpython.instruction("BUILD_TUPLE", None, 2)
        yield cpython.swap(2, None)  # offsets tb
        for name in ("tb_frame", "f_code", "co_linetable"):
            yield cpython.attribute(name)
        yield cpython.const(self.identity, None)
        yield cpython.attribute("table")
        yield cpython.instruction("IS_OP", None, 0)
        yield cpython.subscript(None)
        yield cpython.instruction("UNARY_INVERT", None)

    def _raised(self) -> Iterator[Item]:
        """The end of an activation that an exception leaves. Stack: the bottom, lasti, exc."""
        yield from self._landing(self.plan.raised, 2)
        if self.has_state:
            # lasti exc NULL f state: the exception is 4 deep. No look at the state before: that would be a jump.
            yield from cpython.call(self.hooks.abandon, [self._fetch(STATE, 4, None), cpython.copy(4, None)], None)
            yield cpython.pop(None)
        yield Instr("RERAISE", 1)  # lasti restored: no line and no traceback entry of ours

    # ---- generators and coroutines

    def _created(self) -> Iterator[Item]:
        """A generator is made, by recorded code or from outside; its ticket says which recording it writes to."""
        resumed = cpython.const(self.plan.resumed, None)
        if self.door is None:
            yield from cpython.call(self.hooks.created, [cpython.const(self.plan.entry, None), resumed], None)
        else:
            packed = [cpython.const(Door(), None), *self._arguments(), resumed]
            yield from cpython.call(self.door.create, packed, None, count=3)
        yield Instr("STORE_FAST", CARRIED)

    def _resumed(self, index: int, height: int) -> Iterator[Item]:
        """A generator goes on behind the RESUME at `index`: say which, and where the recording stands.

        One that is fed to a call, which has been found when it began, can be resumed from there only.
        """
        slow, on = Label(), Label()
        yield self._fetch(STATE, height, None)
        yield cpython.attribute("fed")  # place
        yield cpython.copy(1, None)
        yield cpython.jump_if_none(slow, None)
        yield from self._event(self.plan.resumed, height + 1, None)
        yield self._fetch(STATE, height + 1, None)
        yield cpython.attribute("number")
        yield cpython.instruction("LIST_APPEND", None, self._sink(PATH, height + 1))
        yield cpython.instruction("LIST_APPEND", None, self._sink(PATH, height))
        yield Instr("JUMP_FORWARD", on)
        yield slow
        yield cpython.pop(None)
        yield from cpython.call(self.hooks.resumed, [self._fetch(STATE, height + 2, None)], None)  # fuel
        yield from self._fill(height, index + 1, None)
        yield on

    def _is_before_suspension(self, index: int, instr: Instr) -> bool:
        """Whether a generator that took its context's recording over must give it back here."""
        if not self.generator or index not in self.shapes.before:
            return False
        if instr.name == "SEND":
            return cpython.SEND_BESIDE_YIELD
        return instr.name == "YIELD_VALUE" and not (
            cpython.SEND_BESIDE_YIELD and self.plan.instructions[index - 1].name == "SEND"
        )

    def _suspended(self, height: int, where: Any) -> Iterator[Item]:
        skip = Label()
        yield self._fetch(STATE, height, where)
        yield cpython.attribute("token", where)
        yield cpython.jump_if_none(skip, where)
        yield from cpython.call(self.hooks.suspended, [self._fetch(STATE, height + 2, where)], where)
        yield cpython.pop(where)
        yield skip

    def _delegated(self, send: int, where: Any) -> Iterator[Item]:
        """Where a SEND whose iterator has returned goes on: record what was returned. It is on top."""
        exit: int = self.plan.instructions[send].arg
        height = self.shapes.before[exit]
        yield self.delegations[send]
        pushes = [self._fetch(STATE, height + 2, where), cpython.const(self.plan.taken[send], where)]
        yield from cpython.call(self.hooks.delegated, pushes, where)
        yield cpython.pop(where)
        yield from self._record(height, where)

    # ---- instructions

    def _instruction(self, index: int, instr: Instr) -> Iterator[Item]:
        """One original instruction with what is recorded of it."""
        if index not in self.shapes.before:  # never reached
            yield instr
            return
        if index in self.fused:
            return
        name, where = instr.name, instr.location
        if name == "NOT_TAKEN" and self.instructions[index - 1].name in cpython.POP_JUMPS:
            return  # stands behind the jump that `_branch` wrote
        before, after = self.shapes.before[index], self.shapes.after[index]
        if self._is_before_suspension(index, instr):
            yield from self._suspended(before, where)
        if name in cpython.POP_JUMPS or name in cpython.KEEP_JUMPS:
            yield from self._branch(index, instr, before - 1)
        elif name == "FOR_ITER":
            yield from self._for_iter(index, instr, after)
        elif name == "SEND":
            self.delegations[index] = Label()
            yield Instr("SEND", self.delegations[index], location=where)
        elif name in cpython.JUMPS:
            yield from self._jump(index, instr, before)
        elif cpython.is_method_load(instr):
            yield from cpython.as_attribute(instr)
        elif name in cpython.RETURNS:
            yield from self._return(instr)
        else:
            if index in self.shapes.comprehensions:
                yield from self._comprehend(self.shapes.heads[index].callable, where, before)
            elif index in self.shapes.heads:
                yield from self._resolve(self.shapes.heads[index], instr, before)
            elif name == "STORE_ATTR":
                yield from self._before_attribute(where, before)
            elif name in cpython.WRITES:
                yield from self._before_write(cpython.WRITES[name], instr, before, list, self.hooks.before_item)
            elif name == "BINARY_OP" and cpython.symbol_of(instr) == ("+", True):
                yield from self._add_in_place(index, instr, before, after)
                return
            elif name == "BINARY_OP" and cpython.symbol_of(instr)[1]:
                yield from self._before_write(2, instr, before, float)
            yield cpython.exposed(instr) if self.door is not None else instr
            if name in ("UNPACK_SEQUENCE", "UNPACK_EX"):
                for depth in range(1, cpython.unpacked(instr) + 1):
                    yield from self._record(after, where, depth)
            elif name in cpython.CALLS or name == "BEFORE_WITH":
                yield from self._watch(where)
                yield from self._record_any(after, where)
            elif cpython.is_recorded(instr) and not self.plan.instructions[index].skip:
                if name == "BINARY_OP" or name in cpython.UNARY:
                    yield from self._watch(where)
                yield from self._record(after, where)
            elif name == "STORE_ATTR" and instr.arg in _SIGNATURE:
                yield from cpython.call(self.hooks.reassigned, [], where)
                yield cpython.pop(where)
        if name == "RESUME" and cpython.number(instr) & cpython.RESUMES:
            yield from self._resumed(index, after)
            if (
                cpython.number(instr) & cpython.RESUMES == cpython.RESUMES_YIELD
                and not self.plan.instructions[index].skip
            ):
                yield from self._record(after, where)  # what was sent
        if index in self.shapes.loop_ends:
            yield from self._event(self.plan.taken[self.shapes.loop_ends[index]], after, where)

    def _jump(self, index: int, instr: Instr, height: int) -> Iterator[Item]:
        """An unconditional jump; the one that closes a loop takes fuel."""
        target: Label = instr.arg  # type: ignore[assignment]
        if index in self.plan.loops:
            yield from self._mark(self.plan.loops[index], height, instr.location)
        if cpython.is_backward(instr):
            yield from self._jump_back(target, height, instr.location)
            return
        yield instr
        send = self.labels[target]
        if send in self.delegations:
            yield from self._delegated(send, instr.location)
            exit: Label = self.instructions[send].arg  # type: ignore[assignment]
            yield Instr("JUMP_FORWARD", exit, location=instr.location)

    def _branch(self, index: int, instr: Instr, height: int) -> Iterator[Item]:
        """`if c goto L` becomes `if not c goto S; taken; goto L; S: fallen`."""
        where = instr.location
        target: Label = instr.arg  # type: ignore[assignment]
        skip = Label()
        keeps = instr.name in cpython.KEEP_JUMPS
        if keeps:
            yield cpython.copy(1, where)
        yield Instr({**cpython.POP_JUMPS, **cpython.KEEP_JUMPS}[instr.name], skip, location=where)
        if cpython.MARKS_NOT_TAKEN:
            yield Instr("NOT_TAKEN", location=where)
        yield from self._mark(self.plan.taken[index], height + keeps, where)
        if cpython.is_backward(instr):
            yield from self._jump_back(target, height, where)
        else:
            yield Instr("JUMP_FORWARD", target, location=where)
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
            yield from self._count(index, after, instr.location)
        else:
            yield from self._record(after, instr.location)

    def _count(self, index: int, height: int, where: Any) -> Iterator[Item]:
        """A turn of a counting loop: something must count it, and an int of its own would take 28 bytes more.

        The item of fuel does, so that the jump back of the loop needs none: for Horner's rule 2 instructions less.
        """
        out, on = Label(), Label()
        yield cpython.copy(height + 1, where)  # .. fuel
        yield Instr("FOR_ITER", out, location=where)  # .. fuel None
        yield cpython.instruction("LIST_APPEND", where, self._sink(VALUES, height + 1))  # .. fuel
        yield cpython.pop(where)
        yield on
        self.deferred.append(self._count_again(index, height, where, out, on))

    def _count_again(self, index: int, height: int, where: Any, out: Label, on: Label) -> Iterator[Item]:
        """The rare way of `_count`, written behind the loop so that the other need not jump over it."""
        yield out
        yield from self._refuel(index + 1, height, where, index)
        yield from cpython.mark(None, self._sink(VALUES, height), where)
        yield Instr("JUMP_BACKWARD", on, location=where)

    def _loop_ends(self, index: int, label: Label) -> Iterator[Item]:
        """3.11: the exhausted `for` loops that go on at `label` announce it on a way of their own."""
        yield Instr("JUMP_FORWARD", label)  # whoever comes from above passes by
        for end, loop in self.outlets.pop(index):
            yield end
            where = self.instructions[loop].location
            yield from self._event(self.plan.taken[loop], self.shapes.before[loop] - 1, where)
            yield Instr("JUMP_FORWARD", label)

    def _return(self, instr: Instr) -> Iterator[Item]:
        """Take the bottom away; a door or generator closes the recording."""
        where = instr.location
        if instr.name == "RETURN_CONST":
            yield cpython.const(instr.arg, where)
        if self.has_state:
            skip = Label()
            yield self._fetch(STATE, 1, where)
            yield cpython.jump_if_none(skip, where)
            # result NULL f state: the result is 4 deep
            hook = self.hooks.ended if self.generator else self.hooks.leave
            yield from cpython.call(hook, [self._fetch(STATE, 3, where), cpython.copy(4, where)], where)
            yield cpython.pop(where)
            yield skip
        yield cpython.swap(self.base + 1, where)  # result .. values
        for _ in range(self.base):
            yield cpython.pop(where)
        yield cpython.instruction("RETURN_VALUE", where)
