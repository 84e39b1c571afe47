"""The code view: source with each evaluated part replaced in place by its value, in frames for both passes.

What stands where follows from places alone: an operation's span is that of an expression, and what a variable held is
the operand that the operation around it had. What cannot be told so stays source. Passes through loops are told apart
by the order in which operations come; a pass in which no number was computed is not counted.

In the reverse pass an operation whose pullback speaks is folded out into its operands again, each with its adjoint.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from visual_debug import display
from visual_debug.columns import MISSING, Columns
from visual_debug.errors import NoDerivativeError, RenderError
from visual_debug.render.code import CodeFrame, Piece, Row
from visual_debug.sweeps import adjoint
from visual_debug.views import syntax
from visual_debug.views.operands import operand_expressions
from visual_debug.views.passes import Passes, Turn, choose
from visual_debug.views.syntax import Function, Place, Span

#: Frames of one code view; each has all lines of its functions.
MOST_FRAMES = 20_000
#: Lines of a list of operations, where there is no source.
MOST_OPERATIONS = 2000


@dataclass(slots=True, eq=False)
class Part:
    """An evaluated part of the source: where, and which node's value it had."""

    call: int
    place: Place
    node: int
    kind: str  #: `op`, `read` (a variable, or what else is no operation), `const`, or `note` (a whole statement)
    turns: tuple[Turn, ...]
    first: int  #: the first operation in it
    inside: list[Part] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Event:
    """One forward step of the code view, and the literals that have got a node by it."""

    key: tuple[int, int, int, int]
    part: Part
    literals: list[Part] = field(default_factory=list)


class Code:
    """The code of one call, and of the calls opened in it, with the events of the chosen passes.

    Args:
        columns: the trace.
        turn: which pass of each loop: `"first"`, `"last"`, `"all"`, or its number from 0 (of outermost loops).
        call: the activation that is shown.
        opened: activations whose code is shown where they are called; True for all.
        entry: the code object of the traced function, which tells its source where it computes nothing of its own.

    """

    def __init__(
        self,
        columns: Columns,
        *,
        turn: str | int = "last",
        call: int = 0,
        opened: bool | Collection[int] = False,
        entry: Any = None,
    ) -> None:
        if not isinstance(call, int) or not 0 <= call < len(columns.activations):
            raise RenderError(f"call {call!r}: there are {len(columns.activations)} calls, from 0")
        self.columns = columns
        self.turn = turn
        self.passes = Passes(columns, call, opened, entry)
        self.main = self.passes.owner(call)
        self.events: list[Event] = []
        self.totals: dict[int, dict[int, int]] = {}
        self._now: dict[int, dict[Span, Part]] = {}
        turns_found = False
        for shown, found in self.passes.calls.items():
            chosen, totals = choose(found.nodes, turn)
            turns_found = turns_found or bool(totals)
            self.totals[shown] = totals
            self._now[shown] = {}
            self._collect(shown, found.function, chosen)
        if isinstance(turn, int) and turns_found and not self._reached(turn):
            most = max(max(t.values()) for t in self.totals.values() if t)
            raise RenderError(f"turn {turn}: the loops have up to {most} passes, 0 to {most - 1}")
        self._call_values()
        self.events.sort(key=lambda event: event.key)

    def _reached(self, turn: int) -> bool:
        return any(-total <= turn < total for totals in self.totals.values() for total in totals.values())

    # ---- events

    def _collect(self, call: int, function: Function, chosen: Sequence[tuple[int, Place, tuple[Turn, ...]]]) -> None:
        state = State()
        now = state.parts.setdefault(call, {})
        chains: dict[Place, tuple[int, Part]] = {}  # comparisons that have begun
        for node, place, turns in chosen:
            if _is_target(place):
                continue
            kind = "note" if isinstance(place.node, (ast.stmt, ast.withitem)) else "op"
            part = Part(call, place, node, kind, turns, node)
            link, before = chains.pop(place, (0, None))
            if before is not None and before.turns != turns:
                link, before = 0, None
            found = operand_expressions(self.columns, node, place.node, link)
            state.enter(part)
            reads, literals = self._operands(part, found, function, now, joined=before is not None)
            if before is not None:
                part.first = min(part.first, before.first)
                part.inside = [*before.inside, *part.inside]
            last = Event((node, 1, 0, 0), part, literals)
            goes_on = isinstance(place.node, ast.Compare) and link + 1 < len(place.node.ops)
            if goes_on and _is_true(self.columns.value[node]):
                chains[place] = link + 1, part
                if reads:
                    reads[-1].literals.extend(literals)
            for read in reads if place in chains else (*reads, last):
                state.apply(read)
                self.events.append(read)

    def _operands(
        self,
        part: Part,
        expressions: list[tuple[int, ast.expr]],
        function: Function,
        now: Mapping[Span, Part],
        *,
        joined: bool,
    ) -> tuple[list[Event], list[Part]]:
        """What an operation had as operands: events for those that were read, and its literals."""
        columns, node = self.columns, part.node
        operands = columns.operands(node)
        reads: list[Event] = []
        literals: list[Part] = []
        anchor = node
        for position, expression in reversed(expressions):
            place = function.place(expression)
            if place is None or position >= len(operands):
                continue
            operand = operands[position]
            known = now.get(place.span)
            if known is not None and known.place is place and known.node == operand and (known.kind == "op" or joined):
                part.inside.insert(0, known)
                part.first = min(part.first, known.first)
                anchor = min(anchor, known.first)
                continue
            if known is not None and known.kind == "op" and isinstance(expression, (ast.BinOp, ast.UnaryOp)):
                return [], []  # it is not this operation that the source says: better no values than wrong ones
            if _is_literal(expression):
                literals.append(Part(part.call, place, operand, "const", part.turns, node))
                continue
            read = Part(part.call, place, operand, "read", part.turns, node)
            read.inside = [now[s] for s in _spans_inside(expression) if s in now]
            read.first = min((p.first for p in read.inside), default=anchor)
            reads.append(Event((anchor, 0, -node, position), read))
            anchor = min(anchor, read.first)
            part.inside.insert(0, read)
        part.first = min(part.first, anchor)
        part.inside.extend(literals)
        return reads[::-1], literals

    def _call_values(self) -> None:
        """Calls of followed functions have the value that is returned, also where no operation asks for it."""
        known = {(event.part.call, event.part.place, event.part.turns) for event in self.events}
        for link in self.passes.links:
            if link.result is None or (link.caller, link.place, link.turns) in known:
                continue
            if link.caller not in self.passes.calls or not self._is_chosen(link.caller, link.turns):
                continue
            part = Part(link.caller, link.place, link.result, "read", link.turns, link.last)
            self.events.append(Event((link.last, 2, 0, 0), part))

    def _is_chosen(self, call: int, turns: tuple[Turn, ...]) -> bool:
        if self.turn == "all" or not turns:
            return True
        return any(event.part.call == call and event.part.turns[: len(turns)] == turns for event in self.events)


