"""The code view: which part of the source is replaced by which value, frame by frame."""

from __future__ import annotations

import ast
import linecache
import re

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.render import code
from visual_debug.views import listing, passes, syntax


def made(text, name="f"):
    """A function whose source is the text."""
    file = f"<test_listing {abs(hash(text))}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    namespace = {"np": np}
    exec(compile(text, file, "exec"), namespace)  # noqa: S102
    return namespace[name]


def frames(trace, **options):
    return listing.frames(trace._columns, trace._reverse_seeds(), **options)


def line(frame, number):
    """What stands in a line, without its adjoints."""
    row = next(row for row in frame.rows if row.number == number and row.depth == 0)
    return "".join(piece.text for piece in row.pieces).strip()


def final(text, *args, line_of, **options):
    """A line after the forward pass."""
    trace = vd.trace(made(text), *args)
    forward = [f for f in frames(trace, **options) if f.phase == "forward"]
    return line(forward[-1], line_of)


EXPRESSION = "def f(x, y):\n    return 2 * x * y + (x - 1) ** 2\n"


def test_the_frames_of_the_original():
    shown = [f for f in frames(vd.trace(made(EXPRESSION), 3, 5)) if f.phase == "forward"]
    assert [line(f, 2).removeprefix("return ") for f in shown] == [
        "2 * x * y + (x - 1) ** 2",
        "2 * 3 * y + (x - 1) ** 2",
        "6 * y + (x - 1) ** 2",
        "6 * 5 + (x - 1) ** 2",
        "30 + (x - 1) ** 2",
        "30 + (3 - 1) ** 2",
        "30 + 2 ** 2",
        "30 + 4",
        "34",
    ]
    assert all(f.title for f in shown)


def test_the_reverse_pass_folds_out_again_with_every_adjoint():
    trace = vd.trace(made(EXPRESSION), 3, 5)
    last = frames(trace)[-1]
    adjoints = {}
    for row in last.rows:
        for piece in row.pieces:
            if piece.node is not None:
                adjoints[piece.node] = piece.total or piece.reverse
    expected = {str(node): str(trace.adjoints[node]) for node in adjoints}
    assert {str(node): text for node, text in adjoints.items()} == expected
    assert line(last, 2) == "return 2 * 3 * 5 + (3 - 1) ** 2   → 34"
    assert [f.phase for f in frames(trace)][9:] == ["seed"] + ["reverse"] * 9


def test_an_operand_on_the_left_is_read_first():
    shown = frames(vd.trace(made("def f(x, y):\n    return y + x * 2\n"), 3, 5))
    assert [line(f, 2) for f in shown[1:4]] == ["return 5 + x * 2", "return 5 + 3 * 2", "return 5 + 6"]


@pytest.mark.parametrize(
    ("body", "args", "shown"),
    [
        ("a = x * 2; b = a + 1; return a * b", (3,), "a = 6; b = 7; return 42"),
        ("s = f'{x * 2:.1f} and {x}'; return x + 1", (3,), "s = f'{6:.1f} and {x}'; return 4"),
        ("return sum([x * i for i in range(3)])", (2,), "return 6   # pass 3 of 3"),
        ("ok = 0 < x < 5; return x * 1.0 if ok else 0", (2,), "ok = True; return 2 if ok else 0"),
        ("ok = 5 < x < 9; return x * 1.0", (2,), "ok = False; return 2"),
        ("a, b = x * 2, x; a += b; return a", (2,), "a, b = 4, x; a += 2; return a   → 6"),
        ("é = '日本'; ü = x * 2; return ü + len(é)", (2,), "é = '日本'; ü = 4; return 6"),
        ("return (lambda: 0)() + (x * 2 if x > 1 else x * 3)", (2,), "return 4"),
        ("return -x ** 2 + abs(-x)", (2,), "return -2"),
        ("d = {'a': x}; d['a'] = d['a'] * 3; return d['a'] + 1", (2,), "d = {'a': x}; d['a'] = 6; return 7"),
        ("return max(x, 3) * (y := x * 2)", (2,), "return 12"),
        (
            "g = lambda a, b=x * 2, *, c=x + 1: a * b + c; return g(x) + 1",
            (2,),
            "g = lambda a, b=4, *, c=3: a * b + c; return 12",
        ),
        (
            "a = np.ones(2); b = a[1:]; a *= x; a[0] += x; return b[0] * x",
            (2,),
            "a = [1 1]; b = [1]; a *= 2; a[0] += 2; return 4   → [2 2]   → 4",
        ),
        ("return pow(x, exp=2) + pow(2.0, exp=x)", (3,), "return 17"),
    ],
)
def test_parts_are_replaced_in_place(body, args, shown):
    assert final(f"def f(x):\n    {body}\n", *args, line_of=2) == shown


