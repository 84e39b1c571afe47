"""The benchmark runs, and its hand-written twins compute and record what the functions do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import visual_debug as vd

SPEC = importlib.util.spec_from_file_location("costs", Path(__file__).with_name("costs.py"))
costs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(costs)


@pytest.mark.parametrize(
    ("plain", "by_hand", "args"),
    [
        (costs.logistic, costs.logistic_by_hand, (0.3, 3.2, 20)),
        (costs.horner, costs.horner_by_hand, ([0.5, 1.5, -2.0], 0.9)),
        (costs.runge_kutta, costs.runge_kutta_by_hand, (1.0, 0.1, 5)),
    ],
)
def test_hand_written_recordings_are_honest(plain, by_hand, args):
    values = []
    assert by_hand(*args, values.append) == plain(*args)
    trace = vd.trace(plain, *args)
    assert sorted(node.value for node in trace if node.op not in ("input", "const")) == sorted(values)


def test_the_table_is_made(capsys):
    costs.main(["--quick"])
    assert capsys.readouterr().out.count("x the plain function") == 3