class State:
    """What has been evaluated by a moment, by call and span."""

    def __init__(self) -> None:
        self.parts: dict[int, dict[Span, Part]] = {}
        self.turns: dict[int, dict[Place, int]] = {}

    def enter(self, part: Part) -> None:
        """Forget what earlier passes of the loops around a part have left."""
        turns = self.turns.setdefault(part.call, {})
        stale = {loop for loop, number in part.turns if turns.get(loop) != number}
        if stale:
            parts = self.parts.setdefault(part.call, {})
            for span in [span for span, old in parts.items() if stale.intersection(old.place.loops)]:
                del parts[span]
            turns.update(part.turns)

    def apply(self, event: Event) -> None:
        """One event has come."""
        self.enter(event.part)
        parts = self.parts.setdefault(event.part.call, {})
        for part in (*event.literals, event.part):
            above = part.place.parent
            while above is not None:
                if above.span != part.place.span:
                    parts.pop(above.span, None)
                above = above.parent
            parts[part.place.span] = part


def _is_true(value: Any) -> bool:
    """Whether a comparison of numbers holds; of arrays there is no chain."""
    return value is True or getattr(value, "shape", None) == () and bool(value)


def _is_target(place: Place) -> bool:
    """Whether a place is assigned to: what happens there replaces nothing."""
    return isinstance(getattr(place.node, "ctx", None), (ast.Store, ast.Del))


def _is_literal(expression: ast.expr) -> bool:
    return not any(
        isinstance(n, (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Await)) for n in ast.walk(expression)
    )


def _spans_inside(expression: ast.expr) -> Iterator[Span]:
    if isinstance(expression, ast.Name):
        return
    for inner in ast.walk(expression):
        span = syntax.span_of(inner)
        if inner is not expression and span is not None:
            yield span


# ---- frames


