"""Partials of all operations of a scalar trace at once: each rule's formula evaluated on whole columns.

What has no formula, or where a formula is not finite, is asked of the rule itself, one by one. Where that leaves any
doubt there is no answer: then the sweep goes node by node, which knows every corner.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from visual_debug import rules
from visual_debug.columns import Columns
from visual_debug.errors import NoDerivativeError
from visual_debug.numeric import PLAIN, Floats, Numbers, Truths, plain_values, view
from visual_debug.sweeps import adjoint
from visual_debug.sweeps.runs import LEAST_TURNS

#: Integers beyond this are not all floats.
_EXACT = 2.0**53
#: Nodes whose columns fit into the processor's cache together.
_PORTION = 2**14
#: Fewer nodes at a time are not worth a formula's overhead, wherever they lie.
_LEAST = 2**11
#: Formulas have up to three operands.
_MOST = 3


class Partials(NamedTuple):
    """Of every operand d node / d operand, and where that is 0 whatever the values are; both of shape (operands,).

    `unknown` are operands that are constant and have no derivative, with 0 in place of it. Where the rule was asked
    itself and said 0, `is_sure` is False: it may be a 0 of the one or of the other kind.
    """

    value: Floats
    void: Truths
    unknown: list[int]
    is_sure: bool


def partials(columns: Columns) -> Partials | None:
    """The partials of a trace of plain numbers.

    None if some value is no float or int, or some partial is no finite number.
    """
    values, plain = plain_values(columns.value)
    if plain is not None:
        return None
    kinds = _Kinds(columns, values)
    if not kinds.is_exact:
        return None
    found = np.zeros(len(columns.operand))
    void = np.zeros(len(found), np.bool_)
    slow: list[Numbers] = []
    with np.errstate(all="ignore"):
        for op, nodes in kinds.groups():
            if not _by_formula(columns, kinds, op, nodes, values, found, void):
                slow.append(nodes)
    odd = np.concatenate([
        low + np.flatnonzero(~np.isfinite(found[low : low + _PORTION])) for low in range(0, max(len(found), 1), _PORTION)
    ])  # fmt: skip
    if len(odd):
        found[odd] = 0.0
        slow.append(np.searchsorted(view(columns.start), odd, side="right").astype(np.int32) - 1)
    asked = _one_by_one(columns, slow, found)
    if asked is None:
        return None
    unknown, is_sure = asked
    void[unknown] = True
    return Partials(found, void, unknown, is_sure)


class _Kinds:
    """Which nodes are of one operation, and which values are no floats."""

    def __init__(self, columns: Columns, values: Floats) -> None:
        self.columns = columns
        whole = np.concatenate([
            low + np.flatnonzero(values[low : low + _PORTION] == np.rint(values[low : low + _PORTION]))
            for low in range(0, len(values), _PORTION)
        ])  # fmt: skip
        types = [type(columns.value[node]) for node in whole.tolist()]
        ints = whole[np.fromiter((kind is not float for kind in types), np.bool_, len(types))]
        self.is_exact = bool((np.abs(values[ints]) <= _EXACT).all())
        self.integer = np.zeros(len(values), np.bool_)  # ints and bools
        self.integer[ints] = True
        self.truth = np.zeros(len(values), np.bool_)
        self.truth[whole[np.fromiter((kind is bool for kind in types), np.bool_, len(types))]] = True

    def groups(self) -> Iterator[tuple[str, Numbers]]:
        """Operations and the nodes of each that have equally many operands, and no call or one alike, in portions."""
        columns = self.columns
        left = np.ones(len(columns), np.bool_)
        for first, period, turns in columns.runs:
            if not self._repeats(first, period, turns):
                continue
            left[first : first + period * turns] = False
            places = [node for node in range(first, first + period) if columns.start[node + 1] > columns.start[node]]
            portion = max(_PORTION // period, _LEAST)
            for low in range(0, turns, portion):
                ahead = period * np.arange(low, min(low + portion, turns), dtype=np.int32)
                for node in places:
                    yield columns.op[node], node + ahead
        for nodes in self._alike(np.flatnonzero(left).astype(np.int32)):
            op = columns.op[int(nodes[0])]
            for low in range(0, len(nodes), _PORTION):
                yield op, nodes[low : low + _PORTION]

    def _repeats(self, first: int, period: int, turns: int) -> bool:
        """Whether a run is one: operations, numbers of operands and calls are the same in every turn."""
        columns = self.columns
        stop = first + period * turns
        if turns < LEAST_TURNS or stop > len(columns):
            return False
        kind, start = view(columns.kind), view(columns.start)
        for low in range(first, stop, max(_PORTION // period, 1) * period):
            high = min(low + max(_PORTION // period, 1) * period, stop)
            sizes = start[low + 1 : high + 1] - start[low:high]
            if (
                sizes.reshape(-1, period) != start[first + 1 : first + period + 1] - start[first : first + period]
            ).any():
                return False
            if (kind[low:high].reshape(-1, period) != kind[first : first + period]).any():
                return False
        if not columns.calls:
            return True
        calls = columns.calls
        for node in range(first, first + period):
            each = map(calls.get, range(node, stop, period))
            call = calls.get(node)
            if call is None:
                if any(other is not None for other in each):
                    return False
            elif not all(other is call for other in each):
                return False
        return True

    def _alike(self, nodes: Numbers) -> list[Numbers]:
        """Some nodes with operands, sorted by operation, number of operands and form of the call."""
        columns = self.columns
        if not len(nodes):
            return []
        start = view(columns.start)
        names: dict[str, int] = {}
        by_kind = np.array([names.setdefault(op, len(names)) for op in columns.op.entries] or [0], np.int32)
        sizes = start[nodes + 1] - start[nodes]
        key = by_kind[view(columns.kind)[nodes]] * (_MOST + 2) + np.minimum(sizes, _MOST + 1)
        if columns.calls:
            shapes: dict[Any, int] = {}
            called = np.zeros(len(columns), np.int32)
            with_call = np.fromiter(columns.calls, np.int32, len(columns.calls))
            codes = (shapes.setdefault(_shape(call), len(shapes) + 1) for call in columns.calls.values())
            called[with_call] = np.fromiter(codes, np.int32, len(columns.calls))
            key = key + called[nodes] * (len(names) * (_MOST + 2))
        key[sizes == 0] = -1
        if int(key.max(initial=0)) < 2**15:
            key = key.astype(np.int16)
        order = np.argsort(key, kind="stable")
        ends = np.flatnonzero(np.diff(key[order])) + 1
        return [nodes[part] for part in np.split(order, ends) if len(part) and sizes[part[0]]]


def _shape(call: Any) -> Any:
    """What calls have in common that one formula can be evaluated for: the form, and what is no operand."""
    if call.kwargs or any(type(where) is not int for where in call.where):
        return None
    rest = tuple((i, type(arg), repr(arg)) for i, arg in enumerate(call.args) if i not in call.where)
    return (call.where, len(call.args), rest) if all(kind in PLAIN for _, kind, _ in rest) else None


def _by_formula(
    columns: Columns, kinds: _Kinds, op: str, nodes: Numbers, values: Floats, found: Floats, void: Truths
) -> bool:
    """Evaluate the partials of some nodes of one operation; False if it has no formulas for them."""
    rule = rules.find(op)
    call = columns.calls.get(int(nodes[0]))
    start = view(columns.start)
    first = start[nodes]
    count = int(start[nodes[0] + 1]) - int(first[0])
    wheres: Any = tuple(range(count)) if call is None else call.where
    arity = count if call is None else len(call.args)
    if not isinstance(rule, rules.FormulaRule) or arity > _MOST:
        return False
    if call is not None and _shape(call) is None:
        return False
    formulas = rule.partials(arity)
    if any(where >= len(formulas) or not isinstance(formulas[where], rules.Formula) for where in wheres):
        return False
    operand = view(columns.operand)
    places = [first + position for position in range(count)]
    operands = [operand[place] for place in places]
    args: list[Any] = (
        [None] * count if call is None else [float(arg) if type(arg) in PLAIN else arg for arg in call.args]
    )
    for where, nodes_of in zip(wheres, operands, strict=True):
        args[where] = values[nodes_of]
    z = values[nodes]
    steps = kinds.integer[nodes]
    has_steps = bool(steps.any())
    for where, place, nodes_of in zip(wheres, places, operands, strict=True):
        formula = formulas[where]
        assert isinstance(formula, rules.Formula)
        if formula.constant == 0:
            void[place] = True
            continue
        try:
            slope = formula(z, tuple(args))
        except ValueError:
            return False
        if has_steps:  # what yields truth values, or integers from floats, is constant between jumps
            flat = kinds.truth[nodes] | (steps & ~kinds.integer[nodes_of])
            void[place] = flat
            slope = np.where(flat, 0.0, slope)
        found[place] = slope
    return True


def _one_by_one(columns: Columns, slow: list[Numbers], found: Floats) -> tuple[list[int], bool] | None:
    """Ask the rules of some nodes; returns `unknown` and `is_sure`, or None if a partial is no finite number."""
    active: bytearray | None = None
    unknown: list[int] = []
    is_sure = True
    for node in np.unique(np.concatenate(slow)).tolist() if slow else ():
        try:
            slopes = adjoint.pull_each(columns, node, 1.0)
        except NoDerivativeError:
            return None
        for k, slope in enumerate(slopes, columns.start[node]):
            if isinstance(slope, rules.MissingPartial):
                active = adjoint.dependents(columns, adjoint.inputs_of(columns)) if active is None else active
                if active[columns.operand[k]]:
                    return None
                unknown.append(k)
                continue
            if type(slope) not in PLAIN or slope - slope != 0:
                return None
            found[k] = slope
            is_sure = is_sure and slope != 0
    return unknown, is_sure
