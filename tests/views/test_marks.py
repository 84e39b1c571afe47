"""What a diagnosis points at is marked in every view, and in no data."""

from __future__ import annotations

import json
import math
import re

import pytest

import visual_debug as vd


def root(a, b, c):
    d = b * b - 4 * a * c
    return (-b + math.sqrt(d)) / (2 * a)


@pytest.fixture(scope="module")
def trace() -> vd.Trace:
    return vd.trace(root, 1.0, 1e8, 1.0)


def heights(svg: str) -> list[float]:
    return [float(h) for h in re.findall(r'<rect class="mark"[^>]* height="([\d.]+)"', svg)]


@pytest.mark.parametrize("view", ["graph", "tree"])
def test_the_cancellation_is_marked_and_told(trace, tmp_path, view):
    svg = trace.export(tmp_path / "x.svg", view=view, colour="cancellations").read_text()
    assert len(heights(svg)) == 1
    assert "15.8 digits cancel" in svg
    assert "violet: cancellations" in svg
    assert not heights(trace.export(tmp_path / "y.svg", view=view).read_text())


def test_bars_are_as_high_as_weights_are(trace, tmp_path):
    full, half = (heights(trace.export(tmp_path / "x.svg", colour={13: w}).read_text()) for w in (1.0, 0.5))
    assert half[0] == pytest.approx(full[0] / 2, abs=0.01)


def test_code_tells_at_the_end_of_the_line_what_is_folded_out(trace, tmp_path):
    svg = trace.export(tmp_path / "x.svg", view="code", colour=trace.cancellations()).read_text()
    assert "‹-b + math.sqrt(d): 15.8 digits cancel›" in svg
    shown = trace.export(tmp_path / "y.svg", view="code", step=3, colour={3: (0.4, "a square")}).read_text()
    assert 'class="mark"' in shown
    assert "a square" in shown


def test_a_box_of_the_summary_has_the_strongest_mark_of_its_nodes(tmp_path):
    def f(x):
        for _ in range(4):
            x = x * x
        return x

    trace = vd.trace(f, 1.1)
    last = trace.find(op="*")[-1]
    svg = trace.export(tmp_path / "x.svg", view="summary", colour={1: (0.1, "weak"), last: (0.9, "strong")}).read_text()
    assert len(heights(svg)) == 1
    assert "‹strong›" in svg


def page(path) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text()).group(1))


def test_a_page_has_the_usual_diagnoses_and_what_was_asked_for(trace, tmp_path):
    data = page(trace.export(tmp_path / "x.html"))
    assert [m["name"] for m in data["marks"]] == [
        "nonfinite",
        "gradient_health",
        "rounding",
        "cancellations",
        "condition",
    ]
    assert not data["coloured"]
    cancelled = data["marks"][3]
    (node,) = [i for i, weight in enumerate(cancelled["weight"]) if weight is not None]
    assert data["nodes"]["source"][node] == "-b + math.sqrt(d)"
    assert "15.8 digits" in cancelled["text"][node]
    asked = page(trace.export(tmp_path / "y.html", colour="cancellations"))
    assert asked["coloured"]
    assert [m["name"] for m in asked["marks"]].count("cancellations") == 1
    assert asked["marks"][0]["name"] == "cancellations"


def test_a_page_says_why_a_question_has_no_answer(tmp_path):
    def f(x):
        return [x * 2, x / 3]

    trace = vd.trace(f, 1.0)
    marks = {m["name"]: m for m in page(trace.export(tmp_path / "x.html"))["marks"]}
    assert set(marks["rounding"]["weight"]) == {None}
    assert "several parts" in marks["rounding"]["report"]
    marks = {m["name"]: m for m in page(trace.export(tmp_path / "y.html", of=1))["marks"]}
    assert max(weight or 0 for weight in marks["rounding"]["weight"]) == 1


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ("red", "unknown colour 'red'"),
        (3, "give one of"),
        ({0: 2.0}, "not from 0 to 1"),
        ({99: 0.5}, "no node 99"),
    ],
)
def test_what_is_no_colour_is_refused(trace, tmp_path, colour, words):
    with pytest.raises(vd.RenderError, match=words):
        trace.export(tmp_path / "x.svg", colour=colour)


def test_data_have_no_colours(trace, tmp_path):
    with pytest.raises(vd.RenderError, match="pictures and pages"):
        trace.export(tmp_path / "x.json", colour="rounding")
