"""Diagrams that the render tests draw, and how they read a picture back."""

from __future__ import annotations

import random
import re
from unicodedata import combining
from xml.etree import ElementTree

from visual_debug.render import fonts
from visual_debug.render.compose import FONT_SIZE
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame

SVG = "{http://www.w3.org/2000/svg}"

NASTY = [
    "<",
    ">",
    "a:b",
    "\"double\" 'single'",
    r"back\slash \N \G \E \n \\ \l",
    "two\nlines",
    "tab\there",
    "nul\0 bell\a esc\x1b[31m del\x7f",
    "👽",
    "👨‍👩‍👧 🇫🇷 👍🏽",
    "e\u0301 x\u0302\u0305",
    "<b>bold</b>",
    "&amp; &lt; &#60; &",
    "1e-300",
    "nan",
    "",
    "   ",
    " a  b ",
    "node",
    "graph",
    "subgraph",
    "n0",
    "中文 名前",
    "مرحبا",
    "\u202eevil\u202c",
    "\ud800lone",
    "x" * 300,
    "a long name with words " * 20,
    "${%}|[]();#//",
    "]]> --> <!-- <?x?>",
    "\ufffe\uffff\U0010ffff",
    "\r\n",
    "\x85\u2028",
    "@@ {0} %s",
]


def expression() -> Diagram:
    """The tree of 2*x*y + (x - 1)**2 at x=3, y=5, with its 16 frames."""
    labels = {
        "n0": "+",
        "n1": "*",
        "n2": "*",
        "n3": "2",
        "n4": "x",
        "n5": "y",
        "n6": "^2",
        "n7": "-",
        "n8": "x",
        "n9": "1",
    }
    kinds = {"n3": "const", "n9": "const", "n4": "input", "n8": "input", "n5": "input"}
    boxes = [
        Box(id, number, label, kinds.get(id, "op"), f"tip of {label}")
        for number, (id, label) in enumerate(labels.items())
    ]
    children = {"n0": ["n1", "n6"], "n1": ["n2", "n5"], "n2": ["n3", "n4"], "n6": ["n7"], "n7": ["n8", "n9"]}
    arrows = [Arrow(tail, head, i, len(tails)) for head, tails in children.items() for i, tail in enumerate(tails)]
    forward = {"n3": "2", "n4": "3", "n5": "5", "n8": "3", "n9": "1"}
    frames = [Frame("leaves", dict(forward), lit=frozenset(forward))]
    for id, value in [("n2", "6"), ("n1", "30"), ("n7", "2"), ("n6", "4"), ("n0", "34")]:
        forward[id] = value
        frames.append(Frame(f"forward: {id}", dict(forward), lit=frozenset([id])))
    reverse = {"n0": "1"}
    frames.append(Frame("seed", dict(forward), dict(reverse), lit=frozenset(["n0"])))
    total: dict[str, str] = {}
    sent = "n0 n1 1/n0 n6 1/n1 n2 5/n1 n5 6/n2 n3 15/n2 n4,n8 10/n6 n7 4/n7 n4,n8 4/n7 n9 -4"
    for head, tails, text in map(str.split, sent.split("/")):
        for tail in tails.split(","):
            if tail in reverse:
                total[tail] = "14"
                text = f"{reverse[tail]} + 4"
            reverse[tail] = text
            text = text.rpartition(" ")[2]
        lit = frozenset(tails.split(","))
        frames.append(Frame(f"reverse: {head}", dict(forward), dict(reverse), dict(total), lit, frozenset([head])))
    return Diagram(boxes, arrows, frames, "n0", "tree")


def square() -> Diagram:
    """x*x - y: two parallel arrows, a shared view of order, one frame."""
    boxes = [Box("n0", 0, "x", "input"), Box("n1", 1, "*", "op"), Box("n2", 2, "y", "input"), Box("n3", 3, "-", "op")]
    arrows = [Arrow("n0", "n1", 0, 2), Arrow("n0", "n1", 1, 2), Arrow("n1", "n3", 0, 2), Arrow("n2", "n3", 1, 2)]
    frame = Frame("done", {"n0": "3", "n1": "9", "n2": "5", "n3": "4"}, {"n0": "3 + 3", "n3": "1"}, {"n0": "6"})
    return Diagram(boxes, arrows, [frame], "n3")


