"""Hypothesis strategies for random source programs.

``programs()`` draws a module as text: global numbers, helper functions (plain, with defaults, recursive, generator,
list-writing, closure), and a main function ``f`` with statements of all kinds. ``Program.function`` is that ``f``,
compiled under a file name of its own that ``linecache`` knows, as a file on disk would be.

The arguments are drawn from numbers that also occur as literals, and often one object is passed twice: a tracer that
tells values apart by what they are, and not by where they come from, must fail here.

``kinds`` of programs: ``"mixed"`` has integers, exceptions and everything else; ``"smooth"`` has float arguments and
operations that are differentiable nearly everywhere, so that gradients can be compared.
"""

import dataclasses
import hashlib
import linecache
import types
from collections.abc import Callable

from hypothesis import strategies as st

INTEGERS = (0, 1, 2, 3, -1, 7)
FLOATS = (0.5, 2.0, 1.5, -0.25, 3.0, 1.0)
EXPONENTS = ("2", "3", "2", "1", "0", "-1", "0.5", "2.0")
SMOOTH_EXPONENTS = ("2", "3", "2", "1", "-1", "2.0")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
INDENT = "    "


@dataclasses.dataclass(frozen=True)
class Program:
    source: str
    args: tuple
    kind: str
    filename: str = dataclasses.field(init=False)

    def __post_init__(self):
        digest = hashlib.sha256(self.source.encode()).hexdigest()[:16]
        object.__setattr__(self, "filename", f"generated_{digest}.py")

    @property
    def function(self) -> Callable:
        """A new ``f`` in a module of its own."""
        module = types.ModuleType(self.filename.removesuffix(".py"))
        module.__file__ = self.filename
        lines = self.source.splitlines(keepends=True)
        linecache.cache[self.filename] = (len(self.source), None, lines, self.filename)
        exec(compile(self.source, self.filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        return module.__dict__["f"]

    def forget(self) -> None:
        linecache.cache.pop(self.filename, None)

    def __repr__(self) -> str:
        shared = len({id(a) for a in self.args}) < len(self.args)
        return f"<{self.kind} program, args={self.args!r}{' (one object twice)' if shared else ''}\n{self.source}>"


class Writer:
    """Writes one module; ``self.names`` are the variables that are surely bound where the next line goes."""

    def __init__(self, draw, kind: str):
        self.draw = draw
        self.smooth = kind == "smooth"
        self.lines: list[str] = []
        self.indent = 0
        self.names: list[str] = []
        self.fixed: set[str] = set()  # loop variables and the like, which are read only
        self.helpers: list[tuple[str, str]] = []
        self.fresh = 0
        self.loops = 0
        self.budget = 14

    # -- choices
    def pick(self, options):
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) >= 100 - percent

    def new(self, prefix: str = "v") -> str:
        self.fresh += 1
        return f"{prefix}{self.fresh}"

    def line(self, text: str) -> None:
        self.lines.append(INDENT * self.indent + text)

    def variable(self) -> str:
        return self.pick(self.names[-4:] if self.chance(50) else self.names)

    def writable(self) -> str:
        names = [name for name in self.names if name not in self.fixed]
        return self.pick(names)

    def literal(self) -> str:
        integers = INTEGERS[1:4] if self.smooth else INTEGERS
        return str(self.pick(integers)) if self.chance(50) else repr(self.pick(FLOATS))

    # -- expressions
    def atom(self) -> str:
        where = self.draw(st.integers(0, 9))
        if where < 7:
            return self.variable()
        if where == 7:
            return self.pick(("K", "C"))
        return self.literal()

    def expression(self, depth: int = 2) -> str:
        if depth <= 0 or self.chance(15):
            return self.atom()
        form = self.pick(self.SMOOTH if self.smooth else self.MIXED)
        return getattr(self, f"expression_{form}")(depth - 1)

    SMOOTH = ("sum",) * 4 + ("product",) * 3 + ("quotient", "power", "math", "math", "unary", "builtin", "call", "if")
    MIXED = SMOOTH + ("integer", "comparison", "risky", "logic", "bits", "container", "lambda", "square")

    def expression_sum(self, depth):
        return f"({self.expression(depth)} {self.pick('+-')} {self.expression(depth)})"

    def expression_product(self, depth):
        return f"{self.wrapped(depth)} * {self.wrapped(depth)}"

    def wrapped(self, depth):
        text = self.expression(depth)
        return text if text.isidentifier() else f"({text})"

    def expression_square(self, depth):
        name = self.variable()
        return f"{name} * {name}"

    def expression_quotient(self, depth):
        below = self.pick(("2", "4.0", f"({self.variable()} ** 2 + 1)", f"(abs({self.atom()}) + 1.5)"))
        if not self.smooth and self.chance(30):
            below = self.variable()
        return f"{self.wrapped(depth)} / {below}"

    def expression_power(self, depth):
        if self.smooth:
            exponent = self.pick(SMOOTH_EXPONENTS)
            if exponent == "-1":
                return f"({self.variable()} ** 2 + 1) ** -1"
            return f"({self.expression(depth)}) ** {exponent}"
        if self.chance(25):
            return f"pow({self.expression(depth)}, {self.pick(('2', '3', 'K'))})"
        if self.chance(20):
            return f"({self.expression(depth)}) ** {self.pick(('K', self.variable()))}"
        return f"({self.expression(depth)}) ** {self.pick(EXPONENTS)}"

    def expression_unary(self, depth):
        return f"{self.pick('--+')}{self.wrapped(depth)}"

    def expression_math(self, depth):
        inner = self.expression(depth)
        return self.pick(
            (
                f"math.sin({inner})",
                f"math.cos({inner})",
                f"math.tanh({inner})",
                f"math.atan({inner})",
                f"math.exp(-({inner}) ** 2)",
                f"math.sqrt(({inner}) ** 2 + 1)",
                f"math.log(({inner}) ** 2 + 2)",
                f"math.hypot({inner}, {self.variable()}, 1)",
                f"math.atan2({inner}, 3)",
                f"sqrt(({inner}) ** 2 + 0.5)",
                f"math.fsum([{inner}, {self.variable()}])",
            )
        )

    def expression_builtin(self, depth):
        a, b = self.expression(depth), self.atom()
        options = [f"abs({a})", f"max({a}, {b})", f"min({a}, {b})", f"sum([{a}, {b}, {b}])", f"max([{a}, {b}, 1])"]
        if not self.smooth:
            options += [f"sum(({a}, {b}), {self.literal()})", f"round({a}, 1)", f"float({a})", f"min(({b}, {a}))"]
        return self.pick(options)

    def expression_if(self, depth):
        return f"({self.expression(depth)} if {self.condition()} else {self.expression(depth)})"

    def expression_call(self, depth):
        if not self.helpers:
            return self.atom()
        name, kind = self.pick(self.helpers)
        a = self.expression(depth)
        b = self.variable()
        if kind == "recursive":
            return f"{name}({self.pick('0123')}, {b})"
        if kind == "generator":
            return f"sum({name}({a}, {self.pick('123')}))"
        if kind == "list":
            return f"{name}([{a}, {b}, {b}])"
        if kind == "keyword":
            return self.pick((f"{name}({a})", f"{name}({a}, {b})", f"{name}({a}, c={b})", f"{name}(b={a}, a={b})"))
        if kind == "variadic":
            return self.pick((f"{name}({a}, {b}, {b})", f"{name}(*[{b}, {a}])", f"{name}(*({b}, {b}), {a})"))
        return f"{name}({a}, {b})" if self.chance(60) else f"{name}({b}, {b})"

    def expression_integer(self, depth):
        return f"{self.wrapped(depth)} {self.pick(('//', '%'))} {self.pick(('2', '3', '7', self.variable()))}"

    def expression_comparison(self, depth):
        return f"({self.atom()} {self.pick(COMPARISONS)} {self.atom()}) * {self.wrapped(depth)}"

    def expression_risky(self, depth):
        inner = self.expression(depth)
        return self.pick(
            (
                f"math.sqrt({inner})",
                f"math.log({inner})",
                f"math.exp({inner})",
                f"1 / ({inner})",
                f"math.floor({inner})",
            )
        )

    def expression_logic(self, depth):
        return f"({self.variable()} {self.pick(('and', 'or'))} {self.wrapped(depth)})"

    def expression_bits(self, depth):
        name = self.variable()
        operator = self.pick(("&", "|", "^", "<<", ">>"))
        return f"(int({name}) {operator} {self.pick('1237')})"

    def expression_container(self, depth):
        a, b = self.expression(depth), self.variable()
        return self.pick(
            (
                f"[{a}, {b}][{self.pick(('0', '1', '-1'))}]",
                f"({b}, {a}, {b})[{self.pick('012')}]",
                f"{{'a': {a}, 'b': {b}}}['{self.pick('ab')}']",
                f"sum([w * {b} for w in ({a}, {b}, 2)])",
                f"sum(w + {b} for w in [{a}, {b}])",
                f"[{b}, {a}, {b}][1:][{self.pick('01')}]",
            )
        )

    def expression_lambda(self, depth):
        return f"(lambda p, q=2: p * q + {self.variable()})({self.expression(depth)})"

    def condition(self) -> str:
        a, b, c = self.atom(), self.atom(), self.atom()
        return self.pick(
            (
                f"{a} {self.pick(COMPARISONS)} {b}",
                f"{a} < {b} < {c}",
                f"{a} > {b} and {c} < 2",
                f"not {a} > {b}",
                f"{a} > {b} or {b} == {c}",
                f"{a} + {b} > {c}",
            )
        )

    # -- statements
    def block(self, count: int) -> None:
        """Statements one level in; what they bind is forgotten after them."""
        self.indent += 1
        kept, fixed = list(self.names), set(self.fixed)
        before = len(self.lines)
        for _ in range(count):
            self.statement()
        if len(self.lines) == before:
            self.line("pass")
        self.names, self.fixed = kept, fixed
        self.indent -= 1

    FLAT = ("assign", "assign", "assign", "rebind", "augment", "alias", "swap", "unpack", "walrus", "repeat")
    DEEP = ("if", "for", "while")
    RARE = ("try", "list", "divmod", "closure", "return", "forelse", "delete", "dict", "nested_function")

    def statement(self) -> None:
        if self.budget <= 0:
            return
        self.budget -= 1
        forms = self.FLAT if self.indent > 3 else self.FLAT + self.DEEP * 2 + self.RARE
        form = self.pick(forms)
        if self.smooth and form in ("try", "divmod"):
            form = "assign"
        getattr(self, f"statement_{form}")()

    def bind(self, value: str) -> str:
        name = self.new()
        self.line(f"{name} = {value}")
        self.names.append(name)
        return name

    def statement_assign(self):
        self.bind(self.expression())

    def statement_rebind(self):
        self.line(f"{self.writable()} = {self.expression()}")

    def statement_repeat(self):
        """The same expression twice: equal values, two nodes."""
        text = self.expression(1)
        self.bind(text)
        self.bind(text)

    def statement_augment(self):
        operators = ("+=", "-=", "*=", "/=") if self.smooth else ("+=", "-=", "*=", "/=", "//=", "%=", "**=")
        operator = self.pick(operators)
        value = self.pick("123") if operator == "**=" else self.expression(1)
        if operator == "/=":
            value = self.pick(("2", f"({self.variable()} ** 2 + 1)"))
        self.line(f"{self.writable()} {operator} {value}")

    def statement_alias(self):
        if self.chance(50):
            self.bind(self.variable())
        else:
            self.line(f"{self.writable()} = {self.variable()}")

    def statement_swap(self):
        a, b = self.writable(), self.writable()
        if self.chance(70):
            self.line(f"{a}, {b} = {b}, {a}")
        else:
            self.line(f"{a}, {b} = {b}, {a} + {self.variable()}")

    def statement_unpack(self):
        a, b, c = self.new(), self.new(), self.new()
        values = f"{self.expression(1)}, {self.variable()}, {self.variable()}"
        form = self.pick(("{a}, {b}, {c} = {v}", "{a}, *{b}x, {c} = [{v}]\n{b} = {b}x[0]", "({a}, {b}), {c} = {n}"))
        nested = f"({self.variable()}, {self.expression(1)}), {self.variable()}"
        for text in form.format(a=a, b=b, c=c, v=values, n=nested).split("\n"):
            self.line(text)
        self.names += [a, b, c]

    def statement_walrus(self):
        name, value = self.new(), self.expression(1)
        self.line(f"{self.new('t')} = ({name} := {value}) * {self.variable()}")
        self.names += [name, f"t{self.fresh}"]

    def statement_delete(self):
        if len(self.names) > 4 and self.indent == 1 and self.names[-1] not in self.fixed:
            self.line(f"del {self.names.pop()}")

    def statement_if(self):
        self.line(f"if {self.condition()}:")
        self.block(self.draw(st.integers(1, 2)))
        if self.chance(40):
            self.line(f"elif {self.condition()}:")
            self.block(1)
        if self.chance(60):
            self.line("else:")
            self.block(1)

    def loop_head(self) -> str:
        name = self.new("i")
        source = self.pick(
            (
                "range({n})",
                "range({n})",
                "range(1, {m})",
                "range({n}, 0, -1)",
                "({a}, {b})",
                "[{a}, 3, {b}]",
                "[{a}] * 2",
            )
        )
        values = source.format(n=self.pick("0123"), m=self.pick("234"), a=self.variable(), b=self.variable())
        if self.chance(15):
            index = self.new("k")
            self.line(f"for {index}, {name} in enumerate({values}):")
            self.names.append(index)
            self.fixed.add(index)
        else:
            self.line(f"for {name} in {values}:")
        self.names.append(name)
        self.fixed.add(name)
        return name

    def statement_for(self, *, with_else: bool = False):
        if self.loops >= 2:
            return self.statement_rebind()
        self.loops += 1
        names, fixed = list(self.names), set(self.fixed)
        self.loop_head()
        self.block(self.draw(st.integers(1, 3)))
        if self.chance(30) or with_else:
            self.indent += 1
            self.line(f"if {self.condition()}:")
            self.line(INDENT + self.pick(("break", "continue")))
            self.indent -= 1
        self.names, self.fixed = names, fixed
        if with_else:
            self.line("else:")
            self.block(1)
        self.loops -= 1
        return None

    def statement_forelse(self):
        self.statement_for(with_else=True)

    def statement_while(self):
        if self.loops >= 2:
            return self.statement_rebind()
        self.loops += 1
        counter = self.bind("0")
        self.fixed.add(counter)
        self.line(f"while {counter} < {self.pick('123')}{self.pick(('', f' and {self.condition()}'))}:")
        self.indent += 1
        self.line(f"{counter} += 1")
        self.indent -= 1
        self.block(self.draw(st.integers(1, 2)))
        self.loops -= 1
        return None

    def statement_try(self):
        self.line("try:")
        self.block(2)
        self.line(f"except {self.pick(('ZeroDivisionError', '(ArithmeticError, ValueError)', 'Exception'))}:")
        self.block(1)
        if self.chance(30):
            self.line("else:")
            self.block(1)
        if self.chance(30):
            self.line("finally:")
            self.block(1)

    def statement_list(self):
        name = self.new("xs")
        self.line(f"{name} = [{self.variable()}, {self.expression(1)}, {self.variable()}]")
        for _ in range(self.draw(st.integers(1, 3))):
            i, j = self.pick("012"), self.pick("012")
            self.line(
                self.pick(
                    (
                        f"{name}[{i}] = {self.expression(1)}",
                        f"{name}[{i}] += {self.variable()}",
                        f"{name}[{i}], {name}[{j}] = {name}[{j}], {name}[{i}]",
                        f"{name}.append({self.variable()})",
                        f"{name}[{i}] *= {name}[{j}]",
                        f"{name}.reverse()",
                    )
                )
            )
        self.bind(f"{name}[0] - {name}[1] * {name}[{self.pick(('2', '-1'))}]")

    def statement_dict(self):
        name = self.new("d")
        self.line(f"{name} = {{'a': {self.variable()}, 'b': {self.expression(1)}}}")
        self.line(f"{name}['{self.pick('ab')}'] += {self.variable()}")
        self.bind(f"{name}['a'] * {name}['b']")

    def statement_divmod(self):
        a, b = self.new(), self.new()
        self.line(f"{a}, {b} = divmod({self.expression(1)}, {self.pick(('3', '2.0', self.variable()))})")
        self.names += [a, b]

    def statement_closure(self):
        name, variable = self.new("g"), self.variable()
        self.line(f"{name} = lambda p, q={variable}: p * {self.variable()} - q")
        self.bind(f"{name}({self.expression(1)}) + {name}({self.variable()}, {self.variable()})")

    def statement_nested_function(self):
        name = self.new("g")
        total = self.bind(self.expression(1))
        self.line(f"def {name}(p):")
        if self.loops == 0 and self.chance(50):
            self.line(f"{INDENT}nonlocal {total}")
            self.line(f"{INDENT}{total} = {total} + p * {self.literal()}")
            self.line(f"{INDENT}return {total}")
        else:
            self.line(f"{INDENT}return p * {self.literal()} + {total}")
        self.bind(f"{name}({self.variable()}) - {name}({self.expression(1)})")

    def statement_return(self):
        self.line(f"if {self.condition()}:")
        self.line(f"{INDENT}return {self.expression(1)}")

    # -- functions
    def helper(self) -> None:
        name = self.new("h")
        kind = self.pick(("plain", "plain", "recursive", "generator", "list", "keyword", "variadic"))
        self.names, self.fixed = ["a", "b"], set()
        budget, self.budget = self.budget, 3
        self.indent = 0
        if kind == "plain":
            self.line(f"def {name}(a, b):")
            self.block_of_function()
        elif kind == "recursive":
            self.line(f"def {name}(n, a):")
            self.names, self.fixed = ["a", "n"], {"n"}
            self.line(f"{INDENT}if n == 0:")
            self.line(f"{INDENT * 2}return {self.expression(1)}")
            combination = self.pick(("{r} + {e}", "{r} * 0.5 - a", "{r}", "a - {r}"))
            step = combination.format(r=f"{name}(n - 1, {self.expression(1)})", e=self.expression(1))
            self.line(f"{INDENT}return {step}")
        elif kind == "generator":
            self.line(f"def {name}(a, n):")
            self.names, self.fixed = ["a", "n"], {"n"}
            self.line(f"{INDENT}for i in range(n):")
            self.line(f"{INDENT * 2}yield a")
            self.names.append("i")
            self.line(f"{INDENT * 2}a = {self.expression(1)}")
        elif kind == "list":
            self.line(f"def {name}(xs):")
            self.line(f"{INDENT}a, b = xs[0], xs[-1]")
            self.indent = 1
            self.line(f"xs[1] = {self.expression(1)}")
            self.line(f"xs[0] += {self.expression(1)}")
            self.line("return xs[0] * xs[1] + xs[2]")
        elif kind == "keyword":
            self.line(f"def {name}(a, b=2, *, c=0.5):")
            self.names = ["a", "b", "c"]
            self.block_of_function()
        else:
            self.line(f"def {name}(*values):")
            self.indent = 1
            self.line("a, b = values[0], values[-1]")
            self.line("for w in values:")
            self.line(f"{INDENT}a = a * 0.5 + w")
            self.line(f"return {self.expression(1)}")
        self.budget = budget
        self.indent = 0
        self.line("")
        self.helpers.append((name, kind))

    def block_of_function(self) -> None:
        self.indent = 1
        for _ in range(self.draw(st.integers(0, 3))):
            self.statement()
        self.line(f"return {self.expression()}")
        self.indent = 0

    def module(self, parameters: tuple[str, ...]) -> str:
        self.line("import math")
        self.line("from math import sqrt")
        self.line("")
        self.line(f"K = {self.pick((2, 3) if self.smooth else INTEGERS)}")
        self.line(f"C = {self.pick(FLOATS)!r}")
        self.line("")
        for _ in range(self.draw(st.integers(0, 2))):
            self.helper()
        self.line(f"def f({', '.join(parameters)}):")
        self.indent = 1
        self.names, self.fixed = list(parameters), set()
        self.budget = 14
        for _ in range(self.draw(st.integers(1, 7))):
            self.statement()
        result = self.expression()
        for name in self.names:  # what was computed should matter
            if self.chance(60):
                result = self.pick((f"{result} + {name}", f"{result} - {name}", f"({result}) * 0.5 + {name}"))
        if not self.smooth and self.chance(20):
            result = f"{result}, {self.variable()}, [{self.variable()}]"
        self.line(f"return {result}")
        return "\n".join(self.lines) + "\n"


@st.composite
def arguments(draw, count: int, kind: str) -> tuple:
    numbers = st.sampled_from(FLOATS) | st.floats(-3, 3, allow_nan=False).map(lambda v: round(v, 3))
    if kind == "mixed":
        odd = st.sampled_from((0.0, -0.0, True, False, 10**20, 1e300, float("inf"), 0.1 + 0.2))
        numbers = st.sampled_from(INTEGERS) | st.sampled_from(INTEGERS) | numbers | odd
    drawn = [draw(numbers) for _ in range(count)]
    if draw(st.booleans()) and count > 1:
        drawn[draw(st.integers(1, count - 1))] = drawn[0]
    return tuple(drawn)


@st.composite
def programs(draw, kind: str = "mixed") -> Program:
    parameters = ("x", "y", "z")[: draw(st.integers(1, 3))]
    source = Writer(draw, kind).module(parameters)
    return Program(source, draw(arguments(len(parameters), kind)), kind)
