"""Which comparisons decided the way to a value: control dependence, read from the syntax of the recorded functions.

A test decides if, had it come out otherwise, other operations or other variables would have gone into the value: a
part of it lies in an arm of the test, an arm binds a variable that goes into it (also the arm that was not taken), or
an arm leaves the loop or the function. These are the static half of what is called relevant slicing (Agrawal,
Horgan, Krauser, London: Incremental regression testing, 1993). Where there is no source, every test may have decided.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from visual_debug.tracing.tape import Site
from visual_debug.views import syntax

_Leaving = (ast.Return, ast.Raise, ast.Yield, ast.YieldFrom)
_LoopLeaving = (ast.Break, ast.Continue)
_Nested = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_Arithmetic = (ast.BinOp, ast.UnaryOp, ast.AugAssign)
_Comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Loops = (ast.For, ast.AsyncFor, ast.While)


@dataclass(slots=True)
class _Part:
    """What of one function goes into the value: spans of its operations, and the names of its variables."""

    spans: set[syntax.Span] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


class Control:
    """The tests of a trace's functions, and which of them decided the way to what was computed at some places.

    Args:
        sites: the places of the operations that the value comes from.
        names: the variables that those values were bound to.

    """

    def __init__(self, sites: Iterable[Site], names: Iterable[str]) -> None:
        self._known = set(names)
        self._parts: dict[int, _Part] = {}
        self._named: dict[str, dict[int, syntax.Function]] = {}
        self._called: dict[tuple[str, str], bool] = {}
        for site in sites:
            found = _place_of(site)
            if found is not None:
                function, place = found
                part = self._parts.setdefault(id(function), _Part())
                part.spans.add(place.span)
                self._named.setdefault(site.function, {})[id(function)] = function
        self._is_complete: set[int] = set()

    def decided(self, site: Site, *, is_test: bool) -> bool:
        """Whether what was evaluated at a place decided the way to the value.

        Args:
            site: the place.
            is_test: whether it is a comparison, which counts where nobody can tell; a number counts only where it
                stands as a test itself.
        """
        found = _place_of(site)
        if found is None:
            return is_test
        function, place = found
        arms = _arms(function, place, is_test=is_test)
        if arms is None:
            return is_test
        return any(self._matters(function, arm) for arm in arms)

    def called(self, caller: str, callee: str) -> bool:
        """Whether what one function (by qualified name) calls another for may go into the value."""
        known = self._called.get((caller, callee))
        if known is None:
            name = callee.rpartition(".")[2]
            mentions = [
                (function, node)
                for function in self._named.get(caller, {}).values()
                for node in _statements(function)
                if any(name in (getattr(one, "id", ""), getattr(one, "attr", "")) for one in _own(node))
            ]
            known = not mentions or any(self._is_part(function, node) for function, node in mentions)
            self._called[caller, callee] = known
        return known

    def _is_part(self, function: syntax.Function, statement: ast.stmt) -> bool:
        part = self._part(function)
        own = list(_own(statement))
        is_there = any(span is not None and span in part.spans for span in map(syntax.span_of, own))
        is_bound = any(not part.names.isdisjoint(_bound(node)) for node in own)
        return is_there or is_bound or isinstance(statement, _Leaving) or _is_unknown_call(statement)

    def _matters(self, function: syntax.Function, arm: ast.AST) -> bool:
        """Whether the value would be another one had an arm, or its like, not been gone through."""
        part = self._part(function)
        own = list(_inside(arm))
        if any(isinstance(node, _Leaving) for node in own):
            return True
        if any(span is not None and span in part.spans for span in map(syntax.span_of, own)):
            return True
        return any(not part.names.isdisjoint(_bound(node)) or _is_unknown_call(node) for node in own)

    def _part(self, function: syntax.Function) -> _Part:
        part = self._parts.setdefault(id(function), _Part())
        if id(function) not in self._is_complete:
            self._is_complete.add(id(function))
            _complete(function, part, self._known)
        return part


def _place_of(site: Site) -> tuple[syntax.Function, syntax.Place] | None:
    """The expression that a place in the source is, and the function that evaluates it."""
    if site.line is None or site.end_line is None or site.column is None or site.end_column is None:
        return None
    file = syntax.read(site.file)
    span = (site.line, site.column, site.end_line, site.end_column)
    function = file.around(span) if file is not None else None
    return None if function is None else (function, function.places[span][-1])


def _complete(function: syntax.Function, part: _Part, known: set[str]) -> None:
    """Add the variables that go into the value: those that its operations read, what is returned, and their sources."""
    binding: list[tuple[set[str], set[str]]] = []
    for statement in _statements(function):
        own = list(_own(statement))
        read = _read_by(own)
        bound = {name for node in own for name in _bound(node)}
        if any(span is not None and span in part.spans for span in map(syntax.span_of, own)):
            part.names |= read | bound & known
        elif isinstance(statement, ast.Return):
            if isinstance(statement.value, ast.Name) or part.names.isdisjoint(read):
                part.names |= read
        elif not any(isinstance(node, _Arithmetic) for node in own):
            binding.append((bound, read))
    while True:  # the statement `z = y` has no operation: what z goes into y goes into
        grown = {name for bound, read in binding if not part.names.isdisjoint(bound) for name in read} - part.names
        if not grown:
            return
        part.names |= grown


def _arms(function: syntax.Function, place: syntax.Place, *, is_test: bool) -> list[ast.AST] | None:
    """What is evaluated, or not, by the outcome of a test; None where that cannot be told, or a number is no test."""
    found: list[ast.AST] = []
    while place.parent is not None:
        node, above = place.node, place.parent.node
        if isinstance(above, (ast.If, ast.While)) and node is above.test:
            return found + _with_loops(place, [*above.body, *above.orelse])
        if isinstance(above, ast.IfExp) and node is above.test:
            return [*found, _statement(place).node]
        if isinstance(above, ast.Assert):
            return [*found, ast.Raise()]  # it leaves the function if it fails
        if isinstance(above, ast.Match):
            return found + _with_loops(place, [statement for case in above.cases for statement in case.body])
        if isinstance(above, _Comprehensions) and any(node is test for part in above.generators for test in part.ifs):
            return [*found, _statement(place).node]
        if isinstance(above, ast.BoolOp) and isinstance(node, ast.expr):
            found += above.values[above.values.index(node) + 1 :]
        elif isinstance(above, ast.Assign) and is_test and all(isinstance(name, ast.Name) for name in above.targets):
            return found + _of_flag(function, {name for target in above.targets for name in _bound(target)})
        elif not isinstance(above, (ast.UnaryOp, ast.NamedExpr)) and not (is_test and _is_truth(above)):
            return None
        place = place.parent
    return None


def _statement(place: syntax.Place) -> syntax.Place:
    while place.parent is not None and not isinstance(place.node, ast.stmt):
        place = place.parent
    return place


def _with_loops(place: syntax.Place, arms: list[ast.AST]) -> list[ast.AST]:
    """Arms, and the loop that one of them leaves: all that another turn, or the rest of this one, would do."""
    if any(isinstance(node, _LoopLeaving) for arm in arms for node in _inside(arm)):
        above = place.parent
        while above is not None and not isinstance(above.node, _Loops):
            above = above.parent
        if above is not None:
            return [*arms, above.node]
    return arms


def _of_flag(function: syntax.Function, names: set[str]) -> list[ast.AST]:
    """The arms of all tests of a variable that holds the outcome of a comparison."""
    found: list[ast.AST] = []
    for places in function.places.values():
        for place in places:
            node = place.node
            if isinstance(node, (ast.If, ast.While)) and not names.isdisjoint(_read(node.test)):
                found += _with_loops(place, [*node.body, *node.orelse])
            elif isinstance(node, ast.IfExp) and not names.isdisjoint(_read(node.test)):
                found.append(_statement(place).node)
            elif isinstance(node, ast.Assert) and not names.isdisjoint(_read(node.test)):
                found.append(ast.Raise())
            elif isinstance(node, ast.Return) and node.value is not None and not names.isdisjoint(_read(node.value)):
                found.append(node)
    return found


def _is_truth(node: ast.AST) -> bool:
    """Whether an expression has a truth for truths: of comprehensions, `any`, `all` and their kin in NumPy."""
    if not isinstance(node, ast.Call):
        return isinstance(node, _Comprehensions)
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name in {"any", "all", "bool", "not_", "logical_and", "logical_or", "logical_not", "alltrue", "sometrue"}


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is below it, without functions and classes that are only defined there."""
    work = [node]
    while work:
        one = work.pop()
        yield one
        work.extend(child for child in ast.iter_child_nodes(one) if not isinstance(child, _Nested))


