"""Differences, integrals, interpolation, and sequences of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.defined import value_of
from visual_debug.rules.definitions.registry import defines


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
    x, xp, fp = (np.asarray(v) if isinstance(v, (list, tuple)) else v for v in (x, xp, fp))
    if period is not None:
        if value_of(period) < 0:
            raise NoPartial("its derivative with a period below 0 is not covered")
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(value_of(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp, left, right = np.concatenate([fp[-1:], fp, fp[:1]]), None, None
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
def linspace(
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
    return np.power(base, linspace(start, stop, num, endpoint, axis=axis))


@defines("geomspace")
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    if np.any(np.asarray(value_of(start)) <= 0) or np.any(np.asarray(value_of(stop)) <= 0):
        raise NoPartial("its derivative for ends that are not positive is not covered")
    return np.exp(linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))


@defines("unique")
def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    **kwargs: Any,
) -> Any:
    found: Any = np.unique(value_of(ar), True, return_inverse, return_counts, axis=axis)  # type: ignore[call-overload]
    picked = np.reshape(ar, -1)[found[1]] if axis is None else np.take(ar, found[1], axis)
    if not (return_index or return_inverse or return_counts):
        return picked
    return (picked, *found[1 if return_index else 2 :])
