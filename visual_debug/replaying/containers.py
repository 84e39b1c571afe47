"""Numbers out of lists, tuples, dicts, objects and arrays: what replay knows of what is where.

A container made or passed in while recording is followed item by item. Whatever is read from it is checked against
the recorded value, so that a change made behind the recorder's back costs the provenance, never its truth.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, MethodWrapperType, ModuleType
from typing import Any

from visual_debug import arrays, kinds, structures
from visual_debug.columns import Call
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.origins import is_inert
from visual_debug.replaying.symbols import UNSET, Leaf, Mapping, Ref, Sequence, Stream, Thing, View
from visual_debug.tracing.tape import Site


def constant(m: Machine, value: Any, site: Site) -> Ref:
    """An item of a tuple literal."""
    if type(value) in kinds.SCALARS:
        return Leaf(value, "const", None, site)
    if type(value) is tuple:
        return Sequence(tuple, [constant(m, item, site) for item in value], value)
    return Thing(value)


def slice_of(parts: list[Ref], m: Machine) -> Ref:
    """The reference of `slice(*parts)`, with its value if that of all parts is known."""
    values = [m.known_value(part) for part in parts]
    return Thing(UNSET if any(v is UNSET for v in values) else slice(*values))


def index_value(m: Machine, key: Ref) -> Any:
    """The value of a subscript of an array, or UNSET."""
    if type(key) is Sequence and key.items is not None:
        values = [index_value(m, item) for item in key.items]
        return UNSET if any(v is UNSET for v in values) else key.kind(values)
    return m.known_value(key)


def key_value(m: Machine, key: Ref) -> Any:
    """The value of a key or index, or UNSET if it does not tell which entry is meant."""
    value = index_value(m, key)
    return value if value is UNSET or kinds.is_plain_key(value) else UNSET


# ---- reading


def subscript(m: Machine, f: Frame, index: int, container: Ref, key: Ref, z: Any) -> Ref:
    """The reference of `container[key]`, whose recorded value is `z`."""
    site = f.plan.site(index)
    node = m.node(container)
    if node is not None:
        answer = m.take_nested(z) if kinds.redefines(m.columns.value[node], ("__getitem__",)) else None
        return answer if answer is not None else _item_of_node(m, f, site, node, index_value(m, key), z, key)
    node = flattened(m, container)
    if node is not None:
        return _item_of_node(m, f, site, node, flat_index(m, node, index_value(m, key)), z, key)
    if type(container) is Thing and arrays.is_joiner(container.object):
        parts = key.items if type(key) is Sequence and key.kind is tuple and key.items is not None else [key]
        return m.call_node(f"numpy.{'c_' if container.object.axis else 'r_'}", z, parts, {}, f, site, None)
    position = key_value(m, key)
    computed = m.nested_here(z)
    returned = m.take_nested(z)
    container = m.holder(container)
    is_followed = type(container) is Mapping and container.items is not None and position is not UNSET
    is_default = is_followed and type(container.object) is defaultdict and _get(container.items, position) is None
    if computed is not None and is_default:
        return _put_default(m, container, position, key, computed)  # a plain key runs no code but the factory's
    if returned is not None:
        return returned
    found: Ref = None
    if type(container) is Sequence and container.items is not None and position is not UNSET:
        found = _from_sequence(m, container.items, container.kind, position, z)
        if found is not None and m.agrees(found, z):
            return found
    if type(container) is Mapping and container.items is not None and position is not UNSET:
        ref = _get(container.items, position)
        if ref is None and type(container.object) is defaultdict:
            ref = _made_by_default(m, container, position, key, z, site)
        elif ref is None and type(container.object) is Counter and type(z) is int:
            return Leaf(z, "const", None, site)  # 0, which is not put in
        if ref is not None and m.agrees(ref, z):
            return ref
    m.unknown_code([container, key], "__getitem__", "__missing__")
    if type(container) is Thing and not gives_items(container) and m.among(key):
        container = Thing(container.object, [container, key])
    text = site.text
    written = kinds.key_text(position) if position is not UNSET and type(position) is not slice else None
    if written is not None and text.endswith("]"):
        text = f"{text[: text.rindex('[')]}[{written}]"
    return take(m, container, z, site, text, found)


def _made_by_default(m: Machine, container: Mapping, position: Any, key: Ref, z: Any, site: Site) -> Ref:
    """What a `defaultdict` puts in for a key that it does not have."""
    factory = container.object.default_factory
    made: Ref = None
    if factory in (int, float, complex, bool) and type(z) is factory:
        made = Leaf(z, "const", None, site)
    elif factory in (list, dict, set) and type(z) is factory and id(z) not in m.heap:
        made = m.heap[id(z)] = (
            Sequence(list, [], z) if factory is list else Mapping({}, z) if factory is dict else Thing(z)
        )
    if made is None:
        container.forget()
        return None
    return _put_default(m, container, position, key, made)


def _put_default(m: Machine, container: Mapping, position: Any, key: Ref, made: Ref) -> Ref:
    container.items[position] = made  # type: ignore[index]
    m.put(container, made)
    if not (type(key) is Leaf and key.op == "const"):
        container.keys[position] = key
        m.put(container, key)
    return made


#: Containers that give their items out as they were put in.
_PLAIN = frozenset({list, tuple, dict, set, frozenset, deque, OrderedDict, Counter})


def gives_items(ref: Ref) -> bool:
    return type(ref.object) in _PLAIN


def take(m: Machine, source: Ref, z: Any, site: Site, name: str | None = None, found: Ref = None) -> Ref:
    """The reference of an item that came out of a container, or `found` if that is certainly it."""
    if found is not None and m.agrees(found, z):
        return found
    if found is not None and type(source) is Sequence and source.kind is array:
        # It keeps the bits of a number, and makes another object of them each time.
        value, node = m.known_value(found), m.node(found)
        if type(value) in (float, int) and type(z) is float and z == value:
            assert node is not None
            return m.new("float", z, [node], m.frame, site)
    moved = type(source) is Thing and gives_items(source) and m.is_intact(source)
    return m.discover(z, site, name, source, moved=moved)


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
    return ref


def _item_of_node(m: Machine, f: Frame, site: Site, node: int | None, position: Any, z: Any, key: Ref) -> Ref:
    """An element or part of an array, or an item of a tuple that an operation returned."""
    assert node is not None
    whole = m.columns.value[node]
    if type(position) is slice and isinstance(whole, tuple) and type(z) is tuple:
        places = range(len(whole))[position]
        return Sequence(tuple, [_item_of_node(m, f, site, node, i, whole[i], None) for i in places], z)
    if not kinds.is_number(z):
        return Thing(z, [node])
    if position is UNSET or kinds.redefines(whole, ("__getitem__", "__iter__")):
        return m.new("opaque", z, [node, *m.among(key)], f, site)
    return m.new("getitem", z, [node], f, site, Call((m.columns.value[node], position), {}, (0,)))


def flattened(m: Machine, ref: Ref) -> int | None:
    """The node of the array that `array.flat` gives the elements of; None for anything else."""
    if type(ref) is not Thing or not arrays.is_flat(ref.object) or len(ref.among) != 1:
        return None
    return m.node(ref.among[0])


def flat_index(m: Machine, node: int, position: Any) -> Any:
    """The index in an array of what its `flat` has at a position."""
    return UNSET if position is UNSET else arrays.flat_index(m.columns.value[node], position)


def item_of_array(m: Machine, f: Frame, site: Site, node: int, place: tuple[int, ...], z: Any) -> Ref:
    """One element of an array."""
    return _item_of_node(m, f, site, node, place if len(place) != 1 else place[0], z, None)


def unpack(m: Machine, f: Frame, index: int, source: Ref, values: list[Any]) -> list[Ref]:
    """The references of `a, b, … = source`."""
    site = f.plan.site(index)
    node = m.node(source)
    if node is not None:
        return [_item_of_node(m, f, site, node, i, z, None) for i, z in enumerate(values)]
    source = m.holder(source)
    if type(source) is Stream:
        return [take(m, source.source, z, site, None, source.advance(z)) for z in values]
    items: list[Ref] = [None] * len(values)
    if type(source) is Sequence and source.items is not None and len(source.items) == len(values):
        items = list(source.items)
    m.unknown_code([source], "__iter__", "__getitem__")
    return [
        take(m, source, z, site, _item_name(site, i), ref) for i, (ref, z) in enumerate(zip(items, values, strict=True))
    ]


def _item_name(site: Site, i: int) -> str | None:
    return f"{site.text}[{i}]" if site.text else None


def unpack_starred(
    m: Machine, f: Frame, index: int, source: Ref, values: list[Any], before: int, after: int
) -> list[Ref]:
    """The references of `a, *b, c = source`; the value of `b` is a new list."""
    site = f.plan.site(index)
    middle = values[before]
    items = all_items(m, f, index, source) if m.node(source) is not None else None
    source = Sequence(list, items) if items else m.holder(source)
    if type(source) is Sequence and source.items is not None and len(source.items) >= before + after:
        items = list(source.items)
        stop = len(items) - after
        part = Sequence(list, items[before:stop], middle)
        refs = [*items[:before], part, *items[stop:]]
    else:
        if type(source) is Stream:
            source.lose()
        part = Sequence(list, None, middle, [source])
        refs = [None] * before + [part] + [None] * after
    m.heap[id(middle)] = part
    return [part if ref is part else m.claim(ref, z, site, source=source) for ref, z in zip(refs, values, strict=True)]


# ---- attributes

#: Attributes of arrays and numbers that are numbers by themselves, and the operation that reads them.
_PARTS = {"T": "numpy.transpose", "mT": "numpy.matrix_transpose", "real": "numpy.real", "imag": "numpy.imag"}
#: Those of `numpy.matrix`.
_PARTS_OF_MATRICES = {
    "A": "numpy.asarray",
    "A1": "numpy.ravel",
    "I": "numpy.linalg.inv",
    "H": "numpy.matrixlib.defmatrix.matrix.H",
}
#: Attributes that tell of an array's form, which no derivative passes through.
_FORM = frozenset({"shape", "size", "ndim", "dtype", "itemsize", "nbytes", "strides"})


#: Attributes that are but ways to call something.
_BOUND = frozenset({FunctionType, MethodType, BuiltinFunctionType, MethodWrapperType})


def met(m: Machine, ref: Ref, owner: Any) -> bool:
    """Whether a method's owner is what was not recorded when it came to be, as `*args` and `**kwargs`; it is known now."""
    if type(ref) not in (Sequence, Mapping) or ref.object is not UNSET or type(owner) not in (tuple, dict):
        return False
    ref.object = owner
    m.heap[id(owner)] = ref
    return True


