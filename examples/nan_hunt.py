"""A NaN in the result: where it was born, and why the other infinity on the way does no harm.

    visual-debug examples/nan_hunt.py:evidence scores=[800.0,2.0]              # its tree
    visual-debug check examples/nan_hunt.py:evidence scores=[800.0,2.0]        # what is wrong with it
    visual-debug check examples/nan_hunt.py:stable scores=[800.0,2.0]          # and that nothing is wrong any more
    python examples/nan_hunt.py                                                 # the same from Python

The softmax of large scores overflows to inf, and inf / inf is NaN. Subtracting the largest score first cures it.
"""

import math

import visual_debug as vd
from visual_debug import StoppedError, visual_debug


def power(x):
    """e**x, inf where it is too large for a float."""
    return math.exp(x) if x < 709 else x * 1e306 * 1e306


@visual_debug
def evidence(scores):
    """The share of the first score in the softmax, as one would write it."""
    powers = [power(score) for score in scores]
    return powers[0] / sum(powers)


@visual_debug
def stable(scores):
    """The same, relative to the largest score."""
    largest = max(scores)
    powers = [power(score - largest) for score in scores]
    return powers[0] / sum(powers)


def main():
    """Find the birth of the NaN, then stop at it, then see it cured."""
    print("evidence =", evidence([800.0, 2.0]))
    report = evidence.trace.nonfinite()
    print(report)
    print("the cause is", report.cause.kind, "in line", report.cause.place.line)
    watched = vd.visual_debug(evidence.__wrapped__, stop="nonfinite")
    try:
        watched([800.0, 2.0])
    except StoppedError as error:
        print("stopped at", error.value, "with", len(watched.trace), "values recorded")
    print("stable =", stable([800.0, 2.0]), "and", stable.trace.nonfinite())


if __name__ == "__main__":
    main()
