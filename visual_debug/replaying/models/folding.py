"""What one result is made of many items by a function: `functools.reduce`, `accumulate`, and keys to order by."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType
from typing import Any

from visual_debug import kinds
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import vectorizing
from visual_debug.replaying.models.calling import Making, computed, computes, exhausted, next_of, recorded, source_of
from visual_debug.replaying.models.ordering import Keyed
from visual_debug.replaying.models.registry import Pending, models
from visual_debug.replaying.symbols import UNSET, Asked, Ref, Sequence, Stream, Thing
from visual_debug.tracing.tape import Site


def asking(m: Machine, f: Frame, call: Pending) -> Asked | None:
    """The calls that a function like `functools.reduce` or `max(key=…)` makes of a recorded one."""
    callee = call.callee
    if callee is functools.reduce:
        return _reducing(m, f, call)
    if kinds.is_vectorize(type(callee)):
        return vectorizing.asking(m, f, call)
    is_sort = type(callee) is BuiltinFunctionType and type(callee.__self__) is list and callee.__name__ == "sort"
    if "key" in call.kwargs and (is_sort or callee is sorted or callee is max or callee is min):
        return _keys(m, f, call, is_sort)
    return None


def _keys(m: Machine, f: Frame, call: Pending, is_sort: bool) -> Asked | None:
    """The calls of a key: `sorted` takes all items first, `max` and `min` each one before its key."""
    found = recorded(m, call.kwargs["key"], 1)
    if found is None:
        return None
    code, before = found
    site = f.plan.site(f.pc)
    items: list[Ref] | None = None
    stream: Stream | None = None
    if is_sort:
        held = m.holder(Thing(call.callee.__self__))
        items = list(held.items) if type(held) is Sequence and held.items is not None else None
    elif call.callee is sorted:
        items = containers.all_items(m, f, f.pc, call.args[0])
    elif len(call.args) > 1:
        items = call.args
    else:
        stream = containers.iterate(m, f, f.pc, call.args[0])
    if items is None and stream is None:
        return None
    call.fold = keyed = Keyed(items or [], stream)
    calls = 0

    def take(values: tuple[Any, ...]) -> list[Ref]:
        nonlocal calls
        if stream is not None:
            keyed.items.append(containers.taken(m, stream, values[before], site))
        calls += 1
        return [*[None] * before, *keyed.items[calls - 1 : calls]]

    def answer(ref: Ref) -> None:
        keyed.keys.append(m.known_value(ref))

    return Asked(code, take, answer, list)


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
            first = [self.so_far] if self.so_far is not None else []
            return [*[None] * before, *first, next_of(self.stream)]

        return Asked(code, take, answer, ahead)

    def keep(self, ref: Ref) -> None:
        """The function has returned."""
        self.so_far = ref


def _reducing(m: Machine, f: Frame, call: Pending) -> Asked | None:
    """The calls that `functools.reduce` makes of a recorded function."""
    found = recorded(m, call.args[0], 2)
    if found is None or call.kwargs:
        return None
    stream = containers.iterate(m, f, f.pc, call.args[1])
    fold = _Fold(m, stream, call.args[2] if len(call.args) > 2 else None, f.plan.site(f.pc))
    asked = fold.asked(*found, fold.keep)
    call.fold = fold
    return asked


@models(functools.reduce)
def _reduce(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    if call.fold is not None:
        found = call.fold.so_far
        exhausted(call.fold.stream)
        return found if m.agrees(found, z) else None
    callee = m.known_value(call.args[0])
    items = containers.all_items(m, f, index, call.args[1]) if computes(callee) and not call.kwargs else None
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
    found = recorded(m, function, 2) if function is not None else None
    if found is None and not computes(callee):
        return None
    stream = containers.iterate(m, f, index, given["iterable"])
    source = source_of(call, [stream])
    if found is None:
        return _running(m, f, site, callee, stream, initial, source)
    fold = _Fold(m, stream, initial, site)
    making = Making(m, source, [stream])
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

    inner = fold.asked(*found, answer)

    def take(values: tuple[Any, ...]) -> list[Ref]:
        begin(values[found[1]])
        return inner.take(values)

    stream_of = making.stream(Asked(inner.code, take, answer, inner.ahead))
    stream_of.advance = advance
    stream_of.made = lambda: making.made() if begun else None  # the first item comes without a call
    return stream_of


def _running(m: Machine, f: Frame, site: Site, callee: Any, stream: Stream, initial: Ref, source: Thing) -> Ref:
    """`itertools.accumulate` by C code."""
    so_far: Ref = None
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

    return Stream(advance, source, rest, streams=(stream,), each=initial is None)
