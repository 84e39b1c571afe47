"""Which expression of the source an operation is, and which expressions its operands are."""

from __future__ import annotations

import ast

from visual_debug.columns import Columns
from visual_debug.views.syntax import File, Function, Place, Span

_BINARY: dict[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "mul": ast.Mult,
    "truediv": ast.Div,
    "floordiv": ast.FloorDiv,
    "mod": ast.Mod,
    "pow": ast.Pow,
    "matmul": ast.MatMult,
    "lshift": ast.LShift,
    "rshift": ast.RShift,
    "and_": ast.BitAnd,
    "or_": ast.BitOr,
    "xor": ast.BitXor,
}
_UNARY: dict[str, type[ast.unaryop]] = {"neg": ast.USub, "pos": ast.UAdd, "invert": ast.Invert, "not_": ast.Not}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "lt": ast.Lt,
    "le": ast.LtE,
    "gt": ast.Gt,
    "ge": ast.GtE,
    "eq": ast.Eq,
    "ne": ast.NotEq,
}


def place_of(columns: Columns, node: int, file: File, function: Function) -> Place | None:
    """The expression or statement that a node's operation is; None where it has no place of its own.

    Raises LookupError where the source at that place is something else: it is not what was run.
    """
    site = columns.site[node]
    if site.line is None or site.end_line is None or site.column is None or site.end_column is None:
        return None
    span: Span = site.line, site.column, site.end_line, site.end_column
    candidates = function.places.get(span)
    if not candidates:
        if function.first <= site.line <= site.end_line <= function.last and function.is_doubtful(span):
            return None
        raise LookupError(f"line {site.line}")
    if any(isinstance(place.node, ast.pattern) for place in candidates):
        return None  # of a `match`: what it is compared with is no value that could stand there
    op = columns.op[node]
    if op == "view":
        return None  # what another array holds after a write here
    if op in _BINARY or op in _UNARY or op in _COMPARE:
        for place in candidates:
            if _is(op, place.node):
                return place
        if not any(isinstance(p.node, (ast.Call, ast.Compare, ast.For, ast.stmt, ast.With)) for p in candidates):
            raise LookupError(f"line {site.line}")
    return candidates[-1]


def _is(op: str, node: ast.AST) -> bool:
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        return op in _BINARY and isinstance(node.op, _BINARY[op])
    if isinstance(node, ast.UnaryOp):
        return op in _UNARY and isinstance(node.op, _UNARY[op])
    if isinstance(node, ast.Compare):
        return op in _COMPARE and any(isinstance(o, _COMPARE[op]) for o in node.ops)
    return False


def operand_expressions(columns: Columns, node: int, tree: ast.AST, link: int = 0) -> list[tuple[int, ast.expr]]:
    """Operand positions of a node and the expressions that they are the values of, as far as that is certain.

    `link` says which comparison of a chain is meant.
    """
    op = columns.op[node]
    found: list[tuple[int, ast.expr | None]] = []
    args, _keywords, where = columns.arguments(node)
    if isinstance(tree, ast.BinOp) and _is(op, tree):
        found = [(k, [tree.left, tree.right][w] if w in (0, 1) else None) for k, w in _plain(where)]
    elif isinstance(tree, ast.AugAssign):
        found = [(k, tree.value if w == 1 else None) for k, w in _plain(where)]
    elif isinstance(tree, ast.UnaryOp) and _is(op, tree):
        found = [(k, tree.operand) for k, _ in _plain(where)]
    elif isinstance(tree, ast.Compare) and link < len(tree.ops):
        if op in _COMPARE and isinstance(tree.ops[link], _COMPARE[op]):
            sides = [tree.left, *tree.comparators][link : link + 2]
            found = [(k, sides[w] if w in (0, 1) else None) for k, w in _plain(where)]
    elif isinstance(tree, ast.Call):
        found = _arguments(tree, len(args), where)
    elif isinstance(tree, ast.Subscript) and op == "getitem":
        sides = [tree.value, tree.slice]
        found = [(k, sides[w] if w in (0, 1) else None) for k, w in _plain(where)]
    elif isinstance(tree, ast.Attribute):
        found = [(k, tree.value if w == 0 else None) for k, w in _plain(where)]
    certain = [(k, expression) for k, expression in found if expression is not None]
    operands = columns.operands(node)
    for k, expression in certain:
        if isinstance(expression, ast.Constant) and not _same(columns.value[operands[k]], expression.value):
            return []  # the operands are not those of the source
    return certain


def _plain(where: tuple[int | tuple[int | str, ...], ...]) -> list[tuple[int, int]]:
    """Operand positions with the positions of the arguments that they are."""
    return [(k, w) for k, w in enumerate(where) if isinstance(w, int)]


def _arguments(
    tree: ast.Call, count: int, where: tuple[int | tuple[int | str, ...], ...]
) -> list[tuple[int, ast.expr | None]]:
    if any(isinstance(a, ast.Starred) for a in tree.args) or any(k.arg is None for k in tree.keywords):
        return []
    positional = list(tree.args)
    if count == len(positional) + 1 and isinstance(tree.func, ast.Attribute):
        positional.insert(0, tree.func.value)  # a method of the first operand
    if count != len(positional):
        return []
    by_name = {keyword.arg: keyword.value for keyword in tree.keywords}
    found: list[tuple[int, ast.expr | None]] = []
    for k, w in enumerate(where):
        if isinstance(w, int):
            found.append((k, positional[w] if w < len(positional) else None))
        elif len(w) == 1 and isinstance(w[0], str):
            found.append((k, by_name.get(w[0])))
        else:
            inner = _inside(positional, w)
            found.append((k, inner))
    return found


def _inside(positional: list[ast.expr], path: tuple[int | str, ...]) -> ast.expr | None:
    """What a path into nested displays of lists and tuples leads to."""
    items: list[ast.expr] = positional
    expression: ast.expr | None = None
    for step in path:
        if not isinstance(step, int) or step >= len(items) or any(isinstance(i, ast.Starred) for i in items):
            return None
        expression = items[step]
        items = expression.elts if isinstance(expression, (ast.List, ast.Tuple)) else []
    return expression


def _same(value: object, literal: object) -> bool:
    return type(value) is type(literal) and value == literal
