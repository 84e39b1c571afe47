"""How much each operation rounds: half a unit in the last place of its own format, or what is known of its algorithm.

Integer arithmetic and what only moves, selects or negates numbers rounds nothing, and neither does an addition,
multiplication, division or square root that is exact for its operands: that is checked by error-free transformations
(N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 4.3).
"""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import numpy as np

from visual_debug import rules
from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.systems import base_name
from visual_debug.rules.names import canonical

Floats = np.ndarray[Any, np.dtype[np.float64]]

#: Operations whose result is one of the numbers that they got, or its negative.
_MOVING = """
    input const neg pos abs getitem setitem max min maximum minimum copysign where reshape ravel transpose concatenate
    stack vstack hstack squeeze expand_dims broadcast_to repeat tile flip roll take diagonal diag tril triu moveaxis
    swapaxes copy sort clip floor ceil trunc rint int bool item ldexp array asarray negative positive absolute fmod
    split atleast_1d atleast_2d append argmax argmin real imag conjugate frexp modf sorted reversed nextafter
    zeros_like ones_like full_like index remainder
"""
EXACT = frozenset(_MOVING.split())
#: Functions that IEEE 754 and every C library round correctly.
_CORRECT = frozenset(
    {"add", "sub", "mul", "truediv", "sqrt", "float", "fma", "square", "reciprocal", "fsum", "radians"}
)
#: Units in the last place that others may be off by (the GNU C library's manual, "Known Maximum Errors", rounded up).
_ULPS = {"gamma": 10.0, "lgamma": 10.0, "digamma": 10.0, "erfc": 5.0, "sinh": 2.0, "cosh": 2.0, "tanh": 2.0, "asinh": 2.0,
         "acosh": 2.0, "atanh": 2.0, "degrees": 1.0, "hypot": 1.0}  # fmt: skip
_COMPENSATED_SUM = sys.version_info >= (3, 12)


class Roundoff(NamedTuple):
    """Bounds of what operations add, one per node; of an array one per element. What has no bound is in `unknown`."""

    scalar: Floats  #: of lone numbers, 0 elsewhere
    arrays: dict[int, Any]
    unknown: list[int]


def roundoffs(columns: Columns, needed: Any = None) -> Roundoff:
    """What every operation may add, by columns where values are doubles. `needed` marks the nodes that matter."""
    count = len(columns)
    result = np.zeros(count)
    arrays: dict[int, Any] = {}
    unknown: list[int] = []
    vectors = numbers.vectors(columns.value)
    groups: dict[tuple[str, int], list[int]] = {}
    slow: list[int] = []
    start, op, calls = columns.start, columns.op, columns.calls
    marked = needed if needed is not None else b"\1" * count
    is_float = vectors.is_float.tolist()
    for node, name in enumerate(op):
        if not marked[node] or name in ("input", "const"):
            continue
        arity = start[node + 1] - start[node]
        if is_float[node] and node not in calls and arity <= 2:
            groups.setdefault((name, arity), []).append(node)
        else:
            slow.append(node)
    operand = np.asarray(columns.operand, dtype=np.int64)
    begin = np.asarray(columns.start, dtype=np.int64)
    with np.errstate(all="ignore"):
        for (name, arity), nodes in groups.items():
            base = base_name(canonical(name))
            if base in EXACT:
                continue
            if base not in _KNOWN:
                slow += nodes
                continue
            at = np.asarray(nodes)
            xs = [operand[begin[at] + k] for k in range(arity)]
            if not all(vectors.is_scalar[x].all() for x in xs):
                slow += nodes
                continue
            z = vectors.value[at]
            factor = 0.5 if base in _CORRECT else _ULPS.get(base, 1.0)
            bound = factor * ulps(z)
            bound[_is_exact(base, z, [vectors.value[x] for x in xs])] = 0.0
            result[at] = bound
    for node in slow:
        found = _slowly(columns, node)
        if found is None:
            unknown.append(node)
        elif isinstance(found, np.ndarray):
            arrays[node] = found
        else:
            result[node] = found
    return Roundoff(result, arrays, sorted(unknown))


