"""Structures of several numbers: nested lists, tuples and dicts, named tuples, and objects made of fields.

Of a user's class is asked what its fields are without running any code of it. What has the structure of such an object
holds a `Record` in its place until it is handed out: then it is an object of the same class, made without its
`__init__` or `__new__`. Structures may be nested as deep as memory allows.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterator
from types import FunctionType, MemberDescriptorType, SimpleNamespace
from typing import Any

from visual_debug import kinds

_HEAPTYPE = 0x200  # Py_TPFLAGS_HEAPTYPE: a class that a `class` statement made, or C code in the same way
_FieldOfTuple: Any = type(vars(collections.namedtuple("_", "a"))["a"])
#: Methods that would have a named tuple seen as something else than its items.
_OF_ITEMS = frozenset({"__iter__", "__getitem__", "__len__", "__getattribute__", "__getattr__"})
_ABSENT: Any = object()


class Record(dict[str, Any]):
    """Parts by the name of the field, in place of an object of a class (`kind`; None of one that was loaded)."""

    def __init__(self, kind: type | None, title: str, parts: dict[str, Any]) -> None:
        super().__init__(parts)
        self.kind = kind
        self.title = title  # the name of the class

    def filled(self, parts: list[Any]) -> Any:
        """An object of the class with these in the fields; of a loaded one a named tuple."""
        kind: Any = self.kind
        if kind is None:
            kind = _named(self.title, tuple(self))
        if kind is SimpleNamespace:
            return SimpleNamespace(**dict(zip(self, parts, strict=True)))
        if issubclass(kind, tuple):
            return tuple.__new__(kind, parts)
        made = object.__new__(kind)
        for name, part in zip(self, parts, strict=True):
            object.__setattr__(made, name, part)
        return made


@functools.lru_cache(maxsize=64)
def _named(title: str, names: tuple[str, ...]) -> Any:
    return collections.namedtuple(title, names, rename=True)


def tuple_fields(kind: type) -> tuple[str, ...] | None:
    """The names of a named tuple's items, or None if a class is no named tuple, or gives other items than it has."""
    if kind is tuple or not issubclass(kind, tuple):
        return None
    for holder in type.mro(kind):
        if holder is tuple:
            return None
        own = vars(holder)
        if not _OF_ITEMS.isdisjoint(own):
            return None
        names = own.get("_fields")
        if type(names) is tuple:
            is_named = all(type(name) is str and type(own.get(name)) is _FieldOfTuple for name in names)
            return names if is_named else None
    return None


def _names(kind: Any) -> tuple[str, ...] | None:
    """The fields of objects of a dataclass or a class of `attrs`."""
    if not kind.__flags__ & _HEAPTYPE or issubclass(kind, (type, BaseException)):
        return None
    mro = type.mro(kind)
    for holder in mro:
        own = vars(holder)
        declared: Any = own.get("__dataclass_fields__")
        attributes: Any = own.get("__attrs_attrs__")
        if type(declared) is dict:
            found = tuple(
                name for name, field in declared.items() if str(getattr(field, "_field_type", "")) == "_FIELD"
            )
        elif issubclass(type(attributes), tuple):
            found = tuple(attribute.name for attribute in attributes)
        else:
            continue
        return found if all(base is object or base.__flags__ & _HEAPTYPE for base in mro) else None
    return None


#: The fields of the objects of a class, each with its slot, or None where it is kept in the `__dict__`.
Layout = tuple[tuple[str, MemberDescriptorType | None], ...]


def layout(kind: Any) -> Layout | None:
    """Where objects of a dataclass, a class of `attrs` or a `SimpleNamespace` keep their fields; None of any other.

    A `SimpleNamespace` has an empty one: its fields are those that it has. None as well where a property or another
    descriptor stands in place of a field.
    """
    if kind is SimpleNamespace:
        return ()
    found: list[tuple[str, MemberDescriptorType | None]] = []
    for name in _names(kind) or ():
        in_class = first(type.mro(kind), name)
        if type(in_class) is MemberDescriptorType:
            found.append((name, in_class))
        elif in_class is not _ABSENT and hasattr(type(in_class), "__set__"):
            return None
        else:
            found.append((name, None))
    return tuple(found) or None


def fields(value: Any, where: Layout | None = None) -> dict[str, Any] | None:
    """What is in the fields of an object, by name; None if its class has none, or keeps them in another way.

    `where` is the layout of its class, where that is known.
    """
    kind: Any = type(value)
    if where is None:
        where = layout(kind)
        if where is None:
            return None
    try:
        kept = object.__getattribute__(value, "__dict__")
    except AttributeError:
        kept = {}
    if type(kept) is not dict:
        return None
    if kind is SimpleNamespace:
        return dict(kept) or None
    found = {}
    try:
        for name, slot in where:
            found[name] = kept[name] if slot is None else slot.__get__(value, kind)
    except (AttributeError, KeyError):  # it has not been assigned to
        return None
    return found


