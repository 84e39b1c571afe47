"""What a wrong diagnosis would be: each of these was asked for before it could happen."""

from __future__ import annotations

import math

import numpy as np
import pytest

import visual_debug as vd
from visual_debug import StoppedError, TraceError
from visual_debug.testing import assert_digits, assert_finite_gradient

pytest.importorskip("mpmath")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_masked_nan_is_not_the_cause():
    def f(x):
        masked = np.where(x > 0, np.log(x), 0.0)
        return (masked / (x - x)).sum()

    report = vd.trace(f, np.array([1.0, -1.0])).nonfinite()
    assert report.cause.place.op == "truediv"
    harmless = [birth for birth in report.births if not birth.reaches]
    assert [birth.place.op for birth in harmless] == ["numpy.log"]


def test_a_producer_is_named_and_not_who_carried_it():
    def f(x):
        a = x * 1e200
        b = a * 1e200
        c = b + 1.0
        return c - b

    report = vd.trace(f, 1e10).nonfinite()
    assert report.cause.place.text == "a * 1e200"
    assert [birth.kind for birth in report.births] == ["overflow", "infinity minus infinity"]
    assert all(birth.reaches for birth in report.births)


def test_an_infinity_that_ends_is_harmless():
    report = vd.trace(lambda x: 1 / (x * 1e308 * 10) + 1.0, 5.0).nonfinite()
    assert not report.result
    assert report.ok
    assert len(report.births) == 1
    assert not report.births[0].reaches


def test_a_nan_that_is_compared_is_told():
    def f(x):
        y = x * 1e308 * 10
        return 1.0 if y - y > 0 else 2.0

    report = vd.trace(f, 5.0).nonfinite()
    assert not report.ok
    assert report.births[-1].decided or report.births[0].decided


def test_near_misses():
    kinds = [near.kind for near in vd.trace(lambda x: (x * 1e300 * 1e7) * 0.0 + x * 1e-320, 1.5).nonfinite().near]
    assert kinds == ["latent overflow", "subnormal", "subnormal"]


def test_float32_has_its_own_ulp():
    def f(x):
        return x / np.float32(3)

    trace = vd.trace(f, np.float32(1))
    budget = trace.rounding()
    assert 1e-9 < budget.error < 2e-8  # half an ulp of 1/3 is 1.5e-8 in float32, 2.8e-17 in float64
    assert trace.truth().bits == 0
    array = vd.trace(lambda a: (a / np.float32(3)).sum(), np.ones(4, dtype=np.float32))
    assert 1e-8 < array.rounding().error < 1e-5


def test_integer_arithmetic_does_not_round():
    def f(n):
        return (n * n + 1) * (n - 3) - n * n * n

    trace = vd.trace(f, 12345)
    assert vd.trace(lambda n: float(n * n), 12345).rounding().error == 0
    assert trace.truth().bits == 0
    assert len(trace.cancellations()) == 0


def test_exact_cancellation_is_harmless():
    report = vd.trace(lambda x: (x - 1.0) * 3.0, 1.0000001).cancellations()
    assert len(report) == 1
    assert report[0].harmless
    assert report.ok


def test_a_library_call_is_not_charged_as_one_operation():
    xs = np.random.default_rng(1).normal(size=1000)
    trace = vd.trace(lambda a: np.dot(a, a), xs)
    one = 0.5 * math.ulp(trace.result)
    assert trace.rounding().error > 10 * one
    truth = trace.truth()
    assert abs(trace.result - float(truth.result)) <= trace.rounding().error


def test_an_operation_without_a_bound_is_named():
    trace = vd.trace(lambda a: np.fft.fft(a).real.sum(), np.arange(8.0) / 3)
    assert any("fft" in place.text for place in trace.rounding().unknown)
    truth = trace.truth()
    assert any("fft" in reason for reason in truth.kept.values())


def test_a_step_that_goes_another_way_in_truth_is_told():
    def f(x):
        return math.floor((x * 0.7 + x * 0.1) * 10)  # 7.999… in floats

    trace = vd.trace(f, 1.0)
    (flip,) = trace.truth(literals="exact").flipped
    assert (flip.here, flip.there) == (7, 8)
    assert flip.place.op == "math.floor"
    assert not trace.truth().flipped or trace.truth().flipped[0].here == 7


