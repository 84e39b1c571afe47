r"""A trace as LaTeX that shows the work: each quantity as formula, then with the numbers in place, then its value.

    z &= 2 \cdot x \cdot y + {\left(x - 1\right)}^{2} \\
      &= 2 \cdot 3 \cdot 5 + {\left(3 - 1\right)}^{2} \\
      &= 34

What the program gave a name, or uses several times, is a quantity with a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.errors import RenderError
from visual_debug.sweeps.adjoint import ancestors
from visual_debug.views.steps import is_leaf

#: Quantities in one document.
MOST_QUANTITIES = 300
_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\allowdisplaybreaks
\begin{document}
"""
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega",
}  # fmt: skip
_GREEK_NAMES = frozenset(_GREEK.values())
_FUNCTIONS = frozenset(
    ["sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "max", "min", "arcsin", "arccos", "arctan"]
)
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%",
    "$": r"\$", "#": r"\#", "~": r"\textasciitilde{}",
}  # fmt: skip
_SPECIAL = {"×": r"$\times$", "…": r"\dots{}", "→": r"$\to$"}

#: How tightly the outermost operation of a formula binds.
_RELATION, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)
Formula = tuple[str, int]
_INFIX: dict[str, tuple[str, int, int]] = {  # sign, binding of the left side, of the right side
    "add": ("+", _SUM, _SUM),
    "sub": ("-", _SUM, _PRODUCT),
    "mul": (r"\cdot", _PRODUCT, _SIGN + 1),
    "matmul": (r"\,", _PRODUCT, _SIGN + 1),
    "mod": (r"\bmod", _SIGN + 1, _SIGN + 1),
    "gt": (">", _SUM, _SUM),
    "ge": (r"\ge", _SUM, _SUM),
    "lt": ("<", _SUM, _SUM),
    "le": (r"\le", _SUM, _SUM),
    "eq": ("==", _SUM, _SUM),
    "ne": (r"\ne", _SUM, _SUM),
}
_RELATIONS = frozenset(["gt", "ge", "lt", "le", "eq", "ne"])


def document(columns: Columns, roots: Sequence[int]) -> str:
    """A LaTeX document of what the roots were computed from.

    Raises:
        RenderError: if there is nothing to show, or more quantities than one document should have.

    """
    if not roots:
        raise RenderError("no number was computed from numbers: there is no work to show")
    reached = ancestors(columns, roots)
    quantities = _quantities(columns, roots, reached)
    if len(quantities) > MOST_QUANTITIES:
        raise RenderError(
            f"{len(quantities):,} quantities are more than the {MOST_QUANTITIES} of one document: "
            "show less, by t.slice(node)"
        )
    names = _names(columns, quantities)
    lines: list[str] = []
    formulas: dict[int, Formula] = {}
    numbers: dict[int, Formula] = {}
    for node in range(len(columns)):
        if not reached[node]:
            continue
        if is_leaf(columns, node):
            value = number(columns.value[node])
            name = columns.name[node]
            formulas[node] = (symbol(name), _ATOM) if name is not None else value
            numbers[node] = value
            continue
        formula = _formula(columns, node, formulas)
        if node not in names:
            formulas[node] = formula
            numbers[node] = _formula(columns, node, numbers)
            continue
        with_numbers = _formula(columns, node, numbers)
        result = number(columns.value[node])
        lines.append(rf"{names[node]} &= {formula[0]} \\")
        lines.append(rf"&= {with_numbers[0]} \\" if with_numbers[0] not in (formula[0], result[0]) else "")
        lines.append(rf"&= {result[0]} \\[1ex]")
        formulas[node], numbers[node] = (names[node], _ATOM), result
    body = "\n".join(line for line in lines if line).removesuffix(r" \\[1ex]")
    if not body:
        body = "\n".join(rf"{formulas[root][0]} &= {number(columns.value[root])[0]} \\" for root in roots)
        body = body.removesuffix(r" \\")
    return f"{_PREAMBLE}\\begin{{align*}}\n{body}\n\\end{{align*}}\n\\end{{document}}\n"