def _statements(function: syntax.Function) -> Iterator[ast.stmt]:
    for places in function.places.values():
        for place in places:
            if isinstance(place.node, ast.stmt):
                yield place.node


def _own(node: ast.stmt) -> Iterator[ast.AST]:
    """What a statement is made of itself: of one with a body, what stands in front of it."""
    if isinstance(node, (ast.If, ast.While)):
        yield from _inside(node.test)
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield from _inside(node.iter)
        yield from _inside(node.target)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            yield from _inside(item)
    elif isinstance(node, ast.Match):
        yield from _inside(node.subject)
    elif not hasattr(node, "body"):
        yield from _inside(node)


def _read(node: ast.AST) -> set[str]:
    """The variables that are read below a node."""
    return _read_by(_inside(node))


def _read_by(nodes: Iterable[ast.AST]) -> set[str]:
    """The variables that nodes themselves read; that of an augmented assignment is."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def _bound(node: ast.AST) -> set[str]:
    """The variables that a node itself binds, or whose contents it changes."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return _root(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # called for what it does
        given = [*node.value.args, *(keyword.value for keyword in node.value.keywords)]
        return _root(node.value.func).union(*map(_read, given))
    return set()


def _root(node: ast.AST) -> set[str]:
    """The variable that an attribute or a subscript is of."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_unknown_call(node: ast.AST) -> bool:
    """Whether a node calls a function for what it does, which may be anything."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, (ast.Call, ast.Await)):
        return isinstance(node, (ast.Global, ast.Nonlocal, ast.Delete))
    called = node.value.func if isinstance(node.value, ast.Call) else None
    return not (isinstance(called, ast.Attribute) or (isinstance(called, ast.Name) and hasattr(builtins, called.id)))
