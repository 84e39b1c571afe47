"""The same loop in float32 and float64: where they first differ, what adds to it, and which branch goes another way.

    visual-debug examples/float32_vs_float64.py:logistic x=0.4 steps=5              # the loop in float64
    visual-debug check examples/float32_vs_float64.py:logistic x=0.4 steps=60       # how many of its digits are right
    python examples/float32_vs_float64.py                                           # the two side by side

The logistic map doubles every error: float32 has lost all its digits after about 25 steps, float64 after 50.
"""

import numpy as np

from visual_debug import visual_debug


@visual_debug
def logistic(x, steps):
    """Iterate 4x(1 - x); above one half a small part is taken off."""
    for _ in range(steps):
        x = 4 * x * (1 - x)
        if x > 0.99:
            x = x - 0.125
    return x


def main():
    """Compare the runs, replay one in other numbers, and ask for the truth."""
    logistic(0.4, 40)
    double = logistic.trace
    logistic(np.float32(0.4), 40)
    print(double.compare(logistic.trace))
    for system in ("float32", "longdouble", "mpmath"):
        print(f"{system}: {float(double.replay(system).result):.9f}")
    print(double.truth())


if __name__ == "__main__":
    main()
