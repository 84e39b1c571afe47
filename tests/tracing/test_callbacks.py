"""Functions that code which is not recorded calls: activations of their own, with arguments linked where they are known."""

from __future__ import annotations

import copy
import dataclasses
import functools
import gc
import itertools
import math
import signal

import numpy as np
import pytest
from scipy import integrate, optimize

import visual_debug as vd
from visual_debug import visual_debug


def square(x):
    return x * x


def add(a, b):
    return a + b


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __iadd__(self, other):
        self.x += other.x
        self.y += other.y
        return self

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __getitem__(self, index):
        return (self.x, self.y)[index]

    def __call__(self, k):
        return self.x * k

    def __lt__(self, other):
        return self.norm2 < other.norm2

    @property
    def norm2(self):
        return self.x**2 + self.y**2

    @functools.cached_property
    def product(self):
        return self.x * self.y


@dataclasses.dataclass(frozen=True)
class Material:
    stiffness: float
    density: float = 2.0

    @property
    def speed(self):
        return self.stiffness / self.density


@dataclasses.dataclass
class Beam:
    length: float
    material: Material = dataclasses.field(default_factory=lambda: Material(3.0))

    def __post_init__(self):
        self.mass = self.length * self.material.density


@functools.lru_cache(None)
def fibonacci(n, x):
    return x if n < 2 else fibonacci(n - 1, x) + fibonacci(n - 2, x)


@functools.singledispatch
def area(shape):
    raise TypeError(shape)


@area.register
def _(shape: float):
    return shape * shape


@area.register
def _(shape: tuple):
    return shape[0] * shape[1]


@pytest.mark.parametrize("kind", [float, int])
@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda x, y: functools.reduce(add, [x, y, x]), (2, 1)),
        (lambda x, y: functools.reduce(add, map(square, [x, y])), (4, 6)),
        (lambda x, y: max([x, y], key=lambda v: -v) * y, (3, 2)),
        (lambda x, y: functools.partial(add, x)(y), (1, 1)),
        (lambda x, y: (2 * Vector(x, y) + Vector(y, x)).norm2, (44, 46)),
        (lambda x, y: Vector(x, y)[1] * Vector(x, y)(4), (12, 8)),
        (lambda x, y: (-Vector(x, y)).product * Vector(x, y).product, (36, 24)),
        (lambda x, y: Beam(x).mass + Beam(y, Material(x, y)).mass, (2, 6)),
    ],
)  # fmt: skip
def test_what_foreign_code_calls_is_recorded(function, gradient, kind):
    trace = vd.trace(function, kind(2), kind(3))
    assert trace.result == function(kind(2), kind(3))
    try:
        got = trace.grad()
    except vd.NoDerivativeError:
        assert kind is int  # ints have no identity: what a C function handed over is not known, and said so
        return
    assert got == dict(zip("xy", gradient, strict=True))


def test_in_place_operators_and_attributes_of_users_classes():
    @visual_debug
    def f(x, y):
        v = Vector(x, y)
        v += Vector(y, x * 2)
        v.x *= v.y
        return v.x

    assert f(2, 3) == 35
    assert f.trace.grad() == {"x": 7 + 5 * 2, "y": 7 + 5}


def test_dataclasses_properties_and_defaults():
    @visual_debug
    def f(x, y):
        return Material(x, density=y).speed + Material(x).speed

    assert f(3.0, 4.0) == 2.25
    assert f.trace.grad() == {"x": 0.75, "y": -3 / 16}


def test_caches_and_generic_functions():
    fibonacci.cache_clear()
    traced = visual_debug(lambda x: fibonacci(6, x))
    assert traced(2.0) == 26.0
    assert traced.trace.grad() == {"x": 13.0}
    generic = visual_debug(lambda x, y: area(x) + area((x, y)))
    assert generic(2.0, 3.0) == 10.0
    assert generic.trace.grad() == {"x": 7.0, "y": 2.0}


def test_sorting_by_a_key_and_by_the_objects_themselves():
    @visual_debug
    def f(x, y):
        near = sorted([x, y], key=lambda v: (v - 3) ** 2)
        small = sorted([Vector(y, y), Vector(x, x)])
        return near[0] * small[0].x

    assert f(2.0, 3.0) == 6.0
    assert f.trace.grad() == {"x": 3.0, "y": 2.0}


