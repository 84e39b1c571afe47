"""Every line of the table: the result is the plain one bit by bit, both modes agree with differences and autograd."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

import visual_debug as vd
from tests.rules.table import cases, programs

CASES = [text for block in cases.ALL.values() for text in block.strip().split("\n")]


#: Tangents are of all parts of a result, also of those that are not used and have none.
FORWARD_REFUSED = {"np.linalg.svd(a)[1]", "np.linalg.slogdet(k)[1]"}


def plain(text: str) -> Any:
    try:
        return programs.function(text)(*programs.arguments(text))
    except AttributeError as error:
        pytest.skip(f"not in this NumPy or SciPy: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", CASES)
def test_derivatives(text: str) -> None:
    expected = plain(text)
    f = programs.function(text)
    trace = vd.trace(f, *programs.arguments(text))
    assert type(trace.result) is type(expected)
    assert np.asarray(trace.result).tobytes() == np.asarray(expected).tobytes()
    seed = programs.weights(expected)
    gradient = trace.grad(seed=seed)
    slopes = programs.reference(f, text, seed)
    tangents = {}
    for name, value in zip(programs.parameters(text), programs.arguments(text), strict=True):
        got = np.asarray(gradient[name])
        assert (got.shape, got.dtype.kind) == (np.shape(value), np.asarray(value).dtype.kind)
        np.testing.assert_allclose(got, slopes[name], rtol=1e-6, atol=1e-7, err_msg=name)
        rng = np.random.default_rng(len(name))
        way = rng.normal(size=np.shape(value))
        tangents[name] = way if np.ndim(value) else float(way)
    if text in FORWARD_REFUSED:
        with pytest.raises(vd.NoDerivativeError):
            trace.jvp(**tangents)
        return
    forward = np.sum(seed * np.asarray(trace.jvp(**tangents)))
    reverse = sum(np.sum(np.asarray(gradient[name]) * tangents[name]) for name in tangents)
    np.testing.assert_allclose(forward, np.real(reverse), rtol=1e-8, atol=1e-9)


#: Where autograd answers 0 for what it does not follow, does not see a mask or a write, gives NaN, or takes the matrix
#: of which one triangle is read for symmetric.
ELSEWHERE = [
    "",
    "b = a * 2; c = b; b += 1; return c * b",
    "a[[True, False]]",
    "np.choose([0, 1, 0], [v, w])",
    "np.choose(np.array([[0, 1, 1], [1, 0, 0]]), (a, b))",
    "np.concatenate([v, [x, y]])",
    "np.dstack((a, b))",
    "np.block([[m, m], [m, m * 2]])",
    "np.block([v, w])",
    "np.asarray([x, y])",
    "np.full_like(a, x)",
    "np.full(3, fill_value=x)",
    "np.sum(a, where=a > 0)",
    "np.mean(a, where=a > 0)",
    "np.var(a, where=a > -1)",
    "np.std(a, axis=0, where=b > -2)",
    "np.prod(c, axis=(0, 2))",
    "np.prod(a, where=a > 0)",
    "np.linalg.norm(v, np.inf)",
    "np.linalg.norm(a, ord=np.inf, axis=1)",
    "np.linalg.cholesky(s)",
    "np.linalg.cholesky(np.stack([s, 2 * s]))",
    "np.linalg.multi_dot([a, m, v])",
    "np.linalg.multi_dot([a, m, m, b.T])",
    "np.linalg.multi_dot((m, m, v))",
    "np.linalg.multi_dot((a, m, v))",
    "np.apply_along_axis(lambda r: np.dot(r, w), axis=1, arr=a)",
    "np.array([0, 1, 0]).choose([v, w])",
    "np.choose([2, 0, 1], [v, w, x])",
    "np.block([[m, v[:, None]], [w, x]])",
    "np.dstack([a, b])",
    "z = a * 1; r_ = z.ravel(); r_ *= 2; return z",
    r"z = a * 1\nfor row in z: row *= 2\nreturn z",
    r"z = a * 1\nfor i, row in enumerate(z): row -= row.mean()\nreturn z",
    "np.sum([v * k for k in range(3)], axis=0)",
    "np.sum((v, w), axis=0)",
    "np.matmul([[x, y], [y, x]], [1.0, 2.0])",
    "a.T.flatten('A')",
    "",
]


def by_autograd(text: str) -> dict[str, Any] | None:
    """The gradients by the other system, or None where it cannot do the case."""
    args = programs.arguments(text)
    if not args or any(np.iscomplexobj(arg) for arg in args):
        return None  # it takes the conjugate
    expected = plain(text)
    seed = programs.weights(expected)
    f = programs.elsewhere(programs.function(text), anp)
    found = {}
    for position, name in enumerate(programs.parameters(text)):
        try:
            pull, z = autograd.make_vjp(f, position)(*programs.arguments(text))
            found[name] = pull(seed)
        except Exception:  # noqa: BLE001 whatever it raises: it cannot do it
            return None
        if np.shape(z) != np.shape(expected) or np.shape(found[name]) != np.shape(args[position]):
            return None
    return found


@pytest.mark.filterwarnings("ignore")
def test_the_other_system_agrees() -> None:
    compared, apart = 0, []
    for text in CASES:
        is_other = any(
            word in text for word in ("scipy", "matrix(", "vectorize", "random", "polynomial")
        )  # which it does not follow
        found = None if is_other or text in ELSEWHERE else by_autograd(text)
        if found is None:
            continue
        trace = vd.trace(programs.function(text), *programs.arguments(text))
        gradient = trace.grad(seed=programs.weights(trace.result))
        same = all(np.allclose(gradient[name], value, rtol=1e-8, atol=1e-10) for name, value in found.items())
        compared, apart = compared + 1, apart if same else [*apart, text]
    assert not apart
    assert compared >= 300


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", cases.WITHOUT.strip().split("\n"))
def test_what_has_none_is_refused_by_name(line: str) -> None:
    op, _, text = line.partition(": ")
    plain(text)
    trace = vd.trace(programs.function(text), *programs.arguments(text))
    with pytest.raises(vd.NoDerivativeError, match=rf": {op} "):
        trace.grad()


def test_the_table_is_large() -> None:
    assert len(CASES) == len(set(CASES)) > 800