def _quantities(columns: Columns, roots: Sequence[int], reached: bytearray | Sequence[int]) -> list[int]:
    uses: dict[int, int] = {}
    for node in range(len(columns)):
        if reached[node]:
            for operand in columns.operands(node):
                uses[operand] = uses.get(operand, 0) + 1
    return [
        node
        for node in range(len(columns))
        if reached[node]
        and not is_leaf(columns, node)
        and (columns.name[node] is not None or uses.get(node, 0) > 1 or node in set(roots))
    ]


def _names(columns: Columns, quantities: Sequence[int]) -> dict[int, str]:
    """A name for each quantity; where a variable was bound again, with the number of the time."""
    total: dict[str | None, int] = {}
    for node in quantities:
        total[columns.name[node]] = total.get(columns.name[node], 0) + 1
    taken = {columns.name[node] for node in range(len(columns)) if is_leaf(columns, node)}
    met: dict[str | None, int] = {}
    names = {}
    unnamed = total.get(None, 0)
    for node in quantities:
        name = columns.name[node]
        met[name] = met.get(name, 0) + 1
        if name is None:
            names[node] = rf"\langle {met[name]} \rangle" if unnamed > 1 else r"\mathrm{result}"
            continue
        base = symbol(name)
        names[node] = base if total[name] == 1 and name not in taken else f"{base}^{{({met[name]})}}"
    return names


def symbol(name: str) -> str:
    r"""A variable's name.

    >>> symbol("x"), symbol("alpha"), symbol("α"), symbol("a_1"), symbol("xs[3]")
    ('x', '\\alpha', '\\alpha', '\\mathrm{a\\_1}', '\\mathrm{xs[3]}')
    """
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    if name in _GREEK:
        return f"\\{_GREEK[name]}"
    if name in _GREEK_NAMES:
        return f"\\{name}"
    if name.isascii():
        return rf"\mathrm{{{escaped(name)}}}"
    return rf"\text{{{escaped(name)}}}"


def escaped(text: str) -> str:
    """Any text in which nothing is markup; characters that plain LaTeX lacks stand as their code points."""
    found = []
    for char in text:
        if char in _ESCAPES:
            found.append(_ESCAPES[char])
        elif char in _SPECIAL:
            found.append(_SPECIAL[char])
        elif char in _GREEK:
            found.append(rf"$\{_GREEK[char]}$")
        elif (char.isascii() and char.isprintable()) or "À" <= char <= "ÿ":  # T1 has the letters of Latin-1
            found.append(char)
        else:
            found.append("\\textless{}U+%04X\\textgreater{}" % ord(char))  # noqa: UP031
    return "".join(found)


def number(value: Any) -> Formula:
    r"""A value.

    >>> number(3), number(-0.5), number(1.5e-30)
    (('3', 5), ('-0.5', 3), ('1.5 \\cdot 10^{-30}', 2))
    """
    text = display.value_text(value)
    match = re.fullmatch(r"(-?[\d.]+)(?:e([+-]?\d+))?", text)
    if match is None:
        if text in ("inf", "-inf"):
            return text.replace("inf", r"\infty"), _SIGN if text.startswith("-") else _ATOM
        if re.fullmatch(r"\[[^\[\]]*\]", text):
            items = [number_text for number_text in text[1:-1].split()]
            cells = r" \\ ".join(_scientific(item) for item in items)
            return rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}", _ATOM
        if re.fullmatch(r"\[(\s*\[[^\[\]]+\])+\]", text):
            rows = [" & ".join(map(_scientific, row.split())) for row in re.findall(r"\[([^\[\]]+)\]", text[1:-1])]
            cells = r" \\ ".join(rows)
            return rf"\begin{{bmatrix}} {cells} \end{{bmatrix}}", _ATOM
        return rf"\text{{{escaped(text)}}}", _ATOM
    digits, power = match.groups()
    if power is not None:
        return rf"{digits} \cdot 10^{{{int(power)}}}", _PRODUCT
    return digits, _SIGN if digits.startswith("-") else _ATOM


