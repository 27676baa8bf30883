from __future__ import annotations

from pathlib import Path

import pytest

from storyboard.book.page import PageDrawing
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.book.raster import page_pictures
from storyboard.errors import MissingError
from storyboard.story import PageSize


def test_pages_come_in_their_trimmed_size(tmp_path: Path) -> None:
    book = tmp_path / "book.pdf"
    pages = [PageDrawing(number, PageSize(50.8, 76.2, 3), (), ()) for number in (1, 2)]
    write_pdf(book, pages, metadata=BookMetadata("T"))
    pictures = list(page_pictures(book, dpi=100))
    assert [picture.mode for picture in pictures] == ["L", "L"]
    for picture in pictures:
        assert picture.width == pytest.approx(200, abs=1)
        assert picture.height == pytest.approx(300, abs=1)


def test_a_file_that_is_no_pdf_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no\.pdf"):
        list(page_pictures(tmp_path / "no.pdf"))
