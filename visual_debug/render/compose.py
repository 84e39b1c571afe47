"""What is written into a box: its texts, cut into lines and placed around the middle of the box.

A box says its label, then its value, then its adjoint. Short texts share a line; where the longest text of any frame
makes that line too long, each gets lines of its own. Which of the two is decided once per box, for all frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from visual_debug.render import fonts, heat, measure
from visual_debug.render.diagram import Diagram, Frame, Heat

FONT_SIZE = 14.0
CELL = FONT_SIZE * fonts.ADVANCE  #: px
LINE = 19.0  #: px from line to line
PAD_X, PAD_Y = 9.0, 7.0  #: px between text and border
INLINE = 34  #: the longest line, in cells, that label, value and adjoint share
WRAP = 48  #: cells after which a text goes on in the next line
MOST_LINES = 24  #: of one text; what is cut is said with an ellipsis, and the tooltip has it all
MARK = "∂ "  #: tells the adjoint from the value without colour

#: A stretch of text in one style: `label`, `forward`, `mark`, `reverse`, `total`, `gap` or `more`.
Run = tuple[str, str]
Lines = list[tuple[Run, ...]]
Texts = tuple[str, str, str]  #: forward, reverse, total


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box: where it begins, relative to the middle of the box, and its runs."""

    x: float
    baseline: float
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """The room of a box: its size in px, and how many lines each text may take (`rows` is empty for a shared line)."""

    label: str
    width: float
    height: float
    rows: tuple[int, int, int] | tuple[()]
    below: float = 0.0  #: px that are kept free under the texts

    def lines(self, texts: Texts) -> Iterator[Line]:
        """The lines of this box with these texts."""
        forward, reverse, total = texts
        if not self.rows:
            runs = shared_line(self.label, forward, reverse, total)
            yield Line(-_cells(runs) * CELL / 2, FONT_SIZE * 0.36 - self.below / 2, runs)
            return
        top = -self.height / 2 + PAD_Y
        for rows, block in zip(self.rows, _blocks(self.label, texts), strict=True):
            yield from _block(cut(block), top)
            top += rows * LINE


def texts(frame: Frame, id: str) -> Texts:
    """What a frame writes into a box."""
    return frame.forward.get(id, ""), frame.reverse.get(id, ""), frame.total.get(id, "")


def slots(diagram: Diagram, frames: Iterable[Frame] = ()) -> dict[str, Slot]:
    """Room for every box, as much as its longest texts in any frame need."""
    seen: dict[str, tuple[set[str], set[tuple[str, str]]]] = {box.id: (set(), set()) for box in diagram.boxes}
    for frame in frames:
        for id, text in frame.forward.items():
            if id in seen:
                seen[id][0].add(text)
        for id, text in frame.reverse.items():
            if id in seen:
                seen[id][1].add((text, frame.total.get(id, "")))
    return {box.id: _with_room(_slot(box.words, *seen[box.id]), box.heat) for box in diagram.boxes}


def _with_room(slot: Slot, map: Heat | None) -> Slot:
    """A slot with room for a heat map under its texts."""
    if map is None:
        return slot
    width, height = heat.size(map)
    below = height + heat.GAP
    return replace(slot, width=max(slot.width, width + 2 * PAD_X), height=slot.height + below, below=below)


def _slot(label: str, values: set[str], adjoints: set[tuple[str, str]]) -> Slot:
    longest = max(map(_length, values), default=0.0)
    sums = max((_length(reverse) + _length(total) for reverse, total in adjoints), default=0.0)
    if _length(label) + longest + sums <= INLINE:
        lines = [shared_line(label, "0" * math.ceil(longest), *pair) for pair in adjoints or {("", "")}]
        return Slot(label, max(map(_cells, lines)) * CELL + 2 * PAD_X, LINE + 2 * PAD_Y, ())
    blocks: list[list[Lines]] = [[], [], []]
    for written in [*((value, "", "") for value in values), *(("", *pair) for pair in adjoints), ("", "", "")]:
        for block, runs in zip(blocks, _blocks(label, written), strict=True):
            block.append(cut(runs))
    rows = [max(map(len, block)) for block in blocks]
    widest = max(_widest(lines) for block in blocks for lines in block)
    return Slot(label, widest * CELL + 2 * PAD_X, sum(rows) * LINE + 2 * PAD_Y, (rows[0], rows[1], rows[2]))


