"""The pytest plugin, in a pytest of its own: silent unless asked, and what it shows of a failing test."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest
from program import area, plain
import program
from visual_debug import visual_debug

def test_decorated_fails():
    assert area(3.0) == 28.0

def test_passes():
    assert area(2.0) > 12

@pytest.mark.visual_debug("program:plain")
def test_named_fails():
    assert plain(2.0) == 5.0

def test_is_as_before():
    assert not hasattr(plain, "trace") and program.plain is plain

def test_fixture_fails(visual_debug_trace):
    assert visual_debug_trace(plain, 3.0).result == 0
"""
PROGRAM = """
from visual_debug import visual_debug

@visual_debug
def area(r):
    return 3.14 * r * r

def plain(x):
    y = x * x
    return y + 2
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "test_program.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    installed = any(e.value == "visual_debug.pytest_plugin" for e in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "visual_debug.pytest_plugin"]

    def run(*options):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
        environment.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *options],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120, encoding="utf-8",
        )  # fmt: skip
        return done.stdout

    return run


def test_it_is_silent_unless_asked(run):
    out = run()
    assert "3 failed, 2 passed" in out
    assert "∂" not in out
    assert "PytestUnknownMarkWarning" not in out


def test_a_failing_test_shows_the_code_with_values(run):
    out = run("--visual-debug")
    assert "3 failed, 2 passed" in out
    assert "visual_debug: <Trace of area: 28.26>" in out
    assert "return 3.14 * 3" in out
    assert "visual_debug: <Trace of plain: 6>" in out
    assert "visual_debug: <Trace of plain: 11>" in out
    assert "<Trace of area: 12.56>" not in out


def test_a_function_that_is_not_there_is_named(run, tmp_path):
    (tmp_path / "test_program.py").write_text(
        "import pytest\n@pytest.mark.visual_debug('program:none')\ndef test(): pass\n", encoding="utf-8"
    )
    assert "there is no none in program" in run("--visual-debug")
