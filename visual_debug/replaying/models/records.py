"""Classes that keep their arguments in fields: named tuples and dataclasses."""

from __future__ import annotations

from typing import Any

from visual_debug import structures
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models.registry import Pending, models
from visual_debug.replaying.symbols import Ref, Sequence, Thing


@models(structures.Record)
def _made_of_fields(m: Machine, f: Frame, index: int, call: Pending, target: Ref, z: Any) -> Ref:
    names = structures.parameters(call.callee) or ()
    if type(z) is not call.callee or len(call.args) > len(names) or any(name not in names for name in call.kwargs):
        return None
    given = {**dict(zip(names, call.args, strict=False)), **call.kwargs}
    site = f.plan.site(index)
    if issubclass(type(z), tuple):
        parts = zip(names, tuple.__iter__(z), strict=True)
        home = m.heap.get(id(call.callee)) if id(call.callee) in m.classes else None  # where its defaults come from
        items = [
            given[name] if given.get(name) is not None else m.discover(part, site, name, home) for name, part in parts
        ]
        m.heap[id(z)] = made = Sequence(tuple, items, z)
        return made
    m.heap[id(z)] = new = Thing(z, outside=True)
    m.attributes[id(z)] = given
    for ref in given.values():
        m.put(new, ref)
    return new
