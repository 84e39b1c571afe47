"""Reverse and forward sweeps over the columns.

One reverse sweep serves gradients, adjoints and frames: it yields every contribution, in the order in which they are
shown. A node waits until all its consumers have spoken (the sum over paths is then complete); on a tree that order is
pre-order. Nothing recurses: a chain of a million operations is a normal trace.

Source: A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, sections 3.1 and 3.2.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from visual_debug import rules
from visual_debug.columns import MISSING, OVERWRITTEN, Columns
from visual_debug.errors import NoDerivativeError
from visual_debug.sweeps.buffers import Buffers

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: What one pullback sends to one operand: the operation's node, which of its operands, that operand's node, and the
#: contribution to its adjoint. A plain tuple: a named one would cost a third of the sweep.
Contribution = tuple[int, int, int, Any]

#: The numbers that compiled formulas take without a closer look.
_PLAIN = frozenset({float, int})


def ancestors(columns: Columns, nodes: Iterable[int]) -> bytearray:
    """Marks every node that the given ones depend on, and those themselves. One pass down the columns."""
    marked = bytearray(len(columns))
    for node in nodes:
        marked[node] = 1
    for node in range(len(columns) - 1, -1, -1):
        if marked[node]:
            for operand in columns.operands(node):
                marked[operand] = 1
    return marked


def dependents(columns: Columns, nodes: Iterable[int]) -> bytearray:
    """Marks every node that depends on one of the given ones, and those themselves. One pass up the columns."""
    marked = bytearray(len(columns))
    for node in nodes:
        marked[node] = 1
    start, operand = columns.start, columns.operand
    for node in range(len(columns)):
        if not marked[node]:
            for k in range(start[node], start[node + 1]):
                if marked[operand[k]]:
                    marked[node] = 1
                    break
    return marked


def inputs_of(columns: Columns) -> list[int]:
    """The nodes that a derivative may be taken with respect to: arguments, and numbers read from outside."""
    return [node for node, op in enumerate(columns.op) if op == "input"]


def add(a: Any, b: Any) -> Any:
    """Sum of two contributions; those to a tuple (of `divmod`) or a dict are summed item by item."""
    if type(a) is tuple:
        return tuple(add(x, y) for x, y in zip(a, b, strict=True))
    if type(a) is dict:
        return {key: add(a[key], b[key]) if key in a and key in b else a.get(key, b.get(key)) for key in {**a, **b}}
    return a + b


def reverse(
    columns: Columns,
    seeds: Mapping[int, Any],
    adjoints: dict[int, Any],
    wanted: bytearray | None = None,
    *,
    only: set[int] | None = None,
) -> Iterator[Contribution]:
    """Sweep backward from the seeds, filling `adjoints` and yielding every contribution.

    Args:
        columns: the trace.
        seeds: adjoints of outputs, by node; those of other nodes are zero.
        adjoints: filled with the adjoint of every node reached. A node's adjoint is complete when it is first used.
        wanted: marks the nodes to pass adjoints to; all by default.
        only: the nodes whose adjoints are to be left. Given, arrays are added up in place, reads and writes of their
            items are not yielded, and what was passed on is dropped.

    Raises:
        NoDerivativeError: if an operation that depends on an input has no derivative with respect to that operand.
    """
    start, operands = columns.start, columns.operand
    active = dependents(columns, inputs_of(columns))
    waiting = _consumers(columns, seeds)
    is_real = not any(_kind(columns.value[node]) == "c" for node in seeds)
    pulls = Pulls(columns, active, is_real=is_real)
    adjoints.update(seeds)
    buffers = Buffers(columns, adjoints, add) if only is not None else None
    stack = [node for node in sorted(seeds) if not waiting[node]]
    while stack:
        node = stack.pop()
        delta = adjoints.get(node)
        ready = []
        first = start[node]
        passed = delta is None or (buffers is not None and buffers.passed(node, delta, pulls, wanted))
        for k in range(first, start[node + 1]):
            operand = operands[k]
            waiting[operand] -= 1
            if not waiting[operand]:
                ready.append(operand)
            if passed or (wanted is not None and not wanted[operand]):
                continue
            value = pulls(node, k - first, delta)
            if value is None:
                continue
            if buffers is not None:
                buffers.add(operand, value)
            else:
                known = adjoints.get(operand)
                adjoints[operand] = value if known is None else add(known, value)
            yield node, k - first, operand, value
        if only is not None and node not in only:
            adjoints.pop(node, None)
        ready.reverse()
        stack += ready


def _consumers(columns: Columns, seeds: Mapping[int, Any]) -> list[int]:
    """For every node, how many operands of operations that the outputs depend on it is."""
    start, operands = columns.start, columns.operand
    reached = ancestors(columns, seeds)
    count = [0] * len(columns)
    for node in range(len(columns)):
        if reached[node]:
            for k in range(start[node], start[node + 1]):
                count[operands[k]] += 1
    return count


class Pulls:
    """The pullbacks of a trace. Called, one contribution; None where a constant operand has no derivative."""

    def __init__(self, columns: Columns, active: bytearray, *, is_real: bool) -> None:
        self.columns = columns
        self.active = active
        self.is_real = is_real
        self.quick: dict[tuple[str, int], list[Any] | None] = {}
        self.node, self.delta = -1, None  # of many operands, and what its adjoint contributes to each
        self.each: Sequence[Any] = ()

    def __call__(self, node: int, position: int, delta: Any) -> Any:
        columns = self.columns
        begin, end = columns.start[node], columns.start[node + 1]
        is_plain = type(delta) in _PLAIN and type(columns.value[columns.operand[begin + position]]) in _PLAIN
        if is_plain and node not in columns.calls:
            key = (columns.op[node], end - begin)
            partials = self.quick[key] if key in self.quick else self._compile(key)
            if partials is not None:
                partial = partials[position]
                if type(partial) is int:
                    return delta if partial == 1 else 0 if partial == 0 else delta * partial
                values = [columns.value[operand] for operand in columns.operand[begin:end]]
                z = columns.value[node]
                if type(z) in _PLAIN and all(type(value) in _PLAIN for value in values):
                    try:
                        return delta * partial(z, *values)
                    except (ArithmeticError, ValueError):
                        pass  # a corner, which the rule itself decides
        try:
            if columns.start[node + 1] - columns.start[node] < MANY:
                return pull(columns, node, position, delta, is_real=self.is_real)
            if self.node != node or self.delta is not delta:
                self.each = pull_each(columns, node, delta, is_real=self.is_real)
                self.node, self.delta = node, delta
            value = self.each[position]
            if isinstance(value, rules.MissingPartial):
                raise value
            return value
        except rules.MissingPartial as missing:
            if self.active[columns.operand[columns.start[node] + position]]:
                raise no_derivative(columns, node, position, missing.reason) from missing
            return None

    def _compile(self, key: tuple[str, int]) -> list[Any] | None:
        """The partials of an operation as functions on plain numbers, or the ints that they always are."""
        op, count = key
        rule = rules.find(op)
        quick = getattr(rule, "quick", None)
        partials = [quick(i, count) for i in range(count)] if quick is not None else []
        usable = partials and all(callable(p) or type(p) is int for p in partials)
        self.quick[key] = partials if usable else None
        return self.quick[key]


def pull(columns: Columns, node: int, position: int, delta: Any, *, is_real: bool = True) -> Any:
    """One pullback: the contribution of a node's adjoint to one of its operands. Raises MissingPartial.

    `is_real` tells of the results that are differentiated. Under a complex one the derivative is that in the sense of
    complex numbers, which not every operation has.
    """
    call = columns.arguments(node)
    operand = columns.value[columns.operand[columns.start[node] + position]]
    return _pull(columns, node, position, operand, call, delta, is_real=is_real, is_lost=_is_lost(columns, node, call))


#: Operations of as many operands ask their rule for all of them at once: one by one takes time by the square of it.
MANY = 8

_Call = tuple[tuple[Any, ...], dict[str, Any], "tuple[Where, ...]"]


def pull_each(columns: Columns, node: int, delta: Any, *, is_real: bool = True) -> Sequence[Any]:
    """All pullbacks of a node, in the order of its operands; in place of one that is missing, the MissingPartial."""
    call = columns.arguments(node)
    args, kwargs, wheres = call
    operands = [columns.value[operand] for operand in columns.operands(node)]
    op, z, args = rules.as_of_arrays(columns.op[node], columns.value[node], args)
    rule = rules.find(op)
    is_lost = _is_lost(columns, node, call)
    is_plain = is_real and _kind(z) == "f" and _kind(delta) in "fi" and all(_kind(x) in "fi" for x in operands)
    if rule is not None and is_plain and not is_lost:
        try:
            return rule.pull_each(wheres, delta, z, args, kwargs)
        except rules.MissingPartial:
            pass  # of one of them: which, is found below
        except Exception as error:
            raise _failed(columns, node, 0, error) from error
    found: list[Any] = []
    for position, operand in enumerate(operands):
        try:
            found.append(_pull(columns, node, position, operand, call, delta, is_real=is_real, is_lost=is_lost))
        except rules.MissingPartial as missing:
            found.append(missing)
    return found


def _is_lost(columns: Columns, node: int, call: _Call) -> bool:
    return columns.value[node] is OVERWRITTEN or any(arg is OVERWRITTEN for arg in call[0])


def _pull(
    columns: Columns,
    node: int,
    position: int,
    operand: Any,
    call: _Call,
    delta: Any,
    *,
    is_real: bool,
    is_lost: bool,
) -> Any:
    args, kwargs, where = call
    op, z, args = rules.as_of_arrays(columns.op[node], columns.value[node], args)
    rule = rules.find(op)
    if rule is None:
        raise rules.MissingPartial(op, where[position], why_missing(columns, node))
    if is_lost:
        raise rules.MissingPartial(op, where[position], LOST)
    if is_discrete(z, operand):
        return zero(operand)
    if not is_real and _kind(operand) == "c" and (rule.conjugates or _kind(z) not in "cO"):
        raise rules.MissingPartial(op, where[position], "it is not holomorphic, and the result is a complex number")
    try:
        value = rule.pull(where[position], delta, z, args, kwargs)
        return value if not is_real or _kind(value) != "c" or _kind(operand) not in "fiu" else value.real
    except rules.MissingPartial:
        if _kind(operand) == "b":  # a mask: it was made of numbers by comparing them, which is constant between jumps
            return zero(operand)
        raise
    except Exception as error:
        raise _failed(columns, node, position, error) from error


def _failed(columns: Columns, node: int, position: int, error: Exception) -> NoDerivativeError:
    return no_derivative(columns, node, position, f"its rule failed: {type(error).__name__}: {error}")


def is_discrete(z: Any, operand: Any) -> bool:
    """Whether an operation yields truth values, or integers from real numbers: then it is constant between jumps."""
    kind = _kind(z)
    return kind == "b" or (kind in "iu" and _kind(operand) in "fc")


def _kind(value: Any) -> str:
    """The kind of number as `numpy.dtype.kind` has it; "O" for what is neither a plain number nor an array."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None:
        return str(dtype.kind)
    return _KINDS.get(type(value), "O")


