"""Calls in replay: into recorded functions, and into everything else."""

from __future__ import annotations

import builtins
import inspect
import sys
from array import array
from types import BuiltinFunctionType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

from visual_debug import arrays, cpython, kinds, rules
from visual_debug.columns import MISSING, Call
from visual_debug.kinds import GoneMethod
from visual_debug.replaying import containers, redefined, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import MOVING, Pending, answers_by_code, is_callback, is_pure, model_of, told
from visual_debug.replaying.symbols import (
    NULL,
    UNSET,
    Closure,
    Leaf,
    Mapping,
    Method,
    Pool,
    Ref,
    Sequence,
    Stream,
    Thing,
)
from visual_debug.tracing import callbacks, policy
from visual_debug.tracing.tape import Plan
from visual_debug.tracing.twins import Signature


def begin(m: Machine, f: Frame, index: int, name: str, count: int) -> None:
    """Take the call's operands from the stack; enter the callee if it was recorded, else wait for the result."""
    if name == "CALL_FUNCTION_EX":
        target, self_ref, args, kwargs, callee = _packed_call(m, f, index, count)
    else:
        names: tuple[str, ...] = f.keywords
        if name == "CALL_KW":
            names = m.known_value(f.stack.pop())
        f.keywords = ()
        arguments = f.stack[len(f.stack) - count :]
        del f.stack[len(f.stack) - count :]
        target, self_ref = _callable(f)
        split = count - len(names)
        args, kwargs = arguments[:split], dict(zip(names, arguments[split:], strict=True))
        callee = m.value()
    if self_ref is not NULL:
        args = [self_ref, *args]
    f.pc = index  # it is come to again when the result is there
    call = Pending(callee, args, kwargs)
    if len(args) == 1 and type(args[0]) is Stream and name == "CALL_FUNCTION_EX":
        call.starred = args[0]
    if enter_recorded(m, f, index, call, target):
        return
    _hand_over_methods(m, [*args, *kwargs.values()])
    args_target: Ref = target.base if isinstance(target, Method) else target
    bound_to = told(callee, "__self__")
    base = args_target
    while isinstance(base, Method):
        base = base.base
    if type(base) is Thing and bound_to is not None and bound_to is not base.object:
        m.link(base, Thing(bound_to))
    containers.met(m, base, bound_to)
    if kinds.is_number(bound_to):
        text = _base_text(f.plan.site(index).text)
        args_target = m.claim(args_target, bound_to, f.plan.site(index), text, args_target)
    f.pending = (call, args_target)


def _hand_over_methods(m: Machine, refs: list[Ref]) -> None:
    """Somebody unseen gets methods that change containers, as in `map(xs.append, ys)`: all that it gets may be in there."""
    for ref in refs:
        method: Any = ref.object if type(ref) is Thing else None
        if type(method) not in _METHODS or method.__name__ not in _CHANGING or type(method.__self__) not in MOVING:
            continue
        held = m.holder(Thing(method.__self__))
        if type(held) is Sequence or type(held) is Mapping:
            held.forget()
        for other in refs:
            if other is not ref and other is not None and other is not NULL:
                m.put(held, other)


_METHODS = frozenset({BuiltinFunctionType, MethodWrapperType, GoneMethod})
_CHANGING = frozenset({
    "append", "appendleft", "extend", "extendleft", "insert", "add", "update", "setdefault", "pop", "popleft", "popitem",
    "remove", "discard", "clear", "sort", "reverse", "rotate", "move_to_end", "__setitem__", "__delitem__", "__iadd__",
    "__ior__", "fromlist", "frombytes", "subtract",
})  # fmt: skip


