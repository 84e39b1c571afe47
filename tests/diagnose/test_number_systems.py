"""Replays in other numbers, on programs of many kinds, against what the programs themselves yield there."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.diagnose import evaluate


def quadratic(a, b, c):
    return (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)


def polynomial(x):
    return 3 * x**3 - 2 * x**2 + x / 7 - 1


def branch(x):
    if x * 3 - 0.3 > 0.6:
        return x * 2.0
    return x / 2.0


def extremes(x, y):
    return max(x, y) * min(x, y, 0.5) + abs(x - y)


def harmonic(x, n):
    total = 0.0
    for i in range(1, n):
        total += x / i
    return total


def normalised(a):
    return np.sum(a * a) / np.sqrt(np.dot(a, a) + 1.0)


def arrays(a, m):
    return (m @ a).mean() + np.max(a) - np.where(a > 1, a, 0.0).sum()


def functions(x, y):
    return math.atan2(y, x) + math.hypot(x, y) + math.log1p(x) - math.expm1(y)


def steps(x):
    return int(x * 10) + round(x, 2) + x // 0.3 + math.floor(x) + x % 0.25


def newton(x):
    y = x
    for _ in range(5):
        y = 0.5 * (y + x / y)
    return y


def of_items(xs):
    return (
        sum(x * x for x in xs)
        + math.fsum(xs)
        + math.prod(xs)
        + max(xs)
        + sum((x for x in xs), 1.5)
        + sum(xs, start=2.0)
    )


def root_of_sum(xs):
    return sum(x * x for x in xs) ** 0.5


PROGRAMS = [
    (quadratic, (1.0, 5.0, 1.0)), (polynomial, (0.7,)), (branch, (0.3,)), (extremes, (0.3, 0.8)), (harmonic, (1.1, 6)),
    (normalised, (np.array([1.0, 2.0, 3.5]),)), (arrays, (np.array([1.0, 2.0, 3.5]), np.eye(3) * 1.5)),
    (functions, (0.5, 0.25)), (steps, (1.37,)), (newton, (2.0,)), (of_items, ([1.0, 2.5, 0.1],)),
    (root_of_sum, ([1.0, 2.5, 0.1],)),
]  # fmt: skip
IDS = [function.__name__ for function, _ in PROGRAMS]
#: Programs with functions that a number type does not have.
LACKING = {"fraction": {"quadratic", "normalised", "functions", "root_of_sum"}, Decimal: {"functions"}}


@pytest.mark.parametrize(("function", "arguments"), PROGRAMS, ids=IDS)
@pytest.mark.parametrize("system", ["float32", "longdouble", "fraction", "mpmath", Decimal])
def test_the_value_in_other_numbers(function, arguments, system):
    if system == "mpmath":
        pytest.importorskip("mpmath")
    trace = vd.trace(function, *arguments)
    if function.__name__ in LACKING.get(system, ()):
        with pytest.raises(vd.TraceError, match=r"cannot be evaluated in .*give functions="):
            trace.replay(system)
        return
    replay = trace.replay(system)
    assert not replay.kept
    precision = 1e-5 if system == "float32" else 1e-14
    assert float(replay.result) == pytest.approx(trace.result, rel=precision)
    kinds = {"float32": np.float32, "longdouble": np.longdouble, "fraction": Fraction, Decimal: Decimal}
    if system in kinds:
        assert type(replay.result) is kinds[system]


@pytest.mark.parametrize(("function", "arguments"), PROGRAMS, ids=IDS)
def test_intervals_hold_the_true_value(function, arguments):
    pytest.importorskip("mpmath")
    trace = vd.trace(function, *arguments)
    replay = trace.replay("interval")
    true = trace.replay("mpmath").result
    assert replay.result.a <= true <= replay.result.b
    assert replay.result.delta < 1e-13 * abs(true)


def test_steps_of_intervals_are_intervals():
    pytest.importorskip("mpmath")
    trace = vd.trace(lambda x: math.floor((x / 3) * 3) + round(x / 2.0) + int(x * 1.0), 1.0)
    replay = trace.replay("interval")  # (1/3)*3 may be below 1
    assert [flip.place.text for flip in replay.flipped] == ["math.floor((x / 3) * 3)"]
    assert replay.result.a == 1
    assert replay.result.b == 2


@pytest.mark.parametrize(("here", "there"), [("interval", None), (Decimal, True), ("float16", True), ("mpmath", False)])
def test_a_branch_that_would_go_the_other_way(here, there):
    if isinstance(here, str):
        pytest.importorskip("mpmath")
    flipped = vd.trace(branch, 0.3).replay(here).flipped
    if there is False:
        assert not flipped
        return
    (flip,) = flipped
    assert (flip.here, flip.there, flip.place.text) == (False, there, "x * 3 - 0.3 > 0.6")
    assert ("may be either" if there is None else "would be True") in str(flip)


def test_rounding_to_digits_is_no_flip():
    trace = vd.trace(lambda x: round(x, 2), 1.37)
    assert not trace.replay("fraction").flipped
    trace = vd.trace(lambda x: round(x * 0.1, 1), 0.5)  # a little more than 0.05 in floats, a tie in truth
    (flip,) = trace.replay("fraction", literals="exact").flipped
    assert (flip.here, flip.there) == (0.1, 0)


def test_symbols():
    sympy = pytest.importorskip("sympy")
    a, b, c, x, y = sympy.symbols("a b c x y", real=True)

    def of(function, *arguments):
        return vd.trace(function, *arguments).replay("sympy")

    assert of(quadratic, 1.0, 5.0, 1.0).result == (-b + sympy.sqrt(b * b - 4 * a * c)) / (2 * a)
    assert of(polynomial, 0.7).result == 3 * x**3 - 2 * x**2 + x / 7 - 1
    assert of(extremes, 0.3, 0.8).result == sympy.Max(x, y) * sympy.Min(x, y, sympy.Rational(1, 2)) + sympy.Abs(x - y)
    assert of(harmonic, 1.1, 6).result == sympy.Rational(137, 60) * x
    xs = [sympy.Symbol(f"xs[{i}]", real=True) for i in range(3)]
    assert of(root_of_sum, [1.0, 2.5, 0.1]).result == sympy.sqrt(sum(x * x for x in xs))
    items = [sympy.Symbol(f"a[{i}]", real=True) for i in range(3)]
    squares = sum(x * x for x in items)
    assert sympy.simplify(of(normalised, np.array([1.0, 2.0, 3.5])).result - squares / sympy.sqrt(squares + 1)) == 0
    assert of(functions, 0.5, 0.25).result == (
        sympy.atan2(y, x) + sympy.sqrt(x * x + y * y) + sympy.log(1 + x) - (sympy.exp(y) - 1)
    )
    replay = of(branch, 0.3)
    assert replay.result == x / 2
    assert "may be either" in str(replay)
    assert of(lambda x: math.floor(x) + x // 2, 1.5).result == sympy.floor(x) + sympy.floor(x / 2)
    z = sympy.Symbol("z")
    assert of(lambda z: z * z + 1, 1 + 2j).result == z * z + 1
    trace = vd.trace(arrays, np.array([1.0, 2.0, 3.5]), np.eye(3) * 1.5)
    assert "may be either at 3 of 3 elements" in str(trace.replay("sympy"))


def test_symbols_have_the_value_of_the_trace():
    sympy = pytest.importorskip("sympy")
    for function, arguments in PROGRAMS:
        if function is steps:
            continue
        trace = vd.trace(function, *arguments)
        given = {}
        for node in trace:
            if node.op == "input" and isinstance(node.value, np.ndarray):
                for index in np.ndindex(node.value.shape):
                    given[f"{node.name}[{','.join(map(str, index))}]"] = node.value[index]
            elif node.op == "input":
                given[node.name or node.source.text] = node.value
        found = sympy.sympify(trace.replay("sympy").result)
        values = {symbol: given[symbol.name] for symbol in found.free_symbols}
        assert float(found.subs(values)) == pytest.approx(trace.result, rel=1e-12), function


class Counted:
    """A number of a user's own, which counts its operations."""

    operations = 0

    def __init__(self, value):
        self.value = value.value if isinstance(value, Counted) else Fraction(value)

    def _made(self, value):
        Counted.operations += 1
        return Counted(value)

    def __add__(self, other):
        return self._made(self.value + Counted(other).value)

    def __mul__(self, other):
        return self._made(self.value * Counted(other).value)

    def __truediv__(self, other):
        return self._made(self.value / Counted(other).value)

    def __lt__(self, other):
        return self.value < Counted(other).value

    def __gt__(self, other):
        return self.value > Counted(other).value

    def __int__(self):
        return int(self.value)

    def sqrt(self):
        return self._made(Fraction(math.isqrt(int(self.value))))