_KINDS = {bool: "b", int: "i", float: "f", complex: "c"}


def zero(value: Any) -> Any:
    """A derivative of 0 in the shape of a value."""
    if getattr(value, "shape", ()) != ():
        import numpy

        return numpy.zeros(value.shape, numpy.result_type(value.dtype, numpy.float16))
    return 0j if isinstance(value, complex) else 0.0 if isinstance(value, float) else 0


#: Why there is no derivative where a value is lost.
LOST = (
    "an array that it needs was overwritten by code that was not recorded: let that be recorded too (follow=…), or keep "
    'copies with @visual_debug(snapshots="always")'
)


def in_kind(value: Any, derivative: Any) -> Any:
    """The derivative by a value, as complex numbers for complex ones."""
    return derivative + 0j if _kind(value) == "c" and _kind(derivative) in "fiu" else derivative


def why_missing(columns: Columns, node: int) -> str:
    """Why an operation without a rule has none."""
    if columns.op[node] == "opaque":
        return (
            "its value passed through code that was not recorded, or shares memory with an array that was written to. "
            "Let that code be recorded too (follow=…), write it with operations that are known, or write to a copy"
        )
    op = columns.op[node]
    if _is_python(op):
        return (
            "it is a Python function that was not recorded, since it is of another package or file: decorate the traced "
            f"one with @visual_debug(follow='all'), or give a rule with visual_debug.rule({op!r}, …)"
        )
    return f"no rule is known for it; add one with visual_debug.rule({op!r}, …)"


