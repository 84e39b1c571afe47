"""The colours, in one place for every format.

Values are red and adjoints green; for those who see the two alike, the place in the box and the mark before an adjoint
say the same.
"""

from __future__ import annotations

from typing import NamedTuple

PAPER = "#ffffff"
EDGE = "#616161"
FLOW = "#2e7d32"  #: the arrow that an adjoint has just come down
INK = {
    "label": "#1a1a1a",
    "forward": "#c62828",
    "mark": "#2e7d32",
    "reverse": "#2e7d32",
    "total": "#2e7d32",
    "more": "#616161",
    "title": "#1a1a1a",
    "note": "#5e35b1",
}
FILL = {"input": "#e3effb", "const": "#eeeeee", "op": "#ffffff"}
LIT = "#fff2a8"
VALUE = "#fbeeee"  #: behind a value that stands in the source
BORDER = "#484848"
LIT_BORDER = "#b26a00"
ACTIVE_BORDER = "#5e35b1"
MARK = "#5e35b1"  #: what a diagnosis points at
MARKED = "#e9e2fa"  #: behind what it points at most: as dark as text in every ink can be read on


class Look(NamedTuple):
    """How a box is filled and framed."""

    fill: str
    border: str
    pen: float


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another in it.

    >>> mixed("#ffffff", "#000000", 0.2)
    '#cccccc'
    """
    parts = ((int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def box(kind: str, lit: bool, active: bool, weight: float = 0.0) -> Look:
    """The look of a box: what has just been written is lit, the operation that speaks has a heavy frame.

    What a diagnosis points at is violet, the more so the greater its weight.

    >>> box("input", False, False)
    Look(fill='#e3effb', border='#484848', pen=2.0)
    >>> box("op", True, True)
    Look(fill='#fff2a8', border='#5e35b1', pen=4.0)
    """
    fill = LIT if lit else FILL.get(kind, FILL["op"])
    if weight and not lit:
        fill = mixed(fill, MARKED, weight)
    if active:
        return Look(fill, ACTIVE_BORDER, 4.0)
    if lit:
        return Look(fill, LIT_BORDER, 3.0)
    return Look(fill, mixed(BORDER, MARK, weight), 2.0 + weight) if weight else Look(fill, BORDER, 2.0)
