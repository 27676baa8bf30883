"""Pages of a finished PDF as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.errors import MissingError
from storyboard.geometry import PT_PER_INCH, Box, mm_to_pt

if TYPE_CHECKING:
    from PIL.Image import Image


def page_pictures(pdf: Path, *, dpi: float = 150.0, trimmed: bool = True) -> Iterator[Image]:
    """Yield each page of a PDF as a grey picture, dialogue included.

    Args:
        trimmed: cut at the page's TrimBox, as the printed book will be.

    Raises:
        MissingError: the file is not there or is no PDF.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(pdf)
    except (FileNotFoundError, pypdfium2.PdfiumError) as err:
        raise MissingError(f"{pdf}: cannot be read as a PDF", hint="render the book first") from err
    with document:
        document.init_forms()
        for page in document:
            crop = (0.0, 0.0, 0.0, 0.0)
            if trimmed:
                left, bottom, right, top = page.get_trimbox()
                width, height = page.get_size()
                crop = (left, bottom, width - right, height - top)
            bitmap = page.render(scale=dpi / PT_PER_INCH, crop=crop, grayscale=True)
            yield bitmap.to_pil().convert("L")


def cut_outs(
    pdf: bytes, areas_mm: Sequence[Box], *, dpi: float
) -> Iterator[tuple[Image, tuple[int, int]]]:
    """Yield an area of each page, see-through where nothing is drawn, and its left and top pixel.

    Pixels lie as in `page_pictures(..., trimmed=False)` at the same resolution.

    Args:
        pdf: the bytes of a PDF.
        areas_mm: one for each page, from its top left corner, bleed included; what leaves the
            page is left out.
        dpi: resolution.

    Yields:
        Pictures of mode LA (grey with alpha), and where their top left corner is.
    """
    import pypdfium2

    scale = dpi / PT_PER_INCH
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        for page, area in zip(document, areas_mm, strict=True):
            width, height = page.get_size()
            left, top, right, bottom = (max(0.0, side) for side in _sides_cut(area, width, height))
            bitmap = page.render(
                scale=scale,
                crop=(left, bottom, right, top),
                fill_color=(255, 255, 255, 0),
                rev_byteorder=True,
            )
            yield (
                bitmap.to_pil().convert("LA"),
                (math.ceil(left * scale), math.ceil(top * scale)),
            )


def _sides_cut(area: Box, width: float, height: float) -> tuple[float, float, float, float]:
    """Return how much of a page is outside an area at the left, top, right and bottom, in pt."""
    left, top, right, bottom = map(mm_to_pt, (area.left, area.top, area.right, area.bottom))
    return left, top, width - right, height - bottom
