"""What recording, replay and differentiation cost, as ratios measured in one run.

    python tests/benchmarks/costs.py [--quick] [--readme]

Every figure is the median of interleaved runs of the plain function, of the same function with `values.append(v)`
written by hand behind every operation, and of the traced one. `--readme` writes the table into README.md.
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import re
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import visual_debug as vd
from visual_debug import visual_debug


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def logistic_by_hand(x, r, n, append):
    for _ in range(n):
        a = r * x
        append(a)
        b = 1 - x
        append(b)
        x = a * b
        append(x)
    return x


def horner(coefficients, x):
    total = 0.0
    for c in coefficients:
        total = total * x + c
    return total


def horner_by_hand(coefficients, x, append):
    total = 0.0
    for c in coefficients:
        a = total * x
        append(a)
        total = a + c
        append(total)
    return total


def slope(t, y):
    return -2.0 * y + t


def slope_by_hand(t, y, append):
    a = -2.0 * y
    append(a)
    b = a + t
    append(b)
    return b


def runge_kutta(y, h, n):
    t = 0.0
    for _ in range(n):
        k1 = slope(t, y)
        k2 = slope(t + h / 2, y + h / 2 * k1)
        k3 = slope(t + h / 2, y + h / 2 * k2)
        k4 = slope(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t = t + h
    return y


def runge_kutta_by_hand(y, h, n, append):
    t = 0.0
    for _ in range(n):
        k1 = slope_by_hand(t, y, append)
        a = h / 2
        append(a)
        b = t + a
        append(b)
        c = h / 2
        append(c)
        d = c * k1
        append(d)
        e = y + d
        append(e)
        k2 = slope_by_hand(b, e, append)
        a = h / 2
        append(a)
        b = t + a
        append(b)
        c = h / 2
        append(c)
        d = c * k2
        append(d)
        e = y + d
        append(e)
        k3 = slope_by_hand(b, e, append)
        b = t + h
        append(b)
        d = h * k3
        append(d)
        e = y + d
        append(e)
        k4 = slope_by_hand(b, e, append)
        a = h / 6
        append(a)
        b = 2 * k2
        append(b)
        c = k1 + b
        append(c)
        d = 2 * k3
        append(d)
        e = c + d
        append(e)
        g = e + k4
        append(g)
        i = a * g
        append(i)
        y = y + i
        append(y)
        t = t + h
        append(t)
    return y


def product(x, y):
    return x * y


def seconds(run: Callable[[], Any]) -> float:
    """Wall time of one run, with the garbage collector held off."""
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter()
        run()
        return time.perf_counter() - begin
    finally:
        gc.enable()


def ratios(
    plain: Callable[..., Any], by_hand: Callable[..., Any], args: tuple[Any, ...], rounds: int
) -> tuple[float, float]:
    """Time of the traced function over the plain one's, and over the hand-written recording's."""
    traced = visual_debug(plain)
    times = [
        (
            seconds(lambda: plain(*args)),
            seconds(lambda: by_hand(*args, [].append)),
            seconds(lambda: traced(*args)),
        )
        for _ in range(rounds)
    ]
    return median(t / p for p, _, t in times), median(t / h for _, h, t in times)


def bytes_per_operation(n: int) -> float:
    """Memory that a recorded logistic loop keeps, per operation."""
    traced = visual_debug(logistic)
    traced(0.3, 3.2, 10)
    gc.collect()
    tracemalloc.start()
    traced(0.3, 3.2, n)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / (3 * n)


def fixed_cost(calls: int, rounds: int) -> float:
    """Microseconds that a call of a small traced function takes over the plain one."""

    def many(function: Callable[..., Any]) -> None:
        for _ in range(calls):
            function(2.0, 3.0)

    traced = visual_debug(product)
    return median(seconds(lambda: many(traced)) - seconds(lambda: many(product)) for _ in range(rounds)) / calls * 1e6


def whole(n: int) -> tuple[float, float]:
    """Seconds to replay a trace of n operations, and to differentiate it."""
    trace = vd.trace(logistic, 0.3, 3.2, n // 3)
    replay = seconds(lambda: len(trace))
    gradient = seconds(lambda: trace.grad("x"))
    assert math.isfinite(trace.result)
    return replay, gradient


def table(*, quick: bool) -> str:
    """The figures as a Markdown table."""
    steps, rounds, large = (200, 3, 3_000) if quick else (10_000, 31, 1_000_000)
    loops = [
        ("logistic map", logistic, logistic_by_hand, (0.3, 3.2, steps)),
        ("Horner's rule", horner, horner_by_hand, ([0.1 * i for i in range(steps)], 0.999)),
        ("Runge-Kutta, a call per stage", runge_kutta, runge_kutta_by_hand, (1.0, 0.001, steps // 10)),
    ]
    lines = ["| what | how much |", "|---|---|"]
    for name, plain, by_hand, args in loops:
        over_plain, over_hand = ratios(plain, by_hand, args, rounds)
        lines.append(
            f"| recording, {name} | {over_plain:.1f} x the plain function, {over_hand:.2f} x appends by hand |"
        )
    lines.append(f"| memory | {bytes_per_operation(steps):.0f} bytes per operation |")
    lines.append(f"| call of a small function | {fixed_cost(200 if quick else 5_000, rounds):.1f} µs more |")
    replay, gradient = whole(large)
    lines.append(f"| {large:,} operations, on demand | replay {replay:.1f} s, gradient {gradient:.1f} s |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Measure and print; with `--readme`, write the table between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: for trying the benchmark, not for figures")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    options = parser.parse_args(argv)
    text = table(quick=options.quick)
    print(f"CPython {platform.python_version()}\n\n{text}")
    if options.readme:
        readme = ROOT / "README.md"
        version = ".".join(platform.python_version_tuple()[:2])
        block = f"<!-- costs: begin, measured by tests/benchmarks/costs.py on CPython {version} -->\n\n{text}\n\n<!-- costs: end -->"
        old = readme.read_text(encoding="utf-8")
        new = re.sub(r"<!-- costs: begin.*?costs: end -->", lambda _: block, old, flags=re.DOTALL)
        readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
