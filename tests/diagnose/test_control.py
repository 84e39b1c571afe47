"""The tests that decided the way to a value, by programs of each kind; those that did not are left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import visual_debug as vd


def other_variables(x, y):
    count = 0
    if x > 100:
        u = x * 2
    else:
        u = x * 3
    if y > 1:
        v = y * y
    else:
        v = -y
    if u > 2:
        count = count + 1
    return v + 1


def until_small(x, tol):
    r = x
    n = 0
    while abs(r * r - x) > tol:
        r = 0.5 * (r + x / r)
        n = n + 1
        if n > 50:
            break
    return r


def arm_not_taken(x, y):
    best = x
    if y * 2 < x:
        best = y
    return best


def through_another_name(x, y):
    first = x * 3
    if y > 4:
        first = y
    second = first
    if x > 9:
        third = second
    else:
        third = y
    return second * 2 if third is not None else 0.0


def v_of(x):
    return x


def guards(x):
    if math.isnan(x):
        return 0.0
    n = int(x)
    if n % 2:
        return x * x
    is_small = x > 0 and v_of(x) < 10
    if not is_small:
        return x
    assert x != 3
    return x + 1


def mutated(x, y):
    found = []
    if x < 7:
        found.append(y * 2)
    if y < 9:
        print(end="")
    return found[0]


def clipped(x, low, high):
    return low if x < low else high if x > high else x * 1.5


def skipping(x):
    s = 0.0
    for i in range(5):
        if i == 3:
            continue
        s = s + clipped(x * i, 1.0, 6.0)
    return s


def recursive(n):
    if n <= 1:
        return 1.0
    return n * recursive(n - 1)


def of_arrays(v):
    if np.any(v < 0):
        v = np.abs(v)
    if (v > 5).all():
        v = v * 0
    if v.sum() > 1e6:
        print(end="")
    return sum([x for x in v if x > 1])


def matched(kind, x):
    match kind:
        case 1 if x > 2:
            y = x * 2
        case _ if x > 0.5:
            y = x * 3
        case _:
            y = x
    return y


def walrus(x):
    if (half := x / 2) > 1 and half * half < 9:
        return half
    return x


def pick(a, b):
    return a if a - b > 0 else b


def shown(a):
    if a > 0:
        print(end="")
    return a + 1 if a > 1 else a


def by_helpers(x, y):
    unused = shown(x)
    print(unused, end="")
    return pick(x, y) * 2


def by_parameter(choose, x, y):
    return choose(x, y) * 2


CASES: list[tuple[Callable[..., Any], tuple[Any, ...], set[str]]] = [
    (other_variables, (1.0, 2.0), {"y > 1"}),
    (until_small, (2.0, 1e-9), {"abs(r * r - x) > tol", "n > 50"}),
    (arm_not_taken, (1.0, 2.0), {"y * 2 < x"}),
    (through_another_name, (1.0, 2.0), {"y > 4", "x > 9"}),
    (guards, (4.0,), {"math.isnan(x)", "n % 2", "x > 0", "v_of(x) < 10", "x != 3"}),
    (guards, (3.0,), {"math.isnan(x)", "n % 2"}),
    (mutated, (1.0, 2.0), {"x < 7"}),
    (skipping, (2.0,), {"i == 3", "x < low", "x > high"}),
    (recursive, (4.0,), {"n <= 1"}),
    (of_arrays, (np.array([1.0, -2.0, 3.0]),), {"np.any(v < 0)", "(v > 5).all()", "x > 1"}),
    (matched, (1, 1.0), {"1", "x > 2", "x > 0.5"}),
    (by_helpers, (1.0, 2.0), {"a - b > 0"}),
    (by_parameter, (pick, 1.0, 2.0), {"a - b > 0"}),
    (walrus, (4.0,), {"(half := x / 2) > 1", "half * half < 9"}),
]


@pytest.mark.parametrize(("function", "arguments", "texts"), CASES)
def test_the_tests_that_decided(function, arguments, texts):
    history = vd.trace(function, *arguments).why()
    assert {decision.place.text for decision in history.decisions} == texts


def test_the_last_test_of_a_loop_belongs_to_the_result_and_not_to_what_was_before_it():
    trace = vd.trace(until_small, 2.0, 1e-9)
    last = [d for d in trace.why().decisions if d.place.text == "abs(r * r - x) > tol" and not d.outcome]
    assert [d.place.turn for d in last] == [d.place.turns for d in last] == [5]
    first = trace.find("mul", name="r")[0]
    assert [(d.outcome, d.count) for d in trace.why(first).decisions] == [(True, 1)]


def test_a_test_that_is_no_comparison_has_no_margin():
    margins = {d.place.text: d.margin for d in vd.trace(guards, 4.0).why().decisions}
    assert margins["math.isnan(x)"] is None
    assert margins["n % 2"] is None
    assert margins["x != 3"] == pytest.approx(0.25)


def test_without_source_every_comparison_of_the_calls_is_there():
    scope: dict[str, Any] = {}
    exec("def f(x, y):\n    if x > 1:\n        u = 1\n    return y * 2 if y < 3 else y", scope)  # noqa: S102 - a function without source
    history = vd.trace(scope["f"], 1.0, 2.0).why()
    assert len(history.decisions) == 2


def test_the_tests_are_in_the_pictures():
    history = vd.trace(clipped, 2.0, 1.0, 6.0).why()
    assert [history.colours[decision.node][1] for decision in history.decisions] == ["decided the way"] * 2
