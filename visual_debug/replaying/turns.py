"""Replay of loops whose turns are alike: one turn is worked out, all of them are written down at once.

Where a loop works on plain numbers and goes the same way many times, the nodes of a turn are those of the turn before
with ids moved on. Here the instructions of one turn are executed with variables standing for what the turn before left
in them; that yields the turn's nodes, each operand either of the turn itself, of the turn before, of an item that the
loop was given, or of a node from before the loop. Then it is checked for all turns what replay would check one by one:
that the path is the same and that the values are numbers. Anything else (an instruction that is not listed here, an
array, an object) is left to the replay instruction by instruction, which is exact by itself; so is the last turn.
"""

from __future__ import annotations

import operator
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from visual_debug import cpython, rules
from visual_debug.columns import INDEX, Activation, Call, Run
from visual_debug.replaying import calls, models, opcodes
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.symbols import NULL, UNSET, Cell, Leaf, Method, Ref, Stream, Thing
from visual_debug.tracing import policy
from visual_debug.tracing.tape import Plan, Site

#: Numbers whose operations always make a new object or one without identity, and that nobody writes to.
_NUMBERS = frozenset({float, int, bool, complex})
#: Fewer turns are replayed as quickly one by one.
LEAST = 4
#: So many turns at once are worth another look at once.
WORTH = 32
#: From how many turns before a variable may be handed on.
_LAGS = 3
#: Calls within calls beyond this are not looked into.
_DEEPEST = 50
#: Turns whose values are in the processor's cache together.
_PORTION = 2048
#: A turn of more instructions than this is not looked into.
_LONGEST = 4000


class Unfit(Exception):
    """The turn is none that all others could be told from."""


@dataclass(frozen=True, slots=True)
class Made:
    """The number that a node of the turn yields."""

    place: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What a variable holds when the turn begins, a number that some turn before has made."""

    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """What the iterator at a place of the stack gave in this turn."""

    depth: int


@dataclass(slots=True)
class _Node:
    """A node of the turn. Its value is on the tape so many places behind the turn's first, or known without."""

    op: str
    site: Site
    operands: list[Ref]
    value: Any = UNSET
    offset: int = -1
    item: Item | None = None
    call: Call | None = None
    name: str | None = None
    activation: int = -1  #: which of the turn's activations it is of; -1 for that of the loop


@dataclass(slots=True)
class _Level:
    """An activation in the turn: that of the loop, or of a function that it calls."""

    plan: Plan
    locals: dict[str, Ref]
    number: int  #: -1 for that of the loop
    floor: int  #: how much of the stack is not its own
    caller: int = -1
    pc: int = 0  #: of the instruction that is to come, or of the call that is under way


@dataclass(frozen=True, slots=True)
class _Entered:
    """An activation of the turn: the function's name, and which activation called it."""

    function: str
    caller: int


