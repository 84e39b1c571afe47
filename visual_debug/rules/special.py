"""Special functions that the derivatives need and Python's math module lacks."""

from __future__ import annotations

import math

#: B(2k) / 2k for k = 1 … 7, from the Bernoulli numbers 1/6, -1/30, 1/42, -1/30, 5/66, -691/2730, 7/6.
_ASYMPTOTIC = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)

#: From here on the first omitted term, B(16) / (16 x**16), is below 5e-17.
_LARGE = 10.0


def digamma(x: float) -> float:
    """The logarithmic derivative of the gamma function; NaN at its poles 0, -1, -2, ….

    Absolute error a few 1e-16 on the positive axis. DLMF 5.11.2 (asymptotic series), 5.5.2 (recurrence),
    5.5.4 (reflection).
    """
    x = float(x)
    if x <= 0:
        return _reflected(x)
    shift = 0.0
    while x < _LARGE:
        shift += 1 / x
        x += 1
    power, series = 1.0, 0.0
    for coefficient in _ASYMPTOTIC:
        power /= x * x
        series += coefficient * power
    return math.log(x) - 0.5 / x - series - shift


def _reflected(x: float) -> float:
    """Digamma for x <= 0, by digamma(1 - x) - pi / tan(pi x)."""
    if math.isinf(x) or x == math.floor(x):
        return math.nan
    # tan has period pi: the fraction keeps the digits that pi * x would lose for a large x.
    fraction = x - round(x)
    return digamma(1 - x) - math.pi / math.tan(math.pi * fraction)
