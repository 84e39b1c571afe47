"""Where each operation is tested: points inside its domain, away from kinks."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Arguments for operations on numbers that are not happy with the default points.
SCALAR: dict[str, list[tuple[Any, ...]]] = {
    "truediv": [(3.0, 5.0), (-2.5, 0.75), (7.0, -1.5)],
    "mod": [(7.3, 2.1), (-7.3, 2.1), (7.3, -2.1)],
    "floordiv": [(7.3, 2.1), (-7.3, 2.1)],
    "pow": [(1.7, 2.3), (0.4, -1.6), (5.0, 0.5), (2.5, 3.0)],
    "math.acos": [(0.3,), (-0.8,)],
    "math.acosh": [(1.5,), (20.0,)],
    "math.asin": [(0.3,), (-0.8,)],
    "math.atanh": [(0.3,), (-0.8,)],
    "math.fma": [(1.5, -2.5, 0.5)],
    "math.fmod": [(7.3, 2.1), (-7.3, 2.1), (7.3, -2.1)],
    "math.gamma": [(0.4,), (1.46,), (5.2,), (-0.5,), (-2.3,)],
    "math.lgamma": [(0.4,), (1.46,), (12.5,), (-0.5,), (-2.3,)],
    "math.ldexp": [(0.75, 3)],
    "math.log": [(0.3,), (7.0,), (7.0, 3.0), (0.3, 0.5)],
    "math.log10": [(0.3,), (7.0,)],
    "math.log1p": [(0.3,), (-0.7,)],
    "math.log2": [(0.3,), (7.0,)],
    "math.pow": [(1.7, 2.3), (0.4, -1.6)],
    "math.remainder": [(7.3, 2.1), (-7.3, 2.1)],
    "math.sqrt": [(0.3,), (7.0,)],
    "math.nextafter": [(0.3, 1.0)],
    "int": [(2.3,), (-2.7,)],
    "bool": [(2.3,)],
    "round": [(2.3,), (-2.7,)],
    "math.isclose": [(1.0, 2.0)],
    "complex": [(1.5, -0.5)],
    "index": [],
    "contains": [],
    "len": [],
}
DEFAULT = {1: [(0.3,), (-0.8,), (2.6,)], 2: [(3.0, 5.0), (-2.5, 0.75)], 3: [(1.5, -2.5, 0.5)]}

COMPLEX = [(0.3 + 0.4j,), (-1.2 + 0.7j,), (0.6 - 2.0j,)]

A = np.array([[0.3, -1.2, 2.6], [1.7, 0.4, -0.6]])
B = np.array([[1.1, 0.7, -0.4], [-2.2, 0.9, 1.3]])
V = np.array([0.5, -1.5, 2.0])
POSITIVE = np.array([[0.3, 1.2, 2.5], [1.7, 0.4, 0.6]])
UNIT = np.array([[0.3, -0.2, 0.5], [0.7, -0.4, 0.6]])
CUBE = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.3
SQUARE = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.7], [-0.2, 0.5, 3.0]])

#: First operand of the ufuncs that need a special one.
UFUNC: dict[str, Any] = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "sqrt", "power", "float_power"), POSITIVE),
    **dict.fromkeys(("arccos", "arcsin", "arctanh"), UNIT),
    "arccosh": POSITIVE + 1,
    "where": A > 0,
}

#: op, args, keywords, operands (None: all)
FUNCTIONS: list[tuple[str, tuple[Any, ...], dict[str, Any], list[Any] | None]] = [
    *[
        (f"numpy.{name}", (CUBE,), kwargs, None)
        for name in ("sum", "mean", "prod", "max", "min", "var", "std")
        for kwargs in ({}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"keepdims": True})
    ],
    *[(f"numpy.{name}", (CUBE, 1), {}, [0]) for name in ("sum", "mean", "prod", "max", "cumsum", "cumprod")],
    *[(f"numpy.{name}", (A,), {}, None)
      for name in ("cumsum", "cumprod", "ravel", "transpose", "squeeze", "copy", "sort")],
    ("numpy.sum", (A,), {"where": A > 0}, None),
    ("numpy.mean", (A,), {"where": A > 0, "axis": 1}, None),
    ("numpy.sum", (A,), {"initial": 3.0}, None),
    ("numpy.prod", (np.array([2.0, 0.0, 3.0]),), {"initial": 2.0}, None),
    ("numpy.var", (A,), {"ddof": 1, "axis": 0}, None),
    ("numpy.std", (A,), {"ddof": 1}, None),
    ("numpy.max", (A,), {"initial": 1.0, "axis": 0}, None),
    ("numpy.cumsum", (A,), {"axis": 1}, None),
    ("numpy.cumprod", (np.array([[2.0, 0.0, 3.0], [1.0, 0.5, 4.0]]),), {"axis": 1}, None),
    ("numpy.add.reduce", (A,), {}, None),
    ("numpy.multiply.reduce", (A,), {}, None),
    ("numpy.maximum.reduce", (A, 1), {}, [0]),
    ("numpy.sum", ([1.0, 2.0, 3.0],), {}, [(0, 1)]),
    *[(f"numpy.{name}", (V, V + 1), {}, None) for name in ("dot", "inner", "outer", "vdot", "matmul")],
    *[("numpy.dot", pair, {}, None)
      for pair in ((A, B.T), (A, V), (V, A.T), (A, CUBE), (CUBE, np.full(4, 2.0)), (2.0, A), (A, 2.0))],
    *[("numpy.inner", pair, {}, None) for pair in ((A, B), (A, V), (2.0, A))],
    ("numpy.outer", (A, V), {}, None),
    *[
        ("numpy.matmul", pair, {}, None)
        for pair in ((A, B.T), (A, V), (V, A.T), (CUBE, np.ones((4, 2)) * 0.5), (A, CUBE), (CUBE, np.arange(4.0)),
                     (V, CUBE),
                     (CUBE[:, None], np.arange(40.0).reshape(5, 4, 2)))
    ],
    ("numpy.tensordot", (CUBE, CUBE.transpose(1, 2, 0)), {}, None),
    ("numpy.tensordot", (CUBE, CUBE, ([0, 2], [0, 2])), {}, [0, 1]),
    ("numpy.tensordot", (CUBE, CUBE.T, ([0, 1], [2, 1])), {}, [0, 1]),
    ("numpy.tensordot", (CUBE, CUBE.T, ([1, 0], [1, 2])), {}, [0, 1]),
    ("numpy.tensordot", (A, V), {"axes": 1}, None),
    ("numpy.einsum", ("ij,kj->ik", A, B), {}, [1, 2]),
    ("numpy.einsum", ("ij,jk", A, B.T), {}, [1, 2]),
    ("numpy.einsum", ("ij,j->", A, V), {}, [1, 2]),
    ("numpy.einsum", ("ijk,jl,k->li", CUBE, SQUARE, np.arange(4.0)), {}, [1, 2, 3]),
    ("numpy.einsum", ("ij->j", A), {}, [1]),
    *[("numpy.linalg.norm", (x,), {}, None) for x in (V, A, CUBE)],
    *[("numpy.linalg.norm", (A,), {"axis": 1, "ord": order}, None) for order in (None, 1, 2, 3, np.inf)],
    ("numpy.linalg.norm", (A, "fro"), {}, [0]),
    ("numpy.linalg.norm", (V, 2), {}, [0]),
    ("numpy.linalg.norm", (CUBE,), {"axis": (0, 2), "keepdims": True}, None),
    ("numpy.linalg.inv", (SQUARE,), {}, None),
    ("numpy.linalg.det", (SQUARE,), {}, None),
    ("numpy.linalg.det", (np.stack([SQUARE, SQUARE.T + 1]),), {}, None),
    ("numpy.linalg.solve", (SQUARE, V), {}, None),
    ("numpy.linalg.solve", (SQUARE, A.T), {}, None),
    ("numpy.trace", (SQUARE,), {}, None),
    ("numpy.trace", (CUBE, 1), {"axis1": 2, "axis2": 0}, [0]),
    ("numpy.diag", (V,), {}, None),
    ("numpy.diag", (SQUARE,), {"k": 1}, None),
    ("numpy.diagonal", (CUBE,), {"axis1": 1, "axis2": 2}, None),
    ("numpy.tril", (SQUARE,), {}, None),
    ("numpy.triu", (SQUARE, 1), {}, [0]),
    ("numpy.reshape", (CUBE, (4, 6)), {}, [0]),
    ("numpy.reshape", (CUBE, (4, 6)), {"order": "F"}, [0]),
    ("numpy.transpose", (CUBE, (2, 0, 1)), {}, [0]),
    ("numpy.swapaxes", (CUBE, 0, 2), {}, [0]),
    ("numpy.moveaxis", (CUBE, 0, 2), {}, [0]),
    ("numpy.expand_dims", (A, 1), {}, [0]),
    ("numpy.flip", (A,), {"axis": 0}, None),
    ("numpy.roll", (A, 2), {}, [0]),
    ("numpy.repeat", (A, 3), {"axis": 1}, [0]),
    ("numpy.tile", (V, (2, 2)), {}, [0]),
    ("numpy.take", (A, [0, 2, 2]), {"axis": 1}, [0]),
    ("numpy.broadcast_to", (V, (2, 3)), {}, [0]),
    ("numpy.concatenate", ([A, B],), {"axis": 1}, [(0, 0), (0, 1)]),
    ("numpy.concatenate", ((V, np.ones(2)),), {}, [(0, 0), (0, 1)]),
    ("numpy.stack", ([V, V + 1],), {"axis": 1}, [(0, 0), (0, 1)]),
    ("numpy.vstack", ([V, V + 1],), {}, [(0, 1)]),
    ("numpy.hstack", ([V, np.ones(1)],), {}, [(0, 0), (0, 1)]),
    ("numpy.array", ([[1.0, 2.0], [3.0, 4.0]],), {}, [(0, 0, 1), (0, 1, 0)]),
    ("numpy.array", ([1.5, 2.5], float), {}, [(0, 1)]),
    ("numpy.array", ([V, V + 1],), {}, [(0, 1)]),
    ("numpy.asarray", (A,), {}, None),
    ("numpy.full", ((2, 3), 1.5), {}, [1]),
    ("numpy.sort", (A,), {"axis": 0}, None),
    ("numpy.sort", (A,), {"axis": None}, None),
    ("numpy.clip", (A, -0.5, 1.0), {}, None),
    ("numpy.clip", (A,), {"min": 0.0}, None),
    ("numpy.clip", (A, None, 0.5), {}, [0, 2]),
    ("numpy.clip", (A, np.zeros(3), 1.0), {}, None),
    ("numpy.astype", (A, np.float64), {}, [0]),
    ("numpy.sinc", (A,), {}, None),
    ("numpy.exp", ([0.5, 1.5],), {}, [(0, 1)]),
]  # fmt: skip
