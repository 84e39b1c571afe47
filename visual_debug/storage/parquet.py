"""Tables of plain columns as Parquet files, written and read without a library.

Written is what every reader understands: required columns in version 1 data pages, plain or dictionary encoded, gzipped
or not, with checksums. Read is what is written here; any other file is refused. Nothing in a file is ever executed, and
no more is taken from it than it has bytes.

Source: Apache Parquet format 2.10, https://parquet.apache.org/docs/file-format; Thrift compact protocol.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from visual_debug.errors import TraceError

MAGIC = b"PAR1"
_INT32, _DOUBLE, _BYTES = 1, 5, 6
_PLAIN, _RLE, _RLE_DICTIONARY = 0, 3, 8
_UNCOMPRESSED, _GZIP = 0, 2
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_GZIP_WINDOW = 31
#: Data that does not shrink below this part of its size is kept as it is.
_WORTH = 0.9
_SAMPLE = 2**16

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: the number of each row's text, and the texts, all different."""

    codes: Array
    entries: Sequence[str]


Column = Array | Texts


# ---- Thrift's compact protocol

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _FLOAT, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


@dataclass(frozen=True, slots=True)
class _Long:
    """An integer of 64 bits; a plain one has 32."""

    number: int


def _encoded(value: Any) -> tuple[int, bytes]:
    """The type and the bytes of a value: an int, a text, a list of one type, or a struct as fields by number."""
    if isinstance(value, _Long):
        return _I64, _zigzag(value.number)
    if isinstance(value, int):
        return _I32, _zigzag(value)
    if isinstance(value, str):
        data = value.encode()
        return _BINARY, _varint(len(data)) + data
    if isinstance(value, list):
        items = [_encoded(item) for item in value]
        kind = items[0][0] if items else _I32
        size = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + _varint(len(items))
        return _LIST, size + b"".join(data for _, data in items)
    out, last = bytearray(), 0
    for number, field in value.items():
        kind, data = _encoded(field)
        delta = number - last
        out += bytes([delta << 4 | kind]) if 0 < delta < 16 else bytes([kind]) + _zigzag(number)
        out += data
        last = number
    out.append(0)
    return _STRUCT, bytes(out)


