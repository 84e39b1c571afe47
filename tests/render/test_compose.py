"""What is written into boxes, and that it fits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.render.samples import NASTY
from visual_debug.render import measure
from visual_debug.render.compose import CELL, FONT_SIZE, LINE, MOST_LINES, PAD_Y, WRAP, Slot, cut, elided, slots
from visual_debug.render.diagram import Box, Diagram, Frame


def slot(label: str, *texts: tuple[str, str, str]) -> Slot:
    frames = [Frame("", {"n": forward}, {"n": reverse}, {"n": total}) for forward, reverse, total in texts]
    return slots(Diagram([Box("n", 0, label, "op")], [], frames), frames)["n"]


def inside(room: Slot, texts: tuple[str, str, str]) -> None:
    baselines = []
    for line in room.lines(texts):
        right = line.x + CELL * sum(measure.width(text) for _style, text in line.runs)
        assert -room.width / 2 < line.x and right < room.width / 2
        assert -room.height / 2 + PAD_Y <= line.baseline - 0.76 * FONT_SIZE, "capitals and brackets below the border"
        assert line.baseline + 0.24 * FONT_SIZE <= room.height / 2 - PAD_Y, "descenders above the border"
        baselines.append(line.baseline)
    assert all(after - before >= LINE - 1e-9 for before, after in pairwise(baselines))


@pytest.mark.parametrize("label", NASTY)
def test_every_text_of_every_frame_fits_its_box(label: str) -> None:
    texts = [
        ("", "", ""),
        ("3", "", ""),
        (label, "10 + 4", "14"),
        ("1e-300", label, label),
        ("-0.30000000000000004", "nan", ""),
    ]
    room = slot(label, *texts)
    for written in texts:
        inside(room, written)


def test_short_texts_share_a_line_and_long_ones_do_not() -> None:
    assert len(list(slot("x", ("3", "10 + 4", "14")).lines(("3", "10 + 4", "14")))) == 1
    long = ("3", " + ".join(["0.123456789"] * 9), "1.111111101")
    assert len(list(slot("x", long).lines(long))) == 6


def test_the_room_does_not_depend_on_the_frame_that_is_drawn() -> None:
    room = slot("x", ("3", "", ""), ("3", "1 + 2 + 3", "6"))
    first, last = (list(room.lines(texts)) for texts in (("3", "", ""), ("3", "1 + 2 + 3", "6")))
    assert len(first) == len(last) == 1
    assert "".join(text for _style, text in last[0].runs) == "x 3 ∂ 1 + 2 + 3 = 6"


def test_a_sum_is_shown_only_with_its_terms() -> None:
    runs = next(iter(slot("x", ("3", "", "9")).lines(("3", "", "9")))).runs
    assert runs == (("label", "x"), ("gap", " "), ("forward", "3"))


def test_the_columns_of_an_array_stay_below_one_another() -> None:
    texts = ("", "[[1, 2],\n [3, 4]]", "")
    first, second = list(slot("W", texts).lines(texts))[1:]
    assert second.x == pytest.approx(first.x + 2 * CELL)
    assert first.runs[0][0] == "mark"


def test_a_text_without_end_is_cut_and_says_so() -> None:
    lines = cut([("forward", "x" * 100_000)])
    assert len(lines) == MOST_LINES
    shown = WRAP * (MOST_LINES - 1)
    assert lines[-1] == (("more", f"… {100_000 - shown:,} more characters"),)
    assert elided("x" * 100_000) and not elided("x" * WRAP * MOST_LINES)
