"""The functions of `numpy.polynomial`: series in powers and in orthogonal polynomials, lowest order first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.definitions.registry import defines

#: Of each basis P: its package, its short name, P_1 as the function of x, and (a, b, c) by k, where
#: P_k+1 = (a x + b) P_k - c P_k-1. Source: NIST Digital Library of Mathematical Functions, section 18.9.
_BASES: tuple[tuple[str, str, Callable[[Any], Any], Callable[[int], tuple[float, float, float]]], ...] = (
    ("polynomial", "poly", lambda x: x, lambda k: (1.0, 0.0, 0.0)),
    ("chebyshev", "cheb", lambda x: x, lambda k: (2.0, 0.0, 1.0)),
    ("legendre", "leg", lambda x: x, lambda k: ((2 * k + 1) / (k + 1), 0.0, k / (k + 1))),
    ("laguerre", "lag", lambda x: 1.0 - x, lambda k: (-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1))),
    ("hermite", "herm", lambda x: 2.0 * x, lambda k: (2.0, 0.0, 2.0 * k)),
    ("hermite_e", "herme", lambda x: x, lambda k: (1.0, 0.0, float(k))),
)


def _enter(package: str, short: str, first: Any, recurrence: Any) -> None:
    def terms(x: Any, count: int) -> list[Any]:
        found = [np.ones(np.shape(x)), first(x)]
        for k in range(1, count - 1):
            a, b, c = recurrence(k)
            found.append((a * x + b) * found[k] - c * found[k - 1])
        return found[:count]

    @defines(f"polynomial.{package}.{short}val")
    def _value(x: Any, c: Any, tensor: bool = True) -> Any:
        if tensor and np.ndim(x):
            c = np.reshape(c, np.shape(c) + (1,) * np.ndim(x))
        total: Any = 0.0
        for k, term in enumerate(terms(x, np.shape(c)[0])):
            total = total + c[k] * term
        return total

    @defines(f"polynomial.{package}.{short}vander")
    def _vandermonde(x: Any, deg: Any) -> Any:
        return np.stack([np.add(term, np.zeros(np.shape(x))) for term in terms(x, int(deg) + 1)], axis=-1)

    @defines(f"polynomial.{package}.{short}fit")
    def _fit(x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None) -> Any:
        if full or np.ndim(deg):
            raise NoPartial("its derivative with full or a list of degrees is not covered")
        left = _vandermonde(x, deg)
        if w is not None:
            left, y = left * w[:, None], np.multiply(y, w if np.ndim(y) == 1 else w[:, None])
        return np.linalg.lstsq(left, y, rcond=None)[0]

    @defines(f"polynomial.{package}.{short}add")
    def _add(c1: Any, c2: Any) -> Any:
        size = max(np.shape(c1)[0], np.shape(c2)[0])
        return _padded(c1, size) + _padded(c2, size)

    @defines(f"polynomial.{package}.{short}sub")
    def _sub(c1: Any, c2: Any) -> Any:
        return _add(c1, np.negative(c2))


for _basis in _BASES:
    _enter(*_basis)


def _padded(c: Any, size: int) -> Any:
    return np.concatenate([c, np.zeros(size - np.shape(c)[0])])


@defines("polynomial.polynomial.polymul")
def _polymul(c1: Any, c2: Any) -> Any:
    return np.convolve(c1, c2)


@defines("polynomial.polynomial.polyder")
def _polyder(c: Any, m: int = 1, scl: Any = 1, axis: int = 0) -> Any:
    if np.ndim(c) != 1:
        raise NoPartial("its derivative for several polynomials at once is not covered")
    for _ in range(m):
        c = c[1:] * np.arange(1, np.shape(c)[0]) * scl
    return c


@defines("polynomial.polynomial.polyint")
def _polyint(c: Any, m: int = 1, k: Any = (), lbnd: Any = 0, scl: Any = 1, axis: int = 0) -> Any:
    if np.ndim(c) != 1 or np.size(k) or np.ndim(lbnd):
        raise NoPartial("its derivative for several polynomials, or with constants k, is not covered")
    for _ in range(m):
        higher = c * scl / np.arange(1, np.shape(c)[0] + 1)
        powers = np.power(np.multiply(lbnd, 1.0), np.arange(1, np.shape(c)[0] + 1))
        c = np.concatenate([np.reshape(-np.sum(higher * powers), (1,)), higher])
    return c


@defines("polynomial.polynomial.polyvalfromroots")
def _value_from_roots(x: Any, r: Any, tensor: bool = True) -> Any:
    if np.ndim(r) != 1:
        raise NoPartial("its derivative for several polynomials at once is not covered")
    return np.prod(np.subtract(np.expand_dims(x, -1), r), axis=-1)


@defines("polynomial.polynomial.polyfromroots")
def _from_roots(roots: Any) -> Any:
    found: Any = np.ones(1)
    for i in range(np.shape(roots)[0]):
        found = np.convolve(found, np.stack([-roots[i], np.ones(())]))
    return found


@defines("polynomial.polynomial.polyval2d")
def _value_of_two(x: Any, y: Any, c: Any) -> Any:
    powers = [_powers(x, np.shape(c)[0]), _powers(y, np.shape(c)[1])]
    return np.sum(np.sum(powers[0][..., :, None] * c * powers[1][..., None, :], axis=-1), axis=-1)


def _powers(x: Any, count: int) -> Any:
    return np.power(np.expand_dims(x, -1), np.arange(count))
