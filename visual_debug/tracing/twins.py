"""The recording twins of followed functions, kept in step with what is assigned to those functions.

`f.__defaults__`, `f.__kwdefaults__` and `f.__code__` can be assigned to at any time, and tools that reload code do so.
A twin is asked for at least once in every recording that calls it, and then changed in place if need be; what it was
before is kept for the traces of then.
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


#: Names of the functions that comprehensions are.
COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


class Past(NamedTuple):
    """What a function was before it was changed. Times are numbers of recordings."""

    met: int  #: when this was last seen
    changed: int  #: when it was found changed
    signature: Signature


class _Known:
    """What is known of one function."""

    __slots__ = ("code", "defaults", "keywords", "met", "of", "past", "signature", "strong", "weak")

    def __init__(self, of: weakref.ref[FunctionType], signature: Signature, twin: FunctionType | None) -> None:
        self.of = of
        self.signature = signature
        self.met = 0  # when it was last asked for
        self.past: list[Past] = []
        # A twin has its function's cells, and may be reached from them: held here it would live for ever.
        self.strong: Any = twin if twin is None or twin.__closure__ is None else None
        self.weak = None if twin is None else weakref.ref(twin)
        #: What the function had when last seen, lent or decorated code among it.
        self.code: CodeType | None = None
        self.defaults: Any = None
        self.keywords: Any = None

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
        self.now = 0  #: the number of the newest recording, which counts itself

    def of(self, function: FunctionType) -> FunctionType:
        """The recording twin of a function if it is to be followed, else the function itself."""
        known = self._known.get(id(function))
        if known is not None:
            if known.weak is None:
                return function
            self._bring_up(function, known)
            known.met = self.now
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
            known = self._known[key] = _Known(forgotten(function, self._known), _read(function, self._plain), twin)
        if twin is None:
            return function
        known.code, known.defaults, known.keywords = function.__code__, function.__defaults__, function.__kwdefaults__
        known.met = self.now
        return twin

    def refresh(self) -> None:
        """Bring all twins in step with their functions."""
        # A copy, and no list of the items: making their tuples can start a collection, which takes functions out.
        for known in self._known.copy().values():
            function = known.of()
            if function is not None and known.weak is not None:
                self._bring_up(function, known)

    def _bring_up(self, function: FunctionType, known: _Known) -> None:
        """Change a twin if its function was changed."""
        keywords = function.__kwdefaults__
        if (
            function.__code__ is known.code
            and function.__defaults__ is known.defaults
            and keywords is known.keywords
            and (not keywords or _same(keywords, known.signature.keywords))
        ):
            return
        known.code, known.defaults, known.keywords = function.__code__, function.__defaults__, keywords
        signature = _read(function, self._plain)
        if signature.code is known.signature.code and _same_defaults(signature, known.signature):
            return  # lent other code, or given its own back
        known.past.append(Past(known.met, self.now, known.signature))
        known.signature = signature
        twin = known.twin()
        if twin is not None:
            twin.__defaults__, twin.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
            twin.__code__ = self._rewritten(function) or known.signature.code

    def signature(self, function: FunctionType, began: int, ended: int) -> Signature | None:
        """What a function was in a recording that went on between two times; None if it has never had a twin.

        Functions of comprehensions are called where they are made, by nobody else: their twins are not kept.

        Raises TraceError if it was changed after it had been called.
        """
        known = self._known.get(id(function))
        if known is None:
            code = function.__code__
            return Signature(code, None, None) if code.co_name in COMPREHENSIONS else None
        if known.weak is None:
            return None
        for past in known.past:
            if ended < past.changed:
                return past.signature
            if began <= past.met:
                raise TraceError(
                    f"the defaults or the code of {function.__qualname__} were assigned to while the traced call "
                    "went on: which of its calls had which is not known"
                )
        return known.signature


def forgotten(function: FunctionType, where: dict[int, Any]) -> weakref.ref[FunctionType]:
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
