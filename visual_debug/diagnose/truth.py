"""The true error of every value: the recorded graph evaluated again in as many digits as it takes.

Precision is doubled until two evaluations agree in all that a float could tell, at every node. What shrinks with every
doubling is exactly 0, which no evaluation in finite precision can tell otherwise.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug.columns import MISSING, Columns
from visual_debug.diagnose import evaluate, lifted, numbers, systems
from visual_debug.diagnose.places import Place, Places, graded, listed, written
from visual_debug.errors import TraceError

#: Bits of the first evaluation, and of the last one before it is given up.
FIRST, LAST = 256, 16384
#: Two evaluations agree if they do to so many bits.
_AGREED = 80


@dataclass(frozen=True, slots=True)
class NodeError:
    """The error of one value, in bits as `visual_debug.diagnose.numbers.bits_between` counts them (0 is correctly rounded).

    Of an array, the worst element.

    Attributes:
        bits: of the recorded value against the truth.
        local: that the operation itself has on true operands, each rounded to a float once: large where the operation
            makes much of little, as a subtraction that cancels. The local error of Herbie (P. Panchekha et al., PLDI
            2015, section 4.3).
        inherited: that the exact operation would have on the recorded operands.
        added: of the recorded value against the exact operation on the recorded operands: the rounding here alone.
        truth: the true value; None of an array.
        relative: |recorded - truth| / |truth|.

    """

    bits: float
    local: float
    inherited: float
    added: float
    truth: Any
    relative: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The true values and errors of a trace.

    Attributes:
        result: the true result, in the structure of the call's.
        bits: error of the worst number of the result, in bits.
        digits: correct decimal digits of that number, 0 to 17.
        relative: its relative error.
        errors: node id -> NodeError, of every float that was computed.
        values: the true values of all nodes.
        worst: operations that the result depends on, the largest local error first, as (place, error); at most 20.
        flipped: comparisons and steps to integers that come out otherwise in truth.
        kept: nodes that could not be evaluated again and were taken as they are, with the reason: what went wrong
            before them is not in the errors after them.
        precision: bits of the last evaluation.
        unsettled: nodes whose truth was not settled by then.
        colours: node id -> (0 to 1, label), by local error.

    """

    result: Any
    bits: float
    digits: float
    relative: float
    errors: dict[int, NodeError]
    values: tuple[Any, ...]
    worst: tuple[tuple[Place, NodeError], ...]
    flipped: tuple[evaluate.Flip, ...]
    kept: dict[int, str]
    precision: int
    unsettled: tuple[int, ...]
    colours: dict[int, tuple[float, str]]

    def __getitem__(self, node: Any) -> NodeError:
        return self.errors[node.__index__()]

    def __str__(self) -> str:
        right = f"right to {self.digits:.1f} digits ({self.bits:.1f} wrong bits)"
        if math.isnan(self.relative):
            right = "no finite number, or has none to be compared with"
        lines = [f"the result is {right}; in truth it is {_short(self.result)}"]
        worst = [(place, error) for place, error in self.worst if error.local > 1]
        if worst:
            lines.append("where bits are lost (local error; error of the value):")
            lines += listed((f"{e.local:5.1f} {e.bits:5.1f} bits: {place}" for place, e in worst), "operations")
        elif self.bits > 1:
            lines.append("no operation loses more than its last bit: the error is the sum of many roundings")
        if self.flipped:
            lines += ["in truth these come out otherwise:", *listed(self.flipped, "comparisons")]
        if self.kept:
            lines += ["taken as they are (errors before them are not counted):", *listed(self.kept.values(), "nodes")]
        if self.unsettled:
            lines.append(f"not settled with {self.precision} bits: {len(self.unsettled)} values")
        return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(_short, value[:6])) + (", …)" if len(value) > 6 else ")")
    if isinstance(value, np.ndarray):
        return "[" + " ".join(_short(v) for v in value.ravel()[:6].tolist()) + (" …]" if value.size > 6 else "]")
    if hasattr(value, "_mpf_"):
        import mpmath

        return str(mpmath.nstr(value, 20))
    return written(value)


