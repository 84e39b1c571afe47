"""Chromium, driven by the DevTools protocol over a pipe: nothing but the standard library, for tests of the page.

https://chromedevtools.github.io/devtools-protocol/ names the methods and events.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
#: The browser reads commands from file 3 and writes to file 4; these may be taken while it is started.
_START = """
import fcntl, os, sys
source, sink = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3])
os.dup2(source, 3), os.dup2(sink, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35, "Enter": 13, "Tab": 9,
    "Escape": 27, " ": 32,
}  # fmt: skip


def program() -> str | None:
    """The browser on PATH, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """A headless browser; `close` it."""

    def __init__(self, path: str, timeout: float = 60.0) -> None:
        self._timeout = timeout
        self._folder = tempfile.mkdtemp(prefix="browser-")
        source, self._sink = os.pipe()
        self._source, sink = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _START, str(source), str(sink), path, *_OPTIONS,
             f"--user-data-dir={self._folder}", "about:blank"],
            pass_fds=(source, sink), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(source)
        os.close(sink)
        self._read = b""
        self._number = 0
        self.pages: dict[str, Page] = {}

    def send(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer; events that come before it go to their pages."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._sink, data) :]
        until = time.monotonic() + self._timeout
        while True:
            answer = self._receive(until - time.monotonic())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            page = self.pages.get(answer.get("sessionId", ""))
            if page is not None:
                page.heard(answer["method"], answer["params"])

    def _receive(self, seconds: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._source], [], [], max(seconds, 0.0))
            if not ready:
                raise TimeoutError("the browser does not answer")
            read = os.read(self._source, 1 << 16)
            if not read:
                raise RuntimeError(f"the browser has ended, with status {self._process.wait()}")
            self._read += read
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))

    def open(self, url: str, **options: Any) -> Page:
        """A new page; options are those of `Page`."""
        return Page(self, url, **options)

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self.send("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._sink)
        os.close(self._source)
        shutil.rmtree(self._folder, ignore_errors=True)


class Page:
    """A page in a browser, what it has asked for, and what its console has said.

    Elements are named by a CSS selector and, where that is not enough, by a part of their text.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: str = "light",
        calm: bool = False,
        ready: str = "document.readyState === 'complete'",
    ) -> None:
        self._browser = browser
        self.asked: list[str] = []
        self.said: list[str] = []
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.pages[self._session] = self
        self._target = target
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        self.media(scheme=scheme, calm=calm)
        self.send("Page.navigate", url=url)
        self.wait(ready)

    def send(self, method: str, /, **parameters: Any) -> dict[str, Any]:
        """A command for this page."""
        return self._browser.send(method, self._session, **parameters)

    def heard(self, method: str, found: dict[str, Any]) -> None:
        """An event of this page."""
        if method == "Network.requestWillBeSent":
            self.asked.append(found["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(part.get("value", part.get("description"))) for part in found["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(str(found["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.said.append(found["entry"]["text"])

    def close(self) -> None:
        """Leave the page."""
        self._browser.send("Target.closeTarget", targetId=self._target)
        self._browser.pages.pop(self._session)

    # ---- how it is looked at

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window, in px."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def media(self, *, scheme: str = "light", calm: bool = False, print: bool = False) -> None:
        """Light or dark, whether motion is to be reduced, and whether it is printed."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.send("Emulation.setEmulatedMedia", media="print" if print else "", features=features)

    def screenshot(self, path: Path) -> None:
        """A PNG of what the window shows."""
        import base64

        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def pdf(self) -> bytes:
        """The page as printed."""
        import base64

        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    # ---- what is there

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, as JSON."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 30.0) -> None:
        """Wait until a JavaScript expression holds."""
        until = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > until:
                raise TimeoutError(f"never: {condition}")
            time.sleep(0.02)

    def of_all(self, script: str, selector: str, text: str = "") -> list[Any]:
        """The value of an expression over `e` for each such element."""
        return list(self.run(f"{_all(selector, text)}.map(e => ({script}))"))

    def count(self, selector: str, text: str = "") -> int:
        """How many such elements there are."""
        return int(self.run(f"{_all(selector, text)}.length"))

    def text(self, selector: str, text: str = "") -> str:
        """What the first of them says."""
        return str(self.of_all("e.textContent", selector, text)[0])

    def attribute(self, name: str, selector: str, text: str = "") -> str | None:
        """An attribute of the first of them."""
        found = self.of_all(f"e.getAttribute({json.dumps(name)})", selector, text)[0]
        return None if found is None else str(found)

    # ---- what a user does

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key, named as in `KeyboardEvent.key`."""
        known = {
            "modifiers": 8 if shift else 0,
            "key": key,
            "code": key if len(key) > 1 else "",
            "windowsVirtualKeyCode": _KEYS.get(key, 0),
        }
        if len(key) == 1:
            known["text"] = key
        elif key == "Enter":
            known["text"] = "\r"
        self.send("Input.dispatchKeyEvent", type="keyDown", **known)
        known.pop("text", None)
        self.send("Input.dispatchKeyEvent", type="keyUp", **known)

    def type(self, selector: str, text: str) -> None:
        """Replace what is in a field."""
        self.run(f"{_all(selector)}[0].select()")
        self.run(f"{_all(selector)}[0].focus()")
        self.send("Input.insertText", text=text)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option, or set a slider."""
        self.run(
            f"(e => {{ e.value = {json.dumps(value)}; for (const n of ['input', 'change']) "
            f"e.dispatchEvent(new Event(n, {{ bubbles: true }})); }})({_all(selector)}[0])"
        )

    def click(self, selector: str, text: str = "", inside: str = "") -> None:
        """Click the middle of the first such element, or of what it has inside, with the mouse."""
        inner = f".querySelector({json.dumps(inside)})" if inside else ""
        found = self.run(
            f"(async e => {{ if (!(e instanceof SVGElement)) e.scrollIntoView({{ block: 'center' }}); "
            f"await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); "
            f"const r = e.getClientRects()[0] || e.getBoundingClientRect(); "
            f"return [r.x + r.width / 2, r.y + r.height / 2]; }})({_all(selector, text)}[0]{inner})"
        )
        self.mouse("mousePressed", *found)
        self.mouse("mouseReleased", *found)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Move the mouse with its button down."""
        self.mouse("mousePressed", *start)
        self.mouse("mouseMoved", *end)
        self.mouse("mouseReleased", *end)

    def mouse(self, what: str, x: float, y: float) -> None:
        """One event of the mouse."""
        self.send("Input.dispatchMouseEvent", type=what, x=x, y=y, button="left", buttons=1, clickCount=1)


def _all(selector: str, text: str = "") -> str:
    found = f"[...document.querySelectorAll({json.dumps(selector)})]"
    return f"{found}.filter(e => e.textContent.includes({json.dumps(text)}))" if text else found
