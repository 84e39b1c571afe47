"""Numbers in lists, as people hand them to NumPy and to `statistics`: np.diff([x, y, 1.0])."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import visual_debug as vd

#: Functions of a list of numbers; what they return is weighted and summed.
OF_LISTS = """
sum mean std var median ptp max min prod cumsum cumprod diff sort unique gradient flip average nanmean nansum nanstd
nanmedian nanmax nancumsum trapezoid array asarray diag cov corrcoef vander polyder ediff1d fft.fft fft.rfft linalg.norm
sinc unwrap
"""


def of_list(name: str) -> Callable[[float, float], Any]:
    function = functools.reduce(getattr, name.split("."), np)

    def program(x, y):
        found = np.abs(function([x, y, 1.1]))
        return np.sum(found * np.arange(1, 1 + np.size(found)).reshape(np.shape(found)))

    return program


def quarters(data):
    return np.percentile(data, 25) - np.percentile(data, [90])[0]


PROGRAMS: dict[str, Callable[[float, float], Any]] = {
    **{name: of_list(name) for name in OF_LISTS.split()},
    "percentile": lambda x, y: quarters([x, y, 1.1]),
    "kron": lambda x, y: np.kron([x, y], [y, 2.0])[1:].sum(),
    "correlate": lambda x, y: np.sum(np.correlate([x, y], [y, 2.0])),
    "interp": lambda x, y: np.interp(x, [0.0, 1.0, 2.0], [y, x, 3.0]),
    "rows of a list": lambda x, y: np.sum(np.diff([[x, y], [y * y, 2.0]], axis=0) * [1.0, 3.0]),
    "arrays in a list": lambda x, y: np.sum(np.diff([np.array([x, y]), np.array([y * y, 2.0])], axis=0) * [1.0, 3.0]),
    "polyfit": lambda x, y: np.polyfit([0, 1, 2], [x, y, 1.0], 1)[0] * x,
    "lstsq": lambda x, y: np.linalg.lstsq([[x, 1.0], [1.0, y], [2.0, 1.0]], [1.0, x, 2.0], rcond=None)[0].sum(),
    "eigvalsh": lambda x, y: np.linalg.eigvalsh([[x, 1.0], [1.0, y]])[0],
    "statistics.mean": lambda x, y: statistics.mean([x, y, 1.1]) * x,
    "statistics.fmean": lambda x, y: statistics.fmean([x, y, 1.1]) * x,
    "statistics.median": lambda x, y: statistics.median([x, y, 1.1, 1.3]),
    "statistics.stdev": lambda x, y: statistics.stdev([x, y, 1.1]),
    "statistics.pstdev": lambda x, y: statistics.pstdev([x, y, 1.1]),
    "statistics.variance": lambda x, y: statistics.variance([x, y, 1.1]),
    "statistics.pvariance": lambda x, y: statistics.pvariance([x, y, 1.1]),
    "statistics.geometric_mean": lambda x, y: statistics.geometric_mean([x, y, 1.1]),
    "statistics.harmonic_mean": lambda x, y: statistics.harmonic_mean([x, y, 1.1]),
    "statistics.correlation": lambda x, y: statistics.correlation([0.0, x, 2.0], [x, y, 1.1]),
    "statistics.covariance": lambda x, y: statistics.covariance([0.0, x, 2.0], [x, y, 1.1]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_in_lists(name):
    f = PROGRAMS[name]
    x, y, h = 0.5, 1.7, 1e-6
    trace = vd.trace(f, x, y)
    gradient = trace.grad()
    by_x, by_y = (f(x + h, y) - f(x - h, y)) / (2 * h), (f(x, y + h) - f(x, y - h)) / (2 * h)
    assert gradient["x"] == pytest.approx(by_x, rel=1e-6, abs=1e-8)
    assert gradient["y"] == pytest.approx(by_y, rel=1e-6, abs=1e-8)
    assert trace.jvp(x=1.0, y=-0.5) == pytest.approx(by_x - 0.5 * by_y, rel=1e-6, abs=1e-8)


def test_many_numbers_in_a_list_are_pulled_back_at_once():
    values = [float(k * k % 101) for k in range(2000)]
    gradient = vd.trace(lambda values: np.median(values) + np.std(values), values).grad("values")
    expected = (np.array(values) - np.mean(values)) / np.std(values) / len(values)
    expected[np.argsort(values)[999:1001]] += 0.5
    assert np.sum(gradient) == pytest.approx(np.sum(expected))
    assert gradient[3] == pytest.approx(expected[3])


@pytest.mark.parametrize("with_weights", [statistics.fmean, statistics.harmonic_mean])
def test_a_definition_that_does_not_cover_the_call_says_so(with_weights):
    trace = vd.trace(lambda x: with_weights([x, 2.0], weights=[1.0, 2.0]), 1.5)
    with pytest.raises(vd.NoDerivativeError, match="with weights is not covered"):
        trace.grad()
