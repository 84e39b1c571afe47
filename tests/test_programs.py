"""The corpus of programs: plain and traced runs agree, and the traces agree with oracles that know no bytecode.

The first half needs nothing but the oracles: what they say is checked against expectations written by hand and against
each other, and the graph comparison is shown to reject every way in which a graph can be wrong.
"""

import copy
import dataclasses

import networkx
import pytest

import visual_debug as vd
from tests import oracle, programs
from tests.oracle import (
    AUTOGRAD_TOLERANCE,
    COMPLEX_STEP_TOLERANCE,
    FINITE_DIFFERENCES_TOLERANCE,
    GraphMismatch,
    RecordedTrace,
    Unsupported,
    assert_close_gradient,
    assert_same_graph,
    assert_well_formed,
    autograd_gradient,
    close_gradient,
    complex_step,
    finite_differences,
    leaves,
    plain_structure,
    record,
    same_value,
)
from tests.programs import CASES, Case

GRAPH_CASES = [c for c in CASES if c.graph != "none"]
FINISHING = [c for c in CASES if c.raises is None]
GRADIENTS = [(c, name) for c in CASES for name in c.wrt]


def names(cases: list[Case]) -> list[str]:
    return [c.name for c in cases]


def plain_run(case: Case) -> tuple[object, BaseException | None, tuple]:
    args = copy.deepcopy(case.args)
    try:
        return case.function(*args), None, args
    except Exception as error:  # noqa: BLE001 - the program's own
        return None, error, args


def traced(case: Case) -> tuple["vd.Trace", tuple]:
    """The trace of a case that finishes; a case that may be refused is skipped where it is."""
    args = copy.deepcopy(case.args)
    try:
        return vd.trace(case.function, *args), args
    except vd.VisualDebugError as error:
        if not case.refused:
            raise
        pytest.skip(f"refused: {type(error).__name__}: {error}")


def case_of(function, *args) -> Case:
    return Case(function, args)


# ----------------------------------------------------------------------------------------------------------------------
# The corpus
# ----------------------------------------------------------------------------------------------------------------------


def test_corpus_is_what_it_claims():
    assert len({c.function for c in CASES}) >= 100
    assert len(names(CASES)) == len(set(names(CASES)))
    for case in CASES:
        _, error, _ = plain_run(case)
        assert type(error) is (case.raises or type(None)), case.name
        assert not (case.wrt and case.raises), case.name
        assert case.graph in ("exact", "opaque", "none"), case.name


# ----------------------------------------------------------------------------------------------------------------------
# The oracles by themselves
# ----------------------------------------------------------------------------------------------------------------------


