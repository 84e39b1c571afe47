"""The arguments of the call, as they stand in the command: Python literals, and arrays in files."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visual_debug.cli.usage import UsageError


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
    """The value of a Python literal, or the array in a file."""
    if text.strip().startswith("@"):
        return array(text.strip()[1:], argument)
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(f"{argument}: {shown(text)} is no Python literal{hint(text, argument)}") from None


def array(file: str, argument: str) -> Any:
    """The array in a .npy file; nothing in it is executed."""
    import numpy

    if Path(file).suffix != ".npy":
        raise UsageError(f"{argument}: an array is read from a .npy file, as numpy.save writes it")
    try:
        return numpy.load(file, allow_pickle=False)
    except OSError as error:
        raise UsageError(f"{argument}: cannot read {file}: {error.strerror or error}") from None
    except (ValueError, EOFError):
        raise UsageError(f"{argument}: {file} is no .npy file of numbers, as numpy.save writes it") from None


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
