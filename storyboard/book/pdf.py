"""The book as a PDF whose dialogue can be edited: one form field a balloon.

A field shows our own lettering, drawn as outlines, until someone edits it; its value is the text
as written. The fonts for edits are embedded whole, once. The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from storyboard.book.editfonts import (
    EditFont,
    default_font,
    font_key,
    font_objects,
)
from storyboard.book.livetext import LAYER
from storyboard.book.objects import Name, PdfObject, Reference, stream, written
from storyboard.book.page import PageDrawing
from storyboard.book.pdffile import PdfFile
from storyboard.book.pictures import PrintFolder
from storyboard.book.sheet import (
    DIALOGUE_LAYER,
    DOCUMENT,
    PAGES,
    Sheet,
    make_sheet,
    picture_object,
)
from storyboard.book.xmp import xmp_packet
from storyboard.files import written_atomically
from storyboard.story import Reading

PLAN_ATTACHMENT = "plan.yaml"
PLAN_HASH_KEY = "StoryboardPlanSHA256"
_PRODUCER = "storyboard"


class BookMetadata(msgspec.Struct, frozen=True):
    """What the PDF says of itself.

    Attributes:
        plan: the plan's YAML, to be attached.
        chapters: titles of chapters by the number of the page they begin on.
        flat: a final copy, with text instead of form fields.
    """

    title: str
    author: str = ""
    language: str = "en"
    reading: Reading = "ltr"
    plan: bytes | None = None
    chapters: Mapping[int, str] = {}
    flat: bool = False


def write_pdf(
    path: Path,
    pages: Iterable[PageDrawing | Sheet],
    *,
    metadata: BookMetadata,
    prints: PrintFolder | None = None,
) -> None:
    """Write the book to `path`, whole or not at all. Only one page is in memory at a time.

    Args:
        path: of the PDF.
        pages: in reading order.
        metadata: what the PDF says of itself.
        prints: where pictures that are ready for print are kept.

    Raises:
        MissingError: a picture is not there.
        OutputError: the file could not be written.
    """
    with written_atomically(path) as file:
        _write(file, pages, metadata, prints or PrintFolder())


def pdf_bytes(
    pages: Iterable[PageDrawing | Sheet],
    *,
    metadata: BookMetadata,
    prints: PrintFolder | None = None,
) -> bytes:
    """Return the book as the bytes of a PDF file; see `write_pdf`.

    Raises:
        MissingError: a picture is not there.
    """
    file = io.BytesIO()
    _write(file, pages, metadata, prints or PrintFolder())
    return file.getvalue()


def _write(
    file: BinaryIO,
    pages: Iterable[PageDrawing | Sheet],
    metadata: BookMetadata,
    prints: PrintFolder,
) -> None:
    book = _Book(PdfFile(file), metadata, prints)
    for page in pages:
        if isinstance(page, PageDrawing):
            page = make_sheet(page, metadata.language, prints, flat=metadata.flat)
        book.add(page)
    book.finish()


class _Book:
    """A PDF in the making. Of the pages already written it remembers a few numbers each."""

    def __init__(self, file: PdfFile, metadata: BookMetadata, prints: PrintFolder) -> None:
        self._file = file
        self._metadata = metadata
        self._prints = prints
        self._pages: list[tuple[int, str]] = []  # number in the book, reference in the file
        self._sections: list[str] = []
        self._fields: list[str] = []
        self._parents: list[str] = []
        self._fonts: dict[str, EditFont] = {}

    def add(self, sheet: Sheet) -> None:
        """Write one page with its pictures, balloons and form fields."""
        pictures = [
            picture_object(self._prints.packed(Path(one.file), one.frame)) for one in sheet.pictures
        ]
        numbers = self._file.write_group([*pictures, *sheet.objects], len(self._parents))
        references = [f"{number} 0 R" for number in numbers]
        self._pages.append((sheet.number, references[sheet.page]))
        self._sections.append(references[sheet.section])
        self._fields += [references[place] for place in sheet.fields]
        self._parents += [references[place] for place in sheet.parents]
        self._fonts |= {font.key: font for font in sheet.fonts}

    def finish(self) -> None:
        """Write what belongs to the book as a whole."""
        metadata = self._metadata
        self._write_pages()
        self._write_structure()
        self._write_fonts()
        plan = self._attachment(metadata.plan) if metadata.plan is not None else None
        xmp = xmp_packet(metadata.title, metadata.author, metadata.language, _PRODUCER)
        root = self._file.write(
            "catalog",
            {
                "Type": Name("Catalog"),
                "Pages": PAGES,
                "PageLayout": Name("TwoPageRight"),
                "PageLabels": self._labels(),
                "ViewerPreferences": {
                    "Direction": Name("R2L" if metadata.reading == "rtl" else "L2R"),
                    "DisplayDocTitle": True,
                },
                "Lang": metadata.language,
                "MarkInfo": {"Marked": True},
                "StructTreeRoot": Reference("structure"),
                "Outlines": self._outlines(),
                "AcroForm": self._form() if self._fields else None,
                "OCProperties": self._layers() if metadata.flat else None,
                "Names": {"EmbeddedFiles": {"Names": [PLAN_ATTACHMENT, plan]}} if plan else None,
                "AF": [plan] if plan else None,
                "Metadata": self._file.write("metadata", _xml(xmp)),
            },
        )
        self._file.finish(root, self._information())

    def _write_pages(self) -> None:
        kids = " ".join(reference for _, reference in self._pages)
        value = f"<< /Type /Pages /Kids [ {kids} ] /Count {len(self._pages)} >>"
        self._file.write(PAGES.key, PdfObject(value))

    def _write_structure(self) -> None:
        """Write the tree that says what is what on the pages, for those who do not see them."""
        structure, parents = Reference("structure"), Reference("parents")
        sections = " ".join(self._sections)
        value = f"<< /Type /StructElem /S /Document /P {{structure}} /K [ {sections} ] >>"
        self._file.write(DOCUMENT.key, PdfObject(value))
        rows = " ".join(f"{key} {reference}" for key, reference in enumerate(self._parents))
        self._file.write(parents.key, PdfObject(f"<< /Nums [ {rows} ] >>"))
        self._file.write(
            structure.key,
            {
                "Type": Name("StructTreeRoot"),
                "K": DOCUMENT,
                "ParentTree": parents,
                "ParentTreeNextKey": len(self._parents),
            },
        )

    def _write_fonts(self) -> None:
        for font in self._fonts.values():
            for key, one in font_objects(font, self._prints.kept).items():
                if not self._file.has_written(key):
                    self._file.write(key, one)

    def _layers(self) -> dict[str, Any]:
        layer = self._file.write(DIALOGUE_LAYER.key, {"Type": Name("OCG"), "Name": LAYER})
        return {"OCGs": [layer], "D": {"Name": LAYER, "ON": [layer], "Order": [layer]}}

    def _labels(self) -> dict[str, Any]:
        """Return the numbers that viewers show: the pages' own, even where some are left out."""
        rows: list[Any] = []
        expected = None
        for index, (number, _) in enumerate(self._pages):
            if number != expected:
                rows += [index, {"S": Name("D"), "St": number}]
            expected = number + 1
        return {"Nums": rows}

    def _outlines(self) -> Reference | None:
        """Return the bookmarks: one for each chapter, or for each page where there is none."""
        chapters = self._metadata.chapters
        marked = [
            (chapters.get(number, str(number)), reference)
            for number, reference in self._pages
            if not chapters or number in chapters
        ]
        if not marked:
            return None
        keys = [f"bookmark {index}" for index in range(len(marked))]
        for index, (title, page) in enumerate(marked):
            before = f" /Prev {{{keys[index - 1]}}}" if index else ""
            after = f" /Next {{{keys[index + 1]}}}" if index + 1 < len(keys) else ""
            target = f"/Parent {{outlines}} /Dest [ {page} /Fit ]{before}{after}"
            self._file.write(keys[index], PdfObject(f"<< /Title {written(title)} {target} >>"))
        first, last = Reference(keys[0]), Reference(keys[-1])
        outlines = {"Type": Name("Outlines"), "First": first, "Last": last, "Count": len(keys)}
        return self._file.write("outlines", outlines)

    def _form(self) -> Reference:
        fonts = {key: Reference(font_key(font)) for key, font in sorted(self._fonts.items())}
        default = f"/{default_font(self._fonts.values()).key} 8.5 Tf 0 g"
        resources = written({"Font": fonts})
        value = f"<< /Fields [ {' '.join(self._fields)} ] /DA {written(default)} /DR {resources} >>"
        return self._file.write("form", PdfObject(value))

    def _information(self) -> Reference:
        metadata = self._metadata
        entries = {
            "Title": metadata.title,
            "Author": metadata.author,
            "Creator": _PRODUCER,
            "Producer": _PRODUCER,
        }
        if metadata.plan is not None:
            entries[PLAN_HASH_KEY] = hashlib.sha256(metadata.plan).hexdigest()
        return self._file.write("information", entries)

    def _attachment(self, plan: bytes) -> Reference:
        digest = hashlib.sha256(plan).hexdigest()
        entries = {
            "Type": Name("EmbeddedFile"),
            "Subtype": Name("application/yaml"),
            "Params": {"Size": len(plan)},
        }
        file = self._file.write("plan", stream(entries, zlib.compress(plan, 9)))
        return self._file.write(
            "plan specification",
            {
                "Type": Name("Filespec"),
                "F": PLAN_ATTACHMENT,
                "UF": PLAN_ATTACHMENT,
                "Desc": f"The plan this book was made from; SHA-256 {digest}",
                "AFRelationship": Name("Source"),
                "EF": {"F": file},
            },
        )


def _xml(packet: bytes) -> PdfObject:
    return stream({"Type": Name("Metadata"), "Subtype": Name("XML")}, packet, deflated=False)
