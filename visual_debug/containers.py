"""Numbers through lists, tuples, dicts, objects and arrays: what replay knows of what is stored where.

A container made or passed in while recording is followed item by item. Whatever is read from it is checked against
the recorded value, so that a change made behind the recorder's back costs the provenance, never its truth.
"""

from __future__ import annotations

from typing import Any

from visual_debug import arrays, symbols
from visual_debug.columns import Call
from visual_debug.machine import Frame, Machine
from visual_debug.symbols import NULL, UNSET, Leaf, Mapping, Ref, Sequence, Stream, Thing, View
from visual_debug.tape import Site


def constant(m: Machine, value: Any, site: Site) -> Ref:
    """An item of a tuple literal."""
    if type(value) in symbols.SCALARS:
        return Leaf(value, "const", None, site)
    if type(value) is tuple:
        return Sequence(tuple, [constant(m, item, site) for item in value], value)
    return Thing(value)


def put_in(container: Ref, item: Ref) -> None:
    """Something was stored in a container at a place that is not followed."""
    if type(container) in (Sequence, Mapping):
        container.forget()
    if type(container) in (Sequence, Mapping, Thing) and item is not None and item is not NULL:
        container.among.append(item)


def slice_of(parts: list[Ref], m: Machine) -> Ref:
    """The reference of `slice(*parts)`, with its value if that of all parts is known."""
    values = [m.known_value(part) for part in parts]
    return Thing(UNSET if any(v is UNSET for v in values) else slice(*values))


def key_value(m: Machine, key: Ref) -> Any:
    """The value of a subscript, or UNSET."""
    if type(key) is Sequence and key.items is not None:
        values = [key_value(m, item) for item in key.items]
        return UNSET if any(v is UNSET for v in values) else key.kind(values)
    return m.known_value(key)


# ---- reading


def subscript(m: Machine, f: Frame, index: int, container: Ref, key: Ref, z: Any) -> Ref:
    """The reference of `container[key]`, whose recorded value is `z`."""
    site = f.plan.site(index)
    position = key_value(m, key)
    node = m.node(container)
    if node is not None:
        return _item_of_node(m, f, site, node, position, z, key)
    nested = m.take_nested(z) if f.entered == index else None
    if nested is not None:
        return nested
    if type(container) is Sequence and container.items is not None and position is not UNSET:
        found = _from_sequence(m, container.items, container.kind, position, z)
        if found is not None:
            return found
    if type(container) is Mapping and container.items is not None and position is not UNSET:
        ref = _get(container.items, position)
        if ref is not None and m.agrees(ref, z):
            return ref
    if type(container) is Thing and not isinstance(m.known_value(container), (dict, list, tuple)) and m.among(key):
        container = Thing(m.known_value(container), [container, key])
    text = site.text
    if position is not UNSET and text.endswith("]") and not isinstance(position, slice):
        text = f"{text[: text.rindex('[')]}[{position!r}]"
    return m.discover(z, site, text, container)


def _get(items: dict[Any, Ref], key: Any) -> Ref:
    try:
        return items.get(key)
    except TypeError:  # an unhashable key: some other mapping type's business
        return None


def _from_sequence(m: Machine, items: list[Ref], kind: type, position: Any, z: Any) -> Ref:
    if isinstance(position, slice):
        if type(z) is not kind:
            return None
        part = Sequence(kind, items[position], z)
        m.heap[id(z)] = part
        return part
    try:
        ref = items[position]
    except (TypeError, IndexError):
        return None
    return ref if m.agrees(ref, z) else None


def _item_of_node(m: Machine, f: Frame, site: Site, node: int | None, position: Any, z: Any, key: Ref) -> Ref:
    """An element or part of an array, or an item of a tuple that an operation returned."""
    assert node is not None
    if not symbols.is_number(z):
        return Thing(z, [node])
    if position is UNSET:
        return m.new("opaque", z, [node, *m.among(key)], f, site)
    return m.new("getitem", z, [node], f, site, Call((m.columns.value[node], position), {}, (0,)))


def unpack(m: Machine, f: Frame, index: int, source: Ref, values: list[Any]) -> list[Ref]:
    """The references of `a, b, … = source`."""
    site = f.plan.site(index)
    node = m.node(source)
    if node is not None:
        return [_item_of_node(m, f, site, node, i, z, None) for i, z in enumerate(values)]
    if type(source) is Stream:
        return [m.claim(source.advance(z), z, site, source=source.source) for z in values]
    items: list[Ref] = [None] * len(values)
    if type(source) is Sequence and source.items is not None and len(source.items) == len(values):
        items = source.items
    return [
        m.claim(ref, z, site, _item_name(site, i), source) for i, (ref, z) in enumerate(zip(items, values, strict=True))
    ]


