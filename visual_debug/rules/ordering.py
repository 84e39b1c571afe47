"""Rules of functions that put elements in order: sort, partition, and reading along an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule

if TYPE_CHECKING:
    from visual_debug.columns import Where


class OrderRule(Rule):
    """sort and partition: the result has the operand's elements in another order, which their values tell.

    `axis_at` is the position of the argument `axis`.
    """

    def __init__(self, op: str, axis_at: int, *, writes: bool = False) -> None:
        super().__init__(op, op.rpartition(".")[2], "between ties: elements are taken to move together", 1)
        self.writes = writes
        self._axis_at = axis_at

    def _order(self, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, Any]:
        """The place that each element of the result had in the operand, and along which axis."""
        axis = args[self._axis_at] if len(args) > self._axis_at else kwargs.get("axis", -1)
        a = np.ravel(args[0]) if axis is None else np.asarray(args[0])
        along = -1 if axis is None else axis
        order = np.empty(a.shape, np.intp)
        source, rank = np.argsort(a, along, kind="stable"), np.argsort(np.asarray(z), along, kind="stable")
        np.put_along_axis(order, rank, source, along)
        return order, along

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path = self._path(where, args)
        if path[0] != 0:
            return products.zero_like(args[path[0]])
        order, along = self._order(z, args, kwargs)
        whole: Any = np.zeros(order.shape, dtype=np.result_type(np.asarray(delta), np.float64))
        np.put_along_axis(whole, order, np.broadcast_to(delta, order.shape), along)
        shaped: Any = whole.reshape(np.shape(args[0]))
        return shaped[path[1:]]

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path = self._path(where, args)
        if path[0] != 0:
            return products.zero_like(z)
        order, along = self._order(z, args, kwargs)
        whole = np.asarray(products.placed(tangent, args[0], path[1:]))
        return np.take_along_axis(whole.reshape(order.shape), order, along)

    def _path(self, where: Where, args: Sequence[Any]) -> tuple[Any, ...]:
        path: tuple[Any, ...] = (where,) if isinstance(where, int) else where
        if not isinstance(path[0], int):
            raise MissingPartial(self.op, where, "this argument says how to put in order, not what")
        return path

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
        return "put(Δ, argsort(x))"


_RULES = (
    OrderRule("numpy.sort", 1),
    OrderRule("numpy.ndarray.sort", 1, writes=True),
    OrderRule("numpy.partition", 2),
    OrderRule("numpy.ndarray.partition", 2, writes=True),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
