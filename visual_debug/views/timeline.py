"""A trace as a timeline in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing open.

No clock is read while a function is recorded: the unit of the axis is one operation, in its place as a microsecond.
"""

from __future__ import annotations

from typing import Any

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.views.steps import is_leaf


def timeline(columns: Columns) -> dict[str, Any]:
    """Calls as slices that lie on one another, and operations as slices of length 1 on the topmost."""
    count = len(columns.activations)
    first, last = [-1] * count, [-1] * count
    ticks: list[int] = []
    for node in range(len(columns)):
        if is_leaf(columns, node):
            continue
        tick = len(ticks)
        ticks.append(node)
        activation = columns.activation[node]
        first[activation] = tick if first[activation] < 0 else first[activation]
        last[activation] = tick + 1
    for index in range(count - 1, -1, -1):  # a call lasts at least as long as those that it made
        caller = columns.activations[index].caller
        if caller is not None and first[index] >= 0:
            first[caller] = first[index] if first[caller] < 0 else min(first[caller], first[index])
            last[caller] = max(last[caller], last[index])
    events: list[dict[str, Any]] = [
        {"ph": "M", "pid": 1, "tid": 1, "name": "process_name", "args": {"name": "visual_debug"}},
        {"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": "operations (1 µs each)"}},
    ]
    for made in columns.activations:
        start, end = first[made.index], last[made.index]
        if start >= 0:
            events.append(_slice(made.function, "call", start, end - start, {"call": made.index}))
    for tick, node in enumerate(ticks):
        site = columns.site[node]
        about = {
            "node": node,
            "value": display.value_text(columns.value[node]),
            "operands": columns.operands(node),
            "expression": site.text,
            "place": str(site),
        }
        if columns.name[node] is not None:
            about["name"] = columns.name[node]
        events.append(_slice(display.symbol(columns, node), columns.op[node], tick, 1, about))
    return {"displayTimeUnit": "ns", "traceEvents": events}


def _slice(name: str, category: str, start: int, duration: int, about: dict[str, Any]) -> dict[str, Any]:
    return {"ph": "X", "pid": 1, "tid": 1, "name": name, "cat": category, "ts": start, "dur": duration, "args": about}
