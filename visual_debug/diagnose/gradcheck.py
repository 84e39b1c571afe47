"""Every operation's derivative against differences of the operation itself, so that a wrong rule is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug import rules
from visual_debug.columns import Columns
from visual_debug.diagnose import lifted, numbers
from visual_debug.diagnose.places import Place, Places, listed
from visual_debug.errors import NoDerivativeError
from visual_debug.rules.base import MissingPartial
from visual_debug.rules.scalar import STEPS
from visual_debug.sweeps import adjoint

#: Evaluations of one expression that are checked.
_EACH = 3


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A rule whose derivative is not that of the operation: which operand and element, and both numbers."""

    node: int
    op: str
    position: int
    element: tuple[int, ...]
    analytic: float
    numerical: float
    place: Place

    def __str__(self) -> str:
        at = f", element {list(self.element)}" if self.element else ""
        return (
            f"the rule of {self.op} says {self.analytic:.9g} for operand {self.position}{at}, differences say "
            f"{self.numerical:.9g}: {self.place}"
        )


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """Disagreements, how many derivatives were checked, and which operations could not be."""

    wrong: tuple[Disagreement, ...]
    checked: int
    skipped: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no rule disagreed."""
        return not self.wrong

    def __str__(self) -> str:
        lines = [f"{self.checked} derivatives checked, {len(self.wrong)} disagree with differences"]
        lines += listed(self.wrong, "derivatives")
        if self.skipped:
            lines.append(f"not checked: {', '.join(self.skipped)}")
        return "\n".join(lines)


def check(columns: Columns, needed: bytearray, tolerance: float) -> GradientCheck:
    """Check up to three evaluations of every expression, three elements of every operand."""
    wrong: list[Disagreement] = []
    skipped: dict[str, None] = {}
    seen: dict[tuple[Any, str], int] = {}
    checked = 0
    places = Places(columns)
    for node in range(len(columns)):
        op = columns.op[node]
        key = columns.site[node], op
        if op in ("input", "const") or not needed[node] or seen.get(key, 0) >= _EACH:
            continue
        seen[key] = seen.get(key, 0) + 1
        if not _is_real(columns.value[node]):
            continue
        function = lifted.native(op)
        if function is None:
            skipped[op] = None
            continue
        for position, operand in enumerate(columns.operands(node)):
            if not _is_real(columns.value[operand]):
                continue
            for element in _elements(columns.value[operand]):
                found = _compare(columns, node, position, element, function)
                if found is None:
                    skipped[op] = None
                    continue
                analytic, numerical, doubt = found
                checked += 1
                if abs(analytic - numerical) > tolerance * max(abs(analytic), abs(numerical)) + doubt:
                    wrong.append(Disagreement(node, op, position, element, analytic, numerical, places(node)))
    return GradientCheck(tuple(wrong), checked, tuple(skipped))


def _is_real(value: Any) -> bool:
    return numbers.format_of(value) is not None and not np.iscomplexobj(value) and not numbers.any_nonfinite(value)


def _elements(value: Any) -> list[tuple[int, ...]]:
    shape = np.shape(value)
    if shape == ():
        return [()]
    count = int(np.prod(shape))
    chosen = sorted({0, count // 2, count - 1}) if count else []
    return [tuple(int(i) for i in np.unravel_index(k, shape)) for k in chosen]


def _compare(
    columns: Columns, node: int, position: int, element: tuple[int, ...], function: Any
) -> tuple[float, float, float] | None:
    """The derivative of the sum of the result, weighted unevenly, by the rule and by differences, and what these are
    uncertain by; None at a kink, or where one of them cannot be had."""
    rule = rules.find(columns.op[node])
    if rule is not None and rule.note == STEPS:
        return None  # differences would step over the jumps, as of round(x, 2) at a large x
    z, operand = columns.value[node], columns.operands(node)[position]
    x = columns.value[operand]
    weights = np.cos(np.arange(np.size(z))).reshape(np.shape(z)) if np.shape(z) else 1.0
    try:
        pulled = adjoint.pull(columns, node, position, weights)
    except (MissingPartial, NoDerivativeError):
        return None
    analytic = float(np.asarray(pulled)[element]) if np.shape(pulled) == np.shape(x) else float("nan")
    form = numbers.format_of(x)
    here = float(np.asarray(x)[element])
    assert form is not None
    step = max(abs(here), 1e-3) * 2.0 ** (-form.precision // 3)

    def at(value: float) -> float:
        args, kwargs, where = columns.arguments(node)
        changed: Any = value if element == () else np.array(x, copy=True)
        if element != ():
            changed[element] = value
        elif type(x) is not float:
            changed = np.asarray(value, dtype=x.dtype)[()]
        spot = where[position]
        if not isinstance(spot, int):
            raise NotImplementedError
        new = list(args)
        new[spot] = changed
        with np.errstate(all="ignore"):
            return float(np.sum(np.asarray(function(*new, **kwargs)) * weights))

    try:
        high, middle, low = at(here + step), at(here), at(here - step)
        wide = (at(here + 2 * step) - at(here - 2 * step)) / (4 * step)
    except (ArithmeticError, ValueError, TypeError, NotImplementedError):
        return None
    central = (high - low) / (2 * step)
    right, left = (high - middle) / step, (middle - low) / step
    numerical = central + (central - wide) / 3
    scale = max(abs(middle), abs(high), abs(low)) * 2.0 ** (2 - form.precision) / step
    if not np.isfinite([numerical, analytic]).all():
        return None
    if abs(right - left) > 0.01 * max(abs(right), abs(left)) + 10 * scale:
        return None  # a kink, or too steep for differences
    return analytic, numerical, 10 * scale + 4 * abs(central - wide)
