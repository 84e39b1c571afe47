"""Legible pullbacks, names of callables, and the door for users' own rules."""

from __future__ import annotations

import math
import operator
from fractions import Fraction

import numpy as np
import pytest

from tests.rules.checks import check_rule
from visual_debug import rules


def pullback(op: str, count: int) -> str:
    return rules.pullback_text(rules.find(op), range(count))


GOLDEN = {
    ("add", 2): "Δ -> (Δ, Δ)",
    ("sub", 2): "Δ -> (Δ, -Δ)",
    ("mul", 2): "Δ -> (Δ*y, Δ*x)",
    ("truediv", 2): "Δ -> (Δ/y, -Δ*z/y)",
    ("mod", 2): "Δ -> (Δ, -Δ*(x//y))",
    ("floordiv", 2): "Δ -> (0, 0)",
    ("pow", 2): "Δ -> (Δ*y*x**(y-1), Δ*z*log(x))",
    ("neg", 1): "Δ -> (-Δ,)",
    ("abs", 1): "Δ -> (Δ*sign(x),)",
    ("matmul", 2): "Δ -> (Δ @ y.T, x.T @ Δ)",
    ("math.exp", 1): "Δ -> (Δ*z,)",
    ("math.cos", 1): "Δ -> (-Δ*sin(x),)",
    ("math.sin", 1): "Δ -> (Δ*cos(x),)",
    ("math.tanh", 1): "Δ -> (Δ*(1-z**2),)",
    ("math.log", 1): "Δ -> (Δ/x,)",
    ("math.log", 2): "Δ -> (Δ/(x*log(y)), -Δ*z/(y*log(y)))",
    ("math.sqrt", 1): "Δ -> (Δ/(2*z),)",
    ("math.hypot", 2): "Δ -> (Δ*x/z, Δ*y/z)",
    ("math.fma", 3): "Δ -> (Δ*y, Δ*x, Δ)",
    ("math.atan2", 2): "Δ -> (Δ*y/(x**2+y**2), -Δ*x/(x**2+y**2))",
    ("sum", 4): "Δ -> (Δ, Δ, Δ, Δ)",
    ("math.prod", 4): "Δ -> (Δ*z/x0, Δ*z/x1, Δ*z/x2, Δ*z/x3)",
    ("max", 2): "Δ -> (Δ*(x==z), Δ*(y==z))",
    ("divmod", 2): "Δ -> (Δ[1], -Δ[1]*(x//y))",
    ("math.gcd", 2): "Δ -> (no derivative, no derivative)",
    ("numpy.sum", 1): "Δ -> (broadcast(Δ, x.shape),)",
    ("numpy.maximum", 2): "Δ -> (Δ*(x>y), Δ*(y>x))",
    ("numpy.where", 3): "Δ -> (0, Δ*where(x, 1, 0), Δ*where(x, 0, 1))",
}


@pytest.mark.parametrize("case", GOLDEN, ids=str)
def test_symbolic_pullback(case: tuple[str, int]) -> None:
    assert pullback(*case) == GOLDEN[case]


@pytest.mark.parametrize(
    ("op", "args", "z", "expected"),
    [
        ("mul", (3, 5), 15, "Δ -> (Δ*5, Δ*3)"),
        ("mul", (3, -5), -15, "Δ -> (Δ*(-5), Δ*3)"),
        ("truediv", (3, 5), 0.6, "Δ -> (Δ/5, -Δ*0.6/5)"),
        ("pow", (-2.0, 3.0), -8.0, "Δ -> (Δ*3*(-2)**(3-1), Δ*(-8)*log(-2))"),
        ("math.tanh", (0.5,), math.tanh(0.5), "Δ -> (Δ*(1-0.462117**2),)"),
        ("math.cos", (-1.5,), math.cos(-1.5), "Δ -> (-Δ*sin(-1.5),)"),
        ("add", (3, 5), 8, "Δ -> (Δ, Δ)"),
        ("max", (3, 5), 5, "Δ -> (0, Δ)"),
        ("mul", (Fraction(1, 2), 1 + 2j), 0.5 + 1j, "Δ -> (Δ*(1+2j), Δ*(1/2))"),
        ("mul", (10**30, 1e-7), 1e23, "Δ -> (Δ*1e-07, Δ*1e+30)"),
    ],
    ids=str,
)  # fmt: skip
def test_values_in_place(op: str, args: tuple, z: object, expected: str) -> None:
    assert rules.pullback_text(rules.find(op), range(len(args)), args, z) == expected


