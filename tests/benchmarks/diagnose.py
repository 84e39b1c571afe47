"""What a diagnosis costs, per operation, and as a ratio to the gradient of the same trace.

    python tests/benchmarks/diagnose.py [--quick]

Each question is asked of a fresh trace of the logistic map, which has been replayed and differentiated before.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import visual_debug as vd

QUESTIONS = {
    "nonfinite": lambda trace: trace.nonfinite(),
    "rounding": lambda trace: trace.rounding(),
    "cancellations": lambda trace: trace.cancellations(),
    "why": lambda trace: trace.why(),
    "slice": lambda trace: trace.slice(trace[len(trace) // 2]),
    "condition": lambda trace: trace.condition(),
    "gradient_health": lambda trace: trace.gradient_health(),
    "compare": lambda trace: trace.compare(trace),
}


def logistic(x: float, steps: int) -> float:
    for _ in range(steps):
        x = 3.7 * x * (1.0 - x)
    return x


def seconds(question: Any, operations: int) -> tuple[float, float]:
    """Of one question, and of the gradient before it."""
    trace = vd.trace(logistic, 0.3, operations // 3)
    len(trace)
    begin = time.process_time()
    trace.grad("x")
    middle = time.process_time()
    question(trace)
    return time.process_time() - middle, middle - begin


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 operations instead of 1,000,000")
    operations = 10_000 if parser.parse_args(arguments).quick else 1_000_000
    print(f"{operations:,} operations, CPython {sys.version.split()[0]}")
    for name, question in QUESTIONS.items():
        taken, gradient = seconds(question, operations)
        print(
            f"{name:16} {taken:7.2f} s  {taken / operations * 1e6:7.2f} us an operation  {taken / gradient:6.1f} x the gradient"
        )


if __name__ == "__main__":
    main()
