"""The decorator: what it returns behaves as the plain function, and every call leaves a trace."""

from __future__ import annotations

import colorsys
import copy
import functools
import inspect
import math
import pickle
import sys
import threading
import traceback

import pytest

import visual_debug as vd
from visual_debug import visual_debug


@visual_debug
def scaled(x, y=2, *rest, factor=3, **more):
    """Docstring of scaled."""
    return x * y * factor + sum(rest) + sum(more.values())


def quotient(a, b):
    return 1 + a / b


class Body:
    """Methods of every kind."""

    def __init__(self, mass):
        self.mass = mass

    @visual_debug
    def momentum(self, v):
        return self.mass * v

    @visual_debug
    @classmethod
    def heavy(cls, m):
        return m * 10 if cls.__name__ == "Body" else 0

    @visual_debug
    @staticmethod
    def energy(m, v):
        return 0.5 * m * v**2

    @visual_debug
    @property
    def weight(self):
        return self.mass * 9.81


def test_result_is_the_plain_one_for_every_kind_of_argument():
    plain = scaled.__wrapped__
    for args, kwargs in [((1,), {}), ((1.5, 4), {}), ((1, 2, 3, 4), {"factor": 5, "k": 7}), ((2,), {"y": 8})]:
        assert scaled(*args, **kwargs) == plain(*args, **kwargs)
        assert type(scaled(*args, **kwargs)) is type(plain(*args, **kwargs))


def test_it_is_a_function_with_the_plain_ones_face():
    assert inspect.isfunction(scaled)
    assert inspect.signature(scaled) == inspect.signature(scaled.__wrapped__)
    assert (scaled.__name__, scaled.__doc__, scaled.__module__) == ("scaled", "Docstring of scaled.", __name__)
    assert inspect.getsource(scaled) == inspect.getsource(scaled.__wrapped__)
    assert scaled.__code__.co_varnames[: scaled.__code__.co_argcount] == ("x", "y")


def test_wrong_arguments_raise_what_they_raise_plainly():
    def message(function, *args):
        with pytest.raises(TypeError) as info:
            function(*args)
        return str(info.value)

    assert message(visual_debug(quotient)) == message(quotient)
    assert message(visual_debug(quotient), 1, 2, 3) == message(quotient, 1, 2, 3)


def test_no_name_is_added_to_locals_or_globals():
    @visual_debug
    def look(x):
        y = x + 1
        return sorted(locals()), y

    before = set(look.__globals__)
    assert look(1) == (["x", "y"], 2)
    assert set(look.__globals__) == before


def test_methods_of_every_kind():
    body = Body(2.0)
    assert body.momentum(3.0) == 6.0
    assert Body.momentum.trace.grad("v") == 2.0
    assert Body.heavy(3) == 30
    assert vars(Body)["heavy"].__func__.trace.grad("m") == 10
    assert Body.energy(2.0, 3.0) == 9.0
    assert Body.energy.trace.grad() == {"m": 4.5, "v": 6.0}
    assert body.weight == 19.62
    assert isinstance(vars(Body)["weight"], property)
    bound = visual_debug(Body(5.0).momentum)
    assert inspect.ismethod(bound)
    assert bound(2.0) == 10.0


def test_f_trace_before_the_first_call_says_so():
    fresh = visual_debug(quotient)
    with pytest.raises(vd.TraceError, match="quotient has no trace yet: call it first"):
        fresh.trace.grad()
    with pytest.raises(vd.TraceError):
        len(fresh.trace)


def test_keep():
    kept = visual_debug(keep=3)(quotient)
    for b in (1, 2, 4, 5):
        kept(1, b)
    assert [t.result for t in kept.traces] == [1.5, 1.25, 1.2]
    assert kept.trace is kept.traces[-1]
    with pytest.raises(ValueError, match="keep=0"):
        visual_debug(keep=0)(quotient)


def test_a_call_that_raises_raises_the_same_and_leaves_its_trace():
    traced = visual_debug(quotient)
    with pytest.raises(ZeroDivisionError) as info:
        traced(3.0, 0.0)
    trace = traced.trace
    assert trace.exception is info.value
    assert trace.result is None
    last = trace[-1]
    assert (last.op, last.operands, last.value, last.raised) == ("truediv", (0, 1), None, True)
    with pytest.raises(vd.TraceError, match="raised ZeroDivisionError"):
        trace.grad()


def test_traceback_shows_the_users_lines_only():
    traced = visual_debug(quotient)
    with pytest.raises(ZeroDivisionError) as info:
        traced(1, 0)
    own = [entry for entry in traceback.extract_tb(info.value.__traceback__) if entry.filename != __file__]
    assert own == []
    last = traceback.extract_tb(info.value.__traceback__)[-1]
    assert (last.line, last.lineno) == ("return 1 + a / b", quotient.__code__.co_firstlineno + 1)


@pytest.mark.parametrize(
    ("thing", "why"),
    [
        (math.sin, "sin is a builtin or C function"),
        (len, "len is a builtin"),
        (float, "float is a class: decorate its methods"),
        (Body, "Body is a class"),
        (3, "no function"),
    ],
)
def test_untraceable_things_are_refused_by_name(thing, why):
    for attempt in (visual_debug, vd.trace):
        with pytest.raises(vd.UntraceableError, match=why):
            attempt(thing)


