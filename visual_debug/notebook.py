"""Jupyter and IPython: `%%visual_debug` for a cell and `%visual_debug` for an expression.

%load_ext visual_debug
%visual_debug 2*x*y + (x - 1)**2
"""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from visual_debug.errors import VisualDebugError

_numbers = itertools.count(1)


def load(shell: Any) -> None:
    """Register the magics with an IPython shell."""

    def visual_debug(line: str, cell: str | None = None) -> None:
        run(shell, line if cell is None else cell)

    visual_debug.__doc__ = "Run an expression, or the cell, and show the trace of it; it is also left in `_trace`."
    shell.register_magic_function(visual_debug, "line_cell", "visual_debug")


def run(shell: Any, text: str) -> None:
    """Run code in the user's namespace, recorded; display its trace and leave it in `_trace`.

    What the code assigns are variables of the notebook, as ever. Numbers that it reads from there are the inputs.
    """
    from IPython.display import display

    from visual_debug import decorator

    text = shell.transform_cell(text)
    function, arguments = _function(text, shell.user_ns)
    with decorator.recording() as traces:
        traced: Any = decorator.visual_debug(function)
        try:
            traced(*arguments)
        finally:
            if traces:
                shell.user_ns["_trace"] = traces[-1]
                show: Any = display  # it has no types
                show(traces[-1])


def _function(text: str, namespace: dict[str, Any]) -> tuple[FunctionType, list[Any]]:
    """The code as a function, and the arguments that it is called with; its last expression is the result."""
    name = f"<visual_debug cell {next(_numbers)}>"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    body = ast.parse(text, name).body
    if not body:
        raise VisualDebugError("there is no code to run")
    last = body[-1]
    if isinstance(last, ast.Expr):
        body[-1] = ast.copy_location(ast.Return(last.value), last)
    used = list(_names(body))
    assigned = sorted({n for n, is_read in used if not is_read})
    read = [n for n in dict.fromkeys(n for n, is_read in used if is_read) if n not in assigned]
    given = [n for n in read if n in namespace and _is_number(namespace[n])]
    parameters = ast.arguments([], [ast.arg(n, lineno=1, col_offset=0) for n in given], None, [], [], None, [])
    if assigned:
        body.insert(0, ast.Global(assigned))
    tree = ast.parse("def cell(): pass", name)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.args, definition.body = parameters, body
    ast.fix_missing_locations(tree)
    module = compile(tree, name, "exec", dont_inherit=True)
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    return FunctionType(code, namespace), [namespace[n] for n in given]


def _names(body: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """The names that code reads (True) and assigns (False), those of inner functions and comprehensions left out."""
    work: list[ast.AST] = list(body)
    while work:
        node = work.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, False
            work.extend(node.decorator_list)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield (alias.asname or alias.name).partition(".")[0], False
        elif isinstance(node, ast.Name):
            yield node.id, isinstance(node.ctx, ast.Load)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, False
            work.extend(node.body)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)):
            own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
            yield from (
                (n.id, True)
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id not in own
            )
        else:
            work.extend(ast.iter_child_nodes(node))


def _is_number(value: Any) -> bool:
    """Whether a variable of the notebook is an input: a number, an array, or a list of such."""
    from visual_debug import kinds

    if isinstance(value, (list, tuple)):
        return bool(value) and all(_is_number(item) for item in value[:1])
    return kinds.is_number(value)
