"""Loops that write to parts of an array: what is kept is as much as was written, and versions are still exact."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

import visual_debug as vd


def recurrence(u):
    t = np.zeros(len(u))
    t[0] = u[0]
    for i in range(1, len(u)):
        t[i] = 0.5 * t[i - 1] + u[i]
    return t[-1] + t[len(u) // 2]


def table(u):
    n = int(len(u) ** 0.5)
    a = u[: n * n].reshape(n, n).copy()
    for i in range(1, n):
        for j in range(1, n):
            a[i, j] += 0.3 * (a[i - 1, j] + a[i, j - 1])
    return a[-1, -1]


def rows(u):
    n = int(len(u) ** 0.5) * 2
    a = np.zeros((n, n))
    a[0, :] = u[0]
    for i in range(1, n):
        a[i, :] += 0.5 * a[i - 1] + u[i]
    return a[-1].sum()


def columns_of_views(u):
    a = np.zeros((8, len(u)))
    view = a.T
    for i in range(1, len(u)):
        view[i, :] += 0.5 * view[i - 1] + u[i]
    return a[:, -1].sum()


LOOPS = [recurrence, table, rows, columns_of_views]


@pytest.mark.parametrize("loop", LOOPS)
def test_gradients(loop) -> None:
    u = np.random.default_rng(1).normal(size=25)
    gradient = vd.trace(loop, u).grad("u")
    for i in range(len(u)):  # all of these are linear
        unit = np.zeros(len(u))
        unit[i] = 1.0
        assert gradient[i] == pytest.approx(loop(u + unit) - loop(u), abs=1e-9)


@pytest.mark.parametrize("loop", [recurrence, table])
def test_memory_is_that_of_what_was_written(loop) -> None:
    u = np.ones(2500)
    traced = vd.visual_debug(loop)
    traced(u)
    tracemalloc.start()
    traced(u)
    recorded = tracemalloc.get_traced_memory()[0]
    len(traced.trace)
    traced.trace.grad()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert recorded < 5e6  # 2500 copies of 2500 numbers would be 50 MB
    assert peak < 25e6


@pytest.mark.parametrize("loop", [recurrence, columns_of_views])
def test_time_grows_as_the_number_of_writes(loop) -> None:
    def seconds(n: int) -> float:
        begin = time.process_time()
        vd.trace(loop, np.ones(n)).grad()
        return time.process_time() - begin

    seconds(50)
    assert seconds(4000) < 30 * seconds(400)


def test_each_version_is_shown_as_it_was_in_any_order() -> None:
    trace = vd.trace(recurrence, np.arange(1.0, 9.0))
    writes = trace.find(op="setitem")
    final = writes[-1].value
    for order in (range(8), reversed(range(8)), (3, 6, 0, 5, 1, 7, 2, 4)):
        for k in order:
            expected = np.where(np.arange(8) <= k, final, 0.0)
            assert writes[k].value.tolist() == expected.tolist()


def test_indices_of_all_kinds() -> None:
    def f(a, where):
        b = a * 1.0
        b[where] = b[where] * 2.0
        where[0] = 0  # the index is kept as it was
        b[[0, 0, 1]] = a[:3]
        b[b > 2.0] -= 1.0
        b[np.int64(1)] = a[0]
        b[...] = b[::-1]
        b[1:3] = b[0:2]
        b[None, 2] *= 3.0
        return (b * np.arange(1.0, 5.0)).sum()

    a = np.array([0.5, 1.25, 2.5, 3.0])
    trace = vd.trace(f, a, np.array([1, 3]))
    assert trace.result == f(a, np.array([1, 3]))
    gradient = trace.grad("a")
    for i in range(4):
        unit = np.zeros(4)
        unit[i] = 1e-6
        slope = (f(a + unit, np.array([1, 3])) - f(a - unit, np.array([1, 3]))) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-6)
    assert trace.find(op="setitem")[0].value.tolist() == [0.5, 2.5, 2.5, 6.0]


def test_writes_that_fail_change_nothing() -> None:
    def f(a):
        b = a * 1.0
        b[0] = 5.0
        try:
            b[7] = 1.0
        except IndexError:
            b[1] = 6.0
        return b.sum()

    trace = vd.trace(f, np.array([1.0, 2.0, 3.0]))
    assert trace.result == 14.0
    assert trace.grad("a").tolist() == [0.0, 0.0, 1.0]
    assert trace.find(op="mul")[0].value.tolist() == [1.0, 2.0, 3.0]


def test_changes_of_shape_between_writes() -> None:
    def f(a):
        b = a * 1.0
        b[1] = 9.0
        b.shape = (2, 2)
        b[1, 1] = 7.0
        b.shape = (4,)
        b[0] = 8.0
        return b.sum()

    trace = vd.trace(f, np.array([1.0, 2.0, 3.0, 4.0]))
    assert trace.find(op="mul")[0].value.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert [node.value.tolist() for node in trace.find(op="setitem")] == [
        [1.0, 9.0, 3.0, 4.0],
        [[1.0, 9.0], [3.0, 7.0]],
        [8.0, 9.0, 3.0, 7.0],
    ]
    assert trace.grad("a").tolist() == [0.0, 0.0, 1.0, 0.0]


def test_code_that_is_not_recorded_between_writes() -> None:
    names: dict = {}
    exec("def helper(x, i): x[i] = 99.0\ndef looks(x): return float(x.sum())", names)  # noqa: S102
    helper, looks = names["helper"], names["looks"]

    def f(a):
        b = a * 1.0
        b[0] = 5.0
        looks(b)
        b[1] = 6.0
        helper(b, 2)
        b[1] = 7.0
        return b[0] + b[1] + b[2]

    trace = vd.trace(f, np.array([1.0, 2.0, 3.0]))
    assert trace.result == 111.0
    assert [n.value.tolist() for n in trace.find(op="setitem")] == [[5.0, 2.0, 3.0], [5.0, 6.0, 3.0], [5.0, 7.0, 99.0]]
    assert trace.find(op="mul")[0].value.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(vd.NoDerivativeError):
        trace.grad()


def test_a_large_array_changed_unseen_between_writes_is_lost() -> None:
    names: dict = {}
    exec("def helper(x): x[0] = 99.0", names)  # noqa: S102
    helper = names["helper"]

    def f(a):
        b = np.resize(a, 200_000)
        s = (b * b).sum()
        b[1] = 5.0
        helper(b)
        b[2] = 6.0
        return s + b[2]

    trace = vd.trace(f, np.array([1.0, 2.0, 3.0]))
    first, second = trace.find(op="setitem")
    assert repr(first.value) == "<lost: overwritten by code that was not recorded>"
    assert second.value[:3].tolist() == [99.0, 5.0, 6.0]
    with pytest.raises(vd.NoDerivativeError):
        trace.grad()


def test_saved_and_cut_out_traces_hold_the_versions(tmp_path) -> None:
    trace = vd.trace(recurrence, np.arange(1.0, 6.0))
    loaded = vd.load(trace.save(tmp_path / "t.trace"))
    part = trace.slice(trace.find(op="setitem")[2])
    for node, other in zip(trace, loaded, strict=True):
        assert np.array_equal(node.value, other.value)
    assert part.find(op="setitem")[-1].value.tolist() == trace.find(op="setitem")[2].value.tolist()
    assert [s.index for s in trace.steps()][-1] == len(trace.steps()) - 1
