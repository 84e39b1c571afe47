"""The summary by loops and functions, against a count of the nodes one by one."""

from __future__ import annotations

import math

import pytest

import visual_debug as vd
from visual_debug.views.blocks import blocks
from visual_debug.views.summary import summarise


def half(x):
    return x * 0.5


def program(x, n):
    total = 0.0
    for i in range(n):
        for j in range(i + 1):
            if j % 2:
                total = total + x * j
        x = half(x) / (i + 1)
    while total > 1:
        total = total - 1
    return total + sum([x * k for k in range(3)])


def of(trace, adjoints=None):
    return {block.text: block for block in blocks(summarise(trace._columns, adjoints))}


def test_blocks_add_up_the_nodes_that_stand_in_them():
    trace = vd.trace(program, 1.5, 10)
    found = of(trace, trace.adjoints)
    first = program.__code__.co_firstlineno
    lines = {
        "for i in range(n)": range(first + 2, first + 7),
        "for j in range(i + 1)": range(first + 3, first + 6),
        "while total > 1": range(first + 7, first + 9),
    }
    for text, inside in lines.items():
        nodes = [n for n in trace if n.op not in ("input", "const") and n.source.line in inside]
        nodes = [n for n in nodes if not (text.startswith("for j") and n.source.text == "i + 1" and n.op != "add")]
        block = found[text]
        assert (block.kind, block.calls, block.line) == ("loop", None, inside[0])
        assert (block.count, block.first, block.last) == (len(nodes), nodes[0].value, nodes[-1].value)
        assert (block.minimum, block.maximum) == (min(n.value for n in nodes), max(n.value for n in nodes))
        slopes = [trace.adjoints[n.id] for n in nodes if n.id in trace.adjoints]
        assert (block.adjoint_minimum, block.adjoint_maximum) == (min(slopes), max(slopes))
    assert "[x * k for k in range(3)]" in found


def test_functions_tell_how_often_they_were_called():
    found = of(vd.trace(program, 1.5, 10))
    assert (found["half"].kind, found["half"].calls, found["half"].count) == ("function", 10, 10)
    assert found["program"].calls == 1
    assert found["half"].adjoint_minimum is None


def overflowing(x):
    for _ in range(4):
        x = x * x
    return x - x


def test_values_that_are_not_finite_are_counted():
    trace = vd.trace(overflowing, 1e200)
    found = of(trace)
    loop = found["for _ in range(4)"]
    bad = sum(not math.isfinite(n.value) for n in trace if n.op == "mul")
    assert (loop.nonfinite, loop.minimum) == (bad, None)
    assert (found["overflowing"].nonfinite, found["overflowing"].count) == (bad + 1, 5)


def test_the_printed_summary_shows_them(tmp_path):
    path = tmp_path / "summary.txt"
    vd.trace(program, 1.5, 10).export(path, view="summary")
    text = path.read_text()
    assert "all of for i in range(n)" in text and "all of half (10 calls)" in text
    vd.trace(half, 1.0).export(path, view="summary")
    assert "all of" not in path.read_text()


@pytest.mark.parametrize("n", [2_000, 20_000])
def test_code_without_source_has_functions_only(n):
    namespace = {}
    exec("def f(x, n):\n    for _ in range(n):\n        x = x * 0.5\n    return x", namespace)  # noqa: S102
    found = of(vd.trace(namespace["f"], 1.0, n))
    assert list(found) == ["f"] and found["f"].count == n
