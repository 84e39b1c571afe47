"""The last stage of rewriting: against CPython's compiler, against the library's own, and against what `dis` reads."""

from __future__ import annotations

import dis
import importlib
import inspect
import sys
import types

import pytest
from bytecode import Bytecode, Instr, Label
from bytecode.instr import InstrLocation, TryBegin, TryEnd
from hypothesis import given
from hypothesis import strategies as st

from visual_debug import cpython
from visual_debug import visual_debug as traced
from visual_debug.errors import UntraceableError
from visual_debug.tracing import hooks, record, rewrite
from visual_debug.tracing.assemble import assemble
from visual_debug.tracing.policy import Policy

#: Together they use nearly every instruction, long jumps, and exception tables of every kind.
MODULES = ["_pydecimal", "argparse", "ast", "asyncio.base_events", "contextlib", "dataclasses", "inspect", "ssl",
           "tarfile", "typing", "unittest.mock", "zipfile"]  # fmt: skip

#: All but the location table: 3.11 writes an entry for every instruction where one for several would do.
ATTRIBUTES = ["co_argcount", "co_cellvars", "co_code", "co_exceptiontable", "co_filename", "co_firstlineno", "co_flags",
              "co_freevars", "co_kwonlyargcount", "co_name", "co_names", "co_nlocals", "co_posonlyargcount",
              "co_qualname", "co_stacksize", "co_varnames"]  # fmt: skip


def code_objects(module):
    source = inspect.getsource(importlib.import_module(module))
    work = [compile(source, module, "exec", dont_inherit=True)]
    while work:
        code = work.pop()
        yield code
        work.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))


def taken_apart(code):
    return cpython.decode(code)


def count(items):
    return sum(isinstance(item, Instr) for item in items)


def put_together(items, template, **options):
    return assemble(items, list(range(count(items))), template, template.co_stacksize, **options)


def by_the_library(items, template):
    result = Bytecode(items)
    same = Bytecode.from_code(template)
    for attribute in ("argcount", "posonlyargcount", "kwonlyargcount", "name", "qualname", "filename", "flags",
                      "first_lineno", "docstring", "cellvars", "freevars", "argnames"):  # fmt: skip
        setattr(result, attribute, getattr(same, attribute))
    return result.to_code(stacksize=template.co_stacksize, compute_exception_stack_depths=False)


