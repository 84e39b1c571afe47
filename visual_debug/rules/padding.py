"""The rule of `numpy.pad`: elements that are moved, or pads that are computed from the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules.base import Format, NoPartial, Rule
from visual_debug.rules.shaping import MoverRule

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: Modes that repeat elements, or put in constants.
_MOVING = frozenset({"constant", "edge", "reflect", "symmetric", "wrap", "empty"})
_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max,
    "minimum": np.min,
    "mean": np.mean,
    "median": np.median,
}


def pairs(given: Any, count: int) -> list[tuple[Any, Any]]:
    """What `numpy.pad` takes as a number, a pair, or a pair for each axis, as a pair for each axis."""
    if np.ndim(given) == 0:
        return [(given, given)] * count
    if np.ndim(given) == 1:
        first, second = (given[0], given[0]) if np.shape(given) == (1,) else (given[0], given[1])
        return [(first, second)] * count
    each = [(given[i][0], given[i][0] if np.shape(given)[1] == 1 else given[i][1]) for i in range(np.shape(given)[0])]
    return each * count if len(each) == 1 else each


def padded(array: Any, pad_width: Any, mode: Any = "constant", **how: Any) -> Any:
    """A definition of those modes that compute what they pad with, axis by axis, and of constants."""
    if mode not in {"constant", "linear_ramp", *_STATISTICS} or isinstance(pad_width, dict):
        raise NoPartial(f"its derivative with mode={mode!r} and these arguments is not covered")
    count = np.ndim(array)
    widths = pairs(pad_width, count)
    ends = pairs(how.get("constant_values" if mode == "constant" else "end_values", 0), count)
    lengths = pairs(how.get("stat_length"), count)
    for axis in range(count):
        sides = []
        for last in (False, True):
            width = int(widths[axis][last])
            if mode in _STATISTICS:
                pad = _statistic(array, axis, lengths[axis][last], mode, last=last)
            elif mode == "constant":
                pad = np.multiply(ends[axis][last], np.ones([1] * count))
            else:
                pad = _ramp(array, axis, width, ends[axis][last], last=last)
            shape = [*np.shape(array)[:axis], width, *np.shape(array)[axis + 1 :]]
            sides.append(np.broadcast_to(pad, shape))
        array = np.concatenate([sides[0], array, sides[1]], axis=axis)
    return array


def _statistic(array: Any, axis: int, length: Any, mode: str, *, last: bool) -> Any:
    count = np.shape(array)[axis]
    length = count if length is None else min(int(length), count)
    if length == 0:
        raise NoPartial("its derivative with statistics of no elements is not covered")
    part = slice(count - length, count) if last else slice(0, length)
    return _STATISTICS[mode](array[(slice(None),) * axis + (part,)], axis=axis, keepdims=True)


def _ramp(array: Any, axis: int, width: int, end: Any, *, last: bool) -> Any:
    edge = array[(slice(None),) * axis + (slice(-1, None) if last else slice(0, 1),)]
    shape = [1] * np.ndim(array)
    shape[axis] = width
    part = np.arange(width) / max(width, 1)
    part = np.reshape(part[::-1] if last else part, shape)
    return end + (edge - end) * part


class PadRule(Rule):
    """`numpy.pad` in all modes: elements are moved at once; what computes goes by the definition."""

    def __init__(self, defined: Rule) -> None:
        super().__init__("numpy.pad", "pad", "", 1)
        self._moved = MoverRule("numpy.pad", {0: "array"}, fills=("constant_values",))
        self._defined = defined

    def of(self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Rule:
        """The rule of a call: that of what moves elements, or the definition."""
        mode = args[2] if len(args) > 2 else kwargs.get("mode", "constant")
        is_array = where in (0, ("array",)) or (isinstance(where, tuple) and where[0] == 0)
        moves = isinstance(mode, str) and mode in _MOVING and is_array and kwargs.get("reflect_type", "even") == "even"
        return self._moved if moves else self._defined

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self.of(where, args, kwargs).pull(where, delta, z, args, kwargs)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self.of(where, args, kwargs).push(where, tangent, z, args, kwargs)

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
        return self._moved.text(where, count, args, z, fmt, values=values)
