"""Condition numbers: by how much operations, and the whole computation, enlarge relative errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug import structures
from visual_debug.columns import WORTH_NUMPY, Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.by_node import ByNode
from visual_debug.diagnose.places import Place, Places, graded, listed
from visual_debug.numeric import Floats, Truths, plain_values, view
from visual_debug.sweeps import adjoint, partials, sweep


@dataclass(frozen=True, slots=True)
class Condition:
    """How much relative changes are enlarged.

    Attributes:
        inputs: per argument |x f'/f|, in its own structure: by how much a relative error of it is enlarged.
        value: the largest sum over an argument's numbers: the condition of the whole with respect to it.
        operations: the operations with the largest condition number of their own, as (place, number); at most 20.
        nodes: node id -> its own condition number, the largest over its operands.
    """

    inputs: dict[str, Any]
    value: float
    operations: tuple[tuple[Place, float], ...]
    nodes: Mapping[int, float]

    @property
    def colours(self) -> dict[int, tuple[float, str]]:
        """Node id -> (0 to 1, label), by the logarithm of its condition number."""
        grades = {n: math.log10(max(c, 1.0)) if math.isfinite(c) else math.inf for n, c in self.nodes.items()}
        return graded(grades, {n: f"enlarges relative errors {c:.2g} times" for n, c in self.nodes.items()})

    def __str__(self) -> str:
        lines = [f"the result changes by at most {self.value:.3g} times the relative change of an argument"]
        lines += [f"  {name}: {_brief(value)}" for name, value in self.inputs.items()]
        worst = [(place, number) for place, number in self.operations if number > 10]
        if worst:
            lines.append("operations that enlarge relative errors:")
            lines += listed((f"{number:9.2e} times: {place}" for place, number in worst), "operations")
        return "\n".join(lines)


def _brief(value: Any) -> str:
    inside = structures.fields(value)
    if inside is not None:
        return "{" + ", ".join(f"{name}: {_brief(part)}" for name, part in inside.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_brief, value[:6])) + (", …]" if len(value) > 6 else "]")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_brief(v)}" for k, v in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return f"{np.sum(value):.3g} over all elements"
    return f"{value:.3g}" if value is not None else "no number"


def _own(columns: Columns, needed: bytearray) -> ByNode:
    """|x dz/dx / z| of every operation with one number per operand, the largest over its operands."""
    floats = np.fromiter((numbers.format_of(z) is not None for z in columns.value), np.bool_, len(columns))
    leaves = np.array([op in ("input", "const") for op in columns.op.entries] or [False])
    has = np.frombuffer(needed, np.bool_) & floats & ~leaves[view(columns.kind)]
    slopes = partials.partials(columns) if len(columns) > WORTH_NUMPY else None
    return ByNode(_by_columns(columns, slopes.value) if slopes is not None else _one_by_one(columns, has), has)


def _by_columns(columns: Columns, slopes: Floats) -> Floats:
    """The same of plain numbers, of which all partials are known."""
    values, _ = plain_values(columns.value)
    start, operand = view(columns.start), view(columns.operand)
    owner = np.repeat(np.arange(len(columns), dtype=np.int32), start[1:] - start[:-1])
    with np.errstate(all="ignore"):
        change = slopes * values[operand]
        ratio = np.where(change == 0, 0.0, np.abs(change / values[owner]))
    ratio[np.isnan(ratio)] = math.inf
    worst = np.zeros(len(columns))
    if len(owner):
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        worst[owner[first]] = np.maximum.reduceat(ratio, first)
    return worst


def _one_by_one(columns: Columns, has: Truths) -> Floats:
    found = np.zeros(len(columns))
    for node in np.flatnonzero(has).tolist():
        z = columns.value[node]
        for position, operand in enumerate(columns.operands(node)):
            slope = adjoint.partial(columns, node, position)
            x = columns.value[operand]
            if slope is None or not (numbers.is_number(x) or isinstance(x, np.ndarray)):
                continue
            ratio = _enlargement(slope, x, z)
            found[node] = max(found[node], math.inf if math.isnan(ratio) else ratio)
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


def condition(columns: Columns, output: int, adjoints: Mapping[int, Any], inputs: Mapping[str, Any]) -> Condition:
    """Condition numbers of a result, a lone number. `inputs` are the arguments' nodes, each in its own structure."""
    size = numbers.size_of(columns.value[output])

    def ratio(node: Any) -> Any:
        change = abs(adjoints.get(node, 0.0) * columns.value[node])
        change = change if numbers.is_array(change) else numbers.size_of(change)
        return change / size if size else np.where(change != 0, math.inf, 0.0)[()]

    of_inputs = {name: structures.mapped(nodes, ratio) for name, nodes in inputs.items()}
    totals = [math.fsum(float(np.sum(ratio(node))) for node in structures.leaves(nodes)) for nodes in inputs.values()]
    total = max(totals, default=0.0)
    own = _own(columns, sweep.marked(columns, [output]))
    nodes = np.flatnonzero(own.has)
    largest = nodes[np.argsort(-own.column[nodes], kind="stable")[:_LARGEST]].tolist()
    places = Places(columns)
    return Condition(of_inputs, total, tuple((places(n), own[n]) for n in largest), own)


#: Operations that are named.
_LARGEST = 20
