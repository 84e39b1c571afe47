"""Loops replayed all turns at once give the very columns that replay instruction by instruction gives."""

from __future__ import annotations

import cmath
import contextlib
import copy
import math

import hypothesis
import pytest
from hypothesis import strategies as st

import visual_debug as vd
from tests.generate import programs
from tests.oracle import Recorder, TooLarge, record
from tests.programs import CASES
from visual_debug.replaying import passages, replay, turns

SCALE = 0.75


def columns_of(tape, monkeypatch, *, at_once):
    """What replay makes of a tape, and how many turns it wrote down at once."""
    done = []

    def counted(advance):
        def counting(*args):
            done.append(advance(*args))
            return done[-1]

        return counting

    with monkeypatch.context() as patch:
        patch.setattr(replay, "WORTH_NUMPY", 0 if at_once else 10**12)
        patch.setattr(turns, "advance", counted(turns.advance))
        patch.setattr(passages.Passages, "advance", counted(passages.Passages.advance))
        return replay.replay(tape), sum(done)


def same(a, b):
    return a is b or (type(a) is type(b) and (a == b or repr(a) == repr(b)))


def compare(function, args, monkeypatch):
    """Replay a call both ways; returns how many turns were written down at once."""
    traced = vd.visual_debug(function)
    with contextlib.suppress(Exception):  # the program's own
        traced(*copy.deepcopy(args))
    tape = traced.trace._tape
    exact, none = columns_of(tape, monkeypatch, at_once=False)
    quick, count = columns_of(tape, monkeypatch, at_once=True)
    assert none == 0
    a, b = exact.columns, quick.columns
    assert list(a.op) == list(b.op)
    assert [(s.file, s.function, s.line, s.end_line, s.column, s.end_column) for s in a.site] == [
        (s.file, s.function, s.line, s.end_line, s.column, s.end_column) for s in b.site
    ]
    assert a.name == b.name
    assert (a.activation, a.start, a.operand) == (b.activation, b.start, b.operand)
    assert a.activations == b.activations
    assert all(map(same, a.value, b.value))
    assert a.calls.keys() == b.calls.keys()
    assert all(repr(a.arguments(node)) == repr(b.arguments(node)) for node in a.calls)
    assert (exact.inputs, exact.result) == (quick.inputs, quick.result)
    return count


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_program_of_the_corpus(case, monkeypatch):
    compare(case.function, case.args, monkeypatch)


@hypothesis.settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(hypothesis.Phase.generate,),
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(program=st.one_of(programs("mixed"), programs("smooth")))
def test_generated_programs(program, monkeypatch):
    try:
        record(program.function, *program.args, recorder=Recorder(max_nodes=3000, max_bits=4000))
        compare(program.function, program.args, monkeypatch)
    except TooLarge:
        pass
    finally:
        program.forget()


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def fibonacci(a, b, n):
    for _ in range(n):
        a, b = b, a + b
    return a, b


def three_back(a, b, c, n):
    for i in range(n):
        a, b, c = b, c, a * 0.5 + b * i - c
    return a + b + c


def rotation(a, b, n):
    for _ in range(n):
        a, b = b, a
    return a - b


def counters(x, n):
    last = 0
    for i in range(3, 3 + 2 * n, 2):
        j = i
        x = x + i * 0.5 - (i**2) / (j + 1)
        last = i
    return x * last * j


def unused_counter(x, n):
    for i in range(n):
        x = -x * 0.5
    return x + i


def powers(x, n):
    k = 3
    for i in range(1, n):
        x = (x**2 + x**-1 + x**k) ** 0.5 / 2.0**i
    return x


def functions(x, n):
    sine = math.sin
    for _ in range(n):
        x = math.cos(x) + abs(sine(x)) - math.atan2(x, 2.0) * math.pow(x, 2)
    return x


def globals_and_cells(x, n):
    k = 0.3

    def step():
        nonlocal x
        for _ in range(n):
            x = x * k + SCALE
        return x

    y = x
    for _ in range(n):
        y = y * k + SCALE
    return step() + y


def phases(x, n):
    for i in range(n):
        if i < n // 3:
            x = x * 1.01
        elif x > 1.2:
            x = x - 0.3
        else:
            x = x + 0.1 * i
    return x


def periodic(x, n):
    for i in range(n):
        if i % 3 == 0:
            x = x * 1.01
        else:
            x = x + 1.0
    return x


def while_loop(x, n):
    steps = 0
    while steps < n and x < 1e9:
        x = x * 1.001
        steps += 1
    return x, steps


def endless(x, n):
    while True:
        x = x * 0.9
        n = n - 1
        if n < 0:
            break
    return x


