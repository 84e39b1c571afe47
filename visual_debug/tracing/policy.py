"""Which functions called from a traced one are recorded too, and their rewritten twins."""

from __future__ import annotations

import functools
import operator
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from visual_debug import arrays, cpython, kinds
from visual_debug.errors import UntraceableError
from visual_debug.tracing import callbacks, hooks, lent, record, rewrite, shells, writes
from visual_debug.tracing.context import tape_here
from visual_debug.tracing.flow import Flow
from visual_debug.tracing.tape import Plan, Tape
from visual_debug.tracing.twins import Twins, forgotten

_rewriting = threading.RLock()


def plain_of(function: FunctionType) -> FunctionType:
    """The plain function behind a decorated one, with what has been assigned to that since; any other itself."""
    code = plain_code(function)
    if code is function.__code__:
        return function
    plain = function.__dict__.get("__wrapped__")
    if (
        type(plain) is FunctionType
        and plain.__code__ is code
        and plain.__defaults__ is function.__defaults__
        and plain.__kwdefaults__ is function.__kwdefaults__
        and all(map(operator.is_, plain.__closure__ or (), function.__closure__ or ()))
    ):
        return plain
    plain = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    plain.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(plain, function)
    vars(plain).clear()
    return plain


def plain_code(function: FunctionType) -> CodeType:
    """The code of a function as the user wrote it, before it was decorated, or a twin's was taken for it."""
    door = _door(function)
    return record.plain_code(function.__code__) if door is None else door.plan.code


def _door(function: FunctionType) -> record.Door | None:
    """The door in the code of a function that has been decorated, or is lent its code."""
    return next((const for const in function.__code__.co_consts if type(const) is record.Door), None)


class CallSite:
    """Cache of one call instruction: the last callable and what to call instead, as one tuple for atomic reads."""

    __slots__ = ("count", "pair", "record", "total")

    def __init__(self, count: int, total: int) -> None:
        self.pair: tuple[Any, Any] = _EMPTY
        self.record: Any = None  # of a method of a known object: what was recorded of it the last time
        self.count = count  # of positional arguments
        self.total = total

    @property
    def has_keywords(self) -> bool:
        """Whether there are others."""
        return self.total > self.count

    def __reduce__(self) -> tuple[Any, ...]:
        return CallSite, (self.count, self.total)  # what it refers to is of this process only


_EMPTY: tuple[Any, Any] = (object(), None)


def _lasting(target: Any) -> bool:
    """Whether a callable belongs to a module, so that a call site may remember it for good.

    The code that call sites are in lives on, and it is nothing that the garbage collector sees into. Python functions
    are not remembered from one recording to the next: they may have been given other defaults or code.
    """
    if type(target) is type:
        return "<locals>" not in target.__qualname__
    return type(target) is BuiltinFunctionType or type(target).__name__ in writes.NATIVE


#: Where nothing but recorded code runs, objects are let go of after so many values.
_OFTEN = 256


