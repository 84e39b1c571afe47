"""The benchmark of arrays runs, and its gradients agree."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("arrays", Path(__file__).with_name("arrays.py"))
arrays = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(arrays)


def test_the_figures_are_made(capsys):
    arrays.main(["--quick"])
    assert len(capsys.readouterr().out.splitlines()) == 3
