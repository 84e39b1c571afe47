"""What must be known of NumPy arrays without importing NumPy: there is no array before somebody else has imported it."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any

#: Offset in bytes, shape, strides.
Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]

#: How many elements of a large array are looked at to tell whether it was written to.
_SAMPLED = 512


def is_array(value: Any) -> bool:
    """Whether a value is a NumPy array (scalars are not)."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(type(value), numpy.ndarray)


def is_scalar(value: Any) -> bool:
    """Whether a value is one of NumPy's real scalars."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.floating, numpy.integer))


def owner_of(array: Any) -> Any:
    """The array that a view shows a part of; an array that is no view, itself."""
    while array.base is not None:
        base = array.base if is_array(array.base) else shown_by(array.base)
        if base is None:
            break
        array = base
    return array


def shown_by(value: Any) -> Any:
    """The array that an object shows the memory of which is none itself: a `memoryview`, or what `as_strided` puts in between."""
    if type(value) is memoryview:
        try:
            value = value.obj
        except ValueError:  # released
            return None
    elif type(value).__name__ == "DummyArray" and type(value).__module__.partition(".")[0] == "numpy":
        value = value.base
    else:
        return None
    return value if is_array(value) else None


def is_lent(array: Any) -> bool:
    """Whether the memory of an array is that of others, which cannot be told any more: an item of a `numpy.nditer`."""
    return type(owner_of(array).base).__name__ == "nditer"


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
    view = numpy.ndarray(array.shape, array.dtype, memory, offset, array.strides)
    if type(array) is numpy.matrix:
        return view.view(numpy.matrix)
    masked = sys.modules.get("numpy.ma")
    if masked is not None and type(array) is masked.MaskedArray:
        return masked.MaskedArray(view, mask=array.mask.copy(), fill_value=array.fill_value)
    return view


def geometry(array: Any) -> Geometry:
    """Where in the memory of its owner an array has its elements."""
    offset = array.__array_interface__["data"][0] - owner_of(array).__array_interface__["data"][0]
    return offset, array.shape, array.strides


def same_content(a: Any, b: Any) -> bool:
    """Whether two arrays of one memory order hold the same bytes, and as many of one kind."""
    numpy = sys.modules["numpy"]
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.hasobject:
        return all(x is y for x, y in zip(a.flat, b.flat, strict=True))
    return a.size == 0 or bool((a.ravel(order="K").view(numpy.uint8) == b.ravel(order="K").view(numpy.uint8)).all())


def is_same(a: Any, b: Any) -> bool:
    """Whether two objects are the same view of an array, or the same number."""
    if type(a) is not type(b):
        return False
    if is_array(a):
        return owner_of(a) is owner_of(b) and a.dtype == b.dtype and geometry(a) == geometry(b)
    return bool(a == b) or not (a == a or b == b)  # noqa: PLR0124 neither is a number


def is_equal(a: Any, b: Any) -> bool:
    """Whether two arrays have the same bits."""
    return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays have an element in common, or may have (bounds only: exact answers can cost too much)."""
    return bool(sys.modules["numpy"].may_share_memory(a, b))


def sample(array: Any) -> int:
    """A hash of elements spread over an array."""
    return hash(array.flat[:: max(1, array.size // _SAMPLED)].tobytes())


def is_simple(value: Any) -> bool:
    """Whether an array is one of NumPy's own type, of numbers, dates or texts of a fixed length."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in "biufcmMSU"


def is_there() -> bool:
    """Whether NumPy has been imported."""
    return "numpy" in sys.modules


def is_inexact(value: Any) -> bool:
    """Whether a value is one of NumPy's floats or complex numbers."""
    return isinstance(value, sys.modules["numpy"].inexact)


def is_own_function(value: Any) -> bool:
    """Whether a value is a ufunc or function of NumPy's."""
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ufunc":
        return True
    return kind.__name__ == "_ArrayFunctionDispatcher" and bool(value.__module__.partition(".")[0] == "numpy")


def integers() -> Any:
    """The type of NumPy's integer scalars."""
    return sys.modules["numpy"].integer


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


#: NumPy's functions that are written in Python and call a function of the user's with arrays.
_CALLING = frozenset({"piecewise", "apply_along_axis", "apply_over_axes"})


def behind(target: Any) -> FunctionType | None:
    """The Python function behind one of NumPy's that calls the user's, so that it can be recorded like the user's own."""
    if type(target).__name__ != "_ArrayFunctionDispatcher" or target.__name__ not in _CALLING:
        return None
    found = getattr(target, "_implementation", None)
    return found if target.__module__ == "numpy" and type(found) is FunctionType else None


def is_behind(function: FunctionType) -> bool:
    """Whether a Python function is the one behind such a function."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and function.__name__ in _CALLING and behind(getattr(numpy, function.__name__)) is function


def are_plain(values: Any) -> bool:
    """Whether NumPy's functions called with these values are its own, and not those of another array type."""
    numpy = sys.modules["numpy"]
    own = numpy.ndarray.__array_function__
    return all(getattr(type(value), "__array_function__", own) is own for value in values)
