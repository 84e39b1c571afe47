"""The computation graph as columns: one entry per node, in execution order, which is a topological order.

This is what replay yields and what everything else (graph, sweeps, steps, pictures) reads. Operands are kept in the
compressed-row form: those of node `i` are `operand[start[i]:start[i + 1]]`. What repeats is kept once and referred to
by number, and numbers are kept as machine integers, so that a node takes 30 to 40 bytes besides its value.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from visual_debug.errors import TraceError

if TYPE_CHECKING:
    from visual_debug.tracing.tape import Site


class Missing:
    """The type of `MISSING`, the value of an operation that raised and so has none."""

    def __repr__(self) -> str:
        return "<no value>"


MISSING = Missing()


class Several:
    """The type of `SEVERAL`, the value of an `opaque` node that stands for many numbers which cannot be told apart."""

    def __repr__(self) -> str:
        return "<several values>"


SEVERAL = Several()


class Overwritten:
    """The type of `OVERWRITTEN`, the value of an array that code which was not recorded wrote over."""

    def __repr__(self) -> str:
        return "<lost: overwritten by code that was not recorded>"


OVERWRITTEN = Overwritten()

#: Where an operand stands in a call: a position, or a path into nested arguments as `(0, 2)` or `("axis",)`.
Where = int | tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a node that is more than `op(*operands)`: a literal exponent, keywords, nested lists.

    `args` and `kwargs` hold the actual values; `where[k]` says where operand `k` of the node stands in them.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    where: tuple[Where, ...]


@dataclass(slots=True)  # not frozen: there may be millions, and that would take three times as long
class Activation:
    """One execution of one function: who called it, from which node's site, and what it is called."""

    index: int
    function: str  #: qualified name
    caller: int | None  #: index of the calling activation


T = TypeVar("T")

#: Traces of fewer nodes are done with before NumPy would be imported.
WORTH_NUMPY = 2000

#: Nodes whose columns are in the processor's cache together.
_PORTION = 2**15

#: The type code of columns of node numbers: 32 bits are enough for 200 times the default limit.
INDEX = "i"


class Encoded(Sequence[T]):
    """A column of few different entries: the number of each node's entry, and the entries."""

    __slots__ = ("codes", "entries")

    def __init__(self, codes: array[int], entries: list[T]) -> None:
        self.codes = codes
        self.entries = entries

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, node: int) -> T: ...
    @overload
    def __getitem__(self, node: slice) -> list[T]: ...
    def __getitem__(self, node: int | slice) -> T | list[T]:
        if isinstance(node, slice):
            return [self.entries[code] for code in self.codes[node]]
        return self.entries[self.codes[node]]

    def __iter__(self) -> Iterator[T]:
        return map(self.entries.__getitem__, self.codes)


class Run(NamedTuple):
    """Turns of a loop that have the same operations: nodes `first` to `first + period * turns`, in turns of `period`."""

    first: int
    period: int
    turns: int


def _is_in(ordered: Sequence[int], number: int) -> bool:
    at = bisect_left(ordered, number)
    return at < len(ordered) and ordered[at] == number