def test_values_in_place_of_arrays_keep_the_letters() -> None:
    a = np.ones((2, 3))
    assert rules.pullback_text(rules.find("mul"), (0, 1), (a, 2.5), a * 2.5) == "Δ -> (Δ*2.5, sum(Δ*x))"
    assert rules.pullback_text(rules.find("add"), (0, 1), (a, np.ones(3)), a) == "Δ -> (Δ, sum(Δ, axis=0))"
    assert rules.find("mul").text(0, 2, (a, 2.5), a, lambda value: f"<{np.shape(value)}>") == "Δ*(<()>)"


@pytest.mark.parametrize(
    ("n", "symbolic", "at_five"),
    [
        (2, "Δ*2*x", "Δ*2*5"), (3, "Δ*3*x**2", "Δ*3*5**2"), (1, "Δ", "Δ"), (0, "0", "0"), (2.0, "Δ*2*x", "Δ*2*5"),
        (0.5, "Δ*0.5*x**-0.5", "Δ*0.5*5**-0.5"), (-1, "-Δ*x**-2", "-Δ*5**-2"),
        (-0.5, "-Δ*0.5*x**-1.5", "-Δ*0.5*5**-1.5"),
        (2.3, "Δ*2.3*x**1.3", "Δ*2.3*5**1.3"), (1e20, "Δ*1e+20*x**1e+20", "Δ*1e+20*5**1e+20"),
        (Fraction(1, 2), "Δ*(1/2)*x**-(1/2)", "Δ*(1/2)*5**-(1/2)"),
    ],
)  # fmt: skip
def test_literal_exponent(n: object, symbolic: str, at_five: str) -> None:
    rule = rules.find("pow")
    assert rule.text(0, 1, (5, n), values=False) == symbolic
    assert rule.text(0, 1, (5, n), 0.0) == at_five
    assert rules.pullback_text(rule, (0,), (5, n), values=False) == f"Δ -> ({symbolic},)"


def test_no_rule_fails_to_print() -> None:
    count = 0
    for rule in rules.all_rules():
        for where in range(rule.arity or 2):
            try:
                text = rule.text(where, rule.arity or 2)
            except rules.MissingPartial:
                continue
            assert text
            assert "lambda" not in text
            count += 1
    assert count > 350


def test_every_row_has_a_symbol_and_its_own_name() -> None:
    for rule in rules.all_rules():
        assert rule.symbol
        assert rules.find(rule.op) is rule


