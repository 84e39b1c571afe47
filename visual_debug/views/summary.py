"""A trace of any length in few lines: one row for each expression of the source, with counts and ranges.

Computed from the columns, in time linear in their length and without an object per node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.numeric import Floats, Numbers, plain_values, view
from visual_debug.tracing.tape import Source


@dataclass(frozen=True, slots=True)
class Row:
    """All nodes of one operation at one place in the source; of inputs, those of one argument or variable.

    `minimum` and `maximum` are over real finite values, elements of arrays among them, as floats; None where there
    are none. `nonfinite` counts the values that are NaN or infinite, or hold such an element. The adjoints' range and
    count likewise; they are None and 0 where no adjoints were given, or none is of these nodes.
    """

    index: int
    op: str
    symbol: str
    name: str | None  #: the variable that the first of them was bound to
    source: Source
    function: str  #: qualified name
    count: int
    first_node: int
    last_node: int
    first: Any  #: value of the first node
    last: Any
    minimum: float | None
    maximum: float | None
    nonfinite: int
    adjoint_minimum: float | None
    adjoint_maximum: float | None
    adjoint_nonfinite: int


@dataclass(frozen=True, slots=True)
class Flow:
    """How often a node of row `target` has a node of row `source` as its operand number `position`."""

    source: int
    target: int
    position: int
    count: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function, in how many activations it ran, and how many nodes are of those."""

    name: str
    activations: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Line:
    """A source line, how many nodes begin there, and how many of those are not finite."""

    file: str
    line: int
    count: int
    nonfinite: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows in the order of their first nodes, the flows between them, and counts by function and by source line."""

    rows: list[Row]
    flows: list[Flow]
    functions: list[Function]
    lines: list[Line]


def summarise(columns: Columns, adjoints: Mapping[int, Any] | None = None) -> Summary:
    """The summary of a trace; with adjoints (node -> adjoint, as `Trace.adjoints`), of those as well."""
    row = row_of_nodes(columns)
    count = int(row.max()) + 1 if row.size else 0
    spans = _Spans(row, count, *_ranges(columns.value))
    given = [adjoints.get(node) for node in range(len(columns))] if adjoints is not None else []
    slopes = _Spans(row[: len(given)], count, *_ranges(given))
    order = np.arange(len(columns))
    first = np.full(count, len(columns))
    np.minimum.at(first, row, order)
    last = np.zeros(count, np.int64)
    np.maximum.at(last, row, order)
    counts = np.bincount(row, minlength=count)
    rows = []
    for i in range(count):
        node = int(first[i])
        op, name, site = columns.op[node], columns.name[node], columns.site[node]
        rows.append(
            Row(
                i, op, _group(name) if op == "input" and name else display.symbol(columns, node),
                _group(name) if op == "input" and name else name, site.source, site.function,
                int(counts[i]), node, int(last[i]), columns.value[node], columns.value[int(last[i])],
                spans.least(i), spans.most(i), int(spans.bad[i]), slopes.least(i), slopes.most(i), int(slopes.bad[i]),
            )
        )  # fmt: skip
    return Summary(rows, _flows(columns, row), _functions(columns), _lines(rows))


def _group(name: str) -> str:
    """The variable that an item was read from: `xs` for `xs[3]`."""
    return name.partition("[")[0] + "[…]" if "[" in name else name


def row_of_nodes(columns: Columns) -> Numbers:
    """The number of each node's row, in the order of the rows' first nodes.

    Nodes of one row have one operation and one place; inputs, which have the function's place, one variable besides.
    """
    keys: dict[tuple[Any, ...], int] = {}
    kind = view(columns.kind)
    by_kind = np.zeros(len(columns.op.entries), np.int32)
    inputs = []
    for code, (op, site) in enumerate(zip(columns.op.entries, columns.site.entries, strict=True)):
        place = site.file, site.function, site.line, site.end_line, site.column, site.end_column
        by_kind[code] = keys.setdefault((op, *place), len(keys))
        if op == "input":
            inputs.append(code)
    row = by_kind[kind]
    for node in np.flatnonzero(np.isin(kind, inputs)).tolist():
        name = columns.name[node]
        row[node] = keys.setdefault((int(by_kind[kind[node]]), _group(name) if name else None), len(keys))
    _, first, numbers = np.unique(row, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    return rank[numbers.reshape(-1)]


def _ranges(values: Sequence[Any]) -> tuple[Floats, Floats, Floats]:
    """Least and greatest finite real number in each value (NaN where there is none), and whether it is not finite."""
    least, plain = plain_values(values)
    bad = ~np.isfinite(least)
    if plain is None:
        least = np.where(bad, np.nan, least)
        return least, least, bad.astype(np.float64)
    most = least.copy()
    for node in np.flatnonzero(~plain).tolist():
        value = values[node]
        low, high, bad[node] = _range_of(value)
        least[node], most[node] = low, high
    return (
        np.where(np.isfinite(least), least, np.nan),
        np.where(np.isfinite(most), most, np.nan),
        bad.astype(np.float64),
    )


def _range_of(value: Any) -> tuple[float, float, bool]:
    """Least and greatest finite real number in a value that is no plain number, and whether it is not finite."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind and kind in "fciub":
        array = np.asarray(value)
        finite = np.isfinite(array)
        shown = array[finite] if kind != "c" else np.empty(0)
        low, high = (float(shown.min()), float(shown.max())) if shown.size else (np.nan, np.nan)
        return low, high, not finite.all()
    if isinstance(value, complex):
        return np.nan, np.nan, not np.isfinite(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan, np.nan, False
    return number, number, not np.isfinite(number)


class _Spans:
    """Least, greatest and number of non-finite values by row."""

    def __init__(self, row: Numbers, count: int, least: Floats, most: Floats, bad: Floats) -> None:
        self._least, self._most = np.full(count, np.nan), np.full(count, np.nan)
        np.fmin.at(self._least, row, least)
        np.fmax.at(self._most, row, most)
        self.bad = np.bincount(row, bad, minlength=count)

    def least(self, i: int) -> float | None:
        return None if np.isnan(self._least[i]) else float(self._least[i])

    def most(self, i: int) -> float | None:
        return None if np.isnan(self._most[i]) else float(self._most[i])


def _flows(columns: Columns, row: Numbers) -> list[Flow]:
    start, operand = view(columns.start), view(columns.operand)
    if not operand.size:
        return []
    sizes = np.diff(start)
    target = np.repeat(row, sizes)
    position = np.arange(len(operand)) - np.repeat(start[:-1], sizes)
    few = np.minimum(position, _MANY)
    rows = int(row.max()) + 1
    keys, counts = np.unique((target.astype(np.int64) * (_MANY + 1) + few) * rows + row[operand], return_counts=True)
    return [
        Flow(key % rows, key // rows // (_MANY + 1), key // rows % (_MANY + 1), count)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True)
    ]


#: Operands from this position on are counted together: those of a sum over a list.
_MANY = 8


def _functions(columns: Columns) -> list[Function]:
    nodes = np.bincount(view(columns.activation), minlength=len(columns.activations)).tolist()
    totals: dict[str, list[int]] = {}
    for activation, count in zip(columns.activations, nodes, strict=True):
        total = totals.setdefault(activation.function, [0, 0])
        total[0] += 1
        total[1] += count
    return [Function(name, *total) for name, total in totals.items()]


def _lines(rows: list[Row]) -> list[Line]:
    totals: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        if row.source.line is not None and row.op not in ("input", "const"):
            total = totals.setdefault((row.source.file, row.source.line), [0, 0])
            total[0] += row.count
            total[1] += row.nonfinite
    return [Line(file, line, *total) for (file, line), total in sorted(totals.items())]
