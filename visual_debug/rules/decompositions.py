"""Rules of matrix decompositions: Cholesky, QR, eigenvalues, singular values, and the pseudoinverse.

Sources: M. B. Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008
(Cholesky, eigenvalues, singular values); J. Townsend, Differentiating the singular value decomposition, 2016;
S. F. Walter and L. Lehmann, Algorithmic differentiation of linear algebra functions, 2010 (QR); G. H. Golub and
V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems, 1973.

The formulas are for gradients by the real part plus i times that by the imaginary part, and adjoints here are the
conjugates of those: they are conjugated on the way in and out. Vectors are defined up to sign (of complex matrices up
to a phase): the derivative is that of the ones that NumPy has chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule
from visual_debug.rules.linalg import swap


def _h(a: Any) -> Any:
    """The conjugate transpose."""
    return np.conj(swap(a))


def _diagonal(values: Any) -> Any:
    """Diagonal matrices of vectors."""
    return np.asarray(values)[..., None] * np.eye(np.shape(values)[-1])


def _one_triangle(a: Any, upper: Any) -> Any:
    """The gradient of a Hermitian matrix as that of a function which reads one triangle of it alone."""
    whole = a + _h(a)
    part = np.triu(whole, 1) if upper else np.tril(whole, -1)
    return part + _diagonal(np.real(np.diagonal(a, axis1=-2, axis2=-1)))


def _real_only(a: Any, what: str) -> None:
    if np.iscomplexobj(a):
        raise NoPartial(f"{what} of a complex matrix is not covered")


def pull_cholesky(delta: Any, z: Any, a: Any, *, upper: bool = False) -> Any:
    low = _h(z) if upper else np.asarray(z)
    change = np.conj(np.broadcast_to(delta, np.shape(z)))
    change = np.tril(_h(change) if upper else change)
    middle = np.tril(_h(low) @ change)
    middle = middle - 0.5 * _diagonal(np.diagonal(middle, axis1=-2, axis2=-1))
    inner = np.linalg.solve(_h(low), middle)
    found = _h(np.linalg.solve(_h(low), _h(inner)))
    return np.conj(_one_triangle((found + _h(found)) / 2, upper))


def _gaps(values: Any) -> Any:
    """values[j] - values[i] at [i, j], and 1 on the diagonal."""
    return values[..., None, :] - values[..., :, None] + np.eye(np.shape(values)[-1])


def _off_diagonal(a: Any) -> Any:
    return a * (1 - np.eye(np.shape(a)[-1]))


def pull_eigh(delta: Any, z: Any, a: Any, UPLO: str = "L") -> Any:
    values, vectors = z
    change = np.broadcast_to(delta[0], np.shape(values))
    middle = _diagonal(change)
    if np.any(delta[1]):
        inner = _h(vectors) @ np.conj(np.broadcast_to(delta[1], np.shape(vectors)))
        middle = middle + _off_diagonal(inner / _gaps(values))
    found = vectors @ middle @ _h(vectors)
    return np.conj(_one_triangle((found + _h(found)) / 2, UPLO.upper() == "U"))


def pull_eig(delta: Any, z: Any, a: Any) -> Any:
    values, vectors = z
    middle = _diagonal(np.conj(np.broadcast_to(delta[0], np.shape(values))))
    if np.any(delta[1]):
        inner = _h(vectors) @ np.conj(np.broadcast_to(delta[1], np.shape(vectors)))
        own = np.real(np.diagonal(inner, axis1=-2, axis2=-1))
        free = inner - (_h(vectors) @ vectors) * own[..., None, :]
        middle = middle + _off_diagonal(free / np.conj(_gaps(values)))
    return np.conj(np.linalg.solve(_h(vectors), middle @ _h(vectors)))


def pull_svd(
    delta: Any, z: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if not compute_uv:
        u, values, vh = np.linalg.svd(a, full_matrices=False)
        return np.conj(u @ _diagonal(np.broadcast_to(delta, np.shape(values))) @ vh)
    u, values, vh = z
    rows, count, columns = np.shape(u)[-2], np.shape(values)[-1], np.shape(vh)[-1]
    d_u, d_values, d_vh = (np.broadcast_to(d, np.shape(part)) for d, part in zip(delta, z, strict=True))
    if np.any(d_u[..., :, count:]) or np.any(d_vh[..., count:, :]):
        raise NoPartial("the vectors beyond those of the singular values are arbitrary; give full_matrices=False")
    u, vh, d_u, d_vh = u[..., :, :count], vh[..., :count, :], d_u[..., :, :count], d_vh[..., :count, :]
    middle = _diagonal(d_values)
    if np.any(d_u) or np.any(d_vh):
        _real_only(a, "the derivative of the singular vectors")
        scale = values[..., None, :]
        gaps = _gaps(values**2)
        left, right = swap(u) @ d_u, vh @ swap(d_vh)
        middle = middle + _off_diagonal((left - swap(left)) / gaps) * scale
        middle = middle + swap(scale) * _off_diagonal((right - swap(right)) / gaps)
    found = u @ middle @ vh
    if rows > count:
        found = found + ((d_u - u @ (swap(u) @ d_u)) / values[..., None, :]) @ vh
    if columns > count:
        found = found + (u / values[..., None, :]) @ (d_vh - (d_vh @ swap(vh)) @ vh)
    return np.conj(found)


def pull_qr(delta: Any, z: Any, a: Any, mode: str = "reduced") -> Any:
    a = np.asarray(a)
    if mode not in {"reduced", "complete", "r"} or (mode == "complete" and a.shape[-2] > a.shape[-1]):
        raise NoPartial(f"its derivative with mode={mode!r} is not covered")
    if mode == "r":
        q, r = np.linalg.qr(a)
        return pull_factors((0.0, delta), (q, r), a)
    return pull_factors(delta, z, a)


def pull_factors(delta: Any, z: Any, a: Any) -> Any:
    """The adjoint of a = q @ r, with q of as many columns as r has rows, at most as many as a has."""
    (d_q, d_r), (q, r) = delta, z
    d_q, d_r = np.conj(np.broadcast_to(d_q, q.shape)), np.conj(np.broadcast_to(d_r, r.shape))
    count = r.shape[-2]
    if a.shape[-1] == count:
        return np.conj(_pull_tall(d_q, d_r, q, r))
    rest, d_rest = a[..., :, count:], d_r[..., :, count:]
    found = _pull_tall(d_q + rest @ _h(d_rest), d_r[..., :, :count], q, r[..., :, :count])
    return np.conj(np.concatenate([found, q @ d_rest], axis=-1))


def _pull_tall(d_q: Any, d_r: Any, q: Any, r: Any) -> Any:
    middle = r @ _h(np.triu(d_r)) - _h(d_q) @ q
    low = np.tril(middle, -1)
    both = low + _h(low) + _diagonal(np.real(np.diagonal(middle, axis1=-2, axis2=-1)))
    return _h(np.linalg.solve(r, _h(d_q + q @ both)))


def pull_pinv(delta: Any, z: Any, a: Any, rcond: Any = None, hermitian: bool = False, **kwargs: Any) -> Any:
    a, z, change = np.asarray(a), np.asarray(z), np.conj(np.broadcast_to(delta, np.shape(z)))
    if hermitian:  # of a matrix of which the lower triangle is read
        a = np.tril(a) + _h(np.tril(a, -1))
    rows, columns = np.eye(a.shape[-2]), np.eye(a.shape[-1])
    back = _h(z)
    found = -back @ change @ back
    found = found + (rows - a @ z) @ _h(change) @ z @ back
    found = found + back @ z @ _h(change) @ (columns - z @ a)
    return np.conj(_one_triangle((found + _h(found)) / 2, False) if hermitian else found)


def pull_slogdet(delta: Any, z: Any, a: Any) -> Any:
    sign, size = np.asarray(delta[0]), np.asarray(delta[1])
    if np.iscomplexobj(a) and np.any(sign):
        raise NoPartial("the derivative of the phase of a complex determinant is not covered")
    return np.broadcast_to(size, np.shape(z[1]))[..., None, None] * swap(np.linalg.inv(a))


def _rule(name: str, pull: Callable[..., Any], text: str, note: str = "", *, conjugates: bool = True) -> Rule:
    rule = FunctionRule(f"numpy.linalg.{name}", [pull], texts=[text], note=note, names=("a",))
    rule.conjugates, rule.pushes_by_pulls = conjugates, True
    return rule


_LOW = "reads one triangle of the matrix, so the other one's derivative is 0"
_EQUAL = "of equal eigenvalues the vectors have no derivative: inf or NaN"
_RULES = (
    _rule("cholesky", pull_cholesky, "tril of inv(z).T @ Φ(z.T @ Δ) @ inv(z)", _LOW),
    _rule("eigh", pull_eigh, "V @ (diag(Δ[0]) + V.T @ Δ[1]/(λj-λi)) @ V.T", f"{_LOW}; {_EQUAL}"),
    _rule("eig", pull_eig, "inv(V).T @ (diag(Δ[0]) + V.T @ Δ[1]/(λj-λi)) @ V.T", _EQUAL, conjugates=False),
    _rule("svd", pull_svd, "U @ (diag(Δ[1]) + …) @ Vh", "of equal singular values the vectors have no derivative"),
    _rule("qr", pull_qr, "(Δ[0] + Q @ M) @ inv(R).T"),
    _rule("pinv", pull_pinv, "-z.T @ Δ @ z.T + …", "the rank is taken as constant"),
    _rule("slogdet", pull_slogdet, "Δ[1]*inv(x).T", "the sign of a real determinant: 0", conjugates=False),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