def enter_recorded(m: Machine, f: Frame, index: int, call: Pending, target: Ref) -> bool:
    """Enter the function that is called if the path says that it was recorded. Returns whether it does."""
    word = policy.meaning(m.path[m.p]) if m.p < len(m.path) else None
    function = _function_of(call.callee) or arrays.behind(call.callee)
    if word is None or word.kind != policy.ENTRY or function is None:
        return False
    signature = m.tape.policy.twins.signature(function, m.tape.began, m.tape.ended)
    if signature is None or signature.code is not word.plan.code:
        return False
    m.p += 1
    f.pc = index  # it is come to again when the result is there
    args = _spread(call, word.plan.code.co_argcount)
    if isinstance(call.callee, MethodType):
        args = [_self_of(m, f, index, target, call.callee), *args]
    f.pending = None
    frame = _enter(m, f, word.plan, function, signature, args, call.kwargs)
    if call.starred is not None and not call.starred.is_followed and word.plan.code.co_flags & 0x04:  # CO_VARARGS
        code = word.plan.code
        several = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        frame.locals[several] = Sequence(tuple, None, UNSET, [call.starred])  # who knows how many
    if word.plan.is_generator:
        m.frame = f
        f.pending = ("returned", m.generator(frame))
    return True


def _spread(call: Pending, count: int | None) -> list[Ref]:
    """The positional arguments of `g(*iterator)`, which the call itself took; if they are not known, `count` of them."""
    if call.starred is None:
        return call.args
    items = call.starred.rest()
    if items is None:
        call.starred.lose()
    return [Thing(UNSET, [call.starred])] * (1 if count is None else count) if items is None else items


def _base_text(text: str) -> str | None:
    """The object's part of the text of a method call."""
    return text.partition("(")[0].rpartition(".")[0] or None


def _callable(f: Frame) -> tuple[Ref, Ref]:
    """Pop the callable and the slot beside it."""
    b, a = f.stack.pop(), f.stack.pop()
    if cpython.NULL_ABOVE_CALLABLE:
        return a, b
    return (b, NULL) if a is NULL else (a, b)


def _packed_call(m: Machine, f: Frame, index: int, flags: int) -> tuple[Ref, Ref, list[Ref], dict[str, Ref], Any]:
    """The parts of `f(*args, **kwargs)`; their objects were recorded before the callable."""
    keywords: Ref = None
    if cpython.EX_ALWAYS_HAS_KEYWORDS or flags & 1:
        keywords = f.stack.pop()
    packed = f.stack.pop()
    target, _ = _callable(f)
    site = f.plan.site(index)
    objects = m.value()
    spread = containers.all_items(m, f, index, packed) if m.node(packed) is not None else None
    args: list[Ref]
    if spread is not None:
        args = spread  # the elements of an array
    elif type(packed) is Sequence and packed.items is not None:
        args = list(packed.items)
    elif isinstance(objects, (tuple, list)):
        args = [m.discover(item, site, source=packed) for item in objects]
    elif type(packed) is Stream:
        args = [packed]
    else:
        args = [Thing(objects, [packed])]
    kwargs: dict[str, Ref] = {}
    if keywords is not None and keywords is not NULL:
        recorded = m.value()
        known = keywords.items if type(keywords) is Mapping and keywords.items is not None else {}
        if isinstance(recorded, dict):
            for key, value in recorded.items():
                kwargs[key] = m.claim(known.get(key), value, site, key, keywords)
    return target, NULL, args, kwargs, m.value()


def _function_of(callee: Any) -> FunctionType | None:
    """The function behind a function or bound method."""
    if isinstance(callee, MethodType):
        callee = callee.__func__
    if not isinstance(callee, FunctionType):
        return None
    return callee


def made(m: Machine, function: FunctionType) -> Ref:
    """What is known of a function that was made, and perhaps decorated, while recorded."""
    plain = policy.plain_of(function) if "__wrapped__" in vars(function) else function
    return m.heap.get(id(plain), m.heap.get(id(function)))


def _self_of(m: Machine, f: Frame, index: int, target: Ref, callee: MethodType) -> Ref:
    """The reference of a bound method's self."""
    base = target.base if type(target) is Method else None
    return m.claim(base, callee.__self__, f.plan.site(index), source=target)


