"""CPython's own tests pass with every function in them decorated, and every trace of theirs can be replayed.

By default the modules that are quick and green on every Python; ``VISUAL_DEBUG_CPYTHON_SUITE=more`` runs all of the
language and of what is done with numbers, ``VISUAL_DEBUG_CPYTHON_SUITE=all`` everything.
"""

import importlib.util
import os

import pytest

from tests.cpython_suite import examine

#: The language, and what is done with numbers.
REPRESENTATIVE = """
    test_grammar test_generators test_coroutines test_asyncgen test_patma test_with test_exceptions
    test_exception_group test_scope test_listcomps test_unpack_ex test_augassign test_named_expressions test_super
    test_descr test_float test_int test_math
"""
FURTHER = """
    test_contextlib test_contextlib_async test_functools test_itertools test_dataclasses test_enum test_yield_from
    test_decorators test_dictcomps test_setcomps test_genexps test_keywordonlyarg test_positional_only_arg test_raise
    test_unpack test_complex test_fractions test_class test_property test_opcodes test_context test_threading_local
    test_compare test_binop test_bool test_int_literal test_long test_numeric_tower test_operator test_range
    test_slice test_tuple test_list test_dict test_set test_sort test_heapq test_bisect test_string test_baseexception
    test_except_star test_richcmp test_call test_extcall test_generator_stop test_iter test_cmath test_pow
    test_funcattrs test_global test_type_params test_copy test_defaultdict test_types test_weakref
"""
#: Modules of the standard library that are decorated themselves, under their own tests.
LIBRARY = {
    "calendar": "test_calendar",
    "colorsys": "test_colorsys",
    "dataclasses": "test_dataclasses",
    "fractions": "test_fractions",
    "heapq": "test_heapq",
    "textwrap": "test_textwrap",
}
FURTHER_LIBRARY = {
    "_pydecimal": "test_decimal",
    "difflib": "test_difflib",
    "random": "test_random",
    "statistics": "test_statistics",
}
#: How much is replayed: the suite looks at a part of the traces, a search at most of them.
BOUNDS = ["--most-values=3000", "--most-per-test=50", "--replay-seconds=3", "--test-seconds=120"]
#: Green on every supported Python, in about a minute of the processor's time.
GREEN = """
    test_grammar test_coroutines test_asyncgen test_patma test_with test_exceptions test_exception_group test_scope
    test_listcomps test_unpack_ex test_augassign test_named_expressions test_super test_float test_int
"""
GREEN_LIBRARY = ("calendar", "colorsys", "fractions", "textwrap")
if os.environ.get("VISUAL_DEBUG_CPYTHON_SUITE") == "all":
    BOUNDS = []
    REPRESENTATIVE += FURTHER
    LIBRARY = LIBRARY | FURTHER_LIBRARY
elif os.environ.get("VISUAL_DEBUG_CPYTHON_SUITE") != "more":
    REPRESENTATIVE = GREEN
    LIBRARY = {module: LIBRARY[module] for module in GREEN_LIBRARY}

#: Why tests fail when decorated.
REFERENCES = "counts the references to a tuple of numbers, which is recorded"
DEPTH = "sets the limit of recursion to the depth it is at, and then calls something: to record that takes a call"
MOMENT = "raises a signal between two instructions, and recording makes a call there, which handles it too early"
OVERRIDDEN = "overrides in C what calling a function does; its twin is called instead"
CYCLE = "an object that cannot be held weakly lives until the recording ends if it leads to itself"
CONTAINER = "what is in a dict or list that was built while recording lives until the recording ends"
CLASS = "a class lives until the trace is gone, for replay asks what its methods are"
FUNCTION = "a function lives until the trace is gone, for replay asks what its code is, and so do its variables"
KNOWN = {
    "test.test_call.TestPEP590.test_setvectorcall": OVERRIDDEN,
    "test.test_coroutines.CoroutineTest.test_for_2": REFERENCES,
    "test.test_descr.ClassPropertiesAndMethods.test_remove_subclass": CLASS,
    "test.test_dataclasses.TestSlots.test_original_class_is_gced": CLASS,
    "test.test_descr.ClassPropertiesAndMethods.test_slots": CYCLE,
    "test.test_exceptions.ExceptionTests.test_recursion_in_except_handler": DEPTH,
    "test.test_generators.FinalizationTest.test_generator_resurrect": CONTAINER,
    "test.test_generators.SignalAndYieldFromTest.test_raise_and_yield_from": MOMENT,
    "test.test_scope.ScopeTests.testLeaks": FUNCTION,
}
#: What the decorator refuses in these modules.
REFUSED: frozenset[str] = frozenset()


def absent(module: str) -> str | None:
    """Why a test module cannot be run, if it cannot."""
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.support") is None:
        return "this interpreter comes without its tests (Debian and Ubuntu: libpython3-testsuite)"
    return None if importlib.util.find_spec("test." + module) else "not in this version"


def check(module: str, *options: str, folder) -> None:
    reason = absent(module)
    if reason is not None:
        pytest.skip(f"{module}: {reason}")
    outcome = examine(f"test.{module}", "--replay", *BOUNDS, *options, folder=folder)
    failed = {test: text for test, text in outcome.failed.items() if test not in KNOWN}
    mended = [test for test in outcome.passed if test in KNOWN and not options]
    assert not mended, f"{mended} are said to fail, and do not"
    assert not failed, "\n\n".join(f"{test} fails only when decorated:\n{text}" for test, text in failed.items())
    wrong = [f"{w['replay']}: {w['function']}: {w['error']}\n{w['text']}" for w in outcome.wrong]
    assert not wrong, "\n\n".join(wrong)
    assert set(outcome.totals["refused"]) <= REFUSED
    assert outcome.totals["tests"] and outcome.totals["decorated"] and outcome.totals["replays"]["replayed"]


@pytest.mark.parametrize("module", REPRESENTATIVE.split())
def test_decorated_tests(module, tmp_path):
    check(module, folder=tmp_path)


@pytest.mark.parametrize("module", LIBRARY)
def test_decorated_library(module, tmp_path):
    check(LIBRARY[module], "--decorate", module, folder=tmp_path)
