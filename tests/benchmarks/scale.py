"""What asking costs: replay, gradient, summary, saving and loading, per operation and as ratios of sizes.

    python tests/benchmarks/scale.py [--quick] [--peers]

`--peers` compares a whole gradient (recording, replay and sweep) with other libraries that trace Python scalars, those of
them that are installed, on the same loop; each is given the size that it manages.
"""

from __future__ import annotations

import argparse
import importlib
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


# ---- peers: the gradient of the loop by x, in seconds per operation


class Value:
    """A number that records what it was made of, as micrograd's does."""

    def __init__(self, data: float, parents: tuple[tuple[Value, float], ...] = ()) -> None:
        self.data, self.parents, self.grad = data, parents, 0.0

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __rsub__(self, other: float) -> Value:
        return Value(other - self.data, ((self, -1.0),))

    __rmul__ = __mul__

    def backward(self) -> None:
        """Sum up the adjoints of all numbers that this one was made of."""
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, done = stack.pop()
            if done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent, _ in value.parents)
        self.grad = 1.0
        for value in reversed(order):
            for parent, partial in value.parents:
                parent.grad += value.grad * partial


def _operator_overloading(n: int) -> float:
    x = Value(0.3)
    logistic(x, 3.2, n).backward()
    return x.grad


def _autograd(n: int) -> float:
    return float(importlib.import_module("autograd").grad(lambda x: logistic(x, 3.2, n))(0.3))


def _torch(n: int) -> float:
    torch = importlib.import_module("torch")
    x = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    logistic(x, 3.2, n).backward()
    return float(x.grad)


def _jax(n: int) -> float:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return float(jax.grad(lambda x: logistic(x, 3.2, n))(0.3))


def _mygrad(n: int) -> float:
    x = importlib.import_module("mygrad").tensor(0.3)
    logistic(x, 3.2, n).backward()
    return float(x.grad)


def _casadi(n: int) -> float:
    casadi = importlib.import_module("casadi")
    x = casadi.SX.sym("x")
    return float(casadi.Function("f", [x], [casadi.gradient(logistic(x, 3.2, n), x)])(0.3))


#: Name -> gradient, and how many turns it manages.
PEERS: dict[str, tuple[Callable[[int], float], int]] = {
    "operator overloading": (_operator_overloading, 100_000), "autograd": (_autograd, 300), "torch": (_torch, 3_000),
    "jax": (_jax, 100), "mygrad": (_mygrad, 300), "casadi": (_casadi, 3_000),
}  # fmt: skip


def own(n: int) -> float:
    """The same by this package, from the beginning."""
    return traced(3 * n).grad("x")


def peers(turns: int, most: int) -> dict[str, float]:
    """How many times as long as this package each peer that is installed takes per operation."""
    own(turns)
    mine = min(nanoseconds(lambda: own(turns), 3 * turns)[0] for _ in range(3))
    found = {}
    for name, (gradient, manages) in PEERS.items():
        count = min(manages, most)
        try:
            value = gradient(count)  # warms up
        except ImportError:
            continue
        assert abs(value - own(count)) <= 1e-9 * max(abs(value), 1e-300), (name, value)
        found[name] = min(nanoseconds(lambda g=gradient, c=count: g(c), 3 * count)[0] for _ in range(3)) / mine
    return found


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: for trying the benchmark, not for figures")
    parser.add_argument("--peers", action="store_true", help="compare with other libraries")
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
    if options.peers:
        for name, ratio in peers(1_000 if options.quick else 300_000, 100 if options.quick else 10**9).items():
            print(f"{name}: {ratio:.0f} x as long")


if __name__ == "__main__":
    main()