class Columns:
    """Columns of a trace, one entry per node (`start` has one more).

    Attributes:
        kind: number of each node's operation and place together; `op` and `site` are read through it.
        op: names of operations.
        site: places in the source.
        value: what the operations yielded.
        name: the variable that each value was first bound to, or None.
        activation: which execution of a function each node is of, an index into `activations`.
        start: where each node's operands begin in `operand`.
        operand: node ids, those of one node after those of the other.
        calls: arguments of nodes that are more than `op(*operands)`.
        runs: stretches that are known to repeat, a hint to sweeps, which look for themselves whether it holds.
        schedules: what sweeps keep for columns that differ in their values alone; None if there are no others.

    """

    __slots__ = ("_kinds", "activation", "activations", "calls", "kind", "name", "op", "operand", "runs", "schedules",
                 "site", "start", "value")  # fmt: skip

    def __init__(self, activations: list[Activation] | None = None) -> None:
        self.kind = array(INDEX)
        self.op: Encoded[str] = Encoded(self.kind, [])
        self.site: Encoded[Site] = Encoded(self.kind, [])
        self.value: MutableSequence[Any] = []
        self.name: list[str | None] = []
        self.activation = array(INDEX)
        self.start = array(INDEX, [0])
        self.operand = array(INDEX)
        self.calls: dict[int, Call] = {}
        self.activations: list[Activation] = [] if activations is None else activations
        self.runs: list[Run] = []
        self.schedules: dict[Any, Any] | None = None
        self._kinds: dict[tuple[str, Site], int] = {}

    def __len__(self) -> int:
        return len(self.kind)

    def kind_of(self, op: str, site: Site) -> int:
        """The number of an operation at a place."""
        code = self._kinds.get((op, site))
        if code is None:
            code = self._kinds[op, site] = len(self._kinds)
            self.op.entries.append(op)
            self.site.entries.append(site)
        return code

    def add(
        self, op: str, site: Site, value: Any, operands: Sequence[int], activation: int, name: str | None = None
    ) -> int:
        """Append a node; returns its id."""
        node = len(self.kind)
        self.kind.append(self.kind_of(op, site))
        self.value.append(value)
        self.name.append(name)
        self.activation.append(activation)
        self.operand.extend(operands)
        self.start.append(len(self.operand))
        return node

    def operands(self, node: int) -> list[int]:
        """Node ids of the operands of `node`, in order; a node used twice is there twice."""
        return self.operand[self.start[node] : self.start[node + 1]].tolist()

    def form(self, node: int) -> Any:
        """The value of a node or, where that has to be made first, an array of the same shape and type."""
        form = getattr(self.value, "form", None)
        return self.value[node] if form is None else form(node)

    def arguments(self, node: int) -> tuple[tuple[Any, ...], dict[str, Any], tuple[Where, ...]]:
        """Argument values, keyword values, and for each operand where it stands among them."""
        call = self.calls.get(node)
        operands = self.operands(node)
        if call is not None:
            # Operands by their nodes: the object in the call may be an array that was written to since.
            args = list(call.args)
            for operand, where in zip(operands, call.where, strict=True):
                if isinstance(where, int):
                    args[where] = self.value[operand]
            return tuple(args), call.kwargs, call.where
        return tuple(self.value[i] for i in operands), {}, tuple(range(len(operands)))

    def with_values(self, value: list[Any]) -> Columns:
        """Columns of the same graph with other values; all else is shared."""
        other = Columns.__new__(Columns)
        for name in Columns.__slots__:
            setattr(other, name, getattr(self, name))
        other.value = value
        return other

    def part(self, kept: Sequence[int]) -> Columns:
        """Columns of some of the nodes, in order; those must include all operands of theirs."""
        part = Columns(self.activations)
        for op, site in zip(self.op.entries, self.site.entries, strict=True):
            part.kind_of(op, site)
        part.value.extend(map(self.value.__getitem__, kept))
        part.name.extend(map(self.name.__getitem__, kept))
        part.kind.extend(map(self.kind.__getitem__, kept))
        part.activation.extend(map(self.activation.__getitem__, kept))
        renumbered = array(INDEX, bytes(4 * len(self)))
        start, operand = self.start, self.operand
        for new, old in enumerate(kept):
            renumbered[old] = new
            for k in range(start[old], start[old + 1]):
                part.operand.append(renumbered[operand[k]])
            part.start.append(len(part.operand))
        part.calls.update((renumbered[old], call) for old, call in self.calls.items() if _is_in(kept, old))
        return part

    def check(self) -> None:
        """Raise TraceError unless the columns agree in length and every operand precedes its operation."""
        n = len(self.kind)
        lengths = {len(self.value), len(self.name), len(self.activation), len(self.start) - 1}
        if lengths != {n} or self.start[-1] != len(self.operand):
            raise TraceError(f"columns of unequal length: {n} operations, others {sorted(lengths)}")
        node = self._disordered() if n > WORTH_NUMPY else self._disordered_of_few()
        if node is not None:
            raise TraceError(
                f"node {node} ({self.op[node]}) reads nodes {self.operands(node)}, which are not before it"
            )

    def _disordered_of_few(self) -> int | None:
        """The first node that has an operand which is not before it, or operands that begin nowhere."""
        for node in range(len(self)):
            if self.start[node] > self.start[node + 1] or not all(0 <= o < node for o in self.operands(node)):
                return node
        return None

    def _disordered(self) -> int | None:
        """The same by NumPy."""
        import numpy as np

        start, operand = np.frombuffer(self.start, np.int32), np.frombuffer(self.operand, np.int32)
        for low in range(0, len(self), _PORTION):
            starts = start[low : low + _PORTION + 1]
            counts = starts[1:] - starts[:-1]
            if counts.min() < 0 or starts[-1] > len(operand):
                return low + int(counts.argmin())
            owner = np.repeat(np.arange(low, low + len(counts), dtype=np.int32), counts)
            part = operand[starts[0] : starts[-1]]
            bad = (part < 0) | (part >= owner)
            if bad.any():
                return int(owner[bad.argmax()])
        return None