def written(record: oracle.Oracle) -> str:
    """The result's graph as text; an operation that is met again is only named."""
    names: dict = {}

    def text(node) -> str:
        if node.kind == "input":
            return node.name + "".join(f"[{p}]" for p in node.path if p != "global")
        if node.kind == "counter":
            return f"{node.name or 'counter'}={node.value!r}"
        if node.kind in ("const", "leaf"):
            return repr(node.value) if node.kind == "const" else f"<{node.value!r}>"
        if node in names:
            return names[node]
        inner = ", ".join(text(operand) for operand in node.operands)
        names[node] = f"#{len(names) + 1}"
        return f"{names[node]} {node.op}({inner})"

    return text(record.result.node)


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (programs.gaussian, (2, 7), "#6 mul(x, #5 math.exp(#4 mul(-0.5, #3 add(#1 pow(x), #2 pow(y)))))"),
        (programs.seed_expression, (3, 5), "#5 add(#2 mul(#1 mul(2, x), y), #4 pow(#3 sub(x, 1)))"),
        (programs.seed_expression, (1, 1), "#5 add(#2 mul(#1 mul(2, x), y), #4 pow(#3 sub(x, 1)))"),
        (programs.shared_product, (3, 5), "#2 add(#1 mul(x, y), #1)"),
        (programs.square_by_product, (3,), "#1 mul(x, x)"),
        (programs.three_times, (3, 3), "#2 mul(#1 mul(x, x), y)"),
        (programs.global_numbers, (3,), "#5 sub(#3 add(#1 mul(x, GRAVITY), #2 pow(GRAVITY)), #4 mul(SCALE, x))"),
        (programs.negative_zero, (3.0,), "#3 add(#2 mul(#1 neg(x), 0.0), -0.0)"),
        (programs.aliases, (3, 3), "#4 sub(#3 add(#1 mul(x, y), #2 mul(x, x)), y)"),
        (programs.rebinding_argument, (0,), "#3 add(#2 mul(#1 add(x, 1), #1), 0)"),
        (programs.horner, ([1, 1], 1), "#4 add(#3 mul(#2 add(#1 mul(0.0, x), coefficients[0]), x), coefficients[1])"),
        (programs.newton_sqrt, (1,), "a"),
        (programs.power_by_squaring, (3, 2), "#2 mul(1, #1 mul(x, x))"),
        (programs.gcd, (4, 6), "#2 mod(b, #1 mod(a, b))"),
        (programs.counter_beside_value, (1,), "#4 add(#2 add(0, #1 mul(i=0, i=0)), #3 mul(n, i=0))"),
        (
            programs.sorted_with_key,
            ([2.0, 1.0, 3.0],),
            "#4 add(#3 add(#1 mul(values[2], 100), #2 mul(values[0], 10)), values[1])",
        ),
        (programs.tuple_swaps, (2, 2, 2), "#5 add(#4 add(#2 mul(#1 add(y, 1), 100), #3 mul(x, 10)), z)"),
        (programs.conditional_alias, (2, 2, True), "#2 add(#1 mul(x, x), y)"),
        (programs.same_element_twice, ([2, 2],), "#2 add(#1 mul(values[0], 10), values[1])"),
        (programs.chained_comparison, (2, 1, 3), "#1 mul(x, 2)"),
        (programs.comparison_result, (1, 2), "#1 lt(x, y)"),
    ],
)
def test_oracle_finds_the_edges_written_by_hand(function, args, expected):
    recorded = record(function, *copy.deepcopy(args))
    assert written(recorded) == expected


@pytest.mark.parametrize("case", GRAPH_CASES, ids=names(GRAPH_CASES))
def test_oracle_computes_what_the_program_computes(case):
    result, error, _ = plain_run(case)
    recorded = record(case.function, *copy.deepcopy(case.args))
    assert type(recorded.exception) is type(error)
    if error is None:
        assert same_value(recorded.value, result)
        trace = RecordedTrace(recorded)
        assert_well_formed(trace)
        matched = assert_same_graph(trace, recorded)
        assert len(matched) == len(reachable(recorded))


def reachable(recorded: oracle.Oracle) -> set:
    found, work = set(), [n.node for n in leaves(recorded.result).values() if isinstance(n, oracle.Number)]
    while work:
        node = work.pop()
        if node not in found and node.kind != "loose":
            found.add(node)
            # An element of a tuple-valued call is one node with its call for the comparison's purposes.
            work += node.operands
    return found


def test_integers_that_are_one_object_stay_apart_in_the_oracle():
    recorded = record(programs.three_times, 3, 3)
    (x, y) = (recorded.inputs[name].node for name in "xy")
    product = recorded.result.node
    assert product.operands[1] is y
    assert product.operands[0].operands == (x, x)


# ----------------------------------------------------------------------------------------------------------------------
# The comparison rejects wrong graphs
# ----------------------------------------------------------------------------------------------------------------------


def broken(function, *args, change):
    """The comparison of a record with itself, once something was done to its copy in trace form."""
    recorded = record(function, *args)
    trace = RecordedTrace(recorded)
    assert_same_graph(trace, recorded)  # it is right before the change
    found = {node.op: node for node in trace.nodes}
    change(trace, found)
    with pytest.raises(GraphMismatch) as caught:
        assert_same_graph(trace, recorded)
    return str(caught.value)


def test_rejects_swapped_operands():
    def change(trace, found):
        found["truediv"].operands = found["truediv"].operands[::-1]

    message = broken(divided, 3.0, 5.0, change=change)
    assert "values differ: oracle 5.0, trace 3.0" in message
    assert "operand 1 of truediv" in message
    assert "should be the argument" in broken(divided, 3.0, 3.0, change=change)


def divided(x, y):
    return x / y


