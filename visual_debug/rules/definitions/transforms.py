"""Fourier transforms: those of several axes and of real numbers by those of one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.definitions.registry import defines


def _sizes(a: Any, s: Any, axes: Any) -> list[tuple[Any, int]]:
    """The length (None: as it is) and the axis of each transform."""
    if axes is None:
        axes = range(-np.ndim(a), 0) if s is None else range(-len(s), 0)
    return list(zip([None] * len(axes) if s is None else s, axes, strict=True))


@defines("fft.fftn")
def _fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    for n, axis in reversed(_sizes(a, s, axes)):
        a = np.fft.fft(a, n, axis, norm)
    return a


@defines("fft.ifftn")
def _ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    for n, axis in reversed(_sizes(a, s, axes)):
        a = np.fft.ifft(a, n, axis, norm)
    return a


@defines("fft.fft2")
def _fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _fftn(a, s, axes, norm)


@defines("fft.ifft2")
def _ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _ifftn(a, s, axes, norm)


@defines("fft.rfft")
def _rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    whole = np.moveaxis(np.fft.fft(a, n, axis, norm), axis, -1)
    return np.moveaxis(whole[..., : np.shape(whole)[-1] // 2 + 1], -1, axis)


@defines("fft.irfft")
def _irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    half = np.moveaxis(a, axis, -1)
    n = 2 * (np.shape(half)[-1] - 1) if n is None else int(n)
    used = min(n // 2 + 1, np.shape(half)[-1])
    half = half[..., :used]
    if used < n // 2 + 1:
        half = np.pad(half, [(0, 0)] * (np.ndim(half) - 1) + [(0, n // 2 + 1 - used)])
    mirrored = np.conjugate(half[..., 1 : (n + 1) // 2])[..., ::-1]
    whole = np.concatenate([half, mirrored], axis=-1)
    return np.moveaxis(np.real(np.fft.ifft(whole, n, -1, norm)), -1, axis)


@defines("fft.rfftn")
def _rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    *others, (n, last) = _sizes(a, s, axes)
    a = _rfft(a, n, last, norm)
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm)
    return a


@defines("fft.irfftn")
def _irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    *others, (n, last) = _sizes(a, s, axes)
    for size, axis in others:
        a = np.fft.ifft(a, size, axis, norm)
    return _irfft(a, n, last, norm)


@defines("fft.rfft2")
def _rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _rfftn(a, s, axes, norm)


@defines("fft.irfft2")
def _irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _irfftn(a, s, axes, norm)


_OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


@defines("fft.hfft")
def _hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return _irfft(np.conjugate(a), n, axis, _OPPOSITE[norm])


@defines("fft.ihfft")
def _ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    return np.conjugate(_rfft(a, n, axis, _OPPOSITE[norm]))
