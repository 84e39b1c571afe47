"""What kind of object a value is, found out without running any of its code; and what stands for an object that is gone."""

from __future__ import annotations

import enum
import numbers
import sys
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

#: Types that are numbers without a further look.
SCALARS = frozenset({int, float, complex, bool, Fraction, Decimal})
#: Types of keys that are equal by what they are, and have it still when they are all that is left of a call.
_PLAIN_KEYS = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range, slice})
#: Immutable numbers that CPython shares between unrelated uses, or may: their identity says nothing.
SHARED = frozenset({int, bool, type(None), str, bytes})


def module_of(kind: type) -> str:
    """The module of a class, without running code of its metaclass; `""` if it says something else than a name."""
    module = _MODULE.__get__(kind, type(kind))
    return module if type(module) is str else ""


def is_plain_key(key: Any) -> bool:
    """Whether a key of a dict tells which entry it means: others like it are equal, and no code of the user's decides that.

    What is left of an object of the user's has lost what its hash was made of.
    """
    kind = type(key)
    if kind in _PLAIN_KEYS or issubclass(kind, enum.Enum):
        return True
    if kind is tuple or kind is frozenset:
        return all(map(is_plain_key, key))
    if kind is Gone or kind is GoneMethod or kind is type or not by_identity(kind):
        return kind is type or is_number(key)
    return True


def by_identity(kind: type) -> bool:
    """Whether objects of a class are equal only to themselves."""
    return all(
        next(vars(holder)[name] for holder in type.mro(kind) if name in vars(holder)) is vars(object)[name]
        for name in ("__eq__", "__hash__")
    )


def key_text(key: Any) -> str | None:
    """A plain key as it is written, if that takes no code of the user's."""
    kind = type(key)
    if issubclass(kind, enum.Enum):
        return f"{kind.__qualname__.rpartition('.')[2]}.{key._name_}"
    if kind is tuple:
        parts = [key_text(part) for part in key]
        return None if None in parts else f"({', '.join(parts)}{',' * (len(parts) == 1)})"  # type: ignore[arg-type]
    return repr(key) if kind in _PLAIN_KEYS or kind in SCALARS or module_of(kind) == "numpy" else None


def has_special(kind: type, name: str) -> bool:
    """Whether a class or one of its bases has such a method, asked in the same way."""
    return any(name in vars(holder) for holder in type.mro(kind)) if kind is not type else False


_MODULE: Any = vars(type)["__module__"]
#: Packages whose numbers do with operators and functions what is meant by their names.
_PLAIN_ARITHMETIC = frozenset({
    "builtins", "numpy", "decimal", "_decimal", "_pydecimal", "fractions", "enum", "mpmath", "gmpy2", "flint",
})  # fmt: skip


def is_foreign(value: Any) -> bool:
    """Whether a value is of a class that is none of Python's or NumPy's own."""
    kind = type(value)
    return kind not in SCALARS and module_of(kind) not in ("builtins", "numpy")


def redefines(value: Any, methods: Iterable[str]) -> bool:
    """Whether the class of a value, be it one of numbers, has any of these methods from somebody who may mean else by it."""
    kind = type(value)
    return is_foreign(value) and any(
        module_of(holder).partition(".")[0] not in _PLAIN_ARITHMETIC
        for method in methods
        for holder in [next((one for one in type.mro(kind) if method in vars(one)), object)]
    )


def is_number(value: Any) -> bool:
    """Whether a value takes part in the computation graph: a number, or an array."""
    return is_numeric(type(value))  # not isinstance, which asks the object for its __class__ and may run its code


def is_numeric(kind: type) -> bool:
    """The same of the class of a value."""
    if kind in SCALARS or issubclass(kind, numbers.Number):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and issubclass(kind, (numpy.ndarray, numpy.generic))


def is_vectorize(kind: type) -> bool:
    """Whether a class is `numpy.vectorize`."""
    return kind.__name__ == "vectorize" and module_of(kind) == "numpy"


def is_structural(value: Any) -> bool:
    """Whether a number is a count or a switch rather than a quantity: an int or bool that is no array."""
    return issubclass(type(value), int) or (getattr(value, "shape", None) == () and value.dtype.kind in "iub")


def has_identity(value: Any) -> bool:
    """Whether finding the same object again proves that it is the same value of the computation.

    Not so for what the interpreter shares: ints, bools, and strings.
    """
    return type(value) not in SHARED


class Gone:
    """Stands for an object that the trace has not kept alive, and of which an empty one cannot be made."""

    __slots__ = ("kind",)

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind.__name__}, not kept>"


class GoneMethod:
    """Stands for a method of C that was bound to an object which the trace has not kept alive."""

    def __init__(self, name: str, owner: Any) -> None:
        self.__name__, self.__self__ = name, owner
