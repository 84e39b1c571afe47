"""Arrays that code writes to which is not recorded: their old content stays true, or is shown as lost."""

from __future__ import annotations

import collections
import functools
import random

import numpy as np
import pytest
import scipy.linalg

import visual_debug as vd
from visual_debug.columns import OVERWRITTEN

START = np.array([1.0, 2.0, 3.0])
names: dict = {"random": random}
exec("def helper(x): x[0] = 99.0\ndef looks(x): return float(x.sum())", names)  # noqa: S102
helper, looks = names["helper"], names["looks"]  # in no file, so that they are not followed


def values(trace: vd.Trace, op: str) -> list:
    return [node.value.tolist() for node in trace.find(op=op)]


def test_python_code_that_is_not_recorded() -> None:
    def f(a):
        b = a * 2
        s = b.sum()
        helper(b)
        return b.sum() + s

    trace = vd.trace(f, START)
    assert trace.result == 121.0
    assert values(trace, "mul") == [[2.0, 4.0, 6.0]]
    with pytest.raises(vd.NoDerivativeError, match="helper"):
        trace.grad()


def test_a_large_array_is_lost_and_says_so_unless_it_is_always_kept() -> None:
    def f(a):
        b = np.resize(a, 200_000)
        s = (b * b).sum()
        helper(b)
        return s

    trace = vd.trace(f, START)
    assert trace.find(op="numpy.resize")[0].value is OVERWRITTEN
    with pytest.raises(vd.NoDerivativeError, match="snapshots="):
        trace.grad()
    always = vd.visual_debug(f, snapshots="always")
    always(START)
    assert always.trace.find(op="numpy.resize")[0].value[:3].tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(always.trace.grad("a"), 2 * START * [66667, 66667, 66666])


def test_a_large_array_that_was_only_looked_at_is_not_lost() -> None:
    def f(a):
        b = np.resize(a, 200_000)
        return (b * b).sum() + looks(b) * 0

    assert vd.trace(f, START).find(op="numpy.resize")[0].value.shape == (200_000,)


def test_functions_that_write_where_asked_to() -> None:
    def overwrites(m):
        m = m * 1.0
        scipy.linalg.solve(m, [1.0, 2.0], overwrite_a=True)
        return m.sum()

    matrix = np.array([[1.0, 2.0], [3.0, 4.0]], order="F")
    trace = vd.trace(overwrites, matrix)
    assert values(trace, "mul") == [matrix.tolist()]
    with pytest.raises(vd.NoDerivativeError):
        trace.grad()

    def returns_what_it_overwrites(m):
        m = m * 1.0
        scipy.linalg.lu_factor(m, overwrite_a=True)
        return m.sum()  # 3 + 4 + 1/3 + (2 - 4/3)

    trace = vd.trace(returns_what_it_overwrites, matrix)
    assert values(trace, "mul") == [matrix.tolist()]
    np.testing.assert_allclose(trace.grad("m"), [[1 / 3 - 4 / 3, 1.0], [1 - 1 / 9 + 4 / 9, 1 - 1 / 3]])

    def in_place(a):
        b = a * 1.0
        b[0] = np.nan
        np.nan_to_num(b, copy=False, nan=5.0)
        return b.sum()

    assert vd.trace(in_place, START).grad("a").tolist() == [0.0, 1.0, 1.0]


def test_an_array_in_a_list_of_arguments() -> None:
    names: dict = {}
    exec("def helper(items): items[0][0] = 99.0", names)  # noqa: S102
    change = names["helper"]

    def f(a):
        b = a * 2
        change([b])
        return b.sum()

    trace = vd.trace(f, START)
    assert values(trace, "mul") == [[2.0, 4.0, 6.0]]
    with pytest.raises(vd.NoDerivativeError):
        trace.grad()


class Held:
    pass


class Slotted:
    __slots__ = ("b", "never")


def holding(b, kind=Held):
    held = kind()
    held.b = b
    return held


exec(  # noqa: S102
    """
def of_object(held): held.b[0] = 99.0
def of_dict(held): held["x"]["b"][0] = 99.0
def of_lists(held): held[0][0][0][0] = 99.0
def closing(b):
    def write(): b[0] = 99.0
    return write
""",
    names,
)
HIDDEN = {
    "object": lambda b: names["of_object"](holding(b)),
    "slots": lambda b: names["of_object"](holding(b, Slotted)),
    "dicts": lambda b: names["of_dict"]({"x": {"b": b}}),
    "lists": lambda b: names["of_lists"]([[[b]]]),
    "object in a deque": lambda b: names["of_lists"](collections.deque([[holding([b]).b]])),
    "partial": lambda b: functools.partial(names["of_object"], holding(b))(),
    "map": lambda b: list(map(names["of_object"], [holding(b)])),
    "closure": lambda b: names["closing"](b)(),
    "exec": lambda b: exec("held.b[0] = 99.0", {"held": holding(b)}),  # noqa: S102
    "eval": lambda b: eval("held.b.fill(99.0)", {"held": holding(b)}),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_an_array_that_code_reaches_through_others(place: str) -> None:
    hand_over = HIDDEN[place]

    def f(a):
        b = a * 2
        s = (b * b).sum()
        hand_over(b)
        return s, b

    trace = vd.trace(f, START)
    assert trace.result[1][0] == 99.0
    assert values(trace, "mul")[0] == [2.0, 4.0, 6.0]
    assert trace.grad("a", of=0).tolist() == [8.0, 16.0, 24.0]
    with pytest.raises(vd.NoDerivativeError):
        trace.grad("a", of=1, seed=np.ones(3))


def test_looking_for_arrays_runs_no_code_of_classes() -> None:
    class Odd:
        def __getattribute__(self, name):
            raise AssertionError(name)

        def __eq__(self, other):
            raise AssertionError

        __hash__ = None
        __iter__ = __len__ = __eq__

    def f(a, odd):
        return looks(a) + names["takes"](odd)

    exec("def takes(odd): return 1.0", names)  # noqa: S102
    assert vd.trace(f, START, [Odd()]).result == 7.0


def test_the_option_is_checked() -> None:
    with pytest.raises(ValueError, match="snapshots"):
        vd.visual_debug(lambda x: x, snapshots="never")


@pytest.mark.parametrize("option", ["writes", "always"])
def test_many_calls_share_one_copy(option: str) -> None:
    @vd.visual_debug(snapshots=option)
    def f(a):
        s = 0.0
        for _ in range(50):
            s += looks(a)
        return s

    f(np.ones(1000))
    kept = f.trace._tape.snapshots
    assert len(kept) >= 50
    assert len({id(snapshot.content) for snapshot in kept}) == 1
