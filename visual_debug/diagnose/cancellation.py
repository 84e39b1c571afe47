"""Digits that cancel: sums and differences that are much smaller than what they are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers, roundoff
from visual_debug.diagnose.places import Place, Places, graded, listed


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A sum or difference that is much smaller than what it is made of.

    `digits` is how many leading decimal digits cancelled. `amplification` is by how much the operation enlarges the
    relative errors of its operands on the way to the result: |adjoint x operand / result|; None where there is no
    derivative. `harmless` ones have operands without any error, so that there is nothing to enlarge.
    """

    place: Place
    node: int
    operands: tuple[Any, ...]
    value: Any
    digits: float
    left: float  #: digits that are left, at best
    amplification: float | None
    harmless: bool
    count: int  #: how often in this expression

    def __str__(self) -> str:
        what = (
            "the operands are exact: harmless" if self.harmless else f"{max(self.left, 0):.1f} digits are left at best"
        )
        often = f" (worst of {self.count})" if self.count > 1 else ""
        much = f", enlarges errors {self.amplification:.1e} times" if self.amplification is not None else ""
        return f"{self.digits:4.1f} digits cancel{often}, {what}{much}: {self.place}"


@dataclass(frozen=True, slots=True)
class CancellationReport:
    """Cancellations by expression, the harmful ones first, the worst of each; `colours` by digits lost."""

    found: tuple[Cancellation, ...]
    colours: dict[int, tuple[float, str]]

    def __iter__(self) -> Any:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: int) -> Cancellation:
        return self.found[index]

    @property
    def ok(self) -> bool:
        """Whether there is none, or none that does harm."""
        return all(c.harmless for c in self.found)

    def __str__(self) -> str:
        if not self.found:
            return "no digits cancel"
        return "\n".join(["digits that cancel:", *listed(self.found, "expressions")])


_SUMS = ("add", "sub", "iadd", "isub", "numpy.add", "numpy.subtract")


def cancellations(
    columns: Columns, output: int | None, adjoints: Mapping[int, Any] | None, digits: float
) -> CancellationReport:
    """Sums and differences in which at least so many decimal digits cancel."""
    found = roundoff.roundoffs(columns)
    tainted = _tainted(columns, found)
    lost: dict[int, float] = {}
    for node, op in enumerate(columns.op):
        if op in _SUMS:
            cancelled = _cancelled(columns, node)
            if cancelled >= digits:
                lost[node] = cancelled
    groups: dict[tuple[Any, str, bool], list[int]] = {}
    for node in lost:
        harmless = not any(tainted[o] for o in columns.operands(node))
        groups.setdefault((columns.site[node], columns.op[node], harmless), []).append(node)
    places = Places(columns)
    result = None if output is None else columns.value[output]
    rows = []
    for (_, _, harmless), nodes in groups.items():
        worst = max(nodes, key=lambda n: (lost[n], -n))
        values = tuple(columns.value[o] for o in columns.operands(worst))
        form = numbers.format_of(columns.value[worst])
        precision = form.precision * math.log10(2) if form is not None else 0.0
        rows.append(
            Cancellation(
                places(worst), worst, values, columns.value[worst], lost[worst], precision - lost[worst],
                _amplified(values, adjoints.get(worst) if adjoints is not None else None, result), harmless, len(nodes),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (row.harmless, -min(row.digits, 400), row.node))
    labels = {node: f"{d:.1f} digits cancel" for node, d in lost.items()}
    return CancellationReport(tuple(rows), graded(lost, labels))


def _tainted(columns: Columns, found: roundoff.Roundoff) -> bytearray:
    """Marks every value that carries a rounding error, its own or an operand's."""
    marked = bytearray(len(columns))
    for node in np.flatnonzero(found.scalar.charge).tolist():
        marked[node] = 1
    for node, rounded in found.arrays.items():
        marked[node] = bool(np.any(rounded.charge))
    for node in found.unknown:
        marked[node] = 1
    start, operand = columns.start, columns.operand
    for node in range(len(columns)):
        if not marked[node]:
            for k in range(start[node], start[node + 1]):
                if marked[operand[k]]:
                    marked[node] = 1
                    break
    return marked


def _cancelled(columns: Columns, node: int) -> float:
    """Decimal digits by which the result is smaller than the larger operand, the worst element's; inf for 0."""
    z = columns.value[node]
    if numbers.format_of(z) is None:
        return 0.0
    values = [columns.value[o] for o in columns.operands(node)]
    if len(values) != 2:
        return 0.0
    if type(z) is float and all(type(v) in (float, int) for v in values):
        try:
            most = max(abs(float(v)) for v in values)
        except OverflowError:
            return 0.0
        if not math.isfinite(most) or most == 0 or math.isnan(z):
            return 0.0
        return math.log10(most) - math.log10(abs(z)) if z else math.inf
    try:
        x, y = (np.broadcast_to(np.abs(np.asarray(v)), np.shape(z)) for v in values)
    except (ValueError, TypeError):
        return 0.0
    with np.errstate(all="ignore"):
        ratio = np.maximum(x, y) / np.abs(z)
        ratio = ratio[np.isfinite(np.maximum(x, y)) & (np.maximum(x, y) > 0)]
        return float(np.max(np.log10(ratio.astype(float)))) if np.size(ratio) else 0.0


def _amplified(values: tuple[Any, ...], adjoint: Any, result: Any) -> float | None:
    if adjoint is None or result is None:
        return None
    with np.errstate(all="ignore"):
        size = np.max([np.max(np.abs(np.asarray(v, dtype=complex)) * numbers.size_of(adjoint)) for v in values])
        return float(size / numbers.size_of(result)) if result else math.inf
