"""Text as it is shown, and the room it takes."""

from __future__ import annotations

import pytest

from tests.render.samples import NASTY
from visual_debug.render import measure


@pytest.mark.parametrize("text", NASTY)
def test_what_is_shown_can_stand_in_xml_and_utf8(text: str) -> None:
    shown = measure.shown(text)
    shown.encode()
    assert all(char == "\n" or char.isprintable() or measure.invisible(char) or char.isspace() for char in shown)
    assert measure.shown(shown) == shown


@pytest.mark.parametrize(
    "text", ["x", "<b>", r"\N \n", "👽", "e\u0301", "中文", "two\nlines", "", "   ", "Δ -> (Δ*y, -Δ)"]
)
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert measure.shown(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\0", r"\x00"),
        ("\t", r"\t"),
        ("\x1b", r"\x1b"),
        ("\u202e", r"\u202e"),
        ("\ud800", r"\ud800"),
        ("\uffff", r"\uffff"),
    ],
)
def test_what_has_no_picture_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert measure.shown(text) == shown


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("cells", [1, 7, 48])
def test_wrapped_lines_fit_and_joined_are_the_text(text: str, cells: int) -> None:
    shown = measure.shown(text)
    lines = measure.wrap(shown, cells)
    assert "".join(lines) == shown.replace("\n", "")
    assert all(measure.width(line) <= cells or len(list(measure.clusters(line))) == 1 for line in lines)


def test_an_emoji_sequence_is_never_cut() -> None:
    family = "👨‍👩‍👧"
    assert [text for text, _foreign, _cells in measure.clusters(f"a{family}b")] == ["a", family, "b"]


def test_a_very_long_text_is_measured_in_linear_time() -> None:
    assert len(measure.wrap("x" * 200_000, 48)) == -(-200_000 // 48)