def _item_name(site: Site, i: int) -> str | None:
    return f"{site.text}[{i}]" if site.text else None


def unpack_starred(
    m: Machine, f: Frame, index: int, source: Ref, values: list[Any], before: int, after: int
) -> list[Ref]:
    """The references of `a, *b, c = source`; the value of `b` is a new list."""
    site = f.plan.site(index)
    middle = values[before]
    if type(source) is Sequence and source.items is not None and len(source.items) >= before + after:
        items = source.items
        stop = len(items) - after
        part = Sequence(list, items[before:stop], middle)
        refs = [*items[:before], part, *items[stop:]]
    else:
        part = Sequence(list, None, middle, [source])
        refs = [None] * before + [part] + [None] * after
    m.heap[id(middle)] = part
    return [part if ref is part else m.claim(ref, z, site, source=source) for ref, z in zip(refs, values, strict=True)]


# ---- attributes

#: Attributes of arrays and numbers that are numbers by themselves, and the operation that reads them.
_PARTS = {"T": "numpy.transpose", "real": "numpy.real", "imag": "numpy.imag"}
#: Attributes that tell of an array's form, which no derivative passes through.
_FORM = frozenset({"shape", "size", "ndim", "dtype", "itemsize", "nbytes", "strides"})


def attribute(m: Machine, f: Frame, index: int, base: Ref, name: str, z: Any) -> Ref:
    """The reference of `base.name`, whose recorded value is `z`."""
    site = f.plan.site(index)
    node = m.node(base)
    if node is not None:
        if name in _FORM or not symbols.is_number(z):
            return _form(m, z, site) if name in _FORM else Thing(z, [node])
        op = _PARTS.get(name, "opaque")
        return m.new(op, z, [node], f, site)
    nested = m.take_nested(z)
    if nested is not None:
        return nested
    owner = m.known_value(base)
    known = None if owner is UNSET else _stored(m, owner, name)
    by_code = f.entered != index and _reads_by_code(owner, name)
    if owner is not UNSET and (name == "__dict__" or by_code):
        m.escape(Thing(owner), m.among(base))
    if known is not None and m.agrees(known, z):
        return known
    if callable(z) and type(base) in (Sequence, Mapping, Thing):
        return m.heap.get(id(z)) or Thing(z, [base])  # a bound method leads to what it is bound to
    return m.discover(z, site, source=base if known is None else Thing(owner, [base, known]))


def _stored(m: Machine, owner: Any, name: str) -> Ref:
    """What was stored as an attribute of an object or, failing that, of its class."""
    for holder in (owner, *type(owner).__mro__):
        known = m.attributes.get(id(holder), {})
        if name in known:
            return known[name]
    return None


def _reads_by_code(owner: Any, name: str) -> bool:
    """Whether reading the attribute runs a property or a `__getattr__` of the class."""
    kind = type(owner)
    return isinstance(getattr(kind, name, None), property) or hasattr(kind, "__getattr__")


def key_of(m: Machine, mapping: Mapping, key: Any, site: Site) -> Ref:
    """The reference of a key of a dict."""
    return m.discover(key, site, None, Thing(UNSET, list(mapping.keys))) if mapping.keys else constant(m, key, site)


def _form(m: Machine, z: Any, site: Site) -> Ref:
    return Leaf(z, "const", site.text or None, site) if symbols.is_number(z) else constant(m, z, site)


def store_attribute(m: Machine, f: Frame, index: int, base: Ref, name: str, value: Ref) -> None:
    """`base.name = value`."""
    if m.node(base) is not None:
        written_unseen(m, f, index, m.snapshot, m.v + 1, [base, value])
        return
    owner = m.known_value(base)
    if owner is not UNSET and _sets_by_code(owner, name):
        if f.entered == index:
            return  # that code was recorded
        m.escape(Thing(owner), m.among(Thing(UNSET, [ref for ref in (base, value) if ref is not None])))
    elif owner is not UNSET:
        m.attributes.setdefault(id(owner), {})[name] = value
        held = m.heap.setdefault(id(owner), Thing(owner))
        if type(held) is Thing:
            held.among.append(value)
    elif type(base) is Thing:
        base.among.append(value)


def _sets_by_code(owner: Any, name: str) -> bool:
    """Whether setting the attribute runs a property or a `__setattr__` of the class."""
    kind = type(owner)
    plain: tuple[Any, ...] = (object.__setattr__, type.__setattr__)
    return isinstance(getattr(kind, name, None), property) or kind.__setattr__ not in plain


