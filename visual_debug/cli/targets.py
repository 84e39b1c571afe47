"""The function that a command names: its module is loaded, and it is found and called."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import visual_debug as vd
from visual_debug.cli.usage import ProgramError, UsageError
from visual_debug.errors import TraceError, VisualDebugError

if TYPE_CHECKING:
    from types import ModuleType

    from visual_debug.traces import Trace


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


def call(
    function: Callable[..., Any], arguments: list[Any], keywords: dict[str, Any], options: dict[str, Any]
) -> Trace:
    """Run the function, which may be decorated already, and return its trace, also if it raises."""
    is_traced = hasattr(function, "traces") and hasattr(function, "trace")
    if is_traced and options:
        function, is_traced = getattr(function, "__wrapped__", function), False
    traced: Any = function if is_traced else vd.visual_debug(function, **options)
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
