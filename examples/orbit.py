"""A planet's orbit by the Runge-Kutta method: functions that pass tuples, and one number at the end of it.

    visual-debug examples/orbit.py:energy_drift vx=0.0 vy=1.1 steps=1           # one step, few enough to look at
    visual-debug examples/orbit.py:energy_drift vx=0.0 vy=1.1 steps=1 -o out/
    python examples/orbit.py                                                    # 60 steps, and a check of the gradient

The exact orbit keeps its energy. How much the computed one loses depends on the initial velocity, and the gradient
of that loss is taken through every step of the integration.
"""

import math

from visual_debug import visual_debug


def velocity_and_pull(state):
    """The time derivative of (x, y, vx, vy) around a sun of mass 1 at the origin."""
    x, y, vx, vy = state
    cube = (x * x + y * y) ** 1.5
    return vx, vy, -x / cube, -y / cube


def moved(state, slope, time):
    """The state after going along a slope for some time."""
    return [s + time * k for s, k in zip(state, slope)]


def runge_kutta(state, time):
    """One step of the classical fourth-order method."""
    k1 = velocity_and_pull(state)
    k2 = velocity_and_pull(moved(state, k1, time / 2))
    k3 = velocity_and_pull(moved(state, k2, time / 2))
    k4 = velocity_and_pull(moved(state, k3, time))
    return [s + time / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4)]


def energy(state):
    """Kinetic plus potential energy."""
    x, y, vx, vy = state
    return (vx * vx + vy * vy) / 2 - 1 / math.sqrt(x * x + y * y)


@visual_debug
def energy_drift(vx, vy, steps=60, time=0.1):
    """The energy that the computed orbit has gained after some steps, starting at (1, 0)."""
    start = state = (1.0, 0.0, vx, vy)
    for _ in range(steps):
        state = runge_kutta(state, time)
    return energy(state) - energy(start)


def main():
    """Print the drift and its gradient, beside central differences."""
    vx, vy, small = 0.0, 1.1, 1e-5
    drift = energy_drift(vx, vy)
    trace = energy_drift.trace
    print(f"energy drift after 60 steps: {drift:.6e}, from {len(trace)} recorded values")
    plain = energy_drift.__wrapped__
    differences = {
        "vx": (plain(vx + small, vy) - plain(vx - small, vy)) / (2 * small),
        "vy": (plain(vx, vy + small) - plain(vx, vy - small)) / (2 * small),
    }
    for name, difference in differences.items():
        print(f"  d/d{name}: {trace.grad(name):+.9e} by reverse mode, {difference:+.9e} by differences")


if __name__ == "__main__":
    main()
