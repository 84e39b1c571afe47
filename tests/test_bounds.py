"""Bounded memory: `limit`, `last`, texts that grow, and objects that a trace does not keep alive."""

from __future__ import annotations

import gc
import math
import sys
import tracemalloc
import weakref

import pytest

import visual_debug as vd
from visual_debug import visual_debug

# ---- limit


def logistic(x, n):
    i = 0
    while i < n:
        x = 3.7 * x * (1 - x)
        i += 1
    return x


def helper(x, k):
    return math.sin(x) + k


def calling(x, n):
    total = 0.0
    for k in range(n):
        total += helper(x, k)
    return total


def recursive(n, x):
    return x if n < 2 else recursive(n - 1, x) + recursive(n - 2, x)


def caught(x, n):
    for i in range(n):
        try:
            x = x / (i % 3)
        except ZeroDivisionError:
            x = x + 1.0
        finally:
            x = x * 0.5
    return x


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(logistic, (0.3, 3000)), (calling, (0.5, 2000)), (recursive, (17, 1.5)), (caught, (1.0, 999))],
)
@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_past_the_limit_the_function_runs_on_unrecorded(function, arguments, limit):
    traced = visual_debug(function, limit=limit)
    assert traced(*arguments) == function(*arguments)
    trace = traced.trace
    assert trace.truncated
    assert trace.result == function(*arguments)
    assert len(trace._tape.values) < limit + 20_000
    whole = vd.trace(function, *arguments)
    assert not whole.truncated
    for node, same in zip(trace, whole, strict=False):
        assert (node.op, node.value, node.operands) == (same.op, same.value, same.operands)
    with pytest.raises(vd.TraceError, match=f"limit of {limit} values"):
        trace.grad()
    assert trace.grad(of=trace[len(trace) - 1]) is not None


def test_a_trace_within_its_limit_is_whole():
    traced = visual_debug(logistic, limit=60)
    traced(0.3, 10)
    assert not traced.trace.truncated
    assert traced.trace.grad("x") == vd.trace(logistic, 0.3, 10).grad("x")


def test_a_generator_past_its_limit():
    @visual_debug(limit=50)
    def count(x):
        while True:
            x = x + 1.0
            yield x

    generator = count(0.0)
    assert [next(generator) for _ in range(5000)] == [1.0 + i for i in range(5000)]
    generator.close()
    assert count.trace.truncated
    assert 10 < len(count.trace) < 100


@pytest.mark.parametrize("option", [{"limit": 0}, {"last": 0}, {"keep": 0}])
def test_bounds_must_be_positive(option):
    with pytest.raises(ValueError, match="at least one"):
        visual_debug(logistic, **option)


# ---- last


@pytest.mark.parametrize("last", [20, 200, 2000])
def test_a_flight_recorder_keeps_the_newest_values(last):
    traced = visual_debug(logistic, last=last)
    n = 20_000
    assert traced(0.3, n) == logistic(0.3, n)
    trace = traced.trace
    assert last <= len(trace._tape.values) < 4 * last + 100
    assert trace.result == logistic(0.3, n)
    assert trace.outputs.value == trace.result
    begin = trace.find(name="x", op="input")[0]
    turns = len(trace.find(name="x")) - 1
    slope = (logistic(begin.value + 1e-9, min(turns, 5)) - logistic(begin.value, min(turns, 5))) / 1e-9
    fifth = trace.find(name="x")[min(turns, 5)]
    part = trace.slice(fifth)
    assert part.adjoints[part.find(name="x", op="input")[0].id] == pytest.approx(slope, rel=1e-3)
    with pytest.raises(vd.TraceError, match="its arguments are not among them"):
        trace.grad()


def test_a_flight_recorder_in_nested_loops_with_calls():
    @visual_debug(last=500)
    def f(x, n):
        total = 0.0
        for k in range(n):
            for j in range(3):
                total += helper(x, j) * k
            total = total - sum(v * 0.5 for v in (x, k))
        return total

    assert f(0.5, 2000) == f.__wrapped__(0.5, 2000)
    trace = f.trace
    assert len(trace._tape.values) < 2100
    last = trace.find(name="total")[-4]
    assert last.op == "add"
    (product,) = [trace[i] for i in last.operands if trace[i].op == "mul"]
    sine, k = (trace[i] for i in product.operands)
    assert k.value == 1999
    assert sine.value * k.value == product.value


def test_a_short_run_of_a_flight_recorder_is_whole():
    traced = visual_debug(logistic, last=1000)
    traced(0.3, 5)
    assert traced.trace.grad("x") == vd.trace(logistic, 0.3, 5).grad("x")


# ---- what is not kept


