"""The summary cut into what can be opened: a program, its functions under those that called them, and their loops.

Each fold has its own expressions and the folds in it; a flow of values is drawn in the innermost fold that holds both
of its ends. All folds together have each expression once, so that they cost no more than the summary.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from visual_debug.columns import Columns
from visual_debug.views import syntax
from visual_debug.views.blocks import Block, block, head
from visual_debug.views.summary import Row, Summary

#: Ends of the names of what is a function to the interpreter, and to a reader a loop of the function around it.
_PARTS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")

#: A row, or a fold as a number below zero: fold 0 is -1.
Item = int


@dataclass(slots=True)
class Fold:
    """A loop or function: what it has of its own, what is in it, and what flows between those."""

    index: int
    text: str  #: the head of the loop, or the function's qualified name
    parent: int | None
    calls: int | None  #: of a function; None for a loop
    rows: list[int] = field(default_factory=list)  #: its own operations
    inner: list[int] = field(default_factory=list)  #: the folds in it
    #: How often the one item has a value of the other. What is in no fold, as inputs and literals, or in one that is
    #: not in this, is among the items where something in here has its value.
    flows: dict[tuple[Item, Item], int] = field(default_factory=dict)
    hands_on: list[int] = field(default_factory=list)  #: rows whose values are used outside, or in the next pass
    function: str = ""  #: that it is, or that a loop is in
    file: str | None = None  #: that a loop stands in
    line: int | None = None


def item_of(fold: int) -> Item:
    """A fold as an item of the one around it."""
    return -1 - fold


def folds(columns: Columns, summary: Summary, roots: Sequence[int]) -> list[Fold]:
    """The folds of a trace, each after the one around it; the first is the whole.

    Args:
        columns: the trace.
        summary: of it.
        roots: rows of the results.

    """
    names = _callers(columns)
    repeated = _calling_loops(columns, summary)
    counts = {function.name: function.activations for function in summary.functions}
    found: list[Fold] = []
    known: dict[tuple[object, ...], int] = {}

    def fold(key: tuple[object, ...], text: str, parent: int | None, calls: int | None) -> int:
        if key not in known:
            known[key] = len(found)
            found.append(Fold(len(found), text, parent, calls, function=text))
            if parent is not None:
                found[parent].inner.append(known[key])
        return known[key]

    def function(name: str) -> int:
        way = [name]
        while (name,) not in known and names[name] is not None:
            name = names[name] or ""
            way.append(name)
        at: int | None = None
        for step in reversed(way):
            if (step,) not in known and (caller := names[step]) is not None:
                assert at is not None
                at = nested(caller, *repeated.get(step, ("", ())), at)
            at = fold((step,), step, at, counts.get(step))
        assert at is not None
        return at

    def nested(name: str, file: str, loops: Sequence[syntax.Place], at: int) -> int:
        for loop in loops:
            at = fold((name, file, loop.span), head(loop.node), at, None)
            found[at].function, found[at].file, found[at].line = name, file, loop.span[0]
        return at

    function(_function_of(columns.activations[0].function))
    home: dict[int, int] = {}
    for row in summary.rows:
        if row.op in ("input", "const"):
            continue
        name = _function_of(row.function)
        at = nested(name, row.source.file, _loops(row), function(name))
        home[row.index] = at
        found[at].rows.append(row.index)
    _flows(found, home, summary, roots)
    return found


def rows_in(fold: Fold, found: Sequence[Fold]) -> list[int]:
    """The operations of a fold and of all folds in it."""
    rows = []
    work = [fold.index]
    while work:
        one = found[work.pop()]
        rows += one.rows
        work += one.inner
    return sorted(rows)


def total(fold: Fold, found: Sequence[Fold], summary: Summary) -> Block | None:
    """A fold as one block, with all that is in it; None where it has no operation."""
    inside = [summary.rows[row] for row in rows_in(fold, found)]
    if not inside:
        return None
    own = [summary.rows[row] for row in fold.rows] or inside
    line = min((row.source.line for row in own if row.source.line is not None), default=None)
    if fold.file is None:
        return block("function", fold.text, line, None, fold.calls, inside)
    whole = block("loop", fold.text, fold.line if not fold.rows else line, None, fold.calls, inside)
    return replace(whole, file=fold.file)


def _function_of(name: str) -> str:
    while name.endswith(_PARTS) and ".<locals>." in name:
        name = name.rpartition(".<locals>.")[0]
    return name


def _callers(columns: Columns) -> dict[str, str | None]:
    """For each function the one that called it first; None for the outermost."""
    found: dict[str, str | None] = {}
    for activation in columns.activations:
        name = _function_of(activation.function)
        if name not in found:
            caller = activation.caller
            found[name] = None if caller is None else _function_of(columns.activations[caller].function)
    return found


def _calling_loops(columns: Columns, summary: Summary) -> dict[str, tuple[str, tuple[syntax.Place, ...]]]:
    """For each function that one other alone calls, and by its name alone: the file of that, and the loops around all calls."""
    callers: dict[str, set[str]] = {}
    for activation in columns.activations:
        if activation.caller is not None:
            name, caller = (
                _function_of(activation.function),
                _function_of(columns.activations[activation.caller].function),
            )
            if name != caller:
                callers.setdefault(name, set()).add(caller)
    rows: dict[str, Row] = {}
    for row in summary.rows:
        if row.op not in ("input", "const") and row.source.column is not None:
            rows.setdefault(row.function, row)
    found = {}
    for name, those in callers.items():
        of_caller = rows.get(next(iter(those))) if len(those) == 1 else None
        within = None if of_caller is None else _function_around(of_caller)
        if of_caller is not None and within is not None:
            found[name] = of_caller.source.file, _loops_around_calls(within, name.rpartition(".")[2])
    return found


def _loops_around_calls(function: syntax.Function, name: str) -> tuple[syntax.Place, ...]:
    """The loops that all calls of a name stand in; none where the name is used otherwise, too."""
    common: tuple[syntax.Place, ...] | None = None
    called = 0
    for node in ast.walk(function.node):
        if isinstance(node, ast.Call) and _last_word(node.func) == name:
            place = function.place(node)
            if place is None:
                return ()
            called += 1
            loops = place.loops
            if common is not None:
                loops = tuple(one for one, other in zip(common, loops, strict=False) if one is other)
            common = loops
    mentioned = sum(_last_word(node) == name for node in ast.walk(function.node))
    return common if common is not None and mentioned == called else ()


def _last_word(node: ast.AST) -> str | None:
    """The name that is read, or that of the attribute."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _function_around(row: Row) -> syntax.Function | None:
    """The function in whose source an expression stands."""
    source = row.source
    file = syntax.read(source.file)
    if file is None or source.line is None or source.end_line is None:
        return None
    function = file.around((source.line, source.column or 0, source.end_line, source.end_column or 0))
    return None if function is None or isinstance(function.node, ast.Module) else function


