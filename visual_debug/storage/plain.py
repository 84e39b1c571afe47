"""Values as JSON texts and back: numbers exactly, arrays byte for byte, other objects by what they look like."""

from __future__ import annotations

import base64
import json
import keyword
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from visual_debug import display, structures
from visual_debug.columns import MISSING, SEVERAL

#: Other objects' texts are cut.
_LONGEST = 200


class Unloaded:
    """Stands for an object that was not saved."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unloaded) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class UnloadedTuple(tuple[Any, ...]):
    """The items of a named tuple, whose class was not saved."""

    text: str

    def __repr__(self) -> str:
        return self.text


def dumps(value: Any) -> str:
    """A value as JSON. Containers are saved with their items; one that contains itself raises RecursionError."""
    return json.dumps(_encode(value), separators=(",", ":"), allow_nan=False)


def loads(text: str) -> Any:
    """The value again. Raises ValueError, LookupError or TypeError for a text that `dumps` does not make."""
    return _decode(json.loads(text))


def _encode(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if abs(value) < 2**53 else {"int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is list:
        return [_encode(item) for item in value]
    if kind is tuple:
        return {"tuple": [_encode(item) for item in value]}
    if kind is structures.Record:
        return {"record": [[name, _encode(item)] for name, item in value.items()], "of": value.title}
    if kind is dict:
        return {"dict": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if kind is complex:
        return {"complex": [_encode(value.real), _encode(value.imag)]}
    if kind in (Decimal, Fraction):
        if kind is Fraction and max(abs(value.numerator), value.denominator).bit_length() > display.LONG:
            return {"ratio": [hex(value.numerator), hex(value.denominator)]}
        return {kind.__name__.lower(): str(value)}
    if value is ...:
        return {"mark": "ellipsis"}
    if value is MISSING or value is SEVERAL:
        return {"mark": "missing" if value is MISSING else "several"}
    if kind is slice:
        return {"slice": [_encode(value.start), _encode(value.stop), _encode(value.step)]}
    if kind.__module__ == "numpy" and getattr(getattr(value, "dtype", None), "kind", "O") in "biufc":
        form = "array" if kind.__name__ == "ndarray" else "scalar"
        data = {form: base64.b64encode(value.tobytes()).decode(), "dtype": value.dtype.str, "shape": list(value.shape)}
        if not value.flags.c_contiguous:  # some derivatives go by the order in memory, as that of `ravel("K")`
            data["axes"] = sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis]))
        return data
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return {"named": [_encode(item) for item in tuple.__iter__(value)], "looks": _looks(value)}
    return {"object": _looks(value)}


def _looks(value: Any) -> str:
    return display.looks(value)[:_LONGEST]


def _decode(data: Any) -> Any:
    if isinstance(data, list):
        return [_decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if not data:
        raise ValueError("an object without a form")
    form = next(iter(data))
    inner = data[form]
    if form == "tuple":
        return tuple(_decode(item) for item in inner)
    if form == "named":
        named = UnloadedTuple(_decode(item) for item in inner)
        named.text = data["looks"]
        return named
    if form == "record":
        parts = {str(name): _decode(item) for name, item in inner}
        title = data["of"]
        if not title.isidentifier() or keyword.iskeyword(title):
            raise ValueError(f"{title!r} is no name of a class")
        return structures.Record(None, title, parts)
    if form == "dict":
        return {_decode(key): _decode(item) for key, item in inner}
    if form == "complex":
        return complex(*(_decode(part) for part in inner))
    if form == "ratio":
        return Fraction(*(int(part, 16) for part in inner))
    if form == "slice":
        return slice(*(_decode(part) for part in inner))
    if form in ("array", "scalar"):
        return _array(form, inner, data["dtype"], data["shape"], data.get("axes"))
    if form == "mark":
        return {"missing": MISSING, "several": SEVERAL, "ellipsis": ...}[inner]
    return _SIMPLE[form](inner)


_SIMPLE: dict[str, Callable[[str], Any]] = {
    "int": lambda text: int(text, 16),
    "float": float,
    "decimal": Decimal,
    "fraction": Fraction,
    "object": Unloaded,
}


def _array(form: str, data: str, dtype: str, shape: list[int], axes: list[int] | None) -> Any:
    import numpy as np

    kind = np.dtype(dtype)
    if kind.kind not in "biufc":
        raise ValueError(f"an array of {dtype}")
    array = np.frombuffer(base64.b64decode(data, validate=True), kind).reshape(shape).copy()
    if axes is not None:
        array = array.transpose(axes).copy().transpose(np.argsort(axes))
    return array[()] if form == "scalar" else array
