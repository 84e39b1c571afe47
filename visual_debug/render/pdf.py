"""SVG -> PDF: the door to svg2pdf, whose text stays text; without it the picture is embedded as pixels, and it is said."""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from typing import Any

from visual_debug.errors import RenderError
from visual_debug.render import fonts, raster
from visual_debug.render.engines import RenderWarning

POINTS = 0.75  #: points per px


def pdf(svg: str, width: float, height: float) -> bytes:
    """A picture of a size in px as a PDF of one page."""
    try:
        import svg2pdf_py
    except ImportError:
        warnings.warn(
            "svg2pdf-py is not installed (pip install 'visual-debug[pdf]'): the PDF holds pixels, not text",
            RenderWarning,
            stacklevel=4,
        )
        return _of_pixels(svg, width, height)
    return _convert(svg2pdf_py, svg)


def _convert(library: Any, svg: str) -> bytes:
    database = library.FontDatabase()
    for path in fonts.font_files():
        database.load_font_file(path)
    if raster.strangers(svg):
        database.load_system_fonts()
    return bytes(library.svg_to_pdf(svg, database))


def _of_pixels(svg: str, width: float, height: float) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise RenderError("a PDF needs svg2pdf-py: pip install 'visual-debug[pdf]', or export to .svg") from None
    if not raster.available():
        raise RenderError("a PDF needs svg2pdf-py: pip install 'visual-debug[pdf]', or export to .svg")
    data = raster.png(svg, raster.scale(width, height), system_fonts=bool(raster.strangers(svg)))
    with Image.open(BytesIO(data)) as image:
        pixels = image.convert("RGB")
    wide, high = width * POINTS, height * POINTS
    content = f"q {wide:.2f} 0 0 {high:.2f} 0 0 cm /P Do Q".encode()
    packed = zlib.compress(pixels.tobytes(), 6)
    picture = (
        f"<< /Type /XObject /Subtype /Image /Width {pixels.width} /Height {pixels.height} /ColorSpace /DeviceRGB "
        f"/BitsPerComponent 8 /Filter /FlateDecode /Length {len(packed)} >>"
    )
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {wide:.2f} {high:.2f}] /Contents 4 0 R "
            f"/Resources << /XObject << /P 5 0 R >> >> >>".encode(),
            _stream(f"<< /Length {len(content)} >>".encode(), content),
            _stream(picture.encode(), packed),
        ]
    )


def _stream(head: bytes, data: bytes) -> bytes:
    return head + b"\nstream\n" + data + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    """Objects 1, 2, ... as a PDF file, of which the first is the catalogue."""
    written = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, text in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return written + f"xref\n0 {size}\n0000000000 65535 f \n".encode() + table + trailer.encode()