def attribute(m: Machine, f: Frame, index: int, base: Ref, name: str, z: Any) -> Ref:
    """The reference of `base.name`, whose recorded value is `z`."""
    site = f.plan.site(index)
    node = m.node(base)
    if node is not None:
        value = m.columns.value[node]
        if kinds.redefines(value, (name,)):
            returned = m.take_nested(z)
            if returned is not None or kinds.is_number(z):
                return returned if returned is not None else m.new("opaque", z, [node], f, site)
        if isinstance(value, tuple) and name in getattr(type(value), "_fields", ()):
            return _item_of_node(m, f, site, node, type(value)._fields.index(name), z, None)  # type: ignore[attr-defined]
        if name in _FORM or not kinds.is_number(z):
            return _form(m, z, site) if name in _FORM else Thing(z, [node])
        is_matrix = type(value).__name__ == "matrix" and type(value).__module__ == "numpy"
        op = _PARTS_OF_MATRICES.get(name) if is_matrix else None
        op = op or _PARTS.get(name, "opaque")
        return m.new(op, z, [node], f, site)
    returned = m.take_nested(z)
    if returned is not None:
        return returned
    owner = m.known_value(base)
    if type(base) is Sequence and base.items is not None:
        fields = structures.tuple_fields(type(owner)) or ()
        if name in fields and m.agrees(base.items[fields.index(name)], z):
            return base.items[fields.index(name)]
    if owner is UNSET and type(z) is BuiltinFunctionType and met(m, base, z.__self__):
        return Thing(z, [base])
    if owner is UNSET:
        return Thing(z, [base]) if callable(z) and type(base) is Thing else m.discover(z, site, source=base)
    known = _stored(m, owner, name)
    by_code = name == "__dict__" or (f.entered != index and _reads_by_code(owner, name))
    was_intact = m.is_intact(base)
    if by_code:
        m.escape([base])
    if known is not None and m.agrees(known, z):
        return known
    if type(base) in (Sequence, Mapping, Thing) and (type(z) in _BOUND or (callable(z) and is_inert(owner))):
        return m.heap.get(id(z)) or Thing(z, [base])  # a bound method leads to what it is bound to
    is_plain, homes = _kept(m, owner, name)
    if known is None and was_intact and not by_code and is_plain:
        # Nobody but recorded code could have set it, and that has not: it was there before.
        is_number = kinds.is_number(z) and not arrays.is_array(z)
        return m.discover(z, site, source=None if is_number else base, moved=True)
    if known is not None or (homes and kinds.is_number(z)):
        base = Thing(owner, [ref for ref in (base, known, *homes) if ref is not None])
    return m.discover(z, site, source=base)


