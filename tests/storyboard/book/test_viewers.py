"""What readers' viewers do with a book: they show it as designed, and edits come back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy
import pikepdf
import pypdfium2
import pytest
from PIL import Image
from viewers import (
    appearances,
    type_with_pdfium,
    type_with_pdfjs,
    type_with_poppler,
    values,
    widgets,
)

from storyboard.book.page import compose_page
from storyboard.book.pdf import BookMetadata, write_pdf
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import page_pictures
from storyboard.geometry import Box, Polygon
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.lettering.letterer import letter_panel
from storyboard.plan import CharacterPlacement, Dialog, Panel
from storyboard.story import PageSize

Type = Callable[[Path, Path, Mapping[str, str]], object]
SCRIPTS = {
    "en": ("I never thought the harbour would be so quiet.", "Do you hear “it”?", "Crack"),
    "ja": ("まさか、本当に来るとは…", "12月だ!!", "ドン"),
    "zh": ("你以为这样就能打败我吗？", "别做梦了！", "砰"),
    "ru": ("Тише! Съешь ещё булок.", "Я здесь.", "Бах"),
}
EDITS = {
    "en": "I'm “here”, Łukasz!\nSit up.",
    "ja": "本当だ。\n行こう!",
    "zh": "你好，世界。",
    "ru": "Кто там?",
}


def made(path: Path, language: str) -> Path:
    """Write a book of two pages, each with a panel of three balloons."""
    speech, thought, sound = SCRIPTS[language]
    dialogs = (
        Dialog(text=speech, speaker="Mika", box=Box(0.02, 0.03, 0.36, 0.5)),
        Dialog(text=thought, speaker="Mika", kind="thought", box=Box(0.66, 0.03, 0.98, 0.4)),
        Dialog(text=sound, kind="sound", box=Box(0.03, 0.7, 0.35, 0.95)),
    )
    character = CharacterPlacement("Mika", Box(0.4, 0.4, 0.7, 1.0))
    picture = path.with_suffix(".png")
    Image.new("L", (96, 96), 255).save(picture)
    frame = Polygon(((10, 10), (140, 10), (140, 120), (10, 120)))
    pages = []
    for number in (1, 2):
        panel = Panel(f"p{number:02}-1", "Mika", characters=(character,), dialogs=dialogs)
        staged = StagedPanel(panel, frame, (True, True, True))
        page = StagedPage(number, "", PageSize(150, 130, 3), "ltr", (staged,))
        pages.append(
            compose_page(page, {panel.id: picture}, letter_panel(number, staged, language))
        )
    metadata = BookMetadata("T", language=language, plan=b"a: 1\n")
    write_pdf(path, pages, metadata=metadata, prints=PrintFolder(path.parent / "prints"))
    return path


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder, there = tmp_path_factory.mktemp("books"), {}

    def book(language: str) -> Path:
        if language not in there:
            there[language] = made(folder / f"{language}.pdf", language)
        return there[language]

    return book


ENGINES = [
    pytest.param(type_with_pdfium, id="pdfium"),
    pytest.param(type_with_poppler, id="poppler"),
    pytest.param(type_with_pdfjs, id="pdfjs", marks=pytest.mark.browser),
]


@pytest.mark.parametrize("language", SCRIPTS)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_edit_is_saved_and_all_other_fields_stay_as_they_were(
    engine: Type, language: str, books: Callable[[str], Path], tmp_path: Path
) -> None:
    book, edited = books(language), tmp_path / "edited.pdf"
    engine(book, edited, {"p01-1.b1": EDITS[language], "p02-1.b2": "OK"})
    before = values(book)
    assert values(edited) == before | {"p01-1.b1": EDITS[language], "p02-1.b2": "OK"}
    drawn, redrawn = appearances(book), appearances(edited)
    for name in drawn.keys() - {"p01-1.b1", "p02-1.b2"}:
        assert redrawn[name] == drawn[name]
    assert redrawn["p01-1.b1"] != drawn["p01-1.b1"]
    with pikepdf.open(edited) as pdf:
        assert {name: str(widget.DV) for name, widget in widgets(pdf).items()} == before
        assert pdf.attachments["plan.yaml"].get_file().read_bytes() == b"a: 1\n"


@pytest.mark.parametrize("engine", ENGINES)
def test_saving_without_an_edit_changes_no_field(
    engine: Type, books: Callable[[str], Path], tmp_path: Path
) -> None:
    book, saved = books("ja"), tmp_path / "saved.pdf"
    engine(book, saved, {})
    assert values(saved) == values(book)
    assert appearances(saved) == appearances(book)


@pytest.mark.browser
@pytest.mark.parametrize("language", SCRIPTS)
def test_firefoxs_engine_shows_the_text_as_written(
    language: str, books: Callable[[str], Path], tmp_path: Path
) -> None:
    shown = type_with_pdfjs(books(language), tmp_path / "saved.pdf", {})
    assert shown == values(books(language))


@pytest.mark.parametrize("language", SCRIPTS)
def test_untouched_pages_look_the_same_in_two_engines(
    language: str, books: Callable[[str], Path], tmp_path: Path
) -> None:
    (first, *_) = page_pictures(books(language), dpi=100, trimmed=False)
    command = ["pdftoppm", "-r", "100", "-gray", "-f", "1", "-l", "1", "-singlefile"]
    try:
        subprocess.run([*command, books(language), tmp_path / "page"], check=True)
    except FileNotFoundError:
        pytest.skip("poppler's pdftoppm is not installed")
    with Image.open(tmp_path / "page.pgm") as opened:
        pictures = (first, opened.resize(first.size))  # edges differ, at most by a pixel
        one, other = (numpy.asarray(each.reduce(4), dtype=int) for each in pictures)
    assert numpy.abs(one - other).mean() < 3
    assert numpy.percentile(numpy.abs(one - other), 99) < 40
    assert (numpy.asarray(first) < 100).mean() > 0.01


@pytest.mark.parametrize("engine", ENGINES[:2])
def test_an_edited_european_text_is_drawn_with_our_font(
    engine: Type, books: Callable[[str], Path], tmp_path: Path
) -> None:
    edited = tmp_path / "edited.pdf"
    engine(books("en"), edited, {"p01-1.b1": "Sit up, Zoë!"})
    with pikepdf.open(edited) as pdf:
        drawn = widgets(pdf)["p01-1.b1"].AP.N
        operators = pikepdf.parse_content_stream(drawn)
        used = [str(step.operands[0]) for step in operators if str(step.operator) == "Tf"]
    assert used
    assert all("ComicNeue" in name for name in used)


def test_fields_are_highlighted_by_no_one_when_a_page_is_drawn(
    books: Callable[[str], Path],
) -> None:
    with pypdfium2.PdfDocument(books("en")) as document:
        document.init_forms()
        levels = numpy.asarray(document[0].render(scale=1).to_pil().convert("RGB"), dtype=int)
    assert numpy.abs(levels[..., 0] - levels[..., 2]).max() == 0
