"""Which derivative of a trace is meant: outputs, seeds and tangents as users give them, gradients as they get them.

The sweeps know node ids alone; users have arguments and results with structures, and names for both.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from visual_debug import display, structures
from visual_debug.errors import NoDerivativeError, TraceError
from visual_debug.nodes import Node
from visual_debug.sweeps import adjoint, sweep

if TYPE_CHECKING:
    from visual_debug.traces import Trace


def output(trace: Trace, of: Any) -> Any:
    """The output that `of` names: an index or key into the result, or several into nested parts, or a node."""
    if isinstance(of, Node):
        return trace[of].id
    structure = trace._replayed.result
    if not trace._replayed.sliced:
        refuse_unfinished(trace, keeps_yielded=True)
    if of is None:
        return structure
    if structure is None and isinstance(trace.result, (list, tuple, dict)):
        raise TraceError(
            f"of={of!r}: the result of {trace.function} is a {type(trace.result).__name__} whose parts are not followed: "
            "return a list, tuple or dict that it makes itself, or give a node, of=trace.find(name=…)[-1]"
        )
    for path in ((of,), of) if isinstance(of, tuple) else ((of,),):
        try:
            return functools.reduce(structures.part, path, structure)
        except (TypeError, LookupError):
            continue
    is_array = type(structure) is int and getattr(trace._columns.value[structure], "shape", ()) != ()
    way = ": pick an element of an array by a seed that is 1 there, and 0 elsewhere" if is_array else ""
    raise TraceError(f"of={of!r}: the result of {trace.function} has no such part{way}")


def refuse_unfinished(trace: Trace, keeps_yielded: bool = False) -> None:
    """Raise if the call has no result in the trace; what a generator yielded before it raised is one, if kept."""
    if trace.truncated:
        raise TraceError(
            f"the recording of {trace.function} stopped at its limit of {trace._tape.limit} values, so its result is not "
            "in the trace: give @visual_debug a higher limit, or name a node with of=…"
        )
    if trace.exception is not None and not (keeps_yielded and trace._tape.plan.yields):
        raise TraceError(
            f"{trace.function} raised {type(trace.exception).__name__}: there is no result to differentiate"
        )


def seeds(trace: Trace, of: Any, seed: Any) -> dict[int, Any]:
    """Adjoints of the outputs to begin with, by node."""
    outputs = output(trace, of)
    ids = [] if outputs is None else list(structures.leaves(outputs))
    if not ids:
        raise TraceError(f"the result of {trace.function} is no number that was computed from numbers")
    if not isinstance(outputs, int):
        if seed is None:
            raise TraceError(
                f"the result of {trace.function} has several parts: name one with of=… (an index or key, or "
                "a tuple of them for a nested part), or give a seed of the same structure"
            )
        values = list(structures.values(seed))
        if len(ids) != len(values):
            raise TraceError(f"the seed has {len(values)} parts, the result {len(ids)}")
        found: dict[int, Any] = {}
        for id, value in zip(ids, values, strict=True):
            found[id] = adjoint.add(found[id], value) if id in found else value
        return found
    value = trace._columns.value[outputs]
    if seed is None:
        if getattr(value, "shape", ()) != () or isinstance(value, tuple):
            raise TraceError(
                f"the result of {trace.function} is {display.value_text(value)}, no single number: give seed=…, "
                "an array of its shape (or sum it up in the function)"
            )
        return {outputs: one(value)}
    return {outputs: _like(seed, value, trace.function)}


def gradient(trace: Trace, wrt: str | tuple[str, ...] | None, of: Any, seed: Any) -> Any:
    """What `Trace.grad` gives."""
    if trace._tape.beginning is not None:
        raise TraceError(
            f"only the newest values of {trace.function} were kept (last={trace._tape.last}), and its arguments are not "
            "among them: ask for the adjoints of nodes, or record without last=…"
        )
    inputs = trace._replayed.inputs
    if wrt is not None and not isinstance(wrt, (str, tuple, list)):
        raise TraceError(
            f"wrt={wrt!r}: give the name of an argument, or a tuple of names; a part of the result is of=…"
        )
    names = [wrt] if isinstance(wrt, str) else list(wrt) if wrt is not None else list(inputs)
    leaves = {name: list(structures.leaves(argument(trace, name))) for name in names}
    found_seeds = seeds(trace, of, seed)
    try:
        adjoints = sweep.gradients(trace._columns, found_seeds, [node for ids in leaves.values() for node in ids])
    except NoDerivativeError as error:
        several = {name: ids for name, ids in leaves.items() if ids}
        others = sweep.possible(trace._columns, found_seeds, several) if len(several) > 1 else []
        if not others:
            raise
        asked = repr(others[0]) if len(others) == 1 else f"({', '.join(map(repr, others))})"
        raise NoDerivativeError(f"{error}. The gradient by other arguments can be had: grad({asked})") from error
    result = {
        name: structures.mapped(inputs[name], lambda node: _in_kind(trace, adjoints, node))
        for name, ids in leaves.items()
        if ids or wrt is not None
    }
    if wrt is not None or not result:
        _refuse_loose(trace, [name for name, ids in leaves.items() if not ids])
    return result[wrt] if isinstance(wrt, str) else result


def tangent(trace: Trace, tangents: Mapping[str, Any]) -> Any:
    """What `Trace.jvp` gives."""
    refuse_unfinished(trace)
    given = {
        id: _like(value, trace._columns.value[id], name)
        for name, structure in tangents.items()
        for id, value in parts(trace, name, structure, "the tangent of ").items()
    }
    result = sweep.tangents(trace._columns, given, structures.leaves(trace._replayed.result))
    return structures.mapped(trace._replayed.result, lambda node: _in_kind(trace, result, node))


def argument(trace: Trace, name: str) -> Any:
    """The argument's node, or nodes in its structure. Raises TraceError if there is no such argument."""
    inputs = trace._replayed.inputs
    if name not in inputs:
        raise TraceError(f"{trace.function} has no argument {name!r}, only {', '.join(inputs) or 'none'}")
    return inputs[name]


