"""What becomes of an array's elements as Python's own numbers and tuples: `tolist`, `ndenumerate`, `ndindex`."""

from __future__ import annotations

from typing import Any

from visual_debug import arrays
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import ARRAY_METHODS, CLASSES_OF_NUMPY, CONVERTER_METHODS, Pending
from visual_debug.replaying.symbols import UNSET, Leaf, Ref, Sequence, Stream


def _listed(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`array.tolist()`: Python's numbers, in lists of lists."""
    node = m.node(target)
    array: Any = None if node is None else m.columns.value[node]
    if not arrays.is_array(array) or not array.ndim or not type(z) is list:
        return None
    assert node is not None
    return _lists(m, f, index, node, m.content(node), z, ())


def _lists(m: Machine, f: Frame, index: int, node: int, content: Any, z: Any, place: tuple[int, ...]) -> Ref:
    """What is at a place: `z`, if it is a list that is still there, was made for it."""
    if not arrays.is_array(content):
        return m.copied(containers.item_of_array(m, f, f.plan.site(index), node, place, content.item()))
    inner = z if type(z) is list and len(z) == len(content) else [None] * len(content)
    items = [_lists(m, f, index, node, content[i], inner[i], (*place, i)) for i in range(len(content))]
    ref = Sequence(list, items, z if type(z) is list else UNSET)
    if type(z) is list:
        m.heap[id(z)] = ref
    return ref


def _wrapped(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """How NumPy's own Python functions give what they made the type of what they were given."""
    node = m.node(call.args[0])
    return None if node is None or not arrays.is_array(z) else m.new("numpy.asarray", z, [node], f, f.plan.site(index))


def _each_with_index(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`numpy.ndenumerate`."""
    node = m.node(call.args[0])
    site = f.plan.site(index)
    if node is None:
        return None

    def advance(item: Any) -> Ref:
        place, value = item
        now = m.node(node)
        assert now is not None
        where = Sequence(tuple, [Leaf(i, "const", None, site) for i in place])
        return Sequence(tuple, [where, containers.item_of_array(m, f, site, now, place, value)], item)

    return Stream(advance, node)


def _places(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    """`numpy.ndindex`: tuples of counts."""
    site = f.plan.site(index)
    return Stream(lambda item: Sequence(tuple, [Leaf(i, "const", None, site) for i in item], item))


ARRAY_METHODS["tolist"] = _listed
CONVERTER_METHODS["wrap"] = _wrapped
CLASSES_OF_NUMPY.update(ndenumerate=_each_with_index, ndindex=_places)
