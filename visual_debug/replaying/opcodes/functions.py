"""Functions and calls."""

from __future__ import annotations

from typing import Any

from visual_debug import cpython
from visual_debug.columns import MISSING, Call
from visual_debug.replaying import calls
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import NULL, UNSET, Cell, Closure, Leaf, Ref, Sequence, Thing
from visual_debug.tracing import policy


@handles("MAKE_FUNCTION")
def _make_function(m: Machine, f: Frame, arg: tuple[int, int | None]) -> None:
    f.stack.pop()  # the code object
    flags = arg[1] if isinstance(arg[1], int) else 0  # from 3.13 on there are none
    # closure, annotations, keyword defaults, defaults
    closure, _, keyword_defaults, defaults = (f.stack.pop() if flags & flag else None for flag in (8, 4, 2, 1))
    z = m.value()
    m.heap[id(z)] = ref = Closure(z, _cells_of(closure), defaults, keyword_defaults)
    _keep_defaults(m, ref)
    f.stack.append(ref)


def _keep_defaults(m: Machine, ref: Closure) -> None:
    """Whoever is given a default of the function when nobody sees the call has it from there."""
    if ref.defaults is not None or ref.keyword_defaults is not None:
        behind = m.defaults.setdefault(policy.plain_code(ref.object), Thing())
        behind.among += [ref.defaults, ref.keyword_defaults]


def _cells_of(ref: Ref) -> list[Cell]:
    return [cell if type(cell) is Cell else Cell() for cell in (ref.items or [])] if type(ref) is Sequence else []


@handles("SET_FUNCTION_ATTRIBUTE")
def _set_function_attribute(m: Machine, f: Frame, arg: Any) -> None:  # attribute function -> function
    function = f.stack.pop()
    attribute = f.stack.pop()
    if type(function) is Closure:
        match int(arg):
            case 0x08:
                function.cells = _cells_of(attribute)
            case 0x02:
                function.keyword_defaults = attribute
            case 0x01:
                function.defaults = attribute
        _keep_defaults(m, function)
    f.stack.append(function)


@handles("CALL", "CALL_KW", "CALL_FUNCTION_EX")
def _call(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    index, count = arg
    if f.pending is None:
        calls.begin(m, f, index, f.plan.instructions[index].name, count)
    else:
        calls.end(m, f, index)


def raised(m: Machine, f: Frame) -> None:
    """The node of the operation that raised, at the instruction that the frame stands at."""
    name, arg, _ = f.plan.instructions[f.pc]
    argument = m.steps[f.plan][f.pc][1]
    site = f.plan.site(f.pc)
    stack = f.stack
    if name == "RAISE_VARARGS":
        m.exception = stack[-arg] if arg else m.exception
    elif name != "RERAISE":
        m.exception = Thing(UNSET, [ref for ref in stack[-2:] if ref is not None and ref is not NULL])
    if f.pending is not None:
        m.exception = calls.raised(m, f, f.pc)
    elif name in ("BINARY_OP", "COMPARE_OP") and argument[1] is not None:
        operands = [m.node(ref) for ref in stack[-2:]]
        if all(node is not None for node in operands):
            if argument[1] == "pow" and type(stack[-1]) is Leaf and stack[-1].op == "const":
                values = (m.columns.value[operands[0]], stack[-1].value)  # type: ignore[index]
                m.new("pow", MISSING, operands[:1], f, site, Call(values, {}, (0,)))  # type: ignore[arg-type]
            else:
                m.new(argument[1], MISSING, operands, f, site)  # type: ignore[arg-type]
    elif name in cpython.UNARY:
        node = m.node(stack[-1])
        if node is not None:
            m.new(argument[1], MISSING, [node], f, site)
