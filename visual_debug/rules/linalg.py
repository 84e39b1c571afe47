"""Rules of products of arrays and of linear algebra: matmul, dot, einsum, norm, inv, solve, det.

Sources for the matrix functions: M. B. Giles, Collected matrix derivative results for forward and reverse mode
algorithmic differentiation, Lecture Notes in Computational Science and Engineering 64, 2008.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Rule
from visual_debug.rules.functions import FunctionRule

Axes = tuple[int, ...]


def swap(a: Any) -> Any:
    """The last two axes exchanged."""
    return np.swapaxes(a, -1, -2)


def _as_matrices(delta: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Vectors of a matrix product as a row and a column, and its adjoint to match."""
    x, y, delta = np.asarray(x), np.asarray(y), np.asarray(delta)
    if x.ndim == 1:
        delta = np.expand_dims(delta, -1 if y.ndim == 1 else -2)
    if y.ndim == 1:
        delta = np.expand_dims(delta, -1)
    return delta, x[None, :] if x.ndim == 1 else x, y[:, None] if y.ndim == 1 else y


def _are_matrices(delta: Any, x: Any, y: Any) -> bool:
    return type(delta) is type(x) is type(y) is np.ndarray and delta.ndim == x.ndim == y.ndim == 2


def pull_matmul_x(delta: Any, z: Any, x: Any, y: Any, out: Any = None) -> Any:
    if _are_matrices(delta, x, y):
        return delta @ y.T
    delta, row, right = _as_matrices(delta, x, y)
    return products.unbroadcast(delta @ swap(right), row).reshape(np.shape(x))


def pull_matmul_y(delta: Any, z: Any, x: Any, y: Any, out: Any = None) -> Any:
    if _are_matrices(delta, x, y):
        return x.T @ delta
    delta, left, column = _as_matrices(delta, x, y)
    return products.unbroadcast(swap(left) @ delta, column).reshape(np.shape(y))


def _pull_contracted(delta: Any, x: Any, y: Any, over: tuple[Axes, Axes], which: int) -> Any:
    """Adjoint of x (which = 0) or y in a sum over paired axes, whose result has x's other axes and then y's."""
    sides = (np.asarray(x), np.asarray(y))
    paired = [tuple(i % side.ndim for i in axes) for side, axes in zip(sides, over, strict=True)]
    free = [tuple(i for i in range(side.ndim) if i not in axes) for side, axes in zip(sides, paired, strict=True)]
    delta = np.asarray(delta).reshape([side.shape[i] for side, axes in zip(sides, free, strict=True) for i in axes])
    other, lead = 1 - which, len(free[0])
    theirs = tuple(range(lead, delta.ndim)) if which == 0 else tuple(range(lead))
    result = np.tensordot(delta, sides[other], axes=(theirs, free[other]))
    # What is left: this side's free axes, then its paired ones in the order in which the other side has them.
    order = [paired[which][paired[other].index(i)] for i in range(sides[other].ndim) if i in paired[other]]
    return np.moveaxis(result, range(result.ndim), (*free[which], *order))


def _dot_axes(x: Any, y: Any, out: Any = None) -> tuple[Axes, Axes]:
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return (), ()
    return (-1,), (-2 if np.ndim(y) > 1 else -1,)


def _inner_axes(x: Any, y: Any) -> tuple[Axes, Axes]:
    return ((-1,), (-1,)) if np.ndim(x) and np.ndim(y) else ((), ())


def _no_axes(x: Any, y: Any) -> tuple[Axes, Axes]:
    return (), ()


def _tensordot_axes(x: Any, y: Any, axes: Any = 2) -> tuple[Axes, Axes]:
    if isinstance(axes, int | np.integer):
        return tuple(range(np.ndim(x) - int(axes), np.ndim(x))), tuple(range(int(axes)))
    left, right = (tuple(np.atleast_1d(side).tolist()) for side in axes)
    return left, right


def _pulls(axes: Callable[..., tuple[Axes, Axes]]) -> list[Callable[..., Any]]:
    def pull_x(delta: Any, z: Any, a: Any, b: Any, *rest: Any, **kwargs: Any) -> Any:
        return _pull_contracted(delta, a, b, axes(a, b, *rest, **kwargs), 0)

    def pull_y(delta: Any, z: Any, a: Any, b: Any, *rest: Any, **kwargs: Any) -> Any:
        return _pull_contracted(delta, a, b, axes(a, b, *rest, **kwargs), 1)

    return [pull_x, pull_y]


