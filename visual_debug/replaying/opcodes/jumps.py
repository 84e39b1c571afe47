"""Branches, loops, returning."""

from __future__ import annotations

from typing import Any

from visual_debug import cpython
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.models import calling
from visual_debug.replaying.opcodes.operations import Comparison, comparison
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.opcodes.variables import literal
from visual_debug.replaying.symbols import Stream, Thing


@handles(*cpython.JUMPS)
def _jump(m: Machine, f: Frame, arg: tuple[int, int | None]) -> None:
    target, word = arg
    if word is not None and m.word() != word:
        raise m.misfit("a loop without end went another way")
    f.pc = target


@handles(*cpython.POP_JUMPS)
def _pop_jump(m: Machine, f: Frame, arg: tuple[int, int, int, int, str]) -> None:
    _, target, taken, fallen, name = arg
    ref = f.stack.pop()
    word = m.path[m.p]
    m.p += 1
    m.unknown_code([ref], "__bool__", "__len__")
    if type(ref) is Comparison:
        comparison(m, f, ref.index, ref.op, (word == taken) == name.endswith("TRUE"), ref.x, ref.y)
    if word == taken:
        f.pc = target
    elif word != fallen:
        raise m.misfit("a branch went another way")


@handles(*cpython.KEEP_JUMPS)
def _keep_jump(m: Machine, f: Frame, arg: tuple[int, int, int, int, str]) -> None:
    _, target, taken, fallen, _ = arg
    word = m.word()
    if word == taken:
        f.pc = target
    elif word == fallen:
        f.stack.pop()
    else:
        raise m.misfit("a branch went another way")


@handles("FOR_ITER")
def _for_iter(m: Machine, f: Frame, arg: tuple[int, int]) -> None:
    if f.plan.instructions[arg[0]].skip:
        m.v += 1
        stream = f.stack[-1]
        f.stack.append(stream.advance(None) if type(stream) is Stream and stream.counts else Thing())
        return
    f.stack.append(containers.next_item(m, f, arg[0], f.stack[-1], m.value()))


def end_loop(m: Machine, f: Frame) -> None:
    """The iterator that FOR_ITER stands at is exhausted."""
    if type(f.stack[-1]) is Stream:
        calling.exhausted(f.stack[-1])
    if cpython.HAS_END_FOR:  # END_FOR (and, from 3.13 on, the next instruction) drops both
        f.stack.append(None)
    else:
        f.stack.pop()
    f.pc = f.plan.instructions[f.pc].arg


@handles("END_FOR")
def _end_for(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()
    if not cpython.PY313:
        f.stack.pop()


@handles("GET_ITER")
def _get_iter(m: Machine, f: Frame, arg: tuple[int, Any]) -> None:
    ref = f.stack.pop()
    f.stack.append(containers.iterate(m, f, arg[0], ref))


@handles("RETURN_VALUE")
def _return_value(m: Machine, f: Frame, arg: Any) -> None:
    m.leave(f, f.stack.pop())


@handles("RETURN_CONST")
def _return_const(m: Machine, f: Frame, arg: Any) -> None:
    m.leave(f, literal(m, f.plan, f.pc - 1, arg))


@handles("RAISE_VARARGS", "RERAISE")
def _raise(m: Machine, f: Frame, arg: Any) -> None:
    raise m.misfit("an exception that nothing was recorded of")
