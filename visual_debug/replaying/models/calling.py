"""What iterators compute with that call a function of each item: recorded functions, and C code that can run once more.

Nothing happens when such an iterator is made. Whoever takes items from it makes it call its function: if that is
recorded, the path tells each call, and what is made is what the function returned; if it is C code that computes with
numbers, it is computed again. Of any other function nothing is known, and the iterator has no model.
"""

from __future__ import annotations

import functools
import math
import operator
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType
from typing import Any

from visual_debug import arrays, kinds, rules
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import Pending
from visual_debug.replaying.symbols import UNSET, Asked, Leaf, Mapping, Ref, Sequence, Stream, Thing
from visual_debug.tracing import policy
from visual_debug.tracing.tape import Site
from visual_debug.tracing.writes import MUTATING_FUNCTIONS

_GENERATES = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


def recorded(m: Machine, ref: Ref, count: int) -> tuple[CodeType, int] | None:
    """Code of the recorded function that a callable calls with that many arguments, and how many come before those."""
    callee, before = m.known_value(ref), 0
    while type(callee) in (MethodType, functools.partial):
        if type(callee) is MethodType:
            callee, before = callee.__func__, before + 1
        else:
            callee, before = callee.func, before + len(callee.args)
    if type(callee) is not FunctionType and callee is not UNSET and type(callee) is not type:
        method = next((vars(kind)["__call__"] for kind in type.mro(type(callee)) if "__call__" in vars(kind)), None)
        if type(method) is FunctionType:
            callee, before = method, before + 1
    if type(callee) is not FunctionType or not m.tape.policy.wants(policy.plain_of(callee)):
        return None
    code = policy.plain_code(callee)
    if code.co_flags & _GENERATES or code.co_argcount < before + count:
        return None
    return code, before


#: Functions of one list of numbers.
_OF_MANY = (sum, max, min, math.fsum, math.prod)


def unpacked(m: Machine, site: Site, ref: Ref) -> tuple[Any, list[Ref]]:
    """A callable without the `functools.partial` around it, and what that puts in front."""
    callee = m.known_value(ref)
    front: list[Ref] = []
    while type(callee) is functools.partial and not callee.keywords:
        front = [*(m.discover(value, site, source=ref) for value in callee.args), *front]
        callee = callee.func
    return callee, front


def computes(callee: Any) -> bool:
    """Whether a callable is C code that computes of numbers or arrays, or picks an item, and does nothing else."""
    if type(callee) is operator.itemgetter or _is_lookup(callee):
        return True
    if callee in (float, complex, int) if type(callee) is type else False:
        return True
    if isinstance(callee, BuiltinFunctionType):
        return callee.__module__ in ("math", "cmath", "_operator") or callee in (abs, pow, round, *_OF_MANY)
    if kinds.module_of(type(callee)) == "numpy" and (type(callee).__name__ == "ufunc" or _is_of_arrays(callee)):
        return True
    return type(callee) is MethodWrapperType and type(callee.__self__) in (float, int, complex)


def _is_of_arrays(callee: Any) -> bool:
    """Whether a callable is a function of NumPy that computes of arrays and writes to none."""
    is_function = type(callee).__name__ == "_ArrayFunctionDispatcher" and callee.__name__ not in MUTATING_FUNCTIONS
    return is_function and rules.find(rules.resolve(callee)[0]) is not None


def _is_computed_of(m: Machine, value: Any) -> bool:
    """Whether a value is a number, or an array that holds what it held when it was used: none was written to."""
    if type(value) in (float, int, complex, bool) or arrays.is_scalar(value):
        return True
    return (
        arrays.is_array(value)
        and type(value).__name__ == "ndarray"
        and value.dtype.kind in "fiucb"
        and not m.tape.snapshots
    )


def _is_lookup(callee: Any) -> bool:
    """Whether a callable is the subscript of a plain container."""
    is_method = isinstance(callee, BuiltinFunctionType) and type(callee.__self__) in (list, tuple, dict)
    return is_method and callee.__name__ == "__getitem__"


