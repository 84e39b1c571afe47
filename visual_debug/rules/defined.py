"""Rules given by a definition: the function written in terms of others that have rules.

The definition runs again on the operand, which notes every NumPy function that it meets; their rules do the rest. What
the traced program computed was NumPy's own function; the definition is used for derivatives alone.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, NoPartial, Rule, is_out, path_text, value_at
from visual_debug.rules.names import name_of

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: Finds the rule of an operation by name; set by the table, which holds the definitions, too.
Find = Callable[[str], Rule | None]


class _Entry(NamedTuple):
    """One operation of a definition: how it was called, and which of its operands are entries."""

    op: str
    z: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: list[tuple[Any, int]]  #: where, and number of the entry


class Noted(np.lib.mixins.NDArrayOperatorsMixin):
    """An array in a definition: NumPy's functions of it are noted in the list that all of one run share."""

    def __init__(self, value: Any, entries: list[_Entry]) -> None:
        self.value, self.entries = value, entries
        self.number = len(entries)

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    def __array__(self, *_: Any, **__: Any) -> Any:
        # NumPy has met it within a list, or a function has asked for a plain array: what it is made of would be lost.
        raise NoPartial("its derivative is not covered for numbers given in this way")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self.value)))

    def __getitem__(self, index: Any) -> Noted:
        return self._note("getitem", lambda a, i: a[i], (self, index), {})

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Noted:
        name = name_of(ufunc) if method == "__call__" else f"{name_of(ufunc)}.{method}"
        return self._note(name, getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in _FORM:
            return function(*(_plain(arg, (), []) for arg in args), **kwargs)
        return self._note(name_of(function), function, args, kwargs)

    def _note(self, op: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Noted:
        operands: list[tuple[Any, int]] = []
        plain = [_plain(arg, (i,), operands) for i, arg in enumerate(args)]
        named = {key: _plain(value, (key,), operands) for key, value in kwargs.items()}
        z = function(*plain, **named)
        if isinstance(z, list):
            z = tuple(z)
        noted = Noted(z, self.entries)
        self.entries.append(_Entry(op, z, tuple(plain), named, operands))
        return noted


#: Functions that tell of an array's form.
_FORM = frozenset({np.shape, np.ndim, np.size, np.iscomplexobj})


def _plain(value: Any, path: tuple[Any, ...], operands: list[tuple[Any, int]]) -> Any:
    """The value without notes; `operands` gets where there were some."""
    if type(value) is Noted:
        operands.append((path[0] if len(path) == 1 and isinstance(path[0], int) else path, value.number))
        return value.value
    if type(value) in (list, tuple):
        return type(value)(_plain(item, (*path, i), operands) for i, item in enumerate(value))
    return value


def value_of(value: Any) -> Any:
    """The plain value of what a definition was given, for what passes no derivative on: orders, masks, counts."""
    return value.value if type(value) is Noted else value


class DefinedRule(Rule):
    """The rule of a function by its definition; `text` says how the adjoint passes, as far as one line can."""

    def __init__(self, op: str, definition: Callable[..., Any], find: Find, text: str = "", note: str = "") -> None:
        super().__init__(op, op.rpartition(".")[2], note)
        self.definition, self._find = definition, find
        self._text = text or f"pull_{self.symbol}(Δ)"

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(value_at(where, args, kwargs))
        parts = _places_in(where, args, kwargs)
        if parts:
            return tuple(
                self.pull(place, delta, z, args, kwargs)
                if is_array
                else products.zero_like(value_at(place, args, kwargs))
                for place, is_array in parts
            )
        head, path, args, kwargs, given = _gathered(where, args, kwargs)
        if path:
            return products.number_for(given, self.pull(head, delta, z, args, kwargs), path)
        operand, entries, result = self._run(where, args, kwargs)
        adjoints: dict[int, Any] = {}
        for part, change in _parts(result, delta):
            _add(adjoints, part.number, change)
        for number in range(len(entries) - 1, 0, -1):
            change = adjoints.pop(number, None)
            if change is None:
                continue
            op, value, values, named, operands = entries[number]
            for place, source in operands:
                _add(adjoints, source, self._one("pull", op, place, change, value, values, named))
        found = adjoints.get(0)
        if found is None:
            return 0.0 if isinstance(operand, float) else products.zero_like(operand)
        return products.number_for(operand, np.asarray(found).reshape(np.shape(operand)), ())

    def pull_each(
        self, wheres: Sequence[Where], delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Sequence[Any]:
        heads = {where if isinstance(where, int) else where[0] for where in wheres}
        head, path, args_with, kwargs_with, given = _gathered(wheres[0], args, kwargs)
        if len(heads) > 1 or not path:
            return super().pull_each(wheres, delta, z, args, kwargs)
        whole = self.pull(head, delta, z, args_with, kwargs_with)  # numbers in one list: all of them at once
        return [products.number_for(given, whole, where[1:]) for where in wheres if not isinstance(where, int)]

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(z)
        parts = _places_in(where, args, kwargs)
        if parts:
            pushed = [
                self.push(place, change, z, args, kwargs)
                for (place, is_array), change in zip(parts, tangent, strict=True)
                if is_array
            ]
            return functools.reduce(operator.add, pushed, products.zero_like(z))
        head, path, args, kwargs, given = _gathered(where, args, kwargs)
        if path:
            where, tangent = head, np.asarray(products.placed(tangent, given, path))
        _, entries, result = self._run(where, args, kwargs)
        tangents: list[Any] = [tangent]
        for op, value, values, named, operands in entries[1:]:
            total: Any = products.zero_like(value)
            for place, source in operands:
                part = self._one("push", op, place, tangents[source], value, values, named)
                total = (
                    tuple(np.add(a, b) for a, b in zip(total, part, strict=True))
                    if isinstance(part, tuple)
                    else total + part
                )
            tangents.append(total)
        if isinstance(result, tuple):
            return tuple(tangents[part.number] if type(part) is Noted else products.zero_like(part) for part in result)
        return np.reshape(tangents[result.number], np.shape(z)) if type(result) is Noted else products.zero_like(z)

    def _run(self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, list[_Entry], Any]:
        """The operand, all operations that the definition does with it, and what it returns."""
        path: tuple[Any, ...] = (where,) if isinstance(where, int) else where
        operand: Any = kwargs[path[0]] if isinstance(path[0], str) else args[path[0]]
        for step in path[1:]:
            operand = operand[step]
        entries: list[_Entry] = []
        noted = Noted(np.asarray(operand), entries)
        entries.append(_Entry("input", operand, (), {}, []))
        values = [_put(value, path[1:], noted) if i == path[0] else _listless(value) for i, value in enumerate(args)]
        named = {
            key: _put(value, path[1:], noted) if key == path[0] else _listless(value)
            for key, value in kwargs.items()
            if key != "out"
        }
        try:
            return operand, entries, self.definition(*values, **named)
        except NoPartial as reason:
            raise MissingPartial(self.op, where, str(reason)) from None
        except (TypeError, IndexError, ValueError):
            if type(operand) is not int:
                raise
            raise MissingPartial(self.op, where, "it is a whole number that says how, not how much") from None

    def _one(self, way: str, op: str, where: Where, change: Any, z: Any, args: Any, kwargs: Any) -> Any:
        """One pullback or push of an operation of the definition, as the sweeps do it."""
        rule = self._find(op)
        operand = value_at(where, args, kwargs)
        if rule is None:
            raise MissingPartial(self.op, where, f"its definition uses {op}, which has no rule")
        if _is_discrete(z):
            return products.zero_like(operand if way == "pull" else z)
        found = getattr(rule, way)(where, change, z, args, kwargs)
        if isinstance(found, tuple):
            return found
        return (
            np.real(found) if np.iscomplexobj(found) and not np.iscomplexobj(operand if way == "pull" else z) else found
        )

    def text(
        self,
        where: Where,
        count: int,
        args: Sequence[Any] | None = None,
        z: Any = None,
        fmt: Format | None = None,
        *,
        values: bool = True,
    ) -> str:
        return self._text if where == 0 else f"{self._text} at {path_text(where, count)}"


def _places_in(where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[tuple[Where, bool]]:
    """Of an operand that is a tuple with arrays in it, as `cho_factor` gives it: its items, and which are arrays."""
    operand = value_at(where, args, kwargs)
    if type(operand) is not tuple or not any(type(item) is np.ndarray for item in operand):
        return []
    path = (where,) if isinstance(where, int) else where
    return [((*path, i), type(item) is np.ndarray and item.dtype.kind in "fc") for i, item in enumerate(operand)]


def _gathered(
    where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Where, tuple[Any, ...], Sequence[Any], Mapping[str, Any], Any]:
    """An operand that is one of the numbers in a list: the list as an array in its place, as NumPy itself takes it.

    Returns where the array is, the path of the operand in it, the arguments, and the list. For any other operand the
    path is empty.
    """
    if isinstance(where, int) or len(where) == 1:
        return where, (), args, kwargs, None
    head, path = where[0], where[1:]
    given = kwargs[head] if isinstance(head, str) else args[head]
    array = _listless(list(given)) if isinstance(given, (list, tuple)) else given
    if array is given or type(array) is list:  # of different lengths: a list of arrays
        return where, (), args, kwargs, None
    if isinstance(head, str):
        return (head,), path, args, {**kwargs, head: array}, given
    return head, path, [*args[:head], array, *args[head + 1 :]], kwargs, given


def _listless(value: Any) -> Any:
    """A list of numbers as the array that NumPy makes of it."""
    if type(value) is not list:
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        return value
    return array if array.dtype.kind in "biufc" else value


def _put(value: Any, path: tuple[Any, ...], noted: Noted) -> Any:
    """An argument with the noted operand at its place."""
    if not path:
        return noted
    if isinstance(value, np.ndarray):
        raise NoPartial("its operand is an item of an array")
    items = list(value)
    items[path[0]] = _put(items[path[0]], path[1:], noted)
    return items


def _parts(result: Any, delta: Any) -> list[tuple[Noted, Any]]:
    """The noted results with their adjoints."""
    if isinstance(result, (tuple, list)):
        return [(part, change) for part, change in zip(result, delta, strict=True) if type(part) is Noted]
    return [(result, np.reshape(np.broadcast_to(delta, result.shape), result.shape))] if type(result) is Noted else []


def _add(totals: dict[int, Any], number: int, change: Any) -> None:
    known = totals.get(number)
    if known is None:
        totals[number] = change
    elif isinstance(change, tuple):
        totals[number] = tuple(np.add(a, b) for a, b in zip(known, change, strict=True))
    else:
        totals[number] = known + change


def _is_discrete(z: Any) -> bool:
    return not isinstance(z, tuple) and np.asarray(z).dtype.kind in "biu"
