"""An array as a small heat map: its elements, or the means of blocks of them, as levels of colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visual_debug import arrays
from visual_debug.display import SMALL_ARRAY
from visual_debug.render.diagram import BAD, LEVELS, Heat

if TYPE_CHECKING:
    from visual_debug.numeric import Floats

MOST_ROWS, MOST_COLUMNS = 12, 24  #: of a heat map


def heat_of(value: Any) -> Heat | None:
    """The heat map of an array that is not written out in full; None for anything else.

    The last axis runs to the right, all others down. Magnitudes of complex numbers are shown. Levels are even between
    the least and the greatest mean of a block; with numbers of both signs they are even about 0. A block that has an
    element which is not finite is `BAD`.
    """
    if not arrays.is_array(value) or value.dtype.kind not in "fiubc" or value.size <= SMALL_ARRAY:
        return None
    if getattr(value, "mask", None) is not None:
        return None
    import numpy as np

    grid = np.asarray(value).reshape(-1, value.shape[-1])
    grid = np.abs(grid) if value.dtype.kind == "c" else grid
    with np.errstate(all="ignore"):
        means = _blocks(grid)
    finite = np.isfinite(means)
    shown = means[finite]
    if not shown.size:
        return tuple(tuple(BAD for _ in row) for row in means)
    low, high = float(shown.min()), float(shown.max())
    if low < 0 < high:
        size = max(-low, high)
        scaled = np.where(finite, means / size, 0.0) * LEVELS
    else:
        sign = -1.0 if high <= 0 and low < 0 else 1.0
        near, far = (high, low) if sign < 0 else (low, high)
        scaled = sign * LEVELS * np.where(finite, means - near, 0.0) / ((far - near) or 1.0)
    levels = np.rint(scaled).astype(int)
    return tuple(
        tuple(int(level) if ok else BAD for level, ok in zip(row, good, strict=True))
        for row, good in zip(levels.tolist(), finite.tolist(), strict=True)
    )


def _blocks(grid: Any) -> Floats:
    """Means of blocks, as many as fit."""
    import numpy as np

    rows = np.unique(np.linspace(0, grid.shape[0], min(grid.shape[0], MOST_ROWS) + 1).astype(int))
    columns = np.unique(np.linspace(0, grid.shape[1], min(grid.shape[1], MOST_COLUMNS) + 1).astype(int))
    sums = np.add.reduceat(np.add.reduceat(grid, rows[:-1], axis=0, dtype=np.float64), columns[:-1], axis=1)
    means: Floats = sums / np.outer(np.diff(rows), np.diff(columns))
    return means
