"""Arguments that say how large an array is, beside those that say what is in it."""

from __future__ import annotations

import numpy as np
import pytest

import visual_debug as vd

OF_SIZE = {
    "zeros": lambda x, n: (np.zeros(n) + x).sum(),
    "zeros of two dimensions": lambda x, n: (np.zeros((n, n)) + x).sum(),
    "ones": lambda x, n: (np.ones(shape=n) * x).sum(),
    "eye": lambda x, n: (np.eye(n) * x).sum(),
    "identity": lambda x, n: (np.identity(n) * x).sum(),
    "tri": lambda x, n: (np.tri(n) * x).sum(),
    "indices": lambda x, n: (np.indices((n, n)) * x).sum(),
    "empty": lambda x, n: np.add(x, x, out=np.empty(n)).sum(),
    "linspace": lambda x, n: np.linspace(0, x, n).sum(),
    "linspace by keyword": lambda x, n: np.linspace(0, x, num=n).sum(),
    "arange": lambda x, n: (np.arange(n) * x).sum(),
    "rand": lambda x, n: (0 * np.random.rand(n, n) + x).sum(),
}


@pytest.mark.parametrize("name", OF_SIZE)
def test_a_size_is_no_quantity(name):
    f = OF_SIZE[name]
    trace = vd.trace(f, 1.5, 3)
    expected = (f(1.5 + 1e-6, 3) - f(1.5 - 1e-6, 3)) / 2e-6
    gradient = trace.grad()
    assert gradient["x"] == pytest.approx(expected, rel=1e-6)
    assert gradient["n"] == 0
    assert trace.jvp(x=1.0, n=1.0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b, c: (np.arange(a, b, c) ** 2).sum(),
        lambda a, b, c: (np.arange(a, b, step=c) ** 2).sum(),
        lambda a, b, c: (np.arange(a, b) * c).sum(),
        lambda a, b, c: (np.arange(a + b) * c).sum(),
    ],
)
def test_arange_by_its_start_and_step(f):
    at = {"a": 0.3, "b": 4.1, "c": 0.7}
    gradient = vd.trace(f, **at).grad()
    for name, value in at.items():
        above, below = {**at, name: value + 1e-6}, {**at, name: value - 1e-6}
        assert gradient[name] == pytest.approx((f(**above) - f(**below)) / 2e-6, rel=1e-6, abs=1e-9)


def test_a_whole_number_that_says_how_is_refused_in_words():
    trace = vd.trace(lambda x, n: np.diff(np.array([x, x * x, x**3, x**4]), n).sum(), 1.5, 2)
    with pytest.raises(vd.NoDerivativeError, match=r"says how, not how much.*grad\('x'\)"):
        trace.grad()
    assert trace.grad("x") == pytest.approx(4 * 1.5**3 - 3 * 1.5**2 - 2 * 1.5 + 1)
