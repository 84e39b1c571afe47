"""Numbers by node, kept as a column: what a diagnosis of a million operations hands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from visual_debug.numeric import Floats, Truths


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