def frames(
    columns: Columns,
    seeds: Mapping[int, Any] | None,
    *,
    only: int | None = None,
    turn: str | int = "last",
    call: int = 0,
    opened: bool | Collection[int] = False,
    entry: Any = None,
) -> list[CodeFrame]:
    """Frames of the code view: the bare source, one for each part that is evaluated, and those of the reverse pass.

    Args:
        columns: the trace.
        seeds: as for `steps.steps`; None for no reverse pass.
        only: index of the one frame that is wanted (it may be negative); None for all.
        turn: as for `Code`.
        call: as for `Code`.
        opened: as for `Code`.
        entry: as for `Code`.

    Raises:
        RenderError: for a frame, turn or call that there is not, or more than `MOST_FRAMES` frames.

    """
    code = Code(columns, turn=turn, call=call, opened=opened, entry=entry)
    if not code.passes.calls:
        return _operations(columns, code.passes.reason)
    if only is not None and 0 <= only <= len(code.events):
        return list(_forward(code, only))  # without the reverse pass, which takes longer
    reverse = _Reverse(code, seeds)
    count = 1 + len(code.events) + len(reverse.moves)
    if only is None and count > MOST_FRAMES:
        raise RenderError(
            f"the code view has {count:,} frames, more than {MOST_FRAMES:,}: choose one pass of each loop by turn=…"
        )
    if only is not None and not -count <= only < count:
        raise RenderError(f"step {only}: the code view has {count} steps, 0 to {count - 1}")
    wanted = None if only is None else only % count
    return list(_forward(code, wanted)) + list(reverse.frames(wanted))


def _forward(code: Code, wanted: int | None) -> Iterator[CodeFrame]:
    columns = code.columns
    function = columns.activations[code.main].function
    state = State()
    if wanted in (None, 0):
        yield CodeFrame(f"0: the source of {function}", "forward", _rows(code, state, {}, {}, set(), None))
    total = len(code.events)
    for number, event in enumerate(code.events, start=1):
        state.apply(event)
        if wanted not in (None, number):
            continue
        part = event.part
        value = display.value_text(columns.value[part.node])
        if part.kind == "read":
            what = f"{_source(part)} is {value}"
        else:
            what = f"[{display.symbol(columns, part.node)}] = {value}"
        title = f"forward {number}/{total}: {what} (line {part.place.span[0]})"
        rows = _rows(code, state, {}, {}, set(), part)
        yield CodeFrame(title, "forward", rows, part.node)


def _source(part: Part) -> str:
    text = " ".join(ast.unparse(part.place.node).split())
    return text if len(text) <= 40 else text[:39] + "…"


@dataclass(slots=True)
class _Move:
    """One step of the reverse pass that the code shows."""

    phase: str
    node: int | None
    speaks: int | None
    value: Any
    title: str
    before: list[tuple[int, Any]] = field(default_factory=list)  #: contributions meanwhile that are not shown


class _Reverse:
    """The reverse pass over the state that the forward pass has left."""

    def __init__(self, code: Code, seeds: Mapping[int, Any] | None) -> None:
        self.code = code
        self.state = State()
        for event in code.events:
            self.state.apply(event)
        self.moves: list[_Move] = []
        self.sums: dict[int, Any] = {}
        if seeds is not None:
            self._collect(dict(seeds))

    def _collect(self, seeds: dict[int, Any]) -> None:
        columns = self.code.columns
        nodes = {part.node for parts in self.state.parts.values() for part in parts.values()}
        for node, seed in seeds.items():
            if node in nodes:
                title = f"seed: the adjoint of [{display.symbol(columns, node)}] is {display.value_text(seed)}"
                self.moves.append(_Move("seed", node, None, seed, title))
        told: set[int] = set(seeds)
        silent: list[tuple[int, Any]] = []
        try:
            for node, _position, operand, value in adjoint.reverse(columns, seeds, {}):
                if operand not in nodes:
                    continue
                if node not in nodes and operand in told:  # a turn of a loop, or a call, that is not shown
                    silent.append((operand, value))
                    continue
                told.add(operand)
                title = (
                    f"[{display.symbol(columns, node)}] pulls back {adjoint.pullback_text(columns, node)}, "
                    f"{display.value_text(value)} to {display.symbol(columns, operand)}"
                )
                self.moves.append(_Move("reverse", operand, node, value, title, silent))
                silent = []
        except NoDerivativeError as error:
            self.moves.append(_Move("stopped", None, None, None, f"the reverse pass stops: {error}", silent))
            return
        if silent:
            self.moves.append(_Move("reverse", None, None, None, "what is not shown here has been pulled back", silent))

    def frames(self, wanted: int | None) -> Iterator[CodeFrame]:
        """The frames of the reverse pass."""
        code = self.code
        before = 1 + len(code.events)
        reverse: dict[int, str] = {}
        terms: dict[int, int] = {}
        speaking: set[int] = set()
        total = sum(move.phase == "reverse" for move in self.moves)
        number = 0
        for index, move in enumerate(self.moves):
            for node, value in [*move.before, *([(move.node, move.value)] if move.node is not None else [])]:
                reverse[node] = display.history(reverse.get(node), display.value_text(value))
                terms[node] = terms.get(node, 0) + 1
                self.sums[node] = adjoint.add(self.sums[node], value) if node in self.sums else value
            if move.speaks is not None:
                speaking.add(move.speaks)
            number += move.phase == "reverse"
            if wanted not in (None, before + index):
                continue
            totals = {}
            if index == len(self.moves) - 1:
                totals = {n: display.value_text(self.sums[n]) for n, count in terms.items() if count > 1}
            title = f"reverse {number}/{total}: {move.title}" if move.phase == "reverse" else move.title
            rows = _rows(code, self.state, reverse, totals, speaking, None, move.node)
            yield CodeFrame(title, move.phase, rows, move.node, move.speaks)


