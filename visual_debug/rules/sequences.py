"""Rules of functions that take any number of numbers: sum, max, math.prod, math.hypot, math.dist and kin.

An operand is an item, addressed by its path: `where = (0, 2)` is the third item of the first argument. The container
itself (`where = 0`) is an operand too; its adjoint is a tuple, or an array for an array.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from visual_debug.rules import products
from visual_debug.rules.base import ZERO, Format, MissingPartial, NoPartial, Rule, path_text, value_at
from visual_debug.rules.formula import Formula, compact, times_delta

if TYPE_CHECKING:
    from visual_debug.columns import Where

Path = tuple[Any, ...]
Arguments = tuple[Any, ...]


class ManyRule(Rule):
    """A rule for every item alike: `formula` is its partial over z, the item x and, for pairs, its partner y.

    `compute(path, z, args)` replaces the formula's value where items must be compared with each other.
    """

    def __init__(
        self,
        op: str,
        formula: str | tuple[str, str],
        note: str = "",
        *,
        containers: int = 1,
        nested: Callable[[Arguments, Any], bool] = lambda args, z: True,
        compute: Callable[[Path, Any, Arguments], Any] | None = None,
    ) -> None:
        super().__init__(op, op.rpartition(".")[2], note)
        self._formula = Formula(formula) if isinstance(formula, str) else Formula(*formula)
        self._containers = containers  #: how many leading arguments hold the items
        self._nested = nested  #: whether they do, in a call with these arguments
        self._compute = compute

    def partial(self, where: Where, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values = self._call(where, args, kwargs)
        return None if self._is_container(path, values, z) else self._one(path, z, values)

    def pull(self, where: Where, delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values = self._call(where, args, kwargs)
        return self._pull(path, delta, z, values)

    def pull_each(
        self, wheres: Sequence[Where], delta: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Sequence[Any]:
        if self._compute is not _winner:
            return super().pull_each(wheres, delta, z, args, kwargs)
        calls = [self._call(where, args, kwargs) for where in wheres]
        if any(values is not args or self._is_container(path, values, z) for path, values in calls):
            return super().pull_each(wheres, delta, z, args, kwargs)
        first = _first_winner(z, args)
        operands = [(path, value_at(path, args, {})) for path, _ in calls]
        return [products.pulled(delta, 1 if path[-1] == first else ZERO, z, operand) for path, operand in operands]

    def _pull(self, path: Path, delta: Any, z: Any, args: Arguments) -> Any:
        operand = value_at(path, args, {})
        if not self._is_container(path, args, z):
            return products.pulled(delta, self._one(path, z, args), z, operand)
        parts = tuple(self._pull((*path, i), delta, z, args) for i in range(len(operand)))
        return _like(operand, parts)

    def push(self, where: Where, tangent: Any, z: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        path, values = self._call(where, args, kwargs)
        if not self._is_container(path, values, z):
            return products.pushed(tangent, self._one(path, z, values), z)
        return sum(self.push((*path, i), item, z, values, {}) for i, item in enumerate(tangent))

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
        names = {"x": path_text(where, count), "y": path_text(_partner(_path(where)), 2)}
        if args is None or not values:
            return times_delta(self._formula.tree, names)
        path, call = self._call(where, args, {})
        if self._is_container(path, call, z):
            return times_delta(self._formula.tree, names)
        if "==" in self._formula.show:
            return "Δ" if self._one(path, z, call) else "0"
        return times_delta(self._formula.tree, names | self._substitutes(path, z, call, fmt))

    def _substitutes(self, path: Path, z: Any, args: Arguments, fmt: Format | None) -> dict[str, str]:
        pairs = {"z": z, "x": value_at(path, args, {}), "y": self._other(path, args)}
        texts = {name: (fmt or compact)(value) for name, value in pairs.items()}
        return {name: text for name, text in texts.items() if text}

    def _call(self, where: Where, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Path, Arguments]:
        """Path of the operand and positional arguments, where `start` comes last; one `default` is as one item."""
        path, values = _path(where), tuple(args)
        if path[0] == "default" and len(args) == 1 and len(args[0]) == 0:
            return (0, 0), ((kwargs["default"],),)
        if "start" in kwargs:
            values = (*values, kwargs["start"])
        if path[0] == "start":
            path = (len(args),)
        if not isinstance(path[0], int):
            raise MissingPartial(self.op, where, "it does not depend smoothly on this argument")
        return path, values

    def _is_container(self, path: Path, args: Arguments, z: Any) -> bool:
        return len(path) == 1 and path[0] < self._containers and self._nested(args, z)

    def _one(self, path: Path, z: Any, args: Arguments) -> Any:
        try:
            if self._compute is not None:
                return self._compute(path, z, args)
            return self._formula(z, (value_at(path, args, {}), self._other(path, args)))
        except NoPartial as reason:
            raise MissingPartial(self.op, path, str(reason)) from None

    def _other(self, path: Path, args: Arguments) -> Any:
        """The item of the other argument that is paired with this one, if there is one."""
        if len(path) < 2 or self._containers < 2:
            return None
        return value_at(_partner(path), args, {})


def _path(where: Where) -> Path:
    return (where,) if isinstance(where, int) else where


def _partner(path: Path) -> Path:
    return (1 - path[0], *path[1:]) if path[0] in (0, 1) else path


def _like(container: Any, parts: tuple[Any, ...]) -> Any:
    if not hasattr(container, "shape"):
        return parts
    import numpy as np

    return np.array(parts).reshape(container.shape)


def _listed(args: Arguments, z: Any) -> dict[Path, Any]:
    """All items by path, whether they were given in a container or one by one."""
    if not _holds_items(args, z):
        return {(k,): item for k, item in enumerate(args)}
    return {(0, i): item for i, item in enumerate(args[0])} | {(k,): args[k] for k in range(1, len(args))}


def _holds_items(args: Arguments, z: Any) -> bool:
    """Whether the first argument is the container of the items, rather than the first of several items.

    Only an array may be either: then the shape of the result tells, and for `sum(vector, vector)` its content.
    """
    shape = getattr(args[0], "shape", None)
    if not shape:
        return shape is None and hasattr(args[0], "__len__")
    import numpy as np

    shapes = [np.shape(item) for item in args[1:]]
    got, rows = np.shape(z), np.broadcast_shapes(shape[1:], *shapes)
    if got != rows or got != np.broadcast_shapes(shape, *shapes):
        return bool(got == rows)
    return len(args) > 1 and bool(np.allclose(z, sum(args[0], start=args[1]), equal_nan=True))


def _one_container(args: Arguments, z: Any) -> bool:
    return len(args) == 1 and _holds_items(args, z)


def _winner(path: Path, z: Any, args: Arguments) -> int:
    """1 for the first item that is the result, which is the one that Python's max and min return."""
    return 1 if path[-1] == _first_winner(z, args) else ZERO


