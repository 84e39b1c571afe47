"""The command line: run a function or a script, and show where results come from.

Exit codes: 0; 1 if the program itself failed (what was recorded up to there is shown all the same); 2 for a command that
cannot be carried out, with one line that says why.
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import visual_debug as vd
from visual_debug.cli import check, drawing, literals, printing, scripts, show, targets
from visual_debug.cli.usage import PROGRAM, ProgramError, UsageError, traceback_text
from visual_debug.errors import VisualDebugError

EPILOG = f"""\
examples:
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7                   print its tree and its gradient
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 --view code       print its source with the values in place
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 -o out/           draw every step of both passes
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 -o gaussian.png   draw the final state only
  {PROGRAM} -m package.module:Class.method 0.5 -o out/ --view tree  a function of an installed module
  {PROGRAM} examples/orbit.py --trace energy                        run a script, and show its last call of energy
  {PROGRAM} examples/gaussian.py:gaussian x=2 y=7 -o run.trace      save the trace itself
  {PROGRAM} show run.trace -o run.svg                               and look at it later
  {PROGRAM} check examples/gaussian.py:gaussian x=2.0 y=7.0         what is wrong with its numbers

The function need not be decorated. Of a class, static methods and class methods can be run, and the other methods too if
the class can be made without arguments. Arguments are Python literals, or @FILE.npy for an array, by position or as
name=value; a string keeps its quotes: 'unit="km"'. Exit codes: 0; 1 if the function raised an exception (what it computed
until then is still shown); 2 if the command cannot be carried out."""

#: What the first word of a command may be, besides a function or a script.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"show": show.main, "check": check.main}


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
        "target",
        metavar="FILE.py:FUNCTION",
        nargs="?",
        help="the function to run; or package.module:FUNCTION; or, with --trace, a script",
    )
    result.add_argument(
        "arguments",
        metavar="ARGUMENT",
        nargs="*",
        help="its arguments: literals, or name=literal; after a script, what it finds in sys.argv",
    )
    result.add_argument("-m", dest="module", metavar="MODULE:FUNCTION", help="a function of an installed module")
    result.add_argument(
        "--trace",
        metavar="NAME",
        action="append",
        help="run the file as a script and trace this function of it (NAME or Class.NAME); may be given several times",
    )
    result.add_argument(
        "--follow",
        metavar="WHICH",
        help="functions that are recorded too when they are called: all, none, or top-level packages, as numpy,scipy "
        "(default: those of the function's own package or file)",
    )
    result.add_argument("--limit", type=int, metavar="N", help="record at most N values")
    show.add_options(result)
    result.add_argument("--version", action="version", version=f"{PROGRAM} {vd.__version__}")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if callable(reconfigure := getattr(stream, "reconfigure", None)):
            reconfigure(errors="replace")  # a terminal that knows no ∂ or └ shows ? rather than a traceback
    command = list(sys.argv[1:] if argv is None else argv)
    try:
        if command and command[0] in COMMANDS:
            return COMMANDS[command[0]](command[1:])
        return run(parsed(command))
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
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"{PROGRAM}: error: cannot write: {error.strerror}", file=sys.stderr)
        return 2


def parsed(command: Sequence[str]) -> argparse.Namespace:
    """The options of a command; what follows a script is the script's own."""
    own, rest = scripts.split(command)
    options = parser().parse_intermixed_args(shielded(own))
    options.arguments += rest
    if options.module is not None:
        options.arguments = [*([options.target] if options.target is not None else []), *options.arguments]
        options.target = options.module
    return options


def shielded(command: Sequence[str]) -> list[str]:
    """The command with a space before negative numbers, by which argparse takes none of them for an option.

    >>> shielded(["f.py:f", "-1e-3", "-o", "out", "-inf"])
    ['f.py:f', ' -1e-3', '-o', 'out', '-inf']
    """
    return [
        f" {text}"
        if re.match(r"-\.?\d", text) and before not in ("--step", "--turn", "--limit", "--digits", "-o")
        else text
        for before, text in zip(["", *command], command, strict=False)
    ]


def run(options: argparse.Namespace) -> int:
    """Carry out one command."""
    if os.environ.get("VISUAL_DEBUG") == "0":
        raise UsageError("recording is switched off by VISUAL_DEBUG=0 in the environment: unset it")
    if options.target is None:
        raise UsageError(f"say which function, as FILE.py:FUNCTION or package.module:FUNCTION (see {PROGRAM} --help)")
    where = drawing.destination(options)
    if options.trace:
        return scripts.run(options, recording_options(options), where)
    arguments, keywords = literals.values(options.arguments)
    with targets.module_of(options.target) as (module, name):
        function = targets.find(module, name, options.target)
        targets.check_call(function, name, arguments, keywords)
        trace = targets.call(function, arguments, keywords, recording_options(options))
        print(printing.heading(trace, arguments, keywords))
        if trace.exception is not None:
            sys.stdout.flush()
            print(traceback_text(trace.exception), end="", file=sys.stderr)
        show.present(trace, where, options, [PROGRAM, options.target, *map(str.strip, options.arguments)])
    if isinstance(trace.exception, KeyboardInterrupt):
        raise trace.exception
    return 0 if trace.exception is None else 1


def recording_options(options: argparse.Namespace) -> dict[str, Any]:
    """What the command says about recording, as options of the decorator."""
    result: dict[str, Any] = {}
    if options.follow is not None:
        words = [word for word in options.follow.split(",") if word]
        if options.follow not in ("all", "none"):
            for word in words:
                check_package(word, options.target)
        result["follow"] = {"all": "all", "none": ()}.get(options.follow, words)
    if options.limit is not None:
        if options.limit < 1:
            raise UsageError(f"--limit {options.limit}: at least 1 value")
        result["limit"] = options.limit
    return result


def check_package(name: str, target: str) -> None:
    """Refuse to follow a package that cannot be imported, neither from here nor from beside the file."""
    import importlib.util
    from pathlib import Path

    folder = Path(target.rpartition(":")[0] or target).parent
    if name in sys.modules or (folder / name).is_dir() or (folder / f"{name}.py").is_file():
        return
    if not name.isidentifier() or importlib.util.find_spec(name) is None:
        raise UsageError(
            f"--follow {name}: there is no such package; say all, none, or top-level packages, as numpy,scipy"
        )


__all__ = ["COMMANDS", "Parser", "main", "parser"]
