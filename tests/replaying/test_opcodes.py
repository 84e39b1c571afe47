"""What replay's handlers do to the stack is what `dis.stack_effect` says, for every opcode of the running Python."""

# ruff: noqa: F821, F841, PLC3002, PLR0133, S102, TRY203, UP031 - programs that are there for their instructions

from __future__ import annotations

import asyncio
import contextlib
import dis
import sys
import types
from collections import Counter

import pytest

import visual_debug as vd
from visual_debug import cpython
from visual_debug.replaying import opcodes

#: Opcodes that no function of the compiler's holds when it is handed over, or that are never met as such.
NOT_IN_FUNCTIONS = {
    "CACHE": "room for the interpreter's own notes",
    "RESERVED": "means nothing yet",
    "EXTENDED_ARG": "part of the operand of the next instruction",
    "INTERPRETER_EXIT": "in the interpreter's own entry frame only",
    "ENTER_EXECUTOR": "put there by the interpreter while it runs",
    "PRINT_EXPR": "in code of the interactive mode only",
    "SETUP_ANNOTATIONS": "in bodies of modules and classes only",
    "LOAD_LOCALS": "in class bodies only",
    "LOAD_FROM_DICT_OR_GLOBALS": "in class bodies only",
    "LOAD_FROM_DICT_OR_DEREF": "in class bodies only",
    "LOAD_CLASSDEREF": "in class bodies only",
    "LOAD_NAME": "in bodies of modules and classes only",
    "STORE_NAME": "in bodies of modules and classes only",
    "DELETE_NAME": "in bodies of modules and classes only",
    "IMPORT_STAR": "in modules only",
    "NOP": "left where a line has nothing else, in places that differ from version to version",
    "JUMP_BACKWARD_NO_INTERRUPT": "only ever behind SEND: a wait, that a function without asynchronous code has none of",
    "EXIT_INIT_CHECK": "in the interpreter's own frame around __init__ only",
    "ASYNC_GEN_WRAP": "beside YIELD_VALUE in asynchronous generators",
}


