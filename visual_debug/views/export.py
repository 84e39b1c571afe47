"""From a trace to files: what each format is written by, and what each view consists of.

A picture is of a view (`graph`, `tree`, `code`, `summary`) after a step. Data formats (`.json`, `.graphml`, `.tex`,
`.trace.json`) hold the whole trace, whatever the view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

from visual_debug.errors import RenderError
from visual_debug.views import listing, steps

if TYPE_CHECKING:
    from visual_debug.render.code import CodeFrame
    from visual_debug.render.diagram import Diagram
    from visual_debug.traces import Trace
    from visual_debug.views.marks import Marks

VIEWS = ("graph", "tree", "code", "summary")
STEP_FORMATS = ("svg", "png", "gif", "html")
Progress = Callable[[int, int], None]


@dataclass
class Request:
    """What is to be written: the trace, and what of it."""

    trace: Trace
    view: str
    step: int | None
    seeds: dict[int, Any] | None
    turn: str | int = "last"
    call: int = 0
    opened: bool | Collection[int] = False
    nodes: Iterable[SupportsIndex] | None = None
    colour: Any = None
    of: Any = None
    theme: str = "light"

    @cached_property
    def marks(self) -> Marks | None:
        """What the view is coloured by."""
        from visual_debug.views import marks

        return None if self.colour is None else marks.marks(self.trace, self.colour, self.of)

    @cached_property
    def adjoints(self) -> Mapping[int, Any] | None:
        """Adjoints of all nodes, where there is a reverse pass."""
        from visual_debug.views import data

        return data.adjoints_of(self.trace._columns, self.seeds)

    def diagram(self, only: int | None) -> Diagram:
        """Boxes, arrows and frames of a view that is a diagram; see `steps.diagram`."""
        drawn = self._diagram(only)
        if self.marks is None:
            return drawn
        from visual_debug.views import marks

        return marks.onto_diagram(drawn, self.marks, self.trace._columns)

    def _diagram(self, only: int | None) -> Diagram:
        trace, view = self.trace, self.view
        if view == "summary":
            if only not in (None, -1):
                raise RenderError("the summary has no steps: leave step out, or choose view='graph' or view='code'")
            from visual_debug.views import overview

            return overview.diagram(trace._columns, self.adjoints)
        from visual_debug.render import image

        if view == "graph" and len(trace) > image.MOST_BOXES:
            raise RenderError(
                f"{trace.function} has {len(trace):,} nodes, more than the {image.MOST_BOXES:,} of one picture: "
                f"choose view='summary', or {image.WAYS}"
            )
        drawn, _ = steps.diagram(trace._columns, view, trace._shown_roots(), self.seeds, only=only)
        if not drawn.boxes:
            raise RenderError(f"the result of {trace.function} is no number that was computed: draw view='graph'")
        return drawn

    def code(self, only: int | None) -> list[CodeFrame]:
        """Frames of the code view."""
        drawn = listing.frames(
            self.trace._columns,
            self.seeds,
            only=only,
            turn=self.turn,
            call=self.call,
            opened=self.opened,
            entry=self.trace._tape.plan.code,
        )
        if self.marks is None:
            return drawn
        from visual_debug.views import marks

        return marks.onto_code(drawn, self.marks, self.trace._columns, self.call)


# ---- one file


def _picture(format: str) -> Callable[[Request, Path], None]:
    def write(request: Request, path: Path) -> None:
        only = -1 if request.step is None else request.step
        if request.view == "code":
            from visual_debug.render import listings

            if format not in listings.PICTURES:
                raise RenderError(f"the code view cannot be drawn as .{format}: choose .svg, .png, .pdf or .txt")
            frame = request.code(only)[0]
            path.write_bytes(listings.PICTURES[format](listings.CodePicture([frame], request.theme), frame))
            return
        from visual_debug import render

        drawn = request.diagram(only)
        render.write(drawn, 0, path, request.theme)

    return write


def _text(request: Request, path: Path) -> None:
    if request.view == "code":
        from visual_debug.render import code

        text = code.text(request.code(-1 if request.step is None else request.step)[0])
    elif request.view == "summary":
        from visual_debug.views import overview

        text = overview.text(request.trace._columns, request.adjoints)
    else:
        text = request.trace.tree()
    path.write_text(f"{text}\n", encoding="utf-8")


def _json(request: Request, path: Path) -> None:
    from visual_debug.views import data

    data.write_json(path, data.document(request.trace._columns, request.trace._header(), request.adjoints))


def _graphml(request: Request, path: Path) -> None:
    from visual_debug.views import data

    data.write_graphml(path, request.trace.graph, request.adjoints)


def _latex(request: Request, path: Path) -> None:
    from visual_debug.views import latex

    path.write_text(latex.document(request.trace._columns, request.trace._shown_roots()), encoding="utf-8")


def _timeline(request: Request, path: Path) -> None:
    from visual_debug.views import data, timeline

    data.write_json(path, timeline.timeline(request.trace._columns))


def _html(request: Request, path: Path) -> None:
    from visual_debug.render import html
    from visual_debug.views import page

    trace = request.trace
    shown = page.data(
        trace._columns,
        trace._shown_roots(),
        request.seeds,
        view=request.view,
        nodes=request.nodes,
        step=request.step,
        marks=_diagnoses(request),
        coloured=request.marks is not None,
        ended=_end(trace),
    )
    path.write_text(html.document(shown), encoding="utf-8", newline="\n")


def _end(trace: Trace) -> str | None:
    """How a call ended that returned nothing, or what a recording has not of it."""
    error = trace.exception
    if error is not None:
        import traceback

        said = " ".join(str(traceback.TracebackException(type(error), error, None, compact=True)).split())
        said = said if len(said) <= MOST_SAID else said[: MOST_SAID - 1] + "…"
        return f"the call raised {type(error).__name__}{': ' if said else ''}{said}"
    if trace.truncated:
        return "recording stopped at its limit before the call ended"
    return None if trace._tape.beginning is None else "what came before these has been forgotten, as last=… says"


#: What every page is asked about, in this order.
PAGE_QUESTIONS = ("nonfinite", "gradient_health", "rounding", "cancellations", "condition")
#: Values from which on only those are asked that take no more than a second for a million of them.
MOST_ASKED = 20_000
QUICK_QUESTIONS = ("nonfinite", "rounding")
#: Characters of an exception's message that a page tells.
MOST_SAID = 200


def _diagnoses(request: Request) -> list[Marks]:
    """What the page can be coloured by: what was asked for, and the usual questions."""
    from visual_debug.views import marks

    found = [] if request.marks is None else [request.marks]
    questions = PAGE_QUESTIONS if len(request.trace) <= MOST_ASKED else QUICK_QUESTIONS
    names = [name for name in questions if all(name != known.name for known in found)]
    found.extend(marks.asked(request.trace, names, request.of))
    return found


#: How a file is written, by the end of its name; a longer end goes before a shorter one.
FORMATS: dict[str, Callable[[Request, Path], None]] = {
    "svg": _picture("svg"),
    "png": _picture("png"),
    "pdf": _picture("pdf"),
    "dot": _picture("dot"),
    "mmd": _picture("mmd"),
    "txt": _text,
    "trace.json": _timeline,
    "json": _json,
    "graphml": _graphml,
    "tex": _latex,
    "html": _html,
}


def _own_nodes(request: Request) -> list[int] | None:
    """The ids of the nodes that a page is to draw one by one: nodes of this very trace, or their numbers."""
    if request.nodes is None:
        return None
    if not isinstance(request.nodes, Iterable):
        raise RenderError(
            f"nodes={request.nodes!r}: give a list of nodes, as trace.find(name=…) does, or of their numbers"
        )
    named = list(request.nodes)
    for node in named:
        if not hasattr(node, "__index__"):
            raise RenderError(f"nodes=[…, {node!r}, …]: give nodes, as trace.find(name=…) does, or their numbers")
    return [node if type(node) is int else request.trace[node].id for node in named]


_THEMED = (".svg", ".png", ".pdf", ".gif")
_COLOURLESS = (_text, _timeline, _json, _graphml, _latex)


def format_of(path: Path) -> str:
    """The format that a file's name ends in."""
    name = path.name.lower()
    for format in FORMATS:
        if name.endswith(f".{format}") and len(name) > len(format) + 1:
            return format
    choices = ", ".join(f".{name}" for name in FORMATS)
    raise RenderError(f"unknown suffix {path.suffix!r} of {str(path)!r}: choose one of {choices}")


