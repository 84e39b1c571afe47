"""The rule of numpy.einsum: each operand's adjoint is another einsum, with the subscripts exchanged."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule, is_out, value_at

if TYPE_CHECKING:
    from visual_debug.columns import Where


class EinsumRule(Rule):
    """args are (subscripts, *operands), or (operand, subscripts, operand, subscripts, …)."""

    def __init__(self) -> None:
        super().__init__("numpy.einsum", "einsum")

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(value_at(where, args, kwargs))
        k = self._operand(where, args)
        terms, result, operands = _spelled(args)
        own, operand = terms[k], operands[k]
        sizes: dict[str, int] = {}
        for term, array in zip(terms, operands, strict=True):
            for label, n in zip(term, array.shape, strict=True):
                sizes[label] = max(n, sizes.get(label, 1))
        once = "".join(dict.fromkeys(own))
        others = [(term, array) for i, (term, array) in enumerate(zip(terms, operands, strict=True)) if i != k]
        # An index that only this operand has was summed away: it comes back as a row of ones.
        known = set(result).union(*(term for term, _ in others))
        others += [(label, np.ones(sizes[label])) for label in once if label not in known]
        text = ",".join([result, *(term for term, _ in others)]) + "->" + once
        found = np.einsum(text, np.broadcast_to(delta, np.shape(z)), *(array for _, array in others))
        found = products.unbroadcast(found, np.empty([operand.shape[own.index(label)] for label in once]))
        if once == own:
            return found
        whole = np.zeros(operand.shape, found.dtype)  # an index twice reads a diagonal
        np.einsum(f"{own}->{once}", whole)[...] = found
        return whole

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(z)
        k = self._operand(where, args)
        changed = list(args)
        changed[k + 1 if isinstance(args[0], str) else 2 * k] = tangent
        return np.einsum(*changed, **{key: value for key, value in kwargs.items() if key != "out"})

    def _operand(self, where: Where, args: Sequence[Any]) -> int:
        """Which of the operands stands at an argument's position."""
        by_text = isinstance(args[0], str)
        if not isinstance(where, int) or (where == 0 if by_text else where % 2):
            raise MissingPartial(self.op, where, "only its operands have a derivative, and not single items of them")
        return where - 1 if by_text else where // 2

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
        if args is None:
            return "einsum(Δ, others)"
        k = self._operand(where, args)
        terms, result, _ = _spelled(args)
        others = [i for i in range(len(terms)) if i != k]
        subscripts = ",".join([result, *(terms[i] for i in others)]) + "->" + terms[k]
        return f"einsum({subscripts!r}, {', '.join(['Δ', *(f'x{i + 1}' for i in others)])})"


def _spelled(args: Sequence[Any]) -> tuple[list[str], str, list[Any]]:
    """Subscripts of each operand, those of the result, and the operands: with a letter for every axis."""
    if isinstance(args[0], str):
        left, arrow, result = args[0].replace(" ", "").partition("->")
        terms, operands = left.split(","), [np.asarray(array) for array in args[1:]]
    else:
        operands = [np.asarray(array) for array in args[: len(args) // 2 * 2 : 2]]
        terms = [_letters(labels) for labels in args[1 : len(operands) * 2 : 2]]
        arrow, result = ("->", _letters(args[-1])) if len(args) % 2 else ("", "")
    free = [letter for letter in string.ascii_letters if not any(letter in term for term in terms)]
    spans = [array.ndim - len(term.replace("...", "")) for term, array in zip(terms, operands, strict=True)]
    most = max((n for n, term in zip(spans, terms, strict=True) if "..." in term), default=0)
    dots = "".join(free[:most])
    terms = [term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, spans, strict=True)]
    if not arrow:
        whole = "".join(terms)
        result = dots + "".join(sorted(label for label in set(whole) - set(dots) if whole.count(label) == 1))
    return terms, result.replace("...", dots), operands


def _letters(labels: Sequence[Any]) -> str:
    return "".join("..." if label is Ellipsis else string.ascii_letters[label] for label in labels)


TABLE: dict[str, Rule] = {"numpy.einsum": EinsumRule()}
