"""The code view as pictures: SVG and PNG of `code.CodeFrame`, all frames of a series of one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from visual_debug.errors import RenderError
from visual_debug.render import code, measure, palette, raster, themes
from visual_debug.render.code import CodeFrame, Piece, Row
from visual_debug.render.compose import CELL, LINE, MARK, Line
from visual_debug.render.scene import MARGIN, PAPER, TITLE_CELLS, draw_text, opening

#: Lines of code in one picture.
MOST_ROWS = 2000
_GAP = 2.0  #: cells between line number and code
_STYLE = {"plain": "label", "value": "forward", "literal": "label", "note": "more", "mark": "note"}


class CodePicture:
    """Frames of the code view, drawn alike: a line that ever has adjoints has room for them in every frame."""

    def __init__(self, frames: Sequence[CodeFrame], theme: str = "light") -> None:
        self._tint = themes.tint(theme)
        rows = max((len(frame.rows) for frame in frames), default=0)
        if rows > MOST_ROWS:
            raise RenderError(f"{rows:,} lines of code are more than the {MOST_ROWS:,} of one picture: print t.code()")
        self._wide = max((code.gutter(frame.rows) for frame in frames), default=1)
        self._tall = {key for frame in frames for key, row in _keyed(frame.rows) if any(p.reverse for p in row.pieces)}
        widest = max((self._cells(row) for frame in frames for row in frame.rows), default=0.0)
        self._title_cells = int(max(widest, TITLE_CELLS))
        titles = [measure.wrap(measure.shown(frame.title), self._title_cells) for frame in frames]
        self._band = max(map(len, titles), default=0)
        self.width = max(widest, *(measure.width(t) for lines in titles for t in lines), 1.0) * CELL + 2 * MARGIN
        self._top = MARGIN + self._band * LINE + (8 if self._band else 0)
        self.height = self._top + max((self._depth(frame.rows) for frame in frames), default=0.0) + MARGIN

    def _cells(self, row: Row) -> float:
        return self._wide + _GAP + 2 * row.depth + sum(map(code.cells, row.pieces))

    def _depth(self, rows: tuple[Row, ...]) -> float:
        return sum(LINE * (2 if key in self._tall else 1) for key, _ in _keyed(rows))

    def svg(self, frame: CodeFrame) -> str:
        """The picture of one frame."""
        name = f'role="img" aria-label={quoteattr(measure.shown(frame.title))}'
        return "".join([self._opening(name), *(part for _, part in self.parts(frame)), "</svg>\n"])

    def _opening(self, name: str) -> str:
        return opening(self.width, self.height, name, paper=self._tint(PAPER))

    def png(self, frame: CodeFrame) -> bytes:
        """The picture of one frame as PNG."""
        if not raster.available():
            raise RenderError("resvg_py is not installed, and the code view needs it for PNG: export to .svg")
        svg = self.svg(frame)
        try:
            return raster.png(svg, raster.scale(self.width, self.height), system_fonts=bool(raster.strangers(svg)))
        except RuntimeError as error:
            raise RenderError(f"no PNG of the code view can be drawn: {error}; export to .svg") from error

    def pdf(self, frame: CodeFrame) -> bytes:
        """The picture of one frame as PDF."""
        from visual_debug.render import pdf

        return pdf.pdf(self.svg(frame), self.width, self.height)

    def animated(self, frames: Sequence[CodeFrame]) -> str:
        """Frames as one SVG that plays."""
        from visual_debug.render import animate

        drawn = [list(self.parts(frame)) for frame in frames]
        return animate.svg(self._opening('role="img"'), drawn)

    def small_pngs(self, frames: Sequence[CodeFrame]) -> Iterator[bytes]:
        """PNGs of frames for a GIF."""
        from visual_debug.render import animate

        for frame in frames:
            svg = self.svg(frame)
            yield raster.png(svg, animate.scale(self.width, self.height), system_fonts=bool(raster.strangers(svg)))

    def parts(self, frame: CodeFrame) -> Iterator[tuple[str, str]]:
        """What a frame consists of, from top to bottom: (key, SVG)."""
        fresh = "forward" if frame.phase == "forward" else "reverse"
        title = measure.wrap(measure.shown(frame.title), self._title_cells) if frame.title else ()
        drawn = [draw_text(Line(MARGIN, MARGIN + (i + 0.75) * LINE, (("title", t),)), "") for i, t in enumerate(title)]
        yield "title", self._tint(f'<g class="frame-title">{"".join(drawn)}</g>\n')
        y = self._top
        for key, row in _keyed(frame.rows):
            yield f"row {key} at {y:g}", self._tint("".join(self._row(row, y, fresh)))
            y += LINE * (2 if key in self._tall else 1)

    def _row(self, row: Row, y: float, fresh: str) -> Iterator[str]:
        name = "" if row.number is None else f' data-line="{row.number}"'
        yield f'<g class="row"{name}>'
        number = "" if row.number is None else str(row.number)
        x = MARGIN
        if number:
            start = x + (self._wide - len(number)) * CELL
            yield draw_text(Line(start, y + 0.75 * LINE, (("more", number),)), "")
        x += (self._wide + _GAP) * CELL
        under = False
        for level in range(row.depth):
            yield f'<rect class="call" x="{x + level * 2 * CELL:.2f}" y="{y:.2f}" width="2" height="{LINE:g}" fill="{palette.EDGE}"/>'
        x += row.depth * 2 * CELL
        for piece in row.pieces:
            room = code.cells(piece) * CELL
            below = measure.shown(code.adjoint_text(piece))
            under = under or bool(below)
            yield from self._piece(piece, below, x, y, room, fresh)
            x += room
        if under:
            mark = MARGIN + (self._wide - 1) * CELL
            yield draw_text(Line(mark, y + 1.75 * LINE, (("mark", MARK.strip()),)), "")
        yield "</g>\n"

    def _piece(self, piece: Piece, below: str, x: float, y: float, room: float, fresh: str) -> Iterator[str]:
        text = measure.shown(piece.text)
        if piece.node is None:
            if text.strip():
                yield draw_text(Line(x, y + 0.75 * LINE, ((_STYLE[piece.kind], text),)), "")
            return
        yield f'<g class="{piece.kind}{" lit" if piece.lit else ""}" data-node="{piece.node}">'
        if piece.tip and piece.tip != piece.text:
            yield f"<title>{escape(measure.shown(piece.tip))}</title>"
        high = LINE * (2 if below else 1) - 1
        fill = palette.LIT if piece.lit else palette.VALUE if piece.kind == "value" else ""
        if piece.weight and not piece.lit:
            fill = palette.mixed(fill or palette.PAPER, palette.MARKED, piece.weight)
        if fill:
            yield f'<rect x="{x - 1:.2f}" y="{y + 0.5:.2f}" width="{room + 2:.2f}" height="{high:g}" rx="3" fill="{fill}"/>'
        if piece.weight:
            yield (
                f'<rect class="mark" x="{x:.2f}" y="{y + LINE - 2.5:.2f}" width="{room * piece.weight:.2f}" height="3" '
                f'fill="{palette.MARK}"/>'
            )
        style = _STYLE[piece.kind]
        yield draw_text(Line(x, y + 0.75 * LINE, ((style, text),)), fresh if piece.lit and fresh == "forward" else "")
        if below:
            yield draw_text(
                Line(x, y + 1.75 * LINE - 1, (("reverse", below),)),
                fresh if piece.lit and fresh == "reverse" else "",
            )
        yield "</g>"


def _svg(picture: CodePicture, frame: CodeFrame) -> bytes:
    return picture.svg(frame).encode()


#: How the code view is drawn, by format.
PICTURES: dict[str, Callable[[CodePicture, CodeFrame], bytes]] = {
    "svg": _svg,
    "png": CodePicture.png,
    "pdf": CodePicture.pdf,
}


def _keyed(rows: tuple[Row, ...]) -> Iterator[tuple[tuple[int, int | None, int], Row]]:
    """Rows with what tells them apart in every frame."""
    seen: dict[tuple[int, int | None], int] = {}
    for row in rows:
        key = row.depth, row.number
        seen[key] = seen.get(key, 0) + 1
        yield (*key, seen[key]), row
