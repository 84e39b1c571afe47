"""The exceptions of the package: each says what is wrong, where, and what to do about it."""

from __future__ import annotations


class VisualDebugError(Exception):
    """Base class of every error that visual_debug raises on its own account.

    An exception raised by the traced function itself is never wrapped: it reaches the caller as it is.
    """


class UntraceableError(VisualDebugError):
    """The object cannot be rewritten: it has no Python bytecode, or holds a construct that cannot be recorded."""


class NoDerivativeError(VisualDebugError):
    """A gradient needs the derivative of an operation that has none, or none that is known.

    A missing derivative is never taken as zero.
    """


class TraceError(VisualDebugError):
    """A trace that does not exist (yet), is inconsistent, or cannot answer the question asked."""


class RenderError(VisualDebugError):
    """A picture cannot be made: unknown suffix or view, too many nodes, or no layout engine."""


class StoppedError(VisualDebugError):
    """What `@visual_debug(stop=…)` raises at the operation that yielded what it was to stop at.

    Attributes: `value`, what the operation yielded.
    """

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = value
