"""Everything the package knows about CPython versions: named facts, opcode families and instruction templates.

Sources: the `dis` module documentation of each version ("Changed in version" notes of the opcodes) and, for the stack
effects written in the margins below (bottom of the stack on the left), `Python/bytecodes.c` / `Python/ceval.c`.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from enum import IntEnum
from functools import cache, lru_cache
from types import CodeType
from typing import Any, Final, NamedTuple

from bytecode import BinaryOp, Bytecode, Compare, Instr, Label
from bytecode.instr import CellVar, FreeVar, InstrLocation

#: The versions whose bytecode is understood; the `bytecode` library knows no newer one.
OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)

PY312: Final = sys.version_info >= (3, 12)
PY313: Final = sys.version_info >= (3, 13)
PY314: Final = sys.version_info >= (3, 14)

#: 3.13 moved the NULL (or self) slot of a call from below the callable to above it.
NULL_ABOVE_CALLABLE: Final = PY313
#: Before 3.12 a call is announced by PRECALL, and keyword names by KW_NAMES until 3.12.
HAS_PRECALL: Final = not PY312
#: From 3.12 on FOR_ITER must jump to END_FOR, which no other instruction reaches.
HAS_END_FOR: Final = PY312
#: From 3.14 on a NOT_TAKEN behind a conditional jump tells monitoring tools, coverage for one, that it was not taken.
MARKS_NOT_TAKEN: Final = PY314
#: From 3.14 on CALL_FUNCTION_EX always finds a keyword slot on the stack (NULL where there are none).
EX_ALWAYS_HAS_KEYWORDS: Final = PY314

#: `operator` names of BINARY_OP by its symbol; the in-place forms carry `=`.
BINARY: Final = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow", "@": "matmul",
    "&": "and_", "|": "or_", "^": "xor", "<<": "lshift", ">>": "rshift",
}  # fmt: skip
UNARY: Final = {"UNARY_NEGATIVE": "neg", "UNARY_INVERT": "invert", "UNARY_POSITIVE": "pos", "UNARY_NOT": "not_"}
COMPARE: Final = {"<": "lt", "<=": "le", "==": "eq", "!=": "ne", ">": "gt", ">=": "ge"}
#: CALL_INTRINSIC_1 operands that compute: unary plus became one in 3.12 (`INTRINSIC_UNARY_POSITIVE`).
INTRINSIC_POSITIVE: Final = "INTRINSIC_UNARY_POSITIVE"
INTRINSIC_LIST_TO_TUPLE: Final = "INTRINSIC_LIST_TO_TUPLE"
INTRINSIC_ASYNC_GEN_WRAP: Final = "INTRINSIC_ASYNC_GEN_WRAP"
#: Those whose result is recorded; the others wrap or print what they are given.
RECORDED_INTRINSICS: Final = frozenset({INTRINSIC_POSITIVE, INTRINSIC_LIST_TO_TUPLE})

BINARY_SYMBOL: Final = {
    "ADD": "+", "SUBTRACT": "-", "MULTIPLY": "*", "TRUE_DIVIDE": "/", "FLOOR_DIVIDE": "//", "REMAINDER": "%",
    "POWER": "**", "MATRIX_MULTIPLY": "@", "AND": "&", "OR": "|", "XOR": "^", "LSHIFT": "<<", "RSHIFT": ">>",
}  # fmt: skip

#: Conditional jumps that pop what they test, and the jump that tests the opposite.
_OPPOSITE = {"TRUE": "FALSE", "FALSE": "TRUE", "NONE": "NOT_NONE", "NOT_NONE": "NONE"}
if PY312:
    POP_JUMPS = {f"POP_JUMP_IF_{a}": f"POP_JUMP_IF_{b}" for a, b in _OPPOSITE.items()}
else:  # the opposite test only ever jumps over the two or three instructions inserted behind it: forward
    POP_JUMPS = {
        f"POP_JUMP_{way}_IF_{a}": f"POP_JUMP_FORWARD_IF_{b}"
        for way in ("FORWARD", "BACKWARD")
        for a, b in _OPPOSITE.items()
    }
#: 3.11 only: jump and keep the value, or pop it and go on; and the popping jump that takes the way on.
KEEP_JUMPS: Final = (
    {}
    if PY312
    else {
        "JUMP_IF_TRUE_OR_POP": "POP_JUMP_FORWARD_IF_FALSE",
        "JUMP_IF_FALSE_OR_POP": "POP_JUMP_FORWARD_IF_TRUE",
    }
)
JUMPS: Final = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
RETURNS: Final = frozenset({"RETURN_VALUE", "RETURN_CONST"})
RAISES: Final = frozenset({"RAISE_VARARGS", "RERAISE"})
#: Instructions that raise the exception that they find on the stack again, if it is none that they are there for.
MAY_RERAISE: Final = frozenset({"CLEANUP_THROW", "END_ASYNC_FOR"})
CALLS: Final = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX"})
#: `co_flags` of functions, whose variables have places; the body of a class has not.
CO_OPTIMIZED: Final = 0x01
#: Of generator functions that `types.coroutine` has made awaitable.
CO_ITERABLE_COROUTINE: Final = 0x100
#: Low two bits of the operand of RESUME: at the start, behind a `yield`, a `yield from`, an `await`.
RESUMES: Final = 3
RESUMES_YIELD: Final = 1
#: 3.11 finds its way back from a suspended `yield from` by the SEND that stands right before the YIELD_VALUE
#: (`_gen_throw` in Objects/genobject.c), so that nothing can be put between them.
SEND_BESIDE_YIELD: Final = not PY312
#: Before 3.12, SEND takes the exhausted iterator from the stack; later END_SEND does.
SEND_DROPS_ITERATOR: Final = not PY312


#: The place of an instruction that belongs to no line: no line event of `sys.settrace` and nothing in a traceback.
NO_LINE: Final = InstrLocation(None, None, None, None)


def supported() -> bool:
    """Whether the running interpreter is one whose bytecode this package rewrites."""
    return sys.implementation.name == "cpython" and OLDEST <= sys.version_info[:2] <= NEWEST


def decode(code: CodeType) -> list[Any]:
    """Instructions, labels and protected regions of a code object. Raises ValueError where there is no reading them.

    The variable of a comprehension, which 3.12 made a local of the function around it, may have the name of a free
    variable. The library then takes one free variable for another, wherever 3.13 and later count them on from the
    locals; so it is given names that differ.
    """
    doubled = {name: f"{name}.free" for name in code.co_freevars if name in code.co_varnames}
    if doubled:
        code = code.replace(co_freevars=tuple(doubled.get(name, name) for name in code.co_freevars))
    items = list(Bytecode.from_code(code, conserve_exception_block_stackdepth=True))
    if doubled:
        for item in items:
            if isinstance(item, Instr) and isinstance(item.arg, FreeVar):
                item.arg = FreeVar(item.arg.name.removesuffix(".free"))
    return items


def symbol_of(instr: Instr) -> tuple[str, bool]:
    """Symbol and in-place flag of a BINARY_OP; the symbol is `[]` for the subscript that 3.14 made one."""
    name: str = instr.arg.name  # type: ignore[union-attr]
    in_place = name.startswith("INPLACE_")
    return BINARY_SYMBOL.get(name.removeprefix("INPLACE_"), "[]"), in_place


#: Operands that models are kept of. `True` and `1` are equal, and so would their instructions be: no such operand is one.
_Operand = int | str | tuple[bool, str] | None


@cache
def _model(name: str, operand: _Operand) -> Instr:
    return Instr(name) if operand is None else Instr(name, operand)


def instruction(name: str, where: InstrLocation | None, operand: _Operand = None) -> Instr:
    """An instruction of which there are many alike: one that was checked before, copied, for a fourth of the time."""
    return located(_model(name, operand), where)


def located(instr: Instr, where: InstrLocation | None) -> Instr:
    """The same instruction in another place."""
    made = instr.copy()
    made.location = where
    return made


@lru_cache(maxsize=64)
def _function(function: object) -> Instr:
    return Instr("LOAD_CONST", function)


def append(sink: int, where: InstrLocation | None, value: int = 1) -> Iterator[Instr]:
    """Append the value at depth `value` to the list that stands `sink` deep; leaves the stack as it was.

    Two instructions and no call, because the lists lie at the bottom of the frame's stack: the logistic loop of 10^4
    steps takes 1.7x the plain one on 3.11, against 2.3x with the lists in local variables and 2.1x with a call of the
    bound `append` written by hand. The sink must be an exact list, which LIST_APPEND does not check.
    """
    yield instruction("COPY", where, value)  # list .. z z
    yield instruction("LIST_APPEND", where, sink)  # list .. z


def mark(word: int | None, sink: int, where: InstrLocation | None) -> Iterator[Instr]:
    """Append a constant to the list that stands `sink` deep."""
    yield Instr("LOAD_CONST", word, location=where)  # list .. word
    yield instruction("LIST_APPEND", where, sink)  # list ..


def call(
    function: object, arguments: list[Instr], where: InstrLocation | None, count: int | None = None
) -> Iterator[Instr]:
    """Call an embedded function; `arguments` push `count` arguments, by default one each. Leaves the result on top."""
    count = len(arguments) if count is None else count
    if NULL_ABOVE_CALLABLE:
        yield located(_function(function), where)  # f
        yield instruction("PUSH_NULL", where)  # f NULL
    else:
        yield instruction("PUSH_NULL", where)  # NULL
        yield located(_function(function), where)  # NULL f
    yield from arguments  # .. a b c
    if HAS_PRECALL:
        yield instruction("PRECALL", where, count)
    yield instruction("CALL", where, count)  # result


def load(name: str, where: InstrLocation | None) -> Instr:
    """Push a local."""
    return Instr("LOAD_FAST", name, location=where)


def subscript(where: InstrLocation | None) -> Instr:
    """Replace the two values on top by the item of the one that the other is the index of."""
    if PY314:
        return Instr("BINARY_OP", BinaryOp.SUBSCR, location=where)
    return instruction("BINARY_SUBSCR", where)


def const(value: object, where: InstrLocation | None) -> Instr:
    """Push a constant."""
    return Instr("LOAD_CONST", value, location=where)


def copy(depth: int, where: InstrLocation | None) -> Instr:
    """Push the value at `depth` (1 is the top)."""
    return instruction("COPY", where, depth)


def swap(depth: int, where: InstrLocation | None) -> Instr:
    """Exchange the top with the value at `depth`."""
    return instruction("SWAP", where, depth)


def pop(where: InstrLocation | None) -> Instr:
    """Drop the top."""
    return instruction("POP_TOP", where)


def attribute(name: str, where: InstrLocation | None = None) -> Instr:
    """Replace the top by one of its attributes."""
    return instruction("LOAD_ATTR", where, (False, name) if PY312 else name)


def cell(name: str) -> CellVar:
    """The operand of LOAD_DEREF for a cell variable."""
    return CellVar(name)


def is_recorded(instr: Instr) -> bool:
    """Whether the instruction's result is appended to the values."""
    if instr.name == "CALL_INTRINSIC_1":
        return instr.arg.name in RECORDED_INTRINSICS  # type: ignore[union-attr]
    return instr.name in RECORDED


