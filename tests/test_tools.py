"""A traced function works with the tools that people use on functions as the plain one does."""

from __future__ import annotations

import abc
import asyncio
import bdb
import concurrent.futures
import contextlib
import copy
import cProfile
import dis
import doctest
import faulthandler
import functools
import gc
import importlib.util
import inspect
import io
import logging
import math
import multiprocessing
import os
import pdb  # noqa: T100
import pickle
import pstats
import pydoc
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import timeit
import traceback
import tracemalloc
import types
import typing
import unittest.mock
import warnings
import weakref
from pathlib import Path

import pytest

import visual_debug as vd
from tests import programs
from visual_debug import visual_debug
from visual_debug.tracing.twins import Twins

ROOT = Path(__file__).parent.parent


def fresh(function):
    """A traced copy of a function whose code has not been rewritten yet."""
    code = function.__code__.replace()
    copied = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return visual_debug(functools.update_wrapper(copied, function))


def environment(**more):
    """Of this process, but for the options of the pytest that runs in it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **more}


def run(script, *options, **more):
    """What a script prints that is run by an interpreter of its own."""
    command = [sys.executable, *options, script] if isinstance(script, Path) else [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ----------------------------------------------------------------------------------------------------------------------
# Tracebacks and warnings
# ----------------------------------------------------------------------------------------------------------------------


def fails_deep(x):
    y = x * 2
    return fails_chained(y)[
        0
    ]  # fmt: skip


def fails_chained(y):
    try:
        return [1 / (y - y)]
    except ZeroDivisionError as error:
        raise ValueError("no quotient") from error


def fails_within_a_handler(x):
    try:
        x.missing.name  # noqa: B018
    except AttributeError:
        return {}["a"] + x


def fails_in_a_group(x):
    errors = []
    for _ in range(2):
        try:
            x / 0
        except ZeroDivisionError as error:
            errors.append(error)
    raise ExceptionGroup("all", errors)


def fails_behind_a_group(x):
    try:
        fails_in_a_group(x)
    except* ZeroDivisionError:
        raise KeyError(1)


def fails_before_finally(x):
    try:
        return x / 0
    finally:
        x = 1


def fails_again(x):
    try:
        x / 0
    except ZeroDivisionError:  # noqa: TRY203
        raise


def fails_in_with(x):
    with contextlib.nullcontext():
        x / 0


def fails_in_comprehension(x):
    return [v / 0 for v in [x]]


def fails_in_an_argument(x):
    return max(x,
        fails_chained(
            x), key=1)  # fmt: skip


def fails_to_unpack(x):
    _a, _b = x, x, x


def fails_an_assertion(x):
    assert x == 2, (
        "bad"
    )  # fmt: skip


def fails_in_an_inner_function(x):
    def inner(y):
        return y / 0

    return inner(x)


def fails_in_recursion(n):
    return fails_in_recursion(n - 1) + 1 if n else 1 / n


def fails_for_want_of_a_variable(x):
    if not x:
        z = 1
    return z + x


def fails_in_a_chain(x):
    x.real.imag.nope(1)(2)


def fails_in_a_subscript(x):
    return [1, 2][x][0]


def fails_to_iterate(x):
    for _ in x:
        pass


def fails_to_import(x):
    from math import nope  # noqa: F401


def fails_to_bind(x):
    return fails_deep(z=1)


def fails_in_a_callback(x):
    return sorted([x, x], key=lambda v: 1 / 0)


def fails_in_a_generator(x):
    def halves(y):
        yield y / 2
        yield y / 0

    return sum(halves(x))


def fails_with_packed_arguments(x):
    return math.sqrt(*[-x])


FAILING = [value for name, value in list(globals().items()) if name.startswith("fails_")]


def failure(function, argument):
    """The traceback, but for the note that says what the operation had got."""
    try:
        function(argument)
    except Exception as error:  # noqa: BLE001
        vars(error).pop("__notes__", None)
        return traceback.format_exc()


@pytest.mark.parametrize("function", FAILING, ids=lambda f: f.__name__)
def test_traceback_texts_are_those_of_the_plain_function(function):
    expected = failure(function, 3)
    assert function.__name__ in expected
    traced = fresh(function)
    assert failure(traced, 3) == expected
    assert failure(traced, 3) == expected


def test_traceback_of_a_coroutine():
    async def fails(x):
        await asyncio.sleep(0)
        return x / 0

    def text(function):
        try:
            asyncio.run(function(1))
        except ZeroDivisionError as error:
            vars(error).pop("__notes__", None)
            return "".join(traceback.format_exception(error)[-6:])

    assert text(visual_debug(fails)) == text(fails)


def warns(x):
    warnings.warn("here", stacklevel=1)
    warnings.warn("at the caller", stacklevel=2)
    warnings.warn(*("here", UserWarning, 1))
    return (
        warned(x)
        + 1
    )  # fmt: skip


def warned(x):
    warnings.warn("at the call", DeprecationWarning, stacklevel=2)
    return x


def test_warnings_name_the_users_lines():
    def caught(function):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function(1)
        return [(str(w.message), w.category, w.filename, w.lineno) for w in caught]

    expected = caught(warns)
    assert len(expected) == 4
    assert caught(fresh(warns)) == expected


def test_numpy_warnings_name_the_users_line():
    import numpy as np

    def overflows(x):
        y = np.exp(x)
        return y

    with pytest.warns(RuntimeWarning, match="overflow") as caught:
        visual_debug(overflows)(np.array([1000.0]))
    assert (caught[0].filename, caught[0].lineno) == (__file__, overflows.__code__.co_firstlineno + 1)


# ----------------------------------------------------------------------------------------------------------------------
# Debuggers, coverage, profilers
# ----------------------------------------------------------------------------------------------------------------------


def events(function, args, file):
    """What `sys.settrace` tells of code of one file while a function runs."""
    told = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename != file:
            return None
        told.append((event, frame.f_code.co_name, frame.f_lineno, arg[0] if event == "exception" else None))
        return tracer

    sys.settrace(tracer)
    try:
        with contextlib.suppress(Exception):
            function(*copy.deepcopy(args))
    finally:
        sys.settrace(None)
    return told


@pytest.mark.parametrize("case", programs.CASES, ids=lambda c: c.function.__name__)
def test_a_tracer_sees_the_events_of_the_plain_function(case):
    events(case.function, case.args, programs.__file__)  # some count their calls, or find things in a cache then
    expected = events(case.function, case.args, programs.__file__)
    assert ("call", case.function.__name__) in {event[:2] for event in expected}
    traced = fresh(case.function)
    assert events(traced, case.args, programs.__file__) == expected
    assert events(traced, case.args, programs.__file__) == expected


def yields(values):
    for value in values:
        got = yield value * 2
        if got:
            value = got + 1
    return 5


def delegates(values):
    result = yield from yields(values)
    try:
        yield result
    finally:
        result = 0


def consumes(n):
    total = 0
    for value in delegates([1, 2, n]):
        total += value
    items = yields([1, 2])
    next(items)
    items.send(4)
    items.close()
    items = yields([1])
    next(items)
    try:
        items.throw(ValueError("thrown"))
    except ValueError:
        total += 1
    return total + sum(value for value in yields([n]))


async def sleeps(x):
    await asyncio.sleep(0)
    return x + 1


async def counts(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def awaits(n):
    total = 0
    async for i in counts(n):
        total += i
    async with contextlib.AsyncExitStack() as stack:
        total += await sleeps(total)
        stack.pop_all()
    return total + sum(await asyncio.gather(sleeps(1), sleeps(2))) + sum([i async for i in counts(2)])


@pytest.mark.parametrize("limit", [4, 12, 10_000])
@pytest.mark.parametrize("name", ["consumes", "delegates", "awaits"])
def test_a_tracer_sees_the_events_of_generators_coroutines_and_stopped_recordings(name, limit):
    def lines(function):
        def runs(n):
            if name == "consumes":
                function(n)
            elif name == "delegates":
                list(function([n]))
            else:
                asyncio.run(function(n))

        told = events(runs, (3,), __file__)
        # Where code goes on behind a `yield`, the line that it stands on may be told once more.
        return [e for i, e in enumerate(told) if e[0] != "line" or told[i - 1][1:] != e[1:]]

    function = globals()[name]
    lines(function)
    expected = lines(function)
    traced = visual_debug(limit=limit)(function)
    assert lines(traced) == expected
    assert lines(traced) == expected
    if limit != 12:
        assert traced.trace.truncated == (limit == 4)


def debugged_helper(x):
    y = x * 2
    return y + 1


def debugged(x):
    a = x + 1
    b = debugged_helper(a)
    for i in range(2):
        b = b + i
    breakpoint()  # noqa: T100
    c = a * b
    return c


def debugged_failure(x):
    y = x + 1
    z = debugged_helper(y)
    return z / 0


def session(function, commands, skip=None):
    """What the debugger shows when it goes through a function by these commands."""
    shown = io.StringIO()
    bdb.Breakpoint.clearBreakpoints()
    given = io.StringIO("\n".join([*commands, "c", "c"]))
    debugger = pdb.Pdb(stdin=given, stdout=shown, skip=skip, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    hook, sys.breakpointhook = sys.breakpointhook, debugger.set_trace
    tracer = sys.gettrace()
    try:
        debugger.runcall(function, 1)
    except Exception as error:  # noqa: BLE001
        shown.write(repr(error))
    finally:
        sys.breakpointhook = hook
        sys.settrace(tracer)
    return shown.getvalue()


HELPER_LINE = debugged_helper.__code__.co_firstlineno + 2


@pytest.mark.parametrize(
    ("function", "commands"),
    [
        (debugged, "n|n|p a|n|p b|where|c|p b|n|p c|args|!a = 10|p a|return|p __return__|c"),
        (debugged, f"b {__file__}:{HELPER_LINE}|c|p y|where|up|list|p a|down|c|c"),
        (debugged, f"b {__file__}:{HELPER_LINE}, y > 100|c|p b|until {HELPER_LINE + 10}|return|c"),
        (debugged, "tbreak debugged_helper|c|p x|return|n|n|display b|n|n|c"),
        (debugged_failure, "n|n|p y|n|n|n|p z|q"),
    ],
)
def test_pdb_sessions_are_those_of_the_plain_function(function, commands, monkeypatch):
    expected = session(function, commands.split("|"))
    assert len(expected.splitlines()) > 8
    assert session(fresh(function), commands.split("|")) == expected


@pytest.mark.parametrize("function", [debugged, debugged_failure])
def test_pdb_steps_into_what_the_plain_function_calls(function):
    # Without `skip` it steps into the recorder too, as into any library.
    expected = session(function, ["s"] * 14)
    assert "--Call--" in expected
    traced = visual_debug(function)
    session(traced, ["c"])  # else it is the rewriting that it steps into first
    for _ in range(2):
        assert session(traced, ["s"] * 14, skip=["visual_debug.*"]) == expected


@pytest.mark.parametrize("branch", [False, True])
@pytest.mark.parametrize("core", ["ctrace", "pytrace", "sysmon"])
def test_coverage_is_that_of_the_plain_code(core, branch, monkeypatch, tmp_path):
    coverage = pytest.importorskip("coverage")
    if core == "sysmon" and sys.version_info < (3, 14):
        pytest.skip("branches are measured by monitoring from 3.14 on")
    monkeypatch.setenv("COVERAGE_CORE", core)

    def covered(wrap):
        measured = coverage.Coverage(data_file=None, branch=branch, include=["*programs.py"], config_file=False)
        functions = [(wrap(case.function), copy.deepcopy(case.args)) for case in programs.CASES]
        with measured.collect():
            for function, args in functions:
                with contextlib.suppress(Exception):
                    function(*args)
        import json

        measured.json_report(outfile=str(tmp_path / "report.json"))
        (report,) = json.loads((tmp_path / "report.json").read_text())["files"].values()
        return [report.get(key) for key in ("executed_lines", "executed_branches")]

    expected = covered(lambda f: f)
    assert len(expected[0]) > 300
    assert covered(visual_debug) == expected


def test_cprofile_counts_the_calls():
    profile = cProfile.Profile()
    traced = fresh(debugged_helper)
    profile.runcall(lambda: [traced(i) for i in range(7)])
    stats = pstats.Stats(profile, stream=io.StringIO()).stats
    key = (__file__, debugged_helper.__code__.co_firstlineno, "debugged_helper")
    assert stats[key][:2] == (7, 7)


def test_tracers_of_threads():
    seen = set()
    threading.settrace(lambda frame, event, arg: seen.add(frame.f_code.co_name))
    try:
        thread = threading.Thread(target=fresh(debugged_helper), args=(1,))
        thread.start()
        thread.join()
    finally:
        threading.settrace(None)
    assert "debugged_helper" in seen


def test_timeit_tracemalloc_and_faulthandler():
    traced = fresh(debugged_helper)
    assert timeit.timeit("f(1)", globals={"f": traced}, number=10) > 0
    tracemalloc.start()
    try:
        assert traced(2) == 5
    finally:
        tracemalloc.stop()
    with tempfile.TemporaryFile() as file:

        @visual_debug
        def dumps(x):
            faulthandler.dump_traceback(file)
            return x

        dumps(1)
        file.seek(0)
        assert f"line {dumps.__code__.co_firstlineno + 2} in dumps" in file.read().decode()


# ----------------------------------------------------------------------------------------------------------------------
# Looking at a function, and at the frames of its calls
# ----------------------------------------------------------------------------------------------------------------------


# A comment that belongs to it.
@visual_debug
def documented(x: float, y: int = 2, *, k: float = 3) -> float:
    """A docstring.

    >>> documented(1.0)
    6.0
    """
    return x * y * k


@visual_debug
async def asynchronous(x: int) -> int:
    return x


@visual_debug
def generating(x: int) -> typing.Iterator[int]:
    yield x


@visual_debug
async def generating_asynchronously(x: int) -> typing.AsyncIterator[int]:
    yield x


def names_used(function):
    """The global, nonlocal and builtin names (the names of attributes are told as well, of ours too)."""
    return inspect.getclosurevars(function)[:3]


KINDS = [documented, asynchronous, generating, generating_asynchronously]


@pytest.mark.parametrize("function", KINDS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "question",
    [
        inspect.getsource, inspect.getsourcefile, inspect.getsourcelines, inspect.signature, inspect.getdoc,
        inspect.getmodule, inspect.getcomments, inspect.getfullargspec, inspect.getfile, names_used,
        inspect.isfunction, inspect.isroutine, inspect.iscoroutinefunction, inspect.isgeneratorfunction,
        inspect.isasyncgenfunction, inspect.ismethoddescriptor, inspect.isawaitable, inspect.unwrap,
        typing.get_type_hints, pydoc.render_doc, inspect.isbuiltin, inspect.isclass, callable,
    ],
    ids=lambda q: q.__name__,
)  # fmt: skip
def test_questions_have_the_answers_of_the_plain_function(function, question):
    assert question(function) == question(function.__wrapped__)


@pytest.mark.parametrize("function", KINDS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "attribute",
    [
        "__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__defaults__", "__kwdefaults__",
        "__globals__", "__closure__", "__builtins__", "__type_params__", "__code__.co_name", "__code__.co_qualname",
        "__code__.co_filename", "__code__.co_firstlineno", "__code__.co_argcount", "__code__.co_kwonlyargcount",
        "__code__.co_posonlyargcount", "__code__.co_flags", "__code__.co_freevars", "__code__.co_cellvars",
    ],
)  # fmt: skip
def test_attributes_are_those_of_the_plain_function(function, attribute):
    if attribute == "__type_params__" and sys.version_info < (3, 12):
        pytest.skip("from 3.12 on")

    def read(thing):
        return functools.reduce(getattr, attribute.split("."), thing)

    assert read(function) == read(function.__wrapped__)


def test_dis_reads_the_code():
    for function in KINDS:
        text = io.StringIO()
        dis.dis(function, file=text)
        dis.show_code(function, file=text)
        assert "RETURN_VALUE" in text.getvalue()
        hash(function.__code__)
        lines = {line for *_, line in function.__code__.co_lines()} - {None}
        assert lines == {line for *_, line in function.__wrapped__.__code__.co_lines()} - {None}


def test_repr_and_identity():
    assert repr(documented).startswith("<function documented at 0x")
    assert len({documented, documented.__wrapped__}) == 2
    assert weakref.ref(documented)() is documented


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are of 3.12")
def test_type_parameters():
    names = {"visual_debug": visual_debug}
    exec("@visual_debug\ndef same[T](x: T) -> T:\n    return x", names)  # noqa: S102
    same = names["same"]
    assert [str(p) for p in same.__type_params__] == ["T"]
    assert same.__type_params__ == same.__wrapped__.__type_params__
    assert same(3) == 3


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated late from 3.14 on")
def test_annotations_stay_lazy():
    import annotationlib

    names = {"visual_debug": visual_debug}
    source = "@visual_debug\ndef late(x: Later) -> Latest:\n    return x * 2"
    exec(compile(source, "<late>", "exec", dont_inherit=True), names)  # noqa: S102
    late = names["late"]
    assert late(2) == 4
    as_text = annotationlib.get_annotations(late, format=annotationlib.Format.STRING)
    assert as_text == {"x": "Later", "return": "Latest"}
    names |= {"Later": int, "Latest": float}
    assert late.__annotations__ == {"x": int, "return": float}
    assert inspect.signature(late) == inspect.signature(late.__wrapped__)


def divides(x):
    """Fails.

    >>> divides(1)
    Traceback (most recent call last):
        ...
    ZeroDivisionError: division by zero
    """
    return x / 0


def test_a_doctest_of_a_failure_passes_and_others_see_a_note():
    traced = visual_debug(divides)
    (found,) = doctest.DocTestFinder().find(traced, "divides", globs={"divides": traced})
    assert doctest.DocTestRunner().run(found) == (0, 1)
    with pytest.raises(ZeroDivisionError) as info:
        traced(1)
    assert "x / 0" in info.value.__notes__[0]


def test_doctests_are_found_where_they_stand(tmp_path):
    (found,) = doctest.DocTestFinder().find(documented, "documented", globs=globals())
    (plain,) = doctest.DocTestFinder().find(documented.__wrapped__, "documented", globs=globals())
    assert (found.filename, found.lineno, found.examples) == (plain.filename, plain.lineno, plain.examples)
    assert doctest.DocTestRunner().run(found) == (0, 1)
    module = tmp_path / "documented_module.py"
    module.write_text(
        textwrap.dedent('''
            from visual_debug import visual_debug
            @visual_debug
            def wrong(x):
                """
                >>> wrong(2)
                5
                """
                return 2 * x
            class C:
                @visual_debug
                def right(self, x):
                    """
                    >>> C().right(2)
                    4
                    """
                    return 2 * x
        ''')
    )
    command = [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, module], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert "documented_module.py:6: DocTestFailure" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_pytest_rewrites_assertions_of_decorated_functions(tmp_path):
    module = tmp_path / "test_rewritten.py"
    module.write_text(
        textwrap.dedent("""
            from visual_debug import visual_debug
            @visual_debug
            def test_it():
                a, b = 2, 3
                assert a * b == 7
            def check(x):
                assert x == 2
            @visual_debug
            def test_followed():
                check(3)
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, module], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert "assert (2 * 3) == 7" in done.stdout
    assert "assert 3 == 2" in done.stdout
    assert "2 failed" in done.stdout


