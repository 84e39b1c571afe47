"""Rules of NumPy's reductions: sums, means, products, extremes, cumulative forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule

Pull = Callable[..., Any]


def spread(reduced: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """`reduced`, with the axes that the reduction of `a` took away put back as length 1: it broadcasts against `a`."""
    reduced = np.asarray(reduced)
    if axis is None:
        return reduced.reshape((1,) * np.ndim(a)) if reduced.size == 1 else reduced
    if keepdims is True:
        return np.broadcast_to(reduced, _reduced_shape(a, axis, keep=True))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return np.expand_dims(
        np.broadcast_to(reduced, _reduced_shape(a, axis, keep=False)), tuple(i % np.ndim(a) for i in axes)
    )


def _reduced_shape(a: Any, axis: Any, *, keep: bool) -> tuple[int, ...]:
    gone = {i % np.ndim(a) for i in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if i in gone else n for i, n in enumerate(np.shape(a)) if keep or i not in gone)


def _count(a: Any, axis: Any, where: Any = True) -> Any:
    """How many elements go into each result, with the reduced axes kept."""
    return np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=True)


def _chosen(weights: Any, change: Any, masked: bool) -> Any:
    """weights * change; what was masked out or not chosen gets 0, whatever the change is."""
    return np.where(weights == 0, 0, weights * change) if masked else weights * change


def _linear_push(weights: Callable[..., Any]) -> Pull:
    """The push of a reduction whose result changes by sum(weights * tangent)."""

    def push(tangent: Any, z: Any, a: Any, axis: Any = None, *rest: Any, **kwargs: Any) -> Any:
        product = _chosen(weights(z, a, axis, *rest, **kwargs), tangent, weights in _CHOOSING)
        return np.sum(product, axis=axis).reshape(np.shape(z))

    return push


def _weighted_pull(weights: Callable[..., Any]) -> Pull:
    """The pull of the same reduction: weights * delta, in the shape of the operand."""

    def pull(delta: Any, z: Any, a: Any, axis: Any = None, *rest: Any, **kwargs: Any) -> Any:
        if axis is None and not rest and not kwargs and np.ndim(delta) == 0 and weights in _EVEN:
            return np.full(np.shape(a), delta / np.size(a) if weights is mean_weights else delta)
        keep = np.shape(z) != () and np.ndim(z) == np.ndim(a)
        return _chosen(weights(z, a, axis, *rest, **kwargs), spread(delta, a, axis, keep), weights in _CHOOSING)

    return pull


# Each of these is dz/da in the shape of a, given what the reduction itself was given.


def sum_weights(
    z: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    return np.broadcast_to(np.asarray(where, dtype=float), np.shape(a))


def mean_weights(z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
                 *, where: Any = True) -> Any:  # fmt: skip
    return np.broadcast_to(np.asarray(where, dtype=float), np.shape(a)) / _count(a, axis, where)


def prod_weights(z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
                 initial: Any = 1, where: Any = True) -> Any:  # fmt: skip
    """Products of all other elements, from both sides, so that zeros do no harm."""
    a = np.where(where, a, 1)
    axes = tuple(range(a.ndim)) if axis is None else tuple(i % a.ndim for i in np.atleast_1d(axis))
    last = np.moveaxis(a, axes, range(-len(axes), 0))
    flat = last.reshape(*last.shape[: a.ndim - len(axes)], -1)
    ones = np.ones((*flat.shape[:-1], 1))
    count = flat.shape[-1]
    before = np.cumprod(np.concatenate([ones, flat[..., :-1]], -1)[..., :count], -1)
    after = np.cumprod(np.concatenate([ones, flat[..., :0:-1]], -1)[..., :count], -1)[..., ::-1]
    return np.moveaxis((before * after * initial).reshape(last.shape), range(-len(axes), 0), axes) * where


def extreme_weights(z: Any, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
                    where: Any = True) -> Any:  # fmt: skip
    keep = np.shape(z) != () and np.ndim(z) == np.ndim(a)
    best = spread(z, a, axis, keep)
    hits = (a == best) & np.broadcast_to(where, np.shape(a))
    count = np.sum(hits, axis=axis, keepdims=True)
    shares = np.where(count > 0, hits / np.maximum(count, 1), 0)
    return np.where(np.isnan(best), np.nan, shares)


def var_weights(z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
                keepdims: Any = False, *, where: Any = True, mean: Any = None,
                correction: Any = None) -> Any:  # fmt: skip
    centre = np.mean(a, axis=axis, keepdims=True, where=where)
    count = _count(a, axis, where) - (ddof if correction is None else correction)
    return np.where(where, 2 * np.conj(a - centre) / count, 0)


def std_weights(z: Any, a: Any, axis: Any = None, *rest: Any, **kwargs: Any) -> Any:
    keep = np.shape(z) != () and np.ndim(z) == np.ndim(a)
    twice = 2 * spread(z, a, axis, keep)
    return np.where(twice == 0, 0, var_weights(z, a, axis, *rest, **kwargs) / twice)


# What the result changes by with `initial`, in the shape of the result.


def sum_initial(z: Any, a: Any, **kwargs: Any) -> Any:
    return np.ones(np.shape(z))


def prod_initial(z: Any, a: Any, *rest: Any, **kwargs: Any) -> Any:
    return np.prod(a, *rest, **(kwargs | {"initial": 1}))


def extreme_initial(z: Any, a: Any, axis: Any = None, *rest: Any, initial: Any, **kwargs: Any) -> Any:
    """1 where no element of the array is as good."""
    hits = (a == spread(z, a, axis, kwargs.get("keepdims", False))) & kwargs.get("where", True)
    return 1.0 - np.any(hits, axis=axis, keepdims=kwargs.get("keepdims", False))


def _initial(slope: Callable[..., Any], default: Any = None) -> dict[str, tuple[Pull, Pull]]:
    """The passes of `initial`; `default` is the axis of a call that names none."""

    def given(a: Any, *rest: Any, out: Any = None, dtype: Any = None, **kwargs: Any) -> Any:
        if rest[1:]:
            raise NoPartial("its derivative with so many positional arguments is not covered")
        return slope, {"axis": default, **dict(zip(("axis",), rest, strict=False)), **kwargs}

    def pull(delta: Any, z: Any, a: Any, *rest: Any, **kwargs: Any) -> Any:
        slope, call = given(a, *rest, **kwargs)
        return products.unbroadcast(np.broadcast_to(delta, np.shape(z)) * slope(z, a, **call), kwargs["initial"])

    def push(tangent: Any, z: Any, a: Any, *rest: Any, **kwargs: Any) -> Any:
        slope, call = given(a, *rest, **kwargs)
        return tangent * slope(z, a, **call)

    return {"initial": (pull, push)}


#: Those in which all elements count alike.
_EVEN = (sum_weights, mean_weights)
_CHOOSING = (sum_weights, mean_weights, extreme_weights)


def pull_cumsum(delta: Any, z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    along = 0 if axis is None else axis
    delta = np.broadcast_to(delta, np.shape(z))
    return np.flip(np.cumsum(np.flip(delta, along), along), along).reshape(np.shape(a))


def push_cumsum(tangent: Any, z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(tangent, axis)


def _along(a: Any, axis: Any) -> Any:
    return np.moveaxis(np.asarray(a), axis, 0) if axis is not None else np.ravel(a)


def pull_cumprod(delta: Any, z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """From the end: what element i is multiplied with later on, summed; no division, so zeros do no harm."""
    values, products, deltas = _along(a, axis), _along(z, axis), _along(np.broadcast_to(delta, np.shape(z)), axis)
    later = np.zeros(deltas.shape, dtype=np.result_type(deltas, values, float))
    total: Any = 0.0
    for i in range(len(values) - 1, -1, -1):
        total = deltas[i] + (values[i + 1] * total if i + 1 < len(values) else 0)
        later[i] = total * (products[i - 1] if i else 1)
    return later.reshape(np.shape(a)) if axis is None else np.moveaxis(later, 0, axis)


def push_cumprod(tangent: Any, z: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    values, products, tangents = _along(a, axis), _along(z, axis), _along(tangent, axis)
    result = np.zeros(products.shape, dtype=np.result_type(tangents, values, float))
    total: Any = 0.0
    for i in range(len(values)):
        total = tangents[i] * (products[i - 1] if i else 1) + values[i] * total
        result[i] = total
    return result if axis is None else np.moveaxis(result, 0, axis)


#: By the weights of a reduction, how it depends on `initial`.
_BY_INITIAL: dict[Any, Pull] = {sum_weights: sum_initial, prod_weights: prod_initial, extreme_weights: extreme_initial}
TABLE: dict[str, Rule] = {}


def _reduction(op: str, weights: Callable[..., Any], text: str, note: str = "") -> None:
    named = _initial(_BY_INITIAL[weights]) if weights in _BY_INITIAL else None
    TABLE[op] = FunctionRule(
        op, [_weighted_pull(weights)], [_linear_push(weights)], texts=[text], note=note, named=named
    )


def _reduce(op: str, weights: Callable[..., Any], text: str, note: str = "") -> None:
    pull, push = _weighted_pull(weights), _linear_push(weights)
    TABLE[op] = FunctionRule(
        op,
        [lambda delta, z, a, axis=0, *rest, **kwargs: pull(delta, z, a, axis, *rest, **kwargs)],
        [lambda tangent, z, a, axis=0, *rest, **kwargs: push(tangent, z, a, axis, *rest, **kwargs)],
        texts=[text], note=note, symbol=op.removeprefix("numpy."), named=_initial(_BY_INITIAL[weights], 0),
    )  # fmt: skip


_TIE = "tie: equal shares"
_FLAT = "where z = 0 the derivative is taken as 0"

# fmt: off
_reduction("numpy.sum",  sum_weights,     "broadcast(Δ, x.shape)")
_reduction("numpy.mean", mean_weights,    "broadcast(Δ, x.shape)/n")
_reduction("numpy.prod", prod_weights,    "Δ*z/x")
_reduction("numpy.max",  extreme_weights, "Δ*(x==z)", _TIE)
_reduction("numpy.min",  extreme_weights, "Δ*(x==z)", _TIE)
_reduction("numpy.var",  var_weights,     "Δ*2*(x-mean(x))/n")
_reduction("numpy.std",  std_weights,     "Δ*(x-mean(x))/(n*z)", _FLAT)
_reduce("numpy.add.reduce",      sum_weights,     "broadcast(Δ, x.shape)")
_reduce("numpy.multiply.reduce", prod_weights,    "Δ*z/x")
_reduce("numpy.maximum.reduce",  extreme_weights, "Δ*(x==z)", _TIE)
_reduce("numpy.minimum.reduce",  extreme_weights, "Δ*(x==z)", _TIE)
# fmt: on
TABLE["numpy.cumsum"] = FunctionRule("numpy.cumsum", [pull_cumsum], [push_cumsum], texts=["cumsum from the end(Δ)"])
TABLE["numpy.cumprod"] = FunctionRule("numpy.cumprod", [pull_cumprod], [push_cumprod], texts=["pull_cumprod(Δ)"])
