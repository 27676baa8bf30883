"""The final copy: it looks like the book with fields, and its words are text."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy
import pikepdf
import pypdfium2
import pytest

from storyboard.book.page import PageDrawing, compose_page
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import page_pictures
from storyboard.geometry import Box, Polygon
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.lettering.letterer import letter_panel
from storyboard.plan import Dialog, Panel
from storyboard.story import PageSize

TEXTS = {
    "en": ("I never *thought* the harbour would be so quiet.", "Ask Ivy: is “it” here?", "Crack"),
    "zh": ("你以为这样就能打败我吗？", "别做梦了！", "砰"),
    "ja": ("まさか、{本当|ほんとう}に来るとは…", "12月だ!!", "ドン"),
}


def drawing(language: str) -> PageDrawing:
    speech, thought, sound = TEXTS[language]
    boxes = (Box(0.02, 0.03, 0.36, 0.5), Box(0.6, 0.03, 0.98, 0.4), Box(0.03, 0.7, 0.35, 0.95))
    dialogs = (
        Dialog(text=speech, kind="narration", box=boxes[0]),
        Dialog(text=thought, speaker="Mika", kind="thought", box=boxes[1]),
        Dialog(text=sound, kind="sound", box=boxes[2]),
    )
    panel = Panel("p01-1", "Mika", dialogs=dialogs)
    frame = Polygon(((10, 10), (140, 10), (140, 120), (10, 120)))
    staged = StagedPanel(panel, frame, (True, True, True))
    page = StagedPage(1, "", PageSize(150, 130, 3), "ltr", (staged,))
    return compose_page(page, {}, letter_panel(1, staged, language))


@pytest.fixture(scope="module", params=TEXTS)
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same page with fields and flat, in one language."""
    folder, page = tmp_path_factory.mktemp("books"), drawing(request.param)
    paths = [folder / f"{request.param}.{form}.pdf" for form in ("fields", "flat")]
    for path in paths:
        metadata = BookMetadata("T", language=request.param, flat=path.name.endswith("flat.pdf"))
        write_pdf(path, [page], metadata=metadata, prints=PrintFolder(folder / "prints"))
    return paths


def test_it_looks_like_the_book_with_fields(books: list[Path]) -> None:
    one, other = (numpy.asarray(next(page_pictures(path, dpi=120)), dtype=int) for path in books)
    assert (one < 100).mean() > 0.01
    assert numpy.abs(one - other).mean() < 0.6
    blurred = [
        picture[:-1:2, :-1:2] + picture[1::2, 1::2]
        for picture in (
            plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2] for plane in (one, other)
        )
    ]
    assert (numpy.abs(blurred[0] - blurred[1]) > 300).mean() < 0.001


def test_it_has_no_fields_and_its_words_lie_on_a_layer(books: list[Path]) -> None:
    with pikepdf.open(books[1]) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert "/Annots" not in pdf.pages[0]
        (layer,) = pdf.Root.OCProperties.OCGs
        assert pdf.pages[0].Resources.Properties.Dialogue.objgen == layer.objgen
        steps = pikepdf.parse_content_stream(pdf.pages[0])
        begun = [str(step.operands[0]) for step in steps if str(step.operator) == "BDC"]
        assert begun == ["/Figure", "/OC", *["/P", "/Span"] * 3]
        pdf.Root.OCProperties.D.OFF = pdf.Root.OCProperties.OCGs
        pdf.Root.OCProperties.D.ON = pikepdf.Array()
        pdf.save(books[1].with_suffix(".off.pdf"))
    shown, hidden = (
        (numpy.asarray(next(page_pictures(path, dpi=60))) < 100).sum()
        for path in (books[1], books[1].with_suffix(".off.pdf"))
    )
    assert hidden < shown


def test_its_words_are_found(books: list[Path]) -> None:
    language = books[1].name[:2]
    with pypdfium2.PdfDocument(books[1]) as document:
        page = document[0]
        text = page.get_textpage()
        found = "".join(text.get_text_range().split()).casefold()
        text.close()
        page.close()
    wanted = {"en": "harbourwouldbesoquiet", "zh": "你以为这样就能打败我吗", "ja": "まさか"}[
        language
    ]
    assert wanted in found


def test_its_words_are_read_as_written(books: list[Path]) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler's pdftotext is not installed")
    done = subprocess.run(
        ["pdftotext", "-raw", books[1], "-"], check=True, capture_output=True, text=True
    )
    read = "".join(done.stdout.split()).replace("CRACK", "Crack")
    for words in TEXTS[books[1].name[:2]]:
        plain = words.replace("*", "").replace("{本当|ほんとう}", "本当")
        assert "".join(plain.split()) in read


def test_qpdf_finds_nothing_wrong(books: list[Path]) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip("qpdf is not installed")
    for path in books:
        subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)