def test_what_a_definition_evaluates_stands_in_the_scope_around_it():
    text = (
        "def f(x):\n    @wrap(x * 2)\n    def g(a, b=x * 3, *, c=x + 1): return a * b + c\n"
        "    class C(base(x * 5)): pass\n    return g(x)\n"
        "def wrap(k): return lambda g: g\ndef base(k): return object\n"
    )
    trace = vd.trace(made(text), 2.0)
    shown = [f for f in frames(trace) if f.phase == "forward"][-1]
    assert [line(shown, n) for n in (2, 3, 4, 5)] == [
        "@wrap(4)",
        "def g(a, b=6, *, c=3): return a * b + c",
        "class C(base(10)): pass",
        "return 15",
    ]


def test_patterns_are_no_values():
    text = (
        "def f(x):\n    match (x * 2, x + 1):\n        case (0.5, _): return 1\n        case (a, b) if a * b > 100: return a\n"
        "        case (a, b): return a - b\n"
    )
    shown = [f for f in frames(vd.trace(made(text), 3.0)) if f.phase == "forward"][-1]
    assert [line(shown, n) for n in (2, 3, 4, 5)] == [
        "match (6, 4):",
        "case (0.5, _): return 1",
        "case (a, b) if False: return a",
        "case (a, b): return 2",
    ]


def test_what_is_said_of_a_variable_is_what_it_held():
    """Arrays that are written to have versions in other arrays, which are nobody's value in the source."""
    text = "def f(x):\n    m = np.zeros((3, 2)); v = m[1]; w = m.T; v += x; np.add(v, x, out=v); np.copyto(v, x); return (m + w.T).sum()\n"
    titles = [f.title for f in frames(vd.trace(made(text), 2.0), turn="all") if f.phase == "forward"]
    said = [title.partition(": ")[2] for title in titles if ": x is " in title]
    assert len(said) >= 3
    assert set(said) == {"x is 2 (line 2)"}


def test_an_operation_over_several_lines_keeps_the_lines_below_in_place():
    text = "def f(x):\n    return (\n        x\n        * 2\n    ) + 1\n"
    trace = vd.trace(made(text), 3)
    shown = frames(trace)
    assert [line(shown[2], n) for n in (2, 3, 4, 5)] == ["return (", "6", "", ") + 1"]
    rows = {row.number: row for row in shown[3].rows}
    assert set(rows) == {1, 2, 3, 4, 5}


def test_tabs_and_decorators():
    text = "def same(g):\n\treturn g\n\n@same\n@same\ndef f(x):\n\tif x:\n\t\treturn x * 2\n"
    shown = frames(vd.trace(made(text), 3))
    last = [f for f in shown if f.phase == "forward"][-1]
    assert [row.number for row in last.rows] == [4, 5, 6, 7, 8]
    assert line(last, 8) == "return 6"
    assert "\t" not in code.text(last)


def test_source_that_is_gone_is_said_and_the_operations_are_shown():
    namespace = {}
    exec(compile("def f(x):\n    return x * 2 + 1\n", "<gone>", "exec"), namespace)  # noqa: S102
    text = vd.trace(namespace["f"], 3).code()
    assert "is gone" in text
    assert "[*] of 3, 2 → 6" in text
    assert "[+] of 6, 1 → 7" in text


@pytest.mark.parametrize("later", ["def f(x):\n    return x + 2\n", "# a line more\ndef f(x):\n    return x * 2\n"])
def test_source_that_has_changed_is_not_shown(later):
    f = made("def f(x):\n    return x * 2\n")
    file = f.__code__.co_filename
    linecache.cache[file] = len(later), None, later.splitlines(keepends=True), file
    assert "has changed" in vd.trace(f, 3).code()


LOOP = "def f(x):\n    for i in range(4):\n        if i % 2:\n            x = x * 2\n        else:\n            x = x + 1\n    return x\n"


@pytest.mark.parametrize(
    ("turn", "four", "six"),
    [
        ("first", "x = x * 2", "x = 2"),
        ("last", "x = 12", "x = x + 1"),
        (1, "x = 4", "x = x + 1"),
        (-2, "x = x * 2", "x = 5"),
    ],
)
def test_a_pass_of_a_loop_is_chosen(turn, four, six):
    trace = vd.trace(made(LOOP), 1)
    shown = [f for f in frames(trace, turn=turn) if f.phase == "forward"][-1]
    assert (line(shown, 4), line(shown, 6)) == (four.replace("12", "10"), six)
    number = {"first": 1, "last": 4, 1: 2, -2: 3}[turn]
    assert line(shown, 2) == f"for i in range(4):   # pass {number} of 4"


def test_all_passes_come_one_after_the_other():
    trace = vd.trace(made(LOOP), 1)
    shown = [f for f in frames(trace, turn="all") if f.phase == "forward"]
    assert [text for f in shown if (text := line(f, 4)) != "x = x * 2"][-1] == "x = 10"
    assert {line(f, 2) for f in shown[1:]} == {f"for i in range(4):   # pass {n} of 4" for n in (1, 2, 3, 4)}


