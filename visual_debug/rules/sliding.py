"""Rules of sums over shifted places: convolution, the discrete Fourier transform, counts with weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule


def _full(delta: Any, a: Any, v: Any, mode: str) -> Any:
    """The adjoint of a convolution as that of all its places."""
    sizes = np.shape(a)[0], np.shape(v)[0]
    whole = np.zeros(sum(sizes) - 1, np.result_type(delta, np.float64))
    letter = str(mode)[:1].lower()
    start = 0 if letter == "f" else min(sizes) - 1 if letter == "v" else (min(sizes) - 1) // 2
    whole[start : start + np.size(delta)] = delta
    return whole


def pull_convolve_a(delta: Any, z: Any, a: Any, v: Any, mode: str = "full") -> Any:
    return np.convolve(_full(np.broadcast_to(delta, np.shape(z)), a, v, mode), np.asarray(v)[::-1], "valid")


def pull_convolve_v(delta: Any, z: Any, a: Any, v: Any, mode: str = "full") -> Any:
    return pull_convolve_a(delta, z, v, a, mode)


def _fourier_pull(transform: Any) -> Any:
    def pull(delta: Any, z: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        """The transform's matrix is symmetric, so the adjoint is the transform again; what was cut off gets 0."""
        count = np.shape(a)[axis]
        found = np.moveaxis(transform(np.broadcast_to(delta, np.shape(z)), None, axis, norm), axis, -1)[..., :count]
        missing = count - found.shape[-1]
        return np.moveaxis(np.pad(found, [(0, 0)] * (found.ndim - 1) + [(0, missing)]), -1, axis)

    return pull


def _fourier_push(transform: Any) -> Any:
    def push(tangent: Any, z: Any, a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        return transform(tangent, n, axis, norm)

    return push


def pull_bincount_x(delta: Any, z: Any, x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    return np.zeros(np.shape(x))


def pull_bincount_weights(delta: Any, z: Any, x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    return np.broadcast_to(delta, np.shape(z))[np.asarray(x)]


def push_bincount_weights(tangent: Any, z: Any, x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    return np.bincount(x, tangent, minlength)


def _bessel(order: int) -> Any:
    try:
        from scipy import special
    except ImportError:
        raise NoPartial("its derivative is the Bessel function I1, which needs SciPy: pip install scipy") from None
    return (special.i0, special.i1)[order]


def pull_i0(delta: Any, z: Any, x: Any) -> Any:
    return np.asarray(delta) * _bessel(1)(x)


def push_i0(tangent: Any, z: Any, x: Any) -> Any:
    return np.asarray(tangent) * _bessel(1)(x)


def _strided_places(x: Any, shape: Any = None, strides: Any = None, subok: bool = False, *_: Any, **__: Any) -> Any:
    """For every element of `as_strided` its place in the memory of x."""
    if not (x.flags.c_contiguous or x.flags.f_contiguous):
        raise NoPartial("its derivative for an array that has gaps is not covered")
    strides = x.strides if strides is None else strides
    total: Any = np.zeros((1,) * len(shape := np.atleast_1d(x.shape if shape is None else shape)), np.intp)
    for axis, (count, stride) in enumerate(zip(shape, strides, strict=True)):
        total = total + np.expand_dims(np.arange(count) * stride, [i for i in range(len(shape)) if i != axis])
    if np.any(total % x.itemsize) or np.any(total < 0) or np.any(total >= x.nbytes):
        raise NoPartial("it shows elements of another array, or parts of elements")
    return total // x.itemsize


def pull_as_strided(delta: Any, z: Any, x: Any, *how: Any, **more: Any) -> Any:
    places = _strided_places(x, *how, **more)
    total = np.zeros(x.size, np.result_type(delta, np.float64))
    np.add.at(total, places, np.broadcast_to(delta, places.shape))
    return total.reshape(x.shape, order="C" if x.flags.c_contiguous else "F")


def push_as_strided(tangent: Any, z: Any, x: Any, *how: Any, **more: Any) -> Any:
    return np.ravel(tangent, "C" if x.flags.c_contiguous else "F")[_strided_places(x, *how, **more)]


_RULES = (
    FunctionRule("numpy.lib.stride_tricks.as_strided", [pull_as_strided], [push_as_strided], texts=["sum of windows(Δ)"],
                 symbol="as_strided"),
    FunctionRule(
        "numpy.convolve", [pull_convolve_a, pull_convolve_v],
        [lambda t, z, a, v, mode="full": np.convolve(t, v, mode), lambda t, z, a, v, mode="full": np.convolve(a, t, mode)],
        texts=["correlate(Δ, y)", "correlate(Δ, x)"],
    ),
    FunctionRule("numpy.fft.fft", [_fourier_pull(np.fft.fft)], [_fourier_push(np.fft.fft)], texts=["fft(Δ)"]),
    FunctionRule("numpy.fft.ifft", [_fourier_pull(np.fft.ifft)], [_fourier_push(np.fft.ifft)], texts=["ifft(Δ)"]),
    FunctionRule("numpy.bincount", [pull_bincount_x, pull_bincount_weights],
                 [lambda t, z, *rest, **more: np.zeros(np.shape(z)), push_bincount_weights], texts=["0", "Δ[x]"]),
    FunctionRule("numpy.i0", [pull_i0], [push_i0], texts=["Δ*i1(x)"]),
)  # fmt: skip
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