class _Turn:
    """One turn, executed from the state of a frame that stands at the head of a loop."""

    def __init__(self, machine: Machine, frame: Frame, event: tuple[int, int], carried: set[str]) -> None:
        self.machine = machine
        self.frame = frame
        self.event = event
        self.carried = carried
        variables = {**frame.locals, **{name: Carried(name) for name in carried}}
        self.level = self.outer = _Level(frame.plan, variables, -1, len(frame.stack), pc=frame.pc)
        self.levels = [self.outer]
        self.entered: list[_Entered] = []
        self.returned: list[tuple[int, int]] = []  # results of calls and what returned them, by place on the tape
        self.stack: list[Ref] = list(frame.stack)
        self.nodes: list[_Node] = []
        self.same: list[int] = []  # where on the tape, from the beginning of a turn, the same object stands each time
        self.given: list[Item] = []
        self.counters: dict[Item, Made] = {}  # numbers of a range that an operation needed
        self.item_names: dict[Item, str] = {}
        self.first_read: set[str] = set()
        self.stored: set[str] = set()
        self.v, self.p = machine.v, machine.p
        self._run()

    def _run(self) -> None:
        head = self.frame.pc
        for _ in range(_LONGEST):
            if (self.v, self.p) == self.event:
                raise Unfit
            level = self.level
            pc = level.pc
            handler = _HANDLERS.get(level.plan.instructions[pc].name)
            if handler is None:
                raise Unfit
            level.pc = pc + 1
            target = handler(self, pc, self._argument(level.plan, pc))
            if target is not None:
                level.pc = target
                if target == head and pc > head and level is self.outer:
                    break
        else:
            raise Unfit
        if len(self.stack) != len(self.frame.stack) or any(
            a is not b for a, b in zip(self.stack, self.frame.stack, strict=True)
        ):
            raise Unfit

    def _argument(self, plan: Plan, pc: int) -> Any:
        steps = self.machine.steps.get(plan)
        if steps is None:
            raise Unfit
        return steps[pc][1]

    # ---- what handlers do

    def value(self) -> Any:
        """The next recorded value of this turn."""
        if self.v >= len(self.machine.values):
            raise Unfit
        value = self.machine.values[self.v]
        self.v += 1
        return value

    def constant(self) -> Any:
        """The next recorded value, the very object of which has to come in every turn."""
        self.same.append(self.v - self.machine.v)
        return self.value()

    def word(self) -> int:
        """The next word of the path."""
        if self.p >= len(self.machine.path):
            raise Unfit
        self.p += 1
        return self.machine.path[self.p - 1]

    def pop(self) -> Ref:
        """The top of the stack; what lay there before the turn stays."""
        if len(self.stack) <= self.level.floor:
            raise Unfit
        return self.stack.pop()

    def number(self, ref: Ref) -> Ref:
        """A reference that is the operand of an operation: a node, as `Machine.node` has it."""
        kind = type(ref)
        if kind is Made or kind is Carried:
            return ref
        if kind is Leaf and ref.node is not None:
            ref = ref.node
        if type(ref) is int and type(self.machine.columns.value[ref]) in _NUMBERS:
            return ref
        if kind is Item:
            if not self.stream(ref).counts:
                return ref
            made = self.counters.get(ref)
            if made is None:
                made = self.counters[ref] = Made(len(self.nodes))
                self.add(_Node("const", self.stream(ref).site, [], item=ref))
            return made
        raise Unfit

    def stream(self, item: Item) -> Any:
        """The iterator that an item came from."""
        return self.frame.stack[item.depth]

    def make(self, op: str, pc: int, operands: list[Ref], *, call: Call | None = None) -> None:
        """An operation whose result is the next value of the tape."""
        offset = self.v - self.machine.v
        if type(self.value()) not in _NUMBERS:
            raise Unfit
        self.stack.append(Made(len(self.nodes)))
        self.add(_Node(op, self.level.plan.site(pc), operands, offset=offset, call=call))

    def add(self, node: _Node) -> None:
        """A node of the activation that is running."""
        node.activation = self.level.number
        self.nodes.append(node)

    def load(self, name: str) -> None:
        """Push a variable."""
        ref = self.level.locals.get(name)
        if ref is None or self.has_cell(name):
            raise Unfit
        if self.level is self.outer and name not in self.stored:
            self.first_read.add(name)
        self.stack.append(ref)

    def store(self, name: str) -> None:
        """Bind a variable; a number that had none gets its name."""
        ref = self.pop()
        kind = type(ref)
        if self.has_cell(name) or kind not in (Made, Carried, Item, Leaf, int):
            raise Unfit
        if kind is Made:
            node = self.nodes[ref.place]
            if node.name is None and node.item is None:
                node.name = name
        elif kind is Item:
            self.item_names.setdefault(ref, name)
        elif (kind is Leaf and ref.name is None) or (kind is int and self.machine.columns.name[ref] is None):
            raise Unfit
        if self.level is self.outer:
            self.stored.add(name)
        self.level.locals[name] = ref

    def has_cell(self, name: str) -> bool:
        """Whether a variable is shared with other functions."""
        return self.level is self.outer and name in self.frame.cells

    def enter(self, plan: Plan, args: list[Ref]) -> None:
        """Go on in a function that takes nothing but these arguments."""
        code = plan.code
        if plan.is_generator or code.co_flags & 0x0C or code.co_cellvars or code.co_freevars:  # *args, **kwargs
            raise Unfit
        if len(args) != code.co_argcount or code.co_kwonlyargcount or len(self.levels) > _DEEPEST:
            raise Unfit
        variables = dict(zip(code.co_varnames, args, strict=False))
        self.level.pc -= 1  # the call, which is come to again
        self.level = _Level(plan, variables, len(self.entered), len(self.stack), caller=self.level.number)
        self.entered.append(_Entered(code.co_qualname, self.level.caller))
        self.levels.append(self.level)

    def leave(self) -> None:
        """Return a number that was made in this turn."""
        ref = self.pop()
        if self.level is self.outer or type(ref) is not Made or len(self.stack) != self.level.floor:
            raise Unfit
        offset = self.v - self.machine.v
        z, node = self.value(), self.nodes[ref.place]
        if node.offset < 0 or z is not self.machine.values[self.machine.v + node.offset]:
            raise Unfit
        self.returned.append((offset, node.offset))
        self.levels.pop()
        self.level = self.levels[-1]
        self.level.pc += 1
        self.stack.append(ref)


