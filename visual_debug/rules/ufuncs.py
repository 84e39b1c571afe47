"""Rules of the methods of ufuncs: reduce, accumulate, reduceat, outer and at, from the rule of the ufunc itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.rules import products
from visual_debug.rules.base import Format, MissingPartial, Rule, is_out, value_at

if TYPE_CHECKING:
    from visual_debug.columns import Where

METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")


class UfuncMethodRule(Rule):
    """What the methods share: the ufunc, and its elementwise rule."""

    names: tuple[str, ...] = ("array",)

    def __init__(self, op: str, ufunc: Any, elementwise: Rule) -> None:
        super().__init__(op, op.removeprefix("numpy."), elementwise.note, len(self.names))
        self._ufunc, self._rule = ufunc, elementwise

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(value_at(where, args, kwargs))
        position, rest, values, kwargs = self._call(where, args, kwargs)
        operand = values[position]
        if self.names[position] == "indices":
            return products.zero_like(value_at(where, args, kwargs))
        whole = self._pull(position, np.broadcast_to(delta, np.shape(z)), z, values, kwargs)
        return products.number_for(operand, np.asarray(whole).reshape(np.shape(operand)), rest)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_out(where):
            return products.zero_like(z)
        position, rest, values, kwargs = self._call(where, args, kwargs)
        if self.names[position] == "indices":
            return products.zero_like(z)
        whole = np.asarray(products.placed(tangent, values[position], rest))
        return np.reshape(self._push(position, whole, z, values, kwargs), np.shape(z))

    def _call(
        self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, tuple[Any, ...], tuple[Any, ...], dict[str, Any]]:
        position, rest, values = products.positional(where, args, kwargs, self.names)
        if isinstance(position, str) or position >= len(self.names):
            raise MissingPartial(self.op, where, "no derivative with respect to this argument is known")
        gone = {*self.names, "out", "dtype"}
        return position, rest, values, {key: value for key, value in kwargs.items() if key not in gone}

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError

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
        return f"{self.symbol} back(Δ)"


class AccumulateRule(UfuncMethodRule):
    """z[i] = f(z[i - 1], x[i]) along an axis, all of it."""

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        axis = _axis(args, kwargs)
        delta, z, a = (np.moveaxis(np.asarray(v), axis, 0) for v in (delta, z, args[0]))
        found = fold_back(self._rule, delta, z, a)
        return np.moveaxis(found, 0, axis)

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        axis = _axis(args, kwargs)
        tangent, z, a = (np.moveaxis(np.asarray(v), axis, 0) for v in (tangent, z, args[0]))
        return np.moveaxis(fold_on(self._rule, tangent, z, a), 0, axis)


class ReduceRule(UfuncMethodRule):
    """The last of an accumulation."""

    def _folded(self, args: tuple[Any, ...], kwargs: dict[str, Any], z: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
        """The operand with what is reduced as first axis, its accumulation, and the way back for the operand."""
        if kwargs.get("where", True) is not True or kwargs.get("initial") is not None:
            raise MissingPartial(self.op, 0, "its derivative with where= or initial= is not covered")
        a, axis = np.asarray(args[0]), _axis(args, kwargs)
        axes = tuple(range(a.ndim)) if axis is None else tuple(int(i) % a.ndim for i in np.atleast_1d(axis))
        moved = np.moveaxis(a, axes, range(len(axes)))
        lined = moved.reshape(-1, *moved.shape[len(axes) :])
        return (
            lined,
            self._ufunc.accumulate(lined.astype(np.result_type(lined, np.asarray(z)))),
            lambda found: np.moveaxis(found.reshape(moved.shape), range(len(axes)), axes),
        )

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        a, all_z, back = self._folded(args, kwargs, z)
        deltas = np.zeros(all_z.shape, np.result_type(delta, np.float64))
        deltas[-1] = np.reshape(delta, all_z.shape[1:])
        return back(fold_back(self._rule, deltas, all_z, a))

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        a, all_z, _ = self._folded(args, kwargs, z)
        tangents = self._folded((tangent, *args[1:]), kwargs, z)[0]
        return fold_on(self._rule, tangents, all_z, a)[-1]


class ReduceAtRule(UfuncMethodRule):
    """Reductions of stretches that begin at given indices."""

    names = ("array", "indices")

    def _stretches(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        size, indices = np.shape(args[0])[self._along(args, kwargs)], np.asarray(args[1]).tolist()
        return [(i, j if j > i else i + 1) for i, j in zip(indices, [*indices[1:], size], strict=True)]

    def _along(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        return int(args[2] if len(args) > 2 else kwargs.get("axis", 0))

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position == 1:
            return products.zero_like(args[1])
        axis = self._along(args, kwargs)
        a, delta = np.moveaxis(np.asarray(args[0]), axis, 0), np.moveaxis(delta, axis, 0)
        total = np.zeros(a.shape, np.result_type(delta, np.float64))
        for k, (start, stop) in enumerate(self._stretches(args, kwargs)):
            part = a[start:stop]
            deltas = np.zeros(part.shape, total.dtype)
            deltas[-1] = delta[k]
            total[start:stop] += fold_back(self._rule, deltas, self._ufunc.accumulate(part), part)
        return np.moveaxis(total, 0, axis)

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position == 1:
            return products.zero_like(z)
        axis = self._along(args, kwargs)
        a, tangent = np.moveaxis(np.asarray(args[0]), axis, 0), np.moveaxis(tangent, axis, 0)
        parts = [
            fold_on(self._rule, tangent[i:j], self._ufunc.accumulate(a[i:j]), a[i:j])[-1]
            for i, j in self._stretches(args, kwargs)
        ]
        return np.moveaxis(np.stack(parts), 0, axis)


class OuterRule(UfuncMethodRule):
    """f of every pair."""

    names = ("A", "B")

    def _pair(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        left = np.asarray(args[0])
        return left.reshape(left.shape + (1,) * np.ndim(args[1])), np.asarray(args[1])

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._rule.pull(position, delta, z, self._pair(args), kwargs)

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pair = self._pair(args)
        return self._rule.push(position, tangent.reshape(pair[position].shape), z, pair, kwargs)


class AtRule(UfuncMethodRule):
    """a[indices] = f(a[indices], b) in place, one after the other where an index comes more than once."""

    names = ("a", "indices", "b")
    writes = True

    def _turns(self, args: tuple[Any, ...]) -> tuple[Any, list[tuple[Any, tuple[Any, ...], Any]], Any]:
        """For each turn, in which every place is written to once: places, operands of f, and results."""
        a = np.array(args[0], dtype=np.result_type(args[0], np.float16))
        places = np.arange(a.size).reshape(a.shape)[args[1]]
        others = [np.broadcast_to(np.asarray(b), places.shape).ravel() for b in args[2:3]]
        flat, values = places.ravel(), a.ravel()
        order = np.argsort(flat, kind="stable")
        rank = np.empty(flat.size, np.intp)
        ordered = flat[order]
        first = np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1]) if flat.size else np.zeros(0, np.intp)
        rank[order] = np.arange(flat.size) - np.repeat(first, np.diff([*first, flat.size]))
        turns: list[tuple[Any, tuple[Any, ...], Any]] = []
        for turn in range(int(rank.max(initial=-1)) + 1):
            chosen = np.flatnonzero(rank == turn)
            operands = (values[flat[chosen]], *(b[chosen] for b in others))
            found = self._ufunc(*operands)
            values[flat[chosen]] = found
            turns.append((chosen, operands, found))
        return flat, turns, places

    def _pull(self, position: int, delta: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position == 1:
            return products.zero_like(args[1])
        flat, turns, places = self._turns(args)
        adjoint = np.array(delta, np.result_type(delta, np.float64)).ravel()
        of_b = np.zeros(flat.size, adjoint.dtype)
        for chosen, operands, found in reversed(turns):
            change = adjoint[flat[chosen]]
            if len(operands) > 1:
                of_b[chosen] = self._rule.pull(1, change, found, operands, {})
            adjoint[flat[chosen]] = self._rule.pull(0, change, found, operands, {})
        if position == 0:
            return adjoint
        return products.unbroadcast(of_b.reshape(places.shape), np.asarray(args[2]))

    def _push(self, position: int, tangent: Any, z: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if position == 1:
            return products.zero_like(z)
        flat, turns, places = self._turns(args)
        total = np.array(
            tangent if position == 0 else np.zeros(np.shape(z)), dtype=np.result_type(tangent, float)
        ).ravel()
        of_b = np.broadcast_to(tangent if position == 2 else 0.0, places.shape).ravel()
        for chosen, operands, found in turns:
            change = self._rule.push(0, total[flat[chosen]], found, operands, {})
            if len(operands) > 1:
                change = change + self._rule.push(1, of_b[chosen], found, operands, {})
            total[flat[chosen]] = change
        return total


def _axis(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[1] if len(args) > 1 else kwargs.get("axis", 0)


def fold_back(rule: Rule, delta: Any, z: Any, a: Any) -> Any:
    """Adjoint of x under z[i] = f(z[i - 1], x[i]), z[0] = x[0], along the first axis."""
    found = np.zeros(np.shape(a), np.result_type(delta, np.float64))
    carried: Any = 0.0
    for i in range(len(a) - 1, 0, -1):
        change = np.asarray(delta[i] + carried)
        pair = (np.asarray(z[i - 1]), np.asarray(a[i]))
        found[i] = rule.pull(1, change, np.asarray(z[i]), pair, {})
        carried = rule.pull(0, change, np.asarray(z[i]), pair, {})
    if len(a):
        found[0] = delta[0] + carried
    return found


def fold_on(rule: Rule, tangent: Any, z: Any, a: Any) -> Any:
    """Tangent of z under z[i] = f(z[i - 1], x[i]), z[0] = x[0], along the first axis."""
    found = np.zeros(np.shape(z), np.result_type(tangent, np.float64))
    if len(a):
        found[0] = tangent[0]
    for i in range(1, len(a)):
        pair = (np.asarray(z[i - 1]), np.asarray(a[i]))
        found[i] = rule.push(0, found[i - 1], np.asarray(z[i]), pair, {})
        found[i] += rule.push(1, np.asarray(tangent[i]), np.asarray(z[i]), pair, {})
    return found


_KINDS: dict[str, type[UfuncMethodRule]] = {
    "reduce": ReduceRule, "accumulate": AccumulateRule, "reduceat": ReduceAtRule, "outer": OuterRule, "at": AtRule,
}  # fmt: skip


def method_rule(op: str, elementwise: Rule | None) -> Rule | None:
    """The rule of `numpy.<ufunc>.<method>`, given that of the ufunc; None for anything else."""
    name, _, method = op.removeprefix("numpy.").rpartition(".")
    ufunc = getattr(np, name, None) if name and "." not in name else None
    if elementwise is None or method not in _KINDS or not isinstance(ufunc, np.ufunc):
        return None
    return _KINDS[method](op, ufunc, elementwise)
