"""What operations round away, against rational numbers and mpmath."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.diagnose import residues

EXACT = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "truediv": lambda x, y: x / y,
}


def numbers(count, exponents, seed):
    rng = random.Random(seed)
    easy = [1.0, 2.0, 0.5, 3.0, 0.1, 1e16, -1.0, 1 + 2**-52, 1 - 2**-53]
    return easy + [rng.choice((1, -1)) * math.ldexp(rng.uniform(1, 2), rng.randint(*exponents)) for _ in range(count)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("base", EXACT)
def test_the_error_of_arithmetic_is_exact(base, dtype):
    exponents = {np.float64: (-60, 60), np.float32: (-20, 20), np.float16: (-3, 3)}[dtype]
    with np.errstate(over="ignore"):
        xs = np.array(numbers(60, exponents, 1)).astype(dtype)
    x, y = (part.ravel() for part in np.meshgrid(xs[np.isfinite(xs)], xs[np.isfinite(xs)]))
    with np.errstate(all="ignore"):
        z = EXACT[base](x, y)
    normal = (np.abs(z) >= np.finfo(dtype).tiny) & np.isfinite(z)
    x, y, z = x[normal], y[normal], z[normal]
    found, is_none, is_exact = residues.residue(base, z.astype(float), [x.astype(float), y.astype(float)])
    assert is_exact
    for a, b, c, error, none in zip(x.tolist(), y.tolist(), z.tolist(), found.tolist(), is_none.tolist(), strict=True):
        exact = Fraction(c) - EXACT[base](Fraction(a), Fraction(b))
        assert none == (exact == 0), (a, b)
        assert error == pytest.approx(float(exact), rel=1e-6), (a, b)


def test_the_error_of_a_root_is_exact():
    xs = np.abs(np.array([*numbers(500, (-60, 60), 2), 4.0, 9.0, 2.25, 1e10]))
    z = np.sqrt(xs)
    found, is_none, _ = residues.residue("sqrt", z, [xs])
    for x, root, error, none in zip(xs.tolist(), z.tolist(), found.tolist(), is_none.tolist(), strict=True):
        square = Fraction(root) ** 2
        assert none == (square == Fraction(x))
        assert error == pytest.approx(float((square - Fraction(x)) / (2 * Fraction(root))), rel=1e-6)


def test_products_too_small_to_be_split_are_not_told():
    x = np.array([3e-200, 1e-160, 1.1e300])
    with np.errstate(all="ignore"):
        z = x * x
    assert np.isnan(residues.residue("mul", z, [x, x])[0]).all()


@pytest.mark.skipif(not residues.HAS_LONG, reason="long doubles are doubles here")
@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tan", "atan", "tanh", "sinh", "expm1", "log1p", "cbrt"])
def test_the_error_of_a_function_is_nearly_exact(name):
    mpmath = pytest.importorskip("mpmath")
    rng = random.Random(3)
    xs = np.array([0.0, 1.0, *(rng.uniform(0.01, 6) for _ in range(200))])
    xs = xs[1:] if name == "log" else xs
    z = np.array([getattr(math, name)(x) if hasattr(math, name) else np.cbrt(x) for x in xs.tolist()])
    found, is_none, is_exact = residues.residue(name, z, [xs])
    assert not is_exact
    with mpmath.workprec(300):
        for x, value, error, none in zip(xs.tolist(), z.tolist(), found.tolist(), is_none.tolist(), strict=True):
            exact = mpmath.mpf(value) - getattr(mpmath, name)(mpmath.mpf(x))
            assert none == (exact == 0)
            assert abs(error - exact) <= residues.UNSURE * abs(value)


def test_powers_that_are_exact():
    x = np.array([3.0, 1.5, 0.1, 5.0, 7.0, 4.0, 2.0, 3.0])
    y = np.array([3.0, 2.0, 2.0, -1.0, 1.0, 0.5, -1.0, 0.5])
    _, is_none, _ = residues.residue("pow", x**y, [x, y])
    assert is_none.tolist() == [residues.HAS_LONG, True, False, False, True, True, True, False]


def test_integers_of_any_size():
    assert residues.exactly("add", float(2**60 + 1) + 0.5, (2**60 + 1, 0.5)) == -1.5
    assert residues.exactly("float", float(2**53 + 1), (2**53 + 1,)) == -1.0
    assert residues.exactly("truediv", 10**30 / 10**29, (10**30, 10**29)) == 0.0
    trace = vd.trace(lambda n: (n + 0.5) * 2.0, 2**60 + 1)
    assert trace.rounding().estimate == pytest.approx(-3.0)


def test_exact_operations_are_not_charged():
    for function, x in (
        (lambda x: x * 4.0, 0.1),
        (lambda x: x - 0.5, 0.7),  # within a factor of 2: Sterbenz
        (lambda x: x / 8, 0.3),
        (lambda x: (x + 1.0) * (x - 1.0), 3.0),
        (lambda x: math.exp(x) + math.cos(x), 0.0),
        (lambda x: x % 1.0, 3.7),
        (lambda x: math.sqrt(x), 6.25),
        (lambda x: sum([x, x, x]), 2.5),
        (lambda x: np.sum(np.array([1.0, 2.0, 3.0]) * x), 2.0),
        (lambda x: Fraction(1, 3) * Fraction(x), 2),
    ):
        budget = vd.trace(function, x).rounding()
        assert budget.error == 0
        assert budget.estimate in (0, None)
        assert not budget.unknown
    assert vd.trace(lambda x: x * 3.0, 0.1).rounding().error == 0.5 * math.ulp(0.1 * 3.0)
    assert vd.trace(lambda x: x * 4.0, 0.1).rounding().plain == 0.5 * math.ulp(0.4)


def test_the_estimate_is_the_error_itself():
    trace = vd.trace(lambda x: (x / 3.0) * x - math.sqrt(x), 7.1)
    truth = trace.truth()
    error = float(trace.result - truth.result)
    assert trace.rounding().estimate == pytest.approx(error, rel=1e-6)
    assert f"off by {error:.2e}" in str(trace.rounding())


@pytest.mark.skipif(not residues.HAS_LONG, reason="long doubles are doubles here")
def test_sums_and_products_of_complex_numbers():
    def f(x):
        z = complex(x, 0.1)
        return (z * z / (z + 1.5)).real

    trace = vd.trace(f, 0.3)
    budget = trace.rounding()
    assert not budget.unknown
    assert budget.error > 0
    x = Fraction(0.3), Fraction(0.1)
    square = x[0] ** 2 - x[1] ** 2, 2 * x[0] * x[1]
    below = x[0] + Fraction(1.5), x[1]
    exact = (square[0] * below[0] + square[1] * below[1]) / (below[0] ** 2 + below[1] ** 2)
    assert abs(float(Fraction(trace.result) - exact)) <= budget.error


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, float])
def test_the_builtin_sum_rounds_in_the_format_of_its_items(dtype):
    items = [dtype(0.1 * k) for k in range(1, 40)]
    trace = vd.trace(lambda xs: sum(x for x in xs), items)
    error = float(Fraction(float(trace.result)) - sum(Fraction(float(x)) for x in items))
    budget = trace.rounding()
    assert abs(error) <= budget.error
    assert error == 0 or budget.estimate == pytest.approx(error, rel=1e-9)
    assert budget.plain >= 0.5 * abs(error)


def test_sums_of_complex_numbers_have_a_bound():
    trace = vd.trace(lambda zs: abs(sum(zs)), [0.1 + 0.7j, 0.2 - 0.3j, 1e-3j])
    budget = trace.rounding()
    assert not budget.unknown
    assert 0 < budget.error < 1e-15


def test_a_function_of_an_integer_that_is_no_double_has_no_bound():
    (place,) = vd.trace(lambda n: math.cos(n) * 0.5, 2**60 + 1).rounding().unknown
    assert place.text == "math.cos(n)"
    assert not vd.trace(lambda n: math.cos(n) * 0.5, 2**60).rounding().unknown
