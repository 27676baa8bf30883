"""A comic book archive: pages as pictures, and what library programs want to know of them.

ComicInfo.xml follows the schema 2.0 of the Anansi project, whose order of elements is fixed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import BinaryIO
from xml.etree import ElementTree

from storyboard.export.archive import add, png_bytes
from storyboard.export.lettered import LetteredBook
from storyboard.progress import Step


def write_cbz(file: BinaryIO, book: LetteredBook, dpi: float, step: Step) -> None:
    """Write the book as a CBZ into an open file."""
    pages: list[dict[str, str]] = []
    with zipfile.ZipFile(file, "w") as archive:
        for page, picture in zip(book.pages, book.page_pictures(dpi), strict=True):
            data = png_bytes(picture, dpi=dpi)
            add(archive, f"{page.number:04}.png", data, packed=False)
            chapter = book.plan.pages[page.number - 1].chapter
            attributes = {"Image": str(len(pages)), "ImageSize": str(len(data))}
            attributes |= {"Bookmark": chapter} if chapter else {}
            width, height = map(str, picture.size)
            pages.append({**attributes, "ImageWidth": width, "ImageHeight": height})
            step.advance(note=f"page {page.number}")
        add(archive, "ComicInfo.xml", _comic_info(book, pages))


def _comic_info(book: LetteredBook, pages: Sequence[dict[str, str]]) -> bytes:
    """Return ComicInfo.xml. Readers group by series: a book without one is a series of itself.

    Args:
        book: the book.
        pages: what is said of each page, as the schema names it.
    """
    plan = book.plan
    facts = {
        "Title": plan.title,
        "Series": plan.title,
        "Writer": plan.author,
        "PageCount": str(len(pages)),
        "LanguageISO": plan.language,
        "BlackAndWhite": "Yes",
        "Manga": "YesAndRightToLeft" if plan.reading == "rtl" else "Yes",
        "Characters": ", ".join(person.name.replace(",", "") for person in plan.characters),
    }
    root = ElementTree.Element("ComicInfo")
    for name, value in facts.items():
        if value:
            ElementTree.SubElement(root, name).text = value
    listed = ElementTree.SubElement(root, "Pages")
    for attributes in pages:
        ElementTree.SubElement(listed, "Page", attributes)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data
