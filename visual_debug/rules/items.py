"""Rules of operations with parts: results that are tuples (divmod), and reading and writing items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule
from visual_debug.rules.elementwise import FormulaRule, Given

if TYPE_CHECKING:
    from visual_debug.columns import Where


class TupleRule(Rule):
    """A function whose result is a tuple: one elementwise rule per item of the result.

    Adjoints and tangents of the result are tuples with one number (or array) per item, 0 where it is not used.
    """

    def __init__(self, op: str, items: Sequence[Sequence[Given]], texts: Sequence[str], note: str = "") -> None:
        super().__init__(op, op.rpartition(".")[2], note, len(texts))
        self._items = [FormulaRule(op, self.symbol, partials) for partials in items]
        self._texts = tuple(texts)

    def under(self, op: str) -> TupleRule:
        """The same rule for another operation."""
        rule = copy(self)
        rule.op = op
        return rule

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        parts = [rule.pull(where, d, item, args, kwargs) for rule, d, item in zip(self._items, delta, z, strict=True)]
        return parts[0] + parts[1]

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return tuple(rule.push(where, tangent, item, args, kwargs) for rule, item in zip(self._items, z, strict=True))

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
        return self._texts[where if isinstance(where, int) else int(where[0])]


class ItemRule(Rule):
    """Reading an item: args are (container, index)."""

    def __init__(self) -> None:
        super().__init__("getitem", "[]", "the index is piecewise constant: 0", 2)

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        container, index = args
        if where != 0:
            return products.zero_like(index)
        whole = products.zero_like(container)
        if isinstance(container, list | tuple):
            parts = list(whole)
            parts[index] = delta
            return tuple(parts)
        if isinstance(container, dict):
            return whole | {index: delta}
        whole = self.add_into(self._buffer(container, delta), delta, index)
        return whole[()] if whole.ndim == 0 else whole  # `x[..., np.newaxis]` of one of NumPy's scalars

    def _buffer(self, container: Any, delta: Any) -> Any:
        import numpy as np

        if not isinstance(container, np.generic) and not hasattr(container, "__array_ufunc__"):
            raise MissingPartial(
                self.op, 0, f"items of a {type(container).__name__} are not numbers it is known to hold"
            )
        if container.dtype.kind in "VO":
            raise MissingPartial(self.op, 0, "the fields of structured arrays, and objects, are not followed")
        return np.zeros(container.shape, dtype=np.result_type(np.asarray(delta), np.float64))

    def add_into(self, buffer: Any, delta: Any, index: Any) -> Any:
        """Add `delta` to the item `index` of the array `buffer`, in place: for sweeps that keep one adjoint per array.

        Elements that a fancy index reads twice get both contributions. Returns `buffer`.
        """
        if is_fancy(index):
            import numpy as np

            np.add.at(buffer, index, delta)
        elif getattr(delta, "ndim", 0) == 2 > getattr(buffer[index], "ndim", 2):
            buffer[index] += delta.reshape(buffer[index].shape)  # a row or column of a `numpy.matrix` is a matrix
        else:
            buffer[index] += delta
        return buffer

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if where != 0:
            return products.zero_like(z)
        part = _of_scalar(tangent, args[0])[args[1]]
        is_part_of_matrix = getattr(z, "ndim", 0) == 2 and getattr(part, "ndim", 2) == 1
        return part.reshape(z.shape) if is_part_of_matrix else part

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
        if where != 0:
            return "0"
        index = repr(args[1]) if args is not None and isinstance(args[1], int | str) else "y"
        return f"put(Δ, [{index}])"


def is_fancy(index: Any) -> bool:
    """Whether an index picks elements by arrays of places or truth values, so that reading makes a copy.

    NumPy takes whatever is in the index and no single place for an array: a list, a tuple, a range.
    """
    parts = index if isinstance(index, tuple) else (index,)
    return not all(map(_is_one_place, parts))


def _is_one_place(part: Any) -> bool:
    """Whether part of an index is one place, a slice, `None`, `...` or the name of a field."""
    if part is None or part is ... or isinstance(part, (slice, str)):
        return True
    return hasattr(part, "__index__") and getattr(part, "shape", ()) == ()


def _of_scalar(tangent: Any, container: Any) -> Any:
    """The tangent of one of NumPy's scalars as an array without axes; of all else as it is."""
    import numpy as np

    return np.asarray(tangent) if isinstance(container, np.generic) else tangent


class WriteRule(Rule):
    """Writing an item: args are (array before, index, value), and z is the array after."""

    def __init__(self) -> None:
        super().__init__(
            "setitem", "[]=", "the index is piecewise constant: 0; of two writes to one place the last counts", 3
        )
        self.writes = True

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        before, index, value = args
        head, rest = (where, ()) if isinstance(where, int) else (where[0], where[1:])
        if head == 1:
            return products.zero_like(index)
        if isinstance(before, list | tuple | dict):
            return delta[index] if head == 2 else _replaced(delta, index, products.zero_like(before))
        import numpy as np

        delta = np.broadcast_to(delta, z.shape)
        if head == 2:
            whole = products.unbroadcast(np.asarray(delta[index] * _last_writes(z.shape, index)), value)
            return products.number_for(value, whole, rest) if rest else whole
        return _overwritten(delta, index, 0)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        before, index, value = args
        head, rest = (where, ()) if isinstance(where, int) else (where[0], where[1:])
        if head == 1:
            return products.zero_like(z)
        if isinstance(before, list | tuple | dict):
            zeros = products.zero_like(z)
            return _replaced(zeros, index, {index: tangent}) if head == 2 else _replaced(tangent, index, zeros)
        import numpy as np

        if head == 2:
            return _overwritten(np.zeros(z.shape), index, products.placed(tangent, value, rest))
        return _overwritten(tangent, index, 0)

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
        index = repr(args[1]) if args is not None and isinstance(args[1], (int, str)) else "y"
        return ("put(0, " + f"[{index}], Δ)", "0", f"Δ[{index}]")[where if isinstance(where, int) else int(where[0])]


def _replaced(parts: Any, index: Any, source: Any) -> Any:
    """`parts` with the item at `index` taken from `source`."""
    if isinstance(parts, dict):
        return parts | {index: source[index]}
    changed = list(parts)
    changed[index] = source[index]
    return tuple(changed)


def _overwritten(array: Any, index: Any, value: Any) -> Any:
    import numpy as np

    changed = np.array(array, dtype=np.result_type(array, np.asarray(value), np.float64))
    changed[index] = value
    return changed


def _last_writes(shape: tuple[int, ...], index: Any) -> Any:
    """1 where a written element stayed, 0 where a later one of the same fancy index went over it."""
    if not is_fancy(index):
        return 1
    import numpy as np

    owner = np.full(shape, -1)
    count = np.arange(owner[index].size).reshape(owner[index].shape)
    owner[index] = count
    return owner[index] == count


#: m = x / 2**e, so dm/dx = m/x; frexp(0) is (0, 0), and near 0 m = x.
_FREXP_MANTISSA = "where(x==0, 1, z/x)"
_RULES = (
    ItemRule(),
    WriteRule(),
    TupleRule(
        "divmod", [["0", "0"], ["1", "-(x//y)"]], ["Δ[1]", "-Δ[1]*(x//y)"], "the quotient is piecewise constant: 0"
    ),
    TupleRule("math.modf", [["1"], ["0"]], ["Δ[0]"], "the whole part is piecewise constant: 0"),
    TupleRule("math.frexp", [[_FREXP_MANTISSA], ["0"]], ["Δ[0]/2**z[1]"], "the exponent is piecewise constant: 0"),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