#: Elementwise functions with a bound.
_NAMES = """
    add sub mul truediv sqrt pow exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh
    asinh acosh atanh hypot cbrt erf erfc gamma lgamma degrees radians mod fma float square reciprocal floordiv
    expit logit logaddexp fsum digamma gammaln
"""
_KNOWN = frozenset(_NAMES.split())


def ulps(z: Any) -> Any:
    """The spacing of doubles, or of the array's own floats, at z; finite at infinity and NaN."""
    z = np.asarray(z)
    if z.dtype.kind == "c":
        return np.hypot(ulps(z.real), ulps(z.imag))
    size = np.abs(z)
    largest = np.finfo(z.dtype).max
    # Just below a power of two: a result that was rounded up to it came from the finer spacing, which is smaller.
    return np.spacing(np.where(size > largest, largest, size)).astype(np.float64)


def _is_exact(base: str, z: Floats, xs: list[Floats]) -> Any:
    """Where the operation was exact, by error-free transformations; False where that cannot be told."""
    if base in ("add", "sub"):
        x, y = xs[0], xs[1] if base == "add" else -xs[1]
        part = z - x
        return (x - (z - part)) + (y - part) == 0
    if base in ("mul", "square"):
        x, y = xs[0], xs[-1]
        high = _split(x), _split(y)
        low = x - high[0], y - high[1]
        error = ((high[0] * high[1] - z) + high[0] * low[1] + low[0] * high[1]) + low[0] * low[1]
        return (error == 0) & (np.abs(z) > 1e-280) & (np.abs(z) < 1e290) | (x == 0) | (y == 0)
    if base in ("truediv", "reciprocal", "sqrt"):
        product = (z, z, xs[0]) if base == "sqrt" else (z, xs[-1], xs[0] if base == "truediv" else np.ones_like(z))
        a, b, c = product
        return (a * b == c) & _is_exact("mul", a * b, [a, b])
    if base == "pow":
        x, y = xs
        return (y == 1) | (y == 0) | ((y == 2) & _is_exact("mul", z, [x, x]))
    return np.isin(base, ["float"]) | np.zeros(len(z), dtype=bool)


def _split(x: Floats) -> Floats:
    """The upper half of a double's bits (T. J. Dekker, 1971)."""
    scaled = 134217729.0 * x
    return scaled - (scaled - x)


def _slowly(columns: Columns, node: int) -> Any:
    """The bound of one operation by itself; None if it is not known."""
    z = columns.value[node]
    form = numbers.format_of(z)
    if isinstance(z, (bool, int, np.integer, np.bool_)) or (isinstance(z, np.ndarray) and z.dtype.kind in "biu"):
        return 0.0
    op = canonical(columns.op[node])
    base = base_name(op)
    if form is None:
        return None if isinstance(z, np.ndarray) or rules.find(op) is None else 0.0 if base in EXACT else None
    if base in EXACT or op == "opaque":
        return 0.0 if op != "opaque" else None
    args, kwargs, _ = columns.arguments(node)
    is_array = isinstance(z, np.ndarray)
    if op in ("numpy.float16", "numpy.float32", "numpy.float64", "numpy.astype"):
        given = numbers.format_of(args[0])
        return 0.0 if given is not None and given.precision <= form.precision else _shaped(0.5 * ulps(z), is_array)
    if base in _KNOWN and (op == base or not op.startswith("numpy.linalg")):
        bound = (0.5 if base in _CORRECT else _ULPS.get(base, 1.0)) * ulps(z)
        if all(numbers.format_of(a) in (None, numbers.DOUBLE) for a in args) and not kwargs and not np.iscomplexobj(z):
            with np.errstate(all="ignore"):
                xs = [np.broadcast_to(np.asarray(a, dtype=np.float64), np.shape(z)).ravel() for a in args]
                if len(xs) <= 2:
                    exact = _is_exact(base, np.asarray(z, dtype=np.float64).ravel(), xs).reshape(np.shape(z))
                    bound = np.where(exact, 0.0, bound)
        return _shaped(bound, is_array)
    found = _reduction(op, z, args, kwargs)
    return None if found is None else _shaped(found, is_array)


