"""Ways in which a number can go unseen: the gradient through each is right, or refused by name; it is never wrong."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import enum
import functools
import itertools
import math
import operator
import threading
import typing
from collections import defaultdict, deque

import numpy as np
import pytest

import visual_debug as vd

# ruff: noqa: C417, PLC3002, RUF015, S102 the programs are about such ways


class Arrays:
    """Programs of an array of three numbers; those named `must_…` must not be refused."""

    def written_by_exec(a):
        b = a * 1
        total = 0.0
        for k in range(30):  # so that much has been recorded before
            total = total + a[0] * k
        exec("b[0] = 3.0")
        return b[0] * b[1] + b[2] + total

    def written_by_exec_with_packed_arguments(a):
        b = a * 1
        exec(*("b[0] = 3.0",))
        return b[0] * b[1] + b[2]

    def written_by_exec_in_a_dict(a):
        held = {"b": a * 1}
        exec("held['b'][0] = 3.0")
        return held["b"][0] * held["b"][1]

    def written_by_exec_in_an_object(a):
        held = Scaled(a * 1)
        exec("held.factor[0] = 3.0")
        return held.factor[0] * held.factor[1]

    def written_by_eval_in_an_object(a):
        held = Scaled(a * 1)
        eval("held.factor.fill(3.0)")
        return held.factor[0] * a[0]

    def written_by_exec_among_others(a):
        b = a * 1
        exec("c[0] *= 3.0", {"c": b[1:]})
        return b.sum()

    def written_by_eval(a):
        b = a * 1
        eval("b.fill(2.0)")
        return (b * a).sum()

    def must_eval_beside(a):
        b = a * 2
        assert eval("b.shape") == (3,)
        return (b * a).sum()

    def must_power_in_place(a):
        b = a.copy()
        b **= 2
        return b.sum()

    def must_in_a_dict(a):
        d = {"b": a * 2}
        d["b"] *= a
        return d["b"].sum()

    def must_masked_in_place(a):
        b = a * 2
        b[b > 3] *= a[0]
        return b.sum()

    def must_slices(a):
        b = a.copy()
        b[1:] = a[:-1] * 2
        b[0] += 3
        return (b * b).sum()

    def must_out(a):
        b = a * 2
        np.multiply(b, a, out=b)
        return (b * a).sum()

    def must_twice(a):
        b = a * 2
        b += a
        c = b * 1
        b -= a * a
        return (b * c).sum()

    def must_diagonal_of_another(a):
        b = a * 2
        np.fill_diagonal(np.eye(3), 1.0)
        return (b * a).sum()

    def must_index_changed_later(a):
        i = np.array([0, 1])
        y = a[i]
        i[0] = 2
        return y.sum()

    def must_mask_changed_later(a):
        m = a > 0
        b = a * 1
        b[m] = 0
        m[:] = True
        return (b * a).sum()

    def must_transpose_method(a):
        return (a.T.sum() + a.real.sum()) * a[0]

    def must_keyword_operand(a):
        return np.linalg.norm(x=a)

    def must_rows(a):
        u = np.zeros((2, 3))
        u[0] = a
        u[1] = u[0] * a
        return (u * u).sum()

    def must_integers_written(a):
        b = np.zeros(3, dtype=int)
        b[0] = a[2]
        return b.sum() * a[0]

    def must_masks_joined(a):
        m = (a > 0) & (a < 2)
        return (m * a).sum()

    def sorted_in_place(a):
        b = a * 2
        b.sort()
        return (b * a).sum()

    def filled(a):
        b = a * 2
        b.fill(a[0] * a[1])
        return (b * a).sum()

    def put(a):
        b = a * 2
        np.put(b, [0], a[1] * 3)
        return (b * a).sum()

    def copied_to(a):
        b = np.zeros(3)
        np.copyto(b, a * a)
        return b.sum()

    def copied_to_by_name(a):
        b = np.zeros(3)
        np.copyto(dst=b, src=a)
        return (b * b).sum()

    def ufunc_at(a):
        b = a * 2
        np.add.at(b, [0, 0], a[1])
        return b.sum()

    def positional_out(a):
        b = a * 2
        np.add(b, a, b)
        return (b * a).sum()

    def positional_out_of_function(a):
        b = np.zeros(3)
        np.cumsum(a, 0, None, b)
        return (b * b).sum()

    def positional_out_of_method(a):
        b = np.zeros(3)
        a.cumsum(0, None, b)
        return (b * b).sum()

    def accumulated(a):
        b = np.zeros(3)
        np.add.accumulate(a, out=b)
        return (b * b).sum()

    def operator_setitem(a):
        b = a * 2
        operator.setitem(b, 0, a[1])
        return (b * a).sum()

    def operator_iadd(a):
        b = a * 2
        operator.iadd(b, a)
        return (b * a).sum()

    def special_method(a):
        b = a * 1.0
        b.__setitem__(0, 3.0)
        return (b * a).sum()

    def flat_item(a):
        b = a * 2
        b.flat[0] = a[1] * 5
        return (b * a).sum()

    def flat_assigned(a):
        b = a * 1.0
        b.flat = 2.0
        return (b * a).sum()

    def real_assigned(a):
        b = a * 1.0
        b.real = a * 3
        return (b * a).sum()

    def shuffled(a):
        b = a * 2
        np.random.default_rng(0).shuffle(b)
        return (b * a).sum()

    def view_written(a):
        b = a * 2
        c = b.reshape(3, 1)
        c += 1
        return (b * a).sum()

    def put_mask(a):
        b = a * 2
        np.putmask(b, b > 3, a)
        return (b * a).sum()

    def global_view(a):
        BUFFER[0] = a[0]
        return VIEW[0] * a[1]

    def stacked_by_index(a):
        return np.r_[a, a].sum() * a[0]

    def evaluated(a):
        return eval("a[0] * 2") * a[1]


BUFFER = np.zeros(3)
VIEW = BUFFER[:2]

ARRAYS = {name: program for name, program in vars(Arrays).items() if callable(program)}
POINT = np.array([1.6, 1.1, 2.3])


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    program = ARRAYS[name]
    expected = [(program(POINT + e) - program(POINT - e)) / 2e-6 for e in np.eye(3) * 1e-6]
    trace = vd.trace(program, POINT.copy())
    assert trace.result == program(POINT.copy())
    try:
        gradient = trace.grad("a")
    except vd.NoDerivativeError:
        assert not name.startswith("must_")
        return
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


class Store:
    """A container of its own, which the trace does not see into."""

    def __init__(self):
        self.data = []

    def push(self, v):
        self.data.append(v)

    def __getitem__(self, i):
        return self.data[i]

    def __iter__(self):
        return iter(self.data)


class Held:
    """Attributes that code stands behind."""

    def put(self, v):
        self.v = v

    def __setitem__(self, key, v):
        self.v = v

    def __bool__(self):
        self.v = self.next
        return True

    def __delitem__(self, key):
        self.v = self.next


class Scaled:
    """An object that is called, as layers of networks are."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x


