"""The summary view: one box per expression of the source, with how often it ran and what range its values had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.errors import RenderError
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame
from visual_debug.views.blocks import Block, blocks
from visual_debug.views.summary import Row, Summary, summarise

#: Characters of an expression in a box or a line of the table.
LONGEST = 32
#: Lines of the table.
MOST_LINES = 5000


def diagram(columns: Columns, adjoints: Mapping[int, Any] | None) -> Diagram:
    """The summary as a diagram of one frame; arrows run from an expression to those that use its values."""
    summary = summarise(columns, adjoints)
    boxes = [_box(row) for row in summary.rows]
    arrows = _arrows(summary)
    forward = {f"r{row.index}": values(row) for row in summary.rows}
    reverse = {f"r{row.index}": text for row in summary.rows if (text := slopes(row))}
    frame = Frame(title(summary, columns), forward, reverse)
    return Diagram(boxes, arrows, [frame], None, "summary")


def title(summary: Summary, columns: Columns) -> str:
    """What the summary is of, in one line."""
    count, places = len(columns), len(summary.rows)
    return f"{columns.activations[0].function}: {count:,} values of {places:,} expressions" if count else ""


def _box(row: Row) -> Box:
    place = f"{row.source.file}:{row.source.line}"
    kind = row.op if row.op in ("input", "const") else "op"
    return Box(f"r{row.index}", row.first_node, label(row), kind, "\n".join(filter(None, [row.source.text, place])))


def label(row: Row) -> str:
    """The expression and its line; of inputs and literals their name or value."""
    if row.op in ("input", "const"):
        return row.symbol
    text = " ".join(row.source.text.split()) or row.symbol
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    name = f"{row.name} = " if row.name and not text.startswith((f"{row.name} ", f"{row.name},")) else ""
    line = f"  line {row.source.line}" if row.source.line is not None else ""
    return f"{name}{text}{line}"


def values(row: Row) -> str:
    """The values of a row: the one there is, or how many, the first, the last and the range."""
    if row.count == 1:
        value = display.value_text(row.first)
        return "" if row.op == "const" and row.symbol == value else value
    ends = f"×{row.count:,}: {display.value_text(row.first)} first, {display.value_text(row.last)} last"
    span = _range(row.minimum, row.maximum)
    bad = f"{row.nonfinite:,} not finite" if row.nonfinite else ""
    return "\n".join(filter(None, [ends, ", ".join(filter(None, [span, bad]))]))


def slopes(row: Row | Block) -> str:
    """The adjoints of a row or block."""
    bad = f"{row.adjoint_nonfinite:,} not finite" if row.adjoint_nonfinite else ""
    return ", ".join(filter(None, [_range(row.adjoint_minimum, row.adjoint_maximum), bad]))


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    short = display.value_text(low), display.value_text(high)
    return short[0] if short[0] == short[1] else f"{short[0]} … {short[1]}"


def _arrows(summary: Summary) -> list[Arrow]:
    arity: dict[int, int] = {}
    for flow in summary.flows:
        arity[flow.target] = max(arity.get(flow.target, 0), flow.position + 1)
    return [Arrow(f"r{f.source}", f"r{f.target}", f.position, arity[f.target]) for f in summary.flows]


def table(columns: Columns, adjoints: Mapping[int, Any] | None) -> list[tuple[str, ...]]:
    """Rows of texts: line, expression, count, first, last, range, adjoints; the first row is the heading.

    Behind the expressions come the loops and functions, if they are several, with all operations in each together.
    """
    summary = summarise(columns, adjoints)
    if len(summary.rows) > MOST_LINES:
        raise RenderError(f"{len(summary.rows):,} expressions are more than the {MOST_LINES:,} lines of one table")
    lines: list[tuple[str, ...]] = [("line", "expression", "count", "first", "last", "range", "adjoints")]
    for row in summary.rows:
        expression = label(row).rpartition("  line ")[0] or label(row)
        lines.append((str(row.source.line or ""), expression, *_cells(row)))
    larger = blocks(summary)
    if len(larger) > 1:
        for block in larger:
            calls = f" ({block.calls:,} call{'s' if block.calls != 1 else ''})" if block.calls is not None else ""
            text = block.text if len(block.text) <= _LONGEST else block.text[: _LONGEST - 1] + "…"
            lines.append((str(block.line or ""), f"all of {text}{calls}", *_cells(block)))
    return lines


#: Characters of the head of a loop that are shown.
_LONGEST = 60


def _cells(row: Row | Block) -> tuple[str, ...]:
    """Count, first, last, range and adjoints."""
    bad = f" ({row.nonfinite:,} not finite)" if row.nonfinite else ""
    return (
        f"{row.count:,}",
        display.value_text(row.first),
        display.value_text(row.last) if row.count > 1 else "",
        _range(row.minimum, row.maximum) + bad if row.count > 1 else "",
        slopes(row),
    )


def text(columns: Columns, adjoints: Mapping[int, Any] | None) -> str:
    """The summary as a table of text."""
    from visual_debug.render import measure

    lines = [tuple(map(measure.shown, line)) for line in table(columns, adjoints)]
    widths = [max(int(-(-measure.width(line[k]) // 1)) for line in lines) for k in range(len(lines[0]))]
    shown = []
    for line in lines:
        cells = [cell + " " * (width - round(measure.width(cell))) for cell, width in zip(line, widths, strict=True)]
        shown.append("  ".join(cells).rstrip())
    return "\n".join(shown)
