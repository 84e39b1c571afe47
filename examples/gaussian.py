"""The slope of a Gaussian bump, x·exp(-(x² + y²)/2): a function whose gradient is known in closed form.

visual-debug examples/gaussian.py:gaussian x=2 y=7              # its tree and its gradient
visual-debug examples/gaussian.py:gaussian x=2 y=7 -o out/      # a picture of every step of both passes
python examples/gaussian.py                                     # the gradient beside the closed form
python examples/gaussian.py out/                                # and the pictures, from Python
"""

import math
import sys

from visual_debug import visual_debug


@visual_debug
def gaussian(x, y):
    """x·exp(-(x² + y²)/2)."""
    return x * math.exp(-0.5 * (x**2 + y**2))


def closed_form(x, y):
    """The gradient as one would work it out by hand."""
    bump = math.exp(-0.5 * (x**2 + y**2))
    return {"x": (1 - x**2) * bump, "y": -x * y * bump}


def main(folder=None):
    """Compare the two gradients at (0.5, 1); draw every step if there is a folder for it."""
    print("gaussian(0.5, 1.0) =", gaussian(0.5, 1.0))
    recorded, by_hand = gaussian.trace.grad(), closed_form(0.5, 1.0)
    for name in recorded:
        print(f"  d/d{name}: {recorded[name]:.12f} by reverse mode, {by_hand[name]:.12f} by hand")
    if folder is not None:
        pictures = gaussian.trace.export_steps(folder)
        print(f"wrote {len(pictures)} pictures to {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