THREEFOLD = Scaled(3.0)


class Scalars:
    """Programs of two numbers, run with equal ones too."""

    def map_of_a_list_s_append(x, y):
        found = []
        list(map(found.append, [x, y]))
        return found[0] * found[1] + sum(found)

    def map_of_a_dict_s_setter(x, y):
        found = {}
        list(map(found.setdefault, ["a", "b"], [x, y]))
        list(map(found.__setitem__, ["c"], [x * y]))
        return found["a"] * found["b"] + found["c"]

    def appended_by_a_thread(x, y):
        found = [y]
        thread = threading.Thread(target=found.append, args=(x,))
        thread.start()
        thread.join()
        return found[0] * found[1]

    def appended_by_a_partial(x, y):
        found = []
        append = functools.partial(found.append)
        list(map(append, [x, y]))
        return found[0] * found[1]

    def must_largest_by_a_dict_s_get(x, y):
        found = {"a": x, "b": y * 9}
        return found[max(found, key=found.get)] * found["a"]

    def must_call_an_object(x, y):
        return THREEFOLD(x) * THREEFOLD(y)

    def call_of_an_object_with_a_number_set(x, y):
        local = Scaled(2.0)
        local.factor = x
        return local(y) * x

    def call_of_a_global_object_with_a_number_set(x, y):
        THREEFOLD.factor = x * y
        found = THREEFOLD(y)
        THREEFOLD.factor = 3.0
        return found * x

    def call_of_an_object_in_a_list(x, y):
        layers = [Scaled(x), THREEFOLD, Scaled(y)]
        z = x
        for layer in layers:
            z = layer(z)
        return z

    def map_of_a_called_object(x, y):
        return sum(map(Scaled(x), [x, y])) + sum(Scaled(y)(v) for v in (x, 2.0))

    def attribute_above(x, y):
        class Above:
            a = x

        class Below(Above):
            a = y

            def m(self):
                return super().a * self.a

        return Below().m()

    def computed_attribute_above(x, y):
        class Above:
            a = x * y

        class Below(Above):
            def m(self):
                return super().a * x

        return Below().m()

    def attribute_above_one_that_is_closed_over(x, y):
        class Above:
            a = x

        class Below(Above):
            def m(self, k):
                again = lambda: self
                return super().a * k + again().a

        return Below().m(y)

    def class_made_by_a_call(x, y):
        made = type("Made", (), {"v": x})
        return made.v * made().v * y

    def default_of_a_named_tuple(x, y):
        made = collections.namedtuple("Pair", "a b", defaults=[x])
        return made(y).b * x

    def default_of_a_dataclass_made_by_a_call(x, y):
        made = dataclasses.make_dataclass("Made", [("v", float, dataclasses.field(default=x))])
        return made().v * y

    def members_of_an_enumeration(x, y):
        members = enum.Enum("Members", {"A": x, "B": x * y})
        return members.A.value * members.B.value

    def must_method_of_keywords(x, y):
        def f(**options):
            return options.get("k", 0.0) * x + options.pop("k") + sum(options.values())

        return f(k=x, other=y)

    def must_items_of_keywords(x, y):
        def f(**options):
            return sum(value * y for _, value in options.items())

        return f(k=x, other=y)

    def must_bound_method_of_keywords(x, y):
        def f(**options):
            get = options.get
            return get("k") * get("other") * x

        return f(k=x, other=y)

    def keywords_among_others(x, y):
        def f(*args, **options):
            every = [args, options]
            copied = options.copy()
            return every[1]["k"] * every[0][0] + copied["other"] + args.index(x)

        return f(y, x, k=x, other=y)

    def must_defaults(x, y):
        return (lambda p, q=x: p * q)(y)

    def queue(x, y):
        q = deque()
        q.append(x * y)
        return q.popleft() * 2

    def must_sorted(x, y):
        return sorted([x, y + 1])[1] * x

    def must_reversed_live(x, y):
        l = [x, y]
        r = reversed(l)
        l[0] = y
        return list(r)[1] * x

    def class_with_method(x, y):
        class K:
            def m(self):
                return x * y

        return K().m() * x

    def must_operator_getitem(x, y):
        d = {"a": x}
        return operator.getitem(d, "a") + d.setdefault("b", y) + d.pop("a")

    def must_delattr(x, y):
        h = Held()
        h.v = x
        h.v = y
        return h.v * x

    def keys(x, y):
        d = {x: 1.0, y + 9: 2.0}
        return sum(k * k for k in d)

    def keys_of_items(x, y):
        d = {x: 3.0}
        return sum(k * v for k, v in d.items()) * y

    def keys_summed(x, y):
        d = {x: 3.0}
        return sum(d.keys()) * y

    def default_dict(x, y):
        d = defaultdict(list)
        d["a"].append(x)
        d["a"].append(y)
        return sum(map(sum, d.values()))

    def store_items(x, y):
        s = Store()
        s.push(x)
        s.push(y)
        return s[0] * s[0] * s[1]

    def store_unpacked(x, y):
        s = Store()
        s.push(x)
        s.push(y)
        a, b = s
        return a * a * b

    def store_summed(x, y):
        s = Store()
        s.push(x)
        s.push(y)
        return sum(s) * x

    def set_by_item(x, y):
        h = Held()
        h.put(x)
        h["a"] = y
        return h.v * h.v

    def set_by_truth(x, y):
        h = Held()
        h.put(x)
        h.next = y
        return h.v * h.v if h else 0

    def set_by_deletion(x, y):
        h = Held()
        h.put(x)
        h.next = y
        del h[0]
        return h.v * h.v

    def set_by_dict(x, y):
        h = Held()
        h.put(x)
        h.__dict__["v"] = y
        return h.v * h.v

    def mapped(x, y):
        out = []
        list(map(lambda v: out.append(v * v), [x, y]))
        return out[0] + out[1] * x

    def mapped_append(x, y):
        out = [x]
        deque(map(out.append, [y]), maxlen=0)
        return out[-1] * out[-1]

    def seen_by_key(x, y):
        seen = []
        sorted([x, y + 1], key=lambda v: seen.append(v * 2) or v)
        return seen[0] * seen[1]

    def local_variables(x, y):
        return locals()["x"] * 3 * y

    def evaluated(x, y):
        return eval("x * 2") * y

    def class_attribute(x, y):
        Held.shared = x
        return Held().shared * y

    def in_exception(x, y):
        try:
            raise ValueError(x)
        except ValueError as error:
            return error.args[0] * y


