"""Definitions of `scipy.integrate`'s rules for samples; what integrates a function has no derivative here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial, Rule

TABLE: dict[str, Rule] = {}


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return np.trapezoid(y, x, dx, axis)


def _cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    y = np.moveaxis(y, axis, -1)
    if x is not None and np.ndim(x) != 1:
        raise NoPartial("its derivative with several rows of places x is not covered")
    widths = dx if x is None else np.diff(x)
    found = np.cumsum((y[..., 1:] + y[..., :-1]) * widths / 2.0, axis=-1)
    if initial is not None:
        found = np.concatenate([np.zeros((*np.shape(y)[:-1], 1)), found], axis=-1)
    return np.moveaxis(found, -1, axis)


def _simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(y, axis, -1)
    count = np.shape(y)[-1]
    if count % 2 == 0 or (x is not None and np.ndim(x) != 1):
        raise NoPartial("its derivative for an even number of samples, or several rows of places x, is not covered")
    widths = np.multiply(dx, np.ones(count - 1)) if x is None else np.diff(x)
    left, right = widths[0::2], widths[1::2]
    ends = (2.0 - right / left) * y[..., :-2:2] + (2.0 - left / right) * y[..., 2::2]
    return np.sum((left + right) / 6.0 * (ends + (left + right) ** 2 / (left * right) * y[..., 1:-1:2]), axis=-1)


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "scipy.integrate.trapezoid": _trapezoid,
    "scipy.integrate.cumulative_trapezoid": _cumulative_trapezoid,
    "scipy.integrate.simpson": _simpson,
}
