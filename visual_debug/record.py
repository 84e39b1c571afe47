"""The running side: the tape of this context, which callees are recorded too, and arrays kept before they change.

Everything here is called from rewritten code while the user's function runs, so it is short and never raises.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from visual_debug import arrays, rewrite
from visual_debug.errors import UntraceableError
from visual_debug.flow import Flow
from visual_debug.tape import Contents, Plan, Seal, Snapshot, Tape


class _Nowhere:
    """The tape of a context that records nothing: what is written there is gone.

    Recorded code comes here when it outlives its recording, as the body of a generator does that is resumed later.
    """

    @property
    def values(self) -> list[Any]:
        return []

    @property
    def path(self) -> list[int]:
        return []


_NOWHERE = _Nowhere()
_current: ContextVar[Tape | _Nowhere] = ContextVar("visual_debug_tape", default=_NOWHERE)


def current() -> Tape | None:
    """The tape of this context, if it is being recorded."""
    tape = _current.get()
    return None if isinstance(tape, _Nowhere) else tape


_rewriting = threading.RLock()

#: Types whose values cannot be written to in place by an operator or a subscript, or hold no numbers of an array.
IMMUTABLE = frozenset({int, float, complex, bool, str, bytes, tuple, list, dict, set, Fraction, Decimal, type(None)})
#: Container types whose content is kept as it was when the call began.
CONTAINERS = frozenset({list, tuple, dict})
#: Methods of arrays that write to the array itself.
MUTATING_METHODS = frozenset({"sort", "fill", "put", "itemset", "partition", "resize", "setfield", "byteswap"})
#: NumPy functions that write to their first argument, as do a ufunc's `at` and a random generator's `shuffle`.
MUTATING_FUNCTIONS = frozenset({"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"})
MUTATING_BOUND = frozenset({"at", "shuffle"})
#: Where NumPy's functions take `out` by position; the methods take it one place before.
OUT_POSITIONS = {
    "dot": 2, "outer": 2, "max": 2, "min": 2, "amax": 2, "amin": 2, "all": 2, "any": 2, "argmax": 2, "argmin": 2,
    "sum": 3, "prod": 3, "mean": 3, "cumsum": 3, "cumprod": 3, "clip": 3, "take": 3, "choose": 2, "compress": 3,
    "std": 3, "var": 3, "trace": 5, "round": 2, "around": 2, "ptp": 2, "median": 2,
}  # fmt: skip
#: Functions of `operator` that write to their first argument.
MUTATING_OPERATORS = frozenset({"setitem", "delitem"} | {f"i{name}" for name in (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
)})  # fmt: skip

#: The plain function behind each function that was decorated.
plain_functions: WeakKeyDictionary[FunctionType, FunctionType] = WeakKeyDictionary()


class CallSite:
    """Cache of one call instruction: the last callable and what to call instead, as one tuple for atomic reads."""

    __slots__ = ("count", "pair")

    def __init__(self, count: int) -> None:
        self.pair: tuple[Any, Any] = (_NOTHING, None)
        self.count = count  # of positional arguments


_NOTHING = object()


def keep(tape: Tape, at: int, array: Any) -> None:
    """Keep the content of an array that is about to be written to, and of what it is a view of."""
    owner = arrays.owner_of(array)
    tape.snapshots.append(Snapshot(at, owner, owner.copy(order="K")))


def before_write(values: list[Any], target: Any) -> None:
    """Called before an in-place operator or a subscript assignment writes to `target`."""
    if type(target).__name__ == "flatiter" and type(target).__module__ == "numpy":
        target = target.base
    if arrays.is_array(target):
        tape = current()
        if tape is not None and tape.values is values:
            keep(tape, len(values), target)


def landed(
    values: list[Any], path: list[int], word: int, exception: BaseException, generator: int | None = None
) -> None:
    """Record that an exception was caught by the exception table, and by which instruction it was raised."""
    traceback = exception.__traceback__
    path.append(word)
    path.append(~len(values))
    path.append(~(traceback.tb_lasti // 2 if traceback is not None else 0))
    if generator is not None:
        path.append(generator)


def created(word: int) -> tuple[int, list[int], list[Any]]:
    """Record that a generator was made. Its number is negative on the path, as operands of events are."""
    tape = current()
    if tape is None:
        return -1, [], []
    tape.path.append(word)
    tape.generators += 1
    return -tape.generators, tape.path, tape.values


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
        self._twins: WeakKeyDictionary[FunctionType, FunctionType] = WeakKeyDictionary()
        self.hooks = rewrite.Hooks(_current.get, self.resolve, CallSite, before_write, landed, created, IMMUTABLE)

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
                    _plans_by_word[plan.entry] = _plans_by_word[plan.door] = plan
                    _loop_ends.update(plan.taken[i] for i in plan.taken if i not in plan.fallen)
                    if plan.is_generator:
                        _generator_words[plan.resumed] = True
                        _generator_words.update(dict.fromkeys((plan.raised, *plan.handlers), False))
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
                hooks = rewrite.DoorHooks(enter, leave, abandon) if door else None
                self._codes[key] = rewrite.rewrite(plan, self._sources[id(code)], self.hooks, hooks)
            return self._codes[key]

    def resolve(self, site: CallSite, target: Any) -> Any:
        """What to call instead of `target`; fills the call site's cache where that will hold next time."""
        kind = type(target)
        if kind is FunctionType:
            twin: Any = self.twin(target)
        elif kind is MethodType:
            function = target.__func__
            if type(function) is not FunctionType:
                native = type(function).__name__ in _NATIVE
                return _keeping(target, 0) if native and target.__name__ in MUTATING_BOUND else target
            twin = self.twin(function)
            return target if twin is function else MethodType(twin, target.__self__)
        elif kind is BuiltinFunctionType and type(target.__self__) is not ModuleType:
            # A method of an object: a new callable every time, so no use for the cache.
            if target.__name__ in MUTATING_METHODS and arrays.is_array(target.__self__):
                tape = current()
                if tape is not None:
                    keep(tape, len(tape.values), target.__self__)
            if arrays.is_array(target.__self__):
                place = OUT_POSITIONS.get(target.__name__, site.count + 1) - 1
                return _keeping(target, place) if site.count > place else target
            return _keeping(target, 0) if target.__name__ in MUTATING_BOUND else target
        elif kind.__name__ == "method-wrapper" and arrays.is_array(target.__self__):
            tape = current()
            if tape is not None:  # `a.__setitem__(…)`, `a.__iadd__(…)`
                keep(tape, len(tape.values), target.__self__)
            return target
        else:
            first = _first_written(target, site.count)
            twin = target if first is None else _keeping(target, first)
        site.pair = (target, twin)
        return twin

    def twin(self, function: FunctionType) -> FunctionType:
        """The recording twin of a function if it is to be followed, else the function itself."""
        twin = self._twins.get(function)
        if twin is not None and twin.__defaults__ is function.__defaults__:
            return twin
        plain = plain_functions.get(function, function)
        twin = function
        if self.wants(plain):
            try:
                code = self.code(plain.__code__, door=False)
            except UntraceableError:
                pass  # called as it is and recorded as one opaque operation
            else:
                twin = FunctionType(code, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
                twin.__kwdefaults__ = plain.__kwdefaults__
                twin.__qualname__ = plain.__qualname__
        self._twins[function] = twin
        return twin


#: Types of callables of C, by name, for they need not have been imported.
_NATIVE = frozenset({
    "ufunc", "builtin_function_or_method", "_ArrayFunctionDispatcher", "cython_function_or_method",
})  # fmt: skip


def _first_written(target: Any, count: int) -> int | None:
    """Position of the first argument that a function of C or NumPy writes to, if it writes to one."""
    kind = type(target).__name__
    if kind not in _NATIVE:  # a user's callable: even to ask for its name may run its code
        return None
    module, name = getattr(target, "__module__", None), getattr(target, "__name__", None)
    if kind == "ufunc":
        return int(target.nin) if count > target.nin else None
    if module == "numpy" and name in OUT_POSITIONS:
        return OUT_POSITIONS[name] if count > OUT_POSITIONS[name] else None
    if (module == "_operator" and name in MUTATING_OPERATORS) or name in MUTATING_BOUND:
        return 0
    return 0 if name in MUTATING_FUNCTIONS and (module or "").partition(".")[0] == "numpy" else None


def _keeping(function: Any, first: int) -> Any:
    """Call a function that writes to its arguments from `first` on, keeping those that are arrays as they were."""

    def kept(*args: Any, **kwargs: Any) -> Any:
        tape = current()
        if tape is not None:
            written = args[first : first + 1] if first == 0 else args[first:]
            for target in (*written, *kwargs.values()):
                if arrays.is_array(target):
                    keep(tape, len(tape.values), target)
        return function(*args, **kwargs)

    return kept


_plans_by_word: dict[int, Plan] = {}
_generator_words: dict[int, bool] = {}
_loop_ends: set[int] = set()


def plan_entered_by(word: int) -> Plan | None:
    """The plan whose activation a word of a path announces, if it announces one."""
    return _plans_by_word.get(word)


def ends_loop(word: int) -> bool:
    """Whether a word announces the end of a `for` loop, an event with the length of the values alone."""
    return word in _loop_ends


def generator_event(word: int) -> bool | None:
    """True if a word announces that a generator goes on, False for an exception in one, None for anything else.

    The generator's number ends the event.
    """
    return _generator_words.get(word)


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
            codes.add(plain_functions.get(item, item).__code__)
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


#: Lists longer than this are looked through for containers only if they begin or end with one.
_LONG = 64


#: Containers nested deeper than this in an argument are not followed.
_DEEP = 50


def contents(value: Any, known: dict[int, Contents], depth: int = 0) -> Any:
    """A container argument as it is now, item by item; anything else as it is.

    `known` holds the containers met before, so that one container is one whatever it is reached through, itself
    included. A list is copied at 1 ns an item, but looking at every item would cost 24 (3.11): a container in the
    middle of a long list of numbers is left out, and replay takes what is read from it for numbers from outside.
    """
    kind = type(value)
    if kind not in CONTAINERS or depth > _DEEP:
        return value
    kept = known.get(id(value))
    if kept is None:
        items = list(value.values() if kind is dict else value)
        kept = known[id(value)] = Contents(value, items, list(value) if kind is dict else None)
        if len(items) <= _LONG or type(items[0]) in CONTAINERS or type(items[-1]) in CONTAINERS:
            kept.items = [contents(item, known, depth + 1) if type(item) in CONTAINERS else item for item in items]
    return kept


class Door:
    """One function that may be entered from unrecorded code, and what becomes of its tapes."""

    __slots__ = ("closure", "finish", "plan", "policy")

    def __init__(self, plan: Plan, policy: Policy, finish: Callable[[Tape], None], closure: Any) -> None:
        self.closure = closure
        self.plan = plan
        self.policy = policy
        self.finish = finish


State = tuple[Door, Tape, "Token[Tape | _Nowhere]"]


def enter(door: Door, arguments: tuple[Any, ...]) -> tuple[State | None, list[int], list[Any]]:
    """Begin an activation from unrecorded code: in this context's tape if it follows the function, else in a new one."""
    tape = current()
    nested = tape is not None and tape.policy is door.policy and tape.thread == threading.get_ident()
    if not nested or tape is None:
        tape = Tape(door.plan, door.policy, threading.get_ident())
    kept = arguments
    for value in arguments:
        if type(value) in CONTAINERS:
            known: dict[int, Contents] = {}
            kept = tuple([contents(v, known) for v in arguments])
            break
    path = tape.path
    path.append(door.plan.door)
    path.append(~len(tape.values))
    path.append(~len(tape.arguments))
    tape.arguments.append((door.plan, kept, door.closure))
    return None if nested else (door, tape, _current.set(tape)), path, tape.values


def leave(state: State | None, result: Any) -> None:
    """End a recording whose function returns."""
    if state is not None:
        door, tape, token = state
        _current.reset(token)
        tape.result = result
        tape.end = len(tape.values), len(tape.path)
        _seal(tape, result)
        door.finish(tape)


def abandon(state: State | None, exception: BaseException) -> None:
    """End a recording whose function raises."""
    if state is not None and state[1].end is None:  # else it was closing the recording that failed
        door, tape, token = state
        _current.reset(token)
        tape.exception = exception
        tape.end = len(tape.values), len(tape.path)
        _seal(tape, None)
        door.finish(tape)


#: Arrays up to this many elements are copied when a call ends, which takes as long as hashing them.
_SMALL = 4096


def _seal(tape: Tape, result: Any) -> None:
    """Keep what is in the arrays that the user goes on holding, so that a later write to them is not mistaken."""
    if "numpy" not in sys.modules:
        return
    work = [result, *tape.arguments[0][1]]
    seen: set[int] = set()
    while work:
        value = work.pop()
        if type(value) is Contents:
            if id(value) not in seen:
                work.extend(value.items)
                seen.add(id(value))
        elif type(value) in CONTAINERS and len(value) <= _LONG and id(value) not in seen:
            work.extend(value.values() if type(value) is dict else value)
            seen.add(id(value))
        elif type(value) not in IMMUTABLE and arrays.is_array(value):
            owner = arrays.owner_of(value)
            if id(owner) not in seen:
                seen.add(id(owner))
                small = owner.size <= _SMALL
                tape.seals.append(
                    Seal(owner, owner.copy(order="K") if small else None, 0 if small else arrays.sample(owner))
                )


_collectors: ContextVar[tuple[list[Any], ...]] = ContextVar("visual_debug_collectors", default=())


@contextmanager
def apart() -> Iterator[None]:
    """Within it, a function that is entered begins a tape of its own, whatever is being recorded."""
    token = _current.set(_NOWHERE)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def collecting(traces: list[Any]) -> Iterator[None]:
    """Within it, finished traces of this context are appended to `traces` too."""
    token = _collectors.set((*_collectors.get(), traces))
    try:
        yield
    finally:
        _collectors.reset(token)


def collect(trace: Any) -> None:
    """Hand a finished trace to whoever collects in this context."""
    for traces in _collectors.get():
        traces.append(trace)