def test_a_comparison_that_flips():
    def f(x):
        y = (x + 1e16) - 1e16
        return 1.0 if y > 1.5 else 2.0

    trace = vd.trace(f, 1.4)  # the sum is rounded to 1e16 + 2
    assert trace.result == (1.0 if 1.4 + 1e16 - 1e16 > 1.5 else 2.0)
    (flip,) = vd.trace(f, 1.4).truth().flipped
    assert flip.place.text == "y > 1.5"
    assert (flip.here, flip.there) == (True, False)


def test_exact_zeros_are_zero():
    def f(x):
        return 1 / (x * (x + 1)) - (1 / x - 1 / (x + 1))

    truth = vd.trace(f, 1e5).truth()
    assert truth.result == 0
    assert not truth.unsettled


# ---- replays


def polynomial(x, n):
    total = 0.0
    for k in range(n):
        total = total * x + (k + 1) / 3
    return math.sqrt(abs(total)) + x**2


@pytest.mark.parametrize("system", ["float32", "longdouble", "mpmath", "interval", "float16"])
def test_replay_in_other_numbers(system):
    trace = vd.trace(polynomial, 0.7, 6)
    value = trace.replay(system).result
    if system == "interval":
        assert value.a <= trace.replay("mpmath").result <= value.b
        return
    assert float(value) == pytest.approx(trace.result, rel={"float16": 1e-2, "float32": 1e-6}.get(system, 1e-15))


def test_replay_in_float32_is_what_float32_computes():
    def f(x, y):
        return (x * y + x / y) * x - y

    x, y = 0.1, 0.7
    assert vd.trace(f, x, y).replay("float32").result == f(np.float32(x), np.float32(y))


def test_replay_in_numbers_of_ones_own():
    from decimal import Decimal

    trace = vd.trace(lambda x: math.sqrt(x) * x + 1, 2.0)
    assert trace.replay(Decimal).result == Decimal(2).sqrt() * 2 + 1
    from fractions import Fraction

    with pytest.raises(TraceError, match=r"test_wrong_diagnoses\.py:\d+: math\.sqrt .* Fraction"):
        trace.replay(Fraction)
    assert trace.replay(Fraction, functions={"sqrt": lambda x: Fraction(3, 2)}).result == 4


def test_replay_in_symbols():
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y", real=True)
    assert vd.trace(lambda x, y: 2 * x * y + (x - 1) ** 2, 3.0, 5.0).replay("sympy").result == 2 * x * y + (x - 1) ** 2


def test_a_missing_package_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(TraceError, match="sympy is not installed"):
        vd.trace(lambda x: x * 2, 1.0).replay("sympy")


def test_truth_of_arrays():
    def f(a, b):
        return np.exp(a @ b).mean() + np.linalg.norm(b)

    trace = vd.trace(f, np.array([[1.0, 2.0], [3.0, 4.0]]) / 7, np.array([0.1, 0.2]))
    truth = trace.truth()
    assert not truth.kept
    assert truth.digits > 14
    assert float(truth.result) == pytest.approx(trace.result, rel=1e-14)


# ---- gradients


def test_rules_are_checked_by_name():
    from visual_debug import rules

    trace = vd.trace(lambda x: math.exp(x) * math.sin(x) / (1 + x), 0.3)
    assert trace.gradient_check().ok
    vd.rule("math.sin", "cos(x)*1.01")
    try:
        (wrong,) = trace.gradient_check().wrong
    finally:
        rules.forget("math.sin")
    assert (wrong.op, wrong.position) == ("math.sin", 0)
    assert wrong.numerical == pytest.approx(math.cos(0.3), rel=1e-6)


def test_vanishing_exploding_unused_and_flat():
    def f(w, unused, flat):
        x = w
        for _ in range(60):
            x = math.tanh(0.3 * x)
        return x + int(flat)

    health = vd.trace(f, 0.5, 1.0, 2.5).gradient_health()
    assert [name for name, _ in health.vanishing] == ["w"]
    assert health.unused == ("unused",)
    assert health.flat == ("flat",)

    def g(x):
        for _ in range(40):
            x = x * 3.0
        return x

    assert vd.trace(g, 1e-3).gradient_health().exploding[0].largest > 1e18


def test_kinks():
    kinks = vd.trace(lambda x, y: abs(x) + max(y, 0.0), 0.0, 0.0).gradient_health().kinks
    assert [kink.what for kink in kinks] == ["abs at 0", "both operands are equal"]


# ---- two runs, why, what if


def damped(x, n):
    s = x * 0.0
    for i in range(n):
        s = s + x / (i + 1)
        if s > 2.0:
            s = s * 0.5
    return s


