"""The nodes of all turns of a loop, written to the columns at once, after the model of one turn."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np

from visual_debug.columns import INDEX, Activation, Run
from visual_debug.replaying.symbols import Leaf, Ref
from visual_debug.replaying.turn import NUMBERS, Carried, Item, Made, Turn, Unfit

#: From how many turns before a variable may be handed on.
_LAGS = 3
#: Turns whose values are in the processor's cache together.
_PORTION = 2048


class Writer:
    """Appends the nodes of all turns to the columns, and leaves the frame as after the last."""

    def __init__(self, turn: Turn, turns: int) -> None:
        self.turn = turn
        self.turns = turns
        self.machine = turn.machine
        self.frame = turn.frame
        self.columns = turn.machine.columns
        self.base = len(turn.machine.columns)
        self.period = len(turn.nodes)
        self.taken: dict[Item, list[Ref]] = {}
        self.last: dict[Item, Ref] = {}  # what each iterator gave in the last turn

    def write(self) -> None:
        """Do so. Raises Unfit with nothing changed."""
        turn, turns, period, base = self.turn, self.turns, self.period, self.base
        operands = [self._ids(ref) for node in turn.nodes for ref in node.operands]
        numbers = {item: self._numbers(item) for item in turn.counters}
        locals_after = {name: self._after(turn.outer.locals[name]) for name in turn.stored}
        columns, machine = self.columns, self.machine
        try:
            self._write_values(numbers)
        except Unfit:
            del columns.value[base:]
            raise
        names = [turn.item_names.get(n.item) if n.item is not None else n.name for n in turn.nodes]
        self._repeat(columns.kind, array(INDEX, [columns.kind_of(n.op, n.site) for n in turn.nodes]))
        self._repeat(columns.name, names)
        self._activate()
        for place, node in enumerate(turn.nodes):
            if node.call is not None:
                columns.calls.update(zip(range(base + place, base + turns * period, period), repeat(node.call)))
        self._write_operands(operands)
        columns.runs.append(Run(base, period, turns))
        for item in turn.given:
            self.last[item] = self._take(item)
        self.frame.locals.update((name, after()) for name, after in locals_after.items())
        machine.v += (turn.v - machine.v) * turns
        machine.p += (turn.p - machine.p) * turns

    def _repeat(self, column: Any, part: Any) -> None:
        """Append the same to a column in each turn."""
        portion = part * min(_PORTION, self.turns)
        for _ in range(self.turns // _PORTION):
            column.extend(portion)
        column.extend(part * (self.turns % _PORTION))

    def _write_operands(self, operands: list[Any]) -> None:
        """The operands of all nodes, given the ids of each, and where those of each node begin."""
        columns, count = self.columns, len(operands)
        ends = np.cumsum([len(node.operands) for node in self.turn.nodes], dtype=np.int32) + np.int32(columns.start[-1])
        for low in range(0, self.turns, _PORTION):
            high = min(low + _PORTION, self.turns)
            table = np.empty((high - low, count), np.int32)
            for column, ids in enumerate(operands):
                table[:, column] = ids if type(ids) is int else ids[low:high]
            columns.operand.frombytes(table.reshape(-1).view(np.uint8).data)
            starts = ends + np.int32(count) * np.arange(low, high, dtype=np.int32)[:, None]
            columns.start.frombytes(starts.reshape(-1).view(np.uint8).data)

    def _activate(self) -> None:
        """The activations of all turns, and which of them each node is of."""
        turns, columns, entered = self.turns, self.columns, self.turn.entered
        own, base = self.frame.activation, len(columns.activations)
        if not entered:
            self._repeat(columns.activation, array(INDEX, [own]) * self.period)
            return
        for first in range(base, base + turns * len(entered), len(entered)):
            for number, call in enumerate(entered):
                caller = own if call.caller < 0 else first + call.caller
                columns.activations.append(Activation(first + number, call.function, caller))
        places = np.array([node.activation for node in self.turn.nodes], np.int32)
        steps = np.where(places < 0, 0, len(entered)).astype(np.int32)
        begin = np.where(places < 0, own, base + places).astype(np.int32)
        numbers = begin + steps * np.arange(turns, dtype=np.int32)[:, None]
        columns.activation.frombytes(numbers.reshape(-1).view(np.uint8).data)

    def _write_values(self, numbers: dict[Item, Any]) -> None:
        """The values of all nodes. Raises Unfit where one on the tape is no plain number."""
        turn, machine = self.turn, self.machine
        stride = turn.v - machine.v
        column = self.columns.value
        for low in range(0, self.turns, _PORTION):
            high = min(low + _PORTION, self.turns)
            begin, end = machine.v + low * stride, machine.v + high * stride
            part: list[Any] = [None] * ((high - low) * self.period)
            for place, node in enumerate(turn.nodes):
                if node.item is not None:
                    part[place :: self.period] = numbers[node.item][low:high]
                elif node.offset >= 0:
                    found = machine.values[begin + node.offset : end : stride]
                    if not set(map(type, found)) <= NUMBERS:
                        raise Unfit
                    part[place :: self.period] = found
                else:
                    part[place :: self.period] = [node.value] * (high - low)
            column += part

    def _ids(self, ref: Ref) -> Any:
        """The ids of an operand in all turns."""
        if type(ref) is Made:
            return self._made(ref, 0)
        if type(ref) is Carried:
            return self._carried(ref)
        if type(ref) is Item:
            return [item.node if type(item) is Leaf else item for item in self._items(ref)]
        return ref

    def _made(self, ref: Made, lag: int) -> Any:
        return self.base + ref.place + self.period * np.arange(-lag, self.turns - lag, dtype=np.int32)

    def _carried(self, ref: Carried) -> Any:
        """The ids of what a variable holds at the beginning of each turn."""
        entered: list[int] = []
        end: Ref = ref
        while type(end) is Carried:
            if len(entered) == _LAGS:
                raise Unfit
            entered.append(self._entry(end.name))
            end = self.turn.outer.locals[end.name]
        if type(end) is not Made:
            raise Unfit
        ids = self._made(end, len(entered))
        ids[: len(entered)] = entered
        return ids

    def _entry(self, name: str) -> int:
        """The node that a variable held before the first turn."""
        ref = self.frame.locals.get(name)
        if type(ref) is Leaf:
            ref = ref.node
        if type(ref) is not int or type(self.columns.value[ref]) not in NUMBERS:
            raise Unfit
        return ref

    def _items(self, item: Item) -> list[Ref]:
        """What an iterator over a list gave in all turns: numbers that are nodes, and the very ones that were recorded."""
        if item not in self.taken:
            machine = self.machine
            stride = self.turn.v - machine.v
            refs = self.turn.stream(item).peek(self.turns)
            values = machine.values[
                machine.v : machine.v + stride * self.turns : stride
            ]  # what FOR_ITER gave is the first
            if refs is None or len(refs) != self.turns:
                raise Unfit
            for ref, value in zip(refs, values, strict=True):
                is_node = type(ref) is int or (type(ref) is Leaf and ref.node is not None)
                if not is_node or type(value) not in NUMBERS or not machine.agrees(ref, value):
                    raise Unfit
            self.taken[item] = refs
        return self.taken[item]

    def _numbers(self, item: Item) -> Any:
        """What a range gave in all turns."""
        numbers = self.turn.stream(item).peek(self.turns)
        if len(numbers) != self.turns:
            raise Unfit
        return numbers

    def _take(self, item: Item) -> Ref:
        """Move an iterator on by all turns; returns what it gave in the last."""
        turn, stream = self.turn, self.turn.stream(item)
        name = turn.item_names.get(item)
        stream.skip(self.turns - 1)
        last: Ref = stream.advance(None)
        if not stream.counts:
            for ref in self.taken.get(item, ()) if name is not None else ():
                self._name(ref, name)
            return last
        last.name = name
        if item in turn.counters:
            last.node = self.base + (self.turns - 1) * self.period + turn.counters[item].place
        return last

    def _name(self, ref: Ref, name: str | None) -> None:
        """Bind a number that was there before to a variable."""
        node = ref
        if type(ref) is Leaf:
            ref.name = ref.name or name
            node = ref.node
        if self.columns.name[node] is None:
            self.columns.name[node] = name

    def _after(self, ref: Ref) -> Callable[[], Ref]:
        """What gives the reference of a variable after the last turn."""
        if type(ref) is Made:
            node = self.base + (self.turns - 1) * self.period + ref.place
            return lambda: node
        if type(ref) is Carried:
            node = int(self._carried(ref)[-1])
            return lambda: node
        if type(ref) is Item:
            if not self.turn.stream(ref).counts:
                self._items(ref)
            return lambda: self.last[ref]
        return lambda: ref
