"""Both passes as a list of steps, and as the frames that renderers draw.

The order is the original's: the leaves, every operation forward, the seed, then one step for every operand that a
pullback speaks to. Reverse steps come from the very sweep that computes gradients.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.errors import NoDerivativeError, RenderError
from visual_debug.render.diagram import Arrow, Box, Diagram, Frame
from visual_debug.sweeps import adjoint
from visual_debug.views.heat import heat_of

#: A tree repeats what is shared, up to exponentially often; with more boxes than this nobody could read it.
MOST_TREE_BOXES = 3000


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `forward` (the first shows all leaves), `seed`, `reverse`, or `stopped` where a derivative is missing."""

    index: int
    phase: str
    node: int | None  #: the operation that is computed or whose pullback speaks; None for the leaves
    operand: int | None  #: in a reverse step, the node that the contribution goes to
    position: int | None  #: and which operand of the operation that is
    contribution: Any  #: the value computed, the seed, or what is added to the operand's adjoint
    title: str


def is_leaf(columns: Columns, node: int) -> bool:
    """Whether a node is an input or a literal."""
    return columns.op[node] in ("input", "const")


def steps(columns: Columns, seeds: dict[int, Any] | None) -> list[Step]:
    """All steps of a trace; without seeds there is no reverse pass."""
    operations = [node for node in range(len(columns)) if not is_leaf(columns, node)]
    count = len(operations)
    result = [Step(0, "forward", None, None, None, None, "forward 0: the inputs and literals")]
    for number, node in enumerate(operations, start=1):
        value = columns.value[node]
        title = f"forward {number}/{count}: {_operation(columns, node)} = {display.value_text(value)}{_place(columns, node)}"
        result.append(Step(len(result), "forward", node, None, None, value, title))
    if seeds is not None:
        result.extend(_reverse_steps(columns, seeds, len(result)))
    return result


def _reverse_steps(columns: Columns, seeds: dict[int, Any], index: int) -> Iterator[Step]:
    for node, seed in seeds.items():
        title = f"seed: the adjoint of {_operation(columns, node)} is {display.value_text(seed)}{_place(columns, node)}"
        yield Step(index, "seed", node, None, None, seed, title)
        index += 1
    reached = adjoint.ancestors(columns, seeds)
    total = sum(len(columns.operands(node)) for node in range(len(columns)) if reached[node])
    number = 0
    try:
        for node, position, operand, value in adjoint.reverse(columns, seeds, {}):
            number += 1
            title = (
                f"reverse {number}/{total}: {_operation(columns, node)} pulls back "
                f"{adjoint.pullback_text(columns, node)}, "
                f"{display.value_text(value)} to {display.symbol(columns, operand)}{_place(columns, node)}"
            )
            yield Step(index, "reverse", node, operand, position, value, title)
            index += 1
    except NoDerivativeError as error:
        yield Step(index, "stopped", None, None, None, None, f"the reverse pass stops: {error}")


def _operation(columns: Columns, node: int) -> str:
    symbol = display.symbol(columns, node)
    name = columns.name[node]
    return symbol if name is None or name == symbol else f"{name} = [{symbol}]"


def _place(columns: Columns, node: int) -> str:
    line = columns.site[node].line
    return f" (line {line})" if line is not None else ""


# ---- frames


def checked(step: Any) -> int:
    """The number of a step, as a user gives it."""
    if not hasattr(step, "__index__"):
        raise RenderError(f"step={step!r}: give the number of a step: 0 for the first, -1 for the last")
    return int(step.__index__())


