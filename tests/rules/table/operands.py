"""The arrays and numbers that the texts of the table speak of by one letter."""

from __future__ import annotations

from typing import Any

import numpy as np


def operands() -> dict[str, Any]:
    """Fresh ones each time: the programs may write to them. No two elements are equal, none lies at a kink."""
    a = np.array([[0.3, -1.2, 2.6], [1.7, 0.4, -0.6]])
    square = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.7], [-0.2, 0.5, 3.0]])
    tall = np.array([[1.0, 0.2], [0.5, -1.1], [0.3, 2.0], [-0.7, 0.9]])
    return {
        "a": a,
        "b": np.array([[1.1, 0.7, -0.4], [-2.2, 0.9, 1.3]]),
        "c": np.sin(np.arange(24.0) * 1.7).reshape(2, 3, 4) + np.arange(24.0).reshape(2, 3, 4) / 50,
        "p": np.array([[0.3, 1.2, 2.5], [1.7, 0.4, 0.6]]),  # positive
        "u": np.array([[0.3, -0.2, 0.5], [0.7, -0.4, 0.6]]),  # inside (-1, 1)
        "v": np.array([0.5, -1.5, 2.0]),
        "w": np.array([1.3, 0.8, -0.7]),
        "q": np.array([0.4, -1.3, 2.2, 0.9, -0.5, 1.6, -2.1, 0.1]),
        "r": np.array([0.2, 0.9, 1.7, 3.1, 4.4]),  # rising
        "m": square,
        "s": square @ square.T,  # symmetric, positive definite
        "t": tall,
        "n": np.array([1, 5, 6]),
        "x": 0.7,
        "y": 1.9,
        "h": np.array([0.3 + 0.4j, -1.2 + 0.7j, 0.6 - 2.0j]),
        "k": square + 1j * square[::-1] / 3,
    }
