"""Rules of SciPy's Fourier and cosine transforms; imported only once one of them was called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft

from visual_debug.rules.base import Rule
from visual_debug.rules.functions import FunctionRule


def _as_of_numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same transform with SciPy's parameters: also those that say how it is to be computed."""

    def transform(x: Any, n: Any = None, axis: Any = None, norm: Any = None, *_: Any, **how: Any) -> Any:
        sizes = how.get("s", n)
        axes = how.get("axes", axis)
        given = {} if axes is None else {"axes" if function.__name__ in _SEVERAL else "axis": axes}
        return function(x, sizes, norm=norm, **given)

    return transform


_ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
_SEVERAL = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]
DEFINITIONS: dict[str, Callable[..., Any]] = {
    **{f"scipy.fft.{name}": _as_of_numpy(getattr(np.fft, name)) for name in (*_ONE, *_SEVERAL)},
    "scipy.fft.fftshift": lambda x, axes=None: np.fft.fftshift(x, axes),
    "scipy.fft.ifftshift": lambda x, axes=None: np.fft.ifftshift(x, axes),
}


def _transposed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The pull of a linear transform of one axis: its matrix, which is that of the unit vectors, transposed."""

    def pull(delta: Any, z: Any, x: Any, type: int = 2, n: Any = None, axis: int = -1, *rest: Any, **how: Any) -> Any:
        matrix = function(np.eye(np.shape(x)[axis]), type, n, 0, *rest, **how)
        return np.moveaxis(np.moveaxis(np.broadcast_to(delta, np.shape(z)), axis, -1) @ matrix, -1, axis)

    return pull


def _linear(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda tangent, z, x, *rest, **how: function(tangent, *rest, **how)


TABLE: dict[str, Rule] = {
    f"scipy.fft.{name}": FunctionRule(
        f"scipy.fft.{name}", [_transposed(getattr(scipy.fft, name))], [_linear(getattr(scipy.fft, name))],
        texts=[f"{name} transposed(Δ)"], names=("x",),
    )
    for name in ("dct", "idct", "dst", "idst")
}  # fmt: skip
