"""SVG: exact texts, still boxes, marks of what happens, and nothing that a browser should not get."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.render.samples import NASTY, SVG, expression, extents, groups, nasty, numbers, parse, place, square, written
from visual_debug.render import measure, palette
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame
from visual_debug.render.image import Picture, render_frames


@pytest.fixture(scope="module")
def nasty_frames() -> list[bytes]:
    return list(render_frames(nasty(), nasty().frames, "svg", engine="graphviz-pure"))


@pytest.mark.parametrize("index", range(len(NASTY)), ids=[ascii(text)[:20] for text in NASTY])
def test_any_text_comes_out_exactly(nasty_frames: list[bytes], index: int) -> None:
    group = groups(nasty_frames[1])[f"n{index}"]
    shown = measure.shown(NASTY[index])
    for style in ("label", "forward", "reverse"):
        text = written(group, style)
        if len(shown) > 48:
            text, shown = text.replace("\n", ""), shown.replace("\n", "")
        assert text.rstrip("\n") == shown.strip("\n")


def test_every_title_is_in_its_frame(nasty_frames: list[bytes]) -> None:
    for frame, svg in zip(nasty().frames, nasty_frames, strict=True):
        titles = [group for group in parse(svg).iter(f"{SVG}g") if group.get("class") == "frame-title"]
        text = "".join(written(group, "title") for group in titles).replace("\n", "")
        assert text == measure.shown(frame.title).replace("\n", "")
        assert parse(svg).get("aria-label", "").replace("\n", "") == measure.shown(frame.title).replace("\n", "")


def test_every_text_is_inside_its_box(nasty_frames: list[bytes]) -> None:
    for svg in nasty_frames[:3]:
        for group in groups(svg).values():
            _x, _y, width, height = place(group)
            for left, right, baseline in extents(group):
                assert -width / 2 <= left and right <= width / 2
                assert -height / 2 <= baseline <= height / 2


@pytest.mark.parametrize("diagram", [expression(), numbers(40, 10)], ids=["expression", "numbers"])
def test_boxes_and_arrows_stay_where_they_are(diagram: Diagram) -> None:
    frames = list(render_frames(diagram, diagram.frames, "svg"))
    assert len({tuple((id, place(group)) for id, group in groups(svg).items()) for svg in frames}) == 1
    paths = [[group.find(f"{SVG}path") for _, group in sorted(groups(svg, "edge").items())] for svg in frames]
    assert len({tuple(path.get("d") for path in drawn if path is not None) for drawn in paths}) == 1


def test_the_title_is_above_the_graph() -> None:
    svg = Picture(expression()).svg(expression().frames[0])
    top = min(y - height / 2 for _x, y, _width, height in map(place, groups(svg).values()))
    title = next(group for group in parse(svg).iter(f"{SVG}g") if group.get("class") == "frame-title")
    assert all(float(text.get("y", "")) + 5 < top for text in title.iter(f"{SVG}text"))


def test_a_long_title_goes_on_in_the_next_line_and_a_longer_one_is_cut() -> None:
    for title, lines in (("word " * 40, 3), ("x" * 5000, 6)):
        diagram = Diagram([Box("n0", 0, "x", "input")], [], [Frame(title)])
        svg = Picture(diagram).svg(diagram.frames[0])
        group = next(group for group in parse(svg).iter(f"{SVG}g") if group.get("class") == "frame-title")
        assert len(list(group.iter(f"{SVG}text"))) == lines
        width = float(parse(svg).get("width", ""))
        assert all(right <= width for _left, right, _y in extents(group))
        tip = group.find(f"{SVG}title")
        assert (tip is not None) == (lines == 6)
        top = min(y - height / 2 for _x, y, _width, height in map(place, groups(svg).values()))
        assert all(y + 5 < top for _left, _right, y in extents(group))


def test_history_and_sum_are_shown_in_green_after_the_value_in_red() -> None:
    diagram = expression()
    group = groups(Picture(diagram).svg(diagram.frames[-1]))["n4"]
    text = next(group.iter(f"{SVG}text"))
    assert "".join(text.itertext()) == "x 3 ∂ 10 + 4 = 14"
    fills = {run.get("class"): run.get("fill") for run in text.iter(f"{SVG}tspan")}
    assert fills["forward"] == palette.INK["forward"] and fills["reverse"] == fills["total"] == palette.INK["reverse"]


def test_what_is_lit_and_what_is_active_is_marked() -> None:
    diagram = expression()
    svg = Picture(diagram).svg(diagram.frames[-2])
    marks = {id: group.get("class", "").split() for id, group in groups(svg).items()}
    assert {id for id, names in marks.items() if "lit" in names} == {"n4", "n8"}
    assert {id for id, names in marks.items() if "active" in names} == {"n7"}
    assert [names[1] for names in marks.values()] == [box.kind for box in diagram.boxes]
    flowing = [(edge.get("data-tail"), edge.get("data-head")) for edge in groups(svg, "flow").values()]
    assert flowing == [("n8", "n7")]
    heavy = {id for id, group in groups(svg).items() for run in group.iter(f"{SVG}tspan") if run.get("stroke")}
    assert heavy == {"n4", "n8"}


def test_kinds_differ_in_fill() -> None:
    svg = Picture(expression()).svg(Frame(""))
    fills = {
        group.get("class"): rect.get("fill") for group in groups(svg).values() for rect in group.iter(f"{SVG}rect")
    }
    assert len(fills) == len(set(fills.values())) == 3


def test_positions_are_shown_where_they_matter() -> None:
    svg = Picture(square()).svg(square().frames[0])
    shown = {id: [text.text for text in group.iter(f"{SVG}text")] for id, group in groups(svg, "edge").items()}
    assert shown == {"e0": [], "e1": [], "e2": ["1"], "e3": ["2"]}
    tree = Picture(expression()).svg(Frame(""))
    assert not any(list(group.iter(f"{SVG}text")) for group in groups(tree, "edge").values())


def test_parallel_arrows_are_both_drawn() -> None:
    edges = groups(Picture(square()).svg(Frame("")), "edge")
    paths = {
        path.get("d") for edge in edges.values() if edge.get("data-tail") == "n0" for path in edge.iter(f"{SVG}path")
    }
    assert len(paths) == 2


def test_tooltips_hold_the_tip_and_whatever_was_cut() -> None:
    long = "y" * 3000
    diagram = Diagram([Box("n0", 0, long, "op", "source: <a & b>\nline 3")], [], [])
    tip = groups(Picture(diagram).svg(Frame("")))["n0"].find(f"{SVG}title")
    assert tip is not None and tip.text == f"source: <a & b>\nline 3\n{long}"


def test_nothing_foreign_is_in_the_file(nasty_frames: list[bytes]) -> None:
    for svg in (*nasty_frames[:2], Picture(square()).svg(square().frames[0])):
        allowed = {f"{SVG}{name}" for name in ("svg", "g", "rect", "text", "tspan", "title", "path", "polygon")}
        for element in parse(svg).iter():
            assert element.tag in allowed
            assert not any(
                name.startswith("on") or "href" in name or "url(" in value for name, value in element.items()
            )


def test_the_same_diagram_gives_the_same_bytes() -> None:
    for diagram in (expression(), nasty()):
        first, second = (list(render_frames(diagram, diagram.frames[:3], "svg")) for _ in range(2))
        assert first == second


def test_the_same_diagram_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; from tests.render.samples import expression as e; from visual_debug.render import image;"
        "sys.stdout.buffer.write(image.render_one(e(), e().frames[-2], 'svg'))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != b""


@pytest.mark.parametrize("id", ["a b", "", "a:b", 'a"', "é"])
def test_ids_that_are_no_ids_are_refused(id: str) -> None:
    with pytest.raises(Exception, match="box id"):
        Picture(Diagram([Box(id, 0, "x", "op")], [], []))


@pytest.mark.parametrize("id", ["node", "graph", "edge", "strict", "subgraph", "digraph", "12", "e0", "trace", "_"])
def test_ids_that_mean_something_to_an_engine_are_fine(id: str) -> None:
    diagram = Diagram([Box(id, 0, "x", "op"), Box("other", 1, "y", "op")], [Arrow(id, "other", 0, 1)], [])
    assert set(groups(Picture(diagram, engine="graphviz-pure").svg(Frame("")))) == {id, "other"}
