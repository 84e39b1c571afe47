"""Arrays whose elements are spread out: f(*x), [*x], (*x, 1.0)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import visual_debug as vd


def product(a, b, c=1.0):
    return a * b * c


def every(*parts):
    return parts[0] * parts[1] + parts[-1]


def written_later(x):
    y = x.copy()
    parts = [*y]
    y[0] = 5.0
    return parts[0] * y[1]


PROGRAMS = {
    "followed": lambda x: product(*x),
    "of any number": lambda x: every(*x, 2.0),
    "NumPy": lambda x: np.hypot(*x[:2]),
    "math": lambda x: math.hypot(*x),
    "builtin": lambda x: max(*x) * x[0],
    "backward": lambda x: product(*x[:2][::-1]) * x[0],
    "list": lambda x: [*x][1] * (*x, 1.0)[0] * x[2],
    "array": lambda x: np.array([*x[:2], x[2] * 2]).prod(),
    "rows": lambda x: every(*np.outer(x, x))[0],
    "written later": written_later,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_elements_that_are_spread(program):
    x = np.array([1.3, 2.2, 0.7])
    expected = [(program(x + 1e-6 * e) - program(x - 1e-6 * e)) / 2e-6 for e in np.eye(3)]
    assert vd.trace(program, x).grad("x") == pytest.approx(expected, rel=1e-6, abs=1e-9)
