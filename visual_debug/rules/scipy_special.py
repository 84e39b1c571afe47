"""Rules of SciPy's special functions; imported only once one of them was called.

Source of the derivatives: NIST Digital Library of Mathematical Functions, chapters 5 to 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sp

from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.defined import value_of
from visual_debug.rules.elementwise import Computed, FormulaRule, Given, Missing

TABLE: dict[str, Rule] = {}

_ORDER = Missing("its derivative with respect to the order or parameter is not known in closed form")


def _row(name: str, *partials: Given, note: str = "") -> None:
    TABLE[f"scipy.special.{name}"] = FormulaRule(f"scipy.special.{name}", name, partials, note)


def _by(show: str, function: Callable[..., Any]) -> Computed:
    """A partial by a function of the operands alone."""
    return Computed(lambda z, *operands: function(*operands), show)


def _carlson(m: Any) -> Any:
    """3 (K(m) - E(m)) / m, which has no 0/0 at m = 0. Source: DLMF 19.25.2, in terms of Carlson's R_D."""
    return sp.elliprd(0.0, 1 - np.asarray(m), 1.0)


def _boxcox_by_lambda(log: Any, y: Any) -> Any:
    """The slope of (exp(log*y) - 1)/y by y; near 0 by its series, where the difference would lose all digits."""
    t = log * np.asarray(y, float)
    series = 1 / 2 + t * (1 / 3 + t * (1 / 8 + t * (1 / 30 + t * (1 / 144 + t / 840))))
    is_near = np.abs(t) < 1e-2
    far = np.where(is_near, 1.0, t)
    return log**2 * np.where(is_near, series, (np.exp(far) * (far - 1) + 1) / far**2)


_ROOT_PI = np.sqrt(np.pi)
_BELL = np.sqrt(2 * np.pi)

# fmt: off
_row("expit",     "z*(1-z)")
_row("logit",     "1/(x*(1-x))")
_row("log_expit", _by("Δ*expit(-x)", lambda x: sp.expit(-x)))
_row("erf",       "2/sqrt(pi)*exp(-x**2)")
_row("erfc",      "-2/sqrt(pi)*exp(-x**2)")
_row("erfcx",     Computed(lambda z, x: 2 * x * z - 2 / _ROOT_PI, "Δ*(2*x*z-2/sqrt(pi))"))
_row("erfi",      "2/sqrt(pi)*exp(x**2)")
_row("dawsn",     "1-2*x*z")
_row("erfinv",    "sqrt(pi)/2*exp(z**2)")
_row("erfcinv",   "-sqrt(pi)/2*exp(z**2)")
_row("ndtr",      "exp(-x**2/2)/sqrt(2*pi)")
_row("log_ndtr",  Computed(lambda z, x: np.exp(-(x**2) / 2 - z) / _BELL, "Δ*exp(-x**2/2-z)/sqrt(2*pi)"))
_row("ndtri",     "sqrt(2*pi)*exp(z**2/2)")
_row("gamma",     Computed(lambda z, x: z * sp.digamma(x), "Δ*z*digamma(x)"))
_row("gammaln",   _by("Δ*digamma(x)", sp.digamma))
_row("loggamma",  _by("Δ*digamma(x)", sp.digamma))
_row("rgamma",    Computed(lambda z, x: -z * sp.digamma(x), "-Δ*z*digamma(x)"))
_row("psi",       _by("Δ*polygamma(1, x)", lambda x: sp.polygamma(1, x)))
_row("polygamma", _ORDER, _by("Δ*polygamma(x+1, y)", lambda n, x: sp.polygamma(n + 1, x)))
_row("beta",      Computed(lambda z, x, y: z * (sp.digamma(x) - sp.digamma(x + y)), "Δ*z*(digamma(x)-digamma(x+y))"),
                  Computed(lambda z, x, y: z * (sp.digamma(y) - sp.digamma(x + y)), "Δ*z*(digamma(y)-digamma(x+y))"))
_row("betaln",    _by("Δ*(digamma(x)-digamma(x+y))", lambda x, y: sp.digamma(x) - sp.digamma(x + y)),
                  _by("Δ*(digamma(y)-digamma(x+y))", lambda x, y: sp.digamma(y) - sp.digamma(x + y)))
