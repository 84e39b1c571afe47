"""The data of an offline page: values, both passes, source, and pictures with their coordinates, as plain JSON types.

A trace of up to `MOST_SHOWN` nodes is on the page as a whole. Of a longer one the page has the summary, one box for each
expression of the source, and those nodes that the user names; without any, those nearest to the result.
"""

from __future__ import annotations

import ast
import linecache
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, SupportsIndex

from visual_debug import display
from visual_debug.columns import MISSING, Columns
from visual_debug.errors import NoDerivativeError, RenderError
from visual_debug.render import engines, layered, measure
from visual_debug.render.compose import CELL, Slot
from visual_debug.render.diagram import Arrow, Box, Diagram
from visual_debug.render.layout import around
from visual_debug.sweeps import adjoint
from visual_debug.tracing.tape import Site
from visual_debug.views import steps, syntax

if TYPE_CHECKING:
    from visual_debug.views.marks import Marks
    from visual_debug.views.summary import Row

VIEWS = ("graph", "tree", "code", "summary")
MOST_SHOWN = 2000  #: nodes that are drawn one by one
NEAREST = 300  #: nodes that a folded page draws where none are named
WIDEST = 28.0  #: cells of a line in a box; the table has all of it
LINE = 18.0  #: px from line to line of a box
SCHEMA = 1  #: of the data in the page


def data(
    columns: Columns,
    roots: Sequence[int],
    seeds: Mapping[int, Any] | None,
    *,
    view: str = "graph",
    nodes: Iterable[SupportsIndex] | None = None,
    step: int | None = None,
    marks: Sequence[Marks] = (),
    coloured: bool = False,
) -> dict[str, Any]:
    """What is on the page.

    Args:
        columns: the trace.
        roots: the nodes of the result.
        seeds: adjoints of outputs to begin the reverse pass with; None for none.
        view: which picture is shown first: `graph`, `tree`, `summary`, or `code` (which is beside every picture).
        nodes: those that are drawn one by one; by default all, or of a long trace those nearest to the result.
        step: the step shown first; it may be negative. By default the last.
        marks: diagnoses, which the page reports and can be coloured by.
        coloured: whether it is coloured by the first of them to begin with.

    Raises:
        RenderError: for a view or step that there is not, or more nodes named than `MOST_SHOWN`.

    """
    whole = nodes is None and len(columns) <= MOST_SHOWN
    shown = _chosen(columns, roots, nodes)
    part = Part(columns, shown, seeds)
    sheets = {"graph": part.sheet()}
    if whole:
        try:
            tree = part.tree(roots)
        except RenderError:
            tree = None  # shared parts multiply: the graph alone can be read
        if tree is not None:
            sheets["tree"] = tree
    if not whole or view == "summary":
        sheets["summary"] = _summary_sheet(columns, part)
    if view != "code" and view not in sheets and not (view == "tree" and not whole):
        raise RenderError(
            f"the tree repeats shared parts and has more than {steps.MOST_TREE_BOXES} boxes: use view='graph'"
        )
    folded = not whole and nodes is None
    first = "summary" if folded else view if view in sheets else "graph"
    if step is not None and not -len(part.steps) <= step < len(part.steps):
        raise RenderError(f"step {step}: the page has {len(part.steps)} steps, 0 to {len(part.steps) - 1}")
    return {
        "schema": SCHEMA,
        "function": columns.activations[0].function,
        "total": len(columns),
        "whole": whole,
        "named": nodes is not None,
        "stopped": part.stopped,
        "reverse": seeds is not None,
        "nodes": part.table(),
        "steps": part.steps,
        "step": len(part.steps) - 1 if step is None else step % len(part.steps),
        "sheets": sheets,
        "first": first,
        "calls": [[a.function, a.caller] for a in columns.activations]
        if len(columns.activations) <= MOST_SHOWN
        else [],
        "code": part.code.listings(),
        "spans": part.code.spans,
        "coloured": coloured,
        "marks": [part.marked(given) for given in marks],
    }


def _chosen(columns: Columns, roots: Sequence[int], nodes: Iterable[SupportsIndex] | None) -> list[int]:
    if nodes is not None:
        chosen = sorted({node.__index__() for node in nodes})
        if not chosen or chosen[0] < 0 or chosen[-1] >= len(columns):
            raise RenderError(f"nodes=…: name at least one node, with ids from 0 to {len(columns) - 1}")
        if len(chosen) > MOST_SHOWN:
            raise RenderError(
                f"nodes=…: {len(chosen):,} nodes, more than the {MOST_SHOWN:,} that a page draws one by one"
            )
        return chosen
    if len(columns) <= MOST_SHOWN:
        return list(range(len(columns)))
    found = set(list(roots or [len(columns) - 1])[:NEAREST])
    queue = deque(found)
    while queue and len(found) < NEAREST:
        for operand in columns.operands(queue.popleft()):
            if operand not in found and len(found) < NEAREST:
                found.add(operand)
                queue.append(operand)
    return sorted(found)


