"""The state of a replay: frames, references, and the columns being written.

`Machine` knows where values come from; which instruction does what is in `opcodes`, and what runs them in `replay`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

from visual_debug import arrays, symbols
from visual_debug.columns import MISSING, Activation, Call, Columns, Where
from visual_debug.errors import TraceError
from visual_debug.symbols import (
    UNSET,
    Cell,
    Closure,
    Late,
    Leaf,
    Mapping,
    Method,
    Ref,
    Sequence,
    Stream,
    Thing,
    View,
    Wrapped,
)  # fmt: skip
from visual_debug.tape import Contents, Plan, Site, Tape


class Nested(NamedTuple):
    """What an activation returned that unrecorded code entered, or a generator that it resumed."""

    ref: Ref
    value: Any
    is_exact: bool  #: it is the result of the instruction, and not merely found in it
    frame: Frame  #: that the instruction is of
    instruction: int


class Frame:
    """One activation in the machine."""

    __slots__ = ("activation", "by_door", "caller", "cells", "child_raised", "entered", "generator", "is_exact", "keywords", "landed", "locals",
                 "pc", "pending", "plan", "received", "returned", "stack", "suspended", "yielded")  # fmt: skip

    def __init__(self, plan: Plan, activation: int, caller: Frame | None) -> None:
        self.plan = plan
        self.activation = activation
        self.caller = caller
        self.pc = 0
        self.stack: list[Ref] = []
        self.locals: dict[str, Ref] = {}
        self.cells: dict[str, Cell] = {}
        self.keywords: tuple[str, ...] = ()
        self.pending: Any = None  # a call waiting for its result
        self.by_door = False  # entered from unrecorded code
        self.is_exact = False  # its arguments are those of an instruction
        self.entered = -1  # the instruction that unrecorded code entered an activation from
        self.generator: int | None = None  # its number on the path
        self.yielded: list[Ref] = []
        self.suspended = False  # waiting to be resumed
        self.received: tuple[int, Ref] | None = None  # what a generator yielded, and the instruction that resumed it
        self.returned: tuple[Frame, Ref] | None = None  # what a generator that was resumed here returned
        self.landed = -1  # code unit that raised the exception caught last
        self.child_raised = False  # an exception came out of an activation that was recorded itself


class Machine:
    """The replay of one tape: what it has consumed, and what it knows so far."""

    def __init__(self, tape: Tape, values: list[Any], path: list[int]) -> None:
        self.tape = tape
        self.values = values
        self.generators: list[Frame] = []  # in the order in which they were made
        self.exception: Ref = None  # what is known of the exception on its way
        self.path = path
        self.v = 0  # how many values are consumed
        self.p = 0  # how many words
        self.columns = Columns()
        self.frame: Frame | None = None
        self.main: Frame | None = None  # of the traced call
        self.yields: Stream | None = None  # of the traced call, if it made a generator
        self.inputs: dict[str, Ref] = {}
        self.result: Ref = Thing()
        self.heap: dict[int, Ref] = {}  # containers, closures and streams by identity of the object
        self.attributes: dict[int, dict[str, Ref]] = {}  # by identity of the object, and name
        self.globals: dict[str, Ref] = {}
        self.cells: dict[int, Cell] = {}  # by identity of the interpreter's own
        self.links: set[tuple[int, int]] = set()  # objects, and objects that were read out of them
        self.literals: dict[tuple[Any, ...], Leaf] = {}  # by where they are written, and what
        self.reads: dict[tuple[str, int], Leaf] = {}  # leaves read from outside, by name and identity
        self.nested: Nested | None = None
        self.snapshot = 0  # how many snapshots are behind us
        self.epochs: dict[int, int] = {}  # array nodes -> snapshots that were behind when they came to be
        self.call_epochs: dict[int, int] = {}  # the same of nodes with a call
        self.written: dict[int, int] = {}  # identity of the owner of memory that was written to -> the node of that
        self.versions: dict[int, int] = {}  # identity of an array that was written to -> its newest node
        self._by_identity: dict[int, int | None] = {}
        self._indexed = 0
        self.steps: dict[Plan, list[Any]] = {}  # plans -> their instructions as handlers with arguments

    def misfit(self, why: str) -> TraceError:
        """The error for a tape that cannot be the recording of its code."""
        where = ""
        if self.frame is not None:
            site = self.frame.plan.site(max(self.frame.pc - 1, 0))
            where = f" at {site} in {site.function}"
        return TraceError(
            f"the recording does not fit the code{where}: {why} "
            f"(value {self.v} of {len(self.values)}, word {self.p} of {len(self.path)}); please report this"
        )

    def word(self) -> int:
        """The next word of the path."""
        word = self.path[self.p]
        self.p += 1
        return word

    def value(self) -> Any:
        """The next recorded value."""
        value = self.values[self.v]
        self.v += 1
        return value

    # ---- activations

    def activate(self, plan: Plan, caller: Frame | None) -> Frame:
        """A new frame, made the current one."""
        index = len(self.columns.activations)
        above = caller.activation if caller is not None else None
        self.columns.activations.append(Activation(index, plan.code.co_qualname, above))
        self.frame = Frame(plan, index, caller)
        return self.frame

    def argument(self, value: Any, name: str, site: Site, source: Ref = None) -> Ref:
        """The reference of an argument; containers by their content at the time of the call.

        `source` is what the argument may have come from, if the call is inside the recording.
        """
        if type(value) is Contents:
            known = self.heap.get(id(value.container))
            return known if known is not None else self._container(value, name, site, source)
        if source is not None:
            return self.discover(value, site, name, source)
        return Leaf(value, "input", name, site) if symbols.is_number(value) else Thing(value)

    def _container(self, contents: Contents, name: str, site: Site, source: Ref) -> Ref:
        container, keys = contents.container, contents.keys
        ref: Ref = Sequence(type(container), [], container) if keys is None else Mapping({}, container)
        self.heap[id(container)] = ref  # before its items, which may lead back to it
        for key, item in zip(keys if keys is not None else range(len(contents.items)), contents.items, strict=True):
            item_ref = self.argument(item, f"{name}[{key!r}]", site, source)
            if keys is None:
                ref.items.append(item_ref)
            else:
                ref.items[key] = item_ref
        return ref

    def open_cells(self, frame: Frame, closure: tuple[Any, ...] | None) -> None:
        """Make the cells of a new activation: its own, and those that its function closes over."""
        code = frame.plan.code
        for name in code.co_cellvars:
            frame.cells[name] = Cell(frame.locals.get(name))
        for name, cell in zip(code.co_freevars, closure or (), strict=False):
            frame.cells[name] = self.cells.setdefault(id(cell), Cell())
        for name in code.co_freevars[len(closure or ()) :]:
            frame.cells[name] = Cell()

    def leave(self, frame: Frame, result: Ref) -> None:
        """Return from an activation."""
        caller = frame.caller
        self.frame = caller
        if frame is self.main:
            self.result = result
        if caller is None:
            return
        if frame.by_door or frame.generator is not None:
            self.nested = Nested(result, self.known_value(result), frame.is_exact, caller, caller.pc)
            caller.returned = (frame, result)
        else:
            caller.pending = ("returned", result)

    def take_nested(self, z: Any) -> Ref:
        """What a recorded activation returned that ran inside this instruction, if that is the instruction's result."""
        nested, self.nested = self.nested, None
        if nested is None or nested.value is not z:
            return None
        frame = self.frame
        here = nested.is_exact and frame is nested.frame and frame.pc - 1 == nested.instruction
        return nested.ref if here or symbols.has_identity(z) else None

    def generator(self, frame: Frame) -> Stream:
        """The stream of a generator or coroutine whose frame is ready to be resumed."""
        frame.caller, frame.suspended = None, True
        self.generators.append(frame)
        frame.generator = len(self.generators)
        position = 0

        def advance(value: Any) -> Ref:
            nonlocal position
            position += 1
            return _on_time(frame.yielded[position - 1], value) if position <= len(frame.yielded) else None

        def rest() -> list[Ref]:
            nonlocal position
            refs, position = frame.yielded[position:], len(frame.yielded)
            return [_on_time(ref, UNSET) for ref in refs]

        return Stream(advance, Thing(UNSET, frame.yielded), rest, frame=frame)

    def suspend(self, frame: Frame, ref: Ref) -> None:
        """A generator yields: whoever resumed it goes on."""
        if type(ref) is Wrapped:
            ref = ref.source
            frame.yielded.append(ref)
        elif not frame.plan.is_asynchronous:
            frame.yielded.append(ref)
        caller = self.frame = frame.caller
        frame.caller, frame.suspended = None, True
        if caller is not None:
            caller.received = caller.pc, ref

    # ---- nodes

    def new(
        self, op: str, value: Any, operands: list[int], frame: Frame | None, site: Site, call: Call | None = None
    ) -> int:
        """Append a node to the columns; returns its id."""
        columns = self.columns
        node = len(columns.op)
        columns.op.append(op)
        columns.value.append(value)
        columns.name.append(None)
        columns.site.append(site)
        columns.activation.append(frame.activation if frame is not None else 0)
        columns.operand.extend(operands)
        columns.start.append(len(columns.operand))
        if call is not None:
            columns.calls[node] = call
        if self.tape.snapshots and (call is not None or arrays.is_array(value)):
            self._date()
            if arrays.is_array(value):
                self.epochs[node] = self.snapshot
            if call is not None:
                self.call_epochs[node] = self.snapshot
        return node

    def pass_snapshot(self) -> None:
        """The instruction at hand wrote to an array: the copy that was kept of it lies behind us."""
        snapshots = self.tape.snapshots
        if self.snapshot < len(snapshots) and snapshots[self.snapshot].at <= self.v:
            self.snapshot += 1

    def _date(self) -> None:
        """Pass the snapshots that lie behind: what comes to be now has seen those writes."""
        snapshots = self.tape.snapshots
        while self.snapshot < len(snapshots) and snapshots[self.snapshot].at < self.v:
            self.snapshot += 1

    def node(self, ref: Ref) -> int | None:
        """The node id of a reference to a number; None for anything else."""
        if type(ref) is int:
            if self.versions:
                return self.versions.get(id(self.columns.value[ref]), ref)
            return ref
        if type(ref) is Leaf:
            if ref.node is None:
                ref.node = self.new(ref.op, ref.value, [], self.frame, ref.site)
                self.columns.name[ref.node] = ref.name
            return self.node(ref.node)
        return None

    def known_value(self, ref: Ref) -> Any:
        """The value that a reference stands for, or UNSET."""
        kind = type(ref)
        if kind is int:
            return self.columns.value[ref]
        if kind is Leaf:
            return ref.value
        if kind in (Sequence, Mapping, Thing, Closure):
            if kind is Sequence and ref.object is UNSET and ref.items is not None:
                return ref.kind(self.known_value(item) for item in ref.items)
            return ref.object
        return UNSET

    def among(self, ref: Ref) -> list[int]:
        """Every node that a reference's content may depend on, without repetition, in order of discovery."""
        return [node for node in self._within(ref) if self.columns.op[node] != "const"]

    def _within(self, ref: Ref) -> list[int]:
        """The same with literals, which nothing depends on but which may be found again."""
        found: dict[int, None] = {}
        seen: set[int] = set()
        work = [ref]
        while work:
            ref = work.pop()
            while type(ref) is Method:
                ref = ref.base
            if type(ref) is int or (type(ref) is Leaf and (ref.op == "input" or symbols.has_identity(ref.value))):
                node = self.node(ref)
                assert node is not None
                found[node] = None
            if ref is None or id(ref) in seen:
                continue
            seen.add(id(ref))
            kind = type(ref)
            if kind in (Sequence, Mapping, Thing):
                work.extend(ref.among)
                if kind is not Thing and ref.items is not None:
                    work.extend(ref.items if kind is Sequence else (*ref.items.values(), *ref.keys))
                if ref.object is not UNSET:
                    work.append(self.heap.get(id(ref.object)))
            elif kind is Closure:
                work.extend(cell.ref for cell in ref.cells)
                work.extend((ref.defaults, ref.keyword_defaults))
            elif kind in (Stream, View, Late, Wrapped):
                work.append(ref.source)
        return list(found)

    def escape(self, ref: Ref, among: list[int]) -> None:
        """Unknown code was handed a reference: all that can be reached from it may hold any of `among` from now on."""
        seen: set[int] = set()
        work = [ref]
        while work:
            ref = work.pop()
            if ref is None or id(ref) in seen:
                continue
            seen.add(id(ref))
            kind = type(ref)
            if kind is Method:
                work.append(ref.base)
            elif kind is Closure:
                for cell in ref.cells:
                    work.append(cell.ref)
                    if type(cell.ref) in (int, Leaf):  # it may be bound anew
                        cell.ref = Thing(UNSET, [cell.ref, *among])
            elif kind in (Sequence, Mapping, Thing):
                work.extend(ref.among)
                if kind is not Thing and ref.items is not None:
                    work.extend(ref.items if kind is Sequence else ref.items.values())
                if kind is not Sequence or ref.kind is list:
                    if kind is not Thing:
                        ref.forget()
                    there = {n for n in ref.among if type(n) is int}
                    ref.among.extend(n for n in among if n not in there)
                if kind is Thing and ref.object is not UNSET:
                    self._escape_object(ref, among, work)

    def _escape_object(self, ref: Thing, among: list[int], work: list[Ref]) -> None:
        held = self.heap.setdefault(id(ref.object), ref)
        work.append(held)
        known = self.attributes.get(id(ref.object), {})
        for name, value in known.items():
            known[name] = Thing(UNSET, [value, *among])

    def handed_over(self, caller: Frame | None) -> Ref:
        """What an activation entered through unrecorded code may have got its values from."""
        if caller is None:
            return Thing()
        if caller.plan.instructions[caller.pc].name == "SEND":
            return Thing(UNSET, [ref for ref in caller.stack[-1:] if ref is not None])
        pending = caller.pending
        if pending is None or pending[0] == "returned":
            return Thing(UNSET, [ref for ref in caller.stack[-2:] if ref is not None])
        call, target = pending
        return Thing(UNSET, [ref for ref in (target, *call.args, *call.kwargs.values()) if ref is not None])

    def unknown_code(self, refs: list[Ref]) -> None:
        """An instruction may have run methods of these objects that were not recorded."""
        if self.frame is not None and self.frame.entered == self.frame.pc - 1:
            return  # they were recorded
        objects = [ref for ref in refs if type(ref) is Thing and has_own_code(ref.object)]
        if objects:
            among = self.among(Thing(UNSET, [ref for ref in refs if ref is not None]))
            if among:
                for ref in objects:
                    self.escape(ref, among)

    def link(self, owner: Any, part: Any) -> None:
        """Something was read out of an object: what is put into it later is in the object, too."""
        if part is None or owner is UNSET or (id(owner), id(part)) in self.links:
            return
        self.links.add((id(owner), id(part)))
        held = self.heap.setdefault(id(owner), Thing(owner))
        if type(held) is Thing:
            held.among.append(Thing(part))

    # ---- where a recorded value comes from

    def agrees(self, ref: Ref, value: Any) -> bool:
        """Whether a reference certainly stands for a recorded value."""
        kind = type(ref)
        if kind is int:
            return self.columns.value[ref] is value
        if kind is Leaf:
            return ref.value is value
        if kind is Sequence and ref.object is UNSET and ref.items is not None:
            return (
                type(value) is ref.kind
                and len(value) == len(ref.items)
                and all(self.agrees(r, v) for r, v in zip(ref.items, value, strict=True))
            )
        if kind in (Sequence, Mapping, Thing, Closure):
            return ref.object is value
        return False

    def claim(self, ref: Ref, value: Any, site: Site, name: str | None = None, source: Ref = None) -> Ref:
        """`ref` if it stands for `value`, else whatever can be found out about the value."""
        if ref is not None and self.agrees(ref, value):
            return ref
        return self.discover(value, site, name, source)

    def discover(self, value: Any, site: Site, name: str | None = None, source: Ref = None) -> Ref:
        """A reference for a value that came out of `source`, an object whose content is not followed."""
        if symbols.is_number(value):
            within = self._within(source) if source is not None else []
            node = self.by_identity(value, within)
            if node is not None:
                return node
            among = [n for n in within if self.columns.op[n] != "const"]
            if self.written and arrays.is_array(value):
                written = self.written.get(id(arrays.owner_of(value)))
                among = among if written is None else [*among, written]
            if among:
                return self.new("opaque", value, among, self.frame, site)
            key = (name or site.text, id(value))
            leaf = self.reads.get(key)
            if leaf is None:
                leaf = self.reads[key] = Leaf(value, "input", name or site.text or None, site)
            return leaf
        owner = self.known_value(source) if source is not None else UNSET
        if not is_inert(value) and not isinstance(value, (str, bytes)):
            self.link(owner, value)
        known = self.heap.get(id(value))
        if known is not None and (type(known) is Stream or self.agrees(known, value)):
            return known
        if type(value) is tuple:
            return Sequence(tuple, [self.discover(v, site, name, source) for v in value], value)
        if source is None or is_inert(value):
            return Thing(value)
        if isinstance(value, (str, bytes)):
            return Thing(value, list(self.among(source)))
        # The source itself and not what is in it now: a lazy iterator takes from it later.
        return self.heap.setdefault(id(value), Thing(value, [source]))

    def by_identity(self, value: Any, among: Iterable[int] = ()) -> int | None:
        """The node whose value is this very object, if there is exactly one.

        What an operation made is a new object and found again wherever it is. A leaf's object came from outside and
        may be anywhere there, too (equal constants of one file are one object): it counts only if it is `among` the
        nodes that are known to have gone into the place where the value was found.
        """
        if not symbols.has_identity(value):
            return None
        columns, index = self.columns, self._by_identity
        for node in range(self._indexed, len(columns)):
            key = id(columns.value[node])
            if key not in index:
                index[key] = node
            elif not self._passes_on(node, index[key]):
                index[key] = None
        self._indexed = len(columns)
        leaves = [node for node in among if self.columns.value[node] is value and self._is_leaf(node)]
        if leaves:
            return leaves[0] if len(leaves) == 1 else None
        found = index.get(id(value))
        return None if found is None or self._is_leaf(found) else self.node(found)

    def _is_leaf(self, node: int) -> bool:
        return self.columns.op[node] in ("input", "const")

    def _passes_on(self, node: int, earlier: int | None) -> bool:
        """Whether a node has its operand's own object as value (`+x`, `max(x, y)`): the operand then stands for both."""
        return earlier is not None and earlier in self.columns.operands(node)

    def call_node(
        self, op: str, value: Any, args: list[Ref], kwargs: dict[str, Ref], frame: Frame, site: Site, arity: int | None
    ) -> int:
        """The node of a call: its operands are the numbers among the arguments, wherever they stand in them."""
        operands: list[int] = []
        where: list[Where] = []
        exact = True
        positions: list[tuple[tuple[int | str, ...], Ref]] = [((i,), ref) for i, ref in enumerate(args)]
        positions += [((key,), ref) for key, ref in kwargs.items()]
        work = list(reversed(positions))
        while work:
            path, ref = work.pop()
            kind = type(ref)
            if kind is int or kind is Leaf:
                beyond = arity is not None and (not isinstance(path[0], int) or path[0] >= arity)
                if beyond and symbols.is_structural(self.known_value(ref)):
                    continue  # an axis, a shape, a number of digits
                node = self.node(ref)
                assert node is not None
                operands.append(node)
                where.append(path[0] if len(path) == 1 and isinstance(path[0], int) else path)
            elif kind is Sequence and ref.items is not None:
                work.extend(reversed([((*path, i), item) for i, item in enumerate(ref.items)]))
            else:
                hidden = self.among(ref)
                exact = exact and not hidden
                operands.extend(hidden)
                where.extend(path for _ in hidden)
        arg_values = tuple(self.known_value(ref) for ref in args)
        kwarg_values = {key: self.known_value(ref) for key, ref in kwargs.items()}
        if not exact or any(v is UNSET for v in (*arg_values, *kwarg_values.values())):
            return self.new("opaque", value, operands, frame, site)
        plain = not kwargs and where == list(range(len(args)))
        call = None if plain else Call(arg_values, kwarg_values, tuple(where))
        return self.new(op, value, operands, frame, site, call)

    def raised_node(self, op: str, operands: list[int], frame: Frame, site: Site) -> None:
        """The node of an operation that raised: it has operands and no value."""
        self.new(op, MISSING, operands, frame, site)


def has_own_code(value: Any) -> bool:
    """Whether an object's type is a class written in Python, whose special methods may do anything."""
    return value is not UNSET and bool(type(value).__flags__ & 0x200)  # Py_TPFLAGS_HEAPTYPE


_INERT = (type, FunctionType, ModuleType, BuiltinFunctionType, slice, range)


def is_inert(value: Any) -> bool:
    """Whether an object can carry no number out of an operation on numbers: None, types, functions, modules."""
    return value is None or issubclass(type(value), _INERT)  # not isinstance, which asks the object for its class


def _on_time(ref: Ref, value: Any) -> Ref:
    """What a generator yielded, now that the recorded value is there."""
    return ref.source.advance(value) if type(ref) is Late else ref