def _is_python(op: str) -> bool:
    """Whether an operation is a function with code of Python, as far as its qualified name tells."""
    if "<lambda>" in op or "<locals>" in op:
        return True
    module, _, name = op.rpartition(".")
    found = sys.modules.get(module)
    return found is not None and type(vars(found).get(name)) is FunctionType


def no_derivative(columns: Columns, node: int, position: int, reason: str) -> NoDerivativeError:
    """The error that names operation, place and operand."""
    site = columns.site[node]
    text = f" `{site.text}`" if site.text else ""
    return NoDerivativeError(
        f"{site}: {columns.op[node]}{text} in {site.function} has no derivative with respect to operand {position}: {reason}"
    )


def forward(columns: Columns, tangents: Mapping[int, Any], outputs: Iterable[int]) -> dict[int, Any]:
    """Sweep forward: the tangents of all nodes that depend on the given ones and that the outputs depend on.

    Raises NoDerivativeError where such a node has no derivative.
    """
    result = dict(tangents)
    needed = ancestors(columns, outputs)
    for node in range(len(columns)):
        if node in tangents or not needed[node]:
            continue
        operands = columns.operands(node)
        call: _Call | None = None
        total: Any = None
        for position, operand in enumerate(operands):
            tangent = result.get(operand)
            if tangent is None:
                continue
            if call is None:
                call = columns.arguments(node)
                is_lost = _is_lost(columns, node, call)
            args, kwargs, where = call
            try:
                op, z, args = rules.as_of_arrays(columns.op[node], columns.value[node], args)
            except rules.MissingPartial as missing:
                raise no_derivative(columns, node, position, missing.reason) from missing
            rule = rules.find(op)
            if rule is not None and is_discrete(z, columns.value[operand]):
                continue
            if rule is None:
                raise no_derivative(columns, node, position, why_missing(columns, node))
            if is_lost:
                raise no_derivative(columns, node, position, LOST)
            try:
                part = rule.push(where[position], tangent, z, args, kwargs)
                part = part.real if _kind(part) == "c" and _kind(z) in "fiu" else part
            except rules.MissingPartial as missing:
                if _kind(columns.value[operand]) == "b":
                    continue
                raise no_derivative(columns, node, position, missing.reason) from missing
            total = part if total is None else add(total, part)
        if total is not None:
            result[node] = total
    return result


def partial(columns: Columns, node: int, position: int) -> Any:
    """d value / d operand where that is a number per element; None where it is not, or is not known."""
    rule = rules.find(columns.op[node])
    if rule is None or columns.value[node] is MISSING:
        return None
    args, kwargs, where = columns.arguments(node)
    try:
        return rule.partial(where[position], columns.value[node], args, kwargs)
    except rules.MissingPartial:
        return None


def pullback_text(columns: Columns, node: int, *, values: bool = False) -> str | None:
    """The pullback as text, `Δ -> (Δ*y, Δ*x)`, or with the operands' values in place; None for leaves."""
    rule = rules.find(columns.op[node])
    args, _, where = columns.arguments(node)
    if not where or rule is None:
        return None
    z = columns.value[node]
    try:
        return rules.pullback_text(rule, where, args, z, values=values and z is not MISSING)
    except IndexError:  # an operand given by keyword, whose value has no place in the formula
        return rules.pullback_text(rule, where, None, z)
