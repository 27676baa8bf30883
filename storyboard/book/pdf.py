"""The book as a PDF whose dialogue can be edited: one form field a balloon.

A field shows our own lettering, drawn as outlines, until someone edits it; its value is the text
as written. The fonts for edits are embedded whole, once. The same input gives the same bytes.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from storyboard.book.encoding import FIRST_CODE, characters, european_letters, glyph_name
from storyboard.book.operators import appearance, page_content, rectangle_pt
from storyboard.book.page import PageDrawing
from storyboard.book.pictures import PrintFolder
from storyboard.files import write_atomically
from storyboard.geometry import Box, mm_to_pt
from storyboard.lettering.fonts import Font, dialogue_font, sound_font
from storyboard.lettering.letterer import Balloon
from storyboard.story import Reading

PLAN_ATTACHMENT = "plan.yaml"
PLAN_HASH_KEY = "StoryboardPlanSHA256"
_MULTILINE = 1 << 12
_DO_NOT_SPELL_CHECK = 1 << 22
_PRINT = 4
_CENTRED = 1
_NON_SYMBOLIC = 1 << 5
_PRODUCER = "storyboard"


class BookMetadata(msgspec.Struct, frozen=True):
    """What the PDF says of itself. `plan` is the plan's YAML, to be attached."""

    title: str
    author: str = ""
    language: str = "en"
    reading: Reading = "ltr"
    plan: bytes | None = None


def write_pdf(
    path: Path,
    pages: Sequence[PageDrawing],
    *,
    metadata: BookMetadata,
    prints: PrintFolder | None = None,
) -> None:
    """Write the book to `path`, whole or not at all.

    Args:
        path: of the PDF.
        pages: in reading order.
        metadata: what the PDF says of itself.
        prints: where pictures that are ready for print are kept.

    Raises:
        MissingError: a picture is not there.
        OutputError: the file could not be written.
    """
    write_atomically(path, pdf_bytes(pages, metadata=metadata, prints=prints))


def pdf_bytes(
    pages: Sequence[PageDrawing], *, metadata: BookMetadata, prints: PrintFolder | None = None
) -> bytes:
    """Return the book as the bytes of a PDF file; see `write_pdf`.

    Raises:
        MissingError: a picture is not there.
    """
    book = _Book(metadata, prints or PrintFolder())
    for page in pages:
        book.add_page(page)
    return book.finished()


