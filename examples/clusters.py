"""k-means by gradients: the nearest centre of each point is looked up by fancy indexing.

visual-debug examples/clusters.py:inertia           # the tree of the sum of squares, and its gradient by the centres
visual-debug examples/clusters.py:inertia -o out/   # which points pull at which centre
python examples/clusters.py                         # move the centres until nothing pulls any more
"""

import numpy as np

from visual_debug import visual_debug

POINTS = np.array([[0.1, 0.2], [0.0, -0.1], [-0.2, 0.1], [2.1, 2.0], [1.9, 2.2], [2.2, 1.8], [4.0, 0.1], [4.2, -0.2]])
CENTRES = np.array([[0.5, 0.5], [1.5, 1.5], [3.0, 0.5]])


@visual_debug
def inertia(centres=CENTRES, points=POINTS):
    """Sum of the squared distances of all points to the nearest centre."""
    apart = points[:, None, :] - centres[None, :, :]
    squares = (apart**2).sum(axis=-1)
    nearest = np.argmin(squares, axis=1)
    return ((points - centres[nearest]) ** 2).sum()


def descend(centres, points, turns=40):
    """Newton's method: the second derivative by a centre is twice the number of its points."""
    for _ in range(turns):
        inertia(centres, points)
        nearest = inertia.trace.find(op="numpy.argmin")[0].value
        count = np.bincount(nearest, minlength=len(centres))
        step = inertia.trace.grad("centres") / (2 * np.maximum(count, 1))[:, None]
        centres = centres - step
        if not step.any():
            break
    return centres


def main():
    """Print where the centres end up, and that nothing pulls at them there."""
    print(f"at the start: {inertia():.4f}")
    centres = descend(CENTRES, POINTS)
    print(f"at the end:   {inertia(centres):.4f}")
    for centre, pull in zip(centres, inertia.trace.grad("centres"), strict=True):
        print(f"  centre {np.round(centre, 3)}, gradient {np.round(pull, 12) + 0.0}")


if __name__ == "__main__":
    main()
