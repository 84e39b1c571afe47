"""The classic disasters, each with its true answer."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import visual_debug as vd

pytest.importorskip("mpmath")


def textbook(a, b, c):
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return 0.0
    return (-b + math.sqrt(discriminant)) / (2 * a)


def test_quadratic_formula():
    trace = vd.trace(textbook, 1.0, 1e8, 1.0)
    truth = trace.truth()
    assert float(truth.result) == pytest.approx(-1.0000000000000002e-08, rel=1e-15)
    assert truth.digits < 1
    assert truth.worst[0][0].text == "-b + math.sqrt(discriminant)"
    assert trace.cancellations()[0].place.text == "-b + math.sqrt(discriminant)"
    assert not trace.cancellations().ok
    assert trace.rounding().digits < 1


def one_pass_variance(xs):
    total = squares = 0.0
    for x in xs:
        total += x
        squares += x * x
    n = len(xs)
    return (squares - total * total / n) / (n - 1)


def two_pass_variance(xs):
    mean = sum(xs) / len(xs)
    return sum([(x - mean) ** 2 for x in xs]) / (len(xs) - 1)


def test_one_pass_variance():
    xs = [1e9 + x for x in (4.0, 7.0, 13.0, 16.0)]
    trace = vd.trace(one_pass_variance, xs)
    assert trace.result != 30.0
    assert float(trace.truth().result) == 30.0
    assert trace.truth().worst[0][0].text == "squares - total * total / n"
    assert vd.trace(two_pass_variance, xs).truth().digits > 15


def naive_sum(n):
    total = 0.0
    for _ in range(n):
        total += 0.1
    return total


def kahan_sum(n):
    total = correction = 0.0
    for _ in range(n):
        y = 0.1 - correction
        t = total + y
        correction = (t - total) - y
        total = t
    return total


def test_sums_of_tenths():
    naive = vd.trace(naive_sum, 5000)
    truth = naive.truth(literals="exact")
    assert float(truth.result) == 500
    assert abs(naive.result - 500) == pytest.approx(500 * truth.relative, rel=1e-9)
    assert vd.trace(naive_sum, 5000).truth().result == pytest.approx(5000 * 0.1, rel=1e-15)
    kahan = vd.trace(kahan_sum, 1000)
    assert kahan.result == 100.0
    assert kahan.truth(literals="exact").bits < naive.truth(literals="exact").bits


def test_sum_of_many_tenths_from_columns():
    trace = vd.trace(naive_sum, 100_000)
    error = abs(Fraction(trace.result) - 100_000 * Fraction(0.1))
    budget = trace.rounding()
    assert float(error) <= budget.error <= 100 * float(error)
    assert budget.lines[0].count > 90_000
    assert budget.lines[0].worst.turns == 100_000
    assert trace.nonfinite().ok


def naive_logsumexp(x, y):
    return math.log(math.exp(x) + math.exp(y))


def test_logsumexp_overflows_with_a_note():
    with pytest.raises(OverflowError) as caught:
        vd.trace(naive_logsumexp, 1000.0, 1.0)
    assert not hasattr(caught.value, "__notes__") or "math.exp(x)" in caught.value.__notes__[0]
    decorated = vd.visual_debug(naive_logsumexp)
    with pytest.raises(OverflowError) as caught:
        decorated(1000.0, 1.0)
    assert "`math.exp(x)` with x = 1000.0" in caught.value.__notes__[0]
    report = decorated.trace.nonfinite()
    assert not report.ok
    assert report.raised.place.text == "math.exp(x)"
    assert "OverflowError" in str(report)


def root_difference(x):
    return math.sqrt(x + 1) - math.sqrt(x)


def cosine_quotient(x):
    return (1 - math.cos(x)) / x**2


@pytest.mark.parametrize(
    ("function", "x", "true"), [(root_difference, 1e15, 1.58113883008419e-08), (cosine_quotient, 1e-8, 0.5)]
)
def test_cancelling_quotients(function, x, true):
    trace = vd.trace(function, x)
    assert float(trace.truth().result) == pytest.approx(true, rel=1e-14)
    assert trace.truth().digits < 2
    assert trace.truth().worst[0][0].op == "sub"


def muller(n):
    u, v = 2.0, -4.0
    for _ in range(n):
        u, v = v, 111 - 1130 / v + 3000 / (v * u)
    return v


def test_mullers_recurrence():
    trace = vd.trace(muller, 60)
    assert trace.result == pytest.approx(100)
    assert float(trace.truth().result) == pytest.approx(6, abs=1e-3)
    exact = trace.replay("fraction").result
    assert isinstance(exact, Fraction)
    assert float(exact) == float(trace.truth().result)


def rump(a, b):
    return 333.75 * b**6 + a**2 * (11 * a**2 * b**2 - b**6 - 121 * b**4 - 2) + 5.5 * b**8 + a / (2 * b)


def test_rumps_polynomial():
    truth = vd.trace(rump, 77617.0, 33096.0).truth()
    assert float(truth.result) == pytest.approx(-0.827396059946821368, rel=1e-15)
    assert truth.digits == 0


def patriot(tenths):
    return 0.1 * tenths - 0.09999990463256836 * tenths


def test_patriot_clock():
    assert vd.trace(patriot, 3_600_000).result == pytest.approx(0.3433, abs=1e-4)

    def clock(n):
        time = np.float32(0)
        tick = np.float32(0.1)
        for _ in range(n):
            time = time + tick
        return time

    trace = vd.trace(clock, 2000)
    truth = trace.truth(literals="exact")
    assert float(truth.result) == 200
    assert abs(float(trace.result) - 200) / 200 == pytest.approx(truth.relative, rel=1e-6)
    assert truth.bits > 5


def softmax(x):
    e = np.exp(x)
    return e / e.sum()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_softmax_overflow():
    report = vd.trace(softmax, np.array([1000.0, 1.0, 2.0])).nonfinite()
    assert report.result
    assert report.cause.kind == "overflow"
    assert report.cause.place.op == "numpy.exp"
    assert report.cause.elements == 1
    assert "reaches the result" in str(report)


def norm(x, y):
    return math.sqrt(x * x + y * y)


def test_norm_at_0():
    trace = vd.trace(norm, 0.0, 0.0)
    health = trace.gradient_health()
    assert not health.finite
    assert health.bad[0].kind == "infinite derivative"
    assert health.bad[0].place.op == "math.sqrt"
    assert not health.forward
    assert any(bad.kind == "0 * inf" for bad in health.bad)


def masked_root(x):
    return np.where(x > 0, np.sqrt(x), 0.0).sum()


def guarded_root(x):
    return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0).sum()


def test_where_with_sqrt():
    x = np.array([4.0, 0.0])
    health = vd.trace(masked_root, x).gradient_health()
    (bad,) = health.bad
    assert (bad.kind, bad.element, bad.place.op) == ("0 * inf", (1,), "numpy.sqrt")
    assert bad.masked.op == "numpy.where"
    assert "np.where(x > 0, x, 1.0)" in bad.guard
    assert vd.trace(guarded_root, x).gradient_health().finite


def test_division_in_a_loop():
    @vd.visual_debug
    def invert(xs):
        total = 0.0
        for x in xs:
            total += 1 / (x - 2.0)
        return total

    with pytest.raises(ZeroDivisionError) as caught:
        invert([1.0, 3.0, 2.0])
    (note,) = caught.value.__notes__
    assert "x - 2.0 = 0.0" in note
    assert "evaluation 3 of 3" in note


def hilbert_row(matrix):
    return np.linalg.inv(matrix)[0, 0]


def test_inverse_of_a_hilbert_matrix():
    n = 8
    matrix = 1.0 / (np.arange(n)[:, None] + np.arange(n) + 1.0)
    trace = vd.trace(hilbert_row, matrix)
    truth = trace.truth()
    inverse = _exact_inverse(matrix)
    assert float(truth.result) == pytest.approx(float(inverse[0][0]), rel=1e-15)
    error = abs(trace.result - float(inverse[0][0]))
    assert 0 < error <= trace.rounding().error
    assert truth.digits < 12


def _exact_inverse(matrix):
    n = len(matrix)
    rows = [
        [Fraction(x) for x in row] + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(matrix.tolist())
    ]
    for k in range(n):
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]