class LineHandler(logging.Handler):
    def emit(self, record):
        self.place = (record.pathname, record.lineno, record.funcName)


def test_logging_names_the_line():
    handler = LineHandler()
    logger = logging.getLogger(f"{__name__}.lines")
    logger.addHandler(handler)

    @visual_debug
    def logs(x):
        y = x + 1
        logger.warning("y is %s", y)
        return y

    logs(1)
    assert handler.place == (__file__, logs.__code__.co_firstlineno + 3, "logs")


def looks_at_frames(x):
    here = sys._getframe()
    return (
        here.f_code.co_name,
        here.f_lineno,
        here.f_back.f_code.co_name,
        sorted(here.f_locals),
        [(frame.f_code.co_name, line) for frame, line in traceback.walk_stack(None)],
        [(entry.function, entry.lineno) for entry in inspect.stack()],
        traceback.format_stack(),
        x,
    )


def test_frames_are_those_of_the_plain_function():
    def ask(function):
        return function(1)

    plain, traced = (ask(function) for function in (looks_at_frames, fresh(looks_at_frames)))
    assert traced == plain


# ----------------------------------------------------------------------------------------------------------------------
# Copies and pickles
# ----------------------------------------------------------------------------------------------------------------------


class Point:
    """Has a traced method."""

    def __init__(self, x):
        self.x = x

    @visual_debug
    def square(self):
        return self.x**2


