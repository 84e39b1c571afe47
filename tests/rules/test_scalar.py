"""Rows for Python's numbers against differences, mpmath and complex numbers; and that no function is forgotten."""

from __future__ import annotations

import cmath
import math
import operator

import mpmath
import pytest

from tests.rules import samples
from tests.rules.checks import check_rule, function_of
from visual_debug import rules
from visual_debug.rules import scalar
from visual_debug.rules.elementwise import FormulaRule, Missing

ELEMENTWISE = [rule for rule in scalar.TABLE.values() if isinstance(rule, FormulaRule)]


def exists(op: str) -> bool:
    try:
        function_of(op)
    except AttributeError:
        return False
    return True


def differentiable(rule: FormulaRule) -> bool:
    return not any(isinstance(partial, Missing) for partial in rule.partials(rule.arity or 1))


def points(rule: FormulaRule) -> list[tuple]:
    op = function_of(rule.op).__name__ if rule.op.startswith("i") else rule.op
    return samples.SCALAR.get(op, samples.DEFAULT[min(rule.arity or 1, 2)])


NAMESAKES = [rule for rule in ELEMENTWISE if rule.op.startswith("math.") or "." not in rule.op]
REAL = [(rule, args) for rule in NAMESAKES if exists(rule.op) and differentiable(rule) for args in points(rule)]


@pytest.mark.parametrize(("rule", "args"), REAL, ids=lambda v: v.op if isinstance(v, FormulaRule) else str(v))
def test_row_against_differences(rule: FormulaRule, args: tuple) -> None:
    function = function_of(rule.op)
    try:
        function(*args)
    except TypeError:  # one argument only, or integers only
        args = args[:1]
    wheres = [0] if rule.op in {"math.ldexp"} else None
    check_rule(rule, args, wheres=wheres)


def test_rows_were_generated_from_the_table() -> None:
    assert len({rule.op for rule, _ in REAL}) > 70


@pytest.mark.parametrize(
    "rule", [r for r in ELEMENTWISE if r.op.startswith("cmath.") and differentiable(r)], ids=lambda r: r.op
)
def test_complex_row_against_differences(rule: FormulaRule) -> None:
    function = function_of(rule.op)
    if rule.op == "cmath.rect":
        check_rule(rule, (1.5, 0.7))
        return
    for args in samples.COMPLEX:
        z = function(*(args if rule.op != "cmath.isclose" else args * 2))
        if isinstance(z, bool):
            assert rule.partial(0, z, args, {}) == 0
            continue
        check_rule(rule, args)
        if isinstance(z, float):
            continue  # not holomorphic: by the two parts
        # Along the imaginary axis the holomorphic derivative is the same number.
        h = 1e-6
        along = (function(args[0] + h * 1j) - function(args[0] - h * 1j)) / (2j * h)
        assert cmath.isclose(rule.partial(0, z, args, {}), along, rel_tol=1e-8)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "truediv", "pow"])
def test_operators_on_complex_numbers(op: str) -> None:
    for args in ((0.3 + 0.4j, 1.5 - 0.5j), (-1.2 + 0.1j, 2.0), (2.0, 1 - 3j)):
        check_rule(rules.find(op), args)


MP = {
    "math.exp": mpmath.exp, "math.log": mpmath.log, "math.sin": mpmath.sin,
    "math.cos": mpmath.cos, "math.tan": mpmath.tan,
    "math.asin": mpmath.asin, "math.acos": mpmath.acos, "math.atan": mpmath.atan, "math.sinh": mpmath.sinh,
    "math.cosh": mpmath.cosh, "math.tanh": mpmath.tanh, "math.asinh": mpmath.asinh, "math.atanh": mpmath.atanh,
    "math.sqrt": mpmath.sqrt, "math.erf": mpmath.erf, "math.erfc": mpmath.erfc, "math.gamma": mpmath.gamma,
    "math.lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))), "math.log1p": mpmath.log1p, "math.expm1": mpmath.expm1,
    "math.log10": mpmath.log10, "math.log2": lambda x: mpmath.log(x, 2), "math.cbrt": mpmath.cbrt,
    "math.exp2": lambda x: mpmath.mpf(2) ** x,
}  # fmt: skip
HARD = [1e-8, 0.1, 0.5, 0.999, 1.5, 3.7, 9.9, 25.0, 100.0]