def _enter(
    m: Machine,
    f: Frame,
    plan: Plan,
    function: FunctionType,
    signature: Signature,
    args: list[Ref],
    kwargs: dict[str, Ref],
) -> Frame:
    """Begin the activation of a recorded callee with its parameters bound as Python binds them."""
    frame = m.activate(plan, f)
    code = plan.code
    count, only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    local = frame.locals
    local.update(zip(names[:count], args, strict=False))
    rest = names[count : count + only]
    position = count + only
    if code.co_flags & 0x04:  # CO_VARARGS
        local[names[position]] = Sequence(tuple, args[count:])
        position += 1
    accepted = {*names[code.co_posonlyargcount : count], *rest}
    extra = {}
    for key, ref in kwargs.items():
        if key in accepted:
            local[key] = ref
        else:
            extra[key] = ref
    if code.co_flags & 0x08:  # CO_VARKEYWORDS
        local[names[position]] = Mapping(dict(extra))
    known = made(m, function)
    _default(m, frame, names[:count], signature, known if type(known) is Closure else None)
    m.open_cells(frame, function.__closure__)
    return frame


def _default(
    m: Machine, frame: Frame, positional: tuple[str, ...], signature: Signature, closure: Closure | None
) -> None:
    """Give parameters that no argument was given for their defaults."""
    site = frame.plan.site(-1)
    values = signature.defaults or ()
    known = closure.defaults if closure is not None else None
    refs: Any = known.items if type(known) is Sequence and known.items is not None else ()
    if len(refs) != len(values):
        refs = [None] * len(values)
    for name, value, ref in zip(positional[len(positional) - len(values) :], values, refs, strict=True):
        if name not in frame.locals:
            frame.locals[name] = m.claim(ref, value, site, name)
    known = closure.keyword_defaults if closure is not None else None
    by_name = known.items if type(known) is Mapping and known.items is not None else {}
    for name, value in (signature.keywords or {}).items():
        if name not in frame.locals:
            frame.locals[name] = m.claim(by_name.get(name), value, site, name)


def end(m: Machine, f: Frame, index: int) -> None:
    """The result of a call has come, unless a collection of garbage ran something before the callee was entered."""
    pending, extra = f.pending
    if pending != "returned" and enter_recorded(m, f, index, pending, extra):
        return
    f.pending = None
    z = m.value()
    site = f.plan.site(index)
    if pending == "returned":
        # A returned reference stands for the result whatever it is: both are what the activation left on its stack.
        ref = extra if m.agrees(extra, z) or extra is None or m.known_value(extra) is UNSET else m.discover(z, site)
        if type(ref) is Thing and ref.object is UNSET:
            ref = m.discover(z, site, source=ref)
        elif type(ref) is Stream:
            m.heap[id(z)] = ref
        f.stack.append(ref)
        return
    is_builtin = isinstance(pending.callee, BuiltinFunctionType)
    nested = m.take_nested(z) if not is_builtin or pending.callee in _BY_METHOD else None
    if nested is not None:
        f.stack.append(nested)
        return
    pending.args = _spread(pending, None)
    since = m.snapshot
    m.kept = stores.kept(m, m.v)
    result = result_of(m, f, index, pending, extra, z)
    stores.written_unseen(m, f, index, since, m.v, [extra, *pending.args, *pending.kwargs.values()], m.kept)
    f.stack.append(result)


def raised(m: Machine, f: Frame, index: int) -> Thing:
    """The node of a call that raised; returns what is known of the exception."""
    pending, target = f.pending
    if pending == "returned" or pending.callee is next:
        return Thing()
    lose_streams([*pending.args, *pending.kwargs.values()])
    name, args = _operation(pending, target)
    operands: list[int] = []
    for ref in [*args, *pending.kwargs.values()]:
        operands.extend(m.among(ref) if m.node(ref) is None else [m.node(ref)])  # type: ignore[list-item]
    if operands:
        m.new(name, MISSING, operands, f, f.plan.site(index))
    if model_of(pending.callee) is None and rules.find(name) is None:
        return _after_unknown_code(m, f, pending, target, args)
    return Thing(UNSET, list(operands))


