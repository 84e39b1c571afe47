"""`numpy.vectorize`: a recorded function of numbers that is called for each element of arrays."""

from __future__ import annotations

from typing import Any

from visual_debug import arrays
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.calling import recorded
from visual_debug.replaying.models.registry import CLASSES_OF_NUMPY, Pending
from visual_debug.replaying.symbols import UNSET, Asked, Ref, Sequence, Thing

Place = tuple[int, ...]


class _Calls:
    """The calls of one function for all places of arrays of one shape, and what came of them."""

    def __init__(self, shape: tuple[int, ...], *, probes: bool) -> None:
        import numpy

        self.shape = shape
        self.places: list[Place] = list(numpy.ndindex(shape))
        if probes:  # the first element, to find out of what type the results are
            self.places.insert(0, self.places[0])
        self.probes = probes
        self.begun = 0
        self.results: list[Ref] = []

    def of_places(self) -> list[Ref] | None:
        """The results in the order of elements; None if not all of them are there and known."""
        if len(self.results) != len(self.places) or any(ref is None for ref in self.results):
            return None
        return self.results[1:] if self.probes else self.results


def asking(m: Machine, f: Frame, call: Pending) -> Asked | None:
    """The calls that such an object makes, if it is clear which element each of them is of."""
    of = vars(call.callee)
    if call.kwargs or of.get("signature") is not None or of.get("excluded") or not call.args:
        return None
    found = recorded(m, Thing(of["pyfunc"]), len(call.args))
    nodes = [m.node(ref) for ref in call.args]
    if found is None or any(node is None for node in nodes):
        return None
    values = [m.columns.value[node] for node in nodes if node is not None]
    shapes = {value.shape for value in values if arrays.is_array(value)}
    in_order = all(value.flags.c_contiguous for value in values if arrays.is_array(value))
    if len(shapes) > 1 or not in_order or 0 in next(iter(shapes), ()):
        return None
    code, before = found
    site = f.plan.site(f.pc)
    calls = _Calls(next(iter(shapes), ()), probes=of.get("otypes") is None and not of.get("cache"))
    call.fold = calls

    def take(arguments: tuple[Any, ...]) -> list[Ref]:
        calls.begun += 1
        if calls.begun > len(calls.places):
            return []
        place = calls.places[calls.begun - 1]
        refs: list[Ref] = []
        for k, (node, value) in enumerate(zip(nodes, values, strict=True)):
            assert node is not None
            if not arrays.is_array(value):
                refs.append(node)
            else:
                item = containers.item_of_array(m, f, site, node, place, arguments[before + k])
                refs.append(m.copied(item))
        return [*[None] * before, *refs]

    return Asked(code, take, calls.results.append, list)


def _nested(refs: list[Ref], shape: tuple[int, ...]) -> Ref:
    """The references in lists of lists."""
    for count in reversed(shape[1:]):
        refs = [Sequence(list, refs[i : i + count]) for i in range(0, len(refs), count)]
    return Sequence(list, refs)


def _vectorized(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    if type(call.callee) is type:  # such an object is made: nothing is called, and nothing is written to
        given = [ref for ref in (*call.args, *call.kwargs.values()) if ref is not None]
        return m.discover(z, f.plan.site(index), source=Thing(UNSET, given))
    if type(call.fold) is not _Calls or not arrays.is_array(z):
        return None
    refs = call.fold.of_places()
    if refs is None or z.shape != call.fold.shape:
        return None
    whole = _nested(refs, z.shape) if z.shape else refs[0]
    return m.call_node("numpy.array", z, [whole], {}, f, f.plan.site(index), 1)


CLASSES_OF_NUMPY["vectorize"] = _vectorized
