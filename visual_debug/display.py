"""Numbers, arrays and operations as short text: one place for what boxes, trees and titles show."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from visual_debug import rules
from visual_debug.columns import MISSING, Columns

#: Arrays up to this many elements are shown in full.
SMALL_ARRAY = 6
#: Longer texts of other objects are cut.
LONGEST = 40


def value_text(value: Any) -> str:
    """A value in about six significant digits; arrays by dtype, shape and range, small ones in full.

    >>> value_text(0.1 + 0.2), value_text(34), value_text(1e-300), value_text(-0.0)
    ('0.3', '34', '1e-300', '-0')
    """
    if value is MISSING:
        return "raised"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return _integer_text(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, complex):
        return f"{value:.6g}"
    if isinstance(value, (Fraction, Decimal)):
        return _cut(str(value))
    if isinstance(value, (tuple, list)):
        return _cut(
            "(" + ", ".join(value_text(v) for v in value[:SMALL_ARRAY]) + (", …)" if len(value) > SMALL_ARRAY else ")")
        )
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array_text(value)
    return _cut(repr(value))


def _integer_text(value: int) -> str:
    if abs(value) < 10**15:
        return str(value)
    digits = len(str(value)) if value.bit_length() < 10_000 else int(value.bit_length() * 0.30103) + 1
    return f"{value:.4e}" if digits < 300 else f"int of {digits} digits"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _array_text(value: Any) -> str:
    if value.shape == ():
        item = value.item()
        return value_text(item) if not hasattr(item, "dtype") else _cut(str(value))
    shape = "×".join(map(str, value.shape))
    if value.size <= SMALL_ARRAY and value.ndim == 1:
        return "[" + " ".join(value_text(v) for v in value.tolist()) + "]"
    if value.dtype.kind not in "fiub" or value.size == 0:
        return f"{value.dtype}[{shape}]"
    return f"{value.dtype}[{shape}] {value_text(value.min().item())}…{value_text(value.max().item())}"


def symbol(columns: Columns, node: int) -> str:
    """What stands in the box of a node: operator, function name, variable, or the literal itself."""
    op = columns.op[node]
    if op in ("input", "const"):
        return columns.name[node] or value_text(columns.value[node])
    call = columns.calls.get(node)
    if op == "pow" and call is not None and len(call.where) == 1:
        return f"**{value_text(call.args[1])}"
    rule = rules.find(op)
    return rule.symbol if rule is not None else op.rpartition(".")[2]


def may_show(op: str, text: str) -> bool:
    """Whether a node of an operation can be asked for by a text: its name, or what `symbol` may say of it."""
    if op == text or op in ("input", "const", "pow"):
        return True
    rule = rules.find(op)
    return text == (rule.symbol if rule is not None else op.rpartition(".")[2])
