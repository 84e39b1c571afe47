"""What is inserted around single instructions: the appends of what they yield, and the looks at what they are about to do.

Everything inserted leaves the stack as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bytecode import Instr, Label

from visual_debug import cpython
from visual_debug.tracing import flow, writes
from visual_debug.tracing.assemble import Item
from visual_debug.tracing.hooks import FEW, Hooks

#: Places on the stack from the bottom: the values, the path, and in doors and generators the state that closes the
#: recording (a generator's ticket). The topmost of the bottom is the fuel.
VALUES, PATH, STATE = range(3)


class Insertions:
    """Writes what stands beside the instructions of one code object.

    `height` is everywhere the number of values that stand above the bottom, the function's own and temporary ones; `base`
    is how many the bottom has.
    """

    def __init__(self, source: flow.Flow, hooks: Hooks, base: int) -> None:
        self.hooks = hooks
        self.base = base
        self.instructions = source.instructions
        self.together = _together(source.items)
        self.fused: set[int] = set()  # instructions that are written already

    # ---- the stack and the lists

    def _sink(self, place: int, height: int) -> int:
        """How deep a place at the bottom is, with `height` values above the bottom."""
        return self.base + height - place

    def _record(self, height: int, where: Any, value: int = 1) -> Iterator[Instr]:
        """Append the value at depth `value` to the values."""
        return cpython.append(self._sink(VALUES, height), where, value)

    def _record_any(self, height: int, where: Any) -> Iterator[Item]:
        """Append what a call has returned: it may be an object that must not live longer for being recorded."""
        lasts, on = Label(), Label()
        # Above the value stand NULL and `type`.
        yield from cpython.call(type, [cpython.copy(3, where)], where)  # .. z type
        types = [cpython.const(self.hooks.lasting, where), cpython.attribute("types", where)]
        yield from self._type_among(float, types, lasts, where)
        # The rare way stands here, not out of the way: to a tracer a jump back would be another turn of a loop.
        pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(4, where)]
        yield from cpython.call(self.hooks.note, pushes, where)
        yield cpython.pop(where)
        yield Instr("JUMP_FORWARD", on, location=where)
        yield lasts
        yield from self._record(height, where)
        yield on

    def _type_among(self, likely: type, types: list[Instr], into: Label, where: Any) -> Iterator[Item]:
        """Pop a type, and jump if it is among those that `types` pushes the set of.

        By far the most are `likely`, which costs 4 ns to find out on 3.11, where the set takes 10.
        """
        other = Label()
        yield cpython.copy(1, where)
        yield cpython.const(likely, where)
        yield cpython.instruction("IS_OP", where, 0)  # .. type bool
        yield cpython.jump_if(False, other, where)
        yield cpython.pop(where)
        yield Instr("JUMP_FORWARD", into, location=where)
        yield other
        yield from types  # .. type set
        yield cpython.instruction("CONTAINS_OP", where, 0)  # .. bool
        yield cpython.jump_if(True, into, where)

    def _watch(self, where: Any) -> Iterator[Instr]:
        """Show the value on top, before it is recorded, to who watches: if that raises, the operation has raised."""
        if self.hooks.watch is not None:
            # Above the value stand NULL and the function.
            yield from cpython.call(self.hooks.watch, [cpython.copy(3, where)], where)
            yield cpython.pop(where)

    def _mark(self, word: int, height: int, where: Any) -> Iterator[Instr]:
        """Append a word to the path."""
        return cpython.mark(word, self._sink(PATH, height), where)

    def _fetch(self, place: int, height: int, where: Any) -> Instr:
        """Push what lies at a place at the bottom."""
        return cpython.copy(self._sink(place, height), where)

    def _event(self, word: int, height: int, where: Any) -> Iterator[Item]:
        """A word, and the length of the values. Nothing can come in between."""
        yield from self._mark(word, height, where)
        yield from self._length(height, where)

    def _length(self, height: int, where: Any) -> Iterator[Item]:
        """Append the length of the values to the path, as an operand. `len` might raise at the limit of recursion."""
        yield self._fetch(VALUES, height, where)
        yield cpython.instruction("GET_LEN", where)  # .. values length
        yield cpython.instruction("UNARY_INVERT", where)
        yield cpython.instruction("LIST_APPEND", where, self._sink(PATH, height + 1))
        yield cpython.pop(where)

    # ---- before writes

    def _before_write(self, depth: int, instr: Instr, height: int, likely: type, hook: Any = None) -> Iterator[Item]:
        """Let an array about to be written to be kept as it was; scalars pass by one look at their type.

        What stands above it on the stack, as an index does, is told to the hook as well, if one is given.
        """
        where = instr.location
        skip = Label()
        # Above the operand stand NULL and `type`.
        yield from cpython.call(type, [cpython.copy(depth + 2, where)], where)  # .. type
        yield from self._type_among(likely, [cpython.const(self.hooks.immutable, where)], skip, where)
        pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(depth + 3, where)]
        if hook is not None:
            pushes += [cpython.copy(depth + 3, where)] * (depth - 1)  # each push brings the next one as far down
        yield from cpython.call(hook or self.hooks.before_write, pushes, where)
        yield cpython.pop(where)
        yield skip

    def _before_attribute(self, where: Any, height: int) -> Iterator[Item]:
        """The same before an attribute is assigned to, which is hardly ever one of an array."""
        skip = Label()
        # Above the object stand NULL and `type`.
        yield from cpython.call(type, [cpython.copy(3, where)], where)  # .. type
        yield cpython.const(self.hooks.settled, where)
        yield cpython.attribute("types", where)  # .. type set
        yield cpython.instruction("CONTAINS_OP", where, 0)  # .. bool
        yield cpython.jump_if(True, skip, where)
        pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(4, where)]
        yield from cpython.call(self.hooks.before_attribute, pushes, where)
        yield cpython.pop(where)
        yield skip

    def _add_in_place(self, index: int, instr: Instr, height: int, after: int) -> Iterator[Item]:
        """`x += y`: of a number its sum is recorded; a list or array is kept as it was; a text is not recorded at all.

        Nothing stands between the addition and the store of its result into a variable: only so does the interpreter
        append to a string in place, and a text that is built in n turns takes O(n) and not O(n^2).
        """
        where = instr.location
        other, on = Label(), Label()
        follows = index + 1 < len(self.instructions) and index in self.together
        store = self.instructions[index + 1] if follows and self.instructions[index + 1].name == "STORE_FAST" else None
        # Above the left operand stand NULL and `type`.
        yield from cpython.call(type, [cpython.copy(2 + 2, where)], where)  # .. x y type
        yield cpython.const(self.hooks.immutable, where)
        yield cpython.instruction("CONTAINS_OP", where, 0)  # .. x y bool
        yield cpython.jump_if(False, other, where)
        yield instr
        yield from self._watch(where)
        yield from self._record(after, where)
        if store is not None:
            yield store
        yield Instr("JUMP_FORWARD", on, location=where)
        yield other
        pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(2 + 3, where)]
        yield from cpython.call(self.hooks.before_write, pushes, where)
        yield cpython.pop(where)
        yield instr
        if store is not None:
            self.fused.add(index + 1)
            yield store
            yield cpython.load(store.arg, where)  # type: ignore[arg-type]
        yield from self._watch(where)
        pushes = [self._fetch(VALUES, after + 2, where), cpython.copy(4, where)]
        yield from cpython.call(self.hooks.note_sum, pushes, where)
        yield cpython.pop(where)
        if store is not None:
            yield cpython.pop(where)
        yield on

    # ---- before calls

    def _resolve(self, call: flow.CallShape, instr: Instr, height: int) -> Iterator[Item]:
        """Before a call: look up what to call instead, append the callable (and the packed arguments of `f(*a)`)."""
        where = instr.location
        count = writes.SPREAD if call.packed else call.positional
        site = self.hooks.call_site(count, len(call.arguments))
        depth = call.callable
        hit, on = Label(), Label()
        if call.out is not None:
            pushes = [self._fetch(VALUES, height + 2, where), cpython.copy(call.out + 3, where)]
            yield from cpython.call(self.hooks.before_out, pushes, where)
            yield cpython.pop(where)
        for packed in call.packed:
            yield from self._record(height, where, packed)
        yield cpython.const(site, where)
        yield cpython.attribute("pair", where)  # .. (key, twin)
        yield cpython.instruction("UNPACK_SEQUENCE", where, 2)  # .. twin key
        yield cpython.copy(depth + 2, where)  # .. twin key f
        yield cpython.instruction("IS_OP", where, 0)  # .. twin bool
        yield cpython.jump_if(True, hit, where)  # .. twin
        yield from self._missed(call, site, where, height)
        yield Instr("JUMP_FORWARD", on, location=where)
        yield hit
        yield from self._record(height + 1, where, depth + 1)
        yield on
        yield cpython.swap(depth + 1, where)  # twin .. f
        yield cpython.pop(where)

    def _comprehend(self, depth: int, where: Any, height: int) -> Iterator[Item]:
        """Before the call of a comprehension's function, which has been made for it: record it, and call its twin."""
        # Above the function stand NULL and the hook, and what has been pushed.
        site = cpython.const(self.hooks.call_site(0, 0), where)
        pushes = [self._fetch(VALUES, height + 2, where), site, cpython.copy(depth + 4, where)]
        yield from cpython.call(self.hooks.comprehend, pushes, where)  # .. twin
        yield cpython.swap(depth + 1, where)
        yield cpython.pop(where)

    def _missed(self, call: flow.CallShape, site: Any, where: Any, height: int) -> Iterator[Item]:
        """A call site meets another callable than the last time, or one that has to be looked at every time."""
        yield cpython.pop(where)
        # .. NULL resolve values site: what is on the stack is 4 deeper, and with every argument pushed one more
        pushes = [cpython.copy(d + 4 + i, where) for i, d in enumerate((call.callable, *call.arguments))]
        pushes = [self._fetch(VALUES, height + 2, where), cpython.const(site, where), *pushes]
        hook = self.hooks.resolve
        if not call.packed and len(call.arguments) <= FEW:
            hook = self.hooks.resolve_few
            pushes += [cpython.const(None, where)] * (FEW - len(call.arguments))
        yield from cpython.call(hook, pushes, where)  # .. twin


def _together(items: list[Any]) -> set[int]:
    """Instructions that the next one follows immediately, without a label or the border of a region between."""
    found, index, before = set(), -1, False
    for item in items:
        if isinstance(item, Instr):
            if before:
                found.add(index)
            index += 1
        before = isinstance(item, Instr)
    return found