def parameters(kind: Any) -> tuple[str, ...] | None:
    """The parameters of a class that does nothing but keep them in the fields of their names; None of any other class.

    So do named tuples and dataclasses, unless there is code of the user's in between.
    """
    mro = type.mro(kind)
    names = tuple_fields(kind)
    if names is not None:
        new, *_ = (vars(holder)["__new__"] for holder in mro if "__new__" in vars(holder))
        made = (
            type(new) is staticmethod
            and type(new.__func__) is FunctionType
            and "_tuple_new" in new.__func__.__globals__
        )
        return names if made and first(mro, "__init__") is vars(object)["__init__"] else None
    own = vars(kind)
    init, declared, options = own.get("__init__"), own.get("__dataclass_fields__"), own.get("__dataclass_params__")
    if type(init) is not FunctionType or type(declared) is not dict or init.__code__.co_filename != "<string>":
        return None
    if first(mro, "__new__") is not vars(object)["__new__"] or first(mro, "__post_init__") is not _ABSENT:
        return None
    if first(mro, "__setattr__") is not vars(object)["__setattr__"] and not getattr(options, "frozen", False):
        return None
    code = init.__code__
    accepted = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    plain = {name for name, field in declared.items() if str(getattr(field, "_field_type", "")) == "_FIELD"}
    computed = any(
        getattr(field, "default_factory", dataclasses.MISSING) not in (dataclasses.MISSING, list, dict, set)
        for field in declared.values()
    )
    found = [first(mro, name) for name in declared]
    is_kept = all(type(item) is MemberDescriptorType or not hasattr(type(item), "__set__") for item in found)
    return accepted if plain.issuperset(accepted) and is_kept and not computed else None


def first(mro: list[type], name: str) -> Any:
    """What a class has of a name."""
    return next((vars(holder)[name] for holder in mro if name in vars(holder)), _ABSENT)


def mapped(structure: Any, function: Callable[[Any], Any], *, records: bool = False) -> Any:
    """Apply a function to everything in a structure that is neither a container nor None.

    Records become objects of their classes, unless `records` says that they stay.
    """
    done: list[Any] = []
    work: list[tuple[Any, bool]] = [(structure, False)]
    while work:
        item, is_open = work.pop()
        if is_open:
            begin = len(done) - len(item)
            parts = done[begin:]
            del done[begin:]
            if isinstance(item, Record):
                kept = dict(zip(item, parts, strict=True))
                done.append(Record(item.kind, item.title, kept) if records else item.filled(parts))
            elif isinstance(item, dict):
                done.append(dict(zip(item, parts, strict=True)))
            else:
                done.append(parts if isinstance(item, list) else tuple(parts))
        elif isinstance(item, (list, tuple, dict)):
            work.append((item, True))
            items = list(item.values()) if isinstance(item, dict) else item
            work.extend([(part, False) for part in reversed(items)])
        else:
            done.append(None if item is None else function(item))
    return done[0]


def part(structure: Any, key: Any) -> Any:
    """One part, by index, key or the name of a field; the items of a named tuple have both. LookupError if there is none."""
    if isinstance(structure, Record) and type(key) is int and issubclass(structure.kind or tuple, tuple):
        return list(structure.values())[key]
    return structure[key]


def leaves(structure: Any) -> Iterator[Any]:
    """Everything in a structure that is neither a container nor None, in order."""
    work = [structure]
    while work:
        item = work.pop()
        parts = _parts(item)
        if parts is not None:
            work.extend(reversed(parts))
        elif item is not None:
            yield item


def values(structure: Any) -> Iterator[Any]:
    """The same of a structure of a user's: with objects made of fields, and None where it stands."""
    work = [structure]
    while work:
        item = work.pop()
        parts = _parts(item)
        if parts is None and item is not None and type(item).__module__ != "builtins":
            inside = fields(item)
            parts = None if inside is None else [part for part in inside.values() if _may_hold_numbers(part)]
        if parts is not None:
            work.extend(reversed(parts))
        else:
            yield item


def _may_hold_numbers(value: Any) -> bool:
    return kinds.is_number(value) or isinstance(value, (list, tuple, dict)) or fields(value) is not None


def _parts(item: Any) -> list[Any] | None:
    if isinstance(item, dict):
        return list(item.values())
    return list(item) if isinstance(item, (list, tuple)) else None