def test_numbers_of_ones_own():
    Counted.operations = 0
    replay = vd.trace(harmonic, 1.0, 5).replay(Counted)
    assert replay.result.value == Fraction(25, 12)
    assert Counted.operations == 8
    assert replay.system == "Counted"
    assert vd.trace(lambda x: math.sqrt(x) + 1.0, 16.0).replay(Counted).result.value == 5
    assert vd.trace(lambda x: max(x, 2.0) * math.floor(x), 3.5).replay(Counted).result.value == Fraction(21, 2)
    with pytest.raises(vd.TraceError, match=r"exp .*Counted has no function exp: give functions="):
        vd.trace(math_exp, 1.0).replay(Counted)
    replay = vd.trace(math_exp, 1.0).replay(Counted, functions={"exp": lambda x: Counted(3)})
    assert replay.result.value == 3


def math_exp(x):
    return math.exp(x)


def test_an_argument_that_is_no_number_there_is_named():
    def f(z):
        return (z * z).real

    with pytest.raises(vd.TraceError, match=r"the argument z = \(?1\.5\+0\.5j\)? is no number of float32"):
        vd.trace(f, 1.5 + 0.5j).replay("float32")


def test_comparisons_of_arrays_take_the_recorded_truth_where_they_are_not_certain():
    found = np.array([None, True, False], dtype=object)
    assert evaluate._decided(found, np.array([True, False, False])).tolist() == [True, True, False]


def test_items_of_an_iterator_are_in_the_truth():
    pytest.importorskip("mpmath")
    truth = vd.trace(lambda xs: sum(x * 3 for x in xs), [0.1, 0.2, -0.3]).truth()
    assert not truth.kept
    exact = sum(Fraction(x) * 3 for x in [0.1, 0.2, -0.3])
    assert abs(Fraction(float(truth.result)) - exact) <= abs(exact) * Fraction(1, 10**15)
