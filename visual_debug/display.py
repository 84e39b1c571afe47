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
#: Bits of integers that are not written out: the interpreter may refuse more than 640 digits.
LONG = 2000


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
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator).bit_length() > LONG:
        return f"{_integer_text(value.numerator)} / {_integer_text(value.denominator)}"
    if isinstance(value, (Fraction, Decimal)):
        return _cut(str(value))
    if isinstance(value, (tuple, list)):
        return _cut(
            "(" + ", ".join(value_text(v) for v in value[:SMALL_ARRAY]) + (", …)" if len(value) > SMALL_ARRAY else ")")
        )
    if isinstance(value, type):
        return _cut(value.__qualname__)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return _array_text(value)
    return _cut(looks(value))


def looks(value: Any) -> str:
    """What an object says that it is; where its own code raises, its class."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the user's own
        return f"<{type(value).__name__}>"


def _integer_text(value: int) -> str:
    if abs(value) < 10**15:
        return str(value)
    digits = len(str(value)) if value.bit_length() < LONG else int(value.bit_length() * 0.30103) + 1
    return f"{value:.4e}" if digits < 300 else f"int of {digits} digits"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _array_text(value: Any) -> str:
    """A small array in full, a larger one by type, shape, range and mean; what is not finite is counted."""
    if value.shape == ():
        item = value.item()
        return value_text(item) if not hasattr(item, "dtype") else _cut(str(value))
    head = f"{value.dtype}[{'×'.join(map(str, value.shape))}]"
    kind = value.dtype.kind
    if kind not in "fiubc" or value.size == 0:
        return head if value.dtype.names is None else f"structured[{'×'.join(map(str, value.shape))}]"
    if getattr(value, "mask", None) is not None:
        return f"masked {head}"
    if value.size <= SMALL_ARRAY:
        return _rows_text(value.tolist())
    if kind == "b":
        return f"{head} {int(value.sum())} True"
    return f"{head} {_statistics(abs(value) if kind == 'c' else value, '|z| ' if kind == 'c' else '')}"


def _rows_text(rows: Any) -> str:
    return "[" + " ".join(_rows_text(row) if isinstance(row, list) else value_text(row) for row in rows) + "]"


def _statistics(values: Any, name: str) -> str:
    """Range and mean of the finite elements, and how many are not."""
    import numpy

    is_nan = numpy.isnan(values)
    is_finite = numpy.isfinite(values)
    finite = values if is_finite.all() else values[is_finite]
    parts = []
    if finite.size:
        low, high, mean = (value_text(v.item()) for v in (finite.min(), finite.max(), finite.mean(dtype=float)))
        parts.append(f"{name}{low}…{high} mean {mean}")
    counts = {"NaN": int(is_nan.sum()), "inf": values.size - finite.size - int(is_nan.sum())}
    parts += [f"{count} {what}" for what, count in counts.items() if count]
    return ", ".join(parts)


#: Terms of an adjoint's history that are shown; of longer ones the first are left out, and the sum tells them all.
MOST_TERMS = 6


def history(before: str | None, text: str) -> str:
    """The contributions to an adjoint so far, with one more.

    >>> history(None, "10"), history("10", "4"), history("… + 2 + 3 + 4 + 5 + 6", "7")
    ('10', '10 + 4', '… + 3 + 4 + 5 + 6 + 7')
    """
    if before is None:
        return text
    terms = [*before.split(" + "), text]
    return " + ".join(["…", *terms[1 - MOST_TERMS :]] if len(terms) > MOST_TERMS else terms)


def symbol(columns: Columns, node: int) -> str:
    """What stands in the box of a node: operator, function name, variable, or the literal itself."""
    op = columns.op[node]
    if op in ("input", "const"):
        return columns.name[node] or value_text(columns.value[node])
    call = columns.calls.get(node)
    if op == "pow" and call is not None and len(call.args) == 2 and call.where == (0,):
        return f"**{value_text(call.args[1])}"
    rule = rules.find(op)
    return rule.symbol if rule is not None else op.rpartition(".")[2]


def may_show(op: str, text: str) -> bool:
    """Whether a node of an operation can be asked for by a text: its name, or what `symbol` may say of it."""
    if op == text or op in ("input", "const", "pow"):
        return True
    rule = rules.find(op)
    return text == (rule.symbol if rule is not None else op.rpartition(".")[2])
