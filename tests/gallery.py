"""The gallery in docs/gallery.md: `python -m tests.gallery` draws it anew, and a test holds it to what is drawn now."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import visual_debug as vd
from visual_debug.traces import Trace

DOCS = Path(__file__).parents[1] / "docs"


def expression(x, y):
    return 2 * x * y + (x - 1) ** 2


def gaussian(x, y):
    return x * math.exp(-0.5 * (x**2 + y**2))


def slope(x):
    return 3 * x**2 - 2


def newton(x):
    value = x**3 - 2 * x - 5
    return x - value / slope(x)


def logistic(x):
    for _ in range(1000):
        x = 3.5 * x * (1 - x)
    return x


def network(W, V, x):
    hidden = np.tanh(W @ x)
    return np.sum((V @ hidden) ** 2)


def root(a, b, c):
    return (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a)


class Picture(NamedTuple):
    """One picture of the gallery."""

    name: str
    trace: Callable[[], Trace]
    call: str  #: what a user writes
    said: str
    draw: Callable[[Trace, Path], object]


def _weights(*shape: int) -> np.ndarray:
    return np.sin(np.arange(1.0, 1 + math.prod(shape)) ** 2).reshape(shape)


PICTURES = [
    Picture(
        "graph",
        lambda: vd.trace(gaussian, 0.5, 1.0),
        'export("graph.svg")',
        "A graph: values in red, adjoints in green.",
        lambda trace, path: trace.export(path),
    ),
    Picture(
        "step",
        lambda: vd.trace(gaussian, 0.5, 1.0),
        'export("step.svg", step=12)',
        "A step of the reverse pass: the product sends its adjoint down the green arrows.",
        lambda trace, path: trace.export(path, step=12),
    ),
    Picture(
        "tree",
        lambda: vd.trace(expression, 3.0, 5.0),
        'export("tree.svg", view="tree", theme="dark")',
        "An expression tree, on dark paper.",
        lambda trace, path: trace.export(path, view="tree", theme="dark"),
    ),
    Picture(
        "code",
        lambda: vd.trace(newton, 2.0),
        'export("code.svg", view="code", opened=True)',
        "The source with values in place, adjoints under them, and the called function opened below the call.",
        lambda trace, path: trace.export(path, view="code", opened=True),
    ),
    Picture(
        "steps",
        lambda: vd.trace(expression, 3.0, 5.0),
        'export_steps("steps.svg", view="code")',
        "All steps as one picture that plays.",
        lambda trace, path: trace.export_steps(path, view="code"),
    ),
    Picture(
        "summary",
        lambda: vd.trace(logistic, 0.3),
        'export("summary.svg", view="summary")',
        "A loop of 1,000 turns: a box for each expression of the source.",
        lambda trace, path: trace.export(path, view="summary"),
    ),
    Picture(
        "network",
        lambda: vd.trace(network, _weights(8, 4), _weights(3, 8), _weights(4)),
        'export("network.svg", theme="dark")',
        "A network in NumPy: a box for each operation on arrays.",
        lambda trace, path: trace.export(path, theme="dark"),
    ),
    Picture(
        "cancellation",
        lambda: vd.trace(root, 1.0, 1e8, 1.0),
        'export("cancellation.svg", colour="cancellations")',
        "Where digits cancel is marked in violet.",
        lambda trace, path: trace.export(path, colour="cancellations"),
    ),
]


def page() -> str:
    """The Markdown of the gallery."""
    lines = ["# Gallery", "", "Drawn by `python -m tests.gallery` of the functions in that file."]
    for picture in PICTURES:
        lines += ["", picture.said, "", f"`trace.{picture.call}`", "", f"![{picture.said}](gallery/{picture.name}.svg)"]
    return "\n".join(lines) + "\n"


def main(docs: Path = DOCS) -> None:
    """Write the page and its pictures."""
    (docs / "gallery").mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        path = docs / "gallery" / f"{picture.name}.svg"
        picture.draw(picture.trace(), path)
        # Tooltips name the file as it lies here.
        told = path.read_text(encoding="utf-8").replace(expression.__code__.co_filename, "gallery.py")
        path.write_text(told, encoding="utf-8")
    (docs / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