class Part:
    """The nodes that are drawn one by one, numbered from 0, and the steps of both passes that concern them."""

    def __init__(self, columns: Columns, shown: list[int], seeds: Mapping[int, Any] | None) -> None:
        self.columns = columns
        self.shown = shown
        self.number = {node: i for i, node in enumerate(shown)}
        self.code = Code()
        self.stopped: str | None = None
        self.sums: dict[int, Any] = {}  # of the contributions that have a step
        self.whole: dict[int, Any] = {}  # of all contributions
        self.unseen: dict[int, int] = {}  # contributions of operations that are not shown
        self.terms: dict[int, list[str]] = {}
        #: phase, operation, operand that is written to, its position, text of the contribution, text of the sum
        self.steps: list[list[Any]] = [["leaves"]]
        for node in shown:
            if not steps.is_leaf(columns, node):
                self.steps.append(["forward", self.number[node]])
        if seeds is not None:
            self._reverse(dict(seeds))

    def _reverse(self, seeds: dict[int, Any]) -> None:
        for node, seed in seeds.items():
            self._contribution("seed", node, node, None, seed)
        try:
            for node, position, operand, value in adjoint.reverse(self.columns, seeds, {}):
                self._contribution("reverse", node, operand, position, value)
        except NoDerivativeError as error:
            self.stopped = str(error)
        self._rest()
        if self.stopped is not None:
            self.steps.append(["stopped"])

    def _rest(self) -> None:
        """One step for all that operations which are not shown have contributed: in the end adjoints are whole."""
        rest = []
        for target, count in self.unseen.items():
            terms = self.terms.setdefault(target, [])
            terms.append(f"{count:,} not shown")
            self.sums[target] = self.whole[target]
            rest.append([target, terms[-1], measure.shown(display.value_text(self.whole[target]))])
        if rest:
            self.steps.append(["rest", rest])

    def _contribution(self, phase: str, node: int, operand: int, position: int | None, value: Any) -> None:
        target = self.number.get(operand)
        if target is None:
            return
        self.whole[target] = adjoint.add(self.whole[target], value) if target in self.whole else value
        if node not in self.number:
            self.unseen[target] = self.unseen.get(target, 0) + 1
            return
        terms = self.terms.setdefault(target, [])
        self.sums[target] = value if not terms else adjoint.add(self.sums[target], value)
        terms.append(measure.shown(display.value_text(value)))
        total = terms[0] if len(terms) == 1 else measure.shown(display.value_text(self.sums[target]))
        self.steps.append([phase, self.number[node], target, position, terms[-1], total])

    # ---- what is said of each node

    def table(self) -> dict[str, list[Any]]:
        """Columns of the nodes; `text` of a value is what the table shows, `value` a number to colour by."""
        columns, shown = self.columns, self.shown
        sites = [columns.site[node] for node in shown]
        values = [columns.value[node] for node in shown]
        return {
            "id": shown,
            "op": [columns.op[node] for node in shown],
            "label": [self._label(node) for node in shown],
            "leaf": [int(steps.is_leaf(columns, node)) for node in shown],
            "name": [columns.name[node] for node in shown],
            "text": [measure.shown(display.value_text(value)) for value in values],
            "value": [_number(value) for value in values],
            "adjoint": [_number(self.sums.get(i)) for i in range(len(shown))],
            "bad": [i for i, value in enumerate(values) if _is_bad(value) or _is_bad(self.sums.get(i))],
            "operands": [[self.number.get(o, -1) for o in columns.operands(node)] for node in shown],
            "pullback": [adjoint.pullback_text(columns, node, values=True) for node in shown],
            "source": [" ".join(site.text.split()) for site in sites],
            "line": [site.line for site in sites],
            "span": [
                None if steps.is_leaf(columns, n) else self.code.span(s) for n, s in zip(shown, sites, strict=True)
            ],
            "call": [columns.activation[node] for node in shown],
        }

    def marked(self, given: Marks) -> dict[str, Any]:
        """One diagnosis: its report, and the weight and words of each node's mark."""
        found = [given.of.get(node) for node in self.shown]
        return {
            "name": given.name or "marked",
            "report": measure.shown(given.report),
            "weight": [None if mark is None else round(mark.weight, 4) for mark in found],
            "text": [None if mark is None else measure.shown(mark.text) for mark in found],
        }

    def _label(self, node: int) -> str:
        symbol, name = display.symbol(self.columns, node), self.columns.name[node]
        return measure.shown(symbol if name is None or name == symbol else f"{name} = [{symbol}]")

    # ---- pictures

    def sheet(self) -> dict[str, Any]:
        """The graph of the nodes; an operand that is not among them has no arrow.

        A literal has a box beside each operation that uses it: one box for all passes of a loop would draw arrows
        across the whole picture.
        """
        boxes: list[Box] = []
        arrows: list[Arrow] = []
        for i, node in enumerate(self.shown):
            operands = self.columns.operands(node)
            for position, operand in enumerate(operands):
                if operand not in self.number:
                    continue
                tail = f"n{self.number[operand]}"
                if self.columns.op[operand] == "const":
                    tail = f"{tail}_{i}_{position}"
                    boxes.append(Box(tail, self.number[operand], self._label(operand), "const"))
                arrows.append(Arrow(tail, f"n{i}", position, len(operands)))
            if self.columns.op[node] != "const":
                boxes.append(Box(f"n{i}", i, self._label(node), "op"))
        drawn = {box.node for box in boxes}
        boxes.extend(Box(f"n{i}", i, self._label(node), "const") for i, node in enumerate(self.shown) if i not in drawn)
        return self._laid_out(Diagram(boxes, arrows, [], None, "graph"))

    def tree(self, roots: Sequence[int]) -> dict[str, Any] | None:
        """The tree of the result; None where nothing led to it."""
        drawn, _ = steps.diagram(self.columns, "tree", roots, None, only=-1)
        return self._laid_out(drawn) if drawn.boxes else None

    def _laid_out(self, diagram: Diagram) -> dict[str, Any]:
        return _sheet(diagram, {box.id: self._room(box.node, box.label) for box in diagram.boxes})

    def _room(self, node: int, label: str) -> Slot:
        history = " + ".join(self.terms.get(node, ()))
        total = f" = {display.value_text(self.sums[node])}" if len(self.terms.get(node, ())) > 1 else ""
        value = display.value_text(self.columns.value[self.shown[node]])
        if steps.is_leaf(self.columns, self.shown[node]) and value == label:
            value = ""  # a literal: its label says it
        return _slot([label, measure.shown(value), f"∂ {history}{total}" if history else ""])


