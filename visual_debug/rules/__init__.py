"""Derivative rules: one row per operation, and the door for users' own.

>>> find("mul").pull(0, 1.0, 15.0, (3.0, 5.0), {})
5.0
>>> pullback_text(find("truediv"), (0, 1))
'Δ -> (Δ/y, -Δ*z/y)'

Importing this package does not import NumPy; its rules are loaded when an array operation is first looked up.
"""

from visual_debug.rules.base import MissingPartial, NoPartial, Rule
from visual_debug.rules.elementwise import FormulaRule, Missing
from visual_debug.rules.formula import Formula, compact
from visual_debug.rules.matrices import as_of_arrays
from visual_debug.rules.names import canonical, name_of, resolve
from visual_debug.rules.table import all_rules, edition, find, forget, own, pullback_text, rule

__all__ = [
    "Formula",
    "FormulaRule",
    "Missing",
    "MissingPartial",
    "NoPartial",
    "Rule",
    "all_rules",
    "as_of_arrays",
    "canonical",
    "compact",
    "edition",
    "find",
    "forget",
    "name_of",
    "own",
    "pullback_text",
    "resolve",
    "rule",
]
