"""Kinds of numbers: is a value finite, what is its spacing, how far is it from another. Scalars and arrays alike."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.numeric import plain_values

#: Formats by name of type: bits of the significand (with the leading one), smallest exponent, largest exponent.
FORMATS = {"float16": (11, -14, 15), "float32": (24, -126, 127), "float64": (53, -1022, 1023)}


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format: IEEE 754, section 3.3."""

    name: str
    precision: int  #: bits of the significand, the leading one included
    smallest: int  #: exponent of the smallest normal number
    largest: int  #: exponent of the largest number

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return math.ldexp(1.0, self.smallest)

    @property
    def huge(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - math.ldexp(1.0, 1 - self.precision), self.largest)

    def ulp(self, value: float) -> float:
        """The spacing of the format's numbers at `value`; of its largest numbers for what overflows."""
        if math.isnan(value):
            return value
        exponent = math.frexp(min(abs(value), self.huge))[1] - 1 if value else self.smallest
        return math.ldexp(1.0, max(exponent, self.smallest) - self.precision + 1)


_FORMATS = {name: Format(name, *row) for name, row in FORMATS.items()}
DOUBLE = _FORMATS["float64"]


def format_of(value: Any) -> Format | None:
    """The floating-point format of a value, by its own type; None for what is no binary float of up to 64 bits."""
    if type(value) is float:
        return DOUBLE
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        name = {"complex64": "float32", "complex128": "float64"}.get(str(dtype), str(dtype))
        return _FORMATS.get(name)
    return DOUBLE if isinstance(value, (float, complex)) else None


def is_number(value: Any) -> bool:
    """Whether a value is a lone real number that a binary format or Python's integers hold."""
    return isinstance(value, (int, float, np.integer, np.floating, np.bool_)) and not isinstance(value, np.longdouble)


def is_array(value: Any) -> bool:
    """Whether a value is an array of more than no dimensions, or of none, but no scalar."""
    return isinstance(value, np.ndarray)


def nonfinite(value: Any) -> Any:
    """Where a value is NaN or infinite: a bool, or for an array one per element."""
    if isinstance(value, (float, complex)) and not isinstance(value, np.generic):
        return value - value != 0
    if isinstance(value, (tuple, list)):
        return any(np.any(nonfinite(item)) for item in value)
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("f", "c"):
        with np.errstate(invalid="ignore"):
            mask = ~np.isfinite(value)
        return mask if isinstance(value, np.ndarray) else bool(mask)
    finite = getattr(value, "is_finite", None)  # Decimal
    return callable(finite) and not finite()


def any_nonfinite(value: Any) -> bool:
    """Whether any element is NaN or infinite."""
    return bool(np.any(nonfinite(value)))


def any_nan(value: Any) -> bool:
    """Whether any element is NaN."""
    if isinstance(value, np.ndarray) and value.dtype.kind in ("f", "c"):
        return bool(np.isnan(value).any())
    if isinstance(value, (tuple, list)):
        return any(any_nan(item) for item in value)
    is_nan = getattr(value, "is_nan", None)
    if callable(is_nan):
        return bool(is_nan())
    return isinstance(value, (float, complex, np.floating)) and bool(np.isnan(value))


def is_infinite(value: Any) -> bool:
    """Whether a lone number is infinite."""
    return bool(nonfinite(value)) and not any_nan(value)


def any_nonzero(value: Any) -> bool:
    """Whether any element is not 0."""
    return bool(np.any(np.asarray(value) != 0))


def ordinal(value: float, form: Format = DOUBLE) -> int:
    """The number of a float in the order of all floats of its format, 0 for zero: neighbours differ by 1.

    >>> ordinal(0.0), ordinal(5e-324), ordinal(-5e-324), ordinal(1 + 2**-52) - ordinal(1.0)
    (0, 1, -1, 1)
    """
    letter, count = {53: ("d", "q"), 24: ("f", "i"), 11: ("e", "h")}[form.precision]
    bits: int = struct.unpack("<" + count, struct.pack("<" + letter, value))[0]
    return bits if bits >= 0 else -(bits & ((1 << (8 * struct.calcsize(count) - 1)) - 1))


def bits_between(value: float, truth: float, form: Format = DOUBLE) -> float:
    """How many of the last bits are wrong: log2 of 1 + the number of floats from one to the other.

    0 for the same number, 1 for neighbours, 53 for something of another magnitude, up to 64. Two NaNs are the same; NaN
    and a number are as far apart as can be. This is the measure of Herbie (P. Panchekha et al., PLDI 2015, section 4.1).

    >>> bits_between(1.0, 1.0), bits_between(1.0, 1 + 2**-52)
    (0.0, 1.0)
    """
    if math.isnan(value) or math.isnan(truth):
        return 0.0 if math.isnan(value) and math.isnan(truth) else float(_width(form))
    return math.log2(1 + abs(ordinal(value, form) - ordinal(truth, form)))


def _width(form: Format) -> int:
    return {53: 64, 24: 32, 11: 16}[form.precision]


@dataclass(frozen=True, slots=True)
class Vectors:
    """A trace's lone numbers as arrays, for passes over a million of them; what is no lone number is NaN."""

    value: np.ndarray[Any, np.dtype[np.float64]]
    is_float: np.ndarray[Any, np.dtype[np.bool_]]  #: a double
    is_scalar: np.ndarray[Any, np.dtype[np.bool_]]  #: a double or an integer that a double holds exactly


def vectors(values: Sequence[Any]) -> Vectors:
    """Doubles and exact integers of a column as arrays."""
    column, plain = plain_values(values)
    is_float = ~np.isnan(column) if plain is None else plain.copy()
    # What is a whole number, or NaN, may be of another type.
    unsure = np.flatnonzero((column == np.rint(column)) | np.isnan(column)).tolist()
    types = [type(values[node]) for node in unsure]
    is_float[unsure] = [kind is float for kind in types]
    is_scalar = is_float.copy()
    is_scalar[unsure] |= np.array([kind is int for kind in types], np.bool_) & (np.abs(column[unsure]) <= _EXACT)
    return Vectors(np.where(is_scalar, column, np.nan), is_float, is_scalar)


_EXACT = 2.0**53


def size_of(value: Any) -> float:
    """The greatest absolute value in a number or array; 0.0 in an empty one, inf where it does not fit a float."""
    if type(value) is float:
        return abs(value)
    if np.ndim(value):
        return float(np.max(np.abs(value))) if np.size(value) else 0.0
    try:
        return float(abs(value))
    except OverflowError:
        return math.inf


def ratio(x: Any, y: Any) -> Any:
    """|x / y| of numbers of any kind, decimals with floats too, or of arrays."""
    return np.abs(np.asarray(x, dtype=complex) / np.asarray(y, dtype=complex))
