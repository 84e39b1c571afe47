"""Matrices multiply in their own way, and what is masked is refused."""

from __future__ import annotations

import numpy as np
import pytest

import visual_debug as vd

pytestmark = pytest.mark.filterwarnings("ignore")
M = np.array([[2.0, 1.0], [0.5, 3.0]])
SEED = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("make", [np.matrix, np.asmatrix])
def test_products_and_powers_of_matrices(make) -> None:
    for function in (lambda m: m * m, lambda m: m**2, lambda m: m @ m):
        trace = vd.trace(function, make(M.copy()))
        np.testing.assert_allclose(trace.grad("m", seed=SEED), SEED @ M.T + M.T @ SEED)
        forward = trace.jvp(m=SEED)
        np.testing.assert_allclose(np.asarray(forward), SEED @ M + M @ SEED)


def test_elementwise_operations_of_matrices() -> None:
    np.testing.assert_allclose(vd.trace(lambda m: np.multiply(m, m), np.matrix(M)).grad("m", seed=SEED), 2 * SEED * M)
    np.testing.assert_allclose(vd.trace(lambda m: 2 / m, np.matrix(M)).grad("m", seed=SEED), -2 * SEED / M**2)
    np.testing.assert_allclose(vd.trace(lambda m: np.sum(np.sin(m)), np.matrix(M)).grad("m"), np.cos(M))


def test_reading_a_row_or_a_column_of_a_matrix_which_is_a_matrix() -> None:
    expected = np.zeros_like(M)
    expected[0] = M.sum(axis=1)  # of the sum of M[0, k] M[k, j], by M[0, k] …
    expected += M[0][:, None]  # … and by M[k, j]
    trace = vd.trace(lambda m: np.sum(m[0] * m), np.matrix(M))
    np.testing.assert_allclose(trace.grad("m"), expected)
    np.testing.assert_allclose(np.asarray(trace.jvp(m=SEED)), np.sum(expected * SEED))
    column = vd.trace(lambda m: (m[:, 1].T * m[:, 1])[0, 0], np.matrix(M))
    np.testing.assert_allclose(column.grad("m"), 2 * M * (np.arange(M.shape[1]) == 1))


@pytest.mark.parametrize("function", [lambda m: m * 2, lambda m: np.sum(m * m), lambda m: np.exp(m)])
def test_what_is_masked_is_refused(function) -> None:
    trace = vd.trace(function, np.ma.masked_array(M, M > 1))
    seed = None if np.ndim(trace.result) == 0 else SEED
    with pytest.raises(vd.NoDerivativeError, match="masked"):
        trace.grad("m", seed=seed)
