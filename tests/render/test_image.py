"""Pictures as files: PNG and its agreement with SVG, limits, speed."""

from __future__ import annotations

import time
import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pytest

import visual_debug as vd
from tests.render.samples import expression, groups, loop, nasty, numbers, place, square
from visual_debug.errors import RenderError
from visual_debug.render import engines, film, image, raster
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame
from visual_debug.render.engines import RenderWarning
from visual_debug.render.layout import Edge
from visual_debug.views.export import Request

Image = pytest.importorskip("PIL.Image")


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    with Image.open(BytesIO(png)) as picture:
        assert picture.format == "PNG"
        picture.load()
        return np.asarray(picture.convert("RGB")).astype(int)


def box_pixels(picture: image.Picture, frame: Frame, id: str) -> np.ndarray[Any, Any]:
    """The inside of one box, cut out of the PNG where the SVG says it is."""
    drawn = pixels(picture.png(frame))
    scale = drawn.shape[1] / picture.size[0]
    x, y, width, height = place(groups(picture.svg(frame))[id])
    across, down = width / 2 - 4, height / 2 - 4
    return drawn[
        int((y - down) * scale) : int((y + down) * scale), int((x - across) * scale) : int((x + across) * scale)
    ]


def red(area: np.ndarray[Any, Any]) -> int:
    return int(((area[..., 0] - area[..., 1] > 80) & (area[..., 0] - area[..., 2] > 80)).sum())


def green(area: np.ndarray[Any, Any]) -> int:
    return int(((area[..., 1] - area[..., 0] > 40) & (area[..., 1] - area[..., 2] > 40)).sum())


def test_values_are_red_and_adjoints_green_in_the_png() -> None:
    diagram = square()
    picture = image.Picture(diagram)
    empty = box_pixels(picture, Frame("", {}), "n0")
    full = box_pixels(picture, diagram.frames[0], "n0")
    assert (red(empty), green(empty)) == (0, 0)
    assert red(full) > 20 and green(full) > 60
    value_only = box_pixels(picture, diagram.frames[0], "n1")
    assert red(value_only) > 20 and green(value_only) == 0


@pytest.mark.parametrize("text", ["x", "👽", "e\u0301", "مرحبا", r"\x00", "中"])
def test_text_is_visible_in_the_png(text: str) -> None:
    diagram = Diagram([Box("n0", 0, text, "op"), Box("n1", 1, "", "op")], [], [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenderWarning)
        drawn = box_pixels(image.Picture(diagram), Frame(""), "n0")
    assert (drawn.sum(axis=2) < 300).sum() > 20


def test_an_emoji_is_neither_lost_nor_an_empty_frame() -> None:
    drawings = []
    for text in ("👽", "👾", "\U0010fffd"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RenderWarning)
            drawings.append(box_pixels(image.Picture(Diagram([Box("n0", 0, text, "op")], [], [])), Frame(""), "n0"))
    assert (drawings[0] != drawings[1]).any()


def test_a_character_without_a_font_is_named_and_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "drawable", lambda char: char != "中")
    diagram = Diagram([Box("n0", 0, "中", "op")], [], [])
    with pytest.warns(RenderWarning, match=r"U\+4E2D"):
        image.Picture(diagram).png(Frame(""))
    svg = raster.spell_out(image.Picture(diagram).svg(Frame("")).decode(), ["中"])
    assert ">4E2D</tspan>" in svg and "中" not in svg


def test_png_and_svg_have_the_same_size() -> None:
    picture = image.Picture(expression())
    height, width, _ = pixels(picture.png(expression().frames[0])).shape
    assert (width, height) == pytest.approx([side * raster.SHARP for side in picture.size], abs=1)


def test_frames_drawn_over_one_another_are_those_drawn_alone() -> None:
    for diagram in (expression(), numbers(16, 6)):
        picture = image.Picture(diagram)
        for frame, png in zip(diagram.frames, picture.film(diagram.frames), strict=True):
            assert_alike(pixels(png), pixels(picture.png(frame)))