def _picked(m: Machine, container: Ref, key: Any) -> Ref:
    """An item of a followed container."""
    container = m.holder(container)
    is_known = type(container) in (Sequence, Mapping) and container.items is not None and kinds.is_plain_key(key)
    try:
        return container.items[key] if is_known and type(key) is not slice else None
    except (LookupError, TypeError):
        return None


def computed(m: Machine, f: Frame, site: Site, callee: Any, refs: list[Ref], z: Any = UNSET) -> Ref:
    """The node of what C code computes of numbers, once more; None if it cannot be known, or is not `z`."""
    if type(callee) is operator.itemgetter:
        keys = callee.__reduce__()[1]
        found = _picked(m, refs[0], keys[0]) if len(keys) == 1 else None
        return found if z is UNSET or m.agrees(found, z) else None
    if _is_lookup(callee):
        found = _picked(m, Thing(callee.__self__), m.known_value(refs[0]))
        return found if z is UNSET or m.agrees(found, z) else None
    is_listed = callee in _OF_MANY and len(refs) == 1
    if is_listed:
        refs = containers.items_of(m.holder(refs[0])) or []
    values = [m.known_value(ref) for ref in refs]
    if not all(_is_computed_of(m, value) for value in values):
        return None
    try:
        value = callee(values) if is_listed else callee(*values)
    except (ArithmeticError, ValueError, TypeError):
        return None
    if z is not UNSET:
        if not arrays.is_same(value, z):
            return None
        value = z
    if not _is_computed_of(m, value):
        return None
    for ref, given in zip(refs, values, strict=True):
        if value is given and callee in (float, max, min):
            return ref
    name, bound = rules.resolve(callee)
    rule = rules.find(name)
    if rule is None:
        return None
    front = [Leaf(number, "const", None, site) for number in bound]
    return m.again(m.call_node(name, value, [*front, *refs], {}, f, site, rule.arity))


def columns_of(streams: list[Stream]) -> list[list[Ref]] | None:
    """What each of several iterators has left that are gone through side by side, to the end of the shortest one."""
    if len(streams) == 1:
        refs = streams[0].rest()
        return None if refs is None else [refs]
    if all(s is streams[0] for s in streams):  # `zip(it, it)`: its items in groups
        refs = streams[0].rest()
        count = len(refs or ()) // len(streams)
        return None if refs is None else [refs[i : count * len(streams) : len(streams)] for i in range(len(streams))]
    if _reached(streams)[1]:  # which takes what depends on the order, and what one takes the others have not
        for stream in streams:
            stream.lose()
        return None
    columns: list[Any] = [s.made() if s.made is not None else s.rest() for s in streams]
    lengths = [len(refs) for refs in columns if refs is not None]
    is_known = lengths and all(refs is not None or s.endless for refs, s in zip(columns, streams, strict=True))
    count = min(lengths, default=0)
    found = [
        [s.advance(UNSET) for _ in range(count)] if r is None else r[:count]
        for r, s in zip(columns, streams, strict=True)
    ]
    if not is_known or max(lengths) > count:  # more may have been taken from those that were longer
        for stream in streams:
            stream.lose()
    return found if is_known else None


def _reached(streams: list[Stream]) -> tuple[dict[int, Stream], bool]:
    """Several iterators with all that they take items from, and whether two of them take from one and the same."""
    seen: dict[int, Stream] = {}
    is_shared = False
    for stream in streams:
        within: dict[int, Stream] = {}
        work = [stream]
        while work:
            one = work.pop()
            if id(one) not in within:
                within[id(one)] = one
                work.extend(one.streams)
                if one.frame is not None:  # a recorded generator: what it has in its variables it may take from
                    work.extend(ref for ref in one.frame.locals.values() if type(ref) is Stream)
        is_shared = is_shared or not seen.keys().isdisjoint(within)
        seen |= within
    return seen, is_shared


