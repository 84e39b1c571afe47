"""NumPy's functions in terms of simpler ones: statistics, differences, interpolation, polynomials, sequences.

Each takes the arguments of the function that it defines. They say what the function computes, not how NumPy does it.
"""

from visual_debug.rules.definitions import (
    algebra,
    bases,
    calculus,
    counting,
    of_matrices,
    polynomials,
    statistics,
    transforms,
)
from visual_debug.rules.definitions.registry import ALL

__all__ = ["ALL", "algebra", "bases", "calculus", "counting", "of_matrices", "polynomials", "statistics", "transforms"]