# ---- rows


def _rows(
    code: Code,
    state: State,
    reverse: Mapping[int, str],
    totals: Mapping[int, str],
    speaking: Collection[int],
    lit: Part | None,
    lit_node: int | None = None,
) -> tuple[Row, ...]:
    rows: list[Row] = []
    look = _Look(code, reverse, totals, speaking, lit, lit_node)
    # Opened calls follow the line that calls; those lines are taken up again after them.
    work: list[tuple[int, int, Iterator[tuple[Row, list[int]]]]] = [(code.main, 0, look.listing(code.main, 0, state))]
    opened = {code.main}
    while work:
        _call, depth, listing = work[-1]
        step = next(listing, None)
        if step is None:
            work.pop()
            continue
        rows.append(step[0])
        for inner in reversed(step[1]):
            if inner not in opened:
                opened.add(inner)
                work.append((inner, depth + 1, look.listing(inner, depth + 1, state)))
    return tuple(rows)


@dataclass(slots=True)
class _Look:
    """What a frame writes besides values."""

    code: Code
    reverse: Mapping[int, str]
    totals: Mapping[int, str]
    speaking: Collection[int]
    lit: Part | None
    lit_node: int | None

    def listing(self, call: int, depth: int, state: State) -> Iterator[tuple[Row, list[int]]]:
        """The rows of one call, each with the calls that are opened below it."""
        found = self.code.passes.calls[call]
        function, file = found.function, found.file
        parts = state.parts.get(call, {})
        seen, notes = self._arranged(parts)
        if depth:
            name = self.code.columns.activations[call].function.replace("<locals>.", "")
            same = self.code.passes.same_function(call)
            which = f", call {same.index(call) + 1} of {len(same)}" if len(same) > 1 else ""
            yield Row(None, (Piece(f"in {name}{which}", "note"),), depth), []
        below: dict[int, list[int]] = {}
        for link in self.code.passes.links:
            if link.caller == call and link.callee in self.code.passes.calls:
                turns = state.turns.get(call, {})
                if all(turns.get(loop) == number for loop, number in link.turns) or not turns:
                    below.setdefault(link.place.span[2], []).append(link.callee)
        ends = self._ends(call, notes, state)
        indent = _indent(file.lines[function.first - 1 : function.last])
        for number in range(function.first, function.last + 1):
            pieces = self._row(file, number, seen, indent)
            pieces.extend(ends.get(number, ()))
            yield Row(number, tuple(pieces), depth), below.get(number, [])

    def _arranged(self, parts: Mapping[Span, Part]) -> tuple[list[Part], list[Part]]:
        """What is seen in its place, in order; and what is said at the end of lines."""
        seen: list[Part] = []
        notes: list[Part] = []
        end, root_end = (0, 0), (0, 0)
        for part in sorted(parts.values(), key=lambda p: (p.place.span[0], p.place.span[1], *_backward(p.place.span))):
            line, column, end_line, end_column = part.place.span
            if part.kind == "note":
                notes.append(part)
                continue
            if part.kind == "const":
                if (line, column) >= end and part.node in self.reverse:
                    seen.append(part)
                continue
            if (line, column) < end:
                continue
            if (
                part.kind == "op"
                and part.node in self.speaking
                and any(parts.get(p.place.span) is p for p in part.inside)
            ):
                if (line, column) >= root_end:  # its value would be gone
                    notes.append(part)
                    root_end = end_line, end_column
                continue
            seen.append(part)
            end = end_line, end_column
        return seen, notes

    def _ends(self, call: int, notes: Sequence[Part], state: State) -> dict[int, list[Piece]]:
        ends: dict[int, list[Piece]] = {}
        for part in sorted(notes, key=lambda part: part.place.order):
            at = ends.setdefault(part.place.span[2], [])
            at.append(Piece("   → ", "note"))
            at.append(self._piece(part))
        turns = state.turns.get(call, {})
        for loop, number in turns.items():
            total = self.code.totals.get(call, {}).get(id(loop))
            if total is not None:
                ends.setdefault(loop.span[0], []).append(Piece(f"   # pass {number} of {total}", "note"))
        return ends

    def _piece(self, part: Part, text: str | None = None) -> Piece:
        columns, node = self.code.columns, part.node
        value = "raised" if columns.value[node] is MISSING else display.value_text(columns.value[node])
        return Piece(
            value if text is None else text,
            "literal" if part.kind == "const" else "value",
            node,
            self.reverse.get(node, ""),
            self.totals.get(node, ""),
            part is self.lit or (self.lit_node is not None and node == self.lit_node),
            _source(part),
        )

    def _row(self, file: syntax.File, number: int, seen: Sequence[Part], indent: int) -> list[Piece]:
        line = file.lines[number - 1]
        pieces: list[Piece] = []
        at = 0
        for part in seen:
            first, column, last, end_column = part.place.span
            if not first <= number <= last:
                continue
            start = file.characters(number, column) if number == first else 0
            end = file.characters(number, end_column) if number == last else len(line)
            piece = self._piece(part, line[start:end] if part.kind == "const" else None)
            if first == last and part.kind != "const" and not piece.text.startswith("-"):
                start, end = _with_parentheses(line, start, end, part.place)
            pieces.append(Piece(line[at:start]))
            if number == first:
                pieces.append(piece)
            else:
                pieces.append(Piece(" " * end if number == last and line[end:].strip() else ""))
            at = end
        pieces.append(Piece(line[at:]))
        return [p for p in _expanded(pieces, indent) if p.text]