class Answering:
    """A callable that does not like to be asked for anything."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, v):
        return v * 2


class Recorded(Exception):
    """An exception whose making is recorded itself."""

    @vd.visual_debug
    def __init__(self):
        self.q = 1.0


class Flows:
    """Values through lazy iterators, decorated inner functions and exceptions of every kind."""

    def lazy_map(x, y):
        def both():
            yield x
            yield y

        return sum(map(lambda v: v * v, both()))

    def lazy_filter(x, y):
        def both():
            yield x
            yield y

        a = list(filter(None, both()))
        return a[0] * a[1]

    def decorated_callback(x, y):
        @vd.visual_debug
        def k(v):
            return y * 2.0

        return list(map(k, [x]))[0]

    def raised_by_callee(x, y):
        def h(v):
            raise ValueError(v)

        try:
            h(y)
        except ValueError as error:
            return error.args[0] * x

    def exception_group(x, y):
        r = 0
        try:
            raise ValueError(x)
        except* ValueError as group:
            r = group.exceptions[0].args[0]
        return r * y

    def must_recorded_exception(x, y):
        try:
            raise Recorded
        except Recorded:
            return x * y

    def touchy_callable(x, y):
        return Answering()(x) * y

    def sent(x, y):
        def g():
            t = yield x
            yield t * 2

        stream = g()
        next(stream)
        return stream.send(y)


class Color(enum.Enum):
    """Keys that are what they are."""

    RED = 1
    BLUE = 2


class Point(typing.NamedTuple):
    """A key, and a container of numbers."""

    a: float
    b: float


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A key by its content."""

    n: int


