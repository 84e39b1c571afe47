"""Rules of NumPy's elementwise functions: most are the rows of Python's own numbers under another name."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules import items, scalar
from visual_debug.rules.base import ZERO, Rule
from visual_debug.rules.elementwise import Computed, ConjugateRule, FormulaRule, Given, Missing

TABLE: dict[str, Rule] = {}


def _row(op: str, symbol: str, *partials: Given, note: str = "", **more: Any) -> None:
    TABLE[f"numpy.{op}"] = FormulaRule(f"numpy.{op}", symbol, partials, note, **more)


def _like(op: str, other: str, symbol: str | None = None, note: str | None = None) -> None:
    rule = scalar.TABLE[other]
    assert isinstance(rule, FormulaRule)
    TABLE[f"numpy.{op}"] = rule.under(f"numpy.{op}", op if symbol is None else symbol, note)


_TIE = "tie: half each"
_ORIGIN = "where z = 0 the derivative is taken as 0"
_POWER = "x**0 has derivative 0 everywhere; 0**y has dz/dy = 0 for y > 0; x < 0 gives NaN for dz/dy"
_STEP = "piecewise constant in x: 0; y is the value at 0"
_BOUND = "at a bound the operand gets it all, the bound nothing"


def _cast(z: Any, *args: Any) -> int:
    """The partial of a conversion, by the kind of number that came out."""
    return ZERO if z.dtype.kind in "biu" else 1


def _imaginary(z: Any, x: Any) -> Any:
    return -1j if np.iscomplexobj(x) else ZERO


def _turning(z: Any, x: Any, deg: Any = False) -> Any:
    """The partial of the argument of a complex number, which is the imaginary part of its logarithm."""
    if not np.iscomplexobj(x):
        return ZERO
    return -1j / np.asarray(x) * (180 / np.pi if deg else 1)


_AS_IN_MATH = (
    "exp exp2 expm1 log log10 log1p log2 sqrt cbrt sin cos tan sinh cosh tanh fabs degrees radians fmod copysign"
)
for _name in _AS_IN_MATH.split():
    _like(_name, f"math.{_name}")
for _name in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
    _like(f"arc{_name}", f"math.a{_name}")

# fmt: off
_like("arctan2",      "math.atan2")
_like("add",          "add",      "+")
_like("subtract",     "sub",      "-")
_like("multiply",     "mul",      "*")
_like("divide",       "truediv",  "/")
_like("floor_divide", "floordiv", "//")
_like("remainder",    "mod",      "%")
_like("power",        "pow",      "**", _POWER)
_like("float_power",  "pow",      "**", "as for power")
_like("negative",     "neg",      "-")
_like("positive",     "pos",      "+")
_like("absolute",     "abs",      "abs")
_like("rad2deg",      "math.degrees")
_like("deg2rad",      "math.radians")
_like("fmax",         "math.fmax")
_like("fmin",         "math.fmin")
_like("nextafter",    "math.nextafter")
_like("ldexp",        "math.ldexp")
#    name          symbol        dz/dx                     dz/dy                      note
_row("square",     "square",     "2*x")
_row("reciprocal", "reciprocal", ("-z**2", "-z*z"))
_row("maximum",    "maximum",    ("x>y", "(x>y)+(x==y)/2"), ("y>x", "(y>x)+(x==y)/2"), note=_TIE, selects=True)
_row("minimum",    "minimum",    ("x<y", "(x<y)+(x==y)/2"), ("y<x", "(y<x)+(x==y)/2"), note=_TIE, selects=True)
_row("hypot",      "hypot",      ("x/z", "over(x, z)"),    ("y/z", "over(y, z)"),      note=_ORIGIN)
_row("logaddexp",  "logaddexp",  "exp(x-z)",               "exp(y-z)")
_row("logaddexp2", "logaddexp2", "2.0**(x-z)",             "2.0**(y-z)")
_row("heaviside",  "heaviside",  "0",                      "x==0",                     note=_STEP)
_row("where",      "where",      "0",                      "where(x, 1, 0)",           "where(x, 0, 1)", selects=True)
_row("clip",       "clip",       ("(x>=y)*(x<=w)", "inside(x, y, w)"), ("x<y", "below(x, y, w)"),
                                 ("x>w", "above(x, y, w)"), note=_BOUND, selects=True,
     names=("a", "a_min|min", "a_max|max"))
_row("real",       "real",       "1")
_row("imag",       "imag",       Computed(_imaginary, "-1j*Δ"))
_row("angle",      "angle",      Computed(_turning, "-1j*Δ/x"))
_row("astype",     "astype",     Computed(_cast, "Δ"),      note="to integers: 0, piecewise constant")
_row("sinc",       "sinc",       ("(cos(pi*x)-z)/x", "where(x==0, 0, (cos(pi*x)-z)/where(x==0, 1, x))"))
_row("nan_to_num", "nan_to_num", ("1", "finite(x)"),       note="replaced elements: 0", selects=True)
# fmt: on

_FLOATS = "float16 float32 float64 longdouble complex64 complex128 float128 complex256 clongdouble"
for _name in _FLOATS.split():
    _row(_name, _name, "1")
_STEPS = (
    "floor ceil trunc rint round sign signbit spacing isfinite isnan isinf isclose allclose array_equal array_equiv "
    "any all argmax argmin argsort count_nonzero nonzero searchsorted digitize size ndim shape "
    "zeros_like ones_like empty_like bool bool_ int8 int16 int32 int64 intp uint8 uint16 uint32 uint64 isreal iscomplex"
)
for _name in _STEPS.split():
    _row(_name, _name, "0", "0", note=scalar.STEPS)
_row("linalg.matrix_rank", "matrix_rank", "0", note=scalar.STEPS)
for _name, _symbol in {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
    "logical_and": "and", "logical_or": "or", "logical_xor": "xor", "logical_not": "not",
}.items():  # fmt: skip
    _row(_name, _symbol, "0", "0", note=scalar.STEPS)
_BITS = "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift bitwise_count gcd lcm"
for _name in _BITS.split():
    _row(_name, _name, *[Missing("integer and bit operations have no derivative")] * 2)
TABLE["numpy.conjugate"] = ConjugateRule("numpy.conjugate")

for _name in ("divmod", "modf", "frexp"):
    _source = items.TABLE.get(_name) or items.TABLE[f"math.{_name}"]
    assert isinstance(_source, items.TupleRule)
    TABLE[f"numpy.{_name}"] = _source.under(f"numpy.{_name}")