def tree(seed: int) -> Diagram:
    """A random expression tree of 25 boxes, whose arrows come in any order."""
    source = random.Random(seed)
    heads = [0, *(source.randrange(max(0, i - 6), i) for i in range(1, 25))]
    boxes = [Box(f"n{i}", i, source.choice("+-*/") * source.randrange(1, 9), "op") for i in range(25)]
    arrows = []
    for head in range(25):
        tails = source.sample([i for i in range(1, 25) if heads[i] == head], heads[1:].count(head))
        arrows += [Arrow(f"n{tail}", f"n{head}", k, len(tails)) for k, tail in enumerate(tails)]
    return Diagram(boxes, arrows, [], "n0", "tree")


def nasty(labels: list[str] = NASTY) -> Diagram:
    """Every nasty text as label, value, adjoint, tooltip and title, in chains."""
    boxes = [Box(f"n{i}", i, text, ("op", "input", "const")[i % 3], text) for i, text in enumerate(labels)]
    arrows = [Arrow(f"n{i}", f"n{i - 1}", 0, 1) for i in range(1, len(labels)) if i % 6]
    texts = {box.id: box.label for box in boxes}
    frames = [Frame("nothing yet"), *(Frame(text, texts, texts, lit=frozenset(["n0"])) for text in labels)]
    return Diagram(boxes, arrows, frames)


def numbers(count: int, frames: int = 1, seed: int = 0) -> Diagram:
    """A random graph of operations on recent values, written one box per frame."""
    source = random.Random(seed)
    boxes, arrows = [], []
    for i in range(count):
        label = source.choice(["+", "-", "*", "/", "sin"]) if i > 3 else "x"
        arity = 0 if i <= 3 else 1 if label == "sin" else 2
        boxes.append(Box(f"n{i}", i, label, "op" if arity else "input"))
        arrows += [Arrow(f"n{source.randrange(max(0, i - 12), i)}", f"n{i}", k, arity) for k in range(arity)]
    values = {box.id: f"{source.gauss(0, 10):.6g}" for box in boxes}
    steps = []
    for step in range(1, frames + 1):
        done = 2 * count * step // frames
        forward = dict(list(values.items())[:done])
        reverse = dict(list(reversed(values.items()))[: max(done - count, 0)])
        lit, active = (
            frozenset([list(texts)[-1]]) if texts else frozenset() for texts in (reverse or forward, reverse)
        )
        steps.append(Frame(f"step {step}", forward, reverse, lit=lit, active=active))
    return Diagram(boxes, arrows, steps)


def loop(steps: int) -> Diagram:
    """x = x * r in a loop: an input that every step consumes, so arrows pass many layers."""
    boxes = [Box("r", 0, "r", "input"), *(Box(f"n{i}", i + 1, "*", "op") for i in range(steps))]
    arrows = [Arrow("r", f"n{i}", 1, 2) for i in range(steps)] + [
        Arrow(f"n{i}", f"n{i + 1}", 0, 2) for i in range(steps - 1)
    ]
    return Diagram(boxes, arrows, [Frame("loop", {box.id: "1.5" for box in boxes})])


def parse(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def groups(svg: bytes, name: str = "node") -> dict[str, ElementTree.Element]:
    """The groups of a class by id."""
    found = {
        group.get("id", ""): group for group in parse(svg).iter(f"{SVG}g") if name in group.get("class", "").split()
    }
    return found


def written(group: ElementTree.Element, style: str) -> str:
    """The text of one style in a box, its lines joined by newlines."""
    lines = []
    for text in group.iter(f"{SVG}text"):
        runs = ["".join(run.itertext()) for run in text.iter(f"{SVG}tspan") if run.get("class") == style]
        if runs:
            lines.append("".join(runs))
    return "\n".join(lines)


def place(group: ElementTree.Element) -> tuple[float, ...]:
    """Centre and size of a box."""
    rect = group.find(f"{SVG}rect")
    assert rect is not None
    x, y = map(float, re.findall(r"-?[\d.]+", group.get("transform", "")))
    return x, y, float(rect.get("width", "")), float(rect.get("height", ""))


def extents(group: ElementTree.Element) -> list[tuple[float, float, float]]:
    """Left, right and baseline of each stretch of text in a box, from its place and the font's advance."""
    found = []
    for text in group.iter(f"{SVG}text"):
        for run in text.iter(f"{SVG}tspan"):
            if run.get("x") is not None:
                left = float(run.get("x", ""))
                own = "".join(run.itertext())
                advance = (
                    sum(not combining(char) for char in own) * fonts.ADVANCE
                    if "font-family" not in run.attrib
                    else 1.275
                )
                found.append((left, left + advance * FONT_SIZE, float(text.get("y", ""))))
    return found
