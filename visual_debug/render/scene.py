"""A laid out diagram as SVG: everything that stays is written once, a frame only looks up what its texts change.

The pictures are plain SVG 1.1: no script, no style sheet, no font or file from elsewhere. Colours are presentation
attributes and every part has a class, so that a page's own style sheet may overrule them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from visual_debug.render import fonts, heat, measure, palette, themes
from visual_debug.render.compose import CELL, FONT_SIZE, LINE, PAD_Y, Line, Run, Slot, Texts, elided, texts
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame
from visual_debug.render.dot import numbered
from visual_debug.render.layout import Edge, Layout, Point
from visual_debug.render.strokes import Stroke, stroke

MARGIN = 12.0  #: px around the picture
PEN = 6.0  #: px beside an arrow that its pen, or the mitre of its head, can reach
FLOW_PEN = 3.0  #: px, of a marked arrow
PIECE = 50.0  #: px, length of the pieces of an arrow
TITLE_CELLS = 76  #: a title makes the picture up to this wide; a longer one goes on in the next line
TITLE_LINES = 6  #: after which a title is cut
TIP_LENGTH = 4000  #: characters of a tooltip
FOREIGN_FAMILY = f' font-family="{fonts.OTHER_FAMILY}"'
PAPER = f'<rect class="paper" width="100%" height="100%" fill="{palette.PAPER}"/>\n'
#: Styles drawn in heavier strokes, by what the frame has just written.
HEAVY = {
    "": ("title",),
    "forward": ("forward",),
    "reverse": ("mark", "reverse", "total"),
}


class Part(NamedTuple):
    """A piece of a picture that is drawn as a whole."""

    key: str
    svg: str
    bounds: tuple[float, float, float, float]  #: left, top, right, bottom in px
    pieces: tuple[tuple[float, float, float, float], ...] = ()  #: of a long thin part: what it covers inside of these
    stroke: Stroke | None = None  #: of an arrow


class Scene:
    """One diagram with its layout. `svg(frame)` costs little more than joining strings."""

    def __init__(
        self, diagram: Diagram, frames: list[Frame], room: dict[str, Slot], layout: Layout, theme: str = "light"
    ) -> None:
        self._tint = themes.tint(theme)
        self._diagram, self._room, self._layout = diagram, room, layout
        longest = max((measure.width(line) for frame in frames for line in _plain_lines(frame.title)), default=0.0)
        self.width = max(layout.width, min(longest, TITLE_CELLS) * CELL) + 2 * MARGIN
        self._cells = int((self.width - 2 * MARGIN) / CELL + 1e-6)
        band = max((len(self._title_lines(frame.title)) for frame in frames if frame.title), default=0) * LINE
        self._left, self._top = (self.width - layout.width) / 2, MARGIN + (band + 8 if band else 0)
        self.height = self._top + layout.height + MARGIN
        labels = {box.id: box.label for box in diagram.boxes}
        self._numbers = [numbered(diagram, arrow, labels) for arrow in diagram.arrows]
        self._heads: dict[str, list[int]] = {}
        for number, arrow in enumerate(diagram.arrows):
            self._heads.setdefault(arrow.head, []).append(number)
        self._still = [self._edge(number, flows=False) for number in range(len(diagram.arrows))]
        self._drawn: dict[tuple[str, Texts, bool, bool], Part] = {}

    def svg(self, frame: Frame) -> str:
        """The picture of one frame."""
        name = f'role="img" aria-label={quoteattr(measure.shown(frame.title))}'
        pieces = (part.svg for part in self.parts(frame))
        return "".join([self.opening(name), *pieces, "</svg>\n"])

    def opening(self, name: str = "") -> str:
        """The head of the picture of a frame, and its paper."""
        return opening(self.width, self.height, name, paper=self._tint(PAPER))

    def parts(self, frame: Frame) -> list[Part]:
        """What a frame consists of, from back to front: arrows, those that are marked, boxes, title."""
        flowing = self._flowing(frame)
        still = self._still
        if flowing:
            marked = set(flowing)
            still = [part for number, part in enumerate(still) if number not in marked]
        return [*still, *self.over(frame)]

    def over(self, frame: Frame) -> list[Part]:
        """What a frame has over the arrows that are not marked."""
        flowing = [self._edge(number, flows=True) for number in self._flowing(frame)]
        return [*flowing, *self._boxes(frame), *self._title(frame.title)]

    def _boxes(self, frame: Frame) -> list[Part]:
        return [
            self._box(box, texts(frame, box.id), box.id in frame.lit, box.id in frame.active)
            for box in self._diagram.boxes
        ]

    def pieces(self, frame: Frame) -> list[Part]:
        """The same in pieces of which many stay the same from frame to frame: each letter of the title is one."""
        title = self._title_lines(frame.title) if frame.title else []
        is_plain = all(line.isascii() for line in title)
        flowing = [part for number in self._flowing(frame) for part in self._strokes(number)]
        return [*flowing, *self._boxes(frame), *(self._letters(title) if is_plain else self._title(frame.title))]

    def _strokes(self, number: int) -> Iterator[Part]:
        """A marked arrow, and its number as a part of its own."""
        whole = self._edge(number, flows=True)
        edge = self._layout.edges[number].moved(self._left, self._top)
        colour = self._tint(f'<path stroke="{palette.FLOW}"/>').split('"')[1]
        yield whole._replace(stroke=stroke(edge, PIECE, FLOW_PEN, colour))
        if self._numbers[number]:
            mark = self._tint(_position(edge, self._diagram.arrows[number]))
            yield Part(f"{whole.key} mark", mark, _around([edge.before_head(11.0)], 16))

    def still(self) -> str:
        """The picture of all arrows, none of them marked."""
        return "".join([self.opening(), *(part.svg for part in self._still), "</svg>\n"])

    def _title_lines(self, title: str) -> list[str]:
        text = measure.shown(title)
        lines = list(measure.wrap(text[: TITLE_LINES * self._cells + 1], self._cells))
        if len(lines) <= TITLE_LINES and sum(map(len, lines)) == len(text.replace("\n", "")):
            return lines
        return [*lines[: TITLE_LINES - 1], measure.wrap(lines[TITLE_LINES - 1 :][0], self._cells - 1)[0] + "…"]

    def _title(self, title: str) -> Iterator[Part]:
        if not title:
            return
        lines = self._title_lines(title)
        rest = f"<title>{escape(_tip(title))}</title>" if lines[-1].endswith("…") else ""
        drawn = "".join(
            draw_text(Line(MARGIN, MARGIN + (i + 0.75) * LINE, (("title", line),)), "") for i, line in enumerate(lines)
        )
        right = 2 * MARGIN + max(map(measure.width, lines)) * CELL
        yield Part("title", self._tint(f'<g class="frame-title">{rest}{drawn}</g>\n'), (0.0, 0.0, right, self._top))

    def _letters(self, lines: list[str]) -> Iterator[Part]:
        for row, line in enumerate(lines):
            top = MARGIN + row * LINE
            for column, char in enumerate(line):
                if char != " ":
                    left = MARGIN + column * CELL
                    drawn = draw_text(Line(left, top + 0.75 * LINE, (("title", char),)), "")
                    bounds = left - 2, top - 2, left + CELL + 2, top + LINE + 2
                    yield Part(f"title {row} {column}", self._tint(drawn), bounds)

    def _flowing(self, frame: Frame) -> list[int]:
        """The arrows down which the active operation has just sent an adjoint."""
        arrows = self._diagram.arrows
        return sorted(n for id in frame.active for n in self._heads.get(id, ()) if arrows[n].tail in frame.lit)

    def _edge(self, number: int, *, flows: bool) -> Part:
        edge, arrow = self._layout.edges[number].moved(self._left, self._top), self._diagram.arrows[number]
        ink, pen, name = (palette.FLOW, FLOW_PEN, "edge flow") if flows else (palette.EDGE, 1.3, "edge")
        mark = _position(edge, arrow) if self._numbers[number] else ""
        drawn = (
            f'<g class="{name}" id="e{number}" data-tail="{arrow.tail}" data-head="{arrow.head}">'
            f"<title>operand {arrow.position + 1} of {arrow.arity}</title>"
            f'<path d="{_path(edge.line)}" fill="none" stroke="{ink}" stroke-width="{pen:g}"/>'
            f'<polygon points="{_list(edge.head)}" fill="{ink}" stroke="{ink}"/>{mark}</g>\n'
        )
        pieces = [_around(hull, PEN) for hull in edge.hulls(PIECE)]
        if mark:
            pieces.append(_around([edge.before_head(11.0)], 16))
        return Part(f"e{number}", self._tint(drawn), _around([*edge.line, *edge.head], 16), tuple(pieces))

    def _box(self, box: Box, written: Texts, lit: bool, active: bool) -> Part:
        key = (box.id, written, lit, active)
        if key not in self._drawn:
            self._drawn[key] = self._draw_box(box, written, lit, active)
        return self._drawn[key]

    def _draw_box(self, box: Box, written: Texts, lit: bool, active: bool) -> Part:
        slot, (x, y) = self._room[box.id], self._layout.centres[box.id]
        x, y, wide, high = x + self._left, y + self._top, slot.width / 2, slot.height / 2
        look = palette.box(box.kind, lit, active, box.weight)
        names = " ".join(["node", _kind(box), *(["lit"] if lit else []), *(["active"] if active else [])])
        fresh = ("reverse" if written[1] else "forward") if lit else ""
        cut = [text for text in (box.words, *written) if elided(text)]
        tip = _tip("\n".join(filter(None, [box.tip, *cut])))
        drawn = (
            f'<g class="{names}" id="{box.id}" data-node="{box.node}" transform="translate({_n(x)} {_n(y)})">'
            + (f"<title>{escape(tip)}</title>" if tip else "")
            + f'<rect x="{_n(-wide)}" y="{_n(-high)}" width="{_n(2 * wide)}" height="{_n(2 * high)}" rx="8" '
            f'fill="{look.fill}" stroke="{look.border}" stroke-width="{look.pen:g}"/>'
            + (_gauge(box.weight, wide, high) if box.weight else "")
            + "".join(draw_text(line, fresh) for line in slot.lines(written))
            + (heat.svg(box.heat, high - PAD_Y - slot.below + heat.GAP) if box.heat and written[0] else "")
            + "</g>\n"
        )
        return Part(box.id, self._tint(drawn), (x - wide - 3, y - high - 3, x + wide + 3, y + high + 3))


def _gauge(weight: float, wide: float, high: float) -> str:
    """How strongly a box is marked: a bar at its left, as high as the box where the mark is strongest."""
    full = 2 * high - 6
    return (
        f'<rect class="mark" x="{_n(3 - wide)}" y="{_n(high - 3 - weight * full)}" width="4" '
        f'height="{_n(weight * full)}" rx="2" fill="{palette.MARK}"/>'
    )


def opening(width: float, height: float, name: str = "", *, paper: str = PAPER) -> str:
    """The head of a picture of this size, and its paper."""
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}" {name}'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} xml:space="preserve" '
        f'font-family="{fonts.MONO_FAMILY}" font-size="{FONT_SIZE:g}">\n{paper}'
    )


def draw_text(line: Line, fresh: str) -> str:
    """One line of text. Every run of another font has a place of its own: no rasteriser need mix two fonts in a run."""
    parts, x = [], line.x
    for run in line.runs:
        drawn, x = _draw_run(run, x, fresh)
        parts.append(drawn)
    return f'<text y="{_n(line.baseline)}">{"".join(parts)}</text>'


def _draw_run(run: Run, x: float, fresh: str) -> tuple[str, float]:
    """One run as a tspan, and where the next one begins."""
    style, text = run
    ink = palette.INK.get(style, palette.INK["label"])
    heavy = f' stroke="{ink}" stroke-width="0.7"' if style in HEAVY[fresh] else ""
    opening = f'<tspan class="{style}" fill="{ink}"{heavy}'
    pieces = stretches(text)
    if len(pieces) == 1 and not pieces[0][1]:
        return f'{opening} x="{_n(x)}">{escape(text)}</tspan>', x + pieces[0][2] * CELL
    inner = []
    for piece, foreign, cells in pieces:
        family = FOREIGN_FAMILY if foreign else ""
        inner.append(f'<tspan x="{_n(x)}"{family}>{escape(piece)}</tspan>')
        x += cells * CELL
    return f"{opening}>{''.join(inner)}</tspan>", x


def stretches(text: str) -> list[tuple[str, bool, float]]:
    """Text cut into (stretch, from another font?, cells); a cluster from another font is a stretch of its own.

    >>> stretches("ab👽c")
    [('ab', False, 2.0), ('👽', True, 2.25), ('c', False, 1.0)]
    """
    if text.isascii():
        return [(text, False, float(len(text)))]
    found: list[tuple[str, bool, float]] = []
    for piece, foreign, cells in measure.clusters(text):
        if found and not foreign and not found[-1][1]:
            piece, cells = found[-1][0] + piece, found.pop()[2] + cells
        found.append((piece, foreign, cells))
    return found


def _around(points: list[Point], room: float) -> tuple[float, float, float, float]:
    """A rectangle around points, with room on all sides."""
    xs, ys = zip(*points, strict=True)
    return min(xs) - room, min(ys) - room, max(xs) + room, max(ys) + room


def _kind(box: Box) -> str:
    return box.kind if box.kind in palette.FILL else "op"


def _tip(text: str) -> str:
    """Text of a tooltip: long ones are cut, and say so."""
    text = "\n".join(map(measure.shown, text.split("\n")))
    rest = len(text) - TIP_LENGTH
    return f"{text[:TIP_LENGTH]}… {rest:,} more characters" if rest > 0 else text


def _plain_lines(text: str) -> list[str]:
    return measure.shown(text[: TITLE_CELLS * TITLE_LINES]).split("\n")


def _position(edge: Edge, arrow: Arrow) -> str:
    """Which operand an arrow brings: a number on the arrow, shortly before its head."""
    x, y = edge.before_head(11.0)
    return (
        f'<text class="position" x="{_n(x - 3.3)}" y="{_n(y + 4)}" font-size="11" fill="{palette.EDGE}" '
        f'stroke="{palette.PAPER}" stroke-width="4" paint-order="stroke">{arrow.position + 1}</text>'
    )


def _n(number: float) -> str:
    """A length in px, to a hundredth, without trailing zeros.

    >>> _n(12.0), _n(-0.001), _n(3.14159)
    ('12', '0', '3.14')
    """
    return f"{round(number, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _path(line: list[Point]) -> str:
    return f"M{_list(line[:1])}C{_list(line[1:])}"


def _list(points: list[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
