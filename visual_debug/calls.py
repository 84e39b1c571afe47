"""Calls in replay: into recorded functions, into builtins that move numbers about, and into everything else."""

from __future__ import annotations

import builtins
import operator
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from visual_debug import arrays, containers, cpython, policy, rules, symbols
from visual_debug.columns import MISSING
from visual_debug.machine import Frame, Machine, has_own_code
from visual_debug.symbols import (
    NULL,
    UNSET,
    Closure,
    GoneMethod,
    Leaf,
    Mapping,
    Method,
    Ref,
    Sequence,
    Stream,
    Thing,
    View,
)  # fmt: skip
from visual_debug.tape import Plan, Site
from visual_debug.twins import Signature


class Pending:
    """A call whose result is still to come: the callable that was recorded, and references of its arguments."""

    __slots__ = ("args", "callee", "kwargs")

    def __init__(self, callee: Any, args: list[Ref], kwargs: dict[str, Ref]) -> None:
        self.callee, self.args, self.kwargs = callee, args, kwargs


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
    f.pc = index  # the instruction is come to again when the result is there
    word = policy.meaning(m.path[m.p]) if m.p < len(m.path) else None
    function = _function_of(callee)
    signature = None
    if word is not None and word.kind == policy.ENTRY and function is not None:
        signature = m.tape.policy.twins.signature(function, m.tape.began, m.tape.ended)
    if word is not None and function is not None and signature is not None and signature.code is word.plan.code:
        plan = word.plan
        m.p += 1
        if isinstance(callee, MethodType):
            args = [_self_of(m, f, index, target, callee), *args]
        frame = _enter(m, f, plan, function, signature, args, kwargs)
        if plan.is_generator:
            m.frame = f
            f.pending = ("returned", m.generator(frame))
        return
    args_target: Ref = target.base if isinstance(target, Method) else target
    bound_to = _told(callee, "__self__")
    base = args_target
    while isinstance(base, Method):
        base = base.base
    if type(base) is Thing and bound_to is not None and bound_to is not base.object:
        m.link(base.object, bound_to)
    if symbols.is_number(bound_to):
        text = _base_text(f.plan.site(index).text)
        args_target = m.claim(args_target, bound_to, f.plan.site(index), text, args_target)
    f.pending = (Pending(callee, args, kwargs), args_target)


def _base_text(text: str) -> str | None:
    """The object's part of the text of a method call."""
    return text.partition("(")[0].rpartition(".")[0] or None


def _answers_by_code(callee: Any) -> bool:
    """Whether asking a callable for an attribute would run code of its class."""
    kind: Any = type(callee)
    plain: Any = object.__getattribute__
    return hasattr(kind, "__getattr__") or (has_own_code(callee) and kind.__getattribute__ is not plain)


def _told(callee: Any, name: str) -> Any:
    """An attribute of a callable, or None; the user's own code is not run for it."""
    return None if _answers_by_code(callee) else getattr(callee, name, None)


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
    args: list[Ref]
    if type(packed) is Sequence and packed.items is not None:
        args = list(packed.items)
    elif isinstance(objects, (tuple, list)):
        args = [m.discover(item, site, source=packed) for item in objects]
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


def _made(m: Machine, function: FunctionType) -> Ref:
    """What is known of a function that was made, and perhaps decorated, while recorded."""
    plain = policy.plain_of(function) if "__wrapped__" in vars(function) else function
    return m.heap.get(id(plain), m.heap.get(id(function)))


def _self_of(m: Machine, f: Frame, index: int, target: Ref, callee: MethodType) -> Ref:
    """The reference of a bound method's self."""
    base = target.base if type(target) is Method else None
    return m.claim(base, callee.__self__, f.plan.site(index))


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
    made = _made(m, function)
    _default(m, frame, names[:count], signature, made if type(made) is Closure else None)
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
    """The result of a call has come."""
    pending, extra = f.pending
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
    nested = None if isinstance(pending.callee, BuiltinFunctionType) else m.take_nested(z)
    if nested is not None:
        f.stack.append(nested)
        return
    since = m.snapshot
    result = result_of(m, f, index, pending, extra, z)
    if pending.kwargs.get("out") is None or not _is_known(m, result):  # else the result is the array
        containers.written_unseen(m, f, index, since, m.v, [extra, *pending.args, *pending.kwargs.values()])
    f.stack.append(result)