def test_pickles_and_copies():
    assert pickle.loads(pickle.dumps(documented)) is documented
    assert copy.copy(documented) is copy.deepcopy(documented) is documented
    point = Point(3.0)
    point.square()
    point.function = documented
    for again in (pickle.loads(pickle.dumps(point)), copy.copy(point), copy.deepcopy(point)):
        assert again.square() == 9.0
        assert again.function is documented
    for method in (pickle.loads(pickle.dumps(point.square)), copy.deepcopy(point.square)):
        assert method() == 9.0


def squares_in_pool(pool):
    assert list(pool.map(documented, [1.0, 2.0, 3.0])) == [6.0, 12.0, 18.0]
    assert list(pool.map(Point(3.0).square.__func__, [Point(2.0)])) == [4.0]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method, tmp_path):
    (tmp_path / "worked.py").write_text(
        textwrap.dedent("""
            from visual_debug import visual_debug
            @visual_debug
            def double(x):
                return 2 * x
            def slope(x):
                double(x)
                return double.trace.grad("x")
        """)
    )
    script = tmp_path / "main.py"
    script.write_text(
        textwrap.dedent(f"""
            import concurrent.futures, multiprocessing, worked
            from visual_debug import visual_debug
            @visual_debug
            def triple(x):
                return 3 * x
            if __name__ == "__main__":
                context = multiprocessing.get_context({method!r})
                worked.double(1)
                triple(1)
                with context.Pool(2) as pool:
                    print(pool.map(worked.double, [1, 2]), pool.map(worked.slope, [1.0]), pool.map(triple, [5]))
                with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                    print(list(pool.map(triple, [1, 2])))
        """)
    )
    assert run(script, "-W", "ignore").splitlines() == ["[2, 4] [2.0] [15]", "[3, 6]"]


