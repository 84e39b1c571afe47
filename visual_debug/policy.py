"""Which functions called from a traced one are recorded too, and their rewritten twins."""

from __future__ import annotations

import functools
import operator
import sys
import threading
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from visual_debug import record, rewrite, writes
from visual_debug.context import tape_here
from visual_debug.errors import UntraceableError
from visual_debug.flow import Flow
from visual_debug.tape import Plan
from visual_debug.twins import Twins

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
    """The code of a function as the user wrote it, before it was decorated."""
    code = function.__code__
    return next((const.plan.code for const in code.co_consts if type(const) is record.Door), code)


class CallSite:
    """Cache of one call instruction: the last callable and what to call instead, as one tuple for atomic reads."""

    __slots__ = ("count", "pair")

    def __init__(self, count: int) -> None:
        self.pair: tuple[Any, Any] = _EMPTY
        self.count = count  # of positional arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return CallSite, (self.count,)  # what it refers to is of this process only


_EMPTY: tuple[Any, Any] = (object(), None)


def _lasting(target: Any) -> bool:
    """Whether a callable belongs to a module, so that a call site may remember it for good.

    The code that call sites are in lives on, and it is nothing that the garbage collector sees into.
    """
    if type(target) in (FunctionType, type):
        return "<locals>" not in target.__qualname__
    return type(target) is BuiltinFunctionType or type(target).__name__ in writes.NATIVE


class Policy:
    """Which functions called from a traced one are recorded too, and their rewritten twins.

    One policy is shared by all functions decorated with the same `follow`, so that nothing is rewritten twice.
    """

    def __init__(self, wants: Callable[[FunctionType], bool]) -> None:
        self.wants = wants
        # By identity: code objects compare by value, and the same source loaded twice makes two equal ones.
        self.plans: dict[int, tuple[CodeType, Plan | UntraceableError]] = {}
        self._sources: dict[int, Flow] = {}
        self._codes: dict[tuple[int, bool], CodeType] = {}
        self._fleeting: set[CallSite] = set()  # that remember callables which may come to an end
        self.twins = Twins(plain_code, self._followed)
        self.hooks = rewrite.Hooks(
            tape_here.get, record.refuel, self.resolve, CallSite, writes.before_write, record.landed, record.leave,
            record.abandon, record.created, record.begun, record.resumed, record.suspended, record.delegated,
            self.twins.refresh, writes.IMMUTABLE,
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
                    plan = error
                else:
                    _enter_words(plan)
                self.plans[id(code)] = code, plan
        if isinstance(plan, UntraceableError):
            raise plan
        return plan

    def code(self, code: CodeType, *, door: bool) -> CodeType:
        """The rewritten code of a code object, as a twin or as a door."""
        plan = self.plan(code)
        with _rewriting:
            key = id(code), door
            if key not in self._codes:
                hooks = rewrite.DoorHooks(record.enter, record.create) if door else None
                rewritten = rewrite.rewrite(plan, self._sources[id(code)], self.hooks, hooks)
                self._codes[key] = record.register(rewritten, plan, door, self)
            return self._codes[key]

    def resolve(self, site: CallSite, target: Any, *arguments: Any) -> Any:
        """What to call instead of `target`; fills the call site's cache where that will hold next time."""
        kind = type(target)
        if kind is FunctionType:
            twin: Any = self.twins.of(target)
        elif kind is MethodType and type(target.__func__) is FunctionType:
            twin = self.twins.of(target.__func__)
            return target if twin is target.__func__ else MethodType(twin, target.__self__)
        else:
            twin = writes.guarded(target, site.count)
            if (
                kind is MethodType
                or getattr(type(target), "__name__", "") == "method-wrapper"
                or (kind is BuiltinFunctionType and type(target.__self__) is not ModuleType)
            ):
                return twin  # a method of an object: a new callable every time, so no use for the cache
        site.pair = (target, twin)
        if not _lasting(target):
            self._fleeting.add(site)
        return twin

    def forget(self) -> None:
        """Let go, where a recording ends, of what call sites remember of callables that may come to an end."""
        fleeting, self._fleeting = self._fleeting, set()
        while fleeting:
            fleeting.pop().pair = _EMPTY

    def _followed(self, function: FunctionType) -> CodeType | None:
        """The recording code of a function that is to be followed and can be."""
        plain = plain_of(function)
        if self.wants(plain):
            try:
                return self.code(plain.__code__, door=False)
            except UntraceableError:
                pass  # called as it is and recorded as one opaque operation
        return None


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


def policy_for(follow: str | Iterable[Any] | None, function: FunctionType) -> Policy:
    """The policy for the decorator's `follow`: None (same package or file), `"all"`, or functions, modules and names.

    Raises TypeError for anything else.
    """
    if follow is None:
        package = _package(function)
        key: Any = (package, None if package else function.__module__, None if package else _file(function))
        return _policies.setdefault(key, Policy(_same_home(function)))
    if isinstance(follow, str):
        if follow != "all":
            raise TypeError(f"follow={follow!r}: give 'all', or a tuple of functions, modules or package names")
        return _policies.setdefault("all", Policy(lambda _: True))
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

    return _policies.setdefault(wanted, Policy(wants))


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
