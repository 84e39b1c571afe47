"""The reverse sweep as plain linear algebra: `adjoint[operand] += adjoint[node] * partial`, from the last node down.

That is the back substitution of the triangular system (I - J^T) a = seed. Loops, whose turns are alike, are swept by
code made for their body, which keeps in variables what one turn hands to the one before; all that does not go round in
the loop is computed for all turns at once. Everything else is swept edge by edge.

An adjoint is summed in the order of the sweep: contributions of later nodes first, within a node the last operand's
first. What a node outside a loop gets from the turns of one operation is summed pairwise, which is a little more exact.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 9.3.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from visual_debug.columns import Run
from visual_debug.numeric import Floats, Numbers, Truths
from visual_debug.sweeps.runs import LEAST_NODES

#: Turns whose partials are in Python's lists at a time.
_PORTION = 8192
#: How many turns back an operand may lie.
_LAGS = 2
#: Edges that are in lists at a time.
_EDGES = 2**18


def solve(
    start: Numbers,
    operand: Numbers,
    partial: Floats,
    seeds: Iterable[tuple[int, float]],
    runs: Sequence[Run],
    void: Truths | None = None,
) -> Floats:
    """The adjoints of all nodes, shape (nodes,).

    Args:
        start: where each node's operands begin, shape (nodes + 1,).
        operand: the operands, each before its node, shape (edges,).
        partial: d node / d operand of each, shape (edges,).
        seeds: nodes and what their adjoints are to begin with.
        runs: stretches that may be the turns of a loop; whether they are is looked at here.
        void: operands that nothing is passed to whatever the adjoint is, shape (edges,). With this, every product is
            formed as in a sweep node by node, so that inf and NaN go where they go in that; without, what is 0 passes
            nothing on, and products of partials are formed first where that is quicker.

    """
    adjoint = array("d", [0.0]) * (len(start) - 1)
    for node, seed in seeds:
        adjoint[node] += seed
    sweep = _Sweep(start, operand, partial, adjoint, void)
    end = len(start) - 1
    for run in sorted(runs, reverse=True):
        if run.first + run.period * run.turns > end or run.period * run.turns < LEAST_NODES:
            continue
        run = sweep.cut(run)
        # The first turns take what was before the loop, the last ones are taken by what comes behind it.
        first, turns = run.first + _LAGS * run.period, run.turns - 2 * _LAGS
        if turns <= 0:
            continue
        loop = sweep.loop_of(Run(first, run.period, turns))
        if loop is not None:
            sweep.edges(first + run.period * turns, end)
            sweep.turns(loop)
            end = first
    sweep.edges(0, end)
    return np.frombuffer(adjoint)


@dataclass(frozen=True, slots=True)
class _Edge:
    """An operand of one of the nodes of a turn."""

    column: int  #: which of the turn's edges
    node: int  #: place of the operation in its turn
    lag: int  #: how many turns before the operand is
    target: int  #: its place in that turn; -1 for a node outside the loop


@dataclass(frozen=True, slots=True)
class _Loop:
    run: Run
    edges: list[_Edge]
    operand: Numbers  #: shape (turns, edges of a turn)
    partial: Floats  #: likewise


class _Sweep:
    """A sweep under way: `adjoint` holds what has been summed so far."""

    def __init__(
        self, start: Numbers, operand: Numbers, partial: Floats, adjoint: array[float], void: Truths | None
    ) -> None:
        self.void = void
        self.start = start
        self.operand = operand
        self.partial = partial
        self.adjoint = adjoint
        self.view = np.frombuffer(adjoint)

    def edges(self, begin: int, end: int) -> None:
        """Sweep the nodes from `end` down to `begin`, edge by edge."""
        start, adjoint = self.start, self.adjoint
        while end > begin:
            low = max(int(np.searchsorted(start, start[end] - _EDGES)), begin)
            low = min(low, end - 1)
            part = slice(int(start[low]), int(start[end]))
            owner = np.repeat(np.arange(low, end), start[low + 1 : end + 1] - start[low:end])
            used = self.partial[part] != 0 if self.void is None else ~self.void[part]
            columns = owner[used][::-1], self.operand[part][used][::-1], self.partial[part][used][::-1]
            for node, operand, partial in zip(*(column.tolist() for column in columns), strict=True):
                adjoint[operand] += adjoint[node] * partial
            end = low

    def loop_of(self, run: Run) -> _Loop | None:
        """The loop of a run; None if its operands are not the same ones, seen from each turn."""
        first, period, turns = run
        stop = first + period * turns
        sizes = (self.start[first + 1 : stop + 1] - self.start[first:stop]).reshape(turns, period)
        if (sizes != sizes[0]).any():
            return None
        part = slice(int(self.start[first]), int(self.start[stop]))
        operand = self.operand[part].reshape(turns, -1)
        partial = self.partial[part].reshape(turns, -1)
        base = first + period * np.arange(turns, dtype=np.int32)
        void = None if self.void is None else self.void[part].reshape(turns, -1)
        edges = []
        for column, node in enumerate(np.repeat(np.arange(period), sizes[0]).tolist()):
            if void is not None and void[0, column] != void[:, column].all():
                return None
            if void is not None and void[0, column]:
                continue
            operands = operand[:, column]
            away = int(operands[0]) - first
            if away >= -_LAGS * period and (operands - base == away).all():
                edges.append(_Edge(column, node, -(away // period), away % period))
            elif int(operands.max()) < first:
                edges.append(_Edge(column, node, 0, -1))
            else:
                return None
        return _Loop(run, edges, operand, partial)

    def cut(self, run: Run) -> Run:
        """The same run, its turns cut where the fewest values go from one turn to the next."""
        first, period, turns = run
        if turns < 4:
            return run
        middle = first + period * (turns // 2)
        reach: dict[int, int] = {}  # how far from each value its last use is
        for node in range(middle, middle + period):
            for operand in self.operand[self.start[node] : self.start[node + 1]].tolist():
                if node - operand <= _LAGS * period:
                    place = (operand - first) % period
                    reach[place] = max(reach.get(place, 0), node - operand)
        alive = [0] * period  # before each node of a turn
        for place, distance in reach.items():
            for k in range(1, distance + 1):
                alive[(place + k) % period] += 1
        offset = alive.index(min(alive))
        return Run(first + offset, period, turns - 1) if offset else run

    def turns(self, loop: _Loop) -> None:
        """Sweep a loop."""
        first, period, turns = loop.run
        nodes = self.view[first : first + period * turns].reshape(turns, period)
        slopes = {e.column: _slope(loop.partial[:, e.column], is_void=self.void is None) for e in loop.edges}
        inner = [e for e in loop.edges if e.target >= 0 and slopes[e.column] is not None]
        seeds = {
            t: _without_last(nodes[:, t]) for t in np.flatnonzero(nodes[: max(turns - _LAGS, 0)].any(axis=0)).tolist()
        }
        kept = sorted({e.target for e in inner if e.lag} | set(np.flatnonzero(nodes.any(axis=0)).tolist()))
        # What the turns that follow have handed over: one list for each lag.
        state = [float(nodes[turns - lag, t]) if lag <= turns else 0.0 for lag in (1, 2) for t in kept]
        body = _body(inner, kept)
        short = _contracted(body, kept, slopes) if len(kept) <= _FEW and self.void is None else None
        columns: dict[int, Floats] = {}
        after = state
        if short is not None and len(short[0]) < len(body):
            columns, after = _recur(turns, *short, kept, seeds, state)
            if any(np.abs(column).max() > _LARGE for column in columns.values()):
                columns = {}
        if not columns and kept:
            columns, after = _recur(turns, body, slopes, kept, seeds, state)
        for node in range(period - 1, -1, -1):
            if node not in columns:
                terms = [_times(columns[e.node], slopes[e.column]) for e in reversed(inner) if e.target == node]
                columns[node] = sum(terms[1:], terms[0]) if terms else np.zeros(turns)
            nodes[:, node] = columns[node]
        for position, t in enumerate(kept):
            for lag in range(1, _LAGS + 1):
                self.view[first - lag * period + t] += after[(lag - 1) * len(kept) + position]
        for e in loop.edges:
            if e.target < 0 and slopes[e.column] is not None:
                given = _times(columns[e.node], slopes[e.column])
                operands = loop.operand[:, e.column]
                if (operands == operands[0]).all():
                    self.view[operands[0]] += given.sum()
                else:
                    np.add.at(self.view, operands, given)


#: A partial of all turns, one number if it is always the same; None if that is 0.
_Slope = Any
_Slopes = dict[int, _Slope]

#: Loops that hand on more values than this are not contracted.
_FEW = 8
#: With adjoints beyond this, products of partials might vanish that matter: then they are not formed.
_LARGE = 1e100


def _slope(partial: Floats, *, is_void: bool) -> _Slope:
    """`is_void` says whether nothing is passed on where it is always 0."""
    if not (partial == partial[0]).all():
        return partial
    return None if is_void and partial[0] == 0 else float(partial[0])


def _times(column: Any, slope: _Slope) -> Any:
    return column if type(slope) is float and slope == 1 else column * slope


def _body(edges: list[_Edge], kept: list[int]) -> list[_Edge]:
    """The edges that the turn before, or one of the nodes kept, depends on."""
    needed = {e.node for e in edges if e.lag} | set(kept)
    for e in sorted(edges, key=lambda e: e.target):
        if not e.lag and e.target in needed:
            needed.add(e.node)
    return [e for e in edges if e.node in needed and (e.lag or e.target in needed)]


def _contracted(body: list[_Edge], kept: list[int], slopes: _Slopes) -> tuple[list[_Edge], _Slopes]:
    """Edges from kept nodes to kept nodes alone: the products of partials along the ways between, summed."""
    edges: list[_Edge] = []
    products: _Slopes = {}
    for source in reversed(kept):
        reached: dict[int, Any] = {source: 1.0}
        given: dict[tuple[int, int], Any] = {}
        for e in reversed(body):
            if e.node not in reached:
                continue
            term = _times(reached[e.node], slopes[e.column]) if e.node != source else slopes[e.column]
            if e.lag or e.target in kept:
                given[e.lag, e.target] = given[e.lag, e.target] + term if (e.lag, e.target) in given else term
            else:
                reached[e.target] = reached[e.target] + term if e.target in reached else term
        for (lag, target), product in given.items():
            products[len(edges)] = product
            edges.append(_Edge(len(edges), source, lag, target))
    return sorted(edges, key=lambda e: (e.node, e.column)), products


def _recur(
    turns: int, body: list[_Edge], slopes: _Slopes, kept: list[int], seeds: dict[int, Floats], state: list[float]
) -> tuple[dict[int, Floats], list[float]]:
    """The adjoints of the kept nodes of all turns, and what is left for the turns before the first."""
    if [(e.node, e.lag, e.target) for e in body] == [(kept[0], 1, kept[0])] and len(kept) == 1 and not seeds:
        slope = slopes[body[0].column]
        powers = np.full(turns + 1, slope) if type(slope) is float else np.append(slope, 1.0)
        powers[turns] = state[0]
        powers[turns - 1] = powers[turns - 1] * state[0] + state[1]
        column = np.append(np.multiply.accumulate(powers[turns - 1 :: -1])[::-1], state[0])
        return {kept[0]: column[1:]}, [float(column[0]), 0.0]
    varying = [e.column for e in body if type(slopes[e.column]) is not float]
    fixed = [slopes[e.column] for e in body if type(slopes[e.column]) is float]
    shape = tuple((e.column, e.node, e.lag, e.target, type(slopes[e.column]) is float) for e in body)
    delayed = any(e.lag > 1 for e in body) or any(state[len(kept) :])
    run = _code(shape, tuple(kept), tuple(seeds), delayed)
    columns = {t: np.empty(turns) for t in kept}
    for high in range(turns, 0, -_PORTION):
        low = max(high - _PORTION, 0)
        lists = [slopes[c][low:high][::-1].tolist() for c in varying]
        lists += [seed[low:high][::-1].tolist() for seed in seeds.values()]
        sums, state = run(high - low, lists, fixed, state)
        for t, summed in zip(kept, sums, strict=True):
            columns[t][low:high] = summed[::-1]
    return columns, state


def _without_last(column: Floats) -> Floats:
    """Seeds without those of the last turns, which are handed over in variables."""
    column = column.copy()
    column[max(len(column) - _LAGS, 0) :] = 0.0
    return column


_Turns = Callable[[int, list[list[float]], list[float], list[float]], tuple[list[list[float]], list[float]]]


@lru_cache(maxsize=64)
def _code(
    edges: tuple[tuple[int, int, int, int, bool], ...], kept: tuple[int, ...], seeded: tuple[int, ...], delayed: bool
) -> _Turns:
    """A function that sweeps turns, compiled from text that holds only numbers and names made here.

    `a` are the adjoints of the turn at hand, `b` and `c` what the turns one and two before have got so far, `p` the
    partials that vary, `q` those that do not, `s` seeds.
    """
    items = [f"p{column}" for column, *_, constant in edges if not constant] + [f"s{t}" for t in seeded]
    constants = [f"q{column}" for column, *_, constant in edges if constant]
    state = [f"b{t}" for t in kept] + [f"c{t}" for t in kept]
    lines = ["def turns(count, lists, fixed, state):"]
    if constants:
        lines.append(f"    {', '.join(constants)}, = fixed")
    if state:
        lines.append(f"    {', '.join(state)}, = state")
    lines += [f"    o{t} = []; keep{t} = o{t}.append" for t in kept]
    if items:
        lines.append(f"    for {', '.join(items)}, in zip(*lists):")
    else:
        lines.append("    for _ in range(count):")
    terms: dict[tuple[int, int], list[str]] = {}
    for node in sorted({node for _, node, *_ in edges} | set(kept), reverse=True):
        own = [f"b{node}"] if node in kept else []
        own += [f"s{node}"] if node in seeded else []
        own += terms.get((0, node), [])
        name = f"a{node}"
        if own == [f"b{node}"]:
            name = own[0]
        else:
            lines.append(f"        {name} = {' + '.join(own) or '0.0'}")
        if node in kept:
            lines.append(f"        keep{node}({name})")
        for column, owner, lag, target, constant in reversed(edges):
            if owner == node:
                terms.setdefault((lag, target), []).append(f"{name}*{'q' if constant else 'p'}{column}")
    if kept:
        names = [f"b{t}" for t in kept] + ([f"c{t}" for t in kept] if delayed else [])
        sums = [" + ".join(([f"c{t}"] if delayed else []) + terms.get((1, t), [])) or "0.0" for t in kept]
        sums += [" + ".join(terms.get((2, t), [])) or "0.0" for t in kept] if delayed else []
        lines.append(f"        {', '.join(names)} = {', '.join(sums)}")
    lines.append(f"    return [{', '.join(f'o{t}' for t in kept)}], [{', '.join(state)}]")
    namespace: dict[str, Any] = {}
    exec("\n".join(lines), namespace)  # noqa: S102 - text made here, of numbers and own names
    turns: _Turns = namespace["turns"]
    return turns
