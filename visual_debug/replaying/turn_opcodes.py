"""What instructions do in a turn that stands for many: one handler per opcode that all turns can do alike.

A handler returns the instruction to go on with, or None for the next one. What is not listed here, and what would
meet anything but plain numbers and functions of them, makes the turn unfit.
"""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

from visual_debug import cpython, rules
from visual_debug.columns import Call
from visual_debug.replaying import calls, models
from visual_debug.replaying.opcodes import operations, variables
from visual_debug.replaying.passage import Picked
from visual_debug.replaying.symbols import NULL, UNSET, Cell, Closure, Leaf, Method, Ref, Sequence, Stream, Thing
from visual_debug.replaying.turn import NUMBERS, Handler, Item, Node, Turn, Unfit
from visual_debug.tracing import policy

HANDLERS: dict[str, Handler] = {}


def _handles(*names: str) -> Callable[[Handler], Handler]:
    def enter(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return enter


@_handles("NOP", "PRECALL", "CACHE", "NOT_TAKEN", "COPY_FREE_VARS")
def _nothing(t: Turn, pc: int, arg: Any) -> int | None:
    return None


@_handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")
def _load_fast(t: Turn, pc: int, arg: Any) -> int | None:
    if type(arg) is tuple:
        arg = arg[1]
    t.load(arg if type(arg) is str else arg.name)
    return None


@_handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_fast_load_fast(t: Turn, pc: int, arg: Any) -> int | None:
    _load_fast(t, pc, arg[0])
    return _load_fast(t, pc, arg[1])


@_handles("STORE_FAST")
def _store_fast(t: Turn, pc: int, arg: Any) -> int | None:
    t.store(arg if type(arg) is str else arg.name)
    return None


@_handles("STORE_FAST_LOAD_FAST")
def _store_fast_load_fast(t: Turn, pc: int, arg: Any) -> int | None:
    _store_fast(t, pc, arg[0])
    return _load_fast(t, pc, arg[1])


@_handles("STORE_FAST_STORE_FAST")
def _store_fast_store_fast(t: Turn, pc: int, arg: Any) -> int | None:
    _store_fast(t, pc, arg[0])
    return _store_fast(t, pc, arg[1])


@_handles("LOAD_CONST", "LOAD_SMALL_INT")
def _load_const(t: Turn, pc: int, arg: Any) -> int | None:
    t.stack.append(variables.literal(t.machine, t.level.plan, *arg))
    return None


@_handles("POP_TOP", "POP_ITER")
def _pop_top(t: Turn, pc: int, arg: Any) -> int | None:
    t.pop()
    return None


@_handles("COPY")
def _copy(t: Turn, pc: int, arg: int) -> int | None:
    t.stack.append(t.stack[-arg])
    return None


@_handles("SWAP")
def _swap(t: Turn, pc: int, arg: int) -> int | None:
    if len(t.stack) - arg < t.level.floor:
        raise Unfit
    t.stack[-1], t.stack[-arg] = t.stack[-arg], t.stack[-1]
    return None


@_handles("PUSH_NULL")
def _push_null(t: Turn, pc: int, arg: Any) -> int | None:
    t.stack.append(NULL)
    return None


@_handles("BINARY_OP")
def _binary_op(t: Turn, pc: int, arg: tuple[int, str | None, bool]) -> int | None:
    op = arg[1]
    if op is None:
        return _binary_subscr(t, pc, arg)
    y, x = t.pop(), t.pop()
    a = t.number(x)
    if op == "pow" and type(y) in (Item, Picked) and y not in t.item_names:
        raise Unfit
    if op == "pow" and type(y) is Leaf and y.op == "const" and y.name is None:
        base = t.machine.columns.value[a] if type(a) is int else UNSET
        t.make(op, pc, [a], call=Call((base, y.value), {}, (0,)))
    else:
        t.make(op, pc, [a, t.number(y)])
    return None


@_handles("UNARY_NEGATIVE", "UNARY_INVERT")
def _unary(t: Turn, pc: int, arg: tuple[int, str]) -> int | None:
    t.make(arg[1], pc, [t.number(t.pop())])
    return None


@_handles("COMPARE_OP")
def _compare_op(t: Turn, pc: int, arg: tuple[int, str, bool]) -> int | None:
    y, x = t.pop(), t.pop()
    if arg[2]:
        t.stack.append(operations.Comparison(pc, arg[1], x, y))
    else:
        t.make(arg[1], pc, [t.number(x), t.number(y)])
    return None


@_handles(*cpython.POP_JUMPS)
def _pop_jump(t: Turn, pc: int, arg: tuple[int, int, int, int, str]) -> int | None:
    _, target, taken, fallen, name = arg
    ref = t.pop()
    word = t.word()
    if word not in (taken, fallen):
        raise Unfit
    if type(ref) is operations.Comparison:
        operands = [t.number(ref.x), t.number(ref.y)]
        z = (word == taken) == name.endswith("TRUE")
        t.add(Node(ref.op, t.level.plan.site(ref.index), operands, value=z))
    elif not t.is_number(ref):
        raise Unfit
    return target if word == taken else None


@_handles("TO_BOOL")
def _to_bool(t: Turn, pc: int, arg: Any) -> int | None:
    """Its result is told by the jump that consumes it."""
    if type(t.stack[-1]) is not operations.Comparison and not t.is_number(t.stack[-1]):
        raise Unfit
    return None


@_handles(*cpython.JUMPS)
def _jump(t: Turn, pc: int, arg: tuple[int, int | None]) -> int | None:
    target, word = arg
    if word is not None and t.word() != word:
        raise Unfit
    return target


@_handles("FOR_ITER")
def _for_iter(t: Turn, pc: int, arg: tuple[int, int]) -> int | None:
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


@_handles("GET_ITER")
def _get_iter(t: Turn, pc: int, arg: Any) -> int | None:
    t.stack.append(t.iterate(pc, t.pop()))
    return None


@_handles("END_FOR")
def _end_for(t: Turn, pc: int, arg: Any) -> int | None:
    t.pop()
    if not cpython.PY313:
        t.pop()
    return None


@_handles("LOAD_GLOBAL")
def _load_global(t: Turn, pc: int, arg: tuple[int, str, bool, bool]) -> int | None:
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
        if ref is None or ref.value is not value or type(value) not in NUMBERS:
            raise Unfit
    if has_null:
        t.stack.extend((ref, NULL) if cpython.NULL_ABOVE_CALLABLE else (NULL, ref))
    else:
        t.stack.append(ref)
    return None


@_handles("LOAD_DEREF")
def _load_deref(t: Turn, pc: int, arg: tuple[int, str, bool]) -> int | None:
    _, name, skip = arg
    cell = (t.frame.cells if t.level is t.outer else t.level.cells).get(name)
    if cell is None:
        raise Unfit
    ref: Ref = cell.ref
    if skip:
        ref = Thing() if ref is None else ref
        if type(ref) is not Thing or ref.pool is not None or ref.among:
            raise Unfit
    elif ref is None and t.machine.behind(cell) is None:
        value = t.constant()
        ref = t.machine.reads.get((name, id(value)))
        if ref is None or ref.value is not value or type(value) not in NUMBERS:
            raise Unfit
    elif type(cell) is not Cell or not t.machine.agrees(ref, t.constant()):
        raise Unfit
    t.stack.append(ref)
    return None


@_handles("LOAD_METHOD")
def _load_method(t: Turn, pc: int, arg: Any) -> int | None:
    t.stack += [NULL, Method(t.pop())]
    return None


@_handles("LOAD_ATTR")
def _load_attr(t: Turn, pc: int, arg: tuple[int, str, bool, bool]) -> int | None:
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
def _call(t: Turn, pc: int, arg: tuple[int, int]) -> int | None:
    """A call of a C function of numbers, which makes a new number of them."""
    count = arg[1]
    args = [t.pop() for _ in range(count)][::-1]
    target, other = t.pop(), t.pop()
    if cpython.NULL_ABOVE_CALLABLE or other is not NULL:
        target, other = other, target
    callee = t.constant()
    base = target.base if type(target) is Method else target
    if other is not NULL or (type(base) is not Thing and not (type(base) is Closure and type(callee) is FunctionType)):
        raise Unfit
    if callee is range:
        t.stack.append(t.range_made())
        return None
    if type(callee) is FunctionType:
        word = policy.meaning(t.word())
        signature = t.machine.tape.policy.twins.signature(callee, t.machine.tape.began, t.machine.tape.ended)
        if word is None or word.kind != policy.ENTRY or signature is None or signature.code is not word.plan.code:
            raise Unfit
        if type(calls.made(t.machine, callee)) is Closure and signature.defaults:
            raise Unfit
        t.enter(word.plan, callee, signature.defaults or (), args)
        return None
    if not _is_plain_function(callee):
        raise Unfit
    name, bound = rules.resolve(callee)
    rule = rules.find(name)
    is_pick = callee in (max, min) and count > 1  # of several numbers
    if rule is None or bound or ((name in calls.SPREAD or models.model_of(callee) is not None) and not is_pick):
        raise Unfit
    if not args or (rule.arity is not None and count > rule.arity):
        raise Unfit
    t.make(name, pc, [t.number(ref) for ref in args])
    return None


@_handles("RETURN_VALUE")
def _return_value(t: Turn, pc: int, arg: Any) -> int | None:
    t.leave(t.pop())
    return None


@_handles("RETURN_CONST")
def _return_const(t: Turn, pc: int, arg: Any) -> int | None:
    t.leave(variables.literal(t.machine, t.level.plan, pc, arg))
    return None


@_handles("BINARY_SUBSCR")
def _binary_subscr(t: Turn, pc: int, arg: Any) -> int | None:
    """An item of a list or tuple of numbers."""
    key, container = t.pop(), t.pop()
    if type(container) is not Sequence or container.items is None or container.kind not in (list, tuple):
        raise Unfit
    position = t.machine.known_value(key) if type(key) in (Leaf, int) else UNSET
    if type(position) is not int:
        t.stack.append(t.item_of(container, key))
        return None
    if not -len(container.items) <= position < len(container.items):
        raise Unfit
    ref = container.items[position]
    t.number(ref)
    if not t.machine.agrees(ref, t.constant()):
        raise Unfit
    t.stack.append(ref)
    return None


@_handles("RESUME")
def _resume(t: Turn, pc: int, arg: int) -> int | None:
    if arg & cpython.RESUMES:
        raise Unfit
    return None


def _is_plain_function(callee: Any) -> bool:
    if type(callee) is not BuiltinFunctionType:
        return callee is float or callee is int
    return callee in (abs, max, min) or callee.__module__ in ("math", "cmath")
