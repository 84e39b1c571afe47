"""Formula texts over the result z and the operands x, y, w: compiled once per number system, and printed in Δ."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from visual_debug.rules import safe
from visual_debug.rules.base import ZERO, NoPartial
from visual_debug.rules.systems import ARRAY, PLAIN, System, system_of

_OPERATORS: dict[type[ast.operator], tuple[str, int, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", 2, safe.add),
    ast.Sub: ("-", 2, safe.sub),
    ast.Mult: ("*", 3, safe.mul),
    ast.Div: ("/", 3, safe.div),
    ast.FloorDiv: ("//", 3, safe.floordiv),
    ast.Mod: ("%", 3, safe.mod),
    ast.Pow: ("**", 5, safe.power),
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_COMPARE, _SUM, _PRODUCT, _UNARY, _ATOM = 1, 2, 3, 4, 6
_VARIABLES = ("z", "x", "y", "w")
#: Functions that exist for arrays alone.
_ARRAY_ONLY = ("inside", "below", "above", "finite")
#: Texts that need no parentheses inside a product: numbers, names, calls and what is bracketed already.
_ATOMIC = re.compile(r"[\d.][\w.]*(e[+-]?\d+)?|\w+(\(.*\))?|[\[(].*[\])]")


class Formula:
    """One partial derivative: `show` is what a user reads, `run` what is computed where accuracy asks for more.

    Raises ValueError for a text that uses anything but z, x, y, w, numbers, arithmetic, comparisons and the known
    functions: texts are compiled, so what they may hold is a closed list.
    """

    def __init__(self, show: str, run: str | None = None) -> None:
        self.show = show
        self.tree = _parse(show)
        self._body = _parse(run) if run is not None else self.tree
        self._compiled: dict[tuple[str, bool], Callable[..., Any]] = {}
        self.constant = _constant(self._body)  #: the number it always is, or None

    def __repr__(self) -> str:
        return f"Formula({self.show!r})"

    def __call__(self, z: Any, operands: tuple[Any, ...]) -> Any:
        """Value of the partial: inf or NaN rather than an arithmetic exception. Raises NoPartial where undefined."""
        if self.constant is not None:
            return ZERO if self.constant == 0 else self.constant
        values = (z, *operands)
        system = system_of(values)
        if system.prepare is not None:
            values = system.prepare(values)
        if system.context is None:
            return self._run(system, values)
        with system.context():
            result = self._run(system, values)
        return result[()] if system is ARRAY and hasattr(result, "shape") else result

    def plain(self) -> Callable[..., Any]:
        """The formula compiled for floats and ints, without the second look at exceptions."""
        return self._function(PLAIN, careful=False)

    def of_arrays(self) -> Callable[..., Any]:
        """The formula compiled for (z, *operands) that are arrays of floats, or arrays and numbers."""
        return self._function(ARRAY, careful=False)

    def _run(self, system: System, values: tuple[Any, ...]) -> Any:
        try:
            return self._function(system, careful=False)(*values)
        except NoPartial:
            raise
        except (ArithmeticError, ValueError):
            if system is ARRAY:
                raise
            return self._function(system, careful=True)(*values)

    def _function(self, system: System, *, careful: bool) -> Callable[..., Any]:
        key = (system.name, careful)
        if key not in self._compiled:
            body = ast.parse(_careful(self._body), mode="eval").body if careful else self._body
            names = system.namespace(careful=careful) | _SAFE_NAMES
            self._compiled[key] = _compile(body, names)
        return self._compiled[key]


_SAFE_NAMES = {f"_{kind.__name__}": apply for kind, (_, _, apply) in _OPERATORS.items()}


def _parse(text: str) -> ast.expr:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"formula {text!r}: {error.msg}") from error
    for node in ast.walk(tree):
        _check(node, text)
    return tree


def _check(node: ast.AST, text: str) -> None:
    known = (*_VARIABLES, *PLAIN.functions(), *_ARRAY_ONLY)
    match node:
        case ast.Name(id=name) if name not in known:
            raise ValueError(f"formula {text!r}: unknown name {name!r}; known are {', '.join(known)}")
        case ast.Constant(value=value) if not isinstance(value, int | float | complex):
            raise ValueError(f"formula {text!r}: {value!r} is not a number")
        case ast.Call(func=ast.Name(), keywords=[]) | ast.Name() | ast.Constant() | ast.BinOp() | ast.Compare():
            return
        case ast.UnaryOp(op=ast.USub()) | ast.operator() | ast.cmpop() | ast.USub() | ast.Load():
            return
    raise ValueError(f"formula {text!r}: {type(node).__name__} is not allowed in a formula")


def _constant(tree: ast.expr) -> Any:
    try:
        return ast.literal_eval(tree)
    except ValueError:
        return None


def _careful(node: ast.expr) -> str:
    """The formula with each operator written as a call of its safe form."""
    match node:
        case ast.BinOp(left, op, right):
            return f"_{type(op).__name__}({_careful(left)}, {_careful(right)})"
        case ast.UnaryOp(operand=operand):
            return f"(-{_careful(operand)})"
        case ast.Call(func, args):
            return f"{ast.unparse(func)}({', '.join(map(_careful, args))})"
    return f"({ast.unparse(node)})"


def _compile(body: ast.expr, names: Mapping[str, Any]) -> Callable[..., Any]:
    source = f"lambda z, x=None, y=None, w=None: {ast.unparse(body)}"
    # Only texts that passed `_check` come here.
    function: Callable[..., Any] = eval(source, dict(names))
    return function


def show(node: ast.expr, values: Mapping[str, str], level: int = 0) -> str:
    """The expression as text without spaces; names found in `values` are replaced; parenthesised below `level`.

    >>> show(ast.parse("y * x ** (y - 1)", mode="eval").body, {"y": "-2"})
    '(-2)*x**(-2-1)'
    """
    match node:
        case ast.BinOp(left, op, right):
            symbol, own, _ = _OPERATORS[type(op)]
            sides = (own + 1, _UNARY) if own > _PRODUCT else (own, own + 1)
            text = f"{show(left, values, sides[0])}{symbol}{show(right, values, sides[1])}"
        case ast.UnaryOp(operand=operand):
            own, text = _UNARY, f"-{show(operand, values, _UNARY)}"
        case ast.Compare(left, [op], [right]):
            own, text = _COMPARE, f"{show(left, values, _SUM)}{_COMPARISONS[type(op)]}{show(right, values, _SUM)}"
        case ast.Call(func, args):
            own, text = _ATOM, f"{ast.unparse(func)}({', '.join(show(a, values) for a in args)})"
        case _:
            text = values.get(name := ast.unparse(node), name)
            own = _ATOM if _ATOMIC.fullmatch(text) else _SUM
    return f"({text})" if own < level else text


def times_delta(tree: ast.expr, values: Mapping[str, str]) -> str:
    """Δ times the expression, as a user would write it.

    >>> times_delta(ast.parse("-z/y", mode="eval").body, {}), times_delta(ast.parse("1-z**2", mode="eval").body, {})
    ('-Δ*z/y', 'Δ*(1-z**2)')
    """
    negative, text = _factor(tree, values)
    if text == "Δ*0":
        return "0"
    return f"-{text}" if negative else text


def _factor(node: ast.expr, values: Mapping[str, str]) -> tuple[bool, str]:
    """Whether Δ * node is to be negated, and its text up to that sign."""
    match node:
        case ast.UnaryOp(operand=operand):
            negative, text = _factor(operand, values)
            return not negative, text
        case ast.Constant(value=1):
            return False, "Δ"
        case ast.BinOp(left, (ast.Mult() | ast.Div()) as op, right):
            negative, text = _factor(left, values)
            return negative, f"{text}{_OPERATORS[type(op)][0]}{show(right, values, _UNARY + 1)}"
    return False, f"Δ*{show(node, values, _UNARY)}"


def compact(value: Any) -> str:
    """A number in about six digits; "" for what is not a number, so that the operand's letter stays.

    >>> compact(0.1 + 0.2), compact(5), compact(-2), compact([1.0])
    ('0.3', '5', '-2', '')
    """
    if getattr(value, "shape", ()) != () or isinstance(value, str | bytes | list | tuple | dict | set | None):
        return ""
    if isinstance(value, int) and abs(value) >= 10**15:
        from decimal import Decimal

        return f"{Decimal(value).normalize():.6g}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) >= 10**15:
        from decimal import Decimal

        return f"{Decimal(value.numerator) / Decimal(value.denominator):.6g}"
    return f"({value:.6g})" if isinstance(value, complex) else str(value)
