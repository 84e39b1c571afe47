"""Every format is opened by an independent reader, and is the same bytes each time."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

import visual_debug as vd
from visual_debug.views import export

pytestmark = pytest.mark.filterwarnings("ignore:svg2pdf-py is not installed")


def square(a):
    return a * a


def loss(x, y):
    z = square(x) + 2
    return math.exp(-0.1 * z) * y / (z - 1) ** 2


@pytest.fixture(scope="module")
def trace():
    return vd.trace(loss, 1.5, -2.0)


@pytest.mark.parametrize("format", export.FORMATS)
@pytest.mark.parametrize("view", export.VIEWS)
def test_the_same_trace_gives_the_same_bytes(trace, tmp_path, view, format):
    if view == "code" and format in ("dot", "mmd"):
        with pytest.raises(vd.RenderError, match="the code view cannot be drawn"):
            trace.export(tmp_path / f"a.{format}", view=view)
        return
    files = [vd.trace(loss, 1.5, -2.0).export(tmp_path / f"{i}.{format}", view=view) for i in (1, 2)]
    assert files[0].read_bytes() == files[1].read_bytes() != b""


def test_json_is_node_link_data_of_networkx(trace, tmp_path):
    data = json.loads(trace.export(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (data["format"], data["schema"]) == ("visual_debug trace", 1)
    graph = nx.node_link_graph(data, edges="edges")
    assert nx.utils.graphs_equal(nx.MultiDiGraph(graph.edges(keys=True)), nx.MultiDiGraph(trace.graph.edges(keys=True)))
    for node in trace:
        assert graph.nodes[node.id]["value"] == node.value
        assert graph.nodes[node.id].get("adjoint") == node.adjoint
        assert graph.nodes[node.id]["source"]["line"] == node.source.line
    assert data["graph"]["inputs"] == {"x": 0, "y": 1}
    assert data["graph"]["outputs"] == trace.outputs.id


def test_json_has_a_form_for_every_value(tmp_path):
    def f(a, x):
        return np.sum(a / x), x * 1j, x / x * math.inf, math.nan * x

    t = vd.trace(f, np.array([[1.0, -1.0]]), 2.0)
    data = json.loads(t.export(tmp_path / "a.json").read_text(encoding="utf-8"))
    values = [node["value"] for node in data["nodes"]]
    assert {"array": {"dtype": "float64", "shape": [1, 2], "data": [1.0, -1.0]}} in values
    assert {"complex": [0.0, 2.0]} in values
    assert {"float": "inf"} in values
    assert {"float": "nan"} in values


def test_graphml_is_read_by_networkx(trace, tmp_path):
    graph = nx.read_graphml(trace.export(tmp_path / "a.graphml"), node_type=int, force_multigraph=True)
    assert sorted(graph.edges()) == sorted((a, b) for a, b, _ in trace.graph.edges(keys=True))
    assert [graph.nodes[n.id]["text"] for n in trace][:2] == ["1.5", "-2"]
    assert graph.nodes[0]["adjoint"] == f"{trace.grad('x'):.6g}"
    partials = {(a, b): d["partial"] for a, b, d in graph.edges(data=True) if "partial" in d}
    assert partials
    assert all(math.isfinite(p) for p in partials.values())


def test_graphml_of_text_that_xml_does_not_allow(tmp_path):
    t = vd.trace(lambda d: d["a\0\x1b<&>"] * 2, {"a\0\x1b<&>": 2.0})
    graph = nx.read_graphml(t.export(tmp_path / "a.graphml"))
    assert any("<&>" in str(d) for _, d in graph.nodes(data=True))


@pytest.mark.parametrize("view", ["graph", "tree", "summary"])
def test_dot_is_read_by_a_parser_of_dot(trace, tmp_path, view):
    pydot = pytest.importorskip("pydot")
    (graph,) = pydot.graph_from_dot_data(trace.export(tmp_path / "a.dot", view=view).read_text(encoding="utf-8"))
    assert len(graph.get_edges()) >= 9


def test_pdf_has_one_page(trace, tmp_path):
    for view in export.VIEWS:
        data = trace.export(tmp_path / f"{view}.pdf", view=view).read_bytes()
        assert data.startswith(b"%PDF-")
        assert data.rstrip().endswith(b"%%EOF")
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads PDF back")
    assert len(pypdf.PdfReader(tmp_path / "graph.pdf").pages) == 1


def test_pdf_without_svg2pdf_holds_pixels_and_says_so(trace, tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.setitem(__import__("sys").modules, "svg2pdf_py", None)
    with pytest.warns(Warning, match=r"visual-debug\[pdf\]"):
        data = trace.export(tmp_path / "a.pdf").read_bytes()
    assert b"/Subtype /Image" in data
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    assert data[table : table + 4] == b"xref"


def test_a_gif_plays_every_step(trace, tmp_path):
    image = pytest.importorskip("PIL.Image")
    for view in ("graph", "tree", "code"):
        (path,) = trace.export_steps(tmp_path / f"{view}.gif", view=view)
        count = len(trace.export_steps(tmp_path / view, view=view))
        with image.open(path) as animation:
            shown = 0
            for number in range(animation.n_frames):
                animation.seek(number)
                shown += animation.info["duration"]
        assert shown == 800 * (count - 1) + 3000  # equal frames are joined


def test_an_animated_svg_shows_each_frame_in_its_time(trace, tmp_path):
    (path,) = trace.export_steps(tmp_path / "a.svg")
    root = ElementTree.parse(path).getroot()
    text = path.read_text(encoding="utf-8")
    assert "prefers-reduced-motion" in text
    titles = [g for g in root.iter() if g.get("class") == "frame-title"]
    assert len(titles) == len(trace.steps())
    hidden = [g for g in root if g.get("visibility") == "hidden"]
    assert 0 < len(hidden) < len(list(root))
    for rule in re.findall(r"@keyframes \S+ \{ (.*?\}) \}", text):
        stops = [float(s) for s in re.findall(r"([\d.]+)%", rule)]
        assert stops == sorted(stops)
        assert (stops[0], stops[-1]) == (0, 100)


def test_mermaid_has_a_node_and_an_arrow_for_each(trace, tmp_path):
    lines = trace.export(tmp_path / "a.mmd").read_text(encoding="utf-8").splitlines()
    assert lines[:1] == ["---"]
    assert lines[3] == "flowchart BT"
    nodes = [line for line in lines if re.fullmatch(r'  n\d+\["[^"\[\]{}<]*(<br/>[^"\[\]{}<]*)*"\]:::\w+', line)]
    arrows = [line for line in lines if re.fullmatch(r"  n\d+ -->(\|\d\|)? n\d+", line)]
    assert len(nodes) == len(trace)
    assert len(arrows) == trace.graph.number_of_edges()
    with pytest.raises(vd.RenderError, match="Mermaid"):
        vd.trace(lambda x: sum(x * i for i in range(400)), 1.0).export(tmp_path / "b.mmd")


def test_latex_shows_the_work(trace, tmp_path):
    text = trace.export(tmp_path / "a.tex").read_text(encoding="utf-8")
    assert r"z &= x \cdot x + 2 \\" in text
    assert r"&= 1.5 \cdot 1.5 + 2 \\" in text
    assert r"\frac{\exp\left(-0.1 \cdot z\right) \cdot y}{{\left(z - 1\right)}^{2}}" in text
    assert r"\cdot \left(-2\right)" in text
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")


def test_latex_is_parsed(trace, tmp_path):
    walker = pytest.importorskip("pylatexenc.latexwalker", reason="pylatexenc reads LaTeX")
    text = trace.export(tmp_path / "a.tex").read_text(encoding="utf-8")
    nodes, _, _ = walker.LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    environments = [n.environmentname for n in nodes if n.isNodeType(walker.LatexEnvironmentNode)]
    assert environments == ["document"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_runs(trace, tmp_path):
    path = trace.export(tmp_path / "a.tex")
    subprocess.run(["pdflatex", "-halt-on-error", path.name], cwd=tmp_path, check=True, capture_output=True, timeout=60)


def test_the_timeline_nests_calls_and_operations(trace, tmp_path):
    events = json.loads(trace.export(tmp_path / "a.trace.json").read_text(encoding="utf-8"))["traceEvents"]
    slices = [e for e in events if e["ph"] == "X"]
    calls = {e["name"]: (e["ts"], e["ts"] + e["dur"]) for e in slices if e["cat"] == "call"}
    assert calls["loss"][0] <= calls["square"][0] < calls["square"][1] <= calls["loss"][1]
    operations = [e for e in slices if e["cat"] != "call"]
    assert len(operations) == sum(n.op not in ("input", "const") for n in trace)
    assert [e["ts"] for e in operations] == list(range(len(operations)))


def test_the_summary_counts(tmp_path):
    def f(x):
        for _ in range(1000):
            x = 3.2 * x * (1 - x)
        return x

    t = vd.trace(f, 0.3)
    table = t.export(tmp_path / "a.txt", view="summary").read_text(encoding="utf-8").splitlines()
    row = next(line for line in table if "x = 3.2 * x * (1 - x)" in line)
    assert re.split(r"  +", row)[2:5] == ["1,000", "0.672", f"{t.result:.6g}"]
    picture = "".join(ElementTree.parse(t.export(tmp_path / "a.svg", view="summary")).getroot().itertext())
    assert "×1,000: 0.672 first" in picture
    with pytest.raises(vd.RenderError, match="the summary has no steps"):
        t.export_steps(tmp_path / "steps", view="summary")
    with pytest.raises(vd.RenderError, match="the summary has no steps"):
        t.export(tmp_path / "b.svg", view="summary", step=3)


def test_code_pictures_hold_what_the_text_holds(trace, tmp_path):
    root = ElementTree.parse(trace.export(tmp_path / "a.svg", view="code")).getroot()
    drawn = re.sub(r"\s", "", "".join(t for g in root.iter() if g.tag.endswith("text") for t in g.itertext()))
    lines = trace.code().splitlines()
    assert re.sub(r"\s", "", lines[0]) in drawn
    for line in lines[1:]:
        for word in re.findall(r"[\d.]{4,}|return|exp", line):
            assert word in drawn
    sizes = {ElementTree.parse(p).getroot().get("viewBox") for p in trace.export_steps(tmp_path / "s", view="code")}
    assert len(sizes) == 1