def assert_alike(over: np.ndarray[Any, Any], alone: np.ndarray[Any, Any]) -> None:
    """The same picture but for shades at the edges of letters and arrows."""
    assert over.shape == alone.shape
    apart = abs(over - alone).max(axis=2)  # of 255
    assert (apart > 48).mean() < 1e-4
    assert (apart > 3).mean() < 0.002


def test_frames_of_a_picture_that_is_scaled_down_are_those_drawn_alone() -> None:
    def turns(x: float, r: float) -> float:
        for _ in range(33):
            x = r * x * (1 - x)
        return x

    trace = vd.trace(turns, 0.4, 0.9)
    diagram = Request(trace, "graph", None, trace._reverse_seeds(None, None)).diagram(None)
    picture = image.Picture(diagram)
    scale = raster.series_scale(*picture.size)
    frames = diagram.frames[-60:-58]
    assert scale < 1 and all(frame.active for frame in frames)
    for frame, png in zip(frames, picture.film(frames), strict=True):
        assert_alike(pixels(png), pixels(picture.png(frame, scale)))


def test_many_frames_of_a_large_picture_have_fewer_pixels_than_one_but_stay_legible() -> None:
    picture = image.Picture(numbers(300, 2), engine="builtin")
    area = picture.size[0] * picture.size[1]
    first = next(iter(picture.film(numbers(300, 2).frames)))
    height, width, _ = pixels(first).shape
    assert area > raster.SERIES_PIXELS
    assert width / picture.size[0] == pytest.approx(raster.series_scale(*picture.size), rel=0.01)
    assert width * height < area and width / picture.size[0] >= 0.49


def test_frames_in_any_order_and_twice() -> None:
    diagram = expression()
    frames = [diagram.frames[i] for i in (15, 0, 0, 7, 15)]
    drawn = list(image.render_frames(diagram, frames, "png"))
    assert len(drawn) == 5 and drawn[1] == drawn[2]
    assert abs(pixels(drawn[0]) - pixels(drawn[4])).max() <= 48  # of 255, at edges


def test_without_resvg_the_engine_draws_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "available", lambda: False)
    with pytest.warns(RenderWarning, match="resvg_py is not installed") as told:
        frames = list(image.render_frames(square(), [*square().frames, *square().frames], "png"))
    assert len(frames) == 2 and len(told) == 1
    drawn = pixels(frames[0])
    assert red(drawn) > 20 and green(drawn) > 20


def test_a_panic_in_resvg_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object, **__: object) -> bytes:
        raise RuntimeError("resvg failed (PanicException: index)")

    monkeypatch.setattr(raster, "png", panic)
    with pytest.warns(RenderWarning, match="PanicException"):
        assert pixels(next(iter(image.render_frames(square(), square().frames, "png")))).size


def test_without_pillow_frames_are_drawn_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "available", lambda: False)
    assert len(list(image.render_frames(square(), square().frames, "png"))) == 1


def test_a_png_has_at_most_twenty_million_pixels() -> None:
    diagram = numbers(1500)
    with pytest.warns(RenderWarning, match="too small to read"):
        drawn = pixels(image.render_one(diagram, diagram.frames[0], "png", engine="builtin"))
    assert 15e6 < drawn.shape[0] * drawn.shape[1] <= 20.1e6


def test_nasty_texts_can_be_drawn() -> None:
    diagram = nasty()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenderWarning)
        assert len(list(image.render_frames(diagram, diagram.frames[:4], "png"))) == 4


@pytest.mark.parametrize("format", ["gif", "", "SVG", ".svg"])
def test_an_unknown_format_names_the_known_ones(format: str) -> None:
    with pytest.raises(RenderError, match="choose one of dot, mmd, pdf, png, svg"):
        image.render_one(square(), Frame(""), format)
    with pytest.raises(RenderError, match="choose one of dot, mmd, pdf, png, svg"):
        image.render_frames(square(), [], format)


