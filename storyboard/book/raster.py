"""Pages of a finished PDF as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.errors import MissingError
from storyboard.geometry import PT_PER_INCH

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
