"""Iterators that put items together or leave some out, and compute nothing: `zip`, `enumerate`, those of `itertools`."""

from __future__ import annotations

import itertools
import operator
from collections import deque
from typing import Any

from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.calling import all_or_none, columns_of, computed, is_empty, out_of_turn, truth_of
from visual_debug.replaying.models.registry import Pending, models
from visual_debug.replaying.symbols import UNSET, Leaf, Ref, Sequence, Stream, Thing
from visual_debug.tracing.tape import Site


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

    return Stream(advance, stream, rest, streams=(stream,), each=True)


@models(zip)
def _zip(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        if item is UNSET:
            return Sequence(tuple, [s.advance(UNSET) for s in streams])
        return Sequence(tuple, [containers.taken(m, s, v, site) for s, v in zip(streams, item, strict=True)])

    def rest() -> list[Ref] | None:
        columns = columns_of(streams)
        return None if columns is None else [Sequence(tuple, list(refs)) for refs in zip(*columns, strict=True)]

    return Stream(advance, Thing(UNSET, list(streams)), rest, streams=tuple(streams), each=True)


@models(itertools.zip_longest)
def _zip_longest(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]
    site = f.plan.site(index)
    fill = call.kwargs.get("fillvalue", Thing(None))
    if not all(s.is_followed and s.peek is not None for s in streams):
        return None

    def advance(item: Any) -> Ref:
        values = [UNSET] * len(streams) if item is UNSET else item
        refs = [fill if is_empty(s) else _next(m, s, v, site) for s, v in zip(streams, values, strict=True)]
        return Sequence(tuple, refs)

    def rest() -> list[Ref] | None:
        if out_of_turn(streams):
            return None
        columns = [s.rest() for s in streams]
        if any(refs is None for refs in columns):
            return None
        groups = itertools.zip_longest(*(refs or [] for refs in columns), fillvalue=fill)
        return [Sequence(tuple, list(refs)) for refs in groups]

    return Stream(advance, Thing(UNSET, [*streams, fill]), rest, streams=tuple(streams))


def _next(m: Machine, stream: Stream, value: Any, site: Site) -> Ref:
    return stream.advance(UNSET) if value is UNSET else containers.taken(m, stream, value, site)


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
            if not is_empty(left[0]):
                found = left[0].advance(z)
                if found is not None:
                    return found
                if left[0].made is None and left[0].frame is None:  # of these, every item is known once it is made
                    chain.lose()
                    return None
            left.popleft()
        return None

    def rest() -> list[Ref] | None:
        if out_of_turn(streams):
            chain.lose()
            return None
        columns = [s.rest() for s in left]
        left.clear()
        return None if any(refs is None for refs in columns) else list(itertools.chain(*columns))

    chain = Stream(advance, Thing(UNSET, list(streams)), rest, streams=tuple(streams))
    return chain


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
        columns = columns_of(streams)
        truths = [] if columns is None else [truth_of(m, ref) for ref in columns[1]]
        if columns is None or None in truths:
            return None
        return list(itertools.compress(columns[0], truths))

    return all_or_none(Thing(UNSET, list(streams)), rest, tuple(streams))


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
