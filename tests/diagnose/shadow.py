"""An independent computation of true errors: numbers that carry their truth, written without the package."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from types import FunctionType
from typing import Any

import mpmath

PRECISION = 1500


def place(x: float) -> int:
    """The number of a double in the order of all doubles."""
    (bits,) = struct.unpack(">q", struct.pack(">d", x))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def wrong_bits(x: float, truth: Any) -> float:
    """log2 of one more than the number of doubles between."""
    return math.log2(1 + abs(place(x) - place(float(truth))))


class Shadow:
    """A double and its true value; every operation is noted as (name, local error in bits)."""

    def __init__(self, value: float, truth: Any, log: list[tuple[str, float]]) -> None:
        self.value, self.truth, self.log = value, truth, log

    def apply(self, name: str, real: Callable[..., Any], true: Callable[..., Any], *others: Any) -> Shadow:
        operands = [self, *others]
        values = [o.value if isinstance(o, Shadow) else o for o in operands]
        truths = [o.truth if isinstance(o, Shadow) else o for o in operands]
        nearest = [float(o.truth) if isinstance(o, Shadow) else o for o in operands]
        truth = true(*[mpmath.mpf(t) if isinstance(t, float) else t for t in truths])
        self.log.append((name, wrong_bits(float(real(*nearest)), truth)))
        return Shadow(real(*values), truth, self.log)


def _operators() -> None:
    import operator

    for name in ("add", "sub", "mul", "truediv", "pow"):
        apply = getattr(operator, name)

        def straight(self: Shadow, other: Any, name: str = name, apply: Any = apply) -> Shadow:
            return self.apply(name, apply, apply, other)

        def turned(self: Shadow, other: Any, name: str = name, apply: Any = apply) -> Shadow:
            return self.apply(name, lambda x, y: apply(y, x), lambda x, y: apply(y, x), other)

        setattr(Shadow, f"__{name}__", straight)
        setattr(Shadow, f"__r{name}__", turned)
    Shadow.__neg__ = lambda self: self.apply("neg", operator.neg, operator.neg)  # type: ignore[attr-defined]


_operators()


def run(function: FunctionType, arguments: tuple[float, ...]) -> tuple[Shadow, list[tuple[str, float]]]:
    """The function over shadows: its result and what every operation lost."""
    log: list[tuple[str, float]] = []
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        if hasattr(math, name):
            real, true = getattr(math, name), getattr(mpmath, name, abs)

            def called(x: Shadow, *rest: Any, name: str = name, real: Any = real, true: Any = true) -> Shadow:
                return x.apply(f"math.{name}", real, true, *rest)

            names[name] = called
    shadowed = FunctionType(function.__code__, names)
    with mpmath.workprec(PRECISION):
        result = shadowed(*(Shadow(x, mpmath.mpf(x), log) for x in arguments))
    return result, log


def mp_value(function: FunctionType, arguments: tuple[float, ...]) -> Any:
    """The function over mpmath's numbers alone."""
    names = dict(function.__globals__)
    names |= {n: getattr(mpmath, n, abs) for n in function.__code__.co_names if hasattr(math, n)}
    with mpmath.workprec(PRECISION):
        return FunctionType(function.__code__, names)(*map(mpmath.mpf, arguments))
