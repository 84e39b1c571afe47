"""Number systems that a recorded graph can be evaluated in: what a number is, and what functions mean.

Ints stay Python's exact ints until they meet a number of the system. The base functions have the names of `math`; what
`math`, `cmath`, `numpy` and `scipy.special` offer under other names is defined by them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from visual_debug.errors import TraceError

Function = Callable[..., Any]


@dataclass(frozen=True)
class NumberSystem:
    """A kind of number to evaluate a recorded graph in.

    Attributes:
        name: what reports call it.
        number: makes one of an int, a float, a Fraction or (where there are such) a complex number.
        functions: functions of `math` by their names there, over numbers of the system; more, or other ones, than the
            operators that the numbers have themselves. One that is missing is asked of the number as a method
            (`x.sqrt()`), else the replay is refused.
        dtype: the NumPy type that arrays of these numbers have; `object` if there is none.
        symbol: makes the number of an argument from its name and value; by default `number` of the value.
        context: entered for the time of an evaluation.
        quotient: the number that x / 0 is, given x; raises where there is none.
        finish: applied to every number that an operation yields.

    """

    name: str
    number: Function
    functions: Mapping[str, Function] = field(default_factory=dict)
    dtype: Any = object
    symbol: Callable[[str, Any], Any] | None = None
    context: Callable[[], Any] = nullcontext
    quotient: Function | None = None
    finish: Function | None = None


def find(system: Any, *, precision: int | None = None, functions: Mapping[str, Function] | None = None) -> NumberSystem:
    """The system that a name, a type or a NumberSystem means. Raises TraceError for what is none."""
    found = _named(system, precision)
    if functions:
        found = NumberSystem(**{**vars(found), "functions": {**found.functions, **functions}})
    return found


def _named(system: Any, precision: int | None) -> NumberSystem:
    if isinstance(system, NumberSystem):
        return system
    module = getattr(system, "__module__", "") or ""
    name = system if isinstance(system, str) else getattr(system, "__name__", type(system).__name__)
    own_name, name = name, name.lower()
    if name in ("mpmath", "mpf", "mp", "mpc") and (isinstance(system, str) or module.startswith("mpmath")):
        return mpmath_system(precision or 212)
    if name in ("interval", "iv", "mpi") or name == "ivmpf":
        return interval_system(precision or 53)
    if name == "sympy":
        return sympy_system()
    if name == "fraction" and (isinstance(system, str) or system is Fraction):
        return NumberSystem("Fraction", Fraction)
    if name in ("float16", "float32", "float64", "longdouble", "float", "single", "double", "half"):
        return numpy_system(np.dtype(system if name != "longdouble" else np.longdouble))
    if isinstance(system, type) and issubclass(system, np.floating):
        return numpy_system(np.dtype(system))
    if isinstance(system, np.dtype):
        return numpy_system(system)
    if callable(system) and not isinstance(system, str):
        return NumberSystem(own_name, system)
    raise TraceError(
        f"{system!r} is no number system: give 'float32', 'longdouble', 'fraction', 'mpmath', 'interval', 'sympy', "
        "a type that makes a number of a float, or a visual_debug.diagnose.systems.NumberSystem"
    )


# ---- NumPy's floats

_ANGLES = "sin cos tan sinh cosh tanh"
_ALIKE = f"sqrt exp exp2 expm1 log log2 log10 log1p hypot cbrt {_ANGLES}"
#: NumPy's names of functions of `math`.
UFUNCS = {
    **{name: name for name in _ALIKE.split()},
    **{f"a{name}": f"arc{name}" for name in _ANGLES.split()},
    "atan2": "arctan2", "degrees": "degrees", "radians": "radians", "copysign": "copysign",
}  # fmt: skip


def numpy_system(dtype: np.dtype[Any]) -> NumberSystem:
    """Floats of a NumPy type: every operation is rounded to it. Functions that NumPy lacks are computed in doubles."""
    import math

    make = dtype.type
    functions: dict[str, Function] = {name: getattr(np, ufunc) for name, ufunc in UFUNCS.items()}
    if dtype.itemsize <= 8:  # else a double would stand where more digits were asked for
        functions |= {name: getattr(math, name) for name in ("erf", "erfc", "gamma", "lgamma")}

    def finish(value: Any) -> Any:
        if isinstance(value, (float, np.floating)):
            return make(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "fO":
            return value.astype(dtype)
        return value

    def number(value: Any) -> Any:
        if isinstance(value, (complex, np.complexfloating)):
            raise TypeError("it has no complex numbers")
        if isinstance(value, Fraction):
            return make(value.numerator) / make(value.denominator)
        return make(value)

    return NumberSystem(
        "longdouble" if dtype == np.longdouble else dtype.name,
        number,
        functions,
        dtype,
        None,
        lambda: np.errstate(all="ignore"),
        lambda x: np.divide(x, make(0)),
        finish,
    )


# ---- mpmath


def _needed(name: str, extra: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        raise TraceError(f"{name} is not installed: pip install 'visual-debug[{extra}]'") from None


_MP = (
    "sqrt exp expm1 log log10 log1p sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 hypot cbrt erf "
    "erfc gamma"
)


def mpmath_system(bits: int) -> NumberSystem:
    """Binary floating point of `bits` bits, by mpmath: correct to about the last of them."""
    mpmath = _needed("mpmath", "precision")
    functions = {name: getattr(mpmath, name) for name in _MP.split()}
    functions |= {
        "lgamma": lambda x: mpmath.re(mpmath.loggamma(x)),
        "log2": lambda x: mpmath.log(x) / mpmath.log(2),
        "exp2": lambda x: mpmath.mpf(2) ** x,
        "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
        "degrees": lambda x: x * 180 / mpmath.pi,
        "radians": lambda x: x * mpmath.pi / 180,
        "mod": lambda x, y: x - y * mpmath.floor(x / y),
        "floordiv": lambda x, y: mpmath.floor(x / y),
    }

    def number(value: Any) -> Any:
        if isinstance(value, (complex, np.complexfloating)):
            return mpmath.mpc(value)
        if isinstance(value, (np.longdouble, Fraction)) or hasattr(value, "as_tuple"):
            exact = Fraction(*value.as_integer_ratio()) if _finite(value) else None
            return mpmath.mpf(float(value)) if exact is None else mpmath.mpf(exact.numerator) / exact.denominator
        return mpmath.mpf(value if isinstance(value, int) else float(value))

    def quotient(x: Any) -> Any:
        return mpmath.nan if x == 0 or mpmath.isnan(x) else mpmath.inf * mpmath.sign(x)

    return NumberSystem("mpmath", number, functions, context=lambda: mpmath.workprec(bits), quotient=quotient)


def _finite(value: Any) -> bool:
    return bool(value - value == 0)


# ---- intervals

_INCREASING = "sinh tanh atan asin asinh atanh acosh expm1 log1p erf cbrt"
_DECREASING = "acos erfc"


def interval_system(bits: int) -> NumberSystem:
    """Intervals with ends of `bits` bits, rounded outwards, by mpmath: the true value lies inside."""
    mpmath = _needed("mpmath", "precision")
    iv = mpmath.iv

    @contextmanager
    def context() -> Iterator[None]:
        before = iv.prec
        iv.prec = bits
        try:
            yield
        finally:
            iv.prec = before

    def number(value: Any) -> Any:
        if isinstance(value, (complex, np.complexfloating)):
            raise TypeError("it has no complex numbers")
        if isinstance(value, Fraction):
            return iv.mpf(value.numerator) / iv.mpf(value.denominator)
        return iv.mpf(value if isinstance(value, int) else float(value))

    def monotone(function: Function, *, falling: bool = False) -> Function:
        def apply(x: Any) -> Any:
            x = iv.convert(x)
            with mpmath.workprec(bits + 20):
                ends = [function(mpmath.mpf(end)) for end in (x.a, x.b)]
                low, high = reversed(ends) if falling else ends
                slack = mpmath.ldexp(1, -bits - 10)
                low, high = low - abs(low) * slack, high + abs(high) * slack
            return iv.mpf([low, high])

        return apply

    functions: dict[str, Function] = {name: getattr(iv, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tan")}
    functions |= {name: monotone(getattr(mpmath, name)) for name in _INCREASING.split() if name != "cbrt"}
    functions |= {name: monotone(getattr(mpmath, name), falling=True) for name in _DECREASING.split()}
    functions |= {
        "cbrt": monotone(lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x))),
        "cosh": lambda x: (iv.exp(x) + iv.exp(-x)) / 2,
        "log2": lambda x: iv.log(x) / iv.log(2),
        "log10": lambda x: iv.log(x) / iv.log(10),
        "exp2": lambda x: iv.mpf(2) ** x,
        "hypot": lambda *xs: iv.sqrt(sum((x**2 for x in xs), iv.mpf(0))),
    }
    functions |= _interval_order(iv)
    angle = functions["atan"]

    def atan2(y: Any, x: Any) -> Any:
        if x.a > 0:
            return angle(y / x)
        if y.a > 0:
            return iv.pi / 2 - angle(x / y)
        if y.b < 0:
            return -iv.pi / 2 - angle(x / y)
        raise ValueError("atan2 jumps in this interval")

    functions["atan2"] = atan2
    whole = iv.mpf(["-inf", "inf"])
    return NumberSystem("interval", number, functions, context=context, quotient=lambda x: whole)


def _interval_order(iv: Any) -> dict[str, Function]:
    """Comparisons of intervals, None where they overlap, and what is made with comparisons."""

    def ends(x: Any) -> tuple[Any, Any]:
        x = iv.convert(x)
        return x.a, x.b

    def less(x: Any, y: Any, *, or_equal: bool) -> bool | None:
        (low, high), (from_, to) = ends(x), ends(y)
        if high < from_ or (or_equal and high == from_):
            return True
        return False if low > to or (not or_equal and low == to) else None

    def equal(x: Any, y: Any) -> bool | None:
        (low, high), (from_, to) = ends(x), ends(y)
        if high < from_ or low > to:
            return False
        return True if low == high == from_ == to else None

    def negated(truth: bool | None) -> bool | None:
        return None if truth is None else not truth

    def by_ends(function: Function) -> Function:
        def apply(x: Any, *rest: Any) -> Any:
            low, high = (function(end.a, *rest) for end in ends(x))  # an end is an interval of one number
            return low if low == high else iv.mpf([low, high])

        return apply

    def both(function: Function) -> Function:
        return lambda x, y: iv.mpf([function(a, b).a for a, b in zip(ends(x), ends(y), strict=True)])

    return {
        "lt": lambda x, y: less(x, y, or_equal=False),
        "le": lambda x, y: less(x, y, or_equal=True),
        "gt": lambda x, y: less(y, x, or_equal=False),
        "ge": lambda x, y: less(y, x, or_equal=True),
        "eq": equal,
        "ne": lambda x, y: negated(equal(x, y)),
        "truth": lambda x: negated(equal(x, 0)),
        "not_": lambda x: equal(x, 0),
        "maximum": both(lambda a, b: max(b, a)),
        "minimum": both(lambda a, b: min(b, a)),
        "floor": by_ends(math.floor),
        "trunc": by_ends(int),
    }


# ---- SymPy

_SYMPY_ALIKE = "sqrt exp log sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2"
_SYMPY = {
    **{name: name for name in _SYMPY_ALIKE.split()},
    "erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "loggamma", "cbrt": "real_root",
}  # fmt: skip


def sympy_system() -> NumberSystem:
    """Symbolic expressions by SymPy: arguments become symbols of their names, floats rational numbers where short."""
    sympy = _needed("sympy", "symbolic")
    functions: dict[str, Function] = {name: getattr(sympy, other) for name, other in _SYMPY.items()}
    functions |= {
        "cbrt": lambda x: sympy.real_root(x, 3),
        "expm1": lambda x: sympy.exp(x) - 1,
        "log1p": lambda x: sympy.log(1 + x),
        "log2": lambda x: sympy.log(x, 2),
        "log10": lambda x: sympy.log(x, 10),
        "exp2": lambda x: 2**x,
        "hypot": lambda *xs: sympy.sqrt(sum(x**2 for x in xs)),
        "degrees": lambda x: x * 180 / sympy.pi,
        "radians": lambda x: x * sympy.pi / 180,
        "abs": sympy.Abs,
        "maximum": sympy.Max,
        "minimum": sympy.Min,
        "floor": sympy.floor,
        "trunc": lambda x: sympy.sign(x) * sympy.floor(sympy.Abs(x)),
        "sign": sympy.sign,
        "real": sympy.re,
        "imag": sympy.im,
        "conjugate": sympy.conjugate,
    }

    def number(value: Any) -> Any:
        if isinstance(value, int):
            return sympy.Integer(value)
        if isinstance(value, Fraction):
            return sympy.Rational(value.numerator, value.denominator)
        if isinstance(value, (float, np.floating)) and _finite(value):
            exact = Fraction(repr(float(value)))
            return (
                sympy.Rational(exact.numerator, exact.denominator)
                if exact.denominator <= 1000
                else sympy.Float(float(value), 17)
            )
        return sympy.sympify(value)

    def symbol(name: str, value: Any) -> Any:
        return sympy.Symbol(name) if isinstance(value, complex) else sympy.Symbol(name, real=True)

    return NumberSystem("sympy", number, functions, symbol=symbol)


# ---- what an operation's name means

#: Operators by name.
OPERATORS: dict[str, Function] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg, "pos": operator.pos,
    "abs": abs,
}  # fmt: skip
COMPARISONS: dict[str, Function] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne", "not_", "truth")
}

#: NumPy's and SciPy's names of what `math` calls otherwise.
_OTHER_NAMES = {
    "numpy.add": "add", "numpy.subtract": "sub", "numpy.multiply": "mul", "numpy.divide": "truediv",
    "numpy.true_divide": "truediv", "numpy.power": "pow", "numpy.float_power": "pow", "math.pow": "pow",
    "numpy.negative": "neg", "numpy.positive": "pos", "numpy.absolute": "abs", "numpy.fabs": "abs", "math.fabs": "abs",
    "numpy.remainder": "mod", "numpy.floor_divide": "floordiv", "numpy.arctan2": "atan2", "numpy.rad2deg": "degrees",
    "numpy.deg2rad": "radians", "numpy.less": "lt", "numpy.less_equal": "le", "numpy.greater": "gt",
    "numpy.greater_equal": "ge", "numpy.equal": "eq", "numpy.not_equal": "ne", "scipy.special.gammaln": "lgamma",
    "numpy.fmax": "maximum", "numpy.fmin": "minimum", "math.fmax": "maximum", "math.fmin": "minimum",
    **{f"numpy.arc{name}": f"a{name}" for name in _ANGLES.split()},
}  # fmt: skip
_IN_PLACE = {f"i{name}": name for name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv")}


def base_name(op: str) -> str:
    """The name of `math` or `operator` for an elementwise operation: `exp` for `numpy.exp`, `add` for `iadd`."""
    if op in _OTHER_NAMES:
        return _OTHER_NAMES[op]
    if op in _IN_PLACE:
        return _IN_PLACE[op]
    for prefix in ("math.", "cmath.", "numpy.", "scipy.special."):
        if op.startswith(prefix) and "." not in op[len(prefix) :]:
            return op[len(prefix) :]
    return op


class Arithmetic:
    """The elementwise functions of a number system, by base name, over its numbers and ints."""

    def __init__(self, system: NumberSystem) -> None:
        self.system = system
        own = {name: self._function(name) for name in _FUNCTIONS.split()}
        self.table: dict[str, Function] = {
            **{name: self._operator(name, apply) for name, apply in OPERATORS.items()},
            **own,
            "truediv": self.truediv,
            "pow": self.power,
            "floordiv": self.floordiv,
            "mod": self.mod,
            "divmod": lambda x, y: (self.floordiv(x, y), self.mod(x, y)),
            "fmod": lambda x, y: x - y * self.trunc(self.truediv(x, y)),
            "remainder": lambda x, y: x - y * self.round(self.truediv(x, y)),
            "floor": self.floor,
            "ceil": lambda x: -self.floor(-x),
            "trunc": self.trunc,
            "int": self.trunc,
            "round": self.round,
            "rint": self.round,
            "float": self.lifted,
            "log": self._log,
            "hypot": self._hypot,
            "fma": lambda x, y, w: x * y + w,
            "square": lambda x: x * x,
            "reciprocal": lambda x: self.truediv(1, x),
            "sign": lambda x: (x > 0) - (x < 0),
            "maximum": lambda x, y: max(x, y),
            "minimum": lambda x, y: min(x, y),
            "expit": lambda x: self.truediv(1, 1 + own["exp"](-x)),
            "logit": lambda x: own["log"](self.truediv(x, 1 - x)),
            "logaddexp": lambda x, y: own["log"](own["exp"](x) + own["exp"](y)),
            "copysign": lambda x, y: abs(x) if self._positive(y) else -abs(x),
            "ldexp": lambda x, n: self.lifted(x) * self.lifted(2) ** n,
            "real": lambda x: x.real,
            "imag": lambda x: x.imag,
            "conjugate": lambda x: x.conjugate(),
            **{name: apply for name, apply in COMPARISONS.items()},
            "bool": bool,
        }
        for name in _REPLACED:
            if name in system.functions:
                self.table[name] = self._replaced(self.table[name], system.functions[name])

    def lifted(self, value: Any) -> Any:
        """An int as a number of the system; anything else as it is."""
        return self.system.number(int(value)) if isinstance(value, (int, np.integer, np.bool_)) else value

    def _operator(self, name: str, apply: Function) -> Function:
        lifted = self.lifted

        def operate(*args: Any) -> Any:
            if all(type(x) is int for x in args):
                return apply(*args)
            return apply(*[lifted(x) if type(x) is int else x for x in args])

        return operate

    def _replaced(self, own: Function, given: Function) -> Function:
        """A system's own way, for all but ints alone, which stay ints."""

        def apply(*args: Any) -> Any:
            return own(*args) if all(type(x) is int for x in args) else given(*map(self.lifted, args))

        return apply

    def _function(self, name: str) -> Function:
        given = self.system.functions.get(name)

        def apply(*args: Any) -> Any:
            args = tuple(map(self.lifted, args))
            if given is not None:
                return given(*args)
            method = getattr(args[0], name if name != "log" else "ln" if hasattr(args[0], "ln") else "log", None)
            if method is None:
                raise NotImplementedError(f"{self.system.name} has no function {name}: give functions={{{name!r}: …}}")
            return method(*args[1:])

        return apply

    def _log(self, x: Any, base: Any = None) -> Any:
        log = self._function("log")
        return log(x) if base is None else self.truediv(log(x), log(base))

    def _hypot(self, *xs: Any) -> Any:
        if "hypot" in self.system.functions and len(xs) == 2:
            return self.system.functions["hypot"](*map(self.lifted, xs))
        return self._function("sqrt")(sum((self.lifted(x) ** 2 for x in xs[1:]), self.lifted(xs[0]) ** 2))

    def truediv(self, x: Any, y: Any) -> Any:
        """x / y as a number of the system."""
        x, y = self.lifted(x), self.lifted(y)
        try:
            return x / y
        except ZeroDivisionError:
            if self.system.quotient is None:
                raise
            return self.system.quotient(x)

    def power(self, x: Any, y: Any, modulus: Any = None) -> Any:
        """x ** y; of ints exact where it is an int."""
        if modulus is not None:
            return pow(x, y, modulus)
        if type(x) is int and type(y) is int:
            return x**y if y >= 0 else self.truediv(1, x**-y)
        x = self.lifted(x)
        if type(y) is int and self.system.dtype is object:
            return x**y if y >= 0 else self.truediv(1, x**-y)
        if "pow" in self.system.functions:
            return self.system.functions["pow"](x, self.lifted(y))
        whole = _whole(y) if self.system.dtype is object else None
        if whole is not None and self.system.name in ("mpmath", "interval", "Fraction", "sympy"):
            return self.power(x, whole)
        found = x ** self.lifted(y)
        if self.system.name == "Fraction" and isinstance(found, (float, complex)):
            raise NotImplementedError("a power that is not whole is no fraction: give functions={'pow': …}")
        return found

    def floor(self, x: Any) -> Any:
        """The largest int that is not larger."""
        if "floor" in self.system.functions:
            return x if type(x) is int else self.system.functions["floor"](x)
        whole = _int(x)
        return x if whole is None else whole - 1 if whole > x else whole

    def trunc(self, x: Any) -> Any:
        """The int towards zero."""
        if "trunc" in self.system.functions:
            return x if type(x) is int else self.system.functions["trunc"](x)
        whole = _int(x)
        return x if whole is None else whole

    def round(self, x: Any, digits: Any = None) -> Any:
        """To the nearest int, or multiple of a power of ten; a tie goes to the even one."""
        if digits is not None and digits != 0:
            scale = 10 ** abs(digits)
            return (
                self.truediv(self.round(x * scale), scale) if digits > 0 else self.round(self.truediv(x, scale)) * scale
            )
        if type(x) is int or ("floor" not in self.system.functions and _int(x) is None):
            return x
        below = self.floor(x)
        rest = x - below
        up = 2 * rest > 1 or (2 * rest == 1 and below % 2 == 1)
        return below + 1 if up else below

    def floordiv(self, x: Any, y: Any) -> Any:
        """x // y, an int of ints."""
        if type(x) is int and type(y) is int:
            return x // y
        if "floordiv" in self.system.functions:
            return self.system.functions["floordiv"](self.lifted(x), self.lifted(y))
        return self.lifted(self.floor(self.truediv(x, y)))

    def mod(self, x: Any, y: Any) -> Any:
        """x % y with the sign of y."""
        if type(x) is int and type(y) is int:
            return x % y
        return x - y * self.floordiv(x, y)

    def _positive(self, y: Any) -> bool:
        return bool(y >= 0)


#: What a system may have its own way of.
_REPLACED = ("add", "mod", "floordiv", "abs", "maximum", "minimum", "floor", "trunc", "sign", "real", "imag", "conjugate",
             *COMPARISONS)  # fmt: skip
#: Functions that a system must bring along if they are needed.
_FUNCTIONS = (
    "sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh cbrt "
    "erf erfc gamma lgamma degrees radians"
)


def _whole(y: Any) -> int | None:
    """A number that is a small integer, as that: exact powers exist for those only."""
    try:
        found = int(y)
    except (TypeError, ValueError, OverflowError):
        return None
    try:
        return found if bool(found == y) and abs(found) < 10**6 else None
    except TypeError:
        return None


def _int(x: Any) -> int | None:
    """The int towards zero; None of a NaN or infinity."""
    try:
        return int(x)
    except (ValueError, OverflowError):
        return None
