"""Products of sequences, and polynomials by their coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.definitions.registry import defines


@defines("kron")
def _kron(a: Any, b: Any) -> Any:
    count = max(np.ndim(a), np.ndim(b))
    shapes = [(1,) * (count - np.ndim(x)) + np.shape(x) for x in (a, b)]
    left = np.reshape(a, [n for size in shapes[0] for n in (size, 1)])
    right = np.reshape(b, [n for size in shapes[1] for n in (1, size)])
    return np.reshape(np.multiply(left, right), [m * n for m, n in zip(*shapes, strict=True)])


@defines("cross", "linalg.cross")
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (
        np.moveaxis(np.asarray(a) if isinstance(a, list) else a, axisa, -1),
        np.moveaxis(np.asarray(b) if isinstance(b, list) else b, axisb, -1),
    )
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise NoPartial("its derivative for vectors of two is not covered")
    one, two = ([v[..., i] for i in range(3)] for v in (a, b))
    parts = [one[i - 2] * two[i - 1] - one[i - 1] * two[i - 2] for i in range(3)]
    return np.moveaxis(np.stack(parts, axis=-1), -1, axisc)


@defines("vecdot", "linalg.vecdot")
def _vecdot(x1: Any, x2: Any, *, axis: int = -1, **kwargs: Any) -> Any:
    return np.sum(np.multiply(np.conjugate(x1), x2), axis=axis)


@defines("matvec")
def _matvec(x1: Any, x2: Any) -> Any:
    return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]


@defines("vecmat")
def _vecmat(x1: Any, x2: Any) -> Any:
    return np.matmul(np.expand_dims(np.conjugate(x1), -2), x2)[..., 0, :]


@defines("correlate")
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    if np.shape(v)[0] > np.shape(a)[0]:
        return np.conjugate(_correlate(v, a, mode))[::-1]
    return np.convolve(a, np.conjugate(v)[::-1], mode)


# ---- polynomials


@defines("vander")
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    powers = np.arange(np.shape(x)[0] if N is None else N)
    return np.power(x[:, None], powers if increasing else powers[::-1])


@defines("polyval")
def _polyval(p: Any, x: Any) -> Any:
    total: Any = np.multiply(x, 0.0)
    for i in range(len(p)):
        total = total * x + p[i]
    return total


@defines("polyfit")
def _polyfit(x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    if full or cov is not False or np.ndim(deg):
        raise NoPartial("its derivative with full, cov or a list of degrees is not covered")
    left = _vander(x, int(deg) + 1)
    if w is not None:
        left, y = left * w[:, None], np.multiply(y, w if np.ndim(y) == 1 else w[:, None])
    return np.linalg.lstsq(left, y, rcond=None)[0]


def _padded(p: Any, size: int) -> Any:
    return np.concatenate([np.zeros(size - np.shape(p)[0]), p])


@defines("polyadd")
def _polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
    size = max(np.shape(a1)[0], np.shape(a2)[0])
    return _padded(a1, size) + _padded(a2, size)


@defines("polysub")
def _polysub(a1: Any, a2: Any) -> Any:
    return _polyadd(a1, np.negative(a2))


@defines("polymul")
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(a1, a2)


@defines("polyder")
def _polyder(p: Any, m: int = 1) -> Any:
    for _ in range(m):
        p = p[:-1] * np.arange(np.shape(p)[0] - 1, 0, -1)
    return p


@defines("polyint")
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    constants = np.zeros(m) if k is None else np.broadcast_to(k, m)
    for i in range(m):
        p = np.concatenate([p / np.arange(np.shape(p)[0], 0, -1), constants[i : i + 1]])
    return p


@defines("poly")
def _poly(seq_of_zeros: Any) -> Any:
    if np.ndim(seq_of_zeros) == 2:
        whole = _poly(np.linalg.eigvals(seq_of_zeros))
        return whole if np.iscomplexobj(seq_of_zeros) else np.real(whole)
    found: Any = np.ones(1)
    for i in range(np.shape(seq_of_zeros)[0]):
        found = np.convolve(found, np.stack([np.ones(()), -seq_of_zeros[i]]))
    return found
