"""Where values come from: the nodes, and what is known of the numbers in objects that are not followed.

A number that comes back out of an object is accepted for a node only if the very object is found again. Failing that
it is `opaque` and depends on all that may be in there: what recorded code put in, and whatever unrecorded code had in
hand together with it. How much that is does not matter: `symbols.Pool` tells why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cached_property
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NoReturn

from visual_debug import arrays, cpython, kinds, structures
from visual_debug.columns import SEVERAL, Call, Columns
from visual_debug.errors import TraceError
from visual_debug.replaying.memory import Memory
from visual_debug.replaying.symbols import (
    FEW,
    MANY,
    NULL,
    SEVERAL_NODES,
    UNSET,
    Cell,
    Closure,
    Late,
    Leaf,
    Mapping,
    Method,
    Pool,
    Ref,
    Sequence,
    Stream,
    Thing,
    View,
    Wrapped,
)  # fmt: skip
from visual_debug.tracing.tape import Site, Tape
from visual_debug.versions import History


class Origins:
    """The columns of a replay, and where in the objects that it has met the numbers in them are."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.v = 0  # how many values are consumed
        self.columns = Columns()
        self.frame: Any = None  # the activation that is running
        self.heap: dict[int, Ref] = {}  # what is known of containers, closures and other objects, by their identity
        self.attributes: dict[int, dict[str, Ref]] = {}  # by identity of the object, and name
        self.classes: set[int] = set()  # identities of classes among those
        self.globals: dict[str, Ref] = {}
        self.elsewhere: Ref = None  # where the value of any other global may come from
        self._homes: dict[int, Thing] = {}  # modules that nobody can name, by the identity of their globals
        self._set_in: dict[int, frozenset[str]] = {}  # global variables that functions set, by that identity
        self.reads: dict[tuple[str, int], Leaf] = {}  # leaves read from outside, by name and identity
        self.snapshot = 0  # how many snapshots are behind us
        self.epochs: dict[int, int] = {}  # array nodes -> snapshots that were behind when they came to be
        self.call_epochs: dict[int, int] = {}  # the same of nodes with a call
        self._copied: set[int] = set()  # nodes of items of arrays, of which every reading makes another object
        self._again: set[int] = set()  # nodes of arrays that were computed again, where none was ever written to
        self.memory = Memory()
        #: Owners of memory that the call at hand may have written to and that no node was made for.
        self.kept: set[int] = set()
        self._in_memory: dict[
            int, dict[int, Pool]
        ] = {}  # identity of an owner of memory -> pools that have arrays in it
        self._links: set[tuple[int, int]] = set()  # modules or classes, and objects that came out of them
        self._by_identity: dict[int, int | None] = {}
        self._indexed = 0

    @cached_property
    def history(self) -> History:
        """The versions of arrays that were written to."""
        history = History(self.tape.snapshots)
        history.end((seal.array, seal.content) for seal in self.tape.seals if seal.content is not None)
        return history

    # ---- nodes

    def new(
        self, op: str, value: Any, operands: list[int], frame: Any, site: Site, call: Call | None = None
    ) -> int:  # fmt: skip
        """Append a node to the columns; returns its id."""
        columns = self.columns
        node = columns.add(op, site, value, operands, frame.activation if frame is not None else 0)
        if call is not None:
            columns.calls[node] = call
        if self.tape.snapshots and (call is not None or arrays.is_array(value)):
            self._date()
            if arrays.is_array(value):
                self.epochs[node] = self.snapshot
                self.memory.came(value, node)
            if call is not None:
                self.call_epochs[node] = self.snapshot
        return node

    def pass_snapshot(self) -> None:
        """The instruction at hand, of which no value is recorded, wrote to an array: the copy of it lies behind us."""
        self._date()
        snapshots = self.tape.snapshots
        if self.snapshot < len(snapshots) and snapshots[self.snapshot].at == self.v:
            self.snapshot += 1

    def _date(self) -> None:
        """Pass the snapshots that lie behind: what comes to be now has seen those writes."""
        snapshots = self.tape.snapshots
        while self.snapshot < len(snapshots) and snapshots[self.snapshot].at < self.v:
            self.snapshot += 1

    def node(self, ref: Ref) -> int | None:
        """The node id of a reference to a number; None for anything else."""
        if type(ref) is int:
            return self._current(ref) if self.memory.active else ref
        if type(ref) is Leaf:
            if ref.node is None:
                ref.node = self.new(ref.op, ref.value, [], self.frame, ref.site)
                self.columns.name[ref.node] = ref.name
            return self.node(ref.node)
        return None

    def _current(self, ref: int) -> int:
        """The node of a number or, if it is an array, of what it shows now."""
        array = self.columns.value[ref]
        if not arrays.is_array(array):
            return ref
        version = self.memory.version(array, ref)
        unseen = self.memory.unseen(array, version)
        for pool in self._pools_of(array):
            if pool.written > version:
                unseen.append(pool.written)
        if not unseen:
            return version
        for write in unseen:
            version = self._shown(array, version, write)
        self.memory.shows(array, version)
        return version

    def _shown(self, array: Any, version: int, write: int) -> int:
        """The node of what an array shows after a write through another one in the same memory."""
        written = self.columns.value[write]
        call = None
        if arrays.is_array(written) and written.dtype == array.dtype and not array.dtype.hasobject:
            at = arrays.geometry(array), arrays.geometry(written)
            call = Call((array, written), {"at": at}, (0, 1))
        op = "opaque" if call is None else "view"
        node = self.new(op, array, [version, write], self.frame, self.columns.site[write], call)
        if write in self.epochs:  # its content is that from then: other parts may have been written to since
            self.epochs[node] = self.epochs[write]
        return node

    def write(self, array: Any, node: int) -> None:
        """From now on the array means `node`, and others in the same memory show what was written to it."""
        if arrays.is_lent(array):
            self.refuse_iterator(self.columns.site[node])
        self.memory.wrote(array, node)
        self.kept.discard(id(arrays.owner_of(array)))
        for pool in self._pools_of(array):
            pool.fresh.append(node)
        crowd = self.memory.crowd(array)
        if crowd:
            whole = self.memory.whole(array)
            if whole is not None:
                gathered = self._current(whole)
            else:
                gathered = self.new("opaque", SEVERAL, crowd, self.frame, self.columns.site[node])
                if crowd[-1] in self.epochs:
                    self.epochs[gathered] = self.epochs[crowd[-1]]
            self.memory.gathered(array, gathered)

    def refuse_iterator(self, site: Site) -> NoReturn:
        """Something was written through a `numpy.nditer`, nobody knows to which array."""
        raise TraceError(
            f"{site}: what is written to the items of numpy.nditer is not followed: write to the array itself, at the "
            "indices that numpy.ndindex(array.shape) gives"
        )

    def is_changed(self, position: int) -> bool:
        """Whether memory was written to after a snapshot and before the next one of it."""
        return not self.tape.snapshots[position].perhaps or self.history.is_changed(position)

    def content(self, node: int) -> Any:
        """What an array held when its node came to be."""
        array = self.columns.value[node]
        found = self.history.at(array, self.epochs.get(node, 0))
        if found is array:
            owner = arrays.owner_of(array)
            for seal in self.tape.seals:
                if seal.array is owner and seal.content is not None:
                    return arrays.same_view(array, owner, seal.content)
        return found

    def _pools_of(self, array: Any) -> list[Pool]:
        """The pools with arrays in the same memory."""
        owner = id(arrays.owner_of(array))
        pools = self._in_memory.get(owner)
        if not pools:
            return []
        roots = {id(pool.root()): pool.root() for pool in pools.values()}
        self._in_memory[owner] = roots
        return list(roots.values())

    def known_value(self, ref: Ref) -> Any:
        """The value that a reference stands for, or UNSET."""
        kind = type(ref)
        if kind is int:
            return self.columns.value[ref]
        if kind is Leaf:
            return ref.value
        if kind in _HOLDERS or kind is Closure:
            if kind is Sequence and ref.object is UNSET and ref.items is not None:
                return ref.kind(self.known_value(item) for item in ref.items)
            return ref.object
        return UNSET

    # ---- what is in objects

    def among(self, ref: Ref) -> list[int]:
        """The nodes that a reference's content may depend on, without repetition."""
        numbers, pools = self._within(ref)
        for pool in pools:
            numbers.update(pool.nodes)
        return [node for node in numbers if self.columns.op[node] != "const"]

    def gist(self, ref: Ref) -> list[int]:
        """The same, but if they are more than a few, one node for all."""
        among = self.among(ref)
        return among if len(among) <= FEW else [self._gathered(among)]

    def _gathered(self, nodes: Iterable[int]) -> int:
        frame = self.frame
        nodes = list(nodes)
        site = self.columns.site[nodes[-1]] if frame is None else frame.plan.site(max(frame.pc - 1, 0))
        return self.new("opaque", SEVERAL, nodes, frame, site)

    def _within(self, ref: Ref) -> tuple[dict[int, None], list[Pool]]:
        """The nodes that can be reached from a reference one by one, and the pools. Literals are among the nodes."""
        numbers: dict[int, None] = {}
        pools: dict[int, Pool] = {}
        seen: set[int] = set()
        for part in _parts(ref):
            if not self._look(part, numbers, pools, seen):
                pool = self.pour(Pool(), [part])
                pools[id(pool)] = pool
        roots = {id(pool.root()): pool.root() for pool in pools.values()}
        for pool in roots.values():
            self._settle(pool)
        return numbers, list(roots.values())

    def _look(self, ref: Ref, numbers: dict[int, None], pools: dict[int, Pool], seen: set[int]) -> bool:
        """Look through all that can be reached from a reference; False if that is too much."""
        work = [ref]
        left = MANY
        while work:
            ref = work.pop()
            kind = type(ref)
            if kind is int or kind is Leaf:
                if _counts(ref):
                    numbers[self.node(ref)] = None  # type: ignore[index]
                continue
            if kind is Method:
                work.append(ref.base)
                continue
            if ref is None or id(ref) in seen:
                continue
            seen.add(id(ref))
            if kind in _HOLDERS or kind is Cell:
                if ref.pool is not None:
                    pools[id(ref.pool)] = ref.pool
                    continue
                if kind is Cell:
                    work.append(ref.ref)
                    continue
                summary = self._summary(ref) if kind is not Thing else None
                if summary is not None:
                    pools[id(summary)] = summary
                else:
                    work.extend(_contents(ref))
                work.extend(ref.among)
                work.extend(self._behind(ref))
            elif kind is Closure:
                work.extend((*ref.cells, ref.defaults, ref.keyword_defaults))
            elif kind in _LAZY:
                work.append(ref.source)
            else:
                continue
            left -= 1
            if not left:
                return False
        return True

    def _behind(self, ref: Ref) -> list[Ref]:
        """What is known of an object elsewhere, and of its classes if recorded code has set attributes of those."""
        if ref.object is UNSET or is_passive(ref.object):
            return []
        held = self.heap.get(id(ref.object))
        found = [held] if held is not None and held is not ref else []
        if self.classes and type(ref) is Thing:
            found += [self.heap.get(id(kind)) for kind in type(ref.object).__mro__ if id(kind) in self.classes]
        return found

    def _summary(self, ref: Ref) -> Pool | None:
        """A pool of the items of a long container of numbers, the same one as long as they stay the same."""
        if ref.items is None or len(ref.items) <= FEW:
            return None
        items = _contents(ref)
        if ref.summary is None or ref.summary[0] != items:
            if not set(map(type, items)) <= _NUMBERS:
                return None
            ref.summary = list(items), Pool(fresh=[item for item in items if _counts(item)])
        pool: Pool = ref.summary[1]
        return pool

    def _settle(self, pool: Pool) -> None:
        """Give the numbers that came into a pool their places in it."""
        if not pool.fresh:
            return
        fresh, pool.fresh = pool.fresh, []
        op, value, found = self.columns.op, self.columns.value, pool.found
        for ref in fresh:
            node = self.node(ref)
            assert node is not None
            if op[node] != "const":
                pool.nodes[node] = None
            key = id(value[node])
            earlier = found.get(key)
            if arrays.is_array(value[node]):
                found[key] = node
                pool.has_arrays = True
                self._in_memory.setdefault(id(arrays.owner_of(value[node])), {})[id(pool)] = pool
            elif earlier is None:
                found[key] = node
            elif earlier != node:
                found[key] = SEVERAL_NODES
        if len(pool.nodes) > FEW:
            pool.nodes = {self._gathered(pool.nodes): None}

    def pour(self, pool: Pool, refs: Iterable[Ref], escaping: list[Ref] | None = None) -> Pool:
        """All that can be reached from the references shares the pool from now on; returns the pool that it is then.

        Modules, classes and functions have pools of their own, or everything that was ever handed to one would be the
        same. They are added to `escaping`, as iterators are, which nobody knows the position of any more.
        """
        work = list(refs)
        homes: set[int] = set()  # modules, classes and functions that were looked into
        short = MANY  # tuples that may stay out: they never change, but there may be one in the other without end
        while work:
            ref = work.pop()
            kind = type(ref)
            if kind is int or kind is Leaf:
                if _counts(ref):
                    pool.fresh.append(ref)
            elif kind is Thing and is_inert(ref.object):
                if id(ref) in homes:  # modules and classes lead to themselves
                    continue
                homes.add(id(ref))
                work.extend(ref.among)
                if is_passive(ref.object) or id(ref.object) in homes:
                    continue
                homes.add(id(ref.object))
                held = self.holder(ref)
                if type(held) is Thing:
                    pool.fresh.extend(self._own(held, work))
                else:
                    work.append(held)
                if escaping is not None:
                    escaping.append(ref)
            elif kind in _HOLDERS or kind is Cell:
                if ref.pool is not None:
                    pool = _united(pool, ref.pool.root())
                    continue
                is_tuple = kind is Sequence and ref.kind is tuple and ref.items is not None
                if is_tuple and short and len(ref.items) <= FEW:
                    short -= 1
                    work.extend((*ref.items, *ref.among))
                    continue
                ref.pool = pool
                pool.is_shared = True
                if kind is Cell:
                    work.append(ref.ref)
                    continue
                work.extend((*_contents(ref), *ref.among, *self._behind(ref)))
                ref.among = []
                if kind is not Thing:
                    if ref.items is not None and not is_tuple:
                        pool.exact[id(ref)] = ref
                elif ref.object is not UNSET:
                    self.heap.setdefault(id(ref.object), ref)
                    if self.attributes.get(id(ref.object)):
                        pool.exact[id(ref.object)] = ref
            elif kind is Closure:
                work.extend((*ref.cells, ref.defaults, ref.keyword_defaults))
                code = ref.object.__code__
                for name, cell in zip(code.co_freevars, ref.cells, strict=False):
                    if name in cpython.binds(code).free:
                        cell.is_exposed = True
                        pool.exact[id(cell)] = cell
            elif kind is Method:
                work.append(ref.base)
            elif kind in _LAZY:
                work.append(ref.source)
                if escaping is not None and kind is Stream:
                    escaping.append(ref)
        return pool

    def _own(self, held: Thing, work: list[Ref]) -> list[int]:
        """The numbers in the pool of a module or class; objects that are known to be there are added to `work`."""
        work.extend(held.among)
        if held.pool is None:
            return []
        pool = held.pool.root()
        self._settle(pool)
        return list(pool.nodes)

    def escape(self, refs: Iterable[Ref], *, writes: bool = True) -> Pool:
        """Unknown code was handed references: whatever can be reached from them may hold any number in there now.

        `writes` says that it may have written to arrays, too: what C code writes to is known to the recorder.
        """
        escaping: list[Ref] = []
        pool = self.pour(Pool(), refs, escaping)
        exact, pool.exact = pool.exact, {}
        for ref in exact.values():
            if type(ref) is Cell:
                if type(ref.ref) not in (Sequence, Mapping, Closure):
                    ref.ref = Thing(UNSET if type(ref.ref) is not Thing else ref.ref.object, pool=pool)
            elif type(ref) is Thing:
                self.attributes.pop(id(ref.object), None)
            else:
                ref.forget()
        self._settle(pool)
        pool.touched = pool.touched or pool.is_shared or bool(pool.nodes)
        if writes and pool.has_arrays:
            pool.written = self._gathered(pool.nodes)
            self.memory.active = True
        for ref in escaping:
            if type(ref) is Stream:
                ref.lose()
            else:
                self.attributes.pop(id(ref.object), None)
                if pool.nodes:
                    self.share(self.holder(ref), pool)
        return pool

    def home(self, function: FunctionType) -> Ref:
        """What is known of the module that a function keeps things in."""
        names = function.__globals__
        module = sys.modules.get(names.get("__name__") or "")
        if module is not None and vars(module) is names:
            return self.holder(Thing(module))
        return self._homes.setdefault(id(names), Thing())

    def set_in_module_of(self, function: FunctionType) -> frozenset[str]:
        """The global variables that functions of the same module give other values (`global`)."""
        names = function.__globals__
        found = self._set_in.get(id(names))
        if found is None:
            values = [
                part for value in names.values() for part in (vars(value).values() if type(value) is type else (value,))
            ]
            codes = [value.__code__ for value in values if type(value) is FunctionType]
            found = self._set_in[id(names)] = frozenset().union(*(cpython.binds(code).globals for code in codes))
        return found

    def share(self, held: Ref, pool: Pool) -> None:
        """A module or class, or what is kept there, may hold the numbers that are in a pool now."""
        if type(held) is Thing:
            if held.pool is None:
                held.pool = Pool()
            own = held.pool.root()
            own.touched = True
            if own is not pool:
                own.fresh.extend(pool.nodes)

    def put(self, holder: Ref, item: Ref) -> None:
        """Something is in an object, or in a container whose items are followed, from now on."""
        if item is None or item is NULL:
            return
        if type(holder) is Thing:
            holder = self.holder(holder)
        if type(holder) not in _HOLDERS:
            return
        if holder.pool is not None:
            self.pour(holder.pool.root(), [item])
        elif type(holder) is Thing or holder.items is None:
            holder.among.append(item)
            if len(holder.among) > FEW:
                self._pool_of(holder)

    def _pool_of(self, holder: Ref) -> Pool:
        """The pool of an object or container, which from now on has one."""
        if holder.pool is not None:
            return holder.pool.root()  # type: ignore[no-any-return]
        if type(holder) is Thing and is_inert(holder.object):
            among, holder.among, holder.pool = holder.among, [], Pool()
            return self.pour(holder.pool, among)
        return self.pour(Pool(), [holder])

    def holder(self, ref: Ref) -> Ref:
        """What is known of the object that a reference stands for, whichever reference it is."""
        if type(ref) is Thing and ref.object is not UNSET and not is_passive(ref.object):
            return self.heap.setdefault(id(ref.object), ref)
        return ref

    def unknown_code(self, refs: list[Ref], *methods: str) -> Pool | None:
        """An instruction may have run these methods, if not any, of the objects, which were not recorded."""
        objects = [ref for ref in refs if type(ref) is Thing and has_own_code(ref.object, methods)]
        if not objects:
            return None
        others = [node for ref in refs if ref is not None and ref not in objects for node in self.gist(ref)]
        return self.escape([*objects, *others])

    def link(self, source: Ref, part: Ref) -> None:
        """An object or container came out of `source`: what is put into one later is in the other, too."""
        part = self.holder(part)
        origin = self.holder(source)
        if type(part) not in _HOLDERS or origin is part:
            return
        is_home = type(origin) is Thing and is_inert(origin.object)
        is_object = type(origin) is Thing and origin.object is not UNSET
        if type(origin) in _HOLDERS and not is_home and (origin.pool is not None or is_object):
            self.pour(self._pool_of(origin), [part])
            return
        if is_home and (id(origin), id(part)) not in self._links:
            self._links.add((id(origin), id(part)))
            self.put(origin, part)
        if type(part) is Thing and part.pool is None and not part.among:
            # The source itself and not what is in it now: a lazy iterator takes from it later.
            part.among.append(source)

    def is_untouched(self, owner: Any) -> bool:
        """Whether no unrecorded code has had a module or class in hand."""
        held = self.heap.get(id(owner))
        return type(held) is not Thing or held.pool is None or not held.pool.root().touched

    def is_intact(self, ref: Ref) -> bool:
        """Whether an object was there before, and holds but that and what recorded code has put in, unchanged."""
        held = self.holder(ref)
        return type(held) is Thing and held.outside and self.is_untouched(held.object)

    # ---- where a recorded value comes from

    def agrees(self, ref: Ref, value: Any) -> bool:
        """Whether a reference certainly stands for a recorded value."""
        kind = type(ref)
        if kind is int:
            known = self.columns.value[ref]
            return (
                known is value
                or (ref in self._copied and arrays.is_same(known, value))
                or (ref in self._again and arrays.is_equal(known, value))
            )
        if kind is Leaf:
            # The number of a loop's turn was not recorded, and is another object.
            return ref.value is value or (type(value) is int and ref.op == "const" and ref.value == value)
        if kind is Sequence and ref.object is UNSET and ref.items is not None:
            return (
                type(value) is ref.kind
                and len(value) == len(ref.items)
                and all(self.agrees(r, v) for r, v in zip(ref.items, value, strict=True))
            )
        if kind in _HOLDERS or kind is Closure or kind is Stream:
            return ref.object is value
        return False

    def copied(self, ref: Ref) -> Ref:
        """An item of an array that reading makes a new object of each time: it is known by what it holds, and where."""
        self._copied.add(ref)
        return ref

    def again(self, ref: Ref) -> Ref:
        """What was computed again: it is known by its value, for that which was computed first is another object."""
        (self._again if arrays.is_array(self.columns.value[ref]) else self._copied).add(ref)
        return ref

    def claim(self, ref: Ref, value: Any, site: Site, name: str | None = None, source: Ref = None) -> Ref:
        """`ref` if it stands for `value`, else whatever can be found out about the value."""
        if ref is not None and self.agrees(ref, value):
            return ref
        return self.discover(value, site, name, source)

    def discover(
        self, value: Any, site: Site, name: str | None = None, source: Ref = None, *, moved: bool = False
    ) -> Ref:
        """A reference for a value that came out of `source`, an object whose content is not followed.

        `moved` says that the object is intact, and that the value was in there as it is: nothing computed it.
        """
        if kinds.is_number(value):
            return self._number(value, site, name, source, moved)
        known = self.heap.get(id(value)) if not is_passive(value) else None
        if known is not None and type(known) is not Stream and not self.agrees(known, value):
            known = None
        if type(value) is tuple or structures.tuple_fields(type(value)) is not None:
            if known is None:
                items = [self.discover(v, site, name, source, moved=moved) for v in tuple.__iter__(value)]
                known = Sequence(tuple, items, value)
                self.heap[id(value)] = known
            return known
        if issubclass(type(value), (str, bytes)):  # not isinstance, which asks the object for its __class__
            return Thing(value) if source is None else Thing(value, self.gist(source))
        if is_inert(value):
            if source is not None and type(value) is BuiltinFunctionType and kinds.is_number(value.__self__):
                return Thing(value, self.gist(source))  # a method leads to the number that it is bound to
            return known if known is not None else Thing(value)
        if known is None:
            known = self.heap[id(value)] = Thing(value, outside=moved or source is None)
        if source is not None:
            self.link(source, known)
        return known

    def _number(self, value: Any, site: Site, name: str | None, source: Ref, moved: bool) -> Ref:
        made = self._made(value)
        if made is not None:
            return made
        numbers, pools = self._within(source) if source is not None else ({}, [])
        leaf = self._leaf_within(value, numbers, pools)
        if leaf is not None:
            return leaf
        among = dict(numbers)
        for pool in pools:
            among.update(pool.nodes)
        nodes = [node for node in among if self.columns.op[node] != "const"]
        is_array = arrays.is_array(value)
        if is_array:
            nodes += [node for node in self.memory.written(value) if node not in among]
        elif moved and not self._holds(value, numbers, pools):
            nodes = []
        if nodes:
            return self.new("opaque", value, nodes, self.frame, site)
        key = (name or site.text, id(value))
        read = self.reads.get(key)
        if read is None:
            read = self.reads[key] = Leaf(value, "input", name or site.text or None, site)
        if is_array:
            self.node(read)  # before anything can be written to its memory
        return read

    def find(self, value: Any, source: Ref) -> int | None:
        """The node whose value is this very object, if there is exactly one, or one that is known to be in `source`.

        What an operation made is a new object and found again wherever it is. A leaf's object came from outside and
        may be anywhere there, too (equal constants of one file are one object): it counts only if it is one of those
        that are known to have gone into the place where the value was found.
        """
        made = self._made(value)
        return made if made is not None else self._leaf_within(value, *self._within(source))

    def _made(self, value: Any) -> int | None:
        """The node of the one operation that made this very object."""
        if not kinds.has_identity(value):
            return None
        columns, index = self.columns, self._by_identity
        for node in range(self._indexed, len(columns)):
            key = id(columns.value[node])
            if key not in index:
                index[key] = node
            elif not self._passes_on(node, index[key]):
                index[key] = None
        self._indexed = len(columns)
        found = index.get(id(value))
        return None if found is None or self._is_leaf(found) else self.node(found)

    def _leaf_within(self, value: Any, numbers: dict[int, None], pools: list[Pool]) -> int | None:
        """The one leaf there whose value is this very object."""
        if not kinds.has_identity(value):
            return None
        found = {node for node in numbers if self.columns.value[node] is value}
        found |= {pool.found[id(value)] for pool in pools if id(value) in pool.found}
        node = found.pop() if len(found) == 1 else SEVERAL_NODES
        return self.node(node) if node >= 0 and (self._is_leaf(node) or arrays.is_array(value)) else None

    def _holds(self, value: Any, numbers: dict[int, None], pools: list[Pool]) -> bool:
        """Whether there is a number whose object is this very one."""
        is_there = any(id(value) in pool.found for pool in pools)
        return is_there or any(self.columns.value[node] is value for node in numbers)

    def _is_leaf(self, node: int) -> bool:
        return self.columns.op[node] in ("input", "const")

    def _passes_on(self, node: int, earlier: int | None) -> bool:
        """Whether a node has its operand's own object as value (`+x`, `max(x, y)`): the operand then stands for both."""
        return earlier is not None and earlier in self.columns.operands(node)


