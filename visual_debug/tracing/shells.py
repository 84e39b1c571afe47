"""What is left of the objects that a recording met, once it is over: a trace must not keep them alive.

Replay asks of an object that is no number only what class it is of and whether it is the same as another. So each is
exchanged for an empty object of its class, everywhere on the tape for the same one. Numbers, arrays, functions,
modules and members of enumerations stay, and lists, tuples and dicts of nothing else.
"""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

from visual_debug import kinds, structures
from visual_debug.kinds import Gone, GoneMethod
from visual_debug.tracing import classes
from visual_debug.tracing.context import tape_here
from visual_debug.tracing.tape import DROPPED, Contents, Shells, Tape

#: Types whose objects stay.
STAYS: frozenset[type] = frozenset({
    int, float, complex, bool, str, bytes, type(None), range, slice, FunctionType, ModuleType, CodeType, CellType, type,
    type(Ellipsis), type(NotImplemented), type(DROPPED), functools._lru_cache_wrapper,
})  # fmt: skip


class _Lasting:
    """Holds a set for code, whose constants must have a hash (`in` takes twice as long with a set of a class of ours)."""

    __slots__ = ("types",)

    def __init__(self) -> None:
        self.types = LASTING

    def __reduce__(self) -> tuple[Any, ...]:
        return _Lasting, ()


#: Types of which every object is recorded as it is while the call goes on; those of numbers join them when met.
LASTING: set[type] = {*STAYS, list, tuple, dict, Gone}
lasting = _Lasting()
#: Those of them that hold nothing, or nothing that is told apart before the end.
_AT_ONCE: set[type] = LASTING - {tuple}
#: What every call of a method makes, and is let go with.
_BOUND = frozenset({BuiltinFunctionType, MethodType})
#: The types of NumPy's functions.
_FUNCTIONS = frozenset({"ufunc", "_ArrayFunctionDispatcher"})
#: Containers longer than this are looked into only at both ends, as most are of one kind.
_LONG = 64
#: Containers nested deeper than this stay as they are.
_DEEP = 50


#: By identity: an object, which nothing else is at the place of, or a weak reference to it, and what is left.
Memory = dict[int, tuple[Any, Any]]


def note(values: list[Any], value: Any) -> None:
    """Append a value that may be an object: what is left of it, if that can be told apart from all others already."""
    kind = type(value)
    if kind not in LASTING:
        tape = tape_here.get()
        if tape.end is None:
            memory = tape.shells
            facts = memory.facts.get(id(kind))
            if facts is not None and facts.is_object:
                key = id(value)
                known = memory.get(key)
                value = known[1] if known is not None else made(value, key, facts, memory)
            elif facts is not None or not _joined(value, kind):
                value = now(value, memory)
    values.append(value)


def _joined(value: Any, kind: type) -> bool:
    """Whether every object of a type stays; then that is known from now on."""
    if _always_stays(value, kind):
        LASTING.add(kind)
        _AT_ONCE.add(kind)
        return True
    return False


def _always_stays(value: Any, kind: type) -> bool:
    """Whether every object of a type stays: numbers, arrays, classes, and the functions of NumPy."""
    if kind in _BOUND:
        return False
    if kinds.is_number(value) or issubclass(kind, type):
        return True
    return kinds.module_of(kind) == "numpy" and kind.__name__ in _FUNCTIONS


def note_sum(values: list[Any], value: Any) -> None:
    """Append the result of `+=`; a text that grows is not kept at each of its lengths."""
    kind = type(value)
    if kind is str or kind is bytes:
        values.append(DROPPED)
    else:
        note(values, value)


