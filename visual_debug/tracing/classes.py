"""What a recording must know of a class whose objects it meets, found out once for each recording and class.

The answers hold for a recording and not for good: until the next one a class may have been given a `__del__` or fields,
or be gone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
    TracebackType,
)  # fmt: skip
from typing import Any

from visual_debug import kinds, structures
from visual_debug.kinds import Gone, GoneMethod

#: What belongs to a call that is over.
_GONE = frozenset({GeneratorType, CoroutineType, AsyncGeneratorType, FrameType, TracebackType})
#: The same, by name, for such an object cannot be made without awaiting it.
_AWAITABLES = frozenset({"async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"})
#: Modules of C whose objects may be asked for their state, as an iterator or a ufunc.
_HARMLESS = frozenset(
    {"numpy", "builtins", "collections", "itertools", "functools", "operator", "_random", "array", "uarray"}
)
#: What tells an object and a function of it: it is taken apart.
_BOUND = frozenset({MethodType, BuiltinFunctionType, MethodWrapperType})
_WEAKREFOFFSET: Any = vars(type)["__weakrefoffset__"]


class Facts:
    """What is known of one class."""

    __slots__ = ("empty", "has_items", "init", "is_bound", "is_object", "is_weak", "kind", "layout", "stays")

    def __init__(self, kind: Any) -> None:
        self.kind = kind  # which must live while it is known by its identity
        self.is_bound = kind in _BOUND
        self.stays = not self.is_bound and _stays(kind)  #: its objects are recorded as they are
        self.is_weak = _WEAKREFOFFSET.__get__(kind) != 0  #: whether there can be weak references to its objects
        self.layout = structures.layout(kind)  #: the fields of its objects, as `structures.fields` reads them
        #: Whether they are made of items or fields, which arguments are kept with.
        self.has_items = self.layout is not None or structures.tuple_fields(kind) is not None
        #: Whether each is told apart, and is no container.
        self.is_object = not (self.stays or self.is_bound) and structures.tuple_fields(kind) is None
        #: What runs, and nothing else of the user's, when the class is called; None where that cannot be told.
        self.init = _init(kind)
        #: Makes what is left of one of its objects, given the class; None where that depends on the object.
        self.empty: Callable[[Any], Any] | None = None if self.stays or self.is_bound else _empty(kind)


def met(known: dict[int, Facts], kind: type) -> Facts:
    """Find out about a class, and keep it among what is known, by the identity of the class."""
    facts = known[id(kind)] = Facts(kind)
    return facts


def _stays(kind: Any) -> bool:
    return issubclass(kind, (type, Enum)) or kind is functools.partial or kinds.is_numeric(kind) or is_harmless(kind)


def _init(kind: Any) -> FunctionType | None:
    """The `__init__` of a class that is made by `type.__call__` and `object.__new__`."""
    meta = type(kind)
    if meta is not type and structures.first(type.mro(meta), "__call__") is not vars(type)["__call__"]:
        return None
    mro = type.mro(kind) if kind is not type else []
    init = structures.first(mro, "__init__")
    is_plain = type(init) is FunctionType and structures.first(mro, "__new__") is vars(object)["__new__"]
    return init if is_plain else None


def is_harmless(kind: type) -> bool:
    """Whether objects of a class stay: those of C, the named tuples of arrays that `numpy.linalg` returns, `numpy.r_`."""
    module = kinds.module_of(kind)
    if module not in _HARMLESS and not module.startswith(("numpy.linalg", "numpy.lib.", "numpy._core.", "numpy.core.")):
        return False
    # Through a `super` object one gets at the object that it is of.
    return (
        kind not in _GONE
        and kind is not super
        and kind.__name__ not in _AWAITABLES
        and not issubclass(kind, BaseException)
    )


def _empty(kind: Any) -> Callable[[Any], Any] | None:
    if kind is GoneMethod or structures.tuple_fields(kind) is not None:
        return None
    if kind in _GONE or kinds.has_special(kind, "__del__"):
        return Gone
    make: Any = BaseException.__new__ if issubclass(kind, BaseException) else object.__new__
    try:
        make(kind)
    except TypeError:  # a class of C
        return Gone
    return make  # type: ignore[no-any-return]
