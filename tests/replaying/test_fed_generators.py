"""Generators that only one call or loop ever resumes are resumed without asking from where: nothing else may change."""

from __future__ import annotations

import math
import weakref

import pytest

import visual_debug as vd
from visual_debug import visual_debug
from visual_debug.tracing import record


class Box:
    def __init__(self, items):
        self.items = items

    def each(self):
        yield from self.items

    def scaled(self, k):
        for item in self.items:
            yield k * item


def squares(xs):
    for x in xs:
        yield x * x


def kept(xs, store):
    made = squares(xs)
    store.append(made)
    return made


def echo(xs):
    got = 0.0
    for x in xs:
        got = (yield x * got) or 1.0


def summed(xs):
    return sum(x * x for x in xs)


def nested(xs):
    return sum(sum(x * y for y in xs) for x in xs)


def one_after_another(xs):
    return (
        max(x * 2.0 for x in xs) * min(x + 1.0 for x in xs) + math.prod(x for x in xs) + sum(tuple(x * 3 for x in xs))
    )


def stopped_early(xs):
    return xs[0] * any(x > 1.0 for x in xs) + xs[1] * all(x < 2.0 for x in xs)


def of_generators(xs):
    return sum(sum(g) for g in [squares(xs), squares(xs)])


def items_that_are_generators(xs):
    gens = [squares(xs), squares(xs)]
    total = 0.0
    for row in list(g for g in gens):  # noqa: C400
        total += next(row) + next(row)
    return total + max((next(g) for g in gens), default=0.0)


def by_key(xs):
    gens = [squares(xs), squares(xs)]
    return xs[0] * len([max((g for g in gens), key=next)]) + next(gens[0])


def looped(xs):
    total = 0.0
    for x in squares(xs):
        total += x
    return total


def looped_twice(xs):
    total = 0.0
    for x in squares(xs):
        for y in squares(xs):
            total += x * y
    return total


def looped_over_what_is_kept(xs):
    store = []
    total = 0.0
    for x in kept(xs, store):
        total += x + next(store[0], 0.0)
    return total


def of_methods(xs):
    total = 0.0
    for x in Box(xs).scaled(2.0):
        total += x
    for x in Box(xs).each():
        total += x
    return total


def broken_off(xs):
    total = 0.0
    for x in squares(xs):
        total += x
        if total > 4.0:
            break
    return total


def raised_in(xs):
    try:
        return sum(x / (x - 2.0) for x in xs)
    except ZeroDivisionError:
        return sum(x for x in xs)


def sent(xs):
    g = echo(xs)
    return next(g) + g.send(xs[1]) + g.send(xs[2])


def passed_on(xs):
    def outer():
        for x in squares(xs):
            yield x + 1.0

    total = 0.0
    for x in outer():
        total += x
    return total


def comprehended(xs):
    rows = [[x * y for y in xs] for x in xs]
    table = {i: x for i, x in enumerate(xs)}
    return sum(rows[1]) + table[0] + len({x for x in xs})


def cell(xs, k=2.0):
    return sum([k * x for x in xs]) + sum(abs(k * x) for x in xs)


PROGRAMS = [
    summed, nested, one_after_another, stopped_early, of_generators, items_that_are_generators, by_key, looped,
    looped_twice, looped_over_what_is_kept, of_methods, broken_off, raised_in, sent, passed_on, comprehended, cell,
]  # fmt: skip
XS = [1.0, 1.5, 2.0, 3.0]


def gradient(function, xs, h=1e-6):
    """By central differences."""
    found = []
    for i in range(len(xs)):
        up, down = list(xs), list(xs)
        up[i] += h
        down[i] -= h
        found.append((function(up) - function(down)) / (2 * h))
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_what_is_recorded_is_what_is_recorded_when_each_resumption_is_looked_at(program, monkeypatch):
    traced = visual_debug(program)
    for _ in range(20):  # 3.11: until the interpreter has specialised the calls, which then come from elsewhere
        assert traced(list(XS)) == program(list(XS))
    tape = traced.trace._tape
    fast = list(tape.path), [v for v in tape.values if type(v) is float]
    nodes = [(n.op, n.value, n.operands) for n in traced.trace]
    monkeypatch.setattr(record, "_feed", lambda *_: None)
    traced(list(XS))
    tape = traced.trace._tape
    assert (list(tape.path), [v for v in tape.values if type(v) is float]) == fast
    assert [n[0] for n in nodes] == [n.op for n in traced.trace]
    assert [n[2] for n in nodes] == [n.operands for n in traced.trace]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_gradients_are_right(program):
    if program in (raised_in, stopped_early):
        xs = [1.1, 1.5, 2.5, 3.0]
    else:
        xs = [1.0, 1.5, 2.2, 3.0]
    trace = vd.trace(program, xs)
    assert trace.grad()["xs"] == pytest.approx(gradient(program, xs), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("program", [summed, looped])
def test_such_generators_are_found(program, monkeypatch):
    asked = []
    plain = record.resumed
    monkeypatch.setattr(record, "resumed", lambda *a: asked.append(a) or plain(*a))
    vd.trace(program, list(XS))
    assert len(asked) == 1  # when it began; rewritten code asks by itself, if at all


def test_a_limit_within():
    traced = visual_debug(summed, limit=1000)
    xs = [float(i) for i in range(5000)]
    assert traced(xs) == summed(xs)
    assert traced.trace.truncated
    assert 330 <= len(traced.trace.find(op="mul")) <= 1000


def test_objects_that_a_generator_goes_through_live_no_longer():
    class Thing:
        def __init__(self, mass):
            self.mass = mass

    things = [Thing(1.0), Thing(2.0)]

    @visual_debug
    def weigh():
        return sum(thing.mass for thing in things)

    assert weigh() == 3.0
    gone = weakref.ref(things[0])
    things.clear()
    assert gone() is None


def test_a_generator_of_another_thread():
    from concurrent.futures import ThreadPoolExecutor

    @visual_debug
    def turns(xs):
        for x in squares(xs):
            yield x + 1.0

    running = turns(list(XS))
    found = []
    with ThreadPoolExecutor(1) as pool:
        for i in range(len(XS)):
            found.append(next(running) if i % 2 else pool.submit(next, running).result())
    assert list(running) == []
    assert found == [x * x + 1.0 for x in XS]
    assert [n.value for n in turns.trace.find(op="add")] == found
