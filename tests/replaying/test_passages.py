"""Loops whose turns differ, replayed passage by passage, give the very columns of a replay by instruction."""

from __future__ import annotations

import math

import pytest

import visual_debug as vd
from tests.replaying.test_turns import columns_of, compare

FACTOR = 0.75


def irregular(x, n):
    for i in range(n):
        if x > 1.2:
            x = x - 0.3
        elif x > 0.7:
            x = x * 1.3 + i
        else:
            x = x + 0.1 * x * x
    return x


def triangle(x, n):
    total = 0.0
    for i in range(n):
        for j in range(i % 5):
            if j % 2:
                total = total + x * j * i
        x = x * 0.5 + 1
    return total


def three_deep(x, n):
    total = 0.0
    for i in range(n):
        for j in range(3, 0, -1):
            for k in range(i, i + 2):
                total += x * k - j
            total *= 0.5
    return total


def while_in_for(x, n):
    steps = 0
    for i in range(n):
        while x > 1.0:
            x = x * 0.5
            steps += 1
        x = x * 2.7 + 0.1 * i
    return x, steps


def break_and_continue(x, n):
    total = 0.0
    for i in range(n):
        if i % 4 == 1:
            continue
        for j in range(10):
            if j > i % 3:
                break
            total += x * j
        else:
            total -= 1.0
        x = x * 0.9
    return total


def changing_places(a, b, c, n):
    for i in range(n):
        if i % 3:
            a, b = b, a
        elif i % 2:
            a, b, c = b, c, a
        else:
            c = c * 0.5 + a
    return a, b, c


def kept_counter(x, n):
    last = before = 0
    for i in range(n):
        before = last
        last = i
        if i % 4 == 3:
            x = x * before + last**0.5
    return x * last * before


def list_by_index(xs, n):
    total = 0.0
    for i in range(n):
        total += xs[i % len(xs)] * xs[-1]
    for i in range(n):
        j = (3 * i) % 4
        total -= xs[j] * i
    return total


def list_by_counter(xs, ys):
    total = 0.0
    for i in range(20):
        for j in range(4):
            total += xs[j] * ys[i]
    return total


def list_in_loop(xs, n):
    total = 0.0
    for i in range(n):
        for x in xs:
            if x > 0.5:
                total = total + x * i
    return total


def computed_list(x, n):
    values = []
    for i in range(n):
        values.append(x * i)
    total = 0.0
    for i in range(n):
        v = values[i]
        if i % 3:
            total += v
    for _ in range(2):
        for w in values:
            if w > 3.0:
                total += w
    return total


def clipped(x, low=-1.0, high=1.0):
    if x < low:
        return low
    return min(x, high)


def callee_with_branches(x, n):
    for i in range(n):
        x = clipped(math.sin(3 * x) * 2 + i, high=1.0) if i % 2 else clipped(x * 1.5) + FACTOR
    return x


def callee_with_default(x, n):
    for i in range(n):
        x = clipped(3 * x * (-1) ** (i % 2)) + 0.1
    return x


def closure(x, n):
    k = 0.3
    scale = x

    def step(y):
        return y * k + scale if y < 1 else y * 0.5

    for _ in range(n):
        x = step(x)
    return x


def extremes(x, n):
    low = high = x
    for i in range(n):
        x = float(3.7 * x * (1 - x))
        low, high = min(low, x), max(high, x, 0.5)
        if i % 5 == 0:
            high = abs(high) * int(2.5)
    return low + high


def raised_inside(x, n):
    total = 0.0
    for i in range(n):
        for j in range(5):
            try:
                total += x / ((i + j) % 7)
            except ZeroDivisionError:
                total -= 1.0
    return total


def written_list(x, n):
    values = [x, x * 2, x * 3]
    for i in range(n):
        values[i % 3] = values[(i + 1) % 3] * 0.5
        if i % 2:
            x = x + values[0]
    return x


def literal_exponents(x, n):
    powers = [2, 3]
    total = 0.0
    for i in range(n):
        total += x ** powers[i % 2] + x**2
    return total


def reset(x, n):
    total = 0.0
    for i in range(n):
        part = 0.0
        for j in range(4):
            part = part + x * j
        total = total + part if i % 2 else part
    return total


def large_numbers(x, n):
    for i in range(10**25, 10**25 + n):
        if i % 3:
            x = x + i % 7
    return x


NUMBERS = [math.sin(3 * i) for i in range(40)]
PROGRAMS = [
    (irregular, (0.3, 80), 40), (triangle, (0.3, 40), 60), (three_deep, (0.3, 20), 80), (while_in_for, (0.3, 60), 80),
    (break_and_continue, (0.3, 40), 60), (changing_places, (0.3, 0.5, 1.0, 60), 40), (kept_counter, (0.3, 60), 40),
    (list_by_index, (NUMBERS[:4], 60), 40), (list_by_counter, (NUMBERS, NUMBERS), 60), (list_in_loop, (NUMBERS[:5], 30), 80),
    (computed_list, (0.3, 40), 80), (callee_with_branches, (0.3, 60), 0), (callee_with_default, (0.3, 60), 40),
    (closure, (0.3, 60), 30), (extremes, (0.3, 60), 40), (raised_inside, (0.3, 40), 60), (written_list, (0.3, 60), 0),
    (literal_exponents, (0.3, 40), 0), (reset, (0.3, 40), 80), (large_numbers, (0.3, 40), 0),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "least"), PROGRAMS, ids=lambda value: getattr(value, "__name__", ""))
def test_programs(function, args, least, monkeypatch):
    assert compare(function, args, monkeypatch) >= least


@pytest.mark.parametrize("limit", [77, 100, 150, 201])
def test_a_recording_that_was_cut_off(limit, monkeypatch):
    decorated = vd.visual_debug(limit=limit)(triangle)
    decorated(0.3, 200)
    tape = decorated.trace._tape
    assert tape.truncated
    exact, _ = columns_of(tape, monkeypatch, at_once=False)
    quick, count = columns_of(tape, monkeypatch, at_once=True)
    assert count > 5
    assert exact.columns.operand == quick.columns.operand and exact.columns.value == quick.columns.value


def test_a_spoilt_tape_is_still_an_error(monkeypatch):
    for spoil in (
        lambda t: t.values.pop(60),
        lambda t: t.values.pop(),
        lambda t: t.path.pop(),
        lambda t: t.path.pop(40),
    ):
        tape = vd.trace(triangle, 1.0, 40)._tape
        spoil(tape)
        with pytest.raises(vd.TraceError):
            columns_of(tape, monkeypatch, at_once=True)


def test_more_passages_than_are_written_together():
    trace = vd.trace(irregular, 0.3, 30_000)
    x = 0.3
    for i in range(30_000):
        x = x - 0.3 if x > 1.2 else x * 1.3 + i if x > 0.7 else x + 0.1 * x * x
    assert trace[trace.outputs.id].value == x == trace.result
    assert [node.value for node in trace.find(op="gt")][:3] == [False, False, False]
    assert trace.grad("x") == pytest.approx(vd.trace(irregular, 0.3, 30_000).jvp(x=1.0))