class Key:
    """A key by what its own code says, which is not to be asked once its object is gone."""

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return hash(self.n)

    def __eq__(self, other):
        return self.n == other.n

    def __repr__(self):
        return f"Key({self.n})"


class Keys:
    """Dicts by keys of every kind."""

    def must_members(x, y):
        d = {Color.RED: x * 2, Color.BLUE: y * 3}
        d[Color.RED] += y
        return d[Color.RED] * d.get(Color.BLUE)

    def must_held_members(x, y):
        held = Store()
        held.push(Color.RED)
        d = {(held.data[0], 1): x * 2.5}
        d[Color.RED, 2] = y * 3.5
        return d[Color.RED, 1] * d[Color.RED, 2]

    def frozen(x, y):
        d = {Frozen(1): x * 2, Frozen(2): y}
        d[Frozen(1)] = d[Frozen(1)] + 1
        return d[Frozen(1)] * d[Frozen(2)]

    def by_code(x, y):
        d = {}
        d[Key(1)] = x * 2
        d[Key(2)] = y * 3
        d[Key(1)] = d[Key(1)] + y
        return d.get(Key(1), 0) * d.pop(Key(2)) + d.setdefault(Key(3), x)

    def of_a_dict(x, y):
        d = {Key(1): x, Key(2): y}
        d |= {Key(k): v * 2 for k, v in ((1, y), (3, x))}
        return d[Key(1)] * d[Key(2)] + d[Key(3)]

    def counted(x, y):
        d = collections.defaultdict(float)
        for key, v in ((Key(1), x), (Key(2), y), (Key(1), y)):
            d[key] += v * 2
        return d[Key(1)] * d[Key(2)]

    def dates(x, y):
        d = {datetime.date(2020, 1, 1): x * y}
        d[datetime.date(2020, 1, 2)] = y * x * x
        return d[datetime.date(2020, 1, 1)] + d[datetime.date(2020, 1, 2)]

    def must_named_tuples(x, y):
        p = Point(x * 2.5, y * 3.5)
        q = p._replace(a=p.b * p[0])
        return q.a * q.b + p.a

    def named_tuples_as_keys(x, y):
        d = {Point(1, 2): x, (1, 3): y}
        return d[Point(1, 2)] * d[Point(1, 3)]


