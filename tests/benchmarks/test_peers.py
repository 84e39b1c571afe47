"""The comparison with other libraries runs, measures what it says, and its table is in the README."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("peers", Path(__file__).with_name("peers.py"))
peers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(peers)
README = (peers.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("function", [function for function, _ in peers.PROGRAMS])
def test_ours_is_the_gradient(function):
    step = 1e-6
    above, below = function(peers.START + step, 20), function(peers.START - step, 20)
    assert peers.own(function, 20) == pytest.approx((above - below) / (2 * step), rel=1e-4)


@pytest.mark.parametrize(("function", "size"), peers.PROGRAMS)
def test_operations_are_counted_as_they_are(function, size):
    counts = [len([n for n in peers.vd.trace(function, 0.3, k) if n.op not in ("input", "const")]) for k in (10, 11)]
    assert counts[1] - counts[0] == size


def test_only_what_is_installed_is_measured(capsys, monkeypatch):
    def missing(function, n):
        raise ImportError

    def slow(function, n):
        return peers.own(function, n)

    monkeypatch.setattr(peers, "GRADIENTS", {"numpy": (slow, 10), "nobody": (missing, 10)})
    monkeypatch.setattr(peers, "WATCHERS", {"pytest": (lambda function: function, 10), "nobody": (missing, 10)})
    monkeypatch.setattr(peers, "_call", lambda function, n: lambda: function(peers.START, n))
    monkeypatch.setitem(peers.WATCHERS, "nobody", (lambda function: missing(function, 1), 10))
    peers.main(["--quick"])
    shown = capsys.readouterr().out
    assert shown.count("| gradient | numpy") == 1 and shown.count("| recording | pytest") == 1
    assert "nobody" not in shown


def test_a_wrong_gradient_is_not_measured(monkeypatch):
    monkeypatch.setattr(peers, "GRADIENTS", {"numpy": (lambda function, n: math.pi, 10)})
    with pytest.raises(AssertionError, match="numpy finds 3.14"):
        peers.table(quick=True)


def test_the_table_in_the_readme_has_its_form():
    found = re.search(r"<!-- peers: begin, measured by tests/benchmarks/peers.py on CPython 3\.\d+ -->\n\n(.*?)\n\n<!-- peers: end -->",
                      README, re.DOTALL)  # fmt: skip
    head, rule, *lines = found[1].splitlines()
    assert head == "| of what | by | logistic loop | newton loop |" and rule == "|---|---|---|---|"
    ratios = [
        re.fullmatch(r"\| (gradient|recording) \| [\w.+-]+ \S+ \| ([\d,]+) x as long \| ([\d,]+) x as long \|", line)
        for line in lines
    ]
    assert len(ratios) >= 3 and all(ratios)
    assert all(int(n.replace(",", "")) >= 15 for match in ratios for n in match.groups()[1:])
