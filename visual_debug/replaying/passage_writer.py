"""The nodes of many passages, written to the columns at once: of each kind together, by its place in the order."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np

from visual_debug.columns import Activation, Run
from visual_debug.numeric import Numbers
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.passage import Passage, Picked, Source, State, Waiting
from visual_debug.replaying.symbols import Leaf, Ref
from visual_debug.replaying.turn import NUMBERS, Carried, Item, Made, Unfit

#: So many turns that are the same are a run, which sweeps make use of.
_RUN = 16
_LARGEST = 2**62


class _CircleError(Exception):
    """Variables hand their numbers on in a circle."""


class Writer:
    """Appends the nodes of passages to the columns, and leaves the frame as behind the last."""

    def __init__(
        self,
        machine: Machine,
        frame: Frame,
        passages: Sequence[Passage],
        begin: State,
        end: State,
        found: list[int],
        counts: Any,
    ) -> None:
        """`found` are the numbers of passages and `counts` how often each is taken, from state `begin` to `end`."""
        self.machine, self.frame, self.columns = machine, frame, machine.columns
        self.passages, self.begin, self.end = passages, begin, end
        self.found, self.counts = found, counts
        self.kind = np.repeat(np.array(found, np.int32), counts)  # of each passage
        size = len(self.kind)
        order = np.argsort(self.kind, kind="stable")
        ends = np.flatnonzero(np.diff(self.kind[order])) + 1
        self.taken = [(passages[int(self.kind[when[0]])], when) for when in np.split(order, ends)]
        strides, periods, entered, words = (np.zeros(len(passages), np.int64) for _ in range(4))
        for passage, _ in self.taken:
            strides[passage.number] = passage.stride
            words[passage.number] = passage.words
            periods[passage.number] = len(passage.turn.nodes)
            entered[passage.number] = len(passage.turn.entered)
        self.tape_at = _before(strides[self.kind])  # where on this part of the tape each passage begins
        self.first = _before(periods[self.kind]) + len(self.columns)  # its first node
        self.calls_at = _before(entered[self.kind]) + len(self.columns.activations)
        self.values = int(strides[self.kind].sum())
        self.words = int(words[self.kind].sum())
        tape = machine.values[machine.v : machine.v + self.values]
        self.tape = np.fromiter(tape, object, len(tape))
        self.nodes = int(periods[self.kind].sum())
        self.value = np.empty(self.nodes, object)
        self.steps = np.arange(size)
        self._numbers: dict[int, Any] = {}
        self._ids: dict[int, Numbers] = {}
        self._held: dict[str, Any] = {}
        self._waiting: dict[tuple[str, int], tuple[Any, Any, Any]] = {}
        self._places: dict[int, tuple[Any, Any]] = {}
        self._is_stepping = False
        self._needed: list[tuple[Leaf, int]] = []  # numbers that waited before the first passage, and their nodes

    def write(self) -> None:
        """Do so. Raises Unfit with nothing changed."""
        columns, machine, base = self.columns, self.machine, len(self.columns)
        kinds = np.empty(self.nodes, np.int32)
        sizes = np.empty(self.nodes, np.int32)
        calls: dict[int, Any] = {}
        tables = []
        for passage, when in self.taken:
            self._check_alike(passage, when)
            nodes = passage.turn.nodes
            if not nodes:
                continue
            places = (self.first[when] - base)[:, None] + np.arange(len(nodes))
            self._fill(passage, when, places)
            sizes[places] = [len(node.operands) for node in nodes]
            kinds[places] = [columns.kind_of(node.op, node.site) for node in nodes]
            for place, node in enumerate(nodes):
                if node.call is not None:
                    calls.update(zip((places[:, place] + base).tolist(), repeat(node.call)))
            tables.append((passage, when, places[:, 0]))
        for passage, when in self.taken:
            self._check_passed(passage, when)
        after = {name: self._last(ref) for name, ref in self.end.locals.items()}
        stack = [self._iterator(ref) if type(ref) is Source else ref for ref in self.end.stack]
        start = np.empty(self.nodes + 1, np.int32)
        start[0] = columns.start[-1]
        np.cumsum(sizes, out=start[1:], dtype=np.int32)
        start[1:] += start[0]
        operand = np.empty(int(start[-1] - start[0]), np.int32)
        for passage, when, first in tables:
            operands = [self._operand(ref, when) for node in passage.turn.nodes for ref in node.operands]
            if operands:
                table = np.empty((len(when), len(operands)), np.int32)
                for column, ids in enumerate(operands):
                    table[:, column] = ids
                operand[(start[first] - start[0])[:, None] + np.arange(len(operands))] = table
        unnamed = self._unnamed()
        # From here on nothing fails.
        self._activate()
        columns.value.extend(self.value.tolist())
        columns.kind.frombytes(kinds.tobytes())
        columns.start.frombytes(start[1:].tobytes())
        columns.operand.frombytes(operand.tobytes())
        names = {passage.number: _names(passage) for passage, _ in self.taken}
        columns.name.extend(chain.from_iterable(map(names.__getitem__, self.kind.tolist())))
        columns.calls.update(calls)
        firsts = self.first[_before(self.counts)]
        for place in np.flatnonzero(self.counts >= _RUN).tolist():
            period = self.passages[self.found[place]].size
            if period:
                columns.runs.append(Run(int(firsts[place]), period, int(self.counts[place])))
        for _, ref, name in unnamed:
            self._name(ref, name)
        self._leave(after)
        self.frame.stack = [make() if callable(make) else make for make in stack]
        self.frame.pc = self.end.head
        machine.v += self.values
        machine.p += self.words

    # ---- what was recorded

    def _check_alike(self, passage: Passage, when: Any) -> None:
        """Raise Unfit where an object that has to be the same each time is another."""
        at = self.tape_at[when]
        for offset in passage.turn.same:
            first = self.machine.values[passage.turn.begin[0] + offset]
            if not all(map(operator.is_, self.tape[at + offset].tolist(), repeat(first))):
                raise Unfit
        for offset, made in passage.turn.returned:
            if not all(map(operator.is_, self.tape[at + offset].tolist(), self.tape[at + made].tolist())):
                raise Unfit

    def _fill(self, passage: Passage, when: Any, places: Any) -> None:
        """The values of the nodes of one kind of passage. Raises Unfit where one on the tape is no plain number."""
        recorded = [place for place, node in enumerate(passage.turn.nodes) if node.offset >= 0]
        values = self.value
        offsets = np.array([passage.turn.nodes[place].offset for place in recorded], np.int64)
        part = self.tape[self.tape_at[when][:, None] + offsets]
        if not set(map(type, part.ravel().tolist())) <= NUMBERS:
            raise Unfit
        values[places[:, recorded]] = part
        for place, node in enumerate(passage.turn.nodes):
            item: Any = node.item
            if type(item) is Item:
                values[places[:, place]] = self._given(item.depth)[when].astype(object)
            elif type(item) is Waiting:
                numbers, since, leaf = self._waited(item.key)
                values[places[:, place]] = numbers[when].astype(object)
                for nth in np.flatnonzero(since[when] == 0).tolist():  # only once: from then on it is a node
                    row = int(places[nth, place])
                    values[row] = leaf.value
                    self._needed.append((leaf, row + len(self.columns)))
            elif node.offset < 0:
                values[places[:, place]] = node.value

    # ---- what iterators gave

    def _place(self, depth: int) -> tuple[Any, Any]:
        """For each passage, how many iterators were made at a depth before, and how many items that one has given."""
        if depth not in self._places:
            size = len(self.passages)
            makes, gives = np.zeros(size, np.int64), np.zeros(size, np.int64)
            for passage, _ in self.taken:
                makes[passage.number] = depth in passage.makes
                gives[passage.number] = passage.gives is not None and passage.gives.depth == depth
            made, given = makes[self.kind], gives[self.kind]
            which = _before(made)
            so_far = _before(given)
            begins = np.append(0, (so_far + given)[made > 0])  # items given before each iterator was made
            self._places[depth] = which, so_far - begins[which]
        return self._places[depth]

    def _ranges(self, depth: int) -> list[range]:
        """The ranges gone through at a depth: what is left of the one that was there, and those that were made."""
        stack = self.frame.stack
        source = stack[depth] if depth < len(stack) and type(self.begin.stack[depth]) is Source else None
        counts = source is not None and source.counts
        ranges = [source.peek(len(self.kind) + 1) if counts else range(0)]  # type: ignore[union-attr]
        for step in self._makers(depth):
            offset = self.passages[int(self.kind[step])].makes[depth]
            ranges.append(self.tape[self.tape_at[step] + offset] if type(offset) is int else range(0))
        return ranges

    def _makers(self, depth: int) -> list[int]:
        makes = np.zeros(len(self.passages), np.bool_)
        for passage, _ in self.taken:
            makes[passage.number] = depth in passage.makes
        steps: list[int] = np.flatnonzero(makes[self.kind]).tolist()
        return steps

    def _given(self, depth: int) -> Any:
        """The number that the range at a depth gave in each passage, if it gave one."""
        if depth not in self._numbers:
            which, position = self._place(depth)
            ranges = self._ranges(depth)
            if any(type(r) is not range or max(abs(r.start), abs(r.stop), abs(r.step)) > _LARGEST for r in ranges):
                raise Unfit
            begins = np.array([r.start for r in ranges], np.int64)
            steps = np.array([r.step for r in ranges], np.int64)
            with np.errstate(all="ignore"):
                self._numbers[depth] = begins[which] + steps[which] * position
        return self._numbers[depth]

    def _listed(self, source: Source, when: Any) -> Numbers:
        """The nodes that the iterator over a list gave in some passages: the very numbers that were recorded."""
        machine, depth = self.machine, source.depth
        assert source.sequence is not None
        which, position = self._place(depth)
        if depth < len(self.frame.stack) and type(self.begin.stack[depth]) is Source and not which.all():
            left = self.frame.stack[depth].peek(len(self.kind) + 1)
            if left is None:
                raise Unfit
            taken = len(source.sequence.items) - len(left) if self.begin.stack[depth] == source else 0
            position = position + np.where(which == 0, taken, 0)
        refs = [ref.node if type(ref) is Leaf else ref for ref in source.sequence.items]
        if any(type(ref) is not int or type(self.columns.value[ref]) not in NUMBERS for ref in refs):
            raise Unfit
        if not len(refs) or int(position[when].max()) >= len(refs):
            raise Unfit
        ids: Numbers = np.array(refs, np.int32)[position[when]]
        recorded = self.tape[self.tape_at[when]].tolist()  # what FOR_ITER gave is the first
        for node, value in zip(ids.tolist(), recorded, strict=True):
            if not machine.agrees(node, value):
                raise Unfit
        return ids

    def _picked(self, ref: Picked, when: Any) -> Numbers:
        """The nodes of the items of a list at places that numbers say."""
        places = self._value_of(ref.key, when)
        if not set(map(type, places)) <= {int}:
            raise Unfit
        items = ref.sequence.items
        try:
            refs = [items[place] for place in places]
        except IndexError:
            raise Unfit from None
        nodes = [ref.node if type(ref) is Leaf else ref for ref in refs]
        for item, value in zip(refs, self.tape[self.tape_at[when] + ref.offset].tolist(), strict=True):
            if not self.machine.agrees(item, value):
                raise Unfit
        return np.array(nodes, np.int32)

    def _unnamed(self) -> list[tuple[int, Ref, str]]:
        """Items of lists that a variable was bound to and that have no name: the passage, the item, and the variable."""
        found: list[tuple[int, Ref, str]] = []
        for passage, when in self.taken:
            for ref, name in passage.turn.item_names.items():
                source = passage.gives if type(ref) is Item else ref
                sequence = None if source is None else source.sequence
                if sequence is None or not any(self._is_unnamed(item) for item in sequence.items):
                    continue
                nodes = self._operand(ref, when).tolist()
                by_node = {item.node if type(item) is Leaf else item: item for item in sequence.items}
                found += [(step, by_node[node], name) for step, node in zip(when.tolist(), nodes, strict=True)]
        return sorted(found, key=lambda entry: entry[0])

    def _is_unnamed(self, item: Ref) -> bool:
        return item.name is None if type(item) is Leaf else self.columns.name[item] is None

    def _name(self, ref: Ref, name: str) -> None:
        node = ref
        if type(ref) is Leaf:
            ref.name = ref.name or name
            node = ref.node
        if self.columns.name[node] is None:
            self.columns.name[node] = name

    def _value_of(self, ref: Ref, when: Any) -> list[Any]:
        """The numbers that a reference stands for in some passages."""
        kind = type(ref)
        found: Any
        if kind is Item:
            found = self._given(ref.depth)[when]
        elif kind is Waiting:
            found = self._waited(ref.key)[0][when]
        else:
            ids = np.broadcast_to(self._operand(ref, when), when.shape).tolist()
            before, base, value = self.columns.value, len(self.columns), self.value
            return [before[node] if node < base else value[node - base] for node in ids]
        numbers: list[Any] = found.tolist()
        return numbers

    def _check_passed(self, passage: Passage, when: Any) -> None:
        """Raise Unfit where something that was returned is not what stands on the tape."""
        at = self.tape_at[when]
        for offset, ref in passage.turn.passed:
            recorded = self.tape[at + offset].tolist()
            expected = self._value_of(ref, when)
            if type(ref) in (Item, Waiting):
                agree = all(type(z) is int and z == number for z, number in zip(recorded, expected, strict=True))
            else:
                agree = all(map(operator.is_, recorded, expected))
            if not agree:
                raise Unfit
        for picked in passage.turn.picks:
            self._picked(picked, when)

    def _iterator(self, source: Source) -> Any:
        """What gives the iterator at a depth as it is behind the last passage."""
        depth = source.depth
        makers = self._makers(depth)
        step = makers[-1] if makers else -1
        gives = np.array([p.gives is not None and p.gives.depth == depth for p in self.passages])
        given = int(gives[self.kind[step + 1 :]].sum())
        if not makers:
            stream = self.frame.stack[depth]

            def kept() -> Ref:
                stream.skip(given)
                return stream

            return kept
        made: Any = self.passages[int(self.kind[step])].makes[depth]
        numbers: Any = self.tape[self.tape_at[step] + made] if type(made) is int else None
        site = source.site

        def anew() -> Ref:
            over = containers.over(self.machine, made) if site is None else containers.counting(numbers, site)
            over.skip(given)  # type: ignore[misc]
            return over

        return anew

    # ---- what variables hold

    def _operand(self, ref: Ref, when: Any) -> Any:
        """The nodes that a reference means in some passages."""
        kind = type(ref)
        if kind is Made:
            return self.first[when] + ref.place
        if kind is Carried:
            held = self._content(ref.name)
            ids = held if type(held) is int else held[when]
            if np.min(ids) < 0:
                raise Unfit
            return ids
        if kind is Item:
            passage = self.passages[int(self.kind[when[0]])]
            assert passage.gives is not None
            return self._listed(passage.gives, when)
        if kind is Picked:
            return self._picked(ref, when)
        return ref.node if kind is Leaf else ref

    def _content(self, name: str) -> Any:
        """The node that a variable holds at the beginning of each passage, and behind the last; a number if always one."""
        if name not in self._held:
            try:
                self._find_content(name)
            except _CircleError:
                self._step_by_step()
        if self._held[name] is None:
            raise _CircleError
        return self._held[name]

    def _find_content(self, name: str) -> None:
        self._held[name] = None  # under way
        entry = self._entry(name)
        setters = [(passage, when) for passage, when in self.taken if name in passage.sets]
        if not setters:
            self._held[name] = entry
            return
        content = np.full(len(self.kind) + 1, -1, np.int64)
        content[0] = entry
        last = np.zeros(len(self.kind) + 1, np.int64)
        for passage, when in setters:
            content[when + 1] = self._operand(passage.sets[name], when)
            last[when + 1] = when + 1
        self._held[name] = content[np.maximum.accumulate(last)]

    def _step_by_step(self) -> None:
        """The same of all variables together, passage by passage: where some change places in a circle."""
        if self._is_stepping:
            raise Unfit
        self._is_stepping = True
        names = {name for passage, _ in self.taken for name in passage.sets}
        names |= {ref.name for passage, _ in self.taken for ref in passage.sets.values() if type(ref) is Carried}
        made: dict[str, Any] = {}
        copies: dict[int, list[tuple[str, str]]] = {}
        for passage, when in self.taken:
            for name, ref in passage.sets.items():
                if type(ref) is Carried:
                    copies.setdefault(passage.number, []).append((name, ref.name))
                else:
                    made.setdefault(name, np.full(len(self.kind), -1, np.int64))[when] = self._operand(ref, when)
        columns = [(name, column.tolist()) for name, column in made.items()]
        now = {name: self._entry(name) for name in names}
        held = {name: [node] for name, node in now.items()}
        for step, kind in enumerate(self.kind.tolist()):
            copied = [(name, now[source]) for name, source in copies.get(kind, ())]
            now.update((name, column[step]) for name, column in columns if column[step] >= 0)
            now.update(copied)
            for name, node in now.items():
                held[name].append(node)
        self._held.update((name, np.array(nodes, np.int64)) for name, nodes in held.items())

    def _entry(self, name: str) -> int:
        """The node that a variable held before the first passage; -1 if it was none."""
        ref = self.frame.locals.get(name)
        if type(ref) is Leaf:
            ref = ref.node
        return ref if type(ref) is int and type(self.columns.value[ref]) in NUMBERS else -1

    def _waited(self, key: tuple[str, int]) -> tuple[Any, Any, Any]:
        """What waits under a key at the beginning of each passage and behind the last: number, since when, and the leaf.

        It waits since the passage before that counts, from 1; or since 0 if it is the leaf that waited at the beginning.
        """
        if key not in self._waiting:
            numbers = np.zeros(len(self.kind) + 1, np.int64)
            since = np.zeros(len(self.kind) + 1, np.int64)
            leaf = None
            for name, ref in self.begin.locals.items():
                if type(ref) is Waiting and ref.key == key:
                    leaf = self.frame.locals[name]
                    if abs(leaf.value) > _LARGEST:
                        raise Unfit
                    numbers[0] = leaf.value
            for passage, when in self.taken:
                if key in passage.waits:
                    numbers[when + 1] = self._given(passage.waits[key].depth)[when]
                    since[when + 1] = when + 1
            since = np.maximum.accumulate(since)
            self._waiting[key] = numbers[since], since, leaf
        return self._waiting[key]

    def _last(self, ref: Ref) -> Any:
        """What a variable holds behind the last passage: a node, a number that waits, or what it held all along."""
        if type(ref) is Carried:
            held = self._content(ref.name)
            node = held if type(held) is int else int(held[-1])
            if node < 0:
                raise Unfit
            return node
        if type(ref) is Waiting:
            numbers, since, leaf = self._waited(ref.key)
            return ref, leaf if not since[-1] else int(numbers[-1])
        return ref

    def _leave(self, after: dict[str, Any]) -> None:
        """Bind the variables as they are behind the last passage."""
        for leaf, node in self._needed:
            leaf.node = node
        leaf_of = {ref.node: ref for ref in self.frame.locals.values() if type(ref) is Leaf}
        leaf_of.update((leaf.node, leaf) for leaf in self.machine.literals.values())
        made: dict[tuple[str, int], Leaf] = {}
        columns = self.columns
        for name, ref in after.items():
            if type(ref) is tuple:
                waiting, known = ref
                if type(known) is int and waiting.key not in made:
                    made[waiting.key] = Leaf(known, "const", waiting.called, waiting.site)
                ref = known if type(known) is Leaf else made[waiting.key]
            elif type(ref) is int and columns.op[ref] in ("const", "input"):
                if ref not in leaf_of:
                    leaf_of[ref] = Leaf(columns.value[ref], columns.op[ref], columns.name[ref], columns.site[ref], ref)
                ref = leaf_of[ref]
            self.frame.locals[name] = ref

    def _activate(self) -> None:
        """The activations of all passages, and which of them each node is of."""
        columns, own = self.columns, self.frame.activation
        column = np.full(self.nodes, own, np.int32)
        base = len(columns)
        calling = [(passage, when) for passage, when in self.taken if passage.turn.entered]
        for passage, when in calling:
            places = (self.first[when] - base)[:, None] + np.arange(len(passage.turn.nodes))
            number = np.array([node.activation for node in passage.turn.nodes], np.int64)
            column[places] = np.where(number < 0, own, self.calls_at[when][:, None] + number)
        columns.activation.frombytes(column.tobytes())
        if not calling:
            return
        for step in range(len(self.kind)):
            first = int(self.calls_at[step])
            for place, call in enumerate(self.passages[int(self.kind[step])].turn.entered):
                caller = own if call.caller < 0 else first + call.caller
                columns.activations.append(Activation(first + place, call.function, caller))


def _before(sizes: Any) -> Any:
    """The sums of all that come before each."""
    return np.cumsum(sizes) - sizes


def _names(passage: Passage) -> list[str | None]:
    names = passage.turn.item_names
    return [names.get(node.item) if type(node.item) is Item else node.name for node in passage.turn.nodes]
