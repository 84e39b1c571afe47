"""Quantiles, averages, sums that pass over NaN, and covariances, in terms of sorting and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.defined import value_of
from visual_debug.rules.definitions.registry import defines


def rows(a: Any, axis: Any) -> Any:
    """`a` with the axes to be reduced moved to the end and made one."""
    a = a if np.ndim(a) else np.reshape(a, 1)
    if axis is None:
        return np.reshape(a, -1)
    axes = tuple(i % np.ndim(a) for i in np.atleast_1d(axis))
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    return np.reshape(moved, (*np.shape(moved)[: np.ndim(a) - len(axes)], -1))


def kept(reduced: Any, a: Any, axis: Any, keepdims: Any, lead: int = 0) -> Any:
    """A reduction's result with the reduced axes put back where `keepdims` asks for them; `lead` axes go before."""
    if keepdims is not True:
        return reduced
    count = np.ndim(a)
    gone = range(count) if axis is None else [i % count for i in np.atleast_1d(axis)]
    return np.expand_dims(reduced, tuple(lead + i for i in gone))


@defines("ptp")
def _ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


_WITHIN: dict[str, Callable[[Any], Any]] = {
    "linear": lambda part: part,
    "lower": lambda part: 0.0,
    "higher": lambda part: float(value_of(part) > 0),
    "midpoint": lambda part: 0.5 if value_of(part) > 0 else 0.0,
}


#: Methods that interpolate between other places: parameters alpha and beta of Hyndman and Fan, Sample quantiles in
#: statistical packages, The American Statistician 50, 1996.
_ENDS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def _one_quantile(ordered: Any, q: Any, method: str) -> Any:
    """The quantile of rows in order."""
    last = np.shape(ordered)[-1] - 1
    if method in _ENDS:
        alpha, beta = _ENDS[method]
        at = q * (last + 2 - alpha - beta) + (alpha - 1)
        at = at * 0.0 + min(max(value_of(at), 0), last) if not 0 <= value_of(at) <= last else at
        method = "linear"
    else:
        at = q * last
    if method == "nearest":
        return ordered[..., int(np.around(value_of(at)))]
    if method not in _WITHIN:
        raise NoPartial(f"its derivative with method={method!r} is not covered")
    low = min(int(np.floor(value_of(at))), max(last - 1, 0))
    high = min(low + 1, last)
    return ordered[..., low] + _WITHIN[method](at - low) * (ordered[..., high] - ordered[..., low])


@defines("quantile")
def _quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Any:
    if weights is not None:
        return _weighted_quantile(a, q, axis, method, keepdims, weights)
    ordered = np.sort(rows(a, axis), axis=-1)
    if np.ndim(q) == 0:
        return kept(_one_quantile(ordered, q, method), a, axis, keepdims)
    flat = np.reshape(q, -1)
    several = np.stack([_one_quantile(ordered, flat[i], method) for i in range(np.size(q))])
    several = np.reshape(several, (*np.shape(q), *np.shape(several)[1:]))
    return kept(several, a, axis, keepdims, np.ndim(q))


def _weighted_quantile(a: Any, q: Any, axis: Any, method: str, keepdims: Any, weights: Any) -> Any:
    """It is one of the elements of each row, the same one for weights and quantiles that differ a little."""
    numbers = value_of(a)
    reduce: Any = np.quantile
    found = reduce(numbers, value_of(q), axis, method=method, weights=value_of(weights))
    at = np.argmax(rows(numbers, axis) == np.asarray(found)[..., None], axis=-1)
    lined = rows(a, axis)
    index = np.indices(np.shape(at))[np.ndim(q) :]
    whole = lined[(*index, at)] if np.ndim(lined) > 1 else lined[at]
    if type(whole) is np.ndarray or np.isscalar(whole):  # an operand that only says which
        return kept(np.multiply(found, 1.0), a, axis, keepdims, np.ndim(q))
    return kept(whole, a, axis, keepdims, np.ndim(q))


@defines("percentile")
def _percentile(a: Any, q: Any, *rest: Any, **kwargs: Any) -> Any:
    return _quantile(a, np.multiply(q, 0.01), *rest, **kwargs)


