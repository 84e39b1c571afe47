"""The computation graph as columns: one entry per node, in execution order, which is a topological order.

This is what replay yields and what everything else (graph, sweeps, steps, pictures) reads. Operands are kept in the
compressed-row form: those of node `i` are `operand[start[i]:start[i + 1]]`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from visual_debug.errors import TraceError

if TYPE_CHECKING:
    from visual_debug.tape import Site


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


@dataclass(frozen=True, slots=True)
class Activation:
    """One execution of one function: who called it, from which node's site, and what it is called."""

    index: int
    function: str  #: qualified name
    caller: int | None  #: index of the calling activation


@dataclass(slots=True)
class Columns:
    """Columns of a trace. Lists of equal length, one entry per node (`start` has one more)."""

    op: list[str] = field(default_factory=list)
    value: list[Any] = field(default_factory=list)
    name: list[str | None] = field(default_factory=list)
    site: list[Site] = field(default_factory=list)
    activation: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    operand: list[int] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    activations: list[Activation] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.op)

    def operands(self, node: int) -> list[int]:
        """Node ids of the operands of `node`, in order; a node used twice is there twice."""
        return self.operand[self.start[node] : self.start[node + 1]]

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

    def part(self, kept: list[int]) -> Columns:
        """Columns of some of the nodes, in order; those must include all operands of theirs."""
        renumbered = {old: new for new, old in enumerate(kept)}
        part = Columns(activations=self.activations)
        for old in kept:
            part.op.append(self.op[old])
            part.value.append(self.value[old])
            part.name.append(self.name[old])
            part.site.append(self.site[old])
            part.activation.append(self.activation[old])
            part.operand.extend(renumbered[i] for i in self.operands(old))
            part.start.append(len(part.operand))
            if old in self.calls:
                part.calls[renumbered[old]] = self.calls[old]
        return part

    def check(self) -> None:
        """Raise TraceError unless the columns agree in length and every operand precedes its operation."""
        n = len(self.op)
        lengths = {len(self.value), len(self.name), len(self.site), len(self.activation), len(self.start) - 1}
        if lengths != {n} or self.start[-1] != len(self.operand):
            raise TraceError(f"columns of unequal length: {n} operations, others {sorted(lengths)}")
        for node in range(n):
            for operand in self.operands(node):
                if not 0 <= operand < node:
                    raise TraceError(f"node {node} ({self.op[node]}) reads node {operand}, which is not before it")
