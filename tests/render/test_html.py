"""The page in a real browser: slider, keys, folding, search, and that nothing leaves it. Skipped where there is none."""

import contextlib
import linecache
import math
import re

import numpy as np
import pytest

import visual_debug as vd
from tests.render.browser import PROGRAMS, Browser, program


def inner(a):
    return math.sin(a) * a


def calls(x, y):
    total = inner(x) + inner(y)
    return total / (1 + total * x)


def repeated(x, n):
    for _ in range(n):
        x = 3.7 * x * (1 - x)
    return x


@pytest.fixture(scope="module")
def browser():
    path = program()
    if path is None:
        pytest.skip(f"no browser on PATH (looked for {', '.join(PROGRAMS)})")
    started = Browser(path)
    yield started
    started.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens the page of a trace; in the end the console must be clean, and no request may have left the page."""
    opened = []

    def open_page(trace, *, width=1280, height=800, scheme="light", calm=False, **options):
        path = trace.export(tmp_path / f"page{len(opened)}.html", **options)
        page = browser.open(
            path.as_uri(),
            width=width,
            height=height,
            scheme=scheme,
            calm=calm,
            ready="document.documentElement?.dataset.ready",
        )
        opened.append((page, path.as_uri()))
        return page

    yield open_page
    for page, url in opened:
        page.run("new Promise(done => setTimeout(done, 20))")  # what is under way is heard of
        page.close()
        assert page.said == []
        assert page.asked == [url]


@pytest.fixture
def trace():
    return vd.trace(calls, 0.5, 1.5)


def step(page):
    return int(page.run("document.getElementById('slider').value"))


def chosen(page, selector):
    return page.run(f"document.querySelector('{selector}').value")


def transform(page):
    return list(map(float, re.findall(r"[-\d.]+", page.attribute("transform", "#canvas svg > g"))))


def test_slider_keys_and_play(visit, trace):
    page = visit(trace)
    last = len(trace.steps()) - 1
    assert step(page) == last
    page.press("Home")
    assert step(page) == 0
    assert not page.count(".box text.adjoint", "∂")
    page.press("ArrowRight")
    assert step(page) == 1
    assert "sin" in page.text("#title")
    assert page.count(".box.lit") == 1
    page.press("ArrowLeft")
    assert step(page) == 0
    page.choose("#slider", "3")
    assert page.text("#title").startswith("3 /")
    page.press(" ")
    page.wait("Number(document.getElementById('slider').value) > 3")
    assert page.attribute("aria-pressed", "#play") == "true"
    page.press(" ")
    assert page.attribute("aria-pressed", "#play") == "false"
    page.press("End")
    assert step(page) == last
    assert f"{trace.result:.6g}" in page.of_all("e.textContent", ".box text.value")


def test_the_slider_by_keys(visit, trace):
    page = visit(trace, step=0)
    page.run("document.getElementById('slider').focus()")
    page.press("ArrowRight")
    assert step(page) == 1
    assert page.text("#title").startswith("1 /")
    assert page.attribute("aria-valuetext", "#slider").startswith("step 1 of ")


def test_what_is_collapsed_stays_so(visit, trace):
    page = visit(trace)
    boxes = page.count(".box")
    page.click(".box", "total = [+]", inside=".fold")
    folded = page.count(".box")
    assert folded < boxes
    for key in ("Home", "ArrowRight", "End"):
        page.press(key)
        assert page.count(".box") == folded
        assert page.attribute("aria-expanded", ".box", "total = [+]") == "false"
    page.click("#unfold")
    assert page.count(".box") == boxes


def test_box_source_and_row_are_one_selection(visit, trace):
    page = visit(trace)
    node = trace.find(name="total")[0]
    page.click(".part", " + inner(y)")
    assert page.text("tr.selected td") == str(node.id)
    assert "total" in page.text(".box.selected text.label")
    page.click("tbody tr", "sin")
    assert page.text(".box.selected text.label") == "sin"
    assert "math.sin(a)" in "".join(page.of_all("e.textContent", ".part.selected"))
    assert "1 of 2" in page.text("#details")
    page.click("#details button", "›")
    assert "2 of 2" in page.text("#details")
    page.click(".box", "total = [+]")
    assert page.text("tr.selected td") == str(node.id)
    assert " + inner(y)" in "".join(page.of_all("e.textContent", ".part.selected"))


def test_search(visit, trace):
    page = visit(trace)
    page.type("#search", "sin")
    assert page.text("#matches") == f"{len(trace.find(op='math.sin')) * 2} found"  # and what it is in
    page.press("Enter")
    assert page.text("#matches").startswith("1 of")
    assert page.count(".box.selected") == 1
    page.type("#search", "no such thing")
    assert page.text("#matches") == "0 found"
    assert not page.count(".box.found")
    page.type("#search", f"#{trace.outputs.id}")
    page.click("#next")
    assert page.text("tr.selected td") == str(trace.outputs.id)


def test_keyboard_alone(visit, trace):
    page = visit(trace)
    for _ in range(40):
        page.press("Tab")
        if page.run("document.activeElement.classList.contains('box')"):
            break
    top = page.run("document.activeElement.getAttribute('aria-label')")
    assert f"value {trace.result:.6g}" in top
    page.press("ArrowDown")
    assert page.run("document.activeElement.getAttribute('aria-label')") != top
    page.press("Enter")
    assert page.count(".box.selected") == 1
    page.press("c")
    assert page.run("document.activeElement.getAttribute('aria-expanded')") == "false"
    unnamed = "[...document.querySelectorAll('button, input, select')].filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length))"
    assert page.run(f"{unnamed}.length") == 0


def test_every_box_is_come_to_by_keys(visit, trace):
    page = visit(trace)
    page.run("document.querySelector('.box[tabindex=\"0\"]').focus()")
    come = {page.run("document.activeElement.getAttribute('aria-label')")}
    for key in ("ArrowLeft", "ArrowRight"):
        for _ in range(page.run("document.querySelectorAll('.box').length")):
            page.press(key, shift=True)
            come.add(page.run("document.activeElement.getAttribute('aria-label')"))
    assert come == set(page.of_all("e.getAttribute('aria-label')", ".box"))
    assert step(page) == len(trace.steps()) - 1  # which arrows without shift would have moved


def test_what_a_screen_reader_is_told(visit, trace):
    page = visit(trace)
    page.send("Accessibility.enable")
    tree = [n for n in page.send("Accessibility.getFullAXTree")["nodes"] if not n["ignored"]]
    by_role = {}
    for node in tree:
        by_role.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    for role in ("button", "slider", "combobox", "searchbox", "region", "table", "columnheader", "DisclosureTriangle"):
        assert by_role[role] and all(by_role[role]), role
    assert by_role["table"] == ["Values and adjoints by now"]
    assert by_role["columnheader"] == ["#", "operation", "value", "adjoint", "expression", "line"]
    assert len([name for name in by_role["button"] if ", value " in name]) >= len(trace.find(op="add"))
    assert not [name for name in by_role.get("group", []) if name.startswith("operand")]  # what arrows say, boxes say
    assert page.attribute("aria-valuetext", "#slider").startswith(f"step {step(page)} of {step(page)}: reverse")
    live = {p["value"]["value"] for n in tree for p in n.get("properties", []) if p["name"] == "live"}
    assert live == {"polite"}


def raising(x):
    return x * 2 / (x - x)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "1 value"), ("x * 2 / (x - x)", "the call raised ZeroDivisionError: float division by zero")],
)
def test_how_a_call_ended_is_said(visit, text, said):
    traced = vd.visual_debug(raising if text else lambda x: x)
    with contextlib.suppress(ZeroDivisionError):
        traced(2.0)
    note = visit(traced.trace).text("#note")
    assert said in note
    assert ("no reverse pass" in note) is bool(text)
    assert "no single number" not in note


def test_a_recording_that_stopped_is_said(visit):
    traced = vd.visual_debug(repeated, limit=20)
    traced(0.4, 100)
    assert "recording stopped at its limit" in visit(traced.trace).text("#note")
    traced = vd.visual_debug(repeated, last=20)
    traced(0.4, 100)
    assert "what came before these has been forgotten" in visit(traced.trace).text("#note")


def test_a_long_trace_is_coloured_by_its_rounding(visit):
    page = visit(vd.trace(repeated, 0.4, 1000))
    assert "by rounding" in page.of_all("e.textContent", "#colour option")
    page.choose("#colour", "mark2")
    assert page.count(".box.coloured") >= 3
    page.choose("#sheet", "graph")
    assert page.count(".box.coloured") >= 3


def layer(w, x):
    return (np.tanh(x @ w) ** 2).mean()


def test_arrays_in_boxes_are_told_whole(visit):
    random = np.random.default_rng(0)
    page = visit(vd.trace(layer, random.normal(size=(4, 8)), random.normal(size=(16, 4))))
    said = [text for kind in ("value", "adjoint") for text in page.of_all("e.textContent", f".box text.{kind}")]
    assert len(said) >= 10
    assert not [text for text in said if text.endswith("…")]
    assert any(re.fullmatch(r"float64\[16×8\] -0\.99\d+…0\.99\d+", text) for text in said)


def test_what_is_told_in_the_code_is_told_once(visit):
    page = visit(vd.trace(lambda x: x * 2, 3.0))
    page.press("Home")
    page.press("ArrowRight")
    assert page.of_all("e.textContent", ".chip:not([hidden])") == ["6"]
    assert page.of_all("e.textContent", ".notes") == [""]


def test_a_pass_that_is_chosen_is_told_instead_of_the_last(visit):
    page = visit(vd.trace(repeated, 0.4, 5))
    page.type("#search", "#4")
    page.press("Enter")
    (chip,) = page.of_all("e.textContent", ".chip:not([hidden])")
    assert chip.startswith("0.6")
    page.click("tbody tr", "0.888")
    assert page.of_all("e.textContent", ".chip:not([hidden])")[-1].startswith("0.888")
    assert page.of_all("e.textContent", ".notes") == ["", "", "", ""]


def test_rows_and_expressions_by_keys(visit, trace):
    page = visit(trace)
    page.run("document.getElementById('values').focus()")
    for key, row in [
        ("ArrowDown", 0),
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("ArrowUp", 0),
        ("ArrowUp", 0),
    ]:
        page.press(key)
        assert page.text("tr.selected td") == str(row)
    page.run("document.getElementById('code').focus()")
    said = []
    for _ in range(12):
        page.press("ArrowDown")
        said.append("".join(page.of_all("e.textContent", ".part.selected")))
    assert said[:3] == ["math.sin(a)", "math.sin(a) * a", "inner(x) + inner(y)"]
    assert said[-1] == said[-2]
    page.press("ArrowUp")
    assert "".join(page.of_all("e.textContent", ".part.selected")) == list(dict.fromkeys(said))[-2]


@pytest.mark.parametrize("colour", ["value", "adjoint", "magnitude", "mark2"])
def test_colours(visit, trace, colour):
    page = visit(trace)
    page.choose("#colour", colour)
    assert page.count(".box.coloured") >= (1 if colour == "mark2" else 5)
    assert page.text("#legend")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (3840, 2160)])
def test_nothing_sticks_out(visit, trace, width, height, scheme):
    page = visit(trace, width=width, height=height, scheme=scheme)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    wide = """[...document.querySelectorAll('.box')].filter(g => [...g.querySelectorAll(':scope > text')].some(
        t => t.getBBox().width > g.querySelector('rect').getBBox().width)).length"""
    assert page.run(wide) == 0
    dark = page.run("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 500, 1280])
def test_arrows_of_loops_are_in_the_picture(visit, width):
    page = visit(vd.trace(repeated, 0.4, 1000), width=width, height=900)
    page.press("0")
    assert page.count(".arrow.back path") >= 2
    assert page.run(
        "(r => [...document.querySelectorAll('.arrow path')].map(e => e.getBoundingClientRect()).every(e => "
        "e.left >= r.left && e.right <= r.right))(document.getElementById('canvas').getBoundingClientRect())"
    )


def test_pan_and_zoom(visit, trace):
    page = visit(trace)
    before = transform(page)
    page.click("#larger")
    larger = transform(page)
    assert larger != before
    x, y = page.of_all("[e.getBoundingClientRect().x, e.getBoundingClientRect().y]", "#canvas")[0]
    page.drag((x + 20, y + 20), (x + 60, y + 50))
    moved = transform(page)
    assert moved == pytest.approx([larger[0] + 40, larger[1] + 30, larger[2]])
    page.press("0")
    assert transform(page) == pytest.approx(before, rel=0.01)


def is_whole_in_sight(page, of="document"):
    return page.run(
        f"(d => {{ const r = d.getElementById('canvas').getBoundingClientRect(), b = [...d.querySelectorAll('.box rect')]; "
        "return r.width > 100 && b.length > 0 && b.map(e => e.getBoundingClientRect()).every(e => "
        f"e.left >= r.left && e.right <= r.right && e.top >= r.top && e.bottom <= r.bottom); }})({of})"
    )


def test_the_picture_follows_the_window_until_it_is_moved(visit, trace):
    page = visit(trace)
    assert is_whole_in_sight(page)
    page.resize(1700, 1000)
    page.wait("new Promise(done => setTimeout(() => done(true), 50))")
    assert is_whole_in_sight(page)
    page.click("#larger")
    moved = transform(page)
    page.resize(1280, 800)
    page.wait("new Promise(done => setTimeout(() => done(true), 50))")
    assert transform(page) == moved


def test_a_notebook_that_shows_its_output_late(browser, trace, tmp_path):
    shown = trace._repr_mimebundle_()["text/html"]
    inside = shown.replace('"allow-scripts"', '"allow-scripts allow-same-origin"')  # for the test to look into it
    assert inside != shown
    (tmp_path / "host.html").write_text(f"<!DOCTYPE html><div hidden>{inside}</div>", encoding="utf-8")
    page = browser.open((tmp_path / "host.html").as_uri())
    of = "document.querySelector('iframe').contentDocument"
    page.wait(f"{of}.documentElement.dataset.ready")
    page.run("document.querySelector('div').hidden = false")
    page.wait("new Promise(done => setTimeout(() => done(true), 100))")
    assert is_whole_in_sight(page, of)
    page.close()


def test_print_and_reduced_motion(visit, trace):
    page = visit(trace, calm=True)
    assert set(page.of_all("getComputedStyle(e).transitionDuration", ".box rect")) == {"0s"}
    assert page.pdf().startswith(b"%PDF")
    page.media(print=True)
    visible = page.of_all("e.id", "button, input, select")
    assert not page.run("[...document.querySelectorAll('button, input, select')].filter(e => e.offsetParent).length")
    assert visible and page.count("tbody tr") == len(trace)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert not page.run("[...document.querySelectorAll('td')].filter(e => e.scrollWidth > e.clientWidth + 1).length")
    page.media(print=True, scheme="dark")  # a printer leaves backgrounds out
    assert page.run("getComputedStyle(document.body).color") == "rgb(26, 26, 26)"
    page.run("document.documentElement.dataset.theme = 'dark'")
    assert page.run("getComputedStyle(document.body).color") == "rgb(26, 26, 26)"


def test_a_folded_page_is_opened_on_demand(visit):
    page = visit(vd.trace(repeated, 0.4, 1000))
    assert chosen(page, "#sheet") == "summary"
    assert page.count(".box text", "×1,000") == 3
    page.click(".box", "3.7 * x * (1 - x)")
    assert "1,000 times" in page.text("#details")
    page.click("#details button")
    assert chosen(page, "#sheet") == "graph"
    assert page.count(".box.selected") == 1
    page.press("Home")
    assert step(page) == 0


def turns(x, n):
    total = 0.0
    for _ in range(n):
        x = logistic(x)
        for k in range(3):
            total = total + x * k
    return total


def logistic(x):
    return 3.7 * x * (1 - x)


def test_loops_and_calls_are_opened_and_left(visit):
    page = visit(vd.trace(turns, 0.4, 400))
    page.choose("#sheet", "fold0")
    assert page.count(".box.folded") == 1
    page.press("/")
    page.press("Escape")
    page.click(".box.folded", "for _ in range(n)")
    assert "loop" in page.text("#details") and "×400 to ×1,200" in page.text("#details")
    page.click("#details button", "what is in it")
    assert page.text("#way") == "turns › for _ in range(n)"
    page.click(".box.folded", "for k in range(3)", inside=".fold")
    assert page.text("#way") == "turns › for _ in range(n) › for k in range(3)"
    assert "×1,200" in page.text(".box", "total + x * k")
    assert page.count("tbody tr") == page.count(".box")
    assert page.count(".box.outside") == 1  # x of the loop around
    page.click(".part", "1 - x")  # is in another fold, which is opened
    assert page.text("#way") == "turns › for _ in range(n) › logistic"
    assert page.text(".box.selected .label") == "1 - x"
    page.run("document.activeElement.blur()")
    page.press("Escape")
    page.press("Escape")
    assert page.text("#way") == "turns"
    page.type("#search", "total + x")
    page.press("Enter")
    assert page.text(".box.selected .label") == "total + x * k"
    page.choose("#colour", "value")
    assert page.count(".box.coloured") >= 2
    page.click("#details button", "#")
    assert chosen(page, "#sheet") == "graph"


#: Every text that is seen: what it says, and the numbers of red, green and blue of it and of what is behind it.
SEEN = """(() => {
  const rgb = (c) => {
    const n = c.match(/[\\d.]+/g).map(Number);
    return c.startsWith("color(") ? [...n.slice(0, 3).map((v) => 255 * v), n[3] ?? 1] : [...n.slice(0, 3), n[3] ?? 1];
  };
  const behind = (e) => {
    if (e.ownerSVGElement) {
      const shape = e.parentNode.querySelector(":scope > rect, :scope > circle");
      return rgb(getComputedStyle(shape).fill);
    }
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c[3] === 1) return c;
      if (c[3] !== 0) throw new Error("half transparent");
    }
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (e.matches("script, noscript, title, option, :disabled")) continue;
    const hint = e.matches("input[type=search]") && !e.value;
    const text = hint ? e.placeholder : [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
    if (!text || (!e.ownerSVGElement && !e.getClientRects().length)) continue;
    const style = getComputedStyle(e, hint ? "::placeholder" : null);
    found.push([text, rgb(e.ownerSVGElement ? style.fill : style.color), behind(e)]);
  }
  return found;
})()"""


def contrast(one, other):
    """The ratio of WCAG 2.2, from 1 to 21."""

    def luminance(colour):
        parts = [v / 255 for v in colour[:3]]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(visit, trace, scheme):
    page = visit(trace, scheme=scheme)
    seen = []

    def look():
        page.run("Promise.all(document.getAnimations().map(a => a.finished))")
        seen.extend(page.run(SEEN))

    page.press("Home")
    look()
    page.choose("#slider", "14")
    page.click(".box", "total = [+]")
    page.type("#search", "a")
    look()
    page.press("End")
    page.type("#search", "")
    look()
    for colour in ("value", "adjoint", "magnitude", "mark2", "mark4"):
        page.choose("#colour", colour)
        look()
    page = visit(vd.trace(turns, 0.4, 400), scheme=scheme)
    look()
    page.choose("#sheet", "fold0")
    page.click(".box.folded")
    page.type("#search", "x")
    look()
    faint = {text: round(contrast(front, back), 2) for text, front, back in seen if contrast(front, back) < 4.5}
    assert len(seen) > 500
    assert faint == {}


@pytest.mark.parametrize(
    "text",
    [
        "</script><img src=x onerror=alert(1)>",
        "<!--<script>",
        "\u2028\u2029",
        "\u202e\u2066 right to left",
        '"`${alert(1)}',
        "]]>&lt;&#60;",
        "{data}{0}%s",
    ],
)
def test_what_a_user_wrote_is_text(visit, text):
    scope: dict = {}
    source = f"def f(x):\n    y = len('{text}')\n    return x * y\n"
    name = f"<i>{len(text)}</i>"
    exec(compile(source, name, "exec"), scope)  # noqa: S102
    linecache.cache[name] = (len(source), None, [f"{line}\n" for line in source.split("\n")], name)
    trace = vd.trace(scope["f"], 2.0)
    page = visit(trace, view="graph")
    assert page.count("img, i, main script") == 0
    assert f"y = len('{text}')" in page.text("#code")
    assert page.text("#code h2") == "i>"  # behind the last slash, as of any file
    page.choose("#colour", "value")
    page.type("#search", "len(")
    page.press("Enter")
    assert page.count("tr.selected") == 1


def test_keys_that_no_file_can_hold(visit):
    page = visit(vd.trace(lambda given: sum(given.values()), {"\ud800</script><b>": 2.0, "\x00\x1b[31m": 3.0}))
    assert page.count("main b") == 0
    assert page.count(".box") >= 3


def test_bidirectional_text_stays_in_its_box(visit):
    page = visit(vd.trace(named, 2.0))
    label = page.of_all("e.textContent", ".box .label")
    assert any("שלום" in text for text in label)
    assert page.run("getComputedStyle(document.querySelector('.source')).unicodeBidi") in (
        "isolate",
        "isolate-override",
        "plaintext",
    )


def named(x):
    שלום = x * x
    return שלום + 1
