"""Values as short text: arrays, and numbers that are longer than the interpreter writes."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import numpy as np
import pytest

import visual_debug as vd
from visual_debug.display import value_text

MANY = np.linspace(-1.0, 3.0, 9)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([1.5, 2.0]), "[1.5 2]"),
        (np.array([[1, 2], [3, 4]]), "[[1 2] [3 4]]"),
        (np.array([True, False]), "[True False]"),
        (np.array([1 + 2j]), "[1+2j]"),
        (np.array(2.5), "2.5"),
        (np.float32(0.1), "0.1"),
        (MANY, "float64[9] -1…3 mean 1"),
        (MANY.reshape(3, 3).astype(np.float32), "float32[3×3] -1…3 mean 1"),
        (np.arange(12).reshape(3, 4), "int64[3×4] 0…11 mean 5.5"),
        (np.where(MANY > 1, np.nan, MANY), "float64[9] -1…1 mean 0, 4 NaN"),
        (np.where(MANY > 2, -np.inf, MANY), "float64[9] -1…2 mean 0.5, 2 inf"),
        (np.full(8, np.nan), "float64[8] 8 NaN"),
        (MANY > 0, "bool[9] 6 True"),
        (MANY * 1j, "complex128[9] |z| 0…3 mean 1.33333"),
        (np.zeros((0, 3)), "float64[0×3]"),
        (np.array([None, "x"], dtype=object), "object[2]"),
        (np.zeros(2, dtype=[("a", float), ("b", int)]), "structured[2]"),
        (np.array(["a", "b"]), "<U1[2]"),
        (np.ma.masked_array(MANY, MANY > 0), "masked float64[9]"),
        (np.array([np.float16(60000)] * 9), "float16[9] 60000…60000 mean 60000"),
    ],
)
def test_arrays(value: object, text: str) -> None:
    assert value_text(value) == text


LONG = {
    "an integer": lambda n: 3**n + 1,
    "a fraction": lambda n: Fraction(3**n, 7**n) * 2,
    "between floats": lambda n: (3**n) % 97 * 1.5,
}


@pytest.mark.parametrize("program", LONG.values(), ids=LONG)
def test_integers_longer_than_the_interpreter_writes(program, tmp_path):
    trace = vd.trace(program, 20_000)
    for text in (str(trace), repr(trace), trace.code(), str(trace.why()), str(trace.what_if()), str(trace.nonfinite())):
        assert text
    for method in ("rounding", "condition", "gradient_health", "cancellations"):
        with contextlib.suppress(vd.NoDerivativeError):
            assert str(getattr(trace, method)())
    assert [node.pullback_values for node in trace]
    for suffix in ("svg", "html", "json", "graphml", "tex", "mmd"):
        assert trace.export(tmp_path / f"x.{suffix}").stat().st_size
    loaded = vd.load(trace.save(tmp_path / "x.trace"))
    assert loaded[len(loaded) - 1].value == trace.result


@pytest.mark.filterwarnings("error")
def test_types_as_arguments_and_complex_scalars(tmp_path):
    def spectrum(x):
        found = np.empty(3, dtype=np.complex64, order="F")
        found[:] = np.fft.fft(x)
        return found[1]

    trace = vd.trace(spectrum, np.array([1.0, 2.0, 4.0]))
    assert value_text(np.complex64) == "complex64"
    for suffix in ("tex", "html", "json", "svg"):
        assert trace.export(tmp_path / f"x.{suffix}").stat().st_size


def test_an_object_whose_repr_raises_is_shown_by_its_class(tmp_path):
    class Broken:
        def __init__(self, x):
            self.x = x

        def __repr__(self):
            return self.nothing

    trace = vd.trace(lambda x: Broken(x * 2), 1.5)
    assert "<Broken>" in repr(trace)
    assert trace.export(tmp_path / "t.json").exists()
    assert vd.load(trace.save(tmp_path / "t.trace")).find(op="*")[0].value == 3.0
