"""The recording twins of followed functions, kept in step with what is assigned to those functions.

`f.__defaults__`, `f.__kwdefaults__` and `f.__code__` can be assigned to at any time, and tools that reload code do so.
Rewritten call sites remember twins, so a twin is changed in place, whenever a recording begins; what it was before is
kept for the traces of then.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from visual_debug.errors import TraceError


class Signature(NamedTuple):
    """What decides, besides the arguments and cells, how a call goes, and can be assigned to."""

    code: CodeType  #: as written by the user, whatever has been made of it
    defaults: tuple[Any, ...] | None
    keywords: dict[str, Any] | None  #: defaults of keyword-only parameters; a copy


class _Known:
    """What is known of one function."""

    __slots__ = ("of", "past", "signature", "strong", "weak")

    def __init__(self, of: weakref.ref[FunctionType], signature: Signature, twin: FunctionType | None) -> None:
        self.of = of
        self.signature = signature
        self.past: list[tuple[int, Signature]] = []  # at which count of changes it ceased to be what
        # A twin has its function's cells, and may be reached from them: held here it would live for ever.
        self.strong: Any = twin if twin is None or twin.__closure__ is None else None
        self.weak = None if twin is None else weakref.ref(twin)

    def twin(self) -> FunctionType | None:
        twin: FunctionType | None = self.strong or (self.weak() if self.weak is not None else None)
        return twin


class Twins:
    """The twins of all functions that one policy has met.

    `plain` gives the code of a function as the user wrote it, `rewritten` the recording code for it, or None where it
    is not to be recorded.
    """

    def __init__(
        self, plain: Callable[[FunctionType], CodeType], rewritten: Callable[[FunctionType], CodeType | None]
    ) -> None:
        self._plain = plain
        self._rewritten = rewritten
        self._known: dict[int, _Known] = {}
        #: What each function that has a twin had when last seen: plain tuples, for they are looked at often.
        self._seen: dict[int, tuple[weakref.ref[FunctionType], CodeType, Any, Any]] = {}
        self.changes = 0  #: how many changes of functions were found

    def of(self, function: FunctionType) -> FunctionType:
        """The recording twin of a function if it is to be followed, else the function itself."""
        known = self._known.get(id(function))
        if known is not None and known.weak is None:
            return function
        twin = (known and known.twin()) or self._make(function)
        if twin is not function:  # a generator tells its name, and looks at the function for it when it is made
            twin.__name__, twin.__qualname__ = function.__name__, function.__qualname__
        return twin

    def _make(self, function: FunctionType) -> FunctionType:
        code = self._rewritten(function)
        twin = None
        if code is not None:
            twin = FunctionType(
                code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
            )
            twin.__kwdefaults__ = function.__kwdefaults__
        key = id(function)
        known = self._known.get(key)
        if known is not None:  # the twin was gone
            known.weak = None if twin is None else weakref.ref(twin)
        else:
            known = self._known[key] = _Known(_forgotten(function, self._known), _read(function, self._plain), twin)
        if twin is None:
            return function
        self._see(function)
        return twin

    def _see(self, function: FunctionType) -> None:
        of = _forgotten(function, self._seen)
        self._seen[id(function)] = of, function.__code__, function.__defaults__, function.__kwdefaults__

    def refresh(self) -> int:
        """Bring the twins in step with their functions; returns how many changes there have been until now.

        It takes 0.2 us per function with a twin, whenever a recording begins.
        """
        # A copy, and no list of the items: making their tuples can start a collection, which takes functions out.
        for key, (of, code, defaults, keywords) in self._seen.copy().items():
            function = of()
            if function is None:
                continue
            twin = self._known[key].twin()
            if twin is not None and (
                twin.__qualname__ is not function.__qualname__ or twin.__name__ is not function.__name__
            ):
                twin.__name__, twin.__qualname__ = function.__name__, function.__qualname__
            if (
                function.__code__ is not code
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords
                or (keywords and not _same(keywords, self._known[id(function)].signature.keywords))
            ):
                self._change(function)
        return self.changes

    def _change(self, function: FunctionType) -> None:
        known = self._known[id(function)]
        signature = _read(function, self._plain)
        if signature.code is known.signature.code and _same_defaults(
            signature, known.signature
        ):  # lent other code, or back
            self._see(function)
            return
        known.past.append((self.changes, known.signature))
        self.changes += 1
        known.signature = signature
        twin = known.twin()
        if twin is not None:
            twin.__defaults__, twin.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
            twin.__code__ = self._rewritten(function) or known.signature.code
        self._see(function)

    def signature(self, function: FunctionType, began: int, ended: int) -> Signature | None:
        """What a function was in a recording between two counts of changes; None if it has never had a twin.

        Raises TraceError if it was changed in between.
        """
        known = self._known.get(id(function))
        if known is None or known.weak is None:
            return None
        for until, signature in known.past:
            if began <= until:
                if until < ended:
                    raise TraceError(
                        f"the defaults or the code of {function.__qualname__} were assigned to while the traced call "
                        "went on: which of its calls had which is not known"
                    )
                return signature
        return known.signature


def _forgotten(function: FunctionType, where: dict[int, Any]) -> weakref.ref[FunctionType]:
    """A reference to a function that takes it out of a dictionary by its identity when it is gone.

    No Python is run for that: an exception that a signal raised in it would be lost, and Ctrl-C with it.
    """
    return weakref.ref(function, functools.partial(where.pop, id(function)))


def _read(function: FunctionType, plain: Callable[[FunctionType], CodeType]) -> Signature:
    keywords = function.__kwdefaults__
    return Signature(plain(function), function.__defaults__, None if keywords is None else dict(keywords))


def _same(keywords: dict[str, Any], copy: dict[str, Any] | None) -> bool:
    return copy is not None and copy.keys() == keywords.keys() and all(copy[k] is v for k, v in keywords.items())


def _same_defaults(a: Signature, b: Signature) -> bool:
    return a.defaults is b.defaults and (
        a.keywords is b.keywords or (a.keywords is not None and _same(a.keywords, b.keywords))
    )