_row("gammainc",  _ORDER, _by("Δ*y**(x-1)*exp(-y)/gamma(x)", lambda a, x: np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))))
_row("gammaincc", _ORDER, _by("-Δ*y**(x-1)*exp(-y)/gamma(x)", lambda a, x: -np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))))
_row("betainc",   _ORDER, _ORDER, _by("Δ*w**(x-1)*(1-w)**(y-1)/beta(x, y)",
                                      lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / sp.beta(a, b)))
_row("j0",        _by("-Δ*j1(x)", lambda x: -sp.j1(x)))
_row("j1",        _by("Δ*(j0(x)-jn(2, x))/2", lambda x: (sp.j0(x) - sp.jv(2, x)) / 2))
_row("y0",        _by("-Δ*y1(x)", lambda x: -sp.y1(x)))
_row("y1",        _by("Δ*(y0(x)-yn(2, x))/2", lambda x: (sp.y0(x) - sp.yn(2, x)) / 2))
_row("jv",        _ORDER, _by("Δ*(jv(x-1, y)-jv(x+1, y))/2", lambda n, x: sp.jvp(n, x)))
_row("yv",        _ORDER, _by("Δ*(yv(x-1, y)-yv(x+1, y))/2", lambda n, x: sp.yvp(n, x)))
_row("yn",        _ORDER, _by("Δ*(yn(x-1, y)-yn(x+1, y))/2", lambda n, x: sp.yvp(n, x)))
_row("iv",        _ORDER, _by("Δ*(iv(x-1, y)+iv(x+1, y))/2", lambda n, x: sp.ivp(n, x)))
_row("kv",        _ORDER, _by("-Δ*(kv(x-1, y)+kv(x+1, y))/2", lambda n, x: sp.kvp(n, x)))
_row("i0",        _by("Δ*i1(x)", sp.i1))
_row("i1",        _by("Δ*(i0(x)+iv(2, x))/2", lambda x: (sp.i0(x) + sp.iv(2, x)) / 2))
_row("k0",        _by("-Δ*k1(x)", lambda x: -sp.k1(x)))
_row("k1",        _by("-Δ*(k0(x)+kn(2, x))/2", lambda x: -(sp.k0(x) + sp.kv(2, x)) / 2))
_row("xlogy",     _by("Δ*log(y)", lambda x, y: np.log(y)), _by("Δ*x/y", lambda x, y: np.asarray(x) / y))
_row("xlog1py",   _by("Δ*log1p(y)", lambda x, y: np.log1p(y)), _by("Δ*x/(1+y)", lambda x, y: np.asarray(x) / (1 + np.asarray(y))))
_row("entr",      _by("-Δ*(log(x)+1)", lambda x: -np.log(x) - 1))
_row("rel_entr",  _by("Δ*(log(x/y)+1)", lambda x, y: np.log(np.asarray(x) / y) + 1), _by("-Δ*x/y", lambda x, y: -np.asarray(x) / y))
_row("kl_div",    _by("Δ*log(x/y)", lambda x, y: np.log(np.asarray(x) / y)), _by("Δ*(1-x/y)", lambda x, y: 1 - np.asarray(x) / y))
_row("exprel",    Computed(lambda z, x: np.where(np.abs(x) < 1e-4, 0.5 + np.asarray(x) / 3, (np.exp(x) - z) / np.where(x == 0, 1, x)),
                           "Δ*(exp(x)-z)/x"))
_row("huber",     _by("Δ*(|y|>x)*(|y|-x)", lambda d, r: np.where(np.abs(r) > d, np.abs(r) - d, 0)),
                  _by("Δ*clip(y, -x, x)", lambda d, r: np.clip(r, -np.asarray(d), d)))
_row("pseudo_huber", Missing("its derivative with respect to delta is not covered"),
                  _by("Δ*y/sqrt(1+(y/x)**2)", lambda d, r: r / np.sqrt(1 + (np.asarray(r) / d) ** 2)))
