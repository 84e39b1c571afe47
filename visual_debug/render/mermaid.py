"""Diagram -> Mermaid flowchart text, which code hosts and wikis draw by themselves."""

from __future__ import annotations

from visual_debug.errors import RenderError
from visual_debug.render import compose, measure, palette
from visual_debug.render.diagram import Box, Diagram, Frame

#: Mermaid itself refuses more edges than this unless it is told otherwise (`maxEdges`).
MOST_ARROWS = 500
_ENTITIES = {ord(char): f"#{ord(char)};" for char in '"#;<>&\\`*_~[]{}()|'}


def mermaid(diagram: Diagram, frame: Frame) -> str:
    """Mermaid text of one frame."""
    if len(diagram.arrows) > MOST_ARROWS:
        raise RenderError(
            f"{len(diagram.arrows):,} arrows are more than the {MOST_ARROWS} that Mermaid draws: choose "
            "view='summary', export to .svg, or draw less with t.slice(node)"
        )
    lines = ["---", f"title: {quoted(frame.title)}", "---", "flowchart BT"]
    for box in diagram.boxes:
        lines.append(f"  {box.id}[{quoted(_label(box, frame))}]:::{box.kind}")
    for arrow in diagram.arrows:
        label = f"|{arrow.position + 1}|" if arrow.arity > 1 else ""
        lines.append(f"  {arrow.tail} -->{label} {arrow.head}")
    for kind, fill in palette.FILL.items():
        lines.append(f"  classDef {kind} fill:{fill},stroke:{palette.BORDER},color:{palette.INK['label']}")
    return "\n".join(lines) + "\n"


def _label(box: Box, frame: Frame) -> str:
    forward, reverse, total = compose.texts(frame, box.id)
    below = f"{compose.MARK}{reverse}{' = ' + total if total else ''}" if reverse else ""
    return "\n".join(text for text in (f"{box.words}  {forward}".rstrip(), below) if text)


def quoted(text: str) -> str:
    r"""Any text as a quoted string of Mermaid, in which nothing is markup.

    >>> print(quoted('a<b> "x"\ny'))
    "a#60;b#62; #34;x#34;<br/>y"
    """
    lines = measure.shown(text).split("\n")
    return '"' + "<br/>".join(line.translate(_ENTITIES) for line in lines) + '"'