def depths(code: types.CodeType) -> list[int | None]:
    """The depth of the stack before each instruction, None where no way leads."""
    instructions = [e for e in dis.get_instructions(code) if e.opname not in ("EXTENDED_ARG", "CACHE")]
    # a jump may lead to the EXTENDED_ARG of its target
    index, waiting = {}, []
    for entry in dis.get_instructions(code):
        waiting.append(entry.offset)
        if entry.opname not in ("EXTENDED_ARG", "CACHE"):
            index.update(dict.fromkeys(waiting, len(set(index.values()))))
            waiting = []
    handlers = dis._parse_exception_table(code)
    work = [(0, 0), *((index[e.target], e.depth + e.lasti + 1) for e in handlers)]
    found: list[int | None] = [None] * len(instructions)
    while work:
        at, depth = work.pop()
        if found[at] is not None:
            assert found[at] == depth, (code, instructions[at])
            continue
        found[at] = depth
        entry = instructions[at]
        arg = entry.arg if entry.opcode >= dis.HAVE_ARGUMENT else None
        if sys.version_info >= (3, 13) and entry.opcode not in dis.hasarg:
            arg = None
        if (
            entry.opname in ("PRECALL", "CALL") and cpython.HAS_PRECALL
        ):  # the sum of both is right, and CALL does it all
            work.append((at + 1, depth - (entry.arg + 1) * (entry.opname == "CALL")))
            continue
        if entry.opcode in dis.hasjrel and entry.opname != "END_ASYNC_FOR":
            work.append((index[entry.argval], depth + dis.stack_effect(entry.opcode, arg, jump=True)))
        if entry.opname not in {*cpython.JUMPS, *cpython.RETURNS, *cpython.RAISES}:
            unaccounted = entry.opname == "RETURN_GENERATOR" and sys.version_info < (3, 13)
            work.append((at + 1, depth + dis.stack_effect(entry.opcode, arg, jump=False) + unaccounted))
    return found


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Every handler of a replay is run on a stack of the depth that the compiler reckons with; counts them by opcode."""
    seen: Counter[str] = Counter()
    prepare = opcodes.prepare

    def with_check(plan):
        known = depths(plan.code)

        def check(handler, index, name):
            def run(machine, frame, argument):
                if frame.pending is None:  # else the call has taken its operands, and is come to again for its result
                    assert len(frame.stack) == known[index], (plan.code, index, name, frame.stack)
                seen[name] += 1
                handler(machine, frame, argument)

            return run

        return [
            (check(handler, index, plan.instructions[index].name), argument)
            for index, (handler, argument) in enumerate(prepare(plan))
        ]

    monkeypatch.setattr(opcodes, "prepare", with_check)
    return seen


def compiled() -> set[str]:
    """The opcodes that can stand in a code object of the running Python."""
    first = getattr(dis, "MIN_INSTRUMENTED_OPCODE", 256)
    special = {*getattr(dis, "_specialized_opmap", ()), *getattr(dis, "_specialized_instructions", ())}
    names = {name for name, code in dis.opmap.items() if code < min(first, 255) and not name.startswith("INSTRUMENTED")}
    return names - special - set(NOT_IN_FUNCTIONS)


# ---- a program for every construct


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


class Away:
    def __await__(self):
        yield 1.0
        return 2.0


class Rows:
    """An asynchronous context manager and iterator."""

    def __init__(self, count):
        self.left = count

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        return error[0] is ZeroDivisionError

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return float(self.left)


CALLS = 0


def arithmetic(x, k=3):
    y = +x - -x * 2 + x // 2 - x % 2 + (x**2) / 3
    y += 1
    y -= ~k & 7 | k ^ 2
    k <<= 1
    k >>= 1
    return y if not x > 1 and x != 2 else y * k


def comparisons(x, xs, nothing=None):
    first = 0 < x < 10 < 20
    inside = x in xs, x not in xs, xs is nothing, xs is not nothing
    if nothing is None and xs is not None:
        x = x + 1
    while nothing is not None:
        nothing = None
    while x < 3:
        x = x * 2
    if first and not xs:
        return x
    left = [1.0, None]
    while (last := left.pop()) is None:
        x = x + 1
    while last is not None:
        last = left.pop() if left else None
    return (xs and x) or nothing, not x


def items(xs, at):
    xs = list(xs)
    xs[0], xs[1] = xs[1], xs[0]
    first, *rest = xs
    a, b, c = rest[0], rest[1], first
    xs[at:3] = [a * 2, b * 2]
    part = xs[at - 1 : 2] + xs[::at]
    del xs[2]
    table = {"a": a, "b": b, "c": c}
    table = {"x": a, "y": b, "z": c, "u": a, "v": b, "w": c} | table
    both = {*xs, a}
    triple = (*xs, a)
    named = {f"{key}": value for key, value in table.items()}
    squares = [x * x for x in xs if x]
    odd = {x for x in triple}
    del table["a"]
    return sum(part) + sum(squares) + named["b"] + len(odd) + len(both) + xs[at]


def constants():
    xs = [1.0, 2.0, 3.0, 4.0]
    names = {1, 2, 3}
    table = {"a": 1.0, "b": 2.0, "c": 3.0}
    return xs[1] + len(names) + table["a"] + max(*xs) + 300000


def texts(x):
    width = 8
    return len(f"{x:.3f} {x!r:>{width}} {x}" + "%s" % x)


#: Of 3.14 on, so that older Pythons cannot even read it.
TEMPLATES = """
def templates(x):
    template = t"{x} {x + 1:.3f} {x!s:>{9}}"
    (first, second, third), text = template.values, template.strings
    return first * second + third + len(text)
