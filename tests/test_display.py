"""Arrays as short text."""

from __future__ import annotations

import numpy as np
import pytest

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
