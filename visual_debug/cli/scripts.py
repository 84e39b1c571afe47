"""A whole script, run as `python FILE.py` would, with chosen functions of it traced."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import visual_debug as vd
from visual_debug.cli import printing, show
from visual_debug.cli.usage import PROGRAM, UsageError, traceback_text

#: Why a chosen function may have left none.
WITHIN = "it was not called, or only by functions whose traces show it"

#: The functions that the running script has made, by name, and the options that they are recorded with.
_made: dict[str, Any] = {}
_options: dict[str, Any] = {}


def split(command: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command up to a script's name, and the script's own arguments; all of it where there is no `--trace` before.

    >>> split(["--trace", "f", "run.py", "--fast", "3"])
    (['--trace', 'f', 'run.py'], ['--fast', '3'])
    >>> split(["run.py:f", "3", "--view", "code"])
    (['run.py:f', '3', '--view', 'code'], [])
    """
    if not any(word == "--trace" or word.startswith("--trace=") for word in command):
        return list(command), []
    for at, word in enumerate(command):
        is_first = not any(w == "--trace" or w.startswith("--trace=") for w in command[:at])
        if word.endswith(".py") and not is_first and (at == 0 or command[at - 1] not in ("-o", "--trace")):
            return list(command[: at + 1]), list(command[at + 1 :])
    return list(command), []


def traced(function: Any) -> Any:
    """The decorator that a chosen function gets."""
    result = vd.visual_debug(function, **_options)
    plain = getattr(function, "__func__", getattr(function, "fget", function))
    _made[getattr(plain, "__qualname__", str(plain))] = getattr(result, "__func__", getattr(result, "fget", result))
    return result


def run(options: argparse.Namespace, recording: dict[str, Any], where: Path | None) -> int:
    """Run a script; show the latest trace of each chosen function."""
    file = Path(options.target)
    if options.module is not None or file.suffix != ".py":
        raise UsageError("--trace runs a script: name a file, as FILE.py")
    code = compiled(file, options.trace)
    _made.clear()
    _options.clear()
    _options.update(recording)
    exit_code = execute(code, file, [str(word) for word in map(str.strip, options.arguments)])
    shown = 0
    for name, function in _made.items():
        if not function.traces:
            if any(other.traces for other in _made.values()):
                print(f"{PROGRAM}: note: {name} has no trace of its own: {WITHIN}", file=sys.stderr)
            continue
        shown += 1
        if shown > 1:
            print()
        trace = function.trace
        print(printing.heading(trace, None, {}))
        place = where if where is None or len(_made) == 1 else apart(where, name)
        show.present(trace, place, options, [PROGRAM, "--trace", name, str(file), *options.arguments])
    if not shown and exit_code:
        print(f"{PROGRAM}: {file} ended before it called {', '.join(options.trace)}", file=sys.stderr)
    elif not shown:
        raise UsageError(f"{file} has called none of {', '.join(options.trace)}")
    return exit_code


def apart(where: Path, name: str) -> Path:
    """A place of its own for each function's pictures.

    >>> apart(Path("out.svg"), "f").as_posix(), apart(Path("out"), "A.f").as_posix()
    ('out-f.svg', 'out/A.f')
    """
    return where.with_name(f"{where.stem}-{name}{where.suffix}") if where.suffix else where / name


def compiled(file: Path, names: Sequence[str]) -> CodeType:
    """The code of a script in which the functions of these names are decorated."""
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} cannot be parsed: {error}") from None
    found: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    work: list[tuple[ast.AST, str]] = [(tree, "")]
    while work:
        node, prefix = work.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.setdefault(f"{prefix}{child.name}", []).append(child)
                inner = f"{prefix}{child.name}."
            elif isinstance(child, ast.ClassDef):
                inner = f"{prefix}{child.name}."
            work.append((child, inner))
    for name in names:
        if name not in found:
            known = ", ".join(sorted(found)[:8]) or "none at all"
            raise UsageError(f"--trace {name}: {file} defines no such function, only {known}")
        for function in found[name]:
            decorator = ast.parse(f"__import__({__name__!r}, fromlist=['traced']).traced", mode="eval").body
            place: ast.AST = function.decorator_list[0] if function.decorator_list else function
            for part in ast.walk(decorator):
                ast.copy_location(part, place)
            function.decorator_list.insert(0, decorator)
    return compile(tree, str(file.resolve()), "exec", dont_inherit=True)


def execute(code: CodeType, file: Path, arguments: list[str]) -> int:
    """Run the code as the main program, and return its exit code."""
    module = ModuleType("__main__")
    module.__file__ = str(file.resolve())
    module.__builtins__ = __builtins__  # type: ignore[attr-defined]
    before = sys.argv[:], sys.path[:], sys.modules.get("__main__")
    sys.argv[:] = [str(file), *arguments]
    sys.path.insert(0, str(file.resolve().parent))
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - what was asked for
    except SystemExit as error:
        return exit_code_of(error)
    except Exception as error:  # noqa: BLE001 - whatever the script raises
        sys.stdout.flush()
        print(traceback_text(error), end="", file=sys.stderr)
        return 1
    finally:
        sys.argv[:], sys.path[:] = before[0], before[1]
        if before[2] is not None:
            sys.modules["__main__"] = before[2]
    return 0


def exit_code_of(error: SystemExit) -> int:
    """What the interpreter would exit with."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    print(error.code, file=sys.stderr)
    return 1
