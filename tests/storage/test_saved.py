"""Traces on disk: everything comes back, other readers see it, and a damaged file is an error and nothing else."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import math
import os
import random
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import visual_debug as vd
from tests.programs import CASES
from visual_debug.columns import MISSING
from visual_debug.storage import parquet, plain, saved


def logistic(x, r, n):
    for _ in range(n):
        x = r * x * (1 - x)
    return x


def alike(a, b):
    return (
        a is b
        or type(a) is type(b)
        and (repr(a) == repr(b) or isinstance(b, plain.Unloaded))
        or isinstance(b, plain.Unloaded)
    )


def assert_same_trace(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert (x.op, x.name, x.operands, x.source, x.function, x.call) == (
            y.op, y.name, y.operands, y.source, y.function, y.call,
        )  # fmt: skip
        assert alike(x.value, y.value) and x.raised == y.raised
    columns, loaded = a._columns, b._columns
    assert columns.calls.keys() == loaded.calls.keys()
    assert columns.activations == loaded.activations
    assert repr(a._replayed.inputs) == repr(b._replayed.inputs)
    assert repr(a._replayed.result) == repr(b._replayed.result)
    assert (a.function, a.truncated, type(a.exception)) == (b.function, b.truncated, type(b.exception))


def asked(trace):
    """What a trace answers: the derivative or the refusal, and what can be drawn."""
    try:
        gradient = repr(trace.grad())
    except vd.VisualDebugError as error:
        gradient = str(error)
    return gradient, str(trace), [s.title for s in trace.steps()], repr(trace.first_nonfinite())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_program_of_the_corpus_comes_back(case, tmp_path):
    traced = vd.visual_debug(case.function)
    with contextlib.suppress(Exception):  # the program's own
        result = traced(*copy.deepcopy(case.args))
        if hasattr(result, "__next__"):
            list(result)
    try:
        trace = traced.trace
        len(trace)
    except vd.VisualDebugError:
        return
    loaded = vd.load(trace.save(tmp_path / "t.parquet"))
    assert_same_trace(trace, loaded)
    if all(not isinstance(node.value, plain.Unloaded) for node in loaded):
        assert asked(loaded) == asked(trace)


def test_a_loaded_trace_answers_without_the_code(tmp_path):
    (tmp_path / "model.py").write_text(
        "import math\n\ndef loss(x, y):\n    z = x * y\n    return math.sin(z) + z ** 2\n", encoding="utf-8"
    )
    save = (
        "import sys; sys.path.insert(0, '.'); import model, visual_debug as vd;"
        "t = vd.trace(model.loss, 0.5, 2.0); t.save('t.parquet'); print(t); print(t.grad())"
    )
    made = subprocess.run([sys.executable, "-c", save], cwd=tmp_path, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})  # fmt: skip
    (tmp_path / "model.py").unlink()
    trace = vd.load(tmp_path / "t.parquet")
    assert f"{trace}\n{trace.grad()}\n" == made.stdout
    assert trace.result == math.sin(1.0) + 1.0
    (z,) = trace.find(name="z")
    assert (z.source.text, z.source.line, z.function) == ("x * y", 4, "loss")
    assert len(trace.slice(z)) == 3 and trace.slice(z).grad() == {"x": 2.0, "y": 0.5}
    assert trace.graph.number_of_nodes() == len(trace)
    assert trace.export(tmp_path / "t.dot").read_text(encoding="utf-8").startswith("digraph")
    assert_same_trace(trace, vd.load(trace.save(tmp_path / "again.parquet")))


def test_arrays_keep_their_order_in_memory(tmp_path):
    def f(a, c):
        return np.asfortranarray(a).ravel("K") @ np.arange(6.0) + np.transpose(c, (2, 0, 1)).ravel("K") @ np.arange(
            24.0
        )

    trace = vd.trace(f, np.arange(6.0).reshape(2, 3), np.arange(24.0).reshape(2, 3, 4))
    loaded = vd.load(trace.save(tmp_path / "f.parquet"))
    for name, gradient in trace.grad().items():
        np.testing.assert_array_equal(loaded.grad(name), gradient)
    assert trace.grad("a").tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]


def test_arrays_keep_every_byte(tmp_path):
    def f(a):
        b = np.sin(a) @ a
        a[0, 0] = 3.0
        return b + np.sum(a, axis=0), np.float32(2.0)

    a = np.array([[0.1, np.nan], [-0.0, np.inf]])
    trace = vd.trace(f, a)
    loaded = vd.load(trace.save(tmp_path / "t.parquet"))
    assert len(trace) == len(loaded)
    for x, y in zip(trace, loaded, strict=True):
        assert type(x.value) is type(y.value)
        assert np.asarray(x.value).tobytes() == np.asarray(y.value).tobytes()
    assert (
        trace.grad(of=0, seed=np.ones((2, 2)))["a"].tobytes() == loaded.grad(of=0, seed=np.ones((2, 2)))["a"].tobytes()
    )


@pytest.mark.parametrize(
    "value",
    [
        None, True, "é\n", 0, -(2**70), 0.1, -0.0, math.inf, 1e-320, 1 + 2j, complex(math.nan, -0.0), Decimal("1.10"),
        Fraction(1, 3), [1, (2.0, [])], {"a": {1: (2,)}, (1, 2): None}, slice(1, None, 2), MISSING, np.float32(0.1),
        np.array(["2.5", "1"], dtype=np.float16), np.zeros((0, 3)), np.arange(6).reshape(2, 3)[:, ::-1], np.bool_(True),
    ],
    ids=repr,
)  # fmt: skip
def test_values_come_back_as_they_were(value):
    loaded = plain.loads(plain.dumps(value))
    assert type(loaded) is type(value)
    assert repr(loaded) == repr(value)
    if isinstance(value, np.ndarray):
        assert (loaded.dtype, loaded.shape) == (value.dtype, value.shape)


def test_objects_that_are_not_saved_say_what_they_were(tmp_path):
    class Thing:
        def __repr__(self):
            return "a thing"

    def f(x):
        return x * 2.0, Thing()

    loaded = vd.load(vd.trace(f, 1.5).save(tmp_path / "t.parquet"))
    assert loaded.result[0] == 3.0 and repr(loaded.result[1]) == "a thing"


def test_part_of_a_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(saved, "_ROWS_OF_GROUP", 100)
    trace = vd.trace(logistic, 0.3, 3.9, 500)  # chaotic: all values are different
    path = trace.save(tmp_path / "t.parquet")
    read = []
    original = parquet.File._page
    monkeypatch.setattr(
        parquet.File,
        "_page",
        lambda self, file, offset, codec: read.append(offset) or original(self, file, offset, codec),
    )
    part = vd.load(path, slice(700, 720))
    pages = len(read)
    assert_same_trace(trace, vd.load(path))
    assert pages * 4 < len(read) - pages
    inner = [node for node in part if node.op not in ("input", "const")]
    assert [n.value for n in part][-20:] == [n.value for n in trace[700:720]]
    assert part.result == trace[719].value
    assert all(part[o].value == trace[p].value for n, m in zip(inner[-20:], trace[700:720], strict=True)
               for o, p in zip(n.operands, m.operands, strict=True))  # fmt: skip
    tangents = {n.value: n.adjoint for n in trace.slice(719) if n.operands}
    assert part.inputs == {} and part[-1].adjoint == 1.0
    reached = [n for n in inner if n.adjoint is not None]
    assert len(reached) > 15 and all(n.adjoint == tangents[n.value] for n in reached)
    for wrong in (slice(5, 5), slice(5000, 6000), slice(0, 10, 2)):
        with pytest.raises(vd.TraceError, match="no nodes"):
            vd.load(path, wrong)


def metadata(about):
    text = json.dumps(about)
    return {"visual_debug": text, "visual_debug.sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_damaged_files_are_refused(tmp_path):
    trace = vd.trace(logistic, 0.3, 3.2, 60)
    path = trace.save(tmp_path / "t.parquet")
    whole = path.read_bytes()
    rng = random.Random(1)
    wrong = 0
    for size in [0, 3, 11, 12, *rng.sample(range(len(whole)), 20)]:
        path.write_bytes(whole[:size])
        with pytest.raises(vd.TraceError, match=r"t\.parquet"):
            vd.load(path)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 5])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            loaded = vd.load(path)
        except vd.TraceError:
            wrong += 1
        else:  # it was something that is only there for other readers
            assert_same_trace(trace, loaded)
    assert wrong > 150


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "t.parquet"
    for content in (b"", b"PAR1", b"text\n" * 100, b"PAR1" + b"\0" * 100 + b"PAR1", b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(vd.TraceError):
            vd.load(path)
    with pytest.raises(vd.TraceError, match="cannot be read"):
        vd.load(tmp_path / "none.parquet")
    with pytest.raises(vd.TraceError, match="cannot be written"):
        vd.trace(logistic, 0.3, 3.2, 1).save(tmp_path / "no" / "folder.parquet")
    parquet.write(path, {"x": np.arange(3, dtype=np.int32)}, {}, 10)
    with pytest.raises(vd.TraceError, match="another program"):
        vd.load(path)
    parquet.write(path, {"x": np.arange(3, dtype=np.int32)}, metadata({"schema": 99}), 10)
    with pytest.raises(vd.TraceError, match="newer version"):
        vd.load(path)


@pytest.mark.parametrize("change", [
    {"inputs": "[5000]"}, {"outputs": "{}"}, {"kinds": [["add", 900]]}, {"sites": []}, {"activations": []},
    {"result": "{\"object\": 3, \"x\": 1}", "kinds": None}, {"inputs": '{"__reduce__": 1}'}, {"schema": "1"},
])  # fmt: skip
def test_contents_that_make_no_sense_are_refused(change, tmp_path):
    path = vd.trace(logistic, 0.3, 3.2, 5).save(tmp_path / "t.parquet")
    file = parquet.File(path)
    about = json.loads(file.metadata["visual_debug"]) | change
    table = file.read(["op", *saved._NEEDED])
    parquet.write(path, table, metadata(about), 100)
    with pytest.raises(vd.TraceError):
        vd.load(path)


def test_operands_out_of_order_are_refused(tmp_path):
    path = vd.trace(logistic, 0.3, 3.2, 5).save(tmp_path / "t.parquet")
    file = parquet.File(path)
    table = file.read(["op", *saved._NEEDED])
    table["x"] = table["x"].copy()
    table["x"][5] = 7
    parquet.write(path, table, file.metadata, 100)
    with pytest.raises(vd.TraceError, match="not before it"):
        vd.load(path)


def test_traces_that_raised_were_cut_off_or_sliced(tmp_path):
    def f(x):
        return 1.0 / (x - x)

    traced = vd.visual_debug(f)
    with pytest.raises(ZeroDivisionError):
        traced(2.0)
    loaded = vd.load(traced.trace.save(tmp_path / "a.parquet"))
    assert isinstance(loaded.exception, ZeroDivisionError) and str(loaded.exception) == str(traced.trace.exception)
    assert loaded[-1].raised
    with pytest.raises(vd.TraceError, match="raised ZeroDivisionError"):
        loaded.grad()
    limited = vd.visual_debug(limit=50)(logistic)
    limited(0.3, 3.2, 100)
    loaded = vd.load(limited.trace.save(tmp_path / "b.parquet"))
    assert loaded.truncated
    with pytest.raises(vd.TraceError, match="limit of 50"):
        loaded.grad()
    trace = vd.trace(logistic, 0.3, 3.2, 4)
    part = trace.slice(trace.find(name="x")[-2])
    loaded = vd.load(part.save(tmp_path / "c.parquet"))
    assert loaded.result == part.result and loaded.grad() == part.grad()


@pytest.mark.parametrize("reader", ["pyarrow", "polars", "duckdb", "pandas"])
def test_others_read_it(reader, tmp_path):
    pytest.importorskip(reader)
    if reader == "pandas":
        pytest.importorskip("pyarrow")
    trace = vd.trace(logistic, 0.3, 3.9, 300)
    path = trace.save(tmp_path / "t.parquet")
    if reader == "pyarrow":
        import pyarrow.parquet

        table = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
        rows = [table[name].to_pylist() for name in ("op", "value", "x")]
    elif reader == "polars":
        import polars

        frame = polars.read_parquet(path)
        rows = [frame[name].to_list() for name in ("op", "value", "x")]
    elif reader == "duckdb":
        import duckdb

        found = duckdb.sql(f"select op, value, x from '{path}'").fetchall()
        rows = [list(column) for column in zip(*found, strict=True)]
    else:
        import pandas

        frame = pandas.read_parquet(path)
        rows = [frame[name].tolist() for name in ("op", "value", "x")]
    assert rows[0] == [n.op for n in trace]
    assert rows[1] == [float(n.value) for n in trace]
    assert rows[2] == [n.operands[0] if n.operands else -1 for n in trace]


def test_twelve_bytes_an_operation_do(tmp_path):
    trace = vd.trace(logistic, 0.3, 3.99, 20_000)
    path = trace.save(tmp_path / "t.parquet")
    assert path.stat().st_size <= 12 * len(trace)


def test_named_tuples_keep_their_items(tmp_path):
    def first_component(a):
        values, vectors = np.linalg.eigh(a)
        return values[0] * vectors[0, 1] ** 2

    trace = vd.trace(first_component, np.array([[2.0, 0.5], [0.5, 3.0]]))
    loaded = vd.load(trace.save(tmp_path / "t"))
    assert np.array_equal(loaded.grad("a"), trace.grad("a"))
    assert [repr(node.value) for node in loaded] == [repr(node.value) for node in trace]


def test_an_ellipsis_in_an_index_is_saved(tmp_path):
    def corner(a):
        b = a * 2
        b[..., 0] += b[..., 1]
        return b[0, ...].sum() * b[..., -1][0]

    trace = vd.trace(corner, np.array([[1.5, 2.0], [0.5, 3.0]]))
    loaded = vd.load(trace.save(tmp_path / "t"))
    assert np.array_equal(loaded.grad("a"), trace.grad("a"))
