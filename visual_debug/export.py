"""From a trace to files: chooses view and frames, and hands the diagram to the renderer that the suffix names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visual_debug import steps
from visual_debug.errors import RenderError

if TYPE_CHECKING:
    from visual_debug.render.diagram import Diagram
    from visual_debug.traces import Trace

VIEWS = ("graph", "tree")
STEP_FORMATS = ("svg", "png")


def _diagram(trace: Trace, view: str, seeds: dict[int, Any] | None, only: int | None) -> Diagram:
    if view not in VIEWS:
        raise RenderError(f"unknown view {view!r}: choose one of {', '.join(map(repr, VIEWS))}")
    if len(trace) == 0:
        raise RenderError(f"{trace.function} computed no numbers: there is nothing to draw")
    from visual_debug.render import image

    if view == "graph" and len(trace) > image.MOST_BOXES:
        raise RenderError(
            f"{trace.function} has {len(trace):,} nodes, more than the {image.MOST_BOXES:,} of one picture: {image.WAYS}"
        )
    drawn, _ = steps.diagram(trace._columns, view, trace._shown_roots(), seeds, only=only)
    if not drawn.boxes:
        raise RenderError(f"the result of {trace.function} is no number that was computed: draw view='graph'")
    return drawn


def picture(trace: Trace, path: Path, view: str, step: int | None, seeds: dict[int, Any] | None) -> Path:
    """One picture, of the state after a step (by default the last); see `Trace.export`."""
    from visual_debug import render

    if path.suffix.lower().lstrip(".") not in render.FORMATS:
        choices = ", ".join(f".{name}" for name in render.FORMATS)
        raise RenderError(f"unknown suffix {path.suffix!r} of {str(path)!r}: choose one of {choices}")
    drawn = _diagram(trace, view, seeds, -1 if step is None else step)
    path.parent.mkdir(parents=True, exist_ok=True)
    return render.write(drawn, 0, path)


def frames(
    trace: Trace,
    folder: Path,
    view: str,
    format: str,
    seeds: dict[int, Any] | None,
    progress: Callable[[int, int], None] | None,
) -> list[Path]:
    """Every step as a picture of its own; see `Trace.export_steps`."""
    from visual_debug.render import image

    if format not in STEP_FORMATS:
        raise RenderError(f"unknown format {format!r}: choose one of {', '.join(map(repr, STEP_FORMATS))}")
    drawn = _diagram(trace, view, seeds, None)
    folder.mkdir(parents=True, exist_ok=True)
    digits = max(2, len(str(len(drawn.frames) - 1)))
    paths = []
    for index, data in enumerate(image.render_frames(drawn, drawn.frames, format)):
        path = folder / f"step-{index:0{digits}d}.{format}"
        path.write_bytes(data)
        paths.append(path)
        if progress is not None:
            progress(index + 1, len(drawn.frames))
    return paths