def number(instr: Instr) -> int:
    """The operand of an instruction that has a number."""
    assert isinstance(instr.arg, int)
    return instr.arg


def unpacked(instr: Instr) -> int:
    """How many values UNPACK_SEQUENCE or UNPACK_EX pushes."""
    count: int = instr.arg  # type: ignore[assignment]
    return count if instr.name == "UNPACK_SEQUENCE" else (count & 0xFF) + 1 + (count >> 8)


def jump_if(condition: bool, target: Label, where: InstrLocation | None) -> Instr:
    """Pop an exact bool and jump forward if it equals `condition`."""
    way = "" if PY312 else "FORWARD_"
    return Instr(f"POP_JUMP_{way}IF_{str(condition).upper()}", target, location=where)


def jump_if_none(target: Label, where: InstrLocation | None) -> Instr:
    """Pop a value and jump forward if it is None."""
    return Instr("POP_JUMP_IF_NONE" if PY312 else "POP_JUMP_FORWARD_IF_NONE", target, location=where)


def is_backward(instr: Instr) -> bool:
    """Whether the instruction closes a loop."""
    return instr.name == "JUMP_BACKWARD" or (not PY312 and instr.name.startswith("POP_JUMP_BACKWARD"))


def end_for(where: InstrLocation | None) -> Iterator[Instr]:
    """What a FOR_ITER must find where it jumps to; behind it the iterator is gone from the stack."""
    if PY312:
        yield instruction("END_FOR", where)
    if PY314:
        yield instruction("POP_ITER", where)
    elif PY313:
        yield instruction("POP_TOP", where)


