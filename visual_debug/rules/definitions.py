"""NumPy's functions in terms of simpler ones: statistics, differences, interpolation, polynomials, sequences.

Each takes the arguments of the function that it defines. They say what the function computes, not how NumPy does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.defined import value_of

#: op -> definition
ALL: dict[str, Callable[..., Any]] = {}


def defines(*ops: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """File a definition under the names of the functions that it defines."""

    def enter(definition: Callable[..., Any]) -> Callable[..., Any]:
        for op in ops:
            if hasattr(np, op.partition(".")[0]):
                ALL[f"numpy.{op}"] = definition
        return definition

    return enter


# ---- statistics


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


def _one_quantile(ordered: Any, q: Any, method: str) -> Any:
    """The quantile of rows in order."""
    last = np.shape(ordered)[-1] - 1
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
        raise NoPartial("its derivative with weights is not covered")
    ordered = np.sort(rows(a, axis), axis=-1)
    if np.ndim(q) == 0:
        return kept(_one_quantile(ordered, q, method), a, axis, keepdims)
    flat = np.reshape(q, -1)
    several = np.stack([_one_quantile(ordered, flat[i], method) for i in range(np.size(q))])
    several = np.reshape(several, (*np.shape(q), *np.shape(several)[1:]))
    return kept(several, a, axis, keepdims, np.ndim(q))


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
    if fweights is not None or aweights is not None:
        raise NoPartial("its derivative with weights is not covered")
    both = [np.atleast_2d(x) if rowvar or np.ndim(x) < 2 else np.transpose(x) for x in (m, y) if x is not None]
    whole = np.concatenate(both, axis=0)
    apart = whole - np.mean(whole, axis=1, keepdims=True)
    count = np.shape(whole)[1] - (int(not bias) if ddof is None else ddof)
    found = np.matmul(apart, np.conjugate(np.transpose(apart))) / count
    return np.squeeze(found)


@defines("corrcoef")
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *rest: Any, **kwargs: Any) -> Any:
    found = _cov(x, y, rowvar)
    if np.ndim(found) == 0:
        return found / found
    spread = np.sqrt(np.diagonal(found))
    return found / np.multiply.outer(spread, spread)


# ---- differences and integrals


@defines("diff")
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    parts = []
    for extra in (prepend, a, append):
        if extra is None:
            continue
        if extra is not a and np.ndim(extra) == 0:
            shape = list(np.shape(a))
            shape[axis] = 1
            extra = np.broadcast_to(extra, shape)
        parts.append(extra)
    whole = np.moveaxis(np.concatenate(parts, axis=axis), axis, -1)
    for _ in range(n):
        whole = whole[..., 1:] - whole[..., :-1]
    return np.moveaxis(whole, -1, axis)


@defines("ediff1d")
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    flat = np.reshape(ary, -1)
    ends = [None if end is None else np.reshape(end, -1) for end in (to_begin, to_end)]
    return np.concatenate([part for part in (ends[0], flat[1:] - flat[:-1], ends[1]) if part is not None])


@defines("trapezoid", "trapz")
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(np.atleast_1d(y), axis, -1)
    if x is not None:
        dx = np.moveaxis(x, axis, -1) if np.ndim(x) > 1 else np.atleast_1d(x)
        dx = dx[..., 1:] - dx[..., :-1]
    return np.sum(dx * (y[..., 1:] + y[..., :-1]), axis=-1) / 2


@defines("gradient")
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    count = np.ndim(f)
    axes = range(count) if axis is None else [i % count for i in np.atleast_1d(axis)]
    steps = list(varargs) if len(varargs) > 1 else list(varargs or (1.0,)) * len(axes)
    found = [_slopes(np.moveaxis(f, i, -1), h, edge_order, i) for i, h in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 and (count == 1 or isinstance(axis, (int, np.integer))) else tuple(found)


def _slopes(f: Any, h: Any, edge_order: int, axis: int) -> Any:
    """Second-order differences inside, `edge_order` at the ends, along the last axis; `h` a step or coordinates."""
    if np.ndim(h) == 0:
        h = h * np.ones(np.shape(f)[-1] - 1)
    else:
        h = h[1:] - h[:-1]
    left, right = h[:-1], h[1:]
    rise = f[..., 1:] - f[..., :-1]
    slope = rise / h
    inside = (left * slope[..., 1:] + right * slope[..., :-1]) / (left + right)
    first, last = slope[..., :1], slope[..., -1:]
    if edge_order == 2:
        bend = (slope[..., 1:] - slope[..., :-1]) / (left + right)
        first, last = first - h[0] * bend[..., :1], last + h[-1] * bend[..., -1:]
    return np.moveaxis(np.concatenate([first, inside, last], axis=-1), -1, axis)


@defines("interp")
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    if period is not None:
        raise NoPartial("its derivative with a period is not covered")
    x, xp, fp = (np.asarray(v) if isinstance(v, (list, tuple)) else v for v in (x, xp, fp))
    points, places = np.asarray(value_of(x)), np.asarray(value_of(xp))
    low = np.clip(np.searchsorted(places, points, side="right") - 1, 0, max(len(places) - 2, 0))
    high = np.minimum(low + 1, len(places) - 1)
    slope = (fp[high] - fp[low]) / (xp[high] - xp[low])
    inside = fp[low] + (x - xp[low]) * slope
    inside = np.where(points < places[0], fp[0] if left is None else left, inside)
    return np.where(points > places[-1], fp[-1] if right is None else right, inside)


@defines("unwrap")
def _unwrap(p: Any, *rest: Any, **kwargs: Any) -> Any:
    return p + (np.unwrap(value_of(p), *rest, **kwargs) - value_of(p))


# ---- sequences of numbers


@defines("linspace")
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    num = value_of(num)
    count = num - 1 if endpoint else num
    width = np.subtract(stop, start)
    part = np.reshape(np.arange(num) / max(count, 1), (-1,) + (1,) * np.ndim(width))
    found = np.moveaxis(start + part * width, 0, axis)
    return (found, width / count) if retstep else found


@defines("arange")
def _arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, **_: Any) -> Any:
    begin, end, by = (0, start, step) if stop is None else (start, stop, step)
    return begin + np.arange(len(np.arange(value_of(begin), value_of(end), value_of(by)))) * by


@defines("logspace")
def _logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    return np.power(base, _linspace(start, stop, num, endpoint, axis=axis))


@defines("geomspace")
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    if np.any(np.asarray(value_of(start)) <= 0) or np.any(np.asarray(value_of(stop)) <= 0):
        raise NoPartial("its derivative for ends that are not positive is not covered")
    return np.exp(_linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))


@defines("vander")
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    powers = np.arange(np.shape(x)[0] if N is None else N)
    return np.power(x[:, None], powers if increasing else powers[::-1])


@defines("unique")
def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    **kwargs: Any,
) -> Any:
    if axis is not None:
        raise NoPartial("its derivative along an axis is not covered")
    found: Any = np.unique(value_of(ar), True, return_inverse, return_counts)  # type: ignore[call-overload]
    picked = np.reshape(ar, -1)[found[1]]
    if not (return_index or return_inverse or return_counts):
        return picked
    return (picked, *found[1 if return_index else 2 :])


# ---- products


@defines("kron")
def _kron(a: Any, b: Any) -> Any:
    count = max(np.ndim(a), np.ndim(b))
    shapes = [(1,) * (count - np.ndim(x)) + np.shape(x) for x in (a, b)]
    left = np.reshape(a, [n for size in shapes[0] for n in (size, 1)])
    right = np.reshape(b, [n for size in shapes[1] for n in (1, size)])
    return np.reshape(np.multiply(left, right), [m * n for m, n in zip(*shapes, strict=True)])


@defines("cross", "linalg.cross")
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (
        np.moveaxis(np.asarray(a) if isinstance(a, list) else a, axisa, -1),
        np.moveaxis(np.asarray(b) if isinstance(b, list) else b, axisb, -1),
    )
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise NoPartial("its derivative for vectors of two is not covered")
    one, two = ([v[..., i] for i in range(3)] for v in (a, b))
    parts = [one[i - 2] * two[i - 1] - one[i - 1] * two[i - 2] for i in range(3)]
    return np.moveaxis(np.stack(parts, axis=-1), -1, axisc)


@defines("vecdot", "linalg.vecdot")
def _vecdot(x1: Any, x2: Any, *, axis: int = -1, **kwargs: Any) -> Any:
    return np.sum(np.multiply(np.conjugate(x1), x2), axis=axis)


@defines("correlate")
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    if np.shape(v)[0] > np.shape(a)[0]:
        return np.conjugate(_correlate(v, a, mode))[::-1]
    return np.convolve(a, np.conjugate(v)[::-1], mode)


# ---- polynomials


@defines("polyval")
def _polyval(p: Any, x: Any) -> Any:
    total: Any = np.multiply(x, 0.0)
    for i in range(len(p)):
        total = total * x + p[i]
    return total


@defines("polyfit")
def _polyfit(x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    if full or cov is not False or np.ndim(deg):
        raise NoPartial("its derivative with full, cov or a list of degrees is not covered")
    left = _vander(x, int(deg) + 1)
    if w is not None:
        left, y = left * w[:, None], np.multiply(y, w if np.ndim(y) == 1 else w[:, None])
    return np.linalg.lstsq(left, y, rcond=None)[0]


def _padded(p: Any, size: int) -> Any:
    return np.concatenate([np.zeros(size - np.shape(p)[0]), p])


@defines("polyadd")
def _polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
    size = max(np.shape(a1)[0], np.shape(a2)[0])
    return _padded(a1, size) + _padded(a2, size)


@defines("polysub")
def _polysub(a1: Any, a2: Any) -> Any:
    return _polyadd(a1, np.negative(a2))


@defines("polymul")
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(a1, a2)


@defines("polyder")
def _polyder(p: Any, m: int = 1) -> Any:
    for _ in range(m):
        p = p[:-1] * np.arange(np.shape(p)[0] - 1, 0, -1)
    return p


@defines("polyint")
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    constants = np.zeros(m) if k is None else np.broadcast_to(k, m)
    for i in range(m):
        p = np.concatenate([p / np.arange(np.shape(p)[0], 0, -1), constants[i : i + 1]])
    return p


@defines("poly")
def _poly(seq_of_zeros: Any) -> Any:
    if np.ndim(seq_of_zeros) != 1:
        raise NoPartial("its derivative for a matrix is not covered; take its eigenvalues first")
    found: Any = np.ones(1)
    for i in range(np.shape(seq_of_zeros)[0]):
        found = np.convolve(found, np.stack([np.ones(()), -seq_of_zeros[i]]))
    return found


# ---- linear algebra


@defines("linalg.multi_dot")
def _multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    found = arrays[0]
    for array in arrays[1:]:
        found = np.matmul(found, array)
    return found


@defines("linalg.matrix_power")
def _matrix_power(a: Any, n: int) -> Any:
    if n == 0:
        return np.multiply(a, 0.0) + np.eye(np.shape(a)[-1])
    base = np.linalg.inv(a) if n < 0 else a
    found = base
    for _ in range(abs(n) - 1):
        found = np.matmul(found, base)
    return found


@defines("linalg.eigvalsh")
def _eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigh(a, UPLO)[0]


@defines("linalg.eigvals")
def _eigvals(a: Any) -> Any:
    return np.linalg.eig(a)[0]


@defines("linalg.svdvals")
def _svdvals(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)[1]


@defines("linalg.cond")
def _cond(x: Any, p: Any = None) -> Any:
    if p is None or p in (2, -2):
        values = _svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


def matrix_norm(x: Any, order: Any, axes: Any) -> Any:
    """The norms of matrices that are no sum of squares: of columns, rows and singular values."""
    x = np.moveaxis(x, axes, (-2, -1))
    if order in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.absolute(x), axis=-2 if abs(order) == 1 else -1)
        return np.max(sums, axis=-1) if order > 0 else np.min(sums, axis=-1)
    values = np.linalg.svd(x, full_matrices=False)[1]
    return np.sum(values, axis=-1) if order == "nuc" else values[..., 0] if order == 2 else values[..., -1]


@defines("linalg.norm")
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    axes = tuple(range(np.ndim(x))) if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    if len(axes) == 1 or ord in (None, "fro", "f"):
        # At 0 the derivative of a norm is taken as 0.
        found = _vector_norm(x, 2 if ord is None or isinstance(ord, str) else ord, axes)
    else:
        found = matrix_norm(x, ord, axes)
    return kept(found, x, axis, bool(keepdims))


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...]) -> Any:
    size = np.absolute(x)
    if order == 2:
        return _root_of_squares(size, axes)
    if order in (np.inf, -np.inf):
        return np.max(size, axis=axes) if order > 0 else np.min(size, axis=axes)
    if order == 0:
        return np.sum(np.multiply(size, 0.0), axis=axes) + np.sum(value_of(size) != 0, axis=axes)
    if order == 1:
        return np.sum(size, axis=axes)
    whole = np.max(np.where(value_of(size) == 0, 0, value_of(size)), axis=axes, keepdims=True)
    safe = np.where(whole == 0, 1, whole)
    parts = np.where(whole == 0, 1, size / safe)
    return np.squeeze(np.where(whole == 0, 0, safe), axes) * np.power(
        np.sum(np.power(parts, order), axis=axes), 1 / order
    )


def _root_of_squares(size: Any, axes: tuple[int, ...]) -> Any:
    total = np.sum(np.square(size), axis=axes)
    is_zero = value_of(total) == 0
    return np.where(is_zero, 0, np.sqrt(np.where(is_zero, 1, total)))


@defines("linalg.vector_norm")
def _vector_norm_of(x: Any, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    axes = tuple(range(np.ndim(x))) if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    return kept(_vector_norm(x, ord, axes), x, axis, bool(keepdims))


@defines("linalg.matrix_norm")
def _matrix_norm_of(x: Any, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)


@defines("linalg.lstsq")
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    found = np.matmul(np.linalg.pinv(a), b)
    rest = np.matmul(a, found) - b
    _, residuals, rank, values = np.linalg.lstsq(value_of(a), value_of(b), rcond)
    squares = np.sum(np.square(rest), axis=0, keepdims=np.ndim(b) == 1) if np.size(residuals) else residuals
    return found, squares, rank, _svdvals(a) if a is not value_of(a) else values


@defines("linalg.tensorinv")
def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    size = int(np.prod(shape[ind:]))
    return np.reshape(np.linalg.inv(np.reshape(a, (size, -1))), shape[ind:] + shape[:ind])


@defines("linalg.tensorsolve")
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        raise NoPartial("its derivative with axes is not covered")
    shape = np.shape(a)[np.ndim(b) :]
    size = int(np.prod(shape))
    return np.reshape(np.linalg.solve(np.reshape(a, (size, size)), np.reshape(b, -1)), shape)


@defines("linalg.outer")
def _outer(x1: Any, x2: Any) -> Any:
    return np.multiply.outer(x1, x2)


@defines("linalg.trace")
def _trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1)


@defines("linalg.matmul")
def _matmul(x1: Any, x2: Any) -> Any:
    return np.matmul(x1, x2)


@defines("linalg.tensordot")
def _tensordot(x1: Any, x2: Any, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes)


# ---- Fourier transforms: those of several axes and of real numbers by those of one axis


def _sizes(a: Any, s: Any, axes: Any) -> list[tuple[Any, int]]:
    """The length (None: as it is) and the axis of each transform."""
    if axes is None:
        axes = range(-np.ndim(a), 0) if s is None else range(-len(s), 0)
    return list(zip([None] * len(axes) if s is None else s, axes, strict=True))


@defines("fft.fftn")
def _fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    for n, axis in reversed(_sizes(a, s, axes)):
        a = np.fft.fft(a, n, axis, norm)
    return a


@defines("fft.ifftn")
def _ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    for n, axis in reversed(_sizes(a, s, axes)):
        a = np.fft.ifft(a, n, axis, norm)
    return a


@defines("fft.fft2")
def _fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _fftn(a, s, axes, norm)


@defines("fft.ifft2")
def _ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _ifftn(a, s, axes, norm)


@defines("fft.rfft")
def _rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    whole = np.moveaxis(np.fft.fft(a, n, axis, norm), axis, -1)
    return np.moveaxis(whole[..., : np.shape(whole)[-1] // 2 + 1], -1, axis)


@defines("fft.irfft")
def _irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    half = np.moveaxis(a, axis, -1)
    n = 2 * (np.shape(half)[-1] - 1) if n is None else int(n)
    used = min(n // 2 + 1, np.shape(half)[-1])
    half = half[..., :used]
    if used < n // 2 + 1:
        half = np.pad(half, [(0, 0)] * (np.ndim(half) - 1) + [(0, n // 2 + 1 - used)])
    mirrored = np.conjugate(half[..., 1 : (n + 1) // 2])[..., ::-1]
    whole = np.concatenate([half, mirrored], axis=-1)
    return np.moveaxis(np.real(np.fft.ifft(whole, n, -1, norm)), -1, axis)


@defines("fft.rfftn")
def _rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    *others, (n, last) = _sizes(a, s, axes)
    a = _rfft(a, n, last, norm)
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm)
    return a


@defines("fft.irfftn")
def _irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    *others, (n, last) = _sizes(a, s, axes)
    for size, axis in others:
        a = np.fft.ifft(a, size, axis, norm)
    return _irfft(a, n, last, norm)


@defines("fft.rfft2")
def _rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _rfftn(a, s, axes, norm)


@defines("fft.irfft2")
def _irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _irfftn(a, s, axes, norm)


_OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


@defines("fft.hfft")
def _hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return _irfft(np.conjugate(a), n, axis, _OPPOSITE[norm])


@defines("fft.ihfft")
def _ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return np.conjugate(_rfft(a, n, axis, _OPPOSITE[norm]))