def _shaped(bound: Any, is_array: bool) -> Any:
    return np.asarray(bound) if is_array else float(np.asarray(bound).reshape(-1)[0])


def _reduction(op: str, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sums and products of many numbers: n u sum|x|, Higham's bounds of chapters 3 and 4."""
    form = numbers.format_of(z)
    assert form is not None
    u = math.ldexp(1.0, -form.precision)
    if op in ("sum", "math.fsum"):
        start = (args[1],) if len(args) > 1 else ()
        xs = (
            [float(x) for x in (*start, *args[0])]
            if args and isinstance(args[0], (list, tuple))
            else [float(a) for a in np.ravel(args).tolist()]
        )
        if op == "math.fsum" or _COMPENSATED_SUM:
            return ulps(z) + len(xs) * u * u * math.fsum(map(abs, xs))
        partial = np.cumsum(np.asarray(xs))
        return 0.5 * float(np.sum(ulps(partial[1:]))) if len(xs) > 1 else 0.0
    if op in ("numpy.sum", "numpy.mean", "numpy.add.reduce", "numpy.cumsum"):
        a = np.asarray(args[0], dtype=np.float64)
        axis = kwargs.get("axis", args[1] if len(args) > 1 else (0 if op == "numpy.add.reduce" else None))
        total = np.sum(np.abs(a), axis=axis, keepdims=bool(kwargs.get("keepdims", False)))
        terms = a.size // max(np.size(total), 1)
        if op == "numpy.cumsum":
            return np.reshape(np.cumsum(np.abs(a), axis=axis), np.shape(z)) * u * terms
        bound = u * _pairwise_depth(terms) * total
        return bound / terms + 0.5 * ulps(z) if op == "numpy.mean" else bound
    if op in ("numpy.prod", "math.prod"):
        return np.size(args[0]) * u * np.abs(z)
    if op in ("matmul", "imatmul", "numpy.matmul", "numpy.dot", "numpy.inner", "numpy.vdot"):
        a, b = np.abs(np.asarray(args[0], dtype=np.float64)), np.abs(np.asarray(args[1], dtype=np.float64))
        terms = np.shape(a)[-1] if np.ndim(a) else 1
        product: Any = {"numpy.inner": np.inner, "numpy.vdot": np.vdot, "numpy.dot": np.dot}.get(op, np.matmul)
        return terms * u * product(a, b)
    if op in ("numpy.linalg.solve", "numpy.linalg.inv"):
        a = np.asarray(args[0], dtype=np.float64)
        if a.ndim != 2:
            return None
        right = np.eye(len(a)) if op == "numpy.linalg.inv" else np.asarray(args[1], dtype=np.float64)
        return _residual_bound(a, np.asarray(z, dtype=np.float64), right)
    if op in ("numpy.linalg.norm", "math.dist"):
        return (np.size(args[0]) / 2 + 1) * 2 * u * np.abs(z)
    if op in ("numpy.var", "numpy.std"):
        return (_pairwise_depth(np.size(args[0])) * 2 + 4) * u * np.abs(z)
    return None


def _pairwise_depth(terms: int) -> float:
    """Additions that a number goes through in NumPy's pairwise summation, which adds blocks of 128 in 8 rows."""
    return min(float(terms), 24.0 + math.log2(max(terms / 128, 1.0))) if terms > 1 else 0.0


def _residual_bound(a: Any, x: Any, b: Any) -> Any:
    """|A^-1| |b - Ax|, the error of a solution to first order, with the residual in extended precision.

    Source: N. J. Higham, section 7.4 and 12.1.
    """
    long = np.longdouble
    terms = len(a) * float(np.finfo(long).eps)
    residual = np.abs(b.astype(long) - a.astype(long) @ x.astype(long)).astype(np.float64)
    return np.abs(np.linalg.inv(a)) @ (residual + terms * np.abs(a) @ np.abs(x)) + 0.5 * ulps(x)
