"""Loops whose turns differ, replayed passage by passage: each is recognised by the words of the path, and counted.

What a passage does is worked out when it is met first; see `passage`. Here the recorded path is cut into passages, and
every so many of them are written to the columns together. It ends where something comes that a passage cannot stand
for; the replay instruction by instruction goes on from there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from visual_debug.replaying import passage, turn_opcodes
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.passage import Passage, State, Walk
from visual_debug.replaying.passage_writer import Writer
from visual_debug.replaying.turn import Unfit
from visual_debug.tracing import policy

#: Fewer passages are replayed as quickly one by one.
LEAST = 12
#: Passages that are written together, or nodes.
_MOST = 2**14
_MOST_NODES = 2**18
#: Passages that are worked out for one activation.
_DIFFERENT = 200


class Passages:
    """The automaton of one activation."""

    def __init__(self, machine: Machine, frame: Frame, events: Sequence[int]) -> None:
        """`events` are the words of the path at which events begin."""
        self.machine = machine
        self.frame = frame
        self.events = events
        self.states: dict[Any, State] = {}
        self.passages: list[Passage] = []
        self.known: Any = None  # what passages were worked out with

    def advance(self) -> int:
        """Replay as many passages as can be recognised; returns how many."""
        total = 0
        known = self._surroundings()
        if known != self.known:
            self.states.clear()
            self.passages.clear()
            self.known = known
        while True:
            try:
                state = self._known(passage.begin(self.machine, self.frame))
                found, counts, end = self._recognise(state)
            except Unfit:
                return total
            count = int(counts.sum())
            if count < LEAST:
                return total
            writer = Writer(self.machine, self.frame, self.passages, state, end, found, counts)
            try:
                writer.write()
            except Unfit:
                return total
            total += count

    def _surroundings(self) -> Any:
        """What is known of variables that are not the activation's alone; it stays the same from passage to passage."""
        machine = self.machine
        cells = [(name, id(cell.ref), id(cell.pool)) for name, cell in self.frame.cells.items()]
        variables = [(name, id(ref)) for name, ref in machine.globals.items()]
        return cells, variables, id(machine.elsewhere)

    def _known(self, state: State) -> State:
        return self.states.setdefault(passage.key_of(state), state)

    def _recognise(self, state: State) -> tuple[list[int], Any, State]:
        """The next passages, how often each is taken (an array), and the state behind the last."""
        machine, events, path = self.machine, self.events, self.machine.path
        v, p = machine.v, machine.p
        values = len(machine.values)
        at = bisect_left(events, p)
        due_p = events[at] if at < len(events) else len(path)
        due_v = ~path[due_p + 1] if at < len(events) else values
        found: list[int] = []
        often: dict[int, int] = {}  # places in `found` of what is taken more than once
        left = _MOST_NODES
        while len(found) < _MOST and left > 0:
            leaves = p == due_p and v == due_v
            q = p
            step: Any = state.onward
            if leaves:
                if at >= len(events) or path[p] != state.end:
                    break
                step = state.leaving
                q += 2
                at += 1
                due_p = events[at] if at < len(events) else len(path)
                due_v = ~path[due_p + 1] if at < len(events) else values
            try:
                while type(step) is dict:
                    step = step.get(path[q])
                    q += 1
            except IndexError:
                break
            if step is None:
                step = self._work_out(state, v, p, (due_v, due_p), leaves)
                if step is None:
                    break
                q = p + step.words
            count = 1
            if v + step.stride > values:
                break
            if q >= due_p:
                # Nothing may be due before the head that follows, but that the loop there ends.
                last = due_v - 1
                if at < len(events) and q == due_p and path[due_p] == step.following.end:
                    last = due_v
                last = min(last, values)  # a recording that was cut off tells of what is not there
                if q > due_p or v + step.stride > last:
                    break
                if q == p and step.following is state:
                    count = min((last - v) // step.stride, _MOST_NODES // max(step.size, 1) + 1)
                    often[len(found)] = count
            found.append(step.number)
            v += step.stride * count
            left -= step.size * count
            p = q
            state = step.following
        counts = np.ones(len(found), np.int64)
        counts[list(often)] = list(often.values())
        return found, counts, state

    def _ends_loop(self, at: int) -> bool:
        word = policy.meaning(self.machine.path[at])
        return word is not None and word.kind == policy.LOOP_END

    def _work_out(self, state: State, v: int, p: int, event: tuple[int, int], leaves: bool) -> Passage | None:
        """A passage that was not met before; None if it cannot stand for others."""
        if len(self.passages) >= _DIFFERENT:
            return None
        if event[1] < len(self.machine.path) and self._ends_loop(event[1]):
            event = -1, -1  # due at the head that follows, or the passage is not taken
        walk = Walk(self.machine, self.frame, state, (v, p), event)
        try:
            walk.follow(turn_opcodes.HANDLERS, leaves=leaves)
            found, following = walk.result(len(self.passages))
        except Unfit:
            return None
        if not found.stride and not found.words:
            return None
        found.following = self._known(following)
        self.passages.append(found)
        words = self.machine.path[p + 2 * leaves : walk.p]
        name = "leaving" if leaves else "onward"
        if not words:
            setattr(state, name, found)
            return found
        step = getattr(state, name)
        if step is None:
            step = {}
            setattr(state, name, step)
        for word in words[:-1]:
            step = step.setdefault(word, {})
        step[words[-1]] = found
        return found
