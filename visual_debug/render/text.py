"""The expression tree as text for the terminal.

A named leaf is `3=x`, a literal `2`, an operation `[*] → 15`; what is shared is printed at each of its places.
"""

from __future__ import annotations

from collections.abc import Sequence

from visual_debug import display
from visual_debug.columns import Columns

#: Levels that `str(trace)` shows below the root.
DEFAULT_DEPTH = 5
#: A tree repeats what is shared, up to exponentially often: longer prints are cut, and say so.
MOST_LINES = 2000


def label(columns: Columns, node: int) -> str:
    """One node as in the tree: `3=x`, `2`, `[*] → 15`."""
    value = display.value_text(columns.value[node])
    if columns.op[node] in ("input", "const"):
        name = columns.name[node]
        return value if name is None else f"{value}={name}"
    return f"[{display.symbol(columns, node)}] → {value}"


def tree(columns: Columns, roots: Sequence[int], max_depth: int | None) -> str:
    """The trees of the given nodes, one after the other; below `max_depth` levels stands `⋮`."""
    if not roots:
        return "(no number was computed from numbers)"
    lines: list[str] = []
    work: list[tuple[int, str, str, int]] = [(root, "", "", 0) for root in reversed(roots)]
    while work:
        if len(lines) >= MOST_LINES:
            lines.append(f"⋮ cut at {MOST_LINES} lines: give max_depth, or look at the graph, which repeats nothing")
            break
        node, first, rest, depth = work.pop()
        if node < 0:
            lines.append(f"{first}⋮")
            continue
        lines.append(first + label(columns, node))
        operands = columns.operands(node)
        if max_depth is not None and depth >= max_depth and operands:
            work.append((-1, f"{rest}└─ ", "", depth + 1))
            continue
        for i in range(len(operands) - 1, -1, -1):
            last = i == len(operands) - 1
            work.append((operands[i], rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "), depth + 1))
    return "\n".join(lines)
