"""Rewriting stays cheap, and linear in the length of a function whatever the function is made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("rewriting", Path(__file__).with_name("rewriting.py"))
rewriting = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(rewriting)


def test_rewriting_takes_no_more_than_a_small_multiple_of_compiling():
    sources = rewriting.modules(4)
    best = min((rewriting.cost(sources) for _ in range(3)), key=lambda c: (c.planning + c.rewriting) / c.compiling)
    assert best.planning + best.rewriting < 90 * best.compiling  # 14 to 20 on a quiet machine, 46 on one in distress


@pytest.mark.parametrize("name", rewriting.STATEMENTS)
def test_a_function_of_thousands_of_statements_costs_no_more_per_instruction(name):
    def each(count):
        c = rewriting.cost([rewriting.long_function(rewriting.STATEMENTS[name], count)])
        return (c.planning + c.rewriting) / c.instructions

    assert each(2500) < 3 * max(each(250), each(250))


def test_the_table_is_made(capsys):
    rewriting.main(["--quick"])
    assert capsys.readouterr().out.count("statements") == len(rewriting.STATEMENTS)
