"""Containers that were there before the call, copied in it and written to: what was not written still is what it was."""

from __future__ import annotations

import copy
import random

import pytest

import visual_debug as vd

NUMBERS = [1.0, 2.0, 3.0]
ROWS = [[1.0, 2.0], [3.0, 4.0]]
NESTED = {"a": {"b": [1.5, 2.5]}, "e": 3.0}
SYSTEM = [([1.0, 2.0, 3.0], [0.1, 0.2, 0.3], 5.0), ([4.0, 2.0, 1.0], [0.3, 0.2, 0.3], 6.0)]


def written_before_the_copy(x):
    NUMBERS[0] = x * 2
    numbers = list(NUMBERS)
    return numbers[0] * numbers[1]


def written_before_and_after(x):
    first = list(NUMBERS)
    first[0] = x
    NUMBERS[1] = x * 3
    second = list(NUMBERS)
    second[0] = 5.0
    return second[1] * first[0] + first[2] + second[0]


def deep_copy_reversed(x):
    numbers = copy.deepcopy(NUMBERS)
    numbers[1] = x
    numbers.reverse()
    return numbers[1] * numbers[0] * numbers[2]


def two_names(x):
    one = list(NUMBERS)
    two = one
    two[0] = x
    three = list(one)
    three[1] = x * x
    return three[0] * three[1] * one[1]


def rows(x):
    matrix = [list(row) for row in ROWS]
    for i in range(2):
        for j in range(2):
            matrix[i][j] = matrix[i][j] * x + matrix[j][i]
    return matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]


def shared_row(x):
    matrix = copy.deepcopy(ROWS)
    matrix[0][1] += x
    matrix[1] = matrix[0]
    matrix[1][0] *= x
    return matrix[0][0] * matrix[0][1] + matrix[1][1]


def nested(x):
    state = copy.deepcopy(NESTED)
    state["a"]["b"][0] *= x
    state["c"] = state["a"]["b"][1] * x
    return state["c"] * state["a"]["b"][0] + state["e"]


def bodies(x, make=lambda: copy.deepcopy(SYSTEM)):
    """The n-body program of the benchmarks game."""
    system = make()
    pairs = [(system[0], system[1])]
    for _ in range(3):
        for ([x1, y1, z1], v1, m1), ([x2, y2, z2], v2, m2) in pairs:
            dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
            mag = x * (dx * dx + dy * dy + dz * dz) ** -1.5
            v1[0] -= dx * m2 * mag
            v1[1] -= dy * m2 * mag
            v2[0] += dx * m1 * mag
            v2[2] += dz * m1 * mag
        for r, [vx, vy, vz], _mass in system:
            r[0] += x * vx
            r[1] += x * vy
            r[2] += x * vz
    return system[0][0][0] * system[1][0][2]


def bodies_by_comprehension(x):
    return bodies(x, lambda: [(list(r), list(v), m) for r, v, m in SYSTEM])


PROGRAMS = [
    written_before_the_copy,
    written_before_and_after,
    deep_copy_reversed,
    two_names,
    rows,
    shared_row,
    nested,
    bodies,
    bodies_by_comprehension,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_what_was_not_written_to_is_what_it_was(program):
    def result(x):
        NUMBERS[:] = [1.0, 2.0, 3.0]
        return program(x)

    NUMBERS[:] = [1.0, 2.0, 3.0]
    trace = vd.trace(program, 0.7)
    gradient = trace.grad("x")
    assert gradient == pytest.approx((result(0.7 + 1e-6) - result(0.7 - 1e-6)) / 2e-6, rel=1e-6)


def test_what_other_code_moved_about_is_refused():
    def shuffled(x):
        numbers = list(NUMBERS)
        numbers[0] = x
        random.shuffle(numbers)
        return numbers[0] + 2 * numbers[1] + 3 * numbers[2]

    NUMBERS[:] = [1.0, 2.0, 3.0]
    random.seed(0)
    trace = vd.trace(shuffled, 0.7)
    with pytest.raises(vd.NoDerivativeError, match="not recorded"):
        trace.grad("x")


def copies_of_a_list(x):
    numbers = [x, 2.0, 3]
    other = copy.deepcopy(numbers)
    other.append(x * 2)
    other[0] = other[0] * 3
    return other[0] * other[1] * other[3] * numbers[0] * other[2]


def copies_of_a_dict(x):
    numbers = {"a": x, 2: 3}
    deep, shallow = copy.deepcopy(numbers), copy.copy(numbers)
    deep["a"] *= 2
    shallow["b"] = x
    return deep["a"] * numbers["a"] * shallow["b"] * deep[2]


def shared_by_a_shallow_copy(x):
    rows = [[x], 2.0]
    other = copy.copy(rows)
    other[0][0] *= 2
    return rows[0][0] * other[1]


def longest(x):
    best = [[x], [2 * x], [x * x]]
    for i in (1, 2):
        longer = copy.deepcopy(best[i - 1])
        longer.append(best[i][0] * x)
        best[i] = longer
    return max(best, key=len)[1] * best[2][2]


@pytest.mark.parametrize("program", [copies_of_a_list, copies_of_a_dict, shared_by_a_shallow_copy, longest])
def test_copies_of_what_the_call_made(program):
    expected = (program(1.3 + 1e-6) - program(1.3 - 1e-6)) / 2e-6
    assert vd.trace(program, 1.3).grad("x") == pytest.approx(expected, rel=1e-6)
