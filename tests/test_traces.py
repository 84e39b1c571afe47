"""`Trace` and `Node`: derivatives in every form, and the questions that users ask of a trace."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction

import networkx
import numpy as np
import pytest

import visual_debug as vd
from visual_debug.columns import Columns
from visual_debug.sweeps import adjoint


def expression(x, y):
    return 2 * x * y + (x - 1) ** 2


@pytest.fixture
def trace():
    return vd.trace(expression, 3, 5)


def test_nodes_are_what_the_surface_says(trace):
    assert len(trace) == 9
    assert [node.id for node in trace] == list(range(9))
    assert [(n.op, n.symbol, n.value) for n in trace] == [
        ("input", "x", 3), ("input", "y", 5), ("const", "2", 2), ("mul", "*", 6), ("mul", "*", 30),
        ("const", "1", 1), ("sub", "-", 2), ("pow", "**2", 4), ("add", "+", 34),
    ]  # fmt: skip
    product = trace[4]
    assert product.operands == (3, 1)
    assert product.partials == (5, 6)
    assert product.pullback == "Δ -> (Δ*y, Δ*x)"
    assert product.pullback_values == "Δ -> (Δ*5, Δ*6)"
    assert trace[7].pullback == "Δ -> (Δ*2*x,)"
    assert trace[0].pullback is None
    assert product.source.text == "2 * x * y"
    assert (product.source.file, product.source.line) == (__file__, expression.__code__.co_firstlineno + 1)
    assert (product.function, product.call, product.name) == ("expression", 0, None)
    assert trace[-1] == trace[8] == trace.outputs
    assert trace.inputs == {"x": trace[0], "y": trace[1]}
    assert product.adjoint == 1
    assert repr(product) == "<Node 4: * = 30>"
    with pytest.raises(IndexError):
        trace[9]
    assert [n.id for n in trace[2:4]] == [2, 3]


def test_adjoints(trace):
    assert trace.adjoints == {8: 1, 4: 1, 7: 1, 3: 5, 1: 6, 2: 15, 0: 14, 6: 4, 5: -4}


def test_gradient_in_every_form(trace):
    assert trace.grad() == {"x": 14, "y": 6}
    assert trace.grad("y") == 6
    assert trace.grad(("y", "x")) == {"y": 6, "x": 14}
    assert trace.grad(seed=2) == {"x": 28, "y": 12}
    assert trace.grad(of=trace[3]) == {"x": 2, "y": 0}
    with pytest.raises(vd.TraceError, match="no argument 'z', only x, y"):
        trace.grad("z")


def test_several_outputs():
    def f(x, y):
        return {"product": x * y, "both": (x, x + y)}

    t = vd.trace(f, 3.0, 5.0)
    assert t.grad(of="product") == {"x": 5.0, "y": 3.0}
    assert t.grad(seed={"product": 1.0, "both": (10.0, 100.0)}) == {"x": 115.0, "y": 103.0}
    with pytest.raises(vd.TraceError, match="several parts: name one with of="):
        t.grad()
    with pytest.raises(vd.TraceError, match="the seed has 1 parts, the result 3"):
        t.grad(seed=1.0)
    assert t.jvp(x=1.0) == {"product": 5.0, "both": (1.0, 1.0)}


def test_array_output_needs_a_seed_of_its_shape():
    def f(a, b):
        return a * b

    a, b = np.array([1.0, 2.0]), 3.0
    t = vd.trace(f, a, b)
    with pytest.raises(vd.TraceError, match="no single number: give seed="):
        t.grad()
    with pytest.raises(vd.TraceError, match=r"shape \(3,\) for an array of shape \(2,\)"):
        t.grad(seed=np.ones(3))
    gradient = t.grad(seed=np.array([1.0, 10.0]))
    assert gradient["a"].tolist() == [3.0, 30.0]
    assert gradient["b"] == 21.0
    assert t.jvp(b=1.0).tolist() == [1.0, 2.0]


def test_unused_inputs_have_gradient_zero_in_their_shape():
    def f(x, a, name, n):
        return x * 2

    gradient = vd.trace(f, 1.5, np.ones((2, 3)), "text", 4).grad()
    assert gradient["x"] == 2
    assert gradient["a"].tolist() == np.zeros((2, 3)).tolist()
    assert gradient["n"] == 0
    assert "name" not in gradient


def test_jvp_is_the_gradients_product(trace):
    assert trace.jvp(x=1) == 14
    assert trace.jvp(x=2, y=3) == 46
    with pytest.raises(vd.TraceError, match="no argument 'z'"):
        trace.jvp(z=1)


def test_results_that_are_no_computed_number():
    t = vd.trace(lambda x: "text", 1)
    with pytest.raises(vd.TraceError, match="no number"):
        t.grad()
    assert str(t) == "(no number was computed from numbers)"


def test_a_missing_rule_names_operation_place_and_way_out():
    def f(x):
        return math.gcd(int(x), 6) * x

    with pytest.raises(vd.NoDerivativeError, match=rf"{__name__.rpartition('.')[2]}.*gcd"):
        vd.trace(f, 4).grad()

    def own(x):
        return np.real_if_close(x) * 1.0

    t = vd.trace(own, 0.5)
    with pytest.raises(vd.NoDerivativeError, match=r"visual_debug\.rule\("):
        t.grad()


def test_own_rule():
    def f(x):
        return np.i0(x) * 2.0

    from visual_debug import rules

    vd.rule(np.i0, lambda z, x: float(np.i0(x + 1e-6) - np.i0(x - 1e-6)) / 2e-6)
    try:
        assert vd.trace(f, 0.5).grad("x") == pytest.approx(2 * 0.2578943, rel=1e-5)
    finally:
        rules.forget(np.i0)


@pytest.mark.parametrize("kind", [Fraction, Decimal, complex, float, int, bool])
def test_every_kind_of_number_passes_through_unharmed(kind):
    def f(x, y):
        return (x * y - x) / y

    x, y = kind(3), kind(2)
    t = vd.trace(f, x, y)
    assert (t.result, type(t.result)) == (f(x, y), type(f(x, y)))
    gradient = t.grad()
    assert gradient["x"] == (y - 1) / y
    if kind in (Fraction, Decimal):
        assert type(gradient["x"]) is kind


def test_tree_prints_as_the_original(trace):
    assert str(trace) == (
        "[+] → 34\n"
        "├─ [*] → 30\n"
        "│  ├─ [*] → 6\n"
        "│  │  ├─ 2\n"
        "│  │  └─ 3=x\n"
        "│  └─ 5=y\n"
        "└─ [**2] → 4\n"
        "   └─ [-] → 2\n"
        "      ├─ 3=x\n"
        "      └─ 1"
    )
    assert trace.tree(1) == "[+] → 34\n├─ [*] → 30\n│  └─ ⋮\n└─ [**2] → 4\n   └─ ⋮"
    assert trace.tree(0) == "[+] → 34\n└─ ⋮"


def test_a_long_chain_prints_without_recursion_and_cut():
    def f(x):
        for _ in range(5000):
            x = x + 1
        return x

    t = vd.trace(f, 1)
    assert str(t).count("\n") == 11
    text = t.tree()
    assert text.endswith("repeats nothing")
    assert text.count("\n") == 2000


def test_find(trace):
    assert [n.id for n in trace.find(op="mul")] == [3, 4]
    assert [n.id for n in trace.find(op="*")] == [3, 4]
    assert [n.id for n in trace.find(name="y")] == [1]
    assert [n.id for n in trace.find(where=lambda n: n.value > 20)] == [4, 8]
    assert trace.find(line=1) == []


def test_ancestors_and_slice(trace):
    assert [n.id for n in trace.ancestors(4)] == [0, 1, 2, 3]
    part = trace.slice(trace[4])
    assert len(part) == 5
    assert part.result == 30
    assert part.grad() == {"x": 10, "y": 6}
    assert trace.slice(6).inputs == {"x": trace.slice(6)[0], "y": None} or trace.slice(6).inputs["y"] is None


def test_first_nonfinite():
    def f(x):
        big = x * 1e200
        worse = big * big
        return worse - worse

    t = vd.trace(f, 1e10)
    born = t.first_nonfinite()
    assert (born.op, born.value, born.name) == ("mul", math.inf, "worse")
    assert vd.trace(f, 1e-300).first_nonfinite() is None
    assert vd.trace(lambda a: a / 0.0, np.ones(2)).first_nonfinite().op == "truediv"


def test_graph_is_a_networkx_dag_that_everything_works_on(trace, tmp_path):
    graph = trace.graph
    assert isinstance(graph, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(graph)
    order = list(networkx.topological_sort(graph))
    assert all(order.index(a) < order.index(b) for a, b in graph.edges())
    assert networkx.ancestors(graph, 4) == {0, 1, 2, 3}
    assert networkx.shortest_path(graph, 0, 8) == [0, 3, 4, 8] or networkx.shortest_path(graph, 0, 8)[-1] == 8
    assert graph.edges[3, 4, 0]["partial"] == 5
    assert graph.nodes[4]["op"] == "mul"
    assert graph.nodes[4]["operands"] == (3, 1)
    assert graph.nodes[4]["adjoint"] == 1
    assert graph.nodes[4].get("nothing", "default") == "default"
    assert graph.nodes[0]["name"] == "x"
    assert graph.nodes[4]["name"] is None
    networkx.write_graphml(graph, tmp_path / "graph.graphml")
    read = networkx.read_graphml(tmp_path / "graph.graphml", force_multigraph=True)
    assert len(read) == 9
    assert read.number_of_edges() == graph.number_of_edges() == 9
    data = json.loads(json.dumps(networkx.node_link_data(graph)))
    assert networkx.node_link_graph(data).number_of_edges() == 9
    assert graph.copy().number_of_nodes() == 9
    assert trace.graph is graph


def test_parallel_edges_and_array_nodes_in_the_graph(tmp_path):
    def f(a):
        return (a * a).sum()

    graph = vd.trace(f, np.array([1.0, 2.0])).graph
    assert sorted(graph.edges(keys=True)) == [(0, 1, 0), (0, 1, 1), (1, 2, 0)]
    assert graph.nodes[1]["value"].tolist() == [1.0, 4.0]
    networkx.write_graphml(graph, tmp_path / "array.graphml")
    json.dumps(networkx.node_link_data(graph))


def test_a_trace_of_a_raising_call_has_everything_but_derivatives():
    traced = vd.visual_debug(lambda x: math.sqrt(x - 5) * 2)
    with pytest.raises(ValueError, match="math domain error|expected a nonnegative input"):
        traced(1)
    t = traced.trace
    assert str(t).splitlines()[0] == "[sqrt] → raised"
    assert len(t.steps()) == 3
    assert t.graph.number_of_nodes() == 4
    assert t.first_nonfinite() is None
    with pytest.raises(vd.TraceError, match="raised ValueError"):
        t.jvp(x=1.0)


MANY = {
    "sum": lambda xs: sum([x * x for x in xs]),
    "sum_of_one": lambda xs: sum([xs[0]] * 20),
    "sum_from": lambda xs: sum([x * x for x in xs], xs[3]),
    "fsum": lambda xs: math.fsum([x * x for x in xs]),
    "prod": lambda xs: math.prod([x - 3.0 for x in xs]),
    "max": lambda xs: max([x * x for x in xs]),
    "max_of_arguments": lambda xs: max(*[x * x for x in xs]),
    "min": lambda xs: min(x * x for x in xs),
    "hypot": lambda xs: math.hypot(*xs),
    "dist": lambda xs: math.dist(xs, [x * x for x in xs]),
    "array": lambda xs: (np.array([x * x for x in xs]) * np.arange(len(xs))).sum(),
    "nested_array": lambda xs: (np.array([[x, x * x] for x in xs]) ** 2).sum(),
    "stack": lambda xs: (np.stack([np.array([x, 2.0]) for x in xs]) ** 2).sum(),
    "hstack": lambda xs: (np.hstack([x * 2 for x in xs]) * np.arange(len(xs))).sum(),
    "with_an_int": lambda xs: (np.array([*xs, 3]) ** 2).sum() + sum([*xs, 3]),
}


@pytest.mark.parametrize(
    "values", [[0.5 + i for i in range(12)], [2.0, 7.0, 7.0, *range(9)], [float(i) for i in range(12)]]
)
@pytest.mark.parametrize("name", MANY)
def test_operations_of_many_operands_are_pulled_back_at_once_as_one_by_one(name, values, monkeypatch):
    trace = vd.trace(MANY[name], values)
    at_once = trace.grad("xs")
    monkeypatch.setattr(adjoint, "MANY", 10**9)
    monkeypatch.setattr(adjoint, "pull_each", lambda columns, node, delta: [
        adjoint.pull(columns, node, k, delta) for k in range(len(columns.operands(node)))
    ])  # fmt: skip
    one_by_one = vd.trace(MANY[name], values).grad("xs")
    assert at_once == one_by_one
    assert list(map(type, at_once)) == list(map(type, one_by_one))


def test_the_gradient_of_a_long_sum_takes_time_by_its_length(monkeypatch):
    gathered = []
    asked = Columns.arguments
    monkeypatch.setattr(Columns, "arguments", lambda self, node: gathered.append(node) or asked(self, node))
    trace = vd.trace(lambda xs: sum([x * x for x in xs]), [float(i) for i in range(100)])
    assert trace.grad("xs") == [2.0 * i for i in range(100)]
    assert gathered.count(trace.outputs.id) < 5


def test_a_refused_gradient_tells_by_which_arguments_it_can_be_had():
    def f(x, n, y):
        return x * y / math.factorial(n)

    trace = vd.trace(f, 2.0, 3, 5.0)
    with pytest.raises(
        vd.NoDerivativeError, match=r"math\.factorial.*by other arguments can be had: grad\(\('x', 'y'\)\)$"
    ):
        trace.grad()
    with pytest.raises(vd.NoDerivativeError, match="integers has no derivative$"):
        trace.grad("n")
    assert trace.grad(("x", "y")) == {"x": pytest.approx(5 / 6), "y": pytest.approx(2 / 6)}


def test_nested_parts_of_a_result():
    trace = vd.trace(lambda x: (x, {"a": [x, x**3]}), 2.0)
    assert trace.grad(of=(1, "a", 1)) == {"x": 12.0}
    assert trace.grad(of=0) == {"x": 1.0}
    assert vd.trace(lambda x: {(0, 1): x * 2}, 2.0).grad(of=(0, 1)) == {"x": 2.0}
    with pytest.raises(vd.TraceError, match="has no such part"):
        trace.grad(of=(1, "b"))


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda t: t.grad(1), vd.TraceError, "name of an argument"),
        (lambda t: t.grad(seed="1"), vd.TraceError, "'1' is no number"),
        (lambda t: t.jvp(x="1"), vd.TraceError, "'1' is no number"),
        (lambda t: t["x"], TypeError, r"use trace\.inputs"),
        (lambda t: t.compare(3), TypeError, "another trace, not with int"),
        (lambda t: t.export_steps("steps.mp4"), vd.RenderError, "are a .gif, .svg or .html"),
        (lambda t: vd.rule(3, "x"), TypeError, "for a function or its name, not for 3"),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_a_sentence(ask, error, message):
    with pytest.raises(error, match=message):
        ask(vd.trace(lambda x: x * 2, 2.0))


def test_no_truth_without_a_result():
    @vd.visual_debug
    def divided(x):
        return x / 0

    with pytest.raises(ZeroDivisionError):
        divided(1.0)
    with pytest.raises(vd.TraceError, match="raised ZeroDivisionError: there is no result"):
        divided.trace.truth()
    with pytest.raises(vd.TraceError, match="returned no number"):
        vd.trace(lambda x: str(x), 1.0).truth()


def test_nodes_of_another_trace_and_seeds_of_another_form_are_refused():
    def product(x, y):
        return x * y

    trace, other = vd.trace(product, 2.0, 3.0), vd.trace(product, 5.0, 7.0)
    for ask in (lambda node: trace.grad(of=node), trace.slice, trace.ancestors, lambda node: trace[node]):
        with pytest.raises(vd.TraceError, match="another trace"):
            ask(other[2])
    assert trace.grad(of=trace[2]) == {"x": 3.0, "y": 2.0}
    with pytest.raises(vd.TraceError, match="a list as the seed of a single number"):
        trace.grad(seed=[1.0, 2.0])
    with pytest.raises(vd.TraceError, match="no such part$"):
        trace.grad(of="x")
    with pytest.raises(vd.TraceError, match="seed that is 1 there"):
        vd.trace(lambda a: a * 2, np.ones(3)).grad(of=0)


@pytest.mark.parametrize("options", [{"follow": 3}, {"limit": "a"}, {"limit": 1e6}, {"keep": "2"}, {"last": 2.0}])
def test_options_of_another_type_are_refused_by_name(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        vd.visual_debug(lambda x: x, **options)


def test_what_is_asked_in_a_wrong_way_is_told_so(tmp_path):
    trace, other = vd.trace(lambda x: x * x, 2.0), vd.trace(lambda x: x + x, 3.0)
    for asked in ({"op": 3}, {"name": 3}, {"line": "a"}, {"line": 1.5}, {"where": 3}):
        (word,) = asked
        with pytest.raises(TypeError, match=rf"find\({word}=.*: give "):
            trace.find(**asked)
    for depth in ("a", 1.5):
        with pytest.raises(TypeError, match=r"tree\(max_depth=.*: give a number"):
            trace.tree(depth)
    for name in ("a.svg", "a.html", "a.txt"):
        with pytest.raises(vd.RenderError, match=r"step='a': give the number of a step"):
            trace.export(tmp_path / name, step="a")
    with pytest.raises(vd.RenderError, match=r"step='a': give the number of a step"):
        trace.code("a")
    for nodes in (3, "x", ["x"]):
        with pytest.raises(vd.RenderError, match="give .*nodes"):
            trace.export(tmp_path / "a.html", nodes=nodes)
    with pytest.raises(vd.TraceError, match="another trace"):
        trace.export(tmp_path / "a.html", nodes=list(other))
    assert not list(tmp_path.iterdir())
    assert trace.export(tmp_path / "a.html", nodes=trace.find(op="*")).exists()