def _slot(lines: Sequence[str]) -> Slot:
    widest = max(min(measure.width(line), WIDEST) for line in lines)
    count = max(sum(1 for line in lines if line), 1)
    return Slot(lines[0], max(widest, 2.0) * CELL + 18, count * LINE + 12, ())


def _sheet(diagram: Diagram, room: dict[str, Slot]) -> dict[str, Any]:
    """Boxes as [node, x, y, width, height] about their middles, arrows as [tail, head, position, path, head's corners]."""
    routed = layered.bends(diagram) <= engines.MOST_BENDS and len(diagram.boxes) <= engines.TUNED_FROM
    place = engines.lay_out(diagram, room) if routed else layered.lay_out(diagram, room)
    number = {box.id: i for i, box in enumerate(diagram.boxes)}
    boxes = [
        [box.node, *(round(v, 1) for v in (*place.centres[box.id], room[box.id].width, room[box.id].height))]
        for box in diagram.boxes
    ]
    arrows = [
        [number[a.tail], number[a.head], a.position, _points(edge.line), _points(edge.head)]
        for a, edge in zip(diagram.arrows, place.edges, strict=True)
    ]
    return {"width": round(place.width, 1), "height": round(place.height, 1), "boxes": boxes, "arrows": arrows}


def _points(line: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in line)


def _summary_sheet(columns: Columns, part: Part) -> dict[str, Any]:
    """The trace folded by expressions: a box for each, with its count, first, last, least and greatest value."""
    from visual_debug.views import summary

    found = summary.summarise(
        columns, {part.shown[i]: v for i, v in part.sums.items()} if len(part.shown) == len(columns) else None
    )
    if len(found.rows) > MOST_SHOWN:
        raise RenderError(
            f"{len(found.rows):,} expressions are more than the {MOST_SHOWN:,} that a page draws: name nodes=…"
        )
    members: dict[tuple[str, Any], list[int]] = {}
    for i, node in enumerate(part.shown):
        members.setdefault((columns.op[node], columns.site[node].source), []).append(i)
    rows = [_row(row, part, members.get((row.op, row.source), [])) for row in found.rows]
    boxes = [Box(f"r{row.index}", row.index, row.symbol, "op") for row in found.rows]
    arrows: dict[tuple[int, int], Arrow] = {}
    counts: dict[tuple[int, int], int] = {}
    back: set[tuple[int, int]] = set()
    for flow in found.flows:
        key = flow.source, flow.target
        counts[key] = counts.get(key, 0) + flow.count
        if flow.source < flow.target:
            arrows.setdefault(key, Arrow(f"r{flow.source}", f"r{flow.target}", flow.position, flow.position + 1))
        else:
            back.add(key)
    diagram = Diagram(boxes, list(arrows.values()), [], None, "graph")
    sheet = _sheet(diagram, {f"r{i}": _slot(row["lines"]) for i, row in enumerate(rows)})
    back_arrows = _back(sheet["boxes"], sorted(back))
    return {
        **sheet,
        "rows": rows,
        "back": back_arrows,
        "counts": [counts[key] for key in (*arrows, *sorted(back))],
    }


