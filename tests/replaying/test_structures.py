"""Named tuples, dataclasses and other objects made of fields, as arguments and as results."""

import collections
import dataclasses
import gc
import pickle
import types
import typing
import weakref

import pytest

import visual_debug as vd
from visual_debug import structures

Pair = collections.namedtuple("Pair", "u v")


class Typed(typing.NamedTuple):
    u: float
    v: float = 2.0

    def product(self):
        return self.u * self.v


class Vector(collections.namedtuple("_Vector", "u v")):
    def __add__(self, other):
        return Vector(self.u + other.u, self.v + other.v)


@dataclasses.dataclass
class Open:
    u: float
    v: float
    label: str = "label"


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    u: float
    v: float


def attrs_class(u, v):
    attr = pytest.importorskip("attr", reason="attrs is not installed")
    return attr.make_class("Attrs", ["u", "v"], slots=True)(u, v)


@dataclasses.dataclass
class Layer:
    W: list
    b: Pair
    inner: typing.Any = None


KINDS = [Pair, Typed, Vector, Open, Frozen, attrs_class, lambda u, v: types.SimpleNamespace(u=u, v=v)]


def product(p):
    return p.u * p.v


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_have_the_class_of_the_argument(kind):
    given = kind(2.0, 5.0)
    trace = vd.trace(product, given)
    gradient = trace.grad("p")
    assert type(gradient) is type(given)
    assert (gradient.u, gradient.v) == (5.0, 2.0)
    assert [node.name for node in (trace.inputs["p"].u, trace.inputs["p"].v)] == ["p.u", "p.v"]
    assert trace.jvp(p=kind(1.0, 10.0)) == 5.0 + 20.0


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_have_the_class_of_the_result(kind):
    def build(x, y):
        return kind(x * y, x + y)

    trace = vd.trace(build, 2.0, 5.0)
    assert type(trace.outputs) is type(trace.result)
    assert (trace.outputs.u.op, trace.outputs.v.op) == ("mul", "add")
    assert trace.grad(of="u") == {"x": 5.0, "y": 2.0}
    assert trace.grad(seed=kind(1.0, 10.0)) == {"x": 15.0, "y": 12.0}
    tangent = trace.jvp(x=1.0)
    assert (type(tangent), tangent.u, tangent.v) == (type(trace.result), 5.0, 1.0)


def test_leaves_by_path():
    def model(layer, x):
        return layer.W[0] * x + layer.b.u * layer.inner[0].v

    trace = vd.trace(model, Layer([3.0, 4.0], Pair(5.0, 6.0), (Open(7.0, 8.0),)), 10.0)
    gradient = trace.grad("layer")
    assert gradient == Layer([10.0, 0.0], Pair(8.0, 0.0), (Open(0.0, 5.0, None),))
    names = [node.name for node in trace if node.op == "input"]
    assert names[:4] == ["layer.W[0]", "layer.W[1]", "layer.b.u", "layer.b.v"]
    assert "layer.inner[0].v" in names


def test_items_of_a_named_tuple_by_every_way():
    def several(p):
        u, v = p
        return u * p[1] * p.v * sum(p) + len(p) + max(p[::-1]) + (p + (v,))[2]

    u, v = 2.0, 5.0
    gradient = vd.trace(several, Pair(u, v)).grad("p")
    assert gradient == Pair(v * v * (u + v) + u * v * v, 2 * u * v * (u + v) + u * v * v + 1 + 1)


def test_one_float_object_twice():
    one = 3.0
    assert vd.trace(product, Pair(one, one)).grad("p") == Pair(3.0, 3.0)
    assert vd.trace(product, Open(one, one)).grad("p") == Open(3.0, 3.0, None)
    assert vd.trace(lambda x: Pair(x, x), 2.0).grad(of=1) == {"x": 1.0}


def test_whole_numbers():
    assert vd.trace(product, Open(2, 2)).grad("p") == Open(2, 2, None)
    assert vd.trace(product, Pair(2, 2)).grad("p") == Pair(2, 2)


def test_a_class_with_operators_of_its_own():
    @vd.visual_debug
    def add(p, q):
        return (p + q).u * q.v

    add(Vector(1.0, 2.0), Vector(3.0, 4.0))
    assert add.trace.grad() == {"p": Vector(4.0, 0.0), "q": Vector(4.0, 4.0)}


def test_fields_that_are_written():
    def train(p, rate):
        for _ in range(3):
            p.u = p.u - rate * p.u
        return p.u * p.v

    trace = vd.trace(train, Open(2.0, 5.0), 0.5)
    assert trace.grad() == {"p": Open(0.125 * 5, 0.25, None), "rate": pytest.approx(-3 * 0.25 * 2 * 5)}


def test_fields_that_other_code_writes_are_not_mistaken():
    def changed(p):
        p.__dict__.update(u=p.u * 2)
        setattr(p, "v", p.v + 1)  # noqa: B010
        return p.u * p.v

    try:
        gradient = vd.trace(changed, Open(2.0, 5.0)).grad("p")
    except vd.NoDerivativeError:
        return
    assert gradient == Open(12.0, 4.0, None)


def test_a_result_that_is_changed_after_the_call():
    @vd.visual_debug
    def build(x):
        return [Open(x * 2, x * 3), Pair(x, [x * 4])]

    result = build(1.5)
    result[0].u = 100.0
    result[1].v[0] = 100.0
    trace = build.trace
    assert (trace.outputs[0].u.value, trace.outputs[1].v[0].value) == (3.0, 6.0)
    assert trace.grad(of=(0, "v")) == {"x": 3.0}


