"""Kinks, poles, overflows, other kinds of number, sequences: the corners, one by one."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visual_debug as vd
from tests.rules.checks import check_rule
from visual_debug import rules
from visual_debug.rules import MissingPartial


def partial(op: str, where: object, *args: object, z: object = None) -> object:
    return rules.find(op).partial(where, z, args, {})


def test_scalar_rules_do_not_import_numpy() -> None:
    program = """
import sys, math
from visual_debug import rules
rules.find("mul").pull(0, 1.0, 6.0, (2.0, 3.0), {})
rules.find("math.tanh").push(0, 1.0, math.tanh(0.5), (0.5,), {})
rules.find("max").pull((0, 1), 1.0, 5, ([1, 5],), {})
rules.find("getitem").pull(0, 1.0, 5, ([1, 5], 1), {})
rules.find("math.prod").pull(0, 1.0, 6, ([1, 2, 3],), {})
rules.find("pow").text(0, 1, (2.0, 3))
rules.find("divmod").pull(0, (0, 1.0), (3, 1), (7, 2), {})
rules.find("nothing of that name")
assert "numpy" not in sys.modules, "imported"
"""
    # The package itself imports the decorator; here only its rules are to be loaded.
    stub = (
        "import sys, types\np = types.ModuleType('visual_debug')\n"
        "p.__path__ = ['visual_debug']\nsys.modules['visual_debug'] = p\n"
    )
    subprocess.run([sys.executable, "-c", stub + program], check=True)


def test_power_corners() -> None:
    assert partial("pow", 0, 0.0, 0, z=1.0) == 0
    assert partial("pow", 0, 0.0, 1, z=0.0) == 1
    assert partial("pow", 0, 0.0, 2, z=0.0) == 0
    assert partial("pow", 0, 0.0, 0.5, z=0.0) == math.inf
    assert partial("pow", 0, math.inf, 0, z=1.0) == 0
    assert partial("pow", 1, 0.0, 2.0, z=0.0) == 0
    assert partial("pow", 1, 0.0, 0.0, z=1.0) == -math.inf
    assert partial("pow", 0, -2.0, 3.0, z=-8.0) == 12.0
    with pytest.raises(MissingPartial, match="negative base"):
        partial("pow", 1, -2.0, 3.0, z=-8.0)
    z = (-2.0) ** 0.5
    assert partial("pow", 1, -2.0, 0.5, z=z) == pytest.approx(z * complex(math.log(2), math.pi))
    assert partial("pow", 0, -2.0, 0.5, z=z) == pytest.approx(0.5 * (-2.0) ** -0.5)


def test_power_of_integers_stays_integer() -> None:
    got = partial("pow", 0, 5, 3, z=125)
    assert got == 75
    assert type(got) is int
    assert partial("pow", 0, 5, -2, z=0.04) == pytest.approx(-2 * 5**-3)
    assert partial("mul", 0, 3, 5, z=15) == 5
    assert partial("truediv", 0, 3, Fraction(1, 3), z=9) == Fraction(3)


def test_overflow_is_inf_and_not_an_exception() -> None:
    huge = 10**400
    assert partial("pow", 0, 1e308, 2.5, z=math.inf) == math.inf
    assert partial("pow", 0, -1e200, 4, z=math.inf) == -math.inf
    assert partial("math.cosh", 0, -1000.0, z=math.inf) == -math.inf
    assert partial("math.expm1", 0, 1000.0, z=math.inf) == math.inf
    assert rules.find("mul").pull(0, 1.5, 3 * huge, (3, huge), {}) == math.inf
    assert rules.find("mul").pull(0, -1.5, 3 * huge, (3, huge), {}) == -math.inf
    assert rules.find("mul").pull(0, 2, 3 * huge, (3, huge), {}) == 2 * huge
    assert partial("truediv", 0, huge, 10**399, z=10.0) == 0.0
    assert partial("truediv", 1, huge, 10**399, z=10.0) == 0.0
    assert partial("truediv", 0, 1, huge, z=0.0) == 0.0
    assert partial("math.log", 0, huge, z=math.log(huge)) == 0.0
    assert partial("pow", 1, huge, 1, z=huge) == math.inf
    assert partial("math.tanh", 0, 1e5, z=1.0) == 0.0


def test_poles_are_inf_and_not_an_exception() -> None:
    assert partial("math.sqrt", 0, 0.0, z=0.0) == math.inf
    assert partial("math.cbrt", 0, 0.0, z=0.0) == math.inf
    assert partial("math.asin", 0, 1.0, z=math.asin(1)) == math.inf
    assert partial("math.acos", 0, -1.0, z=math.pi) == -math.inf
    assert partial("math.acosh", 0, 1.0, z=0.0) == math.inf
    assert partial("numpy.sqrt", 0, np.zeros(2), z=np.zeros(2)).tolist() == [math.inf] * 2
    assert partial("math.atan2", 0, 0.0, 0.0, z=0.0) != 0 and math.isnan(partial("math.atan2", 0, 0.0, 0.0, z=0.0))
    assert math.isnan(partial("math.gamma", 0, -math.inf, z=math.nan))


def test_kinks() -> None:
    assert partial("abs", 0, 0.0, z=0.0) == 0
    assert partial("math.fabs", 0, -0.0, z=0.0) == 0
    assert math.isnan(partial("abs", 0, math.nan, z=math.nan))
    assert partial("math.hypot", 0, 0.0, 0.0, z=0.0) == 0
    assert rules.find("math.dist").pull((0, 0), 1.0, 0.0, ([1.0], [1.0]), {}) == 0
    for op in ("abs", "math.fabs", "math.hypot", "max", "min", "pow", "math.sqrt"):
        assert rules.find(op).note
    assert partial("abs", 0, 3 + 4j, z=5.0) == 0.6 - 0.8j
    assert partial("abs", 0, 0j, z=0.0) == 0


def test_the_first_of_equal_maxima_gets_it_all() -> None:
    for op in ("max", "min"):
        rule = rules.find(op)
        assert rule.pull(0, 1.0, 5, ([5, 5.0, 5],), {}) == (1.0, 0, 0)
        assert [rule.pull(k, 1.0, 5, (5, 5.0), {}) for k in (0, 1)] == [1.0, 0]
        assert "first" in rule.note
    assert rules.find("max").pull((0, 1), 1.0, -7, ([2, -7],), {"key": abs}) == 1.0
    assert rules.find("max").pull(("default",), 1.0, 3.0, ([],), {"default": 3.0}) == 1.0
    with pytest.raises(MissingPartial):
        rules.find("max").pull(("key",), 1.0, 3.0, ([3.0],), {"key": abs})


@pytest.mark.parametrize(
    ("op", "args", "wheres"),
    [
        ("sum", ([1.5, 2.5, 3.5],), [(0, 1)]),
        ("sum", ([1.5, 2.5], 3.0), [(0, 0), 1]),
        ("max", ([1.5, 4.5, 3.5],), [(0, 0), (0, 1)]),
        ("min", (1.5, 4.5, 3.5), [0, 1]),
        ("math.fsum", ([1.5, 2.5, 3.5],), [(0, 2)]),
        ("math.prod", ([1.5, 2.5, 3.5],), [(0, 2)]),
        ("math.prod", ([1.5, 0.0, 3.5],), [(0, 0), (0, 1)]),
        ("math.hypot", (3.0, 4.0, 12.0), None),
        ("math.hypot", (3.0,), None),
        ("math.dist", ([1.0, 2.0], [4.0, 6.0]), [(0, 0), (1, 1)]),
        ("math.sumprod", ([1.0, 2.0], [4.0, 6.0]), [(0, 0), (1, 1)]),
    ],
    ids=str,
)  # fmt: skip
def test_functions_of_many_numbers(op: str, args: tuple, wheres: list | None) -> None:
    if op == "math.sumprod" and not hasattr(math, "sumprod"):
        pytest.skip("math.sumprod came with Python 3.12")
    check_rule(rules.find(op), args, wheres=wheres)


def test_items_may_be_given_one_by_one() -> None:
    """The replay spreads `sum([a, b, c])` into three operands."""
    assert [rules.find("sum").pull(k, 2.0, 6.0, (1.0, 2.0, 3.0), {}) for k in range(3)] == [2.0] * 3
    assert [rules.find("math.prod").pull(k, 1.0, 24, (1, 4, 6), {}) for k in range(3)] == [24, 6, 4]
    assert rules.find("math.prod").pull(("start",), 1.0, 24, (2, 3), {"start": 4}) == 6
    assert rules.find("math.prod").pull(0, 1.0, 24, (2, 3), {"start": 4}) == 12
    assert rules.find("max").pull(1, 1.0, 9, (1, 9, 3), {}) == 1.0
    assert rules.find("sum").pull(0, 1.0, 2.5, (2.5,), {}) == 1.0


def test_sums_of_arrays_given_either_way() -> None:
    v, w = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    rule = rules.find("sum")
    ones = np.ones(2)
    np.testing.assert_array_equal(rule.pull(0, ones, v, (v,), {}), ones)  # sum([v])
    np.testing.assert_array_equal(rule.pull(0, 1.0, 3.0, (v,), {}), ones)  # sum(v)
    np.testing.assert_array_equal(rule.pull(0, ones, v + w, (v, w), {}), ones)  # sum([v, w])
    np.testing.assert_array_equal(rule.pull(0, ones, w + 3.0, (v, w), {}), 2 * ones)  # sum(v, w)
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(rule.pull(0, ones, table.sum(0), (table,), {}), np.ones((2, 2)))
    np.testing.assert_array_equal(rules.find("max").pull(0, 1.0, 2.0, (v,), {}), [0, 1])
    assert rule.push(0, np.array([0.5, 0.25]), 3.0, (v,), {}) == 0.75


def test_tuples() -> None:
    rule = rules.find("divmod")
    assert rule.pull(0, (5.0, 1.0), (3, 1.0), (7.0, 2.0), {}) == 1.0
    assert rule.pull(1, (5.0, 1.0), (3, 1.0), (7.0, 2.0), {}) == -3.0
    assert rule.push(1, 1.0, (3, 1.0), (7.0, 2.0), {}) == (0, -3.0)
    assert rules.find("math.modf").pull(0, (2.0, 9.0), math.modf(3.25), (3.25,), {}) == 2.0
    assert rules.find("math.frexp").pull(0, (1.0, 9.0), math.frexp(6.0), (6.0,), {}) == 0.125
    assert rules.find("math.frexp").pull(0, (1.0, 9.0), math.frexp(0.0), (0.0,), {}) == 1.0
    item = rules.find("getitem")
    assert item.pull(0, 7.0, 2.0, ((1.0, 2.0, 3.0), 1), {}) == (0, 7.0, 0)
    assert item.pull(0, 7.0, 3.0, ([[1.0], 3.0], -1), {}) == ((0,), 7.0)
    assert item.pull(0, (7.0, 8.0), [2.0, 3.0], ([1.0, 2.0, 3.0], slice(1, 3)), {}) == (0, 7.0, 8.0)
    assert item.pull(0, 7.0, 3.0, ({"a": 3.0, "b": 1.0}, "a"), {}) == {"a": 7.0, "b": 0}
    assert item.pull(1, 7.0, 2.0, ((1.0, 2.0), 1), {}) == 0
    with pytest.raises(MissingPartial):
        item.pull(0, 7.0, 3, ("abc", 1), {})


def test_joining_sequences_is_not_addition() -> None:
    for op, args, z in (("add", ([1.0], [2.0]), [1.0, 2.0]), ("mul", ((1.0,), 2), (1.0, 1.0))):
        with pytest.raises(MissingPartial, match="sequences"):
            rules.find(op).pull(0, (1.0, 1.0), z, args, {})


def test_decimals_stay_decimals() -> None:
    x, y = Decimal("1.25"), Decimal(4)
    assert rules.find("mul").pull(0, Decimal(1), x * y, (x, y), {}) == Decimal(4)
    for op, z in (("truediv", x / y), ("pow", x**y), ("mod", x % y)):
        for where in (0, 1):
            assert type(rules.find(op).pull(where, Decimal(1), z, (x, y), {})) is Decimal
    assert rules.find("pow").pull(1, Decimal(1), x**y, (x, y), {}) == x**y * x.ln()
    assert type(rules.find("math.exp").pull(0, 1.0, math.exp(x), (x,), {})) is Decimal
    assert type(rules.find("float").pull(0, 1.0, float(x), (x,), {})) is Decimal
    assert rules.find("mul").pull(0, Decimal(2), 3 * x, (3, x), {}) == Decimal("2.5")
    assert rules.find("truediv").partial(0, Decimal(0), (Decimal(0), Decimal(0)), {}) == Decimal("Infinity")


def test_fractions_stay_fractions() -> None:
    x, y = Fraction(1, 3), Fraction(2, 7)
    for op, z in (("add", x + y), ("sub", x - y), ("mul", x * y), ("truediv", x / y), ("mod", x % y)):
        for where in (0, 1):
            assert type(rules.find(op).pull(where, Fraction(1), z, (x, y), {})) is Fraction
    assert rules.find("truediv").pull(1, Fraction(1), x / y, (x, y), {}) == -x / y**2
    assert rules.find("pow").pull(0, 1, x**3, (x, 3), {}) == 3 * x**2


def test_mpmath_numbers_keep_their_precision() -> None:
    with mpmath.workdps(40):
        x = mpmath.mpf(1) / 3
        for op, z, expected in (
            ("math.log", mpmath.log(x), 1 / x), ("math.tanh", mpmath.tanh(x), 1 - mpmath.tanh(x) ** 2),
            ("math.sin", mpmath.sin(x), mpmath.cos(x)), ("math.asin", mpmath.asin(x), 1 / mpmath.sqrt(1 - x * x)),
            ("math.gamma", mpmath.gamma(x), mpmath.diff(mpmath.gamma, x)), ("math.exp2", 2**x, 2**x * mpmath.log(2)),
            ("math.log10", mpmath.log10(x), 1 / (x * mpmath.log(10))),
            ("math.erf", mpmath.erf(x), mpmath.diff(mpmath.erf, x)),
            ("math.degrees", mpmath.degrees(x), 180 / mpmath.pi),
        ):  # fmt: skip
            assert abs(rules.find(op).partial(0, z, (x,), {}) - expected) < mpmath.mpf(10) ** -35, op


def test_keywords() -> None:
    rule = rules.find("pow")
    assert rule.pull(("base",), 1.0, 8, (), {"base": 2, "exp": 3}) == 12
    assert rule.pull(0, 1.0, 8, (2,), {"exp": 3}) == 12
    assert rules.find("numpy.sum").pull(("a",), 1.0, 3.0, (), {"a": np.array([1.0, 2.0])}).tolist() == [1, 1]
    with pytest.raises(MissingPartial):
        rules.find("numpy.sum").pull(("axis",), 1.0, 3.0, (np.array([1.0, 2.0]),), {"axis": 0})
    with pytest.raises(MissingPartial, match="modulo"):
        rule.pull(0, 1.0, 2, (2, 3, 6), {})


def test_whole_columns_at_once() -> None:
    """One formula over a column of results gives what it gives element by element."""
    x, y = np.linspace(0.2, 3.0, 7), np.linspace(-2.0, 2.0, 7)
    for op, z in (
        ("mul", x * y),
        ("pow", x**y),
        ("truediv", y / x),
        ("math.tanh", np.tanh(x)),
        ("math.atan2", np.arctan2(x, y)),
    ):
        args = (y, x) if op == "truediv" else (x, y) if op != "math.tanh" else (x,)
        for where in range(len(args)):
            column = rules.find(op).partial(where, z, args, {})
            single = [
                rules.find(op).partial(where, float(z[i]), tuple(float(a[i]) for a in args), {}) for i in range(7)
            ]
            np.testing.assert_allclose(column, single, rtol=1e-13)
    assert np.isnan(rules.find("pow").partial(1, np.array([-8.0]), (np.array([-2.0]), np.array([3.0])), {})).all()


numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**320), 10**320)


@given(st.sampled_from(["add", "sub", "mul", "truediv", "mod", "pow"]), numbers, numbers, st.floats())
def test_no_arithmetic_exception_ever_leaves_an_operator(op: str, x: float, y: float, delta: float) -> None:
    if op == "pow" and isinstance(x, int) and isinstance(y, int):
        y %= 50
    try:
        z = {"add": lambda: x + y, "sub": lambda: x - y, "mul": lambda: x * y, "truediv": lambda: x / y,
             "mod": lambda: x % y, "pow": lambda: x**y}[op]()  # fmt: skip
    except ArithmeticError:
        return
    for where in (0, 1):
        try:
            rules.find(op).pull(where, delta, z, (x, y), {})
            rules.find(op).push(where, delta, z, (x, y), {})
        except MissingPartial:
            assert op == "pow"
            assert where == 1
            assert x < 0


NAMES = (
    "acos acosh asin asinh atan atanh cbrt cos cosh erf erfc exp exp2 expm1 gamma lgamma log log10 log1p log2 "
    "sin sinh sqrt tan tanh"
)
UNARY = [name for name in NAMES.split() if hasattr(math, name)]


@given(st.sampled_from(UNARY), numbers, st.floats())
def test_no_arithmetic_exception_ever_leaves_a_function(name: str, x: float, delta: float) -> None:
    try:
        z = getattr(math, name)(x)
    except (ArithmeticError, ValueError):
        return
    rules.find(f"math.{name}").pull(0, delta, z, (x,), {})


def test_what_was_not_chosen_gets_zero_even_from_an_infinite_adjoint() -> None:
    inf = np.full(2, math.inf)
    x, y = np.array([1.0, 5.0]), np.array([4.0, 2.0])
    cases = [
        ("numpy.maximum", 0, np.maximum(x, y), (x, y), {}, [0, math.inf]),
        ("numpy.where", 1, np.where([True, False], x, y), ([True, False], x, y), {}, [math.inf, 0]),
        ("numpy.clip", 0, np.clip(x, 2, 9), (x, 2, 9), {}, [0, math.inf]),
        ("numpy.log", 0, np.zeros(2), (np.array([0.0, 1.0]),), {"where": np.array([False, True])}, [0, math.inf]),
    ]
    for op, where, z, args, kwargs, expected in cases:
        np.testing.assert_array_equal(rules.find(op).pull(where, inf, z, args, kwargs), expected, err_msg=op)
    np.testing.assert_array_equal(rules.find("numpy.max").pull(0, math.inf, 5.0, (x,), {}), [0, math.inf])
    assert rules.find("max").pull(0, math.inf, 5.0, (1.0, 5.0), {}) == 0


def test_zero_times_infinity_is_nan_where_a_factor_is_zero() -> None:
    """What IEEE arithmetic says is kept: it is for the diagnosis to explain it."""
    for zero in (0.0, 0):
        assert math.isnan(rules.find("mul").pull(1, math.inf, 0.0, (zero, 5.0), {}))
        assert math.isnan(rules.find("mul").pull(1, math.inf, zero, (zero, 5), {}))


@given(st.sampled_from(["add", "sub", "mul", "truediv", "mod", "pow"]), st.floats(), st.floats(), st.floats())
def test_the_quick_partials_give_what_the_rule_gives(op: str, x: float, y: float, delta: float) -> None:
    try:
        z = {"add": lambda: x + y, "sub": lambda: x - y, "mul": lambda: x * y, "truediv": lambda: x / y,
             "mod": lambda: x % y, "pow": lambda: x**y}[op]()  # fmt: skip
    except ArithmeticError:
        return
    rule = rules.find(op)
    for where in (0, 1):
        quick = rule.quick(where, 2)
        try:
            value = quick if isinstance(quick, int) else quick(z, x, y)
        except (ArithmeticError, ValueError):
            continue  # the rule decides such corners
        if isinstance(z, complex):
            continue  # not for the quick way
        np.testing.assert_equal(rule.pull(where, delta, z, (x, y), {}), delta * value)


def test_what_has_no_quick_partial() -> None:
    assert rules.find("math.gcd").quick(0, 2) is None
    assert rules.find("numpy.maximum").quick(0, 2) is None
    assert rules.find("floordiv").quick(0, 2) == 0
    with pytest.raises(ValueError, match="negative base"):
        rules.find("pow").quick(1, 2)(-8.0, -2.0, 3.0)


def test_decimals_among_floats() -> None:
    def mixed(x):  # type: ignore[no-untyped-def]
        d = Decimal(x)
        return float(d * d + d.sqrt()) * x + float(d.exp() * d.ln())

    trace = vd.trace(mixed, 2.5)
    x = 2.5
    expected = 3 * x**2 + 1.5 * x**0.5 + math.exp(x) * (math.log(x) + 1 / x)
    assert trace.grad("x") == pytest.approx(expected, rel=1e-14)
    assert float(trace.jvp(x=1.0)) == pytest.approx(expected, rel=1e-14)
    assert trace.condition().inputs["x"] == pytest.approx(expected * x / trace.result, rel=1e-12)
    assert trace.why().inputs[0].influence == pytest.approx(expected * x / trace.result, rel=1e-12)
    assert not trace.gradient_health().bad
    assert [step.phase for step in trace.steps()].count("reverse") > 5


def test_a_decimal_result() -> None:
    trace = vd.trace(lambda x: (Decimal(3) ** 2).sqrt() * Decimal(x), 2.5)
    assert trace.grad() == {"x": 3.0}
    assert trace.condition().inputs == {"x": 1.0}
    assert trace.why().inputs[0].influence == 1.0
    assert vd.trace(lambda d: d * d + d / 3, Decimal("2.5")).grad("d") == 5 + Decimal(1) / 3


def test_fractions_made_of_numbers() -> None:
    assert vd.trace(lambda x: Fraction(x) / 3, 2.5).grad() == {"x": pytest.approx(1 / 3)}
    assert vd.trace(lambda n: Fraction(2, n), 3).grad() == {"n": Fraction(-2, 9)}


def test_fractions_are_one_operation_each_whatever_is_followed() -> None:
    halved = vd.visual_debug(lambda x: float(Fraction(x) * 2 + Fraction(1, 3)), follow="all")
    halved(1.375)
    assert halved.trace.grad() == {"x": 2.0}
    assert [node.op for node in halved.trace] == [
        "input", "fractions.Fraction", "const", "mul", "const", "const", "fractions.Fraction", "add", "float",
    ]  # fmt: skip
