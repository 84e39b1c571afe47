"""The layout of our own."""

from __future__ import annotations

import time
from itertools import combinations

from tests.render.samples import loop, numbers
from visual_debug.render import layered
from visual_debug.render.compose import slots
from visual_debug.render.diagram import Arrow, Box, Diagram


def place(diagram: Diagram) -> layered.Layout:
    return layered.lay_out(diagram, slots(diagram, diagram.frames))


def test_no_recursion_and_near_linear_time() -> None:
    chain = Diagram(
        [Box(f"n{i}", i, "+", "op") for i in range(20_000)],
        [Arrow(f"n{i}", f"n{i + 1}", 0, 1) for i in range(19_999)],
        [],
    )
    start = time.perf_counter()
    layout = place(chain)
    assert time.perf_counter() - start < 10
    assert layout.centres["n19999"][1] < layout.centres["n0"][1]


def test_long_arrows_run_around_the_boxes_when_there_are_too_many_to_route() -> None:
    diagram = loop(300)
    layout = place(diagram)
    assert layered.bends(diagram) > layered.MOST_BENDS
    far = layout.edges[299]
    assert min(x for x, _y in far.line) < layout.centres["n150"][0] - 60
    assert all(x >= 0 for edge in layout.edges for x, _y in edge.line)


def test_the_layout_is_the_same_every_time() -> None:
    assert place(numbers(200)) == place(numbers(200))


def test_circles_are_laid_out_too() -> None:
    boxes = [Box(f"n{i}", i, f"box {i}", "op") for i in range(6)]
    links = [(0, 1), (1, 2), (2, 3), (3, 1), (3, 3), (4, 5), (5, 4)]
    diagram = Diagram(boxes, [Arrow(f"n{a}", f"n{b}", 0, 1) for a, b in links], [])
    room = slots(diagram)
    layout = layered.lay_out(diagram, room)
    assert len(set(layout.centres.values())) == 6 and len(layout.edges) == len(links)
    for one, other in combinations(boxes, 2):
        (x, y), (u, v) = layout.centres[one.id], layout.centres[other.id]
        apart = abs(x - u) >= (room[one.id].width + room[other.id].width) / 2
        assert apart or abs(y - v) >= (room[one.id].height + room[other.id].height) / 2
    for edge in layout.edges:
        assert all(0 <= x <= layout.width and isinstance(y, float) for x, y in edge.line)
