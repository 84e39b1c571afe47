"""Steps and frames: the original's, frame by frame, and the rules of a DAG."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import visual_debug as vd
from visual_debug.views import steps

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "ad_steps_frames.json").read_text(encoding="utf-8"))
#: The expressions whose frames were recorded of the original, at x=3, y=5, u=2.
EXPRESSIONS = {
    "(2x*y + (x-1)^2)": lambda x, y, u: 2 * x * y + (x - 1) ** 2,
    "(x+y)": lambda x, y, u: x + y,
    "(x*y)": lambda x, y, u: x * y,
    "((x*y)*u)": lambda x, y, u: (x * y) * u,
    "(x/y)": lambda x, y, u: x / y,
    "y^2": lambda x, y, u: y**2,
}


def diagram(trace, view):
    return steps.diagram(trace._columns, view, trace._shown_roots(), trace._reverse_seeds())


def as_recorded(drawn, frame):
    """One frame of a tree in the form of the recorded ones."""
    boxes = {box.id: box for box in drawn.boxes}
    children = {}
    for arrow in drawn.arrows:
        children.setdefault(arrow.head, {})[arrow.position] = arrow.tail

    def tree(id):
        below = children.get(id, {})
        return {
            "label": boxes[id].label.replace("**", "^"),
            "forward": frame.forward.get(id, ""),
            "reverse": frame.reverse.get(id, ""),
            "children": [tree(below[position]) for position in sorted(below)],
        }

    return tree(drawn.root)


def joined(node):
    """A recorded frame with the pieces of its texts put together: `["10", " + 4"]` is `10 + 4`."""
    return {
        "label": node["label"],
        "forward": "".join(node["forward"]),
        "reverse": "".join(node["reverse"]).replace("10+", "10 +"),
        "children": [joined(child) for child in node["children"]],
    }


def test_all_43_recorded_frames_are_here():
    assert GOLDEN.keys() == EXPRESSIONS.keys()
    assert sum(map(len, GOLDEN.values())) == 43


@pytest.mark.parametrize("expression", GOLDEN)
def test_frames_are_the_originals(expression):
    trace = vd.trace(EXPRESSIONS[expression], 3, 5, 2)
    drawn, shown = diagram(trace, "tree")
    assert len(shown) == len(drawn.frames) == len(GOLDEN[expression])
    for frame, recorded in zip(drawn.frames, GOLDEN[expression], strict=True):
        assert as_recorded(drawn, frame) == joined(recorded)


def gaussian(x, y):
    return x * math.exp(-0.5 * (x**2 + y**2))


def test_gaussian_has_17_steps():
    listed = vd.trace(gaussian, 2, 7).steps()
    assert [step.index for step in listed] == list(range(17))
    assert [step.phase for step in listed] == ["forward"] * 7 + ["seed"] + ["reverse"] * 9


def test_titles_tell_phase_number_operation_pullback_and_line():
    trace = vd.trace(gaussian, 2, 7)
    line = gaussian.__code__.co_firstlineno + 1
    titles = [step.title for step in trace.steps()]
    assert titles[0] == "forward 0: the inputs and literals"
    assert titles[5] == f"forward 5/6: exp = 3.09882e-12 (line {line})"
    assert titles[7] == f"seed: the adjoint of * is 1 (line {line})" or "is 1" in titles[7]
    assert titles[10] == f"reverse 3/9: exp pulls back Δ -> (Δ*z,), 6.19764e-12 to * (line {line})"


def test_contributions_sum_up_to_the_adjoints():
    trace = vd.trace(gaussian, 0.3, 0.7)
    sums = {}
    for step in trace.steps():
        if step.phase == "reverse":
            sums[step.operand] = sums.get(step.operand, 0.0) + step.contribution
    adjoints = dict(trace.adjoints)
    del adjoints[trace.outputs.id]
    assert sums == adjoints
    assert trace.grad() == {"x": sums[0], "y": sums[1]}


def test_a_shared_node_is_one_node_and_waits_for_all_its_consumers():
    def f(x, y):
        w = x * y
        return w + w

    trace = vd.trace(f, 3, 5)
    assert trace.grad() == {"x": 10, "y": 6}
    reverse = [(s.node, s.operand, s.contribution) for s in trace.steps() if s.phase == "reverse"]
    assert reverse == [(3, 2, 1), (3, 2, 1), (2, 0, 10), (2, 1, 6)]
    drawn, _ = diagram(trace, "graph")
    assert len(drawn.boxes) == 4
    assert sorted((a.tail, a.head, a.position) for a in drawn.arrows if a.head == "n3") == [
        ("n2", "n3", 0),
        ("n2", "n3", 1),
    ]
    assert drawn.frames[-1].reverse["n2"] == "1 + 1"
    assert drawn.frames[-1].total == {"n2": "2"}
    tree, _ = diagram(trace, "tree")
    copies = [box.id for box in tree.boxes if box.node == 2]
    assert len(copies) == 2
    lit = next(frame.lit for frame, step in zip(tree.frames, _, strict=True) if step.node == 2)
    assert lit == set(copies)


def test_without_a_single_number_there_is_no_reverse_pass_unless_asked_for():
    def f(x, y):
        return x * y, x + y

    trace = vd.trace(f, 3, 5)
    assert {step.phase for step in trace.steps()} == {"forward"}
    assert [s.contribution for s in trace.steps(of=0) if s.phase == "reverse"] == [5, 3]
    with pytest.raises(vd.TraceError, match="no such part"):
        trace.steps(of=2)


def test_a_missing_derivative_stops_the_reverse_pass_in_words():
    def f(x):
        return math.gcd(x, 4) * x

    listed = vd.trace(f, 6).steps()
    assert listed[-1].phase == "stopped"
    assert "math.gcd" in listed[-1].title


def test_a_tree_that_explodes_is_refused_in_words():
    def f(x):
        for _ in range(40):
            x = x + x
        return x

    trace = vd.trace(f, 1.0)
    with pytest.raises(vd.RenderError, match='view="graph"'):
        diagram(trace, "tree")
    assert len(diagram(trace, "graph")[0].boxes) == 41
