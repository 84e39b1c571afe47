"""Two runs side by side: where they first differ, how the difference grows, and where one went another way.

Operations are matched by call path, expression and evaluation: the k-th evaluation of `x * y` in the k-th call of a
function along the same path. So two inputs, two number types, or two versions of a function can be compared: the traced
functions stand for each other, whatever they are called and wherever they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from visual_debug.columns import MISSING, Columns
from visual_debug.diagnose import evaluate, lifted, numbers
from visual_debug.diagnose.places import Place, Places, call_path, graded, listed


@dataclass(frozen=True, slots=True)
class Difference:
    """One operation in which two runs differ.

    Attributes:
        here, there: ids of the node in the one trace and the other.
        relative: |a - b| / max(|a|, |b|), of arrays the worst element; inf where shapes or kinds differ.
        inherited: the part that comes with the operands: what the operation of the first run makes of the operands of
            the second, against its own result; None where the operation cannot be called again.
        added: the part that the operation itself adds.
        place, other: the operation in both runs.

    """

    here: int
    there: int
    relative: float
    inherited: float | None
    added: float | None
    place: Place
    other: Place

    def __str__(self) -> str:
        parts = ""
        if self.added is not None and self.inherited is not None:
            parts = f" (inherited {self.inherited:.1e}, added {self.added:.1e})"
        return f"{self.relative:.1e}{parts}: {self.place}, in the other run {self.other.value}"


@dataclass(frozen=True, slots=True)
class Parting:
    """A comparison that came out one way here and the other way there."""

    place: Place
    other: Place

    def __str__(self) -> str:
        there = ", ".join(self.other.operands)
        return f"{self.place}; in the other run {self.other.value} with {there}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where two runs part.

    Attributes:
        first: the first operation whose values differ by more than the tolerance; None if none does.
        growth: operations at which the difference became ten times what it was before.
        added: the expressions that add most themselves, at most 10, the worst evaluation of each.
        parted: comparisons that came out differently, in order: from the first on, the runs do different things.
        matched, only_here, only_there: how many operations have a partner, and how many have none.
        alone: the first operations without a partner, of the first run and of the other.
        result: relative difference of the results; None where these are no numbers of one shape.
        differences: node id of the first trace -> relative difference, where that is more than the tolerance.

    """

    first: Difference | None
    growth: tuple[Difference, ...]
    added: tuple[Difference, ...]
    parted: tuple[Parting, ...]
    matched: int
    only_here: int
    only_there: int
    alone: tuple[tuple[Place, ...], tuple[Place, ...]]
    result: float | None
    differences: dict[int, float]

    @property
    def colours(self) -> dict[int, tuple[float, str]]:
        """Node id of the first trace -> (0 to 1, label), by the logarithm of the difference."""
        logs = {
            a: math.log10(max(d, 1e-20)) + 20 if math.isfinite(d) else math.inf for a, d in self.differences.items()
        }
        return graded(logs, {a: f"differs by {d:.1e}" for a, d in self.differences.items()})

    @property
    def ok(self) -> bool:
        """Whether both runs did the same with the same numbers."""
        return self.first is None and not self.parted and not self.only_here and not self.only_there

    def __str__(self) -> str:
        if self.ok:
            return f"the same in all {self.matched} operations"
        lines = []
        if self.result is not None:
            lines.append(f"the results differ by {self.result:.1e} (relative)")
        if self.first is not None:
            lines += ["first difference:", f"  {self.first}"]
        if len(self.growth) > 1:
            lines += ["where it grows tenfold:", *listed(self.growth[1:], "operations")]
        if self.added:
            lines += ["what adds most itself:", *listed(self.added, "operations")]
        if self.parted:
            lines += ["comparisons that came out differently:", *listed(self.parted, "comparisons")]
        if self.only_here or self.only_there:
            lines.append(
                f"{self.matched} operations matched, {self.only_here} only in the first run, {self.only_there} only in the other"
            )
            for which, places in zip(("first", "other"), self.alone, strict=True):
                if places:
                    lines += [f"only in the {which} run, to begin with:", *(f"  {place}" for place in places)]
        return "\n".join(lines)


