"""Rules of the functions of Python's `statistics`, by definitions of what they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visual_debug.rules.base import NoPartial


def _variance(deviation: Callable[[Any], Any], ddof: int) -> Callable[..., Any]:
    def definition(data: Any, mean: Any = None) -> Any:
        if mean is not None:
            raise NoPartial("its derivative with a given mean is not covered")
        return deviation(np.var(data, ddof=ddof))

    return definition


def _unweighted(function: Callable[[Any], Any]) -> Callable[..., Any]:
    def definition(data: Any, weights: Any = None) -> Any:
        if weights is not None:
            raise NoPartial("its derivative with weights is not covered")
        return function(data)

    return definition


def _correlation(x: Any, y: Any, /, *, method: str = "linear") -> Any:
    if method != "linear":
        raise NoPartial(f"its derivative with method={method!r} is not covered")
    x, y = x - np.mean(x), y - np.mean(y)
    return np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y))


def _covariance(x: Any, y: Any, /) -> Any:
    return np.sum((x - np.mean(x)) * (y - np.mean(y))) / (np.size(x) - 1)


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "statistics.mean": lambda data: np.mean(data),
    "statistics.fmean": _unweighted(lambda data: np.mean(data)),
    "statistics.geometric_mean": lambda data: np.exp(np.mean(np.log(data))),
    "statistics.harmonic_mean": _unweighted(lambda data: 1 / np.mean(1 / data)),
    "statistics.median": lambda data: np.median(data),
    "statistics.variance": _variance(lambda variance: variance, 1),
    "statistics.pvariance": _variance(lambda variance: variance, 0),
    "statistics.stdev": _variance(np.sqrt, 1),
    "statistics.pstdev": _variance(np.sqrt, 0),
    "statistics.correlation": _correlation,
    "statistics.covariance": _covariance,
}