def meaning(code):
    """Instructions as (opcode, what the operand means, position), and the exception table, free of all numbering."""
    units, number = [], 0
    index = {}  # of instructions, by the code units from the first prefix on
    begin = 0
    positions = list(code.co_positions())
    caches = 0
    for at in range(0, len(code.co_code), 2):
        opcode, low = code.co_code[at : at + 2]
        if caches:
            caches -= 1
            index[at] = len(units) - 1
            begin = at + 2
            continue
        number = number << 8 | low
        if opcode == dis.EXTENDED_ARG:
            continue
        for prefix in range(begin, at + 2, 2):
            index[prefix] = len(units)
        caches = cache_units(opcode)
        units.append((opcode, number, at + 2 + 2 * caches, positions[at // 2]))
        number, begin = 0, at + 2
    index[len(code.co_code)] = len(units)
    instructions = [(dis.opname[op], operand(code, op, n, end, index), where) for op, n, end, where in units]
    table = [
        (index[e.start], index[e.end], index[e.target], e.depth, e.lasti)
        for e in dis._parse_exception_table(code)
        if e.start < e.end  # the library writes down regions of no instruction
    ]
    return instructions, table


def cache_units(opcode):
    if sys.version_info >= (3, 13):
        return dis._inline_cache_entries.get(dis.opname[opcode], 0)
    return dis._inline_cache_entries[opcode]


def operand(code, opcode, number, end, index):
    name = dis.opname[opcode]
    if opcode in dis.hasconst:
        constant = code.co_consts[number]
        return type(constant), constant if callable(constant) else repr(constant)
    if opcode in dis.hasjrel:
        backward = "BACKWARD" in name or name == "END_ASYNC_FOR"
        return index[end - 2 * number if backward else end + 2 * number]
    if opcode in dis.hasname:
        flags = 2 if name == "LOAD_SUPER_ATTR" else 1 if name == "LOAD_GLOBAL" else 0
        if name == "LOAD_ATTR" and sys.version_info >= (3, 12):
            flags = 1
        return number & ((1 << flags) - 1), code.co_names[number >> flags]
    if opcode in dis.hasfree or opcode in dis.haslocal:
        alone = [cell for cell in code.co_cellvars if cell not in code.co_varnames]
        variables = [*code.co_varnames, *alone, *code.co_freevars]
        two = name.count("_FAST") == 2
        return [variables[n] for n in ((number >> 4, number & 15) if two else (number,))]
    return number


def deepest(code):
    """How deep the stack gets at most, on any way through the code."""
    entries = dis._parse_exception_table(code)
    instructions = list(dis.get_instructions(code))
    index = {entry.offset: at for at, entry in enumerate(instructions)}
    jumps = {*dis.hasjrel}
    work = [(0, 0), *((index[e.target], e.depth + e.lasti + 1) for e in entries)]
    depths = {}
    while work:
        at, depth = work.pop()
        if depths.get(at, -1) >= depth:
            continue
        depths[at] = depth
        entry = instructions[at]
        name, arg = entry.opname, entry.arg if cpython.OPERANDS[entry.opcode] else None
        if entry.opcode in jumps and name != "END_ASYNC_FOR":
            work.append((index[entry.argval], depth + dis.stack_effect(entry.opcode, arg, jump=True)))
        if name not in {*cpython.JUMPS, *cpython.RETURNS, *cpython.RAISES}:
            sent = name == "RETURN_GENERATOR" and sys.version_info < (3, 13)  # not accounted for
            work.append((at + 1, depth + dis.stack_effect(entry.opcode, arg, jump=False) + sent))
    return max(depths.values())


# ---- code of the compiler and code of ours


def check_original(code):
    """The compiler's instructions give the compiler's code, every table in its order."""
    items = taken_apart(code)
    made, origin = put_together(items, code)
    if len(made.co_code) < len(code.co_code):  # the compiler leaves a prefix where a jump turned out just short enough
        assert meaning(made) == meaning(code), code
        return
    for attribute in ATTRIBUTES:
        assert getattr(made, attribute) == getattr(code, attribute), (code, attribute)
    assert all(ours is theirs for ours, theirs in zip(made.co_consts, code.co_consts, strict=True)), code
    assert list(made.co_positions()) == list(code.co_positions()), code
    assert len(origin) == len(code.co_code) // 2


def check_rewritten(code, policy):
    """What rewriting emits comes out as the library would have it."""
    try:
        plan = policy.plan(code)
    except UntraceableError:
        return False
    for door in (None, hooks.DoorHooks(record.enter, record.create)):
        emitter = rewrite._Emitter(plan, policy._sources[id(code)], policy.hooks, door)
        items = list(emitter.items())
        hidden = (rewrite.CARRIED,) if plan.is_generator else ()
        made, _ = put_together(items, code, hidden=hidden)
        assert deepest(made) <= policy.code(code, door=door is not None).co_stacksize, code
        assert meaning(made) == meaning(by_the_library(items, code)), code
    return True


@pytest.mark.parametrize("module", MODULES)
def test_the_compilers_instructions_give_the_compilers_code(module):
    for code in code_objects(module):
        check_original(code)


@pytest.mark.parametrize("module", MODULES[::2])
def test_rewritten_code_is_what_the_library_makes_of_the_same_items(module):
    policy = Policy(lambda function: False)
    assert sum(check_rewritten(code, policy) for code in code_objects(module) if code.co_flags & inspect.CO_OPTIMIZED)


# ---- constants


def returning(*constants):
    """A function that returns a tuple of the very objects given."""
    template = (lambda: None).__code__
    head = [i for i in taken_apart(template) if isinstance(i, Instr) and i.name == "RESUME"]
    items = [*head, *(Instr("LOAD_CONST", c) for c in constants), Instr("BUILD_TUPLE", len(constants))]
    code, _ = assemble([*items, Instr("RETURN_VALUE")], list(range(len(items) + 1)), template, len(constants))
    return types.FunctionType(code, {}), code


def test_constants_are_told_apart_though_they_be_equal():
    constants = [0.0, -0.0, 0, False, 1, True, 1.0, 1 + 0j, "1", b"1", (1, 2.0), (True, 2), [], [], {}, {}, set(), None]
    function, _ = returning(*constants)
    assert all(got is given for got, given in zip(function(), constants, strict=True))


def test_a_constant_is_entered_once():
    thing = object()
    function, code = returning(*[thing] * 300)
    assert function() == (thing,) * 300
    assert sum(constant is thing for constant in code.co_consts) == 1


@pytest.mark.parametrize("many", [250, 300, 70_000])
def test_there_may_be_many_constants(many):
    constants = [float(n) for n in range(many)]
    function, _ = returning(*constants)
    assert function() == tuple(constants)


def test_the_first_constant_stays_the_docstring():
    def documented():
        """What it does."""

    code, _ = put_together(taken_apart(documented.__code__), documented.__code__)
    assert types.FunctionType(code, {}).__doc__ == documented.__doc__


# ---- jumps


def forward(x):
    if x:
        y = 1
    return y


def backward(x):
    while x:
        x = x - 1
    return x


def filled(function, filling):
    """The instructions of a function that jumps over, or back over, so many more."""
    items = taken_apart(function.__code__)
    place = next(at for at, i in enumerate(items) if isinstance(i, Instr) and i.name == "STORE_FAST")
    items[place:place] = [Instr("NOP")] * filling
    return items, function.__code__


@pytest.mark.parametrize("way", [forward, backward])
@pytest.mark.parametrize("filling", [*range(236, 262), 65_530, 65_700])
def test_jumps_of_any_length(way, filling):
    items, template = filled(way, filling)
    code, origin = put_together(items, template)
    assert meaning(code) == meaning(by_the_library(items, template))
    assert len(origin) == len(code.co_code) // 2
    function = types.FunctionType(code, {})
    if way is backward:
        assert function(3) == 0
    else:
        assert function(3) == 1
        with pytest.raises(UnboundLocalError):
            function(0)


def test_a_jump_of_the_wrong_direction_is_an_error():
    items, template = filled(backward, 0)
    back = next(at for at, i in enumerate(items) if isinstance(i, Instr) and "BACKWARD" in i.name)
    ahead = Label()
    items[back] = Instr(items[back].name, ahead)
    items.insert(back + 1, ahead)
    with pytest.raises(ValueError, match="wrong direction"):
        put_together(items, template)


# ---- the two tables


@st.composite
def locations(draw):
    kind = draw(st.sampled_from(["none", "line", "near", "full"]))
    if kind == "none":
        return InstrLocation(None, None, None, None)
    line = draw(st.integers(1, 400))
    if kind == "line":
        return InstrLocation(line, line, None, None)
    end_line = line + draw(st.sampled_from([0, 0, 0, 1, 70, 5000]))
    column = draw(st.integers(0, 140) | st.integers(0, 70_000))
    end = column + draw(st.integers(0, 20)) if end_line == line else draw(st.integers(0, 300))
    return InstrLocation(line, end_line, column, end)


@given(st.lists(st.tuples(locations(), st.integers(1, 20)), min_size=1, max_size=12))
def test_any_locations_can_be_read_back(places):
    template = (lambda: None).__code__
    items = [Instr("NOP", location=where) for where, times in places for _ in range(times)]
    code, _ = put_together(items, template)
    wanted = [
        (i.location.lineno, i.location.end_lineno, i.location.col_offset, i.location.end_col_offset) for i in items
    ]
    assert list(code.co_positions()) == wanted


def test_an_instruction_without_a_location_has_that_of_the_one_before():
    template = (lambda: None).__code__
    here = InstrLocation(7, 7, 1, 2)
    code, _ = put_together([Instr("NOP"), Instr("NOP", location=here), Instr("NOP")], template)
    first = template.co_firstlineno
    assert list(code.co_positions()) == [(first, first, None, None), (7, 7, 1, 2), (7, 7, 1, 2)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 90) | st.integers(0, 5000), st.integers(1, 90) | st.integers(1, 5000), st.booleans(),
            st.integers(0, 20) | st.integers(0, 3000),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_any_protected_regions_can_be_read_back(regions):
    template = (lambda: None).__code__
    handler = Label()
    items, wanted, at = [], [], 0
    for before, within, lasti, depth in regions:
        begin = TryBegin(handler, lasti, depth)
        items += [*[Instr("NOP")] * before, begin, *[Instr("NOP")] * within, TryEnd(begin)]
        wanted.append((at + before, at + before + within, lasti, depth))
        at += before + within
    code, _ = put_together([*items, handler, Instr("NOP")], template)
    entries = dis._parse_exception_table(code)
    assert [(e.start // 2, e.end // 2, e.lasti, e.depth) for e in entries] == wanted
    assert all(entry.target == 2 * at for entry in entries)


def test_a_region_of_no_instruction_protects_nothing():
    template = (lambda: None).__code__
    handler = Label()
    begin = TryBegin(handler, False, 0)
    code, _ = put_together([begin, TryEnd(begin), handler, Instr("NOP")], template)
    assert code.co_exceptiontable == b""


# ---- variables


def test_hidden_locals_stand_before_cells_and_free_variables():
    outside = 5

    def outer(parameter):
        local = parameter + outside
        alone = local
        return (lambda: alone + parameter), local

    code, _ = put_together(taken_apart(outer.__code__), outer.__code__, hidden=(".one", ".two"))
    assert code.co_varnames == (*outer.__code__.co_varnames, ".one", ".two")
    function, local = types.FunctionType(code, {}, "f", None, outer.__closure__)(2)
    assert (function(), local) == (9, 7)


def test_a_local_variable_may_have_the_name_of_a_free_one():
    x, z = 10.0, 20.0

    @traced
    def reading(t):
        assert [x for x in range(3)] == [0, 1, 2]
        return x * t + z

    @traced
    def writing(t):
        nonlocal z
        assert [x for x in range(3)] == [0, 1, 2]
        z = x * t

    assert reading(2.0) == 40.0
    assert reading.trace.grad("t") == 10.0
    writing(3.0)
    assert z == 30.0


def test_caches_and_prefixes_belong_to_their_instruction():
    items, template = filled(forward, 300)
    code, origin = assemble(items, [n * 10 for n in range(count(items))], template, template.co_stacksize)
    instructions = [e for e in dis.get_instructions(code) if e.opname != "EXTENDED_ARG"]
    assert len(set(origin)) == len(instructions)
    assert [origin[entry.offset // 2] for entry in instructions] == [n * 10 for n in range(len(instructions))]
    assert origin == sorted(origin)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="template strings came with 3.14")
def test_what_the_library_cannot_read_is_refused_by_name():
    namespace = {}
    exec("def f(x):\n    return t'{x!r}'", namespace)  # noqa: S102 no syntax of older Pythons
    with pytest.raises(UntraceableError, match="cannot be read"):
        Policy(lambda function: False).plan(namespace["f"].__code__)
