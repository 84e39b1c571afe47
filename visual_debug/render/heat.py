"""Heat maps in boxes, as SVG: one path for each colour."""

from __future__ import annotations

from visual_debug.render.diagram import BAD, LEVELS, Heat

WIDTH, HEIGHT = 144.0, 60.0  #: px, at most
CELL = 8.0  #: px of one element, at most
GAP = 5.0  #: px between the text and the map
_LOW, _MIDDLE, _HIGH = (0x1F, 0x4E, 0x9E), (0xF7, 0xF4, 0xEE), (0xB0, 0x1E, 0x1E)
BAD_INK = "#111111"


def size(heat: Heat) -> tuple[float, float]:
    """Width and height in px."""
    rows, columns = len(heat), len(heat[0])
    cell = min(CELL, WIDTH / columns, HEIGHT / rows)
    return columns * cell, rows * cell


def ink(level: int) -> str:
    """The colour of a level: blue below the middle, red above; black for what is not finite.

    >>> ink(0), ink(LEVELS), ink(-LEVELS), ink(BAD)
    ('#f7f4ee', '#b01e1e', '#1f4e9e', '#111111')
    """
    if level == BAD:
        return BAD_INK
    end = _HIGH if level > 0 else _LOW
    part = abs(level) / LEVELS
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_MIDDLE, end, strict=True))


def svg(heat: Heat, top: float) -> str:
    """The map, its middle at x = 0 and its upper edge at `top`."""
    width, _ = size(heat)
    cell = width / len(heat[0])
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(heat):
        start = 0
        for x in range(1, len(row) + 1):  # a run of one colour is one rectangle
            if x == len(row) or row[x] != row[start]:
                paths.setdefault(row[start], []).append(f"M{start} {y}h{x - start}v1h{start - x}z")
                start = x
    drawn = "".join(f'<path d="{"".join(parts)}" fill="{ink(level)}"/>' for level, parts in sorted(paths.items()))
    return (
        f'<g class="heat" shape-rendering="crispEdges" transform="translate({-width / 2:.2f} {top:.2f}) scale({cell:.4f})">'
        f'{drawn}<rect width="{len(heat[0])}" height="{len(heat)}" fill="none" stroke="#484848" '
        f'stroke-width="{0.6 / cell:.3f}"/></g>'
    )
