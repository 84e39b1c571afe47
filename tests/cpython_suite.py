"""Run a test module of CPython's own with every function in it decorated, and say how each test ended.

A script, run in a process of its own, for the tests of an interpreter end it now and then::

    python -P tests/cpython_suite.py test.test_generators --replay
    python -P tests/cpython_suite.py test.test_statistics --decorate statistics --as copy

Functions are decorated where they are defined, as a user would: the source is compiled with the decorator put below
those that are there, closest to the function. By default that is done to functions of modules and classes and to those
in doctests; `--deep` is for functions inside functions and lambdas, too.

`--as copy` replaces every function by a plain copy of it instead: what fails then does not fail because of recording.
`--replay` replays finished traces at once and works every operation on plain numbers out anew from its operands.
"""

import argparse
import ast
import builtins
import collections
import contextlib
import dataclasses
import doctest
import faulthandler
import functools
import importlib
import importlib.abc
import importlib.machinery
import json
import math
import operator
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import types
import unittest
from collections.abc import Callable, Iterable, Iterator

import visual_debug as vd
from visual_debug.columns import MISSING, Columns
from visual_debug.replaying.replay import replay
from visual_debug.tracing import record
from visual_debug.tracing.context import apart

#: Seconds of processor time that one replay may take: the traces that are replayed are small.
LONGEST = 5.0
#: The name by which instrumented code reaches the decorator, among the builtins. Its underscores keep it from being
#: mangled in a class.
DECORATOR = "__visual_debug_suite__"


