"""The command line: what it prints, draws and refuses, and how it ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import visual_debug as vd
from visual_debug import cli

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n\x1a\n"
PROGRAM = """
import math
import sys
from dataclasses import dataclass

import neighbour
from visual_debug import visual_debug

LOADED_AS = __name__
WHOLE = 3


def double(x):
    return 2 * x


def beside(x):
    return neighbour.triple(x)


@visual_debug(keep=3)
def decorated(x, y=1.0):
    return x * y


def failing(x):
    half = x / 2
    return deeper(half)


def deeper(half):
    return 1 / (half - 1)


def leaving(x):
    sys.exit(x * 2)


def name(text):
    return LOADED_AS + text


def pair(a, b):
    return a * b, a + b


def growing(x):
    return math.exp(x) * 1e308


def long(x, steps):
    for _ in range(steps):
        x = x * 1.0001
    return x


def numbers(values, scale=1.0):
    return scale * (values[0] + values[1])


def values_of(n):
    yield n


async def later(x):
    return x


@dataclass
class Spring:
    k: float = 3.0

    def energy(self, x):
        return self.k * x * x / 2

    @staticmethod
    def shifted(x):
        return x + 1

    @classmethod
    def doubled(cls, x):
        return 2 * x

    @property
    def stiffness(self):
        return self.k


class Pendulum:
    def __init__(self, length):
        self.length = length

    def period(self, g):
        return 2 * math.pi * math.sqrt(self.length / g)


stiff = Spring(5.0)

