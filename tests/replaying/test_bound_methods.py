"""Methods of arrays that are fetched first and called later, by whatever way, and copies of arrays."""

from __future__ import annotations

import copy
import operator

import numpy as np
import pytest

from visual_debug import visual_debug


class Holder:
    def __init__(self, array):
        self.array = array

    def __deepcopy__(self, memo):
        return Holder(copy.deepcopy(self.array, memo))


def by_a_default(x):
    return getattr(x, "sum", None)() * x.sum()


def by_a_name(x):
    total = x.sum
    return total() * x.sum()


def by_a_getter(x):
    return operator.attrgetter("sum")(x)() * x.max()


def without_such_a_method(x):
    found = getattr(x, "no_such_method", None)
    return x.sum() ** 2 if found is None else found()


def by_dunder(x):
    y = x.__copy__()
    y[0] = 2 * x[1]
    return (y * x.__deepcopy__({})).sum()


def by_copy(x):
    return (copy.copy(x) * copy.deepcopy(x)).sum() * x.sum()


def of_an_object(x):
    return copy.deepcopy(Holder(x)).array.sum() * x.sum()


def by_indices(x, steps=(0, 1, 1)):
    z = np.zeros((2, 3, 3))
    k = np.arange(len(steps))
    np.add.at(z, (slice(None), k, np.array(steps)), x[None, :] * np.array([[1.0], [2.0]]))
    return (z**2).sum() * x.sum()


PROGRAMS = [
    by_a_default, by_a_name, by_a_getter, without_such_a_method, by_dunder, by_copy, of_an_object, by_indices,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("follow", [None, "all"])
def test_methods_that_are_fetched_first(program, follow):
    if program is of_an_object and follow == "all":
        pytest.skip("its memo tells objects by their ids, which are numbers: refused")
    traced = visual_debug(program, follow=follow)
    x = np.array([1.5, 0.7, 1.1])
    traced(x)
    expected = [(program(x + 1e-6 * e) - program(x - 1e-6 * e)) / 2e-6 for e in np.eye(3)]
    assert traced.trace.grad("x") == pytest.approx(expected, rel=1e-6)
