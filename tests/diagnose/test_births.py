"""Gradients that are NaN though the value is not: the programs that users of other packages ask about."""

from __future__ import annotations

import math

import numpy as np
import pytest

import visual_debug as vd

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def safe_division(x):
    return np.where(x != 0, 1.0 / x, 0.0).sum()


def safe_division_guarded(x):
    return np.where(x != 0, 1.0 / np.where(x != 0, x, 1.0), 0.0).sum()


def entropy(p):
    return np.where(p > 0, p * np.log(p), 0.0).sum()


def entropy_guarded(p):
    return np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum()


def clipped_angle(x):
    return np.where(np.abs(x) < 1, np.arccos(x), 0.0).sum()


def clipped_angle_guarded(x):
    return np.where(np.abs(x) < 1, np.arccos(np.where(np.abs(x) < 1, x, 0.5)), 0.0).sum()


def second_branch(x):
    return np.where(x <= 0, 0.0, x**0.5).sum()


def second_branch_guarded(x):
    return np.where(x <= 0, 0.0, np.where(~(x <= 0), x, 1.0) ** 0.5).sum()


@pytest.mark.parametrize(
    ("function", "guarded", "x"),
    [
        (safe_division, safe_division_guarded, [1.0, 0.0, 2.0]),
        (entropy, entropy_guarded, [0.5, 0.0, 0.5]),
        (clipped_angle, clipped_angle_guarded, [0.3, 1.0, -1.0]),
        (second_branch, second_branch_guarded, [4.0, 0.0, -0.0]),
    ],
)
def test_a_branch_that_was_not_taken_and_the_guard(function, guarded, x):
    x = np.array(x)
    trace = vd.trace(function, x)
    health = trace.gradient_health()
    assert math.isfinite(trace.result)
    assert np.isnan(*trace.grad().values()).any()
    cause = health.bad[0]
    assert cause.kind == "0 * inf"
    assert cause.adjoint == 0
    assert math.isinf(cause.partial)
    assert not x[cause.element] or abs(x[cause.element]) == 1
    assert cause.masked.op == "numpy.where"
    assert "in place of " in cause.guard
    better = vd.trace(guarded, x)
    assert better.result == trace.result
    assert np.isfinite(*better.grad().values()).all()
    replacement = cause.guard.partition("use ")[2].partition(" in place of")[0]
    assert any(replacement in bad.guard for bad in health.bad)
    assert " ".join(replacement.split()) in {" ".join(n.source.text.split()) for n in better}


def births(function, *arguments):
    return vd.trace(function, *arguments).gradient_health()


def test_a_mask_by_multiplication_is_no_guard():
    health = births(lambda x: ((x > 0).astype(float) * np.sqrt(x)).sum(), np.array([1.0, 0.0]))
    (bad,) = health.bad
    assert (bad.kind, bad.element) == ("0 * inf", (1,))
    assert "a factor of 0 afterwards does not undo it" in str(health)


def test_distances_of_points_to_themselves():
    def distances(a):
        return np.sqrt(((a[:, None, :] - a[None, :, :]) ** 2).sum(-1)).sum()

    bad = births(distances, np.eye(2)).bad
    assert [(b.kind, b.place.op, b.element) for b in bad[:2]] == [
        ("infinite derivative", "numpy.sqrt", (0, 0)),
        ("0 * inf", "pow", (0, 0, 0)),
    ]
    assert "its adjoint is infinite already" in bad[1].guard


def test_nothing_is_said_about_constants():
    health = births(lambda x: np.where(x != 0, 1.0 / x, 0.0).sum(), np.array([0.0, 2.0]))
    assert len(health.bad) == 1
    assert births(lambda x: 0.0 * math.sqrt(0.0 * 1.0) + x, 1.0).finite


def test_values_that_are_nan_before_any_gradient():
    def cross_entropy(z):
        e = np.exp(z)
        return -np.log(e[0] / e.sum())

    health = births(cross_entropy, np.array([800.0, 1.0]))
    assert health.forward
    assert health.bad[0].kind == "the value is not finite"
    assert "nonfinite() tells" in str(health)


@pytest.mark.parametrize(
    ("function", "arguments", "kind", "word"),
    [
        (
            lambda x: np.arccos(np.clip(x, -1, 1)).sum(),
            (np.array([1.0, 0.3]),),
            "infinite derivative",
            "a little inside",
        ),
        (lambda x, p: (x**p).sum(), (np.array([0.0, 2.0]), np.array([0.0, 1.5])), "infinite derivative", "x == 0"),
        (lambda x, y: math.atan2(y, x), (0.0, 0.0), "undefined derivative", "origin"),
        (lambda x: math.sqrt(x) * 0.0, (0.0,), "0 * inf", "x == 0"),
        (lambda a, b: a / (b - 1e-200), (1.0, 0.0), "overflow", "with b - 1e-200 so small"),
    ],
)
def test_the_kind_and_what_to_write(function, arguments, kind, word):
    bad = births(function, *arguments).bad[-1]
    assert bad.kind == kind
    assert word in bad.guard


def test_conventions_at_0_are_named():
    kinks = births(lambda x: np.std(x) + np.linalg.norm(x - 1.0), np.ones(3)).kinks
    assert [kink.what for kink in kinks] == ["std at 0", "norm at 0"]