def exposed(instr: Instr) -> Instr:
    """A YIELD_VALUE or RESUME without its hint that no handler surrounds it.

    With the hint, `close()` of a suspended generator clears the frame without raising GeneratorExit in it (3.12:
    operand 1 of YIELD_VALUE, 3.13: bit 4 of RESUME), and a recording of the generator would never end.
    """
    if instr.name == "YIELD_VALUE" and PY312 and not PY313 and instr.arg == 1:
        return Instr("YIELD_VALUE", 2, location=instr.location)
    if instr.name == "RESUME" and PY313:
        return Instr("RESUME", number(instr) & RESUMES, location=instr.location)
    return instr


def is_method_load(instr: Instr) -> bool:
    """Whether the instruction pushes a method and its self (or NULL and an attribute) for a call."""
    if instr.name == "LOAD_METHOD":
        return True
    arg: Any = instr.arg
    return PY312 and instr.name in ("LOAD_ATTR", "LOAD_SUPER_ATTR") and bool(arg[0])


def as_attribute(instr: Instr) -> Iterator[Instr]:
    """A method load as a plain attribute load with the NULL slot of a call beside it.

    So that the callable of every call stands in one known slot and can be copied: in the method form that slot may
    hold NULL, and copying a NULL is a segmentation fault.
    """
    arg: Any = instr.arg
    where = instr.location
    if instr.name == "LOAD_METHOD":
        yield Instr("LOAD_ATTR", arg, location=where)
    elif instr.name == "LOAD_ATTR":
        yield Instr("LOAD_ATTR", (False, arg[1]), location=where)
    else:
        yield Instr("LOAD_SUPER_ATTR", (False, *arg[1:]), location=where)
    yield instruction("PUSH_NULL", where)
    if not NULL_ABOVE_CALLABLE:
        yield swap(2, where)