def test_rejects_swapped_operands_of_equal_value():
    def change(trace, found):
        found["mul"].operands = found["mul"].operands[::-1]

    # x*x*y at x = y = 3: the operand 9 and the operand 3 may not change places, nor x and y.
    assert "values differ" in broken(programs.three_times, 3, 3, change=change)


def test_rejects_one_argument_taken_for_the_other():
    def change(trace, found):
        x, y = trace.inputs["x"], trace.inputs["y"]
        for node in trace.nodes:
            node.operands = tuple(x.id if o == y.id else o for o in node.operands)

    # The sketch that told values apart by id answered this; every value, operation and count is right.
    message = broken(programs.three_times, 3, 3, change=change)
    assert "input y" in message
    assert "should be the argument" in message


def test_rejects_a_missing_edge():
    def change(trace, found):
        found["add"].operands = found["add"].operands[:1]

    assert "should have 2 operands, not 1" in broken(programs.shared_product, 3, 5, change=change)


def test_rejects_a_surplus_edge():
    def change(trace, found):
        found["add"].operands += (0,)

    assert "should have 2 operands, not 3" in broken(programs.shared_product, 3, 5, change=change)


def test_rejects_a_wrong_operation():
    def change(trace, found):
        found["mul"].op = "add"

    message = broken(programs.shared_product, 2, 2, change=change)
    assert "operations differ: oracle 'mul', trace 'add'" in message


def test_rejects_the_other_zero():
    def change(trace, found):
        found["neg"].value = 0.0

    assert "oracle -0.0, trace 0.0" in broken(programs.negative_zero, 0.0, change=change)


def test_rejects_an_integer_for_a_float():
    def change(trace, found):
        found["mul"].value = 9

    assert "oracle 9.0, trace 9" in broken(programs.square_by_product, 3.0, change=change)


def test_rejects_a_shared_node_that_was_split():
    def change(trace, found):
        twin = dataclasses.replace(found["mul"], id=len(trace.nodes))
        trace.nodes.append(twin)
        found["add"].operands = (found["mul"].id, twin.id)

    assert "is two nodes of the trace" in broken(programs.shared_product, 3, 5, change=change)


def twice_the_same(x):
    a = x + 1
    b = x + 1
    return a * b


def test_rejects_two_nodes_that_were_merged():
    def change(trace, found):
        found["mul"].operands = (found["add"].id,) * 2

    assert "stands for two" in broken(twice_the_same, 1, change=change)


def test_rejects_a_literal_taken_for_an_argument():
    def change(trace, found):
        x = trace.inputs["x"]
        found["mul"].operands = (x.id, x.id)

    assert "a literal should be a 'const' leaf" in broken(doubled, 2, change=change)


def doubled(x):
    return x * 2


def test_rejects_an_attribute_taken_for_an_argument():
    def change(trace, found):
        x = trace.inputs["x"]
        found["mul"].operands = (x.id, x.id)

    assert "mistakes a value from elsewhere for an argument" in broken(times_length, 2, change=change)


def times_length(x):
    return x * len("ab")


def test_rejects_a_wrong_execution_order():
    def change(trace, found):
        first, second = (node for node in trace.nodes if node.op == "add")
        found["mul"].operands = (second.id, first.id)

    assert "executed before" in broken(twice_the_same, 1, change=change)


def test_rejects_a_misnamed_argument_counter_or_global():
    def rename(which):
        def change(trace, found):
            for node in trace.nodes:
                if node.name == which:
                    node.name = "other"

        return change

    assert "should be named 'x'" in broken(programs.square_by_product, 3, change=rename("x"))
    assert "should be named 'i'" in broken(programs.counter_beside_value, 2, change=rename("i"))
    assert "'SCALE' should be an 'input'" in broken(programs.global_numbers, 2, change=rename("SCALE"))


def test_rejects_another_output():
    def change(trace, found):
        trace.outputs = (trace.outputs[0], trace.outputs[1], trace.outputs[1])

    assert "is two nodes of the trace" in broken(programs.argument_twice_in_result, 1, 1, change=change)


def test_rejects_a_missing_output_or_input():
    def lose_output(trace, found):
        trace.outputs = trace.outputs[:2]

    def lose_input(trace, found):
        del trace.inputs["y"]

    assert "no node at (2,)" in broken(programs.argument_twice_in_result, 1, 1, change=lose_output)
    assert "but not 'y'" in broken(programs.argument_twice_in_result, 1, 1, change=lose_input)


