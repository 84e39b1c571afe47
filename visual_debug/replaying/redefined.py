"""Whether an operation means what its name says: a class of the user's may be one of numbers, and have methods for it.

Then a rule by the name of the operation would be wrong. What its methods computed is known where they were recorded, and
otherwise unknown.
"""

from __future__ import annotations

from collections.abc import Iterable

from visual_debug import arrays, kinds
from visual_debug.replaying.machine import Machine
from visual_debug.replaying.symbols import UNSET, Leaf, Ref, Sequence

#: Methods by which NumPy asks the class of an array to answer for a function.
_HOOKS = ("__array_ufunc__", "__array_function__", "__array_wrap__")
#: Builtins and functions of `math`, and the methods of numbers that they call.
_CALLED: dict[str, tuple[str, ...]] = {
    "sum": ("__add__", "__radd__"), "abs": ("__abs__",), "round": ("__round__",), "divmod": ("__divmod__", "__rdivmod__"),
    "pow": ("__pow__", "__rpow__"), "float": ("__float__",), "int": ("__int__",), "complex": ("__complex__", "__float__"),
    "math.prod": ("__mul__", "__rmul__"), "math.floor": ("__floor__",), "math.ceil": ("__ceil__",),
    "math.trunc": ("__trunc__",), "math.sumprod": ("__add__", "__radd__", "__mul__", "__rmul__"),
}  # fmt: skip


def by_methods(m: Machine, refs: Iterable[Ref], methods: tuple[str, ...]) -> bool:
    """Whether one of these is a number whose class has a method of its own by one of the names."""
    return any(type(ref) in (int, Leaf) and kinds.redefines(m.known_value(ref), methods) for ref in refs)


def operator(m: Machine, op: str, refs: tuple[Ref, ...]) -> bool:
    """Whether an operator is a method of the user's for one of its operands."""
    name = op.rstrip("_")
    return by_methods(m, refs, (f"__{name}__", f"__r{name}__", f"__i{name}__", "__array_ufunc__"))


def call(m: Machine, name: str, args: list[Ref], kwargs: dict[str, Ref]) -> bool:
    """Whether a function does something else with one of its arguments: a number, or one in a list."""
    refs = [*args, *kwargs.values()]
    if name in _CALLED or name.startswith("numpy."):  # which look at every item; `len` and kin do not
        refs += [item for ref in refs if type(ref) is Sequence for item in ref.items or ()]
    values = [value for ref in refs if type(ref) in (int, Leaf) for value in [m.known_value(ref)] if value is not UNSET]
    foreign = [value for value in values if kinds.is_foreign(value)]
    if not foreign:
        return False
    last = name.rpartition(".")[2]
    methods = _CALLED.get(name) or (last, f"__{last}__", f"__r{last}__")
    return any(kinds.redefines(value, (*methods, *_HOOKS) if arrays.is_array(value) else methods) for value in foreign)
