"""Numbers of classes stay on the tape though nobody else holds them, also as owners of methods and in tuples."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from visual_debug import visual_debug


class Other:
    pass


@visual_debug
def of_fraction(x, other):
    pair = (x, other)
    numerator, denominator = x.as_integer_ratio()
    return pair[0] * numerator + x.limit_denominator(2) / denominator


@visual_debug
def of_decimal(x):
    return x.sqrt() + x


def test_numbers_that_only_the_trace_holds():
    assert of_fraction(1 / Fraction(9, 4), Other()) == of_fraction.trace[len(of_fraction.trace) - 1].value
    assert of_fraction.trace.inputs["x"].value == Fraction(4, 9)
    assert "4/9" in str(of_fraction.trace)
    assert of_decimal(Decimal(1) + 1) == Decimal(2).sqrt() + 2
    assert [node.value for node in of_decimal.trace] == [2, Decimal(2).sqrt(), Decimal(2).sqrt() + 2]
