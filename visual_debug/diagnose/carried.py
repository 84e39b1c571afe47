"""What carries a NaN or infinity on: edge by edge, and in arrays element by element.

A NaN is carried as a NaN and an infinity as an infinity. A NaN that only infinities went into is born there, and so is
an element that nothing went into that was not finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from visual_debug.columns import Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.elements import Elements, shape_of


class Carried:
    """The NaNs and infinities of a trace.

    Attributes:
        nodes: those with any, in order.
        parents: for each, the operands that it was carried from.
        became: for each that has elements born in it, the operands whose infinities these were made of.
        fresh: for each that has elements born in it, how many.

    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.nodes = _nonfinite_nodes(columns)
        self.is_bad = bytearray(len(columns))
        for node in self.nodes:
            self.is_bad[node] = 1
        self.parents: dict[int, list[int]] = {}
        self.became: dict[int, list[int]] = {}
        self.fresh: dict[int, int] = {}
        self.elements = Elements(columns)
        for node in self.nodes:
            self._meet(node)

    def operands(self, node: int) -> list[tuple[int, int]]:
        """The operands that are not finite, with their positions."""
        return [(k, operand) for k, operand in enumerate(self.columns.operands(node)) if self.is_bad[operand]]

    def _meet(self, node: int) -> None:
        """Tell what was carried to a node from what was born there."""
        columns = self.columns
        z = columns.value[node]
        operands = self.operands(node)
        if type(z) is float and all(type(columns.value[operand]) is float for _, operand in operands):
            is_nan = math.isnan(z)
            carriers = [operand for _, operand in operands if math.isnan(columns.value[operand]) == is_nan]
            self.parents[node] = list(dict.fromkeys(carriers))
            if not carriers:
                self.fresh[node] = 1
                self.became[node] = list(dict.fromkeys(operand for _, operand in operands))
            return
        nan, infinite = _masks(z)
        from_nan, from_infinite = np.zeros(nan.shape, bool), np.zeros(nan.shape, bool)
        carriers, makers = [], []
        for position, operand in operands:
            x_nan, x_infinite = _masks(columns.value[operand])
            brought_nan = self._brought(node, position, x_nan)
            brought_infinite = self._brought(node, position, x_infinite)
            from_nan |= brought_nan
            from_infinite |= brought_infinite
            if (brought_nan & nan).any() or (brought_infinite & infinite).any():
                carriers.append(operand)
            if (brought_infinite & nan).any():
                makers.append((operand, brought_infinite & nan))
        fresh = (nan & ~from_nan) | (infinite & ~from_infinite)
        self.parents[node] = list(dict.fromkeys(carriers))
        if fresh.any():
            self.fresh[node] = int(fresh.sum())
            self.became[node] = list(dict.fromkeys(operand for operand, made in makers if (made & fresh).any()))

    def _brought(self, node: int, position: int, mask: Any) -> Any:
        if not mask.any():
            return np.zeros(shape_of(self.columns.value[node]), bool)
        return self.elements.brought(node, position, mask)

    def born(self, node: int) -> Any:
        """The elements that were born in a node."""
        nan, infinite = _masks(self.columns.value[node])
        if node not in self.fresh:
            return np.zeros(nan.shape, bool)
        from_nan, from_infinite = np.zeros(nan.shape, bool), np.zeros(nan.shape, bool)
        for position, operand in self.operands(node):
            x_nan, x_infinite = _masks(self.columns.value[operand])
            from_nan |= self._brought(node, position, x_nan)
            from_infinite |= self._brought(node, position, x_infinite)
        return (nan & ~from_nan) | (infinite & ~from_infinite)


class Reaching:
    """Which NaNs and infinities are in the result, or what those in it were made of.

    Attributes:
        following: for each node that has any of them, the nodes that they went into, in order; none for an output.

    """

    def __init__(self, carried: Carried, outputs: Iterable[int]) -> None:
        self._carried = carried
        self._elements = carried.elements
        self.following: dict[int, list[int]] = {}
        self._relevant: dict[int, Any] = {}
        self._births: set[int] = set()
        for output in outputs:
            self.following[output] = []
            self._relevant[output] = True
        for node in reversed(carried.nodes):
            if node in self.following:
                self._back(node)

    def __contains__(self, node: int) -> bool:
        """Whether something that was born in a node is in the result."""
        return node in self._births

    def _back(self, node: int) -> None:
        """Go from a node to those that what matters of it came from."""
        carried = self._carried
        z = carried.columns.value[node]
        operands = carried.operands(node)
        if type(z) is float and all(type(carried.columns.value[operand]) is float for _, operand in operands):
            if node in carried.fresh:
                self._births.add(node)
            for operand in (*carried.parents[node], *carried.became.get(node, ())):
                self._reach(operand, node, True)
            return
        nan, infinite = _masks(z)
        relevant = self._relevant[node]
        if (relevant | ~(nan | infinite)).all():
            relevant = self._relevant[node] = True  # no mask is kept of it
        born = relevant & carried.born(node)
        if born.any():
            self._births.add(node)
        for position, operand in operands:
            x_nan, x_infinite = _masks(carried.columns.value[operand])
            found = (self._taken(node, position, relevant & nan) & x_nan) | (
                self._taken(node, position, (relevant & infinite) | (born & nan)) & x_infinite
            )
            if found.any():
                self._reach(operand, node, found)

    def _reach(self, operand: int, node: int, elements: Any) -> None:
        self.following.setdefault(operand, []).append(node)
        self._relevant[operand] = self._relevant.get(operand, False) | elements

    def _taken(self, node: int, position: int, mask: Any) -> Any:
        if not mask.any():
            columns = self._carried.columns
            return np.zeros(shape_of(columns.value[columns.operand[columns.start[node] + position]]), bool)
        return self._elements.taken(node, position, mask)

    def chain(self, node: int) -> list[int]:
        """The way of what was born in a node to the result: of several elements, of the first."""
        carried = self._carried
        chain = [node]
        elements = carried.born(node) & self._relevant[node]
        while self.following[node]:
            step = self._step(node, elements)
            if step is None:
                break
            node, elements = step
            chain.append(node)
        return chain

    def _step(self, node: int, elements: Any) -> tuple[int, Any] | None:
        """The first node that some elements of one go into on their way, and where in it."""
        columns = self._carried.columns
        for following in reversed(self.following[node]):
            if type(columns.value[node]) is type(columns.value[following]) is float:
                return following, np.ones((), bool)
            for position, operand in enumerate(columns.operands(following)):
                if operand == node:
                    nan, infinite = _masks(columns.value[following])
                    brought = self._elements.brought(following, position, elements)
                    found = brought & (nan | infinite) & self._relevant[following]
                    if found.any():
                        return following, found
        return None


def _nonfinite_nodes(columns: Columns) -> list[int]:
    found = []
    for node, value in enumerate(columns.value):
        kind = type(value)
        if kind is float:
            if value - value != 0:
                found.append(node)
        elif kind is not int and kind is not bool and numbers.any_nonfinite(value):
            found.append(node)
    return found


def _masks(value: Any) -> tuple[Any, Any]:
    """Where a value is NaN and where it is infinite, as arrays; what is no array is looked at as one element."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in ("f", "c"):
            return np.zeros(value.shape, bool), np.zeros(value.shape, bool)
        nan = np.isnan(value)
        return nan, ~np.isfinite(value) & ~nan
    is_nan = numbers.any_nan(value)
    return np.asarray(is_nan), np.asarray(not is_nan and numbers.any_nonfinite(value))
