"""The one place where callables get the names that rules are filed under."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

#: NumPy's second names, and ndarray methods that go by another name as functions.
ALIASES = {
    "abs": "absolute", "true_divide": "divide", "mod": "remainder", "conj": "conjugate", "amax": "max", "amin": "min",
    "round_": "round", "around": "round", "flatten": "ravel", "fix": "trunc", "pow": "power", "concat": "concatenate",
    "permute_dims": "transpose", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh",
    "atan": "arctan", "atanh": "arctanh", "atan2": "arctan2", "row_stack": "vstack", "cumulative_sum": "cumsum",
    "mat": "asmatrix",
}  # fmt: skip

#: The packages of SciPy's that have rules.
SCIPY = ("scipy.special.", "scipy.linalg.", "scipy.fft.", "scipy.signal.", "scipy.integrate.")

#: Methods of arrays and NumPy scalars that NumPy also offers as a function of (self, …), and `item`.
_METHODS = (
    "all any argmax argmin argsort clip conj conjugate copy cumprod cumsum diagonal dot flatten max mean min nonzero "
    "prod ptp ravel repeat reshape round squeeze std sum swapaxes take trace transpose var astype item choose searchsorted "
    "argpartition"
)


def canonical(op: str) -> str:
    """The name under which the rule of `op` is filed.

    >>> canonical("numpy.abs"), canonical("operator.add"), canonical("_operator.iadd"), canonical("builtins.abs")
    ('numpy.absolute', 'add', 'iadd', 'abs')
    """
    for prefix in ("operator.", "_operator.", "builtins."):
        op = op.removeprefix(prefix)
    if op.startswith(SCIPY):
        return f"scipy.{op.split('.')[1]}.{op.rpartition('.')[2]}"
    if op.startswith("numpy."):
        head, _, last = op.rpartition(".")
        if head.startswith(("numpy.core", "numpy._core")):
            head = "numpy"
        return f"{head}.{ALIASES.get(last, last) if head == 'numpy' else last}"
    return op


def name_of(function: Callable[..., Any]) -> str:
    """Name of a callable's operation: `abs`, `math.exp`, `numpy.exp`, `numpy.sum`, `float`, else module.qualname.

    >>> import math, operator
    >>> name_of(abs), name_of(math.exp), name_of(operator.mul), name_of(float)
    ('abs', 'math.exp', 'mul', 'float')
    """
    return resolve(function)[0]


def resolve(function: Callable[..., Any]) -> tuple[str, tuple[Any, ...]]:
    """The operation's name, and what must be put before the arguments: the self of a bound method, or nothing.

    `array.sum` is `numpy.sum` with `(array,)` in front; `x.__add__` is `add` with `(x,)` in front.
    """
    kind = type(function)
    name = getattr(function, "__name__", None) or kind.__name__
    if kind.__name__ == "ufunc" and kind.__module__ == "numpy":
        return _ufunc_name(function, name), ()
    owner, bound = _owner(function)
    if (
        owner is None and kind.__name__ not in _NAMED and not issubclass(kind, type)
    ):  # an object with a __call__, which may say any name
        return canonical(f"{kind.__module__}.{kind.__qualname__}"), ()
    if owner is None:
        qualname = getattr(function, "__qualname__", name)
        front = (function.__self__,) if _is_of_matrix(function) else ()  # type: ignore[attr-defined]
        return canonical(f"{_module_of(function)}.{qualname}"), front
    front = (function.__self__,) if bound else ()  # type: ignore[attr-defined]
    if name.startswith("__") and hasattr(operator, name):
        return name.strip("_"), front
    if issubclass(owner, _array_types()) and name in _METHODS.split():
        return canonical(f"numpy.{name}"), front
    if kind.__name__ == "builtin_function_or_method" and owner.__module__ == "numpy" and owner.__name__ == "ufunc":
        return f"{_ufunc_name(function.__self__, function.__self__.__name__)}.{name}", ()  # type: ignore[attr-defined]
    return canonical(f"{owner.__module__}.{owner.__qualname__}.{name}"), front


#: Types of callables whose own name is that of what they compute, by name, for they need not have been imported. Not so
#: `numpy.vectorize`, whose objects take over name and documentation of the function that they call.
_NAMED = frozenset({
    "function", "builtin_function_or_method", "method", "type", "_ArrayFunctionDispatcher", "cython_function_or_method",
    "fused_cython_function", "method_descriptor", "wrapper_descriptor", "classmethod_descriptor", "method-wrapper",
    "_Function",
})  # fmt: skip


def _module_of(function: Any) -> str:
    """`numpy.random` functions, for one, are methods whose module is the instance's."""
    return getattr(function, "__module__", None) or type(function).__module__


def _owner(function: Any) -> tuple[type | None, bool]:
    """The class that a method of a built-in type belongs to, and whether it is bound to an instance."""
    kind = type(function).__name__
    if kind in {"method_descriptor", "wrapper_descriptor", "classmethod_descriptor"}:
        return function.__objclass__, False
    if kind in {"builtin_function_or_method", "method-wrapper"}:
        self = getattr(function, "__self__", None)
        if self is not None and type(self).__name__ != "module" and not isinstance(self, type):
            return type(self), True
    return None, False


def _is_of_matrix(function: Any) -> bool:
    """Whether a method is one of those that `numpy.matrix` has in Python."""
    if type(function) is not MethodType:
        return False
    kind = type(function.__self__)
    return kind.__name__ == "matrix" and issubclass(kind, _array_types()) and kind.__module__ == "numpy"


def _array_types() -> tuple[type, ...]:
    """ndarray and NumPy's scalars, if NumPy has been imported at all: nobody has an array otherwise."""
    numpy = sys.modules.get("numpy")
    return () if numpy is None else (numpy.ndarray, numpy.generic)


def _ufunc_name(function: Any, name: str) -> str:
    """A ufunc does not know its module: it is looked for where ufuncs live."""
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is function:
            return canonical(f"{module}.{name}")
    return canonical(f"numpy.{name}") if name == "clip" else f"ufunc.{name}"
