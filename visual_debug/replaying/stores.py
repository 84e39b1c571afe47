"""Numbers put into lists, dicts, objects and arrays: what replay knows of them from then on."""

from __future__ import annotations

import sys
from array import array
from collections import deque
from typing import Any

from visual_debug import arrays, kinds
from visual_debug.replaying.containers import flat_index, flattened, index_value, items_of, key_value
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.symbols import NULL, UNSET, Leaf, Mapping, Ref, Sequence, Thing
from visual_debug.tracing.tape import Site


def put_in(m: Machine, container: Ref, item: Ref) -> None:
    """Something was stored in a container at a place that is not followed."""
    container = m.holder(container)
    if type(container) in (Sequence, Mapping):
        container.forget()
    m.put(container, item)


def put_all(m: Machine, container: Ref, items: list[Ref]) -> None:
    """The items are in a followed container by now, at places that are known."""
    if container.pool is not None:
        m.pour(container.pool.root(), items)


# ---- attributes

#: Attributes of arrays through which numbers can be written into them, and the operation that this is.
_WRITTEN_PARTS = {"flat": "flat=", "real": "real=", "imag": "imag="}


def store_attribute(m: Machine, f: Frame, index: int, base: Ref, name: str, value: Ref) -> None:
    """`base.name = value`."""
    node = m.node(base)
    if node is not None:
        if name in _WRITTEN_PARTS and arrays.is_array(m.columns.value[node]):
            _write(m, f, index, _WRITTEN_PARTS[name], [node, value])
        elif name == "shape" and arrays.is_array(m.columns.value[node]) and m.columns.value[node].base is None:
            _write(m, f, index, "numpy.reshape", [node, value])
        else:
            written_unseen(m, f, index, m.snapshot, m.v + 1, [base, value])
        return
    owner = m.known_value(base)
    if owner is UNSET:
        m.put(base, value)
    elif _sets_by_code(owner, name):
        if f.entered == index:
            return  # that code was recorded
        m.escape([ref for ref in (base, value) if ref is not None])
    else:
        m.attributes.setdefault(id(owner), {})[name] = value
        if issubclass(type(owner), type):
            m.classes.add(id(owner))
            for item in (Thing(owner), value):
                m.put(Thing(sys.modules.get(owner.__module__)), item)  # whose functions can read it
        held = m.holder(base if type(base) is Thing else Thing(owner))
        m.put(held, value)
        if type(held) is Thing and held.pool is not None:
            held.pool.root().exact[id(owner)] = held


def _sets_by_code(owner: Any, name: str) -> bool:
    """Whether setting the attribute runs a property or a `__setattr__` of the class."""
    kind = type(owner)
    plain: tuple[Any, ...] = (object.__setattr__, type.__setattr__)
    return isinstance(getattr(kind, name, None), property) or kind.__setattr__ not in plain


# ---- lists, dicts


def set_item(m: Machine, container: Ref, key: Any, value: Ref, key_ref: Ref = None) -> None:
    """`container[key] = value` for a followed container; otherwise the value is somewhere in it."""
    kind = type(container)
    if kind is Mapping and container.items is not None and key is not UNSET:
        try:
            is_new = key not in container.items
            container.items[key] = value
        except TypeError:
            put_in(m, container, value)
            return
        put_all(m, container, [value])
        if is_new and key_ref is not None and not (type(key_ref) is Leaf and key_ref.op == "const"):
            container.keys[key] = key_ref
            put_all(m, container, [key_ref])
        return
    if kind is Sequence and container.items is not None:
        items = items_of(value) if isinstance(key, slice) else [value]
        try:
            container.items[key] = items if isinstance(key, slice) else value
        except (TypeError, ValueError, IndexError):  # not as it was known to be
            items = None
        if items is not None:
            put_all(m, container, items)
            return
    put_in(m, container, value)
    if key_ref is not None and kind is not Sequence:
        put_in(m, container, key_ref)


def store_subscript(
    m: Machine, f: Frame, index: int, container: Ref, key: Ref, value: Ref, *, called: bool = False
) -> None:  # fmt: skip
    """`container[key] = value`, by a statement or by a function that was `called`; for an array a new version of it."""
    position = index_value(m, key)
    node = flattened(m, container)
    if node is not None:
        container, position = node, flat_index(m, node, position)
    node = m.node(container)
    if node is None:
        container = m.holder(container)
        if type(m.known_value(container)).__name__ == "nditer":
            m.refuse_iterator(f.plan.site(index))
        set_item(m, container, key_value(m, key), value, key)
        m.unknown_code([container, key, value])
        written_unseen(m, f, index, m.snapshot, m.v + 1, [container, value])
        return
    if not kinds.redefines(m.columns.value[node], ("__setitem__",)):
        _write(m, f, index, "setitem", [node, Thing(position), value], called=called)
    elif f.entered != index:  # else its own method was recorded, with what it wrote
        _write(m, f, index, "setitem", [node, Thing(UNSET), value], called=called)


def _write(m: Machine, f: Frame, index: int, op: str, args: list[Ref], *, called: bool = False) -> None:
    """A new version of the array that is the first argument, made of it and the last one."""
    target = m.columns.value[args[0]]
    for arg in args:
        m.node(arg)  # what they are now, before the write
    if not called:
        m.pass_snapshot()
    if any(m.known_value(arg) is UNSET for arg in args):
        operands = [args[0], *m.among(Thing(UNSET, [args[-1]]))]
        m.write(target, m.new("opaque", target, operands, f, f.plan.site(index)))
    else:
        m.write(target, m.call_node(op, target, args, {}, f, f.plan.site(index), None))


