"""One passage between two heads of loops, executed for whatever numbers the variables hold when it begins.

Where the turns of a loop differ, or have loops inside, the way through a function is cut at the heads of its loops.
What a passage does depends on little: where it begins, which variables hold numbers, and the words of the path. So
passages are worked out once (`State` and `Passage` are the states and the arrows of an automaton) and then recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from visual_debug import cpython
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.symbols import Leaf, Ref, Sequence, Stream
from visual_debug.replaying.turn import LONGEST, NUMBERS, Carried, Handler, Item, Made, Node, Turn, Unfit
from visual_debug.tracing.tape import Site


@dataclass(frozen=True, slots=True)
class Source:
    """An iterator at a place of the stack: over a range, or over a list or tuple of which nothing changes."""

    depth: int
    site: Site | None  #: of a range, where it is gone through
    sequence: Sequence | None

    @property
    def counts(self) -> bool:
        """Whether it is one over a range."""
        return self.sequence is None


@dataclass(frozen=True, slots=True)
class Span:
    """A range that was made in this passage; its place on the tape."""

    offset: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An int that a range gave in a passage before, or a literal one, that no operation has needed yet."""

    key: tuple[str, int]
    called: str
    site: Site


@dataclass(frozen=True, slots=True)
class Picked:
    """The item of a list at a place that a number of this passage says; its place on the tape."""

    sequence: Sequence
    key: Ref
    offset: int


@dataclass(slots=True, eq=False)
class State:
    """Where a passage begins, and what is known there."""

    head: int  #: the instruction
    locals: dict[str, Ref]
    stack: list[Ref]
    end: int  #: the word that ends the loop, if it is a `for` loop; else -1
    onward: Any = None  #: the passage that follows or, where that depends on the path, word -> the same
    leaving: Any = None  #: likewise if the loop has come to its end


@dataclass(slots=True, eq=False)
class Passage:
    """What is alike whenever a passage is taken."""

    number: int
    turn: Walk
    stride: int  #: values on the tape
    words: int  #: words of the path
    size: int  #: nodes
    gives: Source | None  #: the iterator that gave a number at its beginning
    makes: dict[int, int | Sequence] = field(default_factory=dict)  #: depth -> place on the tape of a range, or a list
    sets: dict[str, Ref] = field(default_factory=dict)  #: numbers that variables hold from now on
    waits: dict[tuple[str, int], Item] = field(default_factory=dict)  #: numbers of ranges that wait from now on
    following: Any = None  #: the state behind it


