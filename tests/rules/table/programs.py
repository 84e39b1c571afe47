"""The texts of the table as functions."""

from __future__ import annotations

import ast
import math
import operator
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import scipy
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special

from tests.rules.table.operands import operands

_NAMES = {"np": np, "scipy": scipy, "math": math, "operator": operator}


def parameters(text: str) -> list[str]:
    """The operands that a text names before it gives the name another meaning."""
    tree = ast.parse(_definition(text, []))
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    known = operands()
    return list(dict.fromkeys(n.id for n in names if n.id in known and n.id not in bound))


def _definition(text: str, names: list[str]) -> str:
    body = text.replace("\\n", "\n")
    body = body if "return " in body else f"return {body}"
    return f"def f({', '.join(names)}):\n" + textwrap.indent(body, "    ")


def function(text: str) -> Callable[..., Any]:
    """The function whose body a text is."""
    names = dict(_NAMES)
    exec(compile(_definition(text, parameters(text)), f"<{text}>", "exec"), names)  # noqa: S102
    return names["f"]  # type: ignore[return-value]


def elsewhere(f: Any, numpy: Any) -> Callable[..., Any]:
    """The same function with another module for `np`."""
    return FunctionType(f.__code__, {**f.__globals__, "np": numpy}, f.__name__)


def arguments(text: str) -> list[Any]:
    """Fresh operands of a text."""
    fresh = operands()
    return [fresh[name] for name in parameters(text)]


def weights(z: Any) -> Any:
    """A seed for a result: no two elements alike."""
    return np.random.default_rng(0).normal(size=np.shape(z)) + 0.3 if np.ndim(z) else 1.0


def reference(f: Callable[..., Any], text: str, seed: Any) -> dict[str, Any]:
    """Derivatives of sum(seed * f) by central differences, extrapolated twice: error of order h**6.

    For complex numbers that by the real part minus i times that by the imaginary part.
    """
    found = {}
    for position, (name, value) in enumerate(zip(parameters(text), arguments(text), strict=True)):
        whole = np.asarray(value)
        gradient = np.zeros(whole.shape, complex if whole.dtype.kind == "c" else float)
        for place in np.ndindex(whole.shape):
            gradient[place] = _slope(f, text, seed, position, place, 1.0)
            if whole.dtype.kind == "c":
                gradient[place] -= 1j * _slope(f, text, seed, position, place, 1j)
        found[name] = gradient
    return found


def _slope(f: Callable[..., Any], text: str, seed: Any, position: int, place: Any, way: complex) -> float:
    def at(step: Any) -> float:
        args = arguments(text)
        moved = np.array(args[position])
        moved[place] += step * way
        args[position] = moved if isinstance(args[position], np.ndarray) else moved.item()
        return float(np.sum(seed * np.asarray(f(*args))))

    def central(h: float) -> float:
        return (at(h) - at(-h)) / (2 * h)

    h = 2.0**-9
    d1, d2, d3 = central(h), central(h / 2), central(h / 4)
    r1, r2 = (4 * d2 - d1) / 3, (4 * d3 - d2) / 3
    return (16 * r2 - r1) / 15
