"""Objects of own classes: what is found out about a class once, and what may happen to the class in between."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

import visual_debug as vd
from visual_debug import visual_debug


def right_or_refused(trace, expected):
    """Whether the gradient is right; code that runs on its own and is not followed is refused."""
    try:
        return trace.grad("x") == expected
    except vd.VisualDebugError as error:
        return "has no derivative" in str(error)


class Vec:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k)


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Slots(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Slots(self.x * k, self.y * k)


@dataclass
class Data:
    x: float
    y: float = 0.0

    def __add__(self, other):
        return Data(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Data(self.x * k, self.y * k)


def spring(kind, x, v, h, n):
    position, velocity = kind(x, 1.0), kind(v, 0.5)
    for _ in range(n):
        velocity = velocity + position * -h
        position = position + velocity * h
    return position.x


def spring_of_numbers(x, v, h, n):
    for _ in range(n):
        v = v + x * -h
        x = x + v * h
    return x


@pytest.mark.parametrize("kind", [Vec, Slots, Data])
def test_the_gradient_through_objects_is_that_of_the_numbers_in_them(kind):
    trace = vd.trace(spring, kind, 0.3, 0.2, 0.01, 200)
    expected = vd.trace(spring_of_numbers, 0.3, 0.2, 0.01, 200)
    assert trace.result == expected.result
    grad = trace.grad()
    for name in ("x", "v", "h"):
        assert grad[name] == pytest.approx(expected.grad(name), rel=1e-12)


ENDED: list[float] = []


class Told:
    def __init__(self, x):
        self.x = x

    def __del__(self):
        ENDED.append(self.x)


class ToldSlots(Told):
    __slots__ = ()


@pytest.mark.parametrize("kind", [Told, ToldSlots])
def test_objects_end_while_nothing_but_recorded_code_runs(kind):
    seen = []

    @visual_debug
    def many(n):
        total = 0.0
        for i in range(n):
            made = kind(i * 0.5)
            total = total + made.x
            if i == n - 1:
                seen.extend([len(ENDED)])
        return total

    ENDED.clear()
    assert many(3000) == sum(i * 0.5 for i in range(3000))
    assert seen[0] > 2500
    gc.collect()
    assert len(ENDED) == 3000


def test_no_object_outlives_the_call():
    kept = []

    class Watched(Vec):
        def __init__(self, x, y):
            super().__init__(x, y)
            kept.append(weakref.ref(self))

    trace = vd.trace(spring, Watched, 0.3, 0.2, 0.01, 50)
    gc.collect()
    assert len(kept) == 2
    assert [ref() for ref in kept] == [None, None]
    assert trace.grad("x") == pytest.approx(vd.trace(spring_of_numbers, 0.3, 0.2, 0.01, 50).grad("x"), rel=1e-12)


class Swapped:
    def __init__(self, x):
        self.x = x


def test_an_init_that_is_exchanged_in_the_midst():
    def other(self, x):
        self.x = 3.0 * x

    original = Swapped.__init__

    def swaps(x):
        total = 0.0
        for i in range(4):
            if i == 2:
                Swapped.__init__ = other
            total = total + Swapped(x * x).x
        return total

    try:
        trace = vd.trace(swaps, 2.0)
    finally:
        Swapped.__init__ = original
    assert trace.result == 32.0
    assert right_or_refused(trace, 32.0)


class Counting(type):
    calls = 0

    def __call__(cls, x):
        Counting.calls += 1
        return super().__call__(2.0 * x)


class OfMeta(metaclass=Counting):
    def __init__(self, x):
        self.x = x


class OfNew:
    def __new__(cls, x):
        made = super().__new__(cls)
        made.extra = 5.0 * x
        return made

    def __init__(self, x):
        self.x = x


def test_what_runs_besides_init_is_not_passed_over():
    def both(x):
        total = 0.0
        for _ in range(3):
            a, b = OfMeta(x), OfNew(x)
            total = total + a.x * b.extra + b.x
        return total

    Counting.calls = 0
    trace = vd.trace(both, 2.0)
    assert trace.result == 3 * (4.0 * 10.0 + 2.0)
    assert Counting.calls == 3
    assert right_or_refused(trace, 3 * (20 * 2.0 + 1))


class Holder:
    def __init__(self, inner, f):
        self.value = inner * 2.0 + GLOBAL
        self.square = f(inner.x)


GLOBAL = Vec(1.5, 2.5)


def test_what_an_object_is_made_from_is_followed_too():
    def holds(x):
        total = 0.0
        for _ in range(3):
            made = Holder(Vec(x, x * x), square)
            total = total + made.value.y + made.square
        return total

    def square(v):
        return v * v

    trace = vd.trace(holds, 2.0)
    assert trace.result == 3 * (2 * 4.0 + 2.5 + 4.0)
    assert trace.grad("x") == 3 * (2 * 4.0 + 4.0)


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_namespaces_and_attributes_of_arrays():
    import numpy as np

    def mixed(x, a):
        space = SimpleNamespace(v=x)
        for _ in range(3):
            space.v = space.v * x
        b = a * x
        b.shape = (2, 2)
        return space.v * b.sum() + b[1, 1]

    a = np.arange(4.0)
    trace = vd.trace(mixed, 2.0, a)
    assert trace.result == 16.0 * 12.0 + 6.0
    assert trace.grad("x") == pytest.approx(5 * 16.0 * 6.0 + 3.0)


def test_a_method_of_one_site_on_objects_that_take_turns():
    class Scale:
        def __init__(self, k):
            self.k = k

        def of(self, x):
            return self.k * x

    def turns(x):
        scales, total = [Scale(2.0), Scale(x)], 0.0
        for i in range(6):
            total = total + scales[i % 2].of(x)
        return total

    trace = vd.trace(turns, 3.0)
    assert trace.result == 3 * (6.0 + 9.0)
    assert trace.grad("x") == 3 * (2.0 + 6.0)


def test_objects_appended_to_a_list_and_sorted():
    class Item:
        def __init__(self, x):
            self.x = x

        def __lt__(self, other):
            return self.x < other.x

    def ordered(x):
        items = []
        for i in range(5):
            items.append(Item(x * (i - 2) ** 2))
        items.sort()
        return sum([item.x * k for k, item in enumerate(items)])

    trace = vd.trace(ordered, 2.0)
    values = sorted([4.0, 1.0, 0.0, 1.0, 4.0])
    assert trace.result == sum(2.0 * v * k for k, v in enumerate(values))
    assert trace.grad("x") == sum(v * k for k, v in enumerate(values))
