"""The gallery shows what the package draws now: as structure, for engines lay out differently."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tests import gallery


def structure(path: Path) -> Counter[tuple[str, ...]]:
    """Elements with their class, colours and text, and how many of each there are; titles without their line breaks."""
    elements = [element for element in ElementTree.parse(path).iter() if not element.tag.endswith("}style")]
    titles = "".join(element.text or "" for element in elements if element.get("class") == "title")
    return Counter(
        [
            *(
                (
                    element.tag,
                    *(element.get(name, "") for name in ("class", "fill", "stroke")),
                    (element.text or "").strip(),
                )
                for element in elements
                if element.get("class") != "title" and not element.tag.endswith("}text")
            ),
            ("".join(titles.split()),),
        ]
    )


def test_the_gallery_is_up_to_date(tmp_path: Path) -> None:
    gallery.main(tmp_path)
    page = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    assert page == (gallery.DOCS / "gallery.md").read_text(encoding="utf-8"), "run: python -m tests.gallery"
    names = {path.name for path in (gallery.DOCS / "gallery").iterdir()}
    assert names == {path.name for path in (tmp_path / "gallery").iterdir()}
    for name in names:
        drawn, kept = structure(tmp_path / "gallery" / name), structure(gallery.DOCS / "gallery" / name)
        assert drawn == kept, f"{name}: run python -m tests.gallery"
        assert sum(drawn.values()) > 20