def _is_known(m: Machine, ref: Ref) -> bool:
    return type(ref) is int and _has_rule(m.columns.op[ref])


def raised(m: Machine, f: Frame, index: int) -> Thing:
    """The node of a call that raised; returns what is known of the exception."""
    pending, target = f.pending
    if pending == "returned" or pending.callee is next:
        return Thing()
    name, args = _operation(pending, target)
    operands: list[int] = []
    for ref in [*args, *pending.kwargs.values()]:
        operands.extend(m.among(ref) if m.node(ref) is None else [m.node(ref)])  # type: ignore[list-item]
    if operands:
        m.new(name, MISSING, operands, f, f.plan.site(index))
    return Thing(UNSET, list(operands))


def _operation(pending: Pending, target: Ref) -> tuple[str, list[Ref]]:
    """Name of the operation that a callable performs, and its arguments with a bound array in front."""
    if _answers_by_code(pending.callee) or type(pending.callee) is GoneMethod:
        return "opaque", pending.args
    name, bound = rules.resolve(pending.callee)
    return name, [*([target] if bound else []), *pending.args]


def result_of(m: Machine, f: Frame, index: int, pending: Pending, target: Ref, z: Any) -> Ref:
    """The reference of the result of a callable that was not recorded itself."""
    site = f.plan.site(index)
    callee = pending.callee
    model = _model(callee)
    if model is not None:
        found = model(m, f, index, pending, target, z)
        if found is not None:
            return found
    name, args = _operation(pending, target)
    rule = rules.find(name)
    flat = _flattened(m, name, args) if rule is not None else None
    if symbols.is_number(z) or (rule is not None and isinstance(z, tuple)):
        if rule is None:
            return _opaque(m, f, index, name, pending, target, args, z)
        return _keep_version(m, f, index, m.call_node(name, z, flat or args, pending.kwargs, f, site, rule.arity), z)
    return _opaque(m, f, index, name, pending, target, args, z)


def _keep_version(m: Machine, f: Frame, index: int, node: int, z: Any) -> int:
    """A call with `out=` writes to an array: other nodes of that array mean the new content from now on."""
    call = m.columns.calls.get(node)
    if call is not None and call.kwargs.get("out") is not None and arrays.is_array(z):
        containers.supersede(m, f, index, z, node)
    return node


#: Callables whose arguments, given as one list or tuple, are the operands themselves.
_SPREAD = frozenset({"sum", "max", "min", "math.fsum", "math.prod"})


def _flattened(m: Machine, name: str, args: list[Ref]) -> list[Ref] | None:
    if name not in _SPREAD or not args or type(args[0]) in (int, Leaf):
        return None
    items = containers.items_of(args[0])
    if items is None or any(type(item) not in (int, Leaf) for item in items):
        return None
    return [*items, *args[1:]]


#: Modules whose functions leave their arguments as they are (those that do not are known to the recorder).
_PURE_MODULES = (
    "math", "cmath", "builtins", "numpy", "scipy", "operator", "statistics", "copy", "fractions", "decimal", "logging",
    "warnings", "pprint", "json", "matplotlib",
)  # fmt: skip


