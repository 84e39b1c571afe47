"""Numbers in an `array.array`, which keeps their bits only, and in globals that code sets which is not recorded.

The gradient through each is right, or refused by name; it is never wrong.
"""

from __future__ import annotations

import functools
from array import array

import pytest

import visual_debug as vd

level = 1.0
levels = [1.0]


class Arrays:
    """Programs of a number; those named `must_…` must not be refused."""

    def must_items(x):
        a = array("d", [x, x * 2])
        a.append(x * x)
        a[0] = a[1] * 3
        return a[0] * a[2]

    def must_sum(x):
        return sum(array("d", [x, x * 2, 1])) * x

    def must_slice(x):
        return array("d", [x, x * 2, 1.0])[1:][0] * x

    def must_iterate(x):
        total = 0.0
        for v in array("d", [x, x * x]):
            total += v * x
        return total

    def must_methods(x):
        a = array("d")
        a.fromlist([x, x * 3])
        a.extend([x * 2])
        a.insert(0, x * 7)
        a.reverse()
        return a[0] * a[3] * a.pop()

    def must_concatenate(x):
        return (array("d", [x]) + array("d", [x * 2]))[1] * x

    def must_equal_numbers(x):
        a = array("d", [x, 1.5, x * 1])
        a[1], a[2] = a[2] * 2, a[1]
        return a[1] * a[2]

    def rounded(x):
        return array("f", [x, x * 2])[1] * x

    def whole(x):
        return array("i", [3, int(x)])[1] * x

    def bits(x):
        a = array("d")
        a.frombytes(array("d", [x * 2]).tobytes())
        return a[0] * x

    def memory(x):
        a = array("d", [x * 2])
        memoryview(a)[0] = x * 3
        return a[0] * x

    def memory_later(x):
        a = array("d", [x * 2])
        view = memoryview(a)
        y = a[0]
        view[0] = x * 3
        return a[0] * y


def set_level(value):
    global level
    level = value
    return value


def set_and_forget(total, value):
    set_level(value * 2)
    return total


def set_in_list(value):
    levels[0] = value
    return 0.0


class Globals:
    """The same, through global variables."""

    def set_by_a_call(x):
        set_level(x * 2)
        return level * x

    def set_by_reduce(x):
        functools.reduce(set_and_forget, [x, x * 3], 0.0)
        return level * x

    def set_by_a_key(x):
        sorted([x * 2, x], key=set_level)
        return level * x

    def read_before_and_after(x):
        set_level(x)
        before = level * 1
        max([x * 5], key=set_level)
        return level * before

    def in_a_list(x):
        levels[0] = x
        min([x * 4], key=set_in_list)
        return levels[0] * x

    def in_the_dict_of_the_module(x):
        globals()["level"] = x * 3
        return level * x


PROGRAMS = {
    f"{kind.__name__} {name}": program
    for kind in (Arrays, Globals)
    for name, program in vars(kind).items()
    if not name.startswith("__")
}


@pytest.mark.parametrize("follow", [None, ()], ids=["followed", "not followed"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_right_or_refused(name, follow):
    program = PROGRAMS[name]
    expected = (program(1.5 + 1e-6) - program(1.5 - 1e-6)) / 2e-6
    traced = vd.visual_debug(program, follow=follow)
    assert traced(1.5) == program(1.5)
    try:
        gradient = traced.trace.grad("x")
    except vd.NoDerivativeError:
        assert "must_" not in name
        return
    if "rounded" in name or "whole" in name:
        pytest.fail("a number that was rounded has no derivative by its bits")
    assert gradient == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("typecode", "bBhHiIlLqQf")
def test_an_array_that_rounds_gives_no_constant_for_a_computed_number(typecode):
    trace = vd.trace(lambda x: array(typecode, [int(x * 2) if typecode != "f" else x * 2])[0] * x, 1.5)
    assert trace.result == 4.5
    with pytest.raises(vd.NoDerivativeError):
        trace.grad()
