"""One turn of a loop, executed with variables standing for what the turn before left in them.

What that yields are the turn's nodes, each operand either of the turn itself, of the turn before, of an item that the
loop was given, or of a node from before the loop. Which instruction does what is in `turn_opcodes`; what they are given
to ask and to change is here. Anything that could be another in the next turn makes the turn unfit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from visual_debug.columns import Call
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.symbols import UNSET, Cell, Leaf, Ref
from visual_debug.tracing.tape import Plan, Site

#: Numbers whose operations always make a new object or one without identity, and that nobody writes to.
NUMBERS = frozenset({float, int, bool, complex})
#: Calls within calls beyond this are not looked into.
_DEEPEST = 50
#: A turn of more instructions than this is not looked into.
LONGEST = 4000


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
class Node:
    """A node of the turn. Its value is on the tape so many places behind the turn's first, or known without."""

    op: str
    site: Site
    operands: list[Ref]
    value: Any = UNSET
    offset: int = -1
    item: Any = None  #: what it is the number of, if that was not recorded
    call: Call | None = None
    name: str | None = None
    activation: int = -1  #: which of the turn's activations it is of; -1 for that of the loop


@dataclass(slots=True)
class Level:
    """An activation in the turn: that of the loop, or of a function that it calls."""

    plan: Plan
    locals: dict[str, Ref]
    number: int  #: -1 for that of the loop
    floor: int  #: how much of the stack is not its own
    cells: dict[str, Cell | None] = field(default_factory=dict)  #: variables of functions around it
    caller: int = -1
    pc: int = 0  #: of the instruction that is to come, or of the call that is under way


@dataclass(frozen=True, slots=True)
class Entered:
    """An activation of the turn: the function's name, and which activation called it."""

    function: str
    caller: int


