"""A finite value with a NaN gradient: the edge where 0 met infinity, and the guard to write.

    visual-debug examples/gradient_nan.py:distance x=3.0 y=4.0              # a gradient as it should be
    visual-debug check examples/gradient_nan.py:distance x=0.0 y=0.0        # at the origin there is none
    python examples/gradient_nan.py                                         # and how `where` hides it

np.where picks the good branch of the value, but the gradient of the other is 0 * inf = NaN.
"""

import math

import numpy as np

from visual_debug import visual_debug


@visual_debug
def distance(x, y):
    """The distance from the origin, whose root has an infinite slope there."""
    return math.sqrt(x * x + y * y)


@visual_debug
def total_root(x):
    """The sum of the roots of what is positive: the value is right, the gradient is not."""
    return np.where(x > 0, np.sqrt(x), 0.0).sum()


@visual_debug
def guarded(x):
    """The same with the input guarded, as the report says."""
    return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0).sum()


def main():
    """Show the gradients and their health."""
    x = np.array([4.0, 0.0])
    for function in (total_root, guarded):
        print(f"{function.__name__}({x}) = {function(x)}, gradient {function.trace.grad('x')}")
        print(function.trace.gradient_health())
    distance(0.0, 0.0)
    print("distance at the origin:", distance.trace.gradient_health(), sep="\n")


if __name__ == "__main__":
    main()
