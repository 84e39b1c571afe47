"""The rule of numpy.einsum: each operand's adjoint is another einsum, with the subscripts exchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules.base import Format, MissingPartial, Rule

if TYPE_CHECKING:
    from visual_debug.columns import Where


class EinsumRule(Rule):
    """args are (subscripts, *operands): the operand at position k is argument k."""

    def __init__(self) -> None:
        super().__init__("numpy.einsum", "einsum")

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        position = self._position(where)
        terms, result = self._subscripts(where, args)
        own, operand = terms[position - 1], np.asarray(args[position])
        sizes = dict(zip(own, operand.shape, strict=True))
        others = [(t, a) for k, (t, a) in enumerate(zip(terms, args[1:], strict=True), 1) if k != position]
        # An index that only this operand has was summed away: it comes back as a row of ones.
        known = set(result).union(*(t for t, _ in others))
        others += [(label, np.ones(sizes[label])) for label in own if label not in known]
        text = ",".join([result, *(t for t, _ in others)]) + "->" + own
        return np.einsum(text, np.broadcast_to(delta, np.shape(z)), *(a for _, a in others)).reshape(operand.shape)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        changed = list(args)
        changed[self._position(where)] = tangent
        return np.einsum(*changed, **kwargs)

    def _position(self, where: Where) -> int:
        if not isinstance(where, int) or where == 0:
            raise MissingPartial(self.op, where, "only its operands have a derivative, and not single items of them")
        return where

    def _subscripts(self, where: Where, args: Sequence[Any]) -> tuple[list[str], str]:
        """The operands' subscripts and the result's, which defaults to the letters that occur once, sorted."""
        text = args[0].replace(" ", "") if isinstance(args[0], str) else "."
        if "." in text:
            raise MissingPartial(self.op, where, "subscripts with an ellipsis, or given as lists, are not covered")
        left, arrow, result = text.partition("->")
        terms = left.split(",")
        if any(len(set(term)) < len(term) for term in terms):
            raise MissingPartial(self.op, where, "an index twice in one operand is not covered; numpy.diagonal is")
        if not arrow:
            result = "".join(sorted(label for label in set(left) - {","} if left.count(label) == 1))
        return terms, result

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
        position = self._position(where)
        if args is None:
            return "einsum(Δ, others)"
        terms, result = self._subscripts(where, args)
        others = [k for k in range(1, len(args)) if k != position]
        subscripts = ",".join([result, *(terms[k - 1] for k in others)]) + "->" + terms[position - 1]
        return f"einsum({subscripts!r}, {', '.join(['Δ', *(f'x{k}' for k in others)])})"


TABLE: dict[str, Rule] = {"numpy.einsum": EinsumRule()}