SCALARS = {
    name: program
    for name, program in {**vars(Scalars), **vars(Flows), **vars(Keys)}.items()
    if callable(program) and not name.startswith("__")
}


@pytest.mark.parametrize("keys", [(Color.RED, Color.BLUE), (Key(1), Key(2)), (Frozen(1), Frozen(2))], ids=str)
def test_arguments_by_keys_of_classes(keys):
    def product(d):
        return d[keys[0]] * d[keys[1]] * 2

    trace = vd.trace(product, dict(zip(keys, (1.5, 2.5), strict=True)))
    assert trace.grad() == {"d": dict(zip(keys, (5.0, 3.0), strict=True))}
    with pytest.raises(vd.NoDerivativeError) if keys[0] is not Color.RED else contextlib.nullcontext():
        assert vd.trace(product, dict.fromkeys(keys, 2)).grad() == {"d": dict.fromkeys(keys, 4)}


def test_the_key_s_own_code_does_not_run_in_a_replay():
    ran = []

    class Loud(Key):
        def __repr__(self):
            ran.append("repr")
            return super().__repr__()

        def __hash__(self):
            ran.append("hash")
            return super().__hash__()

    def keyed(x):
        return {Loud(1): x * 2, Loud(2): x}[Loud(2)] * x

    trace = vd.trace(keyed, 3.0)
    ran.clear()
    assert trace.grad() == {"x": 6.0}
    assert not ran


@pytest.mark.parametrize("point", [(1.5, 2.25), (1.25, 1.25), (2, 2), (3, 5)], ids=str)
@pytest.mark.parametrize("name", SCALARS)
def test_scalars(name, point):
    program = SCALARS[name]
    x, y = (float(v) for v in point)
    h = 1e-6
    expected = (program(x + h, y) - program(x - h, y)) / (2 * h), (program(x, y + h) - program(x, y - h)) / (2 * h)
    shared = point if point[0] != point[1] else (point[0], point[0])  # one object twice
    trace = vd.trace(program, *shared)
    assert trace.result == program(*shared)
    try:
        gradient = trace.grad()
    except vd.NoDerivativeError:
        assert not name.startswith("must_")
        return
    assert (gradient["x"], gradient["y"]) == pytest.approx(expected, rel=1e-5, abs=1e-6)


