"""How much each operation rounds: half a unit in the last place of its own format, or what is known of its algorithm.

Integer arithmetic and what only moves, selects or negates numbers rounds nothing. What an addition, multiplication,
division or square root of doubles has rounded away is known exactly, by error-free transformations (N. J. Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 4.3; M. Pichat and J. Vignes, "Ingénierie du
contrôle de la précision des calculs sur ordinateur", 1993), and where long doubles have more bits, what a function of
`math` has, by calling it on those: twice that is charged, and at most half a unit in the last place, which is charged
where neither is to be had.
"""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

import numpy as np

from visual_debug import rules
from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.systems import UFUNCS, base_name
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
            bound = _actual(base, z, [vectors.value[x] for x in xs], bound)
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
    half = largest / 2  # the spacing of the largest numbers overflows on the way
    return np.where(size > half, 2 * np.spacing(half), np.spacing(np.where(size > half, half, size))).astype(np.float64)


def _actual(base: str, z: Floats, xs: list[Floats], bound: Any) -> Any:
    """Twice |what the operation has rounded away|, at most `bound`; `bound` itself where it cannot be told."""
    with np.errstate(all="ignore"):
        if base in ("add", "sub"):
            x, y = xs[0], xs[1] if base == "add" else -xs[1]
            part = z - x
            found = (x - (z - part)) + (y - part)
        elif base in ("mul", "square"):
            found = np.where(_splits(z, xs), _product_error(xs[0], xs[-1], z), bound)
            found = np.where((xs[0] == 0) | (xs[-1] == 0), 0.0, found)
        elif base in ("truediv", "reciprocal", "sqrt"):
            factor, whole = (z, xs[0]) if base == "sqrt" else (xs[-1], xs[0] if base == "truediv" else np.ones_like(z))
            product = z * factor
            rest = (whole - product) + _product_error(z, factor, product) * -1.0
            found = np.where(_splits(product, [z, factor]), rest / (2 * z if base == "sqrt" else factor), bound)
            found = np.where(whole == 0, 0.0, found)
        elif base == "float":
            found = z - xs[0]
        else:
            found = _by_long_doubles(base, z, xs, bound)
        # Twice, and a little more than half a unit: what is of second order shall not break the bound.
        return np.fmin(np.where(np.isfinite(found), 2 * np.abs(found), bound), bound) * (1 + 2.0**-20)


def _product_error(x: Floats, y: Floats, z: Floats) -> Floats:
    """x*y - z exactly, for z = fl(x*y): Dekker's product."""
    (a, b), (c, d) = ((part, v - part) for v, part in ((x, _split(x)), (y, _split(y))))
    return ((a * c - z) + a * d + b * c) + b * d


def _splits(z: Floats, xs: list[Floats]) -> Any:
    """Where numbers are neither so large nor so small that the halves of their products overflow or get lost."""
    good = (np.abs(z) > 1e-270) & (np.abs(z) < 1e290)
    for x in xs:
        good &= np.abs(x) < 1e290
    return good


_LONG = np.finfo(np.longdouble)
_HAS_LONG = _LONG.nmant > 60
#: Names of functions that NumPy has for long doubles, as ufuncs.
_FUNCTIONS = {**UFUNCS, "pow": "power"}


def _by_long_doubles(base: str, z: Floats, xs: list[Floats], bound: Any) -> Any:
    """The error of a function by calling it on long doubles, and what those may be off by."""
    if not _HAS_LONG or base not in _FUNCTIONS or (base == "log" and len(xs) == 2):
        return bound
    longer = getattr(np, _FUNCTIONS[base])(*[x.astype(np.longdouble) for x in xs])
    return (np.abs(longer - z) + 4 * _LONG.eps * np.abs(longer)).astype(np.float64)


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
        exact = np.asarray(args[0]) == np.asarray(z, dtype=np.float64)
        return _shaped(np.where(exact, 0.0, 0.5 * ulps(z)), is_array)
    if base in _KNOWN and (op == base or not op.startswith("numpy.linalg")):
        bound = (0.5 if base in _CORRECT else _ULPS.get(base, 1.0)) * ulps(z)
        if form is numbers.DOUBLE and not kwargs and not np.iscomplexobj(z) and len(args) <= 2 and _are_doubles(args):
            bound = np.asarray(bound, dtype=np.float64)
            shape = bound.shape
            xs = [np.broadcast_to(np.asarray(a, dtype=np.float64), shape).ravel() for a in args]
            bound = _actual(base, np.asarray(z, dtype=np.float64).ravel(), xs, bound.ravel()).reshape(shape)
        return _shaped(bound, is_array)
    found = _reduction(op, z, args, kwargs)
    return None if found is None else _shaped(found, is_array)


def _are_doubles(args: tuple[Any, ...]) -> bool:
    """Whether all arguments are doubles, or ints or narrower floats that doubles hold exactly."""
    for value in args:
        if isinstance(value, (int, np.integer)):
            if abs(int(value)) > 2**53:
                return False
        elif numbers.format_of(value) is None and getattr(getattr(value, "dtype", None), "kind", "") not in (
            "b",
            "i",
            "u",
        ):
            return False
    return True


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
        a = _wide(args[0])
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
        a, b = np.abs(_wide(args[0])), np.abs(_wide(args[1]))
        terms = (np.shape(a)[-1] if np.ndim(a) else 1) + 2 * any(
            map(np.iscomplexobj, args)
        )  # a product of those: two more
        product: Any = {"numpy.inner": np.inner, "numpy.vdot": np.vdot, "numpy.dot": np.dot}.get(op, np.matmul)
        return terms * u * product(a, b)
    if op in ("numpy.linalg.solve", "numpy.linalg.inv"):
        a = _wide(args[0])
        if a.ndim != 2:
            return None
        right = np.eye(len(a)) if op == "numpy.linalg.inv" else _wide(args[1])
        return _residual_bound(a, _wide(z), right)
    if op in ("numpy.linalg.norm", "math.dist"):
        return (np.size(args[0]) / 2 + 1) * 2 * u * np.abs(z)
    if op in ("numpy.var", "numpy.std"):
        return (_pairwise_depth(np.size(args[0])) * 2 + 4) * u * np.abs(z)
    return None


def _wide(value: Any) -> Any:
    """Numbers as doubles, or as complex numbers of doubles."""
    return np.asarray(value, dtype=np.complex128 if np.iscomplexobj(value) else np.float64)


def _pairwise_depth(terms: int) -> float:
    """Additions that a number goes through in NumPy's pairwise summation, which adds blocks of 128 in 8 rows."""
    return min(float(terms), 24.0 + math.log2(max(terms / 128, 1.0))) if terms > 1 else 0.0


def _residual_bound(a: Any, x: Any, b: Any) -> Any:
    """|A^-1| |b - Ax|, the error of a solution to first order, with the residual in extended precision.

    Source: N. J. Higham, section 7.4 and 12.1.
    """
    long = np.clongdouble if any(map(np.iscomplexobj, (a, x, b))) else np.longdouble
    terms = len(a) * float(np.finfo(np.longdouble).eps)
    residual = np.abs(b.astype(long) - a.astype(long) @ x.astype(long)).astype(np.float64)
    return np.abs(np.linalg.inv(a)) @ (residual + terms * np.abs(a) @ np.abs(x)) + 0.5 * ulps(x)
