"""Columns -> `networkx.MultiDiGraph`. The only module that imports networkx, and it does so when a graph is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from visual_debug import display
from visual_debug.columns import Columns
from visual_debug.sweeps import adjoint

if TYPE_CHECKING:
    import networkx

    from visual_debug.nodes import Node

#: What a node's attributes hold besides these is looked up when asked for.
_LAZY = ("value", "operands", "source", "adjoint", "partials", "pullback", "name")


class Attributes(dict[str, Any]):
    """Attributes of one node of the graph.

    Iterated over, they are plain numbers and strings only, so that GraphML, JSON and other writers just work. Asked by
    name, every attribute of `Node` is there: arrays, operands, source, adjoint, partials, pullback.
    """

    node: Node | None = None

    def __missing__(self, key: str) -> Any:
        if self.node is None or key not in _LAZY:
            raise KeyError(key)
        return getattr(self.node, key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (self.node is not None and key in _LAZY)

    def get(self, key: str, default: Any = None) -> Any:
        """The attribute, or `default` where there is no such attribute."""
        try:
            return self[key]
        except KeyError:
            return default


def _plain(value: Any) -> bool:
    return type(value) in (int, float, bool, str)


def build(columns: Columns, node_of: Callable[[int], Node]) -> networkx.MultiDiGraph:
    """The computation graph: nodes are the ids, edges run from operand to result, their key is the operand's position.

    Takes about 10 microseconds an operation, most of it networkx's own.
    """
    import networkx

    class Graph(networkx.MultiDiGraph):  # type: ignore[misc]
        """A MultiDiGraph whose nodes carry `Attributes`."""

        node_attr_dict_factory = Attributes

    graph = Graph()
    for node in range(len(columns)):
        value = columns.value[node]
        site = columns.site[node]
        attributes: dict[str, Any] = {
            "id": node,
            "op": columns.op[node],
            "symbol": display.symbol(columns, node),
            "function": columns.activations[columns.activation[node]].function,
            "call": columns.activation[node],
            "file": site.file,
            "expression": site.text,
        }
        if site.line is not None:
            attributes["line"] = site.line
        if columns.name[node] is not None:
            attributes["name"] = columns.name[node]
        if _plain(value):
            attributes["value"] = value
        else:
            attributes["value_text"] = display.value_text(value)
        graph.add_node(node, **attributes)
        graph.nodes[node].node = node_of(node)
        for position, operand in enumerate(columns.operands(node)):
            slope = adjoint.partial(columns, node, position)
            if _plain(slope):
                graph.add_edge(operand, node, key=position, partial=slope)
            else:
                graph.add_edge(operand, node, key=position)
    return graph