# ---- writing


def set_item(m: Machine, container: Ref, key: Any, value: Ref, key_ref: Ref = None) -> None:
    """`container[key] = value` for a followed container; otherwise the value is somewhere in it."""
    kind = type(container)
    if kind is Mapping and key_ref is not None and m.among(key_ref):
        container.keys.append(key_ref)
    if key is not UNSET and kind is Mapping and container.items is not None:
        try:
            container.items[key] = value
        except TypeError:
            put_in(container, value)
        return
    length = len(container.items) if kind is Sequence and container.items is not None else 0
    if isinstance(key, int) and -length <= key < length:
        container.items[key] = value
        return
    known = type(value) is Sequence and value.items is not None
    if isinstance(key, slice) and kind is Sequence and container.items is not None and known:
        container.items[key] = list(value.items)
        return
    put_in(container, value)


def store_subscript(m: Machine, f: Frame, index: int, container: Ref, key: Ref, value: Ref) -> None:
    """`container[key] = value`; for an array a new version of it."""
    position = key_value(m, key)
    node = m.node(container)
    if node is None:
        owner = m.known_value(container)
        if type(container) is Thing and owner is not UNSET:
            container = m.heap.setdefault(id(owner), container)
        set_item(m, container, position, value, key)
        m.unknown_code([container, key, value])
        written_unseen(m, f, index, m.snapshot, m.v + 1, [container, value])
        return
    array = m.columns.value[node]
    operands, call = [node], None
    stored = m.node(value)
    if stored is not None:
        operands.append(stored)
    content = m.known_value(value)
    if position is not UNSET and content is not UNSET and (stored is not None or not m.among(value)):
        call = Call((array, position, content), {}, (0, 2)[: len(operands)])
        op = "setitem"
    else:
        operands.extend(m.among(value) if stored is None else [])
        op = "opaque"
    m.pass_snapshot()
    written = m.new(op, array, operands, f, f.plan.site(index), call)
    supersede(m, f, index, array, written)


def supersede(m: Machine, f: Frame, index: int, array: Any, written: int) -> None:
    """From now on the array means the node `written`, and other views of its memory show what was written, too."""
    m.versions[id(array)] = written
    owner = arrays.owner_of(array)
    m.written[id(owner)] = written
    seen = {id(array)}
    for node in range(written - 1, -1, -1):
        other = m.columns.value[node]
        if id(other) in seen or not arrays.is_array(other):
            continue
        seen.add(id(other))
        if arrays.owner_of(other) is owner and arrays.share_memory(other, array):
            before = m.versions.get(id(other), node)
            m.versions[id(other)] = m.new("opaque", other, [before, written], f, f.plan.site(index))


def written_unseen(m: Machine, f: Frame, index: int, since: int, before: int, sources: list[Ref]) -> None:
    """Arrays that unrecorded code wrote to, which the recorder kept copies of: what is in them now is `opaque`.

    `since` is the first snapshot that may belong to the instruction, `before` the length of values that those that do
    are from before.
    """
    snapshots = m.tape.snapshots
    if since >= len(snapshots) or snapshots[since].at >= before:
        return
    among = m.among(Thing(UNSET, [ref for ref in sources if ref is not None and ref is not NULL]))
    for position in range(since, len(snapshots)):
        owner = snapshots[position].array
        if snapshots[position].at >= before:
            break
        m.snapshot = max(m.snapshot, position + 1)
        node = next((n for n in range(len(m.columns) - 1, -1, -1) if _is_part(m.columns.value[n], owner)), None)
        if node is not None:
            array = m.columns.value[node]
            before = m.versions.get(id(array), node)
            operands = list(dict.fromkeys([before, *among]))
            supersede(m, f, index, array, m.new("opaque", array, operands, f, f.plan.site(index)))


def may_be_written(m: Machine, f: Frame, site: Site, ref: Ref, among: list[int]) -> None:
    """Python code that is not recorded was handed an array: nobody can tell what it wrote to it."""
    node = m.node(ref)
    if node is not None and arrays.is_array(m.columns.value[node]):
        array = m.columns.value[node]
        m.versions[id(array)] = m.new("opaque", array, list(dict.fromkeys([node, *among])), f, site)


def _is_part(value: Any, owner: Any) -> bool:
    return arrays.is_array(value) and arrays.owner_of(value) is owner


