"""Rules of NumPy's functions that make an array out of nothing but its form: `zeros(n)`, `eye(n)`, `random.rand(n)`.

Their arguments say how large the array is; what stands in it does not change with them, so the derivative is 0, as it
is for the argument of `range`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from visual_debug.rules import products
from visual_debug.rules.base import Format, Rule, value_at

if TYPE_CHECKING:
    from visual_debug.columns import Where


class FormRule(Rule):
    """A function of which no argument is a quantity."""

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return products.zero_like(value_at(where, args, kwargs))

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return products.zero_like(z)

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
        return "0"


_NOTE = "the argument says how large the array is: 0"
_OTHERS = "zeros ones empty eye identity tri indices hamming hanning blackman bartlett"
_RANDOM = "rand randn random random_sample ranf sample standard_normal standard_exponential standard_cauchy"
_NAMES = (
    *_OTHERS.split(),
    *(f"random.RandomState.{name}" for name in _RANDOM.split()),
)
TABLE: dict[str, Rule] = {f"numpy.{name}": FormRule(f"numpy.{name}", name.rpartition(".")[2], _NOTE) for name in _NAMES}
