"""Iterators that compute when they are asked: gradients are right, or refused by name.

The oracle is differences of the plain function; all inputs are apart from each other and from kinks.
"""

# ruff: noqa: B015, C417, PLC3002, RUF007  (how people write it is what is tested)

from __future__ import annotations

import functools
import itertools
import math
import operator

import pytest

import visual_debug as vd

CASES = {}


def case(fn):
    CASES[fn.__name__] = fn
    return fn


def f(v):
    return v * v + 1.0


def pos(v):
    return v > 0


@case
def any_then_list(xs):
    it = map(f, xs)
    any(v > 3 for v in it)
    return sum(it)


@case
def any_direct(xs):
    it = map(f, xs)
    any(it)
    return sum(it)


@case
def any_ints(xs):
    it = map(lambda v: 1 if v else 2, xs)
    any(it)
    return next(it) * xs[0]


@case
def in_then(xs):
    it = map(f, xs)
    5.0 in it
    return sum(it)


@case
def shared_iter(xs):
    it = iter(xs)
    a = sum(map(f, itertools.islice(it, 2)))
    return a * next(it)


@case
def shared_zip(xs):
    it = iter(xs)
    s = sum(map(lambda a, b: a * b, it, it))
    return s


@case
def zip_uneven(xs):
    it = iter(xs)
    r = list(zip(it, range(2)))
    return r[1][0] * next(it, 1.0)


@case
def map_uneven(xs):
    it = iter(xs)
    s = sum(map(lambda a, b: a * b, it, [1.0, 2.0]))
    return s * next(it, 3.0)


@case
def map_uneven2(xs):
    it = iter(xs)
    s = sum(map(lambda a, b: a * b, [1.0, 2.0], it))
    return s * next(it, 3.0)


@case
def mutate_between(xs):
    l = list(xs)
    it = map(f, l)
    l[1] = l[0] * 3
    l.append(l[0])
    return sum(it)


@case
def mutate_inside(xs):
    l = list(xs)

    def g(v):
        if len(l) < 6:
            l.append(v * 2)
        return v * 3

    return sum(map(g, l))


@case
def closure_change(xs):
    k = xs[0]

    def g(v):
        return v * k

    it = map(g, xs)
    k = xs[1]
    return sum(it)


@case
def raises(xs):
    def g(v):
        if v < 0:
            raise ValueError
        return v * v

    it = map(g, xs)
    s = 0.0
    try:
        for v in it:
            s += v
    except ValueError:
        pass
    return s + sum(it)


@case
def raises_sum(xs):
    def g(v):
        if v < 0:
            raise ValueError
        return v * v

    it = map(g, xs)
    try:
        s = sum(it)
    except ValueError:
        s = 0.0
    return s + sum(it)


@case
def stop_iter(xs):
    def g(v):
        if v < 0:
            raise StopIteration
        return v * v

    return sum(map(g, xs))


@case
def same_values(xs):
    a = xs[0]
    return sum(map(lambda u, v, w: u * v + w, [a, a, a], [a, xs[1], a], [1.0, 1.0, a]))


@case
def nested_same(xs):
    return sum(map(f, map(f, map(f, xs))))


@case
def two_same(xs):
    return sum(a * b for a, b in zip(map(f, xs), map(f, reversed(xs))))


@case
def two_same_sum(xs):
    return sum(map(operator.mul, map(f, xs), map(f, xs)))


@case
def two_same_listed(xs):
    return [a * b for a, b in list(zip(map(f, xs), map(f, xs)))][1]


@case
def two_zip_dropped(xs):
    m = map(f, xs)
    r = list(zip(m, [1, 2]))
    return r[0][0] * sum(m)


@case
def two_zip_dropped2(xs):
    m = map(f, xs)
    r = list(zip([1, 2], m))
    return r[0][1] * sum(m)


@case
def recursion(xs):
    def tot(n):
        return sum(map(tot, n)) if isinstance(n, list) else n * n

    return tot([xs[0], [xs[1], [xs[2], xs[3]]], xs[0]])


