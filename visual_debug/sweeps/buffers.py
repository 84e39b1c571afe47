"""Adjoints of arrays that are added up in place, where nobody looks at the contributions one by one.

A read of one element sends one number to the array that it was read from, and a write passes on all but what was written
over: with a buffer for each array both cost as much as what is read or written, and not as much as the whole array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from visual_debug import arrays
from visual_debug.columns import Columns
from visual_debug.rules.items import ItemRule, is_fancy
from visual_debug.rules.products import unbroadcast

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
        if columns.op[node] == "view":
            return self._pass_view(node, delta, wanted)
        if columns.op[node] not in ("getitem", "setitem"):
            return False
        target, *rest = columns.operands(node)
        array = columns.form(target)
        call = columns.calls.get(node)
        if call is None or call.where[0] != 0 or not arrays.is_simple(array) or array.dtype.kind not in "fc":
            return False
        if columns.op[node] == "getitem":
            if wanted is None or wanted[target]:
                self._read(target, array, delta, call.args[1])
            return True
        if not arrays.is_array(delta) or delta.shape != array.shape or delta.dtype.kind not in "fc":
            return False
        index = call.args[1]
        for position, operand in enumerate(rest, 1):
            if wanted is not None and not wanted[operand]:
                continue
            if call.where[position] == 2 and _is_real(array, columns.form(operand)) and not is_fancy(index):
                value = unbroadcast(delta[index], columns.form(operand))
            else:
                value = pull(node, position, delta)
            if value is not None:
                self.add(operand, value)
        if wanted is None or wanted[target]:
            self._pass_write(node, target, delta, index)
        return True

    def _pass_write(self, node: int, target: int, delta: Any, index: Any) -> None:
        """Hand the adjoint of an array to what it was before a write, but for what was written over."""
        delta = self._taken(node, delta)
        delta[index] = 0
        self._hand_on(target, delta)

    def _taken(self, node: int, delta: Any) -> Any:
        """The adjoint of a node that is done with, to be written to."""
        if node not in self._own:
            return delta.copy()
        self._own.discard(node)
        return delta

    def _hand_on(self, target: int, delta: Any) -> None:
        """Add a buffer that nobody else has to the adjoint of a node."""
        if target in self._adjoints:
            self.add(target, delta)
        else:
            self._adjoints[target] = delta
            self._own.add(target)

    def _pass_view(self, node: int, delta: Any, wanted: bytearray | None) -> bool:
        """Pass on the adjoint of what an array shows after a write through another; False if it is not so simple."""
        from visual_debug.rules.writing import within

        columns = self._columns
        call = columns.calls[node]
        target, written = columns.operands(node)
        array = columns.form(target)
        if not arrays.is_array(delta) or delta.shape != array.shape or delta.dtype.kind not in "fc":
            return False
        ours, theirs = call.kwargs["at"]
        where = within(ours, theirs, array.itemsize)
        if where is not None:  # what was written is a part of the array
            delta = _ordered(self._taken(node, delta), where.order)
            part = where.of(delta)
            if wanted is None or wanted[written]:
                self.add(written, part.copy())
            part[...] = 0
            if wanted is None or wanted[target]:
                self._hand_on(target, delta)
            return True
        where = within(theirs, ours, array.itemsize)
        if where is None:
            return False
        if wanted is None or wanted[written]:  # the array is a part of what was written, and shows nothing else
            buffer = self._buffer(written, columns.form(written), delta)
            self._adjoints[written] = buffer = _ordered(buffer, where.order)
            part = where.of(buffer)
            part += delta
        return True

    def _read(self, node: int, array: Any, delta: Any, index: Any) -> None:
        """Add the adjoint of an item to that of the array."""
        _READ.add_into(self._buffer(node, array, delta), delta, index)

    def _buffer(self, node: int, array: Any, delta: Any) -> Any:
        """The adjoint of an array as a buffer that `delta`, or a part of it, can be added to."""
        import numpy

        known = self._adjoints.get(node)
        if node not in self._own or not _fits(delta, known):
            kind = numpy.result_type(delta, numpy.float64 if known is None else known, numpy.float64)
            buffer = numpy.zeros(array.shape, kind, "F" if array.flags.fnc else "C")
            if known is not None:
                buffer += known
            self._adjoints[node] = known = buffer
            self._own.add(node)
        return known


def _ordered(buffer: Any, order: Literal["C", "F"]) -> Any:
    """The array itself if its elements are in that order, else a copy in which they are."""
    flags = buffer.flags
    return buffer if (flags.c_contiguous if order == "C" else flags.f_contiguous) else buffer.copy(order=order)


def _is_real(array: Any, value: Any) -> bool:
    """Whether what is written to an array are real numbers that it holds as they are."""
    kind = "f" if type(value) is float else getattr(getattr(value, "dtype", None), "kind", "O")
    return bool(kind == "f" and array.dtype.kind == "f")


def _fits(value: Any, buffer: Any) -> bool:
    """Whether numbers can be added to a buffer without losing their imaginary parts."""
    kind = getattr(value, "dtype", None)
    is_complex = isinstance(value, complex) if kind is None else kind.kind == "c"
    return not is_complex or buffer.dtype.kind == "c"