def collatz(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count


def nested(x, n):
    total = 0.0
    for i in range(n):
        for j in range(n):
            total = total + x * j
        x = x * 0.99 + i
    return total + x


def horner(coefficients, x):
    total = 0.0
    for c in coefficients:
        total = total * x + c
    return total


def own_list(x, n):
    squares = []
    for i in range(n):
        squares.append(x * i)
    total = 0.0
    for s in squares:
        total = total + s * x
    return total


def constant_afresh(x, n):
    total = 0.0
    for _ in range(n):
        step = 1.0
        y = step
        total = total + x * y
        step = total
    return step


def complex_numbers(z, n):
    for _ in range(n):
        z = z * z * 0.5 + cmath.exp(z) * 0.1j
    return abs(z)


def mixed_kinds(x, n):
    for i in range(n):
        x = x * 2 if i < 20 else x * 0.5
    return x


def becomes_array(n):
    import numpy as np

    x = 1.0
    for i in range(n):
        x = x * 1.5
        if i == n // 2:
            x = np.array([x, x])
    return x.sum()


def raises_at_the_end(x, n):
    for i in range(n):
        x = x / (n - 1 - i)
    return x


def caught(x, n):
    try:
        for i in range(n):
            x = x / (n - 5 - i)
    except ZeroDivisionError:
        x = x * 2.0
    return x


def exchanged(x, n):
    sine = math.sin
    for i in range(n):
        x = sine(x) + 0.5
        if i == 20:
            sine = math.cos
    return x


def generator(x, n):
    for _ in range(n):
        x = x * 0.5
    yield x
    for _ in range(n):
        x = x + 0.5
    yield x


def walrus_and_flags(x, n):
    for i in range(n):
        if (y := x * 0.5) > 0.1 and i != 7:
            x = y + 1.0
        flag = x < 3.0
        x = x + flag * 0.25
    return x


def slope(t, y):
    return -2.0 * y + t


def half(x):
    y = x * 0.5
    return y


def quarter(x):
    return half(half(x)) + 1.0


def signed(x):
    if x > 0.3:
        return x * 0.5
    return x + 0.1


def same_again(x):
    return x


def with_default(x, k=2.0):
    return x * k


def runge_kutta(y, h, n):
    t = 0.0
    for _ in range(n):
        k1 = slope(t, y)
        k2 = slope(t + h / 2, y + h / 2 * k1)
        k3 = slope(t + h / 2, y + h / 2 * k2)
        k4 = slope(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t = t + h
    return y


def calls_within_calls(x, n):
    for i in range(n):
        x = quarter(x) + half(i)
    return x


def branching_calls(x, n):
    for _ in range(n):
        x = signed(x)
    return x


def calls_that_pass_on(x, n):
    for _ in range(n):
        x = same_again(x) * 0.5
    return x


def calls_with_defaults(x, n):
    for _ in range(n):
        x = with_default(x) * 0.25
    return x


def exchanged_function(x, n):
    f = half
    for i in range(n):
        x = f(x) + 1.0
        if i == 20:
            f = quarter
    return x


LOOPS = [
    (runge_kutta, (1.0, 0.01, 40), 30), (calls_within_calls, (1.0, 40), 30), (branching_calls, (100.0, 40), 0),
    (calls_that_pass_on, (1.0, 40), 0), (calls_with_defaults, (1.0, 40), 0), (exchanged_function, (1.0, 60), 10),
    (logistic, (0.3, 3.2, 40), 30), (fibonacci, (0.3, 1.0, 40), 30), (three_back, (0.3, 1.0, 0.1, 40), 30),
    (rotation, (1.0, 2.0, 40), 0), (counters, (0.5, 40), 30), (unused_counter, (0.5, 40), 30),
    (powers, (1.5, 40), 30), (functions, (0.4, 40), 30), (globals_and_cells, (0.4, 40), 30), (phases, (1.0, 90), 20),
    (periodic, (1.0, 40), 0), (while_loop, (1.0, 40), 30), (endless, (1.0, 40), 30), (collatz, (27,), 0),
    (nested, (1.0, 40), 900), (horner, ([math.sin(i) for i in range(40)], 0.9), 30), (own_list, (0.3, 40), 25),
    (constant_afresh, (0.3, 40), 0), (complex_numbers, (0.1 + 0.2j, 40), 30), (mixed_kinds, (1, 40), 20),
    (becomes_array, (40,), 10), (raises_at_the_end, (0.3, 40), 30), (caught, (0.3, 40), 25), (exchanged, (0.3, 60), 10),
    (walrus_and_flags, (1.0, 60), 20),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "least"), LOOPS, ids=lambda value: getattr(value, "__name__", ""))
def test_loops(function, args, least, monkeypatch):
    assert compare(function, args, monkeypatch) >= least


def test_generators(monkeypatch):
    decorated = vd.visual_debug(generator)
    assert len(list(decorated(1.0, 40))) == 2
    tape = decorated.trace._tape
    exact, _ = columns_of(tape, monkeypatch, at_once=False)
    quick, count = columns_of(tape, monkeypatch, at_once=True)
    assert count > 50
    assert exact.columns.operand == quick.columns.operand and exact.result == quick.result


@pytest.mark.parametrize("limit", [50, 77, 100, 201])
def test_a_recording_that_was_cut_off(limit, monkeypatch):
    decorated = vd.visual_debug(limit=limit)(logistic)
    decorated(0.3, 3.2, 500)
    tape = decorated.trace._tape
    assert tape.truncated
    exact, _ = columns_of(tape, monkeypatch, at_once=False)
    quick, count = columns_of(tape, monkeypatch, at_once=True)
    assert count > 5
    assert exact.columns.operand == quick.columns.operand and exact.columns.value == quick.columns.value


def test_only_the_newest_values(monkeypatch):
    decorated = vd.visual_debug(last=100)(counters)
    decorated(0.3, 500)
    tape = decorated.trace._tape
    exact, _ = columns_of(tape, monkeypatch, at_once=False)
    quick, count = columns_of(tape, monkeypatch, at_once=True)
    assert count > 5
    assert exact.columns.operand == quick.columns.operand and exact.columns.value == quick.columns.value


def test_a_spoilt_tape_is_still_an_error(monkeypatch):
    for spoil in (lambda t: t.values.pop(30), lambda t: t.values.pop(), lambda t: t.path.pop()):
        tape = vd.trace(phases, 1.0, 60)._tape
        spoil(tape)
        with pytest.raises(vd.TraceError):
            columns_of(tape, monkeypatch, at_once=True)
