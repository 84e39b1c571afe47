"""The folded trace: each expression in one fold, flows between folds against the graph, and what is handed on."""

from __future__ import annotations

import pytest

import visual_debug as vd
from visual_debug.views import folds
from visual_debug.views.summary import row_of_nodes, summarise


def half(x):
    return x * 0.5


def halves(x):
    return half(x) + half(x + 1)


def program(x, n):
    total = 0.0
    for i in range(n):
        for j in range(i + 1):
            if j % 2:
                total = total + x * j
        x = halves(x) / (i + 1)
    while total > 1:
        total = total - 1
    return total + sum([x * k for k in range(3)])


def down(n, x):
    if n == 0:
        return x
    return down(n - 1, x * 2) + 1


def folded(trace):
    columns = trace._columns
    summary = summarise(columns)
    row = row_of_nodes(columns).tolist()
    return folds.folds(columns, summary, [row[trace.outputs.id]]), summary, row


@pytest.mark.parametrize(("function", "args"), [(program, (1.5, 10)), (down, (5, 1.0)), (half, (2.0,))])
def test_each_operation_is_in_one_fold(function, args):
    trace = vd.trace(function, *args)
    found, summary, _ = folded(trace)
    rows = [row for fold in found for row in fold.rows]
    assert sorted(rows) == [row.index for row in summary.rows if row.op not in ("input", "const")]
    assert folds.rows_in(found[0], found) == sorted(rows)
    assert all(found[fold.parent].inner.count(fold.index) == 1 for fold in found[1:])
    total = folds.total(found[0], found, summary)
    assert total.count == sum(node.op not in ("input", "const") for node in trace)


def test_loops_are_in_their_functions_and_functions_under_their_callers():
    found, summary, _ = folded(vd.trace(program, 1.5, 10))
    around = {fold.text: None if fold.parent is None else found[fold.parent].text for fold in found}
    assert around == {
        "program": None,
        "for i in range(n)": "program",
        "for j in range(i + 1)": "for i in range(n)",
        "halves": "for i in range(n)",
        "half": "halves",
        "while total > 1": "program",
        "[x * k for k in range(3)]": "program",
    }
    assert {fold.text: fold.calls for fold in found if fold.calls is not None} == {
        "program": 1,
        "halves": 10,
        "half": 20,
    }
    inner = next(fold for fold in found if fold.text == "for j in range(i + 1)")
    assert {summary.rows[row].source.text for row in inner.rows} == {"j % 2", "x * j", "total + x * j"}
    assert {summary.rows[row].source.text for row in inner.hands_on} == {"total + x * j"}
    assert {summary.rows[row].source.text for row in found[0].hands_on} == {"total + sum([x * k for k in range(3)])"}


def stepped(x):
    y = x + 0.0
    for _ in range(3):
        while x > 1:
            x = half(x)
        x = x + 3
    return x + y


def stepped_and_not(x):
    for _ in range(3):
        x = half(x) + 1
    return half(x) + 1


def handed_on(x):
    step = half
    for _ in range(3):
        x = step(x) + half(x)
    return x


def only_calls(x):
    y = x * 1.0
    for _ in range(3):
        y = half(y)
    return y


@pytest.mark.parametrize(
    ("function", "parent"),
    [
        (stepped, "while x > 1"),
        (stepped_and_not, "stepped_and_not"),
        (handed_on, "handed_on"),
        (only_calls, "for _ in range(3)"),
    ],
)
def test_a_function_is_in_the_loop_that_all_its_calls_stand_in(function, parent):
    found, summary, _ = folded(vd.trace(function, 5.0))
    called = next(fold for fold in found if fold.text == "half")
    assert found[called.parent].text == parent
    for fold in found:
        if fold.file is not None:
            total = folds.total(fold, found, summary)
            assert (total.kind, total.file) == ("loop", __file__)
            assert total.line >= fold.line and fold.function == function.__name__


@pytest.mark.parametrize(("function", "args"), [(program, (1.5, 10)), (down, (5, 1.0))])
def test_every_use_of_a_value_is_drawn_once_between_what_holds_it(function, args):
    trace = vd.trace(function, *args)
    found, _, row = folded(trace)
    home = {row: fold.index for fold in found for row in fold.rows}

    def way(row):
        at, items = home.get(row), [row]
        folds_ = []
        while at is not None:
            folds_.append(at)
            items.append(folds.item_of(at))
            at = found[at].parent
        return folds_, items

    expected: list[dict] = [{} for _ in found]
    for node in trace:
        for operand in node.operands:
            (to, heads), (of, tails) = way(row[node.id]), way(row[operand])
            for i, fold in enumerate(to):
                inside = fold in of
                flow = (tails[of.index(fold)] if inside else row[operand]), heads[i]
                expected[fold][flow] = expected[fold].get(flow, 0) + 1
                if inside:
                    break
    assert [fold.flows for fold in found] == expected


def test_recursion_is_one_fold():
    found, _, _ = folded(vd.trace(down, 5, 1.0))
    assert [(fold.text, fold.calls) for fold in found] == [("down", 6)]


def test_without_source_there_are_calls_only():
    scope: dict = {}
    exec("def f(x):\n    for _ in range(5):\n        x = x * 2\n    return g(x)\ndef g(x):\n    return x + 1", scope)  # noqa: S102
    found, _, _ = folded(vd.trace(scope["f"], 1.0))
    assert [(fold.text, len(fold.rows)) for fold in found] == [("f", 1), ("g", 1)]
