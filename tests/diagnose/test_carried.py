"""Where NaNs come from, element by element, against a run with one of them at a time."""

from __future__ import annotations

import random

import numpy as np
import pytest

import visual_debug as vd

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def story(function, *arguments):
    return vd.trace(function, *arguments).nonfinite()


def fate(report):
    return {birth.place.text: birth.reaches for birth in report.births}


def test_another_element_of_the_same_array_is_not_the_cause():
    def f(x):
        y = np.log(x)
        z = np.sqrt(x - 2)
        w = np.concatenate([y, z])
        return w.reshape(2, 3).T[1, 0]

    report = story(f, np.array([1.0, -1.0, 3.0]))
    assert fate(report) == {"np.log(x)": True, "np.sqrt(x - 2)": False}
    assert [birth.at for birth in report.births] == [((1,),), ((0,), (1,))]
    assert "(elements [0], [1])" in str(report)


def test_elements_that_were_written_one_by_one():
    def f(x):
        u = np.zeros(4)
        u[1] = x[0] * 1e308 * 10
        u[2] = np.log(-x[0])
        return u[2] + u[0]

    assert fate(story(f, np.array([1.0, 2.0]))) == {"np.log(-x[0])": True, "x[0] * 1e308 * 10": False}


def test_a_product_of_matrices_makes_nans_of_infinities():
    def f(a, b):
        return (a @ b)[0].sum()

    report = story(f, np.array([[1, np.inf], [2, 3.0]]), np.eye(2))
    assert [(b.kind, b.at, b.reaches) for b in report.births] == [
        ("given", ((0, 1),), True),
        ("zero times infinity", ((0, 0),), True),
    ]
    assert report.births[1].because == (report.births[0].node,)
    assert not story(f, np.array([[1, 2.0], [np.nan, 3.0]]), np.eye(2)).result


def test_a_maximum_along_an_axis():
    def f(x):
        m = x.reshape(2, 2)
        rows = (m / m.sum(axis=1, keepdims=True)).max(axis=1)
        return rows[0]

    report = story(f, np.array([1.0, 2.0, 0.0, 0.0]))
    assert not report.result
    assert fate(report) == {"m / m.sum(axis=1, keepdims=True)": False}


def test_the_way_of_one_element_through_several():
    def f(x):
        y = 1 / x
        a = y[0] * 2
        b = y[1] * 3
        return np.stack([b, a])[1] + 1

    report = story(f, np.array([0.0, 0.0]))
    trace_texts = {line.split("`")[1] for line in report.story}
    assert "y[0] * 2" in trace_texts
    assert "y[1] * 3" not in trace_texts


STEPS = [
    "np.concatenate([{a}.ravel(), {b}.ravel()])[:6].reshape(2, 3)", "{a}.T.reshape(2, 3)", "{a} + {b}", "{a} * {b}[0]",
    "np.where(k > 0.5, {a}, {b})", "{a}[::-1]", "{a}[:, [2, 0, 0]]", "np.cumsum({a}, axis=1)", "{a} @ square",
    "np.roll({a}, 1, axis=1)", "np.repeat({a}.sum(axis=0, keepdims=True), 2, axis=0)", "np.tile({a}.max(axis=1), (3, 1)).T",
    "np.einsum('ij,kj->ikj', {a}, {b})[0]", "np.stack([{a}[0], {b}[1]])", "{a} - {b}.mean()",
    "np.pad({a}, 1)[1:3, 2:5]", "np.flip({a}, 1)", "np.maximum({a}, {b})", "np.outer({a}[0], {b}[1])[:2]",
    "np.diff({a}, axis=1, prepend=0.0)", "np.take({a}, [1, 0], axis=0)", "written({a}, {b})", "np.triu({a})",
]  # fmt: skip


def program(r):
    lines, names = [], ["p", "q", "s"]
    for i in range(r.randint(2, 6)):
        lines.append(f"    v{i} = {r.choice(STEPS).format(a=r.choice(names), b=r.choice(names))}")
        names.append(f"v{i}")
    end = r.choice(["{0}[1, 2]", "{0}[0].sum()", "{0}.sum()", "{0}[:, 1].max()", "{0}[0, 0] + {1}[1, 1]"])
    lines.append("    return " + end.format(names[-1], r.choice(names)))
    head = "def written(a, b):\n    c = a.copy()\n    c[0, 1:] = b[1, :2]\n    c[1, 0] += b[0, 0]\n    return c\n"
    return head + "def f(p, q, s, k, square):\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(150))
def test_each_nan_alone_tells_whether_it_reaches_the_result(seed):
    r = random.Random(seed)
    source = program(r)
    scope = {"np": np}
    exec(source, scope)  # noqa: S102 - the programs are ours
    f = scope["f"]
    generator = np.random.default_rng(seed)
    clean = [generator.uniform(1, 2, (2, 3)) for _ in range(3)]
    rest = generator.uniform(0, 1, (2, 3)), generator.uniform(1, 2, (3, 3))
    spots = [(r.randrange(2), r.randrange(3)) for _ in clean]
    reached = []
    for chosen in range(3):
        arrays = [a.copy() for a in clean]
        arrays[chosen][spots[chosen]] = np.nan
        reached.append(bool(np.isnan(f(*arrays, *rest))))
    arrays = [a.copy() for a in clean]
    for a, spot in zip(arrays, spots, strict=True):
        a[spot] = np.nan
    trace = vd.trace(f, *arrays, *rest)
    report = trace.nonfinite()
    found = {trace[birth.node].name: birth.reaches for birth in report.births}
    assert [found[name] for name in "pqs" if name in found] == [
        is_there for is_there, name in zip(reached, "pqs", strict=True) if name in found
    ], source
    assert all(name in found for name, is_there in zip("pqs", reached, strict=True) if is_there), source
    assert all(birth.kind == "given" for birth in report.births), (source, str(report))
    assert report.result == any(reached)
