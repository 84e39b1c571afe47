"""The page in a real browser: slider, keys, folding, search, and that nothing leaves it. Skipped where there is none."""

import math
import re
import shutil

import pytest

import visual_debug as vd

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


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
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright, for tests in a browser")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser on PATH (looked for {', '.join(PROGRAMS)})")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens the page of a trace; in the end the console must be clean, and no request may have left the page."""
    said, asked, opened = [], [], []

    def open_page(trace, *, width=1280, height=800, scheme="light", **options):
        path = trace.export(tmp_path / f"page{len(opened)}.html", **options)
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        opened.append(page)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for page in opened:
        page.close()
    assert said == []
    assert len(asked) == len(opened)  # the pages themselves
    assert all(url.startswith("file:") for url in asked)


@pytest.fixture
def trace():
    return vd.trace(calls, 0.5, 1.5)


def step(page):
    return int(page.input_value("#slider"))


def box(page, label):
    return page.locator(".box", has=page.locator("text.label", has_text=label)).first


def test_slider_keys_and_play(visit, trace):
    page = visit(trace)
    last = len(trace.steps()) - 1
    assert step(page) == last
    page.keyboard.press("Home")
    assert step(page) == 0
    assert not page.locator(".box text.adjoint", has_text="∂").count()
    page.keyboard.press("ArrowRight")
    assert step(page) == 1
    assert "sin" in page.inner_text("#title")
    assert page.locator(".box.lit").count() == 1
    page.keyboard.press("ArrowLeft")
    assert step(page) == 0
    page.evaluate("document.getElementById('slider').value = 3")
    page.dispatch_event("#slider", "input")
    assert page.inner_text("#title").startswith("3 /")
    page.keyboard.press(" ")
    page.wait_for_timeout(1500)  # the policy of the page forbids a function given as text
    assert step(page) > 3
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.keyboard.press(" ")
    assert page.get_attribute("#play", "aria-pressed") == "false"
    page.keyboard.press("End")
    assert step(page) == last
    texts = page.locator(".box text.value").all_text_contents()
    assert f"{trace.result:.6g}" in texts


def test_what_is_collapsed_stays_so(visit, trace):
    page = visit(trace)
    boxes = page.locator(".box").count()
    total = box(page, "total = [+]")
    total.locator(".fold").click()
    folded = page.locator(".box").count()
    assert folded < boxes
    for key in ("Home", "ArrowRight", "End"):
        page.keyboard.press(key)
        assert page.locator(".box").count() == folded
        assert total.get_attribute("aria-expanded") == "false"
    page.click("#unfold")
    assert page.locator(".box").count() == boxes


def test_box_source_and_row_are_one_selection(visit, trace):
    page = visit(trace)
    node = trace.find(name="total")[0]
    page.locator(".part", has_text=" + inner(y)").first.click()
    assert page.locator("tr.selected td").first.inner_text() == str(node.id)
    assert "total" in page.locator(".box.selected text.label").text_content()
    page.locator("tr", has=page.locator("td", has_text="sin")).first.click()
    assert page.locator(".box.selected text.label").text_content() == "sin"
    assert "math.sin(a)" in "".join(page.locator(".part.selected").all_inner_texts())
    assert "1 of 2" in page.inner_text("#details")
    page.locator("#details button", has_text="›").click()
    assert "2 of 2" in page.inner_text("#details")


def test_search(visit, trace):
    page = visit(trace)
    page.fill("#search", "sin")
    assert page.inner_text("#matches") == f"{len(trace.find(op='math.sin')) * 2} found"  # and what it is in
    page.keyboard.press("Enter")
    assert page.inner_text("#matches").startswith("1 of")
    assert page.locator(".box.selected").count() == 1
    page.fill("#search", "no such thing")
    assert page.inner_text("#matches") == "0 found"
    assert not page.locator(".box.found").count()


def test_keyboard_alone(visit, trace):
    page = visit(trace)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('box')"):
            break
    top = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert f"value {trace.result:.6g}" in top
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") != top
    page.keyboard.press("Enter")
    assert page.locator(".box.selected").count() == 1
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    unnamed = "[...document.querySelectorAll('button, input, select')].filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length))"
    assert page.evaluate(f"{unnamed}.length") == 0


@pytest.mark.parametrize("colour", ["value", "adjoint", "magnitude", "mark2"])
def test_colours(visit, trace, colour):
    page = visit(trace)
    page.select_option("#colour", colour)
    assert page.locator(".box.coloured").count() >= (1 if colour == "mark2" else 5)
    assert page.inner_text("#legend")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (3840, 2160)])
def test_nothing_sticks_out(visit, trace, width, height, scheme):
    page = visit(trace, width=width, height=height, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = """[...document.querySelectorAll('.box')].filter(g => [...g.querySelectorAll(':scope > text')].some(
        t => t.getBBox().width > g.querySelector('rect').getBBox().width)).length"""
    assert page.evaluate(wide) == 0
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
    assert dark == (scheme == "dark")


def test_pan_and_zoom(visit, trace):
    page = visit(trace)
    world = page.locator("#canvas svg > g")
    before = world.get_attribute("transform")
    page.click("#larger")
    larger = world.get_attribute("transform")
    assert larger != before
    area = page.locator("#canvas").bounding_box()
    page.mouse.move(area["x"] + 20, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + 60, area["y"] + 50)
    page.mouse.up()
    assert world.get_attribute("transform") != larger
    page.keyboard.press("0")
    fitted = list(map(float, re.findall(r"[-\d.]+", world.get_attribute("transform"))))
    assert fitted == pytest.approx(list(map(float, re.findall(r"[-\d.]+", before))), rel=0.01)


def test_a_folded_page_is_opened_on_demand(visit):
    page = visit(vd.trace(repeated, 0.4, 1000))
    assert page.input_value("#sheet") == "summary"
    assert page.locator(".box text", has_text="×1,000").count() == 3
    box(page, "3.7 * x * (1 - x)").click()
    assert "1,000 times" in page.inner_text("#details")
    page.locator("#details button").first.click()
    assert page.input_value("#sheet") == "graph"
    assert page.locator(".box.selected").count() == 1
    page.keyboard.press("Home")
    assert step(page) == 0


def test_markup_of_the_user_is_text(visit):
    scope: dict = {}
    text = "def f(x):\n    return x * len('</script><img src=x onerror=alert(1)>')\n"
    exec(compile(text, "<i>file</i>", "exec"), scope)  # noqa: S102
    page = visit(vd.trace(scope["f"], 2.0))
    assert page.locator("img").count() == 0
