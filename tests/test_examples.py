"""Every example: as a script, through the command line, and its numbers against what is known about them."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from visual_debug import cli

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def example(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / f"examples/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def script(path: Path, *arguments: str, cwd: Path) -> str:
    """What an example prints, run as a script."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        capture_output=True, check=False, encoding="utf-8", env=environment, cwd=cwd, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_there_are_examples():
    assert {path.stem for path in EXAMPLES} >= {
        "expression", "gaussian", "newton", "orbit", "sine_network", "heat_equation", "least_squares", "clusters",
    }  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_as_a_script(path, tmp_path):
    assert len(script(path, cwd=tmp_path).splitlines()) >= 3
    assert list(tmp_path.iterdir()) == []


def commands(path: Path) -> list[str]:
    """The command lines that the docstring of an example names."""
    found = [line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines()]
    return [" ".join(words[1:]) for words in found if words[:1] == ["visual-debug"]]


@pytest.mark.parametrize(
    "command", [c for path in EXAMPLES for c in commands(path)], ids=lambda c: c.partition("/")[2].replace(" ", "_")
)
def test_commands_of_the_docstrings(command, tmp_path, monkeypatch, capsys):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    assert cli.main(command.split()) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    if "-o" in command:
        assert (tmp_path / "out/graph.png").stat().st_size > 1000
        assert len(list((tmp_path / "out/graph").glob("step-*.svg"))) > 10
    else:
        assert "gradient\n  d/d" in shown.out


def test_every_example_names_its_commands():
    for path in EXAMPLES:
        assert len(commands(path)) >= 2, path
        assert f"python examples/{path.name}" in path.read_text(encoding="utf-8")


# ---- numbers


def test_expression():
    expression = example("expression").expression
    assert expression(3, 5) == 34
    assert expression.trace.grad() == {"x": 14, "y": 6}
    assert len(expression.trace.steps()) == 16


def test_gaussian_has_the_gradient_of_the_closed_form():
    module = example("gaussian")
    for x, y in ((2.0, 7.0), (0.5, 1.0), (-1.5, 0.25), (0.0, 0.0)):
        assert module.gaussian(x, y) == x * math.exp(-0.5 * (x * x + y * y))
        assert module.gaussian.trace.grad() == pytest.approx(module.closed_form(x, y), rel=1e-14, abs=1e-300)


def test_gaussian_draws_when_asked(tmp_path):
    path = next(path for path in EXAMPLES if path.stem == "gaussian")
    assert script(path, "out", cwd=tmp_path).endswith("wrote 17 pictures to out\n")
    assert len(list((tmp_path / "out").iterdir())) == 17


@pytest.mark.parametrize(("mean", "eccentricity"), [(1.0, 0.3), (0.2, 0.8), (2.5, 0.6)])
def test_newton_finds_the_root_and_how_it_moves(mean, eccentricity):
    module = example("newton")
    root = module.anomaly(mean, eccentricity)
    assert root - eccentricity * math.sin(root) == pytest.approx(mean, abs=1e-14)
    gradient = module.anomaly.trace.grad()
    assert gradient["mean"] == pytest.approx(module.slope(root, eccentricity), rel=1e-9)
    assert gradient["eccentricity"] == pytest.approx(math.sin(root) * module.slope(root, eccentricity), rel=1e-9)


def test_orbit_has_the_gradient_of_finite_differences():
    module = example("orbit")
    drift = module.energy_drift(0.0, 1.1, 20)
    gradient = module.energy_drift.trace.grad()
    assert drift == module.energy_drift.__wrapped__(0.0, 1.1, 20)
    assert abs(drift) < 1e-5

    def plain(vx, vy):
        return module.energy_drift.__wrapped__(vx, vy, 20)

    small = 1e-4
    assert gradient["vx"] == pytest.approx((plain(small, 1.1) - plain(-small, 1.1)) / (2 * small), rel=1e-5)
    assert gradient["vy"] == pytest.approx((plain(0.0, 1.1 + small) - plain(0.0, 1.1 - small)) / (2 * small), rel=1e-5)


def test_the_network_learns_the_sine():
    module = example("sine_network")
    p, losses = module.train()
    assert losses[0] > 0.1
    assert losses[-1] < losses[0] / 10_000
    angles = np.linspace(-3, 3, 17).reshape(1, -1)
    assert np.abs(module.network(p, angles) - np.sin(angles)).max() < 0.05


def test_the_network_has_the_gradient_of_finite_differences():
    module = example("sine_network")
    p = module.START
    module.loss(p)
    gradient = module.loss.trace.grad("p")
    assert {name: g.shape for name, g in gradient.items()} == {name: value.shape for name, value in p.items()}
    small = 1e-6
    for name, value in p.items():
        direction = np.random.default_rng(0).normal(size=value.shape)
        up, down = ({**p, name: value + sign * small * direction} for sign in (1, -1))
        slope = (module.loss.__wrapped__(up) - module.loss.__wrapped__(down)) / (2 * small)
        assert np.sum(gradient[name] * direction) == pytest.approx(slope, rel=1e-6, abs=1e-9), name


def test_heat_equation_is_undone():
    heat = example("heat_equation")
    start = np.exp(-((np.linspace(-1.0, 1.0, 9) / 0.4) ** 2))
    seen = heat.diffuse(start, 0.1, 2)
    assert np.abs(heat.recover(seen, 0.1, 2, turns=300) - start).max() < 1e-3
    heat.misfit()
    gradient = heat.misfit.trace.grad("u")
    for i in range(len(gradient)):
        step = np.eye(len(gradient))[i] * 1e-6
        slope = (heat.misfit(heat.START + step) - heat.misfit(heat.START - step)) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-8)


def test_least_squares_agrees_with_the_normal_equations():
    fit = example("least_squares")
    assert fit.prediction() == pytest.approx(np.polyval(np.polyfit(fit.T, fit.Y, 1), 8.0))
    gradient = fit.prediction.trace.grad()
    np.testing.assert_allclose(gradient["y"], fit.normal_equations(fit.T, fit.Y, 8.0), rtol=1e-12)
    step = np.eye(6)[2] * 1e-6
    slope = (fit.prediction(fit.T + step) - fit.prediction(fit.T - step)) / 2e-6
    assert gradient["t"][2] == pytest.approx(slope, rel=1e-6)


def test_clusters_end_in_the_means_of_their_points():
    clusters = example("clusters")
    found = clusters.descend(clusters.CENTRES, clusters.POINTS)
    means = [clusters.POINTS[:3].mean(axis=0), clusters.POINTS[3:6].mean(axis=0), clusters.POINTS[6:].mean(axis=0)]
    np.testing.assert_allclose(found, means, atol=1e-12)
