"""What recording costs where functions are called, by what is called: ratios to the plain function, and the time added.

    python tests/benchmarks/constructs.py [--quick]

Medians of interleaved runs, in time of this thread.
"""

from __future__ import annotations

import argparse
import cmath
import gc
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from visual_debug import visual_debug


class Body:
    def __init__(self):
        self.x = 1.0

    def moved(self, h):
        return self.x * h


class Vec:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)


@dataclass
class Point:
    x: float
    y: float


def makes(xs):
    total = 0.0
    for x in xs:
        total += Point(x, 1.0).x
    return total


def adds(xs):
    place, step = Vec(0.0, 1.0), Vec(0.5, 0.25)
    for _ in xs:
        place = place + step
    return place.x


def squares(xs):
    for x in xs:
        yield x * x


def sum_of_expression(xs):
    return sum(x * x for x in xs)


def loop_over_generator(xs):
    total = 0.0
    for x in squares(xs):
        total += x
    return total


def transform(xs):
    n = len(xs)
    if n == 1:
        return xs
    even, odd = transform(xs[0::2]), transform(xs[1::2])
    turned = [cmath.exp(-2j * cmath.pi * k / n) * odd[k] for k in range(n // 2)]
    return [even[k] + turned[k] for k in range(n // 2)] + [even[k] - turned[k] for k in range(n // 2)]


def appends(xs):
    found = []
    for x in xs:
        found.append(x)  # noqa: PERF402
    return found


def looks_up(xs):
    table = {"a": 1.0}
    total = 0.0
    for _ in xs:
        total += table.get("a", 0.0)
    return total


def methods(xs):
    body = Body()
    total = 0.0
    for _ in xs:
        total += body.moved(0.5)
    return total


def attributes(xs):
    body = Body()
    for x in xs:
        body.x = body.x * 0.5 + x
    return body.x


def small_calls(function, xs):
    for x in xs:
        function(x)


def square(x):
    return x * x


CONSTRUCTS: dict[str, Callable[[Any], Any]] = {
    "`sum(x * x for x in xs)`, an item": sum_of_expression,
    "`for y in generator(xs)`, an item": loop_over_generator,
    "FFT by comprehensions, a number": transform,
    "`found.append(x)`": appends,
    "`table.get(key, 0.0)`": looks_up,
    "a method of one's own": methods,
    "an attribute read and written": attributes,
    "an object of a dataclass made": makes,
    "objects of one's own added, which makes another": adds,
}


def seconds(run: Callable[[], Any]) -> float:
    """Time of this thread for one run, with the garbage collector held off."""
    gc.collect()
    gc.disable()
    try:
        begin = time.thread_time()
        run()
        return time.thread_time() - begin
    finally:
        gc.enable()


def row(name: str, plain: Callable[[], Any], traced: Callable[[], Any], count: int, repeat: int) -> str:
    """A line of the table."""
    traced()
    pairs = [(seconds(plain), seconds(traced)) for _ in range(repeat)]
    ratio = median(t / p for p, t in pairs)
    added = median(t - p for p, t in pairs) / count * 1e9
    return f"| {name} | {ratio:.1f} | {added:.0f} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short runs")
    quick = parser.parse_args(arguments).quick
    count, repeat = (512, 3) if quick else (8192, 15)
    xs = [float(i % 7) for i in range(count)]
    print(f"CPython {platform.python_version()}\n\n| | times plain | ns added |\n|---|---|---|")
    for name, function in CONSTRUCTS.items():
        traced = visual_debug(function)
        print(row(name, lambda f=function: f(xs), lambda f=traced: f(xs), count, repeat))
    traced = visual_debug(square)
    print(row("a small call", lambda: small_calls(square, xs), lambda: small_calls(traced, xs), count, repeat))


if __name__ == "__main__":
    main(sys.argv[1:])
