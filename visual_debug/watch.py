"""Watching live: stop at the operation that yields a NaN, or whatever a predicate says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from visual_debug import display, kinds
from visual_debug.errors import StoppedError
from visual_debug.tracing.tape import Site


def check(stop: Any) -> None:
    """Raise ValueError or TypeError for what cannot be stopped at."""
    if isinstance(stop, str):
        if stop != "nonfinite":
            raise ValueError(f"stop={stop!r}: give 'nonfinite', or a predicate of values")
    elif not callable(stop):
        raise TypeError(f"stop={stop!r}: give 'nonfinite', or a predicate of values")


def watcher(stop: str | Callable[[Any], bool]) -> Callable[[Any], None]:
    """What looks at every value: it raises StoppedError at the frame that computed one to stop at."""
    if isinstance(stop, str):

        def watch(value: Any) -> None:
            if type(value) is float:
                if value - value == 0:
                    return
            elif not is_nonfinite(value):
                return
            raise stopped(value, "is not finite")

    else:
        predicate = stop

        def watch(value: Any) -> None:
            if kinds.is_number(value) and predicate(value):
                raise stopped(value, f"is what {getattr(predicate, '__name__', 'the predicate')} says to stop at")

    return watch


def is_nonfinite(value: Any) -> bool:
    """Whether a number, or an element of an array, is NaN or infinite."""
    if isinstance(value, (float, complex)):
        return value - value != 0
    if getattr(getattr(value, "dtype", None), "kind", "") in ("f", "c"):
        import numpy

        return not bool(numpy.isfinite(value).all())
    return False


def stopped(value: Any, why: str) -> StoppedError:
    """The error for what the frame two above has computed."""
    frame = sys._getframe(2)
    code = frame.f_code
    positions = list(code.co_positions())[frame.f_lasti // 2]
    site = Site(code.co_filename, code.co_qualname, (positions[0], positions[1], positions[2], positions[3]))
    return StoppedError(f"{site}: `{site.text}` in {site.function} is {display.value_text(value)}, which {why}", value)
