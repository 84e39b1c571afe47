"""The order in which `heapq` keeps a list, followed without the values: on any items, with any comparison.

Which item comes out of a heap depends on every exchange that was made in it. These are the exchanges that CPython
makes (Modules/_heapqmodule.c), so that of equal items the same one comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Less = Callable[[T, T], bool]


def push(heap: list[T], item: T, less: Less[T]) -> None:
    """As `heapq.heappush`."""
    heap.append(item)
    _rise(heap, 0, len(heap) - 1, less)


def pop(heap: list[T], less: Less[T]) -> T:
    """As `heapq.heappop`."""
    last = heap.pop()
    return replace(heap, last, less) if heap else last


def replace(heap: list[T], item: T, less: Less[T]) -> T:
    """As `heapq.heapreplace`."""
    first, heap[0] = heap[0], item
    _settle(heap, 0, less)
    return first


def push_pop(heap: list[T], item: T, less: Less[T]) -> T:
    """As `heapq.heappushpop`."""
    return replace(heap, item, less) if heap and less(heap[0], item) else item


def arrange(heap: list[T], less: Less[T]) -> None:
    """As `heapq.heapify`."""
    for place in reversed(range(len(heap) // 2)):
        _settle(heap, place, less)


def _rise(heap: list[T], top: int, place: int, less: Less[T]) -> None:
    """Let an item rise above those that it is less than."""
    item = heap[place]
    while place > top:
        above = (place - 1) // 2
        if not less(item, heap[above]):
            break
        heap[place], heap[above] = heap[above], item
        place = above


def _settle(heap: list[T], top: int, less: Less[T]) -> None:
    """Let an item sink to the bottom, the lesser of the two below it moving up each time, and rise from there."""
    item, place = heap[top], top
    while place < len(heap) // 2:
        below = 2 * place + 1
        if below + 1 < len(heap) and not less(heap[below], heap[below + 1]):
            below += 1
        heap[place], heap[below] = heap[below], item
        place = below
    _rise(heap, top, place, less)