_Handler = Callable[[_Turn, int, Any], "int | None"]
_HANDLERS: dict[str, _Handler] = {}


def _handles(*names: str) -> Callable[[_Handler], _Handler]:
    def enter(handler: _Handler) -> _Handler:
        for name in names:
            _HANDLERS[name] = handler
        return handler

    return enter


@_handles("NOP", "PRECALL", "CACHE", "NOT_TAKEN")
def _nothing(t: _Turn, pc: int, arg: Any) -> int | None:
    return None


@_handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")
def _load_fast(t: _Turn, pc: int, arg: Any) -> int | None:
    if type(arg) is tuple:
        arg = arg[1]
    t.load(arg if type(arg) is str else arg.name)
    return None


@_handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_fast_load_fast(t: _Turn, pc: int, arg: Any) -> int | None:
    _load_fast(t, pc, arg[0])
    return _load_fast(t, pc, arg[1])


@_handles("STORE_FAST")
def _store_fast(t: _Turn, pc: int, arg: Any) -> int | None:
    t.store(arg if type(arg) is str else arg.name)
    return None


@_handles("STORE_FAST_LOAD_FAST")
def _store_fast_load_fast(t: _Turn, pc: int, arg: Any) -> int | None:
    _store_fast(t, pc, arg[0])
    return _load_fast(t, pc, arg[1])


@_handles("STORE_FAST_STORE_FAST")
def _store_fast_store_fast(t: _Turn, pc: int, arg: Any) -> int | None:
    _store_fast(t, pc, arg[0])
    return _store_fast(t, pc, arg[1])


@_handles("LOAD_CONST", "LOAD_SMALL_INT")
def _load_const(t: _Turn, pc: int, arg: Any) -> int | None:
    t.stack.append(opcodes.literal(t.machine, t.level.plan, *arg))
    return None


@_handles("POP_TOP")
def _pop_top(t: _Turn, pc: int, arg: Any) -> int | None:
    t.pop()
    return None


@_handles("COPY")
def _copy(t: _Turn, pc: int, arg: int) -> int | None:
    t.stack.append(t.stack[-arg])
    return None


@_handles("SWAP")
def _swap(t: _Turn, pc: int, arg: int) -> int | None:
    if len(t.stack) - arg < t.level.floor:
        raise Unfit
    t.stack[-1], t.stack[-arg] = t.stack[-arg], t.stack[-1]
    return None


@_handles("PUSH_NULL")
def _push_null(t: _Turn, pc: int, arg: Any) -> int | None:
    t.stack.append(NULL)
    return None


@_handles("BINARY_OP")
def _binary_op(t: _Turn, pc: int, arg: tuple[int, str | None, bool]) -> int | None:
    op = arg[1]
    if op is None:
        raise Unfit
    y, x = t.pop(), t.pop()
    a = t.number(x)
    if op == "pow" and type(y) is Item and y not in t.item_names:
        raise Unfit
    if op == "pow" and type(y) is Leaf and y.op == "const" and y.name is None:
        base = t.machine.columns.value[a] if type(a) is int else UNSET
        t.make(op, pc, [a], call=Call((base, y.value), {}, (0,)))
    else:
        t.make(op, pc, [a, t.number(y)])
    return None


@_handles("UNARY_NEGATIVE", "UNARY_INVERT")
def _unary(t: _Turn, pc: int, arg: tuple[int, str]) -> int | None:
    t.make(arg[1], pc, [t.number(t.pop())])
    return None