def delete_subscript(m: Machine, container: Ref, key: Ref) -> None:
    """`del container[key]`."""
    position = key_value(m, key)
    m.unknown_code([container, key])
    container = m.holder(container)
    if type(container) in (Sequence, Mapping) and container.items is not None:
        try:
            del container.items[position]
        except (TypeError, KeyError, IndexError):
            container.forget()
        else:
            if type(container) is Mapping:
                container.keys.pop(position, None)


def extend(m: Machine, container: Ref, source: Ref) -> None:
    """`container.extend(source)`."""
    items = items_of(source)
    if items is not None and type(container) is Sequence and container.items is not None:
        container.items.extend(items)
        put_all(m, container, items)
    else:
        put_in(m, container, source)


def update(m: Machine, container: Ref, source: Ref) -> None:
    """`container.update(source)` of a dict with another."""
    known = type(source) is Mapping and source.items is not None
    if type(container) is Mapping and container.items is not None and known:
        new_keys = {key: ref for key, ref in source.keys.items() if key not in container.items}
        container.items.update(source.items)
        container.keys.update(new_keys)
        put_all(m, container, [*source.items.values(), *new_keys.values()])
    else:
        put_in(m, container, source)


#: Containers whose operators put together what is in them, and compute nothing.
_JOINED = frozenset({list, tuple, dict, set, frozenset, deque, array})


def join(m: Machine, op: str, z: Any, x: Ref, y: Ref, site: Site, in_place: bool) -> Ref:
    """The reference of `[…] + […]`, `[…] * n` or `{…} | {…}`; None if it is no such thing."""
    if type(z) not in _JOINED:
        return None
    x, y = m.holder(x), m.holder(y)
    if in_place and m.known_value(x) is z and type(z) is not tuple and type(x) in (Sequence, Mapping, Thing):
        _join_in_place(m, op, x, y)
        return x
    if type(z) is dict and op == "or_" and type(x) is Mapping and x.items is not None:
        merged = Mapping(dict(x.items), z, keys=dict(x.keys))
        update(m, merged, y)
        m.heap[id(z)] = merged
        return merged
    if type(z) not in (list, tuple) and not (type(x) is Sequence and x.kind is type(z)):
        return None
    items = _joined(m, op, x, y)
    ref = Sequence(type(z), items, z, [] if items is not None else [x, y])
    m.heap[id(z)] = ref
    return ref


def _joined(m: Machine, op: str, x: Ref, y: Ref) -> list[Ref] | None:
    if type(x) is Sequence and x.items is not None and type(y) is Sequence and y.items is not None and op == "add":
        return [*x.items, *y.items]
    if op == "mul":
        sequence, count = (x, y) if type(x) is Sequence else (y, x)
        times = m.known_value(count)
        if type(sequence) is Sequence and sequence.items is not None and isinstance(times, int):
            return list(sequence.items) * times
    return None


def _join_in_place(m: Machine, op: str, x: Ref, y: Ref) -> None:
    if type(x) is Sequence and op == "add":
        extend(m, x, y)
    elif type(x) is Mapping and op == "or_":
        update(m, x, y)
    elif type(x) is Sequence and x.items is not None and op == "mul" and isinstance(m.known_value(y), int):
        x.items *= m.known_value(y)
    elif op not in ("and_", "sub"):  # which only take something out
        put_in(m, x, y)


# ---- arrays


def kept(m: Machine, before: int) -> set[int]:
    """Identities of the owners of memory that the instruction at hand kept copies of, as it does before a write.

    `before` is as for `written_unseen`.
    """
    found = set()
    for position in range(m.snapshot, len(m.tape.snapshots)):
        snapshot = m.tape.snapshots[position]
        if snapshot.at >= before:
            break
        if m.is_changed(position):
            found.add(id(snapshot.array))
    return found


def written_unseen(
    m: Machine, f: Frame, index: int, since: int, before: int, sources: list[Ref], unknown: set[int] | None = None
) -> None:
    """Arrays that unrecorded code wrote to, which the recorder kept copies of: what is in them now is `opaque`.

    `since` is the first snapshot that may belong to the instruction, `before` the length of values that those that do
    are from before. `unknown` are the owners of memory that no node stands for yet what was written to; None for the
    one array that a store may have written to.
    """
    snapshots = m.tape.snapshots
    if since >= len(snapshots) or snapshots[since].at >= before:
        return
    among = m.among(Thing(UNSET, [ref for ref in sources if ref is not None and ref is not NULL]))
    for position in range(since, len(snapshots)):
        if snapshots[position].at >= before or (unknown is None and position > since):  # a store writes to one array
            break
        m.snapshot = max(m.snapshot, position + 1)
        owner = id(snapshots[position].array)
        node = m.memory.newest.get(owner)
        is_unknown = m.is_changed(position) if unknown is None else owner in unknown
        if node is not None and is_unknown:
            written = m.columns.value[node]
            operands = list(dict.fromkeys([m.node(node), *among]))
            m.write(written, m.new("opaque", written, operands, f, f.plan.site(index)))  # type: ignore[arg-type]