_HOLDERS = frozenset({Thing, Sequence, Mapping})
_LAZY = frozenset({Stream, View, Late, Wrapped})
_NUMBERS = frozenset({int, Leaf})


def _counts(ref: Ref) -> bool:
    """Whether a number can be found again, or a derivative can pass through it: not a literal that may be any other."""
    return type(ref) is int or (type(ref) is Leaf and (ref.op == "input" or kinds.has_identity(ref.value)))


def _parts(ref: Ref) -> list[Ref]:
    """What a reference that was made only to join others joins."""
    return ref.among if type(ref) is Thing and ref.object is UNSET and ref.pool is None else [ref]


def _contents(ref: Ref) -> list[Ref]:
    """The items of a container that are known, and the keys that were computed."""
    if type(ref) is Thing or ref.items is None:
        return []
    return [*ref.items.values(), *ref.keys.values()] if type(ref) is Mapping else list(ref.items)


def _united(a: Pool, b: Pool) -> Pool:
    """One pool of two. The smaller one is added to the larger one: nothing moves more than a few times."""
    if a is b:
        return a
    if len(a.found) + len(a.fresh) + len(a.exact) < len(b.found) + len(b.fresh) + len(b.exact):
        a, b = b, a
    for key, node in b.found.items():
        a.found[key] = node if a.found.get(key, node) == node else SEVERAL_NODES
    a.fresh += b.fresh
    a.nodes.update(b.nodes)
    a.exact.update(b.exact)
    a.is_shared = a.is_shared or b.is_shared
    a.touched = a.touched or b.touched
    a.has_arrays = a.has_arrays or b.has_arrays
    a.written = max(a.written, b.written)
    b.above = a
    b.fresh, b.nodes, b.found, b.exact = [], {}, {}, {}
    return a


