"""Instructions with labels and protected regions -> code object: the last stage of rewriting.

The `bytecode` library has such a stage too, and the tests compare the two. This one exists because it takes about a
microsecond per instruction, a tenth of the library's: one pass over the items, then passes over lists of integers.
It keeps the tables of the original code as they are and adds to their ends, so that the original's instructions
assemble to the original's bytes; constants are told apart by identity, so that none ever stands for another that
is equal to it (`0.0` for `-0.0`, one list for another).

The formats of the two tables are described in CPython's `InternalDocs/code_objects.md` and
`InternalDocs/exception_handling.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, repeat
from types import CodeType
from typing import Any, NamedTuple, TypeVar

from bytecode import Instr, Label
from bytecode.instr import CellVar, InstrLocation, TryBegin, TryEnd

from visual_debug import cpython
from visual_debug.cpython import Operand

#: Instructions, labels, and the borders of protected regions.
Item = Instr | Label | TryBegin | TryEnd


T = TypeVar("T")


class _Region(NamedTuple):
    """A protected region, by instructions: from `start` on, before `end`."""

    start: int
    end: int
    begin: TryBegin


class _Numbers:
    """The operands of one code object as numbers, and the tables that they point into."""

    def __init__(self, template: CodeType, hidden: tuple[str, ...]) -> None:
        self.constants = list(template.co_consts)
        self.places = {id(constant): place for place, constant in enumerate(self.constants)}
        self.names = {name: place for place, name in enumerate(template.co_names)}
        self.locals = {name: place for place, name in enumerate((*template.co_varnames, *hidden))}
        # A parameter that is a cell keeps its place among the locals.
        alone = [name for name in template.co_cellvars if name not in self.locals]
        shared = {name: self.locals[name] for name in template.co_cellvars if name in self.locals}
        self.cells = {**shared, **{name: len(self.locals) + place for place, name in enumerate(alone)}}
        bound = len(self.locals) + len(alone)
        self.free = {name: bound + place for place, name in enumerate(template.co_freevars)}

    def constant(self, value: object) -> int:
        """The place of a constant that is met for the first time."""
        place = self.places[id(value)] = len(self.constants)
        self.constants.append(value)
        return place

    def name(self, name: str) -> int:
        """The place of the name of an attribute or global."""
        return self.names.setdefault(name, len(self.names))

    def variable(self, arg: Any) -> int:
        """The place of a local, cell or free variable."""
        if isinstance(arg, str):
            return self.locals[arg]
        place: int = (self.cells if isinstance(arg, CellVar) else self.free)[arg.name]
        return place

    def number(self, operand: Operand, arg: Any) -> int:
        """The operands that are seldom met."""
        if operand is Operand.VARIABLE or operand is Operand.LOCAL:
            return self.variable(arg)
        if operand is Operand.COMPARISON:
            return cpython.COMPARISONS[arg]
        if operand is Operand.TWO_VARIABLES:
            first, second = map(self.variable, arg)
            if first > 15 or second > 15:
                raise ValueError(f"{arg} do not fit into one instruction")
            return first << 4 | second
        assert operand is Operand.FLAGGED
        *flags, last = arg
        number = self.name(last) if isinstance(last, str) else int(last)
        for flag in reversed(flags):
            number = number << 1 | flag
        return number


def assemble(
    items: Iterable[Item], origin: list[T], template: CodeType, stacksize: int, hidden: tuple[str, ...] = ()
) -> tuple[CodeType, list[T]]:
    """A code object of `items` that is like `template` otherwise, with `hidden` as further local variables.

    `origin` tells of each instruction what it comes from, and may be filled while the items are drawn; what is
    returned beside the code tells the same of each code unit, caches and prefixes belonging to their instruction.
    An instruction without a location has that of the one before it.
    """
    tables = _Numbers(template, hidden)
    opcodes: list[int] = []
    numbers: list[int] = []
    labels: dict[Label, int] = {}
    jumps: list[tuple[int, Label]] = []
    begins: dict[TryBegin, int] = {}
    regions: list[_Region] = []
    where = InstrLocation(template.co_firstlineno, None, None, None)
    stretches = [(0, where)]  # the instructions at which the location changes
    operands, places, names, variables = cpython.OPERANDS, tables.places, tables.names, tables.locals
    none, plain, constant, name, local, jump = (
        Operand.NONE, Operand.NUMBER, Operand.CONSTANT, Operand.NAME, Operand.LOCAL, Operand.JUMP,
    )  # fmt: skip
    for item in items:
        if isinstance(item, Instr):
            opcode = item.opcode
            operand = operands[opcode]
            arg: Any = item.arg
            if operand is none:
                number = 0
            elif operand is plain:
                number = arg
            elif operand is constant:
                key = id(arg)
                number = places[key] if key in places else tables.constant(arg)
            elif operand is local and type(arg) is str:
                number = variables[arg]
            elif operand is name:
                number = names[arg] if arg in names else tables.name(arg)
            elif operand is jump:
                jumps.append((len(opcodes), arg))
                number = 0
            else:
                number = tables.number(operand, arg)
            location = item.location
            if location is not where and location is not None:
                where = location
                stretches.append((len(opcodes), where))
            opcodes.append(opcode)
            numbers.append(number)
        elif isinstance(item, Label):
            labels[item] = len(opcodes)
        elif isinstance(item, TryBegin):
            begins[item] = len(opcodes)
        elif begins[item.entry] < len(opcodes):
            regions.append(_Region(begins[item.entry], len(opcodes), item.entry))
    sizes, starts = _laid_out(opcodes, numbers, [(index, labels[label]) for index, label in jumps])
    code = template.replace(
        co_code=_code(opcodes, numbers, starts),
        co_consts=tuple(tables.constants),
        co_names=tuple(tables.names),
        co_varnames=tuple(tables.locals),
        co_nlocals=len(tables.locals),
        co_stacksize=stacksize,
        co_linetable=bytes(_location_table(stretches, starts, template.co_firstlineno)),
        co_exceptiontable=bytes(chain.from_iterable(
            _exception_entry(starts[region.start], starts[region.end], starts[labels[region.begin.target]], region.begin)
            for region in regions
        )),
    )  # fmt: skip
    return code, list(chain.from_iterable(map(repeat, origin, sizes)))


def _laid_out(opcodes: list[int], numbers: list[int], jumps: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """How many code units each instruction takes, and where each begins; enters the distances of the jumps.

    `jumps` are pairs of instructions, from and to. A jump over a long way needs prefixes, which make other ways
    longer. As no instruction ever gets shorter, this ends.
    """
    caches = cpython.CACHES
    sizes = [
        1 + caches[opcode] if number < 256 else 1 + caches[opcode] + _prefixes(number)
        for opcode, number in zip(opcodes, numbers, strict=True)
    ]
    ways: list[tuple[int, int, int]] = []
    for index, target in jumps:
        backward = opcodes[index] in cpython.BACKWARD
        if backward == (target > index):
            raise ValueError(f"a jump of the wrong direction, {opcodes[index]} from {index} to {target}")
        ways.append((index, target, -1 if backward else 1))
    while True:
        starts = list(accumulate(sizes, initial=0))
        grown = False
        for index, target, sign in ways:
            distance = (starts[target] - starts[index + 1]) * sign
            numbers[index] = distance
            if distance > 255:
                size = 1 + caches[opcodes[index]] + _prefixes(distance)
                if size > sizes[index]:
                    sizes[index] = size
                    grown = True
        if not grown:
            return sizes, starts


def _prefixes(number: int) -> int:
    """How many EXTENDED_ARG an operand needs: each carries eight bits more."""
    return (number.bit_length() - 1) // 8 if number else 0


def _code(opcodes: list[int], numbers: list[int], starts: list[int]) -> bytes:
    """The code units, with caches left empty."""
    code = bytearray(2 * starts[-1])
    caches = cpython.CACHES
    for opcode, number, end in zip(opcodes, numbers, starts[1:], strict=True):
        at = 2 * (end - 1 - caches[opcode])
        code[at] = opcode
        if number < 256:
            code[at + 1] = number
            continue
        code[at + 1] = number & 255
        while number > 255:
            number >>= 8
            at -= 2
            code[at] = cpython.EXTENDED_ARG
            code[at + 1] = number & 255
    return bytes(code)


def _location_table(stretches: list[tuple[int, InstrLocation]], starts: list[int], line: int) -> bytearray:
    """`co_linetable`: one entry for each stretch of code units that come from one place."""
    table = bytearray()
    ends = [*(starts[first] for first, _ in stretches[1:]), starts[-1]]
    for (first, location), end in zip(stretches, ends, strict=True):
        if end > starts[first]:
            line = _locate(table, location, end - starts[first], line)
    return table


def _locate(table: bytearray, location: InstrLocation, units: int, line: int) -> int:
    """Write one stretch, which takes an entry for every eight units. `line` is the last entry's line; returns the next.

    The first byte is 1, four bits for the form, three for the number of units less one.
    """
    this, last, column, end = location.lineno, location.end_lineno, location.col_offset, location.end_col_offset
    if this is None:
        while units > 0:
            table.append(0xF8 | min(units, 8) - 1)  # form 15
            units -= 8
        return line
    step = this - line
    while units > 0:
        length = units - 1 if units < 8 else 7
        units -= 8
        if column is None or end is None or last is None:
            table.append(0xE8 | length)  # 13: a line
            table += _signed(step)
        elif last == this and step == 0 and column < 80 and 0 <= end - column < 16:
            table.append(0x80 | column >> 3 << 3 | length)  # 0 to 9: short
            table.append((column & 7) << 4 | end - column)
        elif last == this and 0 <= step <= 2 and column < 128 and end < 128:
            table += bytes((0xD0 + 8 * step | length, column, end))  # 10 to 12: near
        else:
            table.append(0xF0 | length)  # 14: in full
            table += _signed(step)
            table += bytes((*_varint(last - this), *_varint(column + 1), *_varint(end + 1)))
        step = 0
    return this


def _varint(value: int) -> Iterator[int]:
    """Six bits a byte, the lowest first; the seventh says that more follow."""
    while value > 63:
        yield value & 63 | 64
        value >>= 6
    yield value


def _signed(value: int) -> bytes:
    """The sign in the lowest bit."""
    return bytes(_varint(-value << 1 | 1 if value < 0 else value << 1))


def _exception_entry(start: int, end: int, target: int, region: TryBegin) -> bytes:
    """Four numbers, six bits a byte, the highest first; the eighth bit marks where an entry begins."""
    depth = region.stack_depth << 1 | region.push_lasti
    entry = bytearray(chain.from_iterable(map(_big_endian, (start, end - start, target, depth))))
    entry[0] |= 128
    return bytes(entry)


def _big_endian(value: int) -> Iterator[int]:
    for shift in range((max(value.bit_length(), 1) - 1) // 6 * 6, 0, -6):
        yield value >> shift & 63 | 64
    yield value & 63
