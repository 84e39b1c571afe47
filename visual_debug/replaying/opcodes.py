"""What each instruction does to the machine's references: one handler per opcode, `handler(machine, frame, argument)`.

The comments give the stack as the `dis` documentation does, bottom on the left. An instruction whose result was
recorded takes it from the machine's values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visual_debug import arrays, cpython, kinds
from visual_debug.columns import MISSING, Call
from visual_debug.replaying import calls, containers, redefined, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import calling
from visual_debug.replaying.symbols import (
    NULL,
    UNSET,
    Cell,
    Closure,
    Late,
    Leaf,
    Mapping,
    Method,
    Ref,
    Sequence,
    Stream,
    Thing,
    Wrapped,
)  # fmt: skip
from visual_debug.tracing import policy
from visual_debug.tracing.tape import DROPPED, Instruction, Plan

Handler = Callable[[Machine, Frame, Any], None]

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

HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Enter a handler into the table under the opcode's names."""

    def enter(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return enter


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


# ---- variables and the stack


@handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")
def _load_fast(m: Machine, f: Frame, arg: Any) -> None:
    if type(arg) is tuple:
        arg = arg[1]
    # From 3.13 on, LOAD_FAST of a variable that is a cell loads the cell itself, to close over it.
    name = arg if type(arg) is str else arg.name
    cell = f.cells.get(name) if f.cells else None
    f.stack.append(f.locals.get(name) if cell is None else cell)


@handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_fast_load_fast(m: Machine, f: Frame, arg: Any) -> None:
    _load_fast(m, f, arg[0])
    _load_fast(m, f, arg[1])


@handles("LOAD_FAST_AND_CLEAR")
def _load_fast_and_clear(m: Machine, f: Frame, arg: Any) -> None:
    name = arg if type(arg) is str else arg.name
    cell = f.cells.pop(name, None)
    f.stack.append(f.locals.pop(name, None) if cell is None else cell)


@handles("STORE_FAST", "STORE_FAST_MAYBE_NULL")
def _store_fast(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack.pop()
    name = arg if type(arg) is str else arg.name
    if type(ref) is Cell:  # put back behind an inlined comprehension
        f.cells[name] = ref
        return
    f.cells.pop(name, None)
    if type(ref) is int:
        if m.columns.name[ref] is None:
            m.columns.name[ref] = name
    elif type(ref) is Leaf and ref.name is None:
        ref.name = name
        if ref.node is not None and m.columns.name[ref.node] is None:
            m.columns.name[ref.node] = name
    f.locals[name] = ref


@handles("STORE_FAST_LOAD_FAST")
def _store_fast_load_fast(m: Machine, f: Frame, arg: Any) -> None:
    _store_fast(m, f, arg[0])
    _load_fast(m, f, arg[1])


@handles("STORE_FAST_STORE_FAST")
def _store_fast_store_fast(m: Machine, f: Frame, arg: Any) -> None:
    _store_fast(m, f, arg[0])
    _store_fast(m, f, arg[1])


@handles("DELETE_FAST")
def _delete_fast(m: Machine, f: Frame, arg: Any) -> None:
    f.locals.pop(arg, None)


@handles("LOAD_CONST", "LOAD_SMALL_INT")
def _load_const(m: Machine, f: Frame, arg: Any) -> None:
    index, value = arg
    f.stack.append(literal(m, f.plan, index, value))


def literal(m: Machine, plan: Plan, index: int, value: Any) -> Ref:
    """The reference of a literal: one leaf for each place it is written at."""
    if type(value) in kinds.SCALARS:
        span = plan.spans[index]  # a loop's condition is compiled twice: the same literal, written once
        # Code that was generated may have one span for everything, and patterns have literals of their own.
        key = (plan, span if span[0] is not None else index, type(value), repr(value))
        leaf = m.literals.get(key)
        if leaf is None:
            leaf = m.literals[key] = Leaf(value, "const", None, plan.site(index))
        return leaf
    if type(value) is tuple:
        site = plan.site(index)
        return Sequence(tuple, [containers.constant(m, item, site) for item in value], value)
    return Thing(value)


@handles("POP_TOP", "POP_ITER")
def _pop_top(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()


@handles("COPY")
def _copy(m: Machine, f: Frame, arg: int) -> None:
    f.stack.append(f.stack[-arg])


@handles("SWAP")
def _swap(m: Machine, f: Frame, arg: int) -> None:
    stack = f.stack
    stack[-1], stack[-arg] = stack[-arg], stack[-1]


@handles("PUSH_NULL")
def _push_null(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(NULL)


@handles("NOP", "PRECALL", "CACHE", "NOT_TAKEN", "COPY_FREE_VARS", "SETUP_ANNOTATIONS")
def _nothing(m: Machine, f: Frame, arg: Any) -> None:
    pass


@handles("RESUME")
def _resume(m: Machine, f: Frame, arg: int) -> None:
    way = arg & cpython.RESUMES
    if way:
        f.stack[-1] = sent = m.handed_over(f.caller)
        if way == cpython.RESUMES_YIELD and not f.plan.instructions[f.pc - 1].skip:
            f.stack[-1] = m.discover(m.value(), f.plan.site(f.pc - 1), source=sent)


@handles("RETURN_GENERATOR")
def _return_generator(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())  # what is sent first: None


@handles("YIELD_VALUE")
def _yield_value(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack.pop()
    f.stack.append(None)  # the place of what will be sent
    m.suspend(f, ref)


# ---- delegating to other generators, awaiting


@handles("GET_YIELD_FROM_ITER")
def _get_yield_from_iter(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    f.stack.append(containers.iterate(m, f, arg[0], f.stack.pop()))


@handles("GET_AWAITABLE", "GET_AITER")
def _get_awaitable(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack[-1]
    m.unknown_code([ref])
    if type(ref) is not Stream:
        f.stack[-1] = Thing(UNSET, [ref])


@handles("GET_ANEXT")
def _get_anext(m: Machine, f: Frame, arg: Any) -> None:  # iterator -> iterator awaitable
    ref = f.stack[-1]
    m.unknown_code([ref])
    f.stack.append(Late(ref) if type(ref) is Stream else Thing(UNSET, [ref]))


@handles("SEND")
def _send(m: Machine, f: Frame, arg: Any) -> None:  # receiver value -> receiver yielded
    received, f.received = f.received, None
    receiver = f.stack[-2]
    if received is not None and received[0] == f.pc - 1:
        f.stack[-1] = received[1]
    elif type(receiver) is Stream and receiver.frame is None:
        f.stack[-1] = Late(receiver)
    else:
        f.stack[-1] = Thing(UNSET, [receiver])


def end_send(m: Machine, f: Frame, index: int) -> None:
    """What the SEND at `index` delegated to has returned; whether SEND, or `throw`, which comes behind the yield."""
    f.received = None
    f.stack.pop()
    ref = _returned(m, f, index, f.stack[-1])
    if cpython.SEND_DROPS_ITERATOR:
        f.stack.pop()
    f.stack.append(ref)
    f.pc = f.plan.instructions[index].arg


def _returned(m: Machine, f: Frame, index: int, receiver: Ref) -> Ref:
    """The reference of what a generator or awaitable returned, whose value was recorded."""
    z = m.value()
    site = f.plan.site(index)
    returned, f.returned = f.returned, None
    nested = m.take_nested(z)
    if type(receiver) is Late:
        return m.claim(receiver.source.advance(z), z, site, source=receiver.source)
    if type(receiver) is Stream and returned is not None and returned[0] is receiver.frame:
        return m.claim(returned[1], z, site, source=returned[1])
    return nested if nested is not None else m.discover(z, site, source=receiver)


@handles("CLEANUP_THROW")
def _cleanup_throw(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # receiver sent exception -> None value
    exception = f.stack.pop()
    f.stack.pop()
    receiver = f.stack.pop()
    source = receiver if type(receiver) is Stream else Thing(UNSET, [receiver, exception])
    f.stack += [Thing(), _returned(m, f, arg[0], source)]


@handles("END_SEND")
def _end_send(m: Machine, f: Frame, arg: Any) -> None:  # receiver value -> value
    del f.stack[-2]


@handles("END_ASYNC_FOR")
def _end_async_for(m: Machine, f: Frame, arg: Any) -> None:  # iterator exception ->
    del f.stack[-2:]


@handles("BEFORE_ASYNC_WITH")
def _before_async_with(m: Machine, f: Frame, arg: Any) -> None:  # manager -> exit awaitable
    manager = f.stack.pop()
    m.unknown_code([manager])
    f.stack += [Thing(UNSET, [manager]), Thing(UNSET, [manager])]


@handles("ASYNC_GEN_WRAP")
def _async_gen_wrap(m: Machine, f: Frame, arg: Any) -> None:
    f.stack[-1] = Wrapped(f.stack[-1])


@handles("KW_NAMES")
def _kw_names(m: Machine, f: Frame, arg: tuple[str, ...]) -> None:
    f.keywords = arg


@handles("MAKE_CELL")
def _make_cell(m: Machine, f: Frame, arg: Any) -> None:
    if arg.name not in f.cells:  # those of the function itself are there from the beginning
        f.cells[arg.name] = Cell(f.locals.get(arg.name))


@handles("LOAD_CLOSURE")
def _load_closure(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(f.cells[arg.name])


@handles("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_NAME")
def _load_deref(m: Machine, f: Frame, arg: tuple[int, str, bool]) -> None:
    index, name, skip = arg
    cell = f.cells.get(name)
    ref: Ref = cell.ref if cell is not None else None
    if skip:
        f.stack.append(ref if ref is not None else Thing())
    else:
        f.stack.append(m.claim(ref, m.value(), f.plan.site(index), name, m.behind(cell)))


@handles("STORE_DEREF")
def _store_deref(m: Machine, f: Frame, arg: Any) -> None:
    ref, cell = f.stack[-1], f.cells[arg.name]
    _store_fast(m, f, arg.name)
    del f.locals[arg.name]
    f.cells[arg.name] = cell
    m.bind(cell, ref)


@handles("DELETE_DEREF")
def _delete_deref(m: Machine, f: Frame, arg: Any) -> None:
    f.cells[arg.name].ref = None


@handles("LOAD_GLOBAL")
def _load_global(m: Machine, f: Frame, arg: tuple[int, str, bool, bool]) -> None:
    index, name, has_null, skip = arg
    ref: Ref = m.globals.get(name, Thing() if skip else None)
    if not skip:
        ref = m.claim(ref, m.value(), f.plan.site(index), name, ref if type(ref) is Thing else m.elsewhere)
    if has_null:
        f.stack.extend((ref, NULL) if cpython.NULL_ABOVE_CALLABLE else (NULL, ref))
    else:
        f.stack.append(ref)


@handles("STORE_GLOBAL", "STORE_NAME")
def _store_global(m: Machine, f: Frame, arg: str) -> None:
    m.globals[arg] = f.stack.pop()


@handles("DELETE_GLOBAL", "DELETE_NAME")
def _delete_global(m: Machine, f: Frame, arg: str) -> None:
    m.globals.pop(arg, None)


# ---- operations


@handles("BINARY_OP")
def _binary_op(m: Machine, f: Frame, arg: tuple[int, str | None, bool]) -> None:
    index, op, in_place = arg
    if op is None:
        return _binary_subscr(m, f, (index, None))
    stack = f.stack
    y = stack.pop()
    x = stack.pop()
    z = m.values[m.v]
    m.v += 1
    if z is DROPPED:
        stack.append(
            Thing(UNSET, [ref for ref in (x, y) if type(ref) is not Thing or ref.object is UNSET or ref.among])
        )
        return None
    stack.append(operation(m, f, index, op, z, x, y, in_place))
    return None


def operation(m: Machine, f: Frame, index: int, op: str, z: Any, x: Ref, y: Ref, in_place: bool) -> Ref:
    """The reference of the result of a binary operator."""
    a, b = m.node(x), None
    writes = in_place and a is not None and arrays.is_array(z) and m.columns.value[a] is z
    if redefined.operator(m, op, (x, y)):
        return _by_method(m, f, index, z, [x, y], writes=writes)
    if op == "pow" and not writes and type(y) is Leaf and y.op == "const" and y.name is None and a is not None:
        base = m.columns.value[a]
        return m.new(op, z, [a], f, f.plan.site(index), Call((base, y.value), {}, (0,)))
    b = m.node(y)
    if a is not None and b is not None:
        if writes:
            return write(m, f, index, "i" + op.rstrip("_"), z, [a, b])
        return m.new(op, z, [a, b], f, f.plan.site(index))
    if kinds.is_number(z) and _is_of_list(m, a, b, x, y, z):
        name = "i" + op.rstrip("_") if writes else op
        node = m.call_node(name, z, [x, y], {}, f, f.plan.site(index), 2)
        if writes:
            m.write(z, node)
        return node
    if writes:
        return write(m, f, index, "opaque", z, m.among(Thing(UNSET, [x, y])))
    returned = m.take_nested(z)
    if returned is not None:
        return returned
    container = stores.join(m, op, z, x, y, f.plan.site(index), in_place)
    if container is not None:
        return container
    return computed(m, f, index, z, [x, y])


def _by_method(m: Machine, f: Frame, index: int, z: Any, operands: list[Ref], *, writes: bool) -> Ref:
    """The result of an operator that is a method of the user's."""
    returned = m.take_nested(z)
    if returned is not None:
        return returned
    if writes:
        return write(m, f, index, "opaque", z, m.among(Thing(UNSET, operands)))
    return computed(m, f, index, z, operands)


def _is_of_list(m: Machine, a: int | None, b: int | None, x: Ref, y: Ref, z: Any) -> bool:
    """Whether an operator is that of an array and a list, whose nodes are `a` or `b`."""
    if not (_is_list(x) or _is_list(y)):
        return False
    values = [m.columns.value[node] for node in (a, b) if node is not None]
    return arrays.is_array(z) or any(arrays.is_array(value) and arrays.is_simple(value) for value in values)


def _is_list(ref: Ref) -> bool:
    """Whether something is a list or tuple whose items are known, which NumPy's operators take for an array."""
    return type(ref) is Sequence and ref.items is not None and ref.kind in (list, tuple)


def write(m: Machine, f: Frame, index: int, op: str, array: Any, operands: list[int]) -> int:
    """The node of an array after an operator wrote to it; its views are other nodes from now on, too."""
    node = m.new(op, array, operands, f, f.plan.site(index))
    m.write(array, node)
    return node


def computed(m: Machine, f: Frame, index: int, z: Any, sources: list[Ref], *methods: str) -> Ref:
    """The result of an operation on something that is no number: what it may depend on is all that can be said.

    `methods` are those that the operation may have run, if not any.
    """
    pool = m.unknown_code(sources, *methods)
    source = Thing(UNSET, sources) if pool is None else Thing(UNSET, pool=pool)
    among = m.among(source)
    site = f.plan.site(index)
    if kinds.is_number(z) and type(z) is not bool:
        return m.new("opaque", z, among, f, site) if among else m.discover(z, site)
    return m.discover(z, site, source=source)


@handles("UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE", "UNARY_NOT")
def _unary(m: Machine, f: Frame, arg: tuple[int, str]) -> None:
    index, op = arg
    x = f.stack.pop()
    z = m.value()
    f.stack.append(unary(m, f, index, op, z, x))


def unary(m: Machine, f: Frame, index: int, op: str, z: Any, x: Ref) -> Ref:
    """The reference of the result of a unary operator."""
    a = m.node(x)
    if a is not None and not redefined.operator(m, op, (x,)):
        return m.new(op, z, [a], f, f.plan.site(index))
    returned = m.take_nested(z)
    return returned if returned is not None else computed(m, f, index, z, [x])


class Comparison:
    """A comparison whose result is told by the jump that consumes it."""

    __slots__ = ("index", "op", "x", "y")

    def __init__(self, index: int, op: str, x: Ref, y: Ref) -> None:
        self.index, self.op, self.x, self.y = index, op, x, y


@handles("COMPARE_OP")
def _compare_op(m: Machine, f: Frame, arg: tuple[int, str, bool]) -> None:
    index, op, skip = arg
    y = f.stack.pop()
    x = f.stack.pop()
    if skip:
        f.stack.append(Comparison(index, op, x, y))
        return
    f.stack.append(comparison(m, f, index, op, m.value(), x, y))


def comparison(m: Machine, f: Frame, index: int, op: str, z: Any, x: Ref, y: Ref) -> Ref:
    """The node of a comparison of two numbers; of anything else, what its result is."""
    a, b = m.node(x), m.node(y)
    if a is not None and b is not None:
        return m.new(op, z, [a, b], f, f.plan.site(index))
    if arrays.is_array(z) and _is_of_list(m, a, b, x, y, z):
        return m.call_node(op, z, [x, y], {}, f, f.plan.site(index), 2)
    returned = m.take_nested(z)
    if returned is not None:
        return returned
    if op in ("eq", "ne") and _is_told_by_identity(x) and _is_told_by_identity(y):
        return Thing(z)
    return computed(m, f, index, z, [x, y], *_RUN_BY[op])


#: Methods that a comparison runs: its own and the reflected one, and `__eq__` for the `__ne__` that every class has.
_RUN_BY = {
    "eq": ("__eq__",),
    "ne": ("__ne__", "__eq__"),
    "lt": ("__lt__", "__gt__"),
    "gt": ("__gt__", "__lt__"),
    "le": ("__le__", "__ge__"),
    "ge": ("__ge__", "__le__"),
}


def _is_told_by_identity(ref: Ref) -> bool:
    """Whether an object is equal to itself only, so that no number in it decides whether it equals another."""
    return type(ref) is Thing and ref.object is not UNSET and kinds.by_identity(type(ref.object))


#: Methods that `in` may run, of the container and of what it compares.
_SEARCHING = ("__contains__", "__iter__", "__next__", "__getitem__", "__len__", "__eq__", "__hash__")


@handles("CONTAINS_OP")
def _contains_op(m: Machine, f: Frame, arg: Any) -> None:
    sought, container = f.stack[-2:]
    if type(container) is Stream:  # it was searched as far as what was found
        container.lose()
    items = m.holder(container).items if type(sought) is Thing and type(m.holder(container)) is Sequence else None
    m.unknown_code([sought, container, *(items or ())], *_SEARCHING)
    del f.stack[-2:]
    f.stack.append(Thing(m.value()))


@handles("IS_OP")
def _is_op(m: Machine, f: Frame, arg: Any) -> None:
    del f.stack[-2:]
    f.stack.append(Thing())


@handles("TO_BOOL")
def _to_bool(m: Machine, f: Frame, arg: Any) -> None:
    m.unknown_code(f.stack[-1:], "__bool__", "__len__")
    f.stack[-1] = Thing()


@handles("CALL_INTRINSIC_1")
def _call_intrinsic_1(m: Machine, f: Frame, arg: tuple[int, str]) -> None:
    index, name = arg
    x = f.stack.pop()
    if name == cpython.INTRINSIC_POSITIVE:
        f.stack.append(unary(m, f, index, "pos", m.value(), x))
    elif name == cpython.INTRINSIC_LIST_TO_TUPLE:
        f.stack.append(_as_tuple(m, x, m.value()))
    elif name == cpython.INTRINSIC_ASYNC_GEN_WRAP:
        f.stack.append(Wrapped(x))
    else:
        f.stack.append(Thing(UNSET, [x]))


# ---- jumps


@handles(*cpython.JUMPS)
def _jump(m: Machine, f: Frame, arg: tuple[int, int | None]) -> None:
    target, word = arg
    if word is not None and m.word() != word:
        raise m.misfit("a loop without end went another way")
    f.pc = target


@handles(*cpython.POP_JUMPS)
def _pop_jump(m: Machine, f: Frame, arg: tuple[int, int, int, int, str]) -> None:
    _, target, taken, fallen, name = arg
    ref = f.stack.pop()
    word = m.path[m.p]
    m.p += 1
    m.unknown_code([ref], "__bool__", "__len__")
    if type(ref) is Comparison:
        comparison(m, f, ref.index, ref.op, (word == taken) == name.endswith("TRUE"), ref.x, ref.y)
    if word == taken:
        f.pc = target
    elif word != fallen:
        raise m.misfit("a branch went another way")


@handles(*cpython.KEEP_JUMPS)
def _keep_jump(m: Machine, f: Frame, arg: tuple[int, int, int, int, str]) -> None:
    _, target, taken, fallen, _ = arg
    word = m.word()
    if word == taken:
        f.pc = target
    elif word == fallen:
        f.stack.pop()
    else:
        raise m.misfit("a branch went another way")


@handles("FOR_ITER")
def _for_iter(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    if f.plan.instructions[arg[0]].skip:
        m.v += 1
        stream = f.stack[-1]
        f.stack.append(stream.advance(None) if type(stream) is Stream and stream.counts else Thing())
        return
    f.stack.append(containers.next_item(m, f, arg[0], f.stack[-1], m.value()))


def end_loop(m: Machine, f: Frame) -> None:
    """The iterator that FOR_ITER stands at is exhausted."""
    if type(f.stack[-1]) is Stream:
        calling.exhausted(f.stack[-1])
    if cpython.HAS_END_FOR:  # END_FOR (and, from 3.13 on, the next instruction) drops both
        f.stack.append(None)
    else:
        f.stack.pop()
    f.pc = f.plan.instructions[f.pc].arg


@handles("END_FOR")
def _end_for(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    if not cpython.PY313:
        f.stack.pop()


@handles("GET_ITER")
def _get_iter(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    ref = f.stack.pop()
    f.stack.append(containers.iterate(m, f, arg[0], ref))


@handles("RETURN_VALUE")
def _return_value(m: Machine, f: Frame, arg: Any) -> None:
    m.leave(f, f.stack.pop())


@handles("RETURN_CONST")
def _return_const(m: Machine, f: Frame, arg: Any) -> None:
    m.leave(f, literal(m, f.plan, f.pc - 1, arg))


@handles("RAISE_VARARGS", "RERAISE")
def _raise(m: Machine, f: Frame, arg: Any) -> None:
    raise m.misfit("an exception that nothing was recorded of")


# ---- exceptions, with


@handles("PUSH_EXC_INFO")
def _push_exc_info(m: Machine, f: Frame, arg: Any) -> None:  # exc -> previous exc
    f.stack.append(f.stack[-1])


@handles("POP_EXCEPT")
def _pop_except(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()


@handles("CHECK_EXC_MATCH")
def _check_exc_match(m: Machine, f: Frame, arg: Any) -> None:  # exc type -> exc bool
    f.stack[-1] = Thing()


@handles("CHECK_EG_MATCH")
def _check_eg_match(m: Machine, f: Frame, arg: Any) -> None:  # group type -> rest match
    group = f.stack[-2]
    f.stack[-2:] = [Thing(UNSET, [group]), Thing(UNSET, [group])]


@handles("PREP_RERAISE_STAR")
def _prep_reraise_star(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    f.stack[-1] = Thing()


@handles("CALL_INTRINSIC_2")
def _call_intrinsic_2(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    f.stack[-1] = Thing()


@handles("BEFORE_WITH")
def _before_with(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # manager -> exit entered
    manager = f.stack.pop()
    z = m.value()
    entered = m.take_nested(z)
    f.stack += [Thing(), entered if entered is not None else computed(m, f, arg[0], z, [manager])]


@handles("LOAD_SPECIAL")
def _load_special(m: Machine, f: Frame, arg: Any) -> None:  # manager -> method self (both about to be called)
    manager = f.stack.pop()
    f.stack += [Method(manager), manager]


@handles("WITH_EXCEPT_START")
def _with_except_start(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())


@handles("LOAD_ASSERTION_ERROR", "LOAD_BUILD_CLASS", "LOAD_COMMON_CONSTANT", "LOAD_LOCALS")
def _load_thing(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())


@handles("IMPORT_NAME")
def _import_name(m: Machine, f: Frame, arg: Any) -> None:
    del f.stack[-2:]
    f.stack.append(Thing())


@handles("IMPORT_FROM")
def _import_from(m: Machine, f: Frame, arg: tuple[int, str]) -> None:
    f.stack.append(m.discover(m.value(), f.plan.site(arg[0]), arg[1]))


# ---- attributes, subscripts


@handles("LOAD_METHOD")
def _load_method(m: Machine, f: Frame, arg: Any) -> None:
    base = f.stack.pop()
    f.stack += [NULL, Method(base)]


@handles("LOAD_ATTR", "LOAD_SUPER_ATTR")
def _load_attr(m: Machine, f: Frame, arg: tuple[int, str, bool, bool]) -> None:
    index, name, is_method, skip = arg
    base = f.stack.pop()
    if f.plan.instructions[index].name == "LOAD_SUPER_ATTR":  # super class self
        del f.stack[-2:]
    if is_method:
        f.stack += [Method(base), NULL] if cpython.NULL_ABOVE_CALLABLE else [NULL, Method(base)]
    elif skip:
        f.stack.append(Method(base))
    else:
        f.stack.append(containers.attribute(m, f, index, base, name, m.value()))


@handles("STORE_ATTR")
def _store_attr(m: Machine, f: Frame, arg: tuple[int, str]) -> None:  # value base ->
    base = f.stack.pop()
    stores.store_attribute(m, f, arg[0], base, arg[1], f.stack.pop())


@handles("DELETE_ATTR")
def _delete_attr(m: Machine, f: Frame, arg: str) -> None:
    owner = m.known_value(f.stack.pop())
    m.attributes.get(id(owner), {}).pop(arg, None)


@handles("BINARY_SUBSCR")
def _binary_subscr(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    key = f.stack.pop()
    container = f.stack.pop()
    f.stack.append(containers.subscript(m, f, arg[0], container, key, m.value()))


@handles("BINARY_SLICE")
def _binary_slice(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    stop = f.stack.pop()
    start = f.stack.pop()
    container = f.stack.pop()
    f.stack.append(containers.subscript(m, f, arg[0], container, containers.slice_of([start, stop], m), m.value()))


@handles("BUILD_SLICE")
def _build_slice(m: Machine, f: Frame, arg: int) -> None:
    parts = f.stack[-arg:]
    del f.stack[-arg:]
    f.stack.append(containers.slice_of(parts, m))


@handles("STORE_SUBSCR")
def _store_subscr(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # value container key ->
    key = f.stack.pop()
    container = f.stack.pop()
    stores.store_subscript(m, f, arg[0], container, key, f.stack.pop())


@handles("STORE_SLICE")
def _store_slice(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # value container start stop ->
    stop = f.stack.pop()
    start = f.stack.pop()
    container = f.stack.pop()
    stores.store_subscript(m, f, arg[0], container, containers.slice_of([start, stop], m), f.stack.pop())


@handles("DELETE_SUBSCR")
def _delete_subscr(m: Machine, f: Frame, arg: Any) -> None:
    key = f.stack.pop()
    stores.delete_subscript(m, f.stack.pop(), key)


# ---- containers


@handles("BUILD_TUPLE", "BUILD_LIST")
def _build_sequence(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    count = arg[1]
    items = f.stack[len(f.stack) - count :]
    del f.stack[len(f.stack) - count :]
    z = m.value()
    for position, item in enumerate(items):
        if type(item) is Cell:  # a closure, which is a tuple: from now on the cell is known wherever it turns up
            m.cells[id(z[position])] = item
    ref = Sequence(type(z), items, z)
    m.heap[id(z)] = ref
    f.stack.append(ref)


@handles("BUILD_SET")
def _build_set(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    count = arg[1]
    items = f.stack[len(f.stack) - count :]
    del f.stack[len(f.stack) - count :]
    z = m.value()
    m.heap[id(z)] = ref = Thing(z, items)
    f.stack.append(ref)


@handles("BUILD_MAP")
def _build_map(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    count = arg[1]
    pairs = f.stack[len(f.stack) - 2 * count :]
    del f.stack[len(f.stack) - 2 * count :]
    _push_mapping(m, f, [containers.key_value(m, key) for key in pairs[::2]], pairs[1::2], pairs[::2])


@handles("BUILD_CONST_KEY_MAP")
def _build_const_key_map(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    keys = m.known_value(f.stack.pop())
    values = f.stack[len(f.stack) - arg[1] :]
    del f.stack[len(f.stack) - arg[1] :]
    _push_mapping(m, f, list(keys), values)


def _push_mapping(m: Machine, f: Frame, keys: list[Any], values: list[Ref], key_refs: list[Ref] | None = None) -> None:
    z = m.value()
    ref = Mapping({}, z)
    for key, value, key_ref in zip(keys, values, key_refs or [None] * len(keys), strict=True):
        stores.set_item(m, ref, key, value, key_ref)
    m.heap[id(z)] = ref
    f.stack.append(ref)


@handles("LIST_APPEND")
def _list_append(m: Machine, f: Frame, arg: int) -> None:
    item = f.stack.pop()
    ref = f.stack[-arg]
    if type(ref) is Sequence and ref.items is not None:
        ref.items.append(item)
        m.put(ref, item)
    else:
        stores.put_in(m, ref, item)


@handles("SET_ADD")
def _set_add(m: Machine, f: Frame, arg: int) -> None:
    item = f.stack.pop()
    stores.put_in(m, f.stack[-arg], item)


@handles("MAP_ADD")
def _map_add(m: Machine, f: Frame, arg: int) -> None:
    value = f.stack.pop()
    key = f.stack.pop()
    stores.set_item(m, f.stack[-arg], containers.key_value(m, key), value, key)


@handles("LIST_EXTEND")
def _list_extend(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    source = f.stack.pop()
    items = containers.all_items(m, f, arg[0], source) if m.node(source) is not None else None
    stores.extend(m, f.stack[-arg[1]], source if items is None else Sequence(list, items))


@handles("SET_UPDATE")
def _set_update(m: Machine, f: Frame, arg: int) -> None:
    source = f.stack.pop()
    stores.put_in(m, f.stack[-arg], source)


@handles("DICT_UPDATE", "DICT_MERGE")
def _dict_update(m: Machine, f: Frame, arg: int) -> None:
    source = f.stack.pop()
    stores.update(m, f.stack[-arg], source)


def _as_tuple(m: Machine, x: Ref, z: Any) -> Ref:
    if type(x) is Sequence:
        ref: Ref = Sequence(tuple, list(x.items) if x.items is not None else None, z, list(x.among), x.pool)
    else:
        ref = Thing(z, [x])
    m.heap[id(z)] = ref
    return ref


@handles("LIST_TO_TUPLE")
def _list_to_tuple(m: Machine, f: Frame, arg: Any) -> None:
    x = f.stack.pop()
    f.stack.append(_as_tuple(m, x, m.value()))


@handles("UNPACK_SEQUENCE", "UNPACK_EX")
def _unpack(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    index, count = arg
    source = f.stack.pop()
    if f.plan.instructions[index].name == "UNPACK_EX":
        before, after = count & 0xFF, count >> 8
        values = [m.value() for _ in range(before + 1 + after)]
        items = containers.unpack_starred(m, f, index, source, values, before, after)
    else:
        values = [m.value() for _ in range(count)]
        items = containers.unpack(m, f, index, source, values)
    f.stack.extend(reversed(items))


@handles("GET_LEN")
def _get_len(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    f.stack.append(Leaf(m.value(), "const", None, f.plan.site(arg[0])))


@handles("MATCH_SEQUENCE", "MATCH_MAPPING")
def _match_kind(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())


@handles("MATCH_KEYS")
def _match_keys(m: Machine, f: Frame, arg: Any) -> None:  # subject keys -> subject keys values|None
    f.stack.append(Thing(UNSET, [f.stack[-2]]))


@handles("MATCH_CLASS")
def _match_class(m: Machine, f: Frame, arg: Any) -> None:  # subject class names -> attributes|None
    subject = f.stack[-3]
    del f.stack[-3:]
    f.stack.append(Thing(UNSET, [subject]))


# ---- text


@handles("FORMAT_VALUE")
def _format_value(m: Machine, f: Frame, arg: Any) -> None:
    flags = arg if isinstance(arg, int) else int(getattr(arg, "value", 0))
    if flags & 0x04:
        f.stack.pop()
    f.stack.append(Thing(UNSET, [f.stack.pop()]))


@handles("FORMAT_SIMPLE", "CONVERT_VALUE")
def _format_simple(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing(UNSET, [f.stack.pop()]))


@handles("FORMAT_WITH_SPEC")
def _format_with_spec(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    f.stack.append(Thing(UNSET, [f.stack.pop()]))


@handles("BUILD_STRING")
def _build_string(m: Machine, f: Frame, arg: int) -> None:
    parts = f.stack[len(f.stack) - arg :]
    del f.stack[len(f.stack) - arg :]
    f.stack.append(Thing(UNSET, parts))


@handles("BUILD_INTERPOLATION")
def _build_interpolation(m: Machine, f: Frame, arg: Any) -> None:  # value text [format] -> interpolation
    has_format, _ = arg
    del f.stack[-2 if has_format else -1 :]
    f.stack.append(Thing(UNSET, [f.stack.pop()]))


@handles("BUILD_TEMPLATE")
def _build_template(m: Machine, f: Frame, arg: Any) -> None:  # strings interpolations -> template
    f.stack[-2:] = [Thing(UNSET, [f.stack[-1]])]


# ---- functions and calls


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
