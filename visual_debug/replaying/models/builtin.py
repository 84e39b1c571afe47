"""Functions that hand on, count or look up, and compute nothing: iteration, attributes, getters."""

from __future__ import annotations

import operator
from typing import Any

from visual_debug import kinds
from visual_debug.replaying import containers, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import calling
from visual_debug.replaying.models.registry import INSTANCES, Pending, models
from visual_debug.replaying.symbols import Leaf, Ref, Sequence, Stream, Thing


@models(range, slice)
def _range(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return Thing(z)


@models(len, isinstance, issubclass, id, hash, callable, hasattr, type, print)
def about(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """Answers about form and kind, which no derivative passes through."""
    if call.callee is type and len(call.args) > 1:  # a class is made
        return None
    if call.callee is len or call.callee is hash:
        m.unknown_code(call.args, "__len__", "__hash__")
    if kinds.is_number(z):
        site = f.plan.site(index)
        return Leaf(z, "const", site.text or None, site)
    return Thing(z)


@models(iter, reversed)
def _iterator(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = m.holder(call.args[0]) if len(call.args) == 1 else None
    if call.callee is reversed:
        if type(ref) is Sequence and ref.items is not None:
            return containers.over(m, ref, backward=True)
        if type(ref) is Thing and type(ref.object) is range:
            return containers.iterate(m, f, index, Thing(ref.object[::-1]))
        return None
    return containers.iterate(m, f, index, ref) if ref is not None else None


@models(next)
def _next(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream, *default = call.args
    if type(stream) is not Stream:
        return None
    if not default:
        return containers.taken(m, stream, z, f.plan.site(index))
    if calling.is_empty(stream):
        calling.exhausted(stream)
        return default[0] if m.agrees(default[0], z) else None
    found = stream.advance(z)
    # What agrees with both may be either: the last item, or what is given when there are no more.
    return found if found is not None and m.agrees(found, z) and not m.agrees(default[0], z) else None


@models(operator.getitem)
def _getitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.subscript(m, f, index, call.args[0], call.args[1], z)


@models(operator.setitem)
def _setitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stores.store_subscript(m, f, index, *call.args, called=True)
    return Thing(z)


@models(setattr)
def _setattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if isinstance(name, str):
        stores.store_attribute(m, f, index, call.args[0], name, call.args[2])
    else:
        stores.put_in(m, call.args[0], call.args[2])
    return Thing(z)


@models(delattr)
def _delattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.attributes.get(id(m.known_value(call.args[0])), {}).pop(m.known_value(call.args[1]), None)
    return Thing(z)


@models(vars)
def _vars(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.attribute(m, f, index, call.args[0], "__dict__", z) if call.args else None


@models(getattr)
def _getattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if not isinstance(name, str):
        return None
    if len(call.args) == 3:
        default = call.args[2]
        if not kinds.is_number(z) and m.agrees(default, z):
            return default
        if m.node(default) is not None:  # is it the number that was there, or the one that was not?
            return None
    return containers.attribute(m, f, index, call.args[0], name, z)


def _item_getter(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    keys = call.callee.__reduce__()[1]
    if len(keys) != 1 or len(call.args) != 1:
        return None
    key = containers.constant(m, keys[0], f.plan.site(index))
    return containers.subscript(m, f, index, call.args[0], key, z)


def _attribute_getter(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    names = call.callee.__reduce__()[1]
    if len(names) != 1 or "." in names[0] or len(call.args) != 1:
        return None
    return containers.attribute(m, f, index, call.args[0], names[0], z)


INSTANCES[operator.itemgetter] = _item_getter
INSTANCES[operator.attrgetter] = _attribute_getter