def test_compare_two_inputs_and_two_types():
    a, b = vd.trace(damped, 1.1, 12), vd.trace(damped, 1.2, 12)
    assert a.compare(vd.trace(damped, 1.1, 12)).ok
    found = a.compare(b)
    assert found.first.place.op == "input"
    assert found.parted[0].place.text == "s > 2.0"
    single = a.compare(vd.trace(damped, np.float32(1.1), 12))
    assert single.first.place.op == "input"
    assert 1e-9 < single.result < 1e-6
    assert all(difference.added > 0 for difference in single.added)
    assert single.added


def test_compare_two_versions():
    def old(x, y):
        a = x * y
        return a + x

    def new(x, y):
        a = x * (y + 1e-9)
        return a + x

    new.__qualname__ = old.__qualname__
    new.__code__ = new.__code__.replace(co_qualname=old.__code__.co_qualname)
    found = vd.trace(old, 2.0, 3.0).compare(vd.trace(new, 2.0, 3.0))
    assert found.first.place.text == "a + x"
    assert found.first.added == 0
    assert found.first.inherited > 0
    assert (found.only_here, found.only_there) == (1, 2)


def test_why_through_a_view_and_a_write():
    def f(x):
        y = x.copy()
        y[1] = x[0] * 3
        view = y[1:]
        return np.cumsum(view)

    trace = vd.trace(f, np.array([1.0, 2.0, 4.0]))
    history = trace.why(element=1)
    (x,) = history.inputs
    assert x.elements == ((0,), (2,))
    assert "y[1]" in str(history)
    with pytest.raises(TraceError, match="which element"):
        trace.why()


def test_why_names_the_comparison_that_decided():
    trace = vd.trace(damped, 1.1, 12)
    history = trace.why()
    assert history.decisions[0].place.text == "s > 2.0"
    assert history.decisions[0].margin < 0.01
    assert history.inputs[0].influence == pytest.approx(1.0)


def test_why_of_a_zero():
    def variance(xs):
        total = squares = 0.0
        for x in xs:
            total += x
            squares += x * x
        return (squares - total * total / len(xs)) / (len(xs) - 1)

    history = vd.trace(variance, [1e9 + 1, 1e9 + 2, 1e9 + 3]).why()
    assert "shares of the largest" in str(history)
    assert max(cause.influence for cause in history.causes) == 1.0
    assert {cause.place.text for cause in history.inputs} == {"xs[0]", "xs[1]", "xs[2]"}


def test_what_if():
    trace = vd.trace(damped, 1.1, 3)
    again = trace.what_if(x=1.05)
    assert again.flipped == () or again.flipped[0].place.text == "s > 2.0"
    smaller = trace.what_if(x=1.11)
    assert not smaller.flipped
    assert smaller.result == damped(1.11, 3)
    assert trace.what_if(x=3.0).flipped
    node = trace.find(op="+")[-1]
    assert trace.what_if({node: 10.0}).values[node.id] == 10.0
    with pytest.raises(TraceError, match="no argument"):
        trace.what_if(z=1.0)


# ---- watching live, assertions


@pytest.mark.parametrize("kind", ["call", "operator", "in place"])
def test_stop_at_the_operation(kind):
    after = []

    def f(x):
        best = math.inf  # read, not computed
        if kind == "call":
            x = max(x, best)
        elif kind == "operator":
            x = x * 1e308
        else:
            x += 1.7e308
            x += 1.7e308
        after.append(x)
        return x

    watched = vd.visual_debug(f, stop="nonfinite")
    with pytest.raises(StoppedError, match=r"test_wrong_diagnoses\.py:\d+: `.*is not finite") as caught:
        watched(10.0)
    assert caught.value.value == math.inf
    assert not after
    trace = watched.trace
    assert trace.exception is caught.value
    assert trace[len(trace) - 1].raised


def test_stop_at_a_predicate_and_not_otherwise():
    watched = vd.visual_debug(damped, stop=lambda value: isinstance(value, float) and value > 2.5)
    assert watched(1.1, 12) == damped(1.1, 12)
    with pytest.raises(StoppedError):
        watched(3.0, 12)
    with pytest.raises(ValueError, match="nonfinite"):
        vd.visual_debug(damped, stop="nan")


def test_no_note_for_what_was_raised_on_purpose():
    @vd.visual_debug
    def refuse(x):
        if x > 1:
            raise ValueError("too large")
        return x

    with pytest.raises(ValueError, match="too large") as caught:
        refuse(2.0)
    assert not hasattr(caught.value, "__notes__")


