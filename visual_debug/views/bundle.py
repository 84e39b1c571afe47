"""How a trace displays itself in a notebook: the interactive page, or a picture where there is none, or text."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from visual_debug.errors import RenderError
from visual_debug.views import export

if TYPE_CHECKING:
    from visual_debug.traces import Trace

#: Boxes of a graph that is shown unasked; of longer traces it is the summary.
MOST_BOXES = 300
_PAGE_HEIGHT = 640  #: px


def mimebundle(trace: Trace, include: Collection[str] | None, exclude: Collection[str] | None) -> dict[str, str]:
    """A trace as what notebooks show: the page, or a picture where there is none, or text."""
    makers = {"text/plain": _plain, "image/svg+xml": _svg, "text/html": _html}
    bundle = {}
    for kind, make in makers.items():
        if (include and kind not in include) or (exclude and kind in exclude):
            continue
        shown = make(trace)
        if shown is not None:
            bundle[kind] = shown
    return bundle


def _plain(trace: Trace) -> str:
    return f"{trace!r}\n{trace}"


def _svg(trace: Trace) -> str | None:
    view = "graph" if len(trace) <= MOST_BOXES else "summary"
    return _exported(trace, "svg", view)


def _html(trace: Trace) -> str | None:
    if "html" not in export.FORMATS:
        return None
    page = _exported(trace, "html", "graph")
    if page is None:
        return None
    return (
        f'<iframe srcdoc="{html.escape(page)}" title="trace of {html.escape(trace.function)}" sandbox="allow-scripts" '
        f'style="width: 100%; height: {_PAGE_HEIGHT}px; box-sizing: border-box; border: 1px solid #8888"></iframe>'
    )


def _exported(trace: Trace, format: str, view: str) -> str | None:
    """A file as text; None where the trace cannot be shown so (it has no numbers, or too many)."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return trace.export(Path(folder) / f"trace.{format}", view=view).read_text(encoding="utf-8")
        except RenderError:
            return None