def _back(boxes: list[list[Any]], links: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """Arrows to what came first but is computed again from later values: loops. They run in a bow beside the boxes."""
    found = []
    for tail, head in links:
        (_, x, y, width, _), (_, to_x, to_y, to_width, _) = boxes[tail], boxes[head]
        apart = 9.0 if tail == head else 0.0
        flip = -1.0 if to_x > x else 1.0  # on the side where what is computed again lies
        edge = around((flip * x - width / 2, y - apart), (flip * to_x - to_width / 2, to_y + apart), 26.0)
        line, head_corners = ([(flip * px, py) for px, py in points] for points in (edge.line, edge.head))
        found.append([tail, head, 0, _points(line), _points(head_corners)])
    return found


def _row(row: Row, part: Part, members: list[int]) -> dict[str, Any]:
    texts = [measure.shown(display.value_text(v)) for v in (row.first, row.last)]
    span = [None if v is None else display.value_text(v) for v in (row.minimum, row.maximum)]
    text = " ".join(row.source.text.split()) if row.op not in ("input", "const") else row.symbol
    label = measure.shown(text or row.symbol)
    lines = [label, texts[0] if row.count == 1 else f"×{row.count:,}"]
    if row.count > 1:
        lines += [f"{texts[0]} … {texts[1]}", f"[{span[0]}, {span[1]}]" if span[0] is not None else ""]
    return {
        "lines": lines, "op": row.op, "name": row.name, "line": row.source.line, "function": row.function,
        "count": row.count, "first": texts[0], "last": texts[1], "least": span[0], "most": span[1],
        "bad": row.nonfinite, "value": _number(row.last), "members": members,
        "span": None if row.op in ("input", "const") else part.code.span(part.columns.site[row.first_node]),
    }  # fmt: skip


def _number(value: Any) -> float | None:
    """What a value is coloured by: itself, or the largest magnitude in an array; None where that is no finite number."""
    if value is None or value is MISSING or isinstance(value, (str, bytes)):
        return None
    try:
        if getattr(value, "size", 1) > 1:
            number = float(abs(value).max())
        else:
            number = float(value.item() if hasattr(value, "item") else value)  # a complex one has no colour
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _is_bad(value: Any) -> bool:
    """Whether a number, or one of an array, is NaN or infinite."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind and kind in "fc":
        import numpy as np

        return not bool(np.isfinite(value).all())
    return isinstance(value, float) and not isfinite(value)


class Code:
    """The source of the functions that nodes are of, and the spans of their expressions."""

    def __init__(self) -> None:
        #: listing's file, first line, first column, last line, column behind the end; columns in UTF-16 units
        self.spans: list[list[Any]] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self._lines: dict[str, tuple[int, int]] = {}

    def span(self, site: Site) -> int | None:
        """The number of a site's span; None where its source cannot be had."""
        if not site.text or site.line is None or site.end_line is None:
            return None
        key = site.file, site.line, site.column, site.end_line, site.end_column
        if key not in self._known:
            read = Site(site.file, site.function, (site.line, site.end_line, site.column, site.end_column))
            if read.text != site.text:
                return None  # a saved trace, whose source has changed since
            first, last = self._lines.get(site.file, (site.line, site.line))
            self._lines[site.file] = min(first, site.line), max(last, site.end_line)
            self._known[key] = len(self.spans)
            start, end = (
                _utf16(site.file, n, c or 0) for n, c in ((site.line, site.column), (site.end_line, site.end_column))
            )
            self.spans.append([site.file, site.line, start, site.end_line, end])
        return self._known[key]

    def listings(self) -> list[dict[str, Any]]:
        """For each file, the lines from the head of the first function that was recorded to the end of the last."""
        found = []
        for name, (first, last) in self._lines.items():
            file = syntax.read(name)
            for path, *span in self._known:
                function = file.around(tuple(span)) if file is not None and path == name else None
                if function is not None and not isinstance(function.node, ast.Module):
                    first, last = min(first, function.first), max(last, function.last)
            lines = [linecache.getline(name, n).rstrip("\n") for n in range(first, last + 1)]
            found.append({"file": name, "first": first, "lines": lines})
        return found


def _utf16(file: str, line: int, column: int) -> int:
    """A column in bytes of UTF-8, as `co_positions` counts, in those units that a browser counts."""
    return len(linecache.getline(file, line).encode()[:column].decode(errors="replace").encode("utf-16-le")) // 2
