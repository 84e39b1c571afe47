"""Pictures of a diagram: laid out once, then one SVG or PNG per frame.

picture = Picture(diagram)
svg = picture.svg(diagram.frames[3])
"""

from __future__ import annotations

import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from visual_debug.errors import RenderError
from visual_debug.render import engines, film, raster
from visual_debug.render.compose import slots
from visual_debug.render.diagram import Diagram, Frame
from visual_debug.render.dot import source
from visual_debug.render.engines import RenderWarning
from visual_debug.render.scene import Scene

MOST_BOXES = 3000  #: of one picture
MOST_DRAWN = 1_000_000  #: boxes times frames of one export
_ID = re.compile(r"[A-Za-z0-9_]+")
WAYS = (
    "draw less: t.slice(node) keeps what one value came from (t.find(...) finds the node), "
    "t.tree(max_depth=5) prints the top of the tree as text"
)


#: Frames that may wait to be compressed.
AHEAD = 4


class Picture:
    """A diagram laid out for all its frames (or those given), drawn frame by frame."""

    def __init__(
        self,
        diagram: Diagram,
        frames: Sequence[Frame] = (),
        *,
        engine: str | None = None,
        timeout: float = engines.TIMEOUT,
        theme: str = "light",
    ) -> None:
        check(diagram)
        shown = [*diagram.frames, *frames]
        self._diagram = diagram
        self._room = slots(diagram, shown)
        self.layout = engines.lay_out(diagram, self._room, engine, timeout)
        self._scene = Scene(diagram, shown, self._room, self.layout, theme)
        self._theme = theme
        self._told: set[str] = set()

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in px of every frame."""
        return self._scene.width, self._scene.height

    def draw(self, frame: Frame, format: str) -> bytes:
        """One frame in one of the `PICTURES` formats."""
        return PICTURES[known(format)](self, frame)

    def svg(self, frame: Frame) -> bytes:
        """One frame as SVG."""
        return self._scene.svg(frame).encode()

    def pdf(self, frame: Frame) -> bytes:
        """One frame as PDF."""
        from visual_debug.render import pdf

        return pdf.pdf(self._scene.svg(frame), *self.size)

    def mermaid(self, frame: Frame) -> bytes:
        """One frame as Mermaid text."""
        from visual_debug.render import mermaid

        return mermaid.mermaid(self._diagram, frame).encode()

    def animated(self, frames: Iterable[Frame]) -> str:
        """Frames as one SVG that plays."""
        from visual_debug.render import animate

        drawn = [[(part.key, part.svg) for part in self._scene.parts(frame)] for frame in frames]
        return animate.svg(self._scene.opening('role="img"'), drawn)

    def small_pngs(self, frames: Sequence[Frame]) -> Iterator[bytes]:
        """PNGs of frames at one pixel per px, or less where that is more than `animate.MOST_PIXELS`."""
        from visual_debug.render import animate

        return self._film(frames, animate.scale(*self.size))

    def dot(self, frame: Frame) -> bytes:
        """One frame as DOT text."""
        return source(self._diagram, frame, self._room).encode()

    def png(self, frame: Frame, scale: float | None = None) -> bytes:
        """One frame as PNG, of so many pixels per px, or as many as `raster.scale` says."""
        if scale is None:
            scale = raster.scale(*self.size)
        self._warn_of_size(scale)
        return self._drawn(frame, scale)

    def _drawn(self, frame: Frame, scale: float) -> bytes:
        if not raster.available():
            return self._plain_png(frame, scale, "resvg_py is not installed")
        try:
            return self._raster(self._scene.svg(frame), scale)
        except RuntimeError as error:
            return self._plain_png(frame, scale, str(error))

    def _warn_of_size(self, scale: float) -> None:
        if scale < raster.LEGIBLE:
            self._tell(raster.too_small(*self.size))

    def film(self, frames: Sequence[Frame]) -> Iterator[bytes]:
        """PNGs of many frames, each drawn over the one before; of large ones with fewer pixels than `png` has."""
        scale = raster.series_scale(*self.size)
        self._warn_of_size(scale)
        return self._film(frames, scale)

    def _film(self, frames: Sequence[Frame], scale: float) -> Iterator[bytes]:
        if not raster.available() or not film.available():
            yield from (self._drawn(frame, scale) for frame in frames)
            return
        with ThreadPoolExecutor(1) as pool:
            reel = film.Film(self._scene, self._raster, scale, pool)
            waiting: deque[Future[bytes]] = deque()
            for number, frame in enumerate(frames):
                try:
                    waiting.append(reel.shoot(frame, frames[number + 1 : number + film.AHEAD]))
                except RuntimeError:  # resvg gave up: say so, and begin anew with the next frame
                    alone: Future[bytes] = Future()
                    alone.set_result(self._drawn(frame, scale))
                    waiting.append(alone)
                    reel = film.Film(self._scene, self._raster, scale, pool)
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _raster(self, svg: str, scale: float) -> bytes:
        strangers = raster.strangers(svg)
        if missing := raster.undrawable(strangers):
            self._tell(raster.no_glyphs(missing))
            svg = raster.spell_out(svg, missing)
        return raster.png(svg, scale, system_fonts=bool(strangers))

    def _plain_png(self, frame: Frame, scale: float, reason: str) -> bytes:
        """The PNG that a layout program draws by itself: the same boxes and texts in its own font."""
        if self._theme != "light":
            raise RenderError(f"{reason}: no PNG of theme={self._theme!r} can be drawn here; export to .svg")
        text = source(self._diagram, frame, self._room, dpi=engines.DPI * scale)
        for name in ("graphviz-pure", "dot"):
            try:
                drawn = engines.draw(name, text, "png")
            except engines.FAILURES as error:
                reason += f"; {name} {engines.reason(error)}"
                continue
            self._tell(f"{reason}: the PNG is drawn by {name} instead, and characters its font lacks are not drawn")
            return drawn
        raise RenderError(f"{reason}: no PNG can be drawn here; pip install resvg_py, or export to .svg or .dot")

    def _tell(self, message: str) -> None:
        """Warn once per picture, not once per frame."""
        if message not in self._told:
            self._told.add(message)
            warnings.warn(message, RenderWarning, stacklevel=4)


#: How a picture draws one frame, by format.
PICTURES: dict[str, Callable[[Picture, Frame], bytes]] = {
    "svg": Picture.svg,
    "png": Picture.png,
    "dot": Picture.dot,
    "pdf": Picture.pdf,
    "mmd": Picture.mermaid,
}


def render_frames(
    diagram: Diagram, frames: Sequence[Frame], format: str = "svg", *, engine: str | None = None, theme: str = "light"
) -> Iterator[bytes]:
    """Pictures of the frames, one by one; nothing moves from one to the next. Errors are raised at once."""
    draw = PICTURES[known(format)]
    check_size(len(frames), len(diagram.boxes))
    picture = Picture(diagram, frames, engine=engine, theme=theme)
    return picture.film(frames) if format == "png" else (draw(picture, frame) for frame in frames)


def check_size(frames: int, boxes: int) -> None:
    """Refuse a series of more pictures and boxes than anybody would wait for."""
    if frames * boxes > MOST_DRAWN:
        raise RenderError(
            f"{frames:,} frames of {boxes:,} boxes are {frames * boxes:,} drawn boxes, more than the "
            f"{MOST_DRAWN:,} of one export: export single steps with step=..., or {WAYS}"
        )


def render_one(
    diagram: Diagram, frame: Frame, format: str = "svg", *, engine: str | None = None, theme: str = "light"
) -> bytes:
    """The picture of one frame, laid out as for all frames of the diagram."""
    known(format)
    return Picture(diagram, [frame], engine=engine, theme=theme).draw(frame, format)


def known(format: str) -> str:
    """The format, if there is such a one."""
    if format not in PICTURES:
        raise RenderError(f"unknown picture format {format!r}: choose one of {', '.join(sorted(PICTURES))}")
    return format


def check(diagram: Diagram) -> None:
    """Refuse what cannot be drawn: too many boxes, or a diagram that contradicts itself."""
    if len(diagram.boxes) > MOST_BOXES:
        raise RenderError(
            f"{len(diagram.boxes):,} boxes are more than the {MOST_BOXES:,} that one picture can show: {WAYS}"
        )
    ids = {box.id for box in diagram.boxes}
    if len(ids) < len(diagram.boxes):
        raise RenderError("two boxes of the diagram have the same id")
    for id in ids:
        if not _ID.fullmatch(id):
            raise RenderError(f"box id {id!r}: only letters, digits and _ make an id")
    for arrow in diagram.arrows:
        if not {arrow.tail, arrow.head} <= ids:
            raise RenderError(f"the arrow {arrow.tail} -> {arrow.head} has an end that is no box of the diagram")
