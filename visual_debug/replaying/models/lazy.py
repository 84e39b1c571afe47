"""Iterators that call a function of each item: `map`, `filter`, and those of `itertools` like them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.calling import (
    Making,
    all_or_none,
    columns_of,
    computed,
    computes,
    next_of,
    recorded,
    source_of,
    truth_of,
    unpacked,
)
from visual_debug.replaying.models.registry import Model, Pending, models
from visual_debug.replaying.symbols import UNSET, Asked, Ref, Sequence, Stream, Thing
from visual_debug.tracing.tape import Site


@models(map)
def _map(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    function, *iterables = call.args
    if call.kwargs or not iterables:
        return None
    site = f.plan.site(index)
    found = recorded(m, function, len(iterables))
    if found is None:
        callee, front = unpacked(m, site, function)
        if not computes(callee):
            return None
        streams = [containers.iterate(m, f, index, ref) for ref in iterables]
        return _computing(m, f, site, callee, front, streams, source_of(call, streams))
    streams = [containers.iterate(m, f, index, ref) for ref in iterables]
    code, before = found
    making = Making(m, source_of(call, streams), streams)

    def take(values: tuple[Any, ...]) -> list[Ref]:
        making.calls += 1
        refs = [containers.taken(m, s, v, site) for s, v in zip(streams, values[before:], strict=False)]
        return [*[None] * before, *refs]

    return making.stream(Asked(code, take, making.add, lambda: [*[None] * before, *map(next_of, streams)]))


def _computing(
    m: Machine, f: Frame, site: Site, callee: Any, front: list[Ref], streams: list[Stream], source: Thing
) -> Ref:
    """`map` of C code, with some arguments in front."""

    def advance(z: Any) -> Ref:
        return computed(m, f, site, callee, [*front, *(s.advance(UNSET) for s in streams)], z)

    def rest() -> list[Ref] | None:
        columns = columns_of(streams)
        if columns is None:
            return None
        made = [computed(m, f, site, callee, [*front, *refs]) for refs in zip(*columns, strict=True)]
        return None if any(ref is None for ref in made) else made

    is_known = all(s.is_followed for s in streams)
    return Stream(advance, source, rest, streams=tuple(streams), each=True) if is_known else None


@models(itertools.starmap)
def _starmap(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    function, iterable = call.args
    site = f.plan.site(index)
    found = recorded(m, function, 0)
    callee = m.known_value(function)
    if found is None and not computes(callee):
        return None
    stream = containers.iterate(m, f, index, iterable)
    if found is None:
        return _star_computing(m, f, site, callee, stream, source_of(call, [stream]))
    code, before = found
    making = Making(m, source_of(call, [stream]), [stream])

    def take(values: tuple[Any, ...]) -> list[Ref]:
        making.calls += 1
        group = stream.advance(tuple(values[before : code.co_argcount]))
        refs = group.items if type(group) is Sequence and group.items is not None else []
        return [*[None] * before, *refs]

    def ahead() -> list[Ref]:
        group = next_of(stream)
        refs = group.items if type(group) is Sequence and group.items is not None else []
        return [*[None] * before, *refs]

    return making.stream(Asked(code, take, making.add, ahead))


def _star_computing(m: Machine, f: Frame, site: Site, callee: Any, stream: Stream, source: Thing) -> Ref:
    """`itertools.starmap` of C code."""

    def one(group: Ref, z: Any = UNSET) -> Ref:
        if type(group) is not Sequence or group.items is None:
            return None
        return computed(m, f, site, callee, list(group.items), z)

    def advance(z: Any) -> Ref:
        found = one(stream.advance(UNSET), z)
        if found is None:
            made.lose()  # how many items were taken from what is not followed
        return found

    def rest() -> list[Ref] | None:
        groups = stream.rest()
        made = None if groups is None else [one(group) for group in groups]
        return None if made is None or any(ref is None for ref in made) else made

    made = Stream(advance, source, rest, streams=(stream,), each=True)
    return made


#: The answer after which a predicate is asked no more.
_LAST = {itertools.takewhile: False, itertools.dropwhile: False}


def _choosing(choose: Callable[[Making, Stream, Ref, bool], None]) -> Model:
    """The model of an iterator that asks a predicate of each item."""

    def model(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
        predicate, iterable = call.args
        found = recorded(m, predicate, 1)
        callee = m.known_value(predicate)
        if found is None and not (callee is None and call.callee in (filter, itertools.filterfalse)):
            return None
        stream = containers.iterate(m, f, index, iterable)
        making = Making(m, source_of(call, [stream]), [stream])
        if found is None:
            return _true_ones(m, stream, making.source, wanted=call.callee is filter)
        code, before = found
        site = f.plan.site(index)
        last = _LAST.get(call.callee)
        asking: list[Ref] = []

        def take(values: tuple[Any, ...]) -> list[Ref]:
            making.calls += 1
            asking[:] = [containers.taken(m, stream, values[before], site)]
            return [*[None] * before, *asking]

        def answer(ref: Ref) -> None:
            truth = truth_of(m, ref)
            if truth is None:
                making.is_sure = False
            else:
                choose(making, stream, asking[0], truth)
                if truth is last:
                    made.asked = None  # it asks no more; another one with the same predicate may

        made = making.stream(Asked(code, take, answer, lambda: [*[None] * before, next_of(stream)]))
        return made

    return model


def _true_ones(m: Machine, stream: Stream, source: Thing, *, wanted: bool) -> Ref:
    """`filter(None, …)`: the items that are true."""

    def rest() -> list[Ref] | None:
        refs = stream.rest()
        truths = [truth_of(m, ref) for ref in refs or ()]
        if refs is None or None in truths:
            return None
        return [ref for ref, truth in zip(refs, truths, strict=True) if truth is wanted]

    return all_or_none(source, rest, (stream,))


def _take_true(making: Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if truth:
        making.add(ref)


def _take_false(making: Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if not truth:
        making.add(ref)


def _take_behind(making: Making, stream: Stream, ref: Ref, truth: bool) -> None:
    if not truth:
        making.add(ref)
        making.rest_of = stream


models(filter, itertools.takewhile)(_choosing(_take_true))
models(itertools.filterfalse)(_choosing(_take_false))
models(itertools.dropwhile)(_choosing(_take_behind))
