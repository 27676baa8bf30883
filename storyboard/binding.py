"""Lettering the pages of a book and binding them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from storyboard.book.kept import stamps_of
from storyboard.book.page import PageDrawing, compose_page
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.book.pictures import PrintFolder, print_name
from storyboard.book.sheet import Sheet, make_sheet
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
    source: bytes | None = None,
    flat: bool = False,
) -> None:
    """Write the lettered pages to a PDF. A panel without a picture stays an empty frame.

    Args:
        plan: of the book.
        pages: those wanted, staged.
        pictures: by panel id.
        pdf: where the book goes.
        progress: is told of each page.
        prints: folder that keeps pictures ready for print, and pages, from one binding to the next.
        source: the plan's file, to be attached; None attaches the plan as it would be written.
        flat: make a final copy, with text instead of form fields.

    Raises:
        OutputError: the PDF cannot be written.
    """
    make_folder(pdf.parent)
    metadata = BookMetadata(
        title=plan.title,
        author=plan.author,
        language=plan.language,
        reading=plan.reading,
        plan=plan_text(plan).encode() if source is None else source,
        chapters={
            number: page.chapter for number, page in enumerate(plan.pages, start=1) if page.chapter
        },
        flat=flat,
    )
    folder = PrintFolder(prints)
    with progress.step("lettering pages", len(pages)) as step:

        def sheets() -> Iterator[Sheet]:
            for page in pages:
                yield _sheet(page, plan, pictures, folder, flat=flat)
                step.advance(note=f"page {page.number}")

        write_pdf(pdf, sheets(), metadata=metadata, prints=folder)


def _sheet(
    page: StagedPage,
    plan: Plan,
    pictures: Mapping[str, Path],
    folder: PrintFolder,
    *,
    flat: bool,
) -> Sheet:
    """Return a page as objects of the PDF, lettered anew only where something has changed."""
    used = [staged for staged in page.panels if staged.panel.id in pictures]
    files = [pictures[staged.panel.id] for staged in used]
    prints = [print_name(file, one.bounds_mm) for file, one in zip(files, used, strict=True)]
    fonts = {path for one in page.panels for path in one.lettering.font_paths.values()}
    names = [str(file) for file in files]
    parts = (page, plan.language, names, prints, stamps_of(sorted(fonts)), flat)
    depends_on = msgspec.msgpack.encode(parts)

    def make() -> bytes:
        drawing = letter_page(page, plan, pictures)
        return msgspec.msgpack.encode(make_sheet(drawing, plan.language, folder, flat=flat))

    return msgspec.msgpack.decode(folder.kept.get("page", depends_on, make), type=Sheet)


def letter_page(page: StagedPage, plan: Plan, pictures: Mapping[str, Path]) -> PageDrawing:
    """Return the drawing instructions of a staged page of the plan, balloons included.

    Raises:
        StoryError: a text cannot be lettered.
    """
    balloons = [
        balloon
        for staged in page.panels
        for balloon in letter_panel(page.number, staged, plan.language)
    ]
    return compose_page(page, pictures, balloons)
