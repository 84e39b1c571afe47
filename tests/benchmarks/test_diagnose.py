"""The benchmark of the diagnosis runs, and asks every question."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("diagnose", Path(__file__).with_name("diagnose.py"))
diagnose = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(diagnose)


def test_the_figures_are_made(capsys):
    diagnose.main(["--quick"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(diagnose.QUESTIONS)
