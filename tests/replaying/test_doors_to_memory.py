"""Arrays that are written to in ways of which the array itself does not tell: out= in all its forms, buffers, iterators.

Each program is right in every value and its gradient, or refused; the mark says which. Derivatives are differences.
"""

from __future__ import annotations

import ctypes
import functools
import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import visual_debug as vd

PROGRAMS: list[tuple[Callable[..., Any], bool]] = []


def right(function: Callable[..., Any]) -> Callable[..., Any]:
    PROGRAMS.append((function, True))
    return function


def refused(function: Callable[..., Any]) -> Callable[..., Any]:
    PROGRAMS.append((function, False))
    return function


@right
def out_in_a_tuple(a):
    z = np.zeros(3)
    np.add(a, a, out=(z,))
    return z * a


@right
def out_twice(a):
    q, r = np.zeros(3), np.zeros(3)
    np.divmod(a * 5, 2.3, out=(q, r))
    return q * r * a


@right
def out_twice_by_position(a):
    q, r = np.zeros(3), np.zeros(3)
    np.modf(a * 1.3, q, r)
    return q * r * a


@right
def out_once_of_two(a):
    z = np.zeros(3)
    np.frexp(a, out=(z, None))
    return z * a


@right
def out_among_keywords(a):
    z, w = np.zeros(3), np.zeros(3)
    in_a_tuple, alone = {"out": (z,)}, {"out": w}
    np.multiply(a, a, **in_a_tuple)
    np.multiply(a, z, **alone)
    return z * w * a


@right
def out_among_packed_arguments(a):
    z = np.zeros(3)
    arguments = (a, a, z)
    np.multiply(*arguments)
    return z * a


@right
def methods_with_packed_arguments(a):
    z, w = a * 1, np.zeros(3)
    z.fill(*[2.0])
    a.cumsum(*(0, None, w))
    z.put(*[0], *[5.0])
    np.put(*(z, 1, 3.0))
    return z * w


@right
def out_of_a_ufunc_in_a_variable(a):
    f, z = np.add, a * 1
    g = np.exp
    g(z, z)
    f(z, 1, out=(z,))
    return z


@right
def out_of_methods_of_ufuncs(a):
    z, w = a * 1, np.zeros(2)
    np.add.at(z, [0], a[1])
    np.add.reduce(np.outer(a, a), out=(z,))
    np.add.reduceat(a, [0, 1], out=(w,))
    np.add.accumulate(z, out=z)
    return z[:2] * w


@right
def out_that_is_a_part(a):
    z, o = [np.zeros(3)], np.zeros((3, 2))
    np.sin(a, out=z[0])
    np.multiply(a, 2, out=o[:, 1])
    return z[0] * o[:, 1]


@right
def out_of_products(a):
    z, w, d = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
    np.matmul(a[:, None], a[None], out=(z,))
    np.take(a, [2, 1, 0], out=w, mode="clip")
    np.dot(z, a, d)
    return z @ w + d


@right
def out_of_reductions(a):
    s, t, u = np.zeros(()), np.zeros(()), np.zeros(())
    np.mean(a, out=s)
    a.std(out=t)
    np.median(a, out=u)
    return a * s * t * u


@right
def out_of_joining(a):
    z, w = np.zeros(6), np.zeros((2, 3))
    np.concatenate([a, a * a], out=z)
    np.stack([a, z[3:]], out=w)
    return (w * z.reshape(2, 3)).sum(0)


@refused
def out_of_a_partial(a):
    z = np.zeros(3)
    functools.partial(np.add, out=z)(a, a)
    return z * a


@right
def through_strides(a):
    z = a * 1
    np.lib.stride_tricks.as_strided(z, (2,), (8,))[:] = a[:2] ** 2
    np.lib.stride_tricks.as_strided(z, (2,), (16,))[1] = 9
    return z * 2


@refused
def by_a_memoryview(a):
    z = a * 1
    memoryview(z)[1] = 7.0
    return z * 2


@refused
def by_a_slice_of_a_memoryview(a):
    z = a * 1
    z.data[0:2] = memoryview(np.array([5.0, 6.0]))
    return z * 2


@refused
def by_a_memoryview_cast(a):
    z = a * 1
    z.data.cast("B").cast("d")[0] = 3.0
    return z * 2


@refused
def by_an_array_on_a_memoryview(a):
    z = a * 1
    b = np.asarray(memoryview(z))
    b[2] *= 3
    return z * 2


@refused
def by_an_array_on_a_buffer(a):
    z = a * 1
    np.frombuffer(z.data)[1] = 3.0
    return z * 2


@refused
def by_an_iterator(a):
    z = a * 1
    with np.nditer(z, op_flags=["readwrite"]) as items:
        for item in items:
            item[...] = 2 * item
    return z


@refused
def by_an_iterator_over_chunks(a):
    z = a * 1
    for chunk in np.nditer(z, op_flags=["readwrite"], flags=["external_loop"]):
        chunk *= 3
    return z * a


@refused
def by_items_of_an_iterator(a):
    z = np.zeros(3)
    iterator = np.nditer(z, flags=["multi_index"], op_flags=["writeonly"])
    while not iterator.finished:
        iterator[0] = a[iterator.multi_index] ** 2
        iterator.iternext()
    return z * a


@right
def with_an_iterator_that_reads(a):
    z = np.zeros(3)
    for i in np.nditer(np.arange(3)):
        z[i] = a[i] ** 2
    return z * a


@refused
def by_a_pointer(a):
    z = a * 1
    z.ctypes.data_as(ctypes.POINTER(ctypes.c_double))[0] = 8.0
    return z * 2


@refused
def by_a_file(a):
    z = a * 1
    io.BytesIO(np.array([9.0, 8.0, 7.0]).tobytes()).readinto(z)
    return z * a


@refused
def by_bytes(a):
    z = a * 1
    struct.pack_into("d", z, 8, 5.0)
    return z * 2


@refused
def by_a_generator(a):
    z = a * 1
    np.random.default_rng(0).random(out=z)
    return z * a


A = np.array([1.1, 2.2, 3.3])


def differences(function: Callable[..., Any]) -> Any:
    step = 2.0**-14
    return np.array([np.sum(function(A + d) - function(A - d)) / (2 * step) for d in np.eye(3) * step])


@pytest.mark.parametrize(("function", "is_right"), PROGRAMS, ids=[function.__name__ for function, _ in PROGRAMS])
def test_right_or_refused(function: Callable[..., Any], is_right: bool) -> None:
    expected = function(A.copy())
    recorded = vd.visual_debug(function)
    for _ in range(2):  # what a call site remembers serves as well
        assert recorded(A.copy()).tobytes() == expected.tobytes()
        trace = recorded.trace
        if is_right:
            np.testing.assert_allclose(trace.grad("a", seed=np.ones(len(expected))), differences(function), rtol=1e-5)
        else:
            with pytest.raises(vd.VisualDebugError):
                trace.grad("a", seed=np.ones(len(expected)))


def test_the_refusal_of_an_iterator_says_what_to_do() -> None:
    with pytest.raises(vd.TraceError, match=r"test_doors_to_memory.py:\d+: .*nditer.*numpy.ndindex"):
        len(vd.trace(by_an_iterator, A.copy()))


def test_the_content_before_a_write_through_a_memoryview() -> None:
    trace = vd.trace(by_a_memoryview, A.copy())
    assert [node.value.tolist() for node in trace.find(op="mul")] == [A.tolist(), [2.2, 14.0, 6.6]]
