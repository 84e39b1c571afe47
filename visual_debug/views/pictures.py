"""Pictures of a page: boxes and arrows with their coordinates, as plain JSON types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from visual_debug.columns import MISSING
from visual_debug.render import engines, layered, measure
from visual_debug.render.compose import CELL, Slot
from visual_debug.render.diagram import Diagram
from visual_debug.render.layout import around

WIDEST = 28.0  #: cells of a line in a box; the table has all of it
MOST_TERMS = 12  #: of an adjoint that a box spells out
MOST_IN_A_ROW = 8  #: boxes without arrows that are laid out like others; more stand in rows under them
ROW = 1200.0  #: px, the width of such a row at least
GAP = 16.0  #: px between boxes in it
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
    """Arrows to what came first but is computed again from later values: loops. They run in a bow beside the boxes."""
    found = []
    for tail, head in links:
        (_, x, y, width, _), (_, to_x, to_y, to_width, _) = boxes[tail], boxes[head]
        apart = 9.0 if tail == head else 0.0
        flip = -1.0 if to_x > x else 1.0  # on the side where what is computed again lies
        edge = around((flip * x - width / 2, y - apart), (flip * to_x - to_width / 2, to_y + apart), 26.0)
        line, head_corners = ([(flip * px, py) for px, py in points] for points in (edge.line, edge.head))
        found.append([tail, head, 0, _points(line), _points(head_corners)])
    return found


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