def picture(path: Path, request: Request) -> Path:
    """One picture or file; see `Trace.export`."""
    write = FORMATS[format_of(path)]
    request.step = None if request.step is None else steps.checked(request.step)
    request.nodes = _own_nodes(request)
    if request.nodes is not None and write is not _html:
        raise RenderError("nodes=… names what an .html page draws one by one: for other formats use t.slice(node)")
    if request.colour is not None and write in _COLOURLESS:
        raise RenderError("colour=… is of pictures and pages: choose .svg, .png, .pdf, .dot or .html")
    if request.theme != "light" and path.suffix.lower() not in _THEMED:
        raise RenderError(f"theme={request.theme!r} is of .svg, .png, .pdf and .gif; a page has a switch of its own")
    _check(request)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(request, path)
    return path


def _check(request: Request) -> None:
    from visual_debug.render import themes

    themes.tint(request.theme)
    if request.view not in VIEWS:
        raise RenderError(f"unknown view {request.view!r}: choose one of {', '.join(map(repr, VIEWS))}")
    if len(request.trace) == 0:
        raise RenderError(f"{request.trace.function} computed no numbers: there is nothing to draw")


# ---- every step


#: Suffixes of files that somebody may hope for.
_MEDIA = frozenset({"png", "pdf", "jpg", "jpeg", "webp", "apng", "mp4", "mov", "avi", "webm"})