SOURCE = """
A = 0.5
C = 0.5
W = [0.5]
class K: k = 0.5
def f(x): return x * C + W[0] * 3 + K.k * 5
"""


def test_equal_constants_of_one_file_are_one_object_but_not_one_number():
    namespace = {}
    exec(SOURCE, namespace)
    assert vd.trace(namespace["f"], namespace["A"]).grad() == {"x": 0.5}


def _inner(a, b):
    return a[0] * b[0] + a[1] * b[1] ** 2


def _areas(bounds):
    area = 1.0
    for low, high in bounds:
        area *= high**2 - low
    return area


def _by_key(d, e):
    return d["k"] * e["k"] ** 3


def _grown(a, b):
    a.append(4.0)
    return sum(b) * a[0]


@pytest.mark.parametrize(
    ("program", "arguments", "expected"),
    [
        (_inner, ([3.0, 5.0],) * 2, {"a": [3.0, 25.0], "b": [3.0, 50.0]}),
        (_inner, ((3.0, 5.0),) * 2, {"a": (3.0, 25.0), "b": (3.0, 50.0)}),
        (lambda a, b: a[0][1] * b[0][0], ([[3.0, 5.0]],) * 2, {"a": [[0.0, 3.0]], "b": [[5.0, 0.0]]}),
        (_areas, ([(0.5, 2.0)] * 2,), {"bounds": [(-3.5, 14.0)] * 2}),
        (_by_key, ({"k": 2.0},) * 2, {"d": {"k": 8.0}, "e": {"k": 24.0}}),
        (_grown, ([1.0, 2.0],) * 2, {"a": [8.0, 1.0], "b": [8.0, 1.0]}),  # what one writes is in the other, too
    ],
)
def test_one_container_in_several_places(program, arguments, expected):
    assert vd.trace(program, *arguments).grad() == expected


def test_one_container_in_several_places_written_to_and_restored():
    def restored(a, b):
        old = a[0]
        a[0] = old * 2
        first = a[0] * b[0]
        a[0] = old
        return first + b[0] * b[1]

    same = [1.0, 2.0]
    gradient = vd.trace(restored, same, same).grad()
    assert [sum(both) for both in zip(*gradient.values(), strict=True)] == [10.0, 1.0]


@pytest.mark.parametrize(
    ("program", "of", "expected"),
    [
        (lambda x: divmod(x, 3.0), 1, 1.0),
        (lambda x: {"parts": divmod(x, 3.0), "x": x * x}, ("parts", 1), 1.0),
        (lambda x: math.modf(x * 3), 0, 3.0),
        (lambda x: np.linalg.slogdet(np.array([[x, 1.0], [0.0, 2.0]])), 1, 1 / 7.5),
    ],
)
def test_operations_with_several_results_are_returned_in_parts(program, of, expected):
    trace = vd.trace(program, 7.5)
    assert trace.grad("x", of=of) == pytest.approx(expected)
    with pytest.raises(vd.TraceError, match="several parts"):
        trace.grad()


Pair = collections.namedtuple("Pair", "value label")


