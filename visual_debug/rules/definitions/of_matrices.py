"""Methods of `numpy.matrix`, whose results keep two dimensions, as operations of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.definitions.registry import defines

_METHODS = "matrixlib.defmatrix.matrix"


def _reduction(name: str) -> None:
    function: Callable[..., Any] = getattr(np, name)

    @defines(f"{_METHODS}.{name}")
    def _reduced(self: Any, axis: Any = None, *rest: Any, **how: Any) -> Any:
        return function(self, axis, *rest, **how) if axis is None else function(self, axis, *rest, keepdims=True, **how)


for _name in ("sum", "mean", "prod", "max", "min", "ptp", "std", "var"):
    _reduction(_name)


@defines(f"{_METHODS}.getA", f"{_METHODS}.A")
def _array(self: Any) -> Any:
    return np.multiply(self, 1)


@defines(f"{_METHODS}.getA1", f"{_METHODS}.A1")
def _flat(self: Any) -> Any:
    return np.ravel(self)


@defines(f"{_METHODS}.flatten", f"{_METHODS}.ravel")
def _row(self: Any, order: Any = "C") -> Any:
    return np.reshape(np.ravel(self, order), (1, -1))


@defines(f"{_METHODS}.getT", f"{_METHODS}.T")
def _transposed(self: Any) -> Any:
    return np.transpose(self)


@defines(f"{_METHODS}.getH", f"{_METHODS}.H")
def _adjoint(self: Any) -> Any:
    return np.conjugate(np.transpose(self))