def frames(path: Path, format: str | None, request: Request, progress: Progress | None) -> list[Path]:
    """Every step as a picture of its own, or all of them in one file that plays; see `Trace.export_steps`."""
    suffix = path.suffix.lower().lstrip(".")
    is_file = not path.is_dir() and suffix in ("gif", "svg", "html") and format in (None, suffix)
    if format is None:
        format = suffix if is_file else "svg"
    if format not in STEP_FORMATS:
        raise RenderError(f"unknown format {format!r}: choose one of {', '.join(map(repr, STEP_FORMATS))}")
    if suffix in _MEDIA and not is_file and not path.is_dir():
        raise RenderError(
            f"{path}: all steps in one file are a .gif, .svg or .html; any other name is that of a folder"
        )
    if format == "gif" and not is_file:
        raise RenderError(f"{path}: an animated GIF is one file, whose name ends in .gif")
    _check(request)
    if format == "html":
        return [picture(path if is_file else path / "steps.html", request)]
    if request.view == "summary":
        raise RenderError("the summary has no steps: export it as one picture, or choose view='graph' or view='code'")
    if is_file:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_animation(request, format, progress))
        return [path]
    count, pictures = _pictures(request, format)
    path.mkdir(parents=True, exist_ok=True)
    digits = max(2, len(str(count - 1)))
    paths = []
    for index, data in enumerate(pictures):
        file = path / f"step-{index:0{digits}d}.{format}"
        file.write_bytes(data)
        paths.append(file)
        if progress is not None:
            progress(index + 1, count)
    return paths


def _pictures(request: Request, format: str) -> tuple[int, Iterator[bytes]]:
    if request.view == "code":
        from visual_debug.render import listings

        shown = request.code(None)
        drawn = listings.CodePicture(shown, request.theme)
        return len(shown), (listings.PICTURES[format](drawn, frame) for frame in shown)
    from visual_debug.render import image

    diagram = request.diagram(None)
    return len(diagram.frames), image.render_frames(diagram, diagram.frames, format, theme=request.theme)


def _animation(request: Request, format: str, progress: Progress | None) -> bytes:
    from visual_debug.render import animate, image, listings

    shown: list[Any]
    drawn: Any
    if request.view == "code":
        shown = request.code(None)
        drawn = listings.CodePicture(shown, request.theme)
    else:
        diagram = request.diagram(None)
        shown = diagram.frames
        image.check_size(len(shown), len(diagram.boxes))
        drawn = image.Picture(diagram, shown, theme=request.theme)
    if format == "svg":
        animated: str = drawn.animated(shown)
        return animated.encode()
    return animate.gif(_told(drawn.small_pngs(shown), len(shown), progress))


def _told(pictures: Iterator[bytes], count: int, progress: Progress | None) -> Iterator[bytes]:
    for number, picture in enumerate(pictures, start=1):
        yield picture
        if progress is not None:
            progress(number, count)
