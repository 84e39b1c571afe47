"""Calls whose graph is taken over from an earlier call: the same as replay would have it, and given up where it may differ."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.replaying import echo
from visual_debug.replaying.replay import replay

DRAW = np.random.default_rng(0).normal
SCALE = 0.5


def layer(h, p):
    w, b = p
    return np.tanh(h @ w + b)


def network(params, x, y):
    h = x
    for p in params[:-1]:
        h = layer(h, p)
    w, b = params[-1]
    return ((h @ w + b - y) ** 2).mean() * SCALE


def flat(w1, w2, x):
    return np.mean((np.tanh(x @ w1) @ w2) ** 2) / len(x)


def branch(a, b):
    c = a * b if a.sum() > 0 else a + b
    return (c * 0.25).sum() + c[0] + b.T[1]


def count(a, n):
    total = 0.0
    for i in range(n):
        total = total + a[i] * SCALE
    return total


def twice(a, b):
    return (a * b + a).sum()


def writes(a, b):
    c = a * 2.0
    c[0] = b[1]
    return (c * b).sum()


def params():
    return [(DRAW(size=(2, 4)), DRAW(size=4)), (DRAW(size=(4, 3)), DRAW(size=3)), (DRAW(size=(3, 1)), DRAW(size=1))]


same = DRAW(size=3)
CASES = {
    "network": (network, lambda k: (params(), DRAW(size=(5 + (k == 7), 2)), DRAW(size=(5 + (k == 7), 1)))),
    "flat": (flat, lambda k: (DRAW(size=(2, 4)), DRAW(size=(4, 1)), DRAW(size=(5, 2)))),
    "branch": (branch, lambda k: (np.abs(DRAW(size=3)) * (-1.0) ** (k // 4), DRAW(size=3))),
    "count": (count, lambda k: (DRAW(size=5), 2 + k // 4)),
    "one array or two": (twice, lambda k: (same, same) if k % 5 == 4 else (DRAW(size=3), DRAW(size=3))),
    "types": (twice, lambda k: (DRAW(size=3).astype("f4" if k > 4 else "f8"), DRAW() if k % 5 == 4 else DRAW(size=3))),
    "writes": (writes, lambda k: (DRAW(size=3), DRAW(size=3))),
}


def table(columns) -> list:
    return [
        (columns.op[i], str(columns.site[i]), columns.name[i], columns.operands(i), columns.activation[i],
         repr(columns.value[i]), type(columns.value[i]), repr(columns.arguments(i)))
        for i in range(len(columns))
    ]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_columns_are_those_of_replay(name) -> None:
    function, arguments = CASES[name]
    traced = vd.visual_debug(function)
    for k in range(12):
        given = arguments(k)
        assert np.array_equal(traced(*copy.deepcopy(given)), function(*given))
        trace = traced.trace
        expected = replay(trace._tape)
        assert table(trace._columns) == table(expected.columns)
        assert trace._replayed.inputs == expected.inputs
        assert trace._replayed.result == expected.result
        for node, value in enumerate(trace._columns.value):  # none of them is an array that the user holds
            others = [e for e in expected.columns.value if isinstance(e, np.ndarray)]
            assert not isinstance(value, np.ndarray) or trace._columns.op[node] != "input" or len(others)
        fresh = vd.trace(function, *given)
        a, b = trace.grad(), fresh.grad()
        assert repr(a) == repr(b)


def test_it_is_used() -> None:
    traced = vd.visual_debug(flat)
    _, arguments = CASES["flat"]
    for _ in range(3):
        traced(*arguments(0))
        len(traced.trace)
    assert type(traced.trace._tape.plan.echo) is echo.Echo
    traced(*arguments(0))
    first = traced.trace
    traced(*arguments(0))
    assert traced.trace._columns.kind is first._columns.kind


def test_what_the_user_writes_later_is_not_seen() -> None:
    traced = vd.visual_debug(twice)
    for _ in range(4):
        a, b = DRAW(size=3), DRAW(size=3)
        traced(a, b)
        trace = traced.trace
        before = a.copy()
        len(trace)
        a[0] = 99.0
        assert trace.inputs["a"].value.tolist() == before.tolist()
        assert trace.grad("b").tolist() == before.tolist()


def test_a_rule_of_the_users_counts_from_then_on() -> None:
    traced = vd.visual_debug(twice)
    for _ in range(4):
        traced(DRAW(size=3), DRAW(size=3))
        len(traced.trace)
    vd.rule("mylib.something", "1")
    try:
        traced(DRAW(size=3), DRAW(size=3))
        assert traced.trace.grad("a").shape == (3,)
    finally:
        from visual_debug import rules

        rules.forget("mylib.something")


def doubled(w, x):
    return w.sum() * x * 2.0 + x


def test_a_literal_is_not_taken_for_an_argument_that_was_the_same_object():
    w, two = np.ones(3), next(const for const in doubled.__code__.co_consts if const == 2.0)
    traced = vd.visual_debug(doubled)
    for x in (two, two, two, 5.0, 7.0):
        traced(w, x)
        assert traced.trace.grad("x") == 7.0
        assert [node.value for node in traced.trace if node.op == "const"] == [2.0]
