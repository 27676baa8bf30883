"""Lettering the pages of a book and binding them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from storyboard.book.page import compose_page
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import page_pictures
from storyboard.files import write_atomically
from storyboard.gallery import make_folder
from storyboard.layout.staging import StagedPage
from storyboard.lettering.letterer import letter_panel
from storyboard.plan import Plan, plan_text
from storyboard.progress import Progress


def bind(
    plan: Plan,
    pages: Sequence[StagedPage],
    pictures: Mapping[str, Path],
    pdf: Path,
    progress: Progress,
    *,
    prints: Path,
) -> None:
    """Write the lettered pages to a PDF. A panel without a picture stays an empty frame.

    Args:
        plan: of the book.
        pages: those wanted, staged.
        pictures: by panel id.
        pdf: where the book goes.
        progress: is told of each page.
        prints: folder that keeps pictures ready for print from one binding to the next.

    Raises:
        OutputError: the PDF cannot be written.
    """
    make_folder(pdf.parent)
    drawings = []
    with progress.step("lettering pages", len(pages)) as step:
        for page in pages:
            balloons = [
                balloon
                for staged in page.panels
                for balloon in letter_panel(page.number, staged, plan.language)
            ]
            drawings.append(compose_page(page, pictures, balloons))
            step.advance(note=f"page {page.number}")
    metadata = BookMetadata(
        title=plan.title,
        author=plan.author,
        language=plan.language,
        reading=plan.reading,
        plan=plan_text(plan).encode(),
    )
    write_pdf(pdf, drawings, metadata=metadata, prints=PrintFolder(prints))


def write_png_pages(pdf: Path, paths: Sequence[Path], *, dpi: float) -> tuple[Path, ...]:
    """Write the pages of a PDF to these files, in order, and return their paths.

    Raises:
        OutputError: one cannot be written.
    """
    for picture, path in zip(page_pictures(pdf, dpi=dpi), paths, strict=True):
        make_folder(path.parent)
        data = io.BytesIO()
        picture.save(data, "png", dpi=(dpi, dpi))
        write_atomically(path, data.getvalue())
    return tuple(paths)
