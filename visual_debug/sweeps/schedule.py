"""A reverse sweep that is done again and again: what it decides by types and shapes is decided once.

Calls that go as an earlier one did (see `replaying.echo`) share all of their columns but the values, and the types and
shapes of these. So the order of a sweep, the rule of each step, the form of its call and where contributions add up
are the same each time. What is left is to run the pullbacks, with the bits that `adjoint.reverse` has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from visual_debug import arrays, rules
from visual_debug.sweeps import adjoint

if TYPE_CHECKING:
    from visual_debug.columns import Columns
    from visual_debug.rules.base import Bound

#: What is passed on in place, without contributions (see `buffers`).
_IN_PLACE = frozenset({"getitem", "setitem", "view"})
#: Type, shape and type of elements.
_Form = tuple[Any, ...]


@dataclass(slots=True)
class _Pull:
    """How the adjoint of a node is passed on to one operand."""

    position: int
    operand: int
    adds: bool  #: whether others have contributed before
    form: _Form  #: of what it yields
    bound: Bound | None  #: None: the rule is asked, as in an ordinary sweep


@dataclass(slots=True)
class _Step:
    """A node of the sweep: its positional arguments without operands, those with their places, and its pulls."""

    node: int
    rest: list[Any]
    places: list[tuple[int, int]]
    pulls: list[_Pull]


class Schedule:
    """The steps of a sweep from some seeds to some leaves."""

    def __init__(self, steps: list[_Step], active: bytearray, leaves: list[int]) -> None:
        self._steps, self._active, self._leaves = steps, active, leaves

    def run(self, columns: Columns, seeds: Mapping[int, Any]) -> dict[int, Any] | None:
        """The adjoints of the leaves, as `adjoint.reverse` leaves them; None if it does not go as it went before."""
        import numpy

        values = columns.value
        pulls = adjoint.Pulls(columns, self._active, is_real=True)
        adjoints = dict(seeds)
        try:
            with numpy.errstate(all="ignore"):
                for step in self._steps:
                    node, args = step.node, step.rest.copy()
                    delta, z = adjoints[node], values[node]
                    for place, operand in step.places:
                        args[place] = values[operand]
                    for pull in step.pulls:
                        if pull.bound is not None:
                            value = pull.bound(delta, z, args)
                        else:
                            value = pulls(node, pull.position, delta)
                            if _form(value) != pull.form:
                                return None
                        operand = pull.operand
                        adjoints[operand] = adjoints[operand] + value if pull.adds else value
                    if node not in self._leaves:
                        del adjoints[node]
        except Exception:  # noqa: BLE001 a corner of some rule: the ordinary sweep tells which, and what is wrong
            return None
        return {leaf: adjoints[leaf] for leaf in self._leaves if leaf in adjoints}


def gradients(columns: Columns, seeds: Mapping[int, Any], leaves: list[int]) -> dict[int, Any] | None:
    """The adjoints of some nodes as `sweep.gradients` gives them; None where there is no schedule for such columns."""
    schedules = columns.schedules
    if schedules is None or not arrays.is_there():
        return None
    key = (rules.edition(), *((node, _form(seed)) for node, seed in seeds.items()), *leaves)
    if key not in schedules:
        schedules[key], found = _learnt(columns, seeds, leaves)
        return found
    schedule: Schedule | None = schedules[key]
    return None if schedule is None else schedule.run(columns, seeds)


def _learnt(
    columns: Columns, seeds: Mapping[int, Any], leaves: list[int]
) -> tuple[Schedule | None, dict[int, Any] | None]:
    """The schedule of an ordinary sweep, if there can be one, and what that sweep has found."""
    if any(op in _IN_PLACE for op in columns.op.entries) or rules.own():
        return None, None
    adjoints: dict[int, Any] = {}
    steps: list[_Step] = []
    forms = {node: _form(seed) for node, seed in seeds.items()}
    is_fit = all(map(_is_real, forms.values()))
    wanted = adjoint.dependents(columns, leaves)
    for node, position, operand, value in adjoint.reverse(columns, seeds, adjoints, wanted, only=set(leaves)):
        if not steps or steps[-1].node != node:
            steps.append(_step(columns, node))
            operands = columns.operands(node)
            of_numbers = all(_is_real(_form(columns.value[other])) for other in (node, *operands))
            is_fit = is_fit and of_numbers and len(operands) < adjoint.MANY
        form = _form(value)
        is_fit = is_fit and _is_real(form) and forms.get(operand, form) == form
        bound = _bound(columns, steps[-1], position, adjoints[node]) if is_fit else None
        steps[-1].pulls.append(_Pull(position, operand, operand in forms, form, bound))
        forms[operand] = form
    if not is_fit:
        return None, adjoints
    return Schedule(steps, adjoint.dependents(columns, adjoint.inputs_of(columns)), leaves), adjoints


def _step(columns: Columns, node: int) -> _Step:
    operands = columns.operands(node)
    call = columns.calls.get(node)
    if call is None:
        return _Step(node, [None] * len(operands), list(enumerate(operands)), [])
    places = [(where, operand) for where, operand in zip(call.where, operands, strict=True) if type(where) is int]
    if len(places) < len(operands):  # in nested arguments
        return _Step(node, [], [], [])
    rest = list(call.args)
    for place, _ in places:
        rest[place] = None
    return _Step(node, rest, places, [])


def _bound(columns: Columns, step: _Step, position: int, delta: Any) -> Bound | None:
    """The pullback to one operand for values as they are here."""
    node = step.node
    z, operand = columns.value[node], columns.value[columns.operands(node)[position]]
    rule = rules.find(columns.op[node])
    if rule is None or not step.places or adjoint.is_discrete(z, operand):
        return None
    args, kwargs, where = columns.arguments(node)
    return rule.bound(where[position], delta, z, args, kwargs)


def _form(value: Any) -> _Form:
    return type(value), getattr(value, "shape", ()), getattr(value, "dtype", None)


def _is_real(form: _Form) -> bool:
    kind, _, dtype = form
    return dtype.kind in "fiub" if dtype is not None else kind in (float, int, bool)