@pytest.mark.parametrize(
    "program",
    [
        lambda x, y: max([(x, 1), (2 * x, 3)])[0] * y,
        lambda x, y: min((x, "a"), (-y, "b"))[0] * x,
        lambda x, y: max(Pair(x, 1), Pair(y, 2)).value * 3,
        lambda x, y: max((i * x, i) for i in range(3))[0] * y,
        lambda x, y: max(zip([x, y], [1, 2], strict=True))[0] ** 2,
        lambda x, y: max(enumerate([x, y]))[1] ** 2,
        lambda x, y: max({"a": (x, 1), "b": (x * y, 3)}.values())[0],
        lambda x, y: max(reversed([(x, 1), (y, 3)]))[0],
        lambda x, y: max({"a": (x, 1), "b": (y, 3)}.items())[1][0],
        lambda x, y: max((i * x for i in range(3)), default=x * y),
        lambda x, y: max((i * x for i in range(0)), default=x * y),
        lambda x, y: max([(x, 1)], default=(y, 2))[0] * y,
    ],
)
def test_the_greatest_of_tuples_is_one_of_them(program):
    point = 1.5, 2.25
    h = 1e-6
    x, y = point
    expected = (program(x + h, y) - program(x - h, y)) / (2 * h), (program(x, y + h) - program(x, y - h)) / (2 * h)
    assert tuple(vd.trace(program, *point).grad().values()) == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    "program", [lambda x: sum([(x, 1), (2 * x, 3)], ())[2], lambda x: min({(x, 1), (2 * x, 2)})[0] * 2]
)
def test_what_is_made_of_tuples_is_right_or_refused(program):
    with contextlib.suppress(vd.NoDerivativeError):
        assert vd.trace(program, 1.5).grad() == {"x": 2.0}


class Parts:
    def __init__(self, *parts):
        self.parts = parts

    def __call__(self, x):
        return functools.reduce(lambda total, part: total * x + part, reversed(self.parts))

    def plus(self, other):
        return Parts(*[p + q for p, q in itertools.zip_longest(self.parts, other.parts, fillvalue=0)])


def _steps(x):
    best = defaultdict(lambda: math.inf)
    best[0, 0] = 0.0
    for i in range(1, 3):
        for j in range(1, 3):
            best[i, j] = x * j + min(best[i - 1, j], best[i, j - 1], best[i - 1, j - 1])
    return best[2, 2]


def _counted(x):
    counts = collections.Counter()
    for word in "abab":
        counts[word] += x
    counts["b"] += x * x
    return counts["a"] * counts["b"]


def _zeros(x):
    sums = defaultdict(lambda: 0)
    sums["a"] += x
    sums["b"] += 2 * x
    return sums["a"] * sums["b"]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (lambda x: Parts(x, 2, 3)(x), 12.0),
        (lambda x: Parts(x, 2).plus(Parts(1, 2, 4))(x), 17.0),
        (lambda x: sum(a * (b or 2) for a, b in itertools.zip_longest([x, 2], [x])), 3.0),
        (_steps, 3.0),
        (_counted, 25.5),
        (_zeros, 6.0),
    ],
)
def test_ints_beside_numbers_are_known(program, expected):
    assert vd.trace(program, 1.5).grad() == {"x": pytest.approx(expected)}


def _pairs_of_objects(x):
    held = [Parts(x, 1.0), Parts(2, x * x), Parts(3 * x, 0.5)]
    total = 0
    for _ in range(2):
        for a, b in itertools.combinations(held, 2):
            total += a.parts[0] * b.parts[1]
            a.parts = (a.parts[0] + b.parts[0] * 0.5, a.parts[1])
    return total


@pytest.mark.parametrize(
    "program",
    [
        _pairs_of_objects,
        lambda x: sum(a - 2 * b for a, b in itertools.permutations([x, 2, 3], 2)),
        lambda x: sum(i * a for i, a in itertools.product(range(3), [x, 2])),
        lambda x: sum(map(math.prod, itertools.combinations_with_replacement((x, 2), 3))),
        lambda x: sum(a * b for a, b in itertools.pairwise(i * x for i in range(4))),
        lambda x: sum(a * b for a, b in zip(itertools.cycle([x, 2]), [1, x, 3], strict=False)),
    ],
)
def test_several_items_at_a_time(program):
    h = 1e-6
    expected = (program(1.5 + h) - program(1.5 - h)) / (2 * h)
    assert vd.trace(program, 1.5).grad("x") == pytest.approx(expected, rel=1e-6)
