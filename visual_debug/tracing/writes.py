"""Arrays that are about to be written to: their content is kept, so that what was computed from it stays true."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, FrameType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

from visual_debug import arrays
from visual_debug.tracing.context import current
from visual_debug.tracing.tape import Tape
from visual_debug.versions import Patch, Snapshot

#: Types whose values cannot be written to in place by an operator or a subscript, or hold no numbers of an array; without
#: texts, which `+=` looks for.
IMMUTABLE = frozenset({int, float, complex, bool, tuple, list, dict, set, Fraction, Decimal, type(None)})
#: Methods of arrays that write to the array itself.
MUTATING_METHODS = frozenset({"sort", "fill", "put", "itemset", "partition", "resize", "setfield", "byteswap"})
#: Those that may change its size, or how its bytes are read.
RESHAPING_METHODS = frozenset({"resize", "setfield", "byteswap"})
#: NumPy functions that write to their first argument, as do a ufunc's `at` and a random generator's `shuffle`.
MUTATING_FUNCTIONS = frozenset({"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"})
MUTATING_BOUND = frozenset({"at", "shuffle"})
#: Where NumPy's functions take `out` by position; the methods take it one place before.
OUT_POSITIONS = {
    "dot": 2, "outer": 2, "max": 2, "min": 2, "amax": 2, "amin": 2, "all": 2, "any": 2, "argmax": 2, "argmin": 2,
    "sum": 3, "prod": 3, "mean": 3, "cumsum": 3, "cumprod": 3, "clip": 3, "take": 3, "choose": 2, "compress": 3,
    "std": 3, "var": 3, "trace": 5, "round": 2, "around": 2, "ptp": 2, "median": 2,
}  # fmt: skip
#: Functions of `operator` that write to their first argument.
MUTATING_OPERATORS = frozenset({"setitem", "delitem"} | {f"i{name}" for name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
)})  # fmt: skip


def keep(tape: Tape, at: int, array: Any) -> None:
    """Keep the content of an array that is about to be written to."""
    owner = arrays.owner_of(array)
    if array is owner or not arrays.is_simple(array):
        tape.snapshots.append(Snapshot(at, owner, owner.copy(order="K")))
    else:
        _keep_part(tape, at, array, owner, ...)


def _keep_whole(tape: Tape, at: int, array: Any) -> None:
    """Keep the content of all the memory that an array, whose shape or size may change as well, is a part of."""
    owner = arrays.owner_of(array)
    tape.snapshots.append(Snapshot(at, owner, owner.copy(order="K")))


def _keep_part(tape: Tape, at: int, array: Any, owner: Any, key: Any) -> None:
    """Keep what stands in the part `array[key]` of the memory of `owner`."""
    content = array[key]
    if arrays.is_array(content):
        content = content.copy(order="K")
    part = array if array is owner else array[...]  # whose form nobody can change
    tape.snapshots.append(Snapshot(at, owner, None, patch=Patch(part, key, content)))


#: Types of the parts of an index that stay what they are.
_LASTING = frozenset({int, slice, type(None), type(...)})


def _lasting_index(key: Any) -> Any:
    """An index as it is now; None if it may be something else later."""
    kind = type(key)
    if kind in _LASTING and key is not None:
        return key
    if kind is tuple:
        if all(type(item) in _LASTING for item in key):
            return key
        parts = tuple([item if item is None else _lasting_index(item) for item in key])
        return None if any(a is None is not b for a, b in zip(parts, key, strict=True)) else parts
    if arrays.is_array(key):
        return key.copy() if key.dtype.kind in "biu" else None
    if arrays.is_scalar(key):
        return int(key) if isinstance(key, arrays.integers()) else None
    return None


#: Arrays of up to so many bytes are copied before a call that perhaps writes to them.
SMALL = 1 << 20
#: Modules whose functions write to nothing but what is said here.
_KNOWN = frozenset({
    "builtins", "math", "cmath", "numpy", "operator", "_operator", "copy", "functools", "itertools", "json", "logging",
    "warnings", "statistics", "time", "collections", "typing", "dataclasses", "contextlib", "matplotlib", "pprint",
})  # fmt: skip


def may_write(target: Any) -> bool:
    """Whether a callable that is not recorded perhaps writes to arrays that it is handed."""
    kind = type(target)
    if kind is BuiltinFunctionType and type(target.__self__) is not ModuleType:
        return False  # a method of C: of an array, which is known, or of a container
    if kind is MethodType:
        target = target.__func__
    if issubclass(type(target), type):
        return bool(target.__flags__ & 0x200)  # a class of Python
    if type(target) is FunctionType or kind is BuiltinFunctionType:
        return (target.__module__ or "").partition(".")[0] not in _KNOWN
    return type(target).__name__ not in NATIVE


def before_unknown(tape: Tape, target: Any, arguments: Iterable[Any], *, always: bool) -> None:
    """Called before code that perhaps writes to the arrays that it is handed, or that `target` has with it."""
    values = list(arguments)
    if type(target) is FunctionType:
        for cell in target.__closure__ or ():
            with contextlib.suppress(ValueError):  # it is empty
                values.append(cell.cell_contents)
    else:
        values.append(target)
    for owner in {id(owner): owner for owner in map(arrays.owner_of, _arrays_within(values))}.values():
        _keep_perhaps(tape, owner, always=always)


def _arrays_within(work: list[Any]) -> Iterator[Any]:
    """The arrays that values lead to, through containers and the attributes of objects; no code of classes is run."""
    seen: set[int] = set()
    slots: dict[type, list[MemberDescriptorType]] = {}
    while work and len(seen) < _MANY:
        value = work.pop()
        kind = type(value)
        if kind in _PLAIN or id(value) in seen:
            continue
        seen.add(id(value))
        if arrays.is_array(value):
            yield value
        elif kind in _COLLECTIONS:
            items = list(itertools.islice(value.values() if issubclass(kind, dict) else value, _MANY))
            if not _PLAIN.issuperset(map(type, items)):
                work += reversed(items)
        elif kind is functools.partial:
            work += [value.func, *value.args, *value.keywords.values()]
        elif kind is MethodType:
            work.append(value.__self__)
        elif kind.__flags__ & _HEAPTYPE and not issubclass(kind, type):
            if kind not in slots:
                members = [member for holder in type.mro(kind) for member in vars(holder).values()]
                slots[kind] = [member for member in members if type(member) is MemberDescriptorType]
            work += _attributes(value, slots[kind])


def _attributes(value: Any, slots: list[MemberDescriptorType]) -> list[Any]:
    """What is in the attributes of an object, but for plain numbers and texts."""
    try:
        kept = object.__getattribute__(value, "__dict__")
    except AttributeError:
        kept = None
    items = list(kept.values()) if type(kept) is dict else []  # at once, before anybody can change them
    found = [item for item in items if type(item) not in _PLAIN]
    for slot in slots:
        with contextlib.suppress(AttributeError):  # it has not been assigned to
            found.append(slot.__get__(value))
    return found


#: How many objects are looked through for arrays before such a call, at about 0.9 us each.
_MANY = 300
_PLAIN = frozenset({*IMMUTABLE, str, bytes, range, slice, ModuleType, FunctionType, BuiltinFunctionType}) - {
    tuple, list, dict, set,
}  # fmt: skip
_COLLECTIONS = frozenset({list, tuple, dict, set, frozenset, deque, OrderedDict, defaultdict})
_HEAPTYPE = 0x200  # Py_TPFLAGS_HEAPTYPE: a class written in Python


def before_code(tape: Tape, arguments: tuple[Any, ...], *, always: bool) -> None:
    """Called before `exec` and `eval`: their code perhaps writes to the arrays that its names stand for.

    Where they are given no namespaces they look for names in the frame that calls them, the first outside of this
    package, and bring its `f_locals` up to date themselves.
    """
    namespaces = [value for value in arguments if type(value) is dict]
    if not namespaces:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith(_HERE):
            frame = frame.f_back
        if frame is not None:
            namespaces = [frame.f_globals, frame.f_locals]
    values = (value for names in reversed(namespaces) for value in names.values())
    before_unknown(tape, None, values, always=always)


#: The folder of what runs beside the user's program.
_HERE = __file__.removesuffix("writes.py")


def _keep_perhaps(tape: Tape, owner: Any, *, always: bool) -> None:
    at = len(tape.values)
    if not always and owner.nbytes > SMALL:
        tape.snapshots.append(Snapshot(at, owner, None, True, arrays.sample(owner)))
        return
    content = tape.copies.get(id(owner))
    if content is None or not arrays.same_content(content, owner):  # else one copy serves as long as it stays the same
        content = tape.copies[id(owner)] = owner.copy(order="K")
    tape.snapshots.append(Snapshot(at, owner, content, True))


class Settled:
    """Types of objects that an attribute is assigned to, and that are no arrays; until a recording ends."""

    __slots__ = ("types",)

    def __init__(self) -> None:
        self.types: set[type] = set(IMMUTABLE)

    def forget(self) -> None:
        """Let go of the classes among them."""
        if len(self.types) > len(IMMUTABLE):
            self.types = set(IMMUTABLE)

    def __reduce__(self) -> tuple[Any, ...]:
        return Settled, ()


settled = Settled()


def before_attribute(values: list[Any], target: Any) -> None:
    """Called before an attribute of `target` is assigned to, which may be the shape of an array."""
    if arrays.is_array(target):
        before_item(values, target)
    else:
        settled.types.add(type(target))


def before_write(values: list[Any], target: Any) -> None:
    """Called before an in-place operator writes to `target`."""
    if arrays.is_array(target):
        tape = current()
        if tape is not None and tape.values is values:
            keep(tape, len(values), target)


def before_out(values: list[Any], target: Any) -> None:
    """Called before the function that `target` is the `out` of writes to it, or to each array in it."""
    for array in target if type(target) is tuple else (target,):
        before_write(values, array)


def before_item(values: list[Any], target: Any, *key: Any) -> None:
    """Called before a subscript of `target` is assigned to: told the index, or both ends of the slice.

    Without a key all of it may be written to.
    """
    if type(target).__name__ == "flatiter" and type(target).__module__ == "numpy":
        target, key = target.base, ()
    if type(target) is memoryview:
        target, key = arrays.shown_by(target), ()
    if not arrays.is_array(target):
        return
    tape = current()
    if tape is None or tape.values is not values:
        return
    index = _lasting_index(key[0] if len(key) == 1 else slice(*key)) if key else None
    if index is not None and arrays.is_simple(target):
        try:
            _keep_part(tape, len(values), target, arrays.owner_of(target), index)
        except (IndexError, TypeError, ValueError):  # which the assignment will raise, too
            pass
        else:
            return
    _keep_whole(tape, len(values), target)


def guarded(target: Any, count: int) -> Any:
    """A callable of C called with `count` positional arguments, made to keep what it writes to; most write nothing.

    A bound method that writes to its array is called at once, so the array is kept here and the method is itself. With
    a `count` of `SPREAD` the arguments are in a tuple and a dict, and looked at when the call is made.
    """
    kind = type(target)
    if count == SPREAD:
        may_write = kind is MethodType or kind.__name__ == "method-wrapper" or kind.__name__ in NATIVE
        if kind is BuiltinFunctionType and type(target.__self__) is ModuleType:
            # Others write nothing, and some, as `exec` and `locals`, look at the frame that they are called from.
            may_write = (target.__module__ or "").partition(".")[0] in ("numpy", "_operator")
        return _keeping_spread(target) if may_write else target
    if kind is MethodType:
        native = type(target.__func__).__name__ in NATIVE
        return _keeping(target, 0) if native and target.__name__ in MUTATING_BOUND else target
    if kind is BuiltinFunctionType and type(target.__self__) is not ModuleType:
        if not arrays.is_array(target.__self__):
            return _keeping(target, 0) if target.__name__ in MUTATING_BOUND else target
        if target.__name__ in MUTATING_METHODS:
            _keep_now(target.__self__, whole=target.__name__ in RESHAPING_METHODS)
        place = OUT_POSITIONS.get(target.__name__, count + 1) - 1
        return _keeping(target, place) if count > place else target
    if kind.__name__ == "method-wrapper" and arrays.is_array(target.__self__):
        _keep_now(target.__self__)  # `a.__setitem__(…)`, `a.__iadd__(…)`
        return target
    first = _first_written(target, count)
    return target if first is None else _keeping(target, first)


#: The count of positional arguments that stand in a tuple, as in `f(*args)`.
SPREAD = -1


def _keeping_spread(function: Any) -> Any:
    """Call a function with arguments that are only now known, keeping what it writes to as it was."""

    def kept(*args: Any, **kwargs: Any) -> Any:
        tape = current()
        if tape is not None and "out" in kwargs:
            before_out(tape.values, kwargs["out"])
        return guarded(function, len(args))(*args, **kwargs)

    return kept


def _keep_now(array: Any, *, whole: bool = False) -> None:
    tape = current()
    if tape is not None:
        (_keep_whole if whole else keep)(tape, len(tape.values), array)


#: Types of callables of C, by name, for they need not have been imported.
NATIVE = frozenset({
    "ufunc", "builtin_function_or_method", "_ArrayFunctionDispatcher", "cython_function_or_method",
})  # fmt: skip


def _first_written(target: Any, count: int) -> int | None:
    """Position of the first argument that a function of C or NumPy writes to, if it writes to one."""
    kind = type(target).__name__
    if kind not in NATIVE:  # a user's callable: even to ask for its name may run its code
        return None
    module, name = getattr(target, "__module__", None), getattr(target, "__name__", None)
    if kind == "ufunc":
        return int(target.nin) if count > target.nin else None
    if module == "numpy" and name in OUT_POSITIONS:
        return OUT_POSITIONS[name] if count > OUT_POSITIONS[name] else None
    if name == "nan_to_num" and (module or "").partition(".")[0] == "numpy":
        return 0
    if (module == "_operator" and name in MUTATING_OPERATORS) or name in MUTATING_BOUND:
        return 0
    return 0 if name in MUTATING_FUNCTIONS and (module or "").partition(".")[0] == "numpy" else None


def _keeping(function: Any, first: int) -> Any:
    """Call a function that writes to its arguments from `first` on, keeping those that are arrays as they were."""

    def kept(*args: Any, **kwargs: Any) -> Any:
        tape = current()
        if tape is not None and (function.__name__ != "nan_to_num" or not kwargs.get("copy", args[1:2] != (False,))):
            written = args[first : first + 1] if first == 0 else args[first:]
            out = kwargs.get("out")
            for target in (*written, *kwargs.values(), *(out if type(out) is tuple else ())):
                if arrays.is_array(target):
                    keep(tape, len(tape.values), target)
        return function(*args, **kwargs)

    return kept
