"""NaNs and infinities that are born in the reverse pass: the edge, why, and the guard to write."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.places import Place, Places, written
from visual_debug.diagnose.systems import base_name
from visual_debug.errors import NoDerivativeError
from visual_debug.numeric import Floats, view
from visual_debug.rules.names import canonical
from visual_debug.sweeps import adjoint, partials, sweep


@dataclass(frozen=True, slots=True)
class BadGradient:
    """A NaN or infinity that was born in the reverse pass, at one edge.

    Attributes:
        node: the operation whose pullback made it.
        operand: the node that it was sent to.
        kind: `0 * inf`, `infinite derivative`, `undefined derivative` or `overflow`.
        adjoint: what the operation got, at that element.
        partial: its derivative there; None where that is no number per element.
        element: index into the operand, () for a lone number.
        masked: the `where` that did not take this branch there, if there is one.
        guard: what to write instead.
        place: the operation.

    """

    node: int
    operand: int
    kind: str
    adjoint: Any
    partial: Any
    element: tuple[int, ...]
    masked: Place | None
    guard: str
    place: Place

    def __str__(self) -> str:
        at = f" at element {list(self.element)}" if self.element else ""
        what = {
            "0 * inf": f"0 * inf: the adjoint is {written(self.adjoint)}, the derivative is {written(self.partial)}",
            "infinite derivative": f"infinite derivative: {written(self.partial)}",
        }.get(self.kind, self.kind)
        lines = [f"{what}{at}: {self.place}"]
        if self.masked is not None:
            lines.append(
                f"      its branch was not taken there by {self.masked.file}:{self.masked.line}: `{self.masked.text}`"
            )
        return "\n".join([*lines, f"      {self.guard}"])


#: The operation, which operand, the operand's node, and what was sent to it.
Birth = tuple[int, int, int, Any]


def of_sweep(columns: Columns, seeds: Mapping[int, Any]) -> tuple[Mapping[int, Any], list[Birth], str | None]:
    """The adjoints, the edges at which something not finite was born, in the order of the sweep, and why that stopped."""
    found = sweep.by_columns(columns, seeds)
    if found is not None:
        return found, _of_columns(columns, found.column), None
    adjoints: dict[int, Any] = {}
    born: list[Birth] = []
    try:
        born.extend(_of_edges(columns, seeds, adjoints))
    except NoDerivativeError as error:
        return adjoints, born, str(error)
    return adjoints, born, None


def _of_edges(columns: Columns, seeds: Mapping[int, Any], adjoints: dict[int, Any]) -> Iterator[Birth]:
    """Sweep edge by edge, filling `adjoints`. Raises NoDerivativeError as `adjoint.reverse` does."""
    for node, position, operand, value in adjoint.reverse(columns, seeds, adjoints):
        if type(value) is float:
            delta = adjoints[node]
            if value - value != 0 and (not numbers.any_nonfinite(delta) or _turned(value, delta)):
                yield node, position, operand, value
        elif numbers.any_nonfinite(value) and _is_new(value, adjoints[node]):
            yield node, position, operand, value


def _of_columns(columns: Columns, adjoints: Floats) -> list[Birth]:
    """The same edges where all values and partials are finite: there only products of large numbers can overflow."""
    if np.isfinite(adjoints).all():
        return []
    slopes = partials.partials(columns)
    assert slopes is not None
    start = view(columns.start)
    owner = np.repeat(np.arange(len(columns), dtype=np.int32), start[1:] - start[:-1])
    with np.errstate(all="ignore"):
        sent = adjoints[owner] * slopes.value
    delta = adjoints[owner]
    is_born = ~np.isfinite(sent) & (np.isfinite(delta) | (np.isnan(sent) & np.isinf(delta))) & ~slopes.void
    edges = np.flatnonzero(is_born)[::-1].tolist()
    return [(int(owner[k]), k - columns.start[owner[k]], columns.operand[k], float(sent[k])) for k in edges]


def _is_new(value: Any, delta: Any) -> bool:
    """Whether something that is not finite is there that the adjoint of the operation did not have."""
    before = numbers.nonfinite(delta)
    if not np.any(before):
        return True
    after = numbers.nonfinite(value)
    try:
        return bool(np.any(after & ~np.broadcast_to(before, np.shape(after))))
    except (ValueError, TypeError):
        return False


def _turned(value: float, delta: Any) -> bool:
    """Whether an infinite adjoint was made a NaN of."""
    return math.isnan(value) and type(delta) is float and math.isinf(delta)


def explained(
    places: Places,
    consumers: Consumers,
    adjoints: Mapping[int, Any],
    node: int,
    position: int,
    operand: int,
    value: Any,
) -> BadGradient:
    columns = places.columns
    delta, slope = adjoints[node], adjoint.partial(columns, node, position)
    element: tuple[int, ...] = ()
    if isinstance(value, np.ndarray) and value.ndim:
        fresh = numbers.nonfinite(value)
        if np.shape(delta) == np.shape(value):
            fresh = fresh & ~numbers.nonfinite(delta)
        element = tuple(int(i) for i in np.argwhere(fresh)[0])
        delta = np.asarray(delta)[element] if np.shape(delta) == np.shape(value) else delta
        slope = np.asarray(slope)[element] if np.shape(slope) == np.shape(value) else slope
    lone = slope is not None and np.ndim(slope) == 0
    if lone and numbers.is_infinite(slope):
        kind = "0 * inf" if np.ndim(delta) == 0 and delta == 0 else "infinite derivative"
    elif np.ndim(delta) == 0 and numbers.is_infinite(delta) and lone and slope == 0:
        kind = "0 * inf"
    elif lone and numbers.any_nan(slope):
        kind = "undefined derivative"
    else:
        kind = "overflow" if not numbers.any_nan(value) else "undefined derivative"
    masked = consumers.mask(node, element)
    guard = _guard(columns, node, operand, masked)
    if kind == "0 * inf" and lone and slope == 0:
        guard = "its adjoint is infinite already: what made it so is the cause"
    return BadGradient(
        node, operand, kind, delta, slope, element, None if masked is None else places(masked), guard, places(node)
    )


def _guard(columns: Columns, node: int, operand: int, masked: int | None) -> str:
    """What to write so that the derivative stays finite."""
    text = " ".join(columns.site[operand].text.split()) or columns.name[operand] or "the operand"
    if columns.op[operand] == "input":
        text = columns.name[operand] or text
    if masked is not None:
        condition = _first_argument(columns.site[masked].text)
        inside = _branch_of(columns, node, masked)
        test = condition if inside != 2 else f"~({condition})"
        return (
            f"guard the input, not the result: use np.where({test}, {text}, 1.0) in place of {text} in "
            f"`{' '.join(columns.site[node].text.split())}`"
        )
    base = base_name(canonical(columns.op[node]))
    return {
        "sqrt": f"the root's slope is infinite at 0: treat {text} == 0 apart, or add a small number under the root",
        "log": f"treat {text} == 0 apart, or add a small number",
        "pow": f"the power's slope is infinite at 0: treat {text} == 0 apart",
        "truediv": "treat a divisor of 0 apart, before the division",
    }.get(base, f"treat {text} = {columns.value[operand]!r} apart, before the operation"[:200])


def _first_argument(text: str) -> str:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return "condition"
    if isinstance(tree, ast.Call) and tree.args:
        return ast.unparse(tree.args[0])
    return "condition"


def _branch_of(columns: Columns, node: int, masked: int) -> int:
    """Which argument of a `where` a node's value came in by: 1 or 2, 0 if that cannot be told."""
    for position in (1, 2):
        operands = [
            o for o, w in zip(columns.operands(masked), columns.arguments(masked)[2], strict=True) if w == position
        ]
        if operands and adjoint.ancestors(columns, operands)[node]:
            return position
    return 0