_LEAVES = ("input", "const")
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})


def _keys(columns: Columns) -> dict[tuple[Any, ...], int]:
    """Operations by what they are matched by. Linear."""
    calls: dict[tuple[str, ...], int] = {}
    activations = []
    root = columns.activations[0].function if columns.activations else ""
    for index in range(len(columns.activations)):
        path = tuple(_from_root(name, root) for name in call_path(columns, index))
        calls[path] = calls.get(path, -1) + 1
        activations.append((path, calls[path]))
    turns: dict[tuple[Any, ...], int] = {}
    keys: dict[tuple[Any, ...], int] = {}
    texts: dict[int, str] = {}
    for node, (op, site, activation) in enumerate(zip(columns.op, columns.site, columns.activation, strict=True)):
        if op == "const":
            continue
        text = texts.get(id(site))
        if text is None:
            text = texts[id(site)] = "".join(site.text.split()) or f"{site.line}:{site.column}"
        name = columns.name[node] if op == "input" else None
        key = (activations[activation], name or text, op.rpartition(".")[2])
        turn = turns[key] = turns.get(key, -1) + 1
        keys[(*key, turn)] = node
    return keys


def _from_root(name: str, root: str) -> str:
    """The qualified name of a function, without that of the traced one."""
    return name.removeprefix(root) if name == root or name.startswith(f"{root}.") else name


def difference(a: Any, b: Any) -> float:
    """|a - b| / max(|a|, |b|) of two values, the worst element's; 0 for the same, NaN included; inf for unlike kinds."""
    if a is b:
        return 0.0
    if type(a) is float and type(b) is float:
        if a == b:
            return 0.0
        apart = abs(a - b) / max(abs(a), abs(b))
        if math.isnan(apart):
            return 0.0 if math.isnan(a) and math.isnan(b) else math.inf
        return apart
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return max((difference(x, y) for x, y in zip(a, b, strict=True)), default=0.0) if len(a) == len(b) else math.inf
    try:
        if np.shape(a) != np.shape(b):
            return math.inf
        if np.ndim(a) == 0:
            return _lone(a, b)
        x, y = (np.asarray(v) for v in (a, b))
        if x.dtype.kind not in "biufc" or y.dtype.kind not in "biufc":
            return 0.0 if bool(np.all(x == y)) else math.inf
        wide = np.complex128 if "c" in (x.dtype.kind, y.dtype.kind) else np.float64
        x, y = x.astype(wide), y.astype(wide)
        with np.errstate(all="ignore"):
            each = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
            same = (x == y) | (np.isnan(x) & np.isnan(y))
            each = np.where(same, 0.0, np.where(np.isnan(each), math.inf, each))
        return float(np.max(each)) if each.size else 0.0
    except (TypeError, ValueError):
        return 0.0 if a == b else math.inf


def _lone(a: Any, b: Any) -> float:
    # As doubles: a float32 equals every double that it is the nearest one to, in NumPy's comparisons.
    a, b = (float(v) if isinstance(v, np.floating) and v.dtype.itemsize < 8 else v for v in (a, b))
    if a == b or (numbers.any_nan(a) and numbers.any_nan(b)):
        return 0.0
    if isinstance(a, (bool, np.bool_)) or isinstance(b, (bool, np.bool_)):
        return math.inf
    try:
        a, b = (v if isinstance(v, (int, complex)) else float(v) for v in (a, b))
        apart = abs(a - b) / max(abs(a), abs(b))
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return math.inf if math.isnan(apart) else float(apart)


