"""Rewriting: what is inserted never disturbs the original's stack, exception table or positions."""

from __future__ import annotations

import dis
import importlib
import inspect
import types

import pytest

from visual_debug import cpython
from visual_debug.errors import UntraceableError
from visual_debug.replaying import opcodes
from visual_debug.tracing import policy as policy_module
from visual_debug.tracing import rewrite

MODULES = ["argparse", "bdb", "calendar", "contextlib", "dataclasses", "_pydecimal", "difflib", "fractions", "inspect",
           "heapq", "json.decoder", "random", "shutil", "statistics", "textwrap", "threading", "typing", "zipfile"]  # fmt: skip


def code_objects(code):
    work = [code]
    while work:
        code = work.pop()
        yield code
        work.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))


def functions_of(module):
    source = inspect.getsource(importlib.import_module(module))
    for code in code_objects(compile(source, module, "exec", dont_inherit=True)):
        if code.co_flags & inspect.CO_OPTIMIZED:
            yield code


def index_by_offset(code):
    offsets, index = {}, -1
    for entry in dis.get_instructions(code):
        if entry.opname != "EXTENDED_ARG":
            index += 1
        offsets[entry.offset] = index if entry.opname != "EXTENDED_ARG" else index + 1
    return offsets


def exception_targets(code, index_of):
    """(target instruction, depth, lasti) of every entry of the exception table."""
    return {(index_of(entry.target), entry.depth, entry.lasti) for entry in dis._parse_exception_table(code)}


@pytest.mark.parametrize("module", MODULES)
def test_exception_tables_are_the_originals_shifted_by_what_lies_below(module):
    policy = policy_module.Policy(lambda function: False)
    seen = 0
    for code in functions_of(module):
        try:
            plan = policy.plan(code)
        except UntraceableError:
            continue
        for door in (False, True):
            rewritten = policy.code(code, door=door)
            base = 4 if door or plan.is_generator else 3
            offsets = index_by_offset(code)
            origins = plan.origins[door]
            originals = exception_targets(code, offsets.__getitem__)
            index_of = [origins[o // 2] for o in range(2 * len(origins))].__getitem__
            shifted = {(t, d - base, lasti) for t, d, lasti in exception_targets(rewritten, index_of)}
            assert originals <= shifted, code.co_qualname
            assert rewritten.co_stacksize >= code.co_stacksize + base
            seen += 1
    assert seen > 5


@pytest.mark.parametrize("module", MODULES)
def test_positions_are_the_originals(module):
    policy = policy_module.Policy(lambda function: False)
    for code in functions_of(module):
        try:
            plan = policy.plan(code)
        except UntraceableError:
            continue
        rewritten = policy.code(code, door=False)
        lines = {position[0] for position in rewritten.co_positions()} - {None}
        # A line whose instructions are all dead code of the compiler's may go, none may come.
        assert lines <= {position[0] for position in code.co_positions()}, code.co_qualname
        for entry, origin in zip(
            (e for e in dis.get_instructions(rewritten) if e.opname in ("BINARY_OP", "CALL")),
            [o for o in range(len(plan.instructions)) if plan.instructions[o].name in ("BINARY_OP", "CALL")],
            strict=False,
        ):
            assert entry.opname in ("BINARY_OP", "CALL"), origin


def test_every_understood_opcode_has_a_handler_and_the_other_way_round():
    assert set(opcodes.HANDLERS) == cpython.UNDERSTOOD


def test_rewriting_happens_once_per_code_object(monkeypatch):
    calls = []
    original = rewrite.rewrite
    monkeypatch.setattr(rewrite, "rewrite", lambda *args: calls.append(args[0].code) or original(*args))

    def f(x):
        return g(x) + g(x + 1)

    def g(x):
        return x * x

    from visual_debug import visual_debug

    traced = visual_debug(f)
    traced(1)
    traced(2)
    again = visual_debug(f)
    again(3)
    assert sorted(code.co_name for code in calls) == ["f", "g"]


def test_a_long_function_rewrites_in_linear_time():
    lines = "\n".join(f"    x{i} = x * {i} + y if x > {i} else y" for i in range(2000))
    namespace = {}
    exec(f"def long(x, y):\n{lines}\n    return x1999", namespace)  # noqa: S102 the program is the test
    import visual_debug as vd

    trace = vd.trace(namespace["long"], 2500.0, 1.0)
    assert trace.grad() == {"x": 1999.0, "y": 1.0}
