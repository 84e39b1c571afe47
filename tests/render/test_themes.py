"""Dark pictures: readable, the same hues, the same drawing, and user text left alone."""

from __future__ import annotations

import colorsys
import re
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest

import visual_debug as vd
from visual_debug.errors import RenderError
from visual_debug.render import palette, themes


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def hue(colour: str) -> float:
    return colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))[0]


@pytest.mark.parametrize("fill", [*palette.FILL.values(), palette.LIT, palette.VALUE, palette.PAPER, palette.MARKED])
@pytest.mark.parametrize("ink", sorted(set(palette.INK.values())))
def test_every_ink_can_be_read_on_every_fill(ink: str, fill: str) -> None:
    assert contrast(themes.dark(ink), themes.dark(fill)) >= 4.5
    assert luminance(themes.dark(fill)) < 0.06


@pytest.mark.parametrize("style", ["forward", "reverse", "note"])
def test_hues_stay(style: str) -> None:
    turn = abs(hue(palette.INK[style]) - hue(themes.dark(palette.INK[style])))
    assert min(turn, 1 - turn) < 0.05


def f(x, y):
    text = 'fill="#ffffff"'
    return x * y + len(text)


@pytest.mark.parametrize("view", ["graph", "tree", "code", "summary"])
def test_a_dark_picture_differs_in_colours_only(view: str, tmp_path: Path) -> None:
    trace = vd.trace(f, 2.0, 3.0)
    light, dark = (
        trace.export(tmp_path / f"{theme}.svg", view=view, theme=theme).read_text() for theme in ("light", "dark")
    )
    colour = re.compile(r'(fill|stroke)="#[0-9a-f]{6}"')
    assert light != dark and colour.sub("", light) == colour.sub("", dark)
    ElementTree.fromstring(dark)
    if view == "code":
        assert 'fill="#ffffff"' in dark  # the user's own text
        dark = dark.replace("""'fill="#ffffff"'""", "")
    assert palette.PAPER not in dark and themes.dark(palette.PAPER) in dark


@pytest.mark.parametrize("view", ["graph", "code"])
def test_pixels_are_dark_too(view: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    trace = vd.trace(f, 2.0, 3.0)
    pictures = [trace.export(tmp_path / "a.png", view=view, theme="dark")]
    pictures += trace.export_steps(tmp_path / "steps", view=view, format="png", theme="dark")
    pictures += trace.export_steps(tmp_path / "a.gif", view=view, theme="dark")
    for path in pictures:
        with image.open(BytesIO(path.read_bytes())) as picture:
            red, green, blue = picture.convert("RGB").getpixel((1, 1))
        assert max(red, green, blue) < 50
    (film,) = trace.export_steps(tmp_path / "a.svg", view=view, theme="dark")
    assert themes.dark(palette.PAPER) in film.read_text()


def test_what_has_no_theme_says_so(tmp_path: Path) -> None:
    trace = vd.trace(f, 2.0, 3.0)
    with pytest.raises(RenderError, match="unknown theme 'blue': choose one of 'light', 'dark'"):
        trace.export(tmp_path / "a.svg", theme="blue")
    for name in ("a.dot", "a.html", "a.json", "a.txt"):
        with pytest.raises(RenderError, match=r"theme='dark' is of \.svg, \.png, \.pdf and \.gif"):
            trace.export(tmp_path / name, theme="dark")
