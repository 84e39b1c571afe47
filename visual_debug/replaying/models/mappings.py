"""Dicts and their kin: how they are made, and their methods."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import Any

from visual_debug.replaying import containers, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import Pending, methods, models
from visual_debug.replaying.symbols import UNSET, Mapping, Ref, Sequence, Stream, Thing, View
from visual_debug.tracing.tape import Site


@models(dict, OrderedDict, defaultdict, Counter)
def _dict(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = Mapping(OrderedDict() if type(z) is OrderedDict else {}, z)
    args = call.args[1:] if type(z) is defaultdict else call.args
    if type(z) is Counter and (args or call.kwargs):
        return None
    for source in args:
        if not _add_pairs(m, ref, m.holder(source)):
            return None
    for key, value in call.kwargs.items():
        stores.set_item(m, ref, key, value)
    m.heap[id(z)] = ref
    return ref


def _add_pairs(m: Machine, ref: Mapping, source: Ref) -> bool:
    """Add what `dict(source)` takes from a dict or from pairs, if that is known."""
    if type(source) is Mapping:
        if source.items is not None:
            stores.update(m, ref, source)
        return source.items is not None
    pairs = containers.items_of(source)
    for pair in pairs or ():
        if type(pair) is not Sequence or pair.items is None or containers.key_value(m, pair.items[0]) is UNSET:
            return False
        stores.set_item(m, ref, containers.key_value(m, pair.items[0]), pair.items[1], pair.items[0])
    return pairs is not None


@models(dict.fromkeys, OrderedDict.fromkeys)
def _from_keys(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    keys = containers.iterate(m, f, index, call.args[0]).rest()
    if keys is None or any(containers.key_value(m, key) is UNSET for key in keys):
        return None
    ref = Mapping(OrderedDict() if type(z) is OrderedDict else {}, z)
    for key in keys:
        stores.set_item(m, ref, containers.key_value(m, key), call.args[1] if len(call.args) > 1 else Thing(None), key)
    m.heap[id(z)] = ref
    return ref


_DICTS = (dict, OrderedDict, defaultdict)


@methods((*_DICTS, Counter), "get", "pop", "setdefault", "items", "values", "keys", "clear", "popitem")
@methods(_DICTS, "copy", "update", "move_to_end")
def _dict_method(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = m.holder(Thing(call.callee.__self__))
    name, args = call.callee.__name__, call.args
    site = f.plan.site(index)
    if type(ref) is not Mapping or ref.items is None:
        return _unfollowed_dict(m, ref, name, args, z, site)
    keys = [containers.key_value(m, arg) for arg in args[:1]]
    items: Any = ref.items
    match name:
        case "values" | "items" | "keys":
            return View(lambda: _view_stream(m, ref, name, site), ref)
        case "copy":
            m.heap[id(z)] = copied = Mapping(items.copy(), z, keys=dict(ref.keys))
            return copied
        case "clear":
            items.clear()
            ref.keys.clear()
            return Thing(z)
        case "update" if len(args) <= 1:
            for source in args:
                if not _add_pairs(m, ref, m.holder(source)):
                    stores.put_in(m, ref, source)
            for key, value in call.kwargs.items():
                stores.set_item(m, ref, key, value)
            return Thing(z)
        case "get" | "setdefault" | "pop" if args and keys[0] is not UNSET:
            found = items.get(keys[0], args[1] if len(args) > 1 else Thing(None))
            if name == "setdefault" and keys[0] not in items:
                stores.set_item(m, ref, keys[0], found, args[0])
            elif name == "pop":
                items.pop(keys[0], None)
                ref.keys.pop(keys[0], None)
            return containers.take(m, ref if len(args) < 2 else Thing(UNSET, [ref, args[1]]), z, site, None, found)
        case "popitem" if items:
            last = not call.kwargs or m.known_value(call.kwargs["last"])
            key = next(reversed(items) if last else iter(items))
            pair = Sequence(tuple, [containers.key_of(m, ref, key, site), items.pop(key)])
            ref.keys.pop(key, None)
            return containers.take(m, ref, z, site, None, pair)
        case "move_to_end" if keys[0] in items and len(args) == 1 and not call.kwargs:
            items.move_to_end(keys[0])
            return Thing(z)
    return None


def _unfollowed_dict(m: Machine, ref: Ref, name: str, args: list[Ref], z: Any, site: Site) -> Ref:
    match name:
        case "values" | "items" | "keys":
            return View(lambda: containers.unfollowed(m, ref, site), ref)
        case "get" | "setdefault" | "pop" if args:
            if len(args) == 1:
                return containers.take(m, ref, z, site)
            if name == "setdefault":
                m.put(ref, args[1])
            return m.discover(z, site, source=Thing(UNSET, [ref, args[1]]))
        case "move_to_end" | "clear":
            return Thing(z)
    return None


def _view_stream(m: Machine, mapping: Mapping, name: str, site: Site) -> Stream:
    """A stream over the keys, values or items of a followed dict, in its order."""
    items: Any = mapping.items
    pairs = iter(items.items() if items is not None else ())

    def part(key: Any, ref: Ref) -> Ref:
        if name == "values":
            return ref
        key_ref = containers.key_of(m, mapping, key, site)
        return key_ref if name == "keys" else Sequence(tuple, [key_ref, ref])

    def advance(z: Any) -> Ref:
        if mapping.items is not items:  # not known any more
            return None
        try:
            pair = next(pairs, None)
        except RuntimeError:  # changed meanwhile, as only unrecorded code can do without being told so
            return None
        return part(*pair) if pair is not None else None

    def rest() -> list[Ref] | None:
        return [part(key, ref) for key, ref in pairs] if mapping.items is items and items is not None else None

    return Stream(advance, mapping, rest)
