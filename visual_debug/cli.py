"""The command line: run one function of a file or module, and show where its result comes from.

Exit codes: 0; 1 if the program itself failed (what was recorded up to there is shown all the same); 2 for a command that
cannot be carried out, with one line that says why.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import visual_debug as vd
from visual_debug import check
from visual_debug.errors import NoDerivativeError, RenderError, TraceError, VisualDebugError

if TYPE_CHECKING:
    from types import ModuleType

    from visual_debug.traces import Node, Trace

PROGRAM = "visual-debug"
PICTURES = (".svg", ".png", ".dot")
VIEWS = ("graph", "tree")
LARGEST_TREE = 300  #: boxes of a tree that is drawn unasked
MOST_GRADIENTS = 20  #: lines that the gradient takes in print
EPILOG = f"""\
examples:
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7                   print its tree and its gradient
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 -o out/           draw every step of both passes
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 -o gaussian.png   draw the final state only
  {PROGRAM} package.module:Class.method 0.5 -o out/ --view tree     a function of an installed module
  {PROGRAM} check examples/gaussian.py:gaussian x=2.0 y=7.0         what is wrong with its numbers; see check --help

The function need not be decorated. Of a class, static methods and class methods can be run, and the other methods too if
the class can be made without arguments. Arguments are Python literals, by position or as name=value; a string keeps its
quotes: 'unit="km"'. Exit codes: 0; 1 if the function raised an exception (what it computed until then is still shown);
2 if the command cannot be carried out."""


class UsageError(Exception):
    """A command that cannot be carried out: the message is the one line that the user sees."""


class ProgramError(Exception):
    """The user's code failed before the call could begin; the cause is its exception."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises its complaint."""

    def error(self, message: str) -> NoReturn:
        """Instead of printing the usage and leaving."""
        raise UsageError(f"{message} (see {PROGRAM} --help)")