class Operand(IntEnum):
    """What the operand of an instruction is, in the form that the `bytecode` library gives it."""

    NONE = 0
    NUMBER = 1
    CONSTANT = 2
    NAME = 3  #: of an attribute or global
    LOCAL = 4  #: a local variable; from 3.13 on a cell or free variable too, where its cell itself is meant
    JUMP = 5  #: a label
    VARIABLE = 6  #: a cell or free variable
    TWO_VARIABLES = 7
    FLAGGED = 8  #: one or two flags in the lowest bits, and a name or number above them
    COMPARISON = 9


#: Instructions on two local variables, whose places have four bits each.
_PAIRS = {"LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW"}
_FLAGGED = {"LOAD_GLOBAL", "BUILD_INTERPOLATION", *(("LOAD_ATTR", "LOAD_SUPER_ATTR") if PY312 else ())}


_FAMILIES: Final = {
    Operand.CONSTANT: dis.hasconst, Operand.VARIABLE: dis.hasfree, Operand.LOCAL: dis.haslocal,
    Operand.NAME: dis.hasname, Operand.JUMP: dis.hasjrel, Operand.COMPARISON: dis.hascompare,
}  # fmt: skip


def _operand(opcode: int) -> Operand:
    name = dis.opname[opcode]
    has_operand = opcode in dis.hasarg if PY312 else opcode >= dis.HAVE_ARGUMENT  # type: ignore[attr-defined]
    if not has_operand:
        return Operand.NONE
    if name in _PAIRS:
        return Operand.TWO_VARIABLES
    if name in _FLAGGED:
        return Operand.FLAGGED
    return next((operand for operand, opcodes in _FAMILIES.items() if opcode in opcodes), Operand.NUMBER)


