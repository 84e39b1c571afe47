"""Nested arguments and results: numbers in tuples, lists, dicts, named tuples and objects of dataclasses.

What is known of them is kept in the same structure with other things in the numbers' places, as node ids or gradients.
None stands for what is no number.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from types import MemberDescriptorType
from typing import Any

_MISSING: Any = object()


class Fields:
    """The parts of a named tuple, or of an object of a dataclass, by the names of their fields."""

    __slots__ = ("kind", "names", "parts")

    def __init__(self, kind: type, names: tuple[str, ...], parts: list[Any]) -> None:
        self.kind = kind
        self.names = names
        self.parts = parts

    def __getitem__(self, key: Any) -> Any:
        """A part by the name of its field or, of a named tuple, by its position. Raises LookupError."""
        if type(key) is str:
            return dict(zip(self.names, self.parts, strict=True))[key]
        if issubclass(self.kind, tuple):
            return self.parts[key]
        raise KeyError(key)

    def made(self, parts: list[Any]) -> Any:
        """An object of the class with other parts. Fields that hold no numbers are None; no code of the class is run."""
        kind: Any = self.kind
        if issubclass(kind, tuple):
            return tuple.__new__(kind, parts)
        made = object.__new__(kind)
        values = dict(zip(self.names, parts, strict=True))
        for name in fields_of(kind) or ():
            try:
                object.__setattr__(made, name, values.get(name))
            except AttributeError:  # of a class that has changed since
                pass
        return made


def fields_of(kind: type) -> tuple[str, ...] | None:
    """The names of the fields of a named tuple's class or a dataclass; None of any other class.

    None, too, of one whose items or attributes are made by code of its own.
    """
    is_tuple = issubclass(kind, tuple)
    fields = _found(kind, "_fields" if is_tuple else "__dataclass_fields__")
    if type(fields) is not (tuple if is_tuple else dict):
        return None
    basis: type = tuple if is_tuple else object
    own = ("__getattribute__", *_TUPLE) if is_tuple else ("__getattribute__",)
    return tuple(fields) if all(_found(kind, name) is _found(basis, name) for name in own) else None


def is_named_tuple(kind: type) -> bool:
    """Whether a class is one of named tuples which makes them as `collections.namedtuple` does."""
    if not issubclass(kind, tuple) or fields_of(kind) is None:
        return False
    new = getattr(_found(kind, "__new__"), "__func__", None)
    code = getattr(new, "__code__", None)
    is_generated = code is not None and code.co_filename.startswith("<string>") and code.co_name == "<lambda>"
    return is_generated and _found(kind, "__init__") is vars(object)["__init__"]


_TUPLE = ("__iter__", "__getitem__", "__len__")


def _found(kind: type, name: str) -> Any:
    """What a class has by a name, itself or from its bases, looked up without running any code."""
    for holder in type.mro(kind):
        if name in vars(holder):
            return vars(holder)[name]
    return _MISSING


def parts_of(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that an object has by now, read without running any code."""
    kind = type(value)
    if issubclass(kind, tuple):
        return dict(zip(names, tuple.__iter__(value), strict=False))
    held = object.__getattribute__(value, "__dict__") if _found(kind, "__dict__") is not _MISSING else {}
    found = {}
    for name in names:
        slot = _found(kind, name)
        if type(slot) is MemberDescriptorType:
            try:
                found[name] = slot.__get__(value)
            except AttributeError:  # not set
                continue
        elif name in held:
            found[name] = held[name]
    return found


def mapped(structure: Any, function: Callable[[Any], Any]) -> Any:
    """The structure with `function` of each thing in it; named tuples and dataclasses are made as the user has them."""
    if isinstance(structure, Fields):
        return structure.made([mapped(part, function) for part in structure.parts])
    if isinstance(structure, (list, tuple)):
        return type(structure)(mapped(item, function) for item in structure)
    if isinstance(structure, dict):
        return {key: mapped(item, function) for key, item in structure.items()}
    return None if structure is None else function(structure)


