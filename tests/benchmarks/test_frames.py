"""The benchmark of frames runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import frames


def test_the_benchmark_runs() -> None:
    run = subprocess.run(
        [sys.executable, frames.__file__, "--quick"], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert [line.split()[0] for line in run.stdout.splitlines()[1:]] == ["squares"]
