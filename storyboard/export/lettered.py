"""A book that is drawn and lettered, as every form of it needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storyboard.binding import letter_page
from storyboard.book.page import PageDrawing
from storyboard.book.raster import page_pictures
from storyboard.layout.staging import StagedPage
from storyboard.plan import Plan

if TYPE_CHECKING:
    from PIL.Image import Image


_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_UNDETERMINED = "und"


class LetteredBook(msgspec.Struct, frozen=True):
    """A book that is drawn, lettered and bound.

    Attributes:
        name: the files of its pages begin with it, such as `fox.rough`.
        part_name: files of all that is wanted begin with it, such as `fox.pages-2-3.rough`.
        plan: of the whole book.
        pages: those wanted, staged.
        pictures: by panel id; a panel without one stays white.
        pdf: the bound book, which pictures of pages are made from.
        prints: folder that keeps pictures ready for print.
        modified: when the plan was last changed.
    """

    name: str
    part_name: str
    plan: Plan
    pages: tuple[StagedPage, ...]
    pictures: Mapping[str, Path]
    pdf: Path
    prints: Path
    modified: datetime

    @property
    def is_whole(self) -> bool:
        """Whether all pages of the plan are wanted."""
        return len(self.pages) == len(self.plan.pages)

    def drawings(self) -> Iterator[PageDrawing]:
        """Yield the drawing instructions of each page; only one is in memory at a time."""
        for page in self.pages:
            yield letter_page(page, self.plan, self.pictures)

    def page_pictures(self, dpi: float, *, trimmed: bool = True) -> Iterator[Image]:
        """Yield each page as a grey picture, cut at the trim or with its bleed."""
        return page_pictures(self.pdf, dpi=dpi, trimmed=trimmed)

    def page_file(self, page_number: int, suffix: str) -> str:
        """Return the name of one page's file, such as `fox-007.png` for the suffix `png`."""
        return f"{self.name}-{page_number:03}.{suffix}"


def alternative_text(page: StagedPage) -> str:
    """Return what a page shows, for those who cannot see it: the captions of its panels."""
    captions = [staged.panel.caption.strip().rstrip(".") for staged in page.panels]
    return " ".join(f"{number}: {text}." for number, text in enumerate(captions, start=1))


def language_tag(language: str) -> str:
    """Return the plan's language if it has the form of a BCP 47 tag, else the tag for unknown."""
    return language if _LANGUAGE_TAG.fullmatch(language) else _UNDETERMINED
