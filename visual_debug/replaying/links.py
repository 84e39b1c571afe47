"""What the arguments of an activation are that was entered through code which is not recorded, where that is certain.

The interpreter calls special methods and properties for an instruction, a class its `__init__`, a `functools.partial`
or a cache the function in it: their arguments are operands of the instruction, or arguments of the call.
"""

from __future__ import annotations

import functools
import inspect
from types import CodeType, FunctionType
from typing import Any

from visual_debug import cpython
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import folding
from visual_debug.replaying.symbols import NULL, Asked, Ref, Stream
from visual_debug.tracing.policy import plain_code
from visual_debug.tracing.tape import Plan

_CACHE = type(functools.lru_cache(lambda: None))
_REFLECTED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}
#: Special methods that an instruction calls, and which operands they get: depths on the stack, 1 being the top.
_OPERANDS: dict[str, dict[str, tuple[int, ...]]] = {
    "BINARY_SUBSCR": {"__getitem__": (2, 1)},
    "STORE_SUBSCR": {"__setitem__": (2, 1, 3)},
    "DELETE_SUBSCR": {"__delitem__": (2, 1)},
    "CONTAINS_OP": {"__contains__": (1, 2)},
    "GET_ITER": {"__iter__": (1,)},
    "BEFORE_WITH": {"__enter__": (1,)},
    "TO_BOOL": {"__bool__": (1,)},
}


def asked(m: Machine, frame: Frame, plan: Plan, values: tuple[Any, ...]) -> Asked | None:
    """Who calls a recorded function of each item: an iterator that the instruction takes from, or the call itself.

    Where several may, their next arguments tell; if they do not, nothing is known of any of them any more.
    """
    pending = frame.pending
    found: list[Asked] = []
    if pending is None:
        work = taken_from(frame)
    elif pending[0] == "returned":
        return None
    else:
        call = pending[0]
        if call.asked is None:
            call.asked = folding.asking(m, frame, call)
        found += [call.asked] if call.asked is not None else []
        work = [*call.args, *call.kwargs.values()]
    streams = []
    while work:
        ref = work.pop()
        if type(ref) is Stream:
            streams.append(ref)
            work.extend(ref.streams)
    found += [stream.asked for stream in streams if stream.asked is not None]
    found = [one for one in dict.fromkeys(found) if one.code is plan.code]
    if len(found) > 1:
        fitting = [one for one in found if _fits(m, one, values)]
        if len(fitting) != 1:
            for stream in streams:
                stream.lose()
            return None
        found = fitting
    return found[0] if found else None


def _fits(m: Machine, one: Asked, values: tuple[Any, ...]) -> bool:
    """Whether the arguments are those of the next call."""
    return all(ref is None or m.agrees(ref, value) for ref, value in zip(one.ahead(), values, strict=False))


def taken_from(frame: Frame) -> list[Ref]:
    """What the instruction at hand takes items from."""
    if frame.pending is not None:
        call = frame.pending[0]
        return [] if call == "returned" else [*call.args, *call.kwargs.values()]
    name, arg, _ = frame.plan.instructions[frame.pc]
    depth = _ITERATES.get(name)
    if name == "CALL_FUNCTION_EX":
        depth = 2 if cpython.EX_ALWAYS_HAS_KEYWORDS or arg & 1 else 1
    return [] if depth is None else [frame.stack[-depth]]


#: Instructions that take items from an iterator, and where on the stack that is.
_ITERATES = {
    "FOR_ITER": 1, "UNPACK_SEQUENCE": 1, "UNPACK_EX": 1, "LIST_EXTEND": 1, "SET_UPDATE": 1, "DICT_UPDATE": 1,
    "CONTAINS_OP": 1, "SEND": 2, "STORE_SUBSCR": 3, "STORE_SLICE": 4,
}  # fmt: skip


def arguments(m: Machine, frame: Frame, plan: Plan, first: Any) -> tuple[list[Ref], dict[str, Ref]]:
    """References of the positional and keyword arguments with which `frame` led to an activation of `plan`.

    `first` is the value of the first parameter, which tells an operator from the reflected one.

    None stands for an argument that nothing is known of. With no arguments at all nothing is known of the activation
    either; with some, what it returns is the result of the instruction (but for `__init__`, of which it is the object).
    """
    pending = frame.pending
    if pending is not None:
        return _of_call(m, frame, plan.code) if pending[0] != "returned" else ([], {})
    stack = frame.stack
    depths = _depths(frame, plan.code)
    if frame.plan.instructions[frame.pc].name in ("BINARY_OP", "COMPARE_OP") and depths:
        depths = next(((d, 3 - d) for d in depths if m.agrees(stack[-d], first)), ())
    return [stack[-depth] if depth else None for depth in depths], {}


def _of_call(m: Machine, frame: Frame, code: CodeType) -> tuple[list[Ref], dict[str, Ref]]:
    call, target = frame.pending
    callee = call.callee
    before: list[Ref] = []
    inner: Any
    if issubclass(type(callee), functools.partial):
        before, inner = [None] * len(callee.args), callee.func
        given = dict.fromkeys(callee.keywords)
    elif type(callee) is _CACHE:
        inner, given = vars(callee).get("__wrapped__"), {}
    elif issubclass(type(callee), type):
        before, inner, given = [None], inspect.getattr_static(callee, "__init__", None), {}
    else:
        before = [m.claim(target, callee, frame.plan.site(frame.pc), source=target)]
        inner, given = inspect.getattr_static(type(callee), "__call__", None), {}
    if type(inner) is not FunctionType or plain_code(inner) is not code:
        return [], {}
    refs = [ref if ref is not NULL else None for ref in call.args]
    return [*before, *refs], {**given, **call.kwargs}


def _depths(frame: Frame, code: CodeType) -> tuple[int, ...]:
    """Depths on the stack of what a special method of that code gets from the instruction."""
    name, arg, _ = frame.plan.instructions[frame.pc]
    method = code.co_name
    if name == "BINARY_OP":
        symbol, in_place = cpython.BINARY_SYMBOL.get(arg.name.removeprefix("INPLACE_"), "[]"), arg.name
        if symbol == "[]":
            return _OPERANDS["BINARY_SUBSCR"].get(method, ())
        op = cpython.BINARY[symbol].rstrip("_")
        if method == f"__{op}__" or (in_place.startswith("INPLACE_") and method == f"__i{op}__"):
            return 2, 1
        return (1, 2) if method == f"__r{op}__" else ()
    if name == "COMPARE_OP":
        op = arg.name.removesuffix("_CAST").lower()
        if method == f"__{op}__":
            return 2, 1
        return (1, 2) if method == f"__{_REFLECTED.get(op)}__" else ()
    if name in cpython.UNARY:
        return (1,) if method == f"__{cpython.UNARY[name]}__" else ()
    if name in ("LOAD_ATTR", "LOAD_METHOD"):
        return (1,) if not method.startswith("__") else (1, 0) if method.startswith("__getattr") else ()
    if name == "STORE_ATTR":
        return (1, 2) if not method.startswith("__") else (1, 0, 2) if method == "__setattr__" else ()
    return _OPERANDS.get(name, {}).get(method, ())
