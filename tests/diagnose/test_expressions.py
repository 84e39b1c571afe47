"""True errors, the operation to blame, and the rounding budget on a corpus of troublesome expressions."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import visual_debug as vd

mpmath = pytest.importorskip("mpmath")


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"diagnose_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shadow = beside("shadow")
EXPRESSIONS = beside("expressions").EXPRESSIONS
HELD_OUT = beside("held_out").HELD_OUT


def check(function, point):
    trace = vd.trace(function, *point)
    truth = trace.truth()
    exact = shadow.mp_value(function, point)
    assert not truth.unsettled
    assert not truth.kept
    with mpmath.workprec(shadow.PRECISION):
        assert abs(truth.result - exact) <= abs(exact) * mpmath.mpf(2) ** -70
    assert truth.bits == pytest.approx(shadow.wrong_bits(trace.result, exact), abs=1e-9)
    result, log = shadow.run(function, point)
    assert result.value == trace.result
    most = max(bits for _, bits in log)
    place, error = truth.worst[0]
    assert error.local == pytest.approx(most, abs=1e-9)
    assert place.op in {name for name, bits in log if bits > most - 1e-6}


def test_there_are_sixty():
    assert len({f.__name__ for f, _ in EXPRESSIONS}) >= 60


@pytest.mark.parametrize(("function", "points"), EXPRESSIONS, ids=[f.__name__ for f, _ in EXPRESSIONS])
def test_true_errors_and_the_operation_to_blame(function, points):
    for point in points:
        check(function, point)


@pytest.mark.parametrize("expressions", [EXPRESSIONS, HELD_OUT], ids=["troublesome", "held out"])
def test_the_budget_bounds_the_true_error_and_is_near_it(expressions):
    bounded = near = plain = count = told = 0
    for function, points in expressions:
        for point in points:
            trace = vd.trace(function, *point)
            budget = trace.rounding()
            exact = shadow.mp_value(function, point)
            with mpmath.workprec(shadow.PRECISION):
                error = float(mpmath.mpf(trace.result) - exact)
            if not error:  # a lucky result, which no bound can be near to
                continue
            count += 1
            bounded += abs(error) <= budget.error * (1 + 1e-6)
            plain += budget.error <= budget.plain * (1 + 1e-6)
            near += budget.error <= 100 * abs(error)
            if budget.estimate is not None:
                told += 1
                assert budget.estimate == pytest.approx(error, rel=0.1)
    assert bounded == count
    assert near >= 0.9 * count
    assert plain >= 0.7 * count  # functions that err by more than half a unit are charged what they do
    assert told >= 0.9 * count


@pytest.mark.parametrize(("function", "points"), HELD_OUT)
def test_true_errors_of_expressions_that_nothing_was_fitted_to(function, points):
    for point in points:
        check(function, point)
