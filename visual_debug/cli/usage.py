"""How a command ends that cannot be carried out, or whose program failed."""

from __future__ import annotations

import os

PROGRAM = "visual-debug"


class UsageError(Exception):
    """A command that cannot be carried out: the message is the one line that the user sees."""


class ProgramError(Exception):
    """The user's code failed before the call could begin; the cause is its exception."""


def traceback_text(error: BaseException | None) -> str:
    """A traceback without the frames of this package and of the import machinery."""
    import traceback

    if error is None:
        return ""
    text = traceback.TracebackException.from_exception(error)
    ours = (os.path.dirname(os.path.dirname(__file__)) + os.sep, "<frozen importlib")
    pending: list[traceback.TracebackException | None] = [text]
    while pending:
        part = pending.pop()
        if part is not None:
            part.stack = traceback.StackSummary.from_list([f for f in part.stack if not f.filename.startswith(ours)])
            pending += [part.__cause__, part.__context__]
    return "".join(text.format())
