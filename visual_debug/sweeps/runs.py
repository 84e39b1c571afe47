"""Stretches of a trace that repeat: the turns of loops, found in the sequence of operations itself."""

from __future__ import annotations

import numpy as np

from visual_debug.columns import Columns, Run
from visual_debug.numeric import Numbers, view

#: Fewer turns are not worth the code that is made for them.
LEAST_TURNS = 16
#: Shorter loops are swept edge by edge as quickly.
LEAST_NODES = 1000
_NEARLY_ALL = 0.9
#: A turn of more nodes than this would make very long code.
LONGEST = 1000
#: How often a beginning may turn out not to repeat before the search is given up.
_PATIENCE = 1000


def of(columns: Columns) -> list[Run]:
    """Runs in a trace: those that replay has met if they are nearly all of it, else those that are found."""
    known = [run for run in columns.runs if run.period * run.turns >= LEAST_NODES]
    covered = sum(run.period * run.turns for run in known)
    return known if covered > _NEARLY_ALL * len(columns) else find(view(columns.kind))


def find(kinds: Numbers) -> list[Run]:
    """The stretches of a sequence that are one period, over and over.

    A stretch is looked for where the distance to the next equal item is the same twice running, so that a period needs
    at least one item that is in it just once. Takes time linear in the length, but for a sort of small integers.
    """
    n = len(kinds)
    if n < LEAST_TURNS:
        return []
    small = kinds.astype(np.int16) if kinds.max() < 2**15 else kinds  # sorted by radix
    order = np.argsort(small, kind="stable")
    gap = np.zeros(n, np.int64)
    ordered = kinds[order]
    same = ordered[1:] == ordered[:-1]
    gap[order[:-1][same]] = (order[1:] - order[:-1])[same]
    place = np.flatnonzero((gap > 0) & (gap <= LONGEST))
    begin = place[gap[place + gap[place]] == gap[place]]
    found: list[Run] = []
    position = failures = 0
    while failures < _PATIENCE:
        k = int(np.searchsorted(begin, position))
        if k == len(begin):
            break
        first = int(begin[k])
        period = int(gap[first])
        equal = _agreement(kinds, first, period)
        turns = equal // period + 1
        if turns >= LEAST_TURNS:
            found.append(Run(first, period, turns))
            position = first + period * turns
        else:
            failures += 1
            position = first + max(equal, 1)
    return found


def _agreement(kinds: Numbers, first: int, period: int) -> int:
    """How many items from `first` on equal those one period later."""
    size, low, last = 256, first, len(kinds) - period
    while low < last:
        high = min(low + size, last)
        differs = kinds[low:high] != kinds[low + period : high + period]
        at = int(differs.argmax())
        if differs[at]:
            return low + at - first
        low, size = high, min(size * 2, 2**20)
    return max(last - first, 0)