def lose_streams(refs: list[Ref]) -> None:
    """Nobody knows how many items were taken from these, for an exception came of it."""
    for ref in refs:
        if type(ref) is Stream:
            ref.lose()


def _operation(pending: Pending, target: Ref) -> tuple[str, list[Ref]]:
    """Name of the operation that a callable performs, and its arguments with a bound array in front."""
    if answers_by_code(pending.callee) or type(pending.callee) is GoneMethod:
        return "opaque", pending.args
    name, bound = rules.resolve(pending.callee)
    return name, [*([target] if bound else []), *pending.args]


def result_of(m: Machine, f: Frame, index: int, pending: Pending, target: Ref, z: Any) -> Ref:
    """The reference of the result of a callable that was not recorded itself."""
    site = f.plan.site(index)
    callee = pending.callee
    name, args = _operation(pending, target)
    if redefined.call(m, name, args, pending.kwargs):
        return _opaque(m, f, index, name, pending, target, args, z)
    model = model_of(callee)
    if model is not None:
        found = model(m, f, index, pending, target, z)
        if found is not None:
            if type(found) is Stream:
                found.object = z
            return found
    name, args = _operation(pending, target)  # of streams, the model may have found the items
    rule = rules.find(name)
    if rule is None:
        if name.startswith("numpy.") and is_pure(callee) and _holds_arrays(z) and not m.kept:
            return m.call_node(name, z, args, pending.kwargs, f, site, None)  # its derivative is refused by its name
        return _opaque(m, f, index, name, pending, target, args, z)
    if rule.writes and args and arrays.is_array(m.known_value(args[0])):
        array = m.known_value(args[0])
        m.write(array, m.call_node(name, array, args, pending.kwargs, f, site, rule.arity))
        return Thing(z)
    flat = _array_of(args, z) if name == "numpy.fromiter" else _flattened(m, name, args)
    if flat is None:
        lose_streams(args)
    is_ambiguous = flat is not None and len(flat) <= 2 and any(arrays.is_array(m.known_value(ref)) for ref in flat)
    if flat is not None and (len(flat) < len(args) or is_ambiguous):  # no item, or one array, which is not the items
        args, flat = [Sequence(list, flat[len(args) - 1 :]), *args[1:]], None
    if kinds.is_number(z) or (issubclass(type(z), tuple) and name not in SPREAD):
        node = m.call_node(name, z, flat or args, pending.kwargs, f, site, rule.arity)
        is_given = arrays.is_array(z) and any(m.known_value(ref) is z for ref in _given(args, pending.kwargs))
        if is_given and id(arrays.owner_of(z)) in m.kept:  # `out=`: from now on the array means this node
            m.write(z, node)
        elif m.kept and type(z) is tuple:
            given = [m.known_value(ref) for ref in _given(args, pending.kwargs)]
            for i, part in enumerate(z):
                if (
                    arrays.is_array(part)
                    and any(part is value for value in given)
                    and id(arrays.owner_of(part)) in m.kept
                ):
                    m.write(part, m.new("getitem", part, [node], f, site, Call((z, i), {}, (0,))))
        return node
    if type(z) is list and z and all(map(arrays.is_array, z)):
        node = m.call_node(name, tuple(z), args, pending.kwargs, f, site, rule.arity)
        parts = [m.new("getitem", part, [node], f, site, Call((tuple(z), i), {}, (0,))) for i, part in enumerate(z)]
        m.heap[id(z)] = found = Sequence(list, parts, z)
        return found
    return _opaque(m, f, index, name, pending, target, args, z)


def _holds_arrays(z: Any) -> bool:
    """Whether a result is a tuple of numbers and arrays, as several of NumPy's functions return."""
    return isinstance(z, tuple) and bool(z) and all(map(kinds.is_number, z)) and any(map(arrays.is_array, z))


