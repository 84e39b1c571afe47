"""Operators, comparisons, tests."""

from __future__ import annotations

from typing import Any

from visual_debug import arrays, cpython, kinds
from visual_debug.columns import Call
from visual_debug.replaying import redefined, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.building import as_tuple
from visual_debug.replaying.opcodes.elements import binary_subscr
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import UNSET, Leaf, Ref, Sequence, Stream, Thing, Wrapped
from visual_debug.tracing.tape import DROPPED


@handles("BINARY_OP")
def _binary_op(m: Machine, f: Frame, arg: tuple[int, str | None, bool]) -> None:
    index, op, in_place = arg
    if op is None:
        return binary_subscr(m, f, (index, None))
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
        f.stack.append(as_tuple(m, x, m.value()))
    elif name == cpython.INTRINSIC_ASYNC_GEN_WRAP:
        f.stack.append(Wrapped(x))
    else:
        f.stack.append(Thing(UNSET, [x]))