"""


def names(x):
    global CALLS
    CALLS = CALLS + 1
    CALLS_BEFORE = CALLS
    y = x
    z = y
    del y
    try:
        y  # noqa: B018
    except UnboundLocalError:
        z = z + 1
    import os.path
    from math import pi

    assert os.path and z, "there is a module"
    z = z if (w := z * pi) > CALLS_BEFORE else w
    global SPARE
    SPARE = z
    del SPARE
    return z


def closures(x):
    total = 0.0

    def add(y, *more, scale=1.0, **others):
        nonlocal total
        total += y * scale + sum(more) + sum(others.values())
        return total

    def forget():
        nonlocal spare
        del spare

    spare: float = x
    add(x)
    more = {"scale": 2.0, "u": x}
    add(*[x, x], **more)
    add(x, scale=3.0)
    add(x, u=x)
    forget()
    point = Point(x, y=total)
    point.x += 1
    del point.y
    point.y = 2 * point.x

    class Local(Point):
        def twice(self):
            return super().__init__(self.x, self.x) or self.x

        def both(self, kind=None):
            return super().x if kind else self.y

    if not all(y > 0 for y in (x, total)):
        return x
    return total + (lambda a, b=x: a * b)(point.y) + Local(x, 2).twice()


def errors(x):
    try:
        x = x / 0
    except ZeroDivisionError as error:
        x = x + len(error.args)
    finally:
        x = x * 2
    try:
        try:
            raise ValueError(x) from None
        finally:
            x = x + 1
    except (KeyError, ValueError):
        x = x * 3
    try:
        raise ExceptionGroup("two", [ValueError(1), TypeError(2)])
    except* ValueError as group:
        x = x + len(group.exceptions)
    except* TypeError:
        x = x + 1
    try:
        try:
            raise KeyError
        except KeyError:
            raise
    except LookupError:
        x = x + 1
    with contextlib.suppress(ZeroDivisionError), contextlib.nullcontext(x) as y:
        x = x + y
        x = x / 0
    try:
        assert x < 0, x
    except AssertionError:
        x = x + 1
    for _ in range(2):
        if x > 1e9:
            spare = x
        with contextlib.suppress(UnboundLocalError):
            x = spare
        if x < 1e9:
            perhaps = x
        x = x + perhaps
        try:
            continue
        finally:
            x += 1
    return x


def patterns(shape):
    match shape:
        case Point(x, y=0.0):
            return x
        case {"x": x, "y": [first, *_], **rest}:
            return x * first + len(rest)
        case [1.0 | 2.0 as x, y]:
            return x * y
        case (x, *others) if len(others) > 2:
            return x + others[0]
        case float(x) | int(x):
            return x * 3
        case None:
            return 0.0
        case _:
            return 1.0


def numbers(x):
    sent = yield x
    try:
        got = yield from (y * 2 for y in (x, sent))
    except ValueError:
        got = None
    yield got is None
    return x * 4


def generators(x):
    task = numbers(x)
    total = next(task) + task.send(x + 1)
    total += next(task)
    with contextlib.suppress(StopIteration):
        total += task.throw(ValueError)
        next(task)
    task.close()
    return total + sum(y * y for y in (x, total))


async def source(x):
    for i in range(3):
        yield x * i
        await Away()


async def asynchronous(x):
    async with Rows(2) as rows:
        async for row in rows:
            x = x + row
        x = x / 0
    x = x + sum([y async for y in source(x) if y])
    try:
        async for y in source(x):
            x = x + y
            raise KeyError
    except KeyError:
        x = x * 2
    await asyncio.sleep(0)
    return x + await Away()


def waits(x):
    task = asynchronous(x)
    try:
        while True:
            task.send(None)
    except StopIteration as end:
        return end.value


PROGRAMS = [
    (arithmetic, 0.5), (arithmetic, 2), (comparisons, 1.5, [2.0]), (comparisons, 9.5, []), (items, [1.0, 2.0, 3.0], 1),
    (constants,), (texts, 2.5), (names, 2.0), (closures, 2.0), (errors, 2.0), (patterns, Point(2.0, 0.0)),
    (patterns, {"x": 2.0, "y": [3.0, 4.0], "z": 1}), (patterns, [2.0, 3.0]), (patterns, (3.0, 4.0, 5.0, 6.0)),
    (patterns, 2.5), (patterns, None), (patterns, "?"), (generators, 2.0), (waits, 2.0),
]  # fmt: skip


if sys.version_info >= (3, 14):
    exec(TEMPLATES)
    PROGRAMS.append((templates, 2.0))

#: Where such an instruction stands, the exception is noted on the path, and replay goes on where that was caught.
RAISING = {"RAISE_VARARGS", "RERAISE", "LOAD_ASSERTION_ERROR", "CLEANUP_THROW"}


def test_every_opcode_has_a_handler() -> None:
    assert compiled() - set(opcodes.HANDLERS) == set()


@pytest.mark.skipif(sys.version_info < (3, 14), reason="t-strings came with Python 3.14")
def test_numbers_in_templates_are_found_again() -> None:
    assert vd.trace(templates, 2.0).grad() == {"x": 2 * 2.0 + 1 + 1}


def test_handlers_leave_the_stack_as_the_compiler_reckons(checked: Counter[str]) -> None:
    for function, *args in PROGRAMS:
        assert len(vd.trace(function, *args)) > 0
    assert compiled() - set(checked) - RAISING == set()
