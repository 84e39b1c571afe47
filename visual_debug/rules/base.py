"""What a derivative rule is: the interface that the sweeps, the frames and the pictures use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: Turns a value into the short text that stands for it inside a formula; "" keeps the operand's letter.
Format = Callable[[Any], str]

#: A pullback of (delta, z, args), the adjoint of the result, the result and the positional arguments.
Bound = Callable[[Any, Any, Sequence[Any]], Any]

#: Letters of the operands in formula texts, by position.
LETTERS = ("x", "y", "w")


class _Zero(int):
    """The type of `ZERO`."""


#: The derivative of an operation that does not depend on an operand. Unlike a computed 0 it makes the contribution 0
#: whatever the adjoint is: 0 * inf, which is NaN, would hide where the inf came from.
ZERO = _Zero(0)


class MissingPartial(LookupError):
    """The derivative with respect to one operand does not exist, or is not known.

    Attributes: `op` (name of the operation), `where` (the operand), `reason` (in words).
    """

    def __init__(self, op: str, where: Where, reason: str) -> None:
        super().__init__(f"{op} has no derivative with respect to operand {where!r}: {reason}")
        self.op = op
        self.where = where
        self.reason = reason


class NoPartial(ValueError):
    """Raised inside a formula or a pullback, which knows the reason but neither its operation nor the operand.

    A ValueError, as that of a function outside its domain: who runs a compiled partial by itself turns to the rule.
    """


class Rule:
    """How one operation passes adjoints to its operands, and tangents to its result.

    The adjoint of a complex number x = a + bi under a real result L is dL/da - i dL/db, so that adjoints are
    multiplied by dz/dx itself, never by its conjugate, and f'(x) comes out for a holomorphic f. Rules whose result
    is real may give a complex partial for a complex operand: tangents are then the real part of its product with the
    operand's. Real operands get the real part of what a rule gives them.

    Attributes:
        op: the operation's name (`"mul"`, `"math.exp"`, `"numpy.sum"`).
        symbol: what a box shows (`"*"`, `"exp"`).
        note: the decision taken at kinks and corners, in words; "" if there is none to take.
        arity: how many leading positional arguments are differentiable operands; None for all of them.

    """

    #: Whether it writes to its first argument, whose new content is then its result `z`.
    writes = False
    #: Whether it takes conjugates: it has no derivative in the sense of complex numbers, only by their two parts.
    conjugates = False

    def __init__(self, op: str, symbol: str, note: str = "", arity: int | None = None) -> None:
        self.op = op
        self.symbol = symbol
        self.note = note
        self.arity = arity

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.op}>"

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Contribution of `delta`, the adjoint of the result `z`, to the operand at `where`.

        For an array operand it has the operand's shape (broadcasting undone), for a list or tuple operand it is a
        tuple with one item each. Raises MissingPartial where no derivative exists.
        """
        raise NotImplementedError

    def pull_each(
        self, wheres: Sequence[Where], delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Sequence[Any]:
        """`pull` for several operands of one call, where that is quicker at once. Raises MissingPartial for any of them."""
        return [self.pull(where, delta, z, args, kwargs) for where in wheres]

    def bound(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound | None:
        """`pull` for values of the types and shapes of these, which it need not look at again; None if it must.

        It gives the same bits, and leaves it to the caller to have NumPy's warnings off. Any exception means that
        `pull` is to be asked.
        """
        return None

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Contribution of the tangent of the operand at `where` to the tangent of `z`, in the shape of `z`.

        Raises MissingPartial where no derivative exists.
        """
        raise NotImplementedError

    def partial(self, where: Where, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """dz / d operand if that is a number per element, else None. Raises MissingPartial where there is none."""
        return None

    def text(
        self,
        where: Where,
        count: int,
        args: Sequence[Any] | None = None,
        z: Any = None,
        fmt: Format | None = None,
        *,
        values: bool = True,
    ) -> str:
        """The contribution to the operand at `where` as text in Δ: `"Δ*y"`, or `"Δ*5"` if `args` and `z` are given.

        `count` is the number of operands. With `values=False` only what is not an operand (a literal exponent) is
        read from `args`. Raises MissingPartial where no derivative exists.
        """
        raise NotImplementedError


def letter(position: int, count: int) -> str:
    """Name of an operand in a text: x, y, w for up to three operands, else x0, x1, …."""
    return LETTERS[position] if count <= len(LETTERS) else f"x{position}"


def path_text(where: Where, count: int) -> str:
    """Name of the operand at `where`: `y`, `x[2]` for a nested one, the keyword's name for a keyword.

    >>> path_text(1, 2), path_text((0, 2), 5), path_text(("initial",), 1)
    ('y', 'x[2]', 'initial')
    """
    if isinstance(where, int):
        return letter(where, count)
    head, *rest = where
    name = head if isinstance(head, str) else letter(head, head + 1)
    return name + "".join(f"[{step!r}]" for step in rest)


def is_out(where: Where) -> bool:
    """Whether an operand is what the result is written to, alone or in a tuple."""
    return isinstance(where, tuple) and where[0] == "out"


def value_at(where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The operand that stands at `where` among the arguments."""
    if isinstance(where, int):
        return args[where]
    head, *rest = where
    value = kwargs[head] if isinstance(head, str) else args[head]
    for step in rest:
        value = value[step]
    return value
