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


def test_there_are_sixty():
    assert len({f.__name__ for f, _ in EXPRESSIONS}) >= 60


@pytest.mark.parametrize(("function", "points"), EXPRESSIONS, ids=[f.__name__ for f, _ in EXPRESSIONS])
def test_true_errors_and_the_operation_to_blame(function, points):
    for point in points:
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


def test_the_budget_bounds_the_true_error_and_is_near_it():
    bounded = near = count = 0
    for function, points in EXPRESSIONS:
        for point in points:
            trace = vd.trace(function, *point)
            budget = trace.rounding()
            exact = shadow.mp_value(function, point)
            with mpmath.workprec(shadow.PRECISION):
                error = float(abs(mpmath.mpf(trace.result) - exact))
            count += 1
            bounded += error <= budget.error * (1 + 1e-6) + 1e-300
            near += budget.error <= 100 * error
    assert bounded >= 0.99 * count
    assert near >= 0.9 * count
