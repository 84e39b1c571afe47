"""Named tuples, objects of dataclasses, deques and kin as arguments and results: leaves by path, gradients in the same
structure, each checked against differences; what has no structure is refused by name."""

from __future__ import annotations

import collections
import copy
import dataclasses
import math
import typing
from array import array

import numpy as np
import pytest

import visual_debug as vd

Point = collections.namedtuple("Point", "x y")


class Pair(typing.NamedTuple):
    a: float
    b: float = 0.25


class Longer(Point):
    __slots__ = ()

    def length(self):
        return (self.x**2 + self.y**2) ** 0.5


@dataclasses.dataclass
class Body:
    mass: float
    place: list
    name: str = "no number"

    def energy(self, g):
        return self.mass * g * self.place[1]

    @property
    def weight(self):
        return self.mass * 9.81


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: float
    b: float
    n: int = 3


@dataclasses.dataclass
class Outer:
    inner: Frozen
    pair: Pair
    weights: dict


class Plain:
    def __init__(self, a):
        self.a = a


def fields(p):
    return p.x * p.y + p.x


def positions(p):
    return p[0] * p[1] + p[-1]


def unpacked(p):
    a, b = p
    return a * b + sum(p) + max(*p)


def iterated(p):
    s = 0.0
    for i, v in enumerate(p):
        s = s + (i + 2) * v
    return s * len(p)


def own_method(p):
    return p.length() * p.x


def methods(body):
    return body.energy(9.81) + body.weight * 2


def aliased(body):
    other = body
    place = other.place
    other.mass = other.mass * place[0]
    place[1] = place[1] * 2
    return body.mass * body.place[1]


def replaced(p):
    q = dataclasses.replace(p, a=p.a * p.b)
    return q.a * q.b


def frozen(p):
    return p.a**p.n * p.b


def nested(params):
    w = params["layers"][0].weights["w"]
    return params["layers"][0].inner.a * w[0] + params["layers"][0].pair.b * w[1] * params["p"].x


def queue(d):
    first = d.popleft()
    d.append(first * d[0])
    d.rotate(1)
    return d[0] * d[1] + len(d)


def counted(c):
    return c["a"] * c["b"] + c["missing"]


def of_array(values):
    return values[0] * values[1] + sum(v * v for v in values)


def set_by_name(body):
    setattr(body, "mass", body.mass * 3)  # noqa: B010 - it is what is tried
    return body.mass * body.place[0]


def as_array(p):
    return np.array(p).sum() * np.hypot(*p)


def matched(p):
    match p:
        case Point(x, y):
            return x * y * 2
    return 0.0


PROGRAMS = [
    (fields, Point(2.0, 3.0)),
    (fields, Point(0.5, 0.5)),
    (positions, Point(2.0, 3.0)),
    (unpacked, Pair(2.0, 3.0)),
    (iterated, Point(2.0, 3.0)),
    (own_method, Longer(3.0, 4.0)),
    (methods, Body(2.0, [1.0, 5.0])),
    (aliased, Body(2.0, [1.5, 5.0])),
    (set_by_name, Body(2.0, [1.5, 5.0])),
    (replaced, Frozen(2.0, 3.0)),
    (frozen, Frozen(2.0, 3.0)),
    (nested, {"layers": [Outer(Frozen(2.0, 3.0), Pair(1.0), {"w": (4.0, 5.0)})], "p": Point(6.0, 7.0)}),
    (queue, collections.deque([2.0, 3.0, 4.0])),
    (queue, collections.deque([2.0, 3.0, 4.0], maxlen=3)),
    (counted, collections.defaultdict(float, a=2.0, b=3.0)),
    (counted, collections.Counter(a=2.0, b=3.0)),
    (counted, collections.OrderedDict(a=2.0, b=3.0, missing=1.0)),
    (of_array, array("d", [2.0, 3.0])),
    (as_array, Point(2.0, 3.0)),
    (matched, Point(2.0, 3.0)),
]


def places(value, path=()):
    """Where the floats of a nested argument are."""
    if type(value) is float:
        yield path
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):  # ints too have derivatives, but no differences
            yield from places(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, (list, tuple, collections.deque, array)):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def at(value, path):
    for step in path:
        value = getattr(value, step) if dataclasses.is_dataclass(value) else value[step]
    return value


def moved(value, path, by):
    """The argument with one of its numbers moved."""
    if not path:
        return value + by
    value = copy.copy(value)
    inner = moved(at(value, path[:1]), path[1:], by)
    if dataclasses.is_dataclass(value):
        object.__setattr__(value, path[0], inner)
    elif isinstance(value, tuple):
        items = list(value)
        items[path[0]] = inner
        value = value._make(items) if hasattr(value, "_make") else tuple(items)
    else:
        value[path[0]] = inner
    return value