def truth(columns: Columns, result: Any, outputs: list[int], needed: bytearray, *, literals: str = "recorded") -> Truth:
    """The true error of every node. About 50 microseconds a node and evaluation."""
    values, evaluator, precision, unsettled = _settled(columns, literals)
    if not all(node in evaluator.kept or columns.value[node] is not MISSING for node in outputs):
        raise TraceError("the result has no value")
    import mpmath

    errors: dict[int, NodeError] = {}
    nearest = _Nearest(columns, values)
    with mpmath.workprec(precision):
        for node, op in enumerate(columns.op):
            if op == "input" or op == "const" or numbers.format_of(columns.value[node]) is None:
                if op == "const" and literals == "exact":
                    errors |= _literal(columns, node, values)
                continue
            if evaluate.reads_text(columns, node):
                continue
            error = _of_double(columns, node, values[node], nearest, evaluator)
            if error is None:
                error = _error(columns, node, values, nearest, evaluator)
            if error is not None:
                errors[node] = error
    places = Places(columns)
    ranked = sorted((n for n in errors if needed[n] and n not in evaluator.kept), key=lambda n: (-errors[n].local, n))
    of_result = [errors[node] for node in outputs if node in errors]
    bits = max((e.bits for e in of_result), default=0.0)
    relative = max((e.relative for e in of_result), default=0.0)
    local = {n: e.local for n, e in errors.items()}
    labels = {n: f"{e.bits:.0f} wrong bits, {e.local:.0f} of them here" for n, e in errors.items()}
    return Truth(
        evaluate.structure(result, values),
        bits,
        digits_of(relative),
        relative,
        errors,
        tuple(values),
        tuple((places(n), errors[n]) for n in ranked[:20]),
        evaluator.flipped(places),
        evaluator.kept,
        precision,
        tuple(unsettled),
        graded(local, labels),
    )


def digits_of(relative: float) -> float:
    """Correct decimal digits by relative error, 0 to 17."""
    if math.isnan(relative):
        return 0.0
    return 17.0 if relative == 0 else min(max(-math.log10(relative), 0.0), 17.0) + 0.0


def _settled(columns: Columns, literals: str) -> tuple[list[Any], evaluate.Evaluator, int, list[int]]:
    """Values that more bits would not change."""
    before: list[Any] | None = None
    precision = FIRST
    while True:
        evaluator = evaluate.Evaluator(columns, systems.mpmath_system(precision), literals=literals, unknown="keep")
        values = evaluator.run()
        if before is not None:
            unsettled = _unsettled(columns, before, values, precision)
            if not unsettled or precision >= LAST or len(columns) * precision > _MOST:
                return values, evaluator, precision, unsettled
        before = values
        precision *= 2


#: Nodes times bits after which precision is not doubled again.
_MOST = 5 * 10**8


def _unsettled(columns: Columns, before: list[Any], after: list[Any], precision: int) -> list[int]:
    """Nodes at which two evaluations differ; what shrank to nothing is set to 0 in the second one."""
    import mpmath

    found = []
    with mpmath.workprec(precision):
        for node, (old, new) in enumerate(zip(before, after, strict=True)):
            if isinstance(new, np.ndarray) and new.dtype == object:
                states = np.frompyfunc(lambda a, b: _state(a, b, precision), 2, 1)(old, new)
                if np.any(states == 0):
                    new[states == 0] = mpmath.mpf(0)
                if np.any(states == -1):
                    found.append(node)
            elif hasattr(new, "_mpf_") or hasattr(new, "_mpc_"):
                state = _state(old, new, precision)
                if state == 0:
                    after[node] = mpmath.mpf(0)
                elif state < 0:
                    found.append(node)
    return found


