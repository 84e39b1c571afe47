"""Generators and coroutines: starting, yielding, delegating, awaiting."""

from __future__ import annotations

from typing import Any

from visual_debug import cpython, kinds
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import UNSET, Late, Ref, Sequence, Stream, Thing, Wrapped


@handles("RESUME")
def _resume(m: Machine, f: Frame, arg: int) -> None:
    way = arg & cpython.RESUMES
    if way:
        f.stack[-1] = sent = m.handed_over(f.caller)
        if way == cpython.RESUMES_YIELD and not f.plan.instructions[f.pc - 1].skip:
            f.stack[-1] = m.discover(m.value(), f.plan.site(f.pc - 1), source=sent)


@handles("RETURN_GENERATOR")
def _return_generator(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())  # what is sent first: None


@handles("YIELD_VALUE")
def _yield_value(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack.pop()
    f.stack.append(None)  # the place of what will be sent
    m.suspend(f, ref)


# ---- delegating to other generators, awaiting


@handles("GET_YIELD_FROM_ITER")
def _get_yield_from_iter(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    f.stack.append(containers.iterate(m, f, arg[0], f.stack.pop()))


@handles("GET_AWAITABLE", "GET_AITER")
def _get_awaitable(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack[-1]
    m.unknown_code([ref])
    if type(ref) is not Stream:
        f.stack[-1] = Thing(UNSET, [ref])


@handles("GET_ANEXT")
def _get_anext(m: Machine, f: Frame, arg: Any) -> None:  # iterator -> iterator awaitable
    ref = f.stack[-1]
    m.unknown_code([ref])
    f.stack.append(Late(ref) if type(ref) is Stream else Thing(UNSET, [ref]))


@handles("SEND")
def _send(m: Machine, f: Frame, arg: Any) -> None:  # receiver value -> receiver yielded
    received, f.received = f.received, None
    receiver = f.stack[-2]
    if received is not None and received[0] == f.pc - 1:
        f.stack[-1] = received[1]
    elif type(receiver) is Stream and receiver.frame is None:
        f.stack[-1] = Late(receiver)
    else:
        f.stack[-1] = Thing(UNSET, [receiver])


def end_send(m: Machine, f: Frame, index: int) -> None:
    """What the SEND at `index` delegated to has returned; whether SEND, or `throw`, which comes behind the yield."""
    f.received = None
    f.stack.pop()
    ref = _returned(m, f, index, f.stack[-1])
    if cpython.SEND_DROPS_ITERATOR:
        f.stack.pop()
    f.stack.append(ref)
    f.pc = f.plan.instructions[index].arg


def _returned(m: Machine, f: Frame, index: int, receiver: Ref) -> Ref:
    """The reference of what a generator or awaitable returned, whose value was recorded."""
    z = m.value()
    site = f.plan.site(index)
    returned, f.returned = f.returned, None
    nested = m.take_nested(z)
    if type(receiver) is Late:
        return m.claim(receiver.source.advance(z), z, site, source=receiver.source)
    if type(receiver) is Stream and returned is not None and returned[0] is receiver.frame:
        return m.claim(returned[1], z, site, source=returned[1])
    if nested is not None:
        return nested
    return _gathered(m, receiver, z) or m.discover(z, site, source=receiver)


def _gathered(m: Machine, receiver: Ref, z: Any) -> Ref:
    """The list that `asyncio.gather` gives, if what all the awaitables returned is known; nobody else has it."""
    if type(z) is not list or type(receiver) is not Thing or id(z) in m.heap:
        return None
    awaited = [ref.object.kind for ref in receiver.among if type(ref) is Thing and type(ref.object) is kinds.Gone]
    if not any(kinds.module_of(kind) == "asyncio.tasks" and kind.__name__ == "_GatheringFuture" for kind in awaited):
        return None
    items = [m.find(item, receiver) if kinds.is_number(item) else m.heap.get(id(item)) for item in z]
    if any(item is None for item in items):
        return None
    m.heap[id(z)] = found = Sequence(list, items, z)
    return found


@handles("CLEANUP_THROW")
def _cleanup_throw(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # receiver sent exception -> None value
    exception = f.stack.pop()
    f.stack.pop()
    receiver = f.stack.pop()
    source = receiver if type(receiver) is Stream else Thing(UNSET, [receiver, exception])
    f.stack += [Thing(), _returned(m, f, arg[0], source)]


@handles("END_SEND")
def _end_send(m: Machine, f: Frame, arg: Any) -> None:  # receiver value -> value
    del f.stack[-2]


@handles("END_ASYNC_FOR")
def _end_async_for(m: Machine, f: Frame, arg: Any) -> None:  # iterator exception ->
    del f.stack[-2:]


@handles("BEFORE_ASYNC_WITH")
def _before_async_with(m: Machine, f: Frame, arg: Any) -> None:  # manager -> exit awaitable
    manager = f.stack.pop()
    m.unknown_code([manager])
    f.stack += [Thing(UNSET, [manager]), Thing(UNSET, [manager])]


@handles("ASYNC_GEN_WRAP")
def _async_gen_wrap(m: Machine, f: Frame, arg: Any) -> None:
    f.stack[-1] = Wrapped(f.stack[-1])
