"""Condition numbers: by how much operations, and the whole computation, enlarge relative errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.places import Place, Places, graded, listed


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
