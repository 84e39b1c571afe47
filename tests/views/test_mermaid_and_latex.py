"""Mermaid and LaTeX as their own programs read them, where those can be had."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import visual_debug as vd
from tests.render.browser import Browser, program

NASTY = 'a"b;<x>`#quot;`%$&{}~^\\_|'


def item(d):
    return d[NASTY] * 2 + d["end"] - d["中文 [subgraph]"]


def greek(α, x_1, ñ):
    Δx = α**x_1
    y__ = math.sqrt(Δx) / (1 + abs(ñ))
    return max(y__, -3, 1e-30) // 0.25 % 7


def arrays(A, v):
    return np.linalg.norm(A @ v.T) + np.sum(A[:, 0] * v[1]) + np.where(v > 0, v, 0).max()


def turns(x):
    for _ in range(1000):
        x = 3.2 * x * (1 - x)
    return x


def given():
    return {
        "item": vd.trace(item, {NASTY: 1.5, "end": 2.0, "中文 [subgraph]": 3.0}),
        "greek": vd.trace(greek, 2.0, 3.5, -4),
        "arrays": vd.trace(arrays, np.eye(2), np.array([1.0, 2.0])),
        "turns": vd.trace(turns, 0.3),
    }


def test_mermaid_reads_every_picture(tmp_path):
    """Set VISUAL_DEBUG_MERMAID to the path of `mermaid.min.js`, of the npm package mermaid."""
    library = os.environ.get("VISUAL_DEBUG_MERMAID")
    if not library or not Path(library).is_file():
        pytest.skip("VISUAL_DEBUG_MERMAID does not name mermaid.min.js")
    path = program()
    if path is None:
        pytest.skip("no browser on PATH to run Mermaid in")
    texts, counts = {}, {}
    for name, trace in given().items():
        for view in ("summary",) if name == "turns" else ("graph", "tree", "summary"):
            text = trace.export(tmp_path / "a.mmd", view=view).read_text(encoding="utf-8")
            texts[f"{name} {view}"] = text
            counts[f"{name} {view}"] = [
                len(re.findall(r'^  \w+\["', text, re.MULTILINE)),
                len(re.findall(r"^  \w+ --", text, re.MULTILINE)),
            ]
    page = tmp_path / "page.html"
    page.write_text(
        f"""<!doctype html><meta charset="utf-8"><body><script src="{Path(library).resolve().as_uri()}"></script>
        <script type="application/json" id="texts">{json.dumps(texts).replace("<", chr(92) + "u003c")}</script>
        <script>
        window.found = null;
        (async () => {{
          mermaid.initialize({{startOnLoad: false}});
          const found = {{}};
          for (const [name, text] of Object.entries(JSON.parse(document.getElementById("texts").textContent))) {{
            const drawn = document.createElement("div");
            try {{
              drawn.innerHTML = (await mermaid.render("d" + Object.keys(found).length, text)).svg;
              found[name] = [".node", ".flowchart-link"].map((kind) => drawn.querySelectorAll(kind).length);
              if (name === "item graph") found.labels = [...drawn.querySelectorAll(".nodeLabel")].map((e) => e.textContent);
            }} catch (error) {{ found[name] = String(error); }}
          }}
          window.found = found;
        }})();
        </script>""",
        encoding="utf-8",
    )
    browser = Browser(path)
    try:
        opened = browser.open(page.as_uri(), ready="!!window.found")
        found = opened.run("window.found")
    finally:
        browser.close()
    labels = found.pop("labels", [])
    assert found == counts
    assert any(repr(NASTY)[1:-1] in label for label in labels)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
@pytest.mark.parametrize("name", ["item", "greek", "arrays"])
def test_latex_reads_every_document(name, tmp_path):
    given()[name].export(tmp_path / "a.tex")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "a.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert b"Missing character" not in (tmp_path / "a.log").read_bytes()


def test_formulas_of_arrays_and_of_greek_names(tmp_path):
    text = given()["arrays"].export(tmp_path / "a.tex").read_text(encoding="utf-8")
    for formula in (r"{v}^{\top}", r"{A}_{:, 0} \cdot {v}_{1}", r"\left(v > 0, v, 0\right)", r"1 & 0 \\ 0 & 1"):
        assert formula in text
    text = given()["greek"].export(tmp_path / "b.tex").read_text(encoding="utf-8")
    assert r"\text{$\Delta$x} &= {\alpha}^{\mathrm{x\_1}}" in text
    assert r"\left\lfloor \frac{\max\left(0.672717, -3, 1 \cdot 10^{-30}\right)}{0.25}\right\rfloor \bmod 7" in text
