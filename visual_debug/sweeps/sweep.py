"""Adjoints of a whole trace: by columns where every value is a plain number and nothing is in doubt, else node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from visual_debug import collector
from visual_debug.columns import WORTH_NUMPY, Columns
from visual_debug.errors import NoDerivativeError
from visual_debug.sweeps import adjoint, schedule

if TYPE_CHECKING:
    from visual_debug.numeric import Floats, Truths


#: Nodes whose operands are in lists at a time.
_PORTION = 2**16


def adjoints(columns: Columns, seeds: Mapping[int, Any]) -> Mapping[int, Any]:
    """The adjoint of every node that passes something on to a seed. Raises NoDerivativeError as `adjoint.reverse` does."""
    found = by_columns(columns, seeds)
    if found is not None:
        return found
    result: dict[int, Any] = {}
    for _ in adjoint.reverse(columns, seeds, result):
        pass
    return result


def gradients(columns: Columns, seeds: Mapping[int, Any], leaves: Iterable[int]) -> dict[int, Any]:
    """The adjoints of some nodes, without those that are certainly 0. Raises NoDerivativeError likewise."""
    leaves = list(leaves)
    scheduled = schedule.gradients(columns, seeds, leaves)
    if scheduled is not None:
        return scheduled
    found = by_columns(columns, seeds)
    if found is not None:
        known = {leaf: float(found.column[leaf]) for leaf in leaves}
        return {leaf: value for leaf, value in known.items() if value}
    result: dict[int, Any] = {}
    for _ in adjoint.reverse(columns, seeds, result, adjoint.dependents(columns, leaves), only=set(leaves)):
        pass
    return result


def possible(columns: Columns, seeds: Mapping[int, Any], leaves: Mapping[str, list[int]]) -> list[str]:
    """Of arguments, given with their nodes, those whose gradient every operation on the way has a derivative for."""
    found = []
    for name, nodes in leaves.items():
        with suppress(NoDerivativeError):
            gradients(columns, seeds, nodes)
            found.append(name)
    return found


def ancestors(columns: Columns, nodes: Iterable[int]) -> list[int]:
    """The nodes that the given ones depend on, and those themselves, in order."""
    marks = marked(columns, nodes)
    return [node for node, mark in enumerate(marks) if mark]


def marked(columns: Columns, nodes: Iterable[int], passable: Truths | None = None) -> bytearray:
    """Marks the nodes that the given ones depend on, and those themselves.

    Of a long trace, `passable` may say along which operands, shape (operands,); without, all are.
    """
    if len(columns) <= WORTH_NUMPY and passable is None:
        return adjoint.ancestors(columns, nodes)
    import numpy as np

    weights = np.ones(len(columns.operand)) if passable is None else passable.astype(np.float64)
    return bytearray((_ways(columns, nodes, weights) > 0).tobytes())


def _ways(columns: Columns, nodes: Iterable[int], passable: Floats) -> Floats:
    """How many ways lead from each node to the given ones along operands that are marked with 1; too many are inf."""
    import numpy as np

    from visual_debug import numeric
    from visual_debug.sweeps import linear, runs

    with np.errstate(all="ignore"):
        return linear.solve(
            numeric.view(columns.start),
            numeric.view(columns.operand),
            passable,
            [(node, 1.0) for node in nodes],
            runs.of(columns),
        )


def first_nonfinite(columns: Columns, is_finite: Callable[[Any], bool]) -> int | None:
    """The first node whose value is not finite though all its operands are."""
    suspects: Iterable[int] = range(len(columns))
    if len(columns) > WORTH_NUMPY:
        import numpy as np

        from visual_debug import numeric

        suspects = np.flatnonzero(~np.isfinite(numeric.plain_values(columns.value)[0])).tolist()
    bad: set[int] = set()
    for node in suspects:
        if not is_finite(columns.value[node]):
            if bad.isdisjoint(columns.operands(node)):
                return node
            bad.add(node)
    return None


def by_columns(columns: Columns, seeds: Mapping[int, Any]) -> ColumnAdjoints | None:
    """The adjoints of a long trace of plain numbers; None if it is short, or some value or partial is not finite."""
    if len(columns) <= WORTH_NUMPY or not all(
        type(seed) is float and type(columns.value[node]) is float for node, seed in seeds.items()
    ):
        return None
    import numpy as np

    from visual_debug import numeric
    from visual_debug.sweeps import linear, partials, runs

    loops = runs.of(columns)
    start, operand = numeric.view(columns.start), numeric.view(columns.operand)
    with collector.paused(), np.errstate(all="ignore"):
        slopes = partials.partials(columns)
        if slopes is None:
            return None
        column = linear.solve(start, operand, slopes.value, seeds.items(), loops)
        if not np.isfinite(column).all():
            if not slopes.is_sure:
                return None
            column = linear.solve(start, operand, slopes.value, seeds.items(), loops, slopes.void)

    def reached() -> Truths:
        passable = np.ones(len(operand))
        passable[slopes.unknown] = 0.0
        return _ways(columns, seeds, passable) > 0

    return ColumnAdjoints(column, reached)


def tangents(columns: Columns, seeds: Mapping[int, Any], outputs: Iterable[int]) -> Mapping[int, Any]:
    """The tangents of some nodes, without those that are certainly 0. Raises NoDerivativeError as `adjoint.forward` does."""
    outputs = list(outputs)
    found = _tangents_by_columns(columns, seeds)
    if found is None:
        return adjoint.forward(columns, seeds, outputs)
    return {node: found[node] for node in outputs if found[node]}


def _tangents_by_columns(columns: Columns, seeds: Mapping[int, Any]) -> list[float] | None:
    """The tangents of all nodes of a long trace of plain numbers; None if some value, partial or tangent is not finite."""
    if len(columns) <= WORTH_NUMPY or not all(
        type(seed) is float and type(columns.value[node]) is float for node, seed in seeds.items()
    ):
        return None
    import numpy as np

    from visual_debug import numeric
    from visual_debug.sweeps import partials

    with collector.paused(), np.errstate(all="ignore"):
        slopes = partials.partials(columns)
        if slopes is None:
            return None
        start, operand = numeric.view(columns.start), numeric.view(columns.operand)
        column = [0.0] * len(columns)
        for node, seed in seeds.items():
            column[node] += seed
        for low in range(0, len(columns), _PORTION):
            high = min(low + _PORTION, len(columns))
            part = slice(int(start[low]), int(start[high]))
            owner = np.repeat(np.arange(low, high), start[low + 1 : high + 1] - start[low:high])
            used = ~slopes.void[part]
            edges = owner[used], operand[part][used], slopes.value[part][used]
            for node, source, slope in zip(*(edge.tolist() for edge in edges), strict=True):
                column[node] += column[source] * slope
        return column if np.isfinite(np.array(column)).all() else None


class ColumnAdjoints(Mapping[int, float]):
    """Adjoints by node, kept as one column; which nodes are among them is found out when it is asked."""

    def __init__(self, column: Floats, reached: Any) -> None:
        self.column = column
        self._find = reached
        self._found: Truths | None = None

    @property
    def reached(self) -> Truths:
        """Whether a seed depends on each node, shape (nodes,)."""
        if self._found is None:
            self._found = self._find()
        return self._found

    def __getitem__(self, node: int) -> float:
        if not 0 <= node < len(self.column) or not self.reached[node]:
            raise KeyError(node)
        return float(self.column[node])

    def __iter__(self) -> Iterator[int]:
        return iter(self.reached.nonzero()[0].tolist())

    def __len__(self) -> int:
        return int(self.reached.sum())