def test_environment_switch_leaves_functions_alone(monkeypatch):
    monkeypatch.setenv("VISUAL_DEBUG", "0")
    assert visual_debug(quotient) is quotient
    assert visual_debug(keep=2)(quotient) is quotient


def test_trace_of_any_callable():
    assert vd.trace(quotient, 1.0, b=4.0).grad() == {"a": 0.25, "b": -0.0625}
    assert vd.trace(scaled, 2, 5).result == 30
    assert vd.trace(lambda x: x * x, 3).grad("x") == 6
    assert vd.trace(functools.partial(quotient, 1.0), b=4.0).grad() == {"a": 0.25, "b": -0.0625}
    with pytest.raises(vd.UntraceableError, match="partial, no Python function"):
        visual_debug(functools.partial(quotient, 1))
    with pytest.raises(ZeroDivisionError):
        vd.trace(quotient, 1, 0)


def helper(x):
    return x * x


@visual_debug
def decorated_helper(x):
    return x * x


def test_follow():
    def calls(x):
        return helper(x) + math.sqrt(x) + statistics_mean([x, x])

    def names(trace):
        return {node.function.rpartition(".")[2] for node in trace}

    from statistics import mean as statistics_mean

    followed = visual_debug(calls)
    followed(4.0)
    assert names(followed.trace) == {"calls", "helper"}
    nothing = visual_debug(follow=())(calls)
    nothing(4.0)
    assert names(nothing.trace) == {"calls"}
    with pytest.raises(vd.NoDerivativeError, match="helper"):
        nothing.trace.grad()
    only = visual_debug(follow=[helper, "statistics"])(calls)
    only(4.0)
    assert {"calls", "helper", "mean"} <= names(only.trace)
    everything = visual_debug(follow="all")(calls)
    everything(4.0)
    assert "mean" in names(everything.trace)
    with pytest.raises(TypeError, match="follow='some'"):
        visual_debug(follow="some")(calls)
    with pytest.raises(TypeError, match="follow: 3"):
        visual_debug(follow=[3])(calls)


def test_a_decorated_function_called_by_another_records_into_its_trace():
    @visual_debug
    def outer(x):
        return decorated_helper(x) + 1

    assert outer(3) == 10
    assert outer.trace.grad() == {"x": 6}
    assert [node.call for node in outer.trace] == [0, 1, 0, 0]


def test_recursion_through_the_decorated_name_is_one_trace():
    @visual_debug(keep=5)
    def factorial(n, x):
        return x if n == 0 else n * factorial(n - 1, x)

    assert factorial(4, 2.0) == 48.0
    assert len(factorial.traces) == 1
    assert factorial.trace.grad("x") == 24.0
    assert max(node.call for node in factorial.trace) == 4


def test_recording_collects_in_this_context_only():
    traced = visual_debug(quotient)
    with vd.recording() as traces:
        traced(1, 2)
        thread = threading.Thread(target=traced, args=(1, 4))
        thread.start()
        thread.join()
        traced(1, 8)
    traced(1, 16)
    assert [t.result for t in traces] == [1.5, 1.125]


def test_threads_do_not_mix():
    traced = visual_debug(keep=40)(run_long)
    threads = [threading.Thread(target=traced, args=(float(i), 300)) for i in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(t.result for t in traced.traces) == sorted(run_long(float(i), 300) for i in range(8))
    for trace in traced.traces:
        assert trace[-1].value == trace.result
        assert trace.find(op="helper") == []
        assert len(trace) == len(traced.traces[0])


def run_long(x, n):
    for _ in range(n):
        x = helper(x) / (1 + x)
    return x


def test_it_pickles_and_copies_by_name():
    assert pickle.loads(pickle.dumps(scaled)) is scaled
    assert copy.deepcopy(scaled) is scaled


def luma(x):
    return colorsys.rgb_to_yiq(x, 2 * x, 3 * x)[0] * x


def test_trace_keeps_to_the_options_of_a_decorated_function():
    with pytest.raises(vd.NoDerivativeError, match="follow="):
        vd.trace(luma, 2.0).grad()
    with pytest.raises(vd.NoDerivativeError, match=r"Python function that was not recorded.*follow='all'"):
        vd.trace(lambda x: colorsys._v(x, 2 * x, 0.1), 2.0).grad()
    expected = 2 * 2.0 * (0.30 + 2 * 0.59 + 3 * 0.11)
    assert vd.trace(visual_debug(luma, follow="all"), 2.0).grad("x") == pytest.approx(expected)
    assert vd.trace(visual_debug(luma, follow=[colorsys]), 2.0).grad("x") == pytest.approx(expected)

    def grow(x):
        for _ in range(100):
            x = x * 1.5
        return x

    assert vd.trace(visual_debug(grow, limit=20), 2.0).truncated
    with pytest.raises(vd.StoppedError):
        vd.trace(visual_debug(grow, stop=lambda value: value > 100), 2.0)
