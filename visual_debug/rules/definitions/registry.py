"""The table of NumPy's functions that are defined in terms of simpler ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: op -> definition
ALL: dict[str, Callable[..., Any]] = {}


def defines(*ops: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """File a definition under the names of the functions that it defines."""

    def enter(definition: Callable[..., Any]) -> Callable[..., Any]:
        for op in ops:
            if hasattr(np, op.partition(".")[0]):
                ALL[f"numpy.{op}"] = definition
        return definition

    return enter