@defines("median")
def _median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    ordered = np.sort(rows(a, axis), axis=-1)
    count = np.shape(ordered)[-1]
    return kept((ordered[..., (count - 1) // 2] + ordered[..., count // 2]) / 2, a, axis, keepdims)


@defines("average")
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    if weights is None:
        mean, total = np.mean(a, axis=axis, keepdims=keepdims), None
    else:
        if np.shape(weights) != np.shape(a):
            shape = [1] * np.ndim(a)
            for i, n in zip(np.atleast_1d(axis), np.shape(weights), strict=True):
                shape[i] = n
            weights = np.reshape(weights, shape)
        spread = np.multiply(weights, np.ones(np.shape(a)))
        total = np.sum(spread, axis=axis, keepdims=keepdims)
        mean = np.sum(np.multiply(a, weights), axis=axis, keepdims=keepdims) / total
    if not returned:
        return mean
    return mean, np.full(np.shape(mean), np.size(value_of(a)) / np.size(value_of(mean))) if total is None else total


def _present(a: Any) -> Any:
    return ~np.isnan(value_of(a))


@defines("nansum")
def _nansum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return np.sum(np.where(_present(a), a, 0), axis=axis, keepdims=keepdims)


@defines("nanprod")
def _nanprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return np.prod(np.where(_present(a), a, 1), axis=axis, keepdims=keepdims)


@defines("nanmax")
def _nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return np.max(np.where(_present(a), a, -np.inf), axis=axis, keepdims=keepdims)


@defines("nanmin")
def _nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return np.min(np.where(_present(a), a, np.inf), axis=axis, keepdims=keepdims)


@defines("nancumsum")
def _nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(np.where(_present(a), a, 0), axis=axis)


@defines("nancumprod")
def _nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(np.where(_present(a), a, 1), axis=axis)


@defines("nanmean")
def _nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _nansum(a, axis, keepdims=keepdims) / np.sum(_present(a), axis=axis, keepdims=keepdims)


@defines("nanvar")
def _nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    apart = np.where(_present(a), a - _nanmean(a, axis, keepdims=True), 0)
    count = np.sum(_present(a), axis=axis, keepdims=keepdims) - ddof
    return np.sum(apart * apart, axis=axis, keepdims=keepdims) / count


@defines("nanstd")
def _nanstd(a: Any, *rest: Any, **kwargs: Any) -> Any:
    return np.sqrt(_nanvar(a, *rest, **kwargs))


def _row_by_row(a: Any, axis: Any, keepdims: Any, one: Callable[[Any], Any]) -> Any:
    """A reduction that leaves out what is NaN, which is another number of elements in every row."""
    lined = rows(a, axis)
    flat = np.reshape(lined, (-1, np.shape(lined)[-1]))
    several = np.stack([one(flat[i][_present(flat[i])]) for i in range(np.shape(flat)[0])])
    return kept(np.reshape(several, np.shape(lined)[:-1]), a, axis, keepdims)


@defines("nanmedian")
def _nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return _row_by_row(a, axis, keepdims, _median)


@defines("nanquantile")
def _nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
) -> Any:
    if np.ndim(q):
        raise NoPartial("its derivative for several quantiles at once is not covered")
    return _row_by_row(a, axis, keepdims, lambda row: _quantile(row, q, method=method))


@defines("nanpercentile")
def _nanpercentile(a: Any, q: Any, *rest: Any, **kwargs: Any) -> Any:
    return _nanquantile(a, np.multiply(q, 0.01), *rest, **kwargs)


@defines("cov")
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    both = [np.atleast_2d(x) if rowvar or np.ndim(x) < 2 else np.transpose(x) for x in (m, y) if x is not None]
    whole = np.concatenate(both, axis=0)
    ddof = int(not bias) if ddof is None else ddof
    if fweights is None and aweights is None:
        apart = whole - np.mean(whole, axis=1, keepdims=True)
        count: Any = np.shape(whole)[1] - ddof
        return np.squeeze(np.matmul(apart, np.conjugate(np.transpose(apart))) / count)
    weights = np.multiply(1.0 if fweights is None else fweights, 1.0 if aweights is None else aweights)
    total = np.sum(weights)
    apart = whole - np.sum(whole * weights, axis=1, keepdims=True) / total
    count = total - (ddof if aweights is None else ddof * np.sum(weights * aweights) / total)
    return np.squeeze(np.matmul(apart, np.conjugate(np.transpose(apart * weights))) / count)


@defines("corrcoef")
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *rest: Any, **kwargs: Any) -> Any:
    found = _cov(x, y, rowvar)
    if np.ndim(found) == 0:
        return found / found
    spread = np.sqrt(np.diagonal(found))
    return found / np.multiply.outer(spread, spread)