@case
def reduce_gen(xs):
    return functools.reduce(lambda a, b: a * b, (v + 1 for v in xs))


@case
def reduce_one(xs):
    return functools.reduce(lambda a, b: a * b, [xs[0]]) * 2


@case
def reduce_map_same(xs):
    return functools.reduce(lambda a, b: a * b + b, map(f, xs), xs[0])


@case
def reduce_nested(xs):
    return functools.reduce(lambda a, b: a + functools.reduce(lambda c, d: c * d, b), [xs, xs[:2]], 0.0)


@case
def reduce_dot(xs):
    return functools.reduce(lambda acc, p: acc + p[0] * p[1], zip(xs, xs[1:]), 0.0)


@case
def reduce_tuple(xs):
    return (lambda t: t[0] * t[1])(functools.reduce(lambda acc, v: (acc[0] + v, acc[1] * v), xs, (0.0, 1.0)))


@case
def reduce_compose(xs):
    return functools.reduce(lambda g, h: lambda v: h(g(v)), [f, f, math.sin])(xs[0])


@case
def reduce_max(xs):
    return functools.reduce(max, xs) * 2


@case
def acc_partial(xs):
    it = itertools.accumulate(xs, lambda a, b: a * b + 1)
    next(it)
    next(it)
    return sum(it)


@case
def acc_loop(xs):
    s = 0.0
    for i, v in enumerate(itertools.accumulate(xs, lambda a, b: a * b + 1, initial=2.0)):
        s += i * v
    return s


@case
def acc_islice(xs):
    return sum(itertools.islice(itertools.accumulate(xs, lambda a, b: a * b + 1), 1, 3))


@case
def acc_repeat(xs):
    return list(itertools.accumulate(itertools.repeat(xs[0], 4), lambda a, _: a * xs[1] + 1))[-1]


@case
def acc_empty(xs):
    return sum(itertools.accumulate([], lambda a, b: a * b)) + xs[0]


@case
def map_empty(xs):
    return sum(map(f, [])) + xs[0]


@case
def map_pow_repeat(xs):
    return sum(map(pow, xs, itertools.repeat(2)))


@case
def chain_mixed(xs):
    return sum(itertools.chain(map(f, xs), (v * 2 for v in xs), [xs[0]], range(3)))


@case
def chain_loop(xs):
    s = 0.0
    for i, v in enumerate(itertools.chain(map(f, xs), (v * 2 for v in xs), [xs[0]], range(3), xs)):
        s += (i + 1) * v
    return s


@case
def chain_next(xs):
    it = itertools.chain([xs[0]], map(f, xs))
    next(it)
    return next(it) * next(it)


@case
def filter_next(xs):
    return next(filter(lambda v: v < 0, xs)) * 2


@case
def filter_same(xs):
    a = xs[0]
    n = [0]

    def p(v):
        n[0] += 1
        return n[0] % 2

    return sum(k * v for k, v in zip([1.0, 2.0, 3.0], filter(p, [a, xs[1], a, xs[2], xs[1]])))


@case
def filter_obj(xs):
    return sum(filter(lambda v: [v] if v > 0 else [], xs))


@case
def filter_nothing(xs):
    return sum(filter(lambda v: v > 100, xs)) + xs[0]


@case
def filter_none_result(xs):
    return sum(filter(lambda v: None if v < 0 else "x", xs))


@case
def dropwhile_loop(xs):
    s = 0.0
    for i, v in enumerate(itertools.dropwhile(lambda v: v < 1.7, xs)):
        s += (i + 1) * v * v
    return s


@case
def takewhile_rest(xs):
    it = iter(xs)
    a = sum(itertools.takewhile(lambda v: v > 0, it))
    return a * next(it)


@case
def starmap_partial(xs):
    return sum(map(functools.partial(lambda k, a, b: k * a * b, xs[2]), xs, xs[1:]))


@case
def starmap_lists(xs):
    return sum(itertools.starmap(lambda a, b: a * b + a, [(xs[0], xs[1]), [xs[2], xs[3]]]))


