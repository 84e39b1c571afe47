"""Sweeps by columns give what the sweep node by node gives, and leave to it what they cannot be sure of."""

from __future__ import annotations

import copy
import math
import random

import numpy as np
import pytest

import visual_debug as vd
from tests.programs import CASES
from visual_debug.columns import Run
from visual_debug.sweeps import adjoint, linear, partials, runs, sweep


def node_by_node(trace, output):
    adjoints = {}
    for _ in adjoint.reverse(trace._columns, {output: 1.0}, adjoints):
        pass
    return adjoints


def agrees(trace, monkeypatch, output=None):
    """Whether the trace could be swept by columns; asserts that the adjoints are the same if so."""
    output = trace.outputs.id if output is None else output
    monkeypatch.setattr(sweep, "WORTH_NUMPY", 0)
    monkeypatch.setattr(linear, "LEAST_NODES", 0)
    found = sweep.by_columns(trace._columns, {output: 1.0})
    if found is None:
        return False
    expected = node_by_node(trace, output)
    assert set(found) == set(expected)
    for node, value in expected.items():
        assert found[node] == pytest.approx(value, rel=1e-12, abs=1e-300), trace[node]
    return True


# ---- the linear system by itself


def system(rng, loops):
    """A random system with stretches that repeat: operands of each node, and the stretches."""
    operands, found = [[] for _ in range(rng.randint(1, 6))], []
    for _ in range(loops):
        for _ in range(rng.randint(0, 5)):
            operands.append([rng.randrange(len(operands)) for _ in range(rng.randint(0, 3))])
        period, turns, first = rng.randint(1, 7), rng.randint(1, 40), len(operands)
        forms = []
        for place in range(period):
            form = []
            for _ in range(rng.randint(0, 3)):
                if rng.random() < 0.7 and first + place > 3 * period:
                    form.append(("back", rng.randint(1, min(first + place, 2 * period + 1))))
                else:
                    form.append(rng.choice([("fixed", rng.randrange(first)), ("any", None)]))
            forms.append(form)
        for turn in range(turns):
            for place, form in enumerate(forms):
                node = first + turn * period + place
                operands.append(
                    [node - k if kind == "back" else k if kind == "fixed" else rng.randrange(first) for kind, k in form]
                )
        found.append(Run(first, period, turns))
    return operands, found