def noted(tape: Tape, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same for the arguments of an activation."""
    return tuple([now(value, tape.shells) for value in values])


def now(value: Any, memory: Shells) -> Any:
    """What will be left of a value; `memory` holds what can be held weakly only so."""
    kind: Any = type(value)
    if kind in LASTING:
        return value
    facts = memory.facts.get(id(kind)) or classes.met(memory.facts, kind)
    if facts.stays:
        return value
    key = id(value)
    known = memory.get(key)
    if known is not None:
        return known[1]
    if key in memory.made:
        return value
    if facts.is_bound:
        return _bound_now(value, kind, memory)
    return made(value, key, facts, memory)


def made(value: Any, key: int, facts: classes.Facts, memory: Shells) -> Any:
    """What will be left of an object that was not met before; its identity is `key`."""
    kind = facts.kind
    shell = _shell(value, memory) if facts.empty is None else facts.empty(kind)
    if kind is not FrameType:  # which a reference keeps from being cleared, and nothing needs to be told of
        memory[key] = (weakref.ref(value, functools.partial(memory.pop, key)) if facts.is_weak else value), shell
    memory.made.add(id(shell))
    return shell


def _bound_now(value: Any, kind: type, memory: Shells) -> Any:
    """The same of a method."""
    owner = value.__self__
    if kind is MethodType:
        return MethodType(value.__func__, now(owner, memory)) if callable(value.__func__) else value
    rest = now(owner, memory)
    return value if rest is owner else GoneMethod(value.__name__, rest)


def exchange(tape: Tape) -> None:
    """Exchange the objects that were recorded since the last time, before code runs that may ask whether they live.

    An object that cannot be held weakly is let go as soon as nobody else refers to it. It takes 15 ns a value.
    """
    values, memory, begin = tape.values, tape.shells, tape.exchanged
    end = tape.exchanged = len(values)
    if begin < end and not _AT_ONCE.issuperset(map(type, values[begin:end])):
        for index in range(begin, end):
            value = values[index]
            kind = type(value)
            if kind is tuple:
                values[index] = _tuple_now(value, memory)
            elif kind in LASTING or id(value) in memory.made:
                continue
            elif id(kind) in memory.facts or not _joined(value, kind):
                values[index] = now(value, memory)
                tape.has_objects = True
    if len(memory) <= _FEW or len(memory) > 2 * tape.looked_at:
        tape.lets_go = True
        try:
            _let_go(memory)
        finally:
            tape.lets_go = False
        tape.looked_at = len(memory)


#: More objects than this are looked at only when they have become twice as many.
_FEW = 64
#: What nobody refers to but the recording: the entry of its memory, a variable and an argument.
_OURS = 3


def _let_go(memory: Memory) -> None:
    """Forget the objects that nobody else refers to, and then those that only they referred to."""
    before = len(memory) + 1
    while len(memory) < before:  # their end may run code that has others recorded
        before = len(memory)
        for key, (held, _) in list(memory.items()):
            if type(held) is not weakref.ref and sys.getrefcount(held) <= _OURS:
                memory.pop(key, None)


def _tuple_now(value: tuple[Any, ...], memory: Shells, depth: int = 0) -> Any:
    """A tuple with what will be left of its items, if that differs."""
    if depth > _DEEP or STAYS.issuperset(map(type, value)) or id(value) in memory.made:
        return value
    known = memory.get(id(value))
    if known is not None:
        return known[1]
    parts = [_tuple_now(item, memory, depth + 1) if type(item) is tuple else now(item, memory) for item in value]
    if all(map(operator.is_, parts, value)):
        return value
    shell = tuple(parts)
    memory[id(value)] = value, shell
    memory.made.add(id(shell))
    return shell


def stay(values: list[Any]) -> bool:
    """Whether nothing is to be exchanged for what is left of it when the recording ends."""
    return all(kind in LASTING and kind not in _CONTAINERS for kind in map(type, values))


#: Types of which the items may be objects.
_CONTAINERS = frozenset({list, tuple, dict})
#: How many values are looked through at once for others than numbers.
_PORTION = 256


#: Types of which something is left that has the same methods.
_WITH_METHODS = frozenset({list, dict})


def empty(tape: Tape) -> None:
    """Exchange every object on a tape that is over for what is left of it."""
    memory = Shells()
    memory.facts, made = tape.shells.facts, tape.shells.made
    memory.made = made
    for key, (held, shell) in list(tape.shells.items()):
        memory[key] = (held() if type(held) is weakref.ref else held), shell
    values, stays = tape.values, LASTING - _CONTAINERS
    settled: set[int] = set()  # whose methods stay, as in every turn of a loop: by identity, for values hold them
    for first in range(0, len(values), _PORTION):
        portion = values[first : first + _PORTION]
        if stays.issuperset(map(type, portion)):  # 6 ns a value, where the loop takes 20
            continue
        for index, value in enumerate(portion, first):
            kind = type(value)
            if kind in stays or id(value) in made:
                continue
            if kind in _BOUND:
                owner = id(value.__self__)
                if owner in settled or owner in made:
                    continue
                known = memory.get(owner)
                if known is not None and type(known[1]) in _WITH_METHODS and known[1] is not value.__self__:
                    values[index] = getattr(known[1], value.__name__)
                    continue
            if id(kind) not in memory.facts and _joined(value, kind):
                stays.add(kind)
                continue
            left = values[index] = _left(value, memory)
            if left is value and kind in _BOUND:
                settled.add(id(value.__self__))
    for index in (0, *tape.unsettled):
        plan, arguments, closure = tape.arguments[index]
        if stays.issuperset(map(type, arguments)):
            continue
        tape.arguments[index] = plan, tuple([_left(argument, memory) for argument in arguments]), closure
    tape.returned = _left(tape.returned, memory)
    if tape.beginning is not None:
        begin = tape.beginning
        variables = {name: _left(value, memory) for name, value in begin.variables.items()}
        tape.beginning = begin._replace(variables=variables, stack=tuple([_left(v, memory) for v in begin.stack]))
    tape.shells = Shells()


def _left(value: Any, memory: Shells, depth: int = 0) -> Any:
    """What is left of a value."""
    kind = type(value)
    if kind in STAYS:
        return value
    known = memory.get(id(value))
    if known is not None:
        return known[1]
    if id(value) in memory.made:
        return value
    if kind is Contents:
        memory[id(value)] = value, value  # before its items, which may lead back to it
        value.container = _left(value.container, memory, depth)
        if not STAYS.issuperset(map(type, value.items)):
            value.items = [_left(item, memory, depth + 1) for item in value.items]
        return value
    if kind is list or kind is tuple or kind is dict:
        return _container(value, memory, depth)
    facts = memory.facts.get(id(kind)) or classes.met(memory.facts, kind)
    if facts.stays and kind is not functools.partial:
        return value
    shell = _shell(value, memory) if facts.empty is None else facts.empty(kind)
    memory[id(value)] = value, shell
    return shell


def _shell(value: Any, memory: Shells) -> Any:
    """What is left of an object, where that depends on what is in it."""
    kind: Any = type(value)
    if kind is MethodType and callable(value.__func__):
        return MethodType(value.__func__, _left(value.__self__, memory))
    if kind is BuiltinFunctionType or kind is MethodWrapperType:
        rest = _left(value.__self__, memory)
        if rest is value.__self__:
            return value
        return getattr(rest, value.__name__) if type(rest) in _WITH_METHODS else GoneMethod(value.__name__, rest)
    if kind is functools.partial:
        arguments = [_left(argument, memory) for argument in value.args]
        return functools.partial(value.func, *arguments, **{k: _left(v, memory) for k, v in value.keywords.items()})
    if structures.tuple_fields(kind) is not None:
        return tuple.__new__(kind, [_left(item, memory) for item in tuple.__iter__(value)])
    return value


def _container(value: Any, memory: Shells, depth: int) -> Any:
    items = list(value.values()) if type(value) is dict else value
    looked_at = items if len(items) <= _LONG else [*items[:_LONG], *items[-_LONG:]]
    if depth > _DEEP:
        return value
    if STAYS.issuperset(map(type, looked_at)):
        memory[id(value)] = value, value
        return value
    if type(value) is tuple:
        parts = [_left(item, memory, depth + 1) for item in value]
        rest: Any = value if all(map(operator.is_, parts, value)) else tuple(parts)
    else:
        rest = type(value)()
        memory[id(value)] = value, rest  # before its items, which may lead back to it
        if type(value) is dict:
            rest.update((key, _left(item, memory, depth + 1)) for key, item in value.items())
        else:
            rest.extend(_left(item, memory, depth + 1) for item in value)
    memory[id(value)] = value, rest
    return rest
