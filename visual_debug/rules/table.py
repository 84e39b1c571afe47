"""All rules in one place: those of the package, loaded when first asked for, and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from visual_debug.rules import scalar
from visual_debug.rules.base import Format, MissingPartial, Rule
from visual_debug.rules.elementwise import FormulaRule, Given, Missing
from visual_debug.rules.names import SCIPY, canonical, name_of

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: Endings of the names of ufuncs' methods.
UFUNC_METHODS = (".reduce", ".accumulate", ".reduceat", ".outer", ".at")
_OWN: dict[str, Rule] = {}
_ARRAY_OPERATORS = frozenset({"matmul", "imatmul", "view", "flat=", "real=", "imag="})


@cache
def _arrays() -> Mapping[str, Rule]:
    """The NumPy rules; only here is NumPy imported, and only once an operation on arrays is looked up."""
    from visual_debug.rules import (
        arrays,
        decompositions,
        drawing,
        einsum,
        forms,
        linalg,
        ordering,
        padding,
        reductions,
        roots,
        shaping,
        sliding,
        writing,
    )
    from visual_debug.rules.defined import DefinedRule
    from visual_debug.rules.definitions import ALL

    tables = (
        arrays,
        reductions,
        shaping,
        forms,
        ordering,
        writing,
        linalg,
        decompositions,
        sliding,
        einsum,
        roots,
        drawing,
    )
    rules = {op: rule for module in tables for op, rule in module.TABLE.items()}
    rules["numpy.pad"] = padding.PadRule(DefinedRule("numpy.pad", padding.padded, find))
    return {op: DefinedRule(op, definition, find) for op, definition in ALL.items()} | rules


@cache
def _scipy(package: str) -> Mapping[str, Rule]:
    """The rules of a package of SciPy's, which somebody has called, so that it is there."""
    from visual_debug.rules.defined import DefinedRule

    module = import_module(f"visual_debug.rules.scipy_{package}")
    rules: dict[str, Rule] = module.TABLE
    return rules | {op: DefinedRule(op, definition, find) for op, definition in module.DEFINITIONS.items()}


@cache
def _statistics() -> Mapping[str, Rule]:
    from visual_debug.rules.defined import DefinedRule
    from visual_debug.rules.stdlib import DEFINITIONS

    return {op: DefinedRule(op, definition, find) for op, definition in DEFINITIONS.items()}


@cache
def _of_ufunc(op: str) -> Rule | None:
    """The rule of a method of a ufunc."""
    from visual_debug.rules.ufuncs import method_rule

    return method_rule(op, _arrays().get(op.rpartition(".")[0]))


def find(op: str) -> Rule | None:
    """The rule of an operation by name, or None if there is none. A user's own rule goes before the package's."""
    try:
        return _FOUND[op]
    except KeyError:
        _FOUND[op] = found = _look_up(op)
        return found


def _renew() -> None:
    global _edition
    _edition += 1
    _FOUND.clear()


def edition() -> int:
    """A number that is another one whenever rules have been added or removed."""
    return _edition


_edition = 0
#: What was found for each name, until a rule is added or removed.
_FOUND: dict[str, Rule | None] = {}


def _look_up(op: str) -> Rule | None:
    name = canonical(op)
    found = _OWN.get(op) or _OWN.get(name) or scalar.TABLE.get(name)
    if found is None and name.startswith(SCIPY):
        found = _scipy(name.split(".")[1]).get(name)
    if found is None and name.startswith("statistics."):
        found = _statistics().get(name)
    if found is None and (name.startswith("numpy.") or name in _ARRAY_OPERATORS):
        found = _arrays().get(name)
        if found is None and name.count(".") == 2 and name.endswith(UFUNC_METHODS):
            found = _of_ufunc(name)
    return found


def all_rules() -> Iterator[Rule]:
    """Every rule of the package and the user's own; imports NumPy."""
    yield from (scalar.TABLE | dict(_arrays()) | _OWN).values()


def own() -> tuple[str, ...]:
    """The operations that the user has given rules for."""
    return tuple(_OWN)


def rule(
    function: str | Callable[..., Any],
    *partials: Given | None,
    pull: Callable[..., Any] | Sequence[Callable[..., Any]] | None = None,
    push: Callable[..., Any] | Sequence[Callable[..., Any]] | None = None,
    symbol: str | None = None,
    note: str = "",
    text: str | Sequence[str] | None = None,
) -> Rule:
    """Add a derivative rule of your own, or replace one of the package's; returns it.

    Elementwise operations give one partial derivative per operand: a formula text over the result `z` and the operands
    `x`, `y`, `w`, a function of `(z, *operands)`, or None where there is no derivative:

        vd.rule(softplus, "1/(1+exp(-x))")
        vd.rule("mylib.scale", "y", "x", symbol="⊙")
        vd.rule(spline, lambda z, x: slope(x))

    Other operations give `pull(delta, z, *args, **kwargs)`, one per operand (a lone function stands for one operand),
    which returns the contribution to the operand's adjoint, and for forward mode `push(tangent, z, *args, **kwargs)`,
    which returns the contribution to the tangent of z. `text` is how the contribution reads, as `"Δ @ y.T"`.

    Raises ValueError for a text that is not a formula, and TypeError if neither or both ways are given.
    """
    if not isinstance(function, str) and not callable(function):
        raise TypeError(f"a rule is for a function or its name, not for {function!r}")
    op = function if isinstance(function, str) else name_of(function)
    op = canonical(op)
    if bool(partials) == (pull is not None):
        raise TypeError(f"rule of {op}: give its partial derivatives, or pull= functions, and not both")
    shown = symbol if symbol is not None else op.rpartition(".")[2]
    _renew()
    if partials:
        given = [Missing("its rule gives no derivative for this operand") if p is None else p for p in partials]
        _OWN[op] = FormulaRule(op, shown, given, note)
    else:
        from visual_debug.rules.functions import FunctionRule

        _OWN[op] = FunctionRule(op, _listed(pull), _listed(push), texts=_listed(text), note=note, symbol=shown)
    return _OWN[op]


def _listed(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def forget(function: str | Callable[..., Any]) -> None:
    """Remove a user's own rule; the package's, if there is one, holds again. Raises KeyError if there was none."""
    _renew()
    del _OWN[canonical(function if isinstance(function, str) else name_of(function))]


def pullback_text(
    rule: Rule,
    wheres: Sequence[Where],
    args: Sequence[Any] | None = None,
    z: Any = None,
    fmt: Format | None = None,
    *,
    values: bool = True,
) -> str:
    """The whole pullback as text, a Python tuple with one item per operand: `"Δ -> (Δ*y, Δ*x)"`.

    Arguments as for `Rule.text`; an operand without a derivative reads `no derivative`. Raises nothing.
    """
    parts = []
    for where in wheres:
        try:
            parts.append(rule.text(where, len(wheres), args, z, fmt, values=values))
        except MissingPartial:
            parts.append("no derivative")
    return f"Δ -> ({', '.join(parts)}{',' if len(parts) == 1 else ''})"
