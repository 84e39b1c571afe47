"""Pictures of traces: files, formats, and errors in words."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

import visual_debug as vd


def gaussian(x, y):
    return x * math.exp(-0.5 * (x**2 + y**2))


@pytest.fixture(scope="module")
def trace():
    return vd.trace(gaussian, 2, 7)


def texts(path):
    return "".join(ElementTree.parse(path).getroot().itertext())


@pytest.mark.parametrize("view", ["graph", "tree"])
def test_export_one_picture(trace, tmp_path, view):
    svg = trace.export(tmp_path / "new" / "gaussian.svg", view=view)
    assert svg == tmp_path / "new" / "gaussian.svg"
    assert "3.09882e-12" in texts(svg)
    png = trace.export(str(tmp_path / "gaussian.png"), view=view)
    assert png.read_bytes().startswith(b"\x89PNG\r\n")
    dot = trace.export(tmp_path / "gaussian.dot", view=view)
    assert dot.read_text(encoding="utf-8").startswith("digraph")


def test_export_a_step(trace, tmp_path):
    first = texts(trace.export(tmp_path / "0.svg", step=0))
    assert "forward 0: the inputs and literals" in first
    assert "6.19764e-12" not in first
    seed = texts(trace.export(tmp_path / "7.svg", step=7))
    assert "seed" in seed
    with pytest.raises(vd.RenderError, match="step 17: there are 17 steps, 0 to 16"):
        trace.export(tmp_path / "17.svg", step=17)


def test_export_steps(trace, tmp_path):
    seen = []
    paths = trace.export_steps(tmp_path / "frames", progress=lambda done, total: seen.append((done, total)))
    assert [p.name for p in paths] == [f"step-{i:02d}.svg" for i in range(17)]
    assert seen == [(i, 17) for i in range(1, 18)]
    assert all(p.exists() for p in paths)
    sizes = {ElementTree.parse(p).getroot().get("viewBox") for p in paths}
    assert len(sizes) == 1
    pngs = trace.export_steps(tmp_path / "png", view="tree", format="png")
    assert len(pngs) == 17


def test_unknown_things_are_refused_with_the_choices(trace, tmp_path):
    with pytest.raises(vd.RenderError, match=r"unknown suffix '\.jpg'.*\.svg.*\.png"):
        trace.export(tmp_path / "x.jpg")
    with pytest.raises(vd.RenderError, match="unknown suffix ''"):
        trace.export(tmp_path / "x")
    with pytest.raises(vd.RenderError, match="unknown view 'cube'.*'graph', 'tree'"):
        trace.export(tmp_path / "x.svg", view="cube")
    with pytest.raises(vd.RenderError, match="unknown format 'jpg'.*'svg', 'png'"):
        trace.export_steps(tmp_path, format="jpg")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_names_the_limit_and_ways_round(tmp_path):
    def f(x):
        for _ in range(4000):
            x = x + 1
        return x

    large = vd.trace(f, 1)
    with pytest.raises(vd.RenderError, match=r"4,002 nodes, more than the 3,000 of one picture: .*slice"):
        large.export(tmp_path / "large.svg")
    assert large.slice(large[20]).export(tmp_path / "part.svg").exists()


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(vd.RenderError, match="computed no numbers"):
        vd.trace(lambda: "text").export(tmp_path / "x.svg")


def test_a_call_that_raised_is_drawn_up_to_there(tmp_path):
    traced = vd.visual_debug(lambda x: 1 / (x - 1))
    with pytest.raises(ZeroDivisionError):
        traced(1)
    assert "raised" in texts(traced.trace.export(tmp_path / "raised.svg"))