def diagram(
    columns: Columns, view: str, roots: Sequence[int], seeds: dict[int, Any] | None, *, only: int | None = None
) -> tuple[Diagram, list[Step]]:
    """Boxes, arrows and frames of a view, and the step that each frame shows.

    Args:
        columns: the trace.
        view: `"graph"` or `"tree"`.
        roots: the nodes of the result.
        seeds: as for `steps`.
        only: index of the one step whose state is wanted (it may be negative); None for all. The last frame is there
            in any case: in it every text has its full length, so that all pictures of a trace are laid out alike.

    In the tree view, steps of operations that the result does not depend on are left out.
    """
    boxes, arrows = _tree(columns, roots) if view == "tree" else _graph(columns)
    copies: dict[int, list[str]] = {}
    for box in boxes:
        copies.setdefault(box.node, []).append(box.id)
    shown = [s for s in steps(columns, seeds) if s.node is None or s.node in copies]
    if only is not None:
        if not -len(shown) <= only < len(shown):
            raise RenderError(f"step {only}: there are {len(shown)} steps, 0 to {len(shown) - 1}")
        last = only % len(shown)
        frames = list(_frames(columns, copies, shown, {last, len(shown) - 1}))
        shown = [shown[last], shown[-1]]
    else:
        frames = list(_frames(columns, copies, shown, range(len(shown))))
    return Diagram(boxes, arrows, frames, boxes[0].id if view == "tree" and boxes else None, view), shown


def _box(columns: Columns, node: int, id: str) -> Box:
    op = columns.op[node]
    site = columns.site[node]
    parts = [f"{columns.name[node]} = {site.text}" if columns.name[node] and site.text else site.text, str(site)]
    text = adjoint.pullback_text(columns, node)
    if text is not None:
        parts.append(text)
    return Box(
        id,
        node,
        _operation(columns, node),
        op if is_leaf(columns, node) else "op",
        "\n".join(p for p in parts if p),
        heat_of(columns.value[node]),
    )


def _graph(columns: Columns) -> tuple[list[Box], list[Arrow]]:
    boxes = [_box(columns, node, f"n{node}") for node in range(len(columns))]
    arrows: list[Arrow] = []
    for node in range(len(columns)):
        operands = columns.operands(node)
        arrows.extend(Arrow(f"n{o}", f"n{node}", i, len(operands)) for i, o in enumerate(operands))
    return boxes, arrows


def _tree(columns: Columns, roots: Sequence[int]) -> tuple[list[Box], list[Arrow]]:
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    work: list[tuple[int, str | None, int, int]] = [(root, None, 0, 0) for root in reversed(roots)]
    while work:
        node, parent, position, arity = work.pop()
        id = f"n{node}_{len(boxes)}"
        boxes.append(_box(columns, node, id))
        if len(boxes) > MOST_TREE_BOXES:
            raise RenderError(
                f"the tree repeats shared parts and has more than {MOST_TREE_BOXES} boxes: "
                'use view="graph" (of a long trace view="summary"), or print tree(max_depth=…)'
            )
        if parent is not None:
            arrows.append(Arrow(id, parent, position, arity))
        operands = columns.operands(node)
        work.extend((o, id, i, len(operands)) for i, o in reversed(list(enumerate(operands))))
    return boxes, arrows


def _frames(
    columns: Columns, copies: dict[int, list[str]], shown: Sequence[Step], wanted: Container[int]
) -> Iterator[Frame]:
    """The state after each wanted step: values so far, and adjoints with the history of their contributions."""
    forward: dict[str, str] = {}
    reverse: dict[str, str] = {}
    sums: dict[int, Any] = {}
    terms: dict[int, int] = {}
    for k, step in enumerate(shown):
        lit: list[str] = []
        active: list[str] = []
        if step.phase == "forward":
            new = [step.node] if step.node is not None else [n for n in copies if is_leaf(columns, n)]
            for node in new:
                lit.extend(copies[node])
                forward.update(dict.fromkeys(copies[node], display.value_text(columns.value[node])))
        elif step.phase in ("seed", "reverse"):
            target = step.operand if step.operand is not None else step.node
            assert target is not None
            if step.operand is not None and step.node is not None:
                active = copies[step.node]
            lit = copies[target]
            before = reverse.get(lit[0])
            text = display.value_text(step.contribution)
            reverse.update(dict.fromkeys(lit, display.history(before, text)))
            terms[target] = terms.get(target, 0) + 1
            sums[target] = step.contribution if before is None else adjoint.add(sums[target], step.contribution)
        if k in wanted:
            total: dict[str, str] = {}
            if k == len(shown) - 1:
                for node, count in terms.items():
                    if count > 1:
                        total.update(dict.fromkeys(copies[node], display.value_text(sums[node])))
            yield Frame(step.title, dict(forward), dict(reverse), total, frozenset(lit), frozenset(active))
