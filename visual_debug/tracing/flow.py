"""What can be said of a code object before it runs: where calls keep their callable, and what need not be recorded.

A small abstract interpretation of the stack: every slot holds the index of the instruction that pushed it, `NULL` for
the empty slot of a call, or `OTHER`. It follows every way through the code once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bytecode import Instr, Label
from bytecode.instr import TryBegin

from visual_debug import cpython
from visual_debug.tracing.tape import Instruction

NULL = -1
OTHER = -2

Stack = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CallShape:
    """Depths on the stack just before a call, 1 being the top."""

    callable: int
    packed: tuple[int, ...] = ()  #: positional tuple and keyword dict of CALL_FUNCTION_EX
    out: int | None = None  #: an argument called `out`, which the callee writes to
    positional: int = 0  #: how many arguments are given by position
    arguments: tuple[int, ...] = ()  #: everything that is handed over, packed or not


@dataclass(slots=True)
class Shapes:
    """Calls by their first instruction, the instruction at whose end each loop of 3.12 and later is exhausted, and
    how many values stand on the stack before and after each instruction that can be reached."""

    before: dict[int, int] = field(default_factory=dict)
    after: dict[int, int] = field(default_factory=dict)
    heads: dict[int, CallShape] = field(default_factory=dict)
    loop_ends: dict[int, int] = field(default_factory=dict)
    comprehensions: set[int] = field(default_factory=set)  #: those of the heads that call the function of one


class Flow:
    """A code object taken apart, and what is found out about it once for all that ask."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.instructions: list[Instr] = []
        self.labels: dict[Label, int] = {}  #: the instruction behind each label
        self.regions: dict[int, list[TryBegin]] = {}  #: the protected regions that begin at an instruction
        for item in items:
            if isinstance(item, Instr):
                self.instructions.append(item)
            elif isinstance(item, Label):
                self.labels[item] = len(self.instructions)
            elif isinstance(item, TryBegin):
                self.regions.setdefault(len(self.instructions), []).append(item)

    @cached_property
    def stacks(self) -> dict[int, Stack]:
        """The stack before every instruction that can be reached."""
        return _stacks(self)

    @cached_property
    def shapes(self) -> Shapes:
        """How the stack stands at each instruction, where each call's callable stands in it, and where loops end."""
        return _shapes(self)


def _shapes(flow: Flow) -> Shapes:
    stacks, instructions = flow.stacks, flow.instructions
    shapes = Shapes()
    for index, stack in stacks.items():
        instr = instructions[index]
        name = instr.name
        shapes.before[index] = len(stack)
        shapes.after[index] = len(stack) + _effect(instr, jump=False)
        if name in cpython.CALLS:
            head = index
            while instructions[head - 1].name in ("PRECALL", "KW_NAMES"):
                head -= 1
            shapes.heads[head] = _shape(instr, instructions[head], instructions[index - 1], stack)
            if name == "CALL" and instr.arg == 0 and instructions[head - 1].name == "GET_ITER":
                shapes.comprehensions.add(head)
    if cpython.HAS_END_FOR:
        for index, instr in enumerate(instructions):
            if instr.name == "FOR_ITER":
                # From 3.13 on END_FOR pops the item's place, the next instruction the iterator.
                shapes.loop_ends[flow.labels[instr.arg] + cpython.PY313] = index  # type: ignore[index]
    return shapes


def _shape(call: Instr, head: Instr, before: Instr, stack: Stack) -> CallShape:
    """Depths for one call; `head` is KW_NAMES where there is one."""
    if call.name == "CALL_FUNCTION_EX":
        keywords = 1 if cpython.EX_ALWAYS_HAS_KEYWORDS or (isinstance(call.arg, int) and call.arg & 1) else 0
        depth = 2 + keywords + (1 if cpython.NULL_ABOVE_CALLABLE else 0)
        has_dict = bool(keywords) and stack[-1] != NULL
        packed = (1 + keywords, 1) if has_dict else (1 + keywords,)
        return CallShape(depth, packed, arguments=packed)
    count: int = call.arg  # type: ignore[assignment]
    names: tuple[str, ...] = ()
    offset = 0
    if head.name == "KW_NAMES":
        names = head.arg  # type: ignore[assignment]
    elif call.name == "CALL_KW":
        offset = 1  # the names lie on top
        if before.name == "LOAD_CONST":
            names = before.arg  # type: ignore[assignment]
    depth = count + offset + 2
    if not cpython.NULL_ABOVE_CALLABLE and stack[-depth] == NULL:
        depth -= 1
    out = len(names) - names.index("out") + offset if "out" in names else None
    arguments = tuple(range(count + offset, offset, -1))
    return CallShape(depth, (), out, count - len(names), arguments)