@pytest.mark.parametrize("seed", range(60))
def test_loops_are_solved_as_edge_by_edge(seed, monkeypatch):
    monkeypatch.setattr(linear, "LEAST_NODES", 0)
    rng = random.Random(seed)
    operands, found = system(rng, rng.randint(1, 3))
    start = np.cumsum([0, *map(len, operands)]).astype(np.int32)
    operand = np.array([o for row in operands for o in row], np.int32)
    partial = np.array([rng.choice([1.0, -1.0, 0.0, rng.uniform(-1.2, 1.2)]) for _ in operand])
    for run in found:  # some partials are the same in every turn
        part = partial[start[run.first] : start[run.first + run.period * run.turns]].reshape(run.turns, -1)
        for column in range(part.shape[1]):
            if rng.random() < 0.3:
                part[:, column] = rng.choice([0.0, 1.0, 0.5])
    seeds = [(rng.randrange(len(operands)), rng.uniform(-1, 1)) for _ in range(rng.randint(1, 4))]
    expected = np.zeros(len(operands))
    for node, value in seeds:
        expected[node] += value
    for node in range(len(operands) - 1, -1, -1):
        for k in range(start[node], start[node + 1]):
            expected[operand[k]] += expected[node] * partial[k]
    np.testing.assert_allclose(linear.solve(start, operand, partial, seeds, found), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(linear.solve(start, operand, partial, seeds, []), expected, rtol=1e-9, atol=1e-9)


def test_a_hint_that_is_wrong_does_no_harm(monkeypatch):
    monkeypatch.setattr(linear, "LEAST_NODES", 0)
    operand = np.array([max(i - 1 - (i % 3 == 0), 0) for i in range(1, 100)], np.int32)
    start = np.concatenate([[0, 0], np.arange(1, 100)]).astype(np.int32)
    partial = np.linspace(0.9, 1.1, 99)
    expected = linear.solve(start, operand, partial, [(99, 1.0)], [])
    for run in (Run(3, 2, 40), Run(3, 1, 90), Run(2, 5, 19), Run(90, 50, 50)):
        np.testing.assert_array_equal(linear.solve(start, operand, partial, [(99, 1.0)], [run]), expected)


def test_runs_are_found_where_they_are():
    kinds = np.array([9, 8, *[1, 2, 3] * 50, 7, *[4, 5, 4, 6] * 30, 1, 2, 3], np.int32)
    assert runs.find(kinds) == [Run(2, 3, 50), Run(154, 4, 29)]  # 4 is twice in its turn: it begins with the 5
    assert runs.find(np.arange(100, dtype=np.int32)) == []
    assert runs.find(np.zeros(0, np.int32)) == []
    assert runs.find(np.zeros(100, np.int32)) == [Run(0, 1, 100)]


# ---- whole traces


@pytest.mark.parametrize("case", [c for c in CASES if c.raises is None], ids=lambda c: c.name)
def test_every_program_of_the_corpus(case, monkeypatch):
    try:
        trace = vd.trace(case.function, *copy.deepcopy(case.args))
        output = trace.outputs
    except vd.VisualDebugError:
        return
    while isinstance(output, (list, tuple, dict)) and output:
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    if not isinstance(output, vd.Node) or type(output.value) is not float:
        return
    agrees(trace, monkeypatch, output.id)


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def two_terms(a, b, n):
    for _ in range(n):
        a, b = b, 0.5 * a + 0.5 * b * b
    return a * b


def oscillator(x, v, n):
    h = 0.01
    kinetic = 0.0
    for i in range(n):
        a = -x + 0.1 * math.sin(x) * i / n
        v = v + h * a
        x = x + h * v
        kinetic = kinetic + v**2
    return kinetic / n + x


def branches(x, n):
    total = 0.0
    for i in range(n):
        total = total + x * i if i % 3 else total * 0.5 + max(x, 0.1)
        total = abs(total) + (i & 1) * x
    return total / n**2


def items(xs, w):
    total = 1.0
    for x in xs:
        total = math.tanh(total * w + x)
    return total


def history(x, n):
    seen = [x]
    for _ in range(n):
        seen.append(3.7 * seen[-1] * (1.0 - seen[-1]))
    return sum(seen) + seen[n // 2]


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (logistic, (0.3, 3.2, 300)),
        (two_terms, (0.3, 0.4, 200)),
        (oscillator, (1.0, 0.0, 200)),
        (branches, (0.3, 100)),
        (items, ([math.sin(i) for i in range(100)], 0.7)),
        (history, (0.3, 50)),
    ],
)
def test_loops(function, args, monkeypatch):
    assert agrees(vd.trace(function, *args), monkeypatch)


def test_gradients_of_long_traces_are_those_of_short_ones():
    short, long = vd.trace(logistic, 0.3, 3.2, 600), vd.trace(logistic, 0.3, 3.2, 700)
    assert len(short) < 2000 < len(long)
    for trace, steps in ((short, 600), (long, 700)):
        x, dx, dr = 0.3, 1.0, 0.0
        for _ in range(steps):
            x, dx, dr = 3.2 * x * (1 - x), 3.2 * (1 - 2 * x) * dx, 3.2 * (1 - 2 * x) * dr + x * (1 - x)
        gradient = trace.grad()
        assert gradient == {"x": pytest.approx(dx, rel=1e-9), "r": pytest.approx(dr, rel=1e-9), "n": 0}
        assert type(gradient["n"]) is int
        assert trace.adjoints[trace.outputs.id] == 1.0
        assert trace.inputs["n"].adjoint is None


def test_huge_adjoints_are_not_lost_in_products_of_tiny_partials():
    def f(x, n):
        y = x * 1e-150
        for _ in range(n):
            y = y * 1e200 * 1e200 * 1e-200 * 1e-200
        return y * 1e150 * 1e100

    trace = vd.trace(f, 1.0, 1000)
    assert trace.grad("x") == pytest.approx(1e100, rel=1e-9)