def _kept(m: Machine, owner: Any, name: str) -> tuple[bool, list[Ref]]:
    """Whether an attribute is kept in the object, or in a class that nobody has changed, and no code stands between.

    And if it is kept in a class, that and its module, whose functions may have set it.
    """
    kind: Any = type(owner)
    for holder in owner.__mro__ if issubclass(kind, type) else kind.__mro__:
        if name in vars(holder) and holder.__flags__ & 0x200:  # Py_TPFLAGS_HEAPTYPE
            found = vars(holder)[name]
            if type(found) is MemberDescriptorType:
                break
            home = sys.modules.get(holder.__module__)
            is_changed = id(holder) in m.classes or not m.is_untouched(holder) or not m.is_untouched(home)
            return not is_changed and not hasattr(type(found), "__get__"), [Thing(holder), Thing(home)]
    return not issubclass(kind, (type, ModuleType)) and kind.__getattribute__ is object.__getattribute__, []


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
    if mapping.items is None:
        return take(m, mapping, key, site)
    ref = mapping.keys.get(key)
    return constant(m, key, site) if ref is None else take(m, mapping, key, site, None, ref)


def _form(m: Machine, z: Any, site: Site) -> Ref:
    return Leaf(z, "const", site.text or None, site) if kinds.is_number(z) else constant(m, z, site)


