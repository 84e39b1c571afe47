"""The bundled fonts."""

from __future__ import annotations

from pathlib import Path

from visual_debug.render import fonts


def test_both_fonts_are_shipped_with_their_licences() -> None:
    paths = [Path(path) for path in fonts.font_files()]
    assert [path.name for path in paths] == [fonts.MONO, fonts.EMOJI]
    assert all(path.stat().st_size > 100_000 for path in paths)
    assert {path.name for path in paths[0].parent.glob("LICENSE*")} == {"LICENSE-DejaVu.txt", "LICENSE-NotoEmoji.txt"}


def test_coverage_is_that_of_the_fonts() -> None:
    mono, emoji = fonts.covered(fonts.MONO), fonts.covered(fonts.EMOJI)
    assert {*range(0x20, 0x7F), *map(ord, "∂Δ∇−·≤×éжα…→")} <= mono
    assert not {ord("👽"), ord("中"), 0xFFFF} & mono
    assert {*map(ord, "👽👍🎉"), 0x1F1EB, 0x200D} <= emoji
