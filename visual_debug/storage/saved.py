"""Traces on disk: one Parquet file with a row per node, which pandas, polars and DuckDB read without this package.

The columns are `op`, `value` (as a float, NaN where it is none), `type` (`float`, `int`, `bool`, `other`), `other` (JSON
of other values), `name`, `x` and `y` (the rows of the first two operands, -1 where there are none), `more` (JSON list of
the others), `arguments` (JSON, of calls that are more than their operands), `call` (which activation), `kind` (which
operation at which place), and for reading `function`, `file`, `line` and `expression`. What there is once (places with
their source text, activations, arguments, result) is in the file's metadata under the key `visual_debug`.

A loaded trace needs neither the traced code nor its source, and loading runs nothing.
"""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from visual_debug.columns import Activation, Call, Columns
from visual_debug.errors import TraceError
from visual_debug.numeric import Numbers, plain_values, view
from visual_debug.replaying.replay import Replayed
from visual_debug.storage import parquet, plain
from visual_debug.storage.parquet import Array, Texts
from visual_debug.tracing.tape import Site

if TYPE_CHECKING:
    from visual_debug.traces import Trace

#: Changes when an older version could not read what is written.
SCHEMA = 1
_KEY = "visual_debug"
_CHECK = "visual_debug.sha256"
_ROWS_OF_GROUP = 2**17
_TYPES = ("float", "int", "bool", "other")
_FLOAT, _INT, _BOOL, _OTHER = range(4)
_NEEDED = ("value", "type", "other", "name", "x", "y", "more", "arguments", "call", "kind")


@dataclass(frozen=True, slots=True)
class Code:
    """What is known of the traced function."""

    co_qualname: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """Stands for the plan of a trace that was loaded."""

    code: Code
    yields: bool


@dataclass(frozen=True, slots=True)
class SavedTape:
    """Stands for the tape of a trace that was loaded: what is asked of one besides its columns."""

    plan: SavedPlan
    result: Any
    exception: BaseException | None
    truncated: bool
    limit: int
    last: int
    beginning: Any


# ---- saving


def save(path: Path, trace: Trace) -> None:
    """Write a trace. Raises TraceError if the file cannot be written."""
    columns, tape, replayed = trace._columns, trace._tape, trace._replayed
    sites = {id(site): number for number, site in enumerate(dict.fromkeys(columns.site.entries))}
    places = list(dict.fromkeys(columns.site.entries))
    functions: dict[str, int] = {}
    codes = [functions.setdefault(a.function, len(functions)) for a in columns.activations]
    error = tape.exception
    about = {
        "schema": SCHEMA,
        "function": trace.function,
        "yields": tape.plan.yields,
        "result": _whole(trace.result),
        "exception": None if error is None else [type(error).__name__, str(error)],
        "truncated": tape.truncated,
        "limit": tape.limit,
        "last": tape.last,
        "begins_late": tape.beginning is not None,
        "inputs": plain.dumps(replayed.inputs),
        "outputs": plain.dumps(replayed.result),
        "sliced": replayed.sliced,
        "kinds": [[op, sites[id(site)]] for op, site in zip(columns.op.entries, columns.site.entries, strict=True)],
        "sites": [[s.file, s.function, s.line, s.end_line, s.column, s.end_column, s.text] for s in places],
        "functions": list(functions),
        "activations": codes,
        "callers": [-1 if a.caller is None else a.caller for a in columns.activations],
    }
    text = json.dumps(about, separators=(",", ":"))
    try:
        parquet.write(path, _table(columns), {_KEY: text, _CHECK: _checksum(text)}, _ROWS_OF_GROUP)
    except OSError as problem:
        raise TraceError(f"{path} cannot be written: {problem.strerror or problem}") from problem


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _whole(value: Any) -> str:
    """A result with all that is in it or, if that leads back to itself, as it looks."""
    try:
        return plain.dumps(value)
    except RecursionError:
        return plain.dumps(plain.Unloaded(f"<{type(value).__name__}>"))


def _table(columns: Columns) -> dict[str, parquet.Column]:
    n = len(columns)
    kind, start, operand = view(columns.kind), view(columns.start), view(columns.operand)
    sizes = np.diff(start)
    x, y = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    x[sizes > 0] = operand[start[:-1][sizes > 0]]
    y[sizes > 1] = operand[start[:-1][sizes > 1] + 1]
    more = {node: json.dumps(columns.operands(node)[2:]) for node in np.flatnonzero(sizes > 2).tolist()}
    value, types, other = _values(columns.value)
    sites = columns.site.entries
    arguments = {node: _arguments(call) for node, call in columns.calls.items()}
    return {
        "op": _by_kind(kind, columns.op.entries),
        "value": value,
        "type": Texts(types, _TYPES),
        "other": _sparse(n, other),
        "name": _texts([name or "" for name in columns.name]),
        "x": x,
        "y": y,
        "more": _sparse(n, more),
        "arguments": _sparse(n, arguments),
        "call": view(columns.activation),
        "kind": kind,
        "function": _by_kind(kind, [site.function for site in sites]),
        "file": _by_kind(kind, [site.file for site in sites]),
        "line": np.array([site.line or 0 for site in sites] or [0], np.int32)[kind],
        "expression": _by_kind(kind, [site.text for site in sites]),
    }