def parts(trace: Trace, name: str, values: Any, what: str = "") -> dict[int, Any]:
    """The argument's nodes -> values given for it in its structure. Raises TraceError where that is another one."""
    nodes = argument(trace, name)
    ids = list(structures.leaves(nodes))
    given = [values] if isinstance(nodes, int) else list(structures.values(values))
    if len(ids) != len(given):
        raise TraceError(f"{what}{name} has {len(given)} parts, the argument {len(ids)}")
    return dict(zip(ids, given, strict=True))


def one(value: Any) -> Any:
    """The adjoint of a result: 1 in its own kind of number."""
    return 1.0 if isinstance(value, float) else 1


def _in_kind(trace: Trace, derivatives: Mapping[int, Any], node: int) -> Any:
    value = trace._columns.value[node]
    return adjoint.in_kind(value, derivatives[node]) if node in derivatives else adjoint.zero(value)


def _refuse_loose(trace: Trace, names: list[str]) -> None:
    """Raise if numbers were read from arguments that have no structure which a gradient could have."""
    columns = trace._columns
    for code, op in enumerate(columns.op.entries if names else ()):
        if op != "input":
            continue
        node = columns.kind.index(code)
        read = columns.name[node] or columns.site[node].text
        for name in names:
            if re.search(rf"\b{re.escape(name)}\b", read):
                raise TraceError(
                    f"the argument {name} of {trace.function} has no gradient of its own structure: give its numbers in "
                    "a list, dict, named tuple or dataclass, or as arguments; or ask for the adjoint of what was read "
                    f"from it, as trace.adjoints[{node}] is of `{read}`"
                )


def _like(given: Any, value: Any, what: str) -> Any:
    """A seed or tangent, checked to have the shape of the value that it belongs to."""
    shape = getattr(value, "shape", ())
    if isinstance(given, str) or given is None:
        raise TraceError(f"{what}: {given!r} is no number, which a seed or tangent must be")
    if shape == ():
        if getattr(given, "shape", ()) != ():
            raise TraceError(f"{what}: a seed of shape {given.shape} for a single number")
        if isinstance(given, (list, tuple, dict, set)):
            raise TraceError(f"{what}: a {type(given).__name__} as the seed of a single number")
        return given
    import numpy

    array = numpy.asarray(given)
    if array.shape != shape:
        raise TraceError(f"{what}: a seed of shape {array.shape} for an array of shape {shape}")
    return array
