"""What an operation has rounded away: the difference between a float and the exact result, itself a float.

The error of a sum, product, quotient or square root of doubles is told without any error by error-free transformations:
that of a sum by Knuth's TwoSum, that of a product by Dekker's, those of a quotient and of a root by their residuals
(N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, section 4.3; M. Pichat and J. Vignes,
Ingénierie du contrôle de la précision des calculs sur ordinateur, 1993; T. J. Dekker, Numer. Math. 18, 1971). Those of
functions are told by the function itself in long doubles, where these have more bits, and are as exact as those.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from visual_debug.diagnose.systems import UFUNCS
from visual_debug.numeric import Floats

#: Products beyond these are not split: their halves, or what is left of them, might overflow or get lost.
_LEAST, _MOST = 1e-270, 1e290
_LONG = np.finfo(np.longdouble)
#: Whether long doubles tell what a function of doubles has rounded away.
HAS_LONG = _LONG.nmant > 60
#: What functions of long doubles may be off by themselves, relatively.
UNSURE = 4 * float(_LONG.eps)
_FUNCTIONS = {**UFUNCS, "pow": "power", "logaddexp": "logaddexp"}
#: Functions with integers among their results otherwise than at 0 and 1; every other one is transcendental there.
_ALGEBRAIC = frozenset({"pow", "exp2", "log2", "log10", "hypot", "cbrt"})
_SMALL = 2.0**20
#: A power is another operation for these exponents.
_POWERS = {2.0: "square", 1.0: "pos", -1.0: "reciprocal", 0.5: "sqrt"}


def residue(base: str, z: Floats, xs: list[Floats]) -> tuple[Floats, Any, bool]:
    """The error z - exact of an elementwise operation on doubles, or on narrower floats and integers given as doubles.

    Args:
        base: the operation, as `systems.base_name` has it.
        z: the results, shape (n,).
        xs: the operands, each of shape (n,).

    Returns:
        The errors, NaN where they cannot be told; where there is certainly none; and whether the errors are exact
        (else they are unsure by `UNSURE` times the result).

    """
    with np.errstate(all="ignore"):
        if base == "pow" and len(xs) == 2:
            return _power(z, *xs)
        error = _of_arithmetic(base, z, xs)
        if error is not None:
            error = np.where(np.isfinite(error), error, np.nan)
            return error, error == 0, True
        return _of_function(base, z, xs)


def exactly(base: str, z: Any, xs: tuple[Any, ...]) -> float | None:
    """The same of one operation on integers of any size and floats, by rational numbers; None for other operations."""
    try:
        x, *rest = map(_fraction, xs)
        if base == "float" and not rest:
            exact = x
        elif len(rest) != 1:
            return None
        elif base == "truediv":
            exact = x / rest[0]
        else:
            exact = {"add": x + rest[0], "sub": x - rest[0], "mul": x * rest[0]}[base]
        return float(_fraction(z) - exact)
    except (KeyError, ArithmeticError, ValueError, TypeError):
        return None


def _fraction(x: Any) -> Fraction:
    return Fraction(x.item() if isinstance(x, np.generic) else x)


def _of_arithmetic(base: str, z: Floats, xs: list[Floats]) -> Floats | None:
    """The error of what IEEE 754 defines; None of anything else."""
    x, y = xs[0], xs[-1]
    if base in ("add", "sub"):
        y = y if base == "add" else -y
        total = x + y
        part = total - x
        return (z - total) - ((x - (total - part)) + (y - part))
    if base in ("mul", "square"):
        product = x * y
        left = np.where(_splits(product, x, y), _product_residue(x, y, product), np.nan)
        return (z - product) - np.where((x == 0) | (y == 0), 0.0, left)
    if base in ("truediv", "reciprocal"):
        whole = x if base == "truediv" else np.ones_like(z)
        quotient = whole / y
        product = quotient * y
        rest = (whole - product) - _product_residue(quotient, y, product)
        left = np.where(_splits(product, quotient, y), rest / y, np.nan)
        return (z - quotient) - np.where(whole == 0, 0.0, left)
    if base == "sqrt":
        root = np.sqrt(x)
        product = root * root
        rest = (x - product) - _product_residue(root, root, product)
        left = np.where(_splits(product, root, root), rest / (2 * root), np.nan)
        return (z - root) - np.where(x == 0, 0.0, left)
    if base in ("float", "pos"):
        return z - x
    if base == "mod":
        return np.where(np.fmod(x, y) == z, 0.0, np.nan)
    return None


def _power(z: Floats, x: Floats, y: Floats) -> tuple[Floats, Any, bool]:
    """Powers that are other operations are told by those."""
    error, is_none, is_exact = _of_function("pow", z, [x, y])
    for exponent, base in _POWERS.items():
        at = y == exponent
        if at.any():
            told = _of_arithmetic(base, z[at], [x[at]])
            assert told is not None
            error[at] = np.where(np.isfinite(told), told, np.nan)
            is_none[at] = told == 0
    return error, is_none, is_exact


def _of_function(base: str, z: Floats, xs: list[Floats]) -> tuple[Floats, Any, bool]:
    none = np.zeros(np.shape(z), np.bool_)
    if not HAS_LONG or base not in _FUNCTIONS or (base == "log" and len(xs) == 2):
        return np.full(np.shape(z), np.nan), none, False
    longer = getattr(np, _FUNCTIONS[base])(*[x.astype(np.longdouble) for x in xs])
    error = (z - longer).astype(np.float64)
    # A function that is transcendental yields no float but at 0 and 1, whatever the digits that were computed.
    simple = np.logical_and.reduce([(x == 0) | (x == 1) for x in xs])
    if base in _ALGEBRAIC:
        simple |= np.logical_and.reduce([v == np.rint(v) for v in (z, *xs)]) & (np.abs(z) < _SMALL)
    return np.where(np.isfinite(error), error, np.nan), (error == 0) & simple, False


def _product_residue(x: Floats, y: Floats, product: Floats) -> Floats:
    """x*y - product exactly, for product = fl(x*y): Dekker's product."""
    a, c = _upper(x), _upper(y)
    b, d = x - a, y - c
    return ((a * c - product) + a * d + b * c) + b * d


def _upper(x: Floats) -> Floats:
    """The upper half of a double's bits: Veltkamp's splitting."""
    scaled = 134217729.0 * x
    return scaled - (scaled - x)


def _splits(product: Floats, x: Floats, y: Floats) -> Any:
    """Where a product can be split."""
    return (np.abs(product) > _LEAST) & (np.abs(product) < _MOST) & (np.abs(x) < _MOST) & (np.abs(y) < _MOST)


def of_complex(base: str, z: Any, xs: list[Any]) -> Any:
    """The error of an elementwise operation on complex numbers, NaN where it cannot be told; None of other operations."""
    arithmetic = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide}
    function = arithmetic.get(base) or getattr(np, _FUNCTIONS.get(base, ""), None)
    if function is None or not HAS_LONG:
        return None
    with np.errstate(all="ignore"):
        try:
            longer = function(*[np.asarray(x).astype(np.clongdouble) for x in xs])
        except TypeError:
            return None
        error = np.asarray(z - longer).astype(np.complex128)
    return np.where(np.isfinite(error), error, np.nan)
