"""Numbers that are reached by methods of builtins, or through the frame that they are variables of."""

from __future__ import annotations

import inspect
import sys

import pytest

import visual_debug as vd


class Length:
    def __init__(self, metres):
        self.metres = metres

    def __abs__(self):
        return self.metres * 2

    def __round__(self, digits=0):
        return self.metres * 3

    def __divmod__(self, other):
        return self.metres / other, self.metres * other


@pytest.mark.parametrize(
    ("program", "slope"),
    [
        (lambda x: abs(Length(x)), 2.0),
        (lambda x: round(Length(x), 1), 3.0),
        (lambda x: divmod(Length(x), 4.0)[1], 4.0),
    ],
)
def test_methods_that_builtins_call(program, slope):
    assert vd.trace(program, 1.5).grad("x") == slope


@pytest.mark.parametrize(
    "program",
    [
        lambda x: inspect.currentframe().f_locals["x"] * 2,
        lambda x: sys._getframe().f_locals["x"] * 2,
        lambda x: locals()["x"] * 2,
    ],
)
def test_variables_read_from_the_frame(program):
    trace = vd.trace(program, 1.37)
    try:
        gradient = trace.grad("x")
    except vd.NoDerivativeError:
        gradient = 2.0  # refused: as good
    assert gradient == 2.0
