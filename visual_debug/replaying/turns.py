"""Replay of loops whose turns are alike: one turn is worked out, all of them are written down at once.

Where a loop works on plain numbers and goes the same way many times, the nodes of a turn are those of the turn before
with ids moved on. Here the instructions of one turn are executed with variables standing for what the turn before left
in them; that yields the turn's nodes, each operand either of the turn itself, of the turn before, of an item that the
loop was given, or of a node from before the loop. Then it is checked for all turns what replay would check one by one:
that the path is the same and that the values are numbers. Anything else (an instruction that is not listed here, an
array, an object) is left to the replay instruction by instruction, which is exact by itself; so is the last turn.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from visual_debug.replaying import turn_opcodes
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.symbols import Ref
from visual_debug.replaying.turn import Turn, Unfit
from visual_debug.replaying.turn_writer import Writer

#: Fewer turns are replayed as quickly one by one.
LEAST = 4
#: So many turns at once are worth another look at once.
WORTH = 32


def advance(machine: Machine, frame: Frame, event: tuple[int, int], path: Callable[[], Any]) -> int:
    """Replay as many turns as are alike of the loop that a frame stands at the head of; returns how many.

    `event` is where on the tape the next event is due, (values, words), and `path()` the path as an array.
    """
    if is_barred(machine, frame):
        return 0
    try:
        turn = _steady(machine, frame, event)
        turns = _how_many(turn, event, path)
        if turns < LEAST:
            return 0
        Writer(turn, turns).write()
    except Unfit:
        return 0
    return turns


def is_barred(machine: Machine, frame: Frame) -> bool:
    """Whether arrays are written to, or a call is under way, which no turn can be told from another in."""
    return bool(
        machine.tape.snapshots or machine.memory.active or frame.pending is not None or frame.keywords
    )  # fmt: skip


def _steady(machine: Machine, frame: Frame, event: tuple[int, int]) -> Turn:
    """The turn with every variable that changes from turn to turn taken as one that does."""
    carried: set[str] = set()
    while True:
        turn = Turn(machine, frame, event, carried)
        turn.run(turn_opcodes.HANDLERS)
        changed = {
            name for name in turn.stored & turn.first_read if not _is_same(turn.outer.locals[name], frame.locals[name])
        }
        if changed <= carried:
            return turn
        carried |= changed


def _is_same(a: Ref, b: Ref) -> bool:
    return a is b or (type(a) is int and type(b) is int and a == b)


def _how_many(turn: Turn, event: tuple[int, int], path: Callable[[], Any]) -> int:
    """How many turns are alike; the last before the next event, or the end, is not among them."""
    machine = turn.machine
    stride, words = turn.v - machine.v, turn.p - machine.p
    if not stride or not turn.nodes:
        raise Unfit
    is_due = event[0] >= 0
    turns = ((event[0] if is_due else len(machine.values)) - machine.v) // stride
    if words:
        turns = min(turns, ((event[1] if is_due else len(machine.path)) - machine.p) // words)
        if turns >= LEAST:
            turns = min(turns, _agreement(path(), machine.p, words, words * turns) // words + 1)
    turns -= 1
    if turns >= LEAST:
        begin, end = machine.v, machine.v + stride * turns
        for offset in turn.same:
            if len(set(map(id, machine.values[begin + offset : end : stride]))) != 1:
                raise Unfit
        for offset, made in turn.returned:
            pairs = machine.values[begin + offset : end : stride], machine.values[begin + made : end : stride]
            if not all(map(operator.is_, *pairs)):
                raise Unfit
    return turns


def _agreement(path: Any, begin: int, period: int, length: int) -> int:
    """How many words from `begin` on, of those less than `length` behind it, equal those one period later."""
    size, low, last = 256, begin, begin + length - period
    while low < last:
        high = min(low + size, last)
        differs = path[low:high] != path[low + period : high + period]
        at = int(differs.argmax())
        if differs[at]:
            return low + at - begin
        low, size = high, min(size * 2, 2**20)
    return last - begin
