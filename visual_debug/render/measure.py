"""How text is shown and how much room it takes, in cells of the monospaced font.

A cell is `fonts.ADVANCE` em wide. Nothing here asks a font engine, so every machine measures alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from visual_debug.render import fonts

#: Cells reserved for a character from another font: emoji fonts advance up to 1.3 em (2.2 cells), Chinese ones 1 em.
FOREIGN = 2.25
#: Characters that draw nothing of their own but belong to an emoji sequence.
_JOINER = "\u200d"
_PLAIN = re.compile(r"[ -~]*\Z")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@lru_cache(maxsize=65536)
def shown(text: str) -> str:
    r"""Text as it is drawn: what has no picture of its own (control, bidi, unpaired surrogate) as its Python escape.

    Newlines stay and break the line. An escape is what Python itself would print, so nothing is silently lost.

    >>> shown("a\tb\x00\u202e")
    'a\\tb\\x00\\u202e'
    >>> shown("two\nlines")
    'two\nlines'
    """
    if _PLAIN.match(text):
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def _shown(char: str) -> str:
    if char in ("\n", _JOINER) or "\U000e0020" <= char <= "\U000e007f":
        return char
    if unicodedata.category(char) in _HIDDEN or ord(char) & 0xFFFE == 0xFFFE:
        return ascii(char)[1:-1]
    return char


@lru_cache(maxsize=65536)
def width(line: str) -> float:
    """Cells that one line of `shown` text takes.

    >>> width("x"), width("e\u0301"), width("👽")
    (1.0, 1.0, 2.25)
    """
    if _PLAIN.match(line):
        return float(len(line))
    return sum(cells for _text, _foreign, cells in clusters(line))


def clusters(line: str) -> Iterator[tuple[str, bool, float]]:
    """Cut a line where it may be broken: (characters that belong together, from another font?, cells)."""
    start = 0
    for end in range(1, len(line) + 1):
        if end < len(line) and _belongs(line[end - 1], line[end]):
            continue
        text = line[start:end]
        foreign = not all(ord(char) in fonts.covered(fonts.MONO) for char in text)
        bases = sum(1 for char in text if not _extends(char))
        yield text, foreign, (FOREIGN if foreign else 1.0) * max(bases, 1)
        start = end


def invisible(char: str) -> bool:
    """Whether the character only shapes its neighbours and needs no glyph of its own."""
    return char == _JOINER or "\ufe00" <= char <= "\ufe0f" or "\U000e0020" <= char <= "\U000e007f"


def _extends(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me") or "\U0001f3fb" <= char <= "\U0001f3ff" or invisible(char)


def _belongs(before: str, char: str) -> bool:
    """Whether `char` continues the cluster that ends with `before`."""
    flags = "\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= char <= "\U0001f1ff"
    return before == _JOINER or flags or _extends(char)


@lru_cache(maxsize=65536)
def wrap(text: str, cells: int) -> tuple[str, ...]:
    """Lines of `shown` text of at most `cells` cells; joined again they are the text, but for its newlines.

    >>> wrap("a long name", 7)
    ('a long ', 'name')
    """
    return tuple(line for part in text.split("\n") for line in _wrap_line(part, cells))


def _wrap_line(line: str, cells: int) -> Iterator[str]:
    if width(line) <= cells:
        yield line
        return
    pieces = [(text, size) for text, _foreign, size in clusters(line)]
    start, used, space = 0, 0.0, -1
    at = 0
    while at < len(pieces):
        text, size = pieces[at]
        if used + size > cells and at > start:
            stop = space + 1 if space > start else at
            yield "".join(piece for piece, _size in pieces[start:stop])
            start, at, used, space = stop, stop, 0.0, -1
            continue
        used += size
        space = at if text == " " else space
        at += 1
    yield "".join(piece for piece, _size in pieces[start:])
