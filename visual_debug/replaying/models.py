"""Builtins that move numbers about without computing: where what they give comes from."""

from __future__ import annotations

import heapq
import operator
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

from visual_debug import arrays, kinds
from visual_debug.replaying import containers, heaps, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.origins import has_own_code
from visual_debug.replaying.symbols import UNSET, Closure, Leaf, Mapping, Ref, Sequence, Stream, Thing, View
from visual_debug.tracing.tape import Site


class Pending:
    """A call whose result is still to come: the callable that was recorded, and references of its arguments."""

    __slots__ = ("args", "callee", "kwargs")

    def __init__(self, callee: Any, args: list[Ref], kwargs: dict[str, Ref]) -> None:
        self.callee, self.args, self.kwargs = callee, args, kwargs


def answers_by_code(callee: Any) -> bool:
    """Whether asking a callable for an attribute would run code of its class."""
    kind: Any = type(callee)
    plain: tuple[Any, ...] = (object.__getattribute__, type.__getattribute__)
    return hasattr(kind, "__getattr__") or (has_own_code(callee) and kind.__getattribute__ not in plain)


def told(callee: Any, name: str) -> Any:
    """An attribute of a callable, or None; the user's own code is not run for it."""
    return None if answers_by_code(callee) else getattr(callee, name, None)


#: Types whose methods move what they are given into the object, or out of it, and run no other code.
MOVING = frozenset({
    list, dict, tuple, deque, set, frozenset, OrderedDict, defaultdict, Counter, array, str, bytes, bytearray, range,
})  # fmt: skip

#: What takes part in the replay of a call: machine, frame, instruction, the call, what its callable came from, result.
Model = Callable[[Machine, Frame, int, Pending, Ref, Any], Ref]
_MODELS: dict[Any, Model] = {}
_METHODS: dict[tuple[type, str], Model] = {}
_INSTANCES: dict[type, Model] = {}


#: Modules whose functions leave their arguments as they are (those that do not are known to the recorder).
_PURE_MODULES = frozenset({
    "math", "cmath", "builtins", "numpy", "scipy", "operator", "_operator", "statistics", "copy", "fractions", "decimal",
    "logging", "warnings", "pprint", "json", "matplotlib",
})  # fmt: skip


def is_pure(callee: Any) -> bool:
    """Whether a callable leaves its arguments as they are, but for what it puts into the object it is a method of."""
    if type(told(callee, "__self__")) in MOVING:
        return isinstance(callee, BuiltinFunctionType)
    return (told(callee, "__module__") or "").partition(".")[0] in _PURE_MODULES


def is_callback(ref: Ref) -> bool:
    """Whether an argument is something that the callee may call, and that may do anything."""
    if type(ref) is Closure:
        return True
    if type(ref) is not Thing or not callable(ref.object) or issubclass(type(ref.object), type):
        return False
    return not (isinstance(ref.object, BuiltinFunctionType) and is_pure(ref.object))


#: Types of the callables that there are models of. To look any other up would run its class's `__hash__`.
_HASHED = frozenset({type, BuiltinFunctionType, FunctionType})


def model_of(callee: Any) -> Model | None:
    """The model of a callable, which gives the reference of its result, or None if it does not know it either."""
    owner = told(callee, "__self__")
    if isinstance(callee, BuiltinFunctionType) and type(owner) in MOVING:
        return _METHODS.get((type(owner), callee.__name__))
    if type(callee) in _INSTANCES:
        return _INSTANCES[type(callee)]
    if arrays.is_array(owner) and type(callee) is BuiltinFunctionType:
        return _listed if callee.__name__ == "tolist" else None
    if type(callee) is BuiltinFunctionType and type(owner).__name__ == "_array_converter":
        return _wrapped if callee.__name__ == "wrap" else None
    if type(callee) is type and kinds.module_of(callee) == "numpy":
        return _OF_NUMPY.get(callee.__name__)
    return _MODELS.get(callee) if type(callee) in _HASHED else None