@_handles("COMPARE_OP")
def _compare_op(t: _Turn, pc: int, arg: tuple[int, str, bool]) -> int | None:
    y, x = t.pop(), t.pop()
    if arg[2]:
        t.stack.append(opcodes.Comparison(pc, arg[1], x, y))
    else:
        t.make(arg[1], pc, [t.number(x), t.number(y)])
    return None


@_handles(*cpython.POP_JUMPS)
def _pop_jump(t: _Turn, pc: int, arg: tuple[int, int, int, int, str]) -> int | None:
    _, target, taken, fallen, name = arg
    ref = t.pop()
    word = t.word()
    if word not in (taken, fallen):
        raise Unfit
    if type(ref) is opcodes.Comparison:
        operands = [t.number(ref.x), t.number(ref.y)]
        z = (word == taken) == name.endswith("TRUE")
        t.add(_Node(ref.op, t.level.plan.site(ref.index), operands, value=z))
    elif type(ref) is not Item:
        t.number(ref)
    return target if word == taken else None


@_handles(*cpython.JUMPS)
def _jump(t: _Turn, pc: int, arg: tuple[int, int | None]) -> int | None:
    target, word = arg
    if word is not None and t.word() != word:
        raise Unfit
    return target


@_handles("FOR_ITER")
def _for_iter(t: _Turn, pc: int, arg: tuple[int, int]) -> int | None:
    depth = len(t.stack) - 1
    stream = t.stack[-1]
    item = Item(depth)
    if t.level is not t.outer or pc != t.frame.pc or type(stream) is not Stream or stream.peek is None:
        raise Unfit
    t.value()
    t.given.append(item)
    if stream.counts != t.frame.plan.instructions[pc].skip:
        raise Unfit
    t.stack.append(item)
    return None


@_handles("LOAD_GLOBAL")
def _load_global(t: _Turn, pc: int, arg: tuple[int, str, bool, bool]) -> int | None:
    _, name, has_null, skip = arg
    m = t.machine
    ref: Ref = m.globals.get(name)
    if skip:
        ref = Thing() if ref is None else ref
        if type(ref) is not Thing or ref.pool is not None or ref.among:
            raise Unfit
    else:
        value = t.constant()
        ref = m.reads.get((name, id(value))) if ref is None and m.elsewhere is None else None
        if ref is None or ref.value is not value or type(value) not in _NUMBERS:
            raise Unfit
    if has_null:
        t.stack.extend((ref, NULL) if cpython.NULL_ABOVE_CALLABLE else (NULL, ref))
    else:
        t.stack.append(ref)
    return None


@_handles("LOAD_DEREF")
def _load_deref(t: _Turn, pc: int, arg: tuple[int, str, bool]) -> int | None:
    _, name, skip = arg
    if t.level is not t.outer:
        raise Unfit
    cell = t.frame.cells.get(name)
    ref: Ref = cell.ref if cell is not None else None
    if skip:
        ref = Thing() if ref is None else ref
        if type(ref) is not Thing or ref.pool is not None or ref.among:
            raise Unfit
    elif ref is None and t.machine.behind(cell) is None:
        value = t.constant()
        ref = t.machine.reads.get((name, id(value)))
        if ref is None or ref.value is not value or type(value) not in _NUMBERS:
            raise Unfit
    elif type(cell) is not Cell or not t.machine.agrees(ref, t.constant()):
        raise Unfit
    t.stack.append(ref)
    return None


@_handles("LOAD_METHOD")
def _load_method(t: _Turn, pc: int, arg: Any) -> int | None:
    t.stack += [NULL, Method(t.pop())]
    return None


@_handles("LOAD_ATTR")
def _load_attr(t: _Turn, pc: int, arg: tuple[int, str, bool, bool]) -> int | None:
    _, _, is_method, skip = arg
    if is_method:
        method = Method(t.pop())
        t.stack += [method, NULL] if cpython.NULL_ABOVE_CALLABLE else [NULL, method]
    elif skip:
        t.stack.append(Method(t.pop()))
    else:
        raise Unfit
    return None