def test_a_text_that_grows_is_not_kept_at_each_of_its_lengths():
    @visual_debug
    def f(n, x):
        text = ""
        for _ in range(n):
            text += "ten bytes."
        return len(text) * x

    tracemalloc.start()
    try:
        assert f(100_000, 2.0) == 2_000_000.0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000  # 50 GB otherwise
    assert f.trace.grad("x") == 1_000_000


def test_a_number_that_went_through_a_growing_text_is_not_taken_for_a_constant():
    @visual_debug
    def f(x):
        text = "1"
        text += str(x)
        return float(text) * x

    assert f(5) == 75.0
    with pytest.raises(vd.NoDerivativeError):
        f.trace.grad()


class Thing:
    def __init__(self, x):
        self.x = x

    def scaled(self, k):
        return self.x * k


def test_objects_die_when_they_would():
    seen = []

    @visual_debug
    def f(x):
        thing = Thing(x)
        alive = weakref.ref(thing)
        y = thing.scaled(3.0)
        del thing
        seen.append(alive())

        def numbers():
            yield x

        generator = numbers()
        alive = weakref.ref(generator)
        y += next(generator)
        del generator
        seen.append(alive())
        return y

    assert f(2.0) == 8.0
    assert seen == [None, None]
    assert f.trace.grad() == {"x": 4.0}


def test_frames_of_generators_are_cleared_when_asked():
    seen = []

    def plain(x):
        thing = Thing(x)
        alive = weakref.ref(thing)

        def numbers(thing):
            yield thing.x

        generator = numbers(thing)
        del thing
        generator.gi_frame.clear()
        seen.append(alive() is None)  # not so on 3.13
        return x * 2.0

    f = visual_debug(plain)
    assert f(3.0) == plain(3.0) == 6.0
    assert seen[0] == seen[1]
    assert f.trace.grad() == {"x": 2.0}


class Counted:
    alive = 0

    def __init__(self, x):
        self.x = x
        Counted.alive += 1

    def __del__(self):
        Counted.alive -= 1


class Slotted:
    """Cannot be referred to weakly."""

    __slots__ = ("thing",)


def _by_attribute(x):
    holder = Thing(x)
    holder.thing = Counted(x)
    y = holder.thing.x * 2
    del holder
    return y


def _by_closure(x):
    thing = Counted(x)

    def read():
        return thing.x * 2  # noqa: F821 - deleted only afterwards

    y = read()
    del thing
    return y


def _by_items(x):
    things = [Counted(x), Counted(3.0)]
    first, second = things
    y = things[0].x * 2
    for _ in things:
        pass
    del first, second, _
    things.clear()
    return y


def _by_exception(x):
    try:
        raise ValueError(Counted(x))
    except ValueError as error:
        return error.args[0].x * 2


def _by_slot(x):
    slotted = Slotted()
    slotted.thing = Counted(x)
    y = slotted.thing.x * 2
    del slotted
    return y


def _by_tuple(x):
    try:
        raise ValueError(Counted(x))
    except ValueError:
        _, error, traceback = sys.exc_info()
    y = error.args[0].x * 2
    del error, traceback, _
    return y


def _by_sending(x):
    def generator():
        thing = yield x
        yield thing.x * 2

    numbers = generator()
    next(numbers)
    y = numbers.send(Counted(x))
    del numbers
    return y


@pytest.mark.parametrize(
    "kind", [_by_attribute, _by_closure, _by_items, _by_exception, _by_slot, _by_tuple, _by_sending]
)
def test_what_was_read_dies_when_it_would(kind):
    counts = []

    @visual_debug
    def f(x):
        y = kind(x)
        counts.append(sys.getrefcount(None) and Counted.alive)
        return y

    assert f(2.0) == 4.0
    assert counts == [0]
    try:
        assert f.trace.grad() == {"x": 2.0}
    except vd.NoDerivativeError:
        assert kind in (_by_exception, _by_tuple)


def test_many_objects_that_cannot_be_held_weakly():
    @visual_debug
    def f(x):
        things = []
        for _ in range(2000):
            slotted = Slotted()
            slotted.thing = x
            things.append(slotted)
        return sum([slotted.thing for slotted in things])

    assert f(0.5) == 1000.0
    assert f.trace.grad() == {"x": 2000.0}


def test_a_trace_keeps_no_object_alive():
    alive = []

    class Problem(Exception):
        pass

    @visual_debug
    def f(self, x):
        things = [Thing(x), Thing(2.0)]
        alive.extend(map(weakref.ref, things))
        try:
            raise Problem
        except Problem as problem:
            alive.append(weakref.ref(problem))
        return things[0].scaled(3.0) * things[1].x * self.x

    owner = Thing(5.0)
    alive.append(weakref.ref(owner))
    assert f(owner, 2.0) == 60.0
    del owner
    gc.collect()
    assert [ref() for ref in alive] == [None] * len(alive)
    assert f.trace.grad("x") == 30.0