@pytest.mark.parametrize("steps", [700, 1100, 5000])
def test_adjoints_that_overflow_do_so_as_node_by_node(steps):
    def f(x, r, n):
        total = 0.0
        for i in range(n):
            x = r * x * (1 - x)
            total = total + (x * 0.0 if i % 2 else x) + (x > 0.5) * r - round(x) * x
        return x, total

    trace = vd.trace(f, 0.3, 3.99, steps)
    for output in (0, 1):
        node = trace.outputs[output].id
        found, expected = sweep.by_columns(trace._columns, {node: 1.0}), node_by_node(trace, node)
        assert found is not None and set(found) == set(expected)
        for key, value in expected.items():
            assert found[key] == pytest.approx(value, rel=1e-9, nan_ok=True)


def test_corners_are_left_to_the_rules():
    def f(x, n):
        total = 0.0
        for _ in range(n):
            total = total + math.sqrt(x)
        return total

    assert vd.trace(f, 0.0, 1500).grad("x") == math.inf

    def g(x, n):
        total = x
        for i in range(n):
            total = total + (i ^ 3) * x
        return total

    assert vd.trace(g, 2.0, 800).grad("x") == 1.0 + sum(i ^ 3 for i in range(800))

    with pytest.raises(vd.NoDerivativeError, match="and_"):
        vd.trace(lambda n, k: sum((n & 1) * 1.0 for _ in range(k)), 3, 1500).grad("n")


def test_integers_stay_integers():
    def f(x, n):
        for _ in range(n):
            x = x + 1
        return x * x

    gradient = vd.trace(f, 10**30, 3000).grad("x")
    assert gradient == 2 * (10**30 + 3000) and type(gradient) is int


def test_a_users_own_rule_counts_at_once():
    def f(x, n):
        for _ in range(n):
            x = math.sin(x) * 1.01
        return x

    trace = vd.trace(f, 0.5, 1200)
    before = trace.grad("x")
    vd.rule("math.sin", lambda z, x: 0.0 * x)
    try:
        assert trace.grad("x") == 0.0
    finally:
        from visual_debug import rules

        rules.forget("math.sin")
    assert trace.grad("x") == before != 0.0


def test_partials_are_those_of_the_nodes():
    trace = vd.trace(oscillator, 1.0, 0.0, 30)
    found = partials.partials(trace._columns)
    assert found is not None
    columns = trace._columns
    for node in trace:
        begin, end = columns.start[node.id], columns.start[node.id + 1]
        for slope, expected in zip(found.value[begin:end].tolist(), node.partials, strict=True):
            assert slope == pytest.approx(expected, rel=1e-14) or (
                expected != 0 and slope == 0 and type(node.value) is int
            )


def _wavy(x, y, n):
    for i in range(n):
        x, y = y * 0.5 + math.sin(x), x * y - i % 3 if i % 2 else abs(x) * 0.25
    return x, [y, 3]


def test_tangents_by_columns_are_those_of_the_sweep_node_by_node():
    trace = vd.trace(_wavy, 0.3, 0.7, 1000)
    columns, inputs = trace._columns, trace._replayed.inputs
    seeds = {inputs["x"]: 1.0, inputs["y"]: -2.0}
    outputs = [node for node in range(len(columns)) if columns.op[node] in ("add", "sub", "mul")][-20:]
    assert sweep._tangents_by_columns(columns, seeds) is not None
    quick, exact = sweep.tangents(columns, seeds, outputs), adjoint.forward(columns, seeds, outputs)
    for node in outputs:
        assert quick.get(node, 0.0) == pytest.approx(exact.get(node, 0.0), rel=1e-12, abs=1e-300)
    (x, (y, three)) = trace.jvp(x=1.0, y=-2.0)
    gradient = [trace.grad(("x", "y"), of=0), trace.grad(("x", "y"), seed=(0.0, [1.0, 0.0]))]
    assert [x, y] == pytest.approx([g["x"] - 2 * g["y"] for g in gradient])
    assert three == 0


def _overflows(x, n):
    for _ in range(n):
        x = x * 10.0
    return x * 0.0


def test_tangents_that_overflow_are_left_to_the_sweep_node_by_node():
    trace = vd.trace(_overflows, 1.0, 2500)
    assert sweep._tangents_by_columns(trace._columns, {trace._replayed.inputs["x"]: 1.0}) is None
    assert math.isnan(trace.jvp(x=1.0))
