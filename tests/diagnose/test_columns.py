"""What is computed by columns of a long trace is what is computed node by node."""

from __future__ import annotations

import math

import numpy as np
import pytest

import visual_debug as vd
from visual_debug import derivatives
from visual_debug.diagnose import births, conditioning, health, roundoff
from visual_debug.sweeps import adjoint, partials, sweep


def mixed(x, y, n):
    total = 0.0
    for i in range(1, n):
        x = 0.9 * x + math.sin(y) / i
        y = (y - 0.3) ** 2 / (1.0 + abs(y)) + abs(x)
        total += math.sqrt(x * x + 1) - int(y) + i // 3
        if total > 50.0:
            total = total - 50.0
    return total


def overflowing(x, n):
    for _ in range(n):
        x = x * 1.5 - x * 3.0 + x * 0.0
        x = x / (1.0 + abs(x))
    for _ in range(n):
        x = x * 1.5
        x = x - x // 1.0
    return x


@pytest.fixture(scope="module")
def trace():
    trace = vd.trace(mixed, 0.3, 0.4, 400)
    assert len(trace) > 5000
    return trace


def test_condition_numbers(trace):
    columns = trace._columns
    found = trace.condition().nodes
    each = conditioning._one_by_one(columns, found.has)
    np.testing.assert_allclose(found.column[found.has], each[found.has], rtol=1e-12)
    assert found.has.sum() > 2000


def test_roundoff(trace):
    columns = trace._columns
    quick = roundoff.roundoffs(columns).scalar
    checked = 0
    for node, op in enumerate(columns.op):
        if op in ("input", "const"):
            continue
        slow = roundoff._slowly(columns, node)
        for field, value in zip(quick, slow, strict=True):
            np.testing.assert_allclose(field[node], value, rtol=1e-12, err_msg=f"{node} {op}")
        checked += 1
    assert checked > 3000


def test_births(trace):
    for found in (trace, vd.trace(overflowing, 0.7, 2500)):
        columns = found._columns
        seeds = derivatives.seeds(found, None, None)
        column, born, stopped = births.of_sweep(columns, seeds)
        assert isinstance(column, sweep.ColumnAdjoints)
        assert stopped is None
        one_by_one = {}
        edges = births._of_edges(columns, seeds, one_by_one)
        assert {edge[:3] for edge in born} == {edge[:3] for edge in edges}
        assert set(column) == set(one_by_one)
    assert born


def test_smooth_dependence(trace):
    columns = trace._columns
    (output,) = derivatives.seeds(trace, None, None)
    needed = sweep.marked(columns, [output])
    smooth = sweep.marked(columns, [output], health._is_smooth(columns, needed))
    marked = {output}
    for node in range(len(columns) - 1, -1, -1):
        if node in marked and columns.op[node] not in ("int", "floordiv"):
            marked |= {
                o for o in columns.operands(node) if not adjoint.is_discrete(columns.value[node], columns.value[o])
            }
    assert {node for node, mark in enumerate(smooth) if mark} == marked
    assert sum(needed) > len(marked)


def test_places_count_evaluations(trace):
    report = trace.rounding()
    for line in report.lines:
        same = [
            n.id
            for n in trace
            if n.op == line.op and (n.source.line, n.source.text) == (line.worst.line, line.worst.text)
        ]
        if len({trace[n].source.column for n in same}) == 1:
            assert line.worst.turns == len(same)
            assert line.worst.turn == same.index(line.worst.node) + 1


def test_no_partials_for_a_pole():
    def f(x, n):
        for _ in range(n):
            x = x * 0.5 + 1.0
        return math.sqrt(x - x)

    trace = vd.trace(f, 0.1, 2000)
    assert partials.partials(trace._columns) is None
    found = trace.gradient_health()
    assert found.bad[0].place.op == "math.sqrt"
    assert not found.finite