def _opaque(m: Machine, f: Frame, index: int, name: str, pending: Pending, target: Ref, args: list[Ref], z: Any) -> Ref:
    """The result of a call that nothing is known of: it may depend on all that went in, and may have changed it."""
    site = f.plan.site(index)
    sources: list[Ref] = [target, *args, *pending.kwargs.values()]
    callee = pending.callee
    function = _function_of(callee)
    if function is not None:
        sources.append(_made(m, function))
        sources.extend(m.globals.values())
    owner = _told(callee, "__self__")
    if owner is not None and not isinstance(owner, type(builtins)):
        sources.append(m.heap.get(id(owner)))
    among = m.among(Thing(UNSET, [s for s in sources if s is not None and s is not NULL]))
    if isinstance(callee, type) and f.entered == index and not symbols.is_number(z):
        return m.discover(z, site, source=Thing(UNSET, list(among)))  # its `__init__` was recorded
    looks_around = isinstance(callee, BuiltinFunctionType) and callee in _LOOKS_AROUND
    if looks_around:
        sources.extend((*f.locals.values(), *(cell.ref for cell in f.cells.values()), *m.globals.values()))
        among = m.among(Thing(UNSET, [s for s in sources if s is not None and s is not NULL]))
    if function is not None or looks_around or any(_is_callback(ref) for ref in args):
        for key, known in m.globals.items():  # they may have been set
            m.globals[key] = Thing(UNSET, [known, *among])
    told = _told(callee, "__module__")
    module = told if type(told) is str else ""
    given = [target, *args, *pending.kwargs.values()]
    pure = module.partition(".")[0] in _PURE_MODULES and not any(_is_callback(ref) for ref in given[1:])
    if among and not pure:
        m.escape(Thing(owner if owner is not None else UNSET, [ref for ref in given if ref is not None]), among)
    if function is not None and not pure:
        for ref in given[1:]:
            containers.may_be_written(m, f, site, ref, among)
    if callee is builtins.__build_class__:
        m.heap[id(z)] = made = Thing(z, list(among))
        return made
    if symbols.is_number(z):
        known = m.by_identity(z, among)
        if known is not None:
            return known
        if type(z) is bool and rules.find(name) is None:
            return Leaf(z, "const", None, site)
        return m.new(name if not _has_rule(name) else "opaque", z, among, f, site)
    return m.discover(z, site, source=Thing(UNSET, [s for s in sources if s is not None and s is not NULL]))


def _has_rule(name: str) -> bool:
    return rules.find(name) is not None


#: Builtins that see the variables of whoever calls them.
_LOOKS_AROUND = frozenset({locals, vars, globals, eval, exec, dir})


def _is_callback(ref: Ref) -> bool:
    """Whether an argument is something that the callee may call."""
    if type(ref) is Closure:
        return True
    return type(ref) is Thing and callable(ref.object) and not isinstance(ref.object, type)


# ---- builtins that move numbers about without computing

Model = Callable[[Machine, Frame, int, Pending, Ref, Any], Ref]
_MODELS: dict[Any, Model] = {}
_METHODS: dict[tuple[type, str], Model] = {}


def _model(callee: Any) -> Model | None:
    owner = _told(callee, "__self__")
    if isinstance(callee, BuiltinFunctionType) and type(owner) in (list, dict, tuple, deque, set):
        return _METHODS.get((type(owner), callee.__name__))
    try:
        return _MODELS.get(callee)
    except TypeError:  # unhashable
        return None


def _models(*callables: Any) -> Callable[[Model], Model]:
    def enter(model: Model) -> Model:
        for item in callables:
            _MODELS[item] = model
        return model

    return enter


def _method(kind: type, *names: str) -> Callable[[Model], Model]:
    def enter(model: Model) -> Model:
        for name in names:
            _METHODS[kind, name] = model
        return model

    return enter


