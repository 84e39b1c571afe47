"""What is put in order: `sorted`, `heapq`, the least and the greatest by a key."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

from visual_debug import arrays, kinds
from visual_debug.replaying import containers, heaps, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import calling
from visual_debug.replaying.models.registry import Model, Pending, models
from visual_debug.replaying.symbols import Ref, Sequence, Stream, Thing


class Keyed:
    """The items that a recorded key was asked about, in order, and what it returned."""

    def __init__(self, items: list[Ref], stream: Stream | None = None) -> None:
        self.items = items
        self.keys: list[Any] = []
        self.stream = stream  #: that they are taken from, each before its key

    @property
    def is_known(self) -> bool:
        """Whether how the items are ordered can be told without running any code of the user's."""
        return len(self.keys) == len(self.items) and all(map(is_plain, self.keys))


@models(sorted)
def _sorted(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = call.fold.items if call.fold is not None else containers.all_items(m, f, index, call.args[0])
    order = order_of(m, items, call.kwargs, call.fold)
    if items is None or order is None:
        return None
    m.heap[id(z)] = ref = Sequence(list, [items[i] for i in order], z)
    return ref


def order_of(
    m: Machine, items: list[Ref] | None, kwargs: dict[str, Ref], keyed: Keyed | None = None
) -> list[int] | None:
    """How sorting orders plain values: sorting is stable, so equal ones keep their order. None if not known."""
    if items is None or kwargs.keys() - {"reverse", "key"}:
        return None
    values = [m.known_value(item) for item in items]
    backward = m.known_value(kwargs["reverse"]) if "reverse" in kwargs else False
    if type(backward) is not bool:
        return None
    if keyed is not None:
        return sorted(range(len(items)), key=keyed.keys.__getitem__, reverse=backward) if keyed.is_known else None
    if not all(map(is_plain, values)):
        return None
    key = m.known_value(kwargs["key"]) if "key" in kwargs else None
    if key is not None:
        if not (type(key) is operator.itemgetter or _is_safe(key)):
            return None
        values = list(map(key, values))
    return sorted(range(len(items)), key=values.__getitem__, reverse=backward)


def _is_safe(key: Any) -> bool:
    """Whether a function can be called once more without harm."""
    return isinstance(key, BuiltinFunctionType) and (
        key is abs or key is len or key.__module__ in ("math", "_operator")
    )


def is_plain(value: Any) -> bool:
    """Whether comparing a value runs no code of the user's."""
    kind = type(value)
    return (
        kind in kinds.SCALARS or arrays.is_scalar(value) or kind is str or (kind is tuple and all(map(is_plain, value)))
    )


@models(max, min)
def _extreme_by_key(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`max` returns one of the items: which one, the keys tell, or their values, or its identity."""
    if "key" not in call.kwargs:
        return _extreme_of_tuples(m, call, z)
    if call.fold is not None and call.fold.stream is not None:
        calling.exhausted(call.fold.stream)
    if call.fold is not None and call.fold.is_known:
        if not call.fold.items:
            return call.kwargs.get("default")
        best = call.callee(range(len(call.fold.items)), key=call.fold.keys.__getitem__)
        ref = call.fold.items[best]
        return ref if m.agrees(ref, z) else None
    items = call.args
    if len(items) == 1 and type(items[0]) is Sequence and items[0].items is not None:
        items = list(items[0].items)
    found = [ref for ref in items if m.agrees(ref, z)]
    return found[0] if len(found) == 1 and kinds.has_identity(z) else None


def _extreme_of_tuples(m: Machine, call: Pending, z: Any) -> Ref:
    """The least or greatest of items that are no numbers, as far as comparing them runs no code of the user's."""
    items = call.args
    if len(items) == 1:
        holder = m.holder(items[0])
        taken = containers.items_of(holder)
        if taken is None:
            return None
        items = taken
        call.args = [Sequence(list, items)]  # an iterator has given them once
    if not items:
        return call.kwargs.get("default")
    call.kwargs = {}  # the default is none of them
    values = [m.known_value(item) for item in items]
    if all(map(kinds.is_number, values)) or not all(map(is_plain, values)):
        return None
    ref = items[call.callee(range(len(items)), key=values.__getitem__)]
    return ref if m.agrees(ref, z) else None


class _Unordered(Exception):
    """Code of the user's compares two items."""


def _less(m: Machine, a: Ref, b: Ref) -> bool:
    x, y = m.known_value(a), m.known_value(b)
    if type(x) is type(y) is tuple:
        for u, v in zip(x, y, strict=False):
            if u is v:
                continue
            if not is_plain(u) or not is_plain(v):
                raise _Unordered
            if u != v:
                return bool(u < v)
        return len(x) < len(y)
    if not is_plain(x) or not is_plain(y):
        raise _Unordered
    return bool(x < y)


#: What is done to a heap: with the items, the other argument, and the comparison.
_HEAP: dict[str, Callable[[list[Ref], list[Ref], heaps.Less[Ref]], Ref]] = {
    "heappush": lambda items, args, less: heaps.push(items, args[0], less),
    "heappop": lambda items, args, less: heaps.pop(items, less),
    "heapreplace": lambda items, args, less: heaps.replace(items, args[0], less),
    "heappushpop": lambda items, args, less: heaps.push_pop(items, args[0], less),
    "heapify": lambda items, args, less: heaps.arrange(items, less),
}


def _heap_model(name: str, *, greatest: bool) -> Model:
    """The model of one function of `heapq`; `greatest` for those that keep the greatest item in front."""

    def model(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
        def less(a: Ref, b: Ref) -> bool:
            return _less(m, b, a) if greatest else _less(m, a, b)

        heap, args = m.holder(call.args[0]), call.args[1:]
        if type(heap) is not Sequence or heap.kind is not list or not heap.items and name in ("heappop", "heapreplace"):
            return None
        if heap.items is None:
            return None
        before = heap.items[:1]
        try:
            found = _HEAP[name](heap.items, args, less)
        except (_Unordered, TypeError):
            for ref in (*before, *args):
                stores.put_in(m, heap, ref)
            return None
        if name == "heapify":
            return Thing(z)
        stores.put_all(m, heap, args)
        return Thing(z) if name == "heappush" else containers.take(m, heap, z, f.plan.site(index), None, found)

    return model


for _name in _HEAP:
    models(getattr(heapq, _name))(_heap_model(_name, greatest=False))
    for _spelling in (f"{_name}_max", f"_{_name}_max"):  # private before 3.14
        if hasattr(heapq, _spelling):
            models(getattr(heapq, _spelling))(_heap_model(_name, greatest=True))


@models(heapq.nsmallest, heapq.nlargest)
def _extremes(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """The same as sorting and taking the first ones."""
    count = m.known_value(call.args[0])
    if len(call.args) != 2 or not isinstance(count, int):
        return None
    items = containers.items_of(m.holder(call.args[1]))
    order = order_of(m, items, {**call.kwargs, "reverse": Thing(call.callee is heapq.nlargest)})
    if items is None or order is None:
        return None
    m.heap[id(z)] = ref = Sequence(list, [items[i] for i in order[: max(count, 0)]], z)
    return ref
