"""The command line's other doors: saved traces, scripts, files of arrays, the browser, colours, and pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

import visual_debug as vd
from visual_debug import cli

PROGRAM = """
import sys
import numpy as np

def energy(x, v):
    return v * v / 2 + 10 * x

def norm(a):
    return np.sqrt((a * a).sum())

class Body:
    def weight(self, m):
        return 10 * m

def long(n):
    total = 0.0
    for i in range(n):
        total = total + i
    return total

if __name__ == "__main__":
    energy(1.0, 2.0)
    Body().weight(3.0)
    print("script says", energy(float(sys.argv[1]), 4.0))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, str, str]:
    code = cli.main(command)
    told = capsys.readouterr()
    return code, told.out, told.err


def energy(x, v):
    return v * v / 2 + 10 * x


def test_a_saved_trace_is_shown_and_drawn(capsys):
    vd.trace(energy, 1.0, 4.0).save("run.trace")
    code, out, err = run(capsys, "show", "run.trace")
    assert (code, err) == (0, "")
    assert out.startswith("energy(…) = 18.0\n") and "d/dv = 4" in out and "d/dx = 10" in out
    code, out, _ = run(capsys, "show", "run.trace", "--view", "code")
    assert code == 0 and "4*4/2" in "".join(out.split())
    assert run(capsys, "show", "run.trace", "-o", "run.svg", "--theme", "dark")[0] == 0
    assert "18" in Path("run.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["show", "none.trace"], "none.trace cannot be read: No such file"),
        (["show", "program.py"], "program.py is no trace"),
        (["show"], "required: FILE"),
        (["program.py:norm", "@none.npy"], "cannot read none.npy: No such file"),
        (["program.py:norm", "@program.py"], "from a .npy file"),
        (["program.py:norm", "@text.npy"], "text.npy is no .npy file of numbers"),
        (["program.py", "--trace", "nothing", "2"], "program.py defines no such function, only"),
        (["none.py", "--trace", "energy"], "none.py"),
        (["program.py:energy", "1", "2", "--theme", "blue"], "invalid choice: 'blue'"),
        (["program.py:energy", "1", "2", "-o", "a.html", "--theme", "dark"], "a page has a switch of its own"),
    ],
)
def test_what_cannot_be_done_is_one_line(capsys, command, said):
    Path("text.npy").write_text("1 2 3", encoding="utf-8")
    code, _, err = run(capsys, *command)
    assert code == 2
    assert err.count("\n") == 1 and err.startswith("visual-debug: error: ") and said in err


def test_arrays_come_from_files(capsys):
    np.save("a.npy", np.array([3.0, 4.0]))
    code, out, _ = run(capsys, "program.py:norm", "a=@a.npy")
    assert code == 0 and out.startswith("norm(a=array([3., 4.])) = 5.0\n") and "d/da = array([0.6, 0.8])" in out


def test_functions_of_a_script_are_traced(capsys):
    code, out, _ = run(capsys, "program.py", "--trace", "energy", "1.0")
    assert code == 0
    assert out.startswith("script says 18.0\nenergy(…) = 18.0\n")  # its latest call
    code, out, _ = run(capsys, "program.py", "--trace", "energy", "--trace", "Body.weight", "1.0")
    assert code == 0 and "energy(…) = 18.0" in out and "weight(…) = 30.0" in out


def test_what_was_drawn_is_opened(capsys, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) is None)
    assert run(capsys, "program.py:energy", "1.0", "4.0", "--open")[0] == 0
    assert run(capsys, "program.py:energy", "1.0", "4.0", "--open", "-o", "a b.svg")[0] == 0
    page, picture = (Path(unquote(urlparse(address).path)) for address in opened)
    assert page.suffix == ".html" and "<html" in page.read_text(encoding="utf-8")
    assert picture == Path("a b.svg").resolve() and picture.exists()


def test_without_a_browser_it_says_so(capsys, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    code, _, err = run(capsys, "program.py:energy", "1.0", "4.0", "--open", "-o", "a.svg")
    assert code == 0 and err == "visual-debug: note: no browser could be opened for a.svg\n"


def test_colours_in_a_terminal_only(capsys, monkeypatch):
    pytest.importorskip("rich")
    plain = run(capsys, "program.py:energy", "1.0", "4.0")[1]
    assert "\x1b[" not in plain
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = run(capsys, "program.py:energy", "1.0", "4.0")[1]
    assert "\x1b[" in coloured and "18" in coloured


def test_a_reader_who_leaves_is_no_error():
    root = Path(cli.__file__).parents[2]
    command = [sys.executable, "-m", "visual_debug", "program.py:long", "9000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
    assert process.returncode in (0, 141)


def test_a_trace_is_saved_and_shown_again(capsys):
    assert run(capsys, "program.py:energy", "1.0", "4.0", "-o", "kept/run.trace")[:2] == (
        0,
        "energy(1.0, 4.0) = 18.0\nwrote kept/run.trace\n",
    )
    assert vd.load("kept/run.trace").grad() == {"x": 10.0, "v": 4.0}
    assert run(capsys, "show", "kept/run.trace")[1].startswith("energy(…) = 18.0\n")
    code, _, err = run(capsys, "program.py:energy", "1.0", "4.0", "-o", "run.trace", "--view", "code")
    assert code == 2 and "--view is about pictures" in err and not Path("run.trace").exists()


def test_a_package_to_follow_must_be_there(capsys):
    code, _, err = run(capsys, "program.py:energy", "1.0", "4.0", "--follow", "numpy,nosuch")
    assert code == 2 and err.count("\n") == 1 and "--follow nosuch: there is no such package" in err
    assert run(capsys, "program.py:energy", "1.0", "4.0", "--follow", "numpy,program")[0] == 0


def test_a_function_of_a_script_without_a_trace_is_named(capsys):
    Path("two.py").write_text("def g(x): return x * x\ndef h(x): return g(x) + 1\nh(3.0)\n", encoding="utf-8")
    code, out, err = run(capsys, "--trace", "g", "--trace", "h", "two.py")
    assert code == 0 and out.startswith("h(…) = 10.0") and "note: g has no trace of its own" in err
    Path("fails.py").write_text("def g(x): return x\nraise ValueError('early')\n", encoding="utf-8")
    code, _, err = run(capsys, "--trace", "g", "fails.py")
    assert code == 1 and "ValueError: early" in err and "fails.py ended before it called g" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line():
    command = [sys.executable, "-m", "visual_debug", "program.py:energy", "1.0", "4.0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(vd.__file__).parents[1])}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot write" in done.stderr
