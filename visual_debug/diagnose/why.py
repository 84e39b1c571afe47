"""Why a value is what it is: what it was computed from, weighted by influence, and the comparisons on the way.

The influence of a node is |d value / d node x node| / |value|: by what fraction the value changes, to first order, for
the same fraction of the node. Of a value that is 0 it is a share of the largest |d value / d node x node|.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.control import Control
from visual_debug.diagnose.places import Place, Places, graded, listed
from visual_debug.errors import TraceError
from visual_debug.numeric import plain_values
from visual_debug.sweeps import adjoint

_LEAVES = ("input", "const")
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_TRUTHS = frozenset({bool, np.bool_})


@dataclass(frozen=True, slots=True)
class Cause:
    """A value that another was computed from, with its influence; None where there is no derivative.

    `elements` are the indices of an array's elements that matter, at most 20; () of a lone number.
    """

    node: int
    influence: float | None
    elements: tuple[tuple[int, ...], ...]
    place: Place

    def __str__(self) -> str:
        much = f"{self.influence:8.2%}" if self.influence is not None else "       ?"
        which = f" (elements {', '.join(str(list(e)) for e in self.elements)})" if self.elements else ""
        return f"{much}{which}: {self.place}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A test before the value that decided the way to it: of its evaluations with this outcome the closest one.

    `margin` is |x - y| / max(|x|, |y|) of a comparison: by how much the operands had to change for it to come out
    otherwise. It is None for any other test, as `math.isnan(x)` or the number in `if n % 2`.
    """

    node: int
    outcome: bool
    margin: float | None
    count: int
    place: Place

    def __str__(self) -> str:
        often = f" (closest of {self.count})" if self.count > 1 else ""
        margin = f"margin {self.margin:.1e}" if self.margin is not None else "a test"
        return f"{margin}{often}: {self.place}"


@dataclass(frozen=True, slots=True)
class Why:
    """A value's history.

    Attributes:
        node: whose.
        element: of an array, which element; None for the whole.
        causes: operations and inputs that matter, in order of execution.
        inputs: the inputs among them, the most influential first.
        left_out: how many that have less influence are left out.
        decisions: tests before it (of a result, up to the end) that decided the way to it, the closest first: those of the calls that it comes
            from, of which another outcome would have made it of other operations or other variables. They are read
            from the syntax; where there is no source, all comparisons of those calls.
        note: why there are no weights, or what they are shares of, or "".
        colours: node id -> (0 to 1, label), by influence; the tests among `decisions` at 0.3.

    """

    node: int
    element: Any
    place: Place
    causes: tuple[Cause, ...]
    inputs: tuple[Cause, ...]
    left_out: int
    decisions: tuple[Decision, ...]
    note: str
    colours: dict[int, tuple[float, str]]

    def __str__(self) -> str:
        which = f" element {self.element}" if self.element is not None else ""
        lines = [f"why{which} of {self.place}"]
        if self.note:
            lines.append(self.note)
        lines += ["it comes from (influence):", *listed(self.inputs, "inputs")]
        lines += ["by:", *listed((c for c in self.causes if c.place.op not in _LEAVES), "operations", shown=20)]
        if self.left_out:
            lines.append(f"  {self.left_out} values of less influence are left out")
        if self.decisions:
            lines += ["the way there was decided by:", *listed(self.decisions, "comparisons")]
        return "\n".join(lines)


def why(
    columns: Columns,
    node: int,
    element: Any,
    adjoints: Mapping[int, Any] | None,
    note: str,
    least: float,
    *,
    is_result: bool,
) -> Why:
    """The history of one value, a result's with all tests up to the function's end. Linear in the trace."""
    z = columns.value[node]
    size = numbers.size_of(z if element is None else z[element])
    marked = adjoint.ancestors(columns, [node])
    inside = [i for i in range(node) if marked[i] and columns.op[i] != "const"]
    influence: dict[int, float] = {}
    if adjoints is not None:
        influence = _influence(columns, inside, adjoints, size)
        if not size:
            most = max((much for i, much in influence.items() if math.isfinite(much) and i != node), default=0.0)
            influence = {i: much / most if most else 0.0 for i, much in influence.items()}
            note = note or "the value is 0: influences are shares of the largest"
        kept = [i for i in inside if influence[i] >= least]
    else:
        kept = inside
    places = Places(columns)
    if not any(columns.op[i] == "input" for i in kept):  # a value has to come from somewhere
        kept += [i for i in inside if columns.op[i] == "input"]
    ranked = sorted(kept, key=lambda i: -influence.get(i, 0.0))
    leaves = [i for i in ranked if columns.op[i] == "input"][:_MOST]
    shown = sorted({*ranked[:_MOST], *leaves})
    causes = [Cause(i, influence.get(i), _elements(adjoints, i), places(i)) for i in shown]
    inputs = sorted((c for c in causes if c.place.op == "input"), key=lambda c: -(c.influence or 0.0))
    labels = {i: f"influence {influence[i]:.2%}" for i in shown if i in influence}
    decisions = tuple(_decisions(places, node, marked, len(columns) if is_result else node))
    colours = {d.node: (_DECIDED, "decided the way") for d in decisions}
    colours |= graded({i: influence.get(i, 1.0) for i in shown}, labels)
    return Why(
        node, element, places(node), tuple(causes), tuple(inputs), len(inside) - len(shown), decisions, note, colours
    )


