"""A recorded graph evaluated again, in other numbers: the path stays the recorded one, and where a comparison or a
rounding to an integer would have come out otherwise, it is said so."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from visual_debug import structures
from visual_debug.columns import MISSING, SEVERAL, Columns
from visual_debug.diagnose import lifted, systems
from visual_debug.diagnose.places import Place, Places, listed, number_text, written
from visual_debug.errors import TraceError
from visual_debug.rules.names import canonical


@dataclass(frozen=True, slots=True)
class Flip:
    """A comparison, or a step to an integer, that comes out otherwise: `there` is what it is in the other numbers.

    None stands for "not certain", as of intervals that overlap.
    """

    node: int
    here: Any
    there: Any
    place: Place

    def __str__(self) -> str:
        other = "may be either" if self.there is None else f"would be {number_text(self.there)}"
        if isinstance(self.there, np.ndarray) and self.there.dtype == object:
            unsure = _either(self.there)
            others = int(np.count_nonzero((self.there != self.here) & ~unsure))
            said = (f"may be either at {np.count_nonzero(unsure)}", f"would be otherwise at {others}")
            counts = (np.count_nonzero(unsure), others)
            other = " and ".join(text for text, count in zip(said, counts, strict=True) if count)
            other += f" of {self.there.size} elements"
        return f"{self.place}, {other}"


@dataclass(frozen=True, slots=True)
class Replay:
    """A graph's values in another number system.

    Attributes:
        system: its name.
        values: one per node of the trace; None where there is none.
        result: in the structure of the call's result.
        flipped: what would have gone another way, in order.
        kept: nodes that were not evaluated again (not recorded, or unknown there) and kept their recorded value, with
            the reason.

    """

    system: str
    values: tuple[Any, ...]
    result: Any
    flipped: tuple[Flip, ...]
    kept: dict[int, str]

    def __getitem__(self, node: Any) -> Any:
        return self.values[node.__index__()]

    def __str__(self) -> str:
        lines = [f"in {self.system}: {written(self.result)}"]
        if self.flipped:
            lines += ["would have gone another way:", *listed(self.flipped, "")]
        if self.kept:
            lines += ["kept their recorded values:", *listed((f"node {n}: {why}" for n, why in self.kept.items()), "")]
        return "\n".join(lines)


def reads_text(columns: Columns, node: int) -> bool:
    """Whether a node is the number that `float` has read from a text, as good as a literal."""
    return columns.op[node] == "float" and columns.start[node] == columns.start[node + 1]


class Evaluator:
    """Evaluates nodes of a trace in a number system.

    `literals="exact"` takes a literal for the decimal number that is written (0.1 as 1/10), not for the float that
    stands in its place. `unknown="keep"` keeps the recorded value of an operation that the system does not have, and
    notes it in `kept`; else that is refused.
    """

    def __init__(
        self, columns: Columns, system: systems.NumberSystem, *, literals: str = "recorded", unknown: str = "raise"
    ) -> None:
        if literals not in ("recorded", "exact") or unknown not in ("raise", "keep"):
            raise ValueError(f"literals={literals!r}, unknown={unknown!r}: 'recorded' or 'exact', 'raise' or 'keep'")
        self.columns = columns
        self.system = system
        self.literals = literals
        self.unknown = unknown
        self.arithmetic = systems.Arithmetic(system)
        self.kept: dict[int, str] = {}
        self.flips: list[tuple[int, Any, Any]] = []
        self._found: dict[str, Callable[..., Any]] = {}
        self._names = [(op, canonical(op)) for op in columns.op.entries]
        self._deciding = [systems.base_name(name) in _DECIDING for _, name in self._names]
        plain = system.dtype is object and system.finish is None
        own = {name: _ARITHMETIC[name] for name in _ARITHMETIC if plain and name not in system.functions}
        self._quick = [own.get(systems.base_name(name)) for _, name in self._names]
        self._leaves: dict[int, tuple[Any, Any]] = {}  # by kind, the latest literal and its number

    def run(self, changed: Mapping[int, Any] | None = None) -> list[Any]:
        """The values of all nodes; those of `changed` are given."""
        columns = self.columns
        changed = changed or {}
        values: list[Any] = []
        with self.system.context():
            for node in range(len(columns)):
                values.append(changed[node] if node in changed else self.value(node, values))
        return values

    def value(self, node: int, values: list[Any]) -> Any:
        """One node's value, from the values of the nodes before it."""
        columns = self.columns
        kind, z = columns.kind[node], columns.value[node]
        op, name = self._names[kind]
        if op == "input":
            return self.leaf(node)
        if op == "const":
            known = self._leaves.get(kind)
            if known is None or known[0] is not z:
                known = self._leaves[kind] = z, self.leaf(node)
            return known[1]
        if z is MISSING or z is SEVERAL:
            return None
        if reads_text(columns, node):
            return self.leaf(node)
        if op == "opaque":
            return self.keep(node, "it passed through code that was not recorded")
        try:
            quick = self._quickly(node, kind, values)
            if quick is not None:
                return quick
            args, kwargs = arguments(columns, node, values)
            if node in columns.calls:  # whose literals are none of its operands
                args = tuple(self.number(arg) if type(arg) is float else arg for arg in args)
            found = self.apply(op, args, kwargs)
        except (NotImplementedError, TypeError, AttributeError) as error:
            return self.keep(node, str(error))
        except (ArithmeticError, ValueError) as error:
            return self.keep(node, f"{type(error).__name__}: {error}")
        if isinstance(z, (float, np.floating)):
            found = _real(found)
        elif (
            isinstance(z, np.ndarray)
            and z.dtype.kind == "f"
            and isinstance(found, np.ndarray)
            and found.dtype == object
        ):
            found = np.frompyfunc(_real, 1, 1)(found)
        if self._deciding[kind] or (isinstance(z, (bool, np.bool_)) and name != "getitem"):
            if self._differs(found, z):
                self.flips.append((node, z, found))
            if systems.base_name(name) in systems.COMPARISONS:
                return _decided(found, z)
        if self.system.finish is not None:
            found = self.system.finish(found)
        return found

    def _differs(self, found: Any, z: Any) -> bool:
        """Whether a comparison or a rounded number is another one than the recorded; None differs from all."""
        if isinstance(z, (float, np.floating)) and found is not None:  # rounded to some digits, as either has them
            size = abs(float(z))
            try:
                return bool(found != z and found != self.number(z) and float(found) != z)
            except (TypeError, ValueError):  # an interval, which has ends
                return z not in found or bool(found.delta > size * _NARROW) if hasattr(found, "delta") else True
        if hasattr(found, "delta"):
            return True
        return found is None or bool(np.any(np.not_equal(found, z)))

    def _quickly(self, node: int, kind: int, values: list[Any]) -> Any:
        """Arithmetic of two numbers of one type, which is what most nodes are; None for anything else."""
        operate = self._quick[kind]
        if operate is not None and node not in self.columns.calls:
            columns = self.columns
            begin, end = columns.start[node], columns.start[node + 1]
            if end - begin == 2:
                x, y = values[columns.operand[begin]], values[columns.operand[begin + 1]]
                if type(x) is type(y) and type(x) not in _OTHERS:
                    return operate(x, y)
        return None

    def leaf(self, node: int) -> Any:
        """An argument or literal as a number of the system."""
        columns = self.columns
        value = columns.value[node]
        if columns.op[node] == "const" and self.literals == "exact":
            exact = lifted.exact_literal(columns.site[node].text, value)
            if exact is not None:
                return self.system.number(exact)
        if columns.op[node] == "input" and self.system.symbol is not None:
            return self._symbols(columns.name[node] or columns.site[node].text or f"n{node}", value)
        try:
            return self.number(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            where = f"the argument {columns.name[node]}" if columns.op[node] == "input" else "the literal"
            raise TraceError(
                f"{columns.site[node]}: {where} = {number_text(value)} is no number of {self.system.name}: {error}"
            ) from error

    def _symbols(self, name: str, value: Any) -> Any:
        assert self.system.symbol is not None
        if isinstance(value, np.ndarray):
            found = np.empty(value.shape, dtype=object)
            for index in np.ndindex(value.shape):
                found[index] = self.system.symbol(f"{name}[{','.join(map(str, index))}]", value[index])
            return found
        is_number = isinstance(value, (int, float, complex, np.number)) and not isinstance(value, (bool, np.bool_))
        return self.system.symbol(name, value) if is_number else value

    def number(self, value: Any) -> Any:
        """A recorded value as a number of the system; an array element by element; ints and what is none as they are."""
        if type(value) is float:
            return self.system.number(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
            if self.system.dtype is not object:
                return value.astype(self.system.dtype)
            return lifted.elementwise(self.system.number)(value)
        if isinstance(value, (bool, int, np.bool_)):
            return value
        if isinstance(value, np.integer):
            return int(value)
        if isinstance(value, (np.floating, complex, Fraction)) or hasattr(value, "as_integer_ratio"):
            return self.system.number(value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self.number, value)) if type(value) in (tuple, list) else value
        return value

    def keep(self, node: int, reason: str) -> Any:
        """The recorded value, noted as such; refused if that was not asked for."""
        columns = self.columns
        site = columns.site[node]
        if self.unknown == "raise":
            raise TraceError(
                f"{site}: {columns.op[node]} `{site.text}` cannot be evaluated in {self.system.name}: {reason} "
                '(unknown="keep" keeps the recorded value there)'
            )
        self.kept[node] = f"{site}: {columns.op[node]} `{site.text}`: {reason}"
        return self.number(columns.value[node])

    def apply(self, op: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on numbers of the system. Raises NotImplementedError for what is not known there."""
        function = self._found.get(op)
        if function is None:
            function = self._found[op] = lifted.function(op, self.arithmetic)
        return function(*args, **kwargs)

    def flipped(self, places: Places) -> tuple[Flip, ...]:
        """What came out otherwise, with its place."""
        return tuple(Flip(node, here, there, places(node)) for node, here, there in self.flips[:_FLIPS])


#: Operations that two numbers of a system have themselves.
_ARITHMETIC: dict[str, Callable[..., Any]] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_OTHERS = frozenset({int, bool, np.ndarray, list, tuple, str, type(None)})


def _either(found: Any) -> Any:
    """Where a comparison of arrays is certain of neither."""
    return np.array([truth is None for truth in found.ravel()], np.bool_).reshape(found.shape)


def _decided(found: Any, z: Any) -> Any:
    """The recorded truth where another one is not certain."""
    if isinstance(found, np.ndarray) and found.dtype == object:
        return np.where(_either(found), z, found).astype(bool)
    return z if found is None else found


#: A rounded number is certain if its interval is narrower than this, relatively.
_NARROW = 2.0**-40


def _real(found: Any) -> Any:
    """NaN for a complex number of mpmath, where a real one was recorded: the function has no real value there."""
    if not hasattr(found, "_mpc_"):
        return found
    import mpmath

    return mpmath.nan


#: Steps to an integer, and what is said to go another way where they differ.
_DECIDING = frozenset({*systems.COMPARISONS, "int", "floor", "ceil", "trunc", "round", "rint"})
#: Flips that are explained.
_FLIPS = 1000


def arguments(columns: Columns, node: int, values: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an operation, with the given values of its operands in their places."""
    operands = columns.operands(node)
    call = columns.calls.get(node)
    if call is None:
        return tuple([values[operand] for operand in operands]), {}
    args: list[Any] = list(call.args)
    kwargs: dict[str, Any] = dict(call.kwargs)
    for operand, where in zip(operands, call.where, strict=True):
        if isinstance(where, int):
            args[where] = values[operand]
        elif isinstance(where[0], str):
            kwargs[where[0]] = _placed(kwargs[where[0]], where[1:], values[operand])
        else:
            args[where[0]] = _placed(args[where[0]], where[1:], values[operand])
    return tuple(args), kwargs


def _placed(container: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    items = list(container)
    items[path[0]] = _placed(items[path[0]], path[1:], value)
    return tuple(items) if isinstance(container, tuple) else items


def structure(result: Any, values: list[Any]) -> Any:
    """Values in the structure of a result that holds node ids."""
    return structures.mapped(result, values.__getitem__)


def replay(
    columns: Columns,
    result: Any,
    number_system: Any,
    *,
    precision: int | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    literals: str = "recorded",
    unknown: str = "raise",
    changed: Mapping[int, Any] | None = None,
) -> Replay:
    """Evaluate a graph in another number system; see `Trace.replay`."""
    system = systems.find(number_system, precision=precision, functions=functions)
    evaluator = Evaluator(columns, system, literals=literals, unknown=unknown)
    if changed:
        with system.context():
            changed = {node: evaluator.number(value) for node, value in changed.items()}
    values = evaluator.run(changed)
    flipped = evaluator.flipped(Places(columns))
    return replace(
        Replay(system.name, tuple(values), structure(result, values), flipped, evaluator.kept),
    )
