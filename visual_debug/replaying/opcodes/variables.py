"""Variables, cells, literals, and the moving of references on the stack."""

from __future__ import annotations

from typing import Any

from visual_debug import cpython, kinds
from visual_debug.replaying import containers
from visual_debug.replaying.machine import Frame, Machine
from visual_debug.replaying.opcodes.table import handles
from visual_debug.replaying.symbols import NULL, Cell, Leaf, Ref, Sequence, Thing
from visual_debug.tracing.tape import Plan


@handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")
def _load_fast(m: Machine, f: Frame, arg: Any) -> None:
    if type(arg) is tuple:
        arg = arg[1]
    # From 3.13 on, LOAD_FAST of a variable that is a cell loads the cell itself, to close over it.
    name = arg if type(arg) is str else arg.name
    cell = f.cells.get(name) if f.cells else None
    f.stack.append(f.locals.get(name) if cell is None else cell)


@handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_fast_load_fast(m: Machine, f: Frame, arg: Any) -> None:
    _load_fast(m, f, arg[0])
    _load_fast(m, f, arg[1])


@handles("LOAD_FAST_AND_CLEAR")
def _load_fast_and_clear(m: Machine, f: Frame, arg: Any) -> None:
    name = arg if type(arg) is str else arg.name
    cell = f.cells.pop(name, None)
    f.stack.append(f.locals.pop(name, None) if cell is None else cell)


@handles("STORE_FAST", "STORE_FAST_MAYBE_NULL")
def _store_fast(m: Machine, f: Frame, arg: Any) -> None:
    ref = f.stack.pop()
    name = arg if type(arg) is str else arg.name
    if type(ref) is Cell:  # put back behind an inlined comprehension
        f.cells[name] = ref
        return
    f.cells.pop(name, None)
    if type(ref) is int:
        if m.columns.name[ref] is None:
            m.columns.name[ref] = name
    elif type(ref) is Leaf and ref.name is None:
        ref.name = name
        if ref.node is not None and m.columns.name[ref.node] is None:
            m.columns.name[ref.node] = name
    f.locals[name] = ref


@handles("STORE_FAST_LOAD_FAST")
def _store_fast_load_fast(m: Machine, f: Frame, arg: Any) -> None:
    _store_fast(m, f, arg[0])
    _load_fast(m, f, arg[1])


@handles("STORE_FAST_STORE_FAST")
def _store_fast_store_fast(m: Machine, f: Frame, arg: Any) -> None:
    _store_fast(m, f, arg[0])
    _store_fast(m, f, arg[1])


@handles("DELETE_FAST")
def _delete_fast(m: Machine, f: Frame, arg: Any) -> None:
    f.locals.pop(arg, None)


@handles("LOAD_CONST", "LOAD_SMALL_INT")
def _load_const(m: Machine, f: Frame, arg: Any) -> None:
    index, value = arg
    f.stack.append(literal(m, f.plan, index, value))


def literal(m: Machine, plan: Plan, index: int, value: Any) -> Ref:
    """The reference of a literal: one leaf for each place it is written at."""
    if type(value) in kinds.SCALARS:
        span = plan.spans[index]  # a loop's condition is compiled twice: the same literal, written once
        # Code that was generated may have one span for everything, and patterns have literals of their own.
        key = (plan, span if span[0] is not None else index, type(value), repr(value))
        leaf = m.literals.get(key)
        if leaf is None:
            leaf = m.literals[key] = Leaf(value, "const", None, plan.site(index))
        return leaf
    if type(value) is tuple:
        site = plan.site(index)
        return Sequence(tuple, [containers.constant(m, item, site) for item in value], value)
    return Thing(value)


@handles("POP_TOP", "POP_ITER")
def _pop_top(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.pop()


@handles("COPY")
def _copy(m: Machine, f: Frame, arg: int) -> None:
    f.stack.append(f.stack[-arg])


@handles("SWAP")
def _swap(m: Machine, f: Frame, arg: int) -> None:
    stack = f.stack
    stack[-1], stack[-arg] = stack[-arg], stack[-1]


@handles("PUSH_NULL")
def _push_null(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(NULL)


@handles("NOP", "PRECALL", "CACHE", "NOT_TAKEN", "COPY_FREE_VARS", "SETUP_ANNOTATIONS")
def _nothing(m: Machine, f: Frame, arg: Any) -> None:
    pass


@handles("KW_NAMES")
def _kw_names(m: Machine, f: Frame, arg: tuple[str, ...]) -> None:
    f.keywords = arg


@handles("MAKE_CELL")
def _make_cell(m: Machine, f: Frame, arg: Any) -> None:
    if arg.name not in f.cells:  # those of the function itself are there from the beginning
        f.cells[arg.name] = Cell(f.locals.get(arg.name))


@handles("LOAD_CLOSURE")
def _load_closure(m: Machine, f: Frame, arg: Any) -> None:
    f.stack.append(f.cells[arg.name])


@handles("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_NAME")
def _load_deref(m: Machine, f: Frame, arg: tuple[int, str, bool]) -> None:
    index, name, skip = arg
    cell = f.cells.get(name)
    ref: Ref = cell.ref if cell is not None else None
    if skip:
        f.stack.append(ref if ref is not None else Thing())
    else:
        f.stack.append(m.claim(ref, m.value(), f.plan.site(index), name, m.behind(cell)))


@handles("STORE_DEREF")
def _store_deref(m: Machine, f: Frame, arg: Any) -> None:
    ref, cell = f.stack[-1], f.cells[arg.name]
    _store_fast(m, f, arg.name)
    del f.locals[arg.name]
    f.cells[arg.name] = cell
    m.bind(cell, ref)


@handles("DELETE_DEREF")
def _delete_deref(m: Machine, f: Frame, arg: Any) -> None:
    f.cells[arg.name].ref = None


@handles("LOAD_GLOBAL")
def _load_global(m: Machine, f: Frame, arg: tuple[int, str, bool, bool]) -> None:
    index, name, has_null, skip = arg
    ref: Ref = m.globals.get(name, Thing() if skip else None)
    if not skip:
        ref = m.claim(ref, m.value(), f.plan.site(index), name, ref if type(ref) is Thing else m.elsewhere)
    if has_null:
        f.stack.extend((ref, NULL) if cpython.NULL_ABOVE_CALLABLE else (NULL, ref))
    else:
        f.stack.append(ref)


@handles("STORE_GLOBAL", "STORE_NAME")
def _store_global(m: Machine, f: Frame, arg: str) -> None:
    m.globals[arg] = f.stack.pop()


@handles("DELETE_GLOBAL", "DELETE_NAME")
def _delete_global(m: Machine, f: Frame, arg: str) -> None:
    m.globals.pop(arg, None)
