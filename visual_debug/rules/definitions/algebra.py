"""Linear algebra in terms of its decompositions: powers, norms, least squares, tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial
from visual_debug.rules.defined import value_of
from visual_debug.rules.definitions.registry import defines
from visual_debug.rules.definitions.statistics import kept


@defines("linalg.multi_dot")
def _multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    found = arrays[0]
    for array in arrays[1:]:
        found = np.matmul(found, array)
    return found


@defines("linalg.matrix_power")
def _matrix_power(a: Any, n: int) -> Any:
    if n == 0:
        return np.multiply(a, 0.0) + np.eye(np.shape(a)[-1])
    base = np.linalg.inv(a) if n < 0 else a
    found = base
    for _ in range(abs(n) - 1):
        found = np.matmul(found, base)
    return found


@defines("linalg.eigvalsh")
def _eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigh(a, UPLO)[0]


@defines("linalg.eigvals")
def _eigvals(a: Any) -> Any:
    return np.linalg.eig(a)[0]


@defines("linalg.svdvals")
def _svdvals(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)[1]


@defines("linalg.cond")
def _cond(x: Any, p: Any = None) -> Any:
    if p is None or p in (2, -2):
        values = _svdvals(x)
        return values[..., -1] / values[..., 0] if p == -2 else values[..., 0] / values[..., -1]
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


def matrix_norm(x: Any, order: Any, axes: Any) -> Any:
    """The norms of matrices that are no sum of squares: of columns, rows and singular values."""
    x = np.moveaxis(x, axes, (-2, -1))
    if order in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.absolute(x), axis=-2 if abs(order) == 1 else -1)
        return np.max(sums, axis=-1) if order > 0 else np.min(sums, axis=-1)
    values = np.linalg.svd(x, full_matrices=False)[1]
    return np.sum(values, axis=-1) if order == "nuc" else values[..., 0] if order == 2 else values[..., -1]


@defines("linalg.norm")
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    axes = tuple(range(np.ndim(x))) if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    if len(axes) == 1 or ord in (None, "fro", "f"):
        # At 0 the derivative of a norm is taken as 0.
        found = _vector_norm(x, 2 if ord is None or isinstance(ord, str) else ord, axes)
    else:
        found = matrix_norm(x, ord, axes)
    return kept(found, x, axis, bool(keepdims))


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...]) -> Any:
    size = np.absolute(x)
    if order == 2:
        return _root_of_squares(size, axes)
    if order in (np.inf, -np.inf):
        return np.max(size, axis=axes) if order > 0 else np.min(size, axis=axes)
    if order == 0:
        return np.sum(np.multiply(size, 0.0), axis=axes) + np.sum(value_of(size) != 0, axis=axes)
    if order == 1:
        return np.sum(size, axis=axes)
    whole = np.max(np.where(value_of(size) == 0, 0, value_of(size)), axis=axes, keepdims=True)
    safe = np.where(whole == 0, 1, whole)
    parts = np.where(whole == 0, 1, size / safe)
    return np.squeeze(np.where(whole == 0, 0, safe), axes) * np.power(
        np.sum(np.power(parts, order), axis=axes), 1 / order
    )


def _root_of_squares(size: Any, axes: tuple[int, ...]) -> Any:
    total = np.sum(np.square(size), axis=axes)
    is_zero = value_of(total) == 0
    return np.where(is_zero, 0, np.sqrt(np.where(is_zero, 1, total)))


@defines("linalg.vector_norm")
def _vector_norm_of(x: Any, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    axes = tuple(range(np.ndim(x))) if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    return kept(_vector_norm(x, ord, axes), x, axis, bool(keepdims))


@defines("linalg.matrix_norm")
def _matrix_norm_of(x: Any, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)


@defines("linalg.lstsq")
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    found = np.matmul(np.linalg.pinv(a), b)
    rest = np.matmul(a, found) - b
    _, residuals, rank, values = np.linalg.lstsq(value_of(a), value_of(b), rcond)
    squares = np.sum(np.square(rest), axis=0, keepdims=np.ndim(b) == 1) if np.size(residuals) else residuals
    return found, squares, rank, _svdvals(a) if a is not value_of(a) else values


@defines("linalg.tensorinv")
def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    size = int(np.prod(shape[ind:]))
    return np.reshape(np.linalg.inv(np.reshape(a, (size, -1))), shape[ind:] + shape[:ind])


@defines("linalg.tensorsolve")
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        raise NoPartial("its derivative with axes is not covered")
    shape = np.shape(a)[np.ndim(b) :]
    size = int(np.prod(shape))
    return np.reshape(np.linalg.solve(np.reshape(a, (size, size)), np.reshape(b, -1)), shape)


@defines("linalg.outer")
def _outer(x1: Any, x2: Any) -> Any:
    return np.multiply.outer(x1, x2)


@defines("linalg.trace")
def _trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1)


@defines("linalg.matmul")
def _matmul(x1: Any, x2: Any) -> Any:
    return np.matmul(x1, x2)


@defines("linalg.tensordot")
def _tensordot(x1: Any, x2: Any, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes)
