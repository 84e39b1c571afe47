"""The data of the offline page, and the file it is written to, without a browser."""

import json
import linecache
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.errors import RenderError
from visual_debug.sweeps import adjoint as reverse
from visual_debug.views import page


def expression(x, y):
    return 2 * x * y + (x - 1) ** 2


def repeated(x, n):
    for _ in range(n):
        x = 3.7 * x * (1 - x)
    return x


class Reader(HTMLParser):
    """What an HTML parser sees: elements, and the texts of script and style elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[dict[str, str | None], str]] = []
        self._inside: dict[str, str | None] | None = None

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = dict(attrs) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside is not None:
            self.texts.append((self._inside, data))


def read(path):
    """The elements of a page and its data."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    (data,) = (text for attributes, text in reader.texts if attributes.get("id") == "data")
    return reader, json.loads(data)


@pytest.fixture
def trace():
    return vd.trace(expression, 3.0, 5.0)


def test_one_file_that_asks_for_nothing(trace, tmp_path):
    path = trace.export(tmp_path / "new" / "page.html")
    reader, _ = read(path)
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not any({"src", "href", "srcset", "style"} & set(attributes) for _, attributes in reader.elements)
    (policy,) = (a["content"] for t, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "http" not in policy
    style_and_script = "".join(text for attributes, text in reader.texts if attributes.get("id") != "data")
    assert not re.search(
        r"url\(|@import|fetch\(|XMLHttp|innerHTML|insertAdjacent|document\.write|eval\(", style_and_script
    )


def test_values_adjoints_and_steps_are_those_of_the_trace(trace, tmp_path):
    _, data = read(trace.export(tmp_path / "page.html"))
    nodes = data["nodes"]
    assert nodes["value"] == [node.value for node in trace]
    assert nodes["adjoint"] == [trace.adjoints.get(node.id) for node in trace]
    assert nodes["operands"] == [list(node.operands) for node in trace]
    steps = trace.steps()
    assert len(data["steps"]) == len(steps) == 16
    assert [s[0] for s in data["steps"]] == ["leaves"] + [s.phase for s in steps[1:]]
    assert [s[1:3] for s in data["steps"] if s[0] == "reverse"] == [
        [s.node, s.operand] for s in steps if s.phase == "reverse"
    ]
    x = trace.inputs["x"].id
    assert [s[4:] for s in data["steps"] if s[0] == "reverse" and s[2] == x] == [["10", "10"], ["4", "14"]]


@pytest.mark.parametrize("view", ["graph", "tree"])
def test_pictures_have_a_place_for_every_box(trace, tmp_path, view):
    _, data = read(trace.export(tmp_path / "page.html", view=view))
    assert data["first"] == view
    sheet = data["sheets"][view]
    for _, x, y, width, height in sheet["boxes"]:
        assert 0 <= x - width / 2 and x + width / 2 <= sheet["width"]
        assert 0 <= y - height / 2 and y + height / 2 <= sheet["height"]
    for i, (_, x, y, width, height) in enumerate(sheet["boxes"]):
        for _, x2, y2, width2, height2 in sheet["boxes"][:i]:
            assert abs(x - x2) >= (width + width2) / 2 or abs(y - y2) >= (height + height2) / 2
    drawn = sorted((sheet["boxes"][tail][0], sheet["boxes"][head][0], p) for tail, head, p, *_ in sheet["arrows"])
    if view == "graph":
        assert drawn == sorted((tail, head, p) for tail, head, p in trace.graph.edges(keys=True))
    else:
        assert len(drawn) == len(sheet["boxes"]) - 1


def test_spans_are_the_text_of_the_expressions(tmp_path):
    _, data = read(vd.trace(accents, 2.0).export(tmp_path / "page.html"))
    (listing,) = data["code"]
    for span, source in zip(data["nodes"]["span"], data["nodes"]["source"], strict=True):
        if span is None:
            continue
        _, line, start, end_line, end = data["spans"][span]
        assert line == end_line
        text = listing["lines"][line - listing["first"]].encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
        assert text == source
    assert len(data["spans"]) >= 2


def accents(é):
    return len("👽ü") * math.sin(é) + é * é


def test_lines_between_functions_far_apart_are_left_out(tmp_path):
    text = (
        "def f(x):\n    return g(x) + 1\n"
        + "\n" * 3
        + "def h(x):\n    return x\n"
        + "# other\n" * 500
        + "def g(x):\n    return x * x\n"
    )
    source = tmp_path / "apart.py"
    source.write_text(text, encoding="utf-8")
    scope: dict = {}
    exec(compile(text, str(source), "exec"), scope)  # noqa: S102
    _, data = read(vd.trace(scope["f"], 2.0).export(tmp_path / "page.html"))
    assert [(part["first"], part["lines"]) for part in data["code"]] == [
        (1, ["def f(x):", "    return g(x) + 1"]),
        (508, ["def g(x):", "    return x * x"]),
    ]


def test_what_a_user_wrote_is_no_markup(tmp_path):
    scope: dict = {}
    text = "def f(x):\n    return x * len('</script><script>alert(1)//<!--&\\u2028')\n"
    exec(compile(text, "<b>&\u2028", "exec"), scope)  # noqa: S102
    path = vd.trace(scope["f"], 2.0).export(tmp_path / "page.html")
    reader, _ = read(path)
    assert [tag for tag, _ in reader.elements].count("script") == 2
    assert "<!--" not in path.read_text(encoding="utf-8")


def test_numbers_that_json_has_not(tmp_path):
    path = vd.trace(lambda x: x * 1e308 * 10 - math.inf, 2.0).export(tmp_path / "page.html")
    _, data = read(path)
    assert [data["nodes"]["text"][i] for i in data["nodes"]["bad"]][-1] == "nan"
    assert data["nodes"]["value"][-1] is None


def test_arrays(tmp_path):
    trace = vd.trace(lambda w, x: np.sum((w @ x) ** 2), np.eye(2), np.array([1.0, -3.0]))
    _, data = read(trace.export(tmp_path / "page.html"))
    assert data["nodes"]["value"][trace.inputs["x"].id] == 3.0


def test_no_reverse_pass_where_there_is_no_single_number(tmp_path):
    _, data = read(vd.trace(lambda x: (x + 1, x * 2), 2.0).export(tmp_path / "page.html"))
    assert not data["reverse"]
    assert {s[0] for s in data["steps"]} == {"leaves", "forward"}


def test_a_missing_derivative_is_said(tmp_path):
    from statistics import NormalDist

    _, data = read(vd.trace(lambda x: x * NormalDist().pdf(x), 1.0).export(tmp_path / "page.html"))
    assert data["steps"][-1] == ["stopped"]
    assert "derivative" in data["stopped"]


def test_a_long_trace_is_folded(tmp_path):
    trace = vd.trace(repeated, 0.4, 1000)
    path = trace.export(tmp_path / "page.html")
    _, data = read(path)
    assert data["first"] == "summary" and not data["whole"]
    assert path.stat().st_size < 2_000_000
    rows = {row["lines"][0]: row for row in data["sheets"]["summary"]["rows"]}
    last = rows["3.7 * x * (1 - x)"]
    values = [node.value for node in trace.find(name="x")[1:]]
    assert last["count"] == 1000 == len(values)
    texts = [f"{v:.6g}" for v in (values[0], values[-1], min(values), max(values))]
    assert [last["first"], last["last"], last["least"], last["most"]] == texts
    index = {label: i for i, label in enumerate(row["lines"][0] for row in data["sheets"]["summary"]["rows"])}
    again = sorted((tail, head) for tail, head, *_ in data["sheets"]["summary"]["back"])
    assert again == sorted((index["3.7 * x * (1 - x)"], index[part]) for part in ("3.7 * x", "1 - x"))
    ids = data["nodes"]["id"]
    assert page.NEAREST <= len(ids) <= page.NEAREST + 2 * len(rows)
    assert all(row["members"] for row in rows.values())
    assert {node.id for node in (trace.find(name="x")[1], trace.find(op="sub")[0], trace.outputs)} <= set(ids)
    (whole, loop) = data["sheets"]["summary"]["folds"]
    assert loop["lines"][:2] == ["for _ in range(n)", "×1,000"]
    assert loop["lines"][2] == f"x: {values[0]:.6g} … {values[-1]:.6g}"
    assert (loop["parent"], whole["parent"], loop["count"]) == (0, None, 3000)
    assert trace.outputs.id in data["nodes"]["id"]


def squared(x, n):
    for _ in range(n):
        x = np.sqrt(x * x + 0.1)
    return np.sum(x)


@pytest.mark.parametrize("args", [(repeated, 0.4, 1000), (squared, np.array([0.5, 2.0]), 800)])
def test_adjoints_of_a_part_are_whole(tmp_path, args):
    trace = vd.trace(*args)
    named = [trace.inputs["x"].id, *(n.id for n in trace.find(name="x")[-3:]), *(n.id for n in trace.find(op="const"))]
    _, data = read(trace.export(tmp_path / "page.html", nodes=named))
    assert data["first"] == "graph"
    assert data["nodes"]["id"] == sorted(set(named))
    for id, adjoint in zip(data["nodes"]["id"], data["nodes"]["adjoint"], strict=True):
        whole = np.abs(trace.adjoints[id]).max() if np.size(trace.adjoints[id]) > 1 else trace.adjoints[id]
        assert adjoint == pytest.approx(whole, rel=1e-9)
    assert data["steps"][-1][0] == "rest"


def test_boxes_without_arrows_stand_in_rows(tmp_path):
    trace = vd.trace(repeated, 0.4, 1000)
    named = [n.id for n in trace.find(name="x")[1:300]]
    for ids in (named, [*named, *range(5)]):
        _, data = read(trace.export(tmp_path / "page.html", nodes=ids))
        sheet = data["sheets"]["graph"]
        assert sheet["width"] < 1600 and sheet["height"] < 5000
        for i, (_, x, y, width, height) in enumerate(sheet["boxes"]):
            assert 0 <= x - width / 2 and x + width / 2 <= sheet["width"]
            assert 0 <= y - height / 2 and y + height / 2 <= sheet["height"]
            for _, x2, y2, width2, height2 in sheet["boxes"][:i]:
                assert abs(x - x2) >= (width + width2) / 2 or abs(y - y2) >= (height + height2) / 2


def test_too_many_expressions_are_not_folded_and_that_is_said(tmp_path):
    scope: dict = {}
    exec("def f(x):\n" + "    x = x * 1.001 + 1\n" * 1100 + "    return x\n", scope)  # noqa: S102
    trace = vd.trace(scope["f"], 2.0)
    _, data = read(trace.export(tmp_path / "page.html"))
    assert data["first"] == "graph" and set(data["sheets"]) == {"graph"}
    assert "expressions are more than the 2,000" in data["unfolded"]
    assert trace.outputs.id in data["nodes"]["id"]
    _, data = read(trace.export(tmp_path / "page.html", nodes=[7, 9]))
    assert data["nodes"]["id"] == [7, 9]
    with pytest.raises(RenderError, match="expressions are more"):
        trace.export(tmp_path / "page.html", view="summary")


def test_2000_nodes_are_less_than_2_mb(tmp_path):
    trace = vd.trace(repeated, 0.4, 660)
    path = trace.export(tmp_path / "page.html")
    _, data = read(path)
    assert data["whole"] and len(trace) > 1980
    assert path.stat().st_size < 2_000_000


def test_export_steps_begins_with_the_first_step(trace, tmp_path):
    (path,) = trace.export_steps(tmp_path / "all.html", format="html")
    assert path == tmp_path / "all.html"
    assert read(path)[1]["step"] == 0
    (path,) = trace.export_steps(tmp_path / "folder", format="html")
    assert path.parent == tmp_path / "folder"
    assert read(trace.export(tmp_path / "page.html", step=-2))[1]["step"] == 14


def test_the_same_trace_is_the_same_page(trace, tmp_path):
    one, other = trace.export(tmp_path / "1.html"), trace.export(tmp_path / "2.html")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"view": "picture"}, "unknown view"),
        ({"step": 16}, "16 steps"),
        ({"nodes": []}, "at least one"),
        ({"nodes": [9]}, "from 0 to 8"),
    ],
)
def test_refusals(trace, tmp_path, options, word):
    with pytest.raises(RenderError, match=word):
        trace.export(tmp_path / "page.html", **options)
    assert not (tmp_path / "page.html").exists()