def delete_subscript(m: Machine, container: Ref, key: Ref) -> None:
    """`del container[key]`."""
    position = key_value(m, key)
    m.unknown_code([container, key])
    if type(container) in (Sequence, Mapping) and container.items is not None:
        try:
            del container.items[position]
        except (TypeError, KeyError, IndexError):
            container.forget()


def extend(m: Machine, container: Ref, source: Ref) -> None:
    """`container.extend(source)`."""
    known = type(source) is Sequence and source.items is not None
    if known and type(container) is Sequence and container.items is not None:
        container.items.extend(source.items)
    elif type(container) in (Sequence, Thing):
        put_in(container, source)


def update(m: Machine, container: Ref, source: Ref) -> None:
    """`container.update(source)` of a dict with another."""
    known = type(source) is Mapping and source.items is not None
    if type(container) is Mapping and container.items is not None and known:
        container.items.update(source.items)
    else:
        put_in(container, source)


def join(m: Machine, op: str, z: Any, x: Ref, y: Ref, site: Site, in_place: bool) -> Ref:
    """The reference of `[…] + […]` or `[…] * n`; None if it is no such thing."""
    if type(z) not in (list, tuple):
        return None
    items: list[Ref] | None = None
    if type(x) is Sequence and x.items is not None and type(y) is Sequence and y.items is not None and op == "add":
        items = [*x.items, *y.items]
    elif op == "mul":
        sequence, count = (x, y) if type(x) is Sequence else (y, x)
        times = m.known_value(count)
        if type(sequence) is Sequence and sequence.items is not None and isinstance(times, int):
            items = sequence.items * times
    if in_place and type(x) is Sequence and x.object is z:
        if items is not None and x.items is not None:
            x.items[:] = items
        else:
            put_in(x, y)
        return x
    ref = Sequence(type(z), items, z, [] if items is not None else [x, y])
    m.heap[id(z)] = ref
    return ref


# ---- iterating


def iterate(m: Machine, f: Frame, index: int, ref: Ref) -> Ref:
    """The stream of `iter(ref)`."""
    site = f.plan.site(index)
    if type(ref) is Stream:
        return ref
    node = m.node(ref)
    if node is not None:
        return _elements(m, f, site, node)
    if type(ref) is Thing and isinstance(ref.object, range):
        numbers = iter(ref.object)

        def advance(z: Any) -> Ref:
            return Leaf(next(numbers, z), "const", None, site)

        return Stream(advance, None, lambda: [Leaf(i, "const", None, site) for i in numbers], counts=True)
    if type(ref) is View:
        return ref.make()
    if type(ref) is Thing and ref.object is not UNSET:
        known = m.heap.get(id(ref.object))
        if known is not None and known is not ref:
            return iterate(m, f, index, known)
    if type(ref) is Sequence and ref.items is not None:
        return over(m, ref)
    if type(ref) is Mapping and ref.items is not None:
        mapping = ref
        return Stream(lambda z: key_of(m, mapping, z, site), ref)
    return Stream(lambda z: m.discover(z, site, None, ref), ref)


def over(m: Machine, sequence: Sequence, *, backward: bool = False) -> Stream:
    """A stream over a followed list or tuple, as it is when each item is asked for."""
    step = -1 if backward else 1
    position = len(sequence.items or ()) if backward else -1

    def advance(z: Any) -> Ref:
        nonlocal position
        position += step
        items = sequence.items
        return items[position] if items is not None and 0 <= position < len(items) else None

    def rest() -> list[Ref] | None:
        nonlocal position
        items = sequence.items
        if items is None:
            return None
        refs = items[:position][::-1] if backward else items[position + 1 :]
        position = -1 if backward else len(items)
        return refs

    return Stream(advance, sequence, rest)


def items_of(ref: Ref) -> list[Ref] | None:
    """All items that a consumer of the whole takes from a container or stream; None if they are not known."""
    if type(ref) is Sequence:
        return ref.items
    if type(ref) is View:
        return ref.make().rest()
    if type(ref) is Stream:
        return ref.rest()
    return None


def _elements(m: Machine, f: Frame, site: Site, node: int) -> Stream:
    """A stream over the rows or elements of an array."""
    position = -1

    def advance(z: Any) -> Ref:
        nonlocal position
        position += 1
        return _item_of_node(m, f, site, m.node(node), position, z, None)

    return Stream(advance, node)


def next_item(m: Machine, f: Frame, index: int, stream: Ref, z: Any) -> Ref:
    """The reference of the item `z` that a loop was given."""
    site = f.plan.site(index)
    if type(stream) is not Stream:
        return m.discover(z, site, None, stream)
    return m.claim(stream.advance(z), z, site, source=stream.source)
