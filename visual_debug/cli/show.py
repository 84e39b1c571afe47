"""`visual-debug show saved.trace`, and how any trace is shown: printed, drawn, opened."""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import visual_debug as vd
from visual_debug.cli import drawing, printing
from visual_debug.cli.usage import PROGRAM, UsageError
from visual_debug.render import themes
from visual_debug.views import export

if TYPE_CHECKING:
    from visual_debug.traces import Trace


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what is shown of a trace, and how."""
    parser.add_argument(
        "-o",
        dest="output",
        metavar="PATH",
        help="a folder for pictures of every step, of the final state, and the text tree; or one file: "
        f"{', '.join(drawing.ENDS)}. Without it, the tree and the gradient are printed",
    )
    parser.add_argument(
        "--view",
        choices=export.VIEWS,
        help="graph: one box per value (default); tree: shared values are repeated; code: the source with values in "
        "place; summary: one box per expression. The last two are printed if there is no -o",
    )
    parser.add_argument(
        "--format",
        choices=drawing.SUFFIXES,
        help="of the pictures in a folder (default: svg); any but svg and png makes one file in it",
    )
    parser.add_argument(
        "--step", type=int, metavar="N", help="draw the state after step N only (negative: from the end)"
    )
    parser.add_argument(
        "--turn", metavar="WHICH", help="of the code view: which pass of loops: first, last (default), all, or a number"
    )
    parser.add_argument("--theme", choices=themes.THEMES, default="light", help="of pictures (default: light)")
    parser.add_argument("--open", action="store_true", help="open what was drawn in the browser")


def main(command: Sequence[str]) -> int:
    """Carry out `show`."""
    from visual_debug.cli import Parser, shielded

    parser = Parser(
        prog=f"{PROGRAM} show",
        description=f"Show a trace that was saved by trace.save(path), or by {PROGRAM} … -o run.trace.",
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="the saved trace")
    add_options(parser)
    options = parser.parse_intermixed_args(shielded(command))
    where = drawing.destination(options)
    try:
        trace = vd.load(options.file)
    except OSError as error:
        raise UsageError(f"cannot read {options.file}: {error.strerror or error}") from None
    print(printing.heading(trace, None, {}))
    present(trace, where, options, [PROGRAM, "show", options.file])
    return 0


def present(trace: Trace, where: Path | None, options: argparse.Namespace, command: Sequence[str]) -> None:
    """Print a trace, or draw it, as the options say."""
    turn = turn_of(options.turn)
    if where is None and options.open:
        folder = Path(tempfile.mkdtemp(prefix="visual-debug-"))
        suffix = options.format or ("html" if "html" in export.FORMATS else "svg")
        where = folder / f"trace.{suffix}"
    if where is None:
        printing.print_all(trace, options, turn, command)
        return
    drawn = drawing.draw(trace, where, options, turn)
    if options.open and drawn is not None and not webbrowser.open(drawn.resolve().as_uri()):
        print(f"{PROGRAM}: note: no browser could be opened for {drawn}", file=sys.stderr)


def turn_of(text: str | None) -> str | int:
    """Which pass of loops is meant."""
    if text is None or text in ("first", "last", "all"):
        return text or "last"
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--turn {text}: choose first, last, all, or the number of a pass, from 0") from None