def _given(args: list[Ref], kwargs: dict[str, Ref]) -> list[Ref]:
    """The arguments of a call, those in tuples (as `out` may be) too."""
    found = [*args, *kwargs.values()]
    return [*found, *(item for ref in found if type(ref) is Sequence for item in ref.items or ())]


#: Callables whose arguments, given as one list or tuple, are the operands themselves.
SPREAD = frozenset({"sum", "max", "min", "math.fsum", "math.prod"})


def _flattened(m: Machine, name: str, args: list[Ref]) -> list[Ref] | None:
    if name not in SPREAD or not args or type(args[0]) in (int, Leaf):
        return None
    items = containers.items_of(args[0])
    if items is None or any(type(item) not in (int, Leaf) for item in items):
        return None
    return [*args[1:], *items]  # a start comes first


def _array_of(args: list[Ref], z: Any) -> list[Ref] | None:
    """The arguments of `numpy.fromiter` with the items themselves; None if they are not known, or not all were taken."""
    items = args[0].rest() if args and type(args[0]) is Stream else None
    return None if items is None or len(items) != len(z) else [Sequence(list, items), *args[1:]]


def _opaque(m: Machine, f: Frame, index: int, name: str, pending: Pending, target: Ref, args: list[Ref], z: Any) -> Ref:
    """The result of a call that nothing is known of: it may depend on all that went in, and may have changed it."""
    callee = pending.callee
    site = f.plan.site(index)
    if isinstance(callee, type) and f.entered == index and not kinds.is_number(z):
        return m.discover(
            z, site, source=Thing(UNSET, [ref for ref in args if ref is not None])
        )  # `__init__` was recorded
    if callee is super and not args:
        first = f.plan.code.co_varnames[0]
        args = [f.cells[first].ref if first in f.cells else f.locals.get(first), f.cells["__class__"].ref]
    source = _after_unknown_code(m, f, pending, target, args)
    among = m.among(source)
    if callee is globals or callee is vars:
        m.elsewhere = _also(m.elsewhere, Thing(z))
    if kinds.is_number(z):
        known = m.find(z, source)
        if known is not None:
            return known
        if type(z) is bool and rules.find(name) is None:
            return Leaf(z, "const", None, site)
        return m.new(name if not _has_rule(name) else "opaque", z, among, f, site)
    if issubclass(type(z), type) and (callee is builtins.__build_class__ or (among and _makes_class(pending))):
        m.classes.add(id(z))  # its objects lead to what is in it
        m.heap[id(z)] = made = Thing(z, list(among))
        return made
    # What was made where there were no numbers is as if it had been there before.
    return m.discover(z, site, source=source, moved=(source.pool is not None or is_pure(callee)) and not among)


def _makes_class(pending: Pending) -> bool:
    """Whether what a call returns may be a class that it has made."""
    return pending.callee is not type or len(pending.args) > 1


