"""Rules written as formula texts: one partial per operand, applied element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from visual_debug.rules import products
from visual_debug.rules.base import ZERO, Bound, Format, MissingPartial, NoPartial, Rule, letter
from visual_debug.rules.formula import Formula, compact, times_delta

if TYPE_CHECKING:
    from visual_debug.columns import Where


@dataclass(frozen=True)
class Missing:
    """Stands in a row for a derivative that does not exist, with the reason."""

    reason: str


@dataclass(frozen=True)
class Computed:
    """A partial given as a function of (z, *operands); `show` is its text."""

    function: Callable[..., Any]
    show: str

    def __call__(self, z: Any, operands: tuple[Any, ...]) -> Any:
        return self.function(z, *operands)


#: A partial as a row may give it: a text, a pair (text shown, text computed), a function of (z, *operands), a reason.
Given = str | tuple[str, str] | Formula | Missing | Computed | Callable[..., Any]
Partial = Formula | Missing | Computed

#: Operators that also join and repeat sequences.
_JOINING = frozenset({"add", "mul", "iadd", "imul"})


def partial_of(given: Given, op: str, position: int) -> Partial:
    """The partial that a row means by `given`. Raises ValueError for a text that is not a formula."""
    match given:
        case str():
            return Formula(given)
        case (show, run):
            return Formula(show, run)
        case Formula() | Missing() | Computed():
            return given
    if not callable(given):
        raise TypeError(f"a partial of {op} is a text, a function or a reason, not {given!r}")
    return Computed(given, f"Δ*d{op.rpartition('.')[2]}_d{letter(position, 3)}")


class FormulaRule(Rule):
    """An elementwise rule; see `Rule` for the members.

    `partials` are those of the operands in order, `by_count` those for another number of arguments (log with a base),
    `names` the keywords that the leading arguments may come under. A rule that `selects` chooses among its operands:
    what was not chosen gets an exact 0.
    """

    def __init__(
        self,
        op: str,
        symbol: str,
        partials: Sequence[Given],
        note: str = "",
        *,
        by_count: Mapping[int, Sequence[Given]] | None = None,
        names: Sequence[str] = (),
        selects: bool = False,
    ) -> None:
        super().__init__(op, symbol, note, len(partials))
        self.selects = selects
        self.names = tuple(names)
        self._partials = _all_of(partials, op)
        self._by_count = {count: _all_of(given, op) for count, given in (by_count or {}).items()}
        if self._by_count:
            self.arity = max(len(partials), *self._by_count)

    def under(self, op: str, symbol: str | None = None, note: str | None = None) -> FormulaRule:
        """The same rule for another operation (`cmath.exp` as `math.exp`), sharing the compiled formulas."""
        rule = copy(self)
        rule.op = op
        rule.symbol = self.symbol if symbol is None else symbol
        rule.note = self.note if note is None else note
        return rule

    def partials(self, count: int) -> tuple[Partial, ...]:
        """The partials of a call with `count` arguments."""
        return self._by_count.get(count, self._partials)

    def partial(self, where: Where, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        position, _, args = products.positional(where, args, kwargs, self.names)
        value = self._partial(position, where, z, args, kwargs)
        return 0 if value is ZERO else value

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        position, rest, args = products.positional(where, args, kwargs, self.names)
        partial = self._partial(position, where, z, args, kwargs)
        operand = kwargs[position] if isinstance(position, str) else args[position]
        whole = products.pulled(delta, partial, z, operand, selects=self.selects or "where" in kwargs)
        for step in rest:
            whole = whole[step]
        return whole

    def bound(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound | None:
        partials = self.partials(len(args))
        if type(self).pull is not FormulaRule.pull or kwargs or self.selects or not isinstance(where, int):
            return None
        found = partials[where] if where < len(partials) else None
        count = len(args) if self.arity is None else min(self.arity, len(args))
        if (
            not isinstance(found, Formula)
            or found.constant == 0
            or not products.are_real_arrays(delta, z, args[:count])
        ):
            return None
        partial, constant, is_same = found.of_arrays(), found.constant, products.shape_of(args[where]) == z.shape

        def product(delta: Any, z: Any, args: Sequence[Any]) -> Any:
            return delta * partial(z, *args[:count])

        def multiple(delta: Any, z: Any, args: Sequence[Any]) -> Any:
            return products.times(delta, constant)

        pull = product if constant is None else multiple
        if is_same:
            return pull
        shape = z.shape
        return lambda delta, z, args: products.reduced(pull(delta, z, args), shape, args[where])

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        position, rest, args = products.positional(where, args, kwargs, self.names)
        partial = self._partial(position, where, z, args, kwargs)
        operand = kwargs[position] if isinstance(position, str) else args[position]
        tangent = products.placed(tangent, operand, rest)
        return products.pushed(tangent, partial, z, selects=self.selects or "where" in kwargs)

    def _partial(
        self, position: int | str, where: Where, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        mask = kwargs.get("where", True)
        if position == "out" or (position == len(self._partials) and self.op.startswith("numpy.")):
            return ZERO if mask is True else 1 - mask  # what `out` held stays where the mask is off
        found = self._find(position, len(args), where)
        if type(z) in (list, str, bytes) or (type(z) is tuple and self.op in _JOINING):
            raise MissingPartial(self.op, where, "it joins or repeats sequences here, which is not arithmetic")
        try:
            value = found(z, tuple(args[: self.arity]))
        except NoPartial as reason:
            raise MissingPartial(self.op, where, str(reason)) from None
        return value if mask is True else _masked(value, mask)

    def _find(self, position: int | str, count: int, where: Where) -> Formula | Computed:
        partials = self.partials(count)
        if isinstance(position, str) or position >= len(partials):
            raise MissingPartial(self.op, where, "no derivative with respect to this argument is known")
        found = partials[position]
        if isinstance(found, Missing):
            raise MissingPartial(self.op, where, found.reason)
        return found

    def quick(self, position: int, count: int) -> Callable[..., Any] | int | float | None:
        """The partial as a function of (z, *operands) on plain floats and ints, or as the number it always is.

        It raises ArithmeticError or ValueError where `pull` would look closer. None if there is no such formula. This
        is what lets a sweep pass a million scalar operations at 1 microsecond each instead of 6.
        """
        partials = self.partials(count)
        found = partials[position] if position < len(partials) else None
        if not isinstance(found, Formula) or self.selects:
            return None
        constant: int | float | None = found.constant
        return constant if constant is not None else found.plain()

    def text(
        self,
        where: Where,
        count: int,
        args: Sequence[Any] | None = None,
        z: Any = None,
        fmt: Format | None = None,
        *,
        values: bool = True,
    ) -> str:
        given = {str(where[0]): None} if isinstance(where, tuple) else {}
        position, _, _ = products.positional(where, args or (), given, self.names)
        if position == "out":
            return "0"
        found = self._find(position, len(args) if args is not None else count, where)
        if isinstance(found, Computed):
            return found.show
        put = substitutes(args, z, fmt) if values and args is not None else {}
        if args is not None and self._has_literal_exponent(count, args):
            found, texts = _power(args[1], fmt or compact)
            put = put | texts
        text = times_delta(found.tree, put)
        return _summed(text, z, args, position) if values and args is not None else text

    def _has_literal_exponent(self, count: int, args: Sequence[Any]) -> bool:
        return self.symbol == "**" and count == 1 and len(args) == 2 and _finite(args[1])


class ConjugateRule(FormulaRule):
    """The complex conjugate."""

    conjugates = True

    def __init__(self, op: str) -> None:
        super().__init__(op, "conj", ["1"])

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return super().pull(where, delta.conjugate(), z, args, kwargs)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return super().push(where, tangent.conjugate(), z, args, kwargs)

    def text(
        self,
        where: Where,
        count: int,
        args: Sequence[Any] | None = None,
        z: Any = None,
        fmt: Format | None = None,
        *,
        values: bool = True,
    ) -> str:
        return "conj(Δ)"


def _masked(value: Any, mask: Any) -> Any:
    import numpy as np

    return np.where(mask, value, 0)


def _all_of(partials: Sequence[Given], op: str) -> tuple[Partial, ...]:
    return tuple(partial_of(given, op, position) for position, given in enumerate(partials))


def _finite(value: Any) -> bool:
    return getattr(value, "shape", ()) == () and bool(value - value == 0)


def substitutes(args: Sequence[Any] | None, z: Any, fmt: Format | None) -> dict[str, str]:
    """Texts of the values of z, x, y, w; what `fmt` answers with "" keeps its letter."""
    names = dict(zip(("z", "x", "y", "w"), (z, *(args or ())), strict=False))
    texts = {name: (fmt or compact)(value) for name, value in names.items()}
    return {name: text for name, text in texts.items() if text}


def _power(exponent: Any, fmt: Format) -> tuple[Formula, dict[str, str]]:
    """d(x**n)/dx for a literal n, as a template in n = ±y and n - 1 = ±w, and the texts of y and w.

    Factors and powers that are 1 are left out.
    """
    n, less = (_literal(value, fmt) for value in (exponent, exponent - 1))
    if n in {"0", "1"}:
        return _formula(n), {}
    sign, factor = ("-", n[1:]) if n.startswith("-") else ("", n)
    factor_name = "1" if factor == "1" else "y"
    power = "x" if less == "1" else "x**-w" if less.startswith("-") else "x**w"
    return _formula(f"{sign}{factor_name}*{power}"), {"y": factor, "w": less.removeprefix("-")}


@lru_cache(maxsize=64)
def _formula(text: str) -> Formula:
    return Formula(text)


def _literal(value: Any, fmt: Format) -> str:
    """Text of a literal exponent; 2.0 reads as 2."""
    whole = not isinstance(value, complex) and value == math.floor(value)
    return fmt(int(value) if whole else value) or compact(value)


def _summed(text: str, z: Any, args: Sequence[Any], position: Any) -> str:
    """The text with the sum that undoes broadcasting, if there was any."""
    shape, operand = products.shape_of(z), products.shape_of(args[position])
    axes = products.summed_axes(shape, operand)
    if not axes or text == "0":
        return text
    return f"sum({text})" if operand == () else f"sum({text}, axis={axes[0] if len(axes) == 1 else axes})"