def test_nodes_are_of_pages_only(trace, tmp_path):
    with pytest.raises(RenderError, match="nodes="):
        trace.export(tmp_path / "page.svg", nodes=[1])


def test_the_assets_are_package_data():
    from importlib.resources import files

    from visual_debug.render import html

    assets = files("visual_debug.render") / "assets"
    for name in ("page.html", *html.SCRIPTS, *html.STYLES):
        assert (assets / name).is_file()


def total(xs):
    return sum(x * 2 for x in xs)


def test_an_operation_of_many_operands_is_pulled_back_once(monkeypatch):
    trace = vd.trace(total, [float(i) for i in range(3000)])
    trace.grad()
    asked = []
    pull_each = reverse.pull_each
    monkeypatch.setattr(
        reverse, "pull_each", lambda columns, node, *a, **k: asked.append(node) or pull_each(columns, node, *a, **k)
    )
    data = page.data(trace._columns, [trace.outputs.id], {trace.outputs.id: 1.0})
    assert not data["whole"]
    assert set(asked) == {trace.outputs.id}
    assert len(asked) <= 2


def branching(x, n):
    total = 0.0
    for _ in range(n):
        x = 3.7 * x * (1 - x)
        if x > 0.5:
            total += x
        else:
            total -= x * 0.5
    return total / n


