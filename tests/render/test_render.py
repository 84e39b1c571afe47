"""The door of the package: formats by suffix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.render.samples import expression
from visual_debug import render
from visual_debug.errors import RenderError
from visual_debug.render import Diagram

MAGIC = {"svg": b"<svg ", "png": b"\x89PNG", "dot": b"digraph ", "pdf": b"%PDF-", "mmd": b"---\ntitle: "}


@pytest.mark.filterwarnings("ignore:svg2pdf-py is not installed")
@pytest.mark.parametrize("format", render.FORMATS)
def test_every_format_is_written(tmp_path: Path, format: str) -> None:
    path = render.write(expression(), 3, tmp_path / f"picture.{format}")
    assert path.read_bytes().startswith(MAGIC[format])


def test_none_is_the_last_frame_and_negative_numbers_count_from_the_end(tmp_path: Path) -> None:
    drawn = [render.write(expression(), frame, tmp_path / "a.SVG").read_bytes() for frame in (None, 15, -1, 0)]
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


def test_a_diagram_without_frames_is_drawn_bare(tmp_path: Path) -> None:
    bare = Diagram(expression().boxes, expression().arrows, [])
    assert b"tip of" in render.write(bare, None, tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.", ".svg", "a.svg.gz"])
def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(RenderError, match=r"choose one of \.svg, \.png, \.dot"):
        render.write(expression(), None, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("frame", [16, -17])
def test_a_frame_that_is_not_there(tmp_path: Path, frame: int) -> None:
    with pytest.raises(RenderError, match="frames 0 to 15"):
        render.write(expression(), frame, tmp_path / "a.svg")


def test_heavy_libraries_are_imported_only_when_drawing() -> None:
    code = "import sys, visual_debug.render.image; print(*{'pydot', 'resvg_py', 'PIL', 'pyparsing'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
