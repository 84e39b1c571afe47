"""Where an operation stands and what it worked on, as the text that every diagnosis prints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.numeric import view

#: Of a long list of findings so many are printed, and it is said how many there are.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Place:
    """One operation of a trace, and how the program had come to it.

    `turn` counts how often this very expression had been evaluated in this activation, from 1: in a loop, the
    iteration. `path` are the qualified names of the active functions, the traced one first.
    """

    node: int
    op: str
    file: str
    line: int | None
    text: str
    function: str
    path: tuple[str, ...]
    turn: int
    turns: int
    operands: tuple[str, ...]
    value: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        within = " > ".join(self.path)
        again = f", evaluation {self.turn} of {self.turns}" if self.turns > 1 else ""
        return f"{where} in {within}{again}: {self.said}"

    @property
    def said(self) -> str:
        """The expression, its operands and its value."""
        what = f"`{' '.join(self.text.split())}`" if self.text else self.op
        if self.op == "input" and not self.text:
            what = "the argument"
        given = f" with {', '.join(self.operands)}" if self.operands else ""
        return f"{what}{given} → {self.value}"


class Places:
    """The places of a trace's nodes. The first one takes a pass over the columns, for the counts of evaluations."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    @cached_property
    def expressions(self) -> list[int]:
        """For each kind of node the number of its expression: Python compiles some, as the test of `while`, twice."""
        columns = self.columns
        known: dict[tuple[Any, ...], int] = {}
        return [
            known.setdefault((op, s.file, s.function, s.line, s.column, s.end_line, s.end_column), len(known))
            for op, s in zip(columns.op.entries, columns.site.entries, strict=True)
        ]

    @cached_property
    def _sorted(self) -> tuple[Any, Any]:
        """Nodes sorted by expression and activation, and of each a number that stands for those two."""
        columns = self.columns
        expressions = np.array(self.expressions or [0], np.int64)
        key = expressions[view(columns.kind)] * len(columns.activations) + view(columns.activation)
        key = key.astype(np.int16) if key.max(initial=0) < 2**15 else key  # sorted by radix
        order = np.argsort(key, kind="stable")
        return order, key

    def _turn(self, node: int) -> tuple[int, int]:
        """Which evaluation of its expression in its activation a node is, from 1, and of how many."""
        order, key = self._sorted
        first, end = (int(np.searchsorted(key, key[node], side, sorter=order)) for side in ("left", "right"))
        return int(np.searchsorted(order[first:end], node)) + 1, end - first

    def __call__(self, node: int) -> Place:
        """The place of a node."""
        columns = self.columns
        site, activation, op = columns.site[node], columns.activation[node], columns.op[node]
        turn, turns = self._turn(node) if op != "input" else (1, 1)
        return Place(
            node,
            op,
            site.file,
            site.line,
            site.text or (columns.name[node] or "" if op == "input" else ""),
            site.function,
            call_path(columns, activation),
            turn,
            turns,
            operand_texts(columns, node),
            number_text(columns.value[node]),
        )


def call_path(columns: Columns, activation: int | None) -> tuple[str, ...]:
    """Qualified names of the functions that were active, the traced one first."""
    path: list[str] = []
    while activation is not None:
        current = columns.activations[activation]
        path.append(current.function)
        activation = current.caller
    return tuple(reversed(path))


def operand_texts(columns: Columns, node: int) -> tuple[str, ...]:
    """The operands as `name = value` where that says more than the value, to 17 digits where they are floats."""
    texts = []
    for operand in columns.operands(node)[:6]:
        value = number_text(columns.value[operand])
        label = display.symbol(columns, operand) if columns.op[operand] == "input" else columns.name[operand]
        label = label or (columns.site[operand].text if columns.op[operand] != "const" else None)
        label = " ".join(label.split()) if label else ""
        texts.append(f"{label} = {value}" if label and label != value and len(label) <= 40 else value)
    return tuple(texts)


def written(value: Any) -> str:
    """As `str` has it; integers that are too long for that, in short."""
    try:
        return str(value)
    except ValueError:
        return display.value_text(value)


def number_text(value: Any) -> str:
    """A lone float in full, with its type if that is not Python's, since its last digits matter here; anything else as in pictures."""
    if type(value) is float:
        return repr(value)
    if isinstance(value, np.floating):
        return f"{value.dtype}({value.item()!r})" if value.dtype.itemsize <= 8 else str(value)
    return display.value_text(value)


def listed(lines: Iterable[object], what: str, total: int | None = None, shown: int = SHOWN) -> list[str]:
    """The first lines, indented, and how many more there are of `total`."""
    every = [str(line) for line in lines]
    count = len(every) if total is None else total
    rest = [f"  … and {count - shown} more {what}"] if count > shown else []
    return [f"  {line}" for line in every[:shown]] + rest


def graded(magnitudes: Mapping[int, float], labels: Mapping[int, str]) -> dict[int, tuple[float, str]]:
    """The colouring of a diagnosis: node id -> (0 to 1, label), relative to the largest magnitude."""
    most = max((m for m in magnitudes.values() if math.isfinite(m)), default=0.0)
    return {
        node: (1.0 if not math.isfinite(m) else m / most if most else 0.0, labels.get(node, ""))
        for node, m in magnitudes.items()
    }