def _length(text: str) -> float:
    """Cells of a text on a shared line; more than any line has if it breaks the line itself."""
    text = measure.shown(text)
    return INLINE + 1.0 if "\n" in text or len(text) > 4 * INLINE else measure.width(text)


def shared_line(label: str, forward: str, reverse: str, total: str) -> tuple[Run, ...]:
    """Label, value and adjoint on one line.

    >>> shared_line("x", "3", "", "")
    (('label', 'x'), ('gap', ' '), ('forward', '3'))
    """
    runs: list[Run] = []
    for block in _blocks(label, (forward, reverse, total)):
        texts = [(style, measure.shown(text)) for style, text in block if text]
        runs += [("gap", " "), *texts] if texts and runs else texts
    return tuple(runs)


def _blocks(label: str, texts: Texts) -> tuple[list[Run], list[Run], list[Run]]:
    """The runs of label, value and adjoint: the contributions so far, and their sum where there is one to tell."""
    forward, reverse, total = texts
    adjoint = [("mark", MARK), ("reverse", reverse)] if reverse else []
    if reverse and total:
        adjoint.append(("total", " = " + total))
    return [("label", label)], [("forward", forward)] if forward else [], adjoint


def cut(runs: list[Run]) -> Lines:
    """Lines of at most `WRAP` cells and at most `MOST_LINES`; the pieces keep the styles of their runs.

    >>> cut([("mark", "∂ "), ("reverse", "1\\n2")])
    [(('mark', '∂ '), ('reverse', '1')), (('reverse', '2'),)]
    """
    letters = [(style, char) for style, text in runs for char in measure.shown(text)]
    text = "".join(char for _style, char in letters)
    at = 0
    lines: Lines = []
    for line in measure.wrap(text[: WRAP * MOST_LINES + 1], WRAP) if text else ():
        if len(lines) == MOST_LINES - 1 and len(text) - at > len(line):
            lines.append((("more", f"… {len(text) - at:,} more characters"),))
            break
        piece = letters[at : at + len(line)]
        lines.append(
            tuple((style, "".join(char for _, char in group)) for style, group in groupby(piece, itemgetter(0)))
        )
        at += len(line)
        at += text[at : at + 1] == "\n"
    return lines


def elided(text: str) -> bool:
    """Whether a box has no room for the whole text."""
    return any(run[0] == "more" for line in cut([("label", text)]) for run in line)


def _cells(runs: Iterable[Run]) -> float:
    return sum(measure.width(text) for _style, text in runs)


def _block(lines: Lines, top: float) -> Iterator[Line]:
    """Lines below one another: flush left, and their block in the middle."""
    indents = _indents(lines)
    left = -_widest(lines) * CELL / 2
    for i, (runs, indent) in enumerate(zip(lines, indents, strict=True)):
        yield Line(left + indent * CELL, top + i * LINE + LINE / 2 + FONT_SIZE * 0.36, runs)


def _indents(lines: Lines) -> list[float]:
    """Lines after a mark hang below the text that it marks, so that the columns of an array stay below one another."""
    hang = len(MARK) if lines and lines[0] and lines[0][0][0] == "mark" else 0
    return [0.0, *([float(hang)] * (len(lines) - 1))] if lines else []


def _widest(lines: Lines) -> float:
    return max((indent + _cells(runs) for runs, indent in zip(lines, _indents(lines), strict=True)), default=0.0)
