"""What each instruction does to the machine's references: one handler per opcode, `handler(machine, frame, argument)`.

The comments give the stack as the `dis` documentation does, bottom on the left. An instruction whose result was
recorded takes it from the machine's values.
"""

from __future__ import annotations

from typing import Any

from visual_debug import cpython
from visual_debug.replaying.opcodes import (  # noqa: F401 - they fill the table
    building,
    elements,
    exceptions,
    functions,
    jumps,
    operations,
    resuming,
    variables,
)
from visual_debug.replaying.opcodes.table import HANDLERS, Handler
from visual_debug.tracing.tape import Instruction, Plan

#: Instructions that may run other recorded code, so that an activation entered from outside may begin there.
MAY_CALL = frozenset({
    "CALL", "CALL_KW", "CALL_FUNCTION_EX", "BINARY_OP", "COMPARE_OP", "CONTAINS_OP", "BINARY_SUBSCR", "BINARY_SLICE",
    "STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR",
    "DELETE_ATTR", "UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE", "UNARY_NOT", "CALL_INTRINSIC_1", "GET_ITER",
    "FOR_ITER", "UNPACK_SEQUENCE", "UNPACK_EX", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE", "TO_BOOL",
    "BEFORE_WITH", "WITH_EXCEPT_START", "LOAD_SPECIAL", "FORMAT_VALUE", "FORMAT_SIMPLE", "FORMAT_WITH_SPEC",
    "CONVERT_VALUE", "GET_LEN", "MATCH_CLASS", "MATCH_KEYS", "BUILD_SET", "BUILD_MAP", "SET_ADD", "MAP_ADD",
    "IMPORT_NAME", "IMPORT_FROM", "CHECK_EXC_MATCH", "RAISE_VARARGS", "POP_TOP", "STORE_FAST", "DELETE_FAST",
    "SEND", "GET_AWAITABLE", "GET_AITER", "GET_ANEXT", "GET_YIELD_FROM_ITER", "BEFORE_ASYNC_WITH", "END_SEND",
    *cpython.POP_JUMPS, *cpython.KEEP_JUMPS,
})  # fmt: skip


def prepare(plan: Plan) -> list[tuple[Handler, Any]]:
    """The instructions of a plan as handlers and what these need to know."""
    return [(HANDLERS[i.name], _argument(plan, index, i)) for index, i in enumerate(plan.instructions)]


def _argument(plan: Plan, index: int, instruction: Instruction) -> Any:
    """The static argument of a handler; where it is not the instruction's own, a tuple that begins with the index."""
    name, arg, skip = instruction
    if name == "BINARY_OP":
        operator_name = arg.name.removeprefix("INPLACE_")
        symbol = cpython.BINARY_SYMBOL.get(operator_name, "[]")
        if symbol == "[]":
            return index, None, False
        return index, cpython.BINARY[symbol], arg.name.startswith("INPLACE_")
    if name == "COMPARE_OP":
        return index, arg.name.removesuffix("_CAST").lower(), skip
    if name in cpython.UNARY:
        return index, cpython.UNARY[name]
    if name in ("LOAD_ATTR", "LOAD_SUPER_ATTR"):
        is_method = cpython.PY312 and bool(arg[0])
        attribute = arg[-1] if cpython.PY312 else arg
        return index, attribute, is_method, skip
    if name == "LOAD_GLOBAL":
        return index, arg[1], arg[0], skip
    if name in ("LOAD_DEREF", "LOAD_NAME", "LOAD_CLASSDEREF"):
        return index, getattr(arg, "name", arg), skip
    if name in cpython.JUMPS:
        return arg, plan.loops.get(index)
    if name in cpython.POP_JUMPS or name in cpython.KEEP_JUMPS:
        return index, arg, plan.taken[index], plan.fallen[index], name
    if name == "CALL_INTRINSIC_1":
        return index, arg.name
    if name in _WITH_INDEX:
        return index, arg
    return arg


_WITH_INDEX = frozenset({
    "CALL", "CALL_KW", "CALL_FUNCTION_EX", "FOR_ITER", "LOAD_CONST", "LOAD_SMALL_INT", "BINARY_SUBSCR", "BINARY_SLICE",
    "STORE_ATTR", "STORE_SUBSCR", "STORE_SLICE", "BUILD_LIST", "BUILD_TUPLE", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP",
    "LIST_TO_TUPLE", "UNPACK_SEQUENCE", "UNPACK_EX", "IMPORT_FROM", "CONTAINS_OP", "GET_ITER", "MAKE_FUNCTION",
    "LIST_EXTEND", "LOAD_FAST_CHECK", "GET_LEN", "GET_YIELD_FROM_ITER", "CLEANUP_THROW", "MATCH_CLASS", "MATCH_KEYS", "BEFORE_WITH",
})  # fmt: skip
