"""The benchmark of scale runs, and costs grow with the length of a trace and no faster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import scale


def test_the_benchmark_runs():
    run = subprocess.run(
        [sys.executable, scale.__file__, "--quick"], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "replay" in run.stdout


def test_costs_are_linear():
    ratios = scale.growth(20_000)
    # Fixed costs make it less than 10; anything quadratic would make it 100.
    assert all(ratio < 25 for ratio in ratios.values()), ratios
