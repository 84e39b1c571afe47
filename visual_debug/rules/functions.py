"""Rules of operations that are not elementwise: functions for the pullback and the tangent, a text that says it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from visual_debug.rules import products
from visual_debug.rules.base import Bound, Format, MissingPartial, NoPartial, Rule, is_out, value_at

if TYPE_CHECKING:
    from visual_debug.columns import Where

#: pull(delta, z, *args, **kwargs) or push(tangent, z, *args, **kwargs), called as the operation itself was.
Pass = Callable[..., Any]


class FunctionRule(Rule):
    """One `pull` and one `push` function per operand, which take the operation's own arguments after (delta, z).

    A nested operand, at a path such as (0, 2), gets its part of what the whole argument gets. `names` are the keywords
    that operands may come under; by default the parameters of the first function that follow (delta, z). `named` are the
    pull and the push of operands that come as keywords alone.
    """

    #: Whether tangents are found from pullbacks, one for each element of the result.
    pushes_by_pulls = False

    def __init__(
        self,
        op: str,
        pulls: Sequence[Pass],
        pushes: Sequence[Pass] = (),
        *,
        texts: Sequence[str] = (),
        note: str = "",
        symbol: str | None = None,
        names: Sequence[str] | None = None,
        named: Mapping[str, tuple[Pass, Pass]] | None = None,
    ) -> None:
        super().__init__(op, op.rpartition(".")[2] if symbol is None else symbol, note, len(pulls))
        self._pulls, self._pushes, self._texts = tuple(pulls), tuple(pushes), tuple(texts)
        self._named = dict(named or {})
        self.names = tuple(names) if names is not None else _parameters(pulls[0])[: len(pulls)]

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(value_at(where, args, kwargs))  # its old content is written over
        if isinstance(where, tuple) and len(where) == 1 and where[0] in self._named:
            way = self._named[str(where[0])][:1]
            return _like_number(self._run(way, 0, where, delta, z, args, kwargs), kwargs[str(where[0])], ())
        position, rest, args, kwargs = self._call(where, args, kwargs)
        whole = self._run(self._pulls, position, where, delta, z, args, kwargs)
        for step in rest:
            whole = whole[step]
        return _like_number(whole, args[position], rest)

    def bound(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Bound | None:
        named = {name for names in self.names for name in names.split("|")} | {"out"}
        if type(self).pull is not FunctionRule.pull or not isinstance(where, int) or not named.isdisjoint(kwargs):
            return None
        if where >= len(self._pulls) or not hasattr(args[where], "strides") or isinstance(args[where], float | complex):
            return None
        pull = self._pulls[where]
        if kwargs:
            return lambda delta, z, args: pull(delta, z, *args, **kwargs)
        return lambda delta, z, args: pull(delta, z, *args)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(z)
        if isinstance(where, tuple) and len(where) == 1 and where[0] in self._named:
            return self._run(self._named[str(where[0])][1:], 0, where, tangent, z, args, kwargs)
        position, rest, args, kwargs = self._call(where, args, kwargs)
        tangent = products.placed(tangent, args[position], rest)
        if self.pushes_by_pulls:
            return self._pushed_by_pulls(position, where, tangent, z, args, kwargs)
        return self._run(self._pushes, position, where, tangent, z, args, kwargs)

    def _pushed_by_pulls(
        self, position: int, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """The tangent of each element of the result, from the pullback of that element alone."""
        import numpy as np

        parts = list(z) if isinstance(z, tuple) else [z]
        found = []
        for k, part in enumerate(parts):
            value = np.asarray(part)
            ways = (1.0, -1j) if value.dtype.kind == "c" else (1.0,)
            total = np.zeros(value.size, value.dtype if value.dtype.kind == "c" else np.float64)
            for i, way in ((i, way) for i in range(value.size) for way in ways):
                unit = np.zeros(value.size, complex if len(ways) > 1 else float)
                unit[i] = way
                deltas: list[Any] = [np.zeros(np.shape(p)) for p in parts]
                deltas[k] = unit.reshape(value.shape)
                delta = tuple(deltas) if isinstance(z, tuple) else deltas[0]
                whole = self._run(self._pulls, position, where, delta, z, args, kwargs)
                total[i] += np.real(np.sum(np.asarray(whole) * tangent)) * (1j if way == -1j else 1.0)
            found.append(total.reshape(value.shape))
        return tuple(found) if isinstance(z, tuple) else found[0]

    def _call(
        self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, tuple[Any, ...], tuple[Any, ...], Mapping[str, Any]]:
        if not kwargs and isinstance(where, int) and (self.arity is None or where < self.arity):
            return where, (), tuple(args), kwargs
        position, rest, values = products.positional(where, args, kwargs, self.names)
        if isinstance(position, str) or (self.arity is not None and position >= self.arity):
            raise MissingPartial(self.op, where, "no derivative with respect to this argument is known")
        return (
            position,
            rest,
            values,
            {key: value for key, value in kwargs.items() if key not in self.names and key != "out"},
        )

    def _run(self, passes: tuple[Pass, ...], position: int, where: Where, *call: Any) -> Any:
        change, z, args, kwargs = call
        if position >= len(passes):
            raise MissingPartial(self.op, where, "its rule gives no function for this direction and operand")
        with _quiet(z, *args):
            try:
                return passes[position](change, z, *args, **kwargs)
            except NoPartial as reason:
                raise MissingPartial(self.op, where, str(reason)) from None

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
        position = where if isinstance(where, int) else where[0]
        position = self.names.index(position) if isinstance(position, str) and position in self.names else position
        if isinstance(position, int) and position < len(self._texts):
            text = self._texts[position]
        else:
            text = f"pull_{self.op.rpartition('.')[2]}(Δ)"
        return text if isinstance(where, int) else text + "".join(f"[{step!r}]" for step in where[1:])


def _parameters(function: Pass) -> tuple[str, ...]:
    """Names of the parameters after (delta, z), up to the first that takes many."""
    names = []
    for parameter in list(inspect.signature(function).parameters.values())[2:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            break
        names.append(parameter.name)
    return tuple(names)


def _quiet(*values: Any) -> AbstractContextManager[Any]:
    """NumPy's warnings off, where NumPy is at work."""
    if not any(hasattr(value, "__array_ufunc__") for value in values):
        return nullcontext()
    import numpy as np

    return np.errstate(all="ignore")


def _like_number(contribution: Any, operand: Any, rest: tuple[Any, ...]) -> Any:
    """A Python number for a Python number: rules for arrays give arrays without dimensions."""
    for step in rest:
        operand = operand[step]
    if isinstance(operand, int | float | complex) and getattr(contribution, "shape", None) == ():
        return contribution if hasattr(operand, "dtype") else contribution.item()
    return contribution
