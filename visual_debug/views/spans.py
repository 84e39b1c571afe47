"""The source that a page shows beside the picture: its lines, and the spans of those expressions that have nodes."""

from __future__ import annotations

import ast
import linecache
from typing import Any

from visual_debug.tracing.tape import Site
from visual_debug.views import syntax

#: Lines between two functions from which on they are left out.
APART = 5


class Code:
    """The source of the functions that nodes are of, and the spans of their expressions."""

    def __init__(self) -> None:
        #: listing's file, first line, first column, last line, column behind the end; columns in UTF-16 units
        self.spans: list[list[Any]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def span(self, site: Site) -> int | None:
        """The number of a site's span; None where its source cannot be had."""
        if not site.text or site.line is None or site.end_line is None:
            return None
        key = site.file, site.line, site.column, site.end_line, site.end_column
        if key not in self._known:
            read = Site(site.file, site.function, (site.line, site.end_line, site.column, site.end_column))
            if read.text != site.text:
                return None  # a saved trace, whose source has changed since
            self._known[key] = len(self.spans)
            start, end = (
                _utf16(site.file, n, c or 0) for n, c in ((site.line, site.column), (site.end_line, site.end_column))
            )
            self.spans.append([site.file, site.line, start, site.end_line, end])
        return self._known[key]

    def listings(self) -> list[dict[str, Any]]:
        """The lines of the functions that were recorded, in stretches of lines that follow each other."""
        wanted: dict[str, set[tuple[int, int]]] = {}
        for name, *span in self._known:
            file = syntax.read(name)
            function = file.around(tuple(span)) if file is not None else None
            whole = function is not None and not isinstance(function.node, ast.Module)
            lines = (function.first, function.last) if function is not None and whole else (span[0], span[2])
            wanted.setdefault(name, set()).add(lines)
        found = []
        for name, stretches in wanted.items():
            joined: list[list[int]] = []
            for first, last in sorted(stretches):
                if joined and first <= joined[-1][1] + APART:
                    joined[-1][1] = max(joined[-1][1], last)
                else:
                    joined.append([first, last])
            for first, last in joined:
                texts = [linecache.getline(name, n).rstrip("\n") for n in range(first, last + 1)]
                found.append({"file": name, "first": first, "lines": texts})
        return found


def _utf16(file: str, line: int, column: int) -> int:
    """A column in bytes of UTF-8, as `co_positions` counts, in those units that a browser counts."""
    return len(linecache.getline(file, line).encode()[:column].decode(errors="replace").encode("utf-16-le")) // 2