#: What the operand is, by opcode.
OPERANDS: Final = tuple(map(_operand, range(256)))
#: How many cache units follow, by opcode. A dict by name since 3.13, before that a list by opcode.
_entries: Any = dis._inline_cache_entries  # type: ignore[attr-defined]
CACHES: Final[tuple[int, ...]] = tuple(
    (_entries.get(dis.opname[opcode], 0) if PY313 else _entries[opcode]) for opcode in range(256)
)
EXTENDED_ARG: Final = dis.EXTENDED_ARG
#: Jumps count from the next instruction, either way. END_ASYNC_FOR tells since 3.14 where its loop is.
BACKWARD: Final = frozenset(
    opcode for opcode in dis.hasjrel if "BACKWARD" in dis.opname[opcode] or "END_ASYNC_FOR" in dis.opname[opcode]
)


@cache
def _effect(opcode: int, operand: int | None, jump: bool) -> int:
    return dis.stack_effect(opcode, operand, jump=jump)


def stack_effect(instr: Instr, *, jump: bool) -> int:
    """How much higher the stack is after an instruction that jumps or goes on, as `dis` accounts for it."""
    operand = OPERANDS[instr.opcode]
    number: Any = 0
    if operand is Operand.NONE:
        number = None
    elif operand is Operand.NUMBER:
        number = instr.arg
    elif operand is Operand.FLAGGED:
        flag: bool = instr.arg[0]  # type: ignore[index, assignment]
        number = int(flag)
    return _effect(instr.opcode, number, jump)


#: Which outcomes of a specialised comparison are the wanted ones: 1 unordered, 2 less, 4 greater, 8 equal.
_OUTCOMES = {"LT": 2, "LE": 2 | 8, "EQ": 8, "NE": 1 | 2 | 4, "GT": 4, "GE": 4 | 8}


def _comparison(comparison: Compare) -> int:
    """The operand of COMPARE_OP: the comparison, from 3.12 on above the outcomes, from 3.13 on above a flag.

    The flag, of value 16, asks for an exact bool.
    """
    if not PY312:
        return int(comparison)
    wanted = _OUTCOMES[comparison.name.removesuffix("_CAST")]
    return (comparison & 15) << 5 | comparison & 16 | wanted if PY313 else comparison << 4 | wanted


COMPARISONS: Final = {comparison: _comparison(comparison) for comparison in Compare}


class Bound(NamedTuple):
    """The variables that a function, or one defined in it, gives other values, though they are not its own."""

    free: frozenset[str]  #: of enclosing functions (`nonlocal`)
    globals: frozenset[str]