def test_assertions():
    def bad(x):
        return math.sqrt(x + 1) - math.sqrt(x)

    def good(x):
        return 1 / (math.sqrt(x + 1) + math.sqrt(x))

    assert_digits(good, 1e12, digits=15)
    with pytest.raises(
        AssertionError, match=r"right to .* digits, not 10\n(.|\n)*math\.sqrt\(x \+ 1\) - math\.sqrt\(x\)"
    ):
        assert_digits(bad, 1e12, digits=10)
    assert_finite_gradient(good, 2.0)
    with pytest.raises(AssertionError, match="infinite derivative"):
        assert_finite_gradient(lambda x: math.sqrt(x), 0.0)


def test_conditions():
    condition = vd.trace(lambda x: x - 1.0, 1.0001).condition()
    assert condition.inputs["x"] == pytest.approx(10001)
    assert condition.value == pytest.approx(10001)
    assert condition.operations[0][1] == pytest.approx(10001)


def test_colours_are_fractions_and_labels():
    trace = vd.trace(lambda x: (math.sqrt(x + 1) - math.sqrt(x)) * x, 1e9)
    for report in (trace.nonfinite(), trace.truth(), trace.rounding(), trace.cancellations(), trace.condition(),
                   trace.gradient_health(), trace.why()):  # fmt: skip
        for node, (magnitude, label) in report.colours.items():
            assert 0 <= magnitude <= 1
            assert isinstance(label, str)
            assert trace[node]


def test_rounding_to_digits_is_no_wrong_rule():
    check = vd.trace(lambda q, r: round(8.9875517923e9 * q / r**2, 2), 15.5, 3.0).gradient_check()
    assert check.ok
    assert "round" in check.skipped


@pytest.mark.filterwarnings("error")
def test_complex_matrices_have_a_bound_that_sees_the_imaginary_part():
    def product(a, b):
        return abs((a @ b)[0, 0]) ** 2

    a, b = np.array([[1e-9 + 1j, 1e-9 + 2j]]), np.array([[1e-9 + 1j], [1e-9 + 3j]])
    report = vd.trace(product, a, b).rounding()
    assert 1e-15 < report.error < 1e-12
    assert vd.trace(lambda m: abs(np.linalg.inv(m)[0, 0]), np.array([[1j, 1], [2, 1j]])).cancellations().ok


def test_what_cancels_below_the_precision_of_the_estimate_is_not_estimated():
    def f(n):
        return (n * n + 1) * 0.5 - n * n / 2

    trace = vd.trace(f, 2**60 + 1)
    assert trace.truth().result == 0.5
    assert trace.rounding().estimate is None
    assert trace.rounding().error > 0.5


