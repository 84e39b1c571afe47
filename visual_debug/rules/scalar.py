"""Rules of Python's numbers: operators, builtins, `math` and `cmath`. One row per operation.

A row gives the derivative with respect to each operand as a formula over the result z and the operands x, y, w. Where
a pair stands, the first text is what a user reads and the second, algebraically equal, is what is computed, because it
keeps its digits or does not overflow. Complex numbers: the holomorphic derivative, never conjugated.
"""

from __future__ import annotations

from visual_debug.rules import items, sequences
from visual_debug.rules.base import ZERO, Rule
from visual_debug.rules.elementwise import Computed, ConjugateRule, FormulaRule, Given, Missing

#: op -> rule.
TABLE: dict[str, Rule] = {}

STEPS = "piecewise constant: 0 almost everywhere, and taken as 0 at the jumps"
_BITS = "bit operations on integers have no derivative"
_INTEGERS = "a function of integers has no derivative"


def _row(op: str, symbol: str, *partials: Given, note: str = "", **more: object) -> None:
    TABLE[op] = FormulaRule(op, symbol, partials, note, **more)  # type: ignore[arg-type]


def _rows_of_steps(names: str, count: int = 1) -> None:
    """Piecewise constant functions: the derivative is 0, and says so."""
    for entry in names.split():
        op, _, symbol = entry.partition("=")
        _row(op, symbol or op.rpartition(".")[2], *["0"] * count, note=STEPS)


def _rows_without(names: str, reason: str, count: int = 2) -> None:
    """Operations that have a symbol but no derivative."""
    for entry in names.split():
        op, _, symbol = entry.partition("=")
        _row(op, symbol or op.rpartition(".")[2], *[Missing(reason)] * count, note=reason)


_AT_0 = "at 0 the derivative of the absolute value is taken as 0"
_POW = "x**0 has derivative 0 everywhere; 0**y has dz/dy = 0 for y > 0; for x < 0 there is no real dz/dy"
_MOD = "dz/dy is that between the jumps; at the jumps one-sided"
_ORIGIN = "at the origin, where z = 0, the derivative is taken as 0"
_POLE = "inf at the ends of the domain"

# fmt: off
#    name          symbol   dz/dx                dz/dy               note
_row("add",        "+",     "1",                 "1")
_row("sub",        "-",     "1",                 "-1")
_row("mul",        "*",     "y",                 "x")
_row("truediv",    "/",     "1/y",               "-z/y")
_row("mod",        "%",     "1",                 "-(x//y)",          note=_MOD)
_row("pow",        "**",    ("y*x**(y-1)", "powx(x, y)"), ("z*log(x)", "powy(z, x, y)"), note=_POW,
     names=("base", "exp", "mod"), by_count={3: [Missing("a power modulo an integer has no derivative")] * 3})
_row("neg",        "-",     "-1")
_row("pos",        "+",     "1")
_row("abs",        "abs",   "sign(x)",                               note=_AT_0)
_row("float",      "float", "1")
_row("copy.copy",  "copy",  "1")
_row("copy.deepcopy", "deepcopy", "1")
_row("complex",    "complex", "1",               "1j",               names=("real", "imag"))
_row("index",      "index", "1")
_row("float.conjugate", "conjugate", "1")
_row("fractions.Fraction", "Fraction", "1",      "-z/y",             names=("numerator", "denominator"))
_row("decimal.Decimal",    "Decimal",  "1")
_row("decimal.Decimal.sqrt",  "sqrt",  "1/(2*z)",                                  note="inf at 0")
_row("decimal.Decimal.exp",   "exp",   "z")
_row("decimal.Decimal.ln",    "ln",    "1/x")

_row("math.acos",      "acos",  ("-1/sqrt(1-x**2)", "-1/sqrt((1-x)*(1+x))"),       note=_POLE)
_row("math.acosh",     "acosh", ("1/sqrt(x**2-1)", "1/(sqrt(x-1)*sqrt(x+1))"),     note=_POLE)
_row("math.asin",      "asin",  ("1/sqrt(1-x**2)", "1/sqrt((1-x)*(1+x))"),         note=_POLE)
_row("math.asinh",     "asinh", ("1/sqrt(1+x**2)", "1/hypot(1, x)"))
_row("math.atan",      "atan",  ("1/(1+x**2)", "1/(1+x*x)"))
_row("math.atan2",     "atan2", ("y/(x**2+y**2)", "y/hypot(x, y)/hypot(x, y)"),
                                ("-x/(x**2+y**2)", "-x/hypot(x, y)/hypot(x, y)"),  note="NaN at the origin")