@case
def starmap_gen(xs):
    return sum(itertools.starmap(lambda a, b: a * b + a, ((v, v * 2) for v in xs)))


@case
def islice_steps(xs):
    return sum(k * v for k, v in zip([1, 2, 3], itertools.islice(map(f, xs), 0, None, 2)))


@case
def islice_sum_steps(xs):
    it = map(f, xs)
    a = sum(itertools.islice(it, 1, 3))
    return a * next(it)


@case
def islice_gen(xs):
    def g():
        v = xs[0]
        while True:
            yield v
            v = v * xs[1]

    it = g()
    a = sum(itertools.islice(it, 3))
    return a * next(it)


@case
def star_call(xs):
    return (lambda a, b, c, d: a * b - c * d)(*map(f, xs))


@case
def star_call_gen(xs):
    return (lambda a, b, c, d: a * b - c * d)(*(v * v for v in xs))


@case
def star_call_max(xs):
    return max(*map(f, xs)) * 2


@case
def star_call_mixed(xs):
    return (lambda k, *r: k * r[0] + r[3])(2.0, *map(f, xs))


@case
def star_varargs(xs):
    return (lambda *r: r[0] * r[3])(*map(f, xs))


@case
def star_kw(xs):
    return (lambda a, b, c, d, k=1: a * b - c * d * k)(*map(f, xs), k=xs[0])


@case
def unpack(xs):
    a, b, c, d = map(f, xs)
    return a * b + c / d


@case
def unpack_star(xs):
    a, *b = map(f, xs)
    return a * b[0] + b[-1]


@case
def unpack_two(xs):
    a, b = map(sum, zip(*[(v, v * v) for v in xs]))
    return a * b


@case
def yield_from_map(xs):
    def g():
        yield from map(f, xs)
        yield xs[0]

    return sum(k * v for k, v in enumerate(g()))


@case
def object_method(xs):
    class M:
        def __init__(s, k):
            s.k = k

        def go(s, v):
            return s.k * v * v

        def __call__(s, v):
            s.k = s.k + v
            return s.k

        @staticmethod
        def st(v):
            return v * 3

        @classmethod
        def cl(c, v):
            return v * v

    m = M(xs[0])
    return sum(map(m.go, xs)) + sum(map(m, xs)) + sum(map(M.st, xs)) + sum(map(M.cl, xs)) + m.k


@case
def objects(xs):
    class P:
        def __init__(s, v):
            s.v = v * 2

    return sum(p.v * p.v for p in map(P, xs))


@case
def attrget(xs):
    class P:
        def __init__(s, v):
            s.v = v * 2

    return sum(map(operator.attrgetter("v"), [P(x) for x in xs]))


@case
def lru(xs):
    g = functools.lru_cache(lambda v: v * v)
    return sum(map(g, [xs[0], xs[1], xs[0]]))


@case
def map_str(xs):
    return sum(map(float, map(str, xs))) + xs[0]


@case
def default_arg(xs):
    return sum(map(lambda v, k=xs[0]: v * k, xs))


@case
def sorted_key(xs):
    return sum(k * v for k, v in enumerate(sorted(map(f, xs), key=lambda v: -v)))


@case
def max_map_key(xs):
    return max(map(f, xs), key=lambda v: -v) * 2


@case
def min_default(xs):
    return min(map(f, xs), default=0.0)


@case
def max_enumerate(xs):
    return (lambda iv: iv[1] * 3)(max(enumerate(xs), key=lambda p: p[1]))


@case
def matrix(xs):
    A = [[xs[0], xs[1]], [xs[2], xs[3]]]
    T = list(map(list, zip(*A)))
    return T[0][1] * T[1][0]


@case
def matmul(xs):
    A = [[xs[0], xs[1]], [xs[2], xs[3]]]
    C = [[sum(map(operator.mul, r, c)) for c in zip(*A)] for r in A]
    return C[0][1] * C[1][0]


@case
def dotmap(xs):
    return math.sqrt(sum(map(lambda v: v**2, xs)))


