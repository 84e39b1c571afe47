"""What recording and differentiating NumPy code costs, as ratios measured in one run.

    python tests/benchmarks/arrays.py [--quick]

Medians of interleaved runs. MyGrad is compared with where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from visual_debug import visual_debug


def chain(x):
    """Ten elementwise operations."""
    y = np.sin(x) * x + 1.0
    z = np.exp(-y) / (2.0 + x)
    return np.sqrt(z * z + 0.5) - y


def network(w1, w2, w3, x, y, numpy=np):
    """The loss of a network of three layers."""
    first = numpy.tanh(x @ w1)
    second = numpy.tanh(first @ w2)
    return numpy.mean((second @ w3 - y) ** 2)


def network_by_mygrad(weights: list[Any], x: Any, y: Any) -> list[Any]:
    import mygrad

    tensors = [mygrad.tensor(w) for w in weights]
    network(*tensors, x, y, mygrad).backward()
    return [tensor.grad for tensor in tensors]


def sum_of_reads(a):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * a[i - 1]
    return total


def times(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each function, run in turns."""
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(rounds):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            taken[name].append(time.perf_counter() - begin)
    return {name: median(values) for name, values in taken.items()}


def elementwise(size: int, rounds: int) -> str:
    x = np.linspace(0.1, 2.0, size)
    recorded = visual_debug(chain)
    found = times({"plain": lambda: chain(x), "recorded": lambda: recorded(x)}, rounds)
    return f"elementwise chain on {size} elements: recorded {found['recorded'] / found['plain']:.3f}x the plain function"


def layers(rounds: int, points: int = 100, width: int = 32) -> str:
    draw = np.random.default_rng(0).normal
    weights = [draw(size=(2, width)), draw(size=(width, width)), draw(size=(width, 1))]
    x, y = draw(size=(points, 2)), draw(size=(points, 1))
    loss = visual_debug(network)
    by_autograd = autograd.grad(lambda *w: network(*w, x, y, anp), (0, 1, 2))

    def ours() -> dict[str, Any]:
        loss(*weights, x, y)
        return loss.trace.grad(("w1", "w2", "w3"))

    contenders: dict[str, Callable[[], Any]] = {"ours": ours, "autograd": lambda: by_autograd(*weights)}
    if importlib.util.find_spec("mygrad") is not None:
        contenders["MyGrad"] = lambda: network_by_mygrad(weights, x, y)
    for own, other in zip(ours().values(), by_autograd(*weights), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-10)
    found = times(contenders, rounds)
    others = ", ".join(f"{found['ours'] / found[name]:.2f}x {name}" for name in contenders if name != "ours")
    return f"3-layer network, {points} points, loss and gradient: {found['ours'] * 1e6:.0f} us, {others}"


def reads(rounds: int, size: int) -> str:
    recorded = visual_debug(sum_of_reads)

    def gradient(count: int) -> Callable[[], Any]:
        recorded(np.linspace(0.0, 1.0, count))
        trace = recorded.trace
        len(trace)
        return lambda: trace.grad("a")

    found = times({"one": gradient(size), "four": gradient(4 * size)}, rounds)
    return f"gradient of {size} element reads: four times as many take {found['four'] / found['one']:.1f}x the time"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    print(elementwise(10_000 if quick else 1_000_000, 3 if quick else 21))
    print(layers(3 if quick else 101))
    print(reads(1 if quick else 5, 200 if quick else 10_000))


if __name__ == "__main__":
    main()
