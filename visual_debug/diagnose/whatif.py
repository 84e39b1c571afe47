"""What if an input or a value had been another: the graph evaluated again by the very functions that were called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visual_debug.columns import MISSING, SEVERAL, Columns
from visual_debug.diagnose import evaluate, lifted, systems
from visual_debug.diagnose.places import Places
from visual_debug.errors import TraceError
from visual_debug.sweeps import adjoint


def what_if(columns: Columns, result: Any, changed: Mapping[int, Any]) -> evaluate.Replay:
    """Evaluate what depends on the changed nodes again, along the recorded path."""
    affected = adjoint.dependents(columns, changed)
    values: list[Any] = list(columns.value)
    flips: list[evaluate.Flip] = []
    places = Places(columns)
    for node in range(len(columns)):
        if node in changed:
            values[node] = changed[node]
        elif affected[node]:
            recorded = columns.value[node]
            values[node] = _again(columns, node, values)
            is_truth = isinstance(recorded, (bool, np.bool_))
            if (is_truth or systems.base_name(columns.op[node]) in _STEPS) and np.any(values[node] != recorded):
                flips.append(evaluate.Flip(node, recorded, values[node], places(node)))
    return evaluate.Replay("the same numbers", tuple(values), evaluate.structure(result, values), tuple(flips), {})


_STEPS = frozenset({"int", "floor", "ceil", "trunc", "round", "rint", "floordiv"})


def _again(columns: Columns, node: int, values: list[Any]) -> Any:
    op, site = columns.op[node], columns.site[node]
    function = _WRITES.get(op) or lifted.native(op)
    if function is None or columns.value[node] is SEVERAL:
        raise TraceError(
            f"{site}: {op} `{site.text}` cannot be evaluated again: it is not known by name, or was not recorded; "
            "call the function itself with the other arguments"
        )
    args, kwargs = evaluate.arguments(columns, node, values)
    try:
        return function(*args, **kwargs)
    except (ArithmeticError, ValueError, TypeError) as error:
        if columns.value[node] is MISSING and not isinstance(error, TypeError):
            return MISSING
        raise TraceError(f"{site}: `{site.text}` would raise {type(error).__name__}: {error}") from error


def _setitem(container: Any, index: Any, value: Any) -> Any:
    changed = container.copy()
    changed[index] = value
    return changed


_WRITES = {"setitem": _setitem}