def _scientific(text: str) -> str:
    match = re.fullmatch(r"(-?[\d.]+)(?:e([+-]?\d+))?", text)
    if match is None:  # a complex number, for one
        return rf"\text{{{escaped(text)}}}"
    digits, power = match.groups()
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def _formula(columns: Columns, node: int, known: dict[int, Formula]) -> Formula:
    """The formula of one operation, of those of its operands."""
    args, keywords, where = columns.arguments(node)
    written: list[Formula] = [number(arg) for arg in args]
    named = {key: number(value)[0] for key, value in keywords.items()}
    hidden = []
    for operand, place in zip(columns.operands(node), where, strict=True):
        if isinstance(place, int):
            written[place] = known[operand]
        elif len(place) == 1 and isinstance(place[0], str):
            named[place[0]] = known[operand][0]
        else:
            hidden.append(known[operand])
    if hidden and len(written) == 1:
        written = hidden
    op = columns.op[node]
    if op in _INFIX and len(written) == 2:
        sign, left, right = _INFIX[op]
        second = _bound(written[1], _ATOM if written[1][0].startswith("-") else right)
        binding = _RELATION if op in _RELATIONS else min(left, _PRODUCT)
        return f"{_bound(written[0], left)} {sign} {second}", binding
    if op == "truediv" and len(written) == 2:
        return rf"\frac{{{written[0][0]}}}{{{written[1][0]}}}", _PRODUCT
    if op == "floordiv" and len(written) == 2:
        return rf"\left\lfloor \frac{{{written[0][0]}}}{{{written[1][0]}}}\right\rfloor", _ATOM
    if op in ("pow", "math.pow", "numpy.power") and len(written) == 2:
        return f"{{{_bound(written[0], _ATOM)}}}^{{{written[1][0]}}}", _POWER
    if op == "neg" and len(written) == 1:
        return f"-{_bound(written[0], _ATOM if written[0][0].startswith('-') else _PRODUCT)}", _SIGN
    if op == "getitem" and len(written) == 2:
        index = written[1][0] if 1 in where else _index(args[1])
        return f"{{{_bound(written[0], _ATOM)}}}_{{{index}}}", _ATOM
    if op == "numpy.transpose" and len(written) == 1 and not named:
        return rf"{{{_bound(written[0], _ATOM)}}}^{{\top}}", _POWER
    wrap = _WRAPPED.get(op.rpartition(".")[2])
    if wrap is not None and len(written) == 1 and not named:
        return wrap(written[0][0]), _ATOM
    shown = ", ".join([f[0] for f in written] + [rf"{symbol(key)}={text}" for key, text in named.items()])
    name = op.rpartition(".")[2]
    head = f"\\{name}" if name in _FUNCTIONS else rf"\operatorname{{{escaped(display.symbol(columns, node))}}}"
    return rf"{head}\left({shown}\right)", _ATOM


def _index(index: Any) -> str:
    r"""What stands in brackets: numbers, slices, and text where it is neither.

    >>> _index((slice(None), 0)), _index(slice(1, None, 2)), _index((..., -1))
    (':, 0', '1::2', '\\dots, -1')
    """
    if isinstance(index, tuple):
        return ", ".join(map(_index, index))
    if isinstance(index, slice):
        ends = [index.start, index.stop] + ([index.step] if index.step is not None else [])
        return ":".join("" if end is None else number(end)[0] for end in ends)
    return r"\dots" if index is ... else number(index)[0]


_WRAPPED: dict[str, Callable[[str], str]] = {
    "sqrt": lambda text: rf"\sqrt{{{text}}}",
    "abs": lambda text: rf"\left|{text}\right|",
    "floor": lambda text: rf"\left\lfloor {text}\right\rfloor",
    "ceil": lambda text: rf"\left\lceil {text}\right\rceil",
}


def _bound(formula: Formula, tightness: int) -> str:
    text, own = formula
    return text if own >= tightness else rf"\left({text}\right)"
