"""Many PNG frames of one picture: after the first, only what changed is drawn and compressed again.

A frame changes a few boxes, an arrow and the title: drawing all of 5 million pixels anew takes 0.5 s, these 0.03 s.
The canvas is cut into strips of rows, each a compressed chunk of its own, so that strips without changes are reused.

Pixels are those of the whole drawing but for the blend at the edge of a few curves, which the rasteriser cuts at the
borders of its canvas before it approximates them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from visual_debug.render.scene import Part, Scene, opening

if TYPE_CHECKING:
    import numpy as np

    from visual_debug.render.diagram import Frame

STRIP = 16  #: rows
LEVEL = 3  #: of zlib: as quick as 1 here, and a fifth smaller
SHARE = 0.5  #: of the canvas; when more of it has changed, all is drawn
CALL = 6_000  #: pixels that take as long to draw as a call of the rasteriser takes by itself
_ADLER = 65521

Rect = tuple[int, int, int, int]  #: left, top, right, bottom in pixels


def available() -> bool:
    """Whether Pillow is there to read back what was drawn."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return False
    return True


class Film:
    """Frames drawn one after the other on the same canvas; `draw` makes a PNG of SVG text at a scale."""

    def __init__(self, scene: Scene, draw: Callable[[str, float], bytes], scale: float) -> None:
        self._scene = scene
        self._draw = draw
        self._scale = scale
        self._shown: dict[str, Part] = {}
        self._rows: np.ndarray[Any, Any] | None = None  # each row begins with a 0: PNG's mark of an unfiltered row
        self._strips: list[bytes] = []
        self._sums: list[int] = []  # Adler-32 of each strip
        self._covered: dict[str, tuple[Part, list[Rect]]] = {}

    def png(self, frame: Frame) -> bytes:
        """The PNG of one frame."""
        parts = {part.key: part for part in self._scene.parts(frame)}
        rects = [] if self._rows is None else self._changed(parts)
        if self._rows is None or sum(map(_area, rects)) > SHARE * self._rows.size / 3:
            self._draw_all(frame)
        elif rects:
            self._draw_some(rects, parts)
        self._shown = parts
        return self._file()

    def _changed(self, parts: dict[str, Part]) -> list[Rect]:
        """Where the new parts differ from those on the canvas."""
        gone = [part for key, part in self._shown.items() if key not in parts]
        changed = [part for key, part in parts.items() if self._shown.get(key) != part]
        before = [self._shown[part.key] for part in changed if part.key in self._shown]
        return joined(dict.fromkeys(rect for part in [*gone, *before, *changed] for rect in self._places(part)))

    def _places(self, part: Part) -> list[Rect]:
        """The pixels that a part may cover."""
        known = self._covered.get(part.key)
        if known is None or known[0] is not part:
            rects = [self._pixels(bounds) for bounds in part.pieces or (part.bounds,)]
            known = self._covered[part.key] = part, rects
        return known[1]

    def _indexed(self, parts: dict[str, Part]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """All places of all parts as rows of left, top, right, bottom; and the number of the part of each."""
        import numpy as np

        places = [self._places(part) for part in parts.values()]
        owners = np.repeat(np.arange(len(places)), [len(rects) for rects in places])
        return np.array([rect for rects in places for rect in rects], np.int64).reshape(-1, 4), owners

    def _pixels(self, bounds: tuple[float, float, float, float]) -> Rect:
        assert self._rows is not None
        height, width = self._rows.shape[0], (self._rows.shape[1] - 1) // 3
        left, top, right, bottom = (side * self._scale for side in bounds)
        return max(floor(left), 0), max(floor(top), 0), min(ceil(right), width), min(ceil(bottom), height)

    def _draw_all(self, frame: Frame) -> None:
        import numpy as np

        pixels = _pixels_of(self._draw(self._scene.svg(frame), self._scale))
        height, width, _ = pixels.shape
        self._rows = np.zeros((height, 1 + 3 * width), np.uint8)
        self._rows[:, 1:] = pixels.reshape(height, -1)
        self._strips = [b""] * ceil(height / STRIP)
        self._sums = [1] * len(self._strips)

    def _draw_some(self, rects: list[Rect], parts: dict[str, Part]) -> None:
        """Draw the rectangles, each as a picture of its own, and copy them to their places."""
        assert self._rows is not None
        index = self._indexed(parts)
        behind = list(parts.values())
        for rect in rects:
            left, upper, right, lower = rect
            pixels = _pixels_of(self._draw("".join(self._patch(rect, _met(rect, behind, *index))), 1.0))
            patch = pixels[: lower - upper, : right - left]
            self._rows[upper:lower, 1 + 3 * left : 1 + 3 * right] = patch.reshape(lower - upper, -1)
            for strip in range(upper // STRIP, ceil(lower / STRIP)):
                self._strips[strip] = b""

    def _patch(self, rect: Rect, parts: Iterable[Part]) -> Iterator[str]:
        # No nested svg with a viewBox: resvg clips it by way of a canvas of its own.
        left, upper, right, lower = rect
        yield opening(right - left, lower - upper)
        yield f'<g transform="translate({-left} {-upper}) scale({self._scale:.9f})">'
        for part in parts:
            bare = part.label and not _meet(self._places(part)[-1], rect)
            yield part.svg.replace(part.label, "") if bare else part.svg
        yield "</g></svg>"

    def _file(self) -> bytes:
        """The canvas as a PNG file."""
        assert self._rows is not None
        height, width = self._rows.shape[0], (self._rows.shape[1] - 1) // 3
        for i, strip in enumerate(self._strips):
            if not strip:
                rows = self._rows[i * STRIP : (i + 1) * STRIP].tobytes()
                packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
                self._strips[i] = _chunk(b"IDAT", packer.compress(rows) + packer.flush(zlib.Z_SYNC_FLUSH))
                self._sums[i] = zlib.adler32(rows)
        lengths = [len(self._rows[i * STRIP : (i + 1) * STRIP]) * self._rows.shape[1] for i in range(len(self._strips))]
        header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        last = _chunk(b"IDAT", b"\3\0" + struct.pack(">I", adler(self._sums, lengths)))
        return b"".join(
            [b"\x89PNG\r\n\x1a\n", header, _chunk(b"IDAT", b"\x78\x01"), *self._strips, last, _chunk(b"IEND", b"")]
        )


def adler(sums: list[int], lengths: list[int]) -> int:
    """Adler-32 of data of which the sums and lengths of the consecutive parts are known.

    >>> adler([zlib.adler32(b"Hello, "), zlib.adler32(b"world")], [7, 5]) == zlib.adler32(b"Hello, world")
    True
    """
    low, high = 1, 0
    for part, length in zip(sums, lengths, strict=True):
        high = (high + (part >> 16) + length * (low - 1)) % _ADLER
        low = (low + (part & 0xFFFF) - 1) % _ADLER
    return high << 16 | low


def joined(rects: Iterable[Rect]) -> list[Rect]:
    """The rectangles, those of which the common rectangle is quicker to draw than each by itself put together.

    Takes them in the given order, in which neighbours along an arrow follow each other.

    >>> joined([(0, 0, 10, 10), (10, 0, 20, 10), (5000, 0, 5010, 10)])
    [(0, 0, 20, 10), (5000, 0, 5010, 10)]
    """
    found: list[Rect] = []
    for rect in rects:
        while found:
            last = found[-1]
            both = min(last[0], rect[0]), min(last[1], rect[1]), max(last[2], rect[2]), max(last[3], rect[3])
            if _area(both) > _area(last) + _area(rect) + CALL:
                break
            rect = both
            found.pop()
        found.append(rect)
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _area(rect: Rect) -> int:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _met(rect: Rect, parts: list[Part], places: np.ndarray[Any, Any], owners: np.ndarray[Any, Any]) -> list[Part]:
    """Those of the parts that cover something of a rectangle, from back to front."""
    left, upper, right, lower = rect
    meet = (places[:, 0] < right) & (places[:, 2] > left) & (places[:, 1] < lower) & (places[:, 3] > upper)
    return [parts[number] for number in sorted(set(owners[meet].tolist()))]


def _pixels_of(png: bytes) -> np.ndarray[Any, Any]:
    """Height x width x 3 of a PNG."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))
