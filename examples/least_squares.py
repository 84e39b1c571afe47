"""Which of the measurements decides? A least-squares fit, and the derivative of what it predicts by every point.

visual-debug examples/least_squares.py:prediction           # the tree of the prediction, and its gradient
visual-debug examples/least_squares.py:prediction -o out/   # how it flows back through the fit to the points
python examples/least_squares.py                            # fit, predict, and rank the points
"""

import numpy as np

from visual_debug import visual_debug

T = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 6.0])
Y = np.array([1.1, 1.9, 3.2, 3.8, 5.3, 6.8])


@visual_debug
def prediction(t=T, y=Y, at=8.0):
    """The value at a later time of the straight line that fits best."""
    design = np.column_stack([np.ones_like(t), t])
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    return coefficients[0] + coefficients[1] * at


def normal_equations(t, y, at):
    """The same through the normal equations: the derivative by y is a weight for each point."""
    design = np.column_stack([np.ones_like(t), t])
    return np.array([1.0, at]) @ np.linalg.solve(design.T @ design, design.T)


def main():
    """Print the prediction, and by how much it moves with each measurement."""
    print(f"prediction at 8: {prediction():.4f}")
    gradient = prediction.trace.grad()
    weights = normal_equations(T, Y, 8.0)
    print("     t      y   d/dt      d/dy      weight in the normal equations")
    for t, y, by_t, by_y, weight in zip(T, Y, gradient["t"], gradient["y"], weights, strict=True):
        print(f"{t:6.1f} {y:6.1f}  {by_t:+.5f}  {by_y:+.5f}  {weight:+.5f}")


if __name__ == "__main__":
    main()
