"""Adjoints of arrays that are added up in place, where nobody looks at the contributions one by one.

A read of one element sends one number to the array that it was read from, and a write passes on all but what was written
over: with a buffer for each array both cost as much as what is read or written, and not as much as the whole array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visual_debug import arrays
from visual_debug.columns import Columns
from visual_debug.rules.items import ItemRule

_READ = ItemRule()


class Buffers:
    """The adjoints of one sweep. A buffer belongs to one node: no other adjoint is the same object."""

    def __init__(self, columns: Columns, adjoints: dict[int, Any], add: Callable[[Any, Any], Any]) -> None:
        self._columns, self._adjoints, self._add = columns, adjoints, add
        self._own: set[int] = set()

    def add(self, node: int, value: Any) -> None:
        """Add a contribution to a node's adjoint."""
        known = self._adjoints.get(node)
        if known is None:
            self._adjoints[node] = value
        elif node in self._own and getattr(value, "shape", None) == known.shape and _fits(value, known):
            known += value
        else:
            self._adjoints[node] = total = self._add(known, value)
            if arrays.is_array(total) and total.ndim:
                self._own.add(node)

    def passed(self, node: int, delta: Any, pull: Callable[[int, int, Any], Any], wanted: bytearray | None) -> bool:
        """Pass on the adjoint of a read or write of an array's items; False if it is neither, or not so simple."""
        columns = self._columns
        if columns.op[node] not in ("getitem", "setitem"):
            return False
        target, *rest = columns.operands(node)
        array = columns.value[target]
        call = columns.calls.get(node)
        if call is None or call.where[0] != 0 or not arrays.is_array(array) or array.dtype.kind not in "fc":
            return False
        if columns.op[node] == "getitem":
            if wanted is None or wanted[target]:
                self._read(target, array, delta, call.args[1])
            return True
        if not arrays.is_array(delta) or delta.shape != array.shape or delta.dtype.kind not in "fc":
            return False
        for position, operand in enumerate(rest, 1):
            value = pull(node, position, delta) if wanted is None or wanted[operand] else None
            if value is not None:
                self.add(operand, value)
        if wanted is None or wanted[target]:
            self._pass_write(node, target, delta, call.args[1])
        return True

    def _pass_write(self, node: int, target: int, delta: Any, index: Any) -> None:
        """Hand the adjoint of an array to what it was before a write, but for what was written over."""
        if node not in self._own:
            delta = delta.copy()
        self._own.discard(node)
        delta[index] = 0
        if target in self._adjoints:
            self.add(target, delta)
        else:
            self._adjoints[target] = delta
            self._own.add(target)

    def _read(self, node: int, array: Any, delta: Any, index: Any) -> None:
        """Add the adjoint of an item to that of the array."""
        import numpy

        known = self._adjoints.get(node)
        if node not in self._own or not _fits(delta, known):
            kind = numpy.result_type(delta, numpy.float64 if known is None else known, numpy.float64)
            buffer = numpy.zeros(array.shape, kind)
            if known is not None:
                buffer += known
            self._adjoints[node] = known = buffer
            self._own.add(node)
        _READ.add_into(known, delta, index)


def _fits(value: Any, buffer: Any) -> bool:
    """Whether numbers can be added to a buffer without losing their imaginary parts."""
    kind = getattr(value, "dtype", None)
    is_complex = isinstance(value, complex) if kind is None else kind.kind == "c"
    return not is_complex or buffer.dtype.kind == "c"
