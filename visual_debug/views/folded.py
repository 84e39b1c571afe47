"""The folded trace of a page: a box for each expression, loop and function, with counts and ranges, to be opened.

One picture has all expressions; beside it each loop and function has one of its own, in which the loops and functions
inside of it are boxes. A page shows of an operation in them those nodes that it draws one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug import display
from visual_debug.errors import RenderError
from visual_debug.render import measure
from visual_debug.render.diagram import Arrow, Box, Diagram
from visual_debug.views import folds, overview, pictures
from visual_debug.views.summary import row_of_nodes, summarise

if TYPE_CHECKING:
    from visual_debug.columns import Columns
    from visual_debug.tracing.tape import Site
    from visual_debug.views.blocks import Block
    from visual_debug.views.folds import Fold
    from visual_debug.views.marks import Mark, Marks
    from visual_debug.views.summary import Row, Summary

#: Boxes of expressions that are shown at first; of more, the outermost loops and functions are.
MOST_FLAT = 40
#: Expressions and folds that a page has boxes for.
MOST_ROWS = 2000
#: Values that a loop or function hands on which its box tells.
MOST_HANDED = 2


def ends(columns: Columns) -> list[int]:
    """The first and last node of each expression."""
    row = row_of_nodes(columns)
    _, first = np.unique(row, return_index=True)
    _, last = np.unique(row[::-1], return_index=True)
    return sorted({*first.tolist(), *(len(row) - 1 - last).tolist()})


class Folded:
    """The expressions of a trace, and what they are folded into.

    Args:
        columns: the trace.
        roots: nodes of the results.
        adjoints: by node, where they are known.

    Raises:
        RenderError: where there are more expressions than a page can draw.

    """

    def __init__(self, columns: Columns, roots: Sequence[int], adjoints: Mapping[int, Any] | None) -> None:
        self.columns = columns
        self.adjoints = adjoints or {}
        self.summary: Summary = summarise(columns, adjoints)
        self.row = row_of_nodes(columns)
        if len(self.summary.rows) > MOST_ROWS:
            raise RenderError(
                f"{len(self.summary.rows):,} expressions are more than the {MOST_ROWS:,} that a page folds a trace into: "
                "name those that it draws one by one, nodes=…, or take trace.slice(node)"
            )
        found = folds.folds(columns, self.summary, sorted({int(self.row[root]) for root in roots}))
        self.folds: list[Fold] = found if len(found) > 1 else []
        self.totals = [folds.total(fold, self.folds, self.summary) for fold in self.folds]

    @property
    def first(self) -> str:
        """The name of the picture that is shown first."""
        return "fold0" if self.folds and len(self.summary.rows) > MOST_FLAT else "summary"

    def sheets(self, shown: Sequence[int], span: Callable[[Site], int | None]) -> dict[str, Any]:
        """The pictures by name, of which `summary` has the rows, and the others are those of the folds.

        Args:
            shown: the nodes that the page draws one by one.
            span: the number of the span of an expression.

        """
        members: dict[int, list[int]] = {}
        for i, node in enumerate(shown):
            members.setdefault(int(self.row[node]), []).append(i)
        rows = [
            self._row(
                row, members.get(row.index, []), None if _is_given(row) else span(self.columns.site[row.first_node])
            )
            for row in self.summary.rows
        ]
        inner = [self._fold(fold) for fold in self.folds]
        flows: dict[tuple[int, int], int] = {}
        for flow in self.summary.flows:
            flows[flow.source, flow.target] = flows.get((flow.source, flow.target), 0) + flow.count
        found = {"summary": {**self._sheet(range(len(rows)), flows, rows, inner), "rows": rows, "folds": inner}}
        for fold in self.folds:
            drawn = {
                (tail, head): count
                for (tail, head), count in fold.flows.items()
                if head >= 0 or tail < 0 or self.summary.rows[tail].op != "const"  # a literal goes with its operation
            }
            ends = {end for flow in drawn for end in flow} | set(fold.rows) | {folds.item_of(i) for i in fold.inner}
            found[f"fold{fold.index}"] = self._sheet(sorted(ends, key=self._when), drawn, rows, inner)
        return found

    def marked(self, given: Marks) -> dict[str, list[Any]]:
        """The strongest mark of each row, then of each fold."""
        strongest: dict[int, Mark] = {}
        for node, mark in given.of.items():
            row = int(self.row[node])
            if row not in strongest or strongest[row].weight < mark.weight:
                strongest[row] = mark
        found: list[Mark | None] = [strongest.get(row.index) for row in self.summary.rows]
        for fold in self.folds:
            inside = [one for row in folds.rows_in(fold, self.folds) if (one := found[row]) is not None]
            found.append(max(inside, key=lambda one: one.weight) if inside else None)
        return {
            "weight": [None if mark is None else round(mark.weight, 4) for mark in found],
            "text": [None if mark is None else measure.shown(mark.text) for mark in found],
        }

    # ---- pictures

    def _when(self, item: int) -> int:
        """The first row of an item: it comes before what comes later in the program."""
        return item if item >= 0 else min(folds.rows_in(self.folds[-1 - item], self.folds), default=0)

    def _sheet(
        self,
        items: Sequence[int],
        flows: Mapping[tuple[int, int], int],
        rows: Sequence[Mapping[str, Any]],
        inner: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        at = {item: i for i, item in enumerate(items)}

        def number(item: int) -> int:
            return item if item >= 0 else len(rows) - 1 - item

        boxes = [Box(f"r{at[item]}", number(item), str(item), "op") for item in items]
        room = {
            f"r{at[item]}": pictures.slot((rows[item] if item >= 0 else inner[-1 - item])["lines"]) for item in items
        }
        forward = {flow: count for flow, count in flows.items() if at[flow[0]] < at[flow[1]]}
        again = {flow: count for flow, count in flows.items() if at[flow[0]] >= at[flow[1]]}
        arrows = [Arrow(f"r{at[tail]}", f"r{at[head]}", 0, 1) for tail, head in forward]
        sheet = pictures.sheet(Diagram(boxes, arrows, [], None, "graph"), room)
        back = pictures.back(sheet["boxes"], [(at[tail], at[head]) for tail, head in again])
        left, right = pictures.sides(sheet["width"], back)
        return {
            **sheet,
            "left": round(left, 1),
            "width": round(right - left, 1),
            "back": back,
            "counts": [*forward.values(), *again.values()],
        }

    # ---- what is said

    def _row(self, row: Row, members: list[int], span: int | None) -> dict[str, Any]:
        texts = [measure.shown(display.value_text(v)) for v in (row.first, row.last)]
        range_ = [None if v is None else display.value_text(v) for v in (row.minimum, row.maximum)]
        text = row.symbol if _is_given(row) else " ".join(row.source.text.split())
        label = measure.shown(text or row.symbol)
        lines = [label, texts[0] if row.count == 1 else f"×{row.count:,}"]
        if row.count == 1 and texts[0] == label:
            lines.pop()  # a literal: its label says it
        if row.count > 1:
            lines += [f"{texts[0]} … {texts[1]}", f"[{range_[0]}, {range_[1]}]" if range_[0] is not None else ""]
        slopes = overview.slopes(row)
        if row.count == 1 and (slope := self.adjoints.get(row.first_node)) is not None:
            slopes = measure.shown(display.value_text(slope))
        lines.append(f"∂ {slopes}" if slopes else "")
        return {
            "lines": lines, "op": row.op, "name": row.name, "line": row.source.line, "function": row.function,
            "count": row.count, "first": texts[0], "last": texts[1], "least": range_[0], "most": range_[1],
            "slopes": slopes, "bad": row.nonfinite, "value": _larger(row.minimum, row.maximum),
            "adjoint": _larger(row.adjoint_minimum, row.adjoint_maximum), "members": members, "span": span,
        }  # fmt: skip

    def _fold(self, fold: Fold) -> dict[str, Any]:
        total = self.totals[fold.index]
        lines = [measure.shown(fold.text), times(fold, self.folds, self.summary)]
        for index in fold.hands_on[-MOST_HANDED:]:
            row = self.summary.rows[index]
            name = row.name or " ".join(row.source.text.split()) or row.symbol
            first, last = display.value_text(row.first), display.value_text(row.last)
            lines.append(measure.shown(f"{name}: {first} … {last}" if row.count > 1 else f"{name}: {first}"))
        return {
            "lines": lines, "parent": fold.parent,
            "own": [*fold.rows, *(len(self.summary.rows) + i for i in fold.inner)], "kind": "loop" if fold.calls is None else "function",
            "times": lines[1], "line": None if total is None else total.line,
            "function": fold.function, "count": 0 if total is None else total.count,
            **_ranges(total),
        }  # fmt: skip


def times(fold: Fold, found: Sequence[Fold], summary: Summary) -> str:
    """How often a function was called; how often the operations of a loop ran, which not each pass need reach."""
    if fold.calls is not None:
        return f"×{fold.calls:,} call{'s' if fold.calls != 1 else ''}"
    counts = [summary.rows[row].count for row in fold.rows or folds.rows_in(fold, found)]
    low, high = min(counts), max(counts)
    return f"×{high:,}" if low == high else f"×{low:,} to ×{high:,}"


def _ranges(total: Block | None) -> dict[str, Any]:
    if total is None:
        return {
            "first": "",
            "last": "",
            "least": None,
            "most": None,
            "slopes": "",
            "bad": 0,
            "value": None,
            "adjoint": None,
        }
    least, most = (None if v is None else display.value_text(v) for v in (total.minimum, total.maximum))
    return {
        "first": measure.shown(display.value_text(total.first)), "last": measure.shown(display.value_text(total.last)),
        "least": least, "most": most, "slopes": overview.slopes(total), "bad": total.nonfinite,
        "value": _larger(total.minimum, total.maximum),
        "adjoint": _larger(total.adjoint_minimum, total.adjoint_maximum),
    }  # fmt: skip


def _is_given(row: Row) -> bool:
    return row.op in ("input", "const")


def _larger(low: float | None, high: float | None) -> float | None:
    """The end of a range that is further from 0."""
    if low is None or high is None:
        return None
    return high if abs(high) >= abs(low) else low
