"""The state of a replay: the tape as far as it is read, and the activations.

Which instruction does what is in `opcodes`, what runs them in `replay`, and where values come from in `origins`.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

from visual_debug import kinds, structures
from visual_debug.columns import Activation, Call, Where
from visual_debug.errors import TraceError
from visual_debug.replaying.origins import Origins
from visual_debug.replaying.symbols import UNSET, Cell, Late, Leaf, Mapping, Pool, Ref, Sequence, Stream, Thing, Wrapped
from visual_debug.tracing.tape import Contents, Plan, Site, Tape


class Nested(NamedTuple):
    """What an activation returned that unrecorded code entered, or a generator that it resumed."""

    ref: Ref
    value: Any
    is_exact: bool  #: it is the result of the instruction, and not merely found in it
    frame: Frame  #: that the instruction is of
    instruction: int


class Frame:
    """One activation in the machine."""

    __slots__ = ("activation", "answer", "by_door", "caller", "cells", "child_raised", "entered", "generator", "is_exact", "keywords",
                 "landed", "locals", "output", "pc", "pending", "plan", "received", "returned", "stack", "suspended", "yielded")  # fmt: skip

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
        self.answer: Callable[[Ref], None] | None = None  # whoever asked for what it returns: an iterator, or a call
        self.entered = -1  # the instruction that unrecorded code entered an activation from
        self.generator: int | None = None  # its number on the path
        self.yielded: list[Ref] = []
        self.output = Thing()  # who may take from it has this as source
        self.suspended = False  # waiting to be resumed
        self.received: tuple[int, Ref] | None = None  # what a generator yielded, and the instruction that resumed it
        self.returned: tuple[Frame, Ref] | None = None  # what a generator that was resumed here returned
        self.landed: int | None = -1  # code unit that raised the exception caught last
        self.child_raised = False  # an exception came out of an activation that was recorded itself


class Machine(Origins):
    """The replay of one tape: what it has consumed, and what it knows so far."""

    frame: Frame | None

    def __init__(self, tape: Tape, values: list[Any], path: list[int]) -> None:
        super().__init__(tape)
        self.values = values
        self.generators: list[Frame] = []  # in the order in which they were made
        self.exception: Ref = None  # what is known of the exception on its way
        self.path = path
        self.p = 0  # how many words
        self.main: Frame | None = None  # of the traced call
        self.yields: Stream | None = None  # of the traced call, if it made a generator
        self.inputs: dict[str, Ref] = {}
        self.records: dict[int, Contents] = {}  # objects made of fields that the arguments have, by identity
        self._places: dict[int, Sequence | Mapping] = {}  # containers that the arguments have in several places
        self._unfinished: set[int] = set()  # identities of those whose items are being looked through
        self.result: Ref = Thing()
        self.cells: dict[int, Cell] = {}  # by identity of the interpreter's own
        self.defaults: dict[CodeType, Thing] = {}  # where the defaults of functions made while recording may come from
        self.literals: dict[tuple[Any, ...], Leaf] = {}  # by where they are written, and what
        self.nested: Nested | None = None
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
            if value.has_fields:
                return self._object(value, known, name, site, source)
            if known is None:
                return self._container(value, name, site, source)
            return self._another(known, value, name, site) if self.main is None else known
        if source is not None:
            return self.discover(value, site, name, source)
        return Leaf(value, "input", name, site) if kinds.is_number(value) else Thing(value, outside=True)

    def _object(self, contents: Contents, known: Ref, name: str, site: Site, source: Ref) -> Ref:
        """An object made of fields, by what is in them at the time of the call."""
        value = contents.container
        if self.main is not None:
            return known if known is not None else self.discover(value, site, name, source)
        if known is not None:
            # Given in several places it is one and the same: its fields are an argument in none of them.
            if id(value) not in self._unfinished and self.records.pop(id(value), None) is not None:
                del self.attributes[id(value)]
                known.among.clear()
            return known
        ref = self.heap[id(value)] = Thing(value, outside=True)
        self.records[id(value)] = contents
        self.attributes[id(value)] = parts = {}
        self._unfinished.add(id(value))
        for field, item in zip(contents.keys or (), contents.items, strict=True):
            if type(item) is Contents or kinds.is_number(item):
                parts[field] = self.argument(item, f"{name}.{field}", site)
                self.put(ref, parts[field])
        self._unfinished.discard(id(value))
        return ref

    def _another(self, known: Ref, contents: Contents, name: str, site: Site) -> Ref:
        """One container given in several places of the arguments: its items are other arguments in each of them.

        Unless it was written to, since then what was written is in all of those places.
        """
        container = contents.container
        if id(container) in self._unfinished or not _is_unchanged(contents):
            return known
        places = self._places.get(id(container))
        if places is None:
            kind = tuple if isinstance(container, tuple) else type(container)
            places = Sequence(kind, None, container) if contents.keys is None else Mapping(None, container)
            places.among.append(known)
            self._places[id(container)] = places
        ref = self._container(contents, name, site, None)
        places.among.append(ref)
        self.heap[id(container)] = places  # it may be any of them that comes back from elsewhere
        return ref

    def _container(self, contents: Contents, name: str, site: Site, source: Ref) -> Ref:
        container, keys = contents.container, contents.keys
        kind = tuple if isinstance(container, tuple) else type(container)
        fields = structures.tuple_fields(type(container))
        items: Any = deque(maxlen=container.maxlen) if kind is deque else []
        ref: Ref = Sequence(kind, items, container) if keys is None else Mapping({}, container)
        self.heap[id(container)] = ref  # before its items, which may lead back to it
        self._unfinished.add(id(container))
        for key, item in zip(keys if keys is not None else range(len(contents.items)), contents.items, strict=True):
            written = f"[{kinds.key_text(key) or f'<{type(key).__name__}>'}]" if fields is None else f".{fields[key]}"
            item_ref = self.argument(item, name + written, site, source)
            if keys is None:
                ref.items.append(item_ref)
            else:
                ref.items[key] = item_ref
        self._unfinished.discard(id(container))
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
        if frame.answer is not None:
            frame.answer(result)
        if frame.generator is not None:
            self.put(frame.output, result)  # to whoever awaits it, which may be a list of several
        if caller is None:
            return
        if frame.by_door or frame.generator is not None:
            self.nested = Nested(
                result, self.known_value(result), frame.is_exact and frame.answer is None, caller, caller.pc
            )
            caller.returned = (frame, result)
        else:
            caller.pending = ("returned", result)

    def unknown_code(self, refs: list[Ref], *methods: str) -> Pool | None:
        """The same, unless the methods that the instruction at hand has run were recorded."""
        if self.frame is not None and self.frame.entered == self.frame.pc - 1:
            return None
        return super().unknown_code(refs, *methods)

    def nested_here(self, z: Any) -> Ref:
        """What a recorded activation returned that this instruction has run last, if that is the recorded value."""
        nested, frame = self.nested, self.frame
        if nested is None or frame is None or nested.value is not z:
            return None
        return nested.ref if frame is nested.frame and frame.pc - 1 == nested.instruction else None

    def take_nested(self, z: Any) -> Ref:
        """What a recorded activation returned that ran inside this instruction, if that is the instruction's result."""
        nested, self.nested = self.nested, None
        if nested is None or nested.value is not z:
            return None
        frame = self.frame
        here = nested.is_exact and frame is nested.frame and frame.pc - 1 == nested.instruction
        return nested.ref if here or kinds.has_identity(z) else None

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

        return Stream(advance, frame.output, rest, frame=frame)

    def suspend(self, frame: Frame, ref: Ref) -> None:
        """A generator yields: whoever resumed it goes on."""
        is_wrapped = type(ref) is Wrapped
        if is_wrapped:
            ref = ref.source
        if is_wrapped or not frame.plan.is_asynchronous:
            frame.yielded.append(ref)
            self.put(frame.output, ref)
        caller = self.frame = frame.caller
        frame.caller, frame.suspended = None, True
        if caller is not None:
            caller.received = caller.pc, ref

    def handed_over(self, caller: Frame | None) -> Ref:
        """What an activation entered through unrecorded code may have got its values from."""
        if caller is None:
            return Thing()
        name = caller.plan.instructions[caller.pc].name
        if name == "SEND":
            return Thing(UNSET, [ref for ref in caller.stack[-1:] if ref is not None])
        pending = caller.pending
        if pending is None or pending[0] == "returned":
            depth = _HANDED_OVER.get(name, 2)
            return Thing(UNSET, [ref for ref in caller.stack[-depth:] if ref is not None])
        call, target = pending
        return Thing(UNSET, [ref for ref in (target, *call.args, *call.kwargs.values()) if ref is not None])

    def behind(self, cell: Cell | None) -> Ref:
        """Where the value of a variable may come from if it is not the one that is known."""
        if cell is None:
            return None
        return Thing(UNSET, pool=cell.pool) if cell.pool is not None else cell.ref if type(cell.ref) is Thing else None

    def bind(self, cell: Cell, ref: Ref) -> None:
        """Give a shared variable a new value."""
        cell.ref = ref
        if cell.pool is not None:
            pool = self.pour(cell.pool.root(), [ref])
            if cell.is_exposed:
                pool.exact[id(cell)] = cell

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
                if beyond and kinds.is_structural(self.known_value(ref)):
                    continue  # an axis, a shape, a number of digits
                node = self.node(ref)
                assert node is not None
                operands.append(node)
                where.append(path[0] if len(path) == 1 and isinstance(path[0], int) else path)
            elif kind is Sequence and ref.items is not None and ref.kind in (list, tuple):
                work.extend(reversed([((*path, i), item) for i, item in enumerate(ref.items)]))
            elif (
                arity is not None and isinstance(path[0], int) and path[0] >= arity and _is_form(self.known_value(ref))
            ):
                continue
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


#: How many operands an instruction has that hands over more than two.
_HANDED_OVER = {"STORE_SUBSCR": 3, "BINARY_SLICE": 3, "STORE_SLICE": 4}


def _is_form(value: Any) -> bool:
    """Whether a value is a list or tuple of counts: axes, a shape."""
    return isinstance(value, (list, tuple)) and all(type(item) is int for item in value)


def _on_time(ref: Ref, value: Any) -> Ref:
    """What a generator yielded, now that the recorded value is there."""
    return ref.source.advance(value) if type(ref) is Late else ref


def _is_unchanged(contents: Contents) -> bool:
    """Whether a container holds the very objects that it held when the call began."""
    now = list(contents.container if contents.keys is None else contents.container.values())
    then = [item.container if type(item) is Contents else item for item in contents.items]
    is_same = len(now) == len(then) and all(map(operator.is_, now, then))
    return is_same and (contents.keys is None or all(map(operator.is_, contents.container, contents.keys)))
