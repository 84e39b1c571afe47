"""The rule of the roots of a polynomial."""

from __future__ import annotations

from typing import Any

import numpy as np

from visual_debug.rules.base import Rule
from visual_debug.rules.functions import FunctionRule


def _slopes(z: Any, p: Any) -> Any:
    """d z[k] / d p[j] at [k, j]: p(z) stays 0. Of multiple roots there is none, and it is inf or NaN."""
    powers = np.arange(np.size(p) - 1, -1, -1)
    return -(np.asarray(z)[:, None] ** powers) / np.polyval(np.polyder(p), z)[:, None]


def pull_roots(delta: Any, z: Any, p: Any) -> Any:
    return np.broadcast_to(delta, np.shape(z)) @ _slopes(z, p)


def push_roots(tangent: Any, z: Any, p: Any) -> Any:
    return _slopes(z, p) @ np.asarray(tangent)


_RULE = FunctionRule("numpy.roots", [pull_roots], [push_roots], texts=["-Δ*z**n/p'(z)"],
                     note="multiple roots have no derivative: inf or NaN")  # fmt: skip
TABLE: dict[str, Rule] = {_RULE.op: _RULE}