# ---- iterating


def iterate(m: Machine, f: Frame, index: int, ref: Ref) -> Ref:
    """The stream of `iter(ref)`."""
    site = f.plan.site(index)
    if type(ref) is Stream:
        return ref
    node = m.node(ref)
    if node is not None:
        return _elements(m, f, site, node)
    flat = flattened(m, ref)
    if flat is not None:
        return _elements(m, f, site, flat, flat=True)
    if type(ref) is Thing and type(ref.object) is range:
        return counting(ref.object, site)
    if type(ref) is View:
        return ref.make()
    ref = m.holder(ref)
    if type(ref) is Stream:
        return ref
    if type(ref) is Sequence and ref.items is not None:
        return over(m, ref)
    if type(ref) is Mapping and ref.items is not None:
        mapping = ref
        return Stream(lambda z: key_of(m, mapping, z, site), ref)
    return unfollowed(m, ref, site)


def counting(numbers: range, site: Site) -> Stream:
    """A stream of the numbers of a range."""
    position = 0

    def advance(z: Any) -> Ref:
        nonlocal position
        position += 1
        try:
            return Leaf(numbers[position - 1], "const", None, site)
        except IndexError:  # there are no more: something else was iterated over
            return Leaf(z, "const", None, site)

    def rest() -> list[Ref]:
        nonlocal position
        left = numbers[position:]
        position += len(left)
        return [Leaf(i, "const", None, site) for i in left]

    def skip(count: int) -> None:
        nonlocal position
        position += count

    def peek(count: int) -> range:
        return numbers[position : position + count]

    return Stream(advance, None, rest, counts=True, peek=peek, skip=skip, site=site)


def unfollowed(m: Machine, ref: Ref, site: Site) -> Stream:
    """A stream of values out of something that is not followed."""

    def advance(z: Any) -> Ref:
        m.unknown_code([ref], "__next__", "__getitem__")
        return take(m, ref, z, site)

    m.unknown_code([ref], "__iter__")
    return Stream(advance, ref)


