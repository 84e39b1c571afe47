"""Which elements of an operand go into which elements of a result.

Of what broadcasts, the shapes say it. Of what moves elements about, and of sums and products along axes, the rules of
differentiation say it: a derivative that is not 0. For the latter they are asked about stand-ins, positive numbers
without any pattern, so that no derivative is 0 by chance. Of all else, every element may go into every element.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from visual_debug import rules
from visual_debug.columns import Columns
from visual_debug.rules.elementwise import FormulaRule
from visual_debug.rules.items import ItemRule, WriteRule
from visual_debug.rules.names import canonical
from visual_debug.rules.padding import PadRule
from visual_debug.rules.shaping import MoverRule

#: Operations of sums and products, whose derivatives at stand-ins tell.
_SUMS = frozenset({
    "matmul", "numpy.matmul", "numpy.dot", "numpy.vdot", "numpy.inner", "numpy.outer", "numpy.tensordot",
    "numpy.einsum", "numpy.kron", "numpy.cross", "numpy.convolve", "numpy.correlate", "numpy.trace", "numpy.sum",
    "numpy.mean", "numpy.average", "numpy.prod", "numpy.cumsum", "numpy.cumprod", "numpy.diff", "numpy.gradient",
    "numpy.trapezoid", "numpy.trapz", "numpy.var", "numpy.std", "numpy.linalg.norm", "numpy.ediff1d",
})  # fmt: skip
#: Operations that pick one of what a sum along the same axes would add; what they ignore they take nothing from.
_AS_SUM = frozenset({
    "numpy.max", "numpy.min", "numpy.ptp", "numpy.median", "numpy.nanmax", "numpy.nanmin", "numpy.nansum",
    "numpy.nanmean", "numpy.nanmedian", "numpy.nanprod", "numpy.nanstd", "numpy.nanvar",
})  # fmt: skip
#: Operations that mix all the elements along one axis, the last one if they are not told which.
_ALONG = frozenset({"numpy.sort", "numpy.partition", "numpy.fft.fft", "numpy.fft.ifft"})


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array; () of anything else, which is looked at as one."""
    return value.shape if isinstance(value, np.ndarray) else ()


class Elements:
    """Dependence between the elements of a node and those of its operands, as masks in their shapes."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._stand_ins = np.random.default_rng(1)

    def brought(self, node: int, position: int, mask: Any) -> Any:
        """The elements of a node that some elements of one of its operands go into."""
        shape = shape_of(self.columns.value[node])
        how = self._how(node, position)
        if how == "broadcast":
            return np.broadcast_to(mask, shape) & self._chosen(node, position)
        if how == "along":
            return np.broadcast_to(mask.any(axis=self._axis(node), keepdims=True), shape)
        if how == "rule":
            try:
                rule, where, z, args, kwargs = self._asked(node, position)
                with np.errstate(all="ignore"):
                    return np.asarray(rule.push(where, self._weights(mask), z, args, kwargs)).reshape(shape) != 0
            except Exception:  # noqa: BLE001, S110 - a rule may fail in any way on what it was not made for: then nothing is known
                pass
        return np.full(shape, bool(mask.any()))

    def taken(self, node: int, position: int, mask: Any) -> Any:
        """The elements of one of a node's operands that go into some elements of the node."""
        columns = self.columns
        shape = shape_of(columns.value[columns.operand[columns.start[node] + position]])
        how = self._how(node, position)
        if how == "broadcast":
            mask = mask & self._chosen(node, position)
            extra = tuple(range(mask.ndim - len(shape)))
            ones = tuple(len(extra) + k for k, size in enumerate(shape) if size == 1)
            return mask.any(axis=(*extra, *ones)).reshape(shape)
        if how == "along":
            return np.broadcast_to(mask.any(axis=self._axis(node), keepdims=True), shape)
        if how == "rule":
            try:
                rule, where, z, args, kwargs = self._asked(node, position)
                with np.errstate(all="ignore"):
                    return np.asarray(rule.pull(where, self._weights(mask), z, args, kwargs)).reshape(shape) != 0
            except Exception:  # noqa: BLE001, S110 - as above
                pass
        return np.full(shape, bool(mask.any()))

    def _how(self, node: int, position: int) -> str:
        columns = self.columns
        z = columns.value[node]
        x = columns.value[columns.operand[columns.start[node] + position]]
        if not isinstance(z, np.ndarray) and not isinstance(x, np.ndarray):
            return "broadcast"
        op = canonical(columns.op[node])
        rule = rules.find(op)
        if isinstance(rule, PadRule):
            args, kwargs, where = columns.arguments(node)
            rule = rule.of(where[position], args, kwargs)
        if isinstance(rule, FormulaRule):
            return "broadcast" if _broadcasts(shape_of(x), shape_of(z)) else "all"
        if op in _ALONG and shape_of(x) == shape_of(z) != ():
            return "along" if self._axis(node) is not None else "all"
        is_told = isinstance(rule, (MoverRule, ItemRule, WriteRule)) or op in _SUMS or op in _AS_SUM
        return "rule" if is_told else "all"

    def _chosen(self, node: int, position: int) -> Any:
        """The elements that `numpy.where` takes from an operand; True for any other operation."""
        columns = self.columns
        if canonical(columns.op[node]) != "numpy.where":
            return True
        args, _, where = columns.arguments(node)
        condition = np.asarray(args[0], dtype=bool)
        return condition if where[position] == 1 else ~condition if where[position] == 2 else False

    def _axis(self, node: int) -> int | None:
        args, kwargs, _ = self.columns.arguments(node)
        is_sort = canonical(self.columns.op[node]) == "numpy.sort"
        axis = kwargs.get("axis", args[1] if is_sort and len(args) > 1 else -1)
        return axis if isinstance(axis, int) else None

    def _asked(self, node: int, position: int) -> tuple[rules.Rule, Any, Any, Sequence[Any], dict[str, Any]]:
        """A rule and what to ask it."""
        columns = self.columns
        op, z = canonical(columns.op[node]), columns.value[node]
        args, kwargs, where = columns.arguments(node)
        if op in _AS_SUM:
            op = "numpy.sum"
        rule = rules.find(op)
        assert rule is not None
        if op in _SUMS:
            args = tuple(self._standing_in(value) for value in args)
            numpy: Any = np
            function = operator.matmul if op == "matmul" else functools.reduce(getattr, op.split(".")[1:], numpy)
            z = function(*args, **kwargs)
        return rule, where[position], z, args, kwargs

    def _standing_in(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(map(self._standing_in, value))
        if isinstance(value, (float, complex)) or getattr(getattr(value, "dtype", None), "kind", "") in ("f", "c"):
            return self._stand_ins.uniform(1, 2, np.shape(value))
        return value

    def _weights(self, mask: Any) -> Any:
        return self._stand_ins.uniform(1, 2, np.shape(mask)) * mask


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False