def out_of_turn(streams: list[Stream]) -> bool:
    """Whether iterators that are gone through one after the other may have taken items of each other's.

    What calls a recorded function takes its items at each call, anything else when the consumer has come to an end.
    """
    seen, is_shared = _reached(streams)
    return is_shared and any(one.made is not None or one.frame is not None for one in seen.values())


def exhausted(stream: Stream) -> None:
    """An iterator has told that it has no more: one that goes through several may have taken an item from some in vain."""
    work = [stream]
    while work:
        one = work.pop()
        if len(one.streams) > 1:
            one.lose()
        else:
            work.extend(one.streams)


def all_or_none(source: Ref, rest: Callable[[], list[Ref] | None], streams: tuple[Stream, ...]) -> Stream:
    """An iterator that is followed where all of it is taken; one item by one, who knows what it has passed over."""

    def advance(z: Any) -> Ref:
        made.lose()
        return None

    made = Stream(advance, source, rest, streams=streams)
    return made


def next_of(stream: Stream) -> Ref:
    """The next item, if it can be told without taking it; if it is still to be made, nothing agrees with it."""
    if stream.ahead is not None:
        return stream.ahead()
    ahead = stream.peek(1) if stream.peek is not None and not stream.counts else None
    return None if ahead is None else ahead[0] if ahead else Thing()


def is_empty(stream: Stream) -> bool:
    """Whether there certainly is no item."""
    work = [stream]
    while work:
        one = work.pop()
        if one.peek is not None and not (one.peek(1) or one.peek(1) is None):
            return True
        work.extend(one.streams if one.each else ())
    return False


def source_of(call: Pending, streams: list[Stream]) -> Thing:
    """What items may depend on: what the iterator takes them from, its function, and what that returns."""
    return Thing(UNSET, [*call.args, *call.kwargs.values(), *streams])


class Making:
    """An iterator that calls a recorded function: items made and not taken, and how many calls there were."""

    def __init__(self, m: Machine, source: Thing, streams: list[Stream]) -> None:
        self.m, self.source, self.streams = m, source, streams
        self.items: deque[Ref] = deque()
        self.calls = 0
        self.is_sure = True
        self.rest_of: Stream | None = None  # the items that come behind those made, with no more calls

    def add(self, ref: Ref) -> None:
        """An item is made."""
        self.items.append(ref)
        self.m.put(self.source, ref)

    def advance(self, z: Any) -> Ref:
        """The next item that was made."""
        if self.items:
            return self.items.popleft()
        return self.rest_of.advance(z) if self.rest_of is not None else None

    def ahead(self) -> Ref:
        """The item to be taken next."""
        return self.items[0] if self.items else Thing()

    def made(self) -> list[Ref] | None:
        """All that were made and not taken; None if others come behind them that nobody makes."""
        if self.rest_of is not None:
            return None
        return self._taken()

    def _taken(self) -> list[Ref]:
        items = list(self.items)
        self.items.clear()
        return items

    def rest(self) -> list[Ref] | None:
        """The same, for whoever took all there are: there are none that no call made."""
        if not self.is_sure or not (self.calls or any(map(is_empty, self.streams))):
            return None
        if self.rest_of is not None:
            behind = self.rest_of.rest()
            return None if behind is None else [*self._taken(), *behind]
        for stream in self.streams:
            if len(self.streams) > 1:  # one is at its end, and an item more may have been taken from others
                stream.lose()
            exhausted(stream)
        return self._taken()

    def stream(self, asked: Asked) -> Stream:
        """The reference of the iterator."""
        return Stream(
            self.advance, self.source, self.rest, made=self.made, asked=asked, streams=tuple(self.streams), ahead=self.ahead
        )  # fmt: skip


def truth_of(m: Machine, ref: Ref) -> bool | None:
    """Whether what a predicate returned is true; None if that is not known, or takes code of the user's."""
    value = m.known_value(ref)
    if type(value) in kinds.SCALARS or arrays.is_scalar(value) or value is None or type(value) is str:
        return bool(value)
    return None
