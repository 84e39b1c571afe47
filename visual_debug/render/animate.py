"""A series of frames as one file that plays: animated SVG and animated GIF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO

from visual_debug.errors import RenderError

SECONDS = 0.8  #: that each frame is shown
LAST = 3.0  #: that the last one is shown
MOST_PIXELS = 2e6  #: of a GIF
COLOURS = 64  #: of a GIF: the pictures have a dozen, and their blends at the edges of letters


def scale(width: float, height: float) -> float:
    """Pixels of a GIF per px of the picture.

    >>> scale(600, 400), scale(4000, 2000)
    (1.0, 0.5)
    """
    return float(min(1.0, (MOST_PIXELS / (width * height)) ** 0.5))


def svg(opening: str, frames: Sequence[Sequence[tuple[str, str]]]) -> str:
    """One SVG of many frames, each given as its parts: (key, markup), back to front.

    What does not change is written once. Parts are switched by CSS; a viewer without it, and a reader who asks for
    reduced motion, sees the last frame.
    """
    if not frames:
        raise RenderError("there are no frames to animate")
    total = SECONDS * (len(frames) - 1) + LAST
    starts = [SECONDS * i for i in range(len(frames))] + [total]
    spells: dict[str, list[tuple[int, int, str]]] = {}
    order: dict[str, None] = {}
    for number, parts in enumerate(frames):
        for key, markup in parts:
            order.setdefault(key)
            known = spells.setdefault(key, [])
            if known and known[-1][1] == number and known[-1][2] == markup:
                known[-1] = (known[-1][0], number + 1, markup)
            else:
                known.append((number, number + 1, markup))
    rules: dict[tuple[int, int], str] = {}
    body: list[str] = []
    for key in order:
        for first, end, markup in spells[key]:
            if (first, end) == (0, len(frames)):
                body.append(markup)
                continue
            name = rules.setdefault((first, end), f"s{first}-{end}")
            hidden = "" if end == len(frames) else ' visibility="hidden"'
            body.append(f'<g class="{name}"{hidden}>{markup}</g>\n')
    style = [
        "@media (prefers-reduced-motion: no-preference) {",
        *(
            f".{name} {{ animation: {name} {total:g}s step-end infinite }}\n"
            f"@keyframes {name} {{ {_keyframes(starts[first] / total, starts[end] / total)} }}"
            for (first, end), name in rules.items()
        ),
        "}",
    ]
    return "".join([opening, "<style>\n", "\n".join(style), "\n</style>\n", *body, "</svg>\n"])


def _keyframes(start: float, end: float) -> str:
    shown, gone = "{ visibility: visible }", "{ visibility: hidden }"
    stops = [(0.0, shown if start == 0 else gone)]
    if start > 0:
        stops.append((start, shown))
    stops.append((end, gone if end < 1 else shown))
    if end < 1:
        stops.append((1.0, gone))
    return " ".join(f"{100 * at:.4f}% {state}" for at, state in stops)


def gif(pictures: Iterable[bytes]) -> bytes:
    """One GIF of PNG pictures of equal size."""
    try:
        from PIL import Image
    except ImportError:
        raise RenderError(
            "an animated GIF needs Pillow: pip install 'visual-debug[images]', or choose an animated .svg"
        ) from None
    frames = []
    for data in pictures:
        with Image.open(BytesIO(data)) as image:
            frames.append(image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE))
    if not frames:
        raise RenderError("there are no frames to animate")
    durations = [int(1000 * SECONDS)] * (len(frames) - 1) + [int(1000 * LAST)]
    file = BytesIO()
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return file.getvalue()
