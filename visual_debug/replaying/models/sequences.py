"""Lists, tuples, deques, arrays of `array` and sets: how they are made, and their methods."""

from __future__ import annotations

import copy
from array import array
from collections import deque
from typing import Any

from visual_debug import kinds
from visual_debug.replaying import containers, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.builtin import about
from visual_debug.replaying.models.ordering import is_plain, order_of
from visual_debug.replaying.models.registry import Pending, is_callback, methods, models
from visual_debug.replaying.symbols import Mapping, Ref, Sequence, Thing


@models(list, tuple)
def _sequence(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.all_items(m, f, index, call.args[0]) if call.args else []
    if items is None:
        source = call.args[0]
        if (
            call.callee is tuple
            or type(source) is not Thing
            or not containers.gives_items(source)
            or not m.is_intact(source)
        ):
            return None
        m.heap[id(z)] = held = Thing(z, [source], outside=True)  # it holds what was there before, and so will the copy
        return held
    m.heap[id(z)] = ref = Sequence(type(z), items, z)
    return ref


#: Types of which a deep copy is the very same object.
_SAME_IN_COPIES = kinds.SCALARS | {str, bytes, type(None)}


@models(copy.copy, copy.deepcopy)
def _copy(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """A copy of a list or dict; a deep one only of numbers, which are not copied themselves."""
    source: Any = m.holder(call.args[0]) if len(call.args) == 1 and not call.kwargs else None
    if type(source) not in (Sequence, Mapping) or source.items is None or type(z) is not type(source.object):
        return None
    items = list(source.items) if type(source) is Sequence else [*source.items.values(), *source.keys.values()]
    if call.callee is copy.deepcopy and any(type(m.known_value(item)) not in _SAME_IN_COPIES for item in items):
        return None
    if type(source) is Mapping and type(z) is dict:
        m.heap[id(z)] = ref = Mapping(dict(source.items), z, keys=dict(source.keys))
        return ref
    if type(source) is Sequence and type(z) is list:
        m.heap[id(z)] = listed = Sequence(list, items, z)
        return listed
    return None


@models(deque)
def _deque(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    source = call.args[0] if call.args else call.kwargs.get("iterable")
    items = containers.all_items(m, f, index, source) if source is not None else []
    if items is None:
        return None
    m.heap[id(z)] = ref = Sequence(deque, deque(items, z.maxlen), z)
    return ref


@models(array)
def _array(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.items_of(m.holder(call.args[1])) if len(call.args) > 1 else []
    if items is None or z.typecode != "d":
        return None
    m.heap[id(z)] = ref = Sequence(array, items, z)
    return ref


@models(set, frozenset)
def _set(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.all_items(m, f, index, call.args[0]) if call.args else []
    if items is None or any(type(item) is Thing for item in items):  # which may have code of their own for `==`
        return None
    m.heap[id(z)] = ref = Thing(z)
    for item in items:
        m.put(ref, item)
    return ref


_LISTS = (list, deque, array)


@methods(_LISTS, "append", "appendleft", "insert", "extend", "extendleft", "fromlist", "rotate", "reverse", "clear",
          "pop", "popleft", "copy", "remove", "sort")  # fmt: skip
def _list_method(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    owner, name, args = call.callee.__self__, call.callee.__name__, call.args
    site = f.plan.site(index)
    ref = m.holder(Thing(owner))
    if type(ref) is not Sequence or ref.items is None:
        for arg in args if name in _PUTTING else ():
            stores.put_in(m, ref, arg)
        if name in ("pop", "popleft"):
            return containers.take(m, ref, z, site) if type(owner) is not array else None
        return Thing(z) if name in _PUTTING or name in ("rotate", "reverse") else None
    if name == "copy":
        m.heap[id(z)] = copied = Sequence(ref.kind, ref.items.copy(), z)
        return copied
    if name == "sort":
        return _sort(m, ref, call)
    if name in ("pop", "popleft"):
        positions = [m.known_value(arg) for arg in args]
        if not ref.items or not all(isinstance(position, int) for position in positions):
            ref.forget()
            return containers.take(m, ref, z, site)
        found = ref.items.popleft() if name == "popleft" else _pop(ref.items, *positions)
        return containers.take(m, ref, z, site, None, found)
    if not _change(m, ref, name, args):
        for arg in args:
            stores.put_in(m, ref, arg)
    return Thing(z)


#: Methods whose arguments are in the container afterwards.
_PUTTING = frozenset({"append", "appendleft", "insert", "extend", "extendleft", "fromlist", "remove"})


def _pop(items: Any, position: int = -1) -> Ref:
    if type(items) is list:
        return items.pop(position)
    found = items[position]
    del items[position]
    return found


def _change(m: Machine, ref: Sequence, name: str, args: list[Ref]) -> bool:
    """Do to the known items what a method does to the list; False if what it does is not known."""
    items = ref.items
    match name:
        case "append":
            items.append(args[0])
        case "appendleft":
            items.appendleft(args[0])
        case "insert" if isinstance(m.known_value(args[0]), int):
            items.insert(m.known_value(args[0]), args[1])
        case "extend" | "extendleft" | "fromlist":
            added = containers.items_of(m.holder(args[0]))
            if added is None:
                return False
            items.extendleft(added) if name == "extendleft" else items.extend(added)
            stores.put_all(m, ref, added)
            return True
        case "rotate" if all(isinstance(m.known_value(arg), int) for arg in args):
            items.rotate(*(m.known_value(arg) for arg in args))
        case "reverse":
            items.reverse()
        case "clear":
            items.clear()
        case "remove":
            place = _place_of(m, items, m.known_value(args[0]))
            if place is None:
                return False
            del items[place]
        case _:
            return False
    stores.put_all(m, ref, [arg for arg in args if name in _PUTTING])
    return True


def _place_of(m: Machine, items: Any, value: Any) -> int | None:
    """Where the first item equal to a value is, as far as comparing them runs no code of the user's."""
    for place, item in enumerate(items if is_plain(value) else ()):
        known = m.known_value(item)
        if not is_plain(known):
            return None
        if known is value or known == value:
            return place
    return None


def _sort(m: Machine, ref: Sequence, call: Pending) -> Ref:
    """`list.sort`, whose key may be anything."""
    order = order_of(m, ref.items, call.kwargs, call.fold)
    if order is not None:
        ref.items[:] = [ref.items[i] for i in order]
    elif any(is_callback(arg) for arg in call.kwargs.values()) or any(type(item) is Thing for item in ref.items):
        m.escape([ref, *call.kwargs.values()])
    else:
        ref.forget()
    return Thing(None)


@methods((*_LISTS, tuple, range, str, bytes), "index", "count")
def _place(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.unknown_code([*call.args, Thing(call.callee.__self__)], "__eq__")
    return about(m, f, index, call, target, z)


@methods((set,), "add", "update", "pop", "discard", "remove", "clear")
def _set_method(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.unknown_code(call.args, "__hash__", "__eq__")
    held = m.holder(Thing(call.callee.__self__))
    name = call.callee.__name__
    if name == "pop":
        return containers.take(m, held, z, f.plan.site(index))
    if name in ("add", "update"):
        for arg in call.args:
            stores.put_in(m, held, arg)
    return Thing(z)
