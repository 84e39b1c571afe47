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

#: Integers beyond this are not all floats.
_EXACT = 2.0**53
#: Nodes whose columns fit into the processor's cache together.
_PORTION = 2**14
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
    odd = ~np.isfinite(found)
    found[odd] = 0.0
    if odd.any():
        slow.append(np.searchsorted(view(columns.start), np.flatnonzero(odd), side="right").astype(np.int32) - 1)
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
        whole = np.flatnonzero(values == np.rint(values))
        types = [type(columns.value[node]) for node in whole.tolist()]
        ints = whole[np.fromiter((kind is not float for kind in types), np.bool_, len(types))]
        self.is_exact = bool((np.abs(values[ints]) <= _EXACT).all())
        self.integer = np.zeros(len(values), np.bool_)  # ints and bools
        self.integer[ints] = True
        self.truth = np.zeros(len(values), np.bool_)
        self.truth[whole[np.fromiter((kind is bool for kind in types), np.bool_, len(types))]] = True

    def groups(self) -> Iterator[tuple[str, Numbers]]:
        """Operations and the nodes of each that have equally many operands, and no call or one alike."""
        columns = self.columns
        names: dict[str, int] = {}
        by_kind = np.array([names.setdefault(op, len(names)) for op in columns.op.entries] or [0], np.int32)
        sizes = np.diff(view(columns.start))
        key = by_kind[view(columns.kind)] * (_MOST + 2) + np.minimum(sizes, _MOST + 1)
        shapes: dict[Any, int] = {}
        called = np.zeros(len(columns), np.int32)
        if columns.calls:
            with_call = np.fromiter(columns.calls, np.int32, len(columns.calls))
            codes = (shapes.setdefault(_shape(call), len(shapes) + 1) for call in columns.calls.values())
            called[with_call] = np.fromiter(codes, np.int32, len(columns.calls))
        key = key + called * (len(names) * (_MOST + 2))
        key[sizes == 0] = -1
        if int(key.max(initial=0)) < 2**15:
            key = key.astype(np.int16)
        order: Numbers = np.argsort(key, kind="stable").astype(np.int32)
        ends = np.flatnonzero(np.diff(key[order])) + 1
        for nodes in np.split(order, ends):
            if len(nodes) and sizes[nodes[0]]:
                op = columns.op[int(nodes[0])]
                for low in range(0, len(nodes), _PORTION):
                    yield op, nodes[low : low + _PORTION]


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
