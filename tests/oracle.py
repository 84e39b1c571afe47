"""Independent oracles for traces: operator overloading, complex step, finite differences, and HIPS autograd.

None of them knows anything about bytecode, and none of them imports the package.

``record`` runs a function of a module given as source text. The text is parsed, every operand of an operator is
wrapped by a lifting call, literals and global numbers are marked as such, and the names ``math``, ``cmath``, ``abs``,
``max``, ... stand for shadows that take and give ``Number``. A ``Number`` overloads every operator and notes
(operation, operands, value); operands are objects of the record, never found again by value. The result is a graph
that ``assert_same_graph`` compares with a trace.

What a node of the record demands of a trace (``Kind``):

``op``       the same operation, value (type and repr), operands, and place in the execution order; one node for one node
``input``    the node that ``trace.inputs`` gives for that argument (op ``input``), or a global of that name
``const``    a leaf with op ``const`` and that value
``counter``  a leaf with op ``const``, one for each iteration, named like the loop variable where that is known
``leaf``     a value from outside the arithmetic (a default, an attribute, ``len(xs)``): any node that is neither an
             argument nor a node that stands for other arithmetic
``part``     element of a tuple-valued call (``divmod``, ``math.modf``): the call itself, or ``getitem`` of it
``loose``    an operation that the contract does not describe (``z.real``): the value only
"""

import __future__

import ast
import builtins
import cmath
import dataclasses
import inspect
import itertools
import linecache
import math
import operator
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy

NUMERIC = (int, float, complex, bool)


def is_plain_number(value: object) -> bool:
    return type(value) in NUMERIC


# ----------------------------------------------------------------------------------------------------------------------
# Reading a program: literals, folded constants, operands
# ----------------------------------------------------------------------------------------------------------------------

SHADOWED_CALLS = ("abs", "min", "max", "sum", "pow", "divmod", "round", "float", "int", "complex", "bool")
_LOADS = {"LOAD_CONST", "LOAD_SMALL_INT", "RETURN_CONST"}
_NEUTRAL = {"RESUME", "RETURN_VALUE", "NOP", "CACHE", "EXTENDED_ARG"}
_FOLDABLE = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


def folded_constant(node: ast.expr) -> object:
    """The number that the compiler makes of a constant expression, or None where it leaves operations to run time."""
    import dis

    if not isinstance(node, (ast.Constant, ast.BinOp, ast.UnaryOp)):
        return None
    if not all(isinstance(part, _FOLDABLE) for part in ast.walk(node)):
        return None
    if isinstance(node, ast.Constant):
        return node.value if is_plain_number(node.value) else None
    code = compile(ast.fix_missing_locations(ast.Expression(node)), "<constant>", "eval")
    instructions = [i for i in dis.get_instructions(code) if i.opname not in _NEUTRAL]
    if len(instructions) == 1 and instructions[0].opname in _LOADS and is_plain_number(instructions[0].argval):
        return instructions[0].argval
    return None