_row("math.atanh",     "atanh", ("1/(1-x**2)", "1/((1-x)*(1+x))"),                 note=_POLE)
_row("math.cbrt",      "cbrt",  ("1/(3*z**2)", "1/(3*z*z)"),                       note="inf at 0")
_row("math.copysign",  "copysign", ("sign(x)*sign(y)", "sign(x)*copysign(1, y)"), "0", note=_AT_0)
_row("math.cos",       "cos",   "-sin(x)")
_row("math.cosh",      "cosh",  "sinh(x)")
_row("math.degrees",   "degrees", "180/pi")
_row("math.erf",       "erf",   "2/sqrt(pi)*exp(-x**2)")
_row("math.erfc",      "erfc",  "-2/sqrt(pi)*exp(-x**2)")
_row("math.exp",       "exp",   "z")
_row("math.exp2",      "exp2",  "z*log(2)")
_row("math.expm1",     "expm1", "exp(x)")
_row("math.fabs",      "fabs",  "sign(x)",                                         note=_AT_0)
_row("math.fma",       "fma",   "y",                "x",          "1")
_row("math.fmax",      "fmax",  ("x>y", "(x>y)+(x==y)/2+(y!=y)"), ("y>x", "(y>x)+(x==y)/2+(x!=x)"),
                       note="tie: half each", selects=True)
_row("math.fmin",      "fmin",  ("x<y", "(x<y)+(x==y)/2+(y!=y)"), ("y<x", "(y<x)+(x==y)/2+(x!=x)"),
                       note="tie: half each", selects=True)
_row("math.fmod",      "fmod",  "1",                ("-trunc(x/y)", "-round((x-z)/y)"), note=_MOD)
_row("math.gamma",     "gamma", "z*digamma(x)")
_row("math.ldexp",     "ldexp", ("2**y", "2.0**y"), "z*log(2)")
_row("math.lgamma",    "lgamma", "digamma(x)")
_row("math.log",       "log",   "1/x", by_count={2: ["1/(x*log(y))", "-z/(y*log(y))"]})
_row("math.log10",     "log10", "1/(x*log(10))")
_row("math.log1p",     "log1p", "1/(1+x)",                                         note=_POLE)
_row("math.log2",      "log2",  "1/(x*log(2))")
_row("math.nextafter", "nextafter", "1", "0", note="the step to the neighbouring float is taken as a constant")
_row("math.pow",       "pow",   ("y*x**(y-1)", "powx(x, y)"), ("z*log(x)", "powy(z, x, y)"), note=_POW)
_row("math.radians",   "radians", "pi/180")
_row("math.remainder", "remainder", "1",            ("-round(x/y)", "-round((x-z)/y)"), note=_MOD)
_row("math.sin",       "sin",   "cos(x)")
_row("math.sinh",      "sinh",  "cosh(x)")
_row("math.sqrt",      "sqrt",  "1/(2*z)",                                         note="inf at 0")
_row("math.tan",       "tan",   ("1+z**2", "1+z*z"))
_row("math.tanh",      "tanh",  ("1-z**2", "1/cosh(x)/cosh(x)"))

_row("cmath.rect",     "rect",  ("z/x", "cos(y)+1j*sin(y)"), "1j*z")
_row("cmath.log",      "log",   "1/x", by_count={2: ["1/(x*log(y))", "-z/(y*log(y))"]})
# fmt: on

_HOLOMORPHIC = "acos acosh asin asinh atan atanh cos cosh exp log10 sin sinh sqrt tan tanh"
for _name in _HOLOMORPHIC.split():
    TABLE[f"cmath.{_name}"] = TABLE[f"math.{_name}"].under(f"cmath.{_name}")  # type: ignore[attr-defined]
for _name in ("add", "sub", "mul", "truediv", "mod", "pow"):
    TABLE[f"i{_name}"] = TABLE[_name].under(f"i{_name}")  # type: ignore[attr-defined]

_rows_of_steps("floordiv=// ifloordiv=// lt=< le=<= gt=> ge=>= eq=== ne=!= is_=is is_not contains=in", count=2)
_rows_of_steps("int bool round math.isclose cmath.isclose", count=2)
_rows_of_steps("truth=bool not_=not len math.ceil math.floor math.trunc math.ulp math.isfinite math.isinf math.isnan")
_rows_of_steps("cmath.isfinite cmath.isinf cmath.isnan float.is_integer int.is_integer")
_rows_of_steps("math.signbit math.isnormal math.issubnormal")
_rows_without("and_=& or_=| xor=^ lshift=<< rshift=>> iand=& ior=| ixor=^ ilshift=<< irshift=>>", _BITS)
_rows_without("invert=~ inv=~", _BITS, 1)
_rows_without("math.comb math.perm math.factorial math.isqrt", _INTEGERS)
_rows_without("math.gcd math.lcm", _INTEGERS, 9)
_rows_without("cmath.polar", "its result is a pair; use abs and cmath.phase", 1)
_row("cmath.phase", "phase", Computed(lambda z, x: -1j / x if isinstance(x, complex) else ZERO, "-1j*Δ/x"))
TABLE["complex.conjugate"] = ConjugateRule("complex.conjugate")

TABLE |= sequences.TABLE
TABLE |= items.TABLE
