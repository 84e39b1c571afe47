"""How much each operation can have rounded: half a unit in the last place of its own format, nothing where it is exact.

Integer arithmetic and what only moves, selects or negates numbers rounds nothing; whether an addition, multiplication,
division or square root was exact is decided by error-free transformations (`residues`), and so is that of powers and
other functions at the few places where they are. An operation that is not correctly rounded, such as a function of the C
library or a sum of an array, is charged what it is found to have rounded away, if that is more than half a unit: by
long doubles where they have more bits, else by the bound that is known of its algorithm.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from visual_debug import rules
from visual_debug.columns import Call, Columns
from visual_debug.diagnose import lifted, numbers, residues
from visual_debug.diagnose.systems import base_name
from visual_debug.numeric import view
from visual_debug.rules.names import canonical

#: Operations whose result is one of the numbers that they got, or its negative.
_MOVING = """
    input const neg pos abs getitem setitem max min maximum minimum copysign where reshape ravel transpose concatenate
    stack vstack hstack squeeze expand_dims broadcast_to repeat tile flip roll take diagonal diag tril triu moveaxis
    swapaxes copy sort clip floor ceil trunc rint int bool item ldexp array asarray negative positive absolute fmod
    split atleast_1d atleast_2d append argmax argmin real imag conjugate frexp modf sorted reversed nextafter
    zeros_like ones_like full_like index remainder complex