_row("log1p",     "1/(1+x)")
_row("expm1",     "exp(x)")
_row("exp2",      "z*log(2)")
_row("exp10",     "z*log(10)")
_row("cbrt",      "1/(3*z**2)")
_row("cosm1",     "-sin(x)")
_row("zeta",      Missing("its derivative is not known in closed form"))
_row("lambertw",  Computed(lambda z, x: z / (np.where(x == 0, 1, x) * (1 + z)) + (np.asarray(x) == 0), "Δ*z/(x*(1+z))"))
_row("spence",    Computed(lambda z, x: -np.log(x) / np.where(x == 1, 1, np.asarray(x) - 1) - (np.asarray(x) == 1), "-Δ*log(x)/(x-1)"))
_row("expi",      "exp(x)/x")
_row("exp1",      "-exp(-x)/x")
_row("i0e",       Computed(lambda z, x: sp.i1e(x) - np.sign(x) * z, "Δ*(i1e(x)-sign(x)*z)"))
_row("ellipk",    Computed(lambda z, m: (z - _carlson(m) / 3) / (2 * (1 - np.asarray(m))), "Δ*(ellipe(x)-(1-x)*z)/(2*x*(1-x))"))
_row("ellipe",    _by("Δ*(z-ellipk(x))/(2*x)", lambda m: -_carlson(m) / 6))
_row("gammasgn",  "0")
_row("cosdg",     _by("-Δ*sind(x)*pi/180", lambda x: -sp.sindg(x) * np.pi / 180))
_row("sindg",     _by("Δ*cosd(x)*pi/180", lambda x: sp.cosdg(x) * np.pi / 180))
_row("boxcox",    _by("Δ*x**(y-1)", lambda x, y: np.asarray(x) ** (np.asarray(y) - 1.0)),
                  _by("Δ*(x**y*log(x)-z)/y", lambda x, y: _boxcox_by_lambda(np.log(x), y)))
_row("inv_boxcox", Computed(lambda z, x, y: z / (1 + np.asarray(x) * y), "Δ*z/(1+x*y)"),
                  Missing("its derivative with respect to lambda is not covered"))
_row("hyp2f1",    _ORDER, _ORDER, _ORDER,
                  _by("Δ*a*b/c*hyp2f1(a+1, b+1, c+1, x)", lambda a, b, c, x: np.asarray(a) * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, x)))
_row("binom",     Computed(lambda z, n, k: z * (sp.digamma(n + 1) - sp.digamma(n - k + 1)), "Δ*z*(digamma(x+1)-digamma(x-y+1))"),
                  Computed(lambda z, n, k: z * (sp.digamma(n - k + 1) - sp.digamma(k + 1)), "Δ*z*(digamma(x-y+1)-digamma(y+1))"))
_row("poch",      Computed(lambda z, x, m: z * (sp.digamma(x + m) - sp.digamma(x)), "Δ*z*(digamma(x+y)-digamma(x))"),
                  Computed(lambda z, x, m: z * sp.digamma(x + m), "Δ*z*digamma(x+y)"))
_row("sinc",      "(cos(pi*x)-z)/x")
# fmt: on
for _name in ("comb", "perm", "factorial", "factorial2"):
    _row(_name, *[Missing("a function of integers has no derivative")] * 2)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    if return_sign:
        raise NoPartial("its derivative with return_sign is not covered")
    shift = np.max(_plain(a), axis=axis, keepdims=True)
    parts = np.exp(a - shift) if b is None else np.multiply(b, np.exp(a - shift))
    found = np.log(np.sum(parts, axis=axis, keepdims=True)) + shift
    return found if keepdims else np.squeeze(found, axis) if axis is not None else np.reshape(found, ())


def _plain(a: Any) -> Any:
    found = np.asarray(value_of(a))
    return np.where(np.isfinite(found), found, 0)


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return x - _logsumexp(x, axis, keepdims=True)


def _softmax(x: Any, axis: Any = None) -> Any:
    return np.exp(_log_softmax(x, axis))


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "scipy.special.logsumexp": _logsumexp,
    "scipy.special.softmax": _softmax,
    "scipy.special.log_softmax": _log_softmax,
}
TABLE["scipy.special.digamma"] = TABLE["scipy.special.psi"]
