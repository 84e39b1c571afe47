"""How long the pictures of all steps take: seconds for 200 frames of a graph of about 100 nodes.

python tests/benchmarks/frames.py [--quick]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import visual_debug as vd
from visual_debug.render import image, raster
from visual_debug.traces import Trace
from visual_debug.views.export import Request

FRAMES = 200
QUICK = "--quick" in sys.argv  #: one program, a few frames


def logistic(x: float, r: float) -> float:
    for _ in range(33):
        x = r * x * (1 - x)
    return x


def horner(x: float, y: float) -> float:
    total = 0.0
    for i in range(32):
        total = total * x + y / (i + 1.5)
    return total


def squares(x: float, y: float) -> float:
    total = 0.0
    for i in range(1, 13):
        total = total + (x * y - i) * (x - y) ** 2 / i
    return total


PROGRAMS: dict[str, Callable[[float, float], float]] = {f.__name__: f for f in (logistic, horner, squares)}


def seconds(trace: Trace, format: str, folder: Path) -> float:
    """To draw and to write the first frames of a trace, layout included, scaled to `FRAMES` of them."""
    start = time.perf_counter()
    diagram = Request(trace, "graph", None, trace._reverse_seeds(None, None)).diagram(None)
    shown = diagram.frames[-4 if QUICK else -FRAMES :]  # of the reverse pass, which changes more
    for number, data in enumerate(image.render_frames(diagram, shown, format)):
        (folder / f"{number}.{format}").write_bytes(data)
    return (time.perf_counter() - start) * FRAMES / len(shown)


def main() -> None:
    """Print a table: seconds by program and format, and what PNGs without the film would take."""
    print(f"{'program':10} {'nodes':>6} {'pixels':>12} {'svg':>7} {'png':>7} {'png, each by itself':>20}")
    for name, function in list(PROGRAMS.items())[-1 if QUICK else 0 :]:
        trace = vd.trace(function, 0.4, 0.9)
        diagram = Request(trace, "graph", None, trace._reverse_seeds(None, None)).diagram(None)
        picture = image.Picture(diagram)
        start = time.perf_counter()
        for frame in diagram.frames[-3:]:
            picture.png(frame)
        alone = (time.perf_counter() - start) * FRAMES / 3
        scale = raster.series_scale(*picture.size)
        pixels = f"{picture.size[0] * scale:.0f} x {picture.size[1] * scale:.0f}"
        with TemporaryDirectory() as folder:
            svg, png = (seconds(trace, format, Path(folder)) for format in ("svg", "png"))
        print(f"{name:10} {len(trace):6} {pixels:>12} {svg:5.2f} s {png:5.2f} s {alone:18.1f} s")


if __name__ == "__main__":
    main()
