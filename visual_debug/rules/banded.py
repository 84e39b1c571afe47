"""The rule of `scipy.linalg.solve_banded`: the adjoint solves the transposed system, in bands as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from visual_debug.rules.base import NoPartial, Rule
from visual_debug.rules.functions import FunctionRule


def _diagonals(l_and_u: Any, ab: Any) -> Iterator[tuple[int, int, slice, slice]]:
    """Of each diagonal: its row among the bands, that in the transposed matrix's, its columns, and its matrix's rows."""
    low, up = l_and_u
    count = np.shape(ab)[1]
    for d in range(-up, low + 1):  # row minus column
        columns = slice(max(0, -d), max(min(count, count - d), max(0, -d)))
        yield up + d, low - d, columns, slice(columns.start + d, columns.stop + d)


def _adjoint(delta: Any, z: Any, l_and_u: Any, ab: Any) -> Any:
    low, up = l_and_u
    ab = np.asarray(ab)
    turned = np.zeros_like(ab)
    for row, across, columns, rows in _diagonals(l_and_u, ab):
        turned[across, rows] = ab[row, columns]
    return scipy.linalg.solve_banded((up, low), turned, np.broadcast_to(delta, np.shape(z)))


def _pull_form(*_: Any, **__: Any) -> Any:
    raise NoPartial("the counts of diagonals say how, not how much")


def _pull_ab(delta: Any, z: Any, l_and_u: Any, ab: Any, b: Any, *rest: Any, **how: Any) -> Any:
    turned = _adjoint(delta, z, l_and_u, ab)
    found = np.zeros(np.shape(ab), turned.dtype)
    for row, _, columns, rows in _diagonals(l_and_u, ab):
        product = -turned[rows] * z[columns]
        found[row, columns] = product if product.ndim == 1 else product.sum(axis=1)
    return found


def _pull_b(delta: Any, z: Any, l_and_u: Any, ab: Any, b: Any, *rest: Any, **how: Any) -> Any:
    return _adjoint(delta, z, l_and_u, ab)


def _push_ab(tangent: Any, z: Any, l_and_u: Any, ab: Any, b: Any, *rest: Any, **how: Any) -> Any:
    moved = np.zeros(np.shape(z), np.result_type(tangent, z))
    for row, _, columns, rows in _diagonals(l_and_u, ab):
        change = np.asarray(tangent)[row, columns]
        moved[rows] -= (change if np.ndim(z) == 1 else change[:, None]) * z[columns]
    return scipy.linalg.solve_banded(l_and_u, ab, moved)


def _push_b(tangent: Any, z: Any, l_and_u: Any, ab: Any, b: Any, *rest: Any, **how: Any) -> Any:
    return scipy.linalg.solve_banded(l_and_u, ab, tangent)


_RULE = FunctionRule(
    "scipy.linalg.solve_banded", [_pull_form, _pull_ab, _pull_b], [_pull_form, _push_ab, _push_b],
    texts=["0", "pull_solve_banded(Δ)", "solve_banded(x, transposed y, Δ)"], names=["l_and_u", "ab", "b"],
)  # fmt: skip
TABLE: dict[str, Rule] = {_RULE.op: _RULE}
