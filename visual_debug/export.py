"""From a trace to files: chooses view and frames, and hands the diagram to the renderer that the suffix names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

from visual_debug import steps
from visual_debug.errors import RenderError

if TYPE_CHECKING:
    from visual_debug.render.diagram import Diagram
    from visual_debug.traces import Trace

VIEWS = ("graph", "tree")
STEP_FORMATS = ("svg", "png", "html")


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


def page(
    trace: Trace,
    path: Path,
    view: str,
    step: int | None,
    seeds: dict[int, Any] | None,
    nodes: Iterable[SupportsIndex] | None = None,
) -> Path:
    """An offline page with all steps; `step` is the one shown first. See `Trace.export`."""
    from visual_debug import page
    from visual_debug.render import html

    if view not in page.VIEWS:
        raise RenderError(f"unknown view {view!r}: choose one of {', '.join(map(repr, page.VIEWS))}")
    if len(trace) == 0:
        raise RenderError(f"{trace.function} computed no numbers: there is nothing to draw")
    shown = page.data(trace._columns, trace._shown_roots(), seeds, view=view, nodes=nodes, step=step)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html.document(shown), encoding="utf-8", newline="\n")
    return path


def picture(
    trace: Trace,
    path: Path,
    view: str,
    step: int | None,
    seeds: dict[int, Any] | None,
    nodes: Iterable[SupportsIndex] | None = None,
) -> Path:
    """One picture, of the state after a step (by default the last); see `Trace.export`."""
    from visual_debug import render

    if path.suffix.lower() == ".html":
        return page(trace, path, view, step, seeds, nodes)
    if nodes is not None:
        raise RenderError("nodes=… names what an .html page draws one by one: for other formats use t.slice(node)")
    if path.suffix.lower().lstrip(".") not in render.FORMATS:
        choices = ", ".join(f".{name}" for name in (*render.FORMATS, "html"))
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
    if format == "html":
        file = folder if folder.suffix.lower() == ".html" else folder / "steps.html"
        return [page(trace, file, view, 0, seeds)]
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