@_models(range, slice)
def _range(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return Thing(z)


@_models(len, isinstance, issubclass, id, hash, callable, hasattr, type, print)
def _about(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """Answers about form and kind, which no derivative passes through."""
    if symbols.is_number(z):
        site = f.plan.site(index)
        return Leaf(z, "const", site.text or None, site)
    return Thing(z)


@_models(iter, reversed)
def _iterator(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = call.args[0] if len(call.args) == 1 else None
    if call.callee is reversed:
        if type(ref) is Sequence and ref.items is not None:
            return containers.over(m, ref, backward=True)
        if type(ref) is Thing and isinstance(ref.object, range):
            return containers.iterate(m, f, index, Thing(ref.object[::-1]))
        return None
    return containers.iterate(m, f, index, ref) if ref is not None else None


@_models(enumerate)
def _enumerate(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = containers.iterate(m, f, index, call.args[0])
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        return Sequence(tuple, [Leaf(item[0], "const", None, site), _checked(m, stream, item[1], site)])

    begin: Any = m.known_value(call.args[1]) if len(call.args) > 1 else 0 if not call.kwargs else UNSET

    def rest() -> list[Ref] | None:
        refs = stream.rest()
        if refs is None or begin is UNSET:
            return None
        return [Sequence(tuple, [Leaf(i, "const", None, site), ref]) for i, ref in enumerate(refs, begin)]

    return Stream(advance, stream, rest)


@_models(zip)
def _zip(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    streams = [containers.iterate(m, f, index, ref) for ref in call.args]
    site = f.plan.site(index)

    def advance(item: Any) -> Ref:
        return Sequence(tuple, [_checked(m, s, v, site) for s, v in zip(streams, item, strict=True)])

    def rest() -> list[Ref] | None:
        columns = [s.rest() for s in streams]
        if any(refs is None for refs in columns):
            return None
        return [Sequence(tuple, list(refs)) for refs in zip(*columns, strict=False)]

    return Stream(advance, Thing(UNSET, [s.source for s in streams]), rest)


def _checked(m: Machine, stream: Stream, value: Any, site: Site) -> Ref:
    return m.claim(stream.advance(value), value, site, source=stream.source)


@_models(next)
def _next(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    stream = call.args[0]
    if type(stream) is not Stream or len(call.args) != 1:
        return None
    return _checked(m, stream, z, f.plan.site(index))


@_models(list, tuple)
def _sequence(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.items_of(call.args[0]) if call.args else []
    if items is None:
        return None
    m.heap[id(z)] = ref = Sequence(type(z), list(items), z)
    return ref


@_models(sorted)
def _sorted(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items = containers.items_of(call.args[0])
    order = _order(m, items, call.kwargs)
    if items is None or order is None:
        return None
    m.heap[id(z)] = ref = Sequence(list, [items[i] for i in order], z)
    return ref


def _order(m: Machine, items: list[Ref] | None, kwargs: dict[str, Ref]) -> list[int] | None:
    """How sorting orders plain numbers: sorting is stable, so equal ones keep their order. None if not known."""
    if items is None or kwargs.keys() - {"reverse"}:
        return None
    values = [m.known_value(item) for item in items]
    backward = m.known_value(kwargs["reverse"]) if "reverse" in kwargs else False
    if any(type(value) not in symbols.SCALARS for value in values) or type(backward) is not bool:
        return None
    return sorted(range(len(items)), key=values.__getitem__, reverse=backward)


@_models(operator.getitem)
def _getitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.subscript(m, f, index, call.args[0], call.args[1], z)


@_models(operator.setitem)
def _setitem(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    containers.store_subscript(m, f, index, *call.args)
    return Thing(z)


@_models(setattr)
def _setattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if isinstance(name, str):
        containers.store_attribute(m, f, index, call.args[0], name, call.args[2])
    else:
        containers.put_in(call.args[0], call.args[2])
    return Thing(z)


@_models(delattr)
def _delattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    m.attributes.get(id(m.known_value(call.args[0])), {}).pop(m.known_value(call.args[1]), None)
    return Thing(z)


@_models(vars)
def _vars(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    return containers.attribute(m, f, index, call.args[0], "__dict__", z) if call.args else None


@_models(getattr)
def _getattr(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    name = m.known_value(call.args[1])
    if len(call.args) != 2 or not isinstance(name, str):
        return None
    return containers.attribute(m, f, index, call.args[0], name, z)


@_models(dict)
def _dict(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    items: dict[Any, Ref] = {}
    if call.args:
        source = call.args[0]
        if len(call.args) > 1 or type(source) is not Mapping or source.items is None:
            return None
        items.update(source.items)
    items.update(call.kwargs)
    m.heap[id(z)] = ref = Mapping(items, z)
    return ref


@_models(max, min)
def _extreme_by_key(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`max(…, key=…)` returns one of the items: which one, its identity tells."""
    if not {"key", "default"} & call.kwargs.keys():
        return None
    items = call.args
    if len(items) == 1 and type(items[0]) is Sequence and items[0].items is not None:
        items = items[0].items
    found = [ref for ref in items if m.agrees(ref, z)]
    return found[0] if len(found) == 1 and symbols.has_identity(z) else None


@_method(list, "append", "insert", "extend", "reverse", "clear", "pop", "copy", "remove", "sort")
def _list_method(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    owner = call.callee.__self__
    ref = m.heap.get(id(owner))
    name, args = call.callee.__name__, call.args
    if type(ref) is not Sequence:
        if type(ref) is not Thing:
            ref = m.heap[id(owner)] = target if type(target) is Thing else Thing(owner)
        if name in ("append", "insert", "extend"):
            containers.put_in(ref, args[-1])
            return Thing(z)
        return None
    if ref.items is None:
        if name in ("append", "insert", "extend"):
            containers.put_in(ref, args[-1])
            return Thing(z)
        return None
    site = f.plan.site(index)
    positions = [m.known_value(arg) for arg in args]
    match name:
        case "append":
            ref.items.append(args[0])
        case "insert" if isinstance(positions[0], int):
            ref.items.insert(positions[0], args[1])
        case "extend":
            containers.extend(m, ref, args[0])
        case "reverse":
            ref.items.reverse()
        case "clear":
            ref.items.clear()
        case "copy":
            m.heap[id(z)] = copied = Sequence(list, list(ref.items), z)
            return copied
        case "pop" if ref.items and all(isinstance(p, int) for p in positions):
            return m.claim(ref.items.pop(*positions), z, site, source=ref)
        case "sort" if (order := _order(m, ref.items, call.kwargs)) is not None:
            ref.items[:] = [ref.items[i] for i in order]
        case _:  # sorted or removed by comparison: the content is known, the order is not
            ref.forget()
    return Thing(z)


@_method(deque, "append", "appendleft")
@_method(set, "add")
def _put(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    owner = call.callee.__self__
    containers.put_in(m.heap.setdefault(id(owner), target if type(target) is Thing else Thing(owner)), call.args[0])
    return Thing(z)


@_method(dict, "get", "pop", "setdefault", "items", "values", "keys", "copy", "update", "clear")
def _dict_method(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    ref = m.heap.get(id(call.callee.__self__))
    if type(ref) is not Mapping or ref.items is None:
        return None
    site = f.plan.site(index)
    name, args = call.callee.__name__, call.args
    keys = [m.known_value(arg) for arg in args]
    items = ref.items
    match name:
        case "keys":
            return Thing(z, list(ref.keys))
        case "values" | "items":
            return View(lambda: _view_stream(m, ref, name, site), ref)
        case "copy":
            m.heap[id(z)] = copied = Mapping(dict(items), z)
            return copied
        case "clear":
            items.clear()
            return Thing(z)
        case "update" if len(args) <= 1:
            for source in args:
                containers.update(m, ref, source)
            if ref.items is not None:
                ref.items.update(call.kwargs)
            return Thing(z)
        case "get" | "setdefault" | "pop" if args and keys[0] is not UNSET:
            fallback = args[1] if len(args) > 1 else Thing(None)
            found = items.get(keys[0], fallback)
            if name == "setdefault":
                items.setdefault(keys[0], found)
            elif name == "pop":
                items.pop(keys[0], None)
            return m.claim(found, z, site, source=ref)
    return None


def _view_stream(m: Machine, mapping: Mapping, name: str, site: Site) -> Stream:
    """A stream over the values or items of a followed dict, in its order when iteration begins."""
    order: list[tuple[Any, Ref]] | None = None
    position = -1

    def advance(z: Any) -> Ref:
        nonlocal order, position
        if order is None:
            order = list((mapping.items or {}).items())
        position += 1
        if position >= len(order):
            return None
        key, ref = order[position]
        if name == "values":
            return ref
        return Sequence(tuple, [containers.key_of(m, mapping, key, site), ref])

    def rest() -> list[Ref] | None:
        if mapping.items is None or order is not None:
            return None
        if name == "values":
            return list(mapping.items.values())
        return [Sequence(tuple, [containers.key_of(m, mapping, key, site), ref]) for key, ref in mapping.items.items()]

    return Stream(advance, mapping, rest)
