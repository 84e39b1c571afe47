"""What a renderer sees: boxes and arrows that never move, and what each frame writes into them.

A `Diagram` is plain data without any knowledge of traces, so that every renderer (DOT, SVG, PNG) draws the same picture
and a new one needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Rows of levels of colour, from -`LEVELS` to `LEVELS`; `BAD` stands for what is not finite.
Heat = tuple[tuple[int, ...], ...]
LEVELS = 6
BAD = LEVELS + 1
#: A mark of so much weight says why in the box itself; a weaker one in its tooltip only.
STRONG = 0.5


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the picture. In the tree view several boxes may stand for one node of the graph."""

    id: str  #: unique in the diagram, `[A-Za-z0-9_]+` only, e.g. `n12` or `n12_3`
    node: int  #: id of the graph node that the box stands for
    label: str  #: operator, function, variable or literal: any text at all
    kind: str  #: `input`, `const` or `op`
    tip: str = ""  #: tooltip: source expression and place, pullback
    heat: Heat | None = None  #: a map of the value, an array; drawn from when the value is written on
    weight: float = 0.0  #: how strongly a diagnosis marks it, from 0 to 1
    note: str = ""  #: and why

    @property
    def words(self) -> str:
        """What the box is called, with the note of a strong mark."""
        return f"{self.label}  ‹{self.note}›" if self.note and self.weight >= STRONG else self.label


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge from an operand's box to the box of the operation that consumes it."""

    tail: str
    head: str
    position: int  #: which operand it is, from 0
    arity: int  #: how many operands the operation has


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: the texts written so far and what is new in it. Keys are box ids; a missing key is an empty text."""

    title: str
    forward: dict[str, str] = field(default_factory=dict)  #: values, as `34`
    reverse: dict[str, str] = field(default_factory=dict)  #: adjoints with their history, as `10 + 4`
    total: dict[str, str] = field(default_factory=dict)  #: sums of histories with several terms, as `14`
    lit: frozenset[str] = frozenset()  #: boxes that this step writes to
    active: frozenset[str] = frozenset()  #: the operation whose pullback speaks


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes, arrows and the frames drawn over them; the layout is made once for all frames."""

    boxes: list[Box]
    arrows: list[Arrow]
    frames: list[Frame]
    root: str | None = None  #: the box of the result, drawn on top in the tree view
    view: str = "graph"  #: `graph` or `tree`
