"""Pictures of traces. Renderers see `diagram.Diagram` only, and are found by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path

from visual_debug.errors import RenderError
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame

__all__ = ["FORMATS", "Arrow", "Box", "Diagram", "Frame", "write"]


def _render(format: str, diagram: Diagram, frame: Frame, theme: str) -> bytes:
    from visual_debug.render import image

    return image.render_one(diagram, frame, format, theme=theme)


#: How one frame is rendered, by the suffix of the file that it goes to.
FORMATS: dict[str, Callable[[Diagram, Frame, str], bytes]] = {
    name: partial(_render, name) for name in ("svg", "png", "dot", "pdf", "mmd")
}


def write(diagram: Diagram, frame: int | None, path: str | PathLike[str], theme: str = "light") -> Path:
    """Write one frame of the diagram, the last one for None, in the format that the suffix of the path names."""
    path = Path(path)
    render = FORMATS.get(path.suffix.lower().lstrip("."))
    if render is None:
        choices = ", ".join(f".{name}" for name in FORMATS)
        raise RenderError(f"unknown suffix {path.suffix!r} of {str(path)!r}: choose one of {choices}")
    frames = diagram.frames or [Frame("")]
    try:
        chosen = frames[-1 if frame is None else frame]
    except IndexError:
        raise RenderError(f"there is no frame {frame}: the diagram has frames 0 to {len(frames) - 1}") from None
    path.write_bytes(render(diagram, chosen, theme))
    return path
