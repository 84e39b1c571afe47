"""Pictures of a page: boxes and arrows with their coordinates, as plain JSON types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from visual_debug.columns import MISSING
from visual_debug.render import engines, layered, measure
from visual_debug.render.compose import CELL, Slot
from visual_debug.render.diagram import Diagram
from visual_debug.render.layout import Edge, around, upward

WIDEST = 28.0  #: cells of a line in a box; the table has all of it
MOST_TERMS = 12  #: of an adjoint that a box spells out
MOST_IN_A_ROW = 8  #: boxes without arrows that are laid out like others; more stand in rows under them
ROW = 1200.0  #: px, the width of such a row at least
GAP = 16.0  #: px between boxes in it
PEN = 2.0  #: px beside an arrow that its pen reaches
MOST_WEIGHED = 100  #: boxes of a picture whose arrows back go round what is in their way
SAMPLES = 24  #: points of such an arrow that are looked at
LINE = 18.0  #: px from line to line of a box


def slot(lines: Sequence[str]) -> Slot:
    widest = max(min(measure.width(line), WIDEST) for line in lines)
    count = max(sum(1 for line in lines if line), 1)
    return Slot(lines[0], max(widest, 2.0) * CELL + 18, count * LINE + 12, ())


def sheet(diagram: Diagram, room: dict[str, Slot]) -> dict[str, Any]:
    """Boxes as [node, x, y, width, height] about their middles, arrows as [tail, head, position, path, head's corners]."""
    joined = {end for arrow in diagram.arrows for end in (arrow.tail, arrow.head)}
    alone = [box.id for box in diagram.boxes if box.id not in joined]
    if len(alone) <= MOST_IN_A_ROW:
        alone = []
    drawn = replace(diagram, boxes=[box for box in diagram.boxes if box.id not in set(alone)]) if alone else diagram
    routed = layered.bends(drawn) <= engines.MOST_BENDS and len(drawn.boxes) <= engines.TUNED_FROM
    place = None
    if drawn.boxes:
        place = engines.lay_out(drawn, room) if routed else layered.lay_out(drawn, room)
    width, height = (place.width, place.height) if place is not None else (0.0, 0.0)
    edges = place.edges if place is not None else []
    centres = dict(place.centres) if place is not None else {}
    width, height = _in_rows(alone, room, centres, width, height)
    number = {box.id: i for i, box in enumerate(diagram.boxes)}
    boxes = [
        [box.node, *(round(v, 1) for v in (*centres[box.id], room[box.id].width, room[box.id].height))]
        for box in diagram.boxes
    ]
    arrows = [
        [number[a.tail], number[a.head], a.position, _points(edge.line), _points(edge.head)]
        for a, edge in zip(diagram.arrows, edges, strict=True)
    ]
    return {"width": round(width, 1), "height": round(height, 1), "boxes": boxes, "arrows": arrows}


def _in_rows(
    alone: Sequence[str], room: dict[str, Slot], centres: dict[str, tuple[float, float]], width: float, height: float
) -> tuple[float, float]:
    """Place boxes that no arrow leads to in rows under the others; the width and height of all."""
    widest = max(width, ROW)
    x, top, bottom = GAP, height + GAP, height
    for box in alone:
        slot = room[box]
        if x > GAP and x + slot.width > widest:
            x, top = GAP, bottom + GAP
        centres[box] = x + slot.width / 2, top + slot.height / 2
        x += slot.width + GAP
        width, bottom = max(width, x), max(bottom, top + slot.height)
    return width, bottom + GAP if alone else height


def _points(line: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in line)


def back(boxes: list[list[Any]], links: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """Arrows to what came first but is computed again from later values: loops. They run in a bow beside the boxes.

    Of the ways that an arrow can take, it takes the first that is hidden least by other boxes.
    """
    found = []
    for tail, head in links:
        ways = _ways(boxes[tail], boxes[head])
        edge = next(ways)
        if len(boxes) <= MOST_WEIGHED:
            others = [box for i, box in enumerate(boxes) if i not in (tail, head)]
            edge = min([edge, *ways], key=lambda way: _hidden(way, others, boxes))
        found.append([tail, head, 0, _points(edge.line), _points(edge.head)])
    return found


def _ways(tail: Sequence[Any], head: Sequence[Any]) -> Iterator[Edge]:
    """Ways from box to box: bows on both sides, narrow and wide, and lines down or up beside the middle."""
    _, x, y, width, height = tail
    _, to_x, to_y, to_width, to_height = head
    apart = 9.0 if tail is head else 0.0
    side = -1.0 if to_x > x else 1.0  # where what is computed again lies
    narrow = 18.0 if tail is head else 26.0
    for bulge in (narrow, 80.0):
        for flip in (side, -side):
            edge = around((flip * x - width / 2, y - apart), (flip * to_x - to_width / 2, to_y + apart), bulge)
            yield Edge(*([(flip * px, py) for px, py in points] for points in (edge.line, edge.head)))
        if bulge > narrow or abs(to_y - y) <= (height + to_height) / 2:
            continue
        down = 1.0 if to_y > y else -1.0
        for flip in (-side, side):
            start = x + flip * 0.4 * width, -down * (y + down * height / 2)
            edge = upward(start, (to_x + flip * 0.4 * to_width, -down * (to_y - down * to_height / 2)))
            yield Edge(*([(px, -down * py) for px, py in points] for points in (edge.line, edge.head)))


def _hidden(way: Edge, others: Sequence[Sequence[Any]], boxes: Sequence[Sequence[Any]]) -> int:
    """How many of some points of an arrow are behind other boxes, or beside the picture."""
    left, right = min(x - w / 2 for _, x, _, w, _ in boxes) - 26.0, max(x + w / 2 for _, x, _, w, _ in boxes) + 26.0
    count = 0
    for px, py in _along(way.line):
        count += not left <= px <= right or any(
            abs(px - x) <= w / 2 + 2 and abs(py - y) <= h / 2 + 2 for _, x, y, w, h in others
        )
    return count


def _along(curve: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Points between the ends of a Bézier curve."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    for k in range(1, SAMPLES):
        t = k / SAMPLES
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        yield a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy


def sides(width: float, arrows: Sequence[Sequence[Any]]) -> tuple[float, float]:
    """How far a picture with such arrows back reaches to the left, 0 or less, and to the right; all else is `width` wide."""
    curves = [[tuple(map(float, point.split(","))) for point in line.split()] for _, _, _, line, _ in arrows]
    found = [x for curve in curves for x, _ in _along(curve)]  # type: ignore[arg-type]
    return min([0.0, *(x - PEN for x in found)]), max([width, *(x + PEN for x in found)])


def number(value: Any) -> float | None:
    """What a value is coloured by: itself, or the largest magnitude in an array; None where that is no finite number."""
    if value is None or value is MISSING or isinstance(value, (str, bytes)):
        return None
    try:
        if getattr(value, "size", 1) > 1:
            number = float(abs(value).max())
        else:
            number = float(value.item() if hasattr(value, "item") else value)  # a complex one has no colour
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