class Decorating(ast.NodeTransformer):
    """Puts the decorator on functions. Positions stay, the line at which a function begins among them."""

    def __init__(self, *, deep: bool) -> None:
        self.deep = deep

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        first = node.decorator_list[-1] if node.decorator_list else node
        if self.deep:
            self.generic_visit(node)
        node.decorator_list.append(
            ast.Name(
                DECORATOR,
                ast.Load(),
                lineno=node.lineno,
                col_offset=first.col_offset,
                end_lineno=node.lineno,
                end_col_offset=first.col_offset + 1,
            )
        )
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Functions of expressions."""
        if not self.deep:
            return node
        self.generic_visit(node)
        return ast.copy_location(
            ast.Call(ast.copy_location(ast.Name(DECORATOR, ast.Load()), node), [node], []),
            node,
        )


def decorated_tree(source: str | bytes, file: str, mode: str, flags: int, *, deep: bool) -> ast.AST:
    """The source parsed, with the decorator in it."""
    tree = compile(source, file, mode, flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    return Decorating(deep=deep).visit(tree)


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module decorated, past the cache of bytecode."""

    deep = False

    def get_code(self, fullname: str) -> types.CodeType:
        """The instrumented module."""
        path = self.get_filename(fullname)
        tree = decorated_tree(self.get_data(path), path, "exec", 0, deep=self.deep)
        return compile(tree, path, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to decorate, and those in them, before any other finder does."""

    def __init__(self, names: Iterable[str], *, deep: bool) -> None:
        self.names = tuple(names)
        self.loader = type("Loader", (Loader,), {"deep": deep})

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """As the import system asks."""
        if not any(name == module or name.startswith(module + ".") for module in self.names):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = self.loader(spec.loader.name, spec.loader.path)
        return spec


def copied(function: Callable) -> Callable:
    """A plain function of the same kind and code, with the marks that a decorator leaves."""
    if not isinstance(function, types.FunctionType):
        return function
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(copy, function)


class Decorator:
    """`visual_debug`, or `copied`; what cannot be decorated stays as it is and is counted by the reason."""

    def __init__(self, how: str) -> None:
        self.how = copied if how == "copy" else vd.visual_debug
        self.count = 0
        self.refused: collections.Counter[str] = collections.Counter()

    def __call__(self, function: Callable) -> Callable:
        try:
            decorated = self.how(function)
        except vd.UntraceableError as error:
            self.refused[re.sub(r"^\S+:\d+: .* uses ", "", str(error))] += 1
            return function
        self.count += 1
        return decorated


_OPERATORS = "add sub mul truediv floordiv mod pow neg pos invert lshift rshift and_ or_ xor lt le eq ne gt ge"
_ARITHMETIC = {name: getattr(operator, name) for name in _OPERATORS.split()}
_MATHS = {
    f"math.{name}": getattr(math, name) for name in ("sqrt", "exp", "log", "sin", "cos", "hypot", "fabs", "floor")
}
_PURE = _ARITHMETIC | _MATHS | {"abs": abs, "divmod": divmod, "pow": pow}
_NUMBERS = frozenset({int, float, complex, bool})


def inconsistency(columns: Columns) -> str | None:
    """The first operation on plain numbers whose value is not what it makes of its operands."""
    for node, op in enumerate(columns.op):
        value = columns.value[node]
        if op not in _PURE or (type(value) not in _NUMBERS and op != "divmod"):
            continue
        args, kwargs, _ = columns.arguments(node)
        if kwargs or not all(type(arg) in _NUMBERS for arg in args):
            continue
        if any(type(arg) is int and arg.bit_length() > 4096 for arg in args):
            continue
        try:
            anew = _PURE[op](*args)
        except Exception as error:  # noqa: BLE001
            anew = error
        if type(anew) is not type(value) or not (anew == value or repr(anew) == repr(value)):  # NaN by its repr
            return f"node {node}: {op}{args!r:.200} is {anew!r:.100}, not {value!r:.100}, at {columns.site[node]}"
    return None


class Endless(BaseException):
    """A replay takes longer than any should."""


def _stop(signum: int, frame: types.FrameType | None) -> None:
    raise Endless(f"still at work after {LONGEST} s")


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Within it, the main thread may take so much of the processor's time and no more."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGVTALRM"):
        yield
        return
    handler = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)


class Replays:
    """Replays traces as they finish, and remembers what goes wrong.

    Its time is that of the processor, so that how much is replayed does not depend on what else the machine does.
    """

    def __init__(self, most_values: int, most_per_test: int, seconds: float) -> None:
        self.most_values = most_values
        self.most_per_test = most_per_test
        self.left = seconds
        self.test = ""
        self.in_test = 0
        self.counts: collections.Counter[str] = collections.Counter()
        self.wrong: list[dict[str, str]] = []
        self._here = threading.local()

    def finished(self, trace: vd.Trace) -> None:
        """A trace is there: replay it, unless it was made while another is replayed."""
        if getattr(self._here, "busy", False):
            self.counts["within a replay"] += 1
            return
        tape = trace._tape
        self.in_test += 1
        if len(tape.values) > self.most_values or self.in_test > self.most_per_test:
            self.counts["left out"] += 1
            return
        if self.left < 0:
            self.counts["left out, late"] += 1
            return
        self._here.busy = True
        began = time.thread_time()
        try:
            with apart(), bounded():
                columns = replay(tape).columns
                wrong = inconsistency(columns)
            self.counts["replayed"] += 1
            self.counts["nodes"] += len(columns)
            self.counts["opaque"] += columns.op.count("opaque")
            self.counts["without value"] += sum(value is MISSING for value in columns.value)
            if wrong is not None:
                self._remember(tape, wrong, "")
        except RecursionError:
            self.counts["left out, deep in recursion"] += 1
        except vd.TraceError as error:
            if "please report" in str(error):
                self._remember(tape, f"TraceError: {error}", traceback.format_exc())
            else:
                self.counts["refused by name"] += 1
        except BaseException as error:  # noqa: BLE001
            self._remember(tape, f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            self._here.busy = False
            self.left -= time.thread_time() - began

    def _remember(self, tape: object, error: str, trace: str) -> None:
        code = tape.plan.code
        where = f"{code.co_filename}:{code.co_firstlineno} {code.co_qualname}"
        self.counts["wrong"] += 1
        self.wrong.append({"replay": self.test, "function": where, "error": error, "text": trace})


class Report(unittest.TestResult):
    """Writes a line of JSON per event, so that what was going on is known even if the process dies."""

    def __init__(self, file: Iterable[str], replays: Replays | None, seconds: float) -> None:
        super().__init__()
        self.file = file
        self.replays = replays
        self.seconds = seconds
        self.began = 0.0
        self.depth = sys.getrecursionlimit()

    def write(self, **what: object) -> None:
        """One event."""
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.began = time.monotonic()
        if self.replays is not None:
            self.replays.test, self.replays.in_test = test.id(), 0
        self.write(start=test.id())
        faulthandler.dump_traceback_later(self.seconds, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)
        if self.replays is not None:
            for wrong in self.replays.wrong:
                self.write(**wrong)
            self.replays.wrong.clear()
        self.write(stop=test.id(), seconds=round(time.monotonic() - self.began, 3))

    def _bad(self, kind: str, test: unittest.TestCase, error: object, within: object = None) -> None:
        owner = test if within is None else within
        text = "".join(traceback.format_exception(*error))[-6000:]
        self.write(bad=owner.id(), kind=kind, text=text)

    def addError(self, test: unittest.TestCase, err: object) -> None:
        sys.setrecursionlimit(self.depth)  # which the test may have left low
        super().addError(test, err)
        self._bad("error", test, err)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)
        self._bad("failure", test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._bad("subtest", subtest, err, test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.write(skip=test.id())

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.write(bad=test.id(), kind="unexpected success", text="")


def flattened(suite: Iterable[object]) -> Iterator[unittest.TestCase]:
    """The cases of a suite of suites, in order."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flattened(item)
        else:
            yield item


@contextlib.contextmanager
def instrumented(modules: Iterable[str], decorator: Decorator, *, deep: bool) -> Iterator[None]:
    """Within it, these modules and all doctests are compiled with the decorator."""
    setattr(builtins, DECORATOR, decorator)

    def compiled(source: str, file: str, mode: str, flags: int = 0, dont_inherit: bool = False) -> types.CodeType:
        return compile(decorated_tree(source, file, mode, flags, deep=deep), file, mode, flags, dont_inherit)

    doctest.compile = compiled
    for name in modules:
        sys.modules.pop(name, None)
    finder = Finder(modules, deep=deep)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@dataclasses.dataclass
class Outcome:
    """What came of a test module: texts of failures by test, what was wrong with replays, and totals."""

    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    wrong: list[dict[str, str]] = dataclasses.field(default_factory=list)
    totals: dict[str, object] = dataclasses.field(default_factory=dict)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    skipped: set[str] = dataclasses.field(default_factory=set)

    @property
    def passed(self) -> list[str]:
        """The tests that were run and did not fail, neither decorated nor with copies of the functions."""
        return [test for test in self.seconds if test not in self.failed and test not in self.skipped]


def run(module: str, *options: str, folder: pathlib.Path, only: Iterable[str] | None = None) -> Outcome:
    """Run a test module in processes of its own; one that dies is followed by another for the remaining tests."""
    outcome = Outcome()
    folder.mkdir(parents=True, exist_ok=True)
    choice, report = folder / "choice.json", folder / "report.jsonl"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("VISUAL_DEBUG", "PYTEST"))}
    environment["PYTHONPATH"] = str(pathlib.Path(__file__).parents[1])
    started: list[str] = []
    while True:
        choice.write_text(json.dumps({"only": only if only is None else list(only), "skip": started}))
        command = [sys.executable, "-P", __file__, module, "--choose", str(choice), "--report", str(report), *options]
        ended = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        before = len(started)
        spoken = ended.stderr.decode(errors="replace")
        for line in report.read_text().splitlines() if report.exists() else ():
            event = json.loads(line)
            if "start" in event:
                started.append(event["start"])
            elif "stop" in event:
                outcome.seconds[event["stop"]] = event["seconds"]
            elif "bad" in event:
                outcome.failed[event["bad"]] = event["text"]
            elif "skip" in event:
                outcome.skipped.add(event["skip"])
            elif "replay" in event:
                outcome.wrong.append(event)
            else:
                outcome.totals = event
                if re.search(r'File ".*[\\/]visual_debug[\\/]', spoken):  # an exception that could only be printed
                    outcome.wrong.append({"replay": "", "function": "", "error": "on stderr", "text": spoken[-6000:]})
                return outcome
        report.unlink(missing_ok=True)
        died = f"the interpreter ended with {ended.returncode}:\n{spoken[-6000:]}"
        if len(started) == before:
            outcome.failed[module] = died
            return outcome
        outcome.failed[started[-1]] = died


