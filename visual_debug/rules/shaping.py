"""Rules of NumPy functions that only move elements about: reshape, transpose, concatenate, diag, take and kin.

They need no rule of their own: applied to the elements' numbers instead of their values, the function itself says where
each element went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule, is_out, path_text, value_at

if TYPE_CHECKING:
    from visual_debug.columns import Where


def _item(a: Any, *index: Any) -> Any:
    """What `a.item(*index)` reads, as an array without dimensions."""
    flat = index[0] if len(index) == 1 else index
    return np.asarray(a).reshape(()) if not index else np.ravel(a)[flat] if np.ndim(flat) == 0 else np.asarray(a)[flat]


class MoverRule(Rule):
    """A function that moves, repeats, drops or pads with zeros the elements of some of its arguments.

    `sources` are the positions of those arguments, and the keywords that they may come under; None stands for all
    positions. Keywords in `fills` give what the function puts in besides.
    """

    def __init__(
        self,
        op: str,
        sources: Mapping[int, str] | None,
        text: str = "",
        note: str = "",
        *,
        function: Callable[..., Any] | None = None,
        fills: Sequence[str] = (),
        symbol: str | None = None,
    ) -> None:
        arity = None if sources is None else max(sources) + 1
        super().__init__(op, op.rpartition(".")[2] if symbol is None else symbol, note, arity)
        self._function = function or getattr(np, self.symbol)
        self._sources = sources
        self._fills = tuple(fills)
        self._text = text or f"{self.symbol} back(Δ)"

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(value_at(where, args, kwargs))
        path, values, rest = self._call(where, args, kwargs)
        operand = _at(values, path)
        if not self._is_source(path[0]) or _discrete(z):
            return products.zero_like(operand)
        size = int(np.size(operand))
        # Number 0 stands for what the function fills in; what it gets is dropped.
        numbers = np.arange(1, size + 1).reshape(np.shape(operand))
        moved = self._apply(numbers, path, values, rest)
        total = np.zeros(size + 1, dtype=np.result_type(*map(np.asarray, _each(delta)), np.float64))
        # Of several results at once, as `np.stack(np.meshgrid(x, y))` asks for them, the adjoint is one array.
        changes = delta if isinstance(moved, list | tuple) else _each(delta)
        for part, change in zip(_each(moved), changes, strict=True):
            spots = np.asarray(part).astype(np.intp)
            np.add.at(total, spots.ravel(), np.broadcast_to(change, spots.shape).ravel())
        return products.number_for(operand, total[1:].reshape(np.shape(operand)), ())

    def pull_each(
        self, wheres: Sequence[Where], delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Sequence[Any]:
        heads = {where if isinstance(where, int) else where[0] for where in wheres}
        head = heads.pop()
        if heads or not isinstance(head, int) or head >= len(args) or not _is_even(args[head]):
            return super().pull_each(wheres, delta, z, args, kwargs)
        # Numbers in one list, as of `np.array([x, y, ...])`: all that goes back to it, once.
        whole = np.asarray(self.pull(head, delta, z, args, kwargs))
        paths = [() if isinstance(where, int) else where[1:] for where in wheres]
        return [products.number_for(args[head], whole, path) for path in paths]

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values, rest = self._call(where, args, kwargs)
        if not self._is_source(path[0]) or _discrete(z):
            return products.zero_like(z)
        moved = self._apply(tangent, path, values, rest)
        return tuple(moved) if isinstance(moved, list | tuple) else moved

    def _is_source(self, position: int) -> bool:
        return self._sources is None or position in self._sources

    def _call(
        self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], list[Any], dict[str, Any]]:
        """Path of the operand, positional arguments, keywords: without the type, which would round the numbers."""
        path: tuple[Any, ...] = (where,) if isinstance(where, int) else where
        values = [None if isinstance(value, type | np.dtype) else value for value in args]
        rest = {key: value for key, value in kwargs.items() if key not in {"dtype", "out", "like"}}
        for position, name in sorted((self._sources or {}).items()):
            if name in rest and len(values) == position:
                values.append(rest.pop(name))
                if path[0] == name:
                    path = (position, *path[1:])
        if not isinstance(path[0], int):
            raise MissingPartial(self.op, where, "this argument says how elements move, not what they are")
        return path, values, rest

    def _apply(self, whole: Any, path: tuple[Any, ...], args: list[Any], kwargs: dict[str, Any]) -> Any:
        changed = [_nothing(value) if self._is_source(k) else value for k, value in enumerate(args)]
        changed[path[0]] = _laid_out(products.placed(whole, args[path[0]], path[1:]), args[path[0]])
        if self.symbol in {"reshape", "transpose"} and len(changed) > 2:
            changed = [changed[0], tuple(changed[1:])]  # a.reshape(2, 3) is reshape(a, (2, 3))
        return self._function(*changed, **(kwargs | {name: 0 for name in self._fills if name in kwargs}))

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


def _laid_out(whole: Any, operand: Any) -> Any:
    """`whole` with its axes in memory as those of the operand are: orders "K" and "A" go by that."""
    if type(operand) is not np.ndarray or operand.flags.c_contiguous or np.shape(whole) != operand.shape:
        return whole
    found = np.empty_like(operand, np.asarray(whole).dtype)
    found[...] = whole
    return found


def _is_even(items: Any) -> bool:
    """Whether a list or tuple holds plain numbers only."""
    return type(items) in (list, tuple) and _PLAIN.issuperset(map(type, items))


_PLAIN = frozenset({float, int})


def _nothing(value: Any) -> Any:
    """Zeros in place of an argument; what is no number (a direction, as of `r_`) stays."""
    if isinstance(value, slice):
        return np.zeros(np.size(np.r_[value]), int)
    return value if value is None or isinstance(value, str) else products.zero_like(value)


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


def _same(a: Any, *kind: Any) -> Any:
    if kind:
        raise MissingPartial("numpy.ndarray.view", 0, "it takes the bits of numbers for other numbers")
    return np.array(a)


def _in_lists(parts: Any) -> Any:
    """Nested tuples as nested lists."""
    return [_in_lists(part) for part in parts] if isinstance(parts, (list, tuple)) else parts


def _first_of(items: Any, _dtype: Any = None, count: int = -1) -> Any:
    """What `numpy.fromiter` makes of numbers: all of them, or the first `count`."""
    return np.asarray(items)[: None if count < 0 else count]


TABLE: dict[str, Rule] = {}

_RESHAPE = "reshape ravel squeeze expand_dims"
_MOVE = (
    "transpose swapaxes moveaxis rollaxis flip fliplr flipud rot90 roll repeat take diagonal tril triu "
    "matrix_transpose split array_split hsplit vsplit dsplit delete resize unstack take_along_axis compress"
)
_COPY = "array asarray asanyarray ascontiguousarray asfortranarray copy"
#: Functions that take their elements from one argument, and its name.
_FROM = {
    "concatenate": "arrays", "stack": "arrays", "vstack": "tup", "hstack": "tup", "dstack": "tup",
    "column_stack": "tup", "diag": "v", "diagflat": "v", "tile": "A", "broadcast_to": "array",
}  # fmt: skip


def _row(name: str, sources: Mapping[int, str] | None, text: str = "", **more: Any) -> None:
    if "function" in more or hasattr(np, name):
        TABLE[f"numpy.{name}"] = MoverRule(f"numpy.{name}", sources, text, **more)


for _name in _RESHAPE.split():
    _row(_name, {0: "a"}, "Δ.reshape(x.shape)")
for _name in _MOVE.split():
    _row(_name, {0: "a"}, "Δ.T" if "transpose" in _name else "")
for _name in _COPY.split():
    _row(_name, {0: "a"}, "Δ")
for _name, _argument in _FROM.items():
    _row(_name, {0: _argument}, "sum(Δ)" if _name == "broadcast_to" else "")
for _name in ("atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "meshgrid"):
    _row(_name, None)
for _name in ("matrix", "asmatrix"):
    _row(_name, {0: "data"}, "Δ.reshape(x.shape)", function=lambda data, *_, **__: np.atleast_2d(data))
_row("block", {0: "arrays"}, function=lambda arrays: np.block(_in_lists(arrays)))
_row("ndarray.__copy__", {0: "a"}, "Δ", function=lambda a: np.array(a), symbol="copy")
_row("ndarray.__deepcopy__", {0: "a"}, "Δ", function=lambda a, *_: np.array(a), symbol="deepcopy")
_row("item", {0: "a"}, "put(Δ, index)", function=_item)
_row(
    "ndarray.compress", {0: "a"}, function=lambda a, condition, *rest, **more: np.compress(condition, a, *rest, **more)
)
_row("ndarray.view", {0: "a"}, "Δ", function=_same)
_row("fromiter", {0: "iter"}, function=_first_of)
_row("full", {1: "fill_value"}, "sum(Δ)")
_row("full_like", {1: "fill_value"}, "sum(Δ)")
_row("append", {0: "arr", 1: "values"})
_row("insert", {0: "arr", 2: "values"})
_row("compress", {1: "a"})
_row("extract", {1: "arr"})
_row("choose", {1: "choices"})
_row("select", {1: "choicelist", 2: "default"})
_row("r_", None, function=lambda *key: np.r_[key])
_row("c_", None, function=lambda *key: np.c_[key])
_row("fft.fftshift", {0: "x"}, function=np.fft.fftshift, symbol="fftshift")
_row("fft.ifftshift", {0: "x"}, function=np.fft.ifftshift, symbol="ifftshift")
_row("lib.stride_tricks.sliding_window_view", {0: "x"}, "sum of windows(Δ)", symbol="sliding_window_view",
     function=np.lib.stride_tricks.sliding_window_view)  # fmt: skip
_row("linalg.diagonal", {0: "x"}, function=lambda x, **more: np.diagonal(x, axis1=-2, axis2=-1, **more))
_row("linalg.matrix_transpose", {0: "x"}, "Δ.T", function=lambda x: np.swapaxes(x, -1, -2))
