"""Rules of random numbers drawn with parameters: what the same draw would be with parameters a little different.

The generator's state is held fixed (reparametrisation, or pathwise derivatives: P. Glasserman, Monte Carlo Methods in
Financial Engineering, 2003, section 7.2). So a draw from `normal(loc, scale)` is loc + scale*e, of which the normal e does
not change. Of numbers that are drawn by rejection, or are whole, there is no such derivative, and they have no rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule

#: How operations on a generator are called: of the new interface, of the old, and of the old without an object.
OWNERS = ("numpy.random._generator.Generator", "numpy.random.mtrand.RandomState", "numpy.random.RandomState")
Slope = Callable[..., Any]
TABLE: dict[str, Rule] = {}


def _given(slope: Slope, z: Any, parameters: tuple[Any, ...]) -> Any:
    """The operand and dz/d operand of a call, whose parameters that were left out are None."""
    count = slope.__code__.co_argcount - 1
    defaults = (None,) * (count - len(slope.__defaults__ or ())) + (slope.__defaults__ or ())
    call = [
        default if value is None else np.asarray(value) for value, default in zip(parameters, defaults, strict=False)
    ]
    return slope(np.asarray(z), *call)


def _pull(slope: Slope) -> Callable[..., Any]:
    def pull(delta: Any, z: Any, *parameters: Any, size: Any = None) -> Any:
        operand, partial = _given(slope, z, parameters)
        return products.reduced(np.multiply(delta, partial), np.shape(z), operand)

    return pull


def _push(slope: Slope) -> Callable[..., Any]:
    def push(tangent: Any, z: Any, *parameters: Any, size: Any = None) -> Any:
        _, partial = _given(slope, z, parameters)
        return np.broadcast_to(np.multiply(tangent, partial), np.shape(z))

    return push


def _row(name: str, *slopes: Slope, note: str = "") -> None:
    """`slopes` give, for each parameter, the operand and dz/d operand; they take z and all parameters up to theirs."""
    pulls, pushes = [_pull(slope) for slope in slopes], [_push(slope) for slope in slopes]
    names = slopes[-1].__code__.co_varnames[1 : 1 + slopes[-1].__code__.co_argcount - 1]
    for owner in OWNERS:
        op = f"{owner}.{name}"
        texts = [f"Δ*d{name}/d{parameter}" for parameter in names]
        TABLE[op] = FunctionRule(op, pulls, pushes, texts=texts, note=note, names=names)


def _steady(scale: Any) -> Any:
    """A scale to divide by. Of a scale of 0 what was drawn cannot be told from the result."""
    if np.any(np.equal(scale, 0)):
        raise NoPartial("its derivative where the scale is 0 is not known")
    return scale


def _by_location(z: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return loc, 1.0


def _by_scale(z: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return scale, (z - loc) / _steady(scale)


def _share(z: Any, low: Any, high: Any) -> Any:
    return (z - low) / _steady(high - low)


def _by_low(z: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    return low, 1.0 - _share(z, low, high)


def _by_high(z: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    return high, _share(z, low, high)


def _by_only_scale(z: Any, scale: Any = 1.0) -> Any:
    return scale, z / _steady(scale)


def _by_mean(z: Any, mean: Any = 0.0, sigma: Any = 1.0) -> Any:
    return mean, z


def _by_sigma(z: Any, mean: Any = 0.0, sigma: Any = 1.0) -> Any:
    return sigma, z * (np.log(z) - mean) / _steady(sigma)


def _by_shape_of_weibull(z: Any, a: Any) -> Any:
    return a, -z * np.log(z) / _steady(a)


def _by_shape_of_pareto(z: Any, a: Any) -> Any:
    return a, -(1.0 + z) * np.log1p(z) / _steady(a)


_FIXED = "the state of the generator is held fixed: z = loc + scale*e"
for _name in ("normal", "laplace", "logistic", "gumbel"):
    _row(_name, _by_location, _by_scale, note=_FIXED)
_row("uniform", _by_low, _by_high, note="the state of the generator is held fixed: z = low + (high-low)*e")
for _name in ("exponential", "rayleigh"):
    _row(_name, _by_only_scale, note="the state of the generator is held fixed: z = scale*e")
_row("lognormal", _by_mean, _by_sigma, note="the state of the generator is held fixed: z = exp(mean + sigma*e)")
for _name in ("weibull", "power"):
    _row(_name, _by_shape_of_weibull, note="the state of the generator is held fixed: z = e**(1/a)")
_row("pareto", _by_shape_of_pareto, note="the state of the generator is held fixed: 1 + z = e**(1/a)")


def _places(z: Any, a: Any) -> Any:
    """Where in `a` the elements of `z` were taken from. Raises NoPartial where that cannot be told from the numbers."""
    a = np.asarray(a)
    if a.ndim != 1:
        raise NoPartial("its derivative for anything but a vector of numbers is not covered")
    order = np.argsort(a)
    rising = a[order]
    if not np.all(rising[1:] > rising[:-1]):
        raise NoPartial("which of the elements that are equal (or NaN) was drawn cannot be told")
    return order[np.searchsorted(rising, z)]


def _pull_drawn(delta: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    found = np.zeros(np.shape(a), np.result_type(delta, np.float64))
    np.add.at(found, _places(z, a), delta)
    return found


def _push_drawn(tangent: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    return np.asarray(tangent)[_places(z, a)]


for _name, _operand in {"choice": "a", "permutation": "x"}.items():
    for _op in (f"{owner}.{_name}" for owner in OWNERS):
        TABLE[_op] = FunctionRule(
            _op, [_pull_drawn], [_push_drawn], texts=["put(Δ, drawn)"], names=[_operand],
            note="which elements are drawn is held fixed; they are found again by their values",
        )  # fmt: skip