class Consumers:
    """Which operations use a node's value; made when first asked for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._users: dict[int, list[int]] | None = None

    def users(self, node: int) -> list[int]:
        """The operations that have the node as an operand."""
        if self._users is None:
            self._users = {}
            for user in range(len(self.columns)):
                for operand in self.columns.operands(user):
                    self._users.setdefault(operand, []).append(user)
        return self._users.get(node, [])

    def mask(self, node: int, element: tuple[int, ...]) -> int | None:
        """The `where` further on that did not take this node's branch (at that element)."""
        if "numpy.where" not in self.columns.op.entries:
            return None
        seen, work = {node}, [node]
        while work and len(seen) < _NEARBY:
            current = work.pop(0)
            for user in self.users(current):
                if self.columns.op[user] == "numpy.where" and self._masks(user, current, element):
                    return user
                if user not in seen:
                    seen.add(user)
                    work.append(user)
        return None

    def _masks(self, where: int, operand: int, element: tuple[int, ...]) -> bool:
        args, _, positions = self.columns.arguments(where)
        if len(args) != 3:
            return False
        condition = np.asarray(args[0], dtype=bool)
        for o, position in zip(self.columns.operands(where), positions, strict=True):
            if o == operand and position in (1, 2):
                shaped = np.broadcast_to(condition, np.shape(self.columns.value[where]))
                taken = shaped[element] if len(element) == shaped.ndim else shaped
                return not bool(np.any(taken if position == 1 else ~taken))
        return False


#: How many operations are looked through for a `where`.
_NEARBY = 200
