"""The source of recorded functions as a syntax tree that is looked up by place: which expression an operation is.

`code.co_positions()` and `ast` give the same places (lines from 1, columns in UTF-8 bytes from 0), so that an
operation finds its expression by its span alone.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

#: line, column, end line, end column
Span = tuple[int, int, int, int]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, *_COMPREHENSIONS)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """An expression or statement of a function: where it is in the tree, and when its turn comes."""

    node: ast.AST
    span: Span
    order: int  #: places that are evaluated later have a greater one, but for loops
    parent: Place | None
    loops: tuple[Place, ...]  #: those that it is repeated by, the outermost first
    arms: tuple[tuple[ast.AST, int], ...]  #: of conditionals: which, and which way of it


@dataclass(slots=True, eq=False)
class Function:
    """A function in its source file, and its places by span."""

    node: FunctionNode | ast.Module
    first: int  #: line that it begins in, with its decorators
    last: int
    places: dict[Span, list[Place]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    doubtful: set[Span] = field(default_factory=set)  #: in f-strings, where the tree may not say the place
    _by_node: dict[int, Place] = field(default_factory=dict)

    def place(self, node: ast.AST) -> Place | None:
        """The place of a node of the tree."""
        return self._by_node.get(id(node))

    def add(self, place: Place) -> None:
        """One more place."""
        self.places.setdefault(place.span, []).append(place)
        self._by_node[id(place.node)] = place

    def is_doubtful(self, span: Span) -> bool:
        """Whether a span is that of something in an f-string whose place is not certain."""
        return span in self.doubtful


@dataclass(slots=True, eq=False)
class File:
    """A source file: its lines without line ends, and its functions, inner ones after outer ones."""

    lines: list[str]
    functions: list[Function]

    def around(self, span: Span) -> Function | None:
        """The innermost function that evaluates what stands at a span."""
        for function in reversed(self.functions):
            if function.first <= span[0] and span[2] <= function.last and span in function.places:
                return function
        return None

    def characters(self, line: int, column: int) -> int:
        """Characters in front of a column that is counted in bytes."""
        text = self.lines[line - 1]
        return column if text.isascii() else len(text.encode()[:column].decode(errors="replace"))


def span_of(node: ast.AST) -> Span | None:
    """The span of a node of the tree, where it has one."""
    line = getattr(node, "lineno", None)
    end = getattr(node, "end_lineno", None)
    if line is None or end is None:
        return None
    return line, node.col_offset, end, node.end_col_offset  # type: ignore[attr-defined]


def read(name: str) -> File | None:
    """The syntax tree of a source file; None where there is no such source, or none that can be parsed."""
    return _parse("".join(linecache.getlines(name)))


@lru_cache(maxsize=32)
def _parse(text: str) -> File | None:
    if not text:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = [line.rstrip("\r") for line in text.split("\n")]
    file = File(lines, [])
    outer: list[FunctionNode | ast.Module] = [tree]
    while outer:
        node = outer.pop()
        function = _function(node, file)
        file.functions.append(function)
        outer.extend(reversed(list(_inner(node))))
    file.functions.sort(key=lambda f: (f.first, -f.last) if not isinstance(f.node, ast.Module) else (0, 0))
    return file


def _inner(node: ast.AST) -> Iterator[FunctionNode]:
    """The functions directly inside of a function, or of the module."""
    work = list(reversed(list(ast.iter_child_nodes(node))))
    while work:
        inner = work.pop()
        if isinstance(inner, _FUNCTIONS):
            yield inner
        else:
            work.extend(reversed(list(ast.iter_child_nodes(inner))))


def _function(node: FunctionNode | ast.Module, file: File) -> Function:
    if isinstance(node, ast.Module):
        function = Function(node, 1, len(file.lines))
        roots: list[ast.AST] = list(node.body)
    else:
        decorators = [] if isinstance(node, ast.Lambda) else [d.lineno for d in node.decorator_list]
        assert node.end_lineno is not None
        function = Function(node, min([node.lineno, *decorators]), node.end_lineno)
        function.parameters = tuple(a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg))
        roots = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    _number(function, roots, file)
    return function


def _number(function: Function, roots: list[ast.AST], file: File) -> None:
    """Give every place its number, in the order of evaluation; nothing recurses."""
    order = 0
    # A node is pushed twice: on the way down, and, its children done, to get its number.
    work: list[tuple[ast.AST, Place | None, tuple[Place, ...], tuple[tuple[ast.AST, int], ...], Place | None]]
    work = [(node, None, (), (), None) for node in reversed(roots)]
    while work:
        node, parent, loops, arms, done = work.pop()
        if done is not None:
            order += 1
            object.__setattr__(done, "order", order)
            continue
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            work.extend((child, parent, loops, arms, None) for child in reversed(list(_at_definition(node))))
            continue
        span = span_of(node)
        place = parent
        if span is not None:
            place = Place(node, span, 0, parent, loops, arms)
            if _is_true_to_source(place, file):
                function.add(place)
            else:
                function.doubtful.add(span)
            work.append((node, parent, loops, arms, place))
        below = (*loops, place) if isinstance(node, _LOOPS) and place is not None else loops
        children = [
            (child, place, below if repeated else loops, (*arms, (node, arm)) if arm else arms, None)
            for child, repeated, arm in _children(node)
        ]
        work.extend(reversed(children))


def _at_definition(node: ast.AST) -> Iterator[ast.expr]:
    """What is evaluated when a function or class is defined, in the scope around it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node, _FUNCTIONS):
        yield from node.args.defaults
        yield from (default for default in node.args.kw_defaults if default is not None)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, bool, int]]:
    """What is evaluated for a node, in order: (child, whether a loop repeats it, number of the conditional's arm or 0)."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        if node.value is not None:
            yield node.value, False, 0
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield target, False, 0
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield node.iter, False, 0
        yield node.target, True, 0
        yield from ((child, True, 0) for child in node.body)
        yield from ((child, False, 0) for child in node.orelse)
    elif isinstance(node, ast.While):
        yield from ((child, True, 0) for child in [node.test, *node.body])
        yield from ((child, False, 0) for child in node.orelse)
    elif isinstance(node, _COMPREHENSIONS):
        first = True
        for generator in node.generators:
            yield generator.iter, not first, 0
            first = False
            yield from ((child, True, 0) for child in [generator.target, *generator.ifs])
        for child in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            yield child, True, 0
    elif isinstance(node, ast.If):
        yield node.test, False, 0
        yield from ((child, False, 1) for child in node.body)
        yield from ((child, False, 2) for child in node.orelse)
    elif isinstance(node, ast.IfExp):
        yield from zip([node.test, node.body, node.orelse], [False] * 3, range(3), strict=True)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                yield key, False, 0
            yield value, False, 0
    else:
        yield from ((child, False, 0) for child in ast.iter_child_nodes(node))


def _is_true_to_source(place: Place, file: File) -> bool:
    """Whether the text at a span is what the tree says: in f-strings of Python 3.11 it may not be."""
    above = place.parent
    while above is not None and not isinstance(above.node, ast.JoinedStr):
        above = above.parent
    if above is None or not isinstance(place.node, ast.expr):
        return True
    line, column, end_line, end_column = place.span
    if not 1 <= line <= end_line <= len(file.lines):
        return False
    parts = [text.encode() for text in file.lines[line - 1 : end_line]]
    parts[-1] = parts[-1][:end_column]
    parts[0] = parts[0][column:]
    try:
        found = ast.parse(b"(" + b"\n".join(parts) + b"\n)", mode="eval")
    except (SyntaxError, ValueError):
        return False
    return ast.dump(found.body) == ast.dump(place.node)


def exclusive(one: Place, other: Place) -> bool:
    """Whether two places are in different arms of one conditional, so that one pass never comes to both."""
    arms = {id(node): arm for node, arm in one.arms}
    return any(arms.get(id(node), arm) != arm for node, arm in other.arms)