@lru_cache(maxsize=4096)
def binds(code: CodeType) -> Bound:
    """The variables that are bound anew whenever a function runs."""
    inner = [binds(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    free = set().union(*(bound.free for bound in inner))
    names = set().union(*(bound.globals for bound in inner))
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF"):
            free.add(instruction.argval)
        elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            names.add(instruction.argval)
    return Bound(frozenset(free.intersection(code.co_freevars)), frozenset(names))


#: Instructions whose result is appended to the values: they bring a number into the dataflow, or a container that
#: a number may come back out of.
RECORDED: Final = frozenset({
    "BINARY_OP", "BINARY_SUBSCR", "BINARY_SLICE", "UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE", "UNARY_NOT",
    "LOAD_ATTR", "LOAD_SUPER_ATTR", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "COMPARE_OP", "CONTAINS_OP",
    "BUILD_LIST", "BUILD_TUPLE", "BUILD_SET", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "LIST_TO_TUPLE", "MAKE_FUNCTION",
    "IMPORT_FROM", "BEFORE_WITH", "GET_LEN", "CLEANUP_THROW",
})  # fmt: skip

#: Instructions that may write to an array in place, with the depth of that array on the stack.
WRITES: Final = {"STORE_SUBSCR": 2, "STORE_SLICE": 3, "DELETE_SUBSCR": 2}

#: Instructions that replay has a handler for; code with any other is refused, by name.
UNDERSTOOD: Final = frozenset({
    "BEFORE_WITH", "BINARY_OP", "BINARY_SLICE", "BINARY_SUBSCR", "BUILD_CONST_KEY_MAP", "BUILD_INTERPOLATION",
    "BUILD_LIST", "BUILD_MAP", "BUILD_SET", "BUILD_SLICE", "BUILD_STRING", "BUILD_TEMPLATE", "BUILD_TUPLE", "CACHE",
    "CALL", "CALL_FUNCTION_EX",
    "CALL_INTRINSIC_1", "CALL_INTRINSIC_2", "CALL_KW", "CHECK_EG_MATCH", "CHECK_EXC_MATCH", "COMPARE_OP",
    "CONTAINS_OP", "CONVERT_VALUE", "COPY", "COPY_FREE_VARS", "DELETE_ATTR", "DELETE_DEREF", "DELETE_FAST",
    "DELETE_GLOBAL", "DELETE_NAME", "DELETE_SUBSCR", "DICT_MERGE", "DICT_UPDATE", "END_FOR", "END_SEND",
    "FORMAT_SIMPLE", "FORMAT_VALUE", "FORMAT_WITH_SPEC", "FOR_ITER", "GET_ITER", "GET_LEN", "IMPORT_FROM",
    "IMPORT_NAME", "IS_OP", "KW_NAMES", "LIST_APPEND", "LIST_EXTEND", "LIST_TO_TUPLE", "LOAD_ASSERTION_ERROR",
    "LOAD_ATTR", "LOAD_BUILD_CLASS", "LOAD_CLASSDEREF", "LOAD_CLOSURE", "LOAD_COMMON_CONSTANT", "LOAD_CONST",
    "LOAD_DEREF", "LOAD_FAST", "LOAD_FAST_AND_CLEAR", "LOAD_FAST_BORROW", "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
    "LOAD_FAST_CHECK", "LOAD_FAST_LOAD_FAST", "LOAD_GLOBAL", "LOAD_LOCALS", "LOAD_METHOD", "LOAD_NAME",
    "LOAD_SMALL_INT", "LOAD_SPECIAL", "LOAD_SUPER_ATTR", "MAKE_CELL", "MAKE_FUNCTION", "MAP_ADD", "MATCH_CLASS",
    "MATCH_KEYS", "MATCH_MAPPING", "MATCH_SEQUENCE", "NOP", "NOT_TAKEN", "POP_EXCEPT", "POP_ITER", "POP_TOP",
    "PRECALL", "PREP_RERAISE_STAR", "PUSH_EXC_INFO", "PUSH_NULL", "RAISE_VARARGS", "RERAISE", "RESUME",
    "RETURN_CONST", "RETURN_GENERATOR", "RETURN_VALUE", "YIELD_VALUE", "SETUP_ANNOTATIONS", "SET_ADD", "SET_FUNCTION_ATTRIBUTE", "SET_UPDATE",
    "STORE_ATTR", "STORE_DEREF", "STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_MAYBE_NULL",
    "STORE_FAST_STORE_FAST", "STORE_GLOBAL", "STORE_NAME", "STORE_SLICE", "STORE_SUBSCR", "SWAP", "TO_BOOL",
    "UNARY_INVERT", "UNARY_NEGATIVE", "UNARY_NOT", "UNARY_POSITIVE", "UNPACK_EX", "UNPACK_SEQUENCE",
    "WITH_EXCEPT_START", "SEND", "GET_AWAITABLE", "GET_AITER", "GET_ANEXT", "GET_YIELD_FROM_ITER", "ASYNC_GEN_WRAP",
    "BEFORE_ASYNC_WITH", "END_ASYNC_FOR", "CLEANUP_THROW",
    *POP_JUMPS, *KEEP_JUMPS, *JUMPS,
})  # fmt: skip