def _state(old: Any, new: Any, precision: int) -> int:
    """1 if two evaluations agree, 0 if the value is nothing but what rounding left of 0, -1 if neither."""
    import mpmath

    if hasattr(old, "_mpf_") and hasattr(new, "_mpf_"):
        a, b = old._mpf_, new._mpf_
        if a == b:
            return 1
        (_, mantissa, exponent, bits), (*_, top, length) = mpmath.libmp.mpf_sub(a, b), b
        if mantissa and b[1] and exponent + bits < top + length - _AGREED:
            return 1
    if old == new or (mpmath.isnan(old) and mpmath.isnan(new)):
        return 1
    if not (mpmath.isfinite(old) and mpmath.isfinite(new)):
        return -1
    if abs(new - old) <= mpmath.ldexp(abs(new), -_AGREED):
        return 1
    return 0 if abs(new) <= mpmath.ldexp(abs(old), -precision // 4) else -1


#: Operations that every machine rounds correctly.
_CORRECT: dict[str, Callable[..., Any]] = {"add": operator.add, "iadd": operator.add, "sub": operator.sub, "isub": operator.sub, "mul": operator.mul,
            "imul": operator.mul, "truediv": operator.truediv, "itruediv": operator.truediv, "neg": operator.neg,
            "abs": abs, "math.sqrt": math.sqrt}  # fmt: skip


def _of_double(
    columns: Columns, node: int, true: Any, nearest: _Nearest, evaluator: evaluate.Evaluator
) -> NodeError | None:
    """The error of an operation on doubles that is correctly rounded: what it adds is nothing; None of any other."""
    z, function = columns.value[node], _CORRECT.get(columns.op[node])
    if function is None or type(z) is not float or not hasattr(true, "_mpf_") or node in columns.calls:
        return None
    operands = columns.operands(node)
    if not all(type(columns.value[operand]) is float for operand in operands) or node in evaluator.kept:
        return None
    rounded = nearest[node]
    bits = numbers.bits_between(z, rounded)
    try:
        local = numbers.bits_between(function(*[nearest[operand] for operand in operands]), rounded)
    except (ArithmeticError, ValueError):
        local = numbers.bits_between(math.nan, rounded)
    return NodeError(bits, local, bits, 0.0, true, _relative(z, true))


def _error(
    columns: Columns, node: int, values: list[Any], nearest: _Nearest, evaluator: evaluate.Evaluator
) -> NodeError | None:
    z, true = columns.value[node], values[node]
    form = numbers.format_of(z)
    if form is None or true is None:
        return None
    if np.iscomplexobj(z):
        return _of_complex(z, true)
    exact = _exact_here(columns, node, evaluator)
    local = _local(columns, node, nearest)
    if isinstance(z, np.ndarray):
        local = None if local is None else np.broadcast_to(local, z.shape)
        parts = [
            _bits(a, b, form)
            for a, b in ((z, true), (local, true), (_rounded(exact, z), true), (z, exact))
            if a is not None and b is not None
        ]
        if len(parts) < 4:
            parts += [parts[0]] * (4 - len(parts))
        relative = max(
            (_relative(a, b) for a, b in zip(z.ravel().tolist(), np.ravel(true).tolist(), strict=True)), default=0.0
        )
        return NodeError(parts[0], parts[1], parts[2], parts[3], None, relative)
    bits = _bits(z, true, form)
    return NodeError(
        bits,
        _bits(local, true, form) if local is not None else bits,
        _bits(_rounded(exact, z), true, form) if exact is not None else 0.0,
        _bits(z, exact, form) if exact is not None else bits,
        true,
        _relative(z, true),
    )


def _literal(columns: Columns, node: int, values: list[Any]) -> dict[int, NodeError]:
    """The error of a literal that is taken for the number that is written."""
    z, true = columns.value[node], values[node]
    if type(z) is not float:
        return {}
    bits, relative = _bits(z, true, numbers.DOUBLE), _relative(z, true)
    return {node: NodeError(bits, bits, 0.0, bits, true, relative)} if relative else {}


def _of_complex(z: Any, true: Any) -> NodeError | None:
    """Of complex numbers the relative error alone, as the bits that it takes off a double."""
    if isinstance(z, np.ndarray):
        return None
    relative = _relative(z, true)
    bits = 0.0 if relative <= 2.0**-53 else min(53.0 + math.log2(relative), 64.0)
    return NodeError(bits, bits, bits, 0.0, true, relative)


def _relative(z: Any, true: Any) -> float:
    z = float(z) if isinstance(z, np.floating) and numbers.format_of(z) is not None else z
    if true == z:
        return 0.0
    if true == 0:
        return math.inf
    difference = z - true
    try:
        above, below = abs(float(difference)), abs(float(true))
        if _NORMAL < above < math.inf and _NORMAL < below < math.inf:
            return above / below
        return float(abs(difference / true))
    except (OverflowError, ZeroDivisionError, TypeError):
        pass
    try:
        return float(abs(difference / true))
    except (OverflowError, ZeroDivisionError):
        return math.inf


#: Floats of less than this have fewer bits.
_NORMAL = 1e-290


def _bits(value: Any, true: Any, form: numbers.Format) -> float:
    if isinstance(value, np.ndarray):
        flat = zip(value.ravel().tolist(), np.ravel(true).tolist(), strict=True)
        return max((numbers.bits_between(float(v), rounded(t, form), form) for v, t in flat), default=0.0)
    return numbers.bits_between(float(value), rounded(true, form), form)


def rounded(true: Any, form: numbers.Format) -> float:
    """The number of a format nearest to a true value; NaN for a complex one."""
    if hasattr(true, "_mpc_") or isinstance(true, complex):
        if true.imag != 0:
            return math.nan
        true = true.real
    try:
        value = float(true)
    except OverflowError:
        value = math.copysign(math.inf, true)
    if form.precision == 53 or math.isnan(value):
        return value
    with np.errstate(over="ignore"):
        return float(np.dtype(form.name).type(value))


def _rounded(true: Any, like: Any) -> Any:
    """A true value in the type of a recorded one."""
    if true is None:
        return None
    if isinstance(like, np.ndarray):
        form = numbers.format_of(like)
        if form is None:
            return np.asarray(true).astype(like.dtype)
        return np.array([rounded(v, form) for v in np.ravel(true).tolist()], dtype=like.dtype).reshape(np.shape(true))
    form = numbers.format_of(like)
    if form is None or isinstance(like, complex):
        return type(like)(true) if isinstance(like, (int, np.integer)) else true
    value = rounded(true, form)
    return value if type(like) is float else type(like)(value)


def _exact_here(columns: Columns, node: int, evaluator: evaluate.Evaluator) -> Any:
    """The exact operation on the recorded operands."""
    recorded = _Recorded(columns, evaluator)
    args, kwargs = evaluate.arguments(columns, node, recorded)  # type: ignore[arg-type]
    if node in evaluator.kept:
        return None
    try:
        return evaluator.apply(columns.op[node], args, kwargs)
    except (NotImplementedError, TypeError, AttributeError, ArithmeticError, ValueError):
        return None


class _Recorded:
    """Recorded values as numbers of a system, made when they are asked for."""

    def __init__(self, columns: Columns, evaluator: evaluate.Evaluator) -> None:
        self.columns, self.evaluator = columns, evaluator

    def __getitem__(self, node: int) -> Any:
        return self.evaluator.number(self.columns.value[node])


class _Nearest(Mapping[int, Any]):
    """True values, each as the recorded one's own kind of float."""

    def __init__(self, columns: Columns, values: list[Any]) -> None:
        self.columns, self.values_ = columns, values
        self._doubles: dict[int, float] = {}

    def __getitem__(self, node: int) -> Any:
        z = self.columns.value[node]
        if type(z) is float:
            known = self._doubles.get(node)
            if known is None:
                true = self.values_[node]
                known = self._doubles[node] = z if true is None else rounded(true, numbers.DOUBLE)
            return known
        return _rounded(self.values_[node], z) if numbers.format_of(z) is not None and not np.iscomplexobj(z) else z

    def __iter__(self) -> Any:
        return iter(range(len(self.values_)))

    def __len__(self) -> int:
        return len(self.values_)


def _local(columns: Columns, node: int, nearest: _Nearest) -> Any:
    """The operation in floats on the true operands, each rounded once; None if it cannot be called."""
    function = lifted.native(columns.op[node])
    if function is None:
        return None
    args, kwargs = evaluate.arguments(columns, node, nearest)  # type: ignore[arg-type]
    try:
        with np.errstate(all="ignore"):
            found = function(*args, **kwargs)
    except (ArithmeticError, ValueError, TypeError):
        return math.nan
    return None if isinstance(found, complex) else found
