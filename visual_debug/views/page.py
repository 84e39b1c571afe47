"""The data of an offline page: values, both passes, source, and pictures with their coordinates, as plain JSON types.

A trace of up to `MOST_SHOWN` nodes is on the page as a whole. Of a longer one the page has the summary, one box for each
expression of the source, and those nodes that the user names; without any, those nearest to the result and
the first and last of each expression.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.errors import NoDerivativeError, RenderError
from visual_debug.numeric import view as column
from visual_debug.render import measure
from visual_debug.render.compose import Slot
from visual_debug.render.diagram import Arrow, Box, Diagram
from visual_debug.sweeps import adjoint, sweep
from visual_debug.views import folded, pictures, steps
from visual_debug.views.spans import Code

if TYPE_CHECKING:
    from visual_debug.views.marks import Marks

VIEWS = ("graph", "tree", "code", "summary")
MOST_SHOWN = 2000  #: nodes that are drawn one by one
FOLDED_FROM = 100  #: nodes from which on the folded trace is on the page as well
MOST_BESIDE = 500  #: expressions that a page which draws every node has folded as well
NEAREST = 300  #: nodes around the result that a folded page draws where none are named
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
    ended: str | None = None,
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
        ended: how the call or its recording ended, where that was not by a result.

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
    rows, unfolded = None, None
    if not whole or len(columns) > FOLDED_FROM or view == "summary":
        try:
            rows = folded.Folded(columns, roots, part.adjoints)
        except RenderError as error:
            if view == "summary":
                raise
            unfolded = str(error)
        else:
            if whole and view != "summary" and len(rows.summary.rows) > MOST_BESIDE:
                rows = None  # little would be folded, and the page be twice as large
            else:
                sheets.update(rows.sheets(part.shown, part.code.span))
    if view != "code" and view not in sheets and not (view == "tree" and not whole):
        raise RenderError(
            f"the tree repeats shared parts and has more than {steps.MOST_TREE_BOXES} boxes: use view='graph'"
        )
    first = view if view in sheets else "graph"
    if rows is not None and (view == "summary" or (not whole and nodes is None)):
        first = rows.first
    if step is not None and not -len(part.steps) <= step < len(part.steps):
        raise RenderError(f"step {step}: the page has {len(part.steps)} steps, 0 to {len(part.steps) - 1}")
    return {
        "schema": SCHEMA,
        "function": columns.activations[0].function,
        "total": len(columns),
        "whole": whole,
        "named": nodes is not None,
        "ended": ended,
        "stopped": part.stopped,
        "unfolded": unfolded,
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
        "marks": [{**part.marked(given), "rows": None if rows is None else rows.marked(given)} for given in marks],
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
    found.update(folded.ends(columns)[: MOST_SHOWN - NEAREST])
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
        #: of every node of the trace, where all are known
        self.adjoints: Mapping[int, Any] | None = None
        self.unseen: dict[int, int] = {}  # contributions of operations that are not shown
        self.terms: dict[int, list[str]] = {}  # texts of the contributions
        self.totals: dict[int, list[str]] = {}  # and of their sums so far
        self.widest: dict[int, str] = {}  # text of the adjoint that a box has at some step
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
        known = sweep.by_columns(self.columns, seeds) if len(self.shown) < len(self.columns) else None
        if known is not None:
            self.adjoints = known
            self._by_columns(known)
        else:
            adjoints: dict[int, Any] = {}
            try:
                for node, position, operand, value in adjoint.reverse(self.columns, seeds, adjoints):
                    self._contribution("reverse", node, operand, position, value)
                self.adjoints = adjoints
            except NoDerivativeError as error:
                self.stopped = str(error)
        self._rest()
        if self.stopped is not None:
            self.steps.append(["stopped"])

    def _by_columns(self, known: sweep.ColumnAdjoints) -> None:
        """The contributions of the nodes that are shown, from adjoints that are known already."""
        columns = self.columns
        pulls = adjoint.Pulls(columns, adjoint.dependents(columns, adjoint.inputs_of(columns)), is_real=True)
        for node in reversed(self.shown):
            if node in known:
                delta = known[node]
                for position, operand in enumerate(columns.operands(node)):
                    if operand in self.number and (value := pulls(node, position, delta)) is not None:
                        self._contribution("reverse", node, operand, position, value)
        start, operand_of = column(columns.start), column(columns.operand)
        shown = np.zeros(len(columns), bool)
        shown[self.shown] = True
        consumer = np.repeat(np.arange(len(columns)), np.diff(start))
        others = operand_of[shown[operand_of] & known.reached[consumer] & ~shown[consumer]]
        for operand, count in zip(*(found.tolist() for found in np.unique(others, return_counts=True)), strict=True):
            self.unseen[self.number[operand]] = count
            self.whole[self.number[operand]] = known[operand]

    def _rest(self) -> None:
        """One step for all that operations which are not shown have contributed: in the end adjoints are whole."""
        rest = []
        for target, count in self.unseen.items():
            terms = self.terms.setdefault(target, [])
            terms.append(f"{count:,} not shown")
            self.sums[target] = self.whole[target]
            total = measure.shown(display.value_text(self.whole[target]))
            self.totals.setdefault(target, []).append(total)
            rest.append([target, terms[-1], total])
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
        self.totals.setdefault(target, []).append(total)
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
            "value": [pictures.number(value) for value in values],
            "adjoint": [pictures.number(self.sums.get(i)) for i in range(len(shown))],
            "bad": [i for i, value in enumerate(values) if _is_bad(value) or _is_bad(self.sums.get(i))],
            "operands": [[self.number.get(o, -1) for o in columns.operands(node)] for node in shown],
            "pullback": [adjoint.pullback_text(columns, node, values=True) for node in shown],
            "source": [_in_one_line(site.text) for site in sites],
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
        return pictures.sheet(diagram, {box.id: self._room(box.node, box.label) for box in diagram.boxes})

    def _room(self, node: int, label: str) -> Slot:
        value = display.value_text(self.columns.value[self.shown[node]])
        if steps.is_leaf(self.columns, self.shown[node]) and value == label:
            value = ""  # a literal: its label says it
        if node not in self.widest:  # a literal has many boxes
            self.widest[node] = max(self._histories(node), key=measure.width, default="")
        history = self.widest[node]
        return pictures.slot([label, measure.shown(value), f"∂ {history}" if history else ""])

    def _histories(self, node: int) -> Iterator[str]:
        """What the box of a node says of its adjoint, step by step: its terms where there is room, or how many."""
        terms, totals = self.terms.get(node, []), self.totals.get(node, [])
        room = pictures.WIDEST - measure.width("∂ ")
        for count in range(1, len(terms) + 1):
            text = f"{count} terms = {totals[count - 1]}" if count > 1 else totals[0]
            if 1 < count <= pictures.MOST_TERMS:
                history = " + ".join(terms[:count]) + (f" = {totals[count - 1]}" if count == len(terms) else "")
                text = history if measure.width(history) <= room else text
            yield text


def _in_one_line(text: str) -> str:
    """An expression in one line; of a statement with a body its head."""
    head, _, rest = text.partition("\n")
    return " ".join((head if rest and head.rstrip().endswith(":") else text).split())


def _is_bad(value: Any) -> bool:
    """Whether a number, or one of an array, is NaN or infinite."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind and kind in "fc":
        return not bool(np.isfinite(value).all())
    return isinstance(value, float) and not isfinite(value)
