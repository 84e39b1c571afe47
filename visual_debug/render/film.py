"""Many PNG frames of one picture: each part is drawn once in each of its states, and frames are put together of them.

A frame changes a few boxes, arrows and the title. Drawing all of 5 million pixels anew takes 0.5 s. So the arrows are
drawn once, each box in each of its states is drawn once, transparent, marked arrows are put on by `strokes` in tiles, and
only what has changed on the canvas is put together again. resvg reads its fonts each time that it is called, which takes
as long as ten boxes: what the next frames need is drawn on one sheet. The canvas is cut into strips of rows, each a
compressed chunk of its own, so that strips without changes are reused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

from visual_debug.render import strokes
from visual_debug.render.scene import Part, Scene, opening

if TYPE_CHECKING:
    import numpy as np

    from visual_debug.render.diagram import Frame
    from visual_debug.render.strokes import Stroke

STRIP = 16  #: rows
LEVEL = 3  #: of zlib: as quick as 1 here, and a fifth smaller
TILE = 64  #: pixels, the side of a square of an arrow
KEPT = 32e6  #: pixels of parts that are kept before those of no use to the next frames are dropped
AHEAD = 24  #: frames whose parts are drawn together
SHEET = 2048  #: pixels, the width of a sheet of parts, and its height unless one part is higher

Rect = tuple[int, int, int, int]  #: left, top, right, bottom in pixels


def available() -> bool:
    """Whether Pillow is there to read back what was drawn."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return False
    return True


class _Sprite(NamedTuple):
    """What is drawn in a rectangle: the colours by their opacity, and how much of what is below shows, of 255."""

    rect: Rect
    ink: np.ndarray[Any, Any]
    below: np.ndarray[Any, Any]


