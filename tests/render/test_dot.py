"""DOT text: quoting, structure, and what engines read out of it."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.render.samples import NASTY, expression, nasty, parse, square
from visual_debug.render import engines, measure
from visual_debug.render.diagram import Box, Diagram, Frame
from visual_debug.render.dot import dot_text, quote

GOLDEN = Path(__file__).with_name("golden")


def structure(text: str) -> tuple[dict[str, dict[str, str]], list[tuple[str, str, str]]]:
    """Nodes with their attributes (but for sizes) and edges, in order."""
    nodes, edges = {}, []
    for line in text.splitlines():
        pairs = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|<.*>(?=[,\]])|[^,\]]+)', line.partition("[")[2]))
        if edge := re.match(r'"(\w+)" -> "(\w+)"', line):
            edges.append((edge[1], edge[2], pairs.get("headlabel", "")))
        elif node := re.match(r'"(\w+)" \[', line):
            nodes[node[1]] = {name: pairs[name] for name in ("label", "fillcolor", "color", "penwidth")}
    return nodes, edges


@pytest.mark.parametrize("name", ["expression", "square"])
def test_goldens(name: str) -> None:
    diagram = {"expression": expression, "square": square}[name]()
    text = dot_text(diagram, diagram.frames[-2:][0])
    assert structure(text) == structure((GOLDEN / f"{name}.dot").read_text())


def test_one_edge_per_statement_and_parallel_edges_stay() -> None:
    _nodes, edges = structure(dot_text(square(), square().frames[0]))
    assert edges == [("n0", "n1", ""), ("n0", "n1", ""), ("n1", "n3", '"1"'), ("n2", "n3", '"2"')]


@pytest.mark.parametrize("text", NASTY)
def test_a_quoted_text_is_one_token(text: str) -> None:
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', quote(text))


@pytest.mark.parametrize("text", NASTY)
def test_engines_read_labels_exactly(text: str) -> None:
    frame = Frame("")
    drawn = engines.draw(
        "graphviz-pure", dot_text(Diagram([Box("n0", 0, text, "op", text)], [], [frame]), frame), "svg"
    )
    texts = ["".join(element.itertext()) for element in parse(drawn).iter() if element.tag.endswith("}text")]
    expected = measure.shown(text)
    if len(expected) < 40:
        assert "".join(texts).replace("\xa0", " ").strip() == expected.replace("\n", "").strip()
    tip = re.search(r'xlink:title="([^"]*)"', drawn.decode())
    if text:
        assert tip is not None
        assert html.unescape(tip[1]).replace("\n", "").replace("\xa0", " ") == expected.replace("\n", "")


@pytest.mark.parametrize("frame", [0, 1, 20])
def test_any_frame_of_nasty_texts_is_accepted(frame: int) -> None:
    diagram = nasty()
    drawn = engines.draw("graphviz-pure", dot_text(diagram, diagram.frames[frame]), "svg")
    assert drawn.count(b'class="node"') == len(diagram.boxes)


def test_all_frames_reserve_the_same_sizes() -> None:
    diagram = expression()
    sizes = {tuple(re.findall(r"\b(?:width|height)=[\d.]+", dot_text(diagram, frame))) for frame in diagram.frames}
    assert len(sizes) == 1
