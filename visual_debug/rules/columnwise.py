"""The functions of formula texts over NumPy arrays; imported only once an array turns up."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules import special
from visual_debug.rules.base import NoPartial

_SAME = (
    "exp log log1p expm1 sqrt sin cos tan sinh cosh tanh trunc floor round hypot copysign maximum minimum where "
    "abs pi inf"
)

_digamma = np.frompyfunc(special.digamma, 1, 1)


def digamma(x: Any) -> Any:
    return np.asarray(_digamma(x)).astype(float)


def sign(x: Any) -> Any:
    if np.iscomplexobj(x):
        return np.where(x == 0, 0, np.conj(x) / np.abs(x))
    return np.sign(x)


def over(x: Any, z: Any) -> Any:
    return np.where(z == 0, 0, x / z)


def powx(x: Any, y: Any) -> Any:
    return np.where(y == 0, 0, y * np.power(x, y - 1))


def powy(z: Any, x: Any, y: Any) -> Any:
    """NaN for the elements whose base is negative; a lone number of that kind is refused, as for Python's floats."""
    if np.ndim(z) == 0 and not np.iscomplexobj(z) and x < 0:
        raise NoPartial("a power of a negative base is not a real function of the exponent")
    return np.where((x == 0) & (np.real(y) > 0), 0, z * np.log(x))


def _bounds(low: Any, high: Any) -> tuple[Any, Any]:
    """The bounds of clip, where None is no bound."""
    return -np.inf if low is None else low, np.inf if high is None else high


def inside(x: Any, low: Any, high: Any) -> Any:
    low, high = _bounds(low, high)
    return (low <= x) & (x <= high)


def below(x: Any, low: Any, high: Any) -> Any:
    low, high = _bounds(low, high)
    return (x < low) & (low <= high)


def above(x: Any, low: Any, high: Any) -> Any:
    """Where the upper bound decides; it also does where the bounds are the wrong way round."""
    low, high = _bounds(low, high)
    return np.maximum(x, low) > high


def finite(x: Any) -> Any:
    return np.isfinite(x) * 1.0


def lift(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Lists become arrays; integer and boolean arrays become floats, so that nothing wraps around."""
    return tuple(_lifted(value) for value in values)


def _lifted(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "bui":
        return value.astype(np.float64)
    return value


NAMESPACE: dict[str, Any] = {
    **{name: getattr(np, name) for name in _SAME.split()},
    "atan": np.arctan, "digamma": digamma, "sign": sign, "over": over, "powx": powx, "powy": powy,
    "inside": inside, "below": below, "above": above, "finite": finite,
}  # fmt: skip
