"""Heat maps of arrays: their levels, and how they are drawn into the boxes of pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.render import heat
from visual_debug.render.diagram import BAD, LEVELS
from visual_debug.views.heat import MOST_COLUMNS, MOST_ROWS, heat_of

SVG = "{http://www.w3.org/2000/svg}"


def test_levels_are_even_about_zero_or_between_the_ends() -> None:
    assert heat_of(np.linspace(-3.0, 3.0, 7)) == ((-6, -4, -2, 0, 2, 4, 6),)
    assert heat_of(np.arange(7)) == ((0, 1, 2, 3, 4, 5, 6),)
    assert heat_of(-np.arange(7.0)) == ((0, -1, -2, -3, -4, -5, -6),)
    assert heat_of(np.arange(10.0, 17.0)) == ((0, 1, 2, 3, 4, 5, 6),)
    assert heat_of(np.ones(7)) == ((0,) * 7,)
    assert heat_of(np.array([True] * 3 + [False] * 4)) == ((6, 6, 6, 0, 0, 0, 0),)
    assert heat_of(np.array([3 + 4j] * 6 + [0])) == ((6,) * 6 + (0,),)


def test_what_is_not_finite_is_told_apart() -> None:
    assert heat_of(np.array([0.0, np.nan, 1.0, np.inf, 0.5, -np.inf, 0.0])) == ((0, BAD, 6, BAD, 3, BAD, 0),)
    assert heat_of(np.full(8, np.nan)) == ((BAD,) * 8,)


def test_large_arrays_are_shown_by_means_of_blocks() -> None:
    grid = np.zeros((120, 240))
    grid[:10, -10:] = 1.0
    levels = heat_of(grid)
    assert levels is not None
    assert (len(levels), len(levels[0])) == (MOST_ROWS, MOST_COLUMNS)
    assert levels[0][-1] == LEVELS
    assert sum(map(sum, levels)) == LEVELS
    cube = heat_of(np.arange(24.0).reshape(2, 3, 4))
    assert cube is not None
    assert (len(cube), len(cube[0])) == (6, 4)


@pytest.mark.parametrize(
    "value",
    [1.0, np.float64(2.0), np.arange(6.0), np.empty(0), np.array(["a"] * 9), np.array([None] * 9),
     np.ma.masked_array(np.arange(9.0), np.arange(9) > 3), np.zeros(9, "f8,i4")],
)  # fmt: skip
def test_other_values_have_none(value) -> None:
    assert heat_of(value) is None


def test_the_map_stands_in_its_box_once_the_value_is_there(tmp_path) -> None:
    def f(w):
        h = np.tanh(w)
        return h.sum()

    trace = vd.trace(f, np.linspace(-1.0, 1.0, 40).reshape(4, 10))
    first, last = (ET.fromstring(trace.export(tmp_path / f"heat{k}.svg", step=k).read_bytes()) for k in (0, -1))
    found = {g.get("id"): g for g in last.iter(f"{SVG}g") if g.get("class", "").startswith("node")}
    maps = {id: [g for g in node.iter(f"{SVG}g") if g.get("class") == "heat"] for id, node in found.items()}
    assert {id: len(m) for id, m in maps.items()} == {"n0": 1, "n1": 1, "n2": 0}
    assert len([g for g in first.iter(f"{SVG}g") if g.get("class") == "heat"]) == 1  # of the input alone
    for id in ("n0", "n1"):
        box = found[id].find(f"{SVG}rect")
        assert box is not None
        dx, dy, scale = map(float, re.findall(r"-?[\d.]+", maps[id][0].get("transform")))
        bottom = float(box.get("y")) + float(box.get("height"))
        texts = [float(t.get("y")) for t in found[id].iter(f"{SVG}text")]
        assert max(texts) < dy < dy + 4 * scale <= bottom
        assert float(box.get("x")) < dx < dx + 10 * scale == pytest.approx(-dx, abs=0.1)
        cells = sum(int(w) for p in maps[id][0].iter(f"{SVG}path") for w in re.findall(r"h(\d+)v", p.get("d")))
        assert cells == 40


def test_every_cell_has_its_colour() -> None:
    drawn = heat.svg(((0, 0, 6), (BAD, -6, -6)), 10.0)
    assert f'd="M0 0h2v1h-2z" fill="{heat.ink(0)}"' in drawn
    assert f'd="M2 0h1v1h-1z" fill="{heat.ink(6)}"' in drawn
    assert f'd="M1 1h2v1h-2z" fill="{heat.ink(-6)}"' in drawn
    assert f'd="M0 1h1v1h-1z" fill="{heat.BAD_INK}"' in drawn