def _values(values: Sequence[Any]) -> tuple[Array, Array, dict[int, str]]:
    """Values as floats, what type each is, and those that no float stands for."""
    floats, _ = plain_values(values)
    types = np.zeros(len(values), np.uint8)
    odd = np.flatnonzero((floats == np.rint(floats)) | ~np.isfinite(floats))
    other: dict[int, str] = {}
    for node in odd.tolist():
        value = values[node]
        kind = type(value)
        if kind is float:
            continue
        if kind is bool or (kind is int and abs(value) <= 2**53):
            types[node] = _BOOL if kind is bool else _INT
        else:
            types[node] = _OTHER
            other[node] = _whole(value)
    return floats, types, other


def _arguments(call: Call) -> str:
    """The arguments of a call; operands that stand there by themselves are left to the nodes."""
    args = [None if i in call.where else arg for i, arg in enumerate(call.args)]
    return _whole((args, call.kwargs, list(call.where)))


def _by_kind(kind: Numbers, entries: list[str]) -> Texts:
    texts: dict[str, int] = {}
    codes = np.array([texts.setdefault(entry, len(texts)) for entry in entries] or [0], np.int32)
    return Texts(codes[kind], list(texts))


def _texts(entries: list[str]) -> Texts:
    texts: dict[str, int] = {text: number for number, text in enumerate(dict.fromkeys(entries))}
    return Texts(np.fromiter(map(texts.__getitem__, entries), np.int32, len(entries)), list(texts))


def _sparse(n: int, entries: dict[int, str]) -> Texts:
    """A column of texts that is empty but for some rows."""
    texts = {"": 0}
    codes = np.zeros(n, np.int32)
    for node, entry in entries.items():
        codes[node] = texts.setdefault(entry, len(texts))
    return Texts(codes, list(texts))


# ---- loading


def load(path: Path, nodes: slice | None = None) -> tuple[SavedTape, Replayed]:
    """Read a trace, or some of its nodes without reading it all.

    With `nodes` (ids from start to stop), operands from before those are leaves, and the result is the last of them.
    Raises TraceError for a file that is damaged, cut off, of another kind, or of a newer version.
    """
    file = parquet.File(path)
    if _KEY not in file.metadata:
        raise file.damaged("another program has written it")
    try:
        if file.metadata[_CHECK] != _checksum(file.metadata[_KEY]):
            raise ValueError("a checksum that is wrong")
        about = json.loads(file.metadata[_KEY])
        if about["schema"] > SCHEMA:
            raise TraceError(f"{path} was saved by a newer version of visual_debug: install that to load it")
        tape = SavedTape(
            SavedPlan(Code(about["function"]), about["yields"]),
            plain.loads(about["result"]),
            _exception(about["exception"]),
            about["truncated"],
            about["limit"],
            about["last"],
            True if about["begins_late"] else None,
        )
        sites = [Site(s[0], s[1], (s[2], s[3], s[4], s[5]), s[6]) for s in about["sites"]]
        columns = Columns(
            [
                Activation(index, about["functions"][code], None if caller < 0 else caller)
                for index, (code, caller) in enumerate(zip(about["activations"], about["callers"], strict=True))
            ]
        )
        kinds = np.array([columns.kind_of(op, sites[site]) for op, site in about["kinds"]], np.int32)
        if nodes is not None:
            first, last, step = nodes.indices(file.count)
            if step != 1 or last <= first:
                raise TraceError(f"nodes={nodes}: no nodes of the {file.count} in {path}")
            kept = _load_part(file, columns, kinds, first, last)
            columns.check()
            return tape, Replayed(columns, {}, kept - 1, sliced=True)
        _fill(columns, kinds, file.read(_NEEDED))
        columns.check()
        replayed = Replayed(columns, plain.loads(about["inputs"]), plain.loads(about["outputs"]), about["sliced"])
        if type(replayed.inputs) is not dict:
            raise ValueError("arguments without names")
        if not all(type(node) is int and 0 <= node < len(columns) for node in _ids((replayed.inputs, replayed.result))):
            raise ValueError("arguments or results that are no nodes")
        return tape, replayed
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise file.damaged(f"{type(error).__name__}: {error}") from error


def _ids(structure: Any) -> list[Any]:
    """The node ids in nested tuples, lists and dicts."""
    found, work = [], [structure]
    while work:
        item = work.pop()
        if isinstance(item, (tuple, list)):
            work.extend(item)
        elif isinstance(item, dict):
            work.extend(item.values())
        elif item is not None:
            found.append(item)
    return found


def _exception(saved: list[str] | None) -> BaseException | None:
    """The exception that a call ended with: one of Python's own by its name, others as a plain one that says it."""
    if saved is None:
        return None
    name, text = saved
    kind = getattr(builtins, name, None)
    if (
        isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, (UnicodeError, BaseExceptionGroup))
    ):
        return kind(text)
    return Exception(f"{name}: {text}")


