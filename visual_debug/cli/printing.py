"""What is printed of a trace."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from visual_debug import structures
from visual_debug.cli import terminal
from visual_debug.errors import NoDerivativeError, TraceError

if TYPE_CHECKING:
    from visual_debug.nodes import Node
    from visual_debug.traces import Trace

MOST_GRADIENTS = 20  #: lines that the gradient takes in print


def heading(trace: Trace, arguments: Sequence[Any] | None, keywords: dict[str, Any]) -> str:
    """The call and what came of it; the arguments are None where they are not known."""
    given = (
        ["…"]
        if arguments is None
        else [short_text(value) for value in arguments] + [f"{name}={short_text(v)}" for name, v in keywords.items()]
    )
    what = f"{trace.function.replace('.<locals>', '')}({', '.join(given)})"
    if trace.exception is not None:
        return f"{what} raised {type(trace.exception).__name__}"
    return f"{what} = {short_text(trace.result)}"


def short_text(value: Any) -> str:
    """A value in full if it is a number, and as in the pictures if that is long."""
    from visual_debug.display import value_text

    text = repr(value.item() if hasattr(value, "dtype") and value.shape == () else value)
    return text if len(text) <= 60 and "\n" not in text else value_text(value)


def print_all(trace: Trace, options: argparse.Namespace, turn: str | int, command: Sequence[str]) -> None:
    """Tree (or code, or summary), gradient, what is not finite, and where to go next."""
    print()
    if options.view == "code":
        terminal.print_code(trace, options.step, turn)
    elif options.view == "summary":
        terminal.print_summary(trace)
    else:
        terminal.print_tree(trace)
    if trace.exception is None:
        print("", *gradient_lines(trace), sep="\n")
    if (node := trace.first_nonfinite()) is not None:
        print(f"\nthe first value that is not finite: {node.symbol} → {short_text(node.value)} at {place_text(node)}")
    print("", *next_lines(trace, list(command)), sep="\n")


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
        return [
            f"{size}, too many for a picture of each. To see them by the expressions that made them:",
            f"  {shlex.join(with_options(command, '--view', 'summary'))}",
        ]
    steps = len(trace.steps())
    if steps * len(trace) > image.MOST_DRAWN:
        return [
            f"{size}, {counted(steps, 'step')}. To see the last of them:",
            f"  {shlex.join(with_options(command, '-o', 'out.png'))}",
        ]
    return [
        f"{size}, {counted(steps, 'step')}. To see each of them:",
        f"  {shlex.join(with_options(command, '-o', 'out/'))}",
    ]


def with_options(command: list[str], *options: str) -> list[str]:
    """A command with more options; those must stand before a script, whose arguments are its own."""
    return [command[0], *options, *command[1:]] if "--trace" in command else [*command, *options]


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
        return
    named = structures.tuple_fields(type(structure))
    fields = dict(zip(named, structure, strict=True)) if named is not None else structures.fields(structure)
    if fields is not None:
        for key, item in fields.items():
            yield from parts(f"{name}.{key}", item)
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
