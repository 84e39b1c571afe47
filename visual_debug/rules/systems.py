"""Number systems: what the functions in formula texts mean for floats, complex numbers, decimals, mpmath and arrays.

One formula text is compiled once per system. NumPy and mpmath are imported only when one of their numbers turns up.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

from visual_debug.rules import safe
from visual_debug.rules.base import NoPartial
from visual_debug.rules.special import digamma

Namespace = dict[str, Any]


@dataclass(frozen=True)
class System:
    """A kind of number: the functions that formulas call, and how values are made ready for them."""

    name: str
    rank: int  #: of several operands the highest rank decides
    functions: Callable[[], Namespace]
    prepare: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None
    context: Callable[[], AbstractContextManager[Any]] | None = None

    def namespace(self, *, careful: bool) -> Namespace:
        """Names for a compiled formula; `careful` ones give inf or NaN where Python raises."""
        names = self.functions()
        if careful:
            names = {key: safe.guarded(key, f) if callable(f) else f for key, f in names.items()}
            names.update(powx=_careful_powx, powy=_careful_powy(names["log"]), over=_careful_over)
        return names


def _sign(x: Any) -> Any:
    """-1, 0 or 1, and NaN for NaN: the derivative of abs(x); for complex numbers by their two parts."""
    if isinstance(x, complex):
        return x.conjugate() / abs(x) if x != 0 else 0
    return int(x > 0) - int(x < 0) if x == 0 or x < 0 or x > 0 else x


def _over(x: Any, z: Any) -> Any:
    """x / z, the partial of a Euclidean norm z; 0 at the origin, as for abs."""
    return x / z if z != 0 else 0


def _careful_over(x: Any, z: Any) -> Any:
    return safe.div(x, z) if z != 0 else 0


def _powx(x: Any, y: Any) -> Any:
    """d(x**y)/dx: exactly 0 for exponent 0 and 1 for exponent 1, whatever x is."""
    if y == 0 or y == 1:
        return int(y == 1)
    return y * x ** (y - 1)


def _careful_powx(x: Any, y: Any) -> Any:
    return safe.mul(y, safe.power(x, safe.sub(y, 1)))


def _powy(log: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """d(x**y)/dy, given the system's logarithm."""

    def powy(z: Any, x: Any, y: Any) -> Any:
        if isinstance(z, complex):
            return z * cmath.log(x) if x != 0 else _zero_base(y.real if isinstance(y, complex) else y)
        if x < 0:
            raise NoPartial("a power of a negative base is not a real function of the exponent")
        return z * log(x) if x != 0 else _zero_base(y)

    return powy


def _careful_powy(log: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda z, x, y: safe.mul(z, log(x)) if x != 0 else _zero_base(y)


def _zero_base(y: Any) -> Any:
    """d(0**y)/dy: 0 for y > 0; at y = 0 the power drops from 1 to 0, so -inf."""
    return 0 if y > 0 else -math.inf


_MATH = ("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "trunc", "floor")
_CMATH = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")


@cache
def _plain() -> Namespace:
    names = {name: getattr(math, name) for name in _MATH}
    more = {"pi": math.pi, "inf": math.inf, "hypot": math.hypot, "copysign": math.copysign, "round": round, "abs": abs}
    own = {"sign": _sign, "over": _over, "powx": _powx, "powy": _powy(math.log), "digamma": digamma}
    rest = {"maximum": max, "minimum": min, "where": lambda test, a, b: a if test else b}
    return {**names, **more, **own, **rest}


@cache
def _complex() -> Namespace:
    names = {name: getattr(cmath, name) for name in _CMATH}
    more = {"hypot": lambda a, b: cmath.sqrt(a * a + b * b), "powy": _powy(cmath.log)}
    return {**_plain(), **names, **more}


@cache
def _decimal() -> Namespace:
    def method(name: str, other: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: getattr(x, name)() if hasattr(x, name) else other(x)

    log = method("ln", math.log)
    return {
        **_plain(),
        "log": log,
        "exp": method("exp", math.exp),
        "sqrt": method("sqrt", math.sqrt),
        "powy": _powy(log),
    }


def _decimal_only(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A decimal result keeps the decimals; a float one (math.sin of a decimal) is differentiated in floats."""
    if _is_decimal(values[0]):
        return tuple(type(values[0])(v) if type(v) is int else v for v in values)
    return tuple(float(v) if _is_decimal(v) else v for v in values)


def _is_decimal(value: Any) -> bool:
    return type(value).__module__ in {"decimal", "_decimal", "_pydecimal"}


def _decimal_context() -> AbstractContextManager[Any]:
    import decimal

    return decimal.localcontext(decimal.Context(prec=decimal.getcontext().prec, traps=[]))


@cache
def _mpmath() -> Namespace:
    import mpmath

    names = {
        name: getattr(mpmath, name) for name in _CMATH + ("log1p", "expm1", "floor", "hypot", "pi", "inf", "digamma")
    }
    more = {"round": mpmath.nint, "trunc": lambda x: mpmath.sign(x) * mpmath.floor(abs(x)), "powy": _powy(mpmath.log)}
    return {**_plain(), **names, **more, "copysign": lambda x, y: abs(x) * (1 if y >= 0 else -1)}


def _arrays() -> Namespace:
    from visual_debug.rules import columnwise

    return columnwise.NAMESPACE


def _lifted(values: tuple[Any, ...]) -> tuple[Any, ...]:
    from visual_debug.rules import columnwise

    return columnwise.lift(values)


def _quiet() -> AbstractContextManager[Any]:
    import numpy as np

    return np.errstate(all="ignore")


PLAIN = System("plain", 0, _plain)
DECIMAL = System("decimal", 1, _decimal, _decimal_only, _decimal_context)
COMPLEX = System("complex", 2, _complex)
MPMATH = System("mpmath", 3, _mpmath)
ARRAY = System("array", 4, _arrays, _lifted, _quiet)

_BY_TYPE: dict[type, System] = {float: PLAIN, int: PLAIN, bool: PLAIN, complex: COMPLEX, type(None): PLAIN}


def _classify(kind: type) -> System:
    if hasattr(kind, "__array_ufunc__") or issubclass(kind, (list, tuple)):
        system = ARRAY
    elif issubclass(kind, complex):
        system = COMPLEX
    elif kind.__module__.startswith("mpmath"):
        system = MPMATH
    else:
        system = DECIMAL if kind.__name__ == "Decimal" else PLAIN
    _BY_TYPE[kind] = system
    return system


def system_of(values: Iterable[Any]) -> System:
    """The number system in which an operation on these values is differentiated."""
    best = PLAIN
    for value in values:
        kind = type(value)
        system = _BY_TYPE.get(kind) or _classify(kind)
        if system.rank > best.rank:
            best = system
    return best
