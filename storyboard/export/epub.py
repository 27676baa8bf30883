"""A fixed-layout EPUB: pages as pictures, their text over them to be selected, found and read out.

The letters seen are the picture's; the text lies over them unseen. Source: EPUB 3.3 and EPUB
Accessibility 1.1 of the W3C.
"""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO
from xml.sax.saxutils import escape

import msgspec

from storyboard.export.archive import add, png_bytes
from storyboard.export.epub_page import STYLE, page_xhtml
from storyboard.export.fontfaces import FontFaces, font_face
from storyboard.export.lettered import LetteredBook, alternative_text, language_tag
from storyboard.progress import Step

if TYPE_CHECKING:
    from storyboard.plan import Plan

_NAMESPACE = uuid.UUID("8b6c1a52-6a3c-5d6e-9f0b-3d1f6f0c7a11")  # of this tool's books
_CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
  </rootfiles>
</container>
"""
_SUMMARY = (
    "Pages are pictures; each is described by the captions of its panels, and its dialogue is text."
)


class _Page(msgspec.Struct, frozen=True):
    """What the package says of a page."""

    number: int
    id: str
    spread: str
    chapter: str


def write_epub(file: BinaryIO, book: LetteredBook, dpi: float, step: Step) -> None:
    """Write the book as EPUB 3 into an open file."""
    language = language_tag(book.plan.language)
    pages = []
    with zipfile.ZipFile(file, "w") as archive:
        add(archive, "mimetype", b"application/epub+zip", packed=False)  # must be the first
        add(archive, "META-INF/container.xml", _CONTAINER.encode())
        faces = FontFaces()
        pictures = book.page_pictures(dpi)
        for staged, drawing, picture in zip(book.pages, book.drawings(), pictures, strict=True):
            page = _page(staged.number, book.plan)
            add(archive, f"book/images/{page.id}.png", png_bytes(picture), packed=False)
            text = page_xhtml(
                drawing,
                title=f"{book.plan.title} – {page.number}",
                image=f"../images/{page.id}.png",
                described=alternative_text(staged),
                size_px=picture.size,
                language=language,
                emphasis=book.plan.lettering.emphasis,
                faces=faces,
            )
            add(archive, f"book/pages/{page.id}.xhtml", text.encode())
            pages.append(page)
            step.advance(note=f"page {page.number}")
        fonts = _add_style(archive, faces)
        add(archive, "book/nav.xhtml", _navigation(book, pages, language).encode())
        add(archive, "book/package.opf", _package(book, pages, fonts, language).encode())


def _add_style(archive: zipfile.ZipFile, faces: FontFaces) -> tuple[str, ...]:
    """Put the style and the fonts it names into the archive, and return the fonts' names."""
    names, rules = [], []
    for name, named, data in faces.files():
        add(archive, f"book/fonts/{name}.woff", data, packed=False)
        rules.append(font_face(named, f"fonts/{name}.woff"))
        names.append(name)
    add(archive, "book/style.css", "\n".join([*rules, STYLE]).encode())
    return tuple(names)


def _page(number: int, plan: Plan) -> _Page:
    """Return what is to be said of a page. Page 1 lies alone, on the side of all odd pages."""
    spread = "right" if (number % 2 == 1) == (plan.reading == "ltr") else "left"
    return _Page(number, f"{number:04}", spread, plan.pages[number - 1].chapter)


def _package(
    book: LetteredBook, pages: Sequence[_Page], fonts: Sequence[str], language: str
) -> str:
    plan = book.plan
    identifier = uuid.uuid5(_NAMESPACE, "\0".join((plan.title, plan.author, str(plan.seed))))
    creator = f"\n    <dc:creator>{escape(plan.author)}</dc:creator>" if plan.author else ""
    items = "\n".join(_items(page, is_cover=page is pages[0]) for page in pages)
    items += "".join(
        f'\n    <item id="font-{number}" href="fonts/{name}.woff" media-type="font/woff"/>'
        for number, name in enumerate(fonts)
    )
    spine = "\n".join(
        f'    <itemref idref="page-{page.id}" properties="rendition:page-spread-{page.spread}"/>'
        for page in pages
    )
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"
    xml:lang="{language}" prefix="rendition: http://www.idpf.org/vocab/rendition/#">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
    <dc:title>{escape(plan.title)}</dc:title>
    <dc:language>{language}</dc:language>{creator}
    <meta property="dcterms:modified">{book.modified:%Y-%m-%dT%H:%M:%SZ}</meta>
    <meta property="rendition:layout">pre-paginated</meta>
    <meta property="rendition:orientation">auto</meta>
    <meta property="rendition:spread">auto</meta>
    <meta property="schema:accessMode">visual</meta>
    <meta property="schema:accessMode">textual</meta>
    <meta property="schema:accessibilityFeature">alternativeText</meta>
    <meta property="schema:accessibilityFeature">readingOrder</meta>
    <meta property="schema:accessibilityHazard">none</meta>
    <meta property="schema:accessibilitySummary">{_SUMMARY}</meta>
    <meta name="cover" content="image-{pages[0].id}"/>
  </metadata>
  <manifest>
    <item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
    <item id="style" href="style.css" media-type="text/css"/>
{items}
  </manifest>
  <spine page-progression-direction="{plan.reading}">
{spine}
  </spine>
</package>
"""


def _items(page: _Page, *, is_cover: bool) -> str:
    cover = ' properties="cover-image"' if is_cover else ""
    return (
        f'    <item id="page-{page.id}" href="pages/{page.id}.xhtml"'
        ' media-type="application/xhtml+xml"/>\n'
        f'    <item id="image-{page.id}" href="images/{page.id}.png"'
        f' media-type="image/png"{cover}/>'
    )


def _navigation(book: LetteredBook, pages: Sequence[_Page], language: str) -> str:
    title = escape(book.plan.title)
    contents = "\n".join(
        _entry(page, page.chapter or book.plan.title)
        for page in pages
        if page.chapter or page is pages[0]
    )
    listed = "\n".join(_entry(page, str(page.number)) for page in pages)
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
    lang="{language}" xml:lang="{language}">
  <head>
    <title>{title}</title>
    <meta charset="utf-8"/>
  </head>
  <body>
    <nav epub:type="toc">
      <ol>
{contents}
      </ol>
    </nav>
    <nav epub:type="page-list" hidden="">
      <ol>
{listed}
      </ol>
    </nav>
  </body>
</html>
"""


def _entry(page: _Page, name: str) -> str:
    return f'        <li><a href="pages/{page.id}.xhtml">{escape(name)}</a></li>'