def parser() -> Parser:
    """The options."""
    result = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} FILE.py:FUNCTION [ARGUMENT ...] [-o PATH] [options]",
        description="Run a Python function, and see where its result comes from: every operation that made it, and its "
        "gradient, as text or as pictures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument(
        "target", metavar="FILE.py:FUNCTION", nargs="?", help="the function to run; or package.module:FUNCTION"
    )
    result.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="its arguments: literals, or name=literal")
    result.add_argument(
        "-o",
        dest="output",
        metavar="PATH",
        help="a folder for pictures of every step, of the final state, and the text tree; "
        "or a .svg, .png or .dot file for one picture. Without it, the tree and the gradient are printed",
    )
    result.add_argument(
        "--view", choices=VIEWS, help="graph: one box per value (default); tree: shared values are repeated"
    )
    result.add_argument("--format", choices=("svg", "png"), help="of the pictures in a folder (default: svg)")
    result.add_argument(
        "--step", type=int, metavar="N", help="draw the state after step N only (negative: from the end)"
    )
    result.add_argument("--version", action="version", version=f"{PROGRAM} {vd.__version__}")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if callable(reconfigure := getattr(stream, "reconfigure", None)):
            reconfigure(errors="replace")  # a terminal that knows no ∂ or └ shows ? rather than a traceback
    command = list(sys.argv[1:] if argv is None else argv)
    try:
        if command[:1] == ["check"]:
            return run_check(check.parser(Parser).parse_intermixed_args(shielded(command[1:])))
        return run(parser().parse_intermixed_args(shielded(command)))
    except (UsageError, VisualDebugError) as error:
        sys.stdout.flush()
        print(f"{PROGRAM}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except ProgramError as error:
        sys.stdout.flush()
        print(f"{traceback_text(error.__cause__)}{PROGRAM}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `visual-debug … | head`: whoever listened has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def shielded(command: Sequence[str]) -> list[str]:
    """The command with a space before negative numbers, by which argparse takes none of them for an option.

    >>> shielded(["f.py:f", "-1e-3", "-o", "out", "-inf"])
    ['f.py:f', ' -1e-3', '-o', 'out', '-inf']
    """
    return [
        f" {text}" if re.match(r"-\.?\d", text) and before not in ("--step", "-o", "--digits") else text
        for before, text in zip(["", *command], command, strict=False)
    ]


def run(options: argparse.Namespace) -> int:
    """Carry out one command."""
    if os.environ.get("VISUAL_DEBUG") == "0":
        raise UsageError("recording is switched off by VISUAL_DEBUG=0 in the environment: unset it")
    if options.target is None:
        raise UsageError(f"say which function, as FILE.py:FUNCTION or package.module:FUNCTION (see {PROGRAM} --help)")
    where = destination(options)
    arguments, keywords = values(options.arguments)
    with module_of(options.target) as (module, name):
        function = find(module, name, options.target)
        check_call(function, name, arguments, keywords)
        trace = call(function, arguments, keywords)
        print(heading(trace, arguments, keywords))
        if trace.exception is not None:
            sys.stdout.flush()
            print(traceback_text(trace.exception), end="", file=sys.stderr)
        if where is None:
            print_all(trace, options)
        else:
            draw(trace, where, options)
    if isinstance(trace.exception, KeyboardInterrupt):
        raise trace.exception
    return 0 if trace.exception is None else 1


def run_check(options: argparse.Namespace) -> int:
    """Carry out `check`."""
    if os.environ.get("VISUAL_DEBUG") == "0":
        raise UsageError("recording is switched off by VISUAL_DEBUG=0 in the environment: unset it")
    arguments, keywords = values(options.arguments)
    with module_of(options.target) as (module, name):
        function = find(module, name, options.target)
        check_call(function, name, arguments, keywords)
        trace = call(function, arguments, keywords)
        print(heading(trace, arguments, keywords))
        if trace.exception is not None:
            sys.stdout.flush()
            print(traceback_text(trace.exception), end="", file=sys.stderr)
        asked = options.only or (check.USUAL if trace.exception is None else ("nonfinite",))
        return 0 if check.report(trace, asked, options.digits) else 1


# ---- what is asked


def destination(options: argparse.Namespace) -> Path | None:
    """Where pictures go: a file if it has the suffix of a picture, else a folder; None if nothing is to be drawn."""
    if options.output is None:
        for option in ("view", "format", "step"):
            if getattr(options, option) is not None:
                raise UsageError(f"--{option} is about pictures: say where they go, as -o out/")
        return None
    path = Path(options.output)
    if path.is_dir() or options.output.endswith(("/", os.sep)):
        return path
    if path.suffix.lower() in PICTURES:
        if options.format is not None and path.suffix.lower() != f".{options.format}":
            raise UsageError(
                f"--format {options.format} does not go with {path}: the suffix says what a single picture is"
            )
        return path
    if path.suffix:
        raise UsageError(
            f"{path}: a picture ends in {', '.join(PICTURES)}; for a folder of that name write {options.output}/"
        )
    if path.exists():
        raise UsageError(f"{path} is a file: -o needs a folder, or a file that ends in {', '.join(PICTURES)}")
    return path


def is_folder(where: Path) -> bool:
    """Whether a destination is a folder (that may not exist yet)."""
    return where.is_dir() or where.suffix.lower() not in PICTURES


def values(texts: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of the call: by position, and by name."""
    arguments: list[Any] = []
    keywords: dict[str, Any] = {}
    for text in map(str.strip, texts):
        name, equals, rest = text.partition("=")
        if not (equals and name.isidentifier()):
            arguments.append(literal(text, text))
        elif name in keywords:
            raise UsageError(f"{text}: {name} is given twice")
        else:
            keywords[name] = literal(rest, text)
    return arguments, keywords


def literal(text: str, argument: str) -> Any:
    """The value of a Python literal."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(f"{argument}: {shown(text)} is no Python literal{hint(text, argument)}") from None


def hint(text: str, argument: str) -> str:
    """What to write instead of something that is no literal.

    >>> hint("inf", "x=inf"), hint("km", "unit=km")
    ('; infinity is written x=1e999', '; a string keeps its quotes: \\'unit="km"\\'')
    """
    name = argument[: len(argument) - len(text)]
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return f"; infinity is written {name}{'-' if text.startswith('-') else ''}1e999"
    if not text:
        return ": nothing stands after the ="
    if re.fullmatch(r"[^\W\d][\w -]*", text):
        return f"; a string keeps its quotes: {shlex.quote(f'{name}{chr(34)}{text}{chr(34)}')}"
    return " (a number, a quoted string, a list, tuple or dict of these, True, False, None); nothing is calculated here"


def shown(text: str) -> str:
    """Text from the command line, cut to a legible length."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


# ---- the function


@contextmanager
def module_of(target: str) -> Iterator[tuple[ModuleType, str]]:
    """The module that a target names, and the name of the function in it; its folder is on `sys.path` meanwhile."""
    place, colon, name = target.rpartition(":")
    if not colon:
        place, name = target, ""
    file = place.endswith(".py") or os.sep in place or "/" in place
    if file and not Path(place).is_file():
        raise UsageError(f"{place}: no such file")
    if not name or not place:
        example = (
            f"{place}:{(functions_in(place) or ['FUNCTION'])[0]}"
            if file
            else "package.module:FUNCTION or FILE.py:FUNCTION"
        )
        raise UsageError(f"{target}: say which function, as {example}")
    path = sys.path[:]
    sys.path.insert(0, str(Path(place).resolve().parent) if file else os.getcwd())
    try:
        yield (from_file(Path(place)) if file else from_path(place)), name
    finally:
        sys.path[:] = path


def functions_in(file: str) -> list[str]:
    """Names of the functions that a file defines, without running it."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    return [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@contextmanager
def loading(what: str) -> Iterator[None]:
    """The user's module is being run: tell its errors from ours."""
    try:
        yield
    except (VisualDebugError, UsageError):
        raise
    except SystemExit as error:
        raise ProgramError(
            f'{what} left (sys.exit) while it was loaded: guard that by if __name__ == "__main__"'
        ) from error
    except Exception as error:
        raise ProgramError(f"{what} cannot be loaded") from error


def from_file(path: Path) -> ModuleType:
    """A file as a module of its stem's name."""
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader

    loader = SourceFileLoader(path.stem, str(path.resolve()))
    spec = spec_from_loader(path.stem, loader)
    assert spec is not None
    module = module_from_spec(spec)
    known = sys.modules.get(path.stem)
    if known is None or getattr(known, "__file__", None) == module.__file__:
        sys.modules[path.stem] = module  # dataclasses and pickle look there; a module of that name that is in use stays
    with loading(str(path)):
        loader.exec_module(module)
    return module


def from_path(name: str) -> ModuleType:
    """An importable module."""
    from importlib import import_module

    try:
        with loading(name):
            return import_module(name)
    except ProgramError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and missing.name and f"{name}.".startswith(f"{missing.name}."):
            file = Path(*name.split(".")).with_suffix(".py")
            there = (
                f"; for the file write {file}:…" if file.is_file() else f"; a file is named by its path, as {name}.py:…"
            )
            raise UsageError(f"no module named {missing.name}{there}") from None
        raise


def find(module: ModuleType, name: str, target: str) -> Callable[..., Any]:
    """The function that a name with dots leads to; a method of a class comes with an instance."""
    import inspect

    found: Any = module
    for part in name.split("."):
        owner = found
        try:
            found = getattr(owner, part)
        except AttributeError:
            place = Path(getattr(module, "__file__", None) or module.__name__).name if owner is module else kind(owner)
            raise UsageError(f"{target}: there is no {part} in {place}{guess(part, owner)}") from None
    if isinstance(owner, type) and inspect.isfunction(inspect.getattr_static(owner, part)):
        found = getattr(instance(owner, name), part)
    if isinstance(found, property):
        raise UsageError(f"{name} is a property: write a function that asks for it")
    if not callable(found):
        raise UsageError(f"{name} is no function but of type {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def kind(owner: Any) -> str:
    """The name of a class, or of the class of an object."""
    return owner.__qualname__ if isinstance(owner, type) else type(owner).__name__


def guess(part: str, owner: Any) -> str:
    """The function that may have been meant, or those there are."""
    import difflib

    home = getattr(owner, "__name__", None)
    inside = [
        name
        for name, item in getattr(owner, "__dict__", {}).items()
        if not name.startswith("_")
        and (callable(item) or isinstance(item, classmethod))
        and (isinstance(owner, type) or getattr(item, "__module__", None) == home)
    ]
    if close := difflib.get_close_matches(part, inside, n=1):
        return f": did you mean {close[0]}?"
    return f", only {', '.join(inside[:8])}{', …' if len(inside) > 8 else ''}" if inside else ""


def instance(owner: type, name: str) -> Any:
    """An object to run a method of, if its class takes no arguments."""
    import inspect

    try:
        inspect.signature(owner).bind()
    except TypeError as error:
        raise UsageError(
            f"{name} is a method of objects, and {owner.__name__}() cannot be made ({error}): "
            "write a function that makes one and calls it"
        ) from None
    except ValueError:
        pass
    with loading(f"{owner.__name__}()"):
        return owner()


def check_call(function: Callable[..., Any], name: str, arguments: list[Any], keywords: dict[str, Any]) -> None:
    """Refuse arguments that the function does not take."""
    import inspect

    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise UsageError(f"{name}{signature_text(signature)}: {error}") from None


def signature_text(signature: Any) -> str:
    """A signature in which no default is longer than a number."""
    import inspect

    short = []
    for parameter in signature.parameters.values():
        default = parameter.default
        if default is not inspect.Parameter.empty and len(repr(default)) > 20:
            parameter = parameter.replace(default=...)
        short.append(parameter.replace(annotation=inspect.Parameter.empty))
    return str(inspect.Signature(short))


def call(function: Callable[..., Any], arguments: list[Any], keywords: dict[str, Any]) -> Trace:
    """Run the function, which may be decorated already, and return its trace, also if it raises."""
    traced: Any = function if hasattr(function, "traces") and hasattr(function, "trace") else vd.visual_debug(function)
    from visual_debug.decorator import run_to_end

    with vd.recording() as traces:
        try:
            run_to_end(traced, arguments, keywords)
        except BaseException as error:
            if not traces or traces[-1].exception is not error:
                raise ProgramError("the error came from code that was not recorded") from error
    if not traces:
        raise TraceError(f"{getattr(function, '__name__', function)} left no trace")
    return traces[-1]


def traceback_text(error: BaseException | None) -> str:
    """A traceback without the frames of this package and of the import machinery."""
    import traceback

    if error is None:
        return ""
    text = traceback.TracebackException.from_exception(error)
    ours = (os.path.dirname(__file__) + os.sep, "<frozen importlib")
    pending: list[traceback.TracebackException | None] = [text]
    while pending:
        part = pending.pop()
        if part is not None:
            part.stack = traceback.StackSummary.from_list([f for f in part.stack if not f.filename.startswith(ours)])
            pending += [part.__cause__, part.__context__]
    return "".join(text.format())


# ---- what is printed


def heading(trace: Trace, arguments: Sequence[Any], keywords: dict[str, Any]) -> str:
    """The call and what came of it."""
    given = [short_text(value) for value in arguments] + [f"{name}={short_text(v)}" for name, v in keywords.items()]
    what = f"{trace.function.replace('.<locals>', '')}({', '.join(given)})"
    if trace.exception is not None:
        return f"{what} raised {type(trace.exception).__name__}"
    return f"{what} = {short_text(trace.result)}"


def short_text(value: Any) -> str:
    """A value in full if it is a number, and as in the pictures if that is long."""
    from visual_debug.display import value_text

    text = repr(value.item() if hasattr(value, "dtype") and value.shape == () else value)
    return text if len(text) <= 60 and "\n" not in text else value_text(value)


def print_all(trace: Trace, options: argparse.Namespace) -> None:
    """Tree, gradient, what is not finite, and where to go next."""
    print(f"\n{trace}")
    if trace.exception is None:
        print("", *gradient_lines(trace), sep="\n")
    if (node := trace.first_nonfinite()) is not None:
        print(f"\nthe first value that is not finite: {node.symbol} → {short_text(node.value)} at {place_text(node)}")
    print("", *next_lines(trace, [PROGRAM, options.target, *map(str.strip, options.arguments)]), sep="\n")


def place_text(node: Node) -> str:
    """File and line of a node, and the expression."""
    return f"{os.path.relpath(node.source.file)}:{node.source.line}: {node.source.text}".rstrip(": ")


def next_lines(trace: Trace, command: list[str]) -> list[str]:
    """How much was recorded, and the command that draws it."""
    from visual_debug.render import image

    size = counted(len(trace), "value")
    if not len(trace):
        return ["0 values: no number was computed"]
    if len(trace) > image.MOST_BOXES:
        return [f"{size}, too many for a picture of each: try fewer iterations, or trace a function of the inner part"]
    steps = len(trace.steps())
    if steps * len(trace) > image.MOST_DRAWN:
        return [
            f"{size}, {counted(steps, 'step')}. To see the last of them:",
            f"  {shlex.join([*command, '-o', 'out.png'])}",
        ]
    return [f"{size}, {counted(steps, 'step')}. To see each of them:", f"  {shlex.join([*command, '-o', 'out/'])}"]


def gradient_lines(trace: Trace) -> list[str]:
    """The gradient, one line per input; or why there is none."""
    try:
        gradient = trace.grad()
    except (NoDerivativeError, TraceError) as error:
        return [f"no gradient: {error}"]
    if not gradient:
        return ["no gradient: no argument is a number"]
    entries = list(parts("", gradient))
    width = max(len(name) for name, _ in entries[:MOST_GRADIENTS])
    lines = [f"  d/d{name:{width}} = {short_text(value)}" for name, value in entries[:MOST_GRADIENTS]]
    if len(entries) > MOST_GRADIENTS:
        lines.append(f"  … and {len(entries) - MOST_GRADIENTS} more")
    return ["gradient", *lines]


def parts(name: str, structure: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts, lists and tuples, each with the expression that leads to it.

    >>> list(parts("", {"x": 1, "p": {"W": (2, None, [3])}}))
    [('x', 1), ("p['W'][0]", 2), ("p['W'][2][0]", 3)]
    """
    if isinstance(structure, dict):
        for key, item in structure.items():
            yield from parts(f"{name}[{key!r}]" if name else str(key), item)
    elif isinstance(structure, (list, tuple)):
        for index, item in enumerate(structure):
            yield from parts(f"{name}[{index}]", item)
    elif structure is not None:
        yield name, structure


def counted(number: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "picture"), counted(1700, "step")
    ('1 picture', '1,700 steps')
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")


# ---- what is drawn


def draw(trace: Trace, where: Path, options: argparse.Namespace) -> None:
    """Write the pictures, and print what went where."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            if is_folder(where):
                draw_folder(trace, where, options)
            else:
                print(f"wrote {trace.export(where, view=options.view or 'graph', step=options.step)}")
        except OSError as error:
            raise UsageError(f"cannot write to {where}: {error.strerror or error}") from None
        except RenderError as error:
            if trace.exception is None:
                raise
            print(f"{PROGRAM}: note: no picture: {error}", file=sys.stderr)
        finally:
            for message in dict.fromkeys(str(warning.message) for warning in told):
                print(f"{PROGRAM}: note: {message}", file=sys.stderr)


def draw_folder(trace: Trace, folder: Path, options: argparse.Namespace) -> None:
    """All frames of one view in a folder of their own, the final state in both views, and the text tree."""
    view, format = options.view or "graph", options.format or "svg"
    steps = folder / view
    if options.step is not None:
        count = len(trace.steps())
        if not -count <= options.step < count:
            raise UsageError(f"--step {options.step}: there are {count} steps, 0 to {count - 1}")
        number = f"{options.step % count:0{max(2, len(str(count - 1)))}d}"
        print(f"wrote {trace.export(steps / f'step-{number}.{format}', view=view, step=options.step)}")
        return
    paths = trace.export_steps(steps, view=view, format=format, progress=progress())
    print(f"wrote {counted(len(paths), 'picture')} to {steps}{os.sep} ({paths[0].name} to {paths[-1].name})")
    text = folder / "tree.txt"
    text.write_text(f"{trace.tree()}\n", encoding="utf-8")
    finals = []
    for final in VIEWS:
        if final != view and final == "tree" and trace.tree().count("\n") >= LARGEST_TREE:
            print(
                f"no tree.png: the tree repeats shared values and has more than {LARGEST_TREE} boxes; {text} has it as text"
            )
            continue
        finals.append(str(trace.export(folder / f"{final}.png", view=final)))
    print(f"wrote {', '.join([*finals, str(text)])}")
    older = sorted({p.name for p in steps.glob("step-*.*")} - {p.name for p in paths})
    if older:
        print(
            f"{PROGRAM}: note: {steps} also holds {counted(len(older), 'older file')}, as {older[0]}", file=sys.stderr
        )


def progress() -> Callable[[int, int], None] | None:
    """Something to tell of the pictures while they are drawn, if somebody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        sys.stderr.write(f"\rdrawing {done:,} of {total:,}" if done < total else "\r\033[K")
        sys.stderr.flush()

    return tell