class Film:
    """Frames drawn one after the other on the same canvas; `draw` makes a PNG of SVG text at a scale.

    `pool` has one thread: zlib works beside resvg, for it needs no lock of the interpreter.
    """

    def __init__(
        self, scene: Scene, draw: Callable[[str, float], bytes], scale: float, pool: ThreadPoolExecutor
    ) -> None:
        self._scene = scene
        self._draw = draw
        self._zoom = scale
        self._scale = (scale, scale)  # of x and y; not quite that, for a picture has whole pixels
        self._pool = pool
        self._width = self._height = 0
        self._shown: dict[str, Part] = {}
        self._sprites: dict[tuple[str, Rect], _Sprite] = {}
        self._chords: dict[str, list[tuple[float, float, float, float]]] = {}
        self._squares: dict[str, dict[Part, list[Rect]]] = {}
        self._kept = 0
        self._still: np.ndarray[Any, Any]  # the arrows, which everything else is put over
        self._rows: np.ndarray[Any, Any] | None = None  # each row begins with a 0: PNG's mark of an unfiltered row
        self._dirty: set[int] = set()
        self._strips: list[tuple[bytes, int, int]] = []  # chunk, checksum and length of what is in it

    def shoot(self, frame: Frame, following: Sequence[Frame] = ()) -> Future[bytes]:
        """The PNG of one frame, which is compressed while the next one is drawn, and what it shares with those."""
        parts = {part.key: part for part in self._scene.pieces(frame)}
        if self._rows is None:
            self._begin()
            rects = [(0, 0, self._width, self._height)]
        else:
            rects = self._changed(parts)
        if not all(map(self._ready, parts.values())):
            soon = [*parts.values(), *(part for other in following[:AHEAD] for part in self._scene.pieces(other))]
            if self._kept > KEPT:
                self._forget({part.svg for part in soon})
            self._draw_sheets(soon)
        places = [(part, place) for part in parts.values() for place in self._rects(part)]
        for rect in rects:
            self._compose(rect, [(part, place) for part, place in places if _meet(place, rect)])
        self._shown = parts
        return self._pool.submit(self._file, self._fresh())

    def _begin(self) -> None:
        import numpy as np

        self._still = _pixels_of(self._draw(self._scene.still(), self._zoom))[..., :3]
        self._height, self._width, _ = self._still.shape
        # resvg rounds the size of the picture, and then scales it to whole pixels.
        self._scale = self._width / floor(self._scene.width + 0.5), self._height / floor(self._scene.height + 0.5)
        self._rows = np.zeros((self._height, 1 + 3 * self._width), np.uint8)
        self._strips = [(b"", 0, 0)] * ceil(self._height / STRIP)

    def _changed(self, parts: dict[str, Part]) -> list[Rect]:
        """Where the new parts differ from those on the canvas."""
        gone = [part for key, part in self._shown.items() if key not in parts]
        changed = [part for key, part in parts.items() if self._shown.get(key) != part]
        before = [self._shown[part.key] for part in changed if part.key in self._shown]
        return sorted({rect for part in gone + changed + before for rect in self._rects(part)})

    def _rects(self, part: Part) -> list[Rect]:
        """What a part covers: the rectangle around it, or of an arrow the tiles that it goes through, none twice."""
        known = self._squares.setdefault(part.key, {})
        if part not in known:
            known[part] = list(self._tiles(part)) if part.pieces else [self._pixels(part.bounds)]
        return known[part]

    def _tiles(self, part: Part) -> Iterator[Rect]:
        pieces = list(map(self._pixels, part.pieces))
        squares = {
            (x, y)
            for left, top, right, bottom in pieces
            for x in range(left // TILE, ceil(right / TILE))
            for y in range(top // TILE, ceil(bottom / TILE))
        }
        for x, y in sorted(squares):
            yield x * TILE, y * TILE, min((x + 1) * TILE, self._width), min((y + 1) * TILE, self._height)

    def _pixels(self, bounds: tuple[float, float, float, float]) -> Rect:
        x, y = self._scale
        left, top, right, bottom = bounds[0] * x, bounds[1] * y, bounds[2] * x, bounds[3] * y
        return max(floor(left), 0), max(floor(top), 0), min(ceil(right), self._width), min(ceil(bottom), self._height)

    def _compose(self, rect: Rect, places: Iterable[tuple[Part, Rect]]) -> None:
        """Put a rectangle of the canvas together, from back to front."""
        import numpy as np

        assert self._rows is not None
        left, upper, right, lower = rect
        patch = self._still[upper:lower, left:right].astype(np.uint16)
        for part, place in places:
            sprite = self._sprite(part, place)
            (x, y), (a, b, c, d) = sprite.rect[:2], _common(sprite.rect, _common(place, rect))
            if a >= c or b >= d:
                continue
            inside = slice(b - y, d - y), slice(a - x, c - x)
            there = patch[b - upper : d - upper, a - left : c - left]
            there *= sprite.below[inside]
            there += sprite.ink[inside]
            there //= 255
        self._rows[upper:lower, 1 + 3 * left : 1 + 3 * right] = patch.reshape(lower - upper, -1)
        self._dirty.update(range(upper // STRIP, ceil(lower / STRIP)))

    def _sprite(self, part: Part, place: Rect) -> _Sprite:
        """What a part is in one of its rectangles, which is drawn by itself if it was on no sheet."""
        found = self._sprites.get((part.svg, place))
        if found is None:
            found = self._stroked(part, part.stroke, place) if part.stroke is not None else self._drawn(part, place)
            self._sprites[part.svg, place] = found
        return found

    def _stroked(self, part: Part, stroke: Stroke, place: Rect) -> _Sprite:
        """A tile of an arrow."""
        import numpy as np

        if part.svg not in self._chords:
            self._chords[part.svg] = strokes.chords(stroke, self._scale)
        opacity = strokes.opacity(stroke, self._chords[part.svg], self._scale, place)
        self._kept += _area(place)
        return _Sprite(place, opacity * np.array(stroke.colour, np.uint16) + 127, 255 - opacity)

    def _ready(self, part: Part) -> bool:
        """Whether a part has been drawn, or is an arrow, which is drawn in tiles."""
        return part.stroke is not None or all((part.svg, place) in self._sprites for place in self._rects(part))

    def _draw_sheets(self, parts: Iterable[Part]) -> None:
        """Draw those parts that are not yet drawn, many of them at once."""
        missing = {part.svg: part for part in parts if not self._ready(part)}
        sheet: list[tuple[Part, Rect, int, int]] = []
        x = y = row = 0
        placed = sorted(
            ((self._pixels(part.bounds), part) for part in missing.values()), key=lambda one: _height(one[0])
        )
        for rect, part in placed:
            wide, high = rect[2] - rect[0], _height(rect)
            if x + wide > SHEET:
                x, y, row = 0, y + row, 0
            if sheet and y + high > SHEET:
                self._draw_sheet(sheet)
                sheet, x, y, row = [], 0, 0, 0
            sheet.append((part, rect, x, y))
            x, row = x + wide, max(row, high)
        if sheet:
            self._draw_sheet(sheet)

    def _draw_sheet(self, sheet: list[tuple[Part, Rect, int, int]]) -> None:
        """Draw parts side by side, each with its corner at a whole pixel x, y, as it is on the canvas."""
        width = max(x + rect[2] - rect[0] for _, rect, x, _ in sheet)
        height = max(y + _height(rect) for _, rect, _, y in sheet)
        drawn = "".join(self._moved(part, x - rect[0], y - rect[1]) for part, rect, x, y in sheet)
        pixels = _pixels_of(self._draw(f"{opening(width, height, paper='')}{drawn}</svg>", 1.0))
        for part, rect, x, y in sheet:
            sprite = self._sprite_of(rect, pixels[y : y + _height(rect), x : x + rect[2] - rect[0]])
            for place in self._rects(part):
                self._sprites[part.svg, place] = sprite

    def _drawn(self, part: Part, rect: Rect) -> _Sprite:
        left, upper, right, lower = rect
        head = opening(right - left, lower - upper, paper="")
        return self._sprite_of(rect, _pixels_of(self._draw(f"{head}{self._moved(part, -left, -upper)}</svg>", 1.0)))

    def _moved(self, part: Part, x: int, y: int) -> str:
        """The markup of a part in pixels. (No nested svg with a viewBox: resvg clips it by way of another canvas.)"""
        across, down = self._scale
        return f'<g transform="translate({x} {y}) scale({across:.9f} {down:.9f})">{part.svg}</g>'

    def _sprite_of(self, rect: Rect, pixels: np.ndarray[Any, Any]) -> _Sprite:
        import numpy as np

        self._kept += _area(rect)
        ink, opacity = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
        return _Sprite(rect, ink * opacity + 127, 255 - opacity)

    def _forget(self, used: set[str]) -> None:
        """Drop the parts that the next frames have not got."""
        self._sprites = {key: sprite for key, sprite in self._sprites.items() if key[0] in used}
        self._squares.clear()
        self._chords.clear()
        self._kept = sum(_area(rect) for rect in {sprite.rect for sprite in self._sprites.values()})

    def _fresh(self) -> dict[int, bytes]:
        """The rows of the strips that have changed since the last frame."""
        assert self._rows is not None
        found = {strip: self._rows[strip * STRIP : (strip + 1) * STRIP].tobytes() for strip in self._dirty}
        self._dirty.clear()
        return found

    def _file(self, fresh: dict[int, bytes]) -> bytes:
        """The canvas as a PNG file. Only the one thread of the pool comes here, with one frame after the other."""
        for strip, data in fresh.items():
            packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
            packed = _chunk(b"IDAT", packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))
            self._strips[strip] = packed, zlib.adler32(data), len(data)
        check = 1
        for _, part, length in self._strips:
            check = _joined(check, part, length)
        header = _chunk(b"IHDR", struct.pack(">IIBBBBB", self._width, self._height, 8, 2, 0, 0, 0))
        last = _chunk(b"IDAT", b"\3\0" + struct.pack(">I", check))
        strips = [packed for packed, _, _ in self._strips]
        return b"".join(
            [b"\x89PNG\r\n\x1a\n", header, _chunk(b"IDAT", b"\x78\x01"), *strips, last, _chunk(b"IEND", b"")]
        )


def _joined(one: int, other: int, length: int) -> int:
    """The Adler-32 checksum of two stretches of bytes, of theirs and the second one's length (RFC 1950)."""
    base = 65521
    low = (one & 0xFFFF) - 1
    high = (one >> 16) + (other >> 16) + length * low
    return (high % base) << 16 | (low + (other & 0xFFFF)) % base


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _area(rect: Rect) -> int:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _height(rect: Rect) -> int:
    return rect[3] - rect[1]


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _common(one: Rect, other: Rect) -> Rect:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _pixels_of(png: bytes) -> np.ndarray[Any, Any]:
    """Height x width x 4 of a PNG."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA"))