def test_threads_of_concurrent_futures():
    traced = visual_debug(keep=8)(debugged_helper)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(traced, range(8))) == [2 * i + 1 for i in range(8)]
    assert sorted(trace.result for trace in traced.traces) == [2 * i + 1 for i in range(8)]


def shared_helper(x):
    return x * 3.0


def with_cell(factor):
    calls = 0

    @visual_debug(keep=4)
    def recursive(n):
        nonlocal calls
        calls += 1
        return factor * n + (recursive(n - 1) if n > 0 else 0.0) + calls

    return recursive


@pytest.mark.parametrize("called_before", [False, True])
def test_pickled_by_value_it_is_a_traced_function_again(called_before, tmp_path):
    pytest.importorskip("cloudpickle")
    (tmp_path / "main.py").write_text(
        textwrap.dedent(f"""
            import asyncio, functools, math, pathlib, subprocess, sys
            import cloudpickle
            from visual_debug import visual_debug

            def triple(x):
                return 3.0 * x
            @visual_debug
            def f(x, y=2.0):
                "A docstring."
                return triple(x) * y + math.sin(x)
            def make(factor):
                calls = 0
                @visual_debug(keep=4, follow="all")
                def recursive(n):
                    nonlocal calls
                    calls += 1
                    return factor * n + (recursive(n - 1) if n > 0 else 0.0) + calls
                return recursive
            class C:
                def __init__(self, m):
                    self.m = m
                @visual_debug
                def times(self, x):
                    return self.m * x
                @visual_debug
                @staticmethod
                def twice(x):
                    return x * 2
            @visual_debug
            def generating(n):
                for i in range(n):
                    yield i * 2.0
            @visual_debug
            async def asynchronous(x):
                return x * 2.0
            def above(function):
                @functools.wraps(function)
                def wrapper(*args):
                    return function(*args) + 1
                return wrapper
            recursive, wrapped = make(2.0), above(f)
            if {called_before}:
                wrapped(1.0), recursive(2), C(1.0).times(2.0), list(generating(2))
            things = (f, recursive, C(3.0), generating, asynchronous, wrapped, f.traces, f.trace)
            pathlib.Path("pickled").write_bytes(cloudpickle.dumps(things))
        """)
    )
    (tmp_path / "other.py").write_text(
        textwrap.dedent("""
            import asyncio, inspect, math, pathlib, pickle
            import cloudpickle
            import visual_debug as vd
            f, recursive, c, generating, asynchronous, wrapped, traces, trace = pickle.loads(
                pathlib.Path("pickled").read_bytes()
            )
            assert f(1.0) == f.__wrapped__(1.0) == 6.0 + math.sin(1.0)
            assert f.trace.grad("x") == 6.0 + math.cos(1.0)
            assert f.__wrapped__.__qualname__ == f.__qualname__ == "f" and f.__doc__ == "A docstring."
            assert str(inspect.signature(f)) == "(x, y=2.0)"
            counted = recursive(2.0)
            assert recursive.traces.maxlen == 4 and len(recursive.traces) == 1
            assert recursive.trace.result == counted and recursive.trace.grad() == {"n": 6.0}
            assert c.times(2.0) == 6.0 and type(c).times.trace.grad("x") == 3.0
            assert c.twice(2.0) == 4.0 and c.twice.trace.grad("x") == 2
            assert list(generating(3)) == [0.0, 2.0, 4.0] == generating.trace.result
            assert asyncio.run(asynchronous(2.0)) == 4.0 and asynchronous.trace.grad("x") == 2.0
            assert wrapped(1.0) == f(1.0) + 1 and wrapped.traces[-1].grad("x") == f.trace.grad("x")
            try:
                trace.grad()
            except vd.TraceError as error:
                print(error)
            again = cloudpickle.loads(cloudpickle.dumps(f))
            assert again is not f and again(2.0) == f(2.0) and again.trace.grad() == f.trace.grad()
        """)
    )

    def runs(script, **more):
        done = subprocess.run(
            [sys.executable, script], cwd=tmp_path, env=environment(**more), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    runs("main.py")
    said = runs("other.py")
    assert ("was pickled, and stayed where it was made" in said) == called_before
    assert ("has no trace yet" in said) or called_before
    (tmp_path / "off.py").write_text(
        'import pathlib, pickle\nprint(pickle.loads(pathlib.Path("pickled").read_bytes())[0](0.0))\n'
    )
    assert runs("off.py", VISUAL_DEBUG="0") == "0.0\n"


def test_a_trace_is_copied_as_itself():
    traced = visual_debug(keep=2)(debugged_helper)
    traced(1)
    assert copy.copy(traced.trace) is copy.deepcopy(traced.trace) is traced.trace
    assert list(copy.deepcopy(traced.traces)) == list(copy.copy(traced.traces)) == [traced.trace]
    assert traced.traces is not copy.deepcopy(traced.traces)


# ----------------------------------------------------------------------------------------------------------------------
# Other decorators, mocks
# ----------------------------------------------------------------------------------------------------------------------


def plus_one(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) + 1

    return wrapper


def test_a_decorator_above_shares_the_traces_and_has_none_of_its_own():
    @plus_one
    @visual_debug
    def above(x):
        return x * 2

    with pytest.raises(vd.TraceError, match="has no trace yet: call it first"):
        above.trace.grad()
    assert above(3) == 7
    assert above.traces[-1].grad("x") == above.__wrapped__.trace.grad("x") == 2
    with pytest.raises(vd.TraceError, match=r"another decorator .* ask its .traces\[-1\], or .__wrapped__.trace"):
        above.trace.grad()


def test_a_decorator_below_is_recorded_with_what_it_calls():
    @visual_debug
    @plus_one
    def below(x):
        return x * 2

    assert below(3) == 7
    assert below.trace.grad() == {"args": (2,)}
    assert inspect.unwrap(below).__code__.co_name == "below"


class Many:
    """Stacks of decorators."""

    @functools.lru_cache  # noqa: B019
    @visual_debug
    def cached(self, x):
        return x * 2

    @visual_debug
    def product(self, x, y):
        return x * y

    twice = functools.partialmethod(product, 2)

    @functools.cached_property
    @visual_debug
    def once(self):
        return 2.0 * 3

    @property
    @visual_debug
    def name(self):
        return 4.0

    @functools.singledispatchmethod
    @visual_debug
    def kind(self, x):
        return x * 2

    @kind.register
    @visual_debug
    def _(self, x: str):
        return x + "!"

    @visual_debug
    def __eq__(self, other):
        return True

    @visual_debug
    def __lt__(self, other):
        return False

    __hash__ = object.__hash__


def test_functools():
    many = Many()
    assert (many.cached(2), many.cached(2), Many.cached.cache_info().hits) == (4, 4, 1)
    assert Many.cached.traces[-1].grad("x") == 2
    assert many.twice(3) == 6
    assert Many.product.trace.grad("y") == 2
    assert (many.once, many.once, Many.once.func.trace.result) == (6.0, 6.0, 6.0)
    assert (many.name, Many.name.fget.trace.result) == (4.0, 4.0)
    assert (many.kind(2), many.kind("a")) == (4, "a!")
    assert functools.total_ordering(type("Ordered", (Many,), {}))() >= many
    assert functools.partial(documented, 2.0)(4) == 24.0
    assert documented.trace.grad("y") == 6.0
    assert functools.reduce(visual_debug(lambda x, y: x * y), [2, 3, 4]) == 24


def test_singledispatch():
    @functools.singledispatch
    @visual_debug
    def double(x):
        return x * 2

    @double.register(str)
    @visual_debug
    def of_text(x):
        return x + x

    @double.register
    @visual_debug
    def _(x: list) -> list:
        return [*x, *x]

    assert (double(2), double("a"), double([1])) == (4, "aa", [1, 1])
    assert of_text.trace.result == "aa"
    assert double.traces[-1].grad("x") == 2


class Abstract(abc.ABC):
    @abc.abstractmethod
    @visual_debug
    def below(self):
        return 1

    @visual_debug
    @abc.abstractmethod
    def above(self):
        return 1


class Concrete(Abstract):
    @visual_debug
    def below(self):
        return super().below() + __class__.__name__.count("C")

    @visual_debug
    def above(self):
        return super().above()


def test_abstract_methods_and_super():
    assert Abstract.__abstractmethods__ == {"above", "below"}
    with pytest.raises(TypeError, match="abstract"):
        Abstract()
    assert (Concrete().below(), Concrete().above()) == (2, 1)


def test_mocks():
    with unittest.mock.patch(f"{__name__}.documented", wraps=documented) as mock:
        assert documented(1.0) == 6.0
        assert mock.call_count == 1
    with unittest.mock.patch.object(Many, "product", autospec=True, return_value=5) as mock:
        assert Many().product(1, 2) == 5
        assert mock.call_count == 1

    class Uncalled:
        @visual_debug
        def product(self, x):
            return x * 2

    with unittest.mock.patch.object(Uncalled, "product", autospec=True, return_value=5):
        assert Uncalled().product(1) == 5
    with pytest.raises(TypeError):
        unittest.mock.create_autospec(documented)(1, 2, 3, 4)


# ----------------------------------------------------------------------------------------------------------------------
# Assigning to a function
# ----------------------------------------------------------------------------------------------------------------------


def made_pair():
    def helper(x, k=2, *, j=1):
        return x * k + j

    @visual_debug
    def decorated(x, k=2):
        return x * k

    @visual_debug(keep=20)
    def calls_both(x):
        return helper(x) + decorated(x)

    return helper, decorated, calls_both


def test_what_is_assigned_to_functions_is_seen_and_traces_know_what_was():
    helper, decorated, calls_both = made_pair()
    results = [calls_both(2.0)]
    helper.__defaults__ = (5,)
    results.append(calls_both(2.0))
    decorated.__defaults__ = (7,)
    assert decorated(1.0) == 7.0
    results.append(calls_both(2.0))
    helper.__kwdefaults__["j"] = 10
    results.append(calls_both(2.0))
    helper.__kwdefaults__ = {"j": 20.0}
    helper.__code__ = (lambda x, k, *, j: x**k - j).__code__
    results.append(calls_both(2.0))
    decorated.__code__ = (lambda x, k: x - k).__code__
    results.append(calls_both(2.0))
    decorated.__defaults__ = (100,)
    helper.__defaults__ = None
    assert results == [9.0, 15.0, 25.0, 34.0, 26.0, 7.0] == [trace.result for trace in calls_both.traces]
    # Asked only now, when everything has been assigned to again.
    assert [trace.grad("x") for trace in calls_both.traces] == [4.0, 7.0, 12.0, 12.0, 87.0, 81.0]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'k'"):
        calls_both(2.0)


def test_a_method_s_defaults_can_be_assigned():
    class Scaled:
        def by(self, x, k=2.0):
            return x * k

    @visual_debug
    def scales(thing, x):
        return thing.by(x)

    assert scales(Scaled(), 3.0) == 6.0
    Scaled.by.__defaults__ = (4.0,)
    assert scales(Scaled(), 3.0) == 12.0
    assert scales.trace.grad("x") == 4.0


def test_what_is_assigned_while_a_generator_is_suspended_is_seen():
    helper, _, _ = made_pair()

    @visual_debug
    def goes_on(x):
        yield helper(x)
        yield helper(x)

    numbers = goes_on(1)
    assert next(numbers) == 3
    helper.__defaults__ = (5,)
    assert list(numbers) == [6]
    with pytest.raises(vd.TraceError, match="helper were assigned to while the traced call went on"):
        len(goes_on.trace)


def test_assignments_while_a_recording_goes_on_are_refused():
    helper, _, _ = made_pair()

    @visual_debug
    def changes(x):
        y = helper(x)
        helper.__defaults__ = (9,)
        return y

    @visual_debug
    def sets(x):
        return helper(x)

    @visual_debug
    def goes_on(x):
        yield helper(x)
        yield helper(x)

    assert sets(1) == 3
    numbers = goes_on(1)
    assert next(numbers) == 3
    helper.__defaults__ = (5,)
    assert sets(1) == 6
    assert list(numbers) == [6]
    with pytest.raises(vd.TraceError, match="helper were assigned to while the traced call went on"):
        len(goes_on.trace)
    assert sets.trace.grad("x") == 5
    del changes


# ----------------------------------------------------------------------------------------------------------------------
# Lifetimes and interrupts
# ----------------------------------------------------------------------------------------------------------------------


def not_called():
    @visual_debug
    def function(x):
        return x

    return [function]


def called():
    @visual_debug(keep=2)
    def function(x):
        return x * 2

    function(2.0)
    return [function, *function.traces]


def asked():
    (*things, trace) = called()
    trace.grad()
    return [*things, trace]


def recursive():
    @visual_debug
    def function(x):
        return x * function(x - 1) if x else 1.0

    function(2)
    return [function, function.trace]


def calling_local():
    def helper(x):
        return x * 2

    @visual_debug
    def other(x):
        return x

    class Doubled:
        def __call__(self, x):
            return 2 * x

    instance = Doubled()

    @visual_debug
    def function(x):
        return helper(x) + other(x) + instance(x) + max([x], key=helper)

    function(2.0)
    return [function, function.trace, helper, other, instance, Doubled]


def calling_unfollowed():
    def helper(x):
        return x * 2

    @visual_debug(follow=())
    def function(x):
        return helper(x)

    function(2.0)
    return [function, function.trace, helper]


def generating_locally():
    @visual_debug
    def function(n):
        yield from (i * 2.0 for i in range(n))

    list(function(3))
    return [function, function.trace]


def pickled_by_value():
    cloudpickle = pytest.importorskip("cloudpickle")
    return [cloudpickle.loads(cloudpickle.dumps(recursive()[0])), *called()]


@pytest.mark.parametrize(
    "make",
    [
        not_called,
        called,
        asked,
        recursive,
        calling_local,
        calling_unfollowed,
        generating_locally,
        pickled_by_value,
    ],
    ids=lambda f: f.__name__,
)
def test_functions_traces_and_what_was_called_are_collected(make):
    references = [weakref.ref(thing) for thing in make()]
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


def test_functions_may_be_collected_while_twins_are_looked_at():
    def in_a_cycle():
        def g(x):
            return x * 2

        g.itself = g
        return g

    twins = Twins(lambda f: f.__code__, lambda f: f.__code__)
    threshold = gc.get_threshold()
    gc.disable()
    try:
        for g in [in_a_cycle() for _ in range(2000)]:
            twins.of(g)
        del g
        gc.set_threshold(gc.get_count()[0] + 700, 100, 100)  # within the look at all of them
        gc.enable()
        twins.refresh()  # and no RuntimeError
    finally:
        gc.set_threshold(*threshold)
        gc.enable()


class Interrupt(BaseException):
    """Ctrl-C, raised wherever a signal finds the code."""


def halved(x, k=1.0):
    y = 1 - x if x > 0.5 else x
    return y * k


class Doubler:
    """Has a method."""

    def double(self, x):
        return x * 2.0


def runs_for_ever(x):
    values, doubler = [0.1] * 4, Doubler()
    while True:
        x = 3.5 * x * (1 - x)
        for value in values:
            if value > 1:
                continue
            x = halved(x) + value * 0
        i = 0
        while i < 3:
            i += 1
            x = doubler.double(x) / 2
        try:
            values[0] += x
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            values[0] -= x
        x = min(max(sum([x * 0.5 for _ in range(2)]), 0.2), 0.9)


def interrupted(function, seconds):
    """Call a function until a signal raises in it; none may be lost."""
    signals = 0

    def stop(*_):
        nonlocal signals
        signals += 1
        raise Interrupt

    before = signal.signal(signal.SIGALRM, stop)
    others = gc.callbacks[:]  # Hypothesis leaves one: a signal that finds it running is lost there
    try:
        gc.callbacks.clear()
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, 10.0)
            while True:
                function(0.3)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupt as error:
        assert signals == 1
        return error
    finally:
        gc.callbacks[:] = others
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that signals")
def test_a_signal_can_raise_anywhere():
    loop, small = visual_debug(runs_for_ever), visual_debug(halved)
    nodes = len(vd.trace(halved, 0.75))
    for step in range(60):
        error = interrupted(loop, 0.0004 + step * 0.00003)
        assert sys.exc_info() == (None, None, None)
        if loop.traces and loop.trace.exception is error:  # else it came before the call
            names = {node.function.removesuffix(".<locals>.<listcomp>") for node in loop.trace}
            assert names <= {"runs_for_ever", "halved", "Doubler.double"}
        interrupted(small, 0.0004 + step * 0.00001)
        assert small(0.75) == 0.25
        assert small.trace.grad() == {"x": -1.0, "k": 0.25}
        assert len(small.trace) == nodes


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_keyboard_interrupt_leaves_a_trace():
    @visual_debug
    def interrupts_itself(x):
        for i in range(10):
            x = x * 1.5
            if i == 3:
                signal.raise_signal(signal.SIGINT)
        return x

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background begins without
    try:
        with pytest.raises(KeyboardInterrupt) as info:
            interrupts_itself(1.0)
    finally:
        signal.signal(signal.SIGINT, before)
    trace = interrupts_itself.trace
    assert trace.exception is info.value
    assert trace.find(op="mul")[-1].value == 1.5**4
    assert interrupts_itself.__code__.co_filename == traceback.extract_tb(info.tb)[-1].filename


