"""Rules of NumPy functions that only move elements about: reshape, transpose, concatenate, diag, take and kin.

They need no rule of their own: applied to the elements' numbers instead of their values, the function itself says where
each element went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule, path_text

if TYPE_CHECKING:
    from visual_debug.columns import Where


def _item(a: Any, *index: Any) -> Any:
    """What `a.item(*index)` reads, as an array without dimensions."""
    flat = index[0] if len(index) == 1 else index
    return np.asarray(a).reshape(()) if not index else np.ravel(a)[flat] if np.ndim(flat) == 0 else np.asarray(a)[flat]


class MoverRule(Rule):
    """A function that moves, repeats, drops or pads with zeros the elements of the argument at `position`."""

    def __init__(self, op: str, position: int = 0, name: str = "a", text: str = "", note: str = "") -> None:
        super().__init__(op, op.rpartition(".")[2], note, position + 1)
        self._function = _item if self.symbol == "item" else getattr(np, self.symbol)
        self._position = position
        self._names = (None,) * position + (name,)
        self._text = text or f"{self.symbol} back(Δ)"

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if where == ("out",):
            return products.zero_like(kwargs["out"])
        path, values, rest = self._call(where, args, kwargs)
        operand = _at(values, path)
        if path[0] != self._position or _discrete(z):
            return products.zero_like(operand)
        size = int(np.size(operand))
        # Number 0 stands for the zeros that the function fills in; what they get is dropped.
        numbers = np.arange(1, size + 1).reshape(np.shape(operand))
        moved = self._apply(numbers, path, values, rest)
        total = np.zeros(size + 1, dtype=np.result_type(*map(np.asarray, _each(delta)), np.float64))
        for part, change in zip(_each(moved), _each(delta), strict=True):
            spots = np.asarray(part).astype(np.intp)
            np.add.at(total, spots.ravel(), np.broadcast_to(change, spots.shape).ravel())
        return _number_for(operand, total[1:].reshape(np.shape(operand)))

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values, rest = self._call(where, args, kwargs)
        if path[0] != self._position or _discrete(z):
            return products.zero_like(z)
        moved = self._apply(tangent, path, values, rest)
        return tuple(moved) if isinstance(moved, list | tuple) else moved

    def _call(
        self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], list[Any], dict[str, Any]]:
        """Path of the operand, positional arguments, keywords: without the type, which would round the numbers."""
        name = self._names[-1]
        path = (where,) if isinstance(where, int) else where
        values = [None if isinstance(value, type | np.dtype) else value for value in args]
        rest = {key: value for key, value in kwargs.items() if key not in {"dtype", "out"}}
        if name in rest and len(values) == self._position:
            values.append(rest.pop(name))
        if path[0] == name:
            path = (self._position, *path[1:])
        if not isinstance(path[0], int):
            raise MissingPartial(self.op, where, "this argument says how elements move, not what they are")
        return path, values, rest

    def _apply(self, whole: Any, path: tuple[Any, ...], args: list[Any], kwargs: dict[str, Any]) -> Any:
        changed = list(args)
        changed[path[0]] = products.placed(whole, args[path[0]], path[1:])
        if self.symbol in {"reshape", "transpose"} and len(changed) > 2:
            changed = [changed[0], tuple(changed[1:])]  # a.reshape(2, 3) is reshape(a, (2, 3))
        return self._function(*changed, **kwargs)

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
        if isinstance(where, int):
            return self._text
        return f"{self._text} at {path_text(where, count)}"


def _at(values: Sequence[Any], path: tuple[Any, ...]) -> Any:
    value: Any = values
    for step in path:
        value = value[step]
    return value


def _each(value: Any) -> Sequence[Any]:
    """The parts of a result that is a tuple or list of arrays (split), or the one array."""
    return value if isinstance(value, list | tuple) else (value,)


def _discrete(z: Any) -> bool:
    """Whether the result holds integers: turning floats into them is piecewise constant."""
    return hasattr(z, "dtype") and z.dtype.kind in "biu"


def _number_for(operand: Any, total: Any) -> Any:
    return total.item() if isinstance(operand, int | float | complex) and not hasattr(operand, "dtype") else total


TABLE: dict[str, Rule] = {}

_RESHAPE = "reshape ravel squeeze expand_dims atleast_1d atleast_2d atleast_3d"
_MOVE = (
    "transpose swapaxes moveaxis rollaxis flip fliplr flipud rot90 roll repeat take diagonal tril triu "
    "matrix_transpose split array_split hsplit vsplit delete"
)
_COPY = "array asarray asanyarray ascontiguousarray copy"
_JOIN = {
    "concatenate": "arrays", "stack": "arrays", "vstack": "tup", "hstack": "tup", "dstack": "tup",
    "column_stack": "tup",
    "diag": "v", "diagflat": "v", "tile": "A",
}  # fmt: skip


def _row(name: str, position: int = 0, argument: str = "a", text: str = "") -> None:
    if hasattr(np, name):
        TABLE[f"numpy.{name}"] = MoverRule(f"numpy.{name}", position, argument, text)


for _name in _RESHAPE.split():
    _row(_name, text="Δ.reshape(x.shape)")
for _name in _MOVE.split():
    _row(_name, text="Δ.T" if "transpose" in _name else "")
for _name in _COPY.split():
    _row(_name, text="Δ")
for _name, _argument in _JOIN.items():
    _row(_name, argument=_argument)
TABLE["numpy.item"] = MoverRule("numpy.item", text="put(Δ, index)")
_row("broadcast_to", argument="array", text="sum(Δ)")
_row("full", 1, "fill_value", "sum(Δ)")
_row("full_like", 1, "fill_value", "sum(Δ)")