@pytest.mark.parametrize("op", MP)
def test_row_keeps_its_digits(op: str) -> None:
    """Twelve digits against 900-digit arithmetic, also where the textbook form of a formula cancels."""
    if not exists(op):
        pytest.skip(f"{op} is not in this Python")
    tried = 0
    with mpmath.workdps(900):
        for x in HARD:
            try:
                z = function_of(op)(x)
            except ValueError:
                continue
            expected = mpmath.diff(MP[op], mpmath.mpf(x), h=mpmath.mpf(10) ** -20)
            got = rules.find(op).partial(0, z, (x,), {})
            assert abs(got - expected) <= 2e-12 * abs(expected) + mpmath.mpf(2) ** -1060, (op, x)
            tried += 1
    assert tried >= 4


def test_digamma_against_mpmath() -> None:
    from visual_debug.rules.special import digamma

    for x in (1e-5, 0.1, 0.5, 1.0, 1.4616321449683622, 2.0, 9.99, 10.0, 1e3, 1e10, -0.5, -1.5, -3.2, -20.7, -1e5 - 0.3):
        assert math.isclose(digamma(x), mpmath.digamma(x), rel_tol=1e-13, abs_tol=2e-15), x
    assert all(math.isnan(digamma(x)) for x in (0.0, -1.0, -2.0, -math.inf, math.nan))
    assert digamma(math.inf) == math.inf


#: What `operator` holds besides arithmetic.
NOT_NUMERIC = {
    "attrgetter", "call", "concat", "countOf", "delitem", "iconcat", "indexOf", "itemgetter", "length_hint",
    "methodcaller",
    "is_none", "is_not_none",
}  # fmt: skip


@pytest.mark.parametrize("module", [math, cmath, operator], ids=lambda m: m.__name__)
def test_no_function_is_forgotten(module: object) -> None:
    """A new Python's new function fails here until it gets a row, or is listed as not numeric."""
    public = {name for name in vars(module) if not name.startswith("_") and callable(getattr(module, name))}
    names = {name: rules.name_of(getattr(module, name)) for name in public - NOT_NUMERIC}
    missing = {name for name, op in names.items() if rules.find(op) is None}
    assert not missing


def test_no_numeric_builtin_is_forgotten() -> None:
    for function in (abs, max, min, sum, pow, divmod, round, float, int, complex, bool):
        assert rules.find(rules.name_of(function)) is not None


STEPS = "floordiv int bool round lt le gt ge eq ne math.floor math.ceil math.trunc math.ulp math.isnan"
NONE = "and_ or_ xor invert lshift rshift math.gcd math.lcm math.comb math.perm math.factorial math.isqrt"


def test_piecewise_constant_rows_are_explicit() -> None:
    for op in STEPS.split():
        rule = rules.find(op)
        assert rule is not None
        assert "piecewise constant" in rule.note
        assert rule.text(0, 1) == "0"
        assert rule.pull(0, math.inf, 1, (1.5, 2.5), {}) == 0, "an explicit zero is no 0 * inf"


@pytest.mark.parametrize("op", NONE.split())
def test_rows_without_a_derivative_say_why(op: str) -> None:
    rule = rules.find(op)
    assert rule is not None
    assert rule.symbol
    for call in (
        lambda: rule.pull(0, 1, 3, (3, 5), {}),
        lambda: rule.push(0, 1, 3, (3, 5), {}),
        lambda: rule.text(0, 2),
    ):
        with pytest.raises(rules.MissingPartial) as caught:
            call()
        assert (caught.value.op, caught.value.where) == (op, 0)
        assert "derivative" in caught.value.reason
        assert isinstance(caught.value, LookupError)


def test_the_checker_rejects_a_wrong_rule() -> None:
    for given, args in ((("y+0.001", "x"), (3.0, 5.0)), (("y", "-x"), (3.0, 5.0)), (("x", "y"), (3.0, 5.0))):
        with pytest.raises(AssertionError):
            check_rule(FormulaRule("mul", "*", given), args)
    check_rule(FormulaRule("mul", "*", ("y", "x")), (3.0, 5.0))
