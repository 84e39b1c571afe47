"""What unrecorded code may call back: which functions can be reached from what it is handed.

Functions that are handed over, also in a container, as a bound method, a `functools.partial` or under a cache; and of
every class whose objects the recorded code makes, is given or calls methods of, the special methods and properties,
which the interpreter calls on its own.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from visual_debug import kinds

#: Types of objects that lead to no function: most arguments by far.
INERT = frozenset({float, int, complex, bool, str, bytes, bytearray, type(None), range, slice, set, frozenset})
#: Those of them that hold no objects.
_SIMPLE = INERT - {set, frozenset}
_CACHE = type(functools.lru_cache(lambda: None))
#: Types whose objects lead to different functions, one by one; of all others the class tells all.
HOLDERS = frozenset({FunctionType, MethodType, functools.partial, list, tuple, dict, type, _CACHE})
#: Containers are looked into this deep and far, as for `constraints=[{"fun": f}]`.
_DEEP, _FAR = 3, 16
#: Special methods that compute no numbers, or that run when nobody can tell.
_LEFT_OUT = frozenset(
    f"__{name}__"
    for name in ("del", "repr", "str", "format", "sizeof", "reduce", "reduce_ex", "getstate", "setstate", "dir",
                 "class_getitem", "init_subclass", "set_name", "instancecheck", "subclasscheck", "subclasshook", "annotate",
                 "annotate_func")
)  # fmt: skip

#: Methods of plain containers and texts that run no code, given arguments that have none: most calls in a loop.
QUIET: dict[type, frozenset[str]] = {
    list: frozenset({"append", "insert", "pop", "reverse", "copy"}),
    dict: frozenset({"get", "pop", "setdefault", "items", "keys", "values", "copy"}),
    set: frozenset({"add", "copy"}),
    deque: frozenset({"append", "appendleft", "pop", "popleft", "rotate", "reverse", "copy"}),
    str: frozenset({"lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "startswith", "endswith", "find",
                    "replace", "isdigit", "isalpha", "isspace", "splitlines", "partition", "rpartition", "title"}),
    float: frozenset({"is_integer", "hex", "as_integer_ratio", "conjugate"}),
    int: frozenset({"bit_length", "bit_count", "conjugate"}),
}  # fmt: skip
#: Those of them that run no code whatever they are given.
APPENDING = frozenset({"append", "appendleft"})


def is_inert(owner: Any) -> bool:
    """Whether an object that has quiet methods holds no others, as a list does not that has numbers at both ends."""
    kind = type(owner)
    if kind is list:
        return not owner or (type(owner[0]) in _SIMPLE and type(owner[-1]) in _SIMPLE)
    return kind in _SIMPLE


_of_class: WeakKeyDictionary[type, tuple[FunctionType, ...]] = WeakKeyDictionary()


def reachable(value: Any, depth: int = 0) -> Iterator[FunctionType]:
    """The Python functions that code which is handed `value` may call."""
    kind = type(value)
    if kind in INERT:
        return
    if kind is FunctionType:
        yield value
        yield from _wrapped(value)
    elif kind is MethodType:
        yield from reachable(value.__func__, depth)
        yield from special(type(value.__self__))
    elif kind is functools.partial:
        for part in (value.func, *value.args[:_FAR], *value.keywords.values()):
            yield from reachable(part, depth + 1)
    elif kind in (list, tuple, dict):
        if depth < _DEEP:
            items = value.values() if kind is dict else value
            for _, item in zip(range(_FAR), items, strict=False):
                yield from reachable(item, depth + 1)
    elif issubclass(kind, type):
        yield from special(value)
    else:
        yield from special(kind)
        if kind is _CACHE:
            yield from _wrapped(value)
        elif kinds.is_vectorize(kind):
            yield from reachable(vars(value).get("pyfunc"), depth + 1)


def _wrapped(value: Any) -> Iterator[FunctionType]:
    """What a decorator has put something around, as `functools.wraps` tells, and what a generic function chooses from."""
    attributes = vars(value)
    inner = attributes.get("__wrapped__")
    if type(inner) is FunctionType:
        yield inner
        yield from _wrapped(inner)
    if callable(attributes.get("dispatch")):  # functools.singledispatch
        yield from (f for f in dict(attributes.get("registry", {})).values() if type(f) is FunctionType)


def special(kind: type) -> tuple[FunctionType, ...]:
    """Special methods and properties of a class that are Python functions, the inherited ones too."""
    try:
        return _of_class[kind]
    except KeyError:
        found = _of_class[kind] = tuple(dict.fromkeys(_special(kind)))
        return found
    except TypeError:  # a metaclass whose classes cannot be hashed
        return ()


def _special(kind: type) -> Iterator[FunctionType]:
    for holder in type.mro(kind) if kind is not type else ():
        if kinds.module_of(holder) == "builtins":
            continue
        for name, attribute in list(vars(holder).items()):
            if issubclass(type(attribute), (staticmethod, classmethod)):
                attribute = attribute.__func__
            if type(attribute) is FunctionType:
                if name.startswith("__") and name.endswith("__") and name not in _LEFT_OUT:
                    yield attribute
            elif issubclass(type(attribute), property):
                for part in (attribute.fget, attribute.fset, attribute.fdel):
                    if type(part) is FunctionType:
                        yield part
            elif issubclass(type(attribute), functools.cached_property):
                if type(attribute.func) is FunctionType:
                    yield attribute.func
            elif issubclass(type(attribute), functools.singledispatchmethod):
                yield from (f for f in attribute.dispatcher.registry.values() if type(f) is FunctionType)
            elif name not in ("__dict__", "__weakref__", "__class__") and hasattr(type(attribute), "__get__"):
                if type(attribute) is _CACHE:
                    yield from _wrapped(attribute)
                elif type(attribute) is not kind:
                    yield from special(type(attribute))