def test_opaque_is_accepted_only_on_request():
    recorded = record(programs.square_by_product, 3.0)
    trace = RecordedTrace(recorded)
    trace.outputs.op, trace.outputs.operands = "opaque", ()
    with pytest.raises(GraphMismatch, match="operations differ"):
        assert_same_graph(trace, recorded)
    assert_same_graph(trace, recorded, opaque=True)


def test_well_formed_rejects_an_edge_from_the_future():
    trace = RecordedTrace(record(programs.shared_product, 3, 5))
    trace.nodes[2].operands = (3, 1)
    with pytest.raises(AssertionError, match="comes later"):
        assert_well_formed(trace)


def test_a_long_chain_needs_no_recursion():
    recorded = record(programs.logistic_map, 3.5, 0.3, 5000)
    assert len(assert_same_graph(RecordedTrace(recorded), recorded)) > 15000


# ----------------------------------------------------------------------------------------------------------------------
# The gradients of the oracles
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (programs.seed_expression, (3, 5), {"x": 14, "y": 6}),
        (programs.shared_product, (3, 5), {"x": 10, "y": 6}),
        (programs.three_times, (3, 3), {"x": 18, "y": 9}),
        (programs.quotient, (3, 5), {"x": 1 / 5 + 5 / 9, "y": -3 / 25 - 1 / 3}),
        (programs.same_element_twice, ([2, 2],), {"values": [10, 1]}),
        (programs.horner, ([2.0, 3.0, 4.0], 10.0), {"coefficients": [100, 10, 1], "x": 43}),
        (programs.nested_argument, ([(0.0, (0.0, 2.0))], 5.0), {"layers": [10, 2, 0], "x": 0}),
        (programs.dictionary_argument, ({"slope": 2.0, "offset": 1.0}, 1.5), {"parameters": [1.5, 1], "x": 2}),
    ],
)
def test_gradient_oracles_find_what_was_worked_out_by_hand(function, args, expected):
    for name, gradient in expected.items():
        gradient = gradient if isinstance(gradient, list) else [gradient]
        assert close_gradient(complex_step(function, args, name), gradient, 1e-12)
        assert close_gradient(autograd_gradient(function, args, name), gradient, 1e-12)
        assert close_gradient(finite_differences(function, args, name), gradient, 1e-7)


# Along its path the bisection depends on its ends; its limit does not, and that is what a difference sees.
PATH_ONLY = {programs.bisection}


def test_gradient_oracles_agree_with_each_other():
    agreed = dict.fromkeys(("complex step", "autograd", "finite differences"), 0)
    for case, name in GRADIENTS:
        found = expected_gradients(case, name)
        assert found, f"no oracle knows the gradient of {case.name} in {name}"
        ((_, reference, _), *others) = found
        for what, gradient, tolerance in others:
            assert close_gradient(gradient, reference, tolerance), (case.name, name, found)
        for what, _, _ in found:
            agreed[what] += 1
    assert agreed["complex step"] > 230
    assert agreed["autograd"] > 220
    assert agreed["finite differences"] > 230


def expected_gradients(case: Case, name: str) -> list[tuple[str, list, float]]:
    """(oracle, gradient, tolerance) for each oracle that can say; the most exact one first."""
    oracles = [
        ("complex step", complex_step, COMPLEX_STEP_TOLERANCE),
        ("autograd", autograd_gradient, AUTOGRAD_TOLERANCE),
    ]
    if case.function not in PATH_ONLY:
        oracles.append(("finite differences", finite_differences, FINITE_DIFFERENCES_TOLERANCE))
    found = []
    for what, function, tolerance in oracles:
        try:
            found.append((what, function(case.function, copy.deepcopy(case.args), name), tolerance))
        except Unsupported:
            continue
    return found