class _Decoder:
    """Reads structs from bytes. Raises ValueError or IndexError where they are none."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def value(self, kind: int, depth: int) -> Any:
        if depth > 8:
            raise ValueError("structs within structs without end")
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in (_BYTE, _I16, _I32, _I64):
            number = self.byte() if kind == _BYTE else self.varint()
            return number >> 1 ^ -(number & 1)
        if kind == _BINARY:
            size = self.varint()
            if size > len(self.data) - self.at:
                raise ValueError("a text longer than the file")
            self.at += size
            return self.data[self.at - size : self.at]
        if kind in (_LIST, _SET):
            head = self.byte()
            size = head >> 4 if head >> 4 < 15 else self.varint()
            if size > len(self.data) - self.at:
                raise ValueError("a list longer than the file")
            return [self.value(head & 0x0F, depth + 1) for _ in range(size)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"type {kind}")

    def struct(self, depth: int = 0) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            number = number + (head >> 4) if head >> 4 else self.varint() >> 1
            fields[number] = self.value(head & 0x0F, depth)


# ---- writing


def write(path: Path, columns: Mapping[str, Column], metadata: Mapping[str, str], rows_of_group: int) -> None:
    """Write columns of equal length. Raises OSError."""
    count = len(_codes(next(iter(columns.values()))))
    schema: list[Any] = [{4: "schema", 5: len(columns)}]
    for name, column in columns.items():
        schema.append({1: _type(column), 3: 0, 4: name, **({6: 0} if isinstance(column, Texts) else {})})
    groups: list[Any] = []
    with path.open("wb") as file:
        file.write(MAGIC)
        for low in range(0, count, rows_of_group) or [0]:
            high = min(low + rows_of_group, count)
            begin = file.tell()
            chunks = [_write_chunk(file, name, column, low, high) for name, column in columns.items()]
            groups.append({1: chunks, 2: _Long(file.tell() - begin), 3: _Long(high - low)})
        pairs = [{1: key, 2: value} for key, value in metadata.items()]
        _, footer = _encoded({1: 1, 2: schema, 3: _Long(count), 4: groups, 5: pairs, 6: "visual_debug"})
        file.write(footer + struct.pack("<I", len(footer)) + MAGIC)


def _codes(column: Column) -> Array:
    return column.codes if isinstance(column, Texts) else column


def _type(column: Column) -> int:
    if isinstance(column, Texts):
        return _BYTES
    return _DOUBLE if column.dtype.kind == "f" else _INT32


def _write_chunk(file: BinaryIO, name: str, column: Column, low: int, high: int) -> dict[int, Any]:
    begin = file.tell()
    offsets: dict[int, Any] = {}
    plain = 0
    if isinstance(column, Texts):
        used, codes = np.unique(column.codes[low:high], return_inverse=True)
        entries = [column.entries[code].encode() for code in used.tolist()]
        words = b"".join(struct.pack("<I", len(entry)) + entry for entry in entries)
        plain += _write_page(file, words, _GZIP, {1: _DICTIONARY_PAGE, 7: {1: len(entries), 2: _PLAIN}})
        offsets = {11: _Long(begin)}
        width = 8 if len(entries) <= 2**8 else 16 if len(entries) <= 2**16 else 32
        eights = -(-(high - low) // 8)
        packed = np.zeros(eights * 8, f"<u{width // 8}")
        packed[: high - low] = codes.reshape(-1)
        data = bytes([width]) + _varint(eights << 1 | 1) + packed.tobytes()
        codec, encoding = _GZIP, _RLE_DICTIONARY
    else:
        data = np.ascontiguousarray(column[low:high], "<f8" if column.dtype.kind == "f" else "<i4").tobytes()
        sample = data[:_SAMPLE]
        codec = _GZIP if len(zlib.compress(sample, 1)) < _WORTH * len(sample) else _UNCOMPRESSED
        encoding = _PLAIN
    offsets = {9: _Long(file.tell()), **offsets}
    plain += _write_page(file, data, codec, {1: _DATA_PAGE, 5: {1: high - low, 2: encoding, 3: _RLE, 4: _RLE}})
    size = file.tell() - begin
    encodings = [_PLAIN, _RLE, encoding] if encoding != _PLAIN else [_PLAIN, _RLE]
    described = {
        1: _type(column), 2: encodings, 3: [name], 4: codec, 5: _Long(high - low), 6: _Long(plain), 7: _Long(size), **offsets,
    }  # fmt: skip
    return {2: _Long(begin), 3: described}


def _write_page(file: BinaryIO, data: bytes, codec: int, header: dict[int, Any]) -> int:
    """Write a page; returns how many bytes it would have uncompressed, with its header."""
    body = data
    if codec == _GZIP:
        press = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WINDOW)
        body = press.compress(data) + press.flush()
    check = zlib.crc32(body)
    sizes = {2: len(data), 3: len(body), 4: check - 2**32 if check >= 2**31 else check}
    _, head = _encoded({1: header[1], **sizes, **{k: v for k, v in header.items() if k > 4}})
    file.write(head + body)
    return len(head) + len(data)


# ---- reading


class File:
    """An open table. Raises TraceError for a file that is damaged, cut off, or of another kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                footer = self._footer(file)
        except OSError as error:
            raise TraceError(f"{path} cannot be read: {error.strerror or error}") from error
        try:
            fields = _Decoder(footer).struct()
            self.count: int = fields[3]
            self.metadata = {pair[1].decode(): pair[2].decode() for pair in fields.get(5, [])}
            self.groups: list[tuple[int, dict[str, Any]]] = [
                (group[3], {chunk[3][3][0].decode(): chunk[3] for chunk in group[1]}) for group in fields[4]
            ]
            if sum(rows for rows, _ in self.groups) != self.count or any(rows < 0 for rows, _ in self.groups):
                raise ValueError("row groups that do not add up")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self.damaged(f"its footer makes no sense ({error})") from error

    def damaged(self, why: str) -> TraceError:
        """The error for a file that is not what it should be."""
        return TraceError(f"{self.path} is no trace, or is damaged: {why}. Save the trace again")

    def _footer(self, file: BinaryIO) -> bytes:
        if self.size < 12 or file.read(4) != MAGIC:
            raise self.damaged("it is no Parquet file")
        file.seek(self.size - 8)
        length, magic = struct.unpack("<I4s", file.read(8))
        if magic != MAGIC or length > self.size - 12:
            raise self.damaged("it is cut off, or no Parquet file")
        file.seek(self.size - 8 - length)
        return file.read(length)

    def read(self, names: Iterable[str], groups: Iterable[int] | None = None) -> dict[str, Column]:
        """Some columns of some of the row groups, all by default, one after the other."""
        numbers = list(range(len(self.groups))) if groups is None else list(groups)
        try:
            with self.path.open("rb") as file:
                return {name: self._column(file, name, numbers) for name in names}
        except OSError as error:
            raise TraceError(f"{self.path} cannot be read: {error.strerror or error}") from error
        except (ValueError, LookupError, TypeError, AttributeError, struct.error, zlib.error, OverflowError) as error:
            raise self.damaged(f"{type(error).__name__}: {error}") from error

    def _column(self, file: BinaryIO, name: str, groups: list[int]) -> Column:
        parts = [self._chunk(file, self.groups[k][1][name], self.groups[k][0]) for k in groups]
        texts: dict[str, int] = {}
        codes: list[Array] = []
        for part in parts:
            if not isinstance(part, Texts):
                continue
            renumbered = np.array([texts.setdefault(text, len(texts)) for text in part.entries] or [0], np.int32)
            codes.append(renumbered[part.codes])
        if codes:
            return Texts(np.concatenate(codes), list(texts))
        arrays = [part for part in parts if not isinstance(part, Texts)]
        return np.concatenate(arrays) if arrays else np.empty(0)

    def _chunk(self, file: BinaryIO, chunk: dict[int, Any], rows: int) -> Column:
        codec = chunk[4]
        if chunk[1] != _BYTES:
            dtype = {_DOUBLE: "<f8", _INT32: "<i4"}[chunk[1]]
            header, data = self._page(file, chunk[9], codec)
            if header[1] != _DATA_PAGE or header[5][2] != _PLAIN or len(data) != rows * np.dtype(dtype).itemsize:
                raise ValueError("a page of another kind or length than was said")
            return np.frombuffer(data, dtype)
        header, words = self._page(file, chunk[11], codec)
        entries, at = [], 0
        for _ in range(header[7][1]):
            (size,) = struct.unpack_from("<I", words, at)
            if size > len(words) - at - 4:
                raise ValueError("a text longer than its page")
            entries.append(words[at + 4 : at + 4 + size].decode())
            at += 4 + size
        header, data = self._page(file, chunk[9], codec)
        if header[1] != _DATA_PAGE or header[5][2] != _RLE_DICTIONARY:
            raise ValueError("a page of another kind than was said")
        decoder = _Decoder(data)
        width, run = decoder.byte(), decoder.varint()
        if width not in (8, 16, 32) or not run & 1 or (run >> 1) * width != len(data) - decoder.at:
            raise ValueError("a page of another encoding")
        codes = np.frombuffer(data, f"<u{width // 8}", offset=decoder.at)[:rows]
        if len(codes) != rows or (rows and int(codes.max()) >= len(entries)):
            raise ValueError("numbers of texts that are not there")
        return Texts(codes.astype(np.int32), entries)

    def _page(self, file: BinaryIO, offset: int, codec: int) -> tuple[dict[int, Any], bytes]:
        """A page's header and its content, whose checksum is right."""
        if not 4 <= offset < self.size:
            raise ValueError("a page beyond the end")
        file.seek(offset)
        decoder = _Decoder(file.read(256))
        header = decoder.struct()
        file.seek(offset + decoder.at)
        if not 0 <= header[3] <= self.size - offset or header[2] < 0:
            raise ValueError("a page beyond the end")
        body = file.read(header[3])
        if zlib.crc32(body) != header[4] % 2**32:
            raise ValueError("a page whose checksum is wrong")
        if codec == _GZIP:
            opened = zlib.decompressobj(_GZIP_WINDOW)
            body = opened.decompress(body, header[2] + 1)
        elif codec != _UNCOMPRESSED:
            raise ValueError("a compression that is not used here")
        if len(body) != header[2]:
            raise ValueError("a page of another length than was said")
        return header, body
