"""The forms a book can be exported in, and writing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from storyboard.errors import UsageError
from storyboard.export.archive import png_bytes
from storyboard.export.cbz import write_cbz
from storyboard.export.epub import write_epub
from storyboard.export.layers import page_layers
from storyboard.export.lettered import LetteredBook, language_tag
from storyboard.export.openraster import write_openraster
from storyboard.export.outputs import Outputs
from storyboard.export.psd import write_psd
from storyboard.export.svg import write_svg
from storyboard.export.webtoon import STRIP_HEIGHT_PX, Block, page_blocks, strips
from storyboard.progress import Progress, Step
from storyboard.report import nearest_name


class Settings(msgspec.Struct, frozen=True):
    """What the writer may choose. Without a resolution each form has the one it is used at."""

    dpi: float | None = None
    strip_height_px: int = STRIP_HEIGHT_PX


_Writer = Callable[[LetteredBook, Outputs, Settings, Step], None]


def read_forms(names: str) -> tuple[str, ...]:
    """Return the forms in a list such as `cbz,epub`, each once.

    Raises:
        UsageError: one is unknown, or there is none.
    """
    found = dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip())
    for name in found:
        if name not in _WRITERS:
            nearest = nearest_name(name, _WRITERS)
            raise UsageError(
                f"{name!r} is no form of a book"
                + (f"; did you mean {nearest}?" if nearest else ""),
                hint=f"those there are: {', '.join(_WRITERS)}",
            )
    if not found:
        raise UsageError("no form is named", hint=f"those there are: {', '.join(_WRITERS)}")
    return tuple(found)


def export_book(
    book: LetteredBook,
    forms: Sequence[str],
    outputs: Outputs,
    settings: Settings,
    progress: Progress,
) -> None:
    """Write the book in each of the forms.

    Args:
        book: to be written.
        forms: as `read_forms` returns them.
        outputs: where they go.
        settings: what the writer chose.
        progress: is told of each page.

    Raises:
        OutputError: a file cannot be written; what was there is still there.
    """
    for form in forms:
        with progress.step(f"writing {form}", len(book.pages)) as step:
            _WRITERS[form](book, outputs, settings, step)


def _write_png(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    dpi = settings.dpi or _SCREEN_DPI
    for page, picture in zip(book.pages, book.page_pictures(dpi), strict=True):
        with outputs.file(book.page_file(page.number, "png")) as file:
            file.write(png_bytes(picture, dpi=dpi))
        step.advance(note=f"page {page.number}")
    _take_away_others(book, outputs, "png")


def _write_cbz(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    with outputs.file(f"{book.part_name}.cbz") as file:
        write_cbz(file, book, settings.dpi or _READER_DPI, step)


def _write_epub(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    with outputs.file(f"{book.part_name}.epub") as file:
        write_epub(file, book, settings.dpi or _READER_DPI, step)


def _write_webtoon(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    height = settings.strip_height_px

    def blocks() -> Iterator[Block]:
        for staged, drawing in zip(book.pages, book.drawings(), strict=True):
            yield from page_blocks(staged, drawing, book.plan.language, book.prints, height)
            step.advance(note=f"page {staged.number}")

    for number, strip in enumerate(strips(blocks(), height), start=1):
        with outputs.file(f"{book.part_name}-strip-{number:03}.png") as file:
            file.write(png_bytes(strip))
    outputs.take_away_others(re.compile(re.escape(book.part_name) + r"-strip-\d{3,}\.png"))


def _write_ora(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    dpi = settings.dpi or _PRINT_DPI
    merged = book.page_pictures(dpi, trimmed=False)
    for page, picture in zip(book.drawings(), merged, strict=True):
        with outputs.file(book.page_file(page.number, "ora")) as file:
            write_openraster(file, picture, page_layers(page, dpi, book.prints), dpi)
        step.advance(note=f"page {page.number}")
    _take_away_others(book, outputs, "ora")


def _write_psd(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    dpi = settings.dpi or _PRINT_DPI
    merged = book.page_pictures(dpi, trimmed=False)
    for page, picture in zip(book.drawings(), merged, strict=True):
        with outputs.file(book.page_file(page.number, "psd")) as file:
            write_psd(file, picture, page_layers(page, dpi, book.prints), dpi, page.size)
        step.advance(note=f"page {page.number}")
    _take_away_others(book, outputs, "psd")


def _write_svg(book: LetteredBook, outputs: Outputs, settings: Settings, step: Step) -> None:
    for page in book.drawings():
        with outputs.file(book.page_file(page.number, "svg")) as file:
            write_svg(
                file,
                page,
                title=f"{book.plan.title} – {page.number}",
                language=language_tag(book.plan.language),
                dpi=settings.dpi or _PRINT_DPI,
                prints=book.prints,
            )
        step.advance(note=f"page {page.number}")
    _take_away_others(book, outputs, "svg")


def _take_away_others(book: LetteredBook, outputs: Outputs, suffix: str) -> None:
    """Delete pages that an earlier, longer book had."""
    if book.is_whole:
        outputs.take_away_others(re.compile(rf"{re.escape(book.name)}-\d{{3,}}\.{suffix}"))


_SCREEN_DPI, _READER_DPI, _PRINT_DPI = 150.0, 200.0, 300.0
_WRITERS: dict[str, _Writer] = {
    "png": _write_png,
    "cbz": _write_cbz,
    "epub": _write_epub,
    "webtoon": _write_webtoon,
    "ora": _write_ora,
    "psd": _write_psd,
    "svg": _write_svg,
}
