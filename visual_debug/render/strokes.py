"""Arrows put on pixels: how much of each pixel a line and its head cover, from how far off its middle they are.

A rasteriser of SVG takes as long for the empty pixels around a long arrow as for those on it. How much of a pixel at the
edge of a stroke is covered grows with its distance from that edge, over the width of a pixel in that direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil, hypot
from typing import TYPE_CHECKING, Any, NamedTuple

from visual_debug.render.layout import Edge, Point

if TYPE_CHECKING:
    import numpy as np

FLAT = 0.05  #: pixels, by which a chord may miss its curve


class Stroke(NamedTuple):
    """An arrow, in px: Bézier curves of four points, the corners of its head, the width of its pen, and its colour."""

    curves: tuple[tuple[Point, ...], ...]
    head: tuple[Point, ...]
    pen: float
    colour: tuple[int, int, int]


def stroke(edge: Edge, length: float, pen: float, colour: str) -> Stroke:
    """An arrow in curves of about so many px; the colour is written as `#rrggbb`."""
    *curves, head = edge.hulls(length)
    red, green, blue = bytes.fromhex(colour[1:])
    return Stroke(tuple(map(tuple, curves)), tuple(head), pen, (red, green, blue))


def chords(stroke: Stroke, scale: tuple[float, float]) -> list[tuple[float, float, float, float]]:
    """The line in straight pieces, from x, y to x, y in pixels; the scale is of x and of y."""
    across, down = scale
    found = []
    for curve in stroke.curves:
        start = curve[0]
        for end in _points(curve, across):
            found.append((start[0] * across, start[1] * down, end[0] * across, end[1] * down))
            start = end
    return found


def _points(curve: tuple[Point, ...], scale: float) -> Iterator[Point]:
    """Points of a Bézier curve without its start, as close as `FLAT` asks for."""
    a, b, c, d = curve
    bend = max(hypot(p[0] - 2 * q[0] + r[0], p[1] - 2 * q[1] + r[1]) for p, q, r in ((a, b, c), (b, c, d)))
    count = max(1, ceil((0.75 * bend * scale / FLAT) ** 0.5))
    for k in range(1, count + 1):
        t = k / count
        u = 1 - t
        yield (
            u**3 * a[0] + 3 * u * u * t * b[0] + 3 * u * t * t * c[0] + t**3 * d[0],
            u**3 * a[1] + 3 * u * u * t * b[1] + 3 * u * t * t * c[1] + t**3 * d[1],
        )


def opacity(
    stroke: Stroke,
    lines: list[tuple[float, float, float, float]],
    scale: tuple[float, float],
    rect: tuple[int, int, int, int],
) -> np.ndarray[Any, Any]:
    """The covered share of each pixel of a rectangle, of 255, height x width; `lines` are the chords of the stroke."""
    import numpy as np

    left, top, right, bottom = rect
    x = np.arange(left, right)[None, :] + 0.5
    y = np.arange(top, bottom)[:, None] + 0.5
    size = (scale[0] + scale[1]) / 2
    reach = stroke.pen * size / 2
    room = reach + 1
    bare = np.ones((bottom - top, right - left))
    inside = np.full(bare.shape, -1.0)
    for x0, y0, x1, y1 in lines:
        if (
            max(x0, x1) + room < left
            or min(x0, x1) - room > right
            or max(y0, y1) + room < top
            or min(y0, y1) - room > bottom
        ):
            continue
        dx, dy = x1 - x0, y1 - y0
        along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy or 1.0)
        along = along.clip(0, 1)
        off = np.hypot(x - x0 - along * dx, y - y0 - along * dy)
        np.maximum(inside, (reach - off) / _across(dx, dy), out=inside)
    bare -= (inside + 0.5).clip(0, 1)
    corners = [(px * scale[0], py * scale[1]) for px, py in stroke.head]
    if not (
        max(px for px, _ in corners) + 4 * size < left
        or min(px for px, _ in corners) - 4 * size > right
        or max(py for _, py in corners) + 4 * size < top
        or min(py for _, py in corners) - 4 * size > bottom
    ):
        bare *= 1 - (_inside(corners, size / 2, x, y) + 0.5).clip(0, 1)  # its outline is 1 px wide
    return np.rint((1 - bare) * 255).astype(np.uint16)[..., None]


def _across(dx: float, dy: float) -> float:
    """How far it is through a pixel at right angles to a direction: 1 along a row, 1.4 along a diagonal."""
    length = hypot(dx, dy)
    return (abs(dx) + abs(dy)) / length if length else 1.0


def _inside(
    corners: list[Point], room: float, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """How far points are inside of the nearest side of a convex polygon with room around it, in pixels of that side."""
    import numpy as np

    sides = [(p, q) for p, q in pairwise([*corners, corners[0]]) if p != q]
    turn = 1.0 if sum(px * qy - py * qx for (px, py), (qx, qy) in sides) > 0 else -1.0
    found = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf)
    for (px, py), (qx, qy) in sides:
        dx, dy = qx - px, qy - py
        beyond = turn * ((x - px) * dy - (y - py) * dx) / hypot(dx, dy)
        np.minimum(found, (room - beyond) / _across(dx, dy), out=found)
    return found
