"""Building, filling and unpacking containers; matching; text."""

from __future__ import annotations

from typing import Any

from visual_debug.replaying import containers, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import UNSET, Cell, Leaf, Mapping, Ref, Sequence, Thing


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


def as_tuple(m: Machine, x: Ref, z: Any) -> Ref:
    if type(x) is Sequence:
        ref: Ref = Sequence(tuple, list(x.items) if x.items is not None else None, z, list(x.among), x.pool)
    else:
        ref = Thing(z, [x])
    m.heap[id(z)] = ref
    return ref


@handles("LIST_TO_TUPLE")
def _list_to_tuple(m: Machine, f: Frame, arg: Any) -> None:
    x = f.stack.pop()
    f.stack.append(as_tuple(m, x, m.value()))


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