def _first_winner(z: Any, args: Sequence[Any]) -> int | None:
    items = args[0] if _one_container(tuple(args), z) else args
    return next((i for i, item in enumerate(items) if item is z or _same(item, z)), None)


def _same(item: Any, z: Any) -> bool:
    equal = item == z
    return bool(equal.all()) if getattr(equal, "shape", ()) else bool(equal)


def _product_of_others(path: Path, z: Any, args: Arguments) -> Any:
    """z / x where that is exact enough, else the product of the other items: right with zeros and overflows."""
    x = value_at(path, args, {})
    if type(z) is int and type(x) is int and x:
        return z // x
    if type(z) is float and isinstance(x, float | int) and x and 1e-300 < abs(z) < math.inf and abs(x) < math.inf:
        return z / x
    result = 1
    for other, item in _listed(args, z).items():
        if other != path:
            result = products.times(result, item)
    return result


def _distance_sign(path: Path, z: Any, args: Arguments) -> Any:
    x, y = value_at(path, args, {}), value_at(_partner(path), args, {})
    return _OVER(z, (x - y,))


_OVER = Formula("x/z", "over(x, z)")
_FIRST = "tie: the first of the equal arguments gets it all, as it is the one that Python returns"
_ORIGIN = "where z = 0 the derivative is taken as 0"


_RULES = (
    ManyRule("sum", "1", nested=_holds_items),
    ManyRule("math.fsum", "1", nested=_holds_items),
    ManyRule("math.prod", "z/x", nested=_holds_items, compute=_product_of_others),
    ManyRule("max", "x==z", _FIRST, nested=_one_container, compute=_winner),
    ManyRule("min", "x==z", _FIRST, nested=_one_container, compute=_winner),
    ManyRule("math.hypot", ("x/z", "over(x, z)"), _ORIGIN, nested=lambda args, z: False),
    ManyRule("math.dist", "(x-y)/z", _ORIGIN, containers=2, compute=_distance_sign),
    ManyRule("math.sumprod", "y", containers=2),
)
TABLE: dict[str, Rule] = {rule.op: rule for rule in _RULES}