def test_a_generator_resumed_by_a_bare_thread():
    import _thread

    @visual_debug
    def generating_here(x):
        yield x * 2

    items, got = generating_here(3), threading.Event()
    _thread.start_new_thread(lambda: got.set() if next(items) == 6 else None, ())
    assert got.wait(10)
    other, seen = generating_here(4), []
    _thread.start_new_thread(seen.extend, (other,))
    for _ in range(1000):
        if seen:
            break
        threading.Event().wait(0.01)
    assert seen == [8]


# ----------------------------------------------------------------------------------------------------------------------
# Type checkers
# ----------------------------------------------------------------------------------------------------------------------


TYPED = """
import functools
from collections.abc import Callable, Iterator
from typing import TypeVar
from visual_debug import visual_debug
from visual_debug.tracing.twins import Twins

T = TypeVar("T")

@visual_debug
def f(x: float, *, n: int = 2) -> float:
    return x * n

@visual_debug(follow=(), keep=3)
def g(x: float, n: int = 2) -> float:
    return x * n

@visual_debug
async def waits(x: float) -> float:
    return x

@visual_debug
def generates(x: float) -> Iterator[float]:
    yield x

@visual_debug
def same(x: T) -> T:
    return x

class A:
    m: float = 1.0
    @visual_debug
    def method(self, x: float) -> float:
        return self.m * x
    @visual_debug(keep=2)
    def kept(self, x: float) -> float:
        return self.m * x
    @visual_debug
    async def waits(self, x: float) -> float:
        return self.m * x
    @visual_debug
    @classmethod
    def of_class(cls, x: float) -> float:
        return x
    @classmethod
    @visual_debug
    def of_class_below(cls, x: float) -> float:
        return x
    @visual_debug
    @staticmethod
    def static(x: float) -> float:
        return x
    @staticmethod
    @visual_debug
    def static_below(x: float) -> float:
        return x
    @property
    @visual_debug
    def read(self) -> float:
        return self.m
    @functools.cached_property
    @visual_debug
    def read_once(self) -> float:
        return self.m
    @visual_debug
    def __call__(self, x: float) -> float:
        return x
    @visual_debug
    def __add__(self, x: float) -> float:
        return x
    @visual_debug
    def rest(self, *xs: float) -> float:
        return xs[0]
    @staticmethod
    @visual_debug
    def none() -> float:
        return 1.0

class B(A):
    @visual_debug
    def method(self, x: float) -> float:
        return super().method(x)

a = A()
f(1.0, n=3) + g(1.0, 3) + f.trace.grad("x") + g.traces[-1].result + f.__wrapped__(1.0)
f.__defaults__ = (1.0,)
print(f.__name__, len(f.trace), f.trace.exception)
async def main() -> float:
    return await waits(1.0) + await a.waits(1.0)
for number in generates(1.0):
    number + 1.0
same(1.0) + 1.0
same("a").upper()
a.method(1.0) + A.method(a, 1.0) + a.kept(x=1.0)
a.method.trace.grad("x")
A.method.trace.grad("x")
a.of_class(1.0) + A.of_class(1.0) + a.of_class_below(1.0) + A.of_class_below(1.0)
a.static(1.0) + A.static(1.0) + a.static_below(1.0) + A.static_below(1.0) + a.none() + A.none()
A.of_class.trace.grad("x")
A.static_below.trace.grad("x")
a.read + a.read_once + a(1.0) + (a + 1.0) + a.rest(1.0, 2.0)
one: Callable[[float], float] = g
two: Callable[[float], float] = a.method
sum(map(g, [1.0])) + sum(map(a.method, [1.0]))
visual_debug(a.method)(2.0) + 1.0
visual_debug(lambda x: x + 1)(3)
explicit: classmethod[A, [float], float] = visual_debug(classmethod(lambda cls, x: x))
prop: property = visual_debug(property(lambda self: self))
"""

