"""Light and dark pictures: a dark one is the light one with every colour's lightness turned round.

Hue and, as far as the screen can show it, chroma stay, in Oklab (B. Ottosson, 2020), so that values are red and adjoints
green on either paper, and shades between two colours need no table of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from visual_debug.errors import RenderError

THEMES = ("light", "dark")
_PAPER, _INK = 0.23, 0.96  #: lightness that white and black become
_TAG = re.compile(r"<[^<>]*>")
_COLOUR = re.compile(r'(?:(?<=fill=")|(?<=stroke="))#[0-9a-f]{6}(?=")')


def tint(theme: str) -> Callable[[str], str]:
    """What makes SVG of the light theme one of this theme.

    Raises:
        RenderError: for a theme that there is not.
    """
    if theme not in THEMES:
        raise RenderError(f"unknown theme {theme!r}: choose one of {', '.join(map(repr, THEMES))}")
    return _dark_svg if theme == "dark" else str


def _dark_svg(svg: str) -> str:
    """Only attributes are looked at: a text may say `fill="#ffffff"`, too."""
    return _TAG.sub(lambda tag: _COLOUR.sub(lambda colour: dark(colour[0]), tag[0]), svg)


@lru_cache(maxsize=4096)
def dark(colour: str) -> str:
    """The colour on dark paper that a colour on white paper becomes.

    >>> dark("#ffffff"), dark("#000000")
    ('#1d1d1d', '#f2f2f2')
    """
    lightness, a, b = _oklab(*(_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5)))
    turned = _INK + (_PAPER - _INK) * lightness**2  # squared: ink of middling lightness comes out light enough to read
    for share in range(20, -1, -1):  # as much of the chroma as the screen has at this lightness
        parts = _rgb(turned, a * share / 20, b * share / 20)
        if all(-1e-4 <= part <= 1.0001 for part in parts):
            break
    return "#" + "".join(f"{round(255 * _curved(min(max(part, 0.0), 1.0))):02x}" for part in parts)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _curved(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _oklab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _rgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