"""
EXACT = frozenset(_MOVING.split())
#: Functions that IEEE 754 and every C library round correctly.
_CORRECT = frozenset({"add", "sub", "mul", "truediv", "sqrt", "float", "fma", "square", "reciprocal", "fsum"})
#: Units in the last place that others may be off by (the GNU C library's manual, "Known Maximum Errors", rounded up).
_ULPS = {"gamma": 10.0, "lgamma": 10.0, "digamma": 10.0, "erfc": 5.0, "sinh": 2.0, "cosh": 2.0, "tanh": 2.0, "asinh": 2.0,
         "acosh": 2.0, "atanh": 2.0, "degrees": 1.0, "hypot": 1.0}  # fmt: skip
_COMPENSATED_SUM = sys.version_info >= (3, 12)


class Rounded(NamedTuple):
    """What one operation, or each of many, rounds; of an array each field is one, of many operations a column."""

    charge: Any  #: bound of the error that is added: 0 where there is none, else at least half a unit in the last place
    plain: Any  #: the bound without a look at the operands: half a unit in the last place, or that of an algorithm
    actual: Any  #: the error itself, value - exact operation on the recorded operands; NaN where it is not known
    unsure: Any  #: how far that may be off


class Roundoff(NamedTuple):
    """What operations add."""

    scalar: Rounded  #: columns: of lone numbers, 0 elsewhere
    arrays: dict[int, Rounded]  #: and of lone complex numbers
    unknown: list[int]  #: operations without a bound


def roundoffs(columns: Columns, needed: Any = None) -> Roundoff:
    """What every operation may add, by columns where values are doubles. `needed` marks the nodes that matter."""
    count = len(columns)
    result = Rounded(*(np.zeros(count) for _ in Rounded._fields))
    arrays: dict[int, Rounded] = {}
    unknown: list[int] = []
    vectors = numbers.vectors(columns.value)
    slow: list[int] = []
    with np.errstate(all="ignore"):
        for name, arity, group in _groups(columns, needed):
            base = base_name(canonical(name))
            nodes = group[vectors.is_float[group] | ~vectors.is_scalar[group]]  # integers round nothing
            if base in EXACT and arity:
                slow += nodes[~vectors.is_float[nodes]].tolist()
                continue
            if base not in _KNOWN:
                slow += nodes.tolist()
                continue
            for at, xs in _operands(columns, vectors, nodes, arity, slow):
                rounded = _elementwise(base, vectors.value[at], xs)
                for column, part in zip(result, rounded, strict=True):
                    column[at] = part
        for node in slow:
            found = _slowly(columns, node)
            if found is None:
                unknown.append(node)
            elif isinstance(columns.value[node], np.ndarray) or np.iscomplexobj(found.actual):
                shape = np.shape(columns.value[node])
                arrays[node] = Rounded(*(np.broadcast_to(part, shape) for part in found))
            else:
                for column, part in zip(result, found, strict=True):
                    column[node] = np.ravel(part)[0]
    return Roundoff(result, arrays, sorted(unknown))


def _operands(
    columns: Columns, vectors: numbers.Vectors, nodes: Any, arity: int, slow: list[int]
) -> Iterator[tuple[Any, list[Any]]]:
    """Operations on one or two lone numbers, and columns of these; the others are added to `slow`."""
    operand, begin = view(columns.operand), view(columns.start)
    lone = vectors.is_float[nodes]
    for k in range(arity):
        lone &= vectors.is_scalar[operand[begin[nodes] + k]]
    slow += nodes[~lone].tolist()
    nodes = nodes[lone]
    forms: dict[Any, Any] = {_PLAIN[arity]: nodes} if arity in _PLAIN else {None: nodes}
    if columns.calls:
        forms, known, calls = {}, {}, columns.calls
        for node in nodes.tolist():
            key = id(calls.get(node))  # calls are shared by the turns of a loop
            if key not in known:
                known[key] = forms.setdefault(_form(calls.get(node), arity), [])
            known[key].append(node)
    for form, some in forms.items():
        at = np.asarray(some, np.int64)
        if form is None or not len(at):
            slow += at.tolist()
            continue
        where, literals = form
        xs = [np.full(len(at), np.nan if literal is None else literal, np.float64) for literal in literals]
        for position, k in enumerate(where):
            xs[k] = vectors.value[operand[begin[at] + position]]
        yield at, xs


#: The form of operations that are no more than `op(*operands)`, by the number of these.
_PLAIN: dict[int, Any] = {1: ((0,), (None,)), 2: ((0, 1), (None, None))}


def _form(call: Call | None, arity: int) -> Any:
    """Where the operands stand among one or two arguments, and the others; None for any other call."""
    if call is None:
        return _PLAIN.get(arity)
    literals = tuple(None if k in call.where else arg for k, arg in enumerate(call.args))
    others = tuple(arg for arg in literals if arg is not None)
    is_lone = all(type(arg) in (float, int) for arg in others) and all(type(k) is int for k in call.where)
    if call.kwargs or not 0 < len(literals) <= 2 or not is_lone or not _are_doubles(others):
        return None
    return call.where, literals


def _groups(columns: Columns, needed: Any) -> Iterator[tuple[str, int, Any]]:
    """The marked operations by name and number of operands."""
    marked = np.ones(len(columns), np.bool_) if needed is None else np.frombuffer(needed, np.bool_)
    begin = view(columns.start)
    names: dict[str, int] = {}
    by_kind = np.array([names.setdefault(op, len(names)) for op in columns.op.entries] or [0], np.int32)
    key = np.minimum(begin[1:] - begin[:-1], 3) * len(names) + by_kind[view(columns.kind)]
    leaves = [names[op] for op in ("input", "const") if op in names]
    marked = marked & ~np.isin(by_kind[view(columns.kind)], leaves)
    ops = list(names)
    nodes = np.flatnonzero(marked)
    order = nodes[np.argsort(key[nodes], kind="stable")]
    ends = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(order, ends) if len(order) else ():
        arity, op = divmod(int(key[group[0]]), len(names))
        yield ops[op], arity, group


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


def _elementwise(base: str, z: Any, xs: list[Any], spacing: Any = None) -> Rounded:
    """What an elementwise operation rounds.

    Args:
        base: the operation, with a bound.
        z: the results, doubles, or narrower floats given as doubles.
        xs: the operands, each broadcast to the results.
        spacing: units in the last place of the results; by default that of doubles.

    """
    spacing = ulps(z) if spacing is None else spacing
    error, is_none, is_exact = residues.residue(base, z, xs)
    half = 0.5 * spacing
    unsure = np.where(is_none | is_exact, 0.0, residues.UNSURE * np.abs(z))
    charge = np.where(np.isnan(error), _units(base, len(xs)) * spacing, np.maximum(half, np.abs(error) + unsure))
    return Rounded(np.where(is_none, 0.0, charge), half, error, unsure)


def _units(base: str, arity: int) -> float:
    """Units in the last place that an operation may be off by."""
    if base == "log" and arity == 2:
        return 2.5  # a quotient of two logarithms
    return 0.5 if base in _CORRECT else _ULPS.get(base, 1.0)


def _complex(base: str, z: Any, xs: list[Any]) -> Rounded | None:
    """What an elementwise operation on complex numbers rounds, by absolute value; None without a bound.

    A product is within sqrt(5) units of roundoff (R. Brent, C. Percival and P. Zimmermann, Math. Comp. 76, 2007).
    """
    size = np.abs(np.asarray(z))
    u = 0.5 * float(np.finfo(np.asarray(z).dtype).eps)
    half = 0.5 * ulps(z)
    error = residues.of_complex(base, z, xs)
    if error is None:
        bound = half if base in ("add", "sub") else math.sqrt(5) * u * size if base == "mul" else None
        return None if bound is None else Rounded(bound, half, np.full(np.shape(z), np.nan), 0.0)
    unsure = residues.UNSURE * size
    charge = np.maximum(half, np.abs(error) + unsure)
    charge = np.where((error == 0) & (base in ("add", "sub")), 0.0, charge)
    return Rounded(np.where(np.isnan(error), math.sqrt(5) * 2 * u * size, charge), half, error, unsure)


#: What rounds nothing.
_NOTHING = Rounded(0.0, 0.0, 0.0, 0.0)


def _slowly(columns: Columns, node: int) -> Rounded | None:
    """The bound of one operation by itself; None if it is not known."""
    z = columns.value[node]
    form = numbers.format_of(z)
    whole = isinstance(z, (bool, int, np.integer, np.bool_, Fraction))
    if whole or (isinstance(z, np.ndarray) and z.dtype.kind in "biu"):
        return _NOTHING
    op = canonical(columns.op[node])
    base = base_name(op)
    if form is None:
        return None if isinstance(z, np.ndarray) or rules.find(op) is None or base not in EXACT else _NOTHING
    if base in EXACT or op == "opaque":
        return _NOTHING if op != "opaque" else None
    args, kwargs, _ = columns.arguments(node)
    if op in ("numpy.float16", "numpy.float32", "numpy.float64", "numpy.astype"):
        base, args, kwargs = "float", args[:1], {}
    is_whole = base == "fsum" and isinstance(args[0], np.ndarray)
    if base not in _KNOWN or op.startswith("numpy.linalg") or is_whole:
        return _reduction(op, z, args, kwargs)
    if np.iscomplexobj(z):
        return _complex(base, z, list(args)) if not kwargs else None
    spacing = ulps(z)
    if kwargs or len(args) > 2 or not _are_doubles(args):
        error = residues.exactly(base, z, args)
        half = 0.5 * spacing
        if error is None:
            if any(isinstance(value, (int, np.integer)) and not _is_double(int(value)) for value in args):
                return None  # rounded to a double on the way in, which may change the result by anything
            return Rounded(_units(base, len(args)) * spacing, half, np.nan, 0.0)
        return Rounded(max(float(half), abs(error)) if error else 0.0, half, error, 0.0)
    shape = np.shape(spacing)
    xs = [np.broadcast_to(np.asarray(a, dtype=np.float64), shape).ravel() for a in args]
    found = _elementwise(base, np.asarray(z, dtype=np.float64).ravel(), xs, spacing.ravel())
    return Rounded(*(part.reshape(shape) for part in found))


def _are_doubles(args: tuple[Any, ...]) -> bool:
    """Whether all arguments are doubles, or ints or narrower floats that doubles hold exactly."""
    for value in args:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if isinstance(value, (int, np.integer)):
            if not _is_double(int(value)):
                return False
        elif kind in ("b", "i", "u"):
            if np.size(value) and max(int(np.max(value)), -int(np.min(value))) > 2**53:
                return False
        elif numbers.format_of(value) is None or kind == "c":
            return False
    return True


def _is_double(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _reduction(op: str, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rounded | None:
    """What sums, products and solutions of arrays round: the bound, or by long doubles what it was."""
    bound = _bound(op, z, args, kwargs)
    if bound is None:
        return None
    error, unsure = _measured(op, z, args, kwargs)
    charge = np.fmin(bound, np.maximum(0.5 * ulps(z), np.abs(error) + unsure))
    return Rounded(np.where((error == 0) & (unsure == 0), 0.0, charge), bound, error, unsure)


def _measured(op: str, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The error of a sum or product over an array, and how unsure that is; NaN where it is not known."""
    if op in ("sum", "math.fsum"):
        try:
            return -math.fsum([*_terms(args, kwargs), -float(z)]), 0.0
        except (OverflowError, ValueError, TypeError):
            return np.nan, np.nan
    function = _MEASURED.get(op)
    if function is None or not residues.HAS_LONG or not set(kwargs) <= {"axis", "keepdims"} or len(args) > 2:
        return np.nan, np.nan
    a = np.asarray(args[0])
    if a.dtype.kind not in "fiu" or a.dtype == np.longdouble:
        return np.nan, np.nan
    with np.errstate(all="ignore"):
        long = function(a.astype(np.longdouble), *args[1:], **kwargs)
        size = function(np.abs(a).astype(np.float64), *args[1:], **kwargs)
        error = np.asarray(z - long).astype(np.float64)
        whole = (size < 1 / np.finfo(np.asarray(z).dtype).eps) & bool((a == np.rint(a)).all())
    return np.where(np.isfinite(error), error, np.nan), np.where(whole, 0.0, max(a.size, 1) * residues.UNSURE * size)