def over(m: Machine, sequence: Sequence, *, backward: bool = False) -> Stream:
    """A stream over a followed list or tuple, as it is when each item is asked for."""
    step = -1 if backward else 1
    position = len(sequence.items or ()) if backward else -1
    is_over = False  # once at the end it stays there, whatever the list is given later

    def advance(z: Any) -> Ref:
        nonlocal position, is_over
        position += step
        items = sequence.items
        if items is None:
            return None
        is_over = is_over or not 0 <= position < len(items)
        return None if is_over else items[position]

    def rest() -> list[Ref] | None:
        nonlocal is_over
        if sequence.items is None:
            return None
        items: list[Ref] = [] if is_over else list(sequence.items)
        is_over = True
        return items[:position][::-1] if backward else items[position + 1 :]

    def peek(count: int) -> list[Ref] | None:
        if backward or sequence.items is None:
            return None
        return [] if is_over else list(sequence.items[position + 1 : position + 1 + count])

    def skip(count: int) -> None:
        nonlocal position
        position += step * count

    return Stream(advance, sequence, rest, peek=peek, skip=skip)


def items_of(ref: Ref) -> list[Ref] | None:
    """All items that a consumer of the whole takes from a container or stream; None if they are not known."""
    if type(ref) is Sequence:
        return list(ref.items) if ref.items is not None else None
    if type(ref) is View:
        return ref.make().rest()
    if type(ref) is Stream:
        return ref.rest()
    return None


def _elements(m: Machine, f: Frame, site: Site, node: int, *, flat: bool = False) -> Stream:
    """A stream over the rows or elements of an array, or over all its elements."""
    position = -1

    def advance(z: Any) -> Ref:
        nonlocal position
        position += 1
        now = m.node(node)
        assert now is not None
        place = flat_index(m, now, position) if flat else position
        if z is not UNSET:
            return _item_of_node(m, f, site, now, place, z, None)
        content = m.columns.value[now] if isinstance(m.columns.value[now], tuple) else m.content(now)
        if position >= (content.size if flat else len(content)):
            return None
        return m.copied(_item_of_node(m, f, site, now, place, content[place], None))

    def rest() -> list[Ref]:
        nonlocal position
        now = m.node(node)
        assert now is not None
        whole = m.columns.value[now]
        content = whole if isinstance(whole, tuple) or (whole.ndim != 1 and not flat) else m.content(now)
        content = content.ravel() if flat else content
        begin, position = position + 1, len(content)
        return [
            m.copied(_item_of_node(m, f, site, now, flat_index(m, now, i) if flat else i, content[i], None))
            for i in range(begin, len(content))
        ]

    return Stream(advance, node, rest)


def all_items(m: Machine, f: Frame, index: int, ref: Ref) -> list[Ref] | None:
    """All items that a consumer of the whole takes, of an array too; None if they are not known."""
    node = m.node(ref)
    value: Any = None if node is None else m.columns.value[node]
    if node is not None and isinstance(value, tuple):
        site = f.plan.site(index)
        return [_item_of_node(m, f, site, node, i, part, None) for i, part in enumerate(value)]
    is_read = (arrays.is_array(value) and value.ndim) or flattened(m, ref) is not None
    is_read = is_read or (type(ref) is Thing and type(ref.object) is range)
    return iterate(m, f, index, ref).rest() if is_read else items_of(m.holder(ref))


def next_item(m: Machine, f: Frame, index: int, stream: Ref, z: Any) -> Ref:
    """The reference of the item `z` that a loop was given."""
    site = f.plan.site(index)
    if type(stream) is not Stream:
        return m.discover(z, site, None, stream)
    return taken(m, stream, z, site)


def taken(m: Machine, stream: Stream, z: Any, site: Site) -> Ref:
    """The reference of the item `z` that was taken from a stream."""
    found = stream.advance(z)
    is_copied = type(stream.source) is Sequence and stream.source.kind is array
    if found is not None and not is_copied and m.known_value(found) is not UNSET and not m.agrees(found, z):
        stream.lose()  # out of step: somebody has taken from it unseen
    return take(m, stream.source, z, site, None, found)
