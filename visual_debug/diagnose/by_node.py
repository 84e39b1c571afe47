"""Numbers by node, kept as a column: what a diagnosis of a million operations hands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.numeric import Floats, Truths, view


class ByNode(Mapping[int, float]):
    """Node id -> number, for the nodes that have one: `column` and `has` are of shape (nodes,)."""

    def __init__(self, column: Floats, has: Truths) -> None:
        self.column = column
        self.has = has

    def __getitem__(self, node: int) -> float:
        if not 0 <= node < len(self.column) or not self.has[node]:
            raise KeyError(node)
        return float(self.column[node])

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.has).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.has))


def by_kind(columns: Columns, nodes: Any) -> list[Any]:
    """Some nodes, in groups of the same operation at the same place."""
    if not len(nodes):
        return []
    kind = view(columns.kind)[nodes]
    order = np.argsort(kind, kind="stable")
    return np.split(nodes[order], np.flatnonzero(np.diff(kind[order])) + 1)
