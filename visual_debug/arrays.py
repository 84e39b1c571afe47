"""What must be known of NumPy arrays without importing NumPy: there is no array before somebody else has imported it."""

from __future__ import annotations

import sys
from typing import Any

#: Offset in bytes, shape, strides.
Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]

#: How many elements of a large array are looked at to tell whether it was written to.
_SAMPLED = 512


def is_array(value: Any) -> bool:
    """Whether a value is a NumPy array (scalars are not)."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(value), numpy.ndarray)


def owner_of(array: Any) -> Any:
    """The array that a view shows a part of; an array that is no view, itself."""
    while is_array(array.base):
        array = array.base
    return array


def same_view(array: Any, owner: Any, content: Any) -> Any:
    """What `array`, a view of `owner`, would show in `content`, a copy of `owner` in the same memory order."""
    if array is owner:
        return content
    numpy = sys.modules["numpy"]
    offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    memory = content.ravel(order="K")
    if array.dtype.hasobject:  # references cannot be seen as bytes
        return numpy.lib.stride_tricks.as_strided(memory[offset // memory.itemsize :], array.shape, array.strides)
    memory = memory.view(numpy.uint8)
    return numpy.ndarray(array.shape, array.dtype, memory, offset, array.strides)


def geometry(array: Any) -> Geometry:
    """Where in the memory of its owner an array has its elements."""
    offset = array.__array_interface__["data"][0] - owner_of(array).__array_interface__["data"][0]
    return offset, array.shape, array.strides


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays have an element in common, or may have (bounds only: exact answers can cost too much)."""
    return bool(sys.modules["numpy"].may_share_memory(a, b))


def sample(array: Any) -> int:
    """A hash of elements spread over an array."""
    return hash(array.flat[:: max(1, array.size // _SAMPLED)].tobytes())


def is_flat(value: Any) -> bool:
    """Whether a value is what `array.flat` gives."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.flatiter


def is_joiner(value: Any) -> bool:
    """Whether a value is `numpy.r_` or `numpy.c_`, which join what stands in their brackets."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and (value is numpy.r_ or value is numpy.c_)


def flat_index(array: Any, position: Any) -> Any:
    """The index of what `array.flat[position]` reads or writes."""
    numpy = sys.modules["numpy"]
    if not isinstance(position, int):
        position = numpy.arange(array.size)[position]
    elif position < 0:
        position += array.size
    found = numpy.unravel_index(position, array.shape)
    return tuple(int(i) if numpy.ndim(i) == 0 else i for i in found)
