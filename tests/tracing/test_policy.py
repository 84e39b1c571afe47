"""What a call site remembers of the methods that it calls: it may never call another than the plain function would."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import visual_debug as vd


class Scale:
    def __init__(self, k):
        self.k = k

    def at(self, x, shift=0.0):
        return x * self.k + shift


class Square(Scale):
    def at(self, x, shift=1.0):
        return x * x * self.k + shift


def test_one_call_site_calls_methods_of_many_objects_and_classes():
    def f(x, y, z):
        for shape in (Scale(x), Scale(y), Square(z), Scale(y), Square(x)):
            x = shape.at(x)
        return x

    args = 1.1, 0.7, 1.3
    trace = vd.trace(f, *args)
    assert trace.result == f(*args)
    for name, i in zip("xyz", range(3), strict=True):
        up, down = list(args), list(args)
        up[i] += 1e-6
        down[i] -= 1e-6
        assert trace.grad(name) == pytest.approx((f(*up) - f(*down)) / 2e-6, rel=1e-6)


def test_a_method_is_given_other_defaults_in_the_midst_of_a_loop():
    class Other(Scale):
        def at(self, x, shift=0.0):
            return x * self.k + shift

    def f(x):
        shape, total = Other(2.0), 0.0
        for i in range(4):
            total += shape.at(x)
            if i == 1:
                Other.at.__defaults__ = (5.0,)
        return total

    def change_back():
        Other.at.__defaults__ = (0.0,)

    expected = f(3.0)
    change_back()
    traced = vd.visual_debug(f)
    assert traced(3.0) == expected
    with pytest.raises(vd.TraceError, match="assigned to while"):
        traced.trace.grad()


def test_a_method_is_replaced_in_the_midst_of_a_loop():
    class Other(Scale):
        pass

    def f(x):
        shape, total = Other(x), x
        for i in range(4):
            total = shape.at(total)
            if i == 1:
                Other.at = Square.at
            if i == 2:
                shape.at = lambda y: y * y
        return total

    expected = f(1.2)
    del Other.at
    trace = vd.trace(f, 1.2)
    assert trace.result == expected
    above, below = [], []
    for side, x in ((above, 1.2 + 1e-6), (below, 1.2 - 1e-6)):
        del Other.at
        side.append(f(x))
    assert trace.grad("x") == pytest.approx((above[0] - below[0]) / 2e-6, rel=1e-6)


def test_an_object_whose_method_was_called_in_a_loop_is_not_kept():
    dead = []

    def f(x):
        shape = Scale(x)
        weakref.finalize(shape, dead.append, True)
        for _ in range(3):
            x = shape.at(x)
        return x

    traced = vd.visual_debug(f)
    traced(2.0)
    gc.collect()
    assert dead
    assert traced.trace.grad() == {"x": 4 * 2.0**3}


def test_all_that_is_followed_leaves_operations_of_scipy_whole():
    linalg = pytest.importorskip("scipy.linalg")
    matrix = np.array([[2.0, 1.0], [0.5, 3.0]])
    traced = vd.visual_debug(follow="all")(lambda a: linalg.inv(a).sum() + linalg.expm(a).sum())
    traced(matrix)
    assert [node.op for node in traced.trace if node.op.startswith("scipy")] == [
        "scipy.linalg.inv",
        "scipy.linalg.expm",
    ]
    away = np.array([[1e-6, 0.0], [0.0, 0.0]])
    plain = traced.__wrapped__
    assert traced.trace.grad("a")[0, 0] == pytest.approx((plain(matrix + away) - plain(matrix - away)) / 2e-6, rel=1e-6)
