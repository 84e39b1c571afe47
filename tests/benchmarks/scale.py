"""What asking costs: replay, gradient, summary, saving and loading, per operation and as ratios of sizes.

python tests/benchmarks/scale.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import visual_debug as vd
from visual_debug.views import summary


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def traced(n: int) -> Any:
    """The trace of a loop of n operations, whatever the limit."""
    function = vd.visual_debug(limit=10**9)(logistic)
    function(0.3, 3.2, n // 3)
    return function.trace


def nanoseconds(run: Callable[[], Any], n: int) -> tuple[float, Any]:
    """Processor time per operation, and what was returned."""
    begin = time.process_time()
    result = run()
    return (time.process_time() - begin) / n * 1e9, result


def asked(n: int, rounds: int = 3) -> dict[str, float]:
    """Nanoseconds per operation of everything that is asked of a trace, and bytes on disk; the least of some rounds."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        found: dict[str, float] = {}
        found["record"], trace = nanoseconds(lambda: traced(n), n)
        found["replay"], _ = nanoseconds(lambda trace=trace: len(trace), n)
        found["gradient"], _ = nanoseconds(trace.grad, n)
        found["summary"], _ = nanoseconds(lambda trace=trace: summary.summarise(trace._columns), n)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.parquet"
            found["save"], _ = nanoseconds(lambda trace=trace, path=path: trace.save(path), n)
            found["load"], _ = nanoseconds(lambda path=path: vd.load(path), n)
            found["bytes on disk"] = path.stat().st_size / n
        best = {name: min(value, best.get(name, value)) for name, value in found.items()}
    return best


def growth(n: int) -> dict[str, float]:
    """time(10 n) / time(n) of each, which is 10 where the cost is linear."""
    small, large = asked(n), asked(10 * n)
    return {name: 10 * large[name] / small[name] for name in small if name != "bytes on disk"}


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: for trying the benchmark, not for figures")
    options = parser.parse_args(argv)
    sizes = (10_000,) if options.quick else (1_000_000, 10_000_000)
    print(f"CPython {platform.python_version()}, {os.cpu_count()} processors\n")
    asked(10_000, 1)
    for n in sizes:
        figures = asked(n, 1 if n > 10**6 else 3)
        shown = ", ".join(f"{name} {value:.{1 if name.startswith('bytes') else 0}f}" for name, value in figures.items())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{n:,} operations, ns each: {shown}; at most {memory:.2f} GB of memory")
    ratios = growth(2_000 if options.quick else 200_000)
    print("time(10 n) / time(n): " + ", ".join(f"{name} {value:.1f}" for name, value in ratios.items()))


if __name__ == "__main__":
    main()
