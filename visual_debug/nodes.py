"""`Node`: one operation of a trace, as users hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visual_debug import display
from visual_debug.columns import MISSING, Columns
from visual_debug.sweeps import adjoint
from visual_debug.tracing.tape import Source

if TYPE_CHECKING:
    from visual_debug.traces import Trace


class Node:
    """One operation, input or literal of a trace.

    A view: two nodes are equal if they are the same node of the same trace. Usable as its id wherever an index is.
    """

    __slots__ = ("_trace", "id")

    def __init__(self, trace: Trace, id: int) -> None:
        self._trace = trace
        self.id = id

    @property
    def _columns(self) -> Columns:
        return self._trace._columns

    @property
    def op(self) -> str:
        """`input`, `const`, `opaque`, an `operator` name (`mul`) or a function's name (`math.exp`)."""
        return self._columns.op[self.id]

    @property
    def symbol(self) -> str:
        """What stands in its box: `*`, `exp`, `x`, `**2`."""
        return display.symbol(self._columns, self.id)

    @property
    def value(self) -> Any:
        """What the operation yielded; for one that raised, None."""
        value = self._columns.value[self.id]
        return None if value is MISSING else value

    @property
    def raised(self) -> bool:
        """Whether the operation raised an exception instead of yielding a value."""
        return self._columns.value[self.id] is MISSING

    @property
    def name(self) -> str | None:
        """The variable that the value was first bound to."""
        return self._columns.name[self.id]

    @property
    def operands(self) -> tuple[int, ...]:
        """Ids of the operands in order; a node used twice stands there twice."""
        return tuple(self._columns.operands(self.id))

    @property
    def source(self) -> Source:
        """File, line, end line, column, end column, and the text of the expression."""
        return self._columns.site[self.id].source

    @property
    def function(self) -> str:
        """Qualified name of the function that computed it."""
        return self._columns.activations[self.call].function

    @property
    def call(self) -> int:
        """Which activation computed it: 0 is the traced call itself."""
        return self._columns.activation[self.id]

    @property
    def adjoint(self) -> Any:
        """d result / d this value; None if the result does not depend on it. Raises as `Trace.adjoints` does."""
        return self._trace.adjoints.get(self.id)

    @property
    def partials(self) -> tuple[Any, ...]:
        """d value / d operand for each operand; None where that is no number per element, or there is none."""
        return tuple(adjoint.partial(self._columns, self.id, i) for i in range(len(self.operands)))

    @property
    def pullback(self) -> str | None:
        """The rule as text, with the operands as x, y, w and the result as z; None for leaves and unknown rules."""
        return adjoint.pullback_text(self._columns, self.id)

    @property
    def pullback_values(self) -> str | None:
        """The rule as text with values in place: `Δ -> (Δ*5, Δ*3)`."""
        return adjoint.pullback_text(self._columns, self.id, values=True)

    def __index__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.id == self.id and other._trace is self._trace

    def __hash__(self) -> int:
        return hash((id(self._trace), self.id))

    def __repr__(self) -> str:
        name = f" {self.name}" if self.name and self.name != self.symbol else ""
        return f"<Node {self.id}: {self.symbol}{name} = {display.value_text(self._columns.value[self.id])}>"
