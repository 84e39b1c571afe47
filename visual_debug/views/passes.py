"""Which operations belong to which pass through a loop, and which call in the source an activation came from."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from visual_debug.columns import Columns
from visual_debug.errors import RenderError
from visual_debug.views import syntax
from visual_debug.views.operands import place_of
from visual_debug.views.syntax import File, Function, Place, exclusive

#: A loop, and the number of a pass through it, from 1.
Turn = tuple[Place, int]
Turns = tuple[Turn, ...]
_PARTS_OF_FUNCTIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


@dataclass(slots=True)
class Found:
    """The source of a call, and its operations with their places and passes."""

    file: File
    function: Function
    nodes: list[tuple[int, Place, Turns]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Link:
    """A call in the source, and the activation that it made."""

    caller: int
    place: Place
    turns: Turns
    callee: int
    last: int  #: the last operation in it
    result: int | None  #: node of what it returned, where that is certain


class Passes:
    """Operations of the calls that are shown, in their passes; and the calls that they made."""

    def __init__(self, columns: Columns, call: int, opened: bool | Collection[int], entry: Any = None) -> None:
        self.columns = columns
        self._entry = entry
        self.calls: dict[int, Found] = {}
        self.links: list[Link] = []
        self.reason = ""
        self._owners = _owners(columns)
        self._extent()
        main = self.owner(call)
        if opened is not True:
            for inner in opened or ():
                if not isinstance(inner, int) or not 0 <= inner < len(columns.activations):
                    raise RenderError(f"call {inner!r}: there are {len(columns.activations)} calls, from 0")
        wanted = {main} | (set(self._children_of(main)) if opened is True else {self.owner(o) for o in opened or ()})
        nodes: dict[int, list[int]] = {call: [] for call in wanted}
        owners = self._owners
        for node, activation in enumerate(columns.activation):
            if (mine := nodes.get(owners[activation])) is not None and columns.op[node] not in ("input", "const"):
                mine.append(node)
        for shown in sorted(wanted):
            self._read(shown, nodes[shown])
        if main not in self.calls:
            self.calls.clear()

    def owner(self, call: int) -> int:
        """The activation whose source a call is in: up to 3.11 a comprehension is a function of its own."""
        return self._owners[call]

    def same_function(self, call: int) -> list[int]:
        """All activations of the function of one."""
        name = self.columns.activations[call].function
        return [a.index for a in self.columns.activations if a.function == name]

    def _extent(self) -> None:
        """The first and last operation of each activation with all that it called, and the last of its own."""
        count = len(self.columns.activations)
        self._first, self._last, self._own_last = [-1] * count, [-1] * count, [-1] * count
        for node, activation in enumerate(self.columns.activation):
            if self.columns.op[node] in ("input", "const"):
                continue
            if self._first[activation] < 0:
                self._first[activation] = node
            self._last[activation] = self._own_last[activation] = node
        self._children: dict[int, list[int]] = defaultdict(list)
        for index in range(count - 1, -1, -1):
            caller = self.columns.activations[index].caller
            if caller is None or self._first[index] < 0:
                continue
            first = self._first[caller]
            self._first[caller] = self._first[index] if first < 0 else min(first, self._first[index])
            self._last[caller] = max(self._last[caller], self._last[index])
            if self._owners[index] == index:
                self._children[self._owners[caller]].append(index)

    def _children_of(self, main: int) -> Iterable[int]:
        work = [main]
        while work:
            call = work.pop()
            for child in self._children.get(call, ()):
                yield child
                work.append(child)

    def _read(self, call: int, nodes: list[int]) -> None:
        """Find the source of a call, and the places of its operations."""
        columns = self.columns
        name = columns.activations[call].function
        placed = [node for node in nodes if columns.site[node].end_column is not None]
        if not placed:
            written = _written(self._entry) if call == 0 else None
            if written is not None:
                self.calls[call] = written
                self._number(call, written, [])
                return
            self._say(f"{name} has no operations with a place in its source")
            return
        site = columns.site[placed[0]]
        file = syntax.read(site.file)
        if file is None:
            self._say(f"the source of {name} is gone ({site.file})")
            return
        function = None
        for node in placed:
            s = columns.site[node]
            assert s.line is not None and s.end_line is not None and s.column is not None and s.end_column is not None
            function = file.around((s.line, s.column, s.end_line, s.end_column))
            if function is not None:
                break
        if function is None:
            self._say(f"{site.file} has changed since {name} ran, or is not all of its source")
            return
        found = Found(file, function)
        known: dict[tuple[str, int], Place | None] = {}
        sequence: list[tuple[int, Place, int]] = []
        for node in placed:
            key = columns.op[node], id(columns.site[node])
            try:
                if key not in known:
                    known[key] = place_of(columns, node, file, function)
            except LookupError:
                self._say(f"{site.file} has changed since {name} ran")
                return
            place = known[key]
            if place is not None:
                sequence.append((node, place, -1))
        self.calls[call] = found
        self._number(call, found, sequence)

    def _say(self, reason: str) -> None:
        self.reason = self.reason or reason

    # ---- passes and calls

    def _number(self, call: int, found: Found, sequence: list[tuple[int, Place, int]]) -> None:
        by_name: dict[str, list[Place]] = defaultdict(list)
        for places in found.function.places.values():
            for place in places:
                if isinstance(place.node, ast.Call):
                    by_name[_called(place.node)].append(place)
        several: list[int] = []
        for child in sorted(self._children.get(call, ()), key=self._first.__getitem__):
            places = by_name.get(_short(self.columns.activations[child].function), [])
            if len(places) == 1:
                sequence.append((self._first[child], places[0], child))
            elif places:
                several.append(child)
        sequence.sort(key=lambda entry: entry[0])
        turns = follow([place for _, place, _ in sequence])
        ids = [entry[0] for entry in sequence]
        for (node, place, child), turn in zip(sequence, turns, strict=True):
            if child < 0:
                found.nodes.append((node, place, turn))
            else:
                self._link(call, place, turn, child)
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        for child in several:
            name = _short(self.columns.activations[child].function)
            groups[bisect_left(ids, self._first[child]), name].append(child)
        for (at, name), children in groups.items():
            before = (sequence[at - 1][1], turns[at - 1]) if at > 0 else None
            after = (sequence[at][1], turns[at]) if at < len(sequence) else None
            between = _between(sorted(by_name[name], key=lambda p: p.order), before, after)
            if len(between) == len(children):
                for child, (place, turn) in zip(children, between, strict=True):
                    self._link(call, place, turn, child)

    def _link(self, caller: int, place: Place, turns: Turns, callee: int) -> None:
        self.links.append(Link(caller, place, turns, callee, self._last[callee], self._result(callee)))

    def _result(self, call: int) -> int | None:
        """The node that a call returned, if the last that it computed is what a return statement says."""
        node = self._own_last[call]
        site = self.columns.site[node]
        file = syntax.read(site.file)
        if file is None or site.line is None or site.end_column is None:
            return None
        assert site.column is not None and site.end_line is not None
        function = file.around((site.line, site.column, site.end_line, site.end_column))
        if function is None or isinstance(function.node, ast.Module) or _is_generator(function.node):
            return None
        try:
            place = place_of(self.columns, node, file, function)
        except LookupError:
            return None
        if place is None or self.columns.activation[node] != call:
            return None
        is_body = isinstance(function.node, ast.Lambda) and place.node is function.node.body
        above = place.parent.node if place.parent is not None else None
        return node if is_body or (isinstance(above, ast.Return) and above.value is place.node) else None


def _written(code: Any) -> Found | None:
    """The source of a code object; None where it is gone, has changed, or may be another's in the same line."""
    file = syntax.read(code.co_filename) if isinstance(code, CodeType) else None
    if file is None:
        return None
    found = [
        function
        for function in file.functions
        if function.first == code.co_firstlineno
        and not isinstance(function.node, ast.Module)
        and getattr(function.node, "name", "<lambda>") == code.co_name
    ]
    if len(found) != 1:
        return None
    known: set[str] = set()
    work = [code]
    while work:
        inner = work.pop()
        known.update(inner.co_names, inner.co_varnames, inner.co_freevars, inner.co_cellvars)
        work.extend(const for const in inner.co_consts if isinstance(const, CodeType))
    body = found[0].node.body
    names = [n for root in (body if isinstance(body, list) else [body]) for n in ast.walk(root)]
    return Found(file, found[0]) if all(n.id in known for n in names if isinstance(n, ast.Name)) else None


