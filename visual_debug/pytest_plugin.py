"""pytest: `--visual-debug` shows, for a failing test, the traces of the functions that it called, as code with values.

Which functions: those that are decorated with `@visual_debug`, and those that the marker names:

    @pytest.mark.visual_debug("package.module:function", ...)

Without the option nothing is recorded but what is decorated, and nothing is shown. The fixture `visual_debug_trace`
traces one call in any case, and shows it if the test fails and the option is given.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from visual_debug.errors import VisualDebugError

if TYPE_CHECKING:
    from visual_debug.traces import Trace

#: Traces that are shown of one test, the latest ones, and lines of each.
MOST_TRACES = 3
MOST_LINES = 200
_TRACES = pytest.StashKey[list["Trace"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and its line for the configuration file."""
    words = "for a failing test, show how the functions under test computed their values"
    parser.getgroup("visual_debug").addoption("--visual-debug", action="store_true", default=False, help=words)
    parser.addini("visual_debug", words, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line(
        "markers", "visual_debug(*functions): with --visual-debug, record these functions ('package.module:function')"
    )


def _is_on(config: pytest.Config) -> bool:
    return bool(config.getoption("--visual-debug") or config.getini("visual_debug"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Record while a test runs."""
    if not _is_on(item.config):
        return (yield)
    from visual_debug import decorator

    with ExitStack() as stack:
        for mark in item.iter_markers("visual_debug"):
            for target in mark.args:
                stack.enter_context(_replaced(target, getattr(item, "module", None)))
        item.stash[_TRACES] = stack.enter_context(decorator.recording())
        return (yield)


@contextmanager
def _replaced(target: str, module: Any) -> Iterator[None]:
    """A function replaced by the traced one, where it is defined and where the test's module has imported it."""
    from visual_debug import decorator

    place, colon, name = target.partition(":")
    if not colon:
        raise VisualDebugError(f"visual_debug({target!r}): name a function, as 'package.module:function'")
    try:
        owner: Any = importlib.import_module(place)
    except ImportError as error:
        raise VisualDebugError(f"visual_debug({target!r}): {place} cannot be imported: {error}") from error
    *outer, last = name.split(".")
    for part in outer:
        owner = getattr(owner, part, None)
    plain = getattr(owner, "__dict__", {}).get(last)
    if plain is None:
        raise VisualDebugError(f"visual_debug({target!r}): there is no {name} in {place}")
    traced = decorator.visual_debug(plain)
    holders = [(owner, last)]
    if module is not None and not outer:
        holders += [(module, n) for n, value in vars(module).items() if value is plain and module is not owner]
    for holder, attribute in holders:
        setattr(holder, attribute, traced)
    try:
        yield
    finally:
        for holder, attribute in holders:
            setattr(holder, attribute, plain)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Add the latest traces to the report of a test that failed."""
    report: Any = yield
    traces = item.stash.get(_TRACES, [])
    if call.when == "call" and report.failed and traces:
        left = len(traces) - MOST_TRACES
        if left > 0:
            report.sections.append(("visual_debug", f"{left} earlier traces are not shown"))
        for trace in traces[-MOST_TRACES:]:
            report.sections.append((f"visual_debug: {trace!r}", _shown(trace)))
    return report  # type: ignore[no-any-return]


def _shown(trace: Trace) -> str:
    try:
        lines = trace.code().split("\n")
    except VisualDebugError as error:
        return f"the trace cannot be shown: {error}"
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"⋮ {len(lines) - MOST_LINES} more lines"]
    return "\n".join(lines)


@pytest.fixture
def visual_debug_trace(request: pytest.FixtureRequest) -> Callable[..., Trace]:
    """`vd.trace`, whose traces are shown if the test fails."""
    from visual_debug import decorator

    def trace(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Trace:
        result = decorator.trace(function, *args, **kwargs)
        if _is_on(request.config):
            request.node.stash.setdefault(_TRACES, []).append(result)
        return result

    return trace