def _models(*callables: Any) -> Callable[[Model], Model]:
    def enter(model: Model) -> Model:
        for item in callables:
            _MODELS[item] = model
        return model

    return enter


def _methods(kinds: tuple[type, ...], *names: str) -> Callable[[Model], Model]:
    def enter(model: Model) -> Model:
        for kind in kinds:
            for name in names:
                _METHODS[kind, name] = model
        return model

    return enter


@_models(range, slice)
def _range(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return Thing(z)


@_models(len, isinstance, issubclass, id, hash, callable, hasattr, type, print)
def _about(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """Answers about form and kind, which no derivative passes through."""
    if call.callee is len or call.callee is hash:
        m.unknown_code(call.args, "__len__", "__hash__")
    if kinds.is_number(z):
        site = f.plan.site(index)
        return Leaf(z, "const", site.text or None, site)
    return Thing(z)


@_models(iter, reversed)
def _iterator(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = m.holder(call.args[0]) if len(call.args) == 1 else None
    if call.callee is reversed:
        if type(ref) is Sequence and ref.items is not None:
            return containers.over(m, ref, backward=True)
        if type(ref) is Thing and type(ref.object) is range:
            return containers.iterate(m, f, index, Thing(ref.object[::-1]))
        return None
    return containers.iterate(m, f, index, ref) if ref is not None else None


@_models(enumerate)
def _enumerate(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = containers.iterate(m, f, index, call.args[0])
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        return Sequence(tuple, [Leaf(item[0], "const", None, site), _checked(m, stream, item[1], site)])

    begin: Any = m.known_value(call.args[1]) if len(call.args) > 1 else 0 if not call.kwargs else UNSET

    def rest() -> list[Ref] | None:
        refs = stream.rest()
        if refs is None or begin is UNSET:
            return None
        return [Sequence(tuple, [Leaf(i, "const", None, site), ref]) for i, ref in enumerate(refs, begin)]

    return Stream(advance, stream, rest)


@_models(zip)
def _zip(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        return Sequence(tuple, [_checked(m, s, v, site) for s, v in zip(streams, item, strict=True)])

    def rest() -> list[Ref] | None:
        columns = [s.rest() for s in streams]
        if any(refs is None for refs in columns):
            return None
        return [Sequence(tuple, list(refs)) for refs in zip(*columns, strict=False)]

    return Stream(advance, Thing(UNSET, [s.source for s in streams]), rest)


def _checked(m: Machine, stream: Stream, value: Any, site: Site) -> Ref:
    return containers.take(m, stream.source, value, site, None, stream.advance(value))


@_models(next)
def _next(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = call.args[0]
    if type(stream) is not Stream or len(call.args) != 1:
        return None
    return _checked(m, stream, z, f.plan.site(index))


@_models(list, tuple)
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
        m.heap[id(z)] = copy = Thing(z, [source], outside=True)  # it holds what was there before, and so will the copy
        return copy
    m.heap[id(z)] = ref = Sequence(type(z), items, z)
    return ref


@_models(deque)
def _deque(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    source = call.args[0] if call.args else call.kwargs.get("iterable")
    items = containers.all_items(m, f, index, source) if source is not None else []
    if items is None:
        return None
    m.heap[id(z)] = ref = Sequence(deque, deque(items, z.maxlen), z)
    return ref


@_models(array)
def _array(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.items_of(m.holder(call.args[1])) if len(call.args) > 1 else []
    if items is None or z.typecode != "d":
        return None
    m.heap[id(z)] = ref = Sequence(array, items, z)
    return ref


@_models(set, frozenset)
def _set(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.all_items(m, f, index, call.args[0]) if call.args else []
    if items is None or any(type(item) is Thing for item in items):  # which may have code of their own for `==`
        return None
    m.heap[id(z)] = ref = Thing(z)
    for item in items:
        m.put(ref, item)
    return ref


@_models(sorted)
def _sorted(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.all_items(m, f, index, call.args[0])
    order = _order(m, items, call.kwargs)
    if items is None or order is None:
        return None
    m.heap[id(z)] = ref = Sequence(list, [items[i] for i in order], z)
    return ref


def _order(m: Machine, items: list[Ref] | None, kwargs: dict[str, Ref]) -> list[int] | None:
    """How sorting orders plain values: sorting is stable, so equal ones keep their order. None if not known."""
    if items is None or kwargs.keys() - {"reverse", "key"}:
        return None
    values = [m.known_value(item) for item in items]
    backward = m.known_value(kwargs["reverse"]) if "reverse" in kwargs else False
    if type(backward) is not bool or not all(map(_is_plain, values)):
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


def _is_plain(value: Any) -> bool:
    """Whether comparing a value runs no code of the user's."""
    kind = type(value)
    return (
        kind in kinds.SCALARS
        or arrays.is_scalar(value)
        or kind is str
        or (kind is tuple and all(map(_is_plain, value)))
    )


def _listed(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`array.tolist()`: Python's numbers, in lists of lists."""
    node = m.node(target)
    array: Any = None if node is None else m.columns.value[node]
    if not arrays.is_array(array) or not array.ndim or not type(z) is list:
        return None
    assert node is not None
    return _lists(m, f, index, node, m.content(node), z, ())


def _lists(m: Machine, f: Frame, index: int, node: int, content: Any, z: Any, place: tuple[int, ...]) -> Ref:
    """What is at a place: `z`, if it is a list that is still there, was made for it."""
    if not arrays.is_array(content):
        return m.copied(containers.item_of_array(m, f, f.plan.site(index), node, place, content.item()))
    inner = z if type(z) is list and len(z) == len(content) else [None] * len(content)
    items = [_lists(m, f, index, node, content[i], inner[i], (*place, i)) for i in range(len(content))]
    ref = Sequence(list, items, z if type(z) is list else UNSET)
    if type(z) is list:
        m.heap[id(z)] = ref
    return ref


def _wrapped(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """How NumPy's own Python functions give what they made the type of what they were given."""
    node = m.node(call.args[0])
    return None if node is None or not arrays.is_array(z) else m.new("numpy.asarray", z, [node], f, f.plan.site(index))


def _each_with_index(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`numpy.ndenumerate`."""
    node = m.node(call.args[0])
    site = f.plan.site(index)
    if node is None:
        return None

    def advance(item: Any) -> Ref:
        place, value = item
        now = m.node(node)
        assert now is not None
        where = Sequence(tuple, [Leaf(i, "const", None, site) for i in place])
        return Sequence(tuple, [where, containers.item_of_array(m, f, site, now, place, value)], item)

    return Stream(advance, node)


def _places(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`numpy.ndindex`: tuples of counts."""
    site = f.plan.site(index)
    return Stream(lambda item: Sequence(tuple, [Leaf(i, "const", None, site) for i in item], item))


#: Models of callables of NumPy, by name, for it need not have been imported.
_OF_NUMPY: dict[str, Model] = {"ndenumerate": _each_with_index, "ndindex": _places}


@_models(operator.getitem)
def _getitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.subscript(m, f, index, call.args[0], call.args[1], z)


@_models(operator.setitem)
def _setitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stores.store_subscript(m, f, index, *call.args, called=True)
    return Thing(z)


@_models(setattr)
def _setattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if isinstance(name, str):
        stores.store_attribute(m, f, index, call.args[0], name, call.args[2])
    else:
        stores.put_in(m, call.args[0], call.args[2])
    return Thing(z)


@_models(delattr)
def _delattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.attributes.get(id(m.known_value(call.args[0])), {}).pop(m.known_value(call.args[1]), None)
    return Thing(z)


@_models(vars)
def _vars(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.attribute(m, f, index, call.args[0], "__dict__", z) if call.args else None


@_models(getattr)
def _getattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if len(call.args) != 2 or not isinstance(name, str):
        return None
    return containers.attribute(m, f, index, call.args[0], name, z)


@_models(dict, OrderedDict, defaultdict, Counter)
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


@_models(dict.fromkeys, OrderedDict.fromkeys)
def _from_keys(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    keys = containers.iterate(m, f, index, call.args[0]).rest()
    if keys is None or any(containers.key_value(m, key) is UNSET for key in keys):
        return None
    ref = Mapping(OrderedDict() if type(z) is OrderedDict else {}, z)
    for key in keys:
        stores.set_item(m, ref, containers.key_value(m, key), call.args[1] if len(call.args) > 1 else Thing(None), key)
    m.heap[id(z)] = ref
    return ref


@_models(max, min)
def _extreme_by_key(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`max(…, key=…)` returns one of the items: which one, its identity tells."""
    if not {"key", "default"} & call.kwargs.keys():
        return None
    items = call.args
    if len(items) == 1 and type(items[0]) is Sequence and items[0].items is not None:
        items = list(items[0].items)
    found = [ref for ref in items if m.agrees(ref, z)]
    return found[0] if len(found) == 1 and kinds.has_identity(z) else None


# ---- methods of containers

_LISTS = (list, deque, array)


@_methods(_LISTS, "append", "appendleft", "insert", "extend", "extendleft", "fromlist", "rotate", "reverse", "clear",
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
    for place, item in enumerate(items if _is_plain(value) else ()):
        known = m.known_value(item)
        if not _is_plain(known):
            return None
        if known is value or known == value:
            return place
    return None


def _sort(m: Machine, ref: Sequence, call: Pending) -> Ref:
    """`list.sort`, whose key may be anything."""
    order = _order(m, ref.items, call.kwargs)
    if order is not None:
        ref.items[:] = [ref.items[i] for i in order]
    elif any(is_callback(arg) for arg in call.kwargs.values()) or any(type(item) is Thing for item in ref.items):
        m.escape([ref, *call.kwargs.values()])
    else:
        ref.forget()
    return Thing(None)


@_methods((*_LISTS, tuple, range, str, bytes), "index", "count")
def _place(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.unknown_code([*call.args, Thing(call.callee.__self__)], "__eq__")
    return _about(m, f, index, call, target, z)


@_methods((set,), "add", "update", "pop", "discard", "remove", "clear")
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


_DICTS = (dict, OrderedDict, defaultdict)


@_methods((*_DICTS, Counter), "get", "pop", "setdefault", "items", "values", "keys", "clear", "popitem")
@_methods(_DICTS, "copy", "update", "move_to_end")
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


# ---- heaps


class _Unordered(Exception):
    """Code of the user's compares two items."""


def _less(m: Machine, a: Ref, b: Ref) -> bool:
    x, y = m.known_value(a), m.known_value(b)
    if type(x) is type(y) is tuple:
        for u, v in zip(x, y, strict=False):
            if u is v:
                continue
            if not _is_plain(u) or not _is_plain(v):
                raise _Unordered
            if u != v:
                return bool(u < v)
        return len(x) < len(y)
    if not _is_plain(x) or not _is_plain(y):
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
    _models(getattr(heapq, _name))(_heap_model(_name, greatest=False))
    for _spelling in (f"{_name}_max", f"_{_name}_max"):  # private before 3.14
        if hasattr(heapq, _spelling):
            _models(getattr(heapq, _spelling))(_heap_model(_name, greatest=True))


@_models(heapq.nsmallest, heapq.nlargest)
def _extremes(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """The same as sorting and taking the first ones."""
    count = m.known_value(call.args[0])
    if len(call.args) != 2 or not isinstance(count, int):
        return None
    items = containers.items_of(m.holder(call.args[1]))
    order = _order(m, items, {**call.kwargs, "reverse": Thing(call.callee is heapq.nlargest)})
    if items is None or order is None:
        return None
    m.heap[id(z)] = ref = Sequence(list, [items[i] for i in order[: max(count, 0)]], z)
    return ref


# ---- operator's getters


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


_INSTANCES[operator.itemgetter] = _item_getter
_INSTANCES[operator.attrgetter] = _attribute_getter
