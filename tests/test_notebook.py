"""Notebooks: what a trace shows itself as, and the magics, in a real IPython shell and an executed notebook."""

from __future__ import annotations

import json

import pytest

import visual_debug as vd
from visual_debug.views import export


def f(x, y):
    return 2 * x * y + (x - 1) ** 2


def test_a_trace_has_text_and_a_picture():
    bundle = vd.trace(f, 3, 5)._repr_mimebundle_()
    assert "[+] → 34" in bundle["text/plain"]
    assert bundle["image/svg+xml"].startswith("<svg ")
    assert ("text/html" in bundle) == ("html" in export.FORMATS)
    assert set(vd.trace(f, 3, 5)._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "text/plain" not in vd.trace(f, 3, 5)._repr_mimebundle_(exclude={"text/plain"})


def test_a_long_trace_is_shown_by_its_summary():
    def loop(x):
        for _ in range(1000):
            x = x * 0.5 + 1
        return x

    assert "×1,000" in vd.trace(loop, 1.0)._repr_mimebundle_(include=["image/svg+xml"])["image/svg+xml"]


def test_a_trace_without_numbers_is_text():
    assert set(vd.trace(lambda: "a")._repr_mimebundle_()) == {"text/plain"}


@pytest.fixture
def shell():
    interactive = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    shell = interactive.InteractiveShell.instance()
    shell.run_line_magic("load_ext", "visual_debug")
    yield shell
    interactive.InteractiveShell.clear_instance()


def test_the_line_magic_traces_an_expression(shell, capsys):
    shell.run_cell("x, y = 3, 5").raise_error()
    shell.run_cell("%visual_debug 2*x*y + (x - 1)**2").raise_error()
    trace = shell.user_ns["_trace"]
    assert trace.result == 34
    assert trace.grad() == {"x": 14, "y": 6}
    assert "[+] → 34" in capsys.readouterr().out
    assert "30 + 4" in trace.code(step=7)


def test_the_cell_magic_leaves_the_variables_of_the_cell(shell):
    shell.run_cell("a = 2.0\ndef g(v):\n    return v * v").raise_error()
    shell.run_cell("%%visual_debug\nb = g(a) + 1\nc = [b * i for i in range(3)]\nsum(c)").raise_error()
    assert (shell.user_ns["b"], shell.user_ns["c"]) == (5.0, [0.0, 5.0, 10.0])
    trace = shell.user_ns["_trace"]
    assert trace.result == 15.0
    assert trace.grad("a") == 12.0
    assert "b = 5" in "\n".join(trace.code(step=s) for s in range(5))


def test_an_error_in_the_cell_is_raised_and_its_trace_shown(shell, capsys):
    result = shell.run_cell("%%visual_debug\nq = 1.0 - 1\n1 / q")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert shell.user_ns["_trace"].exception is result.error_in_exec
    assert "raised" in capsys.readouterr().out


def test_a_notebook_is_executed(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="nbclient runs notebooks")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = ["%load_ext visual_debug", "x = 3.0", "%%visual_debug\ny = x * x\ny + 1", "_trace"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell in notebook.cells[2:]:
        data = cell.outputs[-1]["data"]
        assert "[+] → 10" in data["text/plain"]
        assert "<svg" in data["image/svg+xml"]
    assert json.loads(nbformat.writes(notebook))