def test_arrows_of_loops_are_not_hidden_by_boxes(tmp_path):
    _, data = read(vd.trace(branching, 0.4, 1000).export(tmp_path / "page.html"))
    sheet = data["sheets"]["summary"]
    assert len(sheet["back"]) == 4
    for tail, head, _, line, _ in sheet["back"]:
        a, b, c, d = (np.array(point.split(","), float) for point in line.split())
        t = np.linspace(0, 1, 50)[:, None]
        way = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
        for i, (_, x, y, width, height) in enumerate(sheet["boxes"]):
            if i not in (tail, head):
                assert not ((abs(way[:, 0] - x) < width / 2 - 1) & (abs(way[:, 1] - y) < height / 2 - 1)).any()


def test_a_page_of_2000_expressions_is_small(tmp_path):
    lines = [f"    x{i + 1} = x{i} * {1.0 + i / 1e6!r} + x{i}\n" for i in range(660)]
    text = f"def f(x0):\n{''.join(lines)}    return x660\n"
    linecache.cache["<straight>"] = len(text), None, text.splitlines(keepends=True), "<straight>"
    scope = {}
    exec(compile(text, "<straight>", "exec"), scope)  # noqa: S102
    trace = vd.trace(scope["f"], 1.5)
    assert 1900 < len(trace) < 2000
    path = trace.export(tmp_path / "page.html")
    assert path.stat().st_size < 2_000_000
    _, data = read(path)
    assert list(data["sheets"]) == ["graph"]