def unrecorded(flow: Flow) -> set[int]:
    """Instructions of a recorded kind whose result is certainly no number that matters by itself.

    That is: the callable of a call (the call records it), modules and objects that only a method is read from, and
    comparisons that a jump consumes (its way tells the result; 3.11 specialises the pair only if they stand together).
    """
    stacks, instructions = flow.stacks, flow.instructions
    result: set[int] = set()
    for index, instr in enumerate(instructions):
        if instr.name in cpython.CALLS and index in stacks:
            shape = _shape(instr, instr, instructions[index - 1], stacks[index])
            producer = stacks[index][-shape.callable]
            if producer >= 0:
                result.add(producer)
    for index in range(len(instructions) - 1, 0, -1):
        instr, before = instructions[index], instructions[index - 1]
        is_base = cpython.is_method_load(instr) or (instr.name == "LOAD_ATTR" and index in result)
        if is_base and before.name in ("LOAD_GLOBAL", "LOAD_ATTR", "LOAD_DEREF", "LOAD_NAME") and not _is_part(before):
            result.add(index - 1)
        if before.name == "RESUME" and instr.name == "POP_TOP":
            result.add(index - 1)  # what was sent to a generator that does not want it
        if before.name == "COMPARE_OP" and instr.name in cpython.POP_JUMPS and "NONE" not in instr.name:
            result.add(index - 1)
    return result


def _is_part(instr: Instr) -> bool:
    """Whether the instruction reads an attribute of an array that is an array itself (`a.T.sum()`)."""
    name = instr.arg[-1] if isinstance(instr.arg, tuple) else instr.arg
    return instr.name == "LOAD_ATTR" and name in ("T", "mT", "real", "imag")


def feeders(flow: Flow) -> set[int]:
    """The instructions that are handed an iterator as soon as it is made, so that nobody else ever has it.

    That is calls with a generator expression for their only argument, and loops over the result of a call.
    """
    instructions, heads = flow.instructions, flow.shapes.heads
    width = 1 + cpython.HAS_PRECALL
    calls = {head + 2 * width - 1 for head in flow.shapes.comprehensions if head + width in heads}
    found = {index for index in calls if (instructions[index].name, instructions[index].arg) == ("CALL", 1)}
    for index in range(2, len(instructions)):
        if [instr.name for instr in instructions[index - 2 : index + 1]] == ["CALL", "GET_ITER", "FOR_ITER"]:
            found.add(index)
    return found


def counting_loops(flow: Flow) -> set[int]:
    """The FOR_ITER of loops written as `for … in range(…)`.

    Their items need not be recorded: the range is, and says them all. If `range` turns out to be something else when
    the code runs, replay knows nothing of the items, and says so of what is computed from them.
    """
    stacks, instructions = flow.stacks, flow.instructions
    found = set()
    for index in range(2, len(instructions)):
        call, get_iter, for_iter = instructions[index - 2 : index + 1]
        if (for_iter.name, get_iter.name, call.name) != ("FOR_ITER", "GET_ITER", "CALL") or index - 2 not in stacks:
            continue
        stack = stacks[index - 2]
        producer = stack[-_shape(call, call, call, stack).callable]
        if producer >= 0 and instructions[producer].name == "LOAD_GLOBAL":
            name: tuple[bool, str] = instructions[producer].arg  # type: ignore[assignment]
            if name[1] == "range":
                found.add(index)
    return found


