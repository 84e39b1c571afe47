"""What operations of `numpy.matrix` are as operations of arrays, which is what rules compute with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from visual_debug.rules.base import MissingPartial

#: Operators that are products of matrices, and powers of one.
_PRODUCTS = frozenset({"mul", "imul"})
_POWERS = frozenset({"pow", "ipow"})


def is_special(value: Any) -> bool:
    """Whether a value is an array whose operators are not those of arrays: a matrix, or one with a mask."""
    name = type(value).__name__
    return (name == "matrix" or name == "MaskedArray") and type(value).__module__.partition(".")[0] == "numpy"


def as_of_arrays(op: str, z: Any, args: Sequence[Any]) -> tuple[str, Any, tuple[Any, ...]]:
    """Operation, result and arguments without matrices. Raises MissingPartial for what cannot be said so."""
    if not is_special(z) and not any(map(is_special, args)):
        return op, z, tuple(args)
    import numpy as np

    if any(type(value).__name__ == "MaskedArray" for value in (z, *args)):
        raise MissingPartial(
            op, 0, "what is masked has no derivative here: use numpy.where, or where=… of the function"
        )
    plain = tuple(np.asarray(arg) if is_special(arg) else arg for arg in args)
    if op in _PRODUCTS:
        if any(np.ndim(arg) == 1 for arg in plain):
            raise MissingPartial(op, 0, "it is a product of a matrix and a vector: use arrays, and @")
        op = "numpy.dot"
    elif op in _POWERS:
        op = "numpy.linalg.matrix_power"
    return op, np.asarray(z) if is_special(z) else z, plain
