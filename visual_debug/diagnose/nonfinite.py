"""The life of every NaN and infinity: where it was born, what carried it, where it ended, and whether it mattered.

What a NaN or infinity is made of is decided element by element (`carried`), so that one that was masked, or that
stands elsewhere in the same array, is not taken for the cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from visual_debug import display
from visual_debug.columns import MISSING, Columns
from visual_debug.diagnose import numbers
from visual_debug.diagnose.carried import Carried, Reaching
from visual_debug.diagnose.places import Place, Places, listed
from visual_debug.rules.names import canonical

#: A number this near to the largest of its format, as a factor, is about to overflow.
NEAR = 1024.0
#: Events and near misses are explained up to so many; the rest is counted.
EXPLAINED = 100
#: Operations that compare: a NaN ends in them as a truth value, and can decide a branch.
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "not_", "truth", "bool"})
_LEAVES = ("input", "const")


@dataclass(frozen=True, slots=True)
class Birth:
    """A NaN or infinity that none of the operands brought along.

    `kind` is `given` (an argument or literal), `overflow`, `division by zero`, `zero times infinity`,
    `infinity minus infinity`, `infinity over infinity`, `outside the domain`, `not recorded` (an opaque value), or for
    a call that raised `raised`. `chain` are the ids from here to the result, where `reaches` is True; else to where the
    longest-lived descendant ended. `decided` are comparisons that saw it: they may have sent the program another way.
    `elements` is how many were born there at once, `at` the indices of the first five of them; () of a lone number.
    """

    node: int
    kind: str
    place: Place
    elements: int
    reaches: bool
    chain: tuple[int, ...]
    ended: tuple[int, ...]
    decided: tuple[int, ...]
    because: tuple[int, ...]  #: operands that are themselves infinite, for `infinity minus infinity` and its kin
    at: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        fate = "reaches the result" if self.reaches else "harmless: never reaches the result"
        if not self.reaches and self.decided:
            fate = "does not reach the result, but was compared: it may have decided a branch"
        elements = ""
        if self.at:
            more = ", …" if self.elements > len(self.at) else ""
            which = ", ".join(str(list(index)) for index in self.at) + more
            elements = f" (element{'s' * (self.elements > 1)} {which})"
        return f"{self.kind}{elements}, {fate}: {self.place}"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """`latent overflow` (within 1024 of the largest number), `subnormal`, or `underflow to zero`."""

    node: int
    kind: str
    place: Place
    count: int  #: how often there, in this expression

    def __str__(self) -> str:
        often = f" ({self.count} times, first here)" if self.count > 1 else ""
        return f"{self.kind}{often}: {self.place}"


@dataclass(frozen=True, slots=True)
class NonfiniteReport:
    """Every NaN and infinity of a call.

    Attributes:
        births: those born, what reaches the result first, each kind in order of execution; at most the first 100 are explained.
        count: how many nodes are not finite.
        born: how many births there were.
        near: near misses, one for each kind and expression, in order of execution.
        result: whether the result itself is not finite.
        raised: the operation that raised, and why, if the call did.
        story: the chain from the first birth that matters to the result, one line each.
        colours: node id -> (0 to 1, label): 1 born, 0.6 carried, 0.3 ended.
    """

    births: tuple[Birth, ...]
    count: int
    born: int
    near: tuple[NearMiss, ...]
    result: bool
    raised: Birth | None
    story: tuple[str, ...]
    colours: dict[int, tuple[float, str]]

    @property
    def ok(self) -> bool:
        """Whether nothing went wrong: the result is finite, nothing raised, and no NaN decided a branch."""
        return not self.result and self.raised is None and not any(b.decided for b in self.births)

    @property
    def cause(self) -> Birth | None:
        """The first birth that reaches the result, or what raised; None if there is none."""
        return next((b for b in self.births if b.reaches), self.raised)

    def __str__(self) -> str:
        lines = []
        if self.raised is not None:
            lines += [f"raised: {self.raised.kind}: {self.raised.place}"]
        if not self.born:
            lines.append("every value is finite" if self.raised is None else "every value before it is finite")
        else:
            reaching = sum(b.reaches for b in self.births)
            what = f"{self.count} values that are not finite, born in {self.born} place{'s' * (self.born != 1)}"
            if self.born <= EXPLAINED:
                what += f"; {reaching} of {self.born} reach{'es' * (reaching == 1)} the result"
            lines.append(what)
            lines += listed(self.births, "births", self.born)
        if self.story:
            lines += ["how it came about:", *(f"  {line}" for line in self.story)]
        if self.near:
            lines += ["near misses:", *listed(self.near, "near misses")]
        return "\n".join(lines)


def story(columns: Columns, outputs: Iterable[int], raised: str | None = None) -> NonfiniteReport:
    """The life of every NaN and infinity. Linear in the trace; a second or two for a million operations."""
    outputs = list(outputs)
    carried = Carried(columns)
    places = Places(columns)
    is_bad, parents, born = carried.is_bad, carried.parents, list(carried.fresh)
    reaching = Reaching(carried, [o for o in outputs if is_bad[o]])
    children, ends, deciders = _descendants(columns, is_bad, parents)
    births = [_birth(places, node, carried, reaching, children, ends, deciders) for node in _first(born, reaching)]
    near = _near_misses(places)
    failure = _raised(places, raised)
    colours = dict.fromkeys(parents, (0.6, "carried")) | dict.fromkeys(born, (1.0, "born"))
    colours |= {end: (0.3, "ended here") for found in ends.values() for end in found}
    lines = _told(places, births, failure)
    return NonfiniteReport(
        tuple(births),
        len(carried.nodes),
        len(born),
        tuple(near),
        any(is_bad[o] for o in outputs),
        failure,
        lines,
        colours,
    )


def _descendants(
    columns: Columns, is_bad: bytearray, parents: dict[int, list[int]]
) -> tuple[dict[int, list[int]], dict[int, list[int]], dict[int, list[int]]]:
    """For what is not finite: who carries it on, in which finite values it ends, and which comparisons saw it."""
    children: dict[int, list[int]] = {}
    for node, carriers in parents.items():
        for parent in carriers:
            children.setdefault(parent, []).append(node)
    ends: dict[int, list[int]] = {}
    deciders: dict[int, list[int]] = {}
    if not parents:
        return children, ends, deciders
    used = bytearray(len(columns))
    for operand in columns.operand:
        used[operand] = 1
    for node in range(min(parents), len(columns)):
        if is_bad[node]:
            continue
        for operand in columns.operands(node):
            if is_bad[operand]:
                ends.setdefault(operand, []).append(node)
                if columns.op[node] in _COMPARISONS and type(columns.value[node]) is bool and not used[node]:
                    deciders.setdefault(operand, []).append(node)
    return children, ends, deciders


def _first(born: list[int], reaching: Reaching) -> list[int]:
    """Which births are explained: those that matter first, each kind in order."""
    return [*(n for n in born if n in reaching), *(n for n in born if n not in reaching)][:EXPLAINED]


def _birth(
    places: Places,
    node: int,
    carried: Carried,
    reaching: Reaching,
    children: dict[int, list[int]],
    ends: dict[int, list[int]],
    deciders: dict[int, list[int]],
) -> Birth:
    chain, at = [node], node
    if node in reaching:
        chain = reaching.chain(node)
    else:
        while at in children:
            at = children[at][0]
            chain.append(at)
    family, work = {node}, [node]
    while work and len(family) < _FAMILY:
        for child in children.get(work.pop(), ()):
            if child not in family:
                family.add(child)
                work.append(child)
    ended = sorted({e for member in family for e in ends.get(member, ())})
    decided = sorted({d for member in family for d in deciders.get(member, ())})
    return Birth(
        node,
        kind_of(places.columns, node),
        places(node),
        carried.fresh[node],
        node in reaching,
        tuple(chain),
        tuple(ended),
        tuple(decided),
        tuple(carried.became[node]),
        tuple(tuple(map(int, index)) for index in np.argwhere(carried.born(node))[:5] if len(index)),
    )


#: Descendants of one birth that are looked at for where they end.
_FAMILY = 10_000


def kind_of(columns: Columns, node: int) -> str:
    """Why an operation yielded a NaN or infinity."""
    op = canonical(columns.op[node])
    z = columns.value[node]
    if op in _LEAVES:
        return "given"
    if op == "opaque":
        return "not recorded"
    values = [columns.value[o] for o in columns.operands(node)]
    if op in ("truediv", "numpy.divide", "itruediv", "floordiv", "mod", "numpy.reciprocal", "numpy.remainder"):
        divisor = values[-1] if values else 1
        if bool(np.any(np.asarray(divisor == 0) & numbers.nonfinite(z))):
            zero_over_zero = op != "numpy.reciprocal" and bool(
                np.any((np.asarray(values[0]) == 0) & (np.asarray(divisor) == 0))
            )
            return "zero over zero" if zero_over_zero and numbers.any_nan(z) else "division by zero"
        if numbers.any_nan(z):
            return "infinity over infinity"
    if numbers.any_nan(z):
        infinite = any(numbers.any_nonfinite(v) for v in values)
        if infinite and op in (
            "add",
            "sub",
            "numpy.add",
            "numpy.subtract",
            "iadd",
            "isub",
            "numpy.sum",
            "sum",
            "math.fsum",
        ):
            return "infinity minus infinity"
        if infinite and op in ("mul", "numpy.multiply", "imul", "matmul", "numpy.dot", "numpy.matmul"):
            return "zero times infinity"
        return "outside the domain"
    poles = (
        "math.log",
        "math.log2",
        "math.log10",
        "math.log1p",
        "numpy.log",
        "numpy.log2",
        "numpy.log10",
        "numpy.log1p",
    )
    if op in (*poles, "math.atanh", "numpy.arctanh") or (
        op in ("pow", "numpy.power", "math.pow") and values and bool(np.any(np.asarray(values[0]) == 0))
    ):
        return "a pole"
    return "overflow"


def _near_misses(places: Places) -> list[NearMiss]:
    columns = places.columns
    found: list[tuple[int, str]] = []
    vectors = numbers.vectors(columns.value)
    size = np.abs(vectors.value)
    with np.errstate(invalid="ignore"):
        high = vectors.is_float & (size > numbers.DOUBLE.huge / NEAR) & np.isfinite(size)
        low = vectors.is_float & (size < numbers.DOUBLE.tiny)
    for node in np.flatnonzero(high).tolist():
        found.append((node, "latent overflow"))
    for node in np.flatnonzero(low).tolist():
        if size[node] > 0:
            found.append((node, "subnormal"))
        elif _underflowed(columns, node):
            found.append((node, "underflow to zero"))
    for node, value in enumerate(columns.value):
        if type(value) not in (float, int, bool) and (form := numbers.format_of(value)) is not None:
            found.extend((node, kind) for kind in _near_of(np.abs(np.asarray(value)), form))
    found = sorted(item for item in found if columns.op[item[0]] not in _LEAVES)
    groups: dict[tuple[Any, str, str], list[int]] = {}
    for node, kind in found:
        groups.setdefault((columns.site[node], columns.op[node], kind), []).append(node)
    return [NearMiss(nodes[0], kind, places(nodes[0]), len(nodes)) for (_, _, kind), nodes in groups.items()]


def _near_of(size: Any, form: numbers.Format) -> list[str]:
    with np.errstate(invalid="ignore"):
        size = size.astype(np.float64)
        kinds = ["latent overflow"] if bool(np.any((size > form.huge / NEAR) & np.isfinite(size))) else []
        return kinds + (["subnormal"] if bool(np.any((size > 0) & (size < form.tiny))) else [])


def _underflowed(columns: Columns, node: int) -> bool:
    """Whether a zero is what is left of something that was not zero."""
    values = [columns.value[o] for o in columns.operands(node)]
    match columns.op[node]:
        case "mul" | "truediv" | "pow" | "math.pow":
            first = values[0] if values else 0
            second = values[1] if len(values) > 1 else 1
            if columns.op[node] == "truediv":
                return bool(first != 0) and not numbers.any_nonfinite(second)
            return bool(first != 0 and second != 0) and not any(map(numbers.any_nonfinite, values))
        case "math.exp" | "math.exp2":
            return not numbers.any_nonfinite(values[0])
    return False


def _raised(places: Places, error: str | None) -> Birth | None:
    """The operation that raised, if the call did and it is in the trace."""
    columns = places.columns
    if error is None or not len(columns) or columns.value[len(columns) - 1] is not MISSING:
        return None
    node = len(columns) - 1
    chain = _zero_line(columns, node)
    return Birth(node, error, places(node), 1, True, tuple(chain), (), (), (), ())


def _zero_line(columns: Columns, node: int) -> list[int]:
    """The operation that raised, and what its last operand was computed by."""
    operands = columns.operands(node)
    if not operands:
        return [node]
    cause = operands[-1]
    return [cause, node] if columns.op[cause] not in _LEAVES else [node]


#: Lines of the story; in the middle of a longer one, lines are left out.
_LINES = 12


def _told(places: Places, births: list[Birth], failure: Birth | None) -> tuple[str, ...]:
    columns = places.columns
    first = next((b for b in births if b.reaches), None) or failure
    if first is None:
        return ()
    born = {b.node for b in births}
    chain, seen = [], set()
    for node in first.chain:  # what a loop does again and again is told once
        what = (id(columns.site[node]), columns.op[node], node in born)
        if what not in seen or node == first.chain[-1]:
            seen.add(what)
            chain.append(node)
    left = len(first.chain) - len(chain)
    cut = chain if len(chain) <= _LINES else [*chain[: _LINES - 1], chain[-1]]
    left += len(chain) - len(cut)
    lines = []
    for node in cut:
        if left and node == cut[-1]:
            lines.append(f"… {left} more operations that carry it, there or further on")
        kind = kind_of(columns, node) if node in born else "carried"
        if failure is first:
            kind = failure.kind if node == failure.node else "it got"
        name = columns.name[node]
        lines.append(f"{kind}: {places(node)}" + (f" ({name})" if name else ""))
    lines[-1] += "" if failure is first else ", which is in the result"
    return tuple(lines)


def explain_exception(columns: Columns, error: BaseException) -> str | None:
    """What the operation that raised had got, as a note for its exception; None if it is not in the trace."""
    places = Places(columns)
    failure = _raised(places, f"{type(error).__name__}: {error}")
    if failure is None:
        return None
    return "visual_debug: " + "\n  ".join(
        [str(failure.place), *(_got(places, o) for o in columns.operands(failure.node))]
    )


def _got(places: Places, node: int) -> str:
    columns = places.columns
    if columns.op[node] in _LEAVES:
        what = "the argument" if columns.op[node] == "input" else "the literal"
        return f"{what} {display.symbol(columns, node)} was {display.value_text(columns.value[node])}"
    return f"where {places(node)}"
