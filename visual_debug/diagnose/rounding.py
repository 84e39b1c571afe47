"""The rounding budget: how much of the result's error each operation can be blamed for, to first order.

The share of an operation is |adjoint x what it may round|, after the error estimate of adjoint-based tools
(S. Garg, A. Das, V. Vassilev et al., "Fast and automatic floating point error analysis with CHEF-FP", IPDPS 2023), with
half a unit in the last place of each value's own format, and nothing for operations that are exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers, roundoff
from visual_debug.diagnose.by_node import ByNode, by_kind
from visual_debug.diagnose.places import Place, Places, graded, listed
from visual_debug.numeric import Floats


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
        if not math.isfinite(self.error):
            return {n: (1.0, "it or its adjoint is not finite") for n, e in self.nodes.items() if not math.isfinite(e)}
        return graded(self.nodes, {n: f"{e / self.error:.0%} of the rounding error" for n, e in self.nodes.items()})

    def __str__(self) -> str:
        many = 0 if math.isfinite(self.error) else sum(not math.isfinite(share) for share in self.nodes.values())
        much = f"{self.error:.2e} ({self.relative:.1e} of it, {self.bits:.1f} bits)"
        lines = [f"rounding can have changed the result by {much}: {self.digits:.1f} digits are certain"]
        if many:
            what = f"values or adjoints are not finite, of {many:,} operation{'s' if many != 1 else ''}"
            lines = [f"how far rounding can have changed the result cannot be told: {what}"]
        if self.estimate is not None:
            lines.append(f"by what each operation has rounded away, it is off by {self.estimate:.2e}")
        if self.lines and not many:
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
        ByNode(shares, shares != 0),
        ByNode(effects, (shares != 0) & ~np.isnan(effects)),
        tuple(places(node) for node in found.unknown),
    )


def _estimate(shares: Floats, effects: Floats, unsure: Floats) -> float | None:
    """The sum of all effects; None where one is not known that has a share, or where it is less than it is unsure by."""
    known = effects[shares != 0]
    estimate, slack = float(np.sum(known)), float(np.sum(unsure) + _LAST * np.sum(np.abs(known)))
    return estimate if math.isfinite(estimate) and abs(estimate) >= slack else None


#: What the effects are off by themselves, and their sum.
_LAST = 2.0**-50


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
    lines = []
    for group in by_kind(columns, np.flatnonzero(shares)):
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