NAMES = {
    "abs": abs, "max": max, "math.exp": math.exp, "mul": operator.mul, "iadd": operator.iadd, "float": float,
    "pow": pow,
    "numpy.exp": np.exp, "numpy.absolute": np.abs, "numpy.divide": np.true_divide, "numpy.remainder": np.mod,
    "numpy.sum": np.sum,
    "numpy.linalg.norm": np.linalg.norm, "numpy.max": np.amax, "numpy.float64": np.float64, "numpy.where": np.where,
    "numpy.concatenate": np.concatenate, "numpy.array": np.array, "numpy.add.reduce": np.add.reduce,
    "tests.rules.test_text.pullback": pullback,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_callables(name: str) -> None:
    assert rules.name_of(NAMES[name]).endswith(name)
    if not name.startswith("tests"):
        assert rules.name_of(NAMES[name]) == name
        assert rules.find(name) is not None


def test_methods_put_self_in_front() -> None:
    a = np.arange(6.0)
    for method, name in ((a.sum, "numpy.sum"), (a.reshape, "numpy.reshape"), (a.flatten, "numpy.ravel"),
                         (a.conj, "numpy.conjugate"),
                         (np.float64(2).sum, "numpy.sum"), (a.__add__, "add"), (a.std, "numpy.std")):  # fmt: skip
        found, front = rules.resolve(method)
        assert found == name
        assert len(front) == 1
        assert rules.find(found) is not None
    assert rules.resolve(a.sum)[1][0] is a
    assert rules.resolve((2.0).__mul__) == ("mul", (2.0,))
    assert rules.resolve(math.exp) == ("math.exp", ())
    assert rules.resolve(np.ndarray.sum) == ("numpy.sum", ())
    assert rules.resolve([].append)[0] == "list.append"


def test_unknown_operations_have_no_rule() -> None:
    assert rules.find("numpy.no_such_function") is None
    assert rules.find("no_such_function") is None


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def scaled(x: float, y: float) -> float:
    return 3 * x * y


def total(x: np.ndarray, factor: float) -> float:
    return factor * x.sum()


@pytest.fixture(autouse=True)
def _no_rule_stays() -> object:
    yield
    for function in (softplus, scaled, total, "mul"):
        try:
            rules.forget(function)
        except KeyError:
            continue


def test_own_rule_by_formula() -> None:
    own = rules.rule(softplus, "1/(1+exp(-x))", symbol="softplus")
    assert rules.find(rules.name_of(softplus)) is own
    check_rule(own, (0.7,), function=softplus)
    assert own.text(0, 1) == "Δ/(1+exp(-x))"
    assert own.partial(0, 0.0, (-1000.0,), {}) == 0.0, "exp overflows inside and is inf"


def test_own_rule_by_partials_as_functions() -> None:
    own = rules.rule(scaled, lambda z, x, y: 3 * y, "3*x", note="no kink")
    check_rule(own, (0.7, 1.2), function=scaled)
    assert own.note == "no kink"
    half = rules.rule(scaled, "3*y", None)
    with pytest.raises(rules.MissingPartial):
        half.pull(1, 1.0, 1.0, (0.7, 1.2), {})


def test_own_rule_by_functions() -> None:
    own = rules.rule(
        total,
        pull=[
            lambda delta, z, x, factor: np.full(x.shape, delta * factor),
            lambda delta, z, x, factor: delta * x.sum(),
        ],
        push=[lambda tangent, z, x, factor: factor * tangent.sum(), lambda tangent, z, x, factor: tangent * x.sum()],
        text=["broadcast(Δ*y)", "Δ*sum(x)"],
    )
    check_rule(own, (np.arange(3.0), 2.0), function=total)
    assert rules.pullback_text(own, (0, 1)) == "Δ -> (broadcast(Δ*y), Δ*sum(x))"
    lone = rules.rule(total, pull=lambda delta, z, x, factor: delta)
    with pytest.raises(rules.MissingPartial):
        lone.push(0, 1.0, 1.0, (np.arange(3.0), 2.0), {})


def test_own_rule_goes_before_the_package() -> None:
    ours = rules.find("mul")
    own = rules.rule(operator.mul, "2*y", "2*x")
    assert rules.find("mul") is own
    rules.forget("mul")
    assert rules.find("mul") is ours


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.real",
        "q+1",
        "[x]",
        "x if y else z",
        "'a'",
        "x+",
        "(lambda: 1)()",
        "exp(x, y=2)",
        "x and y",
    ],
)
def test_only_formulas_are_compiled(text: str) -> None:
    with pytest.raises(ValueError):
        rules.rule(softplus, text)


def test_a_rule_is_given_one_way() -> None:
    with pytest.raises(TypeError):
        rules.rule(softplus)
    with pytest.raises(TypeError):
        rules.rule(softplus, "1", pull=lambda delta, z, x: delta)
    with pytest.raises(TypeError):
        rules.rule(softplus, 3)
