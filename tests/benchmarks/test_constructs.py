"""The benchmark of constructs runs, on functions that return what the plain ones do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("constructs", Path(__file__).with_name("constructs.py"))
constructs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(constructs)


def test_the_table_is_made(capsys):
    constructs.main(["--quick"])
    assert capsys.readouterr().out.count("\n| ") == len(constructs.CONSTRUCTS) + 2