def _terms(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[float]:
    """The numbers that `sum`, `math.fsum` or `math.prod` was called with. Raises TypeError if they are arrays."""
    return [float(x) for x in (*([kwargs["start"]] if "start" in kwargs else ()), *lifted.items(args))]


_MEASURED: dict[str, Any] = {
    "numpy.sum": np.sum, "numpy.mean": np.mean, "numpy.add.reduce": np.add.reduce, "numpy.cumsum": np.cumsum,
    "numpy.prod": np.prod,
}  # fmt: skip


def _bound(op: str, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Sums and products of many numbers: n u sum|x|, Higham's bounds of chapters 3 and 4."""
    form = numbers.format_of(z)
    assert form is not None
    u = math.ldexp(1.0, -form.precision)
    if op in ("sum", "math.fsum"):
        if isinstance(z, np.ndarray) or np.iscomplexobj(z):
            each = [np.abs(np.asarray(x)).astype(np.float64) for x in (*lifted.items(args), *kwargs.values())]
            return len(each) * u * sum(each)
        xs = _terms(args, kwargs)
        plain = all(type(x) in (float, int) for x in lifted.items(args))  # NumPy's are added one by one
        if op == "math.fsum" or (_COMPENSATED_SUM and plain):
            return ulps(z) + len(xs) * u * u * math.fsum(map(abs, xs))
        if len(xs) < 2:
            return 0.0
        partial = np.cumsum(np.asarray(xs, dtype=form.name))  # in the format of the result
        _, is_none, _ = residues.residue(
            "add", partial[1:].astype(float), [partial[:-1].astype(float), np.array(xs[1:])]
        )
        return 0.5 * float(np.sum(np.where(is_none, 0.0, ulps(partial[1:]))))
    if op in ("numpy.sum", "numpy.mean", "numpy.add.reduce", "numpy.cumsum"):
        a = _wide(args[0])
        axis = kwargs.get("axis", args[1] if len(args) > 1 else (0 if op == "numpy.add.reduce" else None))
        total = np.sum(np.abs(a), axis=axis, keepdims=bool(kwargs.get("keepdims", False)))
        terms = a.size // max(np.size(total), 1)
        if op == "numpy.cumsum":
            return np.reshape(np.cumsum(np.abs(a), axis=axis), np.shape(z)) * u * terms
        bound = u * _pairwise_depth(terms) * total
        return bound / terms + 0.5 * ulps(z) if op == "numpy.mean" else bound
    if op == "math.prod":
        return len(_terms(args, kwargs)) * u * np.abs(z)
    if op == "numpy.prod":
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
