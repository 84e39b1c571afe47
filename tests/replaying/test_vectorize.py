"""`numpy.vectorize`: each element's call is linked to the element, or the derivative is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import visual_debug as vd

A = np.array([[0.7, 1.6, 2.2], [3.1, 0.9, 4.5]])


@np.vectorize
def softplus(x):
    return x if x > 4 else math.log1p(math.exp(x))


leaky = np.vectorize(lambda e, slope=0.5: e if e > 1.5 else slope * e, otypes=[float])
cached = np.vectorize(softplus.pyfunc, cache=True)


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, a):
        return np.vectorize(self.times)(a)

    def times(self, e):
        return e * self.factor


FOLLOWED = [
    lambda a: softplus(a) * a,
    lambda a: leaky(a) + softplus(a) + leaky(a * 2),
    lambda a: cached(a),
    lambda a: np.vectorize(lambda e, f: e * f + a[0, 0])(a, a * 2),
    lambda a: np.vectorize(lambda e, f: e**f)(a, 2.0),
    lambda a: np.vectorize(lambda e: int(e * 2.1))(a) * a,
    lambda a: Scale(a[0, 0])(a),
    lambda a: softplus(a[0, 1]) * a,
]
REFUSED = [
    lambda a: leaky(a.T).T,  # called in another order than that of the indices
    lambda a: np.vectorize(lambda e, f: e * f)(a, a[0]),
    lambda a: np.vectorize(math.sin)(a),
    lambda a: np.vectorize(lambda e: (e, e * e))(a)[1],
    lambda a: np.vectorize(lambda row: row.sum(), signature="(n)->()")(a)[:, None] * a,
    lambda a: leaky(a, slope=0.1),
]


@pytest.mark.parametrize("function", FOLLOWED)
def test_followed(function: Any) -> None:
    expected = function(A)
    trace = vd.trace(function, A.copy())
    assert trace.result.tobytes() == expected.tobytes()
    step = 2.0**-14
    slopes = np.zeros(A.shape)
    for place in np.ndindex(A.shape):
        moved = np.zeros(A.shape)
        moved[place] = step
        slopes[place] = np.sum(function(A + moved) - function(A - moved)) / (2 * step)
    np.testing.assert_allclose(trace.grad("a", seed=np.ones(expected.shape)), slopes, rtol=1e-6)


@pytest.mark.parametrize("function", REFUSED)
def test_refused(function: Any) -> None:
    trace = vd.trace(function, A.copy())
    assert trace.result.tobytes() == function(A).tobytes()
    with pytest.raises(vd.NoDerivativeError):
        trace.grad("a", seed=np.ones(A.shape))


def test_the_graph_has_the_operations_of_each_element() -> None:
    trace = vd.trace(lambda a: np.vectorize(lambda e: e * e, otypes=[float])(a).sum(), A.copy())
    assert [node.value for node in trace.find(op="mul")] == [e * e for e in A.ravel()]
    (whole,) = trace.find(op="numpy.array")
    assert len(whole.operands) == A.size
