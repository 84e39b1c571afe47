"""Trees, code and tables in the terminal: in colour where there is a terminal and `rich` is installed, else plain text."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from visual_debug.errors import TraceError
from visual_debug.render import code
from visual_debug.views import export

if TYPE_CHECKING:
    from visual_debug.render.code import CodeFrame, Piece
    from visual_debug.traces import Trace

_STYLES = {"value": "red", "reverse": "green", "number": "dim", "note": "dim", "title": "bold", "lit": "reverse"}


def console() -> Any:
    """A `rich` console, if standard output is a terminal that takes colours; else None."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_tree(trace: Trace) -> None:
    """The tree of the result, values in the colour of the pictures."""
    screen = console()
    if screen is None:
        print(trace)
        return
    from rich.text import Text

    for line in str(trace).split("\n"):
        before, arrow, value = line.partition("] → ")
        shown = Text(before + arrow)
        shown.append(value, _STYLES["value"])
        if not arrow:
            branch = len(line) - len(line.lstrip("├─└│ "))
            number, equals, name = line[branch:].partition("=")
            shown = Text(line[:branch])
            shown.append(number, _STYLES["value"])
            shown.append(equals + name)
        screen.print(shown)


def print_code(trace: Trace, step: int | None, turn: str | int) -> None:
    """The source with values in place."""
    request = export.Request(trace, "code", step, seeds_of(trace), turn)
    frame = request.code(-1 if step is None else step)[0]
    screen = console()
    if screen is None:
        print(code.text(frame))
        return
    for line in styled(frame):
        screen.print(line)


def seeds_of(trace: Trace) -> dict[int, Any] | None:
    """Seeds of the reverse pass, where there is one."""
    try:
        return trace._reverse_seeds()
    except TraceError:
        return None


def styled(frame: CodeFrame) -> Iterator[Any]:
    """The lines of a frame as `rich` texts: those of `code.text`, in colours."""
    from rich.text import Text

    yield Text(frame.title, _STYLES["title"])
    lines = iter(code.text(frame, title=False).split("\n"))
    wide = code.gutter(frame.rows)
    for row in frame.rows:
        above = Text(next(lines))
        above.stylize(_STYLES["number"], 0, wide)
        under = any(code.adjoint_text(piece) for piece in row.pieces)
        at = wide + 2 + 2 * row.depth
        for piece in row.pieces:
            above.stylize(_style_of(piece), at, at + len(piece.text))
            at += len(piece.text) + round(code.cells(piece) - code.width(piece.text))
        yield above
        if under:
            yield Text(next(lines), _STYLES["reverse"])


def _style_of(piece: Piece) -> str:
    if piece.kind == "value":
        return f"{_STYLES['value']} {_STYLES['lit']}" if piece.lit else _STYLES["value"]
    return _STYLES["note"] if piece.kind == "note" else ""


def print_summary(trace: Trace) -> None:
    """The table of expressions."""
    from visual_debug.views import overview

    adjoints = export.Request(trace, "summary", None, seeds_of(trace)).adjoints
    screen = console()
    if screen is None:
        print(overview.text(trace._columns, adjoints))
        return
    from rich.table import Table

    rows = overview.table(trace._columns, adjoints)
    table = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        style = _STYLES["value"] if heading in ("first", "last", "range") else ""
        table.add_column(
            heading, style=_STYLES["reverse"] if heading == "adjoints" else style, no_wrap=heading != "expression"
        )
    for row in rows[1:]:
        table.add_row(*row)
    screen.print(table)
