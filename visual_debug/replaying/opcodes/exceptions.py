"""Exceptions, `with`, imports."""

from __future__ import annotations

from typing import Any

from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.operations import computed
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import UNSET, Method, Thing


@handles("PUSH_EXC_INFO")
def _push_exc_info(m: Machine, f: Frame, arg: Any) -> None:  # exc -> previous exc
    f.stack.append(f.stack[-1])


@handles("POP_EXCEPT")
def _pop_except(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()


@handles("CHECK_EXC_MATCH")
def _check_exc_match(m: Machine, f: Frame, arg: Any) -> None:  # exc type -> exc bool
    f.stack[-1] = Thing()


@handles("CHECK_EG_MATCH")
def _check_eg_match(m: Machine, f: Frame, arg: Any) -> None:  # group type -> rest match
    group = f.stack[-2]
    f.stack[-2:] = [Thing(UNSET, [group]), Thing(UNSET, [group])]


@handles("PREP_RERAISE_STAR")
def _prep_reraise_star(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    f.stack[-1] = Thing()


@handles("CALL_INTRINSIC_2")
def _call_intrinsic_2(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    f.stack[-1] = Thing()


@handles("BEFORE_WITH")
def _before_with(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:  # manager -> exit entered
    manager = f.stack.pop()
    z = m.value()
    entered = m.take_nested(z)
    f.stack += [Thing(), entered if entered is not None else computed(m, f, arg[0], z, [manager])]


@handles("LOAD_SPECIAL")
def _load_special(m: Machine, f: Frame, arg: Any) -> None:  # manager -> method self (both about to be called)
    manager = f.stack.pop()
    f.stack += [Method(manager), manager]


@handles("WITH_EXCEPT_START")
def _with_except_start(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())


@handles("LOAD_ASSERTION_ERROR", "LOAD_BUILD_CLASS", "LOAD_COMMON_CONSTANT", "LOAD_LOCALS")
def _load_thing(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(Thing())


@handles("IMPORT_NAME")
def _import_name(m: Machine, f: Frame, arg: Any) -> None:
    del f.stack[-2:]
    f.stack.append(Thing())


@handles("IMPORT_FROM")
def _import_from(m: Machine, f: Frame, arg: tuple[int, str]) -> None:
    f.stack.append(m.discover(m.value(), f.plan.site(arg[0]), arg[1]))
