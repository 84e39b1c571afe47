"""What a decorated function is to a type checker: the plain function, with its traces, and a method where that is one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import CodeType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from visual_debug.traces import Trace

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)


class Recording(Protocol):
    """What a decorated function has, beside being called."""

    trace: Trace
    traces: deque[Trace]
    __name__: str
    __qualname__: str
    __defaults__: tuple[Any, ...] | None
    __kwdefaults__: dict[str, Any]
    __code__: CodeType


class Traced(Recording, Protocol[P, R_co]):
    """A decorated function."""

    @property
    def __wrapped__(self) -> Callable[P, R_co]:
        """The plain function."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function as ever."""

    @overload
    def __get__(self: Traced[Concatenate[Any, Q], R_co], instance: None, owner: type, /) -> Member[P, Q, R_co]: ...
    @overload
    def __get__(
        self: Traced[Concatenate[Any, Q], R_co], instance: object, owner: type | None = None, /
    ) -> Member[Q, Concatenate[Any, Q], R_co]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None, /) -> Traced[P, R_co]: ...


class Member(Recording, Protocol[P, Q, R_co]):
    """A decorated function that is asked of a class or an instance.

    Whether it is a method, a class method or a static method cannot be told from its type. What is likely comes first:
    of an instance a call without `self`, of a class one with it.
    """

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> R_co: ...
