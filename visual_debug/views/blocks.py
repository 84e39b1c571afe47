"""The summary by larger parts of the program: one block for each loop, and one for each function that was called.

A block adds up the rows of the summary whose expressions stand in it, so that it costs nothing more however long the
trace is. What is given and read from outside is left out: a loop computes neither.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from visual_debug.views import syntax
from visual_debug.views.summary import Row, Summary

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Block:
    """All operations of a loop or of a function, in all turns and calls of it.

    Those of functions that are called from it have blocks of their own. `calls` is None for a loop. The ranges are over
    real finite values, as those of rows are.
    """

    kind: str  #: "loop" or "function"
    text: str  #: the head of the loop, or the function's qualified name
    file: str
    line: int | None
    end_line: int | None
    calls: int | None
    count: int  #: operations
    first: Any  #: value of the first of them
    last: Any
    minimum: float | None
    maximum: float | None
    nonfinite: int
    adjoint_minimum: float | None
    adjoint_maximum: float | None
    adjoint_nonfinite: int


def blocks(summary: Summary) -> list[Block]:
    """The loops in the order of the source, then the functions in the order of their first calls."""
    computed = [row for row in summary.rows if row.op not in ("input", "const")]
    found = []
    for file in sorted({row.source.file for row in computed}):
        inside = [row for row in computed if row.source.file == file and row.source.line is not None]
        for span, text in _loops(file):
            rows = [row for row in inside if _is_in(row, span)]
            if rows:
                found.append(block("loop", text, span[0], span[2], None, rows))
    for function in summary.functions:
        rows = [row for row in computed if row.function == function.name]
        if rows:
            lines = [row.source.line for row in rows if row.source.line is not None]
            last = [row.source.end_line for row in rows if row.source.end_line is not None]
            ends = min(lines, default=None), max(last, default=None)
            found.append(block("function", function.name, *ends, function.activations, rows))
    return found


def _loops(name: str) -> Iterator[tuple[syntax.Span, str]]:
    """Where the loops in a source file stand, outer ones first, and their heads."""
    file = syntax.read(name)
    if file is None:
        return
    nodes = (node for f in file.functions if isinstance(f.node, ast.Module) for node in ast.walk(f.node))
    loops = [(span, node) for node in nodes if isinstance(node, _LOOPS) and (span := syntax.span_of(node)) is not None]
    for span, loop in sorted(loops, key=lambda found: (found[0][:2], -found[0][2])):
        yield span, head(loop)


def head(loop: ast.AST) -> str:
    """A loop in one line."""
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return f"for {ast.unparse(loop.target)} in {ast.unparse(loop.iter)}"
    return f"while {ast.unparse(loop.test)}" if isinstance(loop, ast.While) else ast.unparse(loop)


def _is_in(row: Row, span: syntax.Span) -> bool:
    """Whether an expression stands in a loop."""
    source = row.source
    if source.line is None or source.column is None or source.end_line is None or source.end_column is None:
        return False
    return span[:2] <= (source.line, source.column) and (source.end_line, source.end_column) <= span[2:]


def block(
    kind: str, text: str, line: int | None, end_line: int | None, calls: int | None, rows: Sequence[Row]
) -> Block:
    """Some rows together."""
    first = min(rows, key=lambda row: row.first_node)
    last = max(rows, key=lambda row: row.last_node)
    return Block(
        kind, text, rows[0].source.file, line, end_line, calls, sum(row.count for row in rows), first.first, last.last,
        min((row.minimum for row in rows if row.minimum is not None), default=None),
        max((row.maximum for row in rows if row.maximum is not None), default=None),
        sum(row.nonfinite for row in rows),
        min((row.adjoint_minimum for row in rows if row.adjoint_minimum is not None), default=None),
        max((row.adjoint_maximum for row in rows if row.adjoint_maximum is not None), default=None),
        sum(row.adjoint_nonfinite for row in rows),
    )  # fmt: skip
