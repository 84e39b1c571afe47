"""Rules of `scipy.signal`: convolutions of vectors, and linear filters.

A linear filter y = lfilter(b, a, x) is a convolution with a kernel that does not change, so that its adjoint is the same
filter run backwards: A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, 3rd edition 2010, section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal

from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule


def _convolve(in1: Any, in2: Any, mode: Any = "full", method: str = "auto") -> Any:
    if np.ndim(in1) != 1 or np.ndim(in2) != 1:
        raise NoPartial("its derivative for anything but vectors is not covered")
    if mode == "same" and np.shape(in1)[0] < np.shape(in2)[0]:
        raise NoPartial("its derivative with mode 'same' for a kernel longer than the signal is not covered")
    return np.convolve(in1, in2, mode)


def _fftconvolve(in1: Any, in2: Any, mode: Any = "full", axes: Any = None) -> Any:
    return _convolve(in1, in2, mode)


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "scipy.signal.convolve": _convolve,
    "scipy.signal.fftconvolve": _fftconvolve,
    "scipy.signal.oaconvolve": _fftconvolve,
}


def _check(zi: Any) -> None:
    if zi is not None:
        raise NoPartial("its derivative with a state zi is not covered")


def _late(response: Any, k: int, axis: int) -> Any:
    """A response k samples later, nothing before it."""
    moved = np.moveaxis(response, axis, -1)
    count = moved.shape[-1]
    late = np.concatenate([np.zeros((*moved.shape[:-1], min(k, count))), moved[..., : max(count - k, 0)]], axis=-1)
    return np.moveaxis(late, -1, axis)


def _by_b(b: Any, a: Any, x: Any, axis: int) -> list[Any]:
    """dy/db[k]: the input through the poles alone, k samples later."""
    response = scipy.signal.lfilter([1.0], a, x, axis=axis)
    return [_late(response, k, axis) for k in range(np.size(b))]


def _by_a(a: Any, z: Any, axis: int) -> list[Any]:
    """dy/da[k]: minus the output through the poles alone, k samples later."""
    response = -scipy.signal.lfilter([1.0], a, z, axis=axis)
    return [_late(response, k, axis) for k in range(np.size(a))]


def _gathered(delta: Any, slopes: list[Any], operand: Any) -> Any:
    return np.reshape([np.sum(delta * slope) for slope in slopes], np.shape(operand))


def _pull_b(delta: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    return _gathered(delta, _by_b(b, a, x, axis), b)


def _pull_a(delta: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    return _gathered(delta, _by_a(a, z, axis), a)


def _pull_x(delta: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    backwards = np.flip(np.broadcast_to(delta, np.shape(z)), axis)
    return np.flip(scipy.signal.lfilter(b, a, backwards, axis=axis), axis)


def _summed(tangent: Any, slopes: list[Any]) -> Any:
    return sum(change * slope for change, slope in zip(np.ravel(tangent), slopes, strict=True))


def _push_b(tangent: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    return _summed(tangent, _by_b(b, a, x, axis))


def _push_a(tangent: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    return _summed(tangent, _by_a(a, z, axis))


def _push_x(tangent: Any, z: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    _check(zi)
    return scipy.signal.lfilter(b, a, tangent, axis=axis)


_FILTER = FunctionRule(
    "scipy.signal.lfilter", [_pull_b, _pull_a, _pull_x], [_push_b, _push_a, _push_x],
    texts=["pull_lfilter(Δ)", "pull_lfilter(Δ)", "lfilter backwards(Δ)"],
)  # fmt: skip
TABLE: dict[str, Rule] = {_FILTER.op: _FILTER}
