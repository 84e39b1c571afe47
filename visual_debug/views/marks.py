"""What a diagnosis points at, as every view shows it: nodes with a weight from 0 to 1 and a few words.

Every report of a diagnosis has its `colours` in this form; a user may give the like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from visual_debug.errors import RenderError, VisualDebugError
from visual_debug.render.code import Piece
from visual_debug.render.diagram import STRONG

if TYPE_CHECKING:
    from visual_debug.columns import Columns
    from visual_debug.render.code import CodeFrame, Row
    from visual_debug.render.diagram import Box, Diagram
    from visual_debug.traces import Trace

#: Questions that a view can be coloured by: methods of `Trace` whose report has colours.
QUESTIONS = ("nonfinite", "gradient_health", "rounding", "cancellations", "condition", "truth", "why")


class Mark(NamedTuple):
    """How strongly a node is marked, from 0 to 1, and why."""

    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one diagnosis."""

    name: str  #: what was asked
    of: dict[int, Mark]  #: by node
    report: str = ""  #: the whole answer as text


#: Those of one part of the result, where it has several.
_OF_A_PART = frozenset({"gradient_health", "rounding", "condition"})


def marks(trace: Trace, colour: Any, of: Any = None) -> Marks:
    """The marks that a view is to show.

    Args:
        trace: whose nodes are marked.
        colour: one of `QUESTIONS`; a report, as `trace.rounding()`; or a mapping of nodes or their ids to weights, or
            to pairs of a weight and a text. Weights are from 0 to 1.
        of: which part of the result a question is about, as for `Trace.grad`.

    Raises:
        RenderError: for what is none of these.
        TraceError, NoDerivativeError: where a question cannot be answered.
    """
    if isinstance(colour, str):
        if colour not in QUESTIONS:
            raise RenderError(
                f"unknown colour {colour!r}: choose one of {', '.join(map(repr, QUESTIONS))}, or a report"
            )
        question = getattr(trace, colour)
        return _of_report(colour, question(of=of) if colour in _OF_A_PART else question())
    if hasattr(colour, "colours"):
        return _of_report(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(colour).__name__).lower(), colour)
    if not isinstance(colour, Mapping):
        raise RenderError(
            f"colour={colour!r:.60}: give one of {', '.join(map(repr, QUESTIONS))}, a report with colours, or a mapping "
            "of nodes to weights from 0 to 1"
        )
    found = {}
    for node, given in colour.items():
        weight, text = given if isinstance(given, tuple) else (given, "")
        if not 0 <= weight <= 1:
            raise RenderError(f"colour: the weight of node {node} is {weight!r}, and not from 0 to 1")
        found[node.__index__()] = Mark(float(weight), str(text))
    wrong = [node for node in found if not 0 <= node < len(trace)]
    if wrong:
        raise RenderError(f"colour: there is no node {wrong[0]}; ids are 0 to {len(trace) - 1}")
    return Marks("", found)


def _of_report(name: str, report: Any) -> Marks:
    return Marks(name, {node: Mark(*mark) for node, mark in report.colours.items() if not isnan(mark[0])}, str(report))


def asked(trace: Trace, questions: Sequence[str], of: Any = None) -> list[Marks]:
    """The answers to some questions; where one cannot be given, its report says why."""
    found = []
    for name in questions:
        try:
            found.append(marks(trace, name, of))
        except VisualDebugError as error:
            found.append(Marks(name, {}, str(error)))
    return found


# ---- onto pictures


def onto_diagram(diagram: Diagram, given: Marks, columns: Columns) -> Diagram:
    """A diagram whose boxes have their marks; a box of the summary has the strongest of its nodes."""
    known: Mapping[Any, Mark] = given.of
    if diagram.view == "summary":
        from visual_debug.views import summary

        row = summary.row_of_nodes(columns)
        known = {}
        for node, mark in sorted(given.of.items(), key=lambda item: item[1].weight):
            known[f"r{row[node]}"] = mark

    def marked(box: Box) -> Box:
        mark = known.get(box.id if diagram.view == "summary" else box.node)
        if mark is None:
            return box
        return replace(box, weight=mark.weight, note=mark.text, tip="\n".join(filter(None, [box.tip, mark.text])))

    frames = [replace(frame, title=_title(frame.title, given)) for frame in diagram.frames]
    return replace(diagram, boxes=[marked(box) for box in diagram.boxes], frames=frames)


def onto_code(frames: list[CodeFrame], given: Marks, columns: Columns, call: int) -> list[CodeFrame]:
    """Frames of the code view whose values have their marks.

    An operation that is folded out into its operands has no value to mark, so the strongest mark of each line of the
    shown function is also told at the end of the line.
    """
    function = columns.activations[call].function
    within = function, *(f"{function}.<locals>.<{kind}>" for kind in ("listcomp", "dictcomp", "setcomp", "genexpr"))
    told: dict[int, Piece] = {}
    for node, mark in sorted(given.of.items(), key=lambda item: item[1].weight):
        site = columns.site[node]
        if mark.weight >= STRONG and mark.text and site.function in within and site.line is not None:
            told[site.line] = Piece(f"   ‹{' '.join(site.text.split())}: {mark.text}›", "mark")

    def marked(piece: Piece) -> Piece:
        mark = None if piece.node is None else given.of.get(piece.node)
        if mark is None:
            return piece
        return replace(piece, weight=mark.weight, tip="\n".join(filter(None, [piece.tip, mark.text])))

    def ends(row: Row) -> tuple[Piece, ...]:
        return (told[row.number],) if row.depth == 0 and row.number in told else ()

    return [
        replace(
            frame,
            title=_title(frame.title, given),
            rows=tuple(replace(row, pieces=(*map(marked, row.pieces), *ends(row))) for row in frame.rows),
        )
        for frame in frames
    ]


def _title(title: str, given: Marks) -> str:
    return f"{title} · violet: {given.name}" if title and given.name else title