def _owners(columns: Columns) -> list[int]:
    owners = list(range(len(columns.activations)))
    for activation in columns.activations:
        if activation.function.endswith(_PARTS_OF_FUNCTIONS) and activation.caller is not None:
            owners[activation.index] = owners[activation.caller]
    return owners


def _is_generator(function: ast.AST) -> bool:
    return any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await)) for n in ast.walk(function))


def _called(tree: ast.Call) -> str:
    """The last word of what is called."""
    function = tree.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _short(qualified: str) -> str:
    """The last word of a qualified name."""
    return qualified.rpartition(".")[2]


def _between(
    places: Sequence[Place], before: tuple[Place, Turns] | None, after: tuple[Place, Turns] | None
) -> list[tuple[Place, Turns]]:
    """The places whose turn can have come between two operations, in order, with the passes that they are in."""
    found = []
    wraps = before is not None and after is not None and after[0].order <= before[0].order
    common = _common(before[0], after[0]) if before is not None and after is not None else ()
    for ahead in (True, False):  # what follows the operation before; then, a pass later, what precedes that after
        if not ahead and not wraps:
            break
        for place in places:
            neighbour = before if ahead or after is None else after
            if wraps:
                fits = before is not None and after is not None and common and common[-1] in place.loops
                fits = bool(fits) and (
                    place.order > before[0].order if ahead else place.order < after[0].order  # type: ignore[index]
                )
            else:
                fits = (before is None or place.order > before[0].order) and (
                    after is None or place.order < after[0].order
                )
                fits = fits and not (before is not None and exclusive(place, before[0]))
                fits = fits and not (after is not None and exclusive(place, after[0]))
            if not fits:
                continue
            known: Turns = ()
            for other in (neighbour, before, after):
                if other is not None and [t[0] for t in other[1][: len(place.loops)]] == list(place.loops):
                    known = other[1][: len(place.loops)]
                    break
            if len(known) == len(place.loops):
                found.append((place, known))
            else:
                return []  # a loop of whose passes nothing is known
    return found