class Policy:
    """Which functions called from a traced one are recorded too, and their rewritten twins.

    One policy is shared by all functions decorated with the same `follow`, so that nothing is rewritten twice.
    """

    def __init__(
        self,
        wants: Callable[[FunctionType], bool],
        watch: Callable[[Any], None] | None = None,
        *,
        always: bool = False,
    ) -> None:
        self.wants = wants
        self.always = always
        # By identity: code objects compare by value, and the same source loaded twice makes two equal ones.
        self.plans: dict[int, tuple[CodeType, Plan | str]] = {}  # or why there is none
        self._sources: dict[int, Flow] = {}
        self._codes: dict[tuple[int, bool], CodeType] = {}
        self.fleeting: set[CallSite] = set()  # that remember callables which may come to an end
        self._doors: dict[int, tuple[CodeType, CodeType]] = {}  # lent to functions of that plain code, without cells
        #: By the identity of a function: the code it had, and what was found to lend to it then.
        self._loans: dict[int, tuple[Any, CodeType, CodeType | None]] = {}
        self.twins = Twins(plain_code, self._followed)
        self.hooks = hooks.Hooks(
            tape_here.get, record.refuel, record.turned, self.resolve, self.resolve_few, shells.note, shells.lasting, CallSite, writes.before_write, writes.before_out, writes.before_item,
            writes.before_attribute, writes.settled, record.landed, record.leave, record.ended,
            record.abandon, record.created, record.begun, record.resumed, record.suspended, record.delegated,
            self.twins.refresh, shells.note_sum, writes.IMMUTABLE, self.comprehend, watch,
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return policy_for, ((), None)  # one that follows nothing: what it knows is of this process only

    def plan(self, code: CodeType) -> Plan:
        """The plan of a code object. Raises UntraceableError where it cannot be recorded."""
        with _rewriting:
            _, plan = self.plans.get(id(code), (code, None))
            if plan is None:
                try:
                    plan, self._sources[id(code)] = rewrite.plan_of(code)
                except UntraceableError as error:
                    plan = str(error)  # itself it would hold the frames that it has passed
                else:
                    _enter_words(plan)
                self.plans[id(code)] = code, plan
        if isinstance(plan, str):
            raise UntraceableError(plan)
        return plan

    def code(self, code: CodeType, *, door: bool) -> CodeType:
        """The rewritten code of a code object, as a twin or as a door."""
        plan = self.plan(code)
        with _rewriting:
            key = id(code), door
            if key not in self._codes:
                of_door = hooks.DoorHooks(record.enter, record.create) if door else None
                rewritten = rewrite.rewrite(plan, self._sources[id(code)], self.hooks, of_door)
                self._codes[key] = record.register(rewritten, plan, door, self)
                if (id(code), not door) in self._codes:
                    del self._sources[id(code)]
            return self._codes[key]

    def resolve_few(self, values: list[Any], site: CallSite, target: Any, first: Any, second: Any) -> Any:
        """`resolve` for up to two arguments, None where there are fewer: quick for what is called in every turn of a loop."""
        kind = type(target)
        if kind is BuiltinFunctionType:
            owner = target.__self__
            quiet = callbacks.QUIET.get(type(owner))
            if (
                quiet is not None
                and type(first) in callbacks.INERT
                and type(second) in callbacks.INERT
                and target.__name__ in quiet
            ):
                values.append(target)
                tape = tape_here.get()
                if not tape.has_objects and not callbacks.is_inert(owner):
                    tape.has_objects = True  # its container may have some
                return target
        elif kind is MethodType:
            function, twin = site.pair
            if target.__func__ is function and type(function) is FunctionType:
                tape, owner = tape_here.get(), target.__self__
                if tape.end is None and type(owner) in tape.classes:
                    known = tape.shells.get(id(owner))
                    if known is not None:
                        method = site.record
                        if method is None or method.__self__ is not known[1]:
                            method = site.record = MethodType(function, known[1])
                        values.append(method)
                        return MethodType(twin, owner)
        return self.resolve(values, site, target, *(first, second)[: site.total])

    def resolve(self, values: list[Any], site: CallSite, target: Any, *arguments: Any) -> Any:
        """What to call instead of `target`, which is recorded; fills the site's cache where that will hold next time."""
        kind = type(target)
        if kind is BuiltinFunctionType:
            owner = target.__self__
            quiet = callbacks.QUIET.get(type(owner))
            if quiet is not None and target.__name__ in quiet:
                is_inert = callbacks.INERT.issuperset(map(type, arguments))
                if is_inert or target.__name__ in callbacks.APPENDING:
                    values.append(target)
                    if not (is_inert and callbacks.is_inert(owner)):
                        tape = tape_here.get()
                        if tape.end is None:
                            tape.has_objects = True  # its container may have some
                            if not is_inert:
                                self.lend(tape, arguments)
                    return target
        if kind is type:
            tape = tape_here.get()
            if tape.end is None and target in tape.classes:
                facts = tape.shells.facts.get(id(target))
                if facts is not None and facts.init in tape.lent:  # nothing runs but an `__init__` that is recorded
                    values.append(target)
                    if not callbacks.INERT.issuperset(map(type, arguments)):
                        self.lend(tape, arguments)
                    if len(values) > tape.exchanged + _OFTEN:
                        shells.exchange(tape)
                    return target
        shells.note(values, target)
        if kind is FunctionType:
            twin: Any = self.twins.of(target)
            if twin is target:  # not recorded: whatever it is handed, it may call
                self._hand_over(target, arguments)
                return target
        elif kind is MethodType and type(target.__func__) is FunctionType:
            twin = self.twins.of(target.__func__)
            if twin is target.__func__:
                self._hand_over(target, arguments)
                return target
            tape = tape_here.get()
            if tape.end is None and type(target.__self__) not in tape.classes:
                self.lend(tape, (target.__self__,))
            site.record = None
            site.pair = (target.__func__, twin)
            self.fleeting.add(site)
            return MethodType(twin, target.__self__)
        else:
            inner = arrays.behind(target)
            if inner is not None and arrays.are_plain(arguments):
                twin = self.twins.of(inner)
                if twin is not inner:
                    return twin
            twin = writes.guarded(target, site.count)
            if not _calls_nothing(target, site):
                self._hand_over(target, arguments)
                return twin
            if self.always and kind.__name__ != "ufunc":
                self._hand_over(target, arguments)
                return twin
        site.pair = (target, twin)
        if not _lasting(target):
            self.fleeting.add(site)
        return twin

    def comprehend(self, values: list[Any], site: CallSite, function: FunctionType) -> Any:
        """The twin of a comprehension's function, which is made anew for every call, and recorded here.

        That of a site is always of the same code; whether it is followed is a question of its module besides.
        """
        code, module = function.__code__, function.__module__
        known, found = site.pair
        if known is not code or found[0] is not module:
            found = module, self._followed(function)
            site.pair = code, found
        rewritten = found[1]
        if rewritten is None:
            return self.resolve(values, CallSite(0, 0), function)
        values.append(function)
        return FunctionType(rewritten, function.__globals__, None, None, function.__closure__)

    def forget(self) -> None:
        """Let go, where a recording ends, of what call sites remember of callables that may come to an end."""
        if self.fleeting:
            fleeting, self.fleeting = self.fleeting, set()
            while fleeting:
                site = fleeting.pop()
                site.pair, site.record = _EMPTY, None

    def _hand_over(self, target: Any, arguments: tuple[Any, ...]) -> None:
        """A callable that is not recorded is handed its arguments: it may call them, and write to them."""
        self._lend(target, arguments)
        tape = tape_here.get()
        if tape.end is not None:
            return
        if target is exec or target is eval:
            writes.before_code(tape, arguments, always=self.always)
        elif self.always or writes.may_write(target) or any(map(self._is_unfollowed, arguments)):
            writes.before_unknown(tape, target, arguments, always=self.always)

    def _is_unfollowed(self, value: Any) -> bool:
        """Whether a value is a function of Python that is not recorded where somebody calls it."""
        return type(value) is FunctionType and self.twins.of(value) is value

    def _lend(self, target: Any, arguments: Iterable[Any]) -> None:
        """Have recorded what a callable that is not recorded may call: what it is itself made of, and its arguments."""
        tape = tape_here.get()
        if tape.end is None:
            shells.exchange(tape)
            tape.has_objects = True  # who knows what it returns
            self.lend(tape, (target, *arguments))

    def lend(self, tape: Tape, values: Iterable[Any]) -> None:
        """Lend recording code to all functions that can be reached from some values, until the recording ends."""
        loans = {}
        for value in values:
            kind = type(value)
            if kind in callbacks.INERT or kind in tape.classes or (kind is type and value in tape.classes):
                continue
            for function in callbacks.reachable(value):
                code = None if function in tape.lent else self._lendable(function)
                if code is not None:
                    loans[function] = code
            if kind not in callbacks.HOLDERS and not kinds.is_vectorize(kind):
                tape.classes.add(kind)
                tape.has_objects = True
            elif kind is type:
                tape.classes.add(value)
        if loans:
            tape.has_lent = True  # first: a signal may come at any time
            tape.lent.update(dict.fromkeys(loans))
            lent.lend(loans.items())

    def _lendable(self, function: FunctionType) -> CodeType | None:
        """The code to lend to a function; None if it is not to be recorded, or is decorated and records by itself.

        Asked of every special method of every class that a recording meets: 0.2 us, and 10 where it is to be made.
        """
        code = function.__code__
        known = self._loans.get(id(function))
        if known is None or known[1] is not code:
            known = forgotten(function, self._loans), code, self._to_lend(function, code)
            self._loans[id(function)] = known
        return known[2]

    def _to_lend(self, function: FunctionType, plain: CodeType) -> CodeType | None:
        known = _door(function)
        if known is not None:
            return plain if known.finish is None and known.policy is self else None  # lent it already, or decorated
        if not plain.co_flags & cpython.CO_OPTIMIZED:
            return None  # the body of a class
        _, code = self._doors.get(id(plain), (plain, None))
        if code is not None and function.__closure__ is None:
            return code
        if not self.wants(function):
            return None
        try:
            door = record.Door(self.plan(plain), self, None, 0, 0)
        except UntraceableError:
            return None
        if function.__closure__ is not None:
            door.of = weakref.ref(function)
        code = rewrite.open_door(self.code(plain, door=True), door)
        code = record.register(code, door.plan, True, self)
        if function.__closure__ is None:
            self._doors[id(plain)] = plain, code
        return code

    def _followed(self, function: FunctionType) -> CodeType | None:
        """The recording code of a function that is to be followed and can be."""
        plain = plain_of(function)
        has_twin_s = plain is not function and _door(function) is None
        if self.wants(plain) or arrays.is_behind(plain) or has_twin_s:
            try:
                code = self.code(plain.__code__, door=False)
                if function.__code__.co_flags & ~code.co_flags & cpython.CO_ITERABLE_COROUTINE:  # types.coroutine
                    flags = code.co_flags | cpython.CO_ITERABLE_COROUTINE
                    code = record.register(code.replace(co_flags=flags), self.plan(plain.__code__), False, self)
                return code
            except UntraceableError:
                pass  # called as it is and recorded as one opaque operation
        return None


#: Modules of C functions that call nothing that they are handed, and builtins that do not, given no `key`.
_QUIET = frozenset({"math", "cmath", "time", "_operator", "numpy", "numpy.linalg", "numpy.random", "_random"})
_LOUD = frozenset({"map", "filter", "iter", "__build_class__", "exec", "eval", "print", "reduce", "call", "vectorize",
                   "apply_along_axis", "apply_over_axes", "fromfunction", "piecewise", "frompyfunc", "methodcaller"})  # fmt: skip
_QUIET_CLASSES = frozenset({
    int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset, range, slice, enumerate, zip, reversed,
    type, super, object,
})  # fmt: skip


def _calls_nothing(target: Any, site: CallSite) -> bool:
    """Whether a callable that is not recorded calls no function that it is handed, so that it may be remembered."""
    kind = type(target)
    if kind is type:
        return target in _QUIET_CLASSES
    if kind is BuiltinFunctionType:
        owner = target.__self__
        if type(owner) is not ModuleType:
            return False  # a method of an object: a new callable every time, so no use in remembering
        if owner.__name__ == "builtins":
            return target.__name__ not in _LOUD and not site.has_keywords
    name = kind.__name__
    if name == "ufunc":
        return True
    if name in ("builtin_function_or_method", "_ArrayFunctionDispatcher"):
        return target.__module__ in _QUIET and target.__name__ not in _LOUD
    return False


class Word(NamedTuple):
    """What a word of a path that begins an event says, and which plan it belongs to."""

    kind: str  #: one of those below
    plan: Plan


ENTRY = "entry"  #: an activation called from recorded code; the only one that is not followed by a length
DOOR = "door"  #: an activation entered from anywhere else: the index of its arguments
LOOP_END = "loop end"  #: a `for` loop is exhausted
RESUMED = "resumed"  #: a generator goes on: its number
DELEGATED = "delegated"  #: what a generator delegated to has returned: its number
RAISED = "raised"  #: an exception was caught or left an activation: the code unit, and a generator's number

_words: dict[int, Word] = {}


def _enter_words(plan: Plan) -> None:
    _words[plan.entry] = Word(ENTRY, plan)
    _words[plan.door] = Word(DOOR, plan)
    _words[plan.resumed] = Word(RESUMED, plan)
    for word in (plan.raised, *plan.handlers):
        _words[word] = Word(RAISED, plan)
    for index, word in plan.taken.items():
        if index not in plan.fallen:
            sends = plan.instructions[index].name == "SEND"
            _words[word] = Word(DELEGATED if sends else LOOP_END, plan)


def meaning(word: int) -> Word | None:
    """What a word of a path says, if it announces an event or an activation; None for that of a branch."""
    return _words.get(word)


_policies: dict[Any, Policy] = {}


def _is_no_operation(function: FunctionType) -> bool:
    """Whether a function is none of Python's own number classes, nor one of SciPy that a rule is known of.

    What those do is one operation. Followed, a sum of fractions would be divisions of whole numbers by their common
    divisor, which have derivative 0, and an inverse a call of a library that nothing is known of.
    """
    module = function.__globals__.get("__name__")
    if type(module) is str and module.startswith("scipy."):
        from visual_debug import rules

        return rules.find(rules.resolve(function)[0]) is None
    return module not in ("fractions", "_pydecimal", "numbers")


def policy_for(follow: str | Iterable[Any] | None, function: FunctionType, *, always: bool = False) -> Policy:
    """The policy for the decorator's `follow`: None (same package or file), `"all"`, or functions, modules and names.

    `always` says that arrays are copied before every call that is not recorded. Raises TypeError for anything else.
    """
    if follow is None:
        package = _package(function)
        key: Any = (package, None if package else function.__module__, None if package else _file(function))
        return _policies.setdefault((key, always), Policy(_same_home(function), always=always))
    if isinstance(follow, str):
        if follow != "all":
            raise TypeError(f"follow={follow!r}: give 'all', or a tuple of functions, modules or package names")
        return _policies.setdefault(("all", always), Policy(_is_no_operation, always=always))
    if not isinstance(follow, Iterable):
        raise TypeError(f"follow={follow!r}: give 'all', or a tuple of functions, modules or package names")
    chosen = tuple(follow)
    names: set[str] = set()
    codes: set[CodeType] = set()
    for item in chosen:
        if isinstance(item, str):
            names.add(item)
        elif isinstance(item, ModuleType):
            names.add(item.__name__)
        elif isinstance(getattr(item, "__code__", None), CodeType):
            codes.add(plain_code(item))
        else:
            raise TypeError(f"follow: {item!r} is no function, module or package name")
    wanted = (frozenset(names), frozenset(codes))

    def wants(candidate: FunctionType) -> bool:
        module = candidate.__module__ or ""
        return candidate.__code__ in codes or any(module == n or module.startswith(n + ".") for n in names)

    return _policies.setdefault((wanted, always), Policy(wants, always=always))


def watching(followed: Policy, watch: Callable[[Any], None]) -> Policy:
    """A policy that follows the same functions and shows what they compute to `watch`."""
    return Policy(followed.wants, watch, always=followed.always)


def _package(function: FunctionType) -> str | None:
    """The top-level package that a function's module belongs to, or None for a module of its own."""
    module = sys.modules.get(function.__module__ or "")
    package: str = getattr(module, "__package__", None) or ""
    return package.partition(".")[0] or None


def _file(function: FunctionType) -> str:
    return function.__code__.co_filename


def _same_home(function: FunctionType) -> Callable[[FunctionType], bool]:
    package, file, module = _package(function), _file(function), function.__module__

    def wants(candidate: FunctionType) -> bool:
        if package is not None:
            return _package(candidate) == package
        # The module's name too: the cells of a notebook are files of their own.
        return _file(candidate) == file or (candidate.__module__ == module and module is not None)

    return wants