@pytest.mark.parametrize(("function", "argument"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_gradients_are_in_the_structure_of_the_argument(function, argument):
    name = function.__code__.co_varnames[0]
    plain = function(copy.deepcopy(argument))
    trace = vd.trace(function, copy.deepcopy(argument))
    assert trace.result == plain
    try:
        gradient = trace.grad(name)
    except vd.NoDerivativeError:
        assert function in (replaced, set_by_name)  # code that is not recorded had it in hand
        return
    found = list(places(argument))
    assert found
    for path in found:
        ends = [function(moved(copy.deepcopy(argument), path, side)) for side in (1e-6, -1e-6)]
        assert at(gradient, path) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7), path
        assert at(trace.inputs[name], path).value == at(argument, path)


def test_the_gradient_is_of_the_same_class_and_no_code_of_it_is_run():
    @dataclasses.dataclass
    class Checked:
        a: float
        b: float

        def __post_init__(self):
            assert self.a > 0 > self.b

    gradient = vd.trace(lambda c: c.a - c.b**2, Checked(1.0, -2.0)).grad()
    assert type(gradient["c"]) is Checked
    assert (gradient["c"].a, gradient["c"].b) == (1.0, 4.0)
    assert type(vd.trace(fields, Point(2.0, 3.0)).grad("p")) is Point
    assert vd.trace(methods, Body(2.0, [1.0, 5.0])).grad("body").name is None


def test_results_have_a_structure():
    def f(x):
        return Pair(x * 2, b=x * 3)

    def g(x):
        return {"p": Point(x * 2, [x]), "b": Body(x * x, [x, 1.0])}

    trace = vd.trace(f, 2.0)
    assert type(trace.outputs) is Pair
    assert (trace.grad("x", of="b"), trace.grad("x", of=0)) == (3.0, 2.0)
    assert trace.grad("x", seed=Pair(1.0, 10.0)) == 32.0
    assert trace.jvp(x=1.0) == Pair(2.0, 3.0)
    trace = vd.trace(g, 2.0)
    assert trace.grad("x", of=("b", "mass")) == 4.0
    assert trace.grad("x", of=("p", "y", 0)) == 1.0
    assert trace.jvp(x=1.0)["b"].mass == 4.0
    with pytest.raises(vd.TraceError, match="no such part"):
        trace.grad(of=("b", "colour"))


def test_tangents_and_changes_are_given_in_the_structure():
    trace = vd.trace(fields, Point(2.0, 3.0))
    assert trace.jvp(p=Point(1.0, 0.0)) == 4.0
    assert trace.what_if(p=Point(5.0, 3.0)).result == 20.0
    trace = vd.trace(frozen, Frozen(2.0, 3.0))
    assert trace.jvp(p=Frozen(0.0, 1.0, 0)) == 8.0
    assert trace.condition().inputs["p"].b == pytest.approx(1.0)
    assert "a" in str(trace.condition())
    with pytest.raises(vd.TraceError, match="has 1 parts, the argument 3"):
        trace.jvp(p=[1.0])


def test_one_object_in_several_places_has_a_gradient_in_none_of_them():
    def f(p, q):
        return p.a * q.b + q.a

    one = Frozen(2.0, 3.0)
    with pytest.raises(vd.TraceError, match="no gradient of its own structure"):
        vd.trace(f, one, one).grad()
    gradient = vd.trace(f, one, copy.copy(one)).grad()
    assert (gradient["p"].a, gradient["p"].b, gradient["q"].a, gradient["q"].b) == (3.0, 0.0, 1.0, 2.0)


def test_a_saved_trace_has_fields_of_the_same_names(tmp_path):
    trace = vd.trace(frozen, Frozen(2.0, 3.0))
    loaded = vd.load(trace.save(tmp_path / "t.trace"))
    gradient = loaded.grad("p")
    assert (gradient.a, gradient.b, gradient.n) == pytest.approx((36.0, 8.0, 8 * math.log(2) * 3))


def test_what_has_no_structure_is_refused_by_name():
    def of_object(p):
        return p.a * 2

    def of_set(s):
        return sum(v * v for v in s)

    with pytest.raises(vd.TraceError, match=r"the argument p of .*of_object has no gradient .* `p\.a`"):
        vd.trace(of_object, Plain(2.0)).grad()
    with pytest.raises(vd.TraceError, match="the argument s of"):
        vd.trace(of_set, {2.0, 3.0}).grad("s")
    assert vd.trace(lambda label, x: x * 2, "text", 1.0).grad() == {"x": 2.0}