if __name__ == "__main__":
    raise SystemExit("loaded as the main program")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory, with the program in a folder of its own."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/program.py").write_text(PROGRAM)
    (tmp_path / "lib/neighbour.py").write_text("def triple(x):\n    return 3 * x\n")
    for name in ("program", "neighbour"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VISUAL_DEBUG", raising=False)
    yield tmp_path
    for name in ("program", "neighbour"):
        sys.modules.pop(name, None)


def run(capsys, *command: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in this process."""
    code = cli.main([f"lib/{part}" if part.startswith("program.py:") else part for part in command])
    return (code, *capsys.readouterr())


def refused(capsys, *command: str) -> str:
    """The one line with which a command is refused."""
    code, _, err = run(capsys, *command)
    assert code == 2, err
    assert err.startswith("visual-debug: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err.removeprefix("visual-debug: error: ").rstrip("\n")


# ---- what is printed


def test_the_tree_the_gradient_and_where_to_go_next(capsys, folder):
    code, out, err = run(capsys, "program.py:decorated", "3.0", "y=4.0")
    assert (code, err) == (0, "")
    assert out == (
        "decorated(3.0, y=4.0) = 12.0\n"
        "\n"
        "[*] → 12\n"
        "├─ 3=x\n"
        "└─ 4=y\n"
        "\n"
        "gradient\n"
        "  d/dx = 4.0\n"
        "  d/dy = 3.0\n"
        "\n"
        "3 values, 5 steps. To see each of them:\n"
        "  visual-debug lib/program.py:decorated 3.0 y=4.0 -o out/\n"
    )
    assert list(folder.iterdir()) == [folder / "lib"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["program.py:double", "4"], "double(4) = 8"),
        (["program.py:double", "x=-1e-3"], "double(x=-0.001) = -0.002"),
        (["program.py:double", "-1e-3"], "double(-0.001) = -0.002"),
        (["program.py:double", "-.5"], "double(-0.5) = -1.0"),
        (["program.py:beside", "2"], "beside(2) = 6"),
        (["program.py:name", '"!"'], "name('!') = 'program!'"),
        (["program.py:name", "text='='"], "name(text='=') = 'program='"),
        (["program.py:numbers", "[1, 2.5]", "scale=2"], "numbers([1, 2.5], scale=2) = 7.0"),
        (["program.py:Spring.shifted", "1"], "Spring.shifted(1) = 2"),
        (["program.py:Spring.doubled", "1"], "Spring.doubled(1) = 2"),
        (["program.py:Spring.energy", "2"], "Spring.energy(2) = 6.0"),
        (["program.py:stiff.energy", "2"], "Spring.energy(2) = 10.0"),
        (["statistics:fmean", "[1.0, 2.0]"], "fmean([1.0, 2.0]) = 1.5"),
        (["lib.neighbour:triple", "2"], "triple(2) = 6"),
    ],
)
def test_functions_of_every_kind(capsys, folder, command, answer):
    code, out, err = run(capsys, *command)
    assert (code, err, out.splitlines()[0]) == (0, "", answer)


def test_options_may_stand_anywhere(capsys, folder):
    code, out, _ = run(
        capsys, "-o", "a.dot", "program.py:numbers", "--view", "tree", "[1, 2]", "--step", "-1", "scale=3"
    )
    assert code == 0
    assert out == "numbers([1, 2], scale=3) = 9\nwrote a.dot\n"


def test_gradients_have_the_structure_of_the_arguments(capsys, folder):
    _, out, _ = run(capsys, "program.py:numbers", "[1.0, 2.5]")
    assert "  d/dvalues[0] = 1.0\n  d/dvalues[1] = 1.0\n" in out


def test_no_gradient_says_why(capsys, folder):
    code, out, _ = run(capsys, "program.py:pair", "2", "3")
    assert code == 0
    assert "no gradient: the result of pair has several parts" in out
    code, out, _ = run(capsys, "program.py:name", '"a"')
    assert code == 0
    assert "no number was computed" in out


def test_check_does_not_pass_what_it_could_not_ask(capsys, folder):
    code, out, _ = run(capsys, "check", "program.py:pair", "2.0", "3.0")
    assert code == 2
    assert "gradient:\n  not to be had: " in out
    assert run(capsys, "check", "program.py:pair", "2.0", "3.0", "--only", "nonfinite")[0] == 0
    assert run(capsys, "check", "program.py:decorated", "2.0")[0] == 0
    assert run(capsys, "check", "program.py:growing", "2.0", "--only", "nonfinite")[0] == 1


def test_the_birth_of_an_infinity_is_shown(capsys, folder):
    _, out, _ = run(capsys, "program.py:growing", "2.0")
    assert "the first value that is not finite: * → inf at" in out
    line = PROGRAM.splitlines().index("    return math.exp(x) * 1e308") + 1
    assert f"{Path('lib/program.py')}:{line}: math.exp(x) * 1e308" in out


def test_long_runs_are_not_sent_to_pictures_that_cannot_be_made(capsys, folder):
    _, out, _ = run(capsys, "program.py:long", "1.0", "600")
    assert out.endswith("visual-debug lib/program.py:long 1.0 600 -o out.png\n")
    _, out, _ = run(capsys, "program.py:long", "1.0", "4000")
    assert "too many for a picture" in out
    assert refused(capsys, "program.py:long", "1.0", "4000", "-o", "out/")
    assert not Path("out").exists()


def test_a_module_is_loaded_under_its_own_name_and_leaves_no_path_behind(capsys, folder):
    before = sys.path[:]
    run(capsys, "program.py:double", "1")
    assert sys.path == before
    assert sys.modules["program"].LOADED_AS == "program"


def test_a_file_named_like_a_module_in_use_does_not_take_its_place(capsys, folder):
    Path("lib/statistics.py").write_text("def one(x):\n    return x + 1\n")
    import statistics

    assert run(capsys, "lib/statistics.py:one", "1")[0] == 0
    assert sys.modules["statistics"] is statistics


# ---- what is drawn


def test_a_folder_gets_every_step_the_final_pictures_and_the_tree(capsys, folder):
    code, out, err = run(capsys, "program.py:decorated", "3.0", "4.0", "-o", "new/pictures/")
    assert (code, err) == (0, "")
    steps = Path("new/pictures/graph")
    assert [p.name for p in sorted(steps.iterdir())] == [f"step-0{i}.svg" for i in range(5)]
    pictures = Path("new/pictures")
    assert (pictures / "tree.txt").read_text(encoding="utf-8") == "[*] → 12\n├─ 3=x\n└─ 4=y\n"
    for name in ("graph.png", "tree.png"):
        assert (pictures / name).read_bytes().startswith(PNG)
    assert out.splitlines()[1:] == [
        f"wrote 5 pictures to {steps}{os.sep} (step-00.svg to step-04.svg)",
        f"wrote {pictures / 'graph.png'}, {pictures / 'tree.png'}, {pictures / 'tree.txt'}",
    ]


def test_view_and_format_of_the_steps(capsys, folder):
    code, out, _ = run(capsys, "program.py:double", "3.0", "-o", "out", "--view", "tree", "--format", "png")
    assert code == 0
    assert "wrote 5 pictures to " in out
    assert all(p.read_bytes().startswith(PNG) for p in Path("out/tree").iterdir())
    assert len(list(Path("out/tree").iterdir())) == 5


def test_older_steps_in_the_same_folder_are_pointed_out(capsys, folder):
    run(capsys, "program.py:numbers", "[1.0, 2.5]", "-o", "out")
    _, _, err = run(capsys, "program.py:double", "3.0", "-o", "out")
    assert "out/graph also holds 3 older files, as step-05.svg" in err.replace(os.sep, "/")


def test_a_tree_of_thousands_of_boxes_is_not_drawn_unasked(capsys, folder):
    Path("shared.py").write_text("def f(x):\n    for _ in range(10):\n        x = x * x\n    return x\n")
    code, out, err = run(capsys, "shared.py:f", "1.01", "-o", "out/")
    assert (code, err) == (0, "")
    assert "no tree.png: the tree repeats shared values and has more than 300 boxes" in out
    assert {p.name for p in Path("out").iterdir()} == {"graph", "graph.png", "tree.txt"}


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg"), ("a.PNG", PNG), ("deep/er/a.dot", b"digraph")])
def test_one_picture(capsys, folder, name, start):
    code, out, _ = run(capsys, "program.py:double", "3.0", "-o", name)
    assert code == 0
    assert start in Path(name).read_bytes()[:200]
    assert out.splitlines()[1:] == [f"wrote {Path(name)}"]


def test_one_step(capsys, folder):
    for step in ("0", "2", "-1"):
        assert run(capsys, "program.py:double", "3.0", "-o", f"at{step}.svg", "--step", step)[0] == 0
    trace = vd.trace(lambda x: 2 * x, 3.0)
    for step, name in ((0, "at0.svg"), (2, "at2.svg"), (4, "at-1.svg")):
        assert trace.steps()[step].title.partition(" (line")[0].partition(" pulls")[0] in Path(name).read_text("utf-8")
    code, out, _ = run(capsys, "program.py:double", "3.0", "-o", "out/", "--step", "-2")
    assert code == 0
    assert [p.name for p in Path("out").rglob("*.*")] == ["step-03.svg"]
    assert f"wrote {Path('out/graph/step-03.svg')}" in out


class Terminal(io.StringIO):
    """A stream that says that somebody watches."""

    def isatty(self):
        return True


def test_progress_is_for_terminals_only(capsys, folder, monkeypatch):
    assert run(capsys, "program.py:double", "3.0", "-o", "out/")[2] == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert cli.main(["lib/program.py:double", "3.0", "-o", "out/"]) == 0
    assert terminal.getvalue().startswith("\rdrawing 1 of 5\r")
    assert terminal.getvalue().endswith("\r\033[K")


# ---- programs that fail


def test_an_error_of_the_program_is_shown_with_what_was_computed_until_then(capsys, folder):
    code, out, err = run(capsys, "program.py:failing", "2")
    assert code == 1
    assert out.startswith("failing(2) raised ZeroDivisionError\n\n[/] → raised\n├─ 1\n└─ [-] → 0\n")
    assert err.startswith("Traceback (most recent call last):\n")
    last = err.splitlines().index(next(line for line in err.splitlines() if line.startswith("ZeroDivisionError: ")))
    assert err.splitlines()[last + 1].startswith("visual_debug: ")  # the note
    assert err.count("  File ") == 2
    assert "in failing" in err
    assert "in deeper" in err


def test_what_was_computed_until_an_error_is_drawn(capsys, folder):
    code, out, err = run(capsys, "program.py:failing", "2", "-o", "out/")
    assert code == 1
    assert "ZeroDivisionError" in err
    assert "wrote 4 pictures to" in out
    assert (folder / "out/graph.png").exists()


def test_a_failure_before_the_first_operation_is_the_programs_too(capsys, folder):
    code, out, err = run(capsys, "program.py:name", "3", "-o", "out/")
    assert code == 1
    assert out.startswith("name(3) raised TypeError")
    assert "can only concatenate str" in err


def test_leaving_is_an_error_of_the_program(capsys, folder):
    code, out, err = run(capsys, "program.py:leaving", "3")
    assert code == 1
    assert out.startswith("leaving(3) raised SystemExit")
    assert err.endswith("SystemExit: 6\n")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere"),
        ("1/0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_loaded(capsys, folder, text, what):
    Path("broken.py").write_text(text + "\n")
    code, out, err = run(capsys, "broken.py:f", "1")
    assert (code, out) == (1, "")
    assert what in err
    assert 'broken.py", line 1' in err
    assert err.endswith("visual-debug: broken.py cannot be loaded\n")


def test_a_script_without_a_guard(capsys, folder):
    Path("script.py").write_text("import sys\nsys.exit(0)\n")
    code, _, err = run(capsys, "script.py:f")
    assert code == 1
    assert 'guard that by if __name__ == "__main__"' in err


def test_an_interrupt_shows_what_there_is(capsys, folder):
    Path("stop.py").write_text("def f(x):\n    y = x * 2\n    raise KeyboardInterrupt\n")
    code, out, _ = run(capsys, "stop.py:f", "3")
    assert code == 130
    assert out.startswith("f(3) raised KeyboardInterrupt")


# ---- commands that are refused


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], "say which function"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["program.py"], "program.py: no such file"),
        (["lib/program.py"], "say which function, as lib/program.py:double"),
        (["program.py:"], "say which function, as lib/program.py:double"),
        (["program"], "say which function"),
        (["nowhere.py:f"], "nowhere.py: no such file"),
        (["nowhere.deep:f"], "no module named nowhere"),
        (["program:double", "2"], "no module named program; a file is named by its path, as program.py:…"),
        (["program.py:duoble", "2"], "there is no duoble in program.py: did you mean double?"),
        (["program.py:Spring.enregy", "2"], "there is no enregy in Spring: did you mean energy?"),
        (["program.py:Spring.zzz", "2"], "there is no zzz in Spring, only energy, shifted, doubled"),
        (["program.py:WHOLE"], "WHOLE is no function but of type int"),
        (["program.py:Spring", "2"], "Spring is a class"),
        (["program.py:Spring.stiffness"], "Spring.stiffness is a property"),
        (["program.py:Pendulum.period", "9.81"], "Pendulum() cannot be made (missing a required argument: 'length')"),
        (["program.py:math.sin", "2"], "sin is a builtin"),
        (["program.py:double"], "double(x): missing a required argument: 'x'"),
        (["program.py:double", "1", "2"], "double(x): too many positional arguments"),
        (["program.py:double", "y=2"], "double(x): "),
        (["program.py:double", "x=1", "x=2"], "x=2: x is given twice"),
        (["program.py:double", "1", "x=2"], "double(x): multiple values for argument 'x'"),
        (["program.py:name", "text=abc"], "'abc' is no Python literal; a string keeps its quotes: 'text=\"abc\"'"),
        (["program.py:name", "abc"], "a string keeps its quotes: '\"abc\"'"),
        (["program.py:double", "x="], "nothing stands after the ="),
        (["program.py:double", "x=1/2"], "'1/2' is no Python literal (a number"),
        (["program.py:double", "x=-inf"], "infinity is written x=-1e999"),
        (["program.py:double", "x==2"], "x==2: '=2' is no Python literal"),
        (["program.py:double", "x=" + "(" * 300], "is no Python literal"),
        (["program.py:double", "2", "--view", "tree"], "--view is about pictures: say where they go, as -o out/"),
        (["program.py:double", "2", "--step", "1"], "--step is about pictures"),
        (["program.py:double", "2", "--view", "cod", "-o", "out"], "invalid choice: 'cod'"),
        (["program.py:double", "2", "--step", "two", "-o", "out"], "invalid int value: 'two'"),
        (["program.py:double", "2", "--step", "9", "-o", "out"], "there are 5 steps, 0 to 4"),
        (["program.py:double", "2", "--step", "-6", "-o", "a.svg"], "there are 5 steps, 0 to 4"),
        (["program.py:double", "2", "-o", "a.jpg"], "for a folder of that name write a.jpg/"),
        (["program.py:double", "2", "-o", "a.svg", "--format", "png"], "--format png does not go with a.svg"),
        (["program.py:double", "2", "-o", "lib/program.py/out"], "cannot write to"),
        (["program.py:double", "2", "-o", "lib/program.py/a.svg"], "cannot write to"),
        (["program.py:name", '"a"', "-o", "out"], "computed no numbers"),
    ],
)  # fmt: skip
def test_refusals(capsys, folder, command, words):
    assert words in refused(capsys, *command)


def test_generators_and_coroutines_are_run_to_their_end(capsys, folder):
    assert "values_of" in run(capsys, "program.py:values_of", "2")[1]
    assert run(capsys, "program.py:later", "2")[0] == 0


def test_recording_that_is_switched_off(capsys, folder, monkeypatch):
    monkeypatch.setenv("VISUAL_DEBUG", "0")
    assert "VISUAL_DEBUG=0" in refused(capsys, "program.py:double", "2")


# ---- as a command


def command(*words: str, **options) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | options.pop("env", {})
    return subprocess.run(
        [sys.executable, "-m", "visual_debug", *words],
        capture_output=True, check=False, encoding="utf-8", env=environment, timeout=120, **options
    )  # fmt: skip


def test_a_process_of_its_own(folder):
    done = command("lib/program.py:double", "21", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("double(21) = 42\n")
    assert command("lib/program.py:failing", "2", cwd=folder).returncode == 1
    assert command("lib/program.py:failing", cwd=folder).returncode == 2


def test_version_and_help():
    assert command("--version").stdout == f"visual-debug {vd.__version__}\n"
    done = command("--help")
    assert done.returncode == 0
    for words in ("examples:", "gaussian.py:gaussian x=2 y=7 -o out/", "--view", "--step", "Exit codes"):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 150


def test_a_terminal_that_knows_little(folder):
    done = command("lib/program.py:double", "21", cwd=folder, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "[*] ? 42" in done.stdout


def test_a_reader_that_leaves(folder):
    command_line = f"{sys.executable} -m visual_debug lib/program.py:long 1.0 2500 | head -n 1"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command_line, shell=True, capture_output=True, check=False, text=True, env=environment, timeout=120, cwd=folder
    )
    assert done.returncode == 0
    assert done.stdout.startswith("long(1.0, 2500) = ")
    assert done.stderr == ""


def test_asking_for_help_does_not_load_what_draws():
    code = "import sys, visual_debug.cli as c; c.parser(); print({'numpy', 'networkx', 'pydot'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True, env=environment, timeout=60
    )
    assert done.stdout == "set()\n"
