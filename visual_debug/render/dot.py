"""Diagram -> DOT text, through pydot: the only module that knows it.

Every name and text is quoted here, by `quote` or `rich`, before pydot sees it: on its own pydot takes a colon for a
port, `<b>` for HTML and an empty label for nothing. Boxes carry a fixed size, so the text of a frame never moves the
layout.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from visual_debug.render import measure, palette
from visual_debug.render.compose import Run, Slot, slots, texts
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame

POINTS = 72.0  #: per inch; one point is drawn as one px
#: Options that keep `dot` quick on large graphs (from `engines.TUNED_FROM` boxes on): fewer tries for a better order.
TUNED = {"nslimit": "1", "nslimit1": "1", "mclimit": "0.1", "splines": "line"}
COMMUTATIVE = frozenset({"+", "*", "add", "mul"})


def quote(text: str) -> str:
    r"""Any text as a DOT string that stands for exactly this text, in a name or a plain label.

    >>> print(quote('say "x"'))
    "say \"x\""
    >>> print(quote("\\N is no node name"))
    "\\N is no node name"
    >>> print(quote("two\nlines"))
    "two\nlines"
    >>> print(quote("a < b & c: <b>"))
    "a < b &amp; c: <b>"
    >>> print(quote(""), quote("node"), quote("\0"))
    "" "node" "\\x00"
    """
    text = measure.shown(text).replace("\\", r"\\").replace('"', r"\"").replace("&", "&amp;").replace("\n", r"\n")
    return f'"{text}"'


def rich(lines: Iterable[Iterable[Run]]) -> str:
    r"""Lines of text in the colours of their styles, as an HTML-like label.

    >>> print(rich([[("label", "a<b"), ("gap", " "), ("forward", r"\N")]]))
    <a&lt;b <FONT COLOR="#c62828">\\N</FONT>>
    """
    text = "<BR/>".join("".join(_font(style, text) for style, text in runs) for runs in lines)
    return f"<{text}>" if text else quote("")


def _font(style: str, text: str) -> str:
    escaped = html.escape(measure.shown(text)).replace("\\", r"\\").replace("  ", "&#160; ").replace("\n", "<BR/>")
    if not escaped:
        return ""
    colour = palette.INK.get(style)
    return f'<FONT COLOR="{colour}">{escaped}</FONT>' if colour and style != "label" else escaped


def source(
    diagram: Diagram, frame: Frame | None, room: Mapping[str, Slot], *, tuned: bool = False, dpi: float = 0
) -> str:
    """DOT text of one frame, or of the bare boxes and arrows that a layout engine needs (`frame` is None)."""
    import pydot

    graph = pydot.Dot("trace", graph_type="digraph", **_graph(diagram, frame, tuned, dpi))
    graph.set_node_defaults(shape="box", style=quote("rounded,filled"), fixedsize="true", fontname="Courier")
    graph.set_edge_defaults(arrowsize="0.7", color=quote(palette.EDGE))
    for box in diagram.boxes:
        graph.add_node(pydot.Node(quote(box.id), **_node(box, frame, room[box.id])))
    labels = {box.id: box.label for box in diagram.boxes}
    for number, arrow in enumerate(diagram.arrows):
        attributes: dict[str, Any] = {"id": quote(f"e{number}")}
        if frame and numbered(diagram, arrow, labels):
            attributes["headlabel"] = quote(str(arrow.position + 1))
        graph.add_edge(pydot.Edge(quote(arrow.tail), quote(arrow.head), **attributes))
    return str(graph.to_string())


def dot_text(diagram: Diagram, frame: Frame) -> str:
    """DOT text of one frame, in the colours of the picture; every frame of a diagram gives the same layout."""
    return source(diagram, frame, slots(diagram, [*diagram.frames, frame]))


def numbered(diagram: Diagram, arrow: Arrow, labels: Mapping[str, str]) -> bool:
    """Whether the picture must say which operand it is: a tree says it by the order from left to right."""
    return diagram.view != "tree" and arrow.arity > 1 and labels[arrow.head] not in COMMUTATIVE


def _graph(diagram: Diagram, frame: Frame | None, tuned: bool, dpi: float) -> dict[str, str]:
    attributes = {"rankdir": "BT", "nodesep": "0.3", "ranksep": "0.45"}
    if diagram.view == "tree":
        attributes["ordering"] = "in"
    if frame and frame.title:
        attributes |= {"label": quote(frame.title), "labelloc": "t", "fontname": "Courier"}
    if dpi:
        attributes["dpi"] = f"{dpi:g}"
    return attributes | (TUNED if tuned else {})


def _node(box: Box, frame: Frame | None, slot: Slot) -> dict[str, Any]:
    size = {"width": f"{slot.width / POINTS:.4f}", "height": f"{slot.height / POINTS:.4f}", "id": quote(box.id)}
    if frame is None:
        return {**size, "label": quote("")}
    look = palette.box(box.kind, box.id in frame.lit, box.id in frame.active, box.weight)
    return {
        **size,
        "label": rich(line.runs for line in slot.lines(texts(frame, box.id))),
        "tooltip": quote(box.tip or box.label).replace("\\\\", "\\\\\\\\"),  # engines expand a tooltip twice
        "fillcolor": quote(look.fill),
        "color": quote(look.border),
        "penwidth": f"{look.pen:g}",
    }
