"""A traced function works with the tools that people use on functions as the plain one does."""

from __future__ import annotations

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
import inspect
import io
import logging
import multiprocessing
import os
import pdb  # noqa: T100
import pickle
import pstats
import pydoc
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
import warnings
import weakref
from pathlib import Path

import pytest

from tests import programs
from visual_debug import visual_debug

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
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **more}


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


FAILING = [value for name, value in list(globals().items()) if name.startswith("fails_")]


def failure(function, argument):
    try:
        function(argument)
    except Exception:  # noqa: BLE001
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
            return "".join(traceback.format_exception(error)[-6:])

    assert text(visual_debug(fails)) == text(fails)


def warns(x):
    warnings.warn("here", stacklevel=1)
    warnings.warn("at the caller", stacklevel=2)
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
    assert len(expected) == 3
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


def session(function, commands):
    """What the debugger shows when it goes through a function by these commands."""
    shown = io.StringIO()
    bdb.Breakpoint.clearBreakpoints()
    debugger = pdb.Pdb(stdin=io.StringIO("\n".join([*commands, "c", "c"])), stdout=shown, nosigint=True, readrc=False)
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
