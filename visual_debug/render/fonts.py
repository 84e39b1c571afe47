"""The bundled fonts: where they are, and which characters they can draw.

DejaVu Sans Mono draws the text, Noto Emoji (monochrome) what it lacks. Both are shipped because a machine without fonts
draws no text at all, and because a box can only be made to fit its text when the advance of a character is known.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import starmap

MONO = "DejaVuSansMono.ttf"
EMOJI = "NotoEmoji-Regular.ttf"

#: Advance of every glyph of DejaVu Sans Mono, in em (1233 of 2048 units). No other common monospaced font is wider.
ADVANCE = 1233 / 2048
MONO_FAMILY = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
#: Characters that the monospaced font lacks are drawn in a run of their own, which never mixes two fonts.
OTHER_FAMILY = "'Noto Emoji', 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif"


@lru_cache(maxsize=1)
def font_files() -> list[str]:
    """Paths of the bundled fonts, as a rasteriser wants them."""
    paths = []
    for name in (MONO, EMOJI):
        with as_file(files("visual_debug.render") / "fonts" / name) as path:
            paths.append(str(path))
    return paths


@lru_cache(maxsize=2)
def covered(name: str) -> frozenset[int]:
    """Code points that the bundled font `name` has a glyph for.

    >>> ord("x") in covered(MONO), ord("👽") in covered(MONO), ord("👽") in covered(EMOJI)
    (True, False, True)
    """
    data = (files("visual_debug.render") / "fonts" / name).read_bytes()
    start = _table(data, b"cmap")
    records = struct.iter_unpack(">HHI", data[start + 4 : start + 4 + 8 * _u16(data, start + 2)])
    points: set[int] = set()
    for _platform, _encoding, offset in records:
        points |= _subtable(data, start + offset)
    return frozenset(points)


def _u16(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


def _table(data: bytes, tag: bytes) -> int:
    """Offset of a table in an sfnt file."""
    for i in range(_u16(data, 4)):
        name, _sum, offset, _length = struct.unpack_from(">4sIII", data, 12 + 16 * i)
        if name == tag:
            return int(offset)
    raise ValueError(f"the font has no {tag!r} table")


def _subtable(data: bytes, at: int) -> set[int]:
    """Code points of a cmap subtable in format 4 (16 bit) or 12 (32 bit); other formats add nothing to those."""
    kind = _u16(data, at)
    if kind == 4:
        count = _u16(data, at + 6) // 2
        ends = struct.unpack_from(f">{count}H", data, at + 14)
        starts = struct.unpack_from(f">{count}H", data, at + 16 + 2 * count)
        spans = zip(starts, (end + 1 for end in ends), strict=True)
        return set().union(*starmap(range, spans)) - {0xFFFF}
    if kind == 12:
        groups = struct.iter_unpack(">III", data[at + 16 : at + 16 + 12 * struct.unpack_from(">I", data, at + 12)[0]])
        return set().union(*(range(first, last + 1) for first, last, _glyph in groups))
    return set()
