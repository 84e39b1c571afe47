"""See where a number comes from: the computation graph of plain Python functions, and both passes over it.

>>> from visual_debug import visual_debug
>>> @visual_debug
... def f(x, y):
...     return 2 * x * y + (x - 1) ** 2
>>> f(3, 5)
34
>>> f.trace.grad()
{'x': 14, 'y': 6}
"""

from visual_debug.decorator import recording, trace, visual_debug
from visual_debug.errors import (
    NoDerivativeError,
    RenderError,
    StoppedError,
    TraceError,
    UntraceableError,
    VisualDebugError,
)
from visual_debug.nodes import Node
from visual_debug.rules import rule
from visual_debug.traces import Trace, load

__all__ = [
    "NoDerivativeError",
    "Node",
    "RenderError",
    "StoppedError",
    "Trace",
    "TraceError",
    "UntraceableError",
    "VisualDebugError",
    "load",
    "recording",
    "rule",
    "trace",
    "visual_debug",
]

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """`%load_ext visual_debug`: the magics `%visual_debug` and `%%visual_debug`."""
    from visual_debug import notebook

    notebook.load(shell)
