"""The source that a page shows beside the picture: its lines, and the spans of those expressions that have nodes."""

from __future__ import annotations

import ast
import linecache
from typing import Any

from visual_debug.tracing.tape import Site
from visual_debug.views import syntax


class Code:
    """The source of the functions that nodes are of, and the spans of their expressions."""

    def __init__(self) -> None:
        #: listing's file, first line, first column, last line, column behind the end; columns in UTF-16 units
        self.spans: list[list[Any]] = []
        self._known: dict[tuple[Any, ...], int] = {}
        self._lines: dict[str, tuple[int, int]] = {}

    def span(self, site: Site) -> int | None:
        """The number of a site's span; None where its source cannot be had."""
        if not site.text or site.line is None or site.end_line is None:
            return None
        key = site.file, site.line, site.column, site.end_line, site.end_column
        if key not in self._known:
            read = Site(site.file, site.function, (site.line, site.end_line, site.column, site.end_column))
            if read.text != site.text:
                return None  # a saved trace, whose source has changed since
            first, last = self._lines.get(site.file, (site.line, site.line))
            self._lines[site.file] = min(first, site.line), max(last, site.end_line)
            self._known[key] = len(self.spans)
            start, end = (
                _utf16(site.file, n, c or 0) for n, c in ((site.line, site.column), (site.end_line, site.end_column))
            )
            self.spans.append([site.file, site.line, start, site.end_line, end])
        return self._known[key]

    def listings(self) -> list[dict[str, Any]]:
        """For each file, the lines from the head of the first function that was recorded to the end of the last."""
        found = []
        for name, (first, last) in self._lines.items():
            file = syntax.read(name)
            for path, *span in self._known:
                function = file.around(tuple(span)) if file is not None and path == name else None
                if function is not None and not isinstance(function.node, ast.Module):
                    first, last = min(first, function.first), max(last, function.last)
            lines = [linecache.getline(name, n).rstrip("\n") for n in range(first, last + 1)]
            found.append({"file": name, "first": first, "lines": lines})
        return found


def _utf16(file: str, line: int, column: int) -> int:
    """A column in bytes of UTF-8, as `co_positions` counts, in those units that a browser counts."""
    return len(linecache.getline(file, line).encode()[:column].decode(errors="replace").encode("utf-16-le")) // 2