def _after_unknown_code(m: Machine, f: Frame, pending: Pending, target: Ref, args: list[Ref]) -> Thing:
    """What may be in the result of a call, or in the exception that it raised; it has done what it may have done."""
    lose_streams([*args, *pending.kwargs.values()])
    callee = pending.callee
    function = _function_of(callee)
    given = _handed_over(m, pending, target, args, function)
    looks_around = type(callee) in (BuiltinFunctionType, FunctionType) and callee in _LOOKS_AROUND
    has_callback = any(is_callback(ref) for ref in (*args, *pending.kwargs.values()))
    seen = [*given]
    frame: Frame | None = f if looks_around else None
    while frame is not None:
        seen += [*frame.locals.values(), *frame.cells.values()]
        frame = frame.caller if callee is sys._getframe else None
    if function is not None or looks_around or has_callback:
        seen += m.globals.values()
    if (
        callee in (eval, exec)
        if looks_around
        else has_callback or not is_pure(callee) or _lends_memory(m, callee, args)
    ):
        writes = has_callback or not _is_native(callee) or (looks_around and _runs_calls(m, callee, args))
        pool = m.escape([ref for ref in seen if ref is not None], writes=writes)
        if len(seen) > len(given):
            m.globals.update({name: _perhaps(ref, pool) for name, ref in m.globals.items()})  # they may have been set
        if looks_around:
            m.elsewhere = _also(m.elsewhere, Thing(UNSET, pool=pool))
        for called in (*([] if function is None else [function]), *_unrecorded_callbacks(m, pending)):
            if called.__code__.co_filename != f.plan.code.co_filename:
                m.share(m.home(called), pool)
            else:
                m.globals.update(dict.fromkeys(m.set_in_module_of(called), Thing(UNSET, pool=pool)))
        return Thing(UNSET, pool=pool)
    m.unknown_code([ref for ref in args if ref is not None])
    for ref in given:
        if type(ref) is Stream:
            ref.lose()
    owner = told(callee, "__self__")
    if type(owner) in MOVING:
        held = m.holder(Thing(owner))
        if type(held) in (Sequence, Mapping):
            held.forget()
        for ref in given:
            m.put(held, ref)
    return Thing(UNSET, seen)


def _runs_calls(m: Machine, callee: Any, args: list[Ref]) -> bool:
    """Whether the code that `exec` or `eval` is given may write to arrays: an expression without a call does not."""
    text = m.known_value(args[0]) if args else UNSET
    return callee is exec or type(text) is not str or "(" in text


def _unrecorded_callbacks(m: Machine, pending: Pending) -> list[FunctionType]:
    """The functions that a call was handed and that are not recorded when it calls them."""
    given = [m.known_value(ref) for ref in (*pending.args, *pending.kwargs.values())]
    wants = m.tape.policy.wants
    return [
        function
        for value in given
        if value is not UNSET
        for function in callbacks.reachable(value)
        if not wants(policy.plain_of(function))
    ]


def _handed_over(
    m: Machine, pending: Pending, target: Ref, args: list[Ref], function: FunctionType | None
) -> list[Ref]:
    """The callable, and all that it was given or has with it."""
    callee = pending.callee
    base = target
    while isinstance(base, Method):
        base = base.base
    if type(base) is Thing and type(base.object) is ModuleType:
        target = Thing(callee) if isinstance(callee, type) else None
    given = [target, *args, *pending.kwargs.values()]
    owner = told(callee, "__self__")
    if owner is not None and type(owner) is not ModuleType:
        given.append(Thing(owner))
    if function is not None:
        given.append(made(m, function))
        given.append(m.home(function))
    return [ref for ref in given if ref is not NULL]


def _lends_memory(m: Machine, callee: Any, args: list[Ref]) -> bool:
    """Whether a call may give somebody a view of a plain array's memory."""
    return type(told(callee, "__self__")) is not array and any(type(m.known_value(ref)) is array for ref in args)


def _is_native(callee: Any) -> bool:
    """Whether a callable is C code: what that writes to is known to the recorder."""
    return isinstance(callee, BuiltinFunctionType) or (isinstance(callee, type) and not callee.__flags__ & 0x200)


def _perhaps(ref: Ref, pool: Pool) -> Ref:
    """What a variable holds that may have been given another value out of a pool."""
    return Thing(ref.object if type(ref) in (Thing, Sequence, Mapping, Closure) else UNSET, pool=pool)


def _also(ref: Ref, other: Thing) -> Thing:
    return other if ref is None else Thing(UNSET, [ref, other])


def _has_rule(name: str) -> bool:
    return rules.find(name) is not None


#: Callables that see the variables of whoever calls them.
_LOOKS_AROUND = frozenset({locals, vars, globals, eval, exec, dir, sys._getframe, inspect.currentframe})
#: Builtins that give what the method of a class gives which they call: `__abs__`, `__round__`, …
_BY_METHOD = frozenset({abs, round, pow, divmod})
