"""Lettering the pages of a book and binding them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from storyboard.book.page import compose_page
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.layout.staging import StagedPage
from storyboard.lettering import letter_panel
from storyboard.plan import Plan
from storyboard.progress import Progress


def bind(
    plan: Plan,
    pages: Sequence[StagedPage],
    pictures: Mapping[str, Path],
    pdf: Path,
    progress: Progress,
) -> None:
    """Write the lettered pages to a PDF. A panel without a picture stays an empty frame.

    Raises:
        OutputError: the PDF cannot be written.
    """
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
        title=plan.title, author=plan.author, language=plan.language, reading=plan.reading
    )
    write_pdf(pdf, drawings, metadata=metadata)
