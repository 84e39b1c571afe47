"""Our own layout: the result on top, every operand below what consumes it, few crossings, no engine needed.

Layers by longest path, order within a layer by barycentre sweeps, then x places by pulling each box to the mean of
its neighbours. Arrows over several layers pass through places of their own while those stay few. Linear but for the
sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from visual_debug.render.compose import Slot
from visual_debug.render.diagram import Diagram
from visual_debug.render.layout import Edge, Layout, Point, around, upward

GAP_X, GAP_Y, MARGIN = 22.0, 40.0, 4.0  #: px
SWEEPS = 4  #: each down and up; more gained less than 2 % of crossings on random graphs of 30 to 3,000 boxes
MOST_BENDS = 20_000  #: places for long arrows; with more of them arrows run around the boxes
LONG = 150.0  #: px between two boxes, from which on such an arrow keeps clear of what lies between


def lay_out(diagram: Diagram, room: Mapping[str, Slot]) -> Layout:
    """Places for all boxes and arrows; arrows that close a circle, as in the summary of a loop, run back round it."""
    number = {box.id: i for i, box in enumerate(diagram.boxes)}
    links = [(number[arrow.tail], number[arrow.head]) for arrow in diagram.arrows]
    sizes = [(room[box.id].width, room[box.id].height) for box in diagram.boxes]
    depth = depths(len(sizes), links)
    chains = _chains(links, depth, sizes)
    rows = _rows(depth, chains, diagram, number)
    across = [rungs for chain in chains for rungs in pairwise(chain)]
    below, above = _neighbours(len(sizes), across)
    if diagram.view != "tree":
        for _ in range(SWEEPS):
            _sort(rows, above)
            _sort(rows[::-1], below)
    xs = _places(rows, [width for width, _height in sizes], below, above)
    ys = _heights(rows, sizes)
    shifts = _shifts(diagram, number, sizes)
    edges = [_edge(chain, shift, xs, ys, sizes) for chain, shift in zip(chains, shifts, strict=True)]
    left = min((x for edge in edges for x, _y in edge.line), default=0.0)
    aside = max(MARGIN - left, 0.0)  # arrows that run around the boxes
    width = max((x + size[0] / 2 for x, size in zip(xs, sizes, strict=True)), default=0.0) + MARGIN + aside
    height = max((y + size[1] / 2 for y, size in zip(ys, sizes, strict=True)), default=0.0) + MARGIN
    centres = {id: (xs[i] + aside, ys[i]) for id, i in number.items()}
    return Layout(width, height, centres, [edge.moved(aside, 0.0) for edge in edges], "builtin")


def bends(diagram: Diagram) -> int:
    """How many layers the arrows of the diagram pass through on their way: what an engine's time depends on."""
    number = {box.id: i for i, box in enumerate(diagram.boxes)}
    links = [(number[arrow.tail], number[arrow.head]) for arrow in diagram.arrows]
    return _bends(links, depths(len(number), links))


def _bends(links: Sequence[tuple[int, int]], depth: list[int]) -> int:
    return sum(max(depth[tail] - depth[head] - 1, 0) for tail, head in links)


