"""Operations by name over numbers of any system, and over NumPy arrays of them."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from visual_debug.diagnose.systems import COMPARISONS, Arithmetic, base_name
from visual_debug.rules.names import canonical

Function = Callable[..., Any]

#: NumPy functions that move elements about, or add and multiply them: they work on arrays of any numbers.
_MOVING = """
    reshape transpose ravel concatenate stack vstack hstack dstack column_stack squeeze expand_dims broadcast_to repeat
    tile flip fliplr flipud roll take diagonal diag trace tril triu moveaxis swapaxes copy array asarray asanyarray
    atleast_1d atleast_2d append delete insert split pad sum prod cumsum cumprod dot matmul inner outer vdot tensordot
    kron max min argmax argmin sort diff where compress rot90 full_like zeros_like ones_like ascontiguousarray meshgrid
    shape ndim size fill_diagonal cross
"""
_STRUCTURAL = frozenset(_MOVING.split())
_KEEP_OUT = ("dtype", "out", "casting", "order", "subok")


def elementwise(function: Function) -> Function:
    """A function of numbers over arrays of them."""

    def apply(*args: Any) -> Any:
        for x in args:
            if isinstance(x, (np.ndarray, list)):
                break
        else:
            return function(*args)
        return np.frompyfunc(lambda *xs: function(*map(_plain, xs)), len(args), 1)(*args)

    return apply


def _plain(x: Any) -> Any:
    return int(x) if isinstance(x, np.integer) else x


def function(op: str, arithmetic: Arithmetic) -> Function:
    """What an operation's name means for the numbers of a system. Raises NotImplementedError for an unknown name."""
    op = canonical(op)
    base = base_name(op)
    if op == "numpy.round":
        return elementwise(lambda x, decimals=0: arithmetic.lifted(arithmetic.round(x, decimals)))
    if base in COMPARISONS:
        return _truths(arithmetic.table[base])
    if op in ("numpy.floor", "numpy.ceil", "numpy.trunc", "numpy.rint"):
        return elementwise(lambda x: arithmetic.lifted(arithmetic.table[base](x)))
    native = arithmetic.system.dtype is not object
    if base in arithmetic.table:
        scalar = arithmetic.table[base]
        if native and op.startswith("numpy."):
            return _native(op, scalar)
        return elementwise(scalar)
    special = _special(op, arithmetic)
    if special is not None:
        return special
    name = op.removeprefix("numpy.")
    if op.startswith("numpy.") and name in _STRUCTURAL:
        return _structural(getattr(np, name))
    raise NotImplementedError("this operation is not known for other numbers")


def _native(op: str, scalar: Function) -> Function:
    ufunc = getattr(np, op.removeprefix("numpy."), None)

    def apply(*args: Any, **kwargs: Any) -> Any:
        if ufunc is not None and any(isinstance(x, np.ndarray) for x in args):
            return ufunc(*args, **_allowed(kwargs))
        return scalar(*args)

    return apply


def _truths(compare: Function) -> Function:
    """A comparison: True, False, or None where it is neither for certain; of arrays one per element."""

    def one(*args: Any) -> bool | None:
        found = compare(*args)
        if found is None or isinstance(found, bool):
            return found
        try:
            return bool(found)
        except TypeError:  # a relation between symbols
            return None

    return elementwise(one)


def _allowed(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key not in _KEEP_OUT}


def _structural(numpy_function: Function) -> Function:
    def apply(*args: Any, **kwargs: Any) -> Any:
        return numpy_function(*args, **_allowed(kwargs))

    return apply


