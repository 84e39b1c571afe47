"""Newton's method on Kepler's equation, E - e·sin(E) = M: a loop that stops when its step is small.

    visual-debug examples/newton.py:anomaly mean=1.0 eccentricity=0.3            # as many steps as it took
    visual-debug examples/newton.py:anomaly mean=1.0 eccentricity=0.3 -o out/    # and a picture of each
    python examples/newton.py                                                    # how the root moves with M

The gradient goes through every iteration of the loop, and agrees with what the implicit function theorem says of the
root: dE/dM = 1 / (1 - e·cos(E)).
"""

import math

from visual_debug import visual_debug


@visual_debug
def anomaly(mean, eccentricity):
    """The eccentric anomaly of a planet: where on its orbit it is, given the time as mean anomaly."""
    angle = mean
    while True:
        residual = angle - eccentricity * math.sin(angle) - mean
        step = residual / (1 - eccentricity * math.cos(angle))
        angle -= step
        if abs(step) < 1e-9:
            return angle


def slope(angle, eccentricity):
    """d root / d mean, by the implicit function theorem."""
    return 1 / (1 - eccentricity * math.cos(angle))


def main():
    """Print the root, what it took to find it, and its derivative in two ways."""
    root = anomaly(1.0, 0.3)
    trace = anomaly.trace
    print(f"E = {root:.12f} after {len(trace.find(name='step'))} steps of Newton's method")
    for number, node in enumerate(trace.find(name="step"), start=1):
        print(f"  step {number}: {node.value:+.3e}")
    print(
        f"dE/dM = {trace.grad('mean'):.12f} through the loop, {slope(root, 0.3):.12f} by the implicit function theorem"
    )


if __name__ == "__main__":
    main()
