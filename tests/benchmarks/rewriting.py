"""What rewriting costs, per instruction of the original, and as a ratio to compiling the same source.

    python tests/benchmarks/rewriting.py [--quick]

Caches and prefixes are not counted as instructions. Both variants of a function are made: the one that recorded code
calls and the one that is entered from outside.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import inspect
import platform
import sys
import time
from pathlib import Path
from statistics import median
from types import CodeType
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from visual_debug.errors import UntraceableError
from visual_debug.tracing.policy import Policy

MODULES = ["_pydecimal", "argparse", "calendar", "dataclasses", "difflib", "fractions", "heapq", "inspect", "json.decoder",
           "random", "shutil", "statistics", "textwrap", "threading", "typing", "zipfile"]  # fmt: skip

#: Long functions of one kind of statement each.
STATEMENTS = {
    "arithmetic and branches": "    x{i} = x * {i} + y if x > {i} else y\n",
    "calls": "    x{i} = f(x, f({i}, y), k=x)\n",
    "loops": "    for i{i} in range(x):\n        y += i{i}\n",
    "handlers": "    try:\n        x = f(x)\n    except ValueError:\n        x = {i}\n",
    "with": "    with f(x):\n        y += x[{i}]\n",
    "writes": "    a[{i}] += x\n",
}


class Cost(NamedTuple):
    """Seconds of this process, and how many instructions they were spent on."""

    compiling: float
    planning: float
    rewriting: float
    instructions: int

    def __str__(self) -> str:
        each = 1e6 / self.instructions
        whole = self.planning + self.rewriting
        return (
            f"{self.instructions} | {self.compiling * each:.1f} | {self.planning * each:.1f} | "
            f"{self.rewriting * each:.1f} | {whole * each:.1f} | {whole / self.compiling:.0f}"
        )


def functions(code: CodeType) -> list[CodeType]:
    """The functions in a module's code."""
    inner = [f for constant in code.co_consts if isinstance(constant, CodeType) for f in functions(constant)]
    return [*inner, code] if code.co_flags & inspect.CO_OPTIMIZED else inner


def cost(sources: list[str]) -> Cost:
    """Compile the sources once and rewrite all their functions once."""
    policy = Policy(lambda function: False)
    gc.collect()
    begin = time.process_time()
    modules = [compile(source, "<benchmark>", "exec", dont_inherit=True) for source in sources]
    compiled = time.process_time()
    plans = []
    for code in (f for module in modules for f in functions(module)):
        try:
            plans.append(policy.plan(code))
        except UntraceableError:
            continue
    planned = time.process_time()
    for plan in plans:
        policy.code(plan.code, door=False)
        policy.code(plan.code, door=True)
    done = time.process_time()
    count = sum(len(plan.instructions) for plan in plans)
    return Cost(compiled - begin, planned - compiled, done - planned, count)


def typical(sources: list[str], rounds: int) -> Cost:
    """Medians of several rounds."""
    costs = [cost(sources) for _ in range(rounds)]
    return Cost(*(median(part) for part in zip(*costs, strict=True)))


def modules(count: int | None = None) -> list[str]:
    """Sources of the standard library."""
    return [inspect.getsource(importlib.import_module(name)) for name in MODULES[:count]]


def long_function(statement: str, count: int) -> str:
    """A function of so many statements, each with a number of its own."""
    body = "".join(statement.format(i=i) for i in range(count))
    return f"def long(x, y, a, f):\n{body}    return x\n"


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: for trying the benchmark, not for figures")
    options = parser.parse_args(argv)
    count, rounds = (50, 1) if options.quick else (5000, 5)
    print(f"CPython {platform.python_version()}, µs per instruction\n")
    print("| what | instructions | compile() | plan | both codes | plan and codes | x compile() |")
    print("|---|---|---|---|---|---|---|")
    print(f"| standard library | {typical(modules(2 if options.quick else None), rounds)} |")
    for name, statement in STATEMENTS.items():
        print(f"| {count} statements: {name} | {typical([long_function(statement, count)], rounds)} |")


if __name__ == "__main__":
    main()