class Lifter(ast.NodeTransformer):
    """Rewrites the functions of a module so that every operand of an operator is an overloading ``Number``."""

    def __init__(self, defined: set[str]):
        self.defined = defined
        self.depth = 0

    def call(self, helper: str, *arguments: ast.expr, at: ast.expr) -> ast.expr:
        call = ast.Call(func=ast.Name(id=helper, ctx=ast.Load()), args=list(arguments), keywords=[])
        return ast.copy_location(call, at)

    def constant(self, value: object, at: ast.expr, helper: str = "__literal__") -> ast.expr:
        return self.call(helper, ast.copy_location(ast.Constant(value), at), at=at)

    def operand(self, node: ast.expr) -> ast.expr:
        value = folded_constant(node)
        if value is not None:
            return self.constant(value, node)
        return self.call("__lift__", self.visit(node), at=node)

    def literal_or_visit(self, node: ast.expr) -> ast.expr:
        """A bare number that is bound, returned or passed on: a literal, where it is not a flag."""
        value = folded_constant(node)
        if value is None or isinstance(value, bool):
            return self.visit(node)
        return self.constant(value, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.depth += 1
        node.body = [self.visit(statement) for statement in node.body]
        self.depth -= 1
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.depth += 1
        node.body = self.literal_or_visit(node.body)
        self.depth -= 1
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        if not self.depth:
            return node
        value = folded_constant(node)
        if value is not None:
            return self.constant(value, node)
        if isinstance(node.op, ast.Mod):  # '%.3f' % x
            return self.call("__mod__", self.operand(node.left), self.operand(node.right), at=node)
        exponent = folded_constant(node.right) if isinstance(node.op, ast.Pow) else None
        left = self.operand(node.left)
        right = self.operand(node.right) if exponent is None else self.constant(exponent, node, "__exponent__")
        return ast.copy_location(ast.BinOp(left, node.op, right), node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if not self.depth:
            return node
        value = folded_constant(node)
        if value is not None:
            return self.constant(value, node)
        if isinstance(node.op, ast.Not):
            return self.call("__not__", self.visit(node.operand), at=node)
        return ast.copy_location(ast.UnaryOp(node.op, self.operand(node.operand)), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if not self.depth or any(isinstance(op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for op in node.ops):
            return self.generic_visit(node)
        return ast.copy_location(
            ast.Compare(self.operand(node.left), node.ops, [self.operand(other) for other in node.comparators]), node
        )

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not self.depth:
            return node
        exponent = folded_constant(node.value) if isinstance(node.op, ast.Pow) else None
        value = self.operand(node.value) if exponent is None else self.constant(exponent, node.value, "__exponent__")
        return ast.copy_location(ast.AugAssign(self.visit(node.target), node.op, value), node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if not self.depth:
            return self.generic_visit(node)
        node.targets = [self.visit(target) for target in node.targets]
        node.value = self.literal_or_visit(node.value)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self.literal_or_visit(node.value)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if not self.depth:
            return node
        node.test = self.visit(node.test)
        node.body = self.literal_or_visit(node.body)
        node.orelse = self.literal_or_visit(node.orelse)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not self.depth:
            return self.generic_visit(node)
        func = node.func
        shadowed = (isinstance(func, ast.Name) and (func.id in SHADOWED_CALLS or func.id in self.defined)) or (
            isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("math", "cmath")
        )
        node.func = self.visit(func)
        node.args = [self.literal_or_visit(a) if shadowed else self.visit(a) for a in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        is_range = isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name)
        is_range = is_range and node.iter.func.id == "range" and isinstance(node.target, ast.Name)
        named = self.depth and is_range
        node = self.generic_visit(node)  # type: ignore[assignment]
        if named:
            name = ast.copy_location(ast.Constant(node.target.id), node.iter)
            node.iter = self.call("__range__", name, *node.iter.args, at=node.iter)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.visit(node.subject)
        for case in node.cases:  # patterns stay as they are
            case.guard = self.visit(case.guard) if case.guard else None
            case.body = [self.visit(statement) for statement in case.body]
        return node


_COMPILED: dict[tuple[str, bool], types.CodeType] = {}


def compiled(source: str, *, lifted: bool) -> types.CodeType:
    if (source, lifted) not in _COMPILED:
        if len(_COMPILED) > 64:
            _COMPILED.clear()
        tree = ast.parse(source)
        if lifted:
            defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
            tree = ast.fix_missing_locations(Lifter(defined).visit(tree))
        # Annotations stay text: `type[Error]` means nothing to a shadow of `type`.
        flags = __future__.annotations.compiler_flag
        _COMPILED[source, lifted] = compile(tree, "<oracle>", "exec", flags, dont_inherit=True)
    return _COMPILED[source, lifted]


def source_of(function: Callable) -> str:
    """The text of the module that defines the function."""
    lines = linecache.getlines(function.__code__.co_filename, function.__globals__)
    if not lines:
        raise LookupError(f"no source for {function!r}")
    return "".join(lines)


def shadow_module(source: str, *, lifted: bool, names: Mapping[str, object], modules: Mapping[str, object]) -> dict:
    """Executes the source with other builtins and other modules behind ``import``."""

    def importing(name, globals=None, locals=None, fromlist=(), level=0):
        if name in modules:
            return modules[name]
        return builtins.__import__(name, globals, locals, fromlist, level)

    module = types.ModuleType("oracle_shadow")
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": importing, **names}
    sys.modules[module.__name__] = module  # dataclasses look their own module up
    try:
        exec(compiled(source, lifted=lifted), module.__dict__)  # noqa: S102
    finally:
        del sys.modules[module.__name__]
    return module.__dict__


# ----------------------------------------------------------------------------------------------------------------------
# The record
# ----------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(eq=False, slots=True)
class OracleNode:
    index: int
    kind: str
    op: str
    value: Any
    operands: tuple["OracleNode", ...] = ()
    name: str | None = None
    position: int = 0  # which element of a tuple-valued call
    path: tuple = ()  # where in the argument

    def __repr__(self) -> str:
        if self.kind == "op":
            return f"{self.op}[{self.index}]({', '.join(_short(o) for o in self.operands)}) = {self.value!r:.60}"
        return _short(self)


def _short(node: OracleNode) -> str:
    if node.kind in ("input", "counter"):
        return f"{node.kind} {node.name}{''.join(f'[{p!r}]' for p in node.path)}={node.value!r:.40}"
    if node.kind == "op":
        return f"{node.op}[{node.index}]={node.value!r:.40}"
    return f"{node.kind} {node.value!r:.40}"


class TooLarge(BaseException):
    """The run outgrew the limits of the oracle; nothing that a program may catch."""


class LiteralExponent:
    """The right side of ``x ** 2``; a power with it has one operand."""

    def __init__(self, recorder: "Recorder", value):
        self.recorder, self.value = recorder, value

    def __rpow__(self, base):
        lifted = self.recorder.lift(base)
        return NotImplemented if lifted is None else lifted**self


class Number:
    """A number that notes what is done with it. It has no ``__float__``: nothing can read it without being seen."""

    __slots__ = ("node", "recorder")

    def __init__(self, recorder: "Recorder", node: OracleNode):
        self.recorder, self.node = recorder, node

    @property
    def value(self):
        return self.node.value

    def __repr__(self):
        return repr(self.node.value)

    def __str__(self):
        return str(self.node.value)

    def __format__(self, spec):
        return format(self.node.value, spec)

    def __hash__(self):
        return hash(self.node.value)

    def __bool__(self):
        return bool(self.node.value)

    def __index__(self):
        return operator.index(self.node.value)

    def __pow__(self, other, modulus=None):
        if isinstance(other, LiteralExponent):
            return self.recorder.apply("pow", lambda base: base**other.value, (self,), guard=other.value)
        return self.recorder.binary("pow", operator.pow, self, other)

    def __rpow__(self, other):
        return self.recorder.binary("pow", operator.pow, other, self)

    def __divmod__(self, other):
        return self.recorder.call("divmod", divmod, (self, other), {})

    def __rdivmod__(self, other):
        return self.recorder.call("divmod", divmod, (other, self), {})

    def __abs__(self):
        return self.recorder.apply("abs", abs, (self,))

    def __round__(self, digits=None):
        arguments = (self,) if digits is None else (self, digits)
        return self.recorder.call("round", round, arguments, {})

    @property
    def real(self):
        return self.recorder.loose(self.value.real)

    @property
    def imag(self):
        return self.recorder.loose(self.value.imag)

    def conjugate(self):
        return self.recorder.loose(self.value.conjugate())

    def is_integer(self):
        return self.value.is_integer()

    def bit_length(self):
        return self.value.bit_length()


BINARY = {
    "__add__": "add", "__sub__": "sub", "__mul__": "mul", "__truediv__": "truediv", "__floordiv__": "floordiv",
    "__mod__": "mod", "__lshift__": "lshift", "__rshift__": "rshift", "__and__": "and_", "__or__": "or_",
    "__xor__": "xor", "__matmul__": "matmul",
}  # fmt: skip
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
UNARY = {"__neg__": "neg", "__pos__": "pos", "__invert__": "invert"}


def _overload() -> None:
    def forward(name, function):
        return lambda self, other: self.recorder.binary(name, function, self, other)

    def reflected(name, function):
        return lambda self, other: self.recorder.binary(name, function, other, self)

    def unary(name, function):
        return lambda self: self.recorder.apply(name, function, (self,))

    for dunder, name in BINARY.items():
        setattr(Number, dunder, forward(name, getattr(operator, name)))
        setattr(Number, "__r" + dunder[2:], reflected(name, getattr(operator, name)))
    for name in COMPARISONS:
        setattr(Number, f"__{name}__", forward(name, getattr(operator, name)))
    for dunder, name in UNARY.items():
        setattr(Number, dunder, unary(name, getattr(operator, name)))


_overload()


def raw(value: object) -> object:
    """The plain value below a Number, through lists, tuples, sets and dicts."""
    if isinstance(value, Number):
        return value.value
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(raw(item) for item in value)
    if type(value) is dict:
        return {raw(key): raw(item) for key, item in value.items()}
    return value


class Recorder:
    def __init__(self, max_nodes: int = 200_000, max_bits: int = 20_000):
        self.nodes: list[OracleNode] = []
        self.max_nodes, self.max_bits = max_nodes, max_bits

    # -- nodes
    def note(self, kind: str, op: str, value, operands=(), name=None, **rest) -> Number:
        if len(self.nodes) >= self.max_nodes:
            raise TooLarge(f"more than {self.max_nodes} operations")
        if type(value) is int and value.bit_length() > self.max_bits:
            raise TooLarge(f"an integer of {value.bit_length()} bits")
        node = OracleNode(len(self.nodes), kind, op, value, tuple(o.node for o in operands), name, **rest)
        self.nodes.append(node)
        return Number(self, node)

    def lift(self, value: object) -> Number | None:
        if isinstance(value, Number):
            return value
        return self.note("leaf", "leaf", value) if is_plain_number(value) else None

    def lifted(self, value: object) -> object:
        return value if (number := self.lift(value)) is None else number

    def literal(self, value) -> Number:
        return self.note("const", "const", value)

    def exponent(self, value) -> LiteralExponent:
        return LiteralExponent(self, value)

    def loose(self, value) -> Number:
        return self.note("loose", "loose", value)

    # -- operations
    def guard(self, op: str, left, right) -> None:
        if type(left) is bool or type(right) is bool:
            return
        integers = type(left) is int and type(right) is int
        if op == "pow" and integers and abs(left) > 1 and right > 0 and left.bit_length() * right > self.max_bits:
            raise TooLarge("an integer power")
        if op == "lshift" and integers and right > self.max_bits:
            raise TooLarge("a shift")

    def apply(self, op: str, function: Callable, operands: Sequence[Number], guard=None) -> Number:
        values = [operand.value for operand in operands]
        if guard is not None or len(values) == 2:
            self.guard(op, values[0], values[1] if guard is None else guard)
        return self.note("op", op, function(*values), operands)

    def binary(self, op: str, function: Callable, left, right):
        left, right = self.lift(left), self.lift(right)
        if left is None or right is None:
            return NotImplemented
        return self.apply(op, function, (left, right))

    def call(self, op: str, function: Callable, arguments: Sequence, keywords: Mapping):
        """A call of a builtin or C function: its operands are the numbers in its arguments, in order."""
        flat: list[Number] = []
        plain: list[object] = []
        for argument in itertools.chain(arguments, keywords.values()):
            if isinstance(argument, Number) or is_plain_number(argument):
                items: list = [argument]
            elif isinstance(argument, (list, tuple)):
                items = list(argument)
            else:
                items = []
            lifted = [self.lift(item) for item in items]
            if any(number is None for number in lifted):  # tuples, vectors, fractions: their own operators see to it
                return function(*arguments, **keywords)
            flat += lifted  # type: ignore[arg-type]
            plain.append(raw(argument))
        if not flat:
            return function(*arguments, **keywords)
        if function is sum and len(arguments) == 2:
            flat = [flat[-1], *flat[:-1]]  # a start comes first
        if function is pow and len(plain) == 2:
            self.guard("pow", *plain)
        result = function(*plain[: len(arguments)], **dict(zip(keywords, plain[len(arguments) :])))
        if is_plain_number(result):
            return self.note("op", op, result, flat)
        if isinstance(result, tuple) and all(is_plain_number(item) for item in result):
            whole = self.note("op", op, result, flat)
            return tuple(self.note("part", op, item, (whole,), position=i) for i, item in enumerate(result))
        return result

    # -- shadows
    def shadow(self, op: str, function: Callable) -> Callable:
        def shadowed(*arguments, **keywords):
            kept = (list, tuple, dict, str, bytes)
            once = [list(a) if hasattr(a, "__iter__") and not isinstance(a, kept) else a for a in arguments]
            if callable(keywords.get("key")):
                key = keywords["key"]
                keywords = {**keywords, "key": lambda value: raw(key(value))}
                return self.keyed(op, function, once, keywords)
            return self.call(op, function, once, keywords)

        shadowed.__name__ = op
        shadowed.real_function = function
        return shadowed

    def keyed(self, op, function, arguments, keywords):
        items = arguments[0] if len(arguments) == 1 else arguments
        if not all(isinstance(item, Number) or is_plain_number(item) for item in items):
            return function(*arguments, **keywords)
        lifted = [self.lift(item) for item in items]
        return self.note("op", op, function([n.value for n in lifted], **keywords), lifted)

    def shadow_library(self, library: types.ModuleType) -> types.ModuleType:
        shadow = types.ModuleType(library.__name__)
        for name, member in vars(library).items():
            if not name.startswith("_"):
                callable_ = callable(member)
                setattr(shadow, name, self.shadow(f"{library.__name__}.{name}", member) if callable_ else member)
        return shadow

    def range(self, name: str | None, *bounds) -> list[Number]:
        return [self.note("counter", "const", i, name=name) for i in range(*(raw(bound) for bound in bounds))]

    def mod(self, left, right):
        if isinstance(left, (str, bytes)):
            return left % raw(right)
        return left % right

    def negation(self, value):
        return self.apply("not_", operator.not_, (value,)) if isinstance(value, Number) else not value

    def names(self) -> dict[str, object]:
        shadows = {name: self.shadow(name, getattr(builtins, name)) for name in SHADOWED_CALLS}
        real = {shadow: getattr(builtins, name) for name, shadow in shadows.items()}

        def is_instance(value, kinds):
            kinds = kinds if isinstance(kinds, tuple) else (kinds,)
            return isinstance(raw(value), tuple(real.get(kind, kind) for kind in kinds))

        def type_of(value, *rest):
            return type(value.value) if isinstance(value, Number) else type(value, *rest)

        return {
            **shadows,
            "isinstance": is_instance,
            "type": type_of,
            "range": lambda *bounds: self.range(None, *bounds),
            "__range__": self.range,
            "__lift__": self.lifted,
            "__literal__": self.literal,
            "__exponent__": self.exponent,
            "__mod__": self.mod,
            "__not__": self.negation,
        }


@dataclasses.dataclass
class Oracle:
    nodes: list[OracleNode]
    inputs: dict[str, object]  # Numbers in the structure of the arguments
    result: object = None  # with Numbers in it
    exception: BaseException | None = None

    @property
    def value(self):
        return raw(self.result)


def wrapped(recorder: Recorder, name: str, value: object, path: tuple = ()) -> object:
    if is_plain_number(value):
        return recorder.note("input", "input", value, name=name, path=path)
    if type(value) in (list, tuple):
        return type(value)(wrapped(recorder, name, item, (*path, i)) for i, item in enumerate(value))
    if type(value) is dict:
        return {key: wrapped(recorder, name, item, (*path, key)) for key, item in value.items()}
    return value


def bind(function: Callable, arguments: Sequence, keywords: Mapping | None = None) -> inspect.BoundArguments:
    return inspect.signature(function).bind(*arguments, **(keywords or {}))


def record(function: Callable, *arguments, recorder: Recorder | None = None, **keywords) -> Oracle:
    """The record of ``function(*arguments)``: the function is found again, by name, in a lifted copy of its module."""
    recorder = recorder or Recorder()
    libraries = {"math": recorder.shadow_library(math), "cmath": recorder.shadow_library(cmath)}
    namespace = shadow_module(source_of(function), lifted=True, names=recorder.names(), modules=libraries)
    for name, value in list(namespace.items()):
        if is_plain_number(value) and not name.startswith("__"):
            namespace[name] = recorder.note("input", "input", value, name=name, path=("global",))
    bound = bind(function, arguments, keywords)
    inputs = {name: wrapped(recorder, name, value) for name, value in bound.arguments.items()}
    bound.arguments.update(inputs)
    oracle = Oracle(recorder.nodes, {name: copied(value) for name, value in inputs.items()})
    try:
        oracle.result = namespace[function.__name__](*bound.args, **bound.kwargs)
    except Exception as error:  # noqa: BLE001 - whatever the program raises
        oracle.exception = error
    return oracle


def copied(value: object) -> object:
    """The same leaves in containers of their own."""
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return value


# ----------------------------------------------------------------------------------------------------------------------
# Comparison
# ----------------------------------------------------------------------------------------------------------------------


def same_value(left: object, right: object) -> bool:
    """Same type, same bits as far as repr tells (-0.0, nan, inf, every digit)."""
    return type(left) is type(right) and repr(left) == repr(right)


def leaves(structure: object, path: tuple = ()) -> dict[tuple, object]:
    """The leaves of nested lists, tuples and dicts by their path."""
    found: dict[tuple, object] = {}
    work = [(path, structure)]
    while work:
        at, value = work.pop()
        if isinstance(value, (list, tuple)):
            work += [((*at, i), item) for i, item in enumerate(value)]
        elif isinstance(value, dict):
            work += [((*at, key), item) for key, item in value.items()]
        else:
            found[at] = value
    return found


class GraphMismatch(AssertionError):
    pass


class _Comparison:
    def __init__(self, trace, oracle: Oracle, opaque: bool):
        self.trace, self.oracle, self.opaque = trace, oracle, opaque
        self.nodes = {node.id: node for node in trace}
        self.matched: dict[OracleNode, int] = {}
        self.taken: dict[int, OracleNode] = {}
        self.why: dict[OracleNode, tuple[OracleNode | None, int]] = {}
        self.inputs: dict[tuple, int] = {}
        self.argument_ids: set[int] = set()

    # -- messages
    def show(self, identity: int) -> str:
        node = self.nodes.get(identity)
        if node is None:
            return f"id {identity}, which is no node of the trace"
        shown = f"id {node.id}: {node.op} name={node.name!r} value={node.value!r:.60} operands={tuple(node.operands)}"
        source = getattr(node, "source", None)
        line = getattr(source, "line", None)
        text = getattr(source, "text", None)
        return shown + (f"  [line {line}: {text}]" if line is not None else "")

    def fail(self, message: str, node: OracleNode | None, identity: int | None = None) -> None:
        lines = [message]
        if node is not None:
            lines.append(f"  oracle: {node!r}")
            for operand in node.operands:
                lines.append(f"            operand {_short(operand)}")
        if identity is not None:
            lines.append(f"  trace:  {self.show(identity)}")
            for operand in getattr(self.nodes.get(identity), "operands", ()):
                lines.append(f"            operand {self.show(operand)}")
        at, steps = node, 0
        while at is not None and at in self.why and steps < 12:
            parent, position = self.why[at]
            if parent is not None:
                lines.append(f"  which is operand {position} of {_short(parent)}")
            at, steps = parent, steps + 1
        raise GraphMismatch("\n".join(lines))

    # -- the walk
    def identity(self, node: object, where: str) -> int:
        identity = node if isinstance(node, int) else getattr(node, "id", None)
        if identity is None or identity not in self.nodes:
            raise GraphMismatch(f"{where} gives {node!r}, which is not a node of the trace")
        return identity

    def run(self) -> dict[OracleNode, int]:
        for name, structure in self.oracle.inputs.items():
            expected = {at: n for at, n in leaves(structure).items() if isinstance(n, Number)}
            if not expected:
                continue
            if name not in self.trace.inputs:
                raise GraphMismatch(f"trace.inputs has {sorted(map(str, self.trace.inputs))}, but not {name!r}")
            given = leaves(self.trace.inputs[name])
            for at in expected:
                if at not in given:
                    raise GraphMismatch(f"trace.inputs[{name!r}] has no node at {at}; it has {sorted(map(str, given))}")
                self.inputs[name, *at] = self.identity(given[at], f"trace.inputs[{name!r}] at {at}")
        self.argument_ids = set(self.inputs.values())
        results = {at: n for at, n in leaves(self.oracle.result).items() if isinstance(n, Number)}
        outputs = leaves(self.trace.outputs) if results else {}
        work: list[tuple[OracleNode, int]] = []
        for at, number in results.items():
            if at not in outputs and number.node.kind == "part" and at[:-1] in outputs:
                # A tuple that a call gave as a whole, returned as it came: the node of the call.
                work.append((number.node.operands[0], self.identity(outputs[at[:-1]], f"trace.outputs at {at[:-1]}")))
                continue
            if at not in outputs and self.opaque:
                continue
            if at not in outputs:
                raise GraphMismatch(f"trace.outputs has no node at {at}; it has {sorted(map(str, outputs))}")
            self.why.setdefault(number.node, (None, 0))
            work.append((number.node, self.identity(outputs[at], f"trace.outputs at {at}")))
        while work:
            node, identity = work.pop()
            if node in self.matched and self.matched[node] == identity:
                continue
            for position, (operand, other) in enumerate(self.match(node, identity)):
                self.why.setdefault(operand, (node, position))
                work.append((operand, other))
        self.check_order()
        return self.matched

    def match(self, node: OracleNode, identity: int) -> list[tuple[OracleNode, int]]:
        if identity not in self.nodes:
            self.fail(f"an operand with id {identity} is not in the trace", node)
        other = self.nodes[identity]
        if node.kind == "part":
            return self.match_part(node, identity)
        if not same_value(node.value, other.value):
            self.fail(f"values differ: oracle {node.value!r}, trace {other.value!r}", node, identity)
        if node.kind == "loose" or (self.opaque and other.op == "opaque"):
            return []
        if node.kind == "leaf":
            if identity in self.argument_ids:
                self.fail("the trace mistakes a value from elsewhere for an argument", node, identity)
            if identity in self.taken:
                self.fail(f"the trace mistakes a value from elsewhere for {self.taken[identity]!r}", node, identity)
            self.matched[node] = identity
            return []
        if node.kind == "const":
            if other.op != "const" or len(other.operands):
                self.fail(f"a literal should be a 'const' leaf, the trace has {other.op!r}", node, identity)
            self.matched[node] = identity
            return []
        if node in self.matched:
            where = f"id {self.matched[node]} and id {identity}"
            self.fail(f"one node of the oracle is two nodes of the trace: {where}", node, identity)
        if identity in self.taken:
            self.fail(f"one node of the trace stands for two: this and {self.taken[identity]!r}", node, identity)
        self.matched[node] = identity
        self.taken[identity] = node
        if node.kind == "input":
            self.match_input(node, identity)
            return []
        if node.kind == "counter":
            if other.op != "const" or len(other.operands):
                self.fail(f"a loop counter should be a 'const' leaf, the trace has {other.op!r}", node, identity)
            if node.name is not None and other.name != node.name:
                self.fail(f"the loop counter should be named {node.name!r}, not {other.name!r}", node, identity)
            return []
        if self.opaque and (other.op == "opaque" or "." in other.op) and not other.op.startswith(("math.", "cmath.")):
            return []
        if other.op != node.op:
            self.fail(f"operations differ: oracle {node.op!r}, trace {other.op!r}", node, identity)
        if len(other.operands) != len(node.operands):
            self.fail(f"{node.op} should have {len(node.operands)} operands, not {len(other.operands)}", node, identity)
        return list(zip(node.operands, other.operands, strict=True))

    def match_input(self, node: OracleNode, identity: int) -> None:
        other = self.nodes[identity]
        if node.path == ("global",):
            if other.op != "input" or other.name != node.name:
                self.fail(f"the global {node.name!r} should be an 'input' of that name", node, identity)
            return
        expected = self.inputs[node.name, *node.path]
        if identity != expected:
            self.fail(f"should be the argument at trace.inputs, which is {self.show(expected)}", node, identity)
        if other.op != "input" or len(other.operands):
            self.fail(f"an argument should be an 'input' leaf, the trace has {other.op!r}", node, identity)
        if not node.path and other.name != node.name:
            self.fail(f"the argument should be named {node.name!r}, not {other.name!r}", node, identity)

    def match_part(self, node: OracleNode, identity: int) -> list[tuple[OracleNode, int]]:
        """``q`` of ``q, r = divmod(x, y)``: either an element taken from the call, or a call node of its own."""
        other, whole = self.nodes[identity], node.operands[0]
        if self.matched.setdefault(node, identity) != identity:
            self.fail("one node of the oracle is two nodes of the trace", node, identity)
        if self.taken.setdefault(identity, node) is not node:
            self.fail(f"one node of the trace stands for two: this and {self.taken[identity]!r}", node, identity)
        if not same_value(node.value, other.value):
            self.fail(f"values differ: oracle {node.value!r}, trace {other.value!r}", node, identity)
        if other.op == "getitem" and len(other.operands):
            index = self.nodes[other.operands[1]].value if len(other.operands) > 1 else node.position
            if index != node.position:
                self.fail(f"should be element {node.position}, not {index}", node, identity)
            return [(whole, other.operands[0])]
        if other.op == whole.op and len(other.operands) == len(whole.operands):
            return list(zip(whole.operands, other.operands, strict=True))
        self.fail(f"should be element {node.position} of {whole!r}", node, identity)
        raise AssertionError

    def check_order(self) -> None:
        known = (n for n in self.matched if n.kind == "op" and self.nodes[self.matched[n]].op == n.op)
        ordered = sorted(known, key=lambda n: n.index)  # an opaque value has its place where it was first seen
        for before, after in itertools.pairwise(ordered):
            if self.matched[before] >= self.matched[after]:
                self.fail(f"executed before {before!r} in the trace, after it in truth", after, self.matched[after])


def assert_same_graph(trace, oracle: Oracle, *, opaque: bool = False) -> dict[OracleNode, int]:
    """The graph above the trace's result is the oracle's, node for node; gives {oracle node: id of the trace's node}.

    ``opaque``: an operation that the trace owns up to not knowing (op ``opaque``, or a call of something
    that has no rule, such as ``functools.reduce``) may stand for any operation.
    """
    return _Comparison(trace, oracle, opaque).run()


def assert_well_formed(trace) -> None:
    """What every trace promises: an acyclic graph in execution order, the same in ``operands`` and in ``graph``."""
    import networkx

    nodes = list(trace)
    assert len(nodes) == len(trace)
    identities = [node.id for node in nodes]
    assert identities == sorted(set(identities)), "ids do not ascend in execution order"
    for place, node in enumerate(nodes):
        for operand in node.operands:
            assert operand < node.id, f"node {node.id} ({node.op}) has operand {operand}, which comes later"
        if place % max(1, len(nodes) // 7) == 0:
            assert trace[place].id == node.id
    graph = trace.graph
    assert isinstance(graph, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(graph)
    assert set(graph.nodes) == set(identities)
    expected = {(operand, node.id, place) for node in nodes for place, operand in enumerate(node.operands)}
    assert set(graph.edges(keys=True)) == expected, "graph edges are not the operands"
    for node in nodes[:: max(1, len(nodes) // 50)]:
        assert graph.nodes[node.id]["op"] == node.op


# ----------------------------------------------------------------------------------------------------------------------
# A record in the shape of a trace: what the comparison is tested on
# ----------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class RecordedNode:
    id: int
    op: str
    value: Any
    name: str | None
    operands: tuple[int, ...]
    source: None = None


class RecordedTrace:
    """An oracle's record with the surface of a trace, for breaking on purpose."""

    def __init__(self, oracle: Oracle):
        self.nodes = [
            RecordedNode(
                n.index,
                {"leaf": "const", "part": "getitem"}.get(n.kind, n.op),
                n.value,
                n.name,
                tuple(o.index for o in n.operands),
            )
            for n in oracle.nodes
        ]
        self.inputs = {name: self.mapped(value) for name, value in oracle.inputs.items()}
        self.outputs = self.mapped(oracle.result)

    def mapped(self, value):
        if isinstance(value, Number):
            return self.nodes[value.node.index]
        if isinstance(value, (list, tuple)):
            return type(value)(self.mapped(item) for item in value)
        if isinstance(value, dict):
            return {key: self.mapped(item) for key, item in value.items()}
        return value

    def __iter__(self):
        return iter(self.nodes)

    def __len__(self):
        return len(self.nodes)

    def __getitem__(self, place):
        return self.nodes[place]

    @property
    def graph(self):
        import networkx

        graph = networkx.MultiDiGraph()
        for node in self.nodes:
            graph.add_node(node.id, op=node.op)
        for node in self.nodes:
            for place, operand in enumerate(node.operands):
                graph.add_edge(operand, node.id, key=place)
        return graph


# ----------------------------------------------------------------------------------------------------------------------
# Gradients
# ----------------------------------------------------------------------------------------------------------------------


class Unsupported(Exception):
    """This oracle cannot say; another one has to."""


def filled(structure: object, values: Iterable) -> object:
    """The structure with its numbers replaced, in order, by the values."""
    values = iter(values)

    def fill(value):
        if is_plain_number(value):
            return next(values)
        if type(value) in (list, tuple):
            return type(value)(fill(item) for item in value)
        if type(value) is dict:
            return {key: fill(item) for key, item in value.items()}
        return value

    return fill(structure)


def numbers_in(structure: object) -> list:
    """The numbers of a structure, in order."""
    if is_plain_number(structure):
        return [structure]
    if isinstance(structure, (list, tuple)):
        return [n for item in structure for n in numbers_in(item)]
    if isinstance(structure, dict):
        return [n for item in structure.values() for n in numbers_in(item)]
    return []


def replaced(function: Callable, arguments: Sequence, wrt: str, values: Iterable) -> tuple[tuple, dict]:
    bound = bind(function, arguments)
    if wrt:
        bound.arguments[wrt] = filled(bound.arguments[wrt], values)
    fresh = {name: copied(value) for name, value in bound.arguments.items()}
    bound.arguments.update(fresh)
    return bound.args, bound.kwargs


def finite_differences(function: Callable, arguments: Sequence, wrt: str, step: float = 1e-2, levels: int = 6) -> list:
    """Central differences with Richardson extrapolation, for each number in the argument ``wrt``.

    Of the extrapolation table the entry with the smallest change from its neighbours is taken (Ridders), which gives
    some nine digits for smooth functions. Raises Unsupported where the table does not settle.
    """
    at = [float(v) if type(v) in (int, bool) else v for v in numbers_in(bind(function, arguments).arguments[wrt])]
    gradient = []

    def value(position: int, offset: float) -> float:
        shifted = [v + offset if i == position else v for i, v in enumerate(at)]
        args, keywords = replaced(function, arguments, wrt, shifted)
        try:
            return float(function(*args, **keywords))
        except (ArithmeticError, ValueError, TypeError, IndexError) as error:
            raise Unsupported(f"{type(error).__name__} near the point: {error}") from error

    for position, centre in enumerate(at):
        h = step * max(1.0, abs(centre))
        best, error = math.nan, math.inf
        table: list[list[float]] = []
        for level in range(levels):
            row = [(value(position, h) - value(position, -h)) / (2 * h)]
            for column in range(1, level + 1):
                factor = 4.0**column
                row.append((factor * row[column - 1] - table[-1][column - 1]) / (factor - 1))
                change = max(abs(row[-1] - row[-2]), abs(row[-1] - table[-1][-1] if column == level else 0.0))
                if change < error:
                    best, error = row[-1], change
            table.append(row)
            h /= 2
        if not error <= 1e-6 * max(1.0, abs(best)):
            raise Unsupported(f"finite differences do not settle: {best} +- {error}")
        gradient.append(best)
    return gradient


STEP = 1e-160


class Stepped:
    """A real number with a tiny imaginary part; compares and branches by its real part."""

    __slots__ = ("run", "z")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, z: complex, run: "ComplexStep"):
        self.z, self.run = complex(z), run

    def __repr__(self):
        return f"Stepped({self.z!r})"

    def __format__(self, spec):
        return format(self.z.real, spec)

    def __bool__(self):
        return bool(self.z.real)

    def __index__(self):
        if not self.z.real.is_integer():
            raise TypeError("not an integer")
        return int(self.z.real)

    def __add__(self, other):
        return self.run.two(self, other, lambda a, b: a + b)

    def __radd__(self, other):
        return self.run.two(other, self, lambda a, b: a + b)

    def __sub__(self, other):
        return self.run.two(self, other, lambda a, b: a - b)

    def __rsub__(self, other):
        return self.run.two(other, self, lambda a, b: a - b)

    def __mul__(self, other):
        return self.run.two(self, other, _times)

    def __rmul__(self, other):
        return self.run.two(other, self, _times)

    def __truediv__(self, other):
        return self.run.two(self, other, _over)

    def __rtruediv__(self, other):
        return self.run.two(other, self, _over)

    def __floordiv__(self, other):
        return self.run.two(self, other, self.run.floordiv)

    def __rfloordiv__(self, other):
        return self.run.two(other, self, self.run.floordiv)

    def __mod__(self, other):
        return self.run.two(self, other, self.run.mod)

    def __rmod__(self, other):
        return self.run.two(other, self, self.run.mod)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __pow__(self, other, modulus=None):
        return self.run.two(self, other, self.run.power)

    def __rpow__(self, other):
        return self.run.two(other, self, self.run.power)

    def __neg__(self):
        return Stepped(-self.z, self.run)

    def __pos__(self):
        return self

    def __abs__(self):
        if self.z.real == 0:
            self.run.kink("abs at 0")
        return -self if self.z.real < 0 else self

    def __round__(self, digits=None):
        self.run.kink("round")
        return round(self.z.real, digits)

    def __lt__(self, other):
        return self.z.real < _real(other)

    def __le__(self, other):
        return self.z.real <= _real(other)

    def __gt__(self, other):
        return self.z.real > _real(other)

    def __ge__(self, other):
        return self.z.real >= _real(other)

    def __eq__(self, other):
        return self.z.real == _real(other)

    def __ne__(self, other):
        return self.z.real != _real(other)


def _real(value):
    return value.z.real if isinstance(value, Stepped) else value


def _times(a: complex, b: complex) -> complex:
    return complex(a.real * b.real, a.real * b.imag + a.imag * b.real)


def _over(a: complex, b: complex) -> complex:
    quotient = a.real / b.real
    return complex(quotient, a.imag / b.real - quotient * (b.imag / b.real))


class ComplexStep:
    """One run with an imaginary step in one number; notes where the function is not smooth."""

    def __init__(self) -> None:
        self.kinks: list[str] = []

    def kink(self, what: str) -> None:
        self.kinks.append(what)

    def two(self, left, right, function):
        sides = []
        for side in (left, right):
            if isinstance(side, Stepped):
                sides.append(side.z)
            elif type(side) in (int, float, bool):
                try:
                    sides.append(complex(side))
                except OverflowError as error:
                    raise Unsupported("an integer past the floats") from error
            elif type(side) is complex:
                raise Unsupported("complex step in complex arithmetic")
            else:
                return NotImplemented
        return Stepped(function(*sides), self)

    def floordiv(self, a: complex, b: complex) -> complex:
        if a.real % b.real == 0:
            self.kink("floor at an integer")
        return complex(a.real // b.real)

    def mod(self, a: complex, b: complex) -> complex:
        floor = self.floordiv(a, b)
        return complex(a.real % b.real, a.imag - floor.real * b.imag)

    def power(self, base: complex, exponent: complex) -> complex:
        p = exponent.real
        if base.real == 0 and not (exponent.imag == 0 and p > 1):
            self.kink("power at 0")
        if exponent.imag == 0:
            value = base.real**p
            if isinstance(value, complex):
                raise Unsupported("a complex power")
            slope = p * base.real ** (p - 1) if p and base.imag else 0.0
            return complex(value, slope * base.imag)
        if base.real <= 0:
            raise Unsupported("a power with a varying exponent and a base <= 0")
        return cmath.exp(exponent * cmath.log(base))

    # -- math
    def functions(self) -> dict[str, Callable]:
        analytic = {
            name: getattr(cmath, name)
            for name in (
                "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh",
                "sqrt", "log10",
            )
        }  # fmt: skip
        slopes = {  # for what cmath does not have: the derivative from another formula than a rule would use
            "erf": lambda x: 2 / math.sqrt(math.pi) * math.exp(-(x**2)),
            "erfc": lambda x: -2 / math.sqrt(math.pi) * math.exp(-(x**2)),
            "expm1": math.exp,
            "log1p": lambda x: 1 / (1 + x),
            "exp2": lambda x: math.log(2) * 2.0**x,
            "log2": lambda x: 1 / (x * math.log(2)),
            "cbrt": lambda x: 1 / (3 * math.cbrt(x) ** 2),
            "radians": lambda x: math.pi / 180,
            "degrees": lambda x: 180 / math.pi,
        }
        domain = {name: getattr(math, name) for name in (*analytic, "log")}

        def one(name):
            def run(x):
                if not isinstance(x, Stepped):
                    return getattr(math, name)(x)
                value = domain[name](x.z.real)  # the same ValueError / OverflowError
                try:
                    return Stepped(complex(value, analytic[name](x.z).imag), self)
                except (ValueError, OverflowError, ZeroDivisionError) as error:
                    raise Unsupported(f"cmath.{name}: {error}") from error

            return run

        def sloped(name, slope):
            def run(x):
                if not isinstance(x, Stepped):
                    return getattr(math, name)(x)
                value = getattr(math, name)(x.z.real)
                return Stepped(complex(value, slope(x.z.real) * x.z.imag), self)

            return run

        def log(x, base=None):
            if base is not None:
                return log(x) / log(base)
            if not isinstance(x, Stepped):
                return math.log(x)
            return Stepped(complex(math.log(x.z.real), cmath.log(x.z).imag), self)

        def flat(name):
            def run(x):
                if isinstance(x, Stepped) and x.z.real == getattr(math, name)(x.z.real):
                    self.kink(f"{name} at an integer")
                return getattr(math, name)(_real(x))

            return run

        def hypot(*xs):
            if not any(isinstance(x, Stepped) for x in xs):
                return math.hypot(*xs)
            norm = math.hypot(*map(_real, xs))
            if norm == 0 or math.isinf(norm):
                self.kink("hypot at 0")
                return Stepped(norm, self)
            return Stepped(complex(norm, sum((x * x for x in xs), Stepped(0, self)).z.imag / (2 * norm)), self)

        def atan2(y, x):
            if not isinstance(y, Stepped) and not isinstance(x, Stepped):
                return math.atan2(y, x)
            a, b = _real(y), _real(x)
            da = y.z.imag if isinstance(y, Stepped) else 0.0
            db = x.z.imag if isinstance(x, Stepped) else 0.0
            if a == b == 0:
                self.kink("atan2 at 0")
                return Stepped(math.atan2(a, b), self)
            return Stepped(complex(math.atan2(a, b), (b * da - a * db) / (a * a + b * b)), self)

        def copysign(x, y):
            magnitude = abs(x)
            if _real(y) == 0:
                self.kink("copysign at 0")
            return magnitude if math.copysign(1.0, _real(y)) > 0 else -magnitude

        def prod(values, *, start=1):
            result = start
            for value in values:
                result = result * value
            return result

        def dist(p, q):
            return hypot(*(a - b for a, b in zip(p, q, strict=True)))

        def fmod(x, y):
            return x - math.trunc(_real(x) / _real(y)) * y

        def fsum(values):
            return sum(values)

        found: dict[str, Callable] = {name: one(name) for name in analytic}
        found |= {name: sloped(name, slope) for name, slope in slopes.items()}
        found |= {name: flat(name) for name in ("floor", "ceil", "trunc")}
        found |= {"log": log, "hypot": hypot, "atan2": atan2, "fabs": abs, "copysign": copysign, "prod": prod}
        found |= {"dist": dist, "fmod": fmod, "fsum": fsum, "pow": lambda x, y: (x + 0.0) ** y}
        found |= {name: _tested(getattr(math, name)) for name in ("isnan", "isinf", "isfinite")}
        return found

    def names(self) -> dict[str, object]:
        def extreme(function, better):
            def run(*values, **keywords):
                items = list(values[0]) if len(values) == 1 else list(values)
                if keywords or not any(isinstance(item, Stepped) for item in items):
                    return function(items, **keywords)
                best = items[0]
                for item in items[1:]:
                    if item is not best and _real(item) == _real(best):
                        self.kink("a tie")
                    if better(_real(item), _real(best)):
                        best = item
                return best

            return run

        def is_instance(value, kinds):
            return isinstance(_real(value), kinds)

        def integer(value=0, *rest):
            if isinstance(value, Stepped):
                self.kink("int")
                return int(value.z.real)
            return int(value, *rest)

        return {
            "max": extreme(max, operator.gt),
            "min": extreme(min, operator.lt),
            "float": lambda value=0.0: value if isinstance(value, Stepped) else float(value),
            "int": integer,
            "isinstance": is_instance,
        }


def _tested(function: Callable) -> Callable:
    return lambda x: function(_real(x))


def _library(name: str, functions: Mapping[str, Callable]) -> types.ModuleType:
    """``math`` with other functions; those that have no other refuse anything but plain numbers by themselves."""
    library = types.ModuleType(name)
    for member, value in vars(math).items():
        if not member.startswith("_"):
            setattr(library, member, functions.get(member, value))
    return library


def complex_step(function: Callable, arguments: Sequence, wrt: str, kinks: list[str] | None = None) -> list[float]:
    """Im f(x + ih) / h for each number in the argument ``wrt``; exact to rounding. ``kinks`` gathers rough places."""
    source = source_of(function)
    at = numbers_in(bind(function, arguments).arguments[wrt])
    if any(isinstance(v, complex) for v in at):
        raise Unsupported("complex argument")
    gradient = []
    for position in range(len(at)):
        run = ComplexStep()
        modules = {"math": _library("math", run.functions())}
        namespace = shadow_module(source, lifted=False, names=run.names(), modules=modules)
        values = []
        for i, v in enumerate(at):
            try:
                values.append(Stepped(complex(v, STEP), run) if i == position else v)
            except OverflowError as error:
                raise Unsupported("an integer past the floats") from error
        args, keywords = replaced(function, arguments, wrt, values)
        try:
            result = namespace[function.__name__](*args, **keywords)
        except (ArithmeticError, TypeError, ValueError, AttributeError) as error:
            raise Unsupported(f"{type(error).__name__}: {error}") from error
        if isinstance(result, (Stepped, int, float)):
            same_path("complex step", function, arguments, _real(result))
        if isinstance(result, Stepped):
            gradient.append(result.z.imag / STEP)
        elif type(result) in (int, float, bool):
            gradient.append(0.0)
        else:
            raise Unsupported(f"result {type(result).__name__}")
        if kinks is not None:
            kinks += run.kinks
    return gradient


def autograd_gradient(function: Callable, arguments: Sequence, wrt: str) -> list[float]:
    """The gradient by HIPS autograd: the program runs with autograd.numpy standing in for ``math``."""
    import warnings

    import autograd
    import autograd.numpy as anp
    from autograd.numpy.numpy_boxes import ArrayBox
    from autograd.scipy import special

    def plain_or(name: str, boxed: Callable) -> Callable:
        real = getattr(math, name)

        def run(*xs):
            flat = [x for x in xs for x in (x if isinstance(x, (list, tuple)) else (x,))]
            return boxed(*xs) if any(isinstance(x, ArrayBox) for x in flat) else real(*xs)

        return run

    same = "exp sin cos tan sinh cosh tanh sqrt log2 log10 log1p expm1 exp2 fabs"
    functions = {name: plain_or(name, getattr(anp, name)) for name in same.split()}
    for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh"):
        functions[name] = plain_or(name, getattr(anp, "arc" + name[1:]))
    functions["atan2"] = plain_or("atan2", anp.arctan2)
    functions["pow"] = plain_or("pow", anp.power)
    functions["log"] = plain_or("log", lambda x, base=None: anp.log(x) / (anp.log(base) if base is not None else 1.0))
    functions["hypot"] = plain_or("hypot", lambda *xs: anp.sqrt(sum(x * x for x in xs)))
    functions["fsum"] = sum
    functions["prod"] = lambda xs: _product(xs)
    functions["dist"] = lambda p, q: anp.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True)))
    for name, other in {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}.items():
        functions[name] = plain_or(name, getattr(special, other))
    for name in ("floor", "ceil", "trunc", "isnan", "isinf", "isfinite"):
        functions[name] = plain_or(name, lambda x, name=name: getattr(math, name)(x._value))
    names = {
        "float": lambda value=0.0: value if isinstance(value, ArrayBox) else float(value),
        "int": lambda value=0, *rest: int(value._value) if isinstance(value, ArrayBox) else int(value, *rest),
        "isinstance": lambda v, kinds: isinstance(float(v._value) if isinstance(v, ArrayBox) else v, kinds),
    }
    modules = {"math": _library("math", functions)}
    namespace = shadow_module(source_of(function), lifted=False, names=names, modules=modules)
    at = numbers_in(bind(function, arguments).arguments[wrt])
    if any(isinstance(v, complex) for v in at):
        raise Unsupported("complex argument")

    def along(vector):
        args, keywords = replaced(function, arguments, wrt, (vector[i] for i in range(len(at))))
        return namespace[function.__name__](*args, **keywords)

    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value, gradient = autograd.value_and_grad(along)(numpy.array(at, dtype=float))
        except Exception as error:  # autograd's own limits come as every kind of exception
            raise Unsupported(f"autograd: {type(error).__name__}: {error!s:.80}") from error
    same_path("autograd", function, arguments, value)
    return [float(g) for g in gradient]


def same_path(oracle: str, function: Callable, arguments: Sequence, value: object) -> None:
    """An oracle that came to another value (NumPy divides by zero, a float is no int) went another way: no witness."""
    args, keywords = replaced(function, arguments, "", ())
    plain = function(*args, **keywords)
    value = float(value)  # type: ignore[arg-type]
    if not abs(value - plain) <= 1e-9 * abs(plain) + 1e-12:
        raise Unsupported(f"{oracle} comes to {value!r}, the program to {plain!r}")


def _product(values):
    result = 1.0
    for value in values:
        result = result * value
    return result


# Relative to the largest component, with an absolute floor: what each oracle can promise.
COMPLEX_STEP_TOLERANCE = 1e-9
AUTOGRAD_TOLERANCE = 1e-9
FINITE_DIFFERENCES_TOLERANCE = 1e-5


def close_gradient(given: Sequence, expected: Sequence, tolerance: float, cancelled: float = 1e-300) -> bool:
    """Component-wise, relative to each component, with a floor of tolerance times the largest one.

    `cancelled` is what may be left of, or lost with, larger contributions that cancel.
    """
    if len(given) != len(expected):
        return False
    finite = [abs(e) for e in expected if math.isfinite(e)]
    floor = tolerance * max(finite, default=0.0) + cancelled
    for g, e in zip(given, expected, strict=True):
        if math.isnan(e) or math.isinf(e):
            if not (math.isnan(e) and math.isnan(g)) and g != e:
                return False
        elif not abs(g - e) <= tolerance * abs(e) + floor:
            return False
    return True


def assert_close_gradient(
    given: object, expected: Sequence, tolerance: float, what: str, cancelled: float = 1e-300
) -> None:
    flat = [float(g) for g in numbers_in(plain_structure(given))]
    assert close_gradient(flat, expected, tolerance, cancelled), (
        f"{what}: trace gives {flat}, should be {list(expected)}"
    )


def plain_structure(value: object) -> object:
    """NumPy scalars and arrays as Python numbers and lists."""
    if isinstance(value, (numpy.generic, numpy.ndarray)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain_structure(item) for item in value]
    if isinstance(value, dict):
        return {key: plain_structure(item) for key, item in value.items()}
    return value
