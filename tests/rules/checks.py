"""The oracle for derivative rules: both directions of a rule against differences of the operation itself."""

from __future__ import annotations

import builtins
import cmath
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from visual_debug.rules import Rule

Where = Any


def function_of(op: str) -> Callable[..., Any]:
    """The callable that an operation is named after."""
    head, _, name = op.rpartition(".")
    if head in {"math", "cmath"}:
        return getattr({"math": math, "cmath": cmath}[head], name)
    if head.startswith("numpy"):
        owner: Any = np
        for part in op.split(".")[1:]:
            owner = getattr(owner, part)
        return owner
    if op.startswith("i") and op[1:] in {"add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"}:
        op = op[1:]  # the same numbers, without writing over the operand
    return getattr(operator, op, None) or getattr(builtins, op)


def replaced(args: Sequence[Any], where: Where, value: Any) -> list[Any]:
    """The arguments with another operand at `where`; nothing is changed in place."""
    changed = list(args)
    if isinstance(where, int) or len(where) == 1:
        changed[where if isinstance(where, int) else where[0]] = value
    elif isinstance(changed[where[0]], np.ndarray):
        changed[where[0]] = changed[where[0]].astype(np.result_type(value, float))
        changed[where[0]][where[1:]] = value
    else:
        changed[where[0]] = replaced(changed[where[0]], where[1:], value)
    return changed


def operand_at(args: Sequence[Any], where: Where) -> Any:
    value: Any = args
    for step in (where,) if isinstance(where, int) else where:
        value = value[step]
    return value


def directional(function: Callable[..., Any], args: Sequence[Any], where: Where, tangent: Any, kwargs: Any) -> Any:
    """The derivative along `tangent`, by central differences extrapolated twice: truncation error of order h**6."""
    x = operand_at(args, where)

    def at(step: float) -> Any:
        return np.asarray(function(*replaced(args, where, x + step * tangent), **kwargs)) * 1.0

    def central(h: float) -> Any:
        return (at(h) - at(-h)) / (2 * h)

    h = 2.0**-8
    d1, d2, d3 = central(h), central(h / 2), central(h / 4)
    r1, r2 = (4 * d2 - d1) / 3, (4 * d3 - d2) / 3
    return (16 * r2 - r1) / 15


def check_rule(
    rule: Rule,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    function: Callable[..., Any] | None = None,
    wheres: Sequence[Where] | None = None,
    tolerance: float = 2e-8,
) -> None:
    """Raise AssertionError unless pull, push and partial agree with differences and with each other."""
    function, kwargs = function or function_of(rule.op), dict(kwargs or {})
    z = function(*args, **kwargs)
    rng = np.random.default_rng(5)
    for where in range(len(args)) if wheres is None else wheres:
        x = operand_at(args, where)
        tangent = rng.normal(size=np.shape(x)) if np.ndim(x) else 1.0
        expected = directional(function, args, where, tangent, kwargs)
        pushed = rule.push(where, tangent, z, args, kwargs)
        pushed = pushed if np.iscomplexobj(z) else np.real(pushed)
        label = f"{rule.op} at {args}, operand {where}"
        np.testing.assert_allclose(pushed, expected, rtol=tolerance, atol=tolerance, err_msg=f"push of {label}")
        assert np.shape(pushed) == np.shape(z), label
        delta = rng.normal(size=np.shape(z)) if np.ndim(z) else 1.0
        pulled = rule.pull(where, delta, z, args, kwargs)
        assert np.shape(pulled) == np.shape(x), f"{label}: pulled shape {np.shape(pulled)}"
        inner, outer = np.sum(np.asarray(pulled) * tangent), np.sum(delta * np.asarray(pushed))
        inner = inner if np.iscomplexobj(z) else np.real(inner)
        np.testing.assert_allclose(inner, outer, rtol=1e-11, atol=1e-12, err_msg=f"pull against push of {label}")
        partial = rule.partial(where, z, args, kwargs)
        partial = np.real(partial) if partial is not None and not np.iscomplexobj(z) else partial
        if partial is not None and np.ndim(z) == 0 and np.ndim(x) == 0:
            np.testing.assert_allclose(partial, expected, rtol=tolerance, atol=tolerance, err_msg=f"partial of {label}")
