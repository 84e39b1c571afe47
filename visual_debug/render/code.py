"""Source code with values in place of what has been evaluated: plain data, and as text.

A renderer of code needs nothing else: rows of spans, of which some carry a value and an adjoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from visual_debug.render import measure
from visual_debug.render.compose import MARK


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one row.

    `kind` is `plain` (source as it stands), `value` (what replaces the source), `literal` (source that is its own
    value), `note` (said at the end of a row), `mark` (what a diagnosis says of the row), or `gutter`.
    """

    text: str
    kind: str = "plain"
    node: int | None = None  #: graph node of a value or literal
    reverse: str = ""  #: its adjoint with its history, as `10 + 4`
    total: str = ""  #: the sum of a history of several terms, in the last frame
    lit: bool = False  #: written in this frame
    tip: str = ""  #: the source that a value stands for
    weight: float = 0.0  #: how strongly a diagnosis marks the node, from 0 to 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line: of the source (with its number), or a heading of an opened call (without)."""

    number: int | None
    pieces: tuple[Piece, ...]
    depth: int = 0  #: how many calls it is inside of


@dataclass(frozen=True, slots=True)
class CodeFrame:
    """The code after one step."""

    title: str
    phase: str  #: `forward`, `seed`, `reverse` or `stopped`, as of steps
    rows: tuple[Row, ...] = field(default_factory=tuple)
    node: int | None = None  #: the node whose value or adjoint has just been written
    speaks: int | None = None  #: in reverse, the operation whose pullback speaks


def adjoint_text(piece: Piece) -> str:
    """What stands under a value in the reverse pass."""
    if not piece.reverse:
        return ""
    return f"{piece.reverse} = {piece.total}" if piece.total else piece.reverse


def cells(piece: Piece) -> float:
    """Room of a piece: as wide as the wider of its value and its adjoint.

    >>> cells(Piece("3", "value", 0, "10 + 4", "14"))
    11.0
    """
    return max(width(piece.text), width(adjoint_text(piece)))


def width(text: str) -> float:
    """Cells that a text takes as it is shown."""
    return measure.width(measure.shown(text))


def gutter(rows: tuple[Row, ...]) -> int:
    """Cells for line numbers."""
    return max((len(str(row.number)) for row in rows if row.number is not None), default=1)


def text(frame: CodeFrame, *, title: bool = True) -> str:
    """A frame as text; adjoints stand under their values, in rows that begin with ∂."""
    wide = gutter(frame.rows)
    lines = [frame.title] if title and frame.title else []
    for row in frame.rows:
        lines.extend(_lines(row, wide))
    return "\n".join(lines)


def _lines(row: Row, wide: int) -> Iterator[str]:
    number = "" if row.number is None else str(row.number)
    bar = "│ " * row.depth
    above, below = [], []
    for piece in row.pieces:
        upper, lower = measure.shown(piece.text), measure.shown(adjoint_text(piece))
        room = cells(piece)
        above.append(_filled(upper, room))
        below.append(_filled(lower, room))
    yield f"{number:>{wide}}  {bar}{''.join(above)}".rstrip()
    under = "".join(below).rstrip()
    if under:
        yield f"{MARK.strip():>{wide}}  {bar}{under}"


def _filled(line: str, room: float) -> str:
    return line + " " * round(room - measure.width(line))
