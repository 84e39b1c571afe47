"""Functions that are lent a recording code object, so that they are recorded whoever calls them.

Code that is not recorded (a C function, a library, the interpreter itself for an operator or a property) calls a
function object that it holds. No bytecode of ours sees that call, so the function object itself is given other code,
as short as a recording takes, and gets its own back. In any other context or thread that code goes on at once in its
plain copy.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import CodeType, FunctionType

_lock = threading.RLock()  # a collection or a signal that comes within may run functions that are recorded


class _Loan:
    """What one function was lent, and how often."""

    __slots__ = ("borrowed", "count", "function", "own")

    def __init__(self, function: FunctionType, code: CodeType) -> None:
        self.function = function
        self.own, self.borrowed = function.__code__, code
        self.count = 1


_loans: dict[int, _Loan] = {}


def lend(loans: Iterable[tuple[FunctionType, CodeType]]) -> None:
    """Give functions other code until `take_back` was called as often as this: 0.5 us each, there and back."""
    with _lock:
        for function, code in loans:
            loan = _loans.get(id(function))
            if loan is not None:
                loan.count += 1
            else:
                _loans[id(function)] = _Loan(function, code)
                function.__code__ = code


def take_back(functions: Iterable[FunctionType]) -> None:
    """Give functions their own code back, unless it was assigned to in the meantime."""
    with _lock:
        for function in functions:
            loan = _loans.get(id(function))
            if loan is None:  # a signal came before it was lent
                continue
            loan.count -= 1
            if not loan.count:
                del _loans[id(function)]
                if function.__code__ is loan.borrowed:
                    function.__code__ = loan.own
