"""NaNs and infinities that are born in the reverse pass: the edge, why, and the guard to write."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.places import Place, Places, number_text, written
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
        kind: `0 * inf`, `infinite derivative`, `undefined derivative`, `overflow`, or `the value is not finite`, before
            any gradient is taken.
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
    """The adjoints, the edges at which something not finite was born, in the order of the sweep, and why that stopped.

    What is sent to constants is left out: no gradient is made of it.
    """
    found = sweep.by_columns(columns, seeds)
    adjoints: Mapping[int, Any]
    stopped = None
    if found is not None:
        adjoints, born = found, _of_columns(columns, found.column)
    else:
        adjoints, born = {}, []
        try:
            born.extend(_of_edges(columns, seeds, adjoints))
        except NoDerivativeError as error:
            stopped = str(error)
    active = adjoint.dependents(columns, adjoint.inputs_of(columns)) if born else bytearray()
    return adjoints, [birth for birth in born if active[birth[2]]], stopped


def _of_edges(columns: Columns, seeds: Mapping[int, Any], adjoints: dict[int, Any]) -> Iterator[Birth]:
    """Sweep edge by edge, filling `adjoints`. Raises NoDerivativeError as `adjoint.reverse` does."""
    for node, position, operand, value in adjoint.reverse(columns, seeds, adjoints):
        if type(value) is float and value - value == 0:
            continue
        if np.any(_fresh(value, adjoints[node])):
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


def _fresh(value: Any, delta: Any) -> Any:
    """Where something is not finite that the adjoint of the operation did not have: a bool, or one per element."""
    after, before = numbers.nonfinite(value), numbers.nonfinite(delta)
    if np.shape(after) == np.shape(before):
        return after & np.logical_not(before) | (_nan(value) & ~_nan(delta))
    if not np.any(before):
        return after
    # Of other shapes it cannot be told by element: but no NaN is made of infinities that are passed on.
    return _nan(value) if not np.any(_nan(delta)) else np.zeros(np.shape(after), np.bool_)


def _nan(value: Any) -> Any:
    """Where a value is NaN: a bool, or one per element."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return np.isnan(value)
    return np.bool_(numbers.any_nan(value))


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
    x, z = columns.value[operand], columns.value[node]
    element: tuple[int, ...] = ()
    if isinstance(value, np.ndarray) and value.ndim:
        fresh = np.argwhere(_fresh(value, delta))
        element = tuple(int(i) for i in fresh[0])
        delta, slope, x, z = (_at(part, element, value) for part in (delta, slope, x, z))
    lone = slope is not None and np.ndim(slope) == 0
    if lone and numbers.is_infinite(slope):
        kind = "0 * inf" if np.ndim(delta) == 0 and delta == 0 else "infinite derivative"
        small = _at(columns.value[_basis(columns, node, operand)], element, value)
        if np.ndim(small) == 0 and small != 0 and not numbers.any_nonfinite(small) and not numbers.any_nonfinite(z):
            kind = "overflow" if kind != "0 * inf" and base_name(canonical(columns.op[node])) in _BASIS else kind
    elif np.ndim(delta) == 0 and numbers.is_infinite(delta) and lone and slope == 0:
        kind = "0 * inf"
    elif numbers.any_nan(x) or numbers.any_nan(z):
        kind = "the value is not finite"
    elif numbers.any_nan(slope if lone else value):
        kind = "undefined derivative"
    else:
        kind = "overflow"
    masked = consumers.mask(node, element)
    if kind == "0 * inf" and lone and slope == 0:
        guard = "its adjoint is infinite already: what made it so is the cause"
    elif kind == "the value is not finite" and masked is None:
        guard = "it is NaN before any gradient is taken: nonfinite() tells where that comes from"
    else:
        guard = _guard(columns, node, operand, x, masked)
    if kind == "overflow" and lone and numbers.is_infinite(slope):
        guard = (
            f"the derivative is too large for a float, with {_text(columns, _basis(columns, node, operand))} so small"
        )
    elif kind == "overflow":
        guard = "the product of the derivatives up to here is too large for a float: rescale the computation"
    if kind == "0 * inf" and masked is None and np.ndim(delta) == 0 and delta == 0:
        guard += "; a factor of 0 afterwards does not undo it"
    return BadGradient(
        node, operand, kind, delta, slope, element, None if masked is None else places(masked), guard, places(node)
    )


#: Which operand has to be near 0 for a derivative to be large, whichever operand is asked of.
_BASIS = {"pow": 0, "truediv": -1}


def _basis(columns: Columns, node: int, operand: int) -> int:
    place = _BASIS.get(base_name(canonical(columns.op[node])))
    return operand if place is None else columns.operands(node)[place]


def _at(part: Any, element: tuple[int, ...], like: Any) -> Any:
    """An element of what has the shape of another array; anything else as it is."""
    return np.asarray(part)[element] if element and np.shape(part) == np.shape(like) else part


def _guard(columns: Columns, node: int, operand: int, x: Any, masked: int | None) -> str:
    """What to write so that the derivative stays finite."""
    base = base_name(canonical(columns.op[node]))
    text = _text(columns, _basis(columns, node, operand))
    if masked is not None:
        condition = _first_argument(columns.site[masked].text)
        inside = _branch_of(columns, node, masked)
        test = condition if inside != 2 else f"~({condition})"
        return (
            f"guard the input, not the result: use np.where({test}, {text}, {_HARMLESS.get(base, 1.0)}) in place of "
            f"{text} in `{' '.join(columns.site[node].text.split())}`"
        )
    return {
        "sqrt": f"the root's slope is infinite at 0: treat {text} == 0 apart, or add a small number under the root",
        "log": f"treat {text} == 0 apart, or add a small number",
        "pow": f"the power's slope is infinite at 0: treat {text} == 0 apart",
        "truediv": f"treat {text} == 0 apart, before the division",
        "acos": f"the slope is infinite at 1 and -1: keep {text} a little inside, or treat the ends apart",
        "asin": f"the slope is infinite at 1 and -1: keep {text} a little inside, or treat the ends apart",
        "atan2": "the angle of the origin has no derivative: treat it apart",
        "hypot": "the distance has no derivative at the origin: treat it apart",
        "numpy.linalg.norm": f"the norm has no derivative at 0: treat {text} == 0 apart",
    }.get(base, f"treat {text} = {number_text(x)} apart, before the operation")


#: A value at which a function has a finite slope, where that is not so of 1.
_HARMLESS = {"acos": 0.5, "asin": 0.5, "atanh": 0.5, "acosh": 2.0}


def _text(columns: Columns, node: int) -> str:
    if columns.op[node] == "input" and columns.name[node]:
        return str(columns.name[node])
    return " ".join(columns.site[node].text.split()) or columns.name[node] or "the operand"


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