class Walk(Turn):
    """The execution of one passage."""

    def __init__(
        self, machine: Machine, frame: Frame, state: State, at: tuple[int, int], event: tuple[int, int]
    ) -> None:
        """`at` is where on the tape it begins, `event` where the next event is due that is not the end of this loop."""
        super().__init__(machine, frame, event, set())
        self.begin = self.v, self.p = at
        self.state = state
        self.outer.locals = dict(state.locals)
        self.outer.floor = 0
        self.outer.pc = state.head
        self.stack = list(state.stack)
        self.makes: dict[int, int | Sequence] = {}
        self.picks: list[Picked] = []
        self.passed: list[tuple[int, Ref]] = []  # places on the tape, and what stands there

    def follow(self, handlers: Mapping[str, Handler], *, leaves: bool) -> None:
        """Execute it to the next head. Raises Unfit."""
        instructions, level = self.outer.plan.instructions, self.outer
        if self.state.end >= 0:
            self._iterate(leaves)
        for _ in range(LONGEST):
            if (self.v, self.p) == self.event:
                raise Unfit
            level, pc = self.level, self.level.pc
            handler = handlers.get(level.plan.instructions[pc].name)
            if handler is None:
                raise Unfit
            level.pc = pc + 1
            target = handler(self, pc, self.argument(level.plan, pc))
            if target is not None:
                level.pc = target
            if self.level is self.outer:
                is_back = target is not None and target <= pc
                if is_back or instructions[self.level.pc].name == "FOR_ITER":
                    return
        raise Unfit

    def _iterate(self, leaves: bool) -> None:
        """The head of a `for` loop, which gives another item or comes to its end."""
        instruction = self.outer.plan.instructions[self.state.head]
        source = self.stack[-1]
        if type(source) is not Source or source.counts != instruction.skip:
            raise Unfit
        if leaves:
            self.p += 2
            self.outer.pc = instruction.arg
            if cpython.HAS_END_FOR:
                self.stack.append(None)
            else:
                self.stack.pop()
            return
        self.value()
        item = Item(source.depth)
        self.given.append(item)
        self.stack.append(item)
        self.outer.pc = self.state.head + 1

    # ---- what handlers ask for

    def number(self, ref: Ref) -> Ref:
        """A reference that is the operand of an operation."""
        if type(ref) is Waiting:
            made = self.counters.get(ref)
            if made is None:
                made = self.counters[ref] = Made(len(self.nodes))
                self.add(Node("const", ref.site, [], item=ref, name=ref.called))
            return made
        if type(ref) is Picked:
            return ref
        return super().number(ref)

    def stream(self, item: Any) -> Any:
        """The iterator that an item came from."""
        return next(ref for ref in self.state.stack if type(ref) is Source and ref.depth == item.depth)

    def store(self, name: str) -> None:
        """Bind a variable."""
        ref = self.stack[-1]
        super().store(name)
        if type(ref) is Picked:
            self.item_names.setdefault(ref, name)

    def is_number(self, ref: Ref) -> bool:
        """Whether a reference stands for a number."""
        return type(ref) in (Waiting, Picked) or super().is_number(ref)

    def holds(self, ref: Ref) -> bool:
        """Whether a variable may hold it."""
        return type(ref) in (Waiting, Span, Picked) or super().holds(ref)

    def item_of(self, container: Ref, key: Ref) -> Ref:
        """The item of a list at a place that differs from passage to passage."""
        if not is_of_numbers(self.machine, container):
            raise Unfit
        if type(key) is Item and not self.stream(key).counts:
            raise Unfit
        if type(key) not in (Item, Waiting, Made, Carried):
            raise Unfit
        picked = Picked(container, key, self.v - self.begin[0])
        self.value()
        self.picks.append(picked)
        return picked

    def passes(self, ref: Ref, offset: int, z: Any) -> None:
        """Raise Unfit unless a reference may stand for a value on the tape; it is looked at each time."""
        if type(ref) in (Carried, Waiting, Picked) or (type(ref) is Item and self.stream(ref).counts):
            self.passed.append((offset, ref))
        else:
            super().passes(ref, offset, z)

    def range_made(self) -> Ref:
        """The range that was just made."""
        offset = self.v - self.begin[0]
        if type(self.value()) is not range:
            raise Unfit
        return Span(offset)

    def iterate(self, pc: int, ref: Ref) -> Ref:
        """The iterator over a range that was made, or over a list of numbers that are known."""
        depth = len(self.stack)
        if self.level is not self.outer or depth in self.makes:
            raise Unfit
        if type(ref) is Span:
            self.makes[depth] = ref.offset
            return Source(depth, self.level.plan.site(pc), None)
        if is_of_numbers(self.machine, ref):
            self.makes[depth] = ref
            return Source(depth, None, ref)
        raise Unfit

    # ---- what it comes to

    def result(self, number: int) -> tuple[Passage, State]:
        """The passage, and the state behind it."""
        before = self.state.stack
        for depth, ref in enumerate(self.stack):
            if type(ref) is not Source and (depth >= len(before) or ref is not before[depth]):
                raise Unfit
        source = self.state.stack[self.given[0].depth] if self.given else None
        passage = Passage(
            number, self, self.v - self.begin[0], self.p - self.begin[1], len(self.nodes), source, self.makes
        )
        variables: dict[str, Ref] = {}
        waiting: dict[Any, Waiting] = {}
        in_use = {ref.key for ref in self.outer.locals.values() if type(ref) is Waiting}
        for name, ref in self.outer.locals.items():
            node = self._node(ref)
            if node is not None:
                variables[name] = Carried(name)
                if node != Carried(name):
                    passage.sets[name] = node
            elif type(ref) is Item:
                if ref not in waiting:
                    count = 0
                    while (name, count) in in_use:
                        count += 1
                    called = self.item_names[ref]
                    waiting[ref] = Waiting((name, count), called, self.stream(ref).site)
                    in_use.add((name, count))
                    passage.waits[name, count] = ref
                variables[name] = waiting[ref]
            else:
                variables[name] = ref
        if any(type(ref) is Span for ref in variables.values()):
            raise Unfit
        head = self.outer.pc
        plan = self.outer.plan
        end = plan.taken[head] if plan.instructions[head].name == "FOR_ITER" else -1
        return passage, State(head, variables, list(self.stack), end)

    def _node(self, ref: Ref) -> Ref:
        """What stands for a number that is a node by now; None for anything else."""
        kind = type(ref)
        if kind in (Made, Carried, Picked):
            return ref
        if kind is Item or kind is Waiting:
            return self.counters.get(ref) if kind is Waiting or self.stream(ref).counts else ref
        if kind is Leaf:
            ref = ref.node
        return ref if type(ref) is int and _is_plain(self.machine, ref) else None


def is_of_numbers(machine: Machine, ref: Ref) -> bool:
    """Whether something is a list or tuple of numbers that are all nodes."""
    if type(ref) is not Sequence or ref.kind not in (list, tuple) or ref.items is None:
        return False
    value = machine.columns.value
    nodes = (item.node if type(item) is Leaf else item for item in ref.items)
    return all(type(node) is int and type(value[node]) in NUMBERS for node in nodes)


def _is_plain(machine: Machine, node: int) -> bool:
    columns = machine.columns
    return type(columns.value[node]) in NUMBERS and columns.name[node] is not None


def begin(machine: Machine, frame: Frame) -> State:
    """The state of a frame that stands at the head of a loop. Raises Unfit."""
    variables: dict[str, Ref] = {}
    waiting: dict[int, Waiting] = {}
    for name, ref in frame.locals.items():
        node = ref.node if type(ref) is Leaf else ref
        if type(node) is int and _is_plain(machine, node):
            variables[name] = Carried(name)
        elif (
            type(ref) is Leaf and node is None and ref.op == "const" and type(ref.value) is int and ref.name is not None
        ):
            variables[name] = waiting.setdefault(id(ref), Waiting((name, 0), ref.name, ref.site))
        else:
            variables[name] = ref
    stack: list[Ref] = []
    for depth, ref in enumerate(frame.stack):
        if type(ref) is not Stream:
            stack.append(ref)
        elif ref.peek is None:
            raise Unfit
        elif ref.counts:
            stack.append(Source(depth, ref.site, None))
        elif is_of_numbers(machine, ref.source):
            stack.append(Source(depth, None, ref.source))
        else:
            raise Unfit
    head = frame.plan.instructions[frame.pc]
    return State(frame.pc, variables, stack, frame.plan.taken[frame.pc] if head.name == "FOR_ITER" else -1)


def key_of(state: State) -> Any:
    """What tells states apart."""
    known = (Carried, Waiting)
    variables = ((name, ref if type(ref) in known else id(ref)) for name, ref in state.locals.items())
    return state.head, frozenset(variables), tuple(ref if type(ref) is Source else id(ref) for ref in state.stack)