def _common(one: Place, other: Place) -> tuple[Place, ...]:
    """The loops that two places are both in."""
    shared = []
    for a, b in zip(one.loops, other.loops, strict=False):
        if a is not b:
            break
        shared.append(a)
    return tuple(shared)


def follow(places: Sequence[Place]) -> list[Turns]:
    """The passes that a sequence of operations is in: a new one begins where what comes stands before what was."""
    numbers: dict[Place, int] = defaultdict(int)
    result: list[Turns] = []
    before: Place | None = None
    links = 0
    turns: Turns = ()
    for place in places:
        if isinstance(getattr(place.node, "ctx", None), (ast.Store, ast.Del)):
            result.append(turns if before is not None and before.loops == place.loops else _turns(place, numbers))
            continue
        links = links + 1 if place is before else 0
        goes_on = isinstance(place.node, ast.Compare) and 0 < links < len(place.node.ops)
        if before is None:
            for loop in place.loops:
                numbers[loop] += 1
            turns = _turns(place, numbers)
        elif not goes_on:
            back = place.order <= before.order or exclusive(place, before)
            if back:
                links = 0
            if back or place.loops != before.loops:
                common = _common(place, before)
                if back and common:
                    numbers[common[-1]] += 1
                for loop in place.loops[len(common) :]:
                    numbers[loop] += 1
                turns = _turns(place, numbers)
        result.append(turns)
        before = place
    return result


def _turns(place: Place, numbers: dict[Place, int]) -> Turns:
    return tuple((loop, numbers[loop]) for loop in place.loops)


def choose(
    nodes: Sequence[tuple[int, Place, Turns]], turn: str | int
) -> tuple[list[tuple[int, Place, Turns]], dict[int, int]]:
    """The operations of one pass of each loop, and how many passes each loop (by identity) had.

    Passes of a `while` loop in which nothing but its condition was computed are not the last.
    """
    if turn not in ("first", "last", "all") and (not isinstance(turn, int) or isinstance(turn, bool)):
        raise RenderError(f"turn={turn!r}: choose 'first', 'last', 'all', or the number of a pass, from 0")
    totals: dict[int, int] = {}
    own: set[int] = set()
    for _, place, turns in nodes:
        for loop, number in turns:
            totals[id(loop)] = max(totals.get(id(loop), 0), number)
        if turns:
            own.add(id(turns[-1][0]))
    # Passes of a loop that has no operation of its own, only those of inner loops, cannot be counted.
    shown = {loop: total for loop, total in totals.items() if loop in own}
    if turn == "all":
        return list(nodes), shown
    chosen: dict[Place, int] = {}
    if isinstance(turn, int):
        for _, _, turns in nodes:
            if turns and -totals[id(turns[0][0])] <= turn < totals[id(turns[0][0])]:
                chosen.setdefault(turns[0][0], turn % totals[id(turns[0][0])] + 1)
    ordered = nodes if turn == "first" else nodes[::-1]
    for conditions in (False, True):
        for _, place, turns in ordered:
            if conditions or not _is_condition(place):
                for loop, number in turns:
                    if chosen.setdefault(loop, number) != number:
                        break
    return [entry for entry in nodes if all(chosen.get(loop) == number for loop, number in entry[2])], shown


def _is_condition(place: Place) -> bool:
    """Whether a place is in the condition of its innermost loop."""
    if not place.loops or not isinstance(place.loops[-1].node, ast.While):
        return False
    test = place.loops[-1].node.test
    above: Place | None = place
    while above is not None:
        if above.node is test:
            return True
        above = above.parent
    return False
