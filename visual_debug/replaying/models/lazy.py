"""Iterators that compute when they are asked for an item, as `map` and those of `itertools`, and what folds items.

Nothing happens when one is made. Whoever takes items from it makes it call its function: if that is recorded, the path
tells each call, and what is made is what the function returned; if it is C code that computes with plain numbers, it
is computed again. Of any other function nothing is known, and the iterator has no model.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType
from typing import Any

from visual_debug import arrays, kinds, rules
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import Model, Pending, models
from visual_debug.replaying.symbols import UNSET, Asked, Leaf, Mapping, Ref, Sequence, Stream, Thing
from visual_debug.tracing import policy
from visual_debug.tracing.tape import Site

_GENERATES = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


def _recorded(m: Machine, ref: Ref, count: int) -> tuple[CodeType, int] | None:
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


def _unpacked(m: Machine, site: Site, ref: Ref) -> tuple[Any, list[Ref]]:
    """A callable without the `functools.partial` around it, and what that puts in front."""
    callee, front = m.known_value(ref), []
    while type(callee) is functools.partial and not callee.keywords:
        front = [*(m.discover(value, site, source=ref) for value in callee.args), *front]
        callee = callee.func
    return callee, front


def _computes(callee: Any) -> bool:
    """Whether a callable is C code that computes a number of plain numbers, or picks an item, and does nothing else."""
    if type(callee) is operator.itemgetter or _is_lookup(callee):
        return True
    if callee in (float, complex, int) if type(callee) is type else False:
        return True
    if isinstance(callee, BuiltinFunctionType):
        return callee.__module__ in ("math", "cmath", "_operator") or callee in (abs, pow, max, min)
    if type(callee).__name__ == "ufunc" and kinds.module_of(type(callee)) == "numpy":
        return True
    return type(callee) is MethodWrapperType and type(callee.__self__) in (float, int, complex)


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
    """The node of what C code computes of plain numbers, once more; None if it cannot be known, or is not `z`."""
    if type(callee) is operator.itemgetter:
        keys = callee.__reduce__()[1]
        found = _picked(m, refs[0], keys[0]) if len(keys) == 1 else None
        return found if z is UNSET or m.agrees(found, z) else None
    if _is_lookup(callee):
        found = _picked(m, Thing(callee.__self__), m.known_value(refs[0]))
        return found if z is UNSET or m.agrees(found, z) else None
    values = [m.known_value(ref) for ref in refs]
    if any(type(value) not in (float, int, complex, bool) and not arrays.is_scalar(value) for value in values):
        return None
    try:
        value = callee(*values)
    except (ArithmeticError, ValueError, TypeError):
        return None
    if z is not UNSET:
        if not arrays.is_same(value, z):
            return None
        value = z
    if type(value) not in (float, int, complex, bool) and not arrays.is_scalar(value):
        return None
    for ref, given in zip(refs, values, strict=True):
        if value is given and callee in (float, max, min):
            return ref
    name, bound = rules.resolve(callee)
    rule = rules.find(name)
    if rule is None:
        return None
    front = [Leaf(number, "const", None, site) for number in bound]
    return m.copied(m.call_node(name, value, [*front, *refs], {}, f, site, rule.arity))


def _columns(streams: list[Stream]) -> list[list[Ref]] | None:
    """What each of several iterators has left that are gone through side by side, to the end of the shortest one."""
    columns: list[Any] = [s.made() if s.made is not None else s.rest() for s in streams]
    if any(refs is None and not s.endless for refs, s in zip(columns, streams, strict=True)):
        return None
    lengths = [len(refs) for refs in columns if refs is not None]
    if not lengths:
        return None
    count = min(lengths)
    if max(lengths) > count:  # more may have been taken from those that were longer
        for stream in streams:
            stream.lose()
    return [[s.advance(UNSET) for _ in range(count)] if r is None else r[:count] for r, s in zip(columns, streams, strict=True)]


def _next_of(stream: Stream) -> Ref:
    """The next item, if it can be told without taking it; if it is still to be made, nothing agrees with it."""
    if stream.ahead is not None:
        return stream.ahead()
    ahead = stream.peek(1) if stream.peek is not None and not stream.counts else None
    return None if ahead is None else ahead[0] if ahead else Thing()


def _is_empty(stream: Stream) -> bool:
    """Whether there certainly is no item."""
    return stream.peek is not None and not (stream.peek(1) or stream.peek(1) is None)


def _source(call: Pending, streams: list[Stream]) -> Thing:
    """What items may depend on: what the iterator takes them from, its function, and what that returns."""
    return Thing(UNSET, [*call.args, *call.kwargs.values(), *streams])


class _Making:
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

    def made(self) -> list[Ref]:
        """All that were made and not taken."""
        items = list(self.items)
        self.items.clear()
        return items

    def rest(self) -> list[Ref] | None:
        """The same, for whoever took all there are: there are none that no call made."""
        if not self.is_sure or not (self.calls or any(map(_is_empty, self.streams))):
            return None
        if self.rest_of is not None:
            behind = self.rest_of.rest()
            return None if behind is None else [*self.made(), *behind]
        if len(self.streams) > 1:  # one is at its end, and an item more may have been taken from others
            for stream in self.streams:
                stream.lose()
        return self.made()

    def stream(self, asked: Asked) -> Stream:
        """The reference of the iterator."""
        return Stream(
            self.advance, self.source, self.rest, made=self.made, asked=asked, streams=tuple(self.streams), ahead=self.ahead
        )  # fmt: skip


@models(map)
def _map(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    function, *iterables = call.args
    if call.kwargs or not iterables:
        return None
    site = f.plan.site(index)
    recorded = _recorded(m, function, len(iterables))
    if recorded is None:
        callee, front = _unpacked(m, site, function)
        if not _computes(callee):
            return None
        streams = [containers.iterate(m, f, index, ref) for ref in iterables]
        return _computing(m, f, site, callee, front, streams, _source(call, streams))
    streams = [containers.iterate(m, f, index, ref) for ref in iterables]
    code, before = recorded
    making = _Making(m, _source(call, streams), streams)

    def take(values: tuple[Any, ...]) -> list[Ref]:
        making.calls += 1
        refs = [containers.taken(m, s, v, site) for s, v in zip(streams, values[before:], strict=False)]
        return [*[None] * before, *refs]

    return making.stream(Asked(code, take, making.add, lambda: [*[None] * before, *map(_next_of, streams)]))


def _computing(
    m: Machine, f: Frame, site: Site, callee: Any, front: list[Ref], streams: list[Stream], source: Thing
) -> Ref:
    """`map` of C code, with some arguments in front."""

    def advance(z: Any) -> Ref:
        return computed(m, f, site, callee, [*front, *(s.advance(UNSET) for s in streams)], z)

    def rest() -> list[Ref] | None:
        columns = _columns(streams)
        if columns is None:
            return None
        made = [computed(m, f, site, callee, [*front, *refs]) for refs in zip(*columns, strict=True)]
        return None if any(ref is None for ref in made) else made

    is_known = all(s.is_followed and not isinstance(s.source, int) for s in streams)
    return Stream(advance, source, rest, streams=tuple(streams)) if is_known else None


@models(itertools.starmap)
def _starmap(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    function, iterable = call.args
    site = f.plan.site(index)
    recorded = _recorded(m, function, 0)
    callee = m.known_value(function)
    if recorded is None and not _computes(callee):
        return None
    stream = containers.iterate(m, f, index, iterable)
    if recorded is None:
        return _star_computing(m, f, site, callee, stream, _source(call, [stream]))
    code, before = recorded
    making = _Making(m, _source(call, [stream]), [stream])

    def take(values: tuple[Any, ...]) -> list[Ref]:
        making.calls += 1
        group = stream.advance(tuple(values[before : code.co_argcount]))
        refs = group.items if type(group) is Sequence and group.items is not None else []
        return [*[None] * before, *refs]

    def ahead() -> list[Ref]:
        group = _next_of(stream)
        refs = group.items if type(group) is Sequence and group.items is not None else []
        return [*[None] * before, *refs]

    return making.stream(Asked(code, take, making.add, ahead))


def _star_computing(m: Machine, f: Frame, site: Site, callee: Any, stream: Stream, source: Thing) -> Ref:
    """`itertools.starmap` of C code."""

    def one(group: Ref, z: Any = UNSET) -> Ref:
        if type(group) is not Sequence or group.items is None:
            return None
        return computed(m, f, site, callee, list(group.items), z)

    def rest() -> list[Ref] | None:
        groups = stream.rest()
        made = None if groups is None else [one(group) for group in groups]
        return None if made is None or any(ref is None for ref in made) else made

    return Stream(lambda z: None, source, rest, streams=(stream,))


def _truth(m: Machine, ref: Ref) -> bool | None:
    """Whether what a predicate returned is true; None if that is not known, or takes code of the user's."""
    value = m.known_value(ref)
    if type(value) in kinds.SCALARS or arrays.is_scalar(value) or value is None or type(value) is str:
        return bool(value)
    return None