@case
def poly(xs):
    return functools.reduce(lambda acc, c: acc * xs[0] + c, xs)


@case
def gen_of_map(xs):
    return sum(v * v for v in map(f, xs) if v > 2)


@case
def store_it(xs):
    d = {"it": map(f, xs)}
    a = next(d["it"])
    return a * sum(d["it"])


@case
def tee(xs):
    a, b = itertools.tee(map(f, xs))
    next(b)
    return sum(u * v for u, v in zip(a, b))


@case
def tee_sum(xs):
    a, b = itertools.tee(map(f, xs))
    return sum(a) * sum(b)


@case
def cyc(xs):
    return sum(itertools.islice(itertools.cycle(map(f, xs)), 7))


@case
def zl(xs):
    return sum(a * b for a, b in itertools.zip_longest(map(f, xs), xs[:2], fillvalue=xs[0]))


@case
def map_in_thread(xs):
    import threading

    out = []
    it = map(f, xs)
    t = threading.Thread(target=lambda: out.append(sum(it)))
    t.start()
    t.join()
    return out[0]


@case
def heap(xs):
    import heapq

    return sum(heapq.nlargest(2, map(f, xs)))


@case
def prod_range(xs):
    return math.prod(map(lambda i: xs[0] + i, range(4)))


@case
def extend_map(xs):
    l = [xs[0]]
    l.extend(map(f, xs))
    l += map(f, xs[:2])
    return l[1] * l[-1]


@case
def deque_ext(xs):
    from collections import deque

    d = deque(maxlen=3)
    d.extend(map(f, xs))
    return d[0] * d[1]


@case
def dict_map(xs):
    d = dict(zip("abcd", map(f, xs)))
    d.update(zip("ab", map(lambda v: v * 3, xs)))
    return d["a"] * d["c"]


@case
def dict_pairs(xs):
    d = dict(map(lambda p: (p[0], p[1] * 2), zip("abcd", xs)))
    return d["a"] * d["c"]


@case
def compose(xs):
    return list(map(lambda g: g(xs[0]), [f, math.sin, lambda v: v * 3]))[2] * 2


@case
def kw_only(xs):
    return sum(map(lambda v, *, k=2.0: v * k, xs))


@case
def slice_assign(xs):
    l = list(xs)
    l[1:3] = map(f, xs)
    return l[1] * l[2] * l[5]


#: What cannot be known: who took how many items, which of several equal calls it was, or what other code computed.
REFUSED = frozenset(
    [
        "stop_iter",
        "any_direct",
        "any_ints",
        "in_then",
        "map_uneven",
        "raises",
        "raises_sum",
        "two_same_sum",
        "two_zip_dropped",
        "filter_obj",
        "attrget",
        "lru",
        "map_str",
        "tee_sum",
        "cyc",
        "map_in_thread",
    ]
)
XS = [1.5, 2.0, -0.5, 3.0]


def differences(fn):
    def at(i, step):
        return fn([x + step * (i == j) for j, x in enumerate(XS)])

    return [(at(i, 1e-6) - at(i, -1e-6)) / 2e-6 for i in range(len(XS))]


@pytest.mark.parametrize("name", CASES)
def test_gradient_or_refusal(name):
    fn = CASES[name]
    expected = fn(list(XS))
    trace = vd.trace(fn, list(XS))
    assert trace.result == expected
    if name in REFUSED:
        with pytest.raises(vd.NoDerivativeError):
            trace.grad("xs")
    else:
        assert trace.grad("xs") == pytest.approx(differences(fn), rel=1e-4, abs=1e-4)


def test_defaults_of_functions_that_other_code_calls():
    def fn(x):
        class A:
            def __init__(self, v, k=x):
                self.r = v * k

            def __add__(self, o, k=x):
                return self.r * k * o

        return A(2.0).r + (A(2.0) + 3.0) + functools.partial(lambda v, k=x: v * k, 5.0)()

    assert vd.trace(fn, 3.0).grad() == {"x": 43.0}