#: What a class can have besides code of its own.
_NO_CODE = (
    str, tuple, dict, int, float, type(None), GetSetDescriptorType, MemberDescriptorType, WrapperDescriptorType,
    MethodDescriptorType, ClassMethodDescriptorType, BuiltinFunctionType,
)  # fmt: skip


def has_own_code(value: Any, methods: tuple[str, ...] = ()) -> bool:
    """Whether an object's class has methods (of these names) that are no C code, which may do anything."""
    if value is UNSET:
        return False
    for kind in type(value).__mro__:
        if kind.__flags__ & 0x200:  # Py_TPFLAGS_HEAPTYPE
            own = vars(kind)
            if any(not issubclass(type(own[name]), _NO_CODE) for name in (methods or own) if name in own):
                return True
    return False


def is_inert(value: Any) -> bool:
    """Whether an object can carry no number out of an operation on numbers: None, types, functions, modules, text."""
    kind = type(value)
    return kind in _INERT or issubclass(kind, type)


_INERT = frozenset({type(None), FunctionType, ModuleType, BuiltinFunctionType, slice, range, str, bytes})


def is_passive(value: Any) -> bool:
    """Whether an object neither changes nor is told from an equal one."""
    return type(value) in _PASSIVE


_PASSIVE = frozenset({type(None), slice, range, str, bytes})
