"""The table of handlers that the other modules of this package fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visual_debug.replaying.machine import Frame, Machine

Handler = Callable[[Machine, Frame, Any], None]

HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Enter a handler into the table under the opcode's names."""

    def enter(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return enter