@_handles("CALL")
def _call(t: _Turn, pc: int, arg: tuple[int, int]) -> int | None:
    """A call of a C function of numbers, which makes a new number of them."""
    count = arg[1]
    args = [t.pop() for _ in range(count)][::-1]
    target, other = t.pop(), t.pop()
    if cpython.NULL_ABOVE_CALLABLE or other is not NULL:
        target, other = other, target
    callee = t.constant()
    base = target.base if type(target) is Method else target
    if other is not NULL or type(base) is not Thing:
        raise Unfit
    if type(callee) is FunctionType:
        word = policy.meaning(t.word())
        signature = t.machine.tape.policy.twins.signature(callee, t.machine.tape.began, t.machine.tape.ended)
        if word is None or word.kind != policy.ENTRY or signature is None or signature.code is not word.plan.code:
            raise Unfit
        t.enter(word.plan, args)
        return None
    if not _is_plain_function(callee):
        raise Unfit
    name, bound = rules.resolve(callee)
    rule = rules.find(name)
    if rule is None or bound or name in calls.SPREAD or models.model_of(callee) is not None:
        raise Unfit
    if not args or (rule.arity is not None and count > rule.arity):
        raise Unfit
    if t.p < len(t.machine.path):
        word = policy.meaning(t.machine.path[t.p])
        if word is not None and word.kind == policy.ENTRY:
            raise Unfit
    t.make(name, pc, [t.number(ref) for ref in args])
    return None


@_handles("RETURN_VALUE")
def _return_value(t: _Turn, pc: int, arg: Any) -> int | None:
    t.leave()
    return None


@_handles("RESUME")
def _resume(t: _Turn, pc: int, arg: int) -> int | None:
    if arg & cpython.RESUMES:
        raise Unfit
    return None


def _is_plain_function(callee: Any) -> bool:
    return type(callee) is BuiltinFunctionType and (callee is abs or callee.__module__ in ("math", "cmath"))


# ---- all turns at once


def advance(machine: Machine, frame: Frame, event: tuple[int, int], path: Callable[[], Any]) -> int:
    """Replay as many turns as are alike of the loop that a frame stands at the head of; returns how many.

    `event` is where on the tape the next event is due, (values, words), and `path()` the path as an array.
    """
    tape = machine.tape
    if tape.snapshots or machine.memory.active or frame.pending is not None or frame.keywords:
        return 0
    try:
        turn = _steady(machine, frame, event)
        turns = _how_many(turn, event, path)
        if turns < LEAST:
            return 0
        _Writer(turn, turns).write()
    except Unfit:
        return 0
    return turns


def _steady(machine: Machine, frame: Frame, event: tuple[int, int]) -> _Turn:
    """The turn with every variable that changes from turn to turn taken as one that does."""
    carried: set[str] = set()
    while True:
        turn = _Turn(machine, frame, event, carried)
        changed = {
            name for name in turn.stored & turn.first_read if not _is_same(turn.outer.locals[name], frame.locals[name])
        }
        if changed <= carried:
            return turn
        carried |= changed


def _is_same(a: Ref, b: Ref) -> bool:
    return a is b or (type(a) is int and type(b) is int and a == b)


