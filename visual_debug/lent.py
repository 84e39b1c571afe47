"""Functions that are lent a recording code object, so that they are recorded whoever calls them.

Code that is not recorded (a C function, a library, the interpreter itself for an operator or a property) calls a
function object that it holds. No bytecode of ours sees that call, so the function object itself is given other code,
as short as a recording takes, and gets its own back. In any other context or thread that code goes on at once in its
plain copy.
"""

from __future__ import annotations

import threading
from types import CodeType, FunctionType

_lock = threading.Lock()


class _Loan:
    __slots__ = ("borrowed", "count", "function", "own")

    def __init__(self, function: FunctionType, code: CodeType) -> None:
        self.function = function
        self.own, self.borrowed = function.__code__, code
        self.count = 1


_loans: dict[int, _Loan] = {}


def lend(function: FunctionType, code: CodeType) -> None:
    """Give a function other code until `take_back` was called as often as this."""
    with _lock:
        loan = _loans.get(id(function))
        if loan is not None:
            loan.count += 1
        else:
            _loans[id(function)] = _Loan(function, code)
            function.__code__ = code


def take_back(function: FunctionType) -> None:
    """Give a function its own code back, unless it was assigned to in the meantime."""
    with _lock:
        loan = _loans[id(function)]
        loan.count -= 1
        if not loan.count:
            del _loans[id(function)]
            if function.__code__ is loan.borrowed:
                function.__code__ = loan.own