def _fill(columns: Columns, kinds: Numbers, table: dict[str, Any]) -> None:
    """Put the rows of a file into columns."""
    columns.kind.frombytes(_bytes(kinds[table["kind"]]))
    columns.activation.frombytes(_bytes(table["call"]))
    columns.value.extend(_load_values(table))
    names = np.array([text or None for text in table["name"].entries] or [None], object)
    columns.name.extend(names[table["name"].codes].tolist())
    _fill_operands(columns, table)
    calls: dict[int, Call] = {}
    for node in np.flatnonzero(_is_given(table["arguments"])).tolist():
        code = int(table["arguments"].codes[node])
        if code not in calls:
            args, kwargs, where = plain.loads(table["arguments"].entries[code])
            calls[code] = Call(tuple(args), kwargs, tuple(where))
        columns.calls[node] = calls[code]
    if len(table["call"]) and not 0 <= table["call"].min() <= table["call"].max() < len(columns.activations):
        raise ValueError("nodes of activations that are not there")


def _fill_operands(columns: Columns, table: dict[str, Any]) -> None:
    x, y = table["x"], table["y"]
    rest: dict[int, list[int]] = {}
    sizes = (x >= 0).astype(np.int32) + (y >= 0)
    for node in np.flatnonzero(_is_given(table["more"])).tolist():
        rest[node] = json.loads(table["more"].entries[table["more"].codes[node]])
        sizes[node] += len(rest[node])
    ends = np.cumsum(sizes, dtype=np.int32)
    operand = np.empty(int(ends[-1]) if len(ends) else 0, np.int32)
    begin = ends - sizes
    operand[begin[x >= 0]] = x[x >= 0]
    operand[begin[y >= 0] + 1] = y[y >= 0]
    for node, operands in rest.items():
        operand[begin[node] + 2 : ends[node]] = operands
    columns.start.frombytes(_bytes(ends))
    columns.operand.frombytes(_bytes(operand))


def _bytes(numbers: Array) -> bytes:
    return np.ascontiguousarray(numbers, np.int32).tobytes()


def _is_given(column: Texts) -> Array:
    """Which rows have a text."""
    given = np.array([bool(entry) for entry in column.entries] or [False])
    return given[column.codes]


def _load_values(table: dict[str, Any]) -> list[Any]:
    floats, types = table["value"], table["type"]
    numbers = np.array([_TYPES.index(entry) for entry in types.entries] or [0])[types.codes]
    values: list[Any] = floats.tolist()
    for node in np.flatnonzero(numbers).tolist():
        kind = numbers[node]
        if kind == _OTHER:
            values[node] = plain.loads(table["other"].entries[table["other"].codes[node]])
        else:
            values[node] = bool(values[node]) if kind == _BOOL else int(values[node])
    return values


def _load_part(file: parquet.File, columns: Columns, kinds: Numbers, first: int, last: int) -> int:
    """Put the nodes from `first` to `last` into columns, behind leaves for what they read; returns how many there are."""
    rows = np.cumsum([0, *(count for count, _ in file.groups)])

    def taken(ids: Array) -> dict[str, Any]:
        numbers: list[int] = np.unique(np.searchsorted(rows, ids, side="right") - 1).tolist()
        table = file.read(_NEEDED, numbers)
        offset = np.concatenate([np.arange(rows[k], rows[k + 1]) for k in numbers])
        at = np.searchsorted(offset, ids)
        return {
            name: Texts(column.codes[at], column.entries) if isinstance(column, Texts) else column[at]
            for name, column in table.items()
        }

    inside = Columns(columns.activations)
    for op, site in zip(columns.op.entries, columns.site.entries, strict=True):
        inside.kind_of(op, site)
    _fill(inside, kinds, taken(np.arange(first, last)))
    operand = view(inside.operand)
    if operand.size and (operand.min() < 0 or operand.max() >= last):
        raise ValueError("operands that are not there")
    outside = np.unique(operand[operand < first])
    if outside.size:
        leaves = taken(outside)
        rows_of_leaves = zip(
            kinds[leaves["kind"]].tolist(),
            _load_values(leaves),
            leaves["call"].tolist(),
            (leaves["name"].entries[code] for code in leaves["name"].codes.tolist()),
            strict=True,
        )
        for code, value, activation, name in rows_of_leaves:
            op, site = columns.op.entries[code], columns.site.entries[code]
            columns.add(op if op == "const" else "input", site, value, [], activation, name or site.text or None)
    base = len(outside)
    ids = np.where(operand < first, np.searchsorted(outside, operand), operand - first + base)
    columns.kind.extend(inside.kind)
    columns.value.extend(inside.value)
    columns.name.extend(inside.name)
    columns.activation.extend(inside.activation)
    columns.start.extend(inside.start[1:])
    columns.operand.frombytes(_bytes(ids))
    columns.calls.update((node + base, call) for node, call in inside.calls.items())
    return len(columns)
