"""Objects that are compared or searched for: what they hold is left alone unless code of their own does the comparing."""

from __future__ import annotations

import pytest

import visual_debug as vd

UNFOLLOWED: dict[str, object] = {}
exec(  # noqa: S102 - functions of another file, which are not followed
    compile(
        """
class Sly:
    def __init__(self, x):
        self.x = x
    def __eq__(self, other):
        other.x = self.x * 2
        return False
    __hash__ = None
""",
        "elsewhere.py",
        "exec",
    ),
    UNFOLLOWED,
)
Sly = UNFOLLOWED["Sly"]


class Particle:
    def __init__(self, x):
        self.x = x
        self.is_fixed = False

    def moved(self):
        return self.x * 2


class Ranked:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __lt__(self, other):
        return self.x < other.x

    __hash__ = None


def by_identity(x):
    particles = [Particle(x), Particle(2 * x)]
    particles[0].x *= 3
    total = 0.0
    for particle in particles:
        total += particle.x * 2 if particles[0] == particle else particle.moved()
        if particle != particles[0] and particle in particles and particle != None:
            total += particle.x
        if not particle.is_fixed:
            total += particle.x
    return total


def by_methods(x):
    a, b = Ranked(x), Ranked(2 * x)
    least = min(b, a)
    return least.x * b.x if a != b and b in [a, b] else 0.0


@pytest.mark.parametrize(("program", "slope"), [(by_identity, lambda x: 17.0), (by_methods, lambda x: 4 * x)])
def test_objects_are_compared(program, slope):
    trace = vd.trace(program, 1.5)
    assert not [node for node in trace.find(op="opaque") if not isinstance(node.value, bool)]
    assert trace.grad("x") == slope(1.5)


def compared(x, sly, other):
    sly.x = x
    other.x = x * x
    sly == other  # noqa: B015
    return other.x


def searched(x, sly, other):
    sly.x = x
    other.x = x * x
    other in [1.0, sly]  # noqa: B015
    return other.x


@pytest.mark.parametrize("program", [compared, searched])
def test_code_that_compares_may_write(program):
    other = Sly(0.0) if program is compared else Particle(0.0)
    trace = vd.trace(program, 1.5, Sly(0.0), other)
    assert trace.result == 3.0
    with pytest.raises(vd.NoDerivativeError, match="not recorded"):
        trace.grad("x")
