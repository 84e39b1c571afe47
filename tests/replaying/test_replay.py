"""Replay: exact operands whatever way a value took, and never a guess."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.tracing.tape import Tape


def written(trace):
    """The result as an expression of inputs, for small traces."""
    texts = {}
    for node in trace:
        operands = ", ".join(texts[o] for o in node.operands)
        leaf = node.name if node.op == "input" else repr(node.value)
        texts[node.id] = leaf if node.op in ("input", "const") else f"{node.op}({operands})"
    return texts[trace.outputs.id]


def test_values_that_look_alike_are_told_apart():
    def f(x, y):
        return x * x * y

    assert vd.trace(f, 3, 3).grad() == {"x": 18, "y": 9}
    one = 5.0
    assert vd.trace(f, one, one).grad() == {"x": 50.0, "y": 25.0}


def test_literals_are_not_variables_of_the_same_value():
    def f(x):
        return x * 2 + 2 * x + 2

    assert written(vd.trace(f, 2)) == "add(add(mul(x, 2), mul(2, x)), 2)"


def test_swaps_and_aliases():
    def f(x, y, z):
        x, y, z = y, z, x
        a = b = x
        x, y = y, x
        return a - x * b + z - y

    assert written(vd.trace(f, 1, 1, 1)) == "sub(add(sub(y, mul(z, y)), x), y)"


@pytest.mark.parametrize("x", [2, 2.5])
def test_through_containers(x):
    def f(x, y):
        pair = (x, y)
        items = [y, x]
        items.append(pair[0] * 2)
        items[0], items[1] = items[1], items[0]
        table = {"a": items, "b": {"c": y}}
        a, *rest = table["a"]
        return a * rest[0] + rest[1] - table["b"]["c"] + table.get("z", x) + items.pop()

    assert vd.trace(f, x, x).result == f(x, x)
    assert vd.trace(f, x, x).grad() == {"x": x + 5, "y": x - 1}


def test_inputs_keep_the_structure_of_arguments():
    def f(params, scale):
        return params["w"][0] * scale + params["w"][1] * 2 + params["b"]

    trace = vd.trace(f, {"w": [1.0, 2.0], "b": 3.0, "note": "text"}, 4.0)
    assert trace.grad() == {"params": {"w": [4.0, 2.0], "b": 1.0, "note": None}, "scale": 1.0}
    assert trace.inputs["params"]["w"][1].name == "params['w'][1]"
    assert trace.inputs["params"]["note"] is None


def test_an_argument_changed_during_the_call_is_shown_as_it_came():
    def f(xs):
        first = xs[0]
        xs[0] = 7.0
        xs.append(1.0)
        return first * xs[0]

    trace = vd.trace(f, [3.0])
    assert [node.value for node in trace.inputs["xs"]] == [3.0]
    assert trace.grad() == {"xs": [7.0]}


def test_a_container_in_itself_is_no_endless_loop():
    def f(xs):
        return xs[0] * xs[1][0]

    xs = [2.0]
    xs.append(xs)
    trace = vd.trace(f, xs)
    assert trace.result == 4.0
    assert trace.grad("xs")[0] == 4.0


def test_globals_attributes_and_closures_are_leaves_with_their_names():
    class Thing:
        k = 3.0

    thing = Thing()
    outside = 5.0

    def f(x):
        return x * thing.k + outside * SCALE

    trace = vd.trace(f, 2.0)
    assert {node.name for node in trace if node.op == "input"} == {"x", "thing.k", "outside", "SCALE"}


SCALE = 7.0


def test_attributes_set_in_the_call_are_followed_even_for_shared_ints():
    class Thing:
        pass

    def f(x, y):
        thing = Thing()
        thing.a = x
        thing.b = y
        return thing.a * 10 + thing.b

    assert vd.trace(f, 3, 3).grad() == {"x": 10, "y": 1}


def test_closures_share_cells():
    def f(x):
        total = 0

        def add(v):
            nonlocal total
            total = total + v * x

        for v in (1, 2):
            add(v)
        return total

    assert vd.trace(f, 3).grad() == {"x": 3}


def test_unknown_code_is_opaque_and_refuses_its_gradient_by_name():
    def f(x):
        return colorsys.rgb_to_yiq(x, x, 2.0)[0] + 1

    trace = vd.trace(f, 3.0)
    assert trace.result == pytest.approx(3.89)
    with pytest.raises(vd.NoDerivativeError, match=r"test_replay\.py:\d+: .*rgb_to_yiq"):
        trace.grad()


def test_what_unknown_code_may_have_kept_is_never_taken_for_a_constant():
    from queue import SimpleQueue

    def f(x):
        queue = SimpleQueue()
        queue.put(x)
        return queue.get() * 2

    assert vd.trace(f, 2.5).grad() == {"x": 2.0}  # the float is found again
    with pytest.raises(vd.NoDerivativeError):  # a small int may be any
        vd.trace(f, 2).grad()


def test_exceptions_caught_inside():
    def f(x, y):
        try:
            q = x / y
        except ZeroDivisionError:
            q = x * 3
        finally:
            x = x + 1
        for attempt in (y, 0.0):
            try:
                math.log(attempt)
            except ValueError:
                continue
        return q * x

    trace = vd.trace(f, 2.0, 0.0)
    assert trace.result == 18.0
    assert trace.grad() == {"x": 15.0, "y": 0.0}
    assert [node.op for node in trace if node.raised] == ["truediv", "math.log", "math.log"]


def test_exceptions_through_activations():
    def inner(x, n):
        if n == 0:
            raise ValueError(x)
        return inner(x * 2, n - 1)

    def f(x):
        try:
            inner(x, 3)
        except ValueError as error:
            return error.args[0] + x
        return 0.0

    trace = vd.trace(f, 1.5)
    assert trace.result == 13.5
    assert trace.grad() == {"x": 9.0}


def test_an_exception_in_a_callee_ends_with_what_raised():
    def inner(x):
        return math.sqrt(x)

    def f(x):
        return 1 + inner(x - 5)

    traced = vd.visual_debug(f)
    with pytest.raises(ValueError, match=r"math|nonnegative"):
        traced(1.0)
    last = traced.trace[-1]
    assert (last.op, last.raised, last.function.rpartition(".")[2]) == ("math.sqrt", True, "inner")
    assert [traced.trace[o].op for o in last.operands] == ["sub"]


def test_generators_made_and_consumed_inside():
    def powers(x, n):
        p = 1.0
        for _ in range(n):
            p *= x
            yield p

    def f(x):
        total = sum(p for p in powers(x, 3))
        stream = powers(x, 9)
        next(stream)
        return total + next(stream) + max(q for q in [x, total])

    trace = vd.trace(f, 2.0)
    assert trace.grad() == {"x": pytest.approx(2 * (1 + 4 + 12) + 4)}


def test_arrays_written_to_in_place_keep_their_old_content():
    def f(a, b):
        before = a * 2
        c = a * b
        c += a
        after = c * 3
        return (before + after).sum()

    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    trace = vd.trace(f, a, b)
    product = trace.find(op="mul", line=f.__code__.co_firstlineno + 2)[0]
    assert product.value.tolist() == [3.0, 10.0]
    assert trace.find(op="iadd")[0].value.tolist() == [4.0, 12.0]
    gradient = trace.grad()
    assert gradient["a"].tolist() == [14.0, 20.0]
    assert gradient["b"].tolist() == [3.0, 6.0]


def test_an_alias_of_an_array_written_to_means_its_new_content():
    def f(a):
        b = a * 1.0
        c = b
        b += a
        return (c * a).sum()

    assert vd.trace(f, np.array([1.0, 3.0])).grad("a").tolist() == [4.0, 12.0]


def test_a_view_shows_what_was_written_to_its_array():
    def f(a):
        b = a * 1.0
        view = b[1:]
        b += a
        return (view * 2.0).sum()

    trace = vd.trace(f, np.array([1.0, 3.0]))
    assert trace.result == 12.0
    assert trace.grad("a").tolist() == [0.0, 4.0]
    assert trace.jvp(a=np.array([5.0, 1.0])) == 4.0


def test_arrays_written_to_after_the_call_are_shown_as_they_were():
    def f(a):
        return np.exp(a) * 2.0

    a = np.array([0.0, 1.0])
    trace = vd.trace(f, a)
    trace.result[:] = 7.0
    a[:] = 5.0
    assert trace.inputs["a"].value.tolist() == [0.0, 1.0]
    assert trace.grad("a", seed=np.ones(2)).tolist() == (np.exp([0.0, 1.0]) * 2).tolist()
    a[:] = 6.0
    assert trace.inputs["a"].value.tolist() == [0.0, 1.0]


def test_a_large_array_written_to_after_the_call_is_an_error_unless_the_trace_was_read():
    def f(a):
        return (a * a).sum()

    a = np.linspace(0.0, 1.0, 100_000)
    read = vd.trace(f, a)
    len(read)
    unread = vd.trace(f, a)
    a *= 2.0
    assert read.grad("a")[-1] == 2.0
    with pytest.raises(vd.TraceError, match=r"written to after the call.*ask first"):
        unread.grad()


def test_element_assignment_of_arrays():
    def f(x, y):
        a = np.zeros(3)
        a[0] = x
        a[1] = y * x
        return (a * np.array([1.0, 2.0, 3.0])).sum()

    trace = vd.trace(f, 2.0, 5.0)
    assert trace.result == 22.0
    assert trace.grad() == {"x": 11.0, "y": 4.0}
    assert [n.value.tolist() for n in trace.find(op="setitem")] == [[2.0, 0.0, 0.0], [2.0, 10.0, 0.0]]


def test_a_tape_that_does_not_fit_its_code_is_an_error_never_a_graph():
    def f(x, n):
        for i in range(n):
            x = x * i if i % 2 else x + 1
        return x

    for spoil in (lambda t: t.values.pop(3), lambda t: t.path.pop(5), lambda t: t.values.pop()):
        trace = vd.trace(f, 1.0, 4)
        spoil(trace._tape)
        with pytest.raises(vd.TraceError, match=r"does not fit|out of step"):
            len(trace)


def test_tape_check_finds_streams_out_of_step():
    def f(x):
        return x

    trace = vd.trace(f, 1.0)
    tape: Tape = trace._tape
    tape.check()
    tape.path[1] = ~5
    with pytest.raises(vd.TraceError, match="out of step"):
        tape.check()


def test_a_million_operations_without_recursion():
    def logistic(x, r, n):
        for _ in range(n):
            x = r * x * (1 - x)
        return x

    trace = vd.trace(logistic, 0.3, 3.2, 100_000)
    assert len(trace) == 300_004
    assert math.isfinite(trace.grad("x"))

    def deep(x, n):
        return x if n == 0 else deep(x, n - 1) * 1.0

    assert vd.trace(deep, 2.0, 500).grad("x") == 1.0


# ----------------------------------------------------------------------------------------------------------------------
# Exceptions at the edge
# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("catches", [RecursionError, ValueError], ids=["in the innermost call", "outside of all"])
def test_recursion_without_end_that_the_user_catches(catches):
    def endless(y):
        try:
            return endless(y * 1.001)
        except catches:
            return y

    @vd.visual_debug
    def f(x):
        try:
            return endless(x) * 2
        except RecursionError:
            return x * 3

    assert f(3.0) == pytest.approx(f.trace.grad()["x"] * 3.0)
    assert f.trace.grad()["x"] == 3.0 if catches is ValueError else f.trace.grad()["x"] > 2.0


def test_an_exception_raised_again_in_another_function_than_it_came_from():
    def generator():
        yield 1
        raise  # noqa: PLE0704 - the one that its caller handles

    @vd.visual_debug
    def f(x):
        y = x * 2
        try:
            numbers = generator()
            try:
                y / 0
            except ZeroDivisionError:
                next(numbers)
                next(numbers)
        except ZeroDivisionError:
            return y * x

    assert f(3.0) == 18.0
    assert f.trace.grad() == {"x": 12.0}
