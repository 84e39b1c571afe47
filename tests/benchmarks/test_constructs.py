"""The benchmark of constructs runs, on functions that return what the plain ones do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("constructs", Path(__file__).with_name("constructs.py"))
constructs = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = constructs  # where dataclasses look for the names in their annotations
SPEC.loader.exec_module(constructs)


def test_the_table_is_made(capsys):
    constructs.main(["--quick"])
    assert capsys.readouterr().out.count("\n| ") == len(constructs.CONSTRUCTS) + 2
