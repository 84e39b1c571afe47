"""Which model takes part in the replay of a call: the tables of them, and how a callable is looked up safely."""

from __future__ import annotations

from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any

from visual_debug import arrays, kinds, structures
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.origins import has_own_code
from visual_debug.replaying.symbols import Asked, Closure, Ref, Stream, Thing


class Pending:
    """A call whose result is still to come: the callable that was recorded, and references of its arguments."""

    __slots__ = ("args", "asked", "callee", "fold", "kwargs", "starred")

    def __init__(self, callee: Any, args: list[Ref], kwargs: dict[str, Ref]) -> None:
        self.callee, self.args, self.kwargs = callee, args, kwargs
        self.asked: Asked | None = None  # what the callee itself calls for each item, once it has
        self.starred: Stream | None = None  # it is called with what is left of that, and no other positional argument
        self.fold: Any = None  # what has come of the items so far, if it folds them


def answers_by_code(callee: Any) -> bool:
    """Whether asking a callable for an attribute would run code of its class."""
    kind: Any = type(callee)
    plain: tuple[Any, ...] = (object.__getattribute__, type.__getattribute__)
    return hasattr(kind, "__getattr__") or (has_own_code(callee) and kind.__getattribute__ not in plain)


def told(callee: Any, name: str) -> Any:
    """An attribute of a callable, or None; the user's own code is not run for it."""
    return None if answers_by_code(callee) else getattr(callee, name, None)


#: Types whose methods move what they are given into the object, or out of it, and run no other code.
MOVING = frozenset({
    list, dict, tuple, deque, set, frozenset, OrderedDict, defaultdict, Counter, array, str, bytes, bytearray, range,
})  # fmt: skip

#: What takes part in the replay of a call: machine, frame, instruction, the call, what its callable came from, result.
Model = Callable[[Machine, Frame, int, Pending, Ref, Any], Ref]
_MODELS: dict[Any, Model] = {}
_METHODS: dict[tuple[type, str], Model] = {}
INSTANCES: dict[type, Model] = {}
#: Models of callables of NumPy, by name, for it need not have been imported: methods of arrays, of its own converters
#: of results, and classes.
ARRAY_METHODS: dict[str, Model] = {}
CONVERTER_METHODS: dict[str, Model] = {}
CLASSES_OF_NUMPY: dict[str, Model] = {}


#: Modules whose functions leave their arguments as they are (those that do not are known to the recorder).
_PURE_MODULES = frozenset({
    "math", "cmath", "builtins", "numpy", "scipy", "operator", "_operator", "statistics", "copy", "fractions", "decimal",
    "logging", "warnings", "pprint", "json", "matplotlib",
})  # fmt: skip


def is_pure(callee: Any) -> bool:
    """Whether a callable leaves its arguments as they are, but for what it puts into the object it is a method of."""
    if type(told(callee, "__self__")) in MOVING:
        return isinstance(callee, BuiltinFunctionType)
    return (told(callee, "__module__") or "").partition(".")[0] in _PURE_MODULES


def is_callback(ref: Ref) -> bool:
    """Whether an argument is something that the callee may call, and that may do anything."""
    if type(ref) is Closure:
        return True
    if type(ref) is not Thing or not callable(ref.object) or issubclass(type(ref.object), type):
        return False
    return not (isinstance(ref.object, BuiltinFunctionType) and is_pure(ref.object))


#: Types of the callables that there are models of. To look any other up would run its class's `__hash__`.
_HASHED = frozenset({type, BuiltinFunctionType, FunctionType})


def model_of(callee: Any) -> Model | None:
    """The model of a callable, which gives the reference of its result, or None if it does not know it either."""
    owner = told(callee, "__self__")
    if isinstance(callee, BuiltinFunctionType) and type(owner) in MOVING:
        return _METHODS.get((type(owner), callee.__name__))
    if type(callee) in INSTANCES:
        return INSTANCES[type(callee)]
    if kinds.is_vectorize(type(callee)):
        return CLASSES_OF_NUMPY["vectorize"]
    if arrays.is_array(owner) and type(callee) is BuiltinFunctionType:
        return ARRAY_METHODS.get(callee.__name__)
    if type(callee) is BuiltinFunctionType and type(owner).__name__ == "_array_converter":
        return CONVERTER_METHODS.get(callee.__name__)
    if type(callee) is type and kinds.module_of(callee) == "numpy":
        return CLASSES_OF_NUMPY.get(callee.__name__)
    found = _MODELS.get(callee) if type(callee) in _HASHED else None
    if found is None and type(callee) is type and structures.parameters(callee) is not None:
        return _MODELS[structures.Record]
    return found


def models(*callables: Any) -> Callable[[Model], Model]:
    """Enter the model of some callables."""

    def enter(model: Model) -> Model:
        for item in callables:
            _MODELS[item] = model
        return model

    return enter


def methods(kinds: tuple[type, ...], *names: str) -> Callable[[Model], Model]:
    """Enter the model of methods of some types."""

    def enter(model: Model) -> Model:
        for kind in kinds:
            for name in names:
                _METHODS[kind, name] = model
        return model

    return enter