def test_accumulate_and_friends_of_itertools():
    @visual_debug
    def f(x, y):
        products = list(itertools.accumulate([x, y, x], lambda a, b: a * b))
        kept = list(itertools.takewhile(lambda v: v < 10, products))
        return next(itertools.starmap(add, [(products[-1], kept[0])]))

    assert f(2.0, 3.0) == 14.0
    assert f.trace.grad() == {"x": 13.0, "y": 4.0}


def test_libraries_call_back():
    calls = []

    def rosenbrock(p):
        calls.append(None)
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    @visual_debug
    def least(x0):
        return optimize.minimize(rosenbrock, x0, method="Nelder-Mead", options={"maxiter": 15}).fun

    plain = least.__wrapped__([0.0, 1.0])
    count = len(calls)
    assert least([0.0, 1.0]) == plain
    activations = {node.call for node in least.trace if node.function.endswith("rosenbrock")}
    assert len(activations) == count

    @visual_debug
    def area_under(a):
        return integrate.quad(lambda t: a * t * t, 0.0, 1.0)[0]

    assert area_under(3.0) == pytest.approx(1.0)
    assert len({node.call for node in area_under.trace}) == 1 + 21
    with pytest.raises(vd.NoDerivativeError):
        area_under.trace.grad()


def test_vectorize_is_never_taken_for_what_it_calls():
    def exp(x):
        return x

    traced = visual_debug(lambda a: np.vectorize(exp)(a).sum())
    assert traced(np.array([1.0, 2.0])) == 3.0
    assert traced.trace.grad("a").tolist() == [1.0, 1.0]  # not those of numpy.exp, for all its name


def test_functions_get_their_own_code_back():
    before = square.__code__, Vector.__add__.__code__, Vector.norm2.fget.__code__
    during = []

    @visual_debug
    def f(x):
        list(map(square, [x]))
        during.append(square.__code__ is not before[0])
        raise ValueError(Vector(x, x).norm2)

    with pytest.raises(ValueError, match="8"):
        f(2.0)
    assert during == [True]
    assert (square.__code__, Vector.__add__.__code__, Vector.norm2.fget.__code__) == before
    assert copy.copy(square) is square


def test_a_lent_function_in_another_thread_is_plain():
    import threading

    results = []

    @visual_debug
    def f(x):
        thread = threading.Thread(target=lambda: results.append(square(7.0)))
        thread.start()
        thread.join()
        return sum(map(square, [x]))

    assert f(3.0) == 9.0
    assert results == [49.0]
    assert [node.value for node in f.trace.find(op="mul")] == [9.0]


@pytest.mark.parametrize("threshold", [1, 2, 3, 7, 20])
def test_what_a_collection_of_garbage_runs_may_come_at_any_instruction(threshold):
    """A callback of the collector in Python, and `__del__` of what is in a cycle, also while a call is being recorded."""

    @visual_debug
    def f(x):
        collected = []

        def callback(phase, info):
            collected.append(len(phase) + len(info))

        def generator():
            yield x * 2

        class Cycle:
            def __init__(self):
                self.me = self

            def __del__(self):
                collected.append(callback.__name__)

        before = gc.get_threshold()
        gc.callbacks.append(callback)
        gc.set_threshold(threshold, 0, 0)
        try:
            y = [x * 3 for _ in range(3)]
            z = next(generator())
            Cycle()
        finally:
            gc.set_threshold(*before)
            gc.callbacks.remove(callback)
        return y[0] * z

    assert f(3.0) == 54.0
    assert f.trace.grad() == {"x": 36.0}


def test_a_signal_handler_may_come_at_any_instruction():
    @visual_debug
    def f(x):
        seen = []

        def handler(number, frame):
            seen.append(number * 2)

        before = signal.signal(signal.SIGVTALRM, handler)
        signal.setitimer(signal.ITIMER_VIRTUAL, 1e-4, 1e-4)
        try:
            total = 0.0
            for k in range(20000):
                total += math.sin(x * k)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
        return total

    assert f(0.3) == f.__wrapped__(0.3)
    assert f.trace.grad()["x"] == pytest.approx(math.fsum(k * math.cos(0.3 * k) for k in range(20000)), rel=1e-9)


def test_objects_are_not_asked_what_they_are():
    asked = []

    class Shy:
        def __getattribute__(self, name):
            asked.append(name)
            return object.__getattribute__(self, name)

    class Holder:
        described = Shy()

    @visual_debug
    def f(x, shy, holder):
        values = [shy, holder]
        return x * len(list(map(id, values))) + len(sorted([3, 1], key=lambda v: -v))

    assert f(2.0, Shy(), Holder()) == 6.0
    assert f.trace.result == 6.0
    assert len(f.trace) > 2
    assert not asked
