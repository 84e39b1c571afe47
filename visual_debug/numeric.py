"""Values of a trace as a NumPy column, for what looks at all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Numbers = NDArray[np.int32]

#: Numbers that a float column can stand for.
PLAIN = frozenset({float, int, bool})
#: Values that are in the processor's cache together.
_PORTION = 2**13
_LARGEST = int(np.finfo(np.float64).max)


def plain_values(values: Sequence[Any]) -> tuple[Floats, Truths | None]:
    """The values as floats, shape (values,), and which of them are floats, ints or bools; None if all of them are.

    The others are NaN, and an int too large for a float is one of those. Other ints are rounded to the nearest float.
    """
    values = getattr(values, "forms", values)  # whatever an array holds, it is no plain number
    column = np.empty(len(values))
    for low in range(0, len(values), _PORTION):
        part = values[low : low + _PORTION]
        if not set(map(type, part)) <= PLAIN:
            break
        try:
            column[low : low + _PORTION] = np.fromiter(part, np.float64, len(part))
        except OverflowError:
            break
    else:
        return column, None
    plain = np.fromiter(map(_is_plain, values), np.bool_, len(values))
    nan = float("nan")
    numbers = (value if ok else nan for value, ok in zip(values, plain.tolist(), strict=True))
    return np.fromiter(numbers, np.float64, len(values)), plain


def _is_plain(value: Any) -> bool:
    return type(value) is float or (type(value) in PLAIN and -_LARGEST <= value <= _LARGEST)


def view(column: Any) -> Numbers:
    """A column of node numbers as an array that shares its memory; the column cannot grow while the array lives."""
    return np.frombuffer(column, np.int32) if len(column) else np.empty(0, np.int32)
