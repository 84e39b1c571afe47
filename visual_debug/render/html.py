"""One HTML file from the data of a page: style, script and data inline, and no way to the network.

What a user wrote is in the page as JSON only, and gets into the document as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

#: In this order: each defines what the next ones use.
SCRIPTS = ("state.js", "picture.js", "listing.js", "table.js", "page.js")
STYLES = ("page.css",)


def document(data: Mapping[str, Any]) -> str:
    """The page.

    Args:
        data: as `visual_debug.views.page.data` gives it: JSON types only, without NaN.

    """
    script = "\n".join(_asset(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();\n'
    style = "\n".join(_asset(name) for name in STYLES)
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return _asset("page.html").format(
        policy=policy,
        title=escape(f"{data['function']}: trace"),
        style=style,
        data=embedded(data),
        script=script,
    )


def embedded(data: Any) -> str:
    r"""JSON that may stand in a script element: no character of it can end the element or begin a comment.

    >>> embedded({"x": "</script>"})
    '{"x":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("utf-8", "backslashreplace").decode()


def _asset(name: str) -> str:
    return (files("visual_debug.render") / "assets" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
