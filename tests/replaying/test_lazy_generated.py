"""Random programs of iterators that share what they take from: each gradient is right, or is refused.

``VISUAL_DEBUG_EXAMPLES=10000`` runs that many programs, of seeds that no run has had before.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

import visual_debug as vd

SEARCHING = "VISUAL_DEBUG_EXAMPLES" in os.environ
COUNT = int(os.environ.get("VISUAL_DEBUG_EXAMPLES", "300"))
FIRST = random.SystemRandom().randrange(10**9) if SEARCHING else 0

HEAD = """
import collections, functools, itertools, math, operator
def sq(v): return v * v
def lin(v): return 3 * v - 1
def neg(v): return -v
def pos(v): return v > 0
def comb(a, b): return a - 0.5 * b
def cat(*vs): return sum(v * v for v in vs)
def gen(it, k):
    for v in it:
        yield v * k
    yield k
def f(xs, ys, k):
"""
ONE = ["sq", "lin", "lambda v: v * k", "math.sin", "abs", "neg"]
TWO = ["operator.mul", "lambda a, b: a + b * k", "comb", "operator.add", "max"]
PREDICATES = ["lambda v: v > 0.5", "lambda v: v < k", "pos"]
ITERATORS = [
    "map({one}, {a})", "map({two}, {a}, {b})", "filter({predicate}, {a})", "(p * q for p, q in zip({a}, {b}))",
    "itertools.accumulate({a})", "itertools.accumulate({a}, {two})", "itertools.chain({a}, {b})",
    "itertools.islice({a}, {few})", "itertools.takewhile({predicate}, {a})", "itertools.dropwhile({predicate}, {a})",
    "itertools.starmap({two}, zip({a}, {b}))", "iter({a})", "(sq(v) for v in {a})", "(q for _, q in enumerate({a}))",
    "reversed({list})", "(p * q for p, q in itertools.zip_longest({a}, {b}, fillvalue=k))",
    "(p - q * q for p, q in itertools.pairwise({a}))", "(p * q for p, q in itertools.combinations({a}, 2))",
    "itertools.starmap({two}, itertools.product({a}, {b}))",
]  # fmt: skip
LISTS = ["list({a})", "sorted({a}, key={one})", "[sq(v) for v in {a}]", "list(map({one}, {a}))"]
NUMBERS = [
    "next({it}, {number})", "sum({a})", "functools.reduce({two}, {a}, {number})", "max({a}, default={number})",
    "math.fsum({a})", "min({a}, key={one}, default=k)", "sum({a}, {number})", "sum(p * q for p, q in zip({it}, {it}))",
    "cat(*{it})", "max(0.1, *{it})", "max(((v, 1) for v in {it}), default=(k, 1))[0]", "min(zip({a}, {b}), default=(k, k))[1]",
]  # fmt: skip
BLOCKS = [
    ["{n} = 0.0", "for v in {it}:", "    {n} = {n} + v * k", "    if v > 0.7: break"],
    ["{n} = 0.0", "for p, q in zip({it}, {a}):", "    {n} = {n} + p * q"],
    ["{n} = 0.0", "for p, q in itertools.zip_longest({it}, {a}, fillvalue=k):", "    {n} = {n} + p * q"],
    ["{n} = 0.0", "for j, p in enumerate({it}):", "    {n} = {n} + p * j", "    if j == 1: break"],
    ["{n} = 2 * k if any(v > 1 for v in {it}) else k"],
    ["{n} = 2 * k if k in {it} else k"],
    ["{n} = dict(zip('abc', {it})).get('a', k) * 2"],
    ["{n} = sum(collections.deque({it}, maxlen=2))"],
    ["extended = [k]", "extended.extend({it})", "{n} = extended[-1]"],
    ["{n}, *behind = itertools.chain([k], {it})", "{n} = {n} + sum(behind)"],
    ["one, other = itertools.tee({it})", "{n} = sum(one) + next(other, k)"],
    ["{n} = 0.0", "going = gen({it}, k)", "{n} = next(going, k) + sum(going)"],
    ["{n} = 0.0", "while (w := next({it}, None)) is not None:", "    {n} = {n} * k + w", "    if {n} > 2: break"],
]


def program(r: random.Random) -> str:
    """A function of two lists and a number that makes iterators, and takes items from them in any order."""
    lists, iterators = ["xs", "ys"], ["begun"]
    numbers, lines = ["xs[0]", "xs[1]", "k"], ["begun = iter(xs)"]
    for i in range(r.randint(3, 8)):
        words = {
            "a": r.choice([*lists, *iterators]), "b": r.choice([*lists, *iterators]), "one": r.choice(ONE),
            "two": r.choice(TWO), "predicate": r.choice(PREDICATES), "few": r.randint(1, 3), "list": r.choice(lists),
            "it": r.choice(iterators), "number": r.choice(numbers), "n": f"n{i}",
        }  # fmt: skip
        kind = r.random()
        if kind < 0.5:
            lines.append(f"it{i} = {r.choice(ITERATORS)}".format(**words))
            iterators.append(f"it{i}")
        elif kind < 0.6:
            lines.append(f"l{i} = {r.choice(LISTS)}".format(**words))
            lists.append(f"l{i}")
        else:
            block = r.choice(BLOCKS) if kind < 0.75 else [f"n{i} = {r.choice(NUMBERS)}"]
            lines.extend(line.format(**words) for line in block)
            numbers.append(f"n{i}")
    ends = [*numbers[-3:], *(f"sum({name})" for name in r.sample([*iterators, *lists], 2))]
    return HEAD + "".join(f"    {line}\n" for line in [*lines, f"return {' + '.join(ends)}"])


def slopes(f: Callable[[list[float]], float], at: list[float], i: int) -> tuple[float, float]:
    """The derivative by differences of two widths; they differ where the function jumps or has a corner."""
    found = []
    for width in (1e-6, 1e-5):
        ends = []
        for side in (width, -width):
            moved = at[:]
            moved[i] += side
            try:
                ends.append(f(moved))
            except (ArithmeticError, LookupError, TypeError, ValueError):
                ends.append(float("nan"))
        found.append((ends[0] - ends[1]) / (2 * width))
    return found[0], found[1]


def verdict(seed: int) -> str:
    """What comes of one program: its gradient is right, is refused, or the plain function has no result."""
    r = random.Random(seed)
    source = program(r)
    xs, ys = ([r.uniform(-2, 2) for _ in range(r.randint(2, 5))] for _ in range(2))
    k = r.uniform(0.1, 1.5)
    scope: dict[str, Any] = {}
    exec(compile(source, f"<program {seed}>", "exec"), scope)  # noqa: S102 - the programs are ours
    f, size = scope["f"], len(xs)
    try:
        expected = f(xs, ys, k)
    except (ArithmeticError, LookupError, TypeError, ValueError, StopIteration):
        return "raises"
    trace = vd.trace(f, xs, ys, k)
    assert trace.result == expected, source
    try:
        gradient = trace.grad()
    except vd.NoDerivativeError:
        return "refused"
    at = [*xs, *ys, k]
    for i, slope in enumerate([*gradient["xs"], *gradient["ys"], gradient["k"]]):
        near, far = slopes(lambda v: f(v[:size], v[size:-1], v[-1]), at, i)
        if abs(near - far) <= 1e-4 * (1 + abs(near)):
            assert slope == pytest.approx(near, rel=1e-4, abs=1e-4), (seed, i, source)
    return "right"


def test_every_gradient_is_right_or_refused() -> None:
    verdicts = [verdict(seed) for seed in range(FIRST, FIRST + COUNT)]
    assert verdicts.count("right") > 0.5 * len(verdicts)