def depths(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Layer of each box: at first the longest way to a box that nothing consumes, which is on top.

    Then what has at least as many operands as consumers sinks towards its operands, which makes no arrow longer in sum.
    Arrows that close a circle count for nothing.

    >>> depths(3, [(0, 1), (1, 2), (2, 1), (1, 1)])
    [2, 1, 0]
    """
    operands: list[list[int]] = [[] for _ in range(count)]
    consumers = [0] * count
    for tail, head in links:
        operands[head].append(tail)
        consumers[tail] += 1
    depth, waiting = [0] * count, list(consumers)
    ready = [i for i in range(count) if not waiting[i]]
    place = [count] * count  # in the order in which boxes are done
    last = iter(range(count - 1, -1, -1))
    for at in range(count):
        if at == len(ready):  # what is left goes round in circles: the last box begins
            ready.append(next(i for i in last if place[i] == count))
        head = ready[at]
        place[head] = at
        for tail in operands[head]:
            if place[tail] < count:  # an arrow back
                continue
            depth[tail] = max(depth[tail], depth[head] + 1)
            waiting[tail] -= 1
            if not waiting[tail]:
                ready.append(tail)
    for i in reversed(ready):
        lower = [depth[tail] for tail in operands[i] if place[tail] > place[i]]
        if lower and len(operands[i]) >= consumers[i]:
            depth[i] = min(lower) - 1
    layers = {old: new for new, old in enumerate(sorted(set(depth)))}
    return [layers[old] for old in depth]


def _chains(links: Sequence[tuple[int, int]], depth: list[int], sizes: list[tuple[float, float]]) -> list[list[int]]:
    """Each arrow as the boxes and bends it passes, from tail to head; makes the bends."""
    routed = _bends(links, depth) <= MOST_BENDS
    chains = []
    for tail, head in links:
        between = range(depth[tail] - 1, depth[head], -1) if routed else ()
        first = len(depth)
        depth.extend(between)
        sizes.extend((4.0, 0.0) for _ in between)
        chains.append([tail, *range(first, len(depth)), head])
    return chains


def _rows(depth: list[int], chains: list[list[int]], diagram: Diagram, number: Mapping[str, int]) -> list[list[int]]:
    """The members of each layer from left to right, as a walk from the result over the operands in order meets them."""
    operands: list[list[tuple[int, list[int]]]] = [[] for _ in depth]
    for arrow, chain in zip(diagram.arrows, chains, strict=True):
        operands[number[arrow.head]].append((arrow.position, chain[-2::-1]))
    consumed = {number[arrow.tail] for arrow in diagram.arrows}
    roots = [i for i in range(len(diagram.boxes)) if i not in consumed]
    rows: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    seen = [False] * len(depth)
    stack = [[root] for root in (*range(len(diagram.boxes)), *reversed(roots))]
    while stack:
        way = stack.pop()
        for member in way[:-1]:
            rows[depth[member]].append(member)
        if not seen[way[-1]]:
            seen[way[-1]] = True
            rows[depth[way[-1]]].append(way[-1])
            stack.extend(path for _position, path in sorted(operands[way[-1]], reverse=True))
    return rows


def _neighbours(count: int, across: Sequence[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    """For every member, those next to it one layer down and one layer up (or further, for an arrow without bends)."""
    below: list[list[int]] = [[] for _ in range(count)]
    above: list[list[int]] = [[] for _ in range(count)]
    for lower, upper in across:
        below[upper].append(lower)
        above[lower].append(upper)
    return below, above


def _sort(rows: Sequence[list[int]], towards: list[list[int]]) -> None:
    """One sweep: sort each layer by the mean place of its neighbours in the layer before."""
    place: dict[int, float] = {}
    for row in rows:
        known = {member: [place[other] for other in towards[member] if other in place] for member in row}
        middle = {m: sum(near) / len(near) if near else i / len(row) for i, (m, near) in enumerate(known.items())}
        row.sort(key=middle.__getitem__)
        place.update((member, (i + 0.5) / len(row)) for i, member in enumerate(row))


def _places(rows: list[list[int]], widths: list[float], below: list[list[int]], above: list[list[int]]) -> list[float]:
    """The x of every member: packed to begin with, then pulled to its neighbours as far as the order allows."""
    xs = [0.0] * len(widths)
    for row in rows:
        _pack(row, widths, xs, [0.0] * len(row))
    for _ in range(SWEEPS * 2):
        for layers, towards in ((rows, above), (rows[::-1], below)):
            for row in layers:
                _pack(row, widths, xs, _wishes(row, xs, towards, above, below))
    left = min((x - width / 2 for x, width in zip(xs, widths, strict=True)), default=0.0)
    return [x - left + MARGIN for x in xs]


def _wishes(row: list[int], xs: list[float], towards: list[list[int]], *around: list[list[int]]) -> list[float]:
    """Where the members of a layer would like to be: at the mean of their neighbours, or beside the one before."""
    wishes: list[float] = []
    for member in row:
        near = towards[member]
        alone = not any(sides[member] for sides in around)
        stay = wishes[-1] if alone and wishes else xs[member]
        wishes.append(sum(xs[other] for other in near) / len(near) if near else stay)
    return wishes


def _pack(row: list[int], widths: list[float], xs: list[float], wish: list[float]) -> None:
    """The places nearest to those wished for (least squares) that keep order and gaps: pool adjacent violators."""
    offset, groups = 0.0, []  # groups: sum of shifted wishes, count
    for i, member in enumerate(row):
        offset += (widths[row[i - 1]] + widths[member]) / 2 + GAP_X if i else 0.0
        groups.append((wish[i] - offset, 1))
        while len(groups) > 1 and groups[-2][0] * groups[-1][1] > groups[-1][0] * groups[-2][1]:
            total, count = groups.pop()
            groups[-1] = groups[-1][0] + total, groups[-1][1] + count
    starts = [total / count for total, count in groups for _ in range(count)]
    offset = 0.0
    for i, member in enumerate(row):
        offset += (widths[row[i - 1]] + widths[member]) / 2 + GAP_X if i else 0.0
        xs[member] = starts[i] + offset


def _heights(rows: list[list[int]], sizes: list[tuple[float, float]]) -> list[float]:
    """The y of every member: the layers below one another, each as high as its highest box."""
    ys = [0.0] * len(sizes)
    top = MARGIN
    for row in rows:
        tallest = max(sizes[member][1] for member in row)
        for member in row:
            ys[member] = top + tallest / 2
            if not sizes[member][1]:  # a bend: the arrow runs straight up through the layer
                sizes[member] = sizes[member][0], tallest
        top += tallest + GAP_Y
    return ys


def _shifts(diagram: Diagram, number: Mapping[str, int], sizes: list[tuple[float, float]]) -> list[Point]:
    """How far from the middle each arrow leaves its tail and meets its head, so that parallel arrows stay apart."""
    shifts = []
    for arrow in diagram.arrows:
        share = (arrow.position + 1) / (arrow.arity + 1) - 0.5
        tail, head = number[arrow.tail], number[arrow.head]
        shifts.append((share * min(sizes[tail][0], 48.0), share * min(sizes[head][0], 24.0 * arrow.arity)))
    return shifts


def _edge(chain: list[int], shift: Point, xs: list[float], ys: list[float], sizes: list[tuple[float, float]]) -> Edge:
    """The arrow along a chain, from the top of its tail to the bottom of its head."""
    tail, *between, head = chain
    stops = [(xs[tail] + shift[0], ys[tail] - sizes[tail][1] / 2)]
    tip = xs[head] + shift[1], ys[head] + sizes[head][1] / 2
    gap = stops[0][1] - tip[1]
    if not between and (gap > GAP_Y + LONG or gap < 0):
        return around(stops[0], tip, (sizes[tail][0] + sizes[head][0]) / 2 + 2.0 * abs(gap) ** 0.5)
    for bend in between:
        half = sizes[bend][1] / 2
        stops += [(xs[bend], ys[bend] + half), (xs[bend], ys[bend] - half)]
    last = upward(stops[-1], tip)
    line = stops[:1]
    for (x, y), (to_x, to_y) in pairwise(stops):
        line += [(x, (y + to_y) / 2), (to_x, (y + to_y) / 2), (to_x, to_y)]
    return Edge(line + last.line[1:], last.head)