def _pushes(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Tangents of a function linear in each operand: the function with the tangent in the operand's place."""
    return [
        lambda tangent, z, a, b, *rest, **kwargs: function(tangent, b, *rest, **kwargs),
        lambda tangent, z, a, b, *rest, **kwargs: function(a, tangent, *rest, **kwargs),
    ]


def _flat_pulls(axes: Callable[..., tuple[Axes, Axes]]) -> list[Callable[..., Any]]:
    """Pulls of a product that first flattens both operands."""
    x, y = _pulls(axes)
    return [
        lambda delta, z, a, b, out=None: x(delta, z, np.ravel(a), np.ravel(b)).reshape(np.shape(a)),
        lambda delta, z, a, b, out=None: y(delta, z, np.ravel(a), np.ravel(b)).reshape(np.shape(b)),
    ]


def pull_trace(delta: Any, z: Any, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    rows, columns = np.shape(a)[axis1], np.shape(a)[axis2]
    spread = np.expand_dims(np.asarray(delta), (-2, -1)) * np.eye(rows, columns, offset)
    return np.moveaxis(spread, (-2, -1), (axis1, axis2))


def pull_inv(delta: Any, z: Any, a: Any) -> Any:
    return -swap(z) @ np.broadcast_to(delta, np.shape(z)) @ swap(z)


def push_inv(tangent: Any, z: Any, a: Any) -> Any:
    return -z @ tangent @ z


def pull_solve_b(delta: Any, z: Any, a: Any, b: Any) -> Any:
    delta = np.broadcast_to(delta, np.shape(z))
    if np.ndim(b) == 1:
        return products.unbroadcast(np.linalg.solve(swap(a), delta[..., None])[..., 0], b)
    return products.unbroadcast(np.linalg.solve(swap(a), delta), b)


def pull_solve_a(delta: Any, z: Any, a: Any, b: Any) -> Any:
    delta = np.broadcast_to(delta, np.shape(z))
    if np.ndim(b) == 1:
        delta, z = delta[..., None], np.asarray(z)[..., None]
    return products.unbroadcast(-np.linalg.solve(swap(a), delta) @ swap(z), a)


def push_solve_a(tangent: Any, z: Any, a: Any, b: Any) -> Any:
    change = tangent @ (np.asarray(z)[..., None] if np.ndim(b) == 1 else z)
    moved = np.linalg.solve(a, -change)
    return moved[..., 0] if np.ndim(b) == 1 else moved


def _cofactors(a: Any) -> Any:
    """d det(a) / da. From the singular values, so that it holds for singular matrices too."""
    u, s, vh = np.linalg.svd(a)
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(s.shape[-1])], -1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * np.conj(u * others[..., None, :]) @ np.conj(vh)


def pull_det(delta: Any, z: Any, a: Any) -> Any:
    return np.asarray(delta)[..., None, None] * _cofactors(a)


def push_det(tangent: Any, z: Any, a: Any) -> Any:
    return np.sum(_cofactors(a) * tangent, axis=(-2, -1))


def pull_vdot_x(delta: Any, z: Any, a: Any, b: Any) -> Any:
    return np.reshape(np.conj(np.asarray(delta) * np.ravel(b)), np.shape(a))


def pull_vdot_y(delta: Any, z: Any, a: Any, b: Any) -> Any:
    return np.reshape(np.asarray(delta) * np.conj(np.ravel(a)), np.shape(b))


_RULES = [
    FunctionRule(op, [pull_matmul_x, pull_matmul_y], _pushes(np.matmul), texts=["Δ @ y.T", "x.T @ Δ"], symbol="@")
    for op in ("matmul", "imatmul", "numpy.matmul")
]
_RULES += [
    FunctionRule("numpy.dot", _pulls(_dot_axes), _pushes(np.dot), texts=["dot(Δ, y.T)", "dot(x.T, Δ)"]),
    FunctionRule("numpy.inner", _pulls(_inner_axes), _pushes(np.inner), texts=["dot(Δ, y)", "dot(Δ.T, x)"]),
    FunctionRule("numpy.tensordot", _pulls(_tensordot_axes), _pushes(np.tensordot),
                 texts=["tensordot(Δ, y)", "tensordot(x, Δ)"]),
    FunctionRule("numpy.outer", _flat_pulls(_no_axes), _pushes(np.outer), texts=["dot(Δ, y)", "dot(x, Δ)"]),
    FunctionRule("numpy.vdot", [pull_vdot_x, pull_vdot_y], _pushes(np.vdot), texts=["Δ*y", "Δ*x"]),
    FunctionRule("numpy.trace", [pull_trace], [lambda t, z, a, *rest, **kw: np.trace(t, *rest, **kw)],
                 texts=["Δ*eye(n)"]),
    FunctionRule("numpy.linalg.inv", [pull_inv], [push_inv], texts=["-z.T @ Δ @ z.T"]),
    FunctionRule(
        "numpy.linalg.solve", [pull_solve_a, pull_solve_b], [push_solve_a, lambda t, z, a, b: np.linalg.solve(a, t)],
        texts=["-solve(x.T, Δ) @ z.T", "solve(x.T, Δ)"],
    ),
    FunctionRule("numpy.linalg.det", [pull_det], [push_det], texts=["Δ*z*inv(x).T"]),
]  # fmt: skip
next(rule for rule in _RULES if rule.op == "numpy.vdot").conjugates = True
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
