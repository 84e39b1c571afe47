"""A trace as data for other programs: JSON and GraphML.

The JSON has the form of networkx's node-link data, so that `networkx.node_link_graph(data, edges="edges")` reads it:

    {"format": "visual_debug trace", "schema": 1, "directed": true, "multigraph": true,
     "graph": {"function": name, "result": text, "exception": text or null, "truncated": bool,
               "inputs": {argument: node id, nested lists / objects of them, or null}, "outputs": the same},
     "nodes": [{"id", "op", "symbol", "name"?, "value": see below, "text": value as shown in pictures, "function", "call",
                "adjoint"?: see below, "source": {"file", "line", "end_line", "column", "end_column", "text"}}],
     "edges": [{"source": operand, "target": operation, "key": operand position, "partial"?: number}]}

A value is a JSON number, string, boolean or null; what JSON has no form for is an object with one key: `{"float": "nan"}`
(also `"inf"`, `"-inf"`), `{"int": "0x…"}` (integers of more than 2000 bits), `{"complex": [re, im]}`, `{"array": {"dtype", "shape", "data": flat list in C order}}`
(arrays of more than `MOST_ELEMENTS` elements without `data`), or `{"text": …}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visual_debug import display
from visual_debug.columns import MISSING, Columns
from visual_debug.errors import NoDerivativeError
from visual_debug.sweeps import adjoint, sweep

if TYPE_CHECKING:
    import networkx

SCHEMA = 1
MOST_ELEMENTS = 10_000


def encoded(value: Any) -> Any:
    """A value in the form of the schema.

    >>> encoded(float("nan")), encoded(2.5), encoded(1 + 2j)
    ({'float': 'nan'}, 2.5, {'complex': [1.0, 2.0]})
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() < display.LONG else {"int": hex(value)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, complex):
        return {"complex": [encoded(value.real), encoded(value.imag)]}
    if hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type):
        if value.shape == () and value.dtype.kind in "fiubc":
            return encoded(value.item())
        array: dict[str, Any] = {"dtype": str(value.dtype), "shape": list(value.shape)}
        if value.size <= MOST_ELEMENTS and value.dtype.kind in "fiubc":
            array["data"] = [encoded(item) for item in value.ravel().tolist()]
        return {"array": array}
    return {"text": display.value_text(value)}


def document(columns: Columns, header: Mapping[str, Any], adjoints: Mapping[int, Any] | None) -> dict[str, Any]:
    """A trace in the form of the schema."""
    nodes = []
    edges = []
    for node in range(len(columns)):
        value = columns.value[node]
        source = columns.site[node].source
        entry: dict[str, Any] = {
            "id": node,
            "op": columns.op[node],
            "symbol": display.symbol(columns, node),
            "value": {"text": "raised"} if value is MISSING else encoded(value),
            "text": display.value_text(value),
            "function": columns.activations[columns.activation[node]].function,
            "call": columns.activation[node],
            "source": source._asdict(),
        }
        if columns.name[node] is not None:
            entry["name"] = columns.name[node]
        if adjoints is not None and node in adjoints:
            entry["adjoint"] = encoded(adjoints[node])
        nodes.append(entry)
        for position, operand in enumerate(columns.operands(node)):
            edge: dict[str, Any] = {"source": operand, "target": node, "key": position}
            slope = adjoint.partial(columns, node, position)
            if isinstance(slope, (int, float)) and abs(slope) < 1e308:
                edge["partial"] = slope
            edges.append(edge)
    return {
        "format": "visual_debug trace",
        "schema": SCHEMA,
        "directed": True,
        "multigraph": True,
        "graph": dict(header),
        "nodes": nodes,
        "edges": edges,
    }


def write_json(path: Path, data: Any) -> None:
    """Write JSON, the same bytes for the same data."""
    path.write_text(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def write_graphml(path: Path, graph: networkx.MultiDiGraph, adjoints: Mapping[int, Any] | None) -> None:
    """Write GraphML: attributes are numbers and texts, in one type per attribute, as its readers want them."""
    import networkx

    plain = networkx.MultiDiGraph()
    for node, attributes in graph.nodes(data=True):
        texts = {key: attributes[key] for key in attributes if key not in ("value", "value_text", "id")}
        texts = {key: _without_controls(text) if isinstance(text, str) else text for key, text in texts.items()}
        value = attributes.node.value if attributes.node is not None else None
        texts["text"] = _without_controls(display.value_text(value))
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308:
            texts["value"] = float(value)
        if adjoints is not None and node in adjoints:
            texts["adjoint"] = _without_controls(display.value_text(adjoints[node]))
        plain.add_node(node, **texts)
    for tail, head, position, attributes in graph.edges(keys=True, data=True):
        partial = attributes.get("partial")
        more = {"partial": float(partial)} if partial is not None and abs(partial) < 1e308 else {}
        plain.add_edge(tail, head, key=position, position=position, **more)
    networkx.write_graphml(plain, path)


def _without_controls(text: str) -> str:
    """Text in which XML allows every character."""
    from visual_debug.render import measure

    return measure.shown(text)


def adjoints_of(columns: Columns, seeds: dict[int, Any] | None) -> Mapping[int, Any] | None:
    """Adjoints of all nodes; None where there is no reverse pass, or it stops for want of a derivative."""
    if seeds is None:
        return None
    try:
        return sweep.adjoints(columns, seeds)
    except NoDerivativeError:
        return None