class Turn:
    """One turn, executed from the state of a frame that stands at the head of a loop."""

    def __init__(self, machine: Machine, frame: Frame, event: tuple[int, int], carried: set[str]) -> None:
        """`event` is where on the tape the next event is due, `carried` are variables that differ from turn to turn."""
        self.machine = machine
        self.frame = frame
        self.event = event
        self.carried = carried
        variables = {**frame.locals, **{name: Carried(name) for name in carried}}
        self.level = self.outer = Level(frame.plan, variables, -1, len(frame.stack), pc=frame.pc)
        self.levels = [self.outer]
        self.entered: list[Entered] = []
        self.returned: list[tuple[int, int]] = []  # results of calls and what returned them, by place on the tape
        self.stack: list[Ref] = list(frame.stack)
        self.nodes: list[Node] = []
        self.same: list[int] = []  # where on the tape, from the beginning of a turn, the same object stands each time
        self.given: list[Item] = []
        self.counters: dict[Any, Made] = {}  # numbers of a range that an operation needed
        self.item_names: dict[Any, str] = {}
        self.first_read: set[str] = set()
        self.stored: set[str] = set()
        self.begin = self.v, self.p = machine.v, machine.p

    def run(self, handlers: Mapping[str, Handler]) -> None:
        """Execute the turn, each instruction by the handler of its name. Raises Unfit."""
        head = self.frame.pc
        for _ in range(LONGEST):
            if (self.v, self.p) == self.event:
                raise Unfit
            level = self.level
            pc = level.pc
            handler = handlers.get(level.plan.instructions[pc].name)
            if handler is None:
                raise Unfit
            level.pc = pc + 1
            target = handler(self, pc, self.argument(level.plan, pc))
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

    def argument(self, plan: Plan, pc: int) -> Any:
        """What a handler needs to know of an instruction."""
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
        self.same.append(self.v - self.begin[0])
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
        if type(ref) is int and type(self.machine.columns.value[ref]) in NUMBERS:
            return ref
        if kind is Item:
            if not self.stream(ref).counts:
                return ref
            made = self.counters.get(ref)
            if made is None:
                made = self.counters[ref] = Made(len(self.nodes))
                self.add(Node("const", self.stream(ref).site, [], item=ref))
            return made
        raise Unfit

    def is_number(self, ref: Ref) -> bool:
        """Whether a reference stands for a number."""
        kind = type(ref)
        if kind is Leaf:
            return type(ref.value) in NUMBERS
        return kind in (Made, Carried, Item) or (kind is int and type(self.machine.columns.value[ref]) in NUMBERS)

    def stream(self, item: Item) -> Any:
        """The iterator that an item came from."""
        return self.frame.stack[item.depth]

    def make(self, op: str, pc: int, operands: list[Ref], *, call: Call | None = None) -> None:
        """An operation whose result is the next value of the tape."""
        offset = self.v - self.begin[0]
        if type(self.value()) not in NUMBERS:
            raise Unfit
        self.stack.append(Made(len(self.nodes)))
        self.add(Node(op, self.level.plan.site(pc), operands, offset=offset, call=call))

    def add(self, node: Node) -> None:
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
        if self.has_cell(name) or not self.holds(ref):
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

    def holds(self, ref: Ref) -> bool:
        """Whether a variable may hold it."""
        return type(ref) in (Made, Carried, Item, Leaf, int)

    def range_made(self) -> Ref:
        """A range that was made: the next turn makes another."""
        raise Unfit

    def iterate(self, pc: int, ref: Ref) -> Ref:
        """An iterator over something: a turn with a loop in it is none that all others could be told from."""
        raise Unfit

    def has_cell(self, name: str) -> bool:
        """Whether a variable is shared with other functions."""
        return self.level is self.outer and name in self.frame.cells

    def enter(self, plan: Plan, function: FunctionType, defaults: tuple[Any, ...], args: list[Ref]) -> None:
        """Go on in a function that is called with these arguments by position."""
        code = plan.code
        if plan.is_generator or code.co_flags & 0x0C or code.co_cellvars:  # *args, **kwargs
            raise Unfit
        left = code.co_argcount - len(args)
        if left < 0 or left > len(defaults) or code.co_kwonlyargcount or len(self.levels) > _DEEPEST:
            raise Unfit
        names = code.co_varnames[len(args) : code.co_argcount]
        args = [*args, *(self.default(name, value) for name, value in zip(names, defaults[-left or len(defaults) :]))]
        cells = {
            name: self.machine.cells.get(id(cell))
            for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
        }
        variables = dict(zip(code.co_varnames, args, strict=False))
        self.level.pc -= 1  # the call, which is come to again
        caller = self.level.number
        self.level = Level(plan, variables, len(self.entered), len(self.stack), cells=cells, caller=caller)
        self.entered.append(Entered(code.co_qualname, caller))
        self.levels.append(self.level)

    def default(self, name: str, value: Any) -> Ref:
        """The default of a parameter: a number that was read before."""
        ref = self.machine.reads.get((name, id(value)))
        if ref is None or ref.value is not value or type(value) not in NUMBERS:
            raise Unfit
        return ref

    def leave(self, ref: Ref) -> None:
        """Return a number."""
        if self.level is self.outer or len(self.stack) != self.level.floor:
            raise Unfit
        offset = self.v - self.begin[0]
        self.passes(ref, offset, self.value())
        self.levels.pop()
        self.level = self.levels[-1]
        self.level.pc += 1
        self.stack.append(ref)

    def passes(self, ref: Ref, offset: int, z: Any) -> None:
        """Raise Unfit unless a reference stands for a value on the tape, or have that looked at for each turn."""
        kind = type(ref)
        if kind is Made:
            node = self.nodes[ref.place]
            if node.offset < 0 or z is not self.machine.values[self.begin[0] + node.offset]:
                raise Unfit
            self.returned.append((offset, node.offset))
        elif kind in (Leaf, int) and self.machine.agrees(ref, z) and type(z) in NUMBERS:
            self.same.append(offset)
        else:
            raise Unfit

    def item_of(self, container: Ref, key: Ref) -> Ref:
        """The item of a list at a place that differs from turn to turn."""
        raise Unfit


Handler = Callable[[Turn, int, Any], "int | None"]
