"""Many PNG frames of one picture: after the first, only what changed is drawn and compressed again.

A frame changes a few boxes, an arrow and the title: drawing all of 5 million pixels anew takes 0.5 s, these 0.04 s.
The canvas is cut into strips of rows, each a compressed chunk of its own, so that strips without changes are reused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from visual_debug.render.scene import Part, Scene, opening

if TYPE_CHECKING:
    import numpy as np

    from visual_debug.render.diagram import Frame

STRIP = 32  #: rows
LEVEL = 3  #: of zlib: as quick as 1 here, and a fifth smaller
SHARE = 0.5  #: of the canvas; when more of it has changed, all is drawn

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

    def png(self, frame: Frame) -> bytes:
        """The PNG of one frame."""
        parts = {part.key: part for part in self._scene.parts(frame)}
        rects = [] if self._rows is None else self._changed(parts)
        if self._rows is None or sum(_area(rect) for rect in rects) > SHARE * self._rows.size / 3:
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
        return sorted(
            {self._pixels(bounds) for part in gone + changed + before for bounds in part.pieces or (part.bounds,)}
        )

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

    def _draw_some(self, rects: list[Rect], parts: dict[str, Part]) -> None:
        """Draw the rectangles, each as a picture of its own, and copy them to their places."""
        assert self._rows is not None
        places = [(part.svg, self._pixels(part.bounds)) for part in parts.values()]
        for rect in rects:
            left, upper, right, lower = rect
            pixels = _pixels_of(self._draw("".join(self._patch(rect, places)), 1.0))
            patch = pixels[: lower - upper, : right - left]
            self._rows[upper:lower, 1 + 3 * left : 1 + 3 * right] = patch.reshape(lower - upper, -1)
            for strip in range(upper // STRIP, ceil(lower / STRIP)):
                self._strips[strip] = b""

    def _patch(self, rect: Rect, places: list[tuple[str, Rect]]) -> Iterator[str]:
        # No nested svg with a viewBox: resvg clips it by way of a canvas of its own.
        left, upper, right, lower = rect
        yield opening(right - left, lower - upper)
        yield f'<g transform="translate({-left} {-upper}) scale({self._scale:.9f})">'
        yield from (svg for svg, place in places if _meet(place, rect))
        yield "</g></svg>"

    def _file(self) -> bytes:
        """The canvas as a PNG file."""
        assert self._rows is not None
        height, width = self._rows.shape[0], (self._rows.shape[1] - 1) // 3
        for i, strip in enumerate(self._strips):
            if not strip:
                packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
                packed = packer.compress(self._rows[i * STRIP : (i + 1) * STRIP].tobytes())
                self._strips[i] = _chunk(b"IDAT", packed + packer.flush(zlib.Z_SYNC_FLUSH))
        header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        last = _chunk(b"IDAT", b"\3\0" + struct.pack(">I", zlib.adler32(self._rows.data)))
        return b"".join(
            [b"\x89PNG\r\n\x1a\n", header, _chunk(b"IDAT", b"\x78\x01"), *self._strips, last, _chunk(b"IEND", b"")]
        )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _area(rect: Rect) -> int:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _meet(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _pixels_of(png: bytes) -> np.ndarray[Any, Any]:
    """Height x width x 3 of a PNG."""
    import numpy as np
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))
