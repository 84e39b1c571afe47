"""The tape that this context (thread or task) is recording on, if any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from visual_debug.tracing.tape import Tape


class Nowhere:
    """The tape of a context that records nothing. Recorded code that comes here changes over to its plain copy."""

    __slots__ = ()

    policy = None
    end = (0, 0)
    is_open = False
    has_objects = True

    @property
    def bottom(self) -> tuple[Iterator[None], list[int], list[Any]]:
        """An empty tank, and lists that nobody will read."""
        return iter(()), [], []


NOWHERE = Nowhere()
tape_here: ContextVar[Tape | Nowhere] = ContextVar("visual_debug_tape", default=NOWHERE)


def current() -> Tape | None:
    """The tape of this context, if it is being recorded."""
    tape = tape_here.get()
    return None if isinstance(tape, Nowhere) else tape


@contextmanager
def apart() -> Iterator[None]:
    """Within it, a function that is entered begins a tape of its own, whatever is being recorded."""
    token = tape_here.set(NOWHERE)
    try:
        yield
    finally:
        tape_here.reset(token)
