"""Random programs: plain and traced runs agree in every bit, edge and derivative.

200 programs of each kind in the suite; ``VISUAL_DEBUG_EXAMPLES=20000`` looks further, at others every time, and
shrinks what fails.
"""

import collections
import inspect
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import visual_debug as vd
from tests import oracle
from tests.generate import Program, programs
from tests.oracle import (
    Oracle,
    RecordedTrace,
    Recorder,
    TooLarge,
    Unsupported,
    assert_same_graph,
    assert_well_formed,
    autograd_gradient,
    close_gradient,
    complex_step,
    record,
    same_value,
)
from visual_debug import structures

SEARCHING = "VISUAL_DEBUG_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("VISUAL_DEBUG_EXAMPLES", "200"))
searching = settings(
    max_examples=EXAMPLES,
    derandomize=not SEARCHING,
    # Shrinking a program takes minutes: the suite only says that one fails, a search also makes it small.
    phases=(Phase.generate, Phase.shrink) if SEARCHING else (Phase.generate,),
    report_multiple_bugs=False,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

# Cancellation within a random program costs digits of both sides; a wrong derivative is wrong in the first one.
GENERATED_TOLERANCE = 1e-7
# Of x + exp(-64 * x) - x an oracle that rounds finds no derivative at all.
ROUNDING = 1e-13


def cancelled(program: Program, name: str) -> float:
    """What rounding may leave of contributions that cancel: relative to the sum of their magnitudes, over all paths."""
    trace = vd.trace(program.function, *program.args)
    leaves = [node for node in structures.leaves(trace.outputs) if isinstance(node.value, (int, float))]
    sizes = dict.fromkeys((node.id for node in leaves), 1.0)
    for node in reversed(list(trace)):
        size = sizes.get(node.id, 0.0)
        for operand, partial in zip(node.operands, node.partials if size and node.operands else (), strict=False):
            sizes[operand] = sizes.get(operand, 0.0) + size * abs(partial or 0.0)
    found = [sizes.get(node.id, 0.0) for node in structures.leaves(trace.inputs[name])]
    return ROUNDING * min(max(found, default=0.0), 1e300)


def is_close(given: object, expected: list[float], program: Program, name: str) -> bool:
    flat = [float(g) for g in structures.leaves(given)]
    if close_gradient(flat, expected, GENERATED_TOLERANCE):
        return True  # what may have cancelled takes long to find out
    return close_gradient(flat, expected, GENERATED_TOLERANCE, cancelled(program, name))


def recorded(program: Program) -> Oracle | None:
    """The oracle's record, or None for a program whose numbers or loops outgrow what a test should run."""
    try:
        return record(program.function, *program.args, recorder=Recorder(max_nodes=3000, max_bits=4000))
    except TooLarge:
        return None
    finally:
        program.forget()


def plain(program: Program) -> tuple[object, BaseException | None]:
    try:
        return program.function(*program.args), None
    except Exception as error:  # noqa: BLE001 - the program's own
        return None, error


def gradients(program: Program) -> list[tuple[str, list[float], list[float] | None]]:
    """(argument, complex step, autograd or None), where the program is smooth on its path and the numbers moderate."""
    function, found = program.function, []
    for name in inspect.signature(function).parameters:
        kinks: list[str] = []
        try:
            stepped = complex_step(function, program.args, name, kinks)
        except Unsupported:
            continue
        if kinks or not all(abs(v) < 1e12 for v in stepped):
            continue
        try:
            found.append((name, stepped, autograd_gradient(function, program.args, name)))
        except Unsupported:
            found.append((name, stepped, None))
    return found


# ----------------------------------------------------------------------------------------------------------------------
# The generator and the oracles by themselves
# ----------------------------------------------------------------------------------------------------------------------


@searching
@given(programs("mixed"))
def test_oracle_computes_what_random_programs_compute(program):
    known = recorded(program)
    if known is None:
        return
    result, error = plain(program)
    assert type(known.exception) is type(error)
    if error is None:
        assert same_value(known.value, result)
        trace = RecordedTrace(known)
        assert_well_formed(trace)
        assert_same_graph(trace, known)


@searching
@given(programs("smooth"))
def test_gradient_oracles_agree_on_random_programs(program):
    if recorded(program) is None or plain(program)[1] is not None:
        return
    for name, stepped, other in gradients(program):
        assert other is None or is_close(other, stepped, program, name), (name, stepped, other)


def test_generator_reaches_what_it_is_for():
    seen: collections.Counter = collections.Counter()

    @settings(searching, max_examples=150, derandomize=True)
    @given(programs("mixed"))
    def look(program):
        seen["programs"] += 1
        for word in (
            "while ",
            "for ",
            "if ",
            "else:",
            "try:",
            "lambda ",
            "yield ",
            "nonlocal ",
            "def h",
            ":=",
            "break",
        ):
            seen[word] += word in program.source
        for word in ("divmod(", "max(", "sum(", " ** ", "//=", ".append(", "enumerate(", "return h", "range("):
            seen[word] += word in program.source
        seen["one object twice"] += len({id(a) for a in program.args}) < len(program.args)
        known = recorded(program)
        if known is None:
            seen["too large"] += 1
        elif known.exception is not None:
            seen[type(known.exception).__name__] += 1
        else:
            seen["more than ten operations"] += len(assert_same_graph(RecordedTrace(known), known)) > 10

    look()
    wanted = ("while ", "for ", "if ", "else:", "try:", "lambda ", "yield ", "nonlocal ", "def h", ":=", "divmod(")
    wanted += ("max(", "sum(", " ** ", ".append(", "enumerate(", "range(", "one object twice", "ZeroDivisionError")
    assert [word for word in wanted if not seen[word]] == []
    assert seen["more than ten operations"] > seen["programs"] // 4
    assert seen["too large"] < seen["programs"] // 10


# ----------------------------------------------------------------------------------------------------------------------
# Traces
# ----------------------------------------------------------------------------------------------------------------------


@searching
@given(programs("mixed"))
def test_random_programs_are_recorded_exactly(program):
    known = recorded(program)
    if known is None:
        return
    expected, error = plain(program)
    function = program.function
    try:
        if error is not None:
            with pytest.raises(type(error)) as caught:
                vd.trace(function, *program.args)
            assert type(caught.value) is type(error)
            assert str(caught.value) == str(error)
            return
        trace = vd.trace(function, *program.args)
        assert same_value(trace.result, expected)
        assert_well_formed(trace)
        assert_same_graph(trace, known)
    finally:
        program.forget()


@searching
@given(programs("mixed"))
def test_random_programs_decorated_do_the_same_twice(program):
    if recorded(program) is None:
        return
    expected, error = plain(program)
    function = vd.visual_debug(program.function)
    try:
        graphs = []
        for _ in range(2):
            if error is None:
                assert same_value(function(*program.args), expected)
            else:
                with pytest.raises(type(error)) as caught:
                    function(*program.args)
                assert str(caught.value) == str(error)
                assert function.trace.exception is caught.value
            graphs.append([(n.op, repr(n.value), tuple(n.operands)) for n in function.trace])
        assert graphs[0] == graphs[1]
    finally:
        program.forget()


@searching
@given(programs("smooth"))
def test_gradients_of_random_programs_are_right(program):
    known = recorded(program)
    if known is None:
        return
    _, error = plain(program)
    if error is not None:
        return
    trace = vd.trace(program.function, *program.args)
    try:
        assert_same_graph(trace, known)
        for name, stepped, other in gradients(program):
            gradient = trace.grad(wrt=name)
            assert is_close(gradient, stepped, program, name), ("complex step", name, gradient, stepped)
            assert other is None or is_close(gradient, other, program, name), ("autograd", name, gradient, other)
    finally:
        program.forget()


def test_recompiled_source_is_traced_like_the_first_time():
    """A cell run again, a module reloaded: other function objects with code that compares equal."""
    source = "def h(a):\n    return a * a\n\ndef f(x):\n    g = lambda p, q=x: p - q\n    return h(x) + h(g(x + 1))\n"
    program = Program(source, (2.5,), "smooth")
    graphs = []
    for _ in range(3):
        trace = vd.trace(program.function, *program.args)
        graphs.append([(n.op, n.value, tuple(n.operands)) for n in trace])
        assert_same_graph(trace, record(program.function, *program.args))
    program.forget()
    assert graphs[0] == graphs[1] == graphs[2]


def test_oracles_do_not_know_the_package():
    text = inspect.getsource(oracle)
    assert "import visual_debug" not in text
    assert "from visual_debug" not in text