def _loops(row: Row) -> tuple[syntax.Place, ...]:
    """The loops that an expression is repeated by, the outermost first."""
    function = _function_around(row)
    if function is None:
        return ()
    source = row.source
    assert source.line is not None and source.end_line is not None
    return function.places[source.line, source.column or 0, source.end_line, source.end_column or 0][0].loops


def _flows(found: list[Fold], home: dict[int, int], summary: Summary, roots: Sequence[int]) -> None:
    """Tell each fold what flows in it."""
    hands_on: list[set[int]] = [set() for _ in found]

    def around(row: int) -> list[int]:
        way = []
        at = home.get(row)
        while at is not None:
            way.append(at)
            at = found[at].parent
        return way

    for root in roots:
        for fold in around(root):
            hands_on[fold].add(root)
    for flow in summary.flows:
        to, of = around(flow.target), around(flow.source)
        inside = set(to)
        for i, fold in enumerate(to):
            head = flow.target if not i else item_of(to[i - 1])
            tail = flow.source
            if fold in of:
                at = of.index(fold)
                tail = flow.source if not at else item_of(of[at - 1])
            if tail != head or tail >= 0:
                flows = found[fold].flows
                flows[tail, head] = flows.get((tail, head), 0) + flow.count
            if fold in of:
                break
        for fold in of:
            if fold not in inside or (flow.source >= flow.target and found[fold].calls is None):
                hands_on[fold].add(flow.source)
    for fold, rows in enumerate(hands_on):
        found[fold].hands_on = sorted(rows)
