"""Rules of SciPy's linear algebra; imported only once one of its functions was called.

Sources: N. J. Higham, Functions of Matrices, SIAM 2008 (exponential, square root); S. F. Walter and L. Lehmann,
Algorithmic differentiation of linear algebra functions, 2010 (LU); and those of `decompositions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from visual_debug.rules import banded
from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.decompositions import pull_eig, pull_eigh, pull_factors, pull_svd
from visual_debug.rules.defined import value_of
from visual_debug.rules.functions import FunctionRule
from visual_debug.rules.linalg import swap
from visual_debug.rules.shaping import MoverRule

DEFINITIONS: dict[str, Callable[..., Any]] = {}


def _defines(definition: Callable[..., Any]) -> Callable[..., Any]:
    DEFINITIONS[f"scipy.linalg.{definition.__name__.strip('_')}"] = definition
    return definition


def _h(a: Any) -> Any:
    return np.conjugate(np.swapaxes(a, -1, -2))


def _from_triangle(a: Any, lower: Any) -> Any:
    """The Hermitian matrix of which one triangle is read."""
    return np.tril(a) + _h(np.tril(a, -1)) if lower else np.triu(a) + _h(np.triu(a, 1))


_SYMMETRIC = frozenset({"sym", "symmetric", "her", "hermitian", "pos", "positive definite"})


@_defines
def _solve(a: Any, b: Any, lower: bool = False, overwrite_a: Any = False, overwrite_b: Any = False,
           check_finite: Any = True, assume_a: Any = None, transposed: bool = False) -> Any:  # fmt: skip
    if assume_a in _SYMMETRIC and not np.iscomplexobj(a):
        a = _from_triangle(a, lower)
    elif assume_a not in (None, "gen", "general"):
        raise NoPartial(f"its derivative with assume_a={assume_a!r} is not covered")
    return np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b)


@_defines
def _solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
                      overwrite_b: Any = False, check_finite: Any = True) -> Any:  # fmt: skip
    skip = int(unit_diagonal)
    part = np.tril(a, -skip) if lower else np.triu(a, skip)
    if unit_diagonal:
        part = part + np.eye(np.shape(a)[-1])
    if trans in (1, "T"):
        part = np.swapaxes(part, -1, -2)
    elif trans in (2, "C"):
        part = _h(part)
    return np.linalg.solve(part, b)


@_defines
def _inv(a: Any, *rest: Any, assume_a: Any = None, **how: Any) -> Any:
    if rest or assume_a not in (None, "gen", "general"):
        raise NoPartial("its derivative with these arguments is not covered")
    return np.linalg.inv(a)


@_defines
def _det(a: Any, *rest: Any, **how: Any) -> Any:
    return np.linalg.det(a)


@_defines
def _norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: Any = True) -> Any:
    return np.linalg.norm(a, ord, axis, keepdims)


@_defines
def _cholesky(a: Any, lower: bool = False, *rest: Any, **how: Any) -> Any:
    found = np.linalg.cholesky(_from_triangle(a, lower))
    return found if lower else _h(found)


@_defines
def _cho_factor(a: Any, lower: bool = False, *rest: Any, **how: Any) -> Any:
    found = _cholesky(a, lower)
    rest = np.triu(a, 1) if lower else np.tril(a, -1)
    given = scipy.linalg.cho_factor(value_of(a), lower)[0]
    leaves = np.array_equal(np.triu(given, 1) if lower else np.tril(given, -1), value_of(rest))
    return (found + rest if leaves else found), lower  # what stands in the other triangle, SciPy's version decides


@_defines
def _cho_solve(c_and_lower: Any, b: Any, *rest: Any, **how: Any) -> Any:
    c, lower = c_and_lower
    low = np.tril(c) if lower else _h(np.triu(c))
    return np.linalg.solve(_h(low), np.linalg.solve(low, b))


@_defines
def _lu_solve(lu_and_piv: Any, b: Any, trans: Any = 0, *rest: Any, **how: Any) -> Any:
    lu, pivots = lu_and_piv
    size = np.shape(lu)[-1]
    if trans != 0 or np.ndim(lu) != 2:
        raise NoPartial("its derivative with trans or for several matrices is not covered")
    order = list(range(size))
    for i, k in enumerate(np.asarray(pivots).tolist()):
        order[i], order[k] = order[k], order[i]
    low = np.tril(lu, -1) + np.eye(size)
    return np.linalg.solve(np.triu(lu), np.linalg.solve(low, b[order]))


@_defines
def _pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: Any = False, check_finite: Any = True) -> Any:
    if return_rank:
        raise NoPartial("its derivative with return_rank is not covered")
    return np.linalg.pinv(a)


@_defines
def _lstsq(a: Any, b: Any, *rest: Any, **how: Any) -> Any:
    found = np.linalg.lstsq(a, b, None)
    x, squares, rank, values = (found[i] for i in range(4))
    return x, (np.sum(squares) if np.ndim(b) == 1 and np.size(squares) else squares), rank, values


@_defines
def _svdvals(a: Any, *rest: Any, **how: Any) -> Any:
    return np.linalg.svd(a, False)[1]


@_defines
def _eigvals(a: Any, b: Any = None, *rest: Any, **how: Any) -> Any:
    if b is not None or rest or how.get("homogeneous_eigvals"):
        raise NoPartial("its derivative with these arguments is not covered")
    return np.linalg.eigvals(a)


@_defines
def _eigvalsh(a: Any, *, lower: bool = True, **how: Any) -> Any:
    if {"b", "subset_by_index", "subset_by_value"} & how.keys():
        raise NoPartial("its derivative with these arguments is not covered")
    return np.linalg.eigvalsh(a, "L" if lower else "U")


def _pull_eigh(delta: Any, z: Any, a: Any, *, lower: bool = True, eigvals_only: bool = False, **how: Any) -> Any:
    if {"b", "subset_by_index", "subset_by_value"} & how.keys():
        raise NoPartial("its derivative with these arguments is not covered")
    side: Any = "L" if lower else "U"
    if eigvals_only:
        return pull_eigh((delta, 0.0), np.linalg.eigh(a, side), a, side)
    return pull_eigh(delta, z, a, side)


def _pull_eig(delta: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    if rest or {"b", "left", "homogeneous_eigvals"} & how.keys() or how.get("right") is False:
        raise NoPartial("its derivative with these arguments is not covered")
    return pull_eig(delta, z, a)


def _pull_svd(
    delta: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, *_: Any, **__: Any
) -> Any:
    return pull_svd(delta, z, a, full_matrices, compute_uv)


def _pull_qr(delta: Any, z: Any, a: Any, overwrite_a: Any = False, lwork: Any = None, mode: str = "full",
             pivoting: bool = False, check_finite: Any = True) -> Any:  # fmt: skip
    a = np.asarray(a)
    if mode not in ("full", "economic") or pivoting or (mode == "full" and a.shape[-2] > a.shape[-1]):
        raise NoPartial(f"its derivative with mode={mode!r} or with pivoting is not covered for such a matrix")
    return pull_factors(delta, z, a)


def _pull_parts(d_low: Any, d_up: Any, low: Any, up: Any) -> Any:
    """The adjoint of low @ up, for the factors of a square matrix."""
    middle = np.tril(swap(low) @ d_low, -1) + np.triu(d_up @ swap(up))
    return np.linalg.solve(swap(low), swap(np.linalg.solve(up, swap(middle))))


def _pull_lu(delta: Any, z: Any, a: Any, permute_l: bool = False, overwrite_a: Any = False, check_finite: Any = True,
             p_indices: bool = False) -> Any:  # fmt: skip
    if permute_l or p_indices or np.ndim(a) != 2 or np.shape(a)[0] != np.shape(a)[1]:
        raise NoPartial("its derivative with these arguments, or for a matrix that is not square, is not covered")
    shape = np.shape(a)
    permutation, low, up = z
    return permutation @ _pull_parts(np.broadcast_to(delta[1], shape), np.broadcast_to(delta[2], shape), low, up)


def _pull_lu_factor(delta: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    if np.ndim(a) != 2 or np.shape(a)[0] != np.shape(a)[1]:
        raise NoPartial("its derivative for a matrix that is not square is not covered")
    size = np.shape(a)[0]
    change = np.broadcast_to(delta[0], (size, size))
    found = _pull_parts(np.tril(change, -1), np.triu(change), np.tril(z[0], -1) + np.eye(size), np.triu(z[0]))
    for i in range(size - 1, -1, -1):  # the exchanges of rows, backward
        found[[i, z[1][i]]] = found[[z[1][i], i]]
    return found


def _one_matrix(a: Any) -> Any:
    if np.ndim(a) != 2:
        raise NoPartial("its derivative for several matrices at once is not covered")
    return np.asarray(a)


def _pull_expm(delta: Any, z: Any, a: Any) -> Any:
    matrix = _one_matrix(a)
    return scipy.linalg.expm_frechet(matrix.T, np.broadcast_to(delta, matrix.shape), compute_expm=False)


def _push_expm(tangent: Any, z: Any, a: Any) -> Any:
    return scipy.linalg.expm_frechet(_one_matrix(a), np.asarray(tangent), compute_expm=False)


def _pull_sqrtm(delta: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    root = _one_matrix(z)
    return scipy.linalg.solve_sylvester(root.T, root.T, np.broadcast_to(delta, root.shape))


def _push_sqrtm(tangent: Any, z: Any, a: Any, *rest: Any, **how: Any) -> Any:
    root = _one_matrix(z)
    return scipy.linalg.solve_sylvester(root, root, np.asarray(tangent))


def _rule(name: str, pull: Callable[..., Any], text: str, push: Callable[..., Any] | None = None,
          note: str = "", *, conjugates: bool = True) -> Rule:  # fmt: skip
    rule = FunctionRule(f"scipy.linalg.{name}", [pull], [push] if push else [], texts=[text], note=note, names=("a",))
    rule.pushes_by_pulls, rule.conjugates = push is None, conjugates
    return rule


_EQUAL = "of equal eigenvalues the vectors have no derivative: inf or NaN"
_RULES: tuple[Rule, ...] = (
    _rule("eigh", _pull_eigh, "V @ (diag(Δ[0]) + V.T @ Δ[1]/(λj-λi)) @ V.T", note=_EQUAL),
    _rule("eig", _pull_eig, "inv(V).T @ (diag(Δ[0]) + V.T @ Δ[1]/(λj-λi)) @ V.T", note=_EQUAL, conjugates=False),
    _rule("svd", _pull_svd, "U @ (diag(Δ[1]) + …) @ Vh"),
    _rule("qr", _pull_qr, "(Δ[0] + Q @ M) @ inv(R).T"),
    _rule("lu", _pull_lu, "P @ inv(L).T @ (tril(L.T @ Δ[1]) + triu(Δ[2] @ U.T)) @ inv(U).T", conjugates=False),
    _rule("lu_factor", _pull_lu_factor, "P @ inv(L).T @ (tril(L.T @ Δ) + triu(Δ @ U.T)) @ inv(U).T", conjugates=False),
    _rule("expm", _pull_expm, "expm_frechet(x.T, Δ)", _push_expm, conjugates=False),
    _rule("sqrtm", _pull_sqrtm, "solve_sylvester(z.T, z.T, Δ)", _push_sqrtm, conjugates=False),
    MoverRule("scipy.linalg.block_diag", None, function=scipy.linalg.block_diag),
    MoverRule("scipy.linalg.toeplitz", {0: "c", 1: "r"}, function=scipy.linalg.toeplitz),
    MoverRule("scipy.linalg.circulant", {0: "c"}, function=scipy.linalg.circulant),
    MoverRule("scipy.linalg.hankel", {0: "c", 1: "r"}, function=scipy.linalg.hankel),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES} | banded.TABLE