def _special(op: str, arithmetic: Arithmetic) -> Function | None:
    """Operations that are neither elementwise nor NumPy's own on any numbers."""
    add, mul = elementwise(arithmetic.table["add"]), elementwise(arithmetic.table["mul"])
    divide = elementwise(arithmetic.truediv)

    def total(*xs: Any, start: Any = 0) -> Any:
        for x in items(xs):
            start = add(start, x)
        return start

    def product(*xs: Any, start: Any = 1) -> Any:
        for x in items(xs):
            start = mul(start, x)
        return start

    def extreme(name: str) -> Function:
        choose = arithmetic.table[name]

        def apply(*xs: Any) -> Any:
            return reduce(choose, items(xs))

        return apply

    def mean(a: Any, axis: Any = None, **kwargs: Any) -> Any:
        whole = np.sum(a, axis=axis, **_allowed(kwargs))
        return divide(whole, np.size(a) // max(np.size(whole), 1))

    def var(a: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, **kwargs: Any) -> Any:
        distance = a - mean(a, axis=axis, keepdims=True)
        squares = np.sum(distance * distance, axis=axis, keepdims=keepdims)
        return divide(squares, np.size(a) // max(np.size(squares), 1) - ddof)

    def largest(name: str) -> Function:
        if arithmetic.system.dtype is not object:
            return np.max if name == "maximum" else np.min
        choose = np.frompyfunc(arithmetic.table[name], 2, 1)

        def apply(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
            return choose.reduce(np.asarray(a, dtype=object), axis=axis, keepdims=keepdims)

        return apply

    sqrt = elementwise(arithmetic.table["sqrt"])

    def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
        if ord not in (None, 2) or (ord == 2 and np.ndim(x) != 1):
            raise NotImplementedError(f"the norm of order {ord!r} is not known for other numbers")
        return sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))

    def getitem(container: Any, index: Any) -> Any:
        return container[index]

    def setitem(container: Any, index: Any, value: Any) -> Any:
        changed = container.copy()
        changed[index] = value
        return changed

    def clip(x: Any, low: Any = None, high: Any = None, **kwargs: Any) -> Any:
        low, high = kwargs.get("a_min", kwargs.get("min", low)), kwargs.get("a_max", kwargs.get("max", high))
        x = x if low is None else elementwise(arithmetic.table["maximum"])(x, low)
        return x if high is None else elementwise(arithmetic.table["minimum"])(x, high)

    def same(x: Any, *rest: Any, **kwargs: Any) -> Any:
        return elementwise(arithmetic.lifted)(x)

    def einsum(text: str, *arrays: Any, **kwargs: Any) -> Any:
        return np.einsum(text, *arrays, optimize=False)

    known: dict[str, Function] = {
        "sum": total, "math.fsum": total, "math.prod": product, "numpy.mean": mean, "numpy.var": var,
        "numpy.std": lambda *args, **kwargs: sqrt(var(*args, **kwargs)), "numpy.linalg.norm": norm, "max": extreme("maximum"),
        "min": extreme("minimum"), "numpy.max": largest("maximum"), "numpy.min": largest("minimum"),
        "getitem": getitem, "setitem": setitem, "numpy.clip": clip, "numpy.astype": same,
        "numpy.float64": same, "numpy.float32": same, "numpy.float16": same, "numpy.longdouble": same,
        "matmul": operator.matmul, "imatmul": operator.matmul, "numpy.linalg.solve": lambda a, b: solve(a, b, divide),
        "numpy.linalg.inv": lambda a: solve(a, np.array([[int(i == j) for j in range(len(a))] for i in range(len(a))],
                                                        dtype=object), divide),
        "numpy.linalg.det": lambda a: determinant(a, divide), "numpy.einsum": einsum,
        "numpy.add.reduce": lambda a, axis=0, **kwargs: np.sum(a, axis=axis, **_allowed(kwargs)),
        "numpy.item": lambda a, *index: a.item(*index) if isinstance(a, np.ndarray) else a,
        "math.dist": lambda p, q: sqrt(total(mul(x - y, x - y) for x, y in zip(p, q, strict=True))),
        "math.sumprod": lambda p, q: total(mul(x, y) for x, y in zip(p, q, strict=True)),
        "index": int,
    }  # fmt: skip
    return known.get(op)


def items(xs: tuple[Any, ...]) -> Any:
    """What a `sum` or `max` was called with: the items of one container, or the recorded items; a start comes first."""
    return [*xs[1:], *xs[0]] if len(xs) <= 2 and isinstance(xs[0], (list, tuple, np.ndarray)) else xs


def solve(a: Any, b: Any, divide: Function) -> Any:
    """The solution of a linear system by elimination with pivoting, for numbers of any kind.

    Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, algorithm 9.2.
    """
    a, x = np.array(a, dtype=object), np.array(b, dtype=object)
    if a.ndim != 2:
        raise NotImplementedError("stacks of matrices are not known for other numbers")
    n = len(a)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(a[i, k]))
        a[[k, pivot]], x[[k, pivot]] = a[[pivot, k]], x[[pivot, k]]
        for i in range(k + 1, n):
            factor = divide(a[i, k], a[k, k])
            a[i, k:] = a[i, k:] - factor * a[k, k:]
            x[i] = x[i] - factor * x[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            x[k] = x[k] - a[k, j] * x[j]
        x[k] = divide(x[k], a[k, k])
    return x


def determinant(a: Any, divide: Function) -> Any:
    """The determinant by elimination with pivoting."""
    a = np.array(a, dtype=object)
    n, value = len(a), 1
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(a[i, k]))
        if pivot != k:
            a[[k, pivot]] = a[[pivot, k]]
            value = -value
        value = value * a[k, k]
        for i in range(k + 1, n):
            a[i, k:] = a[i, k:] - divide(a[i, k], a[k, k]) * a[k, k:]
    return value