def test_close_gradient_tells_apart():
    assert close_gradient([1.0, 2.0], [1.0, 2.0], 1e-12)
    assert not close_gradient([1.0, 2.0], [2.0, 1.0], 1e-3)
    assert not close_gradient([1.0], [1.0, 0.0], 1e-3)
    assert not close_gradient([1.0 + 1e-6], [1.0], 1e-9)
    assert not close_gradient([0.0], [1e-9], 1e-9)
    assert not close_gradient([float("nan")], [1.0], 1e-3)
    assert close_gradient([float("nan"), float("inf")], [float("nan"), float("inf")], 1e-3)
    with pytest.raises(AssertionError, match="complex step"):
        assert_close_gradient([1.0, 3.0], [1.0, 2.0], 1e-9, "complex step")


# ----------------------------------------------------------------------------------------------------------------------
# Traces
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FINISHING, ids=names(FINISHING))
def test_result_is_bitwise_the_plain_one(case):
    result, _, left = plain_run(case)
    trace, args = traced(case)
    assert same_value(trace.result, result)
    assert trace.exception is None
    assert not trace.truncated
    assert repr(args) == repr(left), "the traced run did something else to its arguments"


@pytest.mark.parametrize("case", FINISHING, ids=names(FINISHING))
def test_decorated_function_gives_the_same_twice(case):
    result, _, _ = plain_run(case)
    try:
        function = vd.visual_debug(case.function)
        first = function(*copy.deepcopy(case.args))
    except vd.VisualDebugError as error:
        if not case.refused:
            raise
        pytest.skip(f"refused: {type(error).__name__}: {error}")
    first_graph = outline(function.trace)
    second = function(*copy.deepcopy(case.args))
    assert same_value(first, result)
    assert same_value(second, result)
    assert outline(function.trace) == first_graph
    assert same_value(function.trace.result, result)


def outline(trace) -> list[tuple]:
    return [(node.id, node.op, repr(node.value), node.name, tuple(node.operands)) for node in trace]


RAISING = [c for c in CASES if c.raises is not None]


@pytest.mark.parametrize("case", RAISING, ids=names(RAISING))
def test_exceptions_are_the_plain_ones(case):
    _, expected, _ = plain_run(case)
    with pytest.raises(case.raises) as caught:
        vd.trace(case.function, *copy.deepcopy(case.args))
    assert type(caught.value) is type(expected)
    assert caught.value.args == expected.args
    function = vd.visual_debug(case.function)
    with pytest.raises(case.raises) as caught:
        function(*copy.deepcopy(case.args))
    assert function.trace.exception is caught.value
    assert caught.value.args == expected.args
    assert_well_formed(function.trace)
    assert caught.value.__traceback__ is not None


@pytest.mark.parametrize("case", FINISHING, ids=names(FINISHING))
def test_trace_is_an_acyclic_graph_in_execution_order(case):
    trace, _ = traced(case)
    assert_well_formed(trace)
    assert networkx.is_directed_acyclic_graph(trace.graph)


EXACT = [c for c in GRAPH_CASES if c.raises is None]


@pytest.mark.parametrize("case", EXACT, ids=names(EXACT))
def test_graph_is_the_one_that_the_oracle_finds(case):
    recorded = record(case.function, *copy.deepcopy(case.args))
    trace, _ = traced(case)
    assert_same_graph(trace, recorded, opaque=case.graph == "opaque")


@pytest.mark.parametrize(("case", "name"), GRADIENTS, ids=[f"{c.name}-{name}" for c, name in GRADIENTS])
def test_gradient_is_what_the_oracles_say(case, name):
    trace, _ = traced(case)
    try:
        gradient = trace.grad(wrt=name)
    except vd.VisualDebugError as error:
        if not case.refused:
            raise
        pytest.skip(f"refused: {type(error).__name__}: {error}")
    argument = oracle.bind(case.function, case.args).arguments[name]
    assert leaves(plain_structure(gradient)).keys() == leaves(argument).keys(), "not in the structure of the argument"
    expected = expected_gradients(case, name)
    assert expected
    for what, values, tolerance in expected:
        assert_close_gradient(gradient, values, tolerance, what)


WHOLE = [c for c in CASES if c.wrt and not c.refused]


@pytest.mark.parametrize("case", WHOLE, ids=names(WHOLE))
def test_gradient_in_all_arguments_is_that_in_each(case):
    trace, _ = traced(case)
    every = trace.grad()
    for name in case.wrt:
        assert repr(plain_structure(every[name])) == repr(plain_structure(trace.grad(wrt=name)))
