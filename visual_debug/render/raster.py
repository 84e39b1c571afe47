"""SVG -> PNG: the door to resvg, with our own fonts, so that a machine without any draws the same picture."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from visual_debug.render import fonts, measure
from visual_debug.render.compose import FONT_SIZE
from visual_debug.render.scene import FOREIGN_FAMILY

SHARP = 2.0  #: px of a PNG per px of its SVG, where the picture is small enough
SHARP_PIXELS = 4e6  #: up to which a picture is drawn sharp
MOST_PIXELS = 20e6  #: beyond which it is scaled down
SERIES_PIXELS = 4e6  #: of one of many frames, unless they are too few to be legible
LEGIBLE = 0.5  #: scale below which its text cannot be read
_FAMILIES = ("font_family", "serif_family", "sans_serif_family", "cursive_family", "fantasy_family", "monospace_family")


def available() -> bool:
    """Whether resvg is installed; a free-threaded Python has no wheel of it."""
    try:
        import resvg_py  # noqa: F401
    except ImportError:
        return False
    return True


def scale(width: float, height: float) -> float:
    """Pixels per px of the picture.

    >>> scale(600, 400), round(scale(20_000, 4_000), 2)
    (2.0, 0.5)
    """
    area = width * height
    if area * SHARP**2 <= SHARP_PIXELS:
        return SHARP
    return float(min(1.0, (MOST_PIXELS / area) ** 0.5))


def series_scale(width: float, height: float) -> float:
    """Pixels per px of each of many frames, which nobody wants to wait for: as for one, but at most `SERIES_PIXELS`.

    >>> series_scale(600, 400), round(series_scale(4000, 2000) ** 2, 3), series_scale(8000, 5000)
    (2.0, 0.5, 0.5)
    """
    legible = max(LEGIBLE, (SERIES_PIXELS / (width * height)) ** 0.5)
    return float(min(scale(width, height), legible))


def too_small(width: float, height: float) -> str:
    """The warning for a picture that the cap on pixels makes too small to read."""
    return (
        f"the picture is {width:,.0f} x {height:,.0f} px and was scaled to {scale(width, height):.0%} to stay below "
        f"{MOST_PIXELS / 1e6:g} million pixels, too small to read: export to .svg, or draw less with t.slice(node)"
    )


def png(svg: str, zoom: float, *, system_fonts: bool = False) -> bytes:
    """A picture as PNG; RuntimeError when resvg gives up on it."""
    import resvg_py

    options: dict[str, Any] = dict.fromkeys(_FAMILIES, "DejaVu Sans Mono")
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg,
            font_files=fonts.font_files(),
            skip_system_fonts=not system_fonts,
            dpi=96.0,
            zoom=zoom,
            **options,
        )
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in resvg is no Exception
        raise RuntimeError(f"resvg failed ({type(error).__name__}: {str(error)[:200]})") from error
    return bytes(drawn)


def strangers(svg: str) -> frozenset[str]:
    """Characters in the picture that no bundled font can draw."""
    if svg.isascii():
        return frozenset()
    ours = fonts.covered(fonts.MONO) | fonts.covered(fonts.EMOJI)
    drawn = set(re.sub(r"<title>.*?</title>", "", svg, flags=re.DOTALL)) - {"\n"}
    return frozenset(char for char in drawn if ord(char) not in ours)


@lru_cache(maxsize=4096)
def drawable(char: str) -> bool:
    """Whether a font of this machine has the character: drawn, it differs from one that no font has."""
    return _probe(char) != _probe("\U0010fffd")


def _probe(char: str) -> bytes:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="9" y="30">{char}</text></svg>'
    return png(text, 1.0, system_fonts=True)


def undrawable(chars: frozenset[str]) -> list[str]:
    """Those of the characters that no font of this machine has."""
    return sorted(char for char in chars if not measure.invisible(char) and not drawable(char))


def spell_out(svg: str, missing: list[str]) -> str:
    """The picture with the code point in small digits where it has a character that no font can draw."""
    names = {char: f"{ord(char):04X}" for char in missing}

    def digits(found: re.Match[str]) -> str:
        lost = [names[char] for char in found[1] if char in names]
        if not lost:
            return found[0]
        size = measure.FOREIGN * FONT_SIZE / len(lost[0]) * 0.95
        return f' font-size="{size:.2f}">{lost[0]}</tspan>'

    return re.sub(re.escape(FOREIGN_FAMILY) + r">([^<]*)</tspan>", digits, svg)


def no_glyphs(chars: list[str]) -> str:
    """The warning for characters that come out as digits."""
    names = ", ".join(f"U+{ord(char):04X}" for char in chars[:8]) + (" …" if len(chars) > 8 else "")
    return f"no font on this machine has {names}: the PNG shows code points in their place; the SVG holds the text"