def test_too_many_boxes_name_the_limit_and_the_way_round() -> None:
    boxes = [Box(f"n{i}", i, "x", "op") for i in range(image.MOST_BOXES + 1)]
    with pytest.raises(RenderError, match=r"3,001 boxes .* 3,000 .*t\.slice\(node\).*max_depth"):
        image.render_one(Diagram(boxes, [], []), Frame(""), "svg")


def test_too_many_frames_are_refused_before_any_is_drawn() -> None:
    diagram = numbers(1000)
    with pytest.raises(RenderError, match=r"1,001 frames of 1,000 boxes .* 1,000,000 "):
        image.render_frames(diagram, diagram.frames * 1001, "svg")


@pytest.mark.parametrize(
    "diagram",
    [
        Diagram([Box("a", 0, "x", "op"), Box("a", 1, "y", "op")], [], []),
        Diagram([Box("a", 0, "x", "op")], [Arrow("a", "b", 0, 1)], []),
    ],
)
def test_a_diagram_that_contradicts_itself_is_refused(diagram: Diagram) -> None:
    with pytest.raises(RenderError):
        image.render_one(diagram, Frame(""), "svg")


def test_texts_for_boxes_that_are_not_drawn_are_ignored() -> None:
    assert image.render_one(square(), Frame("", {"n99": "1"}, {"n99": "1"}, {"n99": "1"}, frozenset(["n99"])), "svg")


def test_an_empty_diagram_is_a_picture_with_its_title() -> None:
    assert b"nothing here" in image.render_one(Diagram([], [], []), Frame("nothing here"), "svg")
    assert pixels(image.render_one(Diagram([], [], []), Frame("nothing here"), "png")).size


def test_two_hundred_frames_of_a_hundred_boxes() -> None:
    diagram = numbers(100, 200)
    start = time.perf_counter()
    svgs = list(image.render_frames(diagram, diagram.frames, "svg"))
    middle = time.perf_counter()
    pngs = list(image.render_frames(diagram, diagram.frames, "png"))
    end = time.perf_counter()
    assert len(svgs) == len(pngs) == 200
    assert middle - start < 3, "0.1 s where this was written"
    assert end - middle < 45, "8 s where this was written"


def test_a_frame_costs_no_new_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    lay_out = engines.lay_out
    monkeypatch.setattr(engines, "lay_out", lambda *args: calls.append(1) or lay_out(*args))
    list(image.render_frames(expression(), expression().frames, "svg"))
    assert len(calls) == 1


def test_three_thousand_boxes_can_be_drawn() -> None:
    diagram = numbers(3000)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenderWarning)
        assert image.render_one(diagram, diagram.frames[0], "svg")
    assert time.perf_counter() - start < 40


@pytest.mark.parametrize("steps", [30, 250])
def test_loops_never_hang(steps: int) -> None:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RenderWarning)
        image.render_one(loop(steps), Frame("loop"), "svg")
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("line", [[(0, 0), (0, 400), (300, 0), (300, 1000)], [(5, 5), (5, 6), (6, 6), (7, 9)]])
def test_pieces_of_an_arrow_cover_it(line: list[tuple[float, float]]) -> None:
    edge = Edge(line, [(300.0, 1000.0)])
    *pieces, head = edge.hulls(100.0)
    assert head == edge.head
    for step in range(201):
        t = step / 200
        x, y = (
            sum(
                c * (1 - t) ** (3 - i) * t**i * p[axis] for i, (c, p) in enumerate(zip((1, 3, 3, 1), line, strict=True))
            )
            for axis in (0, 1)
        )
        assert any(
            min(px for px, _ in piece) - 1e-9 <= x <= max(px for px, _ in piece) + 1e-9
            and min(py for _, py in piece) - 1e-9 <= y <= max(py for _, py in piece) + 1e-9
            for piece in pieces
        )
    for start, *_, end in pieces:
        assert ((start[0] - end[0]) ** 2 + (start[1] - end[1]) ** 2) ** 0.5 <= 100
