"""Gradients of calls that went as earlier ones did have the bits of an ordinary sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import visual_debug as vd
from tests.rules.table import cases, programs
from visual_debug import rules
from visual_debug.sweeps import schedule

CASES = [text for block in cases.ALL.values() for text in block.strip().split("\n")]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What each run of a schedule gave, None if it was given up."""
    found: list[Any] = []
    original = schedule.Schedule.run

    def noted(self: Any, *args: Any) -> Any:
        found.append(original(self, *args))
        return found[-1]

    monkeypatch.setattr(schedule.Schedule, "run", noted)
    yield found


def plain_gradient(trace: vd.Trace, monkeypatch: pytest.MonkeyPatch, **how: Any) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr(schedule, "gradients", lambda *_: None)
        return trace.grad(**how)


def bits(gradient: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (type(value), np.asarray(value).dtype, np.shape(value), np.asarray(value).tobytes())
        for name, value in gradient.items()
    }


@pytest.mark.filterwarnings("ignore")
def test_the_table(runs: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled = 0
    for text in CASES:
        operands = programs.arguments(text)
        if not all(type(operand) in (float, np.ndarray) for operand in operands):
            continue
        recorded = vd.visual_debug(programs.function(text))
        runs.clear()
        try:
            for factor in (1.0, 1.0, 1.0, 1.0, 0.9375):  # exact, and in all domains
                recorded(*(operand * factor for operand in operands))
                seed = programs.weights(recorded.trace.result)
                found = recorded.trace.grad(seed=seed)
        except (AttributeError, np.linalg.LinAlgError):
            continue  # not in this NumPy, or no longer orthogonal
        scheduled += bool(runs) and runs[-1] is not None
        assert bits(found) == bits(plain_gradient(recorded.trace, monkeypatch, seed=seed)), text
    assert scheduled > 300


def network(w, bias, x):
    hidden = np.tanh(x @ w + bias)
    out = np.maximum(hidden @ w.T, 0.1 * x) * hidden.mean(axis=0, keepdims=True)[:, :1].sum()
    return np.mean((out - x) ** 2) + 1e-3 * (w * w).sum() + w.sum() / w.size


def layers(w, bias, x):
    hidden = np.tanh(x @ w + bias)
    out = np.maximum(hidden @ w.T, 0.1 * x)
    return np.mean((out - x) ** 2) + 1e-3 * (w * w).sum() + w.sum() / w.size


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize(("function", "is_scheduled"), [(layers, True), (network, False)])
def test_a_network_being_trained(
    kind: Any, function: Any, is_scheduled: bool, runs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    w, bias, x = (rng.normal(size=shape).astype(kind) for shape in ((4, 3), (3,), (7, 4)))
    recorded = vd.visual_debug(function)
    for wrt in ("w", ("w", "bias"), "x"):
        for _ in range(6):
            recorded(w, bias, x)
            found = recorded.trace.grad((wrt,) if isinstance(wrt, str) else wrt)
            assert bits(found) == bits(plain_gradient(recorded.trace, monkeypatch, wrt=tuple(found)))
            w = w - 0.1 * recorded.trace.grad("w")
            w = w.astype(kind)
    assert any(run is not None for run in runs) == is_scheduled


def test_other_rules_make_other_schedules(runs: list[Any]) -> None:
    recorded = vd.visual_debug(lambda a: np.sum(np.tanh(a) * a))
    a = np.linspace(-1.0, 1.0, 5)
    for _ in range(5):
        recorded(a)
        expected = recorded.trace.grad("a")
    assert runs
    trace = recorded.trace
    vd.rule(np.tanh, "7")
    try:
        np.testing.assert_array_equal(trace.grad("a"), 7 * a + np.tanh(a))
    finally:
        rules.forget(np.tanh)
    np.testing.assert_array_equal(trace.grad("a"), expected)


def test_a_corner_that_the_first_calls_did_not_meet() -> None:
    recorded = vd.visual_debug(lambda a, y: np.sum(a) ** y)
    for _ in range(5):
        recorded(np.array([1.0, 2.0]), 2.0)
        recorded.trace.grad()
    recorded(np.array([1.0, -2.0]), 2.0)
    with pytest.raises(vd.NoDerivativeError, match="negative base"):
        recorded.trace.grad("y")


def test_a_schedule_keeps_no_array_alive() -> None:
    import weakref

    recorded = vd.visual_debug(lambda a: np.sum(np.exp(a) * a))
    watched = []
    for _ in range(6):
        a = np.ones(5000)
        watched.append(weakref.ref(a))
        recorded(a)
        recorded.trace.grad("a")
    recorded(np.ones(3))
    del a
    assert [ref() for ref in watched] == [None] * 6
