"""`@visual_debug` and `trace()`: rewrite once, record every call, hand out a `Trace`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from visual_debug import cpython, policy, record
from visual_debug.context import apart
from visual_debug.errors import TraceError, UntraceableError
from visual_debug.tape import Tape
from visual_debug.traces import Trace

#: The most values that one trace holds, unless told otherwise: 360 MB of floats.
LIMIT = 10_000_000

P = ParamSpec("P")
R = TypeVar("R")


class Traced(Protocol[P, R]):
    """What the decorator makes of a function: the same function, with its traces."""

    trace: Trace
    traces: deque[Trace]
    __wrapped__: Callable[P, R]
    __name__: str
    __qualname__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as ever."""


class NoTrace:
    """Stands for `f.trace` until the first call has finished; whatever is asked of it raises TraceError."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def _refuse(self) -> TraceError:
        return TraceError(f"{object.__getattribute__(self, '_name')} has no trace yet: call it first")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._refuse()

    def __len__(self) -> int:
        raise self._refuse()

    def __getitem__(self, index: object) -> Any:
        raise self._refuse()

    def __iter__(self) -> Iterator[Any]:
        raise self._refuse()

    def __str__(self) -> str:
        raise self._refuse()

    def __repr__(self) -> str:
        return f"<no trace of {object.__getattribute__(self, '_name')} yet>"


@overload
def visual_debug(
    function: Callable[P, R], /, *, follow: str | Iterable[Any] | None = None, limit: int = LIMIT, keep: int = 1
) -> Traced[P, R]: ...


@overload
def visual_debug(
    *, follow: str | Iterable[Any] | None = None, limit: int = LIMIT, keep: int = 1
) -> Callable[[Callable[P, R]], Traced[P, R]]: ...


def visual_debug(
    function: Any = None, /, *, follow: str | Iterable[Any] | None = None, limit: int = LIMIT, keep: int = 1
) -> Any:
    """Record every call of a function, so that its computation can be seen and differentiated.

    The decorated function returns what the plain one does, bit for bit; `f.trace` is the `Trace` of the latest
    finished call, `f.traces` the latest `keep` of them, and `f.__wrapped__` the plain function.

    Args:
        function: a Python function, lambda, generator function, coroutine function, asynchronous generator function,
            bound method, `classmethod`, `staticmethod` or `property`.
        follow: which functions called from it are recorded as well: by default those of the same top-level package
            (or the same file); `"all"`; `()` for none; or functions, modules and package names.
        limit: the most values recorded in one call. Past it the function runs on unrecorded, and `trace.truncated`
            is True.
        keep: how many traces `f.traces` holds.

    The trace of a generator or coroutine is there when it has ended: run out, returned, raised or been closed.

    Raises:
        UntraceableError: for a builtin, a class, or code that cannot be recorded.

    With `VISUAL_DEBUG=0` in the environment the function is returned untouched.
    """
    if keep < 1:
        raise ValueError(f"keep={keep}: at least one trace is kept")
    if limit < 1:
        raise ValueError(f"limit={limit}: at least one value is recorded")
    if function is None:
        return functools.partial(visual_debug, follow=follow, limit=limit, keep=keep)
    if os.environ.get("VISUAL_DEBUG") == "0":
        return function
    again = functools.partial(visual_debug, follow=follow, limit=limit, keep=keep)
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(again(function.__func__))
    if isinstance(function, property):
        getter = again(function.fget) if function.fget is not None else None
        return type(function)(getter, function.fset, function.fdel, function.__doc__)
    if isinstance(function, MethodType):
        return MethodType(again(function.__func__), function.__self__)
    plain = plain_function(function)
    return _decorate(plain, follow, limit, keep)


def plain_function(function: Any) -> FunctionType:
    """The Python function to rewrite. Raises UntraceableError, with the reason, for what is none."""
    if not cpython.supported():
        version = ".".join(map(str, sys.version_info[:2]))
        oldest, newest = (".".join(map(str, v)) for v in (cpython.OLDEST, cpython.NEWEST))
        raise UntraceableError(f"CPython {oldest} to {newest} is supported, not {sys.implementation.name} {version}")
    if isinstance(function, FunctionType):
        return policy.plain_of(function)
    name = getattr(function, "__qualname__", None) or repr(function)
    if isinstance(function, type):
        raise UntraceableError(f"{name} is a class: decorate its methods")
    if isinstance(function, BuiltinFunctionType) or not callable(function):
        kind = "a builtin or C function" if callable(function) else "no function"
        raise UntraceableError(
            f"{name} is {kind} and has no Python bytecode: trace a Python function that calls it, "
            f"as `lambda *args: {getattr(function, '__name__', 'f')}(*args)`"
        )
    raise UntraceableError(
        f"{name} is an object of type {type(function).__name__}, no Python function: trace its method"
    )


def _decorate(plain: FunctionType, follow: str | Iterable[Any] | None, limit: int, keep: int) -> FunctionType:
    followed = policy.policy_for(follow, plain)
    plan = followed.plan(plain.__code__)

    def finish(tape: Tape) -> None:
        trace = Trace(tape)
        traced.trace = trace  # type: ignore[attr-defined]
        traced.traces.append(trace)  # type: ignore[attr-defined]
        record.collect(trace)

    traced = _door(plain, record.Door(plan, followed, finish, plain.__closure__, limit))
    functools.update_wrapper(traced, plain)
    traced.trace = NoTrace(plain.__qualname__)  # type: ignore[attr-defined]
    traced.traces = deque(maxlen=keep)  # type: ignore[attr-defined]
    return traced


def _door(plain: FunctionType, door: record.Door) -> FunctionType:
    """The function that records: the rewritten code on the plain function's globals, defaults and cells."""
    from visual_debug import rewrite

    code = rewrite.open_door(door.policy.code(plain.__code__, door=True), door)
    code = record.register(code, door.plan, True, door.policy)
    traced = FunctionType(code, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    traced.__kwdefaults__ = plain.__kwdefaults__
    return traced


def trace(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Trace:
    """Call any Python function, decorated or not, and return the trace of the call.

    A generator is run to its end, a coroutine by `asyncio.run`. Bound methods, `functools.partial` objects and objects
    with a `__call__` of Python are called as they are.

    Raises what the call raises, and UntraceableError for what has no Python code.
    """
    while isinstance(function, functools.partial):
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        function = function.func
    own_call = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(own_call, FunctionType) and not isinstance(function, type):
        function = MethodType(own_call, function)
    if isinstance(function, MethodType):
        args = (function.__self__, *args)
        function = function.__func__
    plain = plain_function(function)
    followed = policy.policy_for(None, plain)
    plan = followed.plan(plain.__code__)
    finished: list[Tape] = []
    door = record.Door(plan, followed, finished.append, plain.__closure__, LIMIT)
    with apart():
        run_to_end(_door(plain, door), args, kwargs)
    return Trace(finished[-1])


def run_to_end(function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a function and, if that only makes a generator or coroutine, run it; returns what the call returned.

    Raises UntraceableError for a coroutine where an event loop is running already.
    """
    result = function(*args, **kwargs)
    if inspect.isgenerator(result):
        deque(result, maxlen=0)
    elif inspect.iscoroutine(result) or inspect.isasyncgen(result):
        import asyncio

        task = result if inspect.iscoroutine(result) else _exhaust(result)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(task)
        task.close()
        raise UntraceableError(
            f"{function.__qualname__} is asynchronous and an event loop is running: decorate it with @visual_debug, "
            "await it, and look at its trace"
        )
    return result


async def _exhaust(iterator: AsyncIterator[Any]) -> None:
    async for _ in iterator:
        pass


@contextmanager
def recording() -> Iterator[list[Trace]]:
    """Collect the traces of all calls of traced functions that finish in this context (thread or task).

    >>> from visual_debug import visual_debug, recording
    >>> @visual_debug
    ... def double(x):
    ...     return 2 * x
    >>> with recording() as traces:
    ...     result = double(3), double(4)
    >>> [t.result for t in traces]
    [6, 8]
    """
    traces: list[Trace] = []
    with record.collecting(traces):
        yield traces
