"""How warm was the rod before? The heat equation by finite differences, written with slices in place.

visual-debug examples/heat_equation.py:misfit           # the tree of the misfit, and its gradient by the first temperatures
visual-debug examples/heat_equation.py:misfit -o out/   # every version of the array, and the adjoints going back in time
python examples/heat_equation.py                        # find the temperatures at the start from those at the end
"""

import numpy as np

from visual_debug import visual_debug

START = np.array([0.0, 0.1, 0.4, 1.0, 0.6, 0.2, 0.0])
SEEN = np.array([0.0, 0.2, 0.4, 0.5, 0.4, 0.2, 0.0])


def diffuse(u, rate, steps):
    """Explicit steps in time: each inner point moves towards the mean of its neighbours; the ends stay."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1] += rate * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


@visual_debug
def misfit(u=START, seen=SEEN, rate=0.2, steps=3):
    """How far from what was seen the rod ends up."""
    end = diffuse(u, rate, steps)
    return np.sum((end - seen) ** 2)


def recover(seen, rate, steps, turns=6000, pace=0.4):
    """The temperatures at the start that lead to those seen, by gradient descent on the misfit."""
    u = seen.copy()
    for _ in range(turns):
        misfit(u, seen, rate, steps)
        u = u - pace * misfit.trace.grad("u")
    return u


def main():
    """Cool a rod with a hot spot, then find the hot spot again."""
    x = np.linspace(0.0, 1.0, 11)
    start = np.exp(-(((x - 0.4) / 0.15) ** 2))
    seen = diffuse(start, 0.2, 4)
    found = recover(seen, 0.2, 4)
    print("     x   start    seen   found")
    for row in zip(x, start, seen, found, strict=True):
        print("  ".join(f"{value:6.3f}" for value in row))


if __name__ == "__main__":
    main()