def _choosing(choose: Callable[[_Making, Stream, Ref, bool], None]) -> Model:
    """The model of an iterator that asks a predicate of each item."""

    def model(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
        predicate, iterable = call.args
        recorded = _recorded(m, predicate, 1)
        callee = m.known_value(predicate)
        if recorded is None and not (callee is None and call.callee in (filter, itertools.filterfalse)):
            return None
        stream = containers.iterate(m, f, index, iterable)
        making = _Making(m, _source(call, [stream]), [stream])
        if recorded is None:
            return _true_ones(m, stream, making.source, wanted=call.callee is filter)
        code, before = recorded
        site = f.plan.site(index)
        asking: list[Ref] = []

        def take(values: tuple[Any, ...]) -> list[Ref]:
            making.calls += 1
            asking[:] = [containers.taken(m, stream, values[before], site)]
            return [*[None] * before, *asking]

        def answer(ref: Ref) -> None:
            truth = _truth(m, ref)
            if truth is None:
                making.is_sure = False
            else:
                choose(making, stream, asking[0], truth)

        return making.stream(Asked(code, take, answer, lambda: [*[None] * before, _next_of(stream)]))

    return model


def _true_ones(m: Machine, stream: Stream, source: Thing, *, wanted: bool) -> Ref:
    """`filter(None, …)`: the items that are true."""

    def rest() -> list[Ref] | None:
        refs = stream.rest()
        truths = [_truth(m, ref) for ref in refs or ()]
        if refs is None or None in truths:
            return None
        return [ref for ref, truth in zip(refs, truths, strict=True) if truth is wanted]

    return Stream(lambda z: None, source, rest, streams=(stream,))


def _take_true(making: _Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if truth:
        making.add(ref)


def _take_false(making: _Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if not truth:
        making.add(ref)


def _take_behind(making: _Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if not truth:
        making.add(ref)
        making.rest_of = stream


models(filter, itertools.takewhile)(_choosing(_take_true))
models(itertools.filterfalse)(_choosing(_take_false))
models(itertools.dropwhile)(_choosing(_take_behind))


# ---- folding


class _Fold:
    """What comes of items so far, by a recorded function of that and the next item."""

    def __init__(self, m: Machine, stream: Stream, initial: Ref, site: Site) -> None:
        self.m, self.stream, self.site = m, stream, site
        self.so_far = initial
        self.calls = 0

    def begin(self, value: Any) -> None:
        """The first item is what is folded first, if nothing else is."""
        if self.so_far is None:
            self.so_far = containers.taken(self.m, self.stream, value, self.site)

    def asked(self, code: CodeType, before: int, answer: Callable[[Ref], None]) -> Asked:
        """The calls of the function."""

        def take(values: tuple[Any, ...]) -> list[Ref]:
            self.calls += 1
            self.begin(values[before])
            item = containers.taken(self.m, self.stream, values[before + 1], self.site)
            return [*[None] * before, self.so_far, item]

        def ahead() -> list[Ref]:
            return [*[None] * before, self.so_far]

        return Asked(code, take, answer, ahead)

    def keep(self, ref: Ref) -> None:
        """The function has returned."""
        self.so_far = ref


def reduction(m: Machine, f: Frame, call: Pending) -> Asked | None:
    """The calls that `functools.reduce` makes of a recorded function."""
    recorded = _recorded(m, call.args[0], 2)
    if recorded is None or call.kwargs:
        return None
    stream = containers.iterate(m, f, f.pc, call.args[1])
    fold = _Fold(m, stream, call.args[2] if len(call.args) > 2 else None, f.plan.site(f.pc))
    asked = fold.asked(*recorded, fold.keep)
    call.fold = fold
    return asked


@models(functools.reduce)
def _reduce(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    if call.fold is not None:
        found = call.fold.so_far
        return found if m.agrees(found, z) else None
    callee = m.known_value(call.args[0])
    items = containers.all_items(m, f, index, call.args[1]) if _computes(callee) and not call.kwargs else None
    if items is None:
        return None
    items = [*call.args[2:], *items]
    so_far = items[0]
    for item in items[1:]:
        so_far = computed(m, f, f.plan.site(index), callee, [so_far, item])
        if so_far is None:
            return None
    return so_far if m.agrees(so_far, z) else None


@models(itertools.accumulate)
def _accumulate(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    site = f.plan.site(index)
    given = dict(zip(("iterable", "func"), call.args, strict=False)) | call.kwargs
    function = given.get("func")
    callee = operator.add if function is None else m.known_value(function)
    callee = operator.add if callee is None else callee
    initial = given.get("initial")
    initial = None if initial is not None and m.known_value(initial) is None else initial
    recorded = _recorded(m, function, 2) if function is not None else None
    if recorded is None and not _computes(callee):
        return None
    stream = containers.iterate(m, f, index, given["iterable"])
    source = _source(call, [stream])
    if recorded is None:
        return _running(m, f, site, callee, stream, initial, source)
    fold = _Fold(m, stream, initial, site)
    making = _Making(m, source, [stream])
    begun = False

    def answer(ref: Ref) -> None:
        making.calls += 1
        begin(UNSET)
        fold.keep(ref)
        making.add(ref)

    def begin(value: Any) -> None:
        """What comes first no call makes."""
        nonlocal begun
        if not begun:
            begun = True
            fold.begin(value)
            making.items.appendleft(fold.so_far)

    def advance(value: Any) -> Ref:
        begin(value)
        return making.advance(value)

    inner = fold.asked(*recorded, answer)

    def take(values: tuple[Any, ...]) -> list[Ref]:
        begin(values[recorded[1]])
        return inner.take(values)

    stream_of = making.stream(Asked(inner.code, take, answer, inner.ahead))
    stream_of.advance = advance
    return stream_of


def _running(m: Machine, f: Frame, site: Site, callee: Any, stream: Stream, initial: Ref, source: Thing) -> Ref:
    """`itertools.accumulate` by C code."""
    so_far = None
    if not stream.is_followed or isinstance(stream.source, int):
        return None

    def advance(z: Any) -> Ref:
        nonlocal so_far
        if so_far is None:
            so_far = initial if initial is not None else stream.advance(z)
        else:
            so_far = computed(m, f, site, callee, [so_far, stream.advance(UNSET)], z)
        return so_far

    def rest() -> list[Ref] | None:
        nonlocal so_far
        items = stream.rest()
        if items is None:
            return None
        if so_far is None and initial is not None:
            items.insert(0, initial)
        made: list[Ref] = []
        for item in items:
            so_far = item if so_far is None else computed(m, f, site, callee, [so_far, item])
            if so_far is None:
                return None
            made.append(so_far)
        return made

    return Stream(advance, source, rest, streams=(stream,))


# ---- putting items together


@models(enumerate)
def _enumerate(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = containers.iterate(m, f, index, call.args[0])
    site = f.plan.site(index)
    given = call.args[1] if len(call.args) > 1 else call.kwargs.get("start")
    begin: Any = 0 if given is None else m.known_value(given)
    position = 0

    def advance(item: Any) -> Ref:
        nonlocal position
        position += 1
        return Sequence(tuple, [Leaf(item[0], "const", None, site), containers.taken(m, stream, item[1], site)])

    def rest() -> list[Ref] | None:
        refs = stream.rest()
        if refs is None or type(begin) is not int:
            return None
        numbered = enumerate(refs, begin + position)
        return [Sequence(tuple, [Leaf(i, "const", None, site), ref]) for i, ref in numbered]

    return Stream(advance, stream, rest, streams=(stream,))


@models(zip)
def _zip(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        if item is UNSET:
            return Sequence(tuple, [s.advance(UNSET) for s in streams])
        return Sequence(tuple, [containers.taken(m, s, v, site) for s, v in zip(streams, item, strict=True)])

    def rest() -> list[Ref] | None:
        columns = _columns(streams)
        return None if columns is None else [Sequence(tuple, list(refs)) for refs in zip(*columns, strict=True)]

    return Stream(advance, Thing(UNSET, list(streams)), rest, streams=tuple(streams))


@models(itertools.chain, itertools.chain.from_iterable)
def _chain(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    iterables = containers.all_items(m, f, index, call.args[0]) if call.callee is not itertools.chain else call.args
    if iterables is None:
        return None
    streams = [containers.iterate(m, f, index, ref) for ref in iterables]
    if not all(s.is_followed and not isinstance(s.source, int) for s in streams):
        return None
    left = deque(streams)

    def advance(z: Any) -> Ref:
        while left:
            found = None if left[0].counts and _is_empty(left[0]) else left[0].advance(z)
            if found is not None:
                return found
            left.popleft()
        return None

    def rest() -> list[Ref] | None:
        columns = [s.rest() for s in left]
        left.clear()
        return None if any(refs is None for refs in columns) else list(itertools.chain(*columns))  # type: ignore[arg-type]

    return Stream(advance, Thing(UNSET, list(streams)), rest, streams=tuple(streams))


@models(itertools.islice)
def _slice(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    limits = [m.known_value(ref) for ref in call.args[1:]]
    if any(limit is not None and type(limit) is not int for limit in limits):
        return None
    stream = containers.iterate(m, f, index, call.args[0])
    if not stream.is_followed or isinstance(stream.source, int):
        return None
    wanted = slice(*limits)
    begin, step = wanted.start or 0, wanted.step or 1
    places = iter(itertools.count(begin, step) if wanted.stop is None else range(begin, wanted.stop, step))
    position = 0

    def advance(z: Any) -> Ref:
        nonlocal position
        place = next(places, None)
        if place is None:
            return None
        for _ in range(place - position):
            stream.advance(UNSET)
        position = place + 1
        return stream.advance(z)

    def rest() -> list[Ref] | None:
        nonlocal position
        refs: Any
        if stream.made is not None:
            refs = stream.made()
        elif stream.peek is not None and stream.skip is not None and not stream.counts and wanted.stop is not None:
            refs = stream.peek(max(wanted.stop - position, 0))
            stream.skip(len(refs or ()))
        else:
            refs = stream.rest()
            if wanted.stop is not None:  # more is left, and nobody asked for it
                stream.lose()
        if refs is None:
            return None
        before, position = position, position + len(refs)
        return [refs[place - before] for place in itertools.takewhile(lambda place: place < position, places)]

    return Stream(advance, Thing(UNSET, [stream]), rest, streams=(stream,))


@models(itertools.repeat)
def _repeat(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    item = call.args[0] if call.args else call.kwargs["object"]
    times = call.args[1] if len(call.args) > 1 else call.kwargs.get("times")
    left = m.known_value(times) if times is not None else None
    if left is not None and type(left) is not int:
        return None

    def advance(z: Any) -> Ref:
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                return None
        return item

    def rest() -> list[Ref] | None:
        nonlocal left
        if left is None:
            return None
        refs, left = [item] * left, 0
        return refs

    return Stream(advance, Thing(UNSET, [item]), rest, endless=left is None)


@models(itertools.compress)
def _compress(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    if call.kwargs:
        return None
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]

    def rest() -> list[Ref] | None:
        columns = _columns(streams)
        truths = [] if columns is None else [_truth(m, ref) for ref in columns[1]]
        if columns is None or None in truths:
            return None
        return list(itertools.compress(columns[0], truths))

    return Stream(lambda z: None, Thing(UNSET, list(streams)), rest, streams=tuple(streams))


@models(itertools.count)
def _count(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    given = dict(zip(("start", "step"), call.args, strict=False)) | call.kwargs
    site = f.plan.site(index)
    begin, step = (given.get(name, Leaf(i, "const", None, site)) for i, name in enumerate(("start", "step")))
    so_far = None

    def advance(z: Any) -> Ref:
        nonlocal so_far
        so_far = begin if so_far is None else computed(m, f, site, operator.add, [so_far, step], z)
        return so_far

    return Stream(advance, Thing(UNSET, [begin, step]), endless=True)