def test_an_argument_that_is_returned():
    def same(p):
        return p

    trace = vd.trace(same, Open(2.0, 5.0))
    assert trace.grad(of="u") == {"p": Open(1.0, 0.0, None)}
    assert vd.trace(same, Pair(2.0, 5.0)).grad(of="u") == {"p": Pair(1.0, 0.0)}


def test_one_named_tuple_in_two_places():
    pair = Pair(2.0, 5.0)
    assert vd.trace(lambda p, q: p.u * q.v, pair, pair).grad() == {"p": Pair(5.0, 0.0), "q": Pair(0.0, 2.0)}


def test_one_object_in_two_places_has_no_gradient_of_its_own():
    shared = Open(2.0, 5.0)
    trace = vd.trace(lambda p, q, x: p.u * q.v * x, shared, shared, 3.0)
    assert trace.grad() == {"x": 10.0}


def test_an_object_that_leads_to_itself():
    layer = Layer([2.0], Pair(1.0, 3.0))
    layer.inner = layer
    gradient = vd.trace(lambda p: p.inner.inner.W[0] * p.b.v, layer).grad("p")
    assert (gradient.W, gradient.b, gradient.inner) == ([3.0], Pair(0.0, 2.0), None)


class Property:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return 7.0 if instance is not None else 0.0

    def __set__(self, instance, value):
        pass


def test_a_class_that_computes_its_fields_is_left_alone():
    @dataclasses.dataclass
    class Computing:
        u: float = Property()
        v: float = 1.0

    assert structures.fields(Computing()) is None
    assert vd.trace(product, Computing()).result == 7.0


def test_no_code_of_the_class_runs():
    ran = []

    @dataclasses.dataclass
    class Watched:
        u: float
        v: float

        def __getattribute__(self, name):
            ran.append(name)
            return object.__getattribute__(self, name)

        def __eq__(self, other):
            ran.append("==")
            return NotImplemented

        __hash__ = None

    given = Watched(2.0, 5.0)
    product(given)
    plain, ran[:] = list(ran), []
    trace = vd.trace(product, given)
    assert trace.result == 10.0
    trace.inputs  # noqa: B018
    assert ran == plain


def test_objects_live_no_longer():
    @dataclasses.dataclass
    class Node:
        u: float
        v: float

    @vd.visual_debug
    def use(p):
        return p.u * p.v

    node = Node(2.0, 5.0)
    alive = weakref.ref(node)
    use(node)
    del node
    gc.collect()
    assert alive() is None
    assert use.trace.grad("p") == Node(5.0, 2.0)


def test_on_disk(tmp_path):
    trace = vd.trace(lambda p, d: Open(p.u * d.v, p.v), Pair(2.0, 5.0), Frozen(3.0, 4.0))
    trace.save(tmp_path / "t.vdt")
    loaded = vd.load(tmp_path / "t.vdt")
    assert loaded.grad("p", of="u") == (4.0, 0.0)
    assert loaded.grad(of="u")["d"]._fields == ("u", "v")
    assert loaded.outputs.u.value == 8.0


def test_results_nested_very_deeply():
    def nest(x):
        result = [x * 2]
        for _ in range(20_000):
            result = [result]
        return result

    trace = vd.trace(nest, 3.0)
    assert trace.grad(of=(0,) * 20_001) == {"x": 2.0}


def test_arguments_nested_very_deeply():
    deep = [1.0]
    for _ in range(100_000):
        deep = [deep]

    def second(deep, x):
        return deep[0] is not None and x * 2

    assert vd.trace(second, deep, 3.0).grad("x") == 2.0


def test_copies_of_structures_survive_pickling():
    gradient = vd.trace(product, Open(2.0, 5.0)).grad("p")
    assert pickle.loads(pickle.dumps(gradient)) == gradient


@dataclasses.dataclass
class Filled:
    u: float
    v: float = 2.0
    rest: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Doubling:
    u: int
    v: int

    def __post_init__(self):
        self.u *= 2


def test_constructors_keep_whole_numbers():
    assert vd.trace(lambda x, y: Pair(x * y, v=x), 2, 3).grad(of="u") == {"x": 3, "y": 2}
    assert vd.trace(lambda x, y: product(Open(v=x, u=x * y)), 2, 3).grad() == {"x": 12, "y": 4}
    assert vd.trace(lambda x: Filled(x * 3).u * Filled(x).v, 2).grad() == {"x": 6}


@pytest.mark.parametrize("options", [{}, {"follow": ()}])
def test_constructors_with_code_of_their_own(options):
    @vd.visual_debug(**options)
    def build(x):
        return Doubling(x, 1).u * 3

    assert build(1) == 6
    try:
        gradient = build.trace.grad()
    except vd.NoDerivativeError:
        return
    assert gradient == {"x": 6}


def test_lists_in_fields_that_are_changed():
    def build(x):
        made = Filled(x)
        made.rest.append(x * 2)
        made.rest.append(made.u * 5)
        return made

    trace = vd.trace(build, 1.5)
    assert trace.result.rest == [3.0, 7.5]
    assert vd.trace(lambda x: sum(build(x).rest), 1.5).grad() == {"x": 7.0}
