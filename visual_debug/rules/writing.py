"""Rules of functions that write to an array, and of what a view shows after a write through another.

They only move numbers: applied to the numbers of places instead of values, the function itself says which number came
from where.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule, path_text

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: Offset in bytes, shape and strides of an array in the memory of its owner.
Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]


class WriterRule(Rule):
    """A function that puts values into places of its first argument; the values are the argument at `position`."""

    def __init__(self, op: str, function: Callable[..., Any], position: int, name: str) -> None:
        super().__init__(op, op.rpartition(".")[2], "of two writes to one place the last counts", position + 1)
        self.writes = True
        self._function, self._position, self._name = function, position, name

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values, rest = self._call(where, args, kwargs)
        operand = values[path[0]]
        if path[0] not in (0, self._position):
            return products.zero_like(operand)
        origin = self._origin(values, rest)
        total = np.zeros(np.size(values[0]) + np.size(values[self._position]), np.result_type(delta, np.float64))
        np.add.at(total, origin, np.broadcast_to(delta, origin.shape))
        size = np.size(values[0])
        part = total[:size] if path[0] == 0 else total[size:]
        whole: Any = part.reshape(np.shape(operand))
        return products.number_for(operand, whole, path[1:])

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values, rest = self._call(where, args, kwargs)
        if path[0] not in (0, self._position):
            return products.zero_like(z)
        tangents = [products.zero_like(values[k]) for k in (0, self._position)]
        tangents[path[0] != 0] = products.placed(tangent, values[path[0]], path[1:])
        return np.concatenate([np.ravel(np.asarray(t)) for t in tangents])[self._origin(values, rest)]

    def _origin(self, args: list[Any], kwargs: Mapping[str, Any]) -> Any:
        """For every element after the write its place among those of the array before and those of the values."""
        size, value = np.size(args[0]), args[self._position]
        places = np.arange(size).reshape(np.shape(args[0]))
        changed = list(args)
        changed[0] = places
        changed[self._position] = np.arange(size, size + np.size(value)).reshape(np.shape(value))
        self._function(*changed, **kwargs)
        return places

    def _call(
        self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], list[Any], dict[str, Any]]:
        rest = {key: value for key, value in kwargs.items() if key != "casting"}
        values = list(args)
        path: tuple[Any, ...] = (where,) if isinstance(where, int) else where
        if self._name in rest and len(values) == self._position:
            values.append(rest.pop(self._name))
        if path[0] == self._name:
            path = (self._position, *path[1:])
        if not isinstance(path[0], int):
            raise MissingPartial(self.op, where, "this argument says where to write, not what")
        return path, values, rest

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
        return "put(0, places, Δ)" if where == 0 else f"Δ[places] at {path_text(where, count)}"


class ViewRule(Rule):
    """What an array shows after a write through another array in the same memory.

    args are the array as it was and the one that was written to, as it was then; the keyword `at` holds the `Geometry`
    of both.
    """

    def __init__(self) -> None:
        super().__init__("view", "view", "what was written over: 0", 2)

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        seen, written = _common(*kwargs["at"])
        flat = np.array(np.broadcast_to(delta, np.shape(args[0])), np.result_type(delta, np.float64)).ravel()
        if where == 0:
            flat[seen] = 0
            return flat.reshape(np.shape(args[0]))
        total = np.zeros(np.size(args[1]), flat.dtype)
        np.add.at(total, written, flat[seen])
        return total.reshape(np.shape(args[1]))

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        seen, written = _common(*kwargs["at"])
        shape = np.shape(args[0])
        if where == 0:
            flat = np.array(np.broadcast_to(tangent, shape)).ravel()
            flat[seen] = 0
        else:
            flat = np.zeros(np.size(args[0]), np.asarray(tangent).dtype)
            flat[seen] = np.ravel(tangent)[written]
        return flat.reshape(shape)

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
        return "Δ where not written" if where == 0 else "Δ where written"


class PartRule(Rule):
    """Writing the real or the imaginary part of a complex array: args are (array before, value)."""

    def __init__(self, op: str, part: str) -> None:
        super().__init__(op, op, "", 2)
        self.writes = self.conjugates = True
        self._part = part

    def _split(self, change: Any) -> tuple[Any, Any]:
        """What of a complex change is in the part that is written, and the rest."""
        change = np.asarray(change)
        real, imag = change.real.astype(complex), 1j * change.imag
        return (real, imag) if self._part == "real" else (imag, real)

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        written, kept = self._split(np.broadcast_to(delta, np.shape(z)))
        # An adjoint is the derivative by the real part minus i times that by the imaginary part.
        return (
            kept
            if where == 0
            else products.unbroadcast(np.real(written if self._part == "real" else 1j * written), args[1])
        )

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if where == 0:
            return self._split(tangent)[1]
        return np.broadcast_to(np.asarray(tangent) * (1 if self._part == "real" else 1j), np.shape(z)).astype(complex)

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
        kept = "imag" if self._part == "real" else "real"
        return f"{kept} part of Δ" if where == 0 else f"{self._part} part of Δ"


def _write_flat(array: Any, values: Any) -> None:
    array.flat = values


@dataclass(frozen=True, slots=True)
class Part:
    """Where in an array in C or Fortran order the elements of another are; strides and offset count elements."""

    order: Literal["C", "F"]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, whole: Any) -> Any:
        """The part of an array, as a view; it has to be in that order."""
        whole = whole if self.order == "C" else whole.T
        strides = tuple(stride * whole.itemsize for stride in self.strides)
        return np.ndarray(self.shape, whole.dtype, whole, self.offset * whole.itemsize, strides)


def within(whole: Geometry, part: Geometry, size: int) -> Part | None:
    """Where `part` is in `whole`, for arrays of elements of `size` bytes.

    None if it is not in there, if `whole` is neither in C nor in Fortran order, or if `part` has two elements in one
    place. Takes no longer for large arrays.
    """
    dense = list(zip(whole[1], whole[2], strict=True))
    order: Literal["C", "F"] = "C" if _is_dense(reversed(dense), size) else "F"
    if order == "F" and not _is_dense(dense, size):
        return None
    step = size * math.prod(whole[1])
    extent = size
    low = high = part[0] - whole[0]
    axes = [(abs(stride), stride, count) for count, stride in zip(part[1], part[2], strict=True) if count != 1]
    for length, stride, count in sorted(axes):
        if length < extent or count == 0:
            return None
        extent = length * count
        low, high = low + min(0, stride * (count - 1)), high + max(0, stride * (count - 1))
    if low < 0 or high + size > step or low % size or any(length % size for length, _, _ in axes):
        return None
    offset = part[0] - whole[0]
    return Part(order, offset // size, part[1], tuple(stride // size for stride in part[2]))


def _is_dense(axes: Iterable[tuple[int, int]], size: int) -> bool:
    """Whether elements follow each other without gaps, told counts and strides of the axes, the innermost first."""
    for count, stride in axes:
        if count != 1 and stride != size:
            return False
        size *= count
    return True


@lru_cache(maxsize=64)
def _common(a: Geometry, b: Geometry) -> tuple[Any, Any]:
    """Which elements of two arrays, counted through in C order, are the same places of memory."""
    ours, theirs = _addresses(a), _addresses(b)
    order = np.argsort(theirs)
    at = np.minimum(np.searchsorted(theirs, ours, sorter=order), len(theirs) - 1)
    found = order[at]
    shared = np.flatnonzero(theirs[found] == ours)
    return shared, found[shared]


def _addresses(geometry: Geometry) -> Any:
    offset, shape, strides = geometry
    total: Any = np.full((1,) * len(shape), offset)
    for axis, (count, stride) in enumerate(zip(shape, strides, strict=True)):
        total = total + (np.arange(count) * stride).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(total, shape).ravel()


_RULES: tuple[Rule, ...] = (
    ViewRule(),
    PartRule("real=", "real"),
    PartRule("imag=", "imag"),
    WriterRule("flat=", _write_flat, 1, "value"),
    WriterRule("numpy.copyto", np.copyto, 1, "src"),
    WriterRule("numpy.put", np.put, 2, "v"),
    WriterRule("numpy.place", np.place, 2, "vals"),
    WriterRule("numpy.putmask", np.putmask, 2, "values"),
    WriterRule("numpy.fill_diagonal", np.fill_diagonal, 1, "val"),
    WriterRule("numpy.put_along_axis", np.put_along_axis, 2, "values"),
    WriterRule("numpy.ndarray.fill", np.ndarray.fill, 1, "value"),
    WriterRule("numpy.ndarray.put", np.ndarray.put, 2, "values"),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