def renumbered(structure: Any, function: Callable[[int], int | None]) -> Any:
    """The structure with other node ids."""
    if isinstance(structure, Fields):
        return Fields(structure.kind, structure.names, [renumbered(part, function) for part in structure.parts])
    if isinstance(structure, (list, tuple)):
        return type(structure)(renumbered(item, function) for item in structure)
    if isinstance(structure, dict):
        return {key: renumbered(item, function) for key, item in structure.items()}
    return None if structure is None else function(structure)


def leaves(structure: Any) -> Iterator[Any]:
    """The things in a structure, in order."""
    work = [structure]
    while work:
        item = work.pop()
        if isinstance(item, Fields):
            work.extend(reversed(item.parts))
        elif isinstance(item, (list, tuple)):
            work.extend(reversed(item))
        elif isinstance(item, dict):
            work.extend(reversed(item.values()))
        elif item is not None:
            yield item


def paired(structure: Any, given: Any) -> list[tuple[Any, Any]]:
    """What a user gives for a structure, as a seed: (leaf, value) for each leaf.

    It has the same structure or is, in some container, as many numbers. Raises ValueError for another number of them.
    """
    try:
        return list(_together(structure, given))
    except (LookupError, TypeError, ValueError):
        found, values = list(leaves(structure)), list(_numbers(given))
        if len(found) != len(values):
            raise ValueError(f"{len(values)} parts in place of {len(found)}") from None
        return list(zip(found, values, strict=True))


def _together(structure: Any, given: Any) -> Iterator[tuple[Any, Any]]:
    if structure is None:
        return
    if isinstance(structure, Fields):
        names = fields_of(type(given))
        parts = given if names is None else parts_of(given, names)
        if not isinstance(parts, dict):
            parts = dict(zip(structure.names, parts, strict=True))
        for name, part in zip(structure.names, structure.parts, strict=True):
            yield from _together(part, parts[name])
    elif isinstance(structure, dict):
        if not isinstance(given, dict) or given.keys() != structure.keys():
            raise TypeError
        for key, part in structure.items():
            yield from _together(part, given[key])
    elif isinstance(structure, (list, tuple)):
        if not isinstance(given, (list, tuple, deque, array)):
            raise TypeError
        for part, value in zip(structure, given, strict=True):
            yield from _together(part, value)
    elif isinstance(given, (list, tuple, dict, deque, array)):
        raise TypeError
    else:
        yield structure, given


def _numbers(given: Any) -> Iterator[Any]:
    """The leaves of what a user gives."""
    work = [given]
    while work:
        item = work.pop()
        names = None if isinstance(item, (list, dict, deque, array)) else fields_of(type(item))
        if names is not None:
            work.extend(reversed(parts_of(item, names).values()))
        elif isinstance(item, (list, tuple, deque, array)):
            work.extend(reversed(item))
        elif isinstance(item, dict):
            work.extend(reversed(item.values()))
        else:
            yield item


def unnamed(structure: Any) -> Any:
    """The structure with dicts in place of named tuples and dataclasses, which need not be there where it is read."""
    if isinstance(structure, Fields):
        return {name: unnamed(part) for name, part in zip(structure.names, structure.parts, strict=True)}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map(unnamed, structure))
    if isinstance(structure, dict):
        return {key: unnamed(item) for key, item in structure.items()}
    return structure


def plain(structure: Any) -> Any:
    """The structure of lists and dicts with texts for keys, as JSON has them."""
    if isinstance(structure, Fields):
        return {name: plain(part) for name, part in zip(structure.names, structure.parts, strict=True)}
    if isinstance(structure, (list, tuple)):
        return [plain(item) for item in structure]
    if isinstance(structure, dict):
        return {str(key): plain(item) for key, item in structure.items()}
    return structure
