"""Iterators of several items at a time: `itertools.combinations` and kin, `pairwise`, and `cycle`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import Pending, models
from visual_debug.replaying.symbols import UNSET, Ref, Sequence, Stream, Thing


@models(itertools.combinations, itertools.combinations_with_replacement, itertools.permutations, itertools.product)
def _combinations(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """All items are taken when the iterator is made."""
    callee: Any = call.callee
    given = dict(call.kwargs)
    iterables = call.args if callee is itertools.product else call.args[:1] or [given.pop("iterable")]
    numbers = {name: m.known_value(ref) for name, ref in given.items()}
    if callee is not itertools.product and len(call.args) > 1:
        numbers["r"] = m.known_value(call.args[1])
    if not all(type(number) is int or number is None for number in numbers.values()):
        return None
    pools = [containers.all_items(m, f, index, ref) for ref in iterables]
    if any(pool is None for pool in pools):
        return None
    return _groups(callee(*pools, **numbers), Thing(UNSET, list(call.args)))


def _groups(groups: Iterator[tuple[Ref, ...]], source: Thing) -> Stream:
    def advance(z: Any) -> Ref:
        group = next(groups, None)
        return None if group is None else Sequence(tuple, list(group))

    def rest() -> list[Ref]:
        return [Sequence(tuple, list(group)) for group in groups]

    return Stream(advance, source, rest)


@models(itertools.pairwise)
def _pairwise(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = containers.iterate(m, f, index, call.args[0])
    site = f.plan.site(index)
    last: Ref = None

    def next_one(value: Any) -> Ref:
        return stream.advance(UNSET) if value is UNSET else containers.taken(m, stream, value, site)

    def advance(pair: Any) -> Ref:
        nonlocal last
        first, second = (UNSET, UNSET) if pair is UNSET else pair
        if last is None:
            last = next_one(first)
        before, last = last, next_one(second)
        return Sequence(tuple, [before, last])

    def rest() -> list[Ref] | None:
        nonlocal last
        refs = stream.rest()
        if refs is None:
            return None
        refs = refs if last is None else [last, *refs]
        last = refs[-1] if refs else None
        return [Sequence(tuple, list(pair)) for pair in itertools.pairwise(refs)]

    return Stream(advance, Thing(UNSET, [stream]), rest, streams=(stream,))


@models(itertools.cycle)
def _cycle(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """Of a container: an iterator would have to be asked where it ends."""
    (iterable,) = call.args
    refs = None if type(m.holder(iterable)) is Stream else containers.all_items(m, f, index, iterable)
    if not refs:
        return None
    endless = itertools.cycle(refs)
    return Stream(lambda z: next(endless), Thing(UNSET, [iterable]), endless=True)
