"""`@visual_debug` and `trace()`: rewrite once, record every call, hand out a `Trace`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from visual_debug import cpython, watch
from visual_debug.errors import UntraceableError
from visual_debug.explain import ARITHMETIC, explain
from visual_debug.traced import Traced
from visual_debug.traces import NoTrace, Trace, made
from visual_debug.tracing import policy, record, rewrite
from visual_debug.tracing.context import apart
from visual_debug.tracing.tape import Tape

#: The most values that one trace holds, unless told otherwise: 360 MB of floats.
LIMIT = 10_000_000

#: What to stop at: "nonfinite", or a predicate of values.
Stop = str | Callable[[Any], bool]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
PropertyT = TypeVar("PropertyT", bound=property)


class Decorator(Protocol):
    """The decorator with its options given."""

    @overload
    def __call__(self, function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
    @overload
    def __call__(self, function: staticmethod[P, R], /) -> staticmethod[P, R]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, function: PropertyT, /) -> PropertyT: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Traced[P, R]: ...


@overload
def visual_debug(
    function: classmethod[T, P, R],
    /,
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> classmethod[T, P, R]: ...
@overload
def visual_debug(  # type: ignore[overload-overlap]
    function: staticmethod[P, R],
    /,
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> staticmethod[P, R]: ...
@overload
def visual_debug(
    function: PropertyT,
    /,
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> PropertyT: ...
@overload
def visual_debug(
    function: Callable[P, R],
    /,
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> Traced[P, R]: ...
@overload
def visual_debug(
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> Decorator: ...


def visual_debug(
    function: Any = None,
    /,
    *,
    follow: str | Iterable[Any] | None = None,
    limit: int = LIMIT,
    last: int | None = None,
    keep: int = 1,
    stop: Stop | None = None,
    snapshots: str = "writes",
) -> Any:
    """Record every call of a function, so that its computation can be seen and differentiated.

    The decorated function returns what the plain one does, bit for bit; `f.trace` is the `Trace` of the latest
    finished call, `f.traces` the latest `keep` of them, and `f.__wrapped__` the plain function.

    Args:
        function: a Python function, lambda, generator function, coroutine function, asynchronous generator function,
            bound method, `classmethod`, `staticmethod` or `property`.
        follow: which functions called from it are recorded as well: by default those of the same top-level package
            (or the same file); `"all"`, but for the methods of `Fraction` and kin, which are operations themselves; `()`
            for none; or functions, modules and package names.
        limit: the most values recorded in one call. Past it the function runs on unrecorded, and `trace.truncated`
            is True.
        last: keep the newest values only, at least so many and seldom more than three times as many: a flight recorder
            for long runs. Older ones are forgotten between two turns of a loop of the function itself; the trace then
            begins there, with the variables as they were for its inputs.
        keep: how many traces `f.traces` holds.
        snapshots: when the content of an array is copied, so that what was computed from it stays true. `"writes"`:
            before it is written to by what is known to write; and arrays of up to a MiB before they are handed to
            code that is not recorded. Whether such code has changed a larger one is looked up in a sample of its
            elements; if it has, the old content is shown as lost. `"always"`: arrays of any size, before every call
            that is handed one and is not recorded.
        stop: what to stop at: `"nonfinite"`, the first NaN or infinity that an operator or a call yields, or a
            predicate of numbers and arrays. At that operation StoppedError is raised, and `f.trace` is the trace up to
            there; a predicate may as well call `breakpoint()`. Every operation then costs a call.

    The trace of a generator or coroutine is there when it has ended: run out, returned, raised or been closed.

    Raises:
        UntraceableError: for a builtin, a class, or code that cannot be recorded.

    With `VISUAL_DEBUG=0` in the environment the function is returned untouched.
    """
    for name, number in (("keep", keep), ("limit", limit), ("last", last)):
        if number is not None and not isinstance(number, int):
            raise TypeError(f"{name}={number!r}: give an int")
    if keep < 1:
        raise ValueError(f"keep={keep}: at least one trace is kept")
    if limit < 1:
        raise ValueError(f"limit={limit}: at least one value is recorded")
    if last is not None and last < 1:
        raise ValueError(f"last={last}: at least one value is kept")
    if stop is not None:
        watch.check(stop)
    if snapshots not in ("writes", "always"):
        raise ValueError(f"snapshots={snapshots!r}: 'writes' or 'always'")
    options: dict[str, Any] = {
        "follow": follow,
        "limit": limit,
        "last": last,
        "keep": keep,
        "snapshots": snapshots,
        "stop": stop,
    }
    if function is None:
        return functools.partial(visual_debug, **options)
    if os.environ.get("VISUAL_DEBUG") == "0":
        return function
    again: Callable[[Any], Any] = functools.partial(visual_debug, **options)
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(again(function.__func__))
    if isinstance(function, property):
        getter = again(function.fget) if function.fget is not None else None
        return type(function)(getter, function.fset, function.fdel, function.__doc__)
    if isinstance(function, MethodType):
        return MethodType(again(function.__func__), function.__self__)
    plain = plain_function(function)
    traced = _copy(plain)
    functools.update_wrapper(traced, plain)
    _equip(traced, plain, **options)
    return traced


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


def _copy(plain: FunctionType) -> FunctionType:
    copy = FunctionType(plain.__code__, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__kwdefaults__ = plain.__kwdefaults__
    return copy


class Traces(deque[Trace]):
    """The traces of a decorated function, the newest last.

    Tools that pickle functions by value, as cloudpickle does, pickle their attributes. Rewritten code is good for its
    own process only, so this attribute makes the function a traced one again where it is unpickled, without traces.
    """

    of: Callable[[], FunctionType | None]
    options: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        function = self.of()
        state = None if function is None else (function, policy.plain_code(function), self.options)
        return Traces, ((), self.maxlen), state

    def __setstate__(self, state: tuple[FunctionType, CodeType, dict[str, Any]]) -> None:
        function, code, self.options = state
        self.of = weakref.ref(function)
        if any(type(const) is record.Elsewhere for const in function.__code__.co_consts):
            function.__code__ = code
            if os.environ.get("VISUAL_DEBUG") != "0":
                _equip(function, _copy(function), **self.options)

    def __deepcopy__(self, memo: object) -> deque[Trace]:
        return deque(self, self.maxlen)


def _equip(traced: FunctionType, plain: FunctionType, **options: Any) -> None:
    """Make a copy of a plain function record its calls and keep the traces."""
    # A code object is nothing that the garbage collector sees into: what its constants lead to must not lead back.
    of = weakref.ref(traced)

    def finish(tape: Tape) -> None:
        trace = Trace()
        trace._tape = tape
        if tape.exception is not None and isinstance(tape.exception, ARITHMETIC):
            explain(trace, len(tape.values))
        function = of()
        if function is not None:
            function.trace = trace  # type: ignore[attr-defined]
            function.traces.append(trace)  # type: ignore[attr-defined]
        if record.collecting_somewhere:
            record.collect(trace)

    _open(traced, plain, _door(plain, finish, options))
    traces = Traces(maxlen=options["keep"])
    traces.of, traces.options = of, options
    traced.trace = NoTrace(plain.__qualname__, traces)  # type: ignore[attr-defined]
    traced.traces = traces  # type: ignore[attr-defined]


def _door(plain: FunctionType, finish: Callable[[Tape], None], options: dict[str, Any]) -> record.Door:
    followed = policy.policy_for(options["follow"], plain, always=options.get("snapshots") == "always")
    if options.get("stop") is not None:
        followed = policy.watching(followed, watch.watcher(options["stop"]))
    return record.Door(followed.plan(plain.__code__), followed, finish, options["limit"], options["last"] or 0)


def _open(function: FunctionType, plain: FunctionType, door: record.Door) -> None:
    """Give a copy of a plain function the code that records."""
    door.of = weakref.ref(function)
    code = rewrite.open_door(door.policy.code(plain.__code__, door=True), door)
    function.__code__ = record.register(code, door.plan, True, door.policy)


_DEFAULTS: dict[str, Any] = {"follow": None, "limit": LIMIT, "last": None}


def trace(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Trace:
    """Call any Python function, decorated or not, and return the trace of the call.

    A generator is run to its end, a coroutine by `asyncio.run`. Bound methods, `functools.partial` objects and objects
    with a `__call__` of Python are called as they are. What a decorated function was given as `follow`, `limit`, `last`,
    `stop` and `snapshots` holds here, too.

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
    traces = vars(function).get("traces")
    options = traces.options if isinstance(traces, Traces) and traces.of() is function else _DEFAULTS
    finished: list[Tape] = []
    traced = _copy(plain)
    _open(traced, plain, _door(plain, finished.append, options))
    with apart():
        run_to_end(traced, args, kwargs)
    return made(finished[-1])


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
