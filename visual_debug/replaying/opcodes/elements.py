"""Attributes and subscripts."""

from __future__ import annotations

from typing import Any

from visual_debug import cpython
from visual_debug.replaying import containers, stores
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import NULL, Method


@handles("LOAD_METHOD")
def _load_method(m: Machine, f: Frame, arg: Any) -> None:
    base = f.stack.pop()
    f.stack += [NULL, Method(base)]


@handles("LOAD_ATTR", "LOAD_SUPER_ATTR")
def _load_attr(m: Machine, f: Frame, arg: tuple[int, str, bool, bool]) -> None:
    index, name, is_method, skip = arg
    base = f.stack.pop()
    if f.plan.instructions[index].name == "LOAD_SUPER_ATTR":  # super class self
        del f.stack[-2:]
    if is_method:
        f.stack += [Method(base), NULL] if cpython.NULL_ABOVE_CALLABLE else [NULL, Method(base)]
    elif skip:
        f.stack.append(Method(base))
    else:
        f.stack.append(containers.attribute(m, f, index, base, name, m.value()))


@handles("STORE_ATTR")
def _store_attr(m: Machine, f: Frame, arg: tuple[int, str]) -> None:  # value base ->
    base = f.stack.pop()
    stores.store_attribute(m, f, arg[0], base, arg[1], f.stack.pop())


@handles("DELETE_ATTR")
def _delete_attr(m: Machine, f: Frame, arg: str) -> None:
    owner = m.known_value(f.stack.pop())
    m.attributes.get(id(owner), {}).pop(arg, None)


@handles("BINARY_SUBSCR")
def binary_subscr(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    key = f.stack.pop()
    container = f.stack.pop()
    f.stack.append(containers.subscript(m, f, arg[0], container, key, m.value()))


@handles("BINARY_SLICE")
def _binary_slice(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    stop = f.stack.pop()
    start = f.stack.pop()
    container = f.stack.pop()
    f.stack.append(containers.subscript(m, f, arg[0], container, containers.slice_of([start, stop], m), m.value()))


@handles("BUILD_SLICE")
def _build_slice(m: Machine, f: Frame, arg: int) -> None:
    parts = f.stack[-arg:]
    del f.stack[-arg:]
    f.stack.append(containers.slice_of(parts, m))


@handles("STORE_SUBSCR")
def _store_subscr(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # value container key ->
    key = f.stack.pop()
    container = f.stack.pop()
    stores.store_subscript(m, f, arg[0], container, key, f.stack.pop())


@handles("STORE_SLICE")
def _store_slice(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # value container start stop ->
    stop = f.stack.pop()
    start = f.stack.pop()
    container = f.stack.pop()
    stores.store_subscript(m, f, arg[0], container, containers.slice_of([start, stop], m), f.stack.pop())


@handles("DELETE_SUBSCR")
def _delete_subscr(m: Machine, f: Frame, arg: Any) -> None:
    key = f.stack.pop()
    stores.delete_subscript(m, f.stack.pop(), key)