def test_large_integers_stay_integers_in_other_numbers():
    trace = vd.trace(lambda n: n**40 // 3 % 10**30, 2**70 + 1)
    assert trace.replay("mpmath").result == trace.result
    assert trace.replay("interval").result == trace.result
    assert not trace.truth().kept


def test_the_condition_of_a_result_of_0():
    assert vd.trace(lambda x: x - x, 1.5).condition().inputs == {"x": 0.0}
    assert vd.trace(lambda x: x - 1.5, 1.5).condition().inputs == {"x": math.inf}


def test_constants_do_not_explode():
    report = vd.trace(lambda x: 1e-10 * (x * 1e20), 1.0).gradient_health()
    assert report.exploding == ()


@pytest.mark.parametrize("question", ["rounding", "condition"])
def test_questions_of_one_number_say_so(question):
    with pytest.raises(vd.TraceError, match="is an array, and this is asked of one number: return the element"):
        getattr(vd.trace(lambda a: a * 2.0, np.ones(3)), question)()


def quadratic(a, b, c):
    return (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)


def test_arguments_of_an_assertion_may_be_a_tuple():
    pytest.importorskip("mpmath")
    assert_digits(quadratic, (1.0, 5.0, 1.0), digits=14)
    assert_digits(quadratic, 1.0, 5.0, c=1.0, digits=14)
    with pytest.raises(AssertionError, match=r"(?s)is right to 0\.6 digits, not 10.*-b \+ math\.sqrt"):
        assert_digits(quadratic, (1.0, 1e8, 1.0), digits=10)
    with pytest.raises(AssertionError, match=r"(?s)is not finite.*infinite derivative.*treat x == 0 apart"):
        assert_finite_gradient(lambda x: math.sqrt(x), (0.0,))
    assert_digits(lambda point: math.hypot(*point), (3.0, 4.0))
    assert_finite_gradient(lambda *xs: sum(xs), (3.0, 4.0))


def test_a_large_argument_with_a_small_derivative_has_not_lost_its_gradient():
    assert vd.trace(quadratic, 1.0, 1e8, 1.0).gradient_health().vanishing == ()


def test_a_stopped_call_is_told_shortly():
    @vd.visual_debug(stop="nonfinite")
    def squares(x):
        while True:
            x = x * x

    with pytest.raises(vd.StoppedError):
        squares(10.0)
    told = str(squares.trace.nonfinite())
    assert "StoppedError: the value was to be inf: " in told
    assert told.count("is not finite") == 0


def test_versions_of_a_function_by_another_name():
    def textbook(a, b, c):
        root = math.sqrt(b * b - 4 * a * c)
        return (-b + root) / (2 * a)

    def stable(a, b, c):
        root = math.sqrt(b * b - 4 * a * c)
        return (2 * c) / (-b - root)

    found = vd.trace(textbook, 1.0, 1e8, 1.0).compare(vd.trace(stable, 1.0, 1e8, 1.0))
    assert found.matched == 9  # the arguments, all of the root, and -b
    assert found.first is None
    assert 0.2 < found.result < 0.3
    assert [place.text for place in found.alone[0]] == ["-b + root", "2 * a", "(-b + root) / (2 * a)"]
    assert "only in the other run, to begin with:" in str(found)
    assert not found.ok


def test_an_expression_that_adds_is_named_once():
    def f(x, n):
        for _ in range(n):
            x = 3.9 * x * (1 - x)
        return x

    found = vd.trace(f, 0.3, 20).compare(vd.trace(f, np.float32(0.3), 20))
    texts = [difference.place.text for difference in found.added]
    assert len(texts) == len(set(texts)) == 3
    same = vd.trace(f, 0.3, 20).compare(vd.trace(f, 0.3 + 1e-12, 20))
    assert same.added == ()  # doubles both: all of it is inherited
    assert same.first.place.op == "input"
    assert len(same.colours) == len(same.differences) > 50


@pytest.mark.parametrize(
    "program",
    [
        lambda a: sum([a[0] * 2]).sum(),
        lambda a: sum(row * 0.1 for row in a[:1]).prod(),
        lambda a: sum([a[0]], a[1]).prod(),
        lambda a: sum(a[0], 0.7),
        lambda a: a[0, 0] * sum([], a[0, 0]),
        lambda a: max([a[0, 1]]) * 0.3,
        lambda a: sum([a[0, 0], 0.1], a[1, 1]),
    ],
)
def test_sums_of_one_array_and_with_a_start_are_evaluated_as_they_were_called(program):
    argument = np.array([[0.1, 0.2], [0.3, 0.7]])
    trace = vd.trace(program, argument)
    assert trace.what_if().result == trace.result
    assert float(trace.replay("longdouble").result) == pytest.approx(float(trace.result), rel=1e-15)
    assert trace.truth().digits > 14.5
    assert trace.rounding().digits > 14.5
    assert not trace.gradient_check().wrong


def test_numbers_read_from_text_are_taken_as_they_are():
    def least(x):
        best = float("inf")
        for text in ("2.5", "0.1"):
            best = min(best, float(text) * x)
        return best

    trace = vd.trace(least, 3.0)
    assert trace.truth().digits > 15
    assert float(trace.replay("longdouble").result) == pytest.approx(0.3)
    assert trace.rounding().digits > 15


def test_fsum_of_an_array():
    trace = vd.trace(lambda a: math.fsum(a) * 0.1, np.array([0.1, 0.2, 0.3]))
    assert trace.rounding().digits > 15
    assert trace.cancellations().ok


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_outside_the_domain_there_is_no_true_value():
    truth = vd.trace(lambda x: np.log(x).sum(), np.array([1.0, -1.0])).truth()
    assert math.isnan(truth.result)
    assert "no finite number" in str(truth)
    inside = vd.trace(lambda x: np.log(x).sum(), np.array([1.0, 2.0])).truth()
    assert inside.digits > 15


def chaotic(x, n):
    for _ in range(n):
        x = 3.9 * x * (1 - x)
    return x


def test_rounding_says_where_it_can_tell_nothing():
    report = vd.trace(chaotic, 0.4, 3000).rounding()  # whose adjoints grow until they overflow
    assert not math.isfinite(report.error)
    assert "cannot be told" in str(report) and "nan" not in str(report)
    assert {text for _, text in report.colours.values()} == {"it or its adjoint is not finite"}
    assert all(not math.isfinite(report.nodes[node]) for node in report.colours)
