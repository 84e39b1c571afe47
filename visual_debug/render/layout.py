"""Places of boxes and arrows, in px from the top left corner: what engines give and pictures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot, log2

Point = tuple[float, float]
HEAD = 7.5  #: px, length of an arrowhead that we draw ourselves


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow: its line (a start, then three points per Bézier curve) and the corners of its head."""

    line: list[Point]
    head: list[Point]

    def moved(self, x: float, y: float) -> Edge:
        """The same arrow elsewhere."""
        return Edge([(px + x, py + y) for px, py in self.line], [(px + x, py + y) for px, py in self.head])

    def hulls(self, length: float) -> list[list[Point]]:
        """Points of pieces of the line up to about so many px long, each inside of the hull of its points; the head."""
        short: list[list[Point]] = []
        for i in range(0, len(self.line) - 3, 3):
            curve = self.line[i : i + 4]
            curves = [curve]
            for _ in range(ceil(log2(max(1.0, _reach(curve) / length)))):
                curves = [half for curve in curves for half in _halves(curve)]
            short.extend(curves)
        return [*short, self.head]

    def before_head(self, distance: float) -> Point:
        """The point of the line about so many px before the head; its middle if the line is short."""
        start, first, second, end = self.line[-4:]
        for step in range(20, 10, -1):
            t = step / 20
            u = 1 - t
            x, y = (
                u**3 * start[i] + 3 * u * u * t * first[i] + 3 * u * t * t * second[i] + t**3 * end[i] for i in (0, 1)
            )
            if hypot(x - end[0], y - end[1]) >= distance:
                break
        return x, y


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout of a diagram; `engine` is the one that made it."""

    width: float
    height: float
    centres: dict[str, Point]
    edges: list[Edge]
    engine: str


def _reach(curve: list[Point]) -> float:
    """At least as long as a Bézier curve: the length of the way along its four points."""
    return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(curve))


def _halves(curve: list[Point]) -> tuple[list[Point], list[Point]]:
    """The two halves of a Bézier curve, by de Casteljau's construction."""
    a, b, c, d = curve
    ab, bc, cd = _between(a, b, 0.5), _between(b, c, 0.5), _between(c, d, 0.5)
    abc, bcd = _between(ab, bc, 0.5), _between(bc, cd, 0.5)
    middle = _between(abc, bcd, 0.5)
    return [a, ab, abc, middle], [middle, bcd, cd, d]


def straight(start: Point, end: Point) -> Edge:
    """A straight arrow from one point to another.

    >>> straight((0, 97.5), (0, 0)).line
    [(0, 97.5), (0.0, 67.5), (0.0, 37.5), (0.0, 7.5)]
    """
    base = _base(start, end)
    return Edge([start, _between(start, base, 1 / 3), _between(start, base, 2 / 3), base], _head(base, end))


def upward(start: Point, end: Point) -> Edge:
    """An arrow that leaves straight up and arrives straight up."""
    base = end[0], end[1] + HEAD
    middle = (start[1] + base[1]) / 2
    return Edge([start, (start[0], middle), (base[0], middle), base], _head(base, end))


def around(start: Point, end: Point, bulge: float) -> Edge:
    """An arrow in a bow to the left, `bulge` px wide."""
    left = min(start[0], end[0]) - bulge
    second = left, end[1] + (start[1] - end[1]) / 4
    base = _base(second, end)
    return Edge([start, (left, start[1] + (end[1] - start[1]) / 4), second, base], _head(base, end))


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _base(start: Point, end: Point) -> Point:
    """Where the head of an arrow begins."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    return _between(end, start, min(HEAD / length, 1.0)) if length else end


def _head(base: Point, tip: Point) -> list[Point]:
    """The corners of an arrowhead, two thirds as wide as long."""
    x, y = (tip[0] - base[0]) / 3, (tip[1] - base[1]) / 3
    return [(base[0] - y, base[1] + x), tip, (base[0] + y, base[1] - x)]
