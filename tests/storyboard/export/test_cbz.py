from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

# the order of elements that the schema asks for, as far as it goes here
ORDER = (
    "Title Series Number Count Volume Summary Notes Year Month Day Writer Penciller Publisher "
    "Genre Web PageCount LanguageISO Format BlackAndWhite Manga Characters Pages"
).split()


@pytest.fixture(scope="module")
def archive(out: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(out / "fox.rough.cbz")


def test_the_archive_is_sound_and_its_pages_sort_in_reading_order(archive: zipfile.ZipFile) -> None:
    assert archive.testzip() is None
    pages = [name for name in archive.namelist() if name.endswith(".png")]
    assert pages == sorted(pages) == ["0001.png", "0002.png"]
    for name in pages:
        with Image.open(io.BytesIO(archive.read(name))) as page:
            assert page.size == pytest.approx((255, 340), abs=1)  # 90 x 120 mm at 72 dpi


def test_comic_info_lies_at_the_root_and_follows_the_schema(archive: zipfile.ZipFile) -> None:
    root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    facts = {child.tag: child.text for child in root}
    assert facts.pop("Pages") is not None
    assert facts == {
        "Title": "The Fox & the <Snow>",
        "Series": "The Fox & the <Snow>",
        "Writer": "A. Writer",
        "PageCount": "2",
        "LanguageISO": "en",
        "BlackAndWhite": "Yes",
        "Manga": "YesAndRightToLeft",
        "Characters": "Mika",
    }
    places = [ORDER.index(child.tag) for child in root]
    assert places == sorted(places)


def test_comic_info_tells_the_size_of_every_page(archive: zipfile.ZipFile) -> None:
    root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    for number, page in enumerate(root.iter("Page")):
        data = archive.read(f"{number + 1:04}.png")
        assert page.get("Image") == str(number)
        assert page.get("ImageSize") == str(len(data))
        with Image.open(io.BytesIO(data)) as picture:
            size = (page.get("ImageWidth"), page.get("ImageHeight"))
            assert size == tuple(map(str, picture.size))


def test_the_first_page_of_a_chapter_is_bookmarked(archive: zipfile.ZipFile) -> None:
    root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    assert [page.get("Bookmark") for page in root.iter("Page")] == [None, "The Thaw & after"]