_BRACKETED = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Assign, ast.AugAssign, ast.Return)


def _with_parentheses(line: str, start: int, end: int, place: Place) -> tuple[int, int]:
    """The stretch of an expression and of parentheses that only group it: a value needs none."""
    if place.parent is None or not isinstance(place.parent.node, _BRACKETED):
        return start, end
    while line[:start].rstrip().endswith("(") and line[end:].lstrip().startswith(")"):
        start, end = line.rindex("(", 0, start), line.index(")", end) + 1
    return start, end


def _backward(span: Span) -> tuple[int, int]:
    return -span[2], -span[3]


def _indent(lines: Sequence[str]) -> int:
    """How many characters every line begins with that are the indentation of the first."""
    head = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    return len(head) if all(line.startswith(head) or not line.strip() for line in lines) else 0


def _expanded(pieces: Sequence[Piece], indent: int) -> Iterator[Piece]:
    """Pieces without the common indentation, and with spaces for tabs."""
    column = 0
    for k, piece in enumerate(pieces):
        text = piece.text[indent:] if k == 0 else piece.text
        if piece.kind == "plain" and "\t" in text:
            text = (" " * (column % 8) + text).expandtabs(8)[column % 8 :]
        column += len(text)
        yield Piece(text) if piece.kind == "plain" else piece


def _operations(columns: Columns, reason: str) -> list[CodeFrame]:
    """Without source, the operations in their order."""
    rows = [Row(None, (Piece(f"{reason}: the operations instead", "note"),))]
    nodes = [node for node in range(len(columns)) if columns.op[node] not in ("input", "const")]
    for node in nodes[:MOST_OPERATIONS]:
        operands = ", ".join(display.value_text(columns.value[o]) for o in columns.operands(node))
        value = Piece(display.value_text(columns.value[node]), "value", node)
        name = f"{columns.name[node]} = " if columns.name[node] else ""
        rows.append(
            Row(columns.site[node].line, (Piece(f"{name}[{display.symbol(columns, node)}] of {operands} → "), value))
        )
    if len(nodes) > MOST_OPERATIONS:
        rows.append(Row(None, (Piece(f"⋮ {len(nodes) - MOST_OPERATIONS:,} more operations", "note"),)))
    return [CodeFrame("the operations", "forward", tuple(rows))]
