"""How long other libraries take for what this package does, on the same plain functions, as ratios of one run.

    python tests/benchmarks/peers.py [--quick] [--readme]

Those that differentiate Python scalars do the whole gradient: ours is recording, replay and sweep. Those that watch a
function record it. Only what is installed is measured, each at a size that it manages, in turns with the others; the
figure is the median of the rounds. `--readme` writes the table into README.md.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import io
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import visual_debug as vd


def logistic(x, n):
    """Three operations a turn."""
    for _ in range(n):
        x = 3.2 * x * (1.0 - x)
    return x


def newton(x, n):
    """A square root found over and over: five operations a turn."""
    y = x
    for _ in range(n):
        y = 0.5 * (y + x / y) + 0.001 * y
    return y


#: Functions, and operations in a turn of theirs.
PROGRAMS: list[tuple[Callable[..., Any], int]] = [(logistic, 3), (newton, 5)]
START = 0.3

# ---- gradients by the argument x


def own(function: Callable[..., Any], n: int) -> float:
    """Record, replay, sweep."""
    decorated = vd.visual_debug(limit=10**9)(function)
    decorated(START, n)
    return float(decorated.trace.grad("x"))


def _micrograd(function: Callable[..., Any], n: int) -> float:
    x = importlib.import_module("micrograd.engine").Value(START)
    function(x, n).backward()
    return float(x.grad)


def _autograd(function: Callable[..., Any], n: int) -> float:
    return float(importlib.import_module("autograd").grad(lambda x: function(x, n))(START))


def _mygrad(function: Callable[..., Any], n: int) -> float:
    x = importlib.import_module("mygrad").tensor(START)
    function(x, n).backward()
    return float(x.grad)


def _torch(function: Callable[..., Any], n: int) -> float:
    torch = importlib.import_module("torch")
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    function(x, n).backward()
    return float(x.grad)


def _jax(function: Callable[..., Any], n: int) -> float:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return float(jax.grad(lambda x: function(x, n))(START))


def _casadi(function: Callable[..., Any], n: int) -> float:
    casadi = importlib.import_module("casadi")
    x = casadi.SX.sym("x")
    return float(casadi.Function("f", [x], [casadi.gradient(function(x, n), x)])(START))


#: Distribution -> gradient, and how many turns it manages: some recurse, some take minutes.
GRADIENTS: dict[str, tuple[Callable[[Callable[..., Any], int], float], int]] = {
    "micrograd": (_micrograd, 150), "autograd": (_autograd, 150), "mygrad": (_mygrad, 150), "torch": (_torch, 3_000),
    "jax": (_jax, 100), "casadi": (_casadi, 3_000),
}  # fmt: skip

# ---- watching a function


def own_recording(function: Callable[..., Any]) -> Callable[..., Any]:
    """The traced function."""
    return vd.visual_debug(limit=10**9)(function)


def _birdseye(function: Callable[..., Any]) -> Callable[..., Any]:
    os.environ.setdefault("BIRDSEYE_DB", f"sqlite:///{Path(tempfile.mkdtemp()) / 'birdseye.db'}")
    watched: Callable[..., Any] = importlib.import_module("birdseye").eye(function)
    return watched


def _snoop(function: Callable[..., Any]) -> Callable[..., Any]:
    watched: Callable[..., Any] = (
        importlib.import_module("snoop").Config(out=io.StringIO(), color=False).snoop(function)
    )
    return watched


def _pysnooper(function: Callable[..., Any]) -> Callable[..., Any]:
    watched: Callable[..., Any] = importlib.import_module("pysnooper").snoop(io.StringIO())(function)
    return watched


WATCHERS: dict[str, tuple[Callable[[Callable[..., Any]], Callable[..., Any]], int]] = {
    "birdseye": (_birdseye, 300), "snoop": (_snoop, 300), "pysnooper": (_pysnooper, 300),
}  # fmt: skip


# ---- measuring


def _seconds(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def measured(runs: dict[str, tuple[Callable[[], Any], int]], rounds: int) -> dict[str, float]:
    """Seconds per operation of each run, given how many it does: medians of rounds in which they take turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, operations) in runs.items():
            found[name].append(_seconds(run) / operations)
    return {name: statistics.median(times) for name, times in found.items()}


def compared(
    function: Callable[..., Any], size: int, turns: int, most: int, rounds: int
) -> list[tuple[str, str, float]]:
    """What each does, its name and version, and how many times as long as ours it takes per operation."""
    gradients: dict[str, tuple[Callable[[], Any], int]] = {"": (lambda: own(function, turns), size * turns)}
    for name, (gradient, manages) in GRADIENTS.items():
        count = min(manages, most)
        try:
            value = gradient(function, count)  # warms up
        except ImportError:
            continue
        expected = own(function, count)
        if abs(value - expected) > 1e-9 * max(abs(expected), 1e-300):
            raise AssertionError(f"{name} finds {value}, and {expected} is expected")
        gradients[name] = (lambda g=gradient, c=count: g(function, c)), size * count  # type: ignore[misc]
    watched: dict[str, tuple[Callable[[], Any], int]] = {"": (_call(own_recording(function), turns), size * turns)}
    for name, (watcher, manages) in WATCHERS.items():
        count = min(manages, most)
        try:
            run = _call(watcher(function), count)
        except ImportError:
            continue
        run()
        watched[name] = run, size * count
    lines = []
    for what, runs in ("gradient", gradients), ("recording", watched):
        times = measured(runs, rounds)
        ours = times.pop("")
        lines += [(what, f"{name} {importlib.metadata.version(name)}", time / ours) for name, time in times.items()]
    return lines


def _call(function: Callable[..., Any], n: int) -> Callable[[], Any]:
    return lambda: function(START, n)


def table(*, quick: bool) -> str:
    """The table as Markdown: a line for each peer that is installed, a column for each function."""
    turns, most, rounds = (1_000, 50, 1) if quick else (100_000, 10**9, 7)
    found: dict[tuple[str, str], list[float]] = {}
    for function, size in PROGRAMS:
        own(function, turns)
        for what, name, ratio in compared(function, size, turns, most, rounds):
            found.setdefault((what, name), []).append(ratio)
    head = " | ".join(["of what", "by", *(f"{function.__name__} loop" for function, _ in PROGRAMS)])
    lines = [f"| {head} |", "|---" * (2 + len(PROGRAMS)) + "|"]
    lines += [
        f"| {what} | {name} | {' | '.join(f'{ratio:,.0f} x as long' for ratio in ratios)} |"
        for (what, name), ratios in found.items()
    ]
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
        block = f"<!-- peers: begin, measured by tests/benchmarks/peers.py on CPython {version} -->\n\n{text}\n\n<!-- peers: end -->"
        old = readme.read_text(encoding="utf-8")
        new = re.sub(r"<!-- peers: begin.*?peers: end -->", lambda _: block, old, flags=re.DOTALL)
        readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
