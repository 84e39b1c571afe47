"""The README does what it says: its Python is run, its commands are run and are those of the checks, its picture is made anew."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from visual_debug import cli, rules

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_the_python_gives_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "\n".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, "README.md", str(ROOT / "README.md"), 0)
    assert len(test.examples) > 25
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    try:
        runner.run(test, out=report.append)
    finally:
        rules.forget("statistics.NormalDist.cdf")
    assert not report, "".join(report)
    assert len(list((tmp_path / "out/gaussian").iterdir())) == 17


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.partition("\n")[0][2:60].replace("/", "_"))
def test_the_console_shows_what_is_printed(block, tmp_path, monkeypatch, capsys):
    command, _, shown = block.partition("\n")
    (tmp_path / "examples").mkdir()
    for path in (ROOT / "examples").glob("*.py"):
        (tmp_path / "examples" / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.removeprefix("$ "))
    assert words[0] == "visual-debug"
    assert cli.main(words[1:]) == 0
    out, err = capsys.readouterr()
    assert (out.replace("\\", "/"), err) == (shown, "")


def test_the_picture_at_the_top_can_be_made_anew(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    assert README.index("](examples/gaussian.png)") < README.index("## ")
    command = next(b.partition("\n")[0] for b in blocks("console") if "-o examples/gaussian.png" in b)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/gaussian.py").symlink_to(ROOT / "examples/gaussian.py")
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(command)[2:]) == 0
    with image.open(ROOT / "examples/gaussian.png") as kept, image.open("examples/gaussian.png") as made:
        for before, now in zip(kept.size, made.size, strict=True):
            assert abs(now - before) < 0.2 * before  # layout engines differ a little
        colours = {colour for _, colour in made.convert("RGB").quantize(32).convert("RGB").getcolors()}
    assert any(red > 150 > green + 60 for red, green, _ in colours), "values are red"
    assert any(green > red + 50 and green > blue + 30 for red, green, blue in colours), "adjoints are green"


def test_the_commands_are_those_of_the_checks():
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 2
    run = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    for command in commands:
        assert f"    {command}" in run


def test_files_that_are_named_exist():
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_number_of_pictures_is_right(tmp_path, monkeypatch, capsys):
    command = next(line for block in blocks("sh") for line in block.splitlines() if "visual-debug" in line)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert cli.main(shlex.split(command.rpartition("visual-debug ")[2])) == 0
    assert "wrote 17 pictures to out/graph" in capsys.readouterr().out.replace("\\", "/")
    for name in re.findall(r"`(out/[^`]*)`", README):
        assert (tmp_path / name).exists(), name
    assert "one of 17 pictures" in README or "last of 17 pictures" in README
