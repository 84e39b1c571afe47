"""Where boxes and arrows go: one run of a layout engine per diagram, whichever engine the machine has.

The order is: the one asked for (argument, or `VISUAL_DEBUG_LAYOUT`), `dot` on PATH, the embedded graphviz-pure, and
our own plain layers, which cannot fail. An engine that fails or takes too long is given up with a warning that says
why.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata
from xml.etree import ElementTree

from visual_debug.errors import RenderError
from visual_debug.render import dot, layered
from visual_debug.render.compose import Slot
from visual_debug.render.diagram import Diagram
from visual_debug.render.layout import Edge, Layout, Point, straight

ENV = "VISUAL_DEBUG_LAYOUT"
TIMEOUT = 20.0  #: seconds for one run of an engine
TUNED_FROM = 400  #: boxes from which on `dot` gets the options for large graphs
TUNED_BENDS = 2000  #: layers passed by long arrows, likewise: a loop of 100 steps took 9.9 s without, 0.1 s with
MOST_BENDS = 15_000  #: beyond which it takes too long: 20,000 took 2 to 7 s, 45,000 more than 20 s
DPI = 72.0  #: at which one point of DOT, one px of our SVG, is one pixel of a PNG
FAILURES = (OSError, subprocess.SubprocessError, ElementTree.ParseError, LookupError, ValueError)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


class RenderWarning(UserWarning):
    """The picture is made, but not in the way asked for; the message says what is different and why."""


class Unfit(ValueError):
    """An engine is not even tried; the message says why."""


class Missing(Unfit):
    """An engine whose program is not on this machine."""


def dot_program() -> str | None:
    """The `dot` on PATH."""
    return shutil.which("dot")


@lru_cache(maxsize=1)
def pure_program() -> str | None:
    """The program that graphviz-pure installs; found through its file list, so no environment need be activated."""
    try:
        installed = metadata.files("graphviz-pure") or []
    except metadata.PackageNotFoundError:
        return None
    programs = (
        str(file.locate()) for file in installed if file.stem == "graphviz-pure" and file.suffix in ("", ".exe")
    )
    return next((path for path in programs if os.access(path, os.X_OK)), None)


#: Where each engine's program is; None where it has none to look for.
PROGRAMS: dict[str, Callable[[], str | None] | None] = {
    "dot": dot_program,
    "graphviz-pure": pure_program,
    "builtin": None,
}


def order(asked: str | None = None) -> list[str]:
    """Names of the engines, in the order in which they are tried.

    >>> order("graphviz-pure")
    ['graphviz-pure', 'dot', 'builtin']
    """
    asked = asked or os.environ.get(ENV) or None
    if asked and asked not in PROGRAMS:
        raise RenderError(f"unknown layout engine {asked!r}: choose one of {', '.join(PROGRAMS)} (argument or ${ENV})")
    first = [asked] if asked else []
    return first + [name for name in PROGRAMS if name != asked]


def lay_out(diagram: Diagram, room: Mapping[str, Slot], engine: str | None = None, timeout: float = TIMEOUT) -> Layout:
    """Places for all boxes and arrows, from the first engine that gives them."""
    names = order(engine)
    asked = engine or os.environ.get(ENV)
    bends = layered.bends(diagram)
    failed: list[str] = []
    for name in names:
        find = PROGRAMS[name]
        if find is None:
            break
        try:
            if bends > MOST_BENDS:
                raise Unfit(f"cannot route arrows through {bends:,} layers in time (up to {MOST_BENDS:,})")
            layout = _lay_out(name, diagram, room, bends, timeout)
        except FAILURES as error:
            if not (name == "dot" != asked and isinstance(error, Missing)):
                failed.append(f"{name} {reason(error)}")
            if isinstance(error, subprocess.TimeoutExpired) or bends > MOST_BENDS:
                break  # the other program works in the same way
            continue
        _tell(failed, name)
        return layout
    _tell(failed, "the built-in layout")
    return layered.lay_out(diagram, room)


def _lay_out(name: str, diagram: Diagram, room: Mapping[str, Slot], bends: int, timeout: float) -> Layout:
    tuned = len(diagram.boxes) > TUNED_FROM or bends > TUNED_BENDS
    return read(draw(name, dot.source(diagram, None, room, tuned=tuned), "svg", timeout), diagram, name)


def _tell(failed: list[str], name: str) -> None:
    if failed:
        warnings.warn(f"{'; '.join(failed)}: the picture is laid out by {name} instead", RenderWarning, stacklevel=4)


def reason(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, Unfit):
        return str(error)
    if isinstance(error, subprocess.TimeoutExpired):
        return f"took longer than {error.timeout:g} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"failed with exit status {error.returncode}" + (f" ({said[-1][:200]})" if said else "")
    return f"failed ({type(error).__name__}: {str(error)[:200]})"


def draw(name: str, text: str, format: str, timeout: float = TIMEOUT) -> bytes:
    """What the program of an engine makes of DOT text."""
    find = PROGRAMS[name]
    program = find() if find else None
    if program is None:
        raise Missing("is not installed")
    command = [program, f"-T{format}"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=timeout).stdout


def read(svg: bytes, diagram: Diagram, name: str) -> Layout:
    """The places in an engine's SVG, which keeps our ids; ValueError or LookupError if it lacks a box."""
    picture = ElementTree.fromstring(svg)
    graph = next((child for child in picture if child.get("class") == "graph"), picture)
    left, top = map(float, _NUMBER.findall(graph.get("transform", "").partition("translate")[2])[:2])
    groups = {group.get("id"): group for group in graph}
    width, height = map(float, _NUMBER.findall(picture.get("viewBox", ""))[2:4])
    centres = {box.id: _centre(_points(groups[box.id], left, top)) for box in diagram.boxes}
    edges = []
    for number, arrow in enumerate(diagram.arrows):
        group = groups.get(f"e{number}")
        points = [] if group is None else _shapes(group, left, top)
        whole = len(points) == 2 and len(points[0]) >= 4
        edges.append(Edge(*points) if whole else straight(centres[arrow.tail], centres[arrow.head]))
    return Layout(width, height, centres, edges, name)


def _shapes(group: ElementTree.Element, left: float, top: float) -> list[list[Point]]:
    """The line and the arrowhead of an edge."""
    return [_points([shape], left, top) for shape in group if shape.get("d") or shape.get("points")]


def _points(shapes: ElementTree.Element | list[ElementTree.Element], left: float, top: float) -> list[Point]:
    text = " ".join(shape.get("d") or shape.get("points") or "" for shape in shapes)
    numbers = list(map(float, _NUMBER.findall(text)))
    return [(x + left, y + top) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]


def _centre(points: list[Point]) -> Point:
    xs, ys = zip(*points, strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
