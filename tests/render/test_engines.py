"""Which engine is used, what happens when one fails, and that a layout is sound."""

from __future__ import annotations

import os
import shutil
import sys
import time
from itertools import combinations
from pathlib import Path

import pytest

from tests.render.samples import expression, loop, numbers, square, tree
from visual_debug.errors import RenderError
from visual_debug.render import engines
from visual_debug.render.compose import slots
from visual_debug.render.diagram import Diagram
from visual_debug.render.engines import RenderWarning
from visual_debug.render.layout import Layout

HAS_DOT = shutil.which("dot") is not None
ENGINES = [
    pytest.param("dot", marks=pytest.mark.skipif(not HAS_DOT, reason="no dot on PATH")),
    "graphviz-pure",
    "builtin",
]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engines.ENV, raising=False)


def place(diagram: Diagram, engine: str | None = None, timeout: float = 20.0) -> Layout:
    return engines.lay_out(diagram, slots(diagram, diagram.frames), engine, timeout)


def fake_dot(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A `dot` first on PATH that runs this Python text."""
    program = folder / "dot"
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_the_order() -> None:
    assert engines.order() == ["dot", "graphviz-pure", "builtin"]
    assert engines.order("builtin") == ["builtin", "dot", "graphviz-pure"]


def test_the_environment_chooses_and_the_argument_overrules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.ENV, "builtin")
    assert place(square()).engine == "builtin"
    assert place(square(), "graphviz-pure").engine == "graphviz-pure"
    monkeypatch.setenv(engines.ENV, "nonsense")
    with pytest.raises(RenderError, match=r"'nonsense'.*dot, graphviz-pure, builtin"):
        place(square())


def test_without_path_the_embedded_engine_is_used_and_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert place(square()).engine == "graphviz-pure"


def test_without_any_program_the_built_in_layout_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(engines.PROGRAMS, "graphviz-pure", lambda: None)
    with pytest.warns(RenderWarning, match="graphviz-pure is not installed: .* built-in"):
        assert place(square()).engine == "builtin"


def test_an_engine_that_was_asked_for_and_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.warns(RenderWarning, match="dot is not installed: .* graphviz-pure"):
        assert place(square(), "dot").engine == "graphviz-pure"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import sys; sys.stderr.write('no such plugin'); sys.exit(3)", r"exit status 3 \(no such plugin\)"),
        ("print('<svg>')", "ParseError"),
        ("print('<svg/>')", "dot failed"),
        ("", "ParseError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "exit status -11"),
    ],
)
def test_a_broken_dot_is_given_up_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    fake_dot(tmp_path, monkeypatch, body)
    with pytest.warns(RenderWarning, match=reason):
        assert place(square()).engine == "graphviz-pure"


def test_an_engine_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, monkeypatch, "import time; time.sleep(60)")
    start = time.perf_counter()
    with pytest.warns(RenderWarning, match="dot took longer than 0.5 s"):
        assert place(square(), timeout=0.5).engine == "builtin"
    assert time.perf_counter() - start < 5


def test_arrows_that_no_program_can_route_go_straight_to_the_built_in_layout() -> None:
    start = time.perf_counter()
    with pytest.warns(RenderWarning, match="cannot route"):
        assert place(loop(400)).engine == "builtin"
    assert time.perf_counter() - start < 5


SAMPLES = {
    "tree": expression(),
    "square": square(),
    "numbers": numbers(60),
    "loop": loop(20),
    "empty": Diagram([], [], []),
}


@pytest.mark.parametrize("diagram", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_layout_is_sound(engine: str, diagram: Diagram) -> None:
    room = slots(diagram, diagram.frames)
    layout = engines.lay_out(diagram, room, engine)
    assert layout.engine == engine
    assert len(layout.edges) == len(diagram.arrows)
    boxes = [(*layout.centres[box.id], room[box.id].width / 2, room[box.id].height / 2) for box in diagram.boxes]
    for x, y, wide, high in boxes:
        assert wide - 0.1 <= x <= layout.width - wide + 0.1 and high - 0.1 <= y <= layout.height - high + 0.1
    for (x, y, wide, high), (other_x, other_y, other_wide, other_high) in combinations(boxes, 2):
        assert abs(x - other_x) >= wide + other_wide - 0.1 or abs(y - other_y) >= high + other_high - 0.1
    for arrow, edge in zip(diagram.arrows, layout.edges, strict=True):
        (tail_x, tail_y), (head_x, head_y) = layout.centres[arrow.tail], layout.centres[arrow.head]
        assert head_y < tail_y, "an operation stands above its operands"
        assert abs(edge.line[0][0] - tail_x) <= room[arrow.tail].width / 2 + 1
        assert abs(edge.head[1][0] - head_x) <= room[arrow.head].width / 2 + 2
        assert abs(edge.head[1][1] - head_y) <= room[arrow.head].height / 2 + 2
        assert len(edge.line) % 3 == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_operands_of_a_tree_keep_their_order(engine: str) -> None:
    for diagram in (expression(), *map(tree, range(12))):
        keeps_order(diagram, place(diagram, engine))


def keeps_order(diagram: Diagram, layout: Layout) -> None:
    for head in {arrow.head for arrow in diagram.arrows}:
        tails = sorted(
            (arrow.position, layout.centres[arrow.tail][0]) for arrow in diagram.arrows if arrow.head == head
        )
        assert [x for _position, x in tails] == sorted(x for _position, x in tails)
    assert layout.centres["n0"][1] == min(y for _x, y in layout.centres.values()), "the result is on top"


@pytest.mark.parametrize("engine", ENGINES)
def test_parallel_arrows_are_two_arrows(engine: str) -> None:
    first, second = place(square(), engine).edges[:2]
    assert first.line != second.line


def test_the_embedded_program_is_found_without_an_activated_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    engines.pure_program.cache_clear()
    program = engines.pure_program()
    assert program is not None and Path(program).is_file()