def _how_many(turn: _Turn, event: tuple[int, int], path: Callable[[], Any]) -> int:
    """How many turns are alike; the last before the next event, or the end, is not among them."""
    machine = turn.machine
    stride, words = turn.v - machine.v, turn.p - machine.p
    if not stride or not turn.nodes:
        raise Unfit
    is_due = event[0] >= 0
    turns = ((event[0] if is_due else len(machine.values)) - machine.v) // stride
    if words:
        turns = min(turns, ((event[1] if is_due else len(machine.path)) - machine.p) // words)
        if turns >= LEAST:
            turns = min(turns, _agreement(path(), machine.p, words, words * turns) // words + 1)
    turns -= 1
    if turns >= LEAST:
        begin, end = machine.v, machine.v + stride * turns
        for offset in turn.same:
            if len(set(map(id, machine.values[begin + offset : end : stride]))) != 1:
                raise Unfit
        for offset, made in turn.returned:
            pairs = machine.values[begin + offset : end : stride], machine.values[begin + made : end : stride]
            if not all(map(operator.is_, *pairs)):
                raise Unfit
    return turns


def _agreement(path: Any, begin: int, period: int, length: int) -> int:
    """How many words from `begin` on, of those less than `length` behind it, equal those one period later."""
    size, low, last = 256, begin, begin + length - period
    while low < last:
        high = min(low + size, last)
        differs = path[low:high] != path[low + period : high + period]
        at = int(differs.argmax())
        if differs[at]:
            return low + at - begin
        low, size = high, min(size * 2, 2**20)
    return last - begin


class _Writer:
    """Appends the nodes of all turns to the columns, and leaves the frame as after the last."""

    def __init__(self, turn: _Turn, turns: int) -> None:
        self.turn = turn
        self.turns = turns
        self.machine = turn.machine
        self.frame = turn.frame
        self.columns = turn.machine.columns
        self.base = len(turn.machine.columns)
        self.period = len(turn.nodes)
        self.taken: dict[Item, list[Ref]] = {}
        self.last: dict[Item, Ref] = {}  # what each iterator gave in the last turn

    def write(self) -> None:
        """Do so. Raises Unfit before anything is changed."""
        turn, turns, period, base = self.turn, self.turns, self.period, self.base
        operands = [self._ids(ref) for node in turn.nodes for ref in node.operands]
        numbers = {item: self._numbers(item) for item in turn.counters}
        values = self._values(numbers)
        locals_after = {name: self._after(turn.outer.locals[name]) for name in turn.stored}
        columns, machine = self.columns, self.machine
        columns.kind.extend(array(INDEX, [columns.kind_of(n.op, n.site) for n in turn.nodes]) * turns)
        self._activate()
        names = [turn.item_names.get(n.item) if n.item is not None else n.name for n in turn.nodes]
        columns.name.extend(names * turns)
        columns.value.extend(values)
        for place, node in enumerate(turn.nodes):
            if node.call is not None:
                columns.calls.update(zip(range(base + place, base + turns * period, period), repeat(node.call)))
        self._write_operands(operands)
        columns.runs.append(Run(base, period, turns))
        for item in turn.given:
            self.last[item] = self._take(item)
        self.frame.locals.update((name, after()) for name, after in locals_after.items())
        machine.v += (turn.v - machine.v) * turns
        machine.p += (turn.p - machine.p) * turns

    def _write_operands(self, operands: list[Any]) -> None:
        """The operands of all nodes, given the ids of each, and where those of each node begin."""
        columns, count = self.columns, len(operands)
        ends = np.cumsum([len(node.operands) for node in self.turn.nodes], dtype=np.int32) + np.int32(columns.start[-1])
        for low in range(0, self.turns, _PORTION):
            high = min(low + _PORTION, self.turns)
            table = np.empty((high - low, count), np.int32)
            for column, ids in enumerate(operands):
                table[:, column] = ids if type(ids) is int else ids[low:high]
            columns.operand.frombytes(table.reshape(-1).view(np.uint8).data)
            starts = ends + np.int32(count) * np.arange(low, high, dtype=np.int32)[:, None]
            columns.start.frombytes(starts.reshape(-1).view(np.uint8).data)

    def _activate(self) -> None:
        """The activations of all turns, and which of them each node is of."""
        turns, columns, entered = self.turns, self.columns, self.turn.entered
        own, base = self.frame.activation, len(columns.activations)
        if not entered:
            columns.activation.extend(array(INDEX, [own]) * (turns * self.period))
            return
        for first in range(base, base + turns * len(entered), len(entered)):
            for number, call in enumerate(entered):
                caller = own if call.caller < 0 else first + call.caller
                columns.activations.append(Activation(first + number, call.function, caller))
        places = np.array([node.activation for node in self.turn.nodes], np.int32)
        steps = np.where(places < 0, 0, len(entered)).astype(np.int32)
        begin = np.where(places < 0, own, base + places).astype(np.int32)
        numbers = begin + steps * np.arange(turns, dtype=np.int32)[:, None]
        columns.activation.frombytes(numbers.reshape(-1).view(np.uint8).data)

    def _values(self, numbers: dict[Item, list[int]]) -> list[Any]:
        """The values of all nodes. Raises Unfit where one on the tape is no plain number."""
        turn, machine = self.turn, self.machine
        stride = turn.v - machine.v
        result: list[Any] = []
        for low in range(0, self.turns, _PORTION):
            high = min(low + _PORTION, self.turns)
            begin, end = machine.v + low * stride, machine.v + high * stride
            part: list[Any] = [None] * ((high - low) * self.period)
            for place, node in enumerate(turn.nodes):
                if node.item is not None:
                    part[place :: self.period] = numbers[node.item][low:high]
                elif node.offset >= 0:
                    found = machine.values[begin + node.offset : end : stride]
                    if not set(map(type, found)) <= _NUMBERS:
                        raise Unfit
                    part[place :: self.period] = found
                else:
                    part[place :: self.period] = [node.value] * (high - low)
            result += part
        return result

    def _ids(self, ref: Ref) -> Any:
        """The ids of an operand in all turns."""
        if type(ref) is Made:
            return self._made(ref, 0)
        if type(ref) is Carried:
            return self._carried(ref)
        if type(ref) is Item:
            return [item.node if type(item) is Leaf else item for item in self._items(ref)]
        return ref

    def _made(self, ref: Made, lag: int) -> Any:
        return self.base + ref.place + self.period * np.arange(-lag, self.turns - lag, dtype=np.int32)

    def _carried(self, ref: Carried) -> Any:
        """The ids of what a variable holds at the beginning of each turn."""
        entered: list[int] = []
        end: Ref = ref
        while type(end) is Carried:
            if len(entered) == _LAGS:
                raise Unfit
            entered.append(self._entry(end.name))
            end = self.turn.outer.locals[end.name]
        if type(end) is not Made:
            raise Unfit
        ids = self._made(end, len(entered))
        ids[: len(entered)] = entered
        return ids

    def _entry(self, name: str) -> int:
        """The node that a variable held before the first turn."""
        ref = self.frame.locals.get(name)
        if type(ref) is Leaf:
            ref = ref.node
        if type(ref) is not int or type(self.columns.value[ref]) not in _NUMBERS:
            raise Unfit
        return ref

    def _items(self, item: Item) -> list[Ref]:
        """What an iterator over a list gave in all turns: numbers that are nodes, and the very ones that were recorded."""
        if item not in self.taken:
            machine = self.machine
            stride = self.turn.v - machine.v
            refs = self.turn.stream(item).peek(self.turns)
            values = machine.values[
                machine.v : machine.v + stride * self.turns : stride
            ]  # what FOR_ITER gave is the first
            if refs is None or len(refs) != self.turns:
                raise Unfit
            for ref, value in zip(refs, values, strict=True):
                is_node = type(ref) is int or (type(ref) is Leaf and ref.node is not None)
                if not is_node or type(value) not in _NUMBERS or not machine.agrees(ref, value):
                    raise Unfit
            self.taken[item] = refs
        return self.taken[item]

    def _numbers(self, item: Item) -> list[int]:
        """What a range gave in all turns."""
        numbers = self.turn.stream(item).peek(self.turns)
        if len(numbers) != self.turns:
            raise Unfit
        return list(numbers)

    def _take(self, item: Item) -> Ref:
        """Move an iterator on by all turns; returns what it gave in the last."""
        turn, stream = self.turn, self.turn.stream(item)
        name = turn.item_names.get(item)
        stream.skip(self.turns - 1)
        last: Ref = stream.advance(None)
        if not stream.counts:
            for ref in self.taken.get(item, ()) if name is not None else ():
                self._name(ref, name)
            return last
        last.name = name
        if item in turn.counters:
            last.node = self.base + (self.turns - 1) * self.period + turn.counters[item].place
        return last

    def _name(self, ref: Ref, name: str | None) -> None:
        """Bind a number that was there before to a variable."""
        node = ref
        if type(ref) is Leaf:
            ref.name = ref.name or name
            node = ref.node
        if self.columns.name[node] is None:
            self.columns.name[node] = name

    def _after(self, ref: Ref) -> Callable[[], Ref]:
        """What gives the reference of a variable after the last turn."""
        if type(ref) is Made:
            node = self.base + (self.turns - 1) * self.period + ref.place
            return lambda: node
        if type(ref) is Carried:
            node = int(self._carried(ref)[-1])
            return lambda: node
        if type(ref) is Item:
            if not self.turn.stream(ref).counts:
                self._items(ref)
            return lambda: self.last[ref]
        return lambda: ref