def examine(module: str, *options: str, folder: pathlib.Path) -> Outcome:
    """What fails decorated, and does not fail in the same way of running it with copies of the functions."""
    outcome = run(module, *options, folder=folder)
    if outcome.failed:
        plain = [option for option in options if option != "--replay"]
        known = set(outcome.seconds) | set(outcome.failed)
        only = outcome.failed if known <= set(outcome.seconds) else None  # a fixture's failure belongs to no test
        copies = run(module, *plain, "--as", "copy", folder=folder, only=only)
        for test in copies.failed:
            if outcome.failed.pop(test, None) is not None:
                outcome.skipped.add(test)
    return outcome


def main() -> None:
    """Run one module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--decorate", metavar="MODULE", action="append", help="decorate these instead of the tests")
    parser.add_argument("--as", dest="how", choices=("visual_debug", "copy"), default="visual_debug")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--most-values", type=int, default=20_000)
    parser.add_argument("--most-per-test", type=int, default=300)
    parser.add_argument("--replay-seconds", type=float, default=60)
    parser.add_argument("--test-seconds", type=float, default=120)
    parser.add_argument("--report", type=argparse.FileType("w"), default=sys.stdout)
    parser.add_argument("--choose", type=argparse.FileType(), help='a JSON file: {"only": ids or null, "skip": ids}')
    options = parser.parse_args()

    from test import support

    support.use_resources = []
    faulthandler.enable()
    decorator = Decorator(options.how)
    replays = None
    if options.replay:
        replays = Replays(options.most_values, options.most_per_test, options.replay_seconds)
        record.collect = replays.finished
        record.collecting_somewhere.append(None)
    targets = options.decorate or [options.module]
    choice = json.load(options.choose) if options.choose else {}
    with instrumented(targets, decorator, deep=options.deep):
        for name in options.decorate or ():
            importlib.import_module(name)
        tests = list(flattened(unittest.defaultTestLoader.loadTestsFromName(options.module)))
        only, skip = choice.get("only"), set(choice.get("skip", ()))
        chosen = [test for test in tests if (only is None or test.id() in only) and test.id() not in skip]
        report = Report(options.report, replays, options.test_seconds)
        unittest.TestSuite(chosen).run(report)
    report.write(
        tests=report.testsRun,
        skipped=len(report.skipped),
        decorated=decorator.count,
        refused=decorator.refused,
        replays=replays.counts if replays is not None else {},
    )


if __name__ == "__main__":
    main()