def compare(here: Columns, there: Columns, results: tuple[Any, Any], tolerance: float) -> Comparison:
    """Compare two traces, in time linear in both."""
    ours, theirs = _keys(here), _keys(there)
    pairs = [(node, theirs[key]) for key, node in ours.items() if key in theirs]
    places = Places(here), Places(there)
    partner = dict(pairs)
    differing: list[tuple[int, int, float]] = []
    parted: list[Parting] = []
    for a, b in pairs:
        x, y = here.value[a], there.value[b]
        if (x is MISSING) != (y is MISSING):
            differing.append((a, b, math.inf))
            continue
        if here.op[a] in _COMPARISONS and isinstance(x, (bool, np.bool_)):
            if bool(x) != bool(y):
                parted.append(Parting(places[0](a), places[1](b)))
            continue
        apart = difference(x, y)
        if apart > tolerance:
            differing.append((a, b, apart))

    def explained(item: tuple[int, int, float]) -> Difference:
        a, b, apart = item
        inherited, added = _parts(here, there, a, b)
        return Difference(a, b, apart, inherited, added, places[0](a), places[1](b))

    growth: list[tuple[int, int, float]] = []
    level = 0.0
    for item in differing:
        if item[2] >= 10 * level and (item[2] > level or not growth):
            growth.append(item)
            level = item[2]
    parts = [
        (item, _parts(here, there, item[0], item[1])[1] or 0.0)
        for item in differing
        if here.op[item[0]] not in _LEAVES and not _adds_nothing(here, there, item[0], item[1])
    ]
    worst: dict[int, tuple[tuple[int, int, float], float]] = {}  # of each expression
    for part in parts:
        kind = here.kind[part[0][0]]
        if part[1] > tolerance and (kind not in worst or part[1] > worst[kind][1]):
            worst[kind] = part
    most = sorted(worst.values(), key=lambda p: -p[1])[:10]
    result = difference(*results) if all(r is not None for r in results) else None
    return Comparison(
        explained(differing[0]) if differing else None,
        tuple(explained(item) for item in growth[:20]),
        tuple(explained(item) for item, _ in most),
        tuple(parted[:100]),
        len(pairs),
        len(ours) - len(partner),
        len(theirs) - len(partner),
        (_alone(ours, theirs, places[0]), _alone(theirs, ours, places[1])),
        result,
        {a: d for a, _, d in differing},
    )


def _alone(ours: dict[tuple[Any, ...], int], theirs: dict[tuple[Any, ...], int], places: Places) -> tuple[Place, ...]:
    return tuple(places(node) for node in islice((node for key, node in ours.items() if key not in theirs), _SHOWN))


#: Operations without a partner that are named.
_SHOWN = 3


def _adds_nothing(here: Columns, there: Columns, a: int, b: int) -> bool:
    """Whether both runs apply the same operation to doubles: then all of the difference comes with the operands."""
    if type(here.value[a]) is not float or type(there.value[b]) is not float or a in here.calls or b in there.calls:
        return False
    first, end, other = here.start[a], here.start[a + 1], there.start[b]
    return (
        here.op[a] == there.op[b]
        and end - first == there.start[b + 1] - other
        and all(
            type(here.value[here.operand[k]]) is type(there.value[there.operand[other + k - first]]) is float
            for k in range(first, end)
        )
    )


def _parts(here: Columns, there: Columns, a: int, b: int) -> tuple[float | None, float | None]:
    """The inherited and the added part of a difference: the first run's operation on the second run's operands."""
    function = lifted.native(here.op[a])
    if function is None or here.op[a] in _LEAVES or len(here.operands(a)) != len(there.operands(b)):
        return None, None
    values = {}
    for ours, theirs in zip(here.operands(a), there.operands(b), strict=True):
        values[ours] = _like(there.value[theirs], here.value[ours])
    args, kwargs = evaluate.arguments(here, a, values)  # type: ignore[arg-type]
    try:
        with np.errstate(all="ignore"):
            between = function(*args, **kwargs)
    except (ArithmeticError, ValueError, TypeError):
        return None, None
    return difference(here.value[a], between), difference(between, there.value[b])


def _like(value: Any, kind: Any) -> Any:
    """A value of the other run as the kind of number that stood in its place in this one."""
    if isinstance(kind, np.ndarray) and isinstance(value, np.ndarray):
        return value.astype(kind.dtype)
    if isinstance(value, np.generic) or isinstance(kind, np.generic):
        try:
            return type(kind)(value)
        except (TypeError, ValueError):
            return value
    return value
