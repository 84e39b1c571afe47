"""Assertions for tests of numeric code; what fails is explained by the diagnosis.

from visual_debug.testing import assert_digits, assert_finite_gradient

def test_root():
    assert_digits(root, (1.0, 1e8, 1.0), digits=10)

The arguments of the call are given as a tuple, or one after the other as in the call itself; a lone tuple that the function
cannot be called with so is itself the argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from visual_debug.decorator import trace
from visual_debug.traces import Trace


def assert_digits(
    function: Callable[..., Any], /, *args: Any, digits: float = 10, literals: str = "recorded", **kwargs: Any
) -> None:
    """Assert that the result of a call is right to at least so many decimal digits.

    The truth is the recorded computation evaluated again in as many digits as it takes. Needs mpmath.

    Args:
        function: called with the other arguments.
        *args: a tuple of them, or they themselves.
        digits: how many correct digits the worst number of the result must have.
        literals: as for `Trace.truth`.
        **kwargs: keywords of the call.

    Raises:
        AssertionError: with where the digits are lost; also if in truth a branch would have gone another way, or part
            of the computation could not be checked.
    """
    __tracebackhide__ = True
    found = _traced(function, args, kwargs)
    truth = found.truth(literals=literals)
    if truth.kept:
        raise AssertionError(f"{found.function} could not be checked to {digits} digits\n{truth}")
    if truth.digits < digits or truth.unsettled:
        raise AssertionError(f"{found.function} is right to {truth.digits:.1f} digits, not {digits}\n{truth}")
    if truth.flipped:
        raise AssertionError(f"{found.function} takes another branch than in truth\n{truth}")


def assert_finite_gradient(
    function: Callable[..., Any], /, *args: Any, of: Any = None, seed: Any = None, **kwargs: Any
) -> None:
    """Assert that the gradient of a call is finite in every element.

    Args:
        function: called with the other arguments.
        *args: a tuple of them, or they themselves.
        of: as for `Trace.grad`.
        seed: as for `Trace.grad`.
        **kwargs: keywords of the call.

    Raises:
        AssertionError: with the edge of the reverse pass where the NaN or infinity was born, and what to write.
    """
    __tracebackhide__ = True
    found = _traced(function, args, kwargs)
    health = found.gradient_health(of=of, seed=seed)
    if not health.finite:
        forward = f"\n{found.nonfinite()}" if health.forward else ""
        raise AssertionError(f"the gradient of {found.function} is not finite\n{health}{forward}")


def _traced(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Trace:
    """The trace of a call whose arguments may be given as one tuple."""
    if len(args) == 1 and type(args[0]) is tuple:
        try:
            inspect.signature(function).bind(*args[0], **kwargs)
        except (TypeError, ValueError):
            pass  # it takes the tuple itself
        else:
            args = args[0]
    return trace(function, *args, **kwargs)