def unconditional_loops(instructions: list[Instruction]) -> Iterator[int]:
    """Backward jumps of loops that a run could go round without meeting any condition (`while True`)."""
    ends = {*cpython.POP_JUMPS, *cpython.KEEP_JUMPS, *cpython.RETURNS, *cpython.RAISES, "FOR_ITER", "SEND"}
    endless: dict[int, bool] = {}  # whether the way from an instruction leads into such a loop
    for start, instruction in enumerate(instructions):
        if instruction.name not in cpython.JUMPS or instruction.arg > start:
            continue
        index, way = instruction.arg, []
        while index not in endless and instructions[index].name not in ends:
            endless[index] = True  # if the way comes here again
            way.append(index)
            index = instructions[index].arg if instructions[index].name in cpython.JUMPS else index + 1
        if not endless.setdefault(index, False):
            endless.update(dict.fromkeys(way, False))
        if endless[instruction.arg]:
            yield start


def _stacks(flow: Flow) -> dict[int, Stack]:
    instructions, labels = flow.instructions, flow.labels
    stacks: dict[int, Stack] = {}
    work: list[tuple[int, Stack]] = [(0, ())]
    while work:
        index, stack = work.pop()
        if index in stacks:
            merged = tuple(a if a == b else OTHER for a, b in zip(stacks[index], stack, strict=False))
            if merged == stacks[index]:
                continue
            stack = merged
        stacks[index] = stack
        instr = instructions[index]
        for region in flow.regions.get(index, ()):
            kept = stack[: region.stack_depth or 0]
            work.append((labels[region.target], (*kept, *[OTHER] * (2 if region.push_lasti else 1))))
        if isinstance(instr.arg, Label) and instr.name != "END_ASYNC_FOR":  # which only names the loop, from 3.14 on
            work.append((labels[instr.arg], _after(instr, index, stack, jump=True)))
        if not (instr.name in cpython.JUMPS or instr.name in cpython.RETURNS or instr.name in cpython.RAISES):
            work.append((index + 1, _after(instr, index, stack, jump=False)))
    return stacks


#: Instructions that leave what they read where it was and what they push telling: one slot, pushed by them.
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_ATTR", "LOAD_DEREF", "LOAD_NAME", "LOAD_SUPER_ATTR"})


def _after(instr: Instr, index: int, stack: Stack, *, jump: bool) -> Stack:
    """The stack after an instruction; only the slots of calls must be exact."""
    name = instr.name
    if name == "PUSH_NULL":
        return (*stack, NULL)
    if name == "LOAD_GLOBAL" and instr.arg[0]:  # type: ignore[index]
        return (*stack, *_with_null(index))
    if cpython.is_method_load(instr):
        popped = 3 if name == "LOAD_SUPER_ATTR" else 1
        return (*stack[:-popped], *_with_null(index))
    if name == "COPY":
        depth: int = instr.arg  # type: ignore[assignment]
        return (*stack[:-depth], OTHER, *stack[len(stack) - depth + 1 :], OTHER)
    if name == "SWAP":
        depth = instr.arg  # type: ignore[assignment]
        slots = list(stack)
        slots[-1], slots[-depth] = slots[-depth], slots[-1]
        return tuple(slots)
    if name == "PRECALL":
        return stack
    effect = _effect(instr, jump=jump)
    if effect > 0:
        return (*stack, *(OTHER,) * (effect - 1), index if name in _LOADS else OTHER)
    kept = stack[: len(stack) + effect]
    if name in _LOADS:
        return (*kept[:-1], index)
    if kept and (kept[-1] != NULL or name in cpython.CALLS):
        return (*kept[:-1], OTHER)
    return kept


def _effect(instr: Instr, *, jump: bool) -> int:
    """How much higher the stack is after an instruction."""
    name = instr.name
    if name == "CALL":  # 3.11 accounts for the arguments at PRECALL, which pops nothing when it runs
        return -1 - cpython.number(instr)
    if name == "PRECALL":
        return 0
    if name == "RETURN_GENERATOR":  # the value sent first, which 3.11 and 3.12 do not account for
        return 1
    return cpython.stack_effect(instr, jump=jump)


def _with_null(slot: int) -> Stack:
    """A callable and the empty slot beside it."""
    return (slot, NULL) if cpython.NULL_ABOVE_CALLABLE else (NULL, slot)
