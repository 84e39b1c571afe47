"""The rounding budget: how much of the result's error each operation can be blamed for, to first order.

The share of an operation is |adjoint x what it may round|, after the error estimate of adjoint-based tools
(S. Garg, A. Das, V. Vassilev et al., "Fast and automatic floating point error analysis with CHEF-FP", IPDPS 2023), with
half a unit in the last place of each value's own format, and nothing for operations that are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers, roundoff
from visual_debug.diagnose.places import Place, Places, graded, listed
from visual_debug.numeric import Floats, view


@dataclass(frozen=True, slots=True)
class LineShare:
    """What one expression of the source contributes in all its evaluations, and the worst of them."""

    file: str
    line: int | None
    text: str
    op: str
    error: float  #: absolute
    share: float  #: of the whole budget, 0 to 1
    count: int
    worst: Place
    worst_error: float

    def __str__(self) -> str:
        often = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.share:6.1%} {self.error:9.2e}{often}: {self.worst}"


@dataclass(frozen=True, slots=True)
class RoundingReport:
    """The rounding budget of a result.

    Attributes:
        value: the result.
        error: bound of its absolute rounding error, to first order: the sum of |adjoint x half a unit in the last place|
            over operations, without those that are exact on their operands.
        plain: the same sum with those that are exact.
        estimate: the error itself, result - exact result, to first order: the sum of adjoint x what each operation has
            rounded away; None where that is not known of every operation, or not well enough. Where digits cancel until none is left, the
            bound is far above it: half a unit is charged where much less was lost.
        relative: the bound, relative to the result.
        bits: the same in units of the result's last place, as log2 (0: the last rounding alone).
        digits: decimal digits that are certain, to first order.
        lines: shares by expression of the source, the largest first.
        nodes: node id -> its share of the absolute error.
        actual: node id -> the error of the result that comes from what it has rounded away, where that is known.
        unknown: operations without a bound, which are not in the budget: it holds but for them.

    """

    value: Any
    error: float
    plain: float
    estimate: float | None
    relative: float
    bits: float
    digits: float
    lines: tuple[LineShare, ...]
    nodes: Mapping[int, float]
    actual: Mapping[int, float]
    unknown: tuple[Place, ...]

    @property
    def colours(self) -> dict[int, tuple[float, str]]:
        """Node id -> (0 to 1, label), by share."""
        return graded(self.nodes, {n: f"{e / self.error:.0%} of the rounding error" for n, e in self.nodes.items()})

    def __str__(self) -> str:
        much = f"{self.error:.2e} ({self.relative:.1e} of it, {self.bits:.1f} bits)"
        lines = [f"rounding can have changed the result by {much}: {self.digits:.1f} digits are certain"]
        if self.estimate is not None:
            lines.append(f"by what each operation has rounded away, it is off by {self.estimate:.2e}")
        if self.lines:
            lines += ["by expression (the worst evaluation of each):", *listed(self.lines, "expressions")]
        if self.unknown:
            lines += ["not counted, for it is not known how they round:", *listed(self.unknown, "operations")]
        return "\n".join(lines)


def budget(columns: Columns, output: int, adjoints: Mapping[int, Any], needed: bytearray) -> RoundingReport:
    """The rounding budget of one lone number. Linear; a second or two for a million operations."""
    found = roundoff.roundoffs(columns, needed)
    shares, plain, effects, unsure = _shares(columns, found, adjoints)
    total = float(np.sum(shares))
    value = columns.value[output]
    size = numbers.size_of(value)
    form = numbers.format_of(value)
    last = form.ulp(size) if form is not None else math.inf
    relative = total / size if size else (math.inf if total else 0.0)
    places = Places(columns)
    return RoundingReport(
        value,
        total,
        float(np.sum(plain)),
        None if found.unknown else _estimate(shares, effects, unsure),
        relative,
        math.log2(1 + total / last) if last and math.isfinite(total) else math.inf,
        _digits(relative),
        tuple(_by_line(places, shares, total)),
        Shares(shares),
        Shares(np.where(np.isnan(effects), 0.0, effects)),
        tuple(places(node) for node in found.unknown),
    )


def _estimate(shares: Floats, effects: Floats, unsure: Floats) -> float | None:
    """The sum of all effects; None where one is not known that has a share, or where it is less than it is unsure by."""
    estimate = float(np.sum(effects[shares != 0]))
    return estimate if math.isfinite(estimate) and abs(estimate) >= np.sum(unsure) else None


class Shares(Mapping[int, float]):
    """Node id -> its share of the absolute error, kept as one column; nodes without a share are left out."""

    def __init__(self, column: Floats) -> None:
        self.column = column

    def __getitem__(self, node: int) -> float:
        if not 0 <= node < len(self.column) or not self.column[node]:
            raise KeyError(node)
        return float(self.column[node])

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self.column).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.column))


def _digits(relative: float) -> float:
    return 17.0 if relative == 0 else min(max(-math.log10(relative), 0.0), 17.0) if math.isfinite(relative) else 0.0


def _shares(columns: Columns, found: roundoff.Roundoff, adjoints: Mapping[int, Any]) -> list[Floats]:
    """|adjoint x bound|, the same with the plain bound, adjoint x error, and how unsure that is; each of shape (nodes,)."""
    column = getattr(adjoints, "column", None)
    with np.errstate(all="ignore"):
        if column is not None:
            return _effects(column, found.scalar)
        sums = [np.zeros(len(columns)) for _ in roundoff.Rounded._fields]
        lone = (
            (node, roundoff.Rounded(*(part[node] for part in found.scalar)))
            for node in np.flatnonzero(found.scalar.plain).tolist()
        )
        for node, rounded in (*lone, *found.arrays.items()):
            adjoint = adjoints.get(node)
            if adjoint is not None:
                for summed, effect in zip(sums, _effects(adjoint, rounded), strict=True):
                    effect = np.sum(effect)
                    summed[node] = np.nan if np.iscomplexobj(effect) else effect
    return sums


def _effects(adjoint: Any, rounded: roundoff.Rounded) -> list[Any]:
    size = np.abs(adjoint)
    sizes = (size, size, adjoint, size)
    return [_product(factor, part) for factor, part in zip(sizes, rounded, strict=True)]


def _product(x: Any, y: Any) -> Any:
    """x * y, 0 where y is 0 whatever x is."""
    return np.where(y != 0, x * y, 0.0)


def _by_line(places: Places, shares: Floats, total: float) -> list[LineShare]:
    columns = places.columns
    nodes = np.flatnonzero(shares)
    order = np.argsort(view(columns.kind)[nodes], kind="stable")
    nodes = nodes[order]
    ends = np.flatnonzero(np.diff(view(columns.kind)[nodes])) + 1
    lines = []
    for group in np.split(nodes, ends) if len(nodes) else []:
        own = shares[group]
        worst = int(np.argmax(own))
        node = int(group[worst])
        site, op = columns.site[node], columns.op[node]
        error = float(np.sum(own))
        share = error / total if math.isfinite(total) else float(not math.isfinite(error))
        lines.append(
            LineShare(site.file, site.line, site.text, op, error, share, len(group), places(node), float(own[worst]))
        )
    return sorted(lines, key=lambda line: -line.error)


# ---- cancellations


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


# ---- conditioning


@dataclass(frozen=True, slots=True)
class Condition:
    """How much relative changes are enlarged.

    Attributes:
        inputs: per argument |x f'/f|, in its own structure: by how much a relative error of it is enlarged.
        value: the largest sum over an argument's numbers: the condition of the whole with respect to it.
        operations: the operations with the largest condition number of their own, as (place, number); at most 20.
        nodes: node id -> its own condition number, the largest over its operands.
        colours: node id -> (0 to 1, label), by the logarithm of that.

    """

    inputs: dict[str, Any]
    value: float
    operations: tuple[tuple[Place, float], ...]
    nodes: dict[int, float]
    colours: dict[int, tuple[float, str]]

    def __str__(self) -> str:
        lines = [f"the result changes by at most {self.value:.3g} times the relative change of an argument"]
        lines += [f"  {name}: {_brief(value)}" for name, value in self.inputs.items()]
        worst = [(place, number) for place, number in self.operations if number > 10]
        if worst:
            lines.append("operations that enlarge relative errors:")
            lines += listed((f"{number:9.2e} times: {place}" for place, number in worst), "operations")
        return "\n".join(lines)


def _brief(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_brief, value[:6])) + (", …]" if len(value) > 6 else "]")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_brief(v)}" for k, v in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return f"{np.sum(value):.3g} over all elements"
    return f"{value:.3g}" if value is not None else "no number"


def own_conditions(columns: Columns, partials: Any, needed: bytearray) -> dict[int, float]:
    """|x dz/dx / z| of every operation with one number per operand, the largest over its operands."""
    found: dict[int, float] = {}
    for node in range(len(columns)):
        if not needed[node] or columns.op[node] in ("input", "const"):
            continue
        z = columns.value[node]
        if numbers.format_of(z) is None:
            continue
        worst = 0.0
        for position, operand in enumerate(columns.operands(node)):
            slope = partials(node, position)
            x = columns.value[operand]
            if slope is None or not (numbers.is_number(x) or isinstance(x, np.ndarray)):
                continue
            ratio = _enlargement(slope, x, z)
            worst = max(worst, math.inf if math.isnan(ratio) else ratio)
        found[node] = worst
    return found


def _enlargement(slope: Any, x: Any, z: Any) -> float:
    """|x dz/dx / z|, the largest over elements."""
    if type(slope) is float and type(x) is float and type(z) is float:  # a tenth of what NumPy takes for it
        change = slope * x
        if not change:
            return 0.0
        return abs(change / z) if z else abs(change) * math.inf
    with np.errstate(all="ignore"):
        try:
            ratio = numbers.ratio(slope * x, z) if numbers.any_nonzero(slope * x) else 0.0
        except (OverflowError, ZeroDivisionError):
            return math.inf
        return float(np.max(ratio)) if np.size(ratio) else 0.0


def total(value: Any) -> float:
    """The sum over all numbers in nested lists, tuples, dicts and arrays."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return math.fsum(map(total, value))
    return float(np.sum(value)) if value is not None else 0.0


def condition(columns: Columns, inputs: dict[str, Any], total: float, own: dict[int, float]) -> Condition:
    """The report of what `Trace.condition` found."""
    places = Places(columns)
    ranked = sorted(own, key=lambda node: (-own[node], node))[:20]
    grades = {node: math.log10(max(number, 1.0)) if math.isfinite(number) else math.inf for node, number in own.items()}
    labels = {node: f"enlarges relative errors {number:.2g} times" for node, number in own.items()}
    return Condition(inputs, total, tuple((places(n), own[n]) for n in ranked), own, graded(grades, labels))