def exact_literal(text: str, value: Any) -> Fraction | int | None:
    """The rational number that a literal's source text says (`0.1`, `1/3`), if that is what was computed from it."""
    try:
        found = _exact(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if isinstance(value, (int, float)) and abs(Fraction(float(value)) - found) <= abs(found) * Fraction(1, 2**48):
        return found
    return None


def _exact(node: ast.expr, text: str) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()):
            return Fraction(ast.get_source_segment(text, node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_exact(operand, text)
        case ast.BinOp(left, ast.Add(), right):
            return _exact(left, text) + _exact(right, text)
        case ast.BinOp(left, ast.Sub(), right):
            return _exact(left, text) - _exact(right, text)
        case ast.BinOp(left, ast.Mult(), right):
            return _exact(left, text) * _exact(right, text)
        case ast.BinOp(left, ast.Div(), right):
            return _exact(left, text) / _exact(right, text)
    raise ValueError(f"{text} is no exact number")


def native(op: str) -> Function | None:
    """The very function that was called, to call it on other floats; None if it is not to be had by its name."""
    op = canonical(op)
    if op in _NATIVE:
        return _NATIVE[op]
    module, _, name = op.rpartition(".")
    if module in ("math", "cmath"):
        import importlib

        found: Function | None = getattr(importlib.import_module(module), name, None)
        return found
    if module in ("numpy", "numpy.linalg"):
        home: Any = np if module == "numpy" else np.linalg
        of_arrays: Function | None = getattr(home, name, None)
        return of_arrays
    if module == "scipy.special":
        import importlib

        special: Function | None = getattr(importlib.import_module(module), name, None)
        return special
    return None


_OPERATORS = "add sub mul truediv floordiv mod neg pos matmul pow"
_NATIVE: dict[str, Function] = {
    **{name: getattr(operator, name) for name in _OPERATORS.split()},
    **{f"i{name}": getattr(operator, name) for name in _OPERATORS.split() if hasattr(operator, f"i{name}")},
    **COMPARISONS,
    "pow": pow, "abs": abs, "sum": lambda *xs, start=0: sum(items(xs), start),
    "max": lambda *xs: max(items(xs)), "min": lambda *xs: min(items(xs)),
    "math.fsum": lambda *xs: math.fsum(items(xs)), "math.prod": lambda *xs, start=1: math.prod(items(xs), start=start),
    "divmod": divmod, "float": float, "int": int,
    "round": round, "getitem": operator.getitem,
}  # fmt: skip
