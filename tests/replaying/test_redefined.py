"""Classes of the user's that are numbers or arrays, and mean something of their own by an operation."""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np
import pytest

import visual_debug as vd


class Twice(float):
    """A float whose operators do something else."""

    def __mul__(self, other):
        return float(self) * float(other) * 2

    __rmul__ = __mul__

    def __add__(self, other):
        return math.fsum([self, 2 * other])

    def __pow__(self, other):
        return math.exp(float(self))

    def __neg__(self):
        return float(self) * 5

    def __abs__(self):
        return float(self) * 7


class Odd(np.ndarray):
    """An array whose operators, items and methods do something else."""

    def __mul__(self, other):
        return np.asarray(self) * other * 2

    def __getitem__(self, index):
        return np.asarray(self)[index] * 3

    def __setitem__(self, index, value):
        np.asarray(self)[index] = value * 4

    @property
    def T(self):
        return np.asarray(self) * 5

    def sum(self, *args, **kwargs):
        return 6 * np.asarray(self).sum()


class Doubling(np.ndarray):
    """An array that answers for ufuncs."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return getattr(ufunc, method)(*[np.asarray(x) * 2 if type(x) is Doubling else x for x in inputs], **kwargs)


class Labelled(np.ndarray):
    """An array that computes as any other."""

    def __array_finalize__(self, other):
        self.label = getattr(other, "label", None)


def _written(a):
    a[0] = a[1] * 1.0
    return np.asarray(a).sum()


NUMBERS = {
    "times": (lambda x: x * 3.0, 6.0),
    "reflected": (lambda x: 3.0 * x, 6.0),
    "plus": (lambda x: x + 2.0, 1.0),
    "power": (lambda x: x**2, math.exp(1.25)),
    "minus": (lambda x: -x, 5.0),
    "abs": (lambda x: abs(x), 7.0),
    "its own kind": (lambda x: x - 1.0, 1.0),
    "sine": (lambda x: math.sin(x) * 2.0, 2 * math.cos(1.25)),
}
ARRAYS = {
    "times": (lambda a: (a * 3.0).sum(), [6.0, 6.0]),
    "item": (lambda a: a[0] * 2.0, [6.0, 0.0]),
    "attribute": (lambda a: a.T.sum(), [5.0, 5.0]),
    "method": (lambda a: a.sum(), [6.0, 6.0]),
    "function": (lambda a: np.sum(a), [6.0, 6.0]),
    "written": (_written, [0.0, 13.0]),
    "rows": (lambda a: sum(x * 1.0 for x in a), [1.0, 1.0]),
    "plain": (lambda a: np.asarray(a)[1] * 2.0, [0.0, 2.0]),
    "sine": (lambda a: np.asarray(np.sin(a))[0], [math.cos(1.25), 0.0]),
}


def _right_or_refused(function, argument, expected, **options):
    traced = vd.visual_debug(**options)(function)
    traced(argument)
    try:
        found = traced.trace.grad()
    except vd.NoDerivativeError:
        return False
    (gradient,) = found.values()
    np.testing.assert_allclose(gradient, expected)
    return True


@pytest.mark.parametrize("name", NUMBERS)
def test_operators_of_a_number_are_its_own(name):
    function, expected = NUMBERS[name]
    assert _right_or_refused(function, Twice(1.25), expected)


@pytest.mark.parametrize("name", NUMBERS)
def test_an_operator_that_is_not_recorded_is_refused(name):
    function, expected = NUMBERS[name]
    assert _right_or_refused(function, Twice(1.25), expected, follow=()) == (name in ("its own kind", "sine"))


@pytest.mark.parametrize("follow", [(), "all"])
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_means_something_of_its_own(name, follow):
    function, expected = ARRAYS[name]
    known = _right_or_refused(function, np.array([1.25, 2.5]).view(Odd), expected, follow=follow)
    assert known or name not in ("plain", "sine")
    assert known or follow == () or name not in ("times", "item", "attribute", "method")


def test_an_array_that_answers_for_ufuncs():
    for function in (lambda a: np.sin(a).sum(), lambda a: (a + 1.0).sum(), lambda a: np.add.reduce(a)):
        traced = vd.visual_debug(follow=())(function)
        traced(np.array([1.25, 2.5]).view(Doubling))
        with pytest.raises(vd.NoDerivativeError):
            traced.trace.grad()


def test_an_array_that_only_has_a_name_is_differentiated():
    traced = vd.visual_debug(follow=())(lambda a: (np.sin(a) * a[0]).sum())
    traced(np.array([1.25, 2.5]).view(Labelled))
    sine, cosine = np.sin([1.25, 2.5]), np.cos([1.25, 2.5])
    np.testing.assert_allclose(traced.trace.grad("a"), 1.25 * cosine + [sine.sum(), 0])


Pair = namedtuple("Pair", "x y")


class Vector(Pair):
    """A named tuple with operators."""

    def __truediv__(self, other):
        return Vector(self.x / other, self.y / other)


def test_a_literal_that_an_operator_of_a_named_tuple_gets():
    def divided(a, b):
        quotient = Vector(a, b) / 3
        return quotient.x * quotient.y

    assert vd.trace(divided, 2.25, 5.5).grad() == pytest.approx({"a": 5.5 / 9, "b": 2.25 / 9})
