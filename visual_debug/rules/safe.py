"""Arithmetic on Python numbers that gives inf or NaN where Python raises.

The derivative of a traced operation is often infinite where the operation itself is fine (sqrt at 0), and an exception
in the middle of a sweep would tell the user less than the inf does. These functions are slow: they run only after the
plain expression has raised.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from visual_debug.rules.base import NoPartial

#: A function of numbers, whatever their kind.
Function = Callable[..., Any]


def as_float(x: Any) -> float:
    """The nearest float, ±inf for what is too large for one."""
    try:
        return float(x)
    except OverflowError:
        return -math.inf if x < 0 else math.inf


def _exactly(apply: Function, a: Any, b: Any) -> Any:
    """`apply(a, b)` through fractions, for an integer too large to become a float."""
    try:
        return as_float(apply(Fraction(a), Fraction(b)))
    except (ArithmeticError, ValueError, TypeError):  # the other one is inf, NaN or complex
        return apply(*(v if isinstance(v, complex) else as_float(v) for v in (a, b)))


def _guarded(apply: Function) -> Function:
    def safe(a: Any, b: Any) -> Any:
        try:
            return apply(a, b)
        except OverflowError:
            return _exactly(apply, a, b)

    return safe


add = _guarded(operator.add)
sub = _guarded(operator.sub)
mul = _guarded(operator.mul)


def div(a: Any, b: Any) -> Any:
    """a / b; a / 0 is inf with the sign of both (a signed zero counts), 0 / 0 is NaN, for complex numbers NaN."""
    try:
        return a / b
    except ZeroDivisionError:
        if isinstance(a, complex) or isinstance(b, complex):
            return complex(math.nan, math.nan)
        if not (a < 0 or a > 0):  # 0 or NaN
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    except OverflowError:
        return _exactly(operator.truediv, a, b)


def floordiv(a: Any, b: Any) -> Any:
    """a // b; NaN by zero."""
    try:
        return a // b
    except ZeroDivisionError:
        return math.nan
    except OverflowError:
        return _exactly(operator.floordiv, a, b)


def mod(a: Any, b: Any) -> Any:
    """a % b; NaN by zero."""
    try:
        return a % b
    except ZeroDivisionError:
        return math.nan
    except OverflowError:
        return _exactly(operator.mod, a, b)


def power(a: Any, b: Any) -> Any:
    """a ** b; inf where it overflows or a is 0 and b negative, with the sign that odd integer powers keep."""
    try:
        return a**b
    except (ZeroDivisionError, OverflowError):
        if isinstance(a, complex) or isinstance(b, complex):
            return complex(math.nan, math.nan)
        negative = math.copysign(1.0, a) < 0 and b % 2 == 1
        # |a| < 1 with a hugely negative exponent overflows, with a hugely positive one it would not have raised.
        tiny = abs(a) > 1 and b < 0
        return math.copysign(0.0 if tiny else math.inf, -1.0 if negative else 1.0)


def guarded(name: str, function: Function) -> Function:
    """`function` giving ±inf for an overflow and NaN outside its domain (log: -inf at 0)."""

    def safe(*args: Any) -> Any:
        try:
            return function(*args)
        except NoPartial:
            raise
        except OverflowError:
            return math.copysign(math.inf, args[0]) if name == "sinh" else math.inf
        except (ValueError, ZeroDivisionError):
            return -math.inf if name == "log" and args[0] == 0 else math.nan

    return safe