class _Book:
    """A PDF in the making, of reportlab's low-level objects."""

    def __init__(self, metadata: BookMetadata, prints: PrintFolder) -> None:
        from reportlab.pdfbase import pdfdoc

        self._pdf: Any = pdfdoc
        self._metadata = metadata
        self._prints = prints
        self._document: Any = pdfdoc.PDFDocument(
            invariant=1, lang=metadata.language, pdfVersion=(1, 7)
        )
        self._document.Catalog.Outlines = None
        self._fields: list[Any] = []
        self._fonts: dict[str, Any] = {}

    def add_page(self, page: PageDrawing) -> None:
        """Add one page with its pictures, balloons and form fields."""
        pictures, objects = {}, {}
        for number, panel in enumerate(page.panels, start=1):
            if panel.picture is not None:
                name = f"Panel{number}"
                reference, width, height = self._picture(panel.picture, panel.frame.bounds)
                pictures[panel.id] = name, width, height
                objects[name] = reference
        content = page_content(page, pictures).encode("ascii")
        self._document.signature.update(content)
        bleed, size = page.size.bleed_mm, page.size
        whole = Box(-bleed, -bleed, size.width_mm + bleed, size.height_mm + bleed)
        trim = Box(0, 0, size.width_mm, size.height_mm)
        dictionary = self._dictionary(
            Type=self._name("Page"),
            Parent=self._document.Reference(self._document.Pages),
            MediaBox=self._array(*rectangle_pt(whole, page)),
            BleedBox=self._array(*rectangle_pt(whole, page)),
            TrimBox=self._array(*rectangle_pt(trim, page)),
            Resources=self._dictionary(XObject=self._dictionary(**objects)),
            Contents=self._stream(content),
            Tabs=self._name("W"),  # the tab key follows the order of Annots: reading order
        )
        reference = self._document.Reference(dictionary)
        fields = [self._field(balloon, page, reference) for balloon in page.balloons]
        if fields:
            dictionary["Annots"] = self._array(*fields)
        self._fields += fields
        self._document.Pages.addPage(dictionary)

    def finished(self) -> bytes:
        """Return the file's bytes."""
        catalog = self._document.Catalog
        catalog.ViewerPreferences = self._dictionary(
            Direction=self._name("R2L" if self._metadata.reading == "rtl" else "L2R"),
            DisplayDocTitle="true",
        )
        catalog.PageLayout = self._name("TwoPageRight")
        if self._fields:
            catalog.AcroForm = self._form()
        information = {
            "Title": self._text(self._metadata.title),
            "Author": self._text(self._metadata.author),
            "Creator": self._text(_PRODUCER),
            "Producer": self._text(_PRODUCER),
        }
        if self._metadata.plan is not None:
            digest = hashlib.sha256(self._metadata.plan).hexdigest()
            information[PLAN_HASH_KEY] = self._text(digest)
            catalog.Names = self._attachment(self._metadata.plan, digest)
        self._document.info = self._dictionary(**information)
        data: bytes = self._document.format()
        return data

    def _field(self, balloon: Balloon, page: PageDrawing, page_reference: Any) -> Any:
        """Return a reference to the balloon's form field, which is its own annotation too."""
        field = balloon.field_mm
        box = self._array(0, 0, mm_to_pt(field.width), mm_to_pt(field.height))
        drawn = self._stream(
            appearance(balloon).encode("ascii"),
            Type=self._name("XObject"),
            Subtype=self._name("Form"),
            BBox=box,
            Resources=self._dictionary(),
        )
        self._font(balloon.font)
        value = self._text(balloon.value)
        annotation = self._dictionary(
            Type=self._name("Annot"),
            Subtype=self._name("Widget"),
            FT=self._name("Tx"),
            T=self._text(balloon.id),
            TU=self._text(accessible_name(balloon)),
            V=value,
            DV=value,
            DA=self._pdf.PDFString(f"/{balloon.font} {balloon.size_pt:g} Tf 0 g"),
            Q=_CENTRED,
            F=_PRINT,
            Ff=_MULTILINE | _DO_NOT_SPELL_CHECK,
            Lang=self._text(self._metadata.language),
            Rect=self._array(*rectangle_pt(field, page)),
            P=page_reference,
            AP=self._dictionary(N=drawn),
        )
        return self._document.Reference(annotation)

    def _form(self) -> Any:
        default = dialogue_font().name
        self._font(default)
        return self._dictionary(
            Fields=self._array(*self._fields),
            DA=self._pdf.PDFString(f"/{default} 8.5 Tf 0 g"),
            DR=self._dictionary(Font=self._dictionary(**self._fonts)),
        )

    def _font(self, name: str) -> None:
        """Embed a lettering font for edits, whole, unless it already is."""
        if name in self._fonts:
            return
        font = next(font for font in (dialogue_font(), sound_font()) if font.name == name)
        per_thousand = 1000 / font.units_per_em
        widths = {code: font.advance(letter) * per_thousand for code, letter in _encoded(font)}
        differences: list[Any] = []
        for code, letter in european_letters().items():
            differences += [code, self._name(glyph_name(letter))]
        descriptor = self._dictionary(
            Type=self._name("FontDescriptor"),
            FontName=self._name(name),
            Flags=_NON_SYMBOLIC,
            FontBBox=self._array(*(round(value * per_thousand) for value in font.bounds)),
            ItalicAngle=0,
            Ascent=round(font.ascent * per_thousand),
            Descent=round(font.descent * per_thousand),
            CapHeight=round(font.cap_height * per_thousand),
            StemV=120,
            FontFile2=self._stream(font.path.read_bytes(), Length1=font.path.stat().st_size),
        )
        self._fonts[name] = self._document.Reference(
            self._dictionary(
                Type=self._name("Font"),
                Subtype=self._name("TrueType"),
                BaseFont=self._name(name),
                FirstChar=FIRST_CODE,
                LastChar=255,
                Widths=self._array(
                    *(round(widths.get(code, 0)) for code in range(FIRST_CODE, 256))
                ),
                FontDescriptor=self._document.Reference(descriptor),
                Encoding=self._dictionary(
                    Type=self._name("Encoding"),
                    BaseEncoding=self._name("WinAnsiEncoding"),
                    Differences=self._array(*differences),
                ),
            )
        )

    def _picture(self, picture: Path, frame: Box) -> tuple[Any, int, int]:
        packed = self._prints.packed(picture, frame)
        self._document.signature.update(packed.data)
        parameters = self._dictionary(
            Predictor=15, Colors=1, BitsPerComponent=packed.bits, Columns=packed.width_px
        )
        reference = self._stream(
            packed.data,
            packed=True,
            Type=self._name("XObject"),
            Subtype=self._name("Image"),
            Width=packed.width_px,
            Height=packed.height_px,
            ColorSpace=self._name("DeviceGray"),
            BitsPerComponent=packed.bits,
            DecodeParms=parameters,
        )
        return reference, packed.width_px, packed.height_px

    def _attachment(self, plan: bytes, digest: str) -> Any:
        self._document.signature.update(plan)
        file = self._stream(
            plan,
            Type=self._name("EmbeddedFile"),
            Subtype="/application#2Fyaml",  # a name, its slash escaped
            Params=self._dictionary(Size=len(plan)),
        )
        specification = self._dictionary(
            Type=self._name("Filespec"),
            F=self._text(PLAN_ATTACHMENT),
            UF=self._text(PLAN_ATTACHMENT),
            Desc=self._text(f"The plan this book was made from; SHA-256 {digest}"),
            AFRelationship=self._name("Source"),
            EF=self._dictionary(F=file),
        )
        names = self._array(self._text(PLAN_ATTACHMENT), self._document.Reference(specification))
        return self._dictionary(EmbeddedFiles=self._dictionary(Names=names))

    def _stream(self, content: bytes, *, packed: bool = False, **entries: Any) -> Any:
        """Return a reference to a deflated stream; `packed` content already is deflated."""
        data = content if packed else zlib.compress(content, 9)
        dictionary = self._dictionary(Filter=self._name("FlateDecode"), **entries)
        return self._document.Reference(self._pdf.PDFStream(dictionary, data, filters=[]))

    def _dictionary(self, **entries: Any) -> Any:
        return self._pdf.PDFDictionary(entries)

    def _array(self, *items: Any) -> Any:
        return self._pdf.PDFArray(items)

    def _name(self, name: str) -> Any:
        return self._pdf.PDFName(name)

    def _text(self, text: str) -> Any:
        return self._pdf.PDFText(codecs.BOM_UTF16_BE + text.encode("utf-16-be"))


def accessible_name(balloon: Balloon) -> str:
    """Return what a screen reader calls the field."""
    if balloon.kind == "sound":
        return "Sound"
    if balloon.kind == "narration":
        return "Narration"
    return f"Dialogue: {balloon.speaker}" if balloon.speaker else "Dialogue"


def _encoded(font: Font) -> list[tuple[int, str]]:
    return [(code, letter) for code, letter in characters() if letter in font.characters]
