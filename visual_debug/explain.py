"""A note on the exception of a traced call: what the operation that raised had got, and where that came from."""

from __future__ import annotations

import sys
from contextlib import suppress
from opcode import opname
from types import FrameType

from visual_debug.traces import Trace

#: What arithmetic raises: division by zero, overflow, a value outside a function's domain.
ARITHMETIC = (ArithmeticError, ValueError)
#: Calls that recorded more values than this are not replayed for a note: `trace.nonfinite()` tells the same.
MOST = 20_000
_PREFIX = "visual_debug: "


def _was_raised_on_purpose(error: BaseException) -> bool:
    """Whether a `raise` statement raised it, and no operation."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return True
    code = traceback.tb_frame.f_code.co_code
    return opname[code[traceback.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def _would_hide_the_error() -> bool:
    """Whether who is told of the exception looks at its last line only, which the note would be: pdb, a doctest."""
    if sys.gettrace() is not None:
        return True
    frame: FrameType | None = sys._getframe()
    while frame is not None and not frame.f_code.co_filename.startswith("<doctest "):
        frame = frame.f_back
    return frame is not None


def explain(trace: Trace, recorded: int) -> None:
    """Add the note, if the operation that raised is in the trace, of so many values. Never raises itself."""
    error = trace.exception
    if error is None or any(str(note).startswith(_PREFIX) for note in getattr(error, "__notes__", ())):
        return
    if recorded > MOST or _was_raised_on_purpose(error) or _would_hide_the_error():
        return
    with suppress(Exception):  # an error of ours would hide that of the user
        from visual_debug.diagnose import nonfinite

        note = nonfinite.explain_exception(trace._columns, error)
        if note is not None:
            error.add_note(note)