#: The shade of tests.
_DECIDED = 0.3
#: Causes that are explained.
_MOST = 200


def _influence(columns: Columns, inside: list[int], adjoints: Mapping[int, Any], size: float) -> dict[int, float]:
    column = getattr(adjoints, "column", None)
    if column is not None:  # all values are plain numbers
        values, _ = plain_values(columns.value)
        with np.errstate(all="ignore"):
            weights = np.abs(column * values) / (size or 1.0)
        return dict(zip(inside, np.where(np.isnan(weights), math.inf, weights)[inside].tolist(), strict=True))
    found: dict[int, float] = {}
    for i in inside:
        weight = adjoints.get(i, 0.0)
        value = columns.value[i]
        try:
            with np.errstate(all="ignore"):
                much = (
                    float(np.sum(np.abs(np.asarray(weight) * value))) if np.ndim(value) else float(abs(weight * value))
                )
        except (TypeError, ValueError, OverflowError):
            much = math.nan
        found[i] = math.inf if math.isnan(much) else much / (size or 1.0)
    return found


def _elements(adjoints: Mapping[int, Any] | None, node: int) -> tuple[tuple[int, ...], ...]:
    weight = None if adjoints is None else adjoints.get(node)
    if not isinstance(weight, np.ndarray) or weight.ndim == 0 or np.count_nonzero(weight) == weight.size:
        return ()
    return tuple(tuple(int(i) for i in index) for index in np.argwhere(weight)[:20])


def _decisions(places: Places, node: int, marked: bytearray, end: int) -> list[Decision]:
    """Tests before an end, in the activations that what a node comes from was computed in, that decided the way."""
    columns = places.columns
    inside = [i for i in range(node + 1) if marked[i]]
    control = Control(
        {columns.site[i] for i in inside}, {name for i in inside if (name := columns.name[i]) is not None}
    )
    takes_part = _taking_part(columns, inside, control)
    verdicts: dict[tuple[int, bool], bool] = {}
    groups: dict[tuple[int, bool], list[int]] = {}
    for i, kind in enumerate(columns.kind[:end]):
        value = columns.value[i]
        is_test = type(value) in _TRUTHS
        decided = verdicts.get((kind, is_test))
        if decided is None:
            is_operation = columns.op[i] not in _LEAVES
            decided = verdicts[kind, is_test] = is_operation and control.decided(columns.site[i], is_test=is_test)
        if decided and takes_part[columns.activation[i]] and np.ndim(value) == 0:
            groups.setdefault((places.expressions[kind], bool(value)), []).append(i)
    found = []
    for (_, outcome), nodes in groups.items():
        margins = [_margin(columns, i) for i in nodes]
        best = min(range(len(nodes)), key=lambda k: (math.inf if margins[k] is None else margins[k], -k))
        found.append(Decision(nodes[best], outcome, margins[best], len(nodes), places(nodes[best])))
    return sorted(found, key=lambda d: (d.margin is None, d.margin))


def _taking_part(columns: Columns, inside: list[int], control: Control) -> list[bool]:
    """For each activation whether some of the nodes were computed in it or below it, or it may have picked from them."""
    found = [False] * len(columns.activations)
    for i in inside:
        call: int | None = columns.activation[i]
        while call is not None and not found[call]:
            found[call] = True
            call = columns.activations[call].caller
    computed = found[:]
    for activation in columns.activations:  # callers are before those they call
        caller = activation.caller
        if caller is not None and found[caller] and not found[activation.index]:
            is_asked = computed[caller]
            found[activation.index] = not is_asked or control.called(
                columns.activations[caller].function, activation.function
            )
    return found


def _margin(columns: Columns, node: int) -> float | None:
    if columns.op[node] not in _COMPARISONS:
        return None
    values = [columns.value[o] for o in columns.operands(node)]
    try:
        x, y = (float(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    largest = max(abs(x), abs(y))
    return abs(x - y) / largest if largest and math.isfinite(largest) else math.inf if largest else 0.0


def seed_of(value: Any, element: Any) -> Any:
    """The seed that picks one value or one element of an array. Raises TraceError for an index out of it."""
    if np.ndim(value) == 0:
        if element is not None:
            raise TraceError(f"element={element!r}: the value is a lone number")
        return 1.0 if isinstance(value, float) else 1
    if element is None:
        raise TraceError(f"the value is an array of shape {np.shape(value)}: say which element=…")
    seed = np.zeros(np.shape(value))
    try:
        seed[element] = 1.0
    except IndexError:
        raise TraceError(f"element={element!r} is not in an array of shape {np.shape(value)}") from None
    return seed