WRONG = {
    'f("a")': "float",
    "f(1.0, 2)": "positional",
    'g("a")': "float",
    "f.nothing": "nothing",
    'a.method("a")': "",
    "a.method()": "",
    'A.static("a")': "",
    'A.of_class("a")': "",
    "f(1.0).upper()": "upper",
    "a.method(1.0).upper()": "upper",
    "a.method.nothing": "nothing",
    "visual_debug(3)": "",
    "visual_debug(keeps=3)": "",
    "visual_debug(follow=3)": "",
}


def errors_by_line(output, pattern):
    import re

    return {int(found[1]): found[2] for found in re.finditer(pattern, output, re.MULTILINE)}


def checked(check, pattern, tmp_path):
    """The wrong lines that a type checker does not complain of, and what it says of right ones."""
    module = tmp_path / "typed.py"
    module.write_text(TYPED + "\n".join(WRONG) + "\n")
    first = TYPED.count("\n") + 1
    errors = errors_by_line(check(module), pattern)
    missed = [line for i, (line, said) in enumerate(WRONG.items(), first) if i not in errors or said not in errors[i]]
    lines = module.read_text().splitlines()
    return missed, [f"{lines[line - 1]}: {error}" for line, error in errors.items() if line < first]


def test_mypy_sees_the_plain_signature(tmp_path):
    api = pytest.importorskip("mypy.api")

    def check(module):
        options = [
            "--config-file=",
            "--no-error-summary",
            f"--cache-dir={tmp_path / 'cache'}",
            "--follow-imports=silent",
        ]
        return api.run([*options, str(module)])[0]

    before = os.environ.get("MYPYPATH")
    os.environ["MYPYPATH"] = str(ROOT)
    try:
        missed, false = checked(check, r"^\S+typed\.py:(\d+): error: (.*)$", tmp_path)
    finally:
        if before is None:
            del os.environ["MYPYPATH"]
        else:
            os.environ["MYPYPATH"] = before
    assert missed == []
    assert false == []


def test_pyright_sees_the_plain_signature(tmp_path):
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")

    def check(module):
        (tmp_path / "pyrightconfig.json").write_text(f'{{"extraPaths": ["{ROOT}"], "reportUnusedExpression": false}}')
        command = [sys.executable, "-m", "pyright", "-p", tmp_path, "--pythonpath", sys.executable]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        return done.stdout

    missed, false = checked(check, r"^\s*\S+typed\.py:(\d+):\d+ - error: (.*)$", tmp_path)
    assert missed == []
    # The override of a traced method by a traced one: type parameters of functions are invariant to pyright.
    assert [line.partition(":")[0].strip() for line in false] == ["def method(self, x"]
