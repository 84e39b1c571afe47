"""Summaries: one row per expression, against a count of the nodes one by one."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.views.summary import summarise


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def of(trace, adjoints=None):
    return summarise(trace._columns, adjoints)


def test_rows_count_and_span_the_nodes_of_their_expression():
    trace = vd.trace(logistic, 0.3, 3.2, 100)
    summary = of(trace, trace.adjoints)
    by_text = {row.source.text: row for row in summary.rows if row.op == "mul"}
    row = by_text["r * x * (1 - x)"]
    nodes = [n for n in trace if n.source.text == "r * x * (1 - x)"]
    assert (row.count, row.first_node, row.last_node) == (100, nodes[0].id, nodes[-1].id)
    assert (row.first, row.last) == (nodes[0].value, nodes[-1].value)
    assert (row.minimum, row.maximum) == (min(n.value for n in nodes), max(n.value for n in nodes))
    assert row.adjoint_minimum == min(n.adjoint for n in nodes)
    assert row.adjoint_maximum == max(n.adjoint for n in nodes)
    assert row.name == "x"
    assert sum(r.count for r in summary.rows) == len(trace)


def test_flows_are_the_edges_between_rows():
    trace = vd.trace(logistic, 0.3, 3.2, 50)
    summary = of(trace)
    where = [None] * len(trace)
    for node in trace:
        where[node.id] = next(
            r.index
            for r in summary.rows
            if r.op == node.op and r.source == node.source and (node.op != "input" or r.name == node.name)
        )
    expected = Counter((where[o], where[n.id], k) for n in trace for k, o in enumerate(n.operands))
    assert {(f.source, f.target, f.position): f.count for f in summary.flows} == expected


def test_non_finite_values_are_counted_and_left_out_of_the_range():
    def f(xs):
        total = 0.0
        for x in xs:
            total = x * 2.0
        return total

    summary = of(vd.trace(f, [1.0, math.inf, -3.0, math.nan]))
    (product,) = (r for r in summary.rows if r.op == "mul")
    assert (product.count, product.minimum, product.maximum, product.nonfinite) == (4, -6.0, 2.0, 2)
    (items,) = (r for r in summary.rows if r.op == "input")
    assert (items.name, items.count, items.nonfinite) == ("xs[…]", 4, 2)
    assert [(line.count, line.nonfinite) for line in summary.lines] == [(4, 2)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_arrays_by_their_elements_and_huge_ints_by_the_nearest_float():
    def f(a, n):
        return np.log(a) * 1.0, n**400, 2j * n

    trace = vd.trace(f, np.array([0.0, 1.0, math.e]), 10)
    rows = {r.op: r for r in of(trace).rows}
    assert (rows["numpy.log"].minimum, rows["numpy.log"].maximum, rows["numpy.log"].nonfinite) == (0.0, 1.0, 1)
    assert rows["pow"].count == 1 and rows["pow"].minimum is None and not rows["pow"].nonfinite


def test_functions_and_their_activations():
    def square(x):
        return x * x

    def f(x):
        return square(x) + square(x + 1.0)

    summary = of(vd.trace(f, 2.0))
    assert [(g.name.rpartition(".")[2], g.activations) for g in summary.functions] == [("f", 1), ("square", 2)]
    assert sum(g.nodes for g in summary.functions) == sum(r.count for r in summary.rows)


def test_a_trace_without_nodes():
    def f():
        return "text"

    summary = of(vd.trace(f))
    assert (summary.rows, summary.flows, summary.lines) == ([], [], [])


def test_a_complex_scalar_of_numpy_has_no_range():
    trace = vd.trace(lambda a: np.vdot(a, a * 1j), np.array([1.0 + 2j, 3.0]))
    row = next(row for row in of(trace).rows if row.op == "numpy.vdot")
    assert row.minimum is None
    assert row.maximum is None