def test_what_cannot_be_chosen_is_refused():
    trace = vd.trace(made(LOOP), 1)
    with pytest.raises(vd.RenderError, match="turn 4: the loops have up to 4 passes"):
        trace.code(turn=4)
    with pytest.raises(vd.RenderError, match="choose 'first', 'last', 'all'"):
        trace.code(turn="middle")
    with pytest.raises(vd.RenderError, match="the code view has"):
        trace.code(step=999)
    with pytest.raises(vd.RenderError, match="call 7: there are 1 calls"):
        trace.code(call=7)


def test_the_last_pass_of_a_while_loop_is_not_its_failing_condition():
    text = "def f(x):\n    while x < 10:\n        x = x * 2\n    return x\n"
    trace = vd.trace(made(text), 3)
    shown = [f for f in frames(trace) if f.phase == "forward"][-1]
    assert line(shown, 3) == "x = 12"


CALLS = """\
def square(a):
    return a * a

def twice(b):
    c = square(b)
    return c + square(b + 1)

def f(x):
    y = twice(x)
    return y * 2
"""


def test_calls_have_the_value_that_they_return():
    shown = [f for f in frames(vd.trace(made(CALLS), 2)) if f.phase == "forward"][-1]
    assert line(shown, 9) == "y = 13"
    inner = [f for f in frames(vd.trace(made(CALLS), 2), call=1) if f.phase == "forward"][-1]
    assert line(inner, 5) == "c = 4"
    assert line(inner, 6) == "return 13"


def test_a_call_is_opened_in_place():
    shown = frames(vd.trace(made(CALLS), 2), opened=True)[-1]
    places = [(row.number, row.depth) for row in shown.rows]
    assert (
        places.index((9, 0))
        < places.index((4, 1))
        < places.index((5, 1))
        < places.index((1, 2))
        < places.index((10, 0))
    )
    assert places.count((1, 2)) == 2
    text = code.text(shown)
    assert "in square, call 1 of 2" in text
    assert "return 2      * 2        → 4" in re.sub(r" {2,}(?=\*)", "      ", text) or "→ 4" in text
    only = frames(vd.trace(made(CALLS), 2), opened=[1])[-1]
    assert {row.depth for row in only.rows} == {0, 1}


def test_values_are_the_ones_that_were_computed():
    """Whatever is shown in place of an expression is what the expression evaluates to, in many programs."""
    bodies = [
        "x * y - 2",
        "(x + y) * (x - y)",
        "x ** 2 / (y + 1)",
        "-x + y * -2",
        "x // 1 + y % 2",
        "abs(x) + max(x, y, 1)",
    ]
    for body in bodies:
        trace = vd.trace(made(f"def f(x, y):\n    return {body}\n"), 3.0, 5.0)
        for frame in frames(trace):
            if frame.phase == "forward":
                text = line(frame, 2).removeprefix("return ")
                assert eval(text, {"x": 3.0, "y": 5.0}) == pytest.approx(trace.result, rel=1e-5), text


def test_arrays_and_writes():
    trace = vd.trace(made("def f(w, x):\n    x[0] = 3.0\n    return np.sum(w @ x)\n"), np.eye(2), np.ones(2))
    shown = [f for f in frames(trace) if f.phase == "forward"]
    assert line(shown[-1], 2) == "x[0] = 3.0"
    assert line(shown[-1], 3) == "return 4"


def test_passes_are_told_apart_by_the_order_of_operations():
    file = syntax._parse("def f(x):\n    for i in x:\n        a = i * 2\n        for j in x:\n            b = j + 1\n")
    function = file.functions[1]
    a, b = (
        next(p for places in function.places.values() for p in places if isinstance(getattr(p.node, "op", None), op))
        for op in (ast.Mult, ast.Add)
    )
    turns = passes.follow([a, b, b, a, b])
    assert [[number for _, number in t] for t in turns] == [[1], [1, 1], [1, 2], [2], [2, 3]]


def element(xs, i):
    xs[i + 1] += 1.5
    return 3.0 + xs[i + 1]


def test_an_element_that_is_read_stays_a_value_when_what_computed_it_speaks():
    last = vd.trace(element, [1.0, 2.0, 3.0], 0).code().splitlines()
    assert any("return 3.0 + 3.5   → 6.5" in line for line in last)


DELEGATES = """\
def helper(x, k):
    return x * k + 1

def f(x):
    y = helper(x, 2)
    return y
"""


def test_a_function_that_computes_nothing_itself_is_shown():
    trace = vd.trace(made(DELEGATES), 3.0)
    assert "y = 7" in trace.code()
    assert "in helper" not in trace.code()
    opened = trace.code(opened=True)
    assert opened.index("def f(x)") < opened.index("in helper") < opened.index("return y")
    assert "return x" in vd.trace(made("def f(x):\n    return x\n"), 3.0).code()


@pytest.mark.parametrize("later", [DELEGATES.replace("y", "z"), DELEGATES.replace("def helper", "\ndef helper")])
def test_of_such_a_function_source_that_has_changed_is_not_shown(later):
    f = made(DELEGATES)
    file = f.__code__.co_filename
    linecache.cache[file] = len(later), None, later.splitlines(keepends=True), file
    assert "the operations" in vd.trace(f, 3.0).code()
