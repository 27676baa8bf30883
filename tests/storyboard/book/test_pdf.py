from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from storyboard.book.page import PageDrawing, compose_page
from storyboard.book.pdf import PLAN_HASH_KEY, BookMetadata, pdf_bytes, write_pdf
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import page_pictures
from storyboard.errors import MissingError
from storyboard.geometry import Box, Polygon, mm_to_px
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.lettering.letterer import letter_panel
from storyboard.plan import CharacterPlacement, Dialog, Panel
from storyboard.story import PageSize

DIALOGS = (
    Dialog(text="Hold still — I won't hurt you.", speaker="Mika", box=Box(0.03, 0.03, 0.4, 0.3)),
    Dialog(text="Zażółć!", speaker="Mika", kind="shout", box=Box(0.6, 0.03, 0.97, 0.3)),
    Dialog(text="Crack", kind="sound", box=Box(0.03, 0.7, 0.4, 0.95)),
)
METADATA = BookMetadata("Füchse", author="A. Writer", language="de", reading="rtl", plan=b"a: 1\n")
DPI = 200


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> PageDrawing:
    picture = tmp_path_factory.mktemp("panels") / "panel.png"
    Image.new("L", (96, 96), 255).save(picture)
    character = CharacterPlacement("Mika", Box(0.4, 0.4, 0.7, 1.0))
    panel = Panel(id="p01-1", caption="Mika sits up", characters=(character,), dialogs=DIALOGS)
    frame = Polygon(((10, 10), (110, 10), (110, 100), (10, 100)))
    staged = StagedPanel(panel, frame, (True, True, True))
    staged_page = StagedPage(1, "", PageSize(120, 110, 3), "rtl", (staged,))
    return compose_page(staged_page, {"p01-1": picture}, letter_panel(1, staged, "de"))


@pytest.fixture(scope="module")
def prints(tmp_path_factory: pytest.TempPathFactory) -> PrintFolder:
    return PrintFolder(tmp_path_factory.mktemp("prints"))


@pytest.fixture(scope="module")
def book(page: PageDrawing, prints: PrintFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "book.pdf"
    write_pdf(path, [page], metadata=METADATA, prints=prints)
    return path


def test_the_file_is_sound(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        assert pdf.check_pdf_syntax() == []


def test_qpdf_finds_nothing_wrong(book: Path) -> None:
    qpdf = shutil.which("qpdf")
    if qpdf is None:
        pytest.skip("qpdf is not installed")
    subprocess.run([qpdf, "--check", book], check=True, capture_output=True)


def widgets(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    return [kid for field in pdf.Root.AcroForm.Fields for kid in field.Kids]


def test_every_dialog_is_a_field_with_its_text_as_written(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        fields = widgets(pdf)
        assert [str(field.V) for field in fields] == [dialog.text for dialog in DIALOGS]
        assert [str(field.DV) for field in fields] == [dialog.text for dialog in DIALOGS]
        names = [f"{field.Parent['/T']}.{field['/T']}" for field in fields]
        assert names == ["p01-1.b1", "p01-1.b2", "p01-1.b3"]
        assert [str(field.TU) for field in fields] == ["Dialogue: Mika", "Dialogue: Mika", "Sound"]


def test_fields_are_multiline_centred_and_of_a_fixed_size(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        for field in widgets(pdf):
            assert int(field.Ff) & 1 << 12
            assert int(field.Q) == 1
            assert int(field.F) == 4
            size = re.fullmatch(r"/[\w-]+ ([\d.]+) Tf 0 g", str(field.DA))
            assert size is not None
            assert float(size[1]) >= 7
            assert "/MaxLen" not in field
            assert "/MK" not in field


def test_the_form_is_one_that_viewers_leave_alone_until_an_edit(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        form = pdf.Root.AcroForm
        assert form.is_indirect
        assert "/NeedAppearances" not in form
        annotations = [field.objgen for field in pdf.pages[0].Annots]
        assert annotations == [field.objgen for field in widgets(pdf)]
        assert pdf.pages[0].Tabs == "/W"


def test_appearances_are_outlines_without_text_operators(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        for field in widgets(pdf):
            operators = [str(step.operator) for step in pikepdf.parse_content_stream(field.AP.N)]
            assert "f" in operators
            assert not {"Tj", "TJ", "'", '"', "Tf"} & set(operators)


def test_fonts_for_edits_are_whole_and_encoded_for_europe(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        fonts = pdf.Root.AcroForm.DR.Font
        assert set(fonts.keys()) == {"/ComicNeue-Bold", "/Bangers-Regular"}
        for font in fonts.values():
            assert font.Subtype == "/TrueType"
            assert len(font.Widths) == font.LastChar - font.FirstChar + 1
            assert int(font.Widths[ord("A") - font.FirstChar]) > 0
            assert len(font.FontDescriptor.FontFile2.read_bytes()) > 50_000


def test_page_boxes_metadata_and_reading_direction(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        first = pdf.pages[0]
        media, trim = [[float(side) for side in box] for box in (first.MediaBox, first.TrimBox)]
        assert media[2] == pytest.approx(126 / 25.4 * 72, abs=0.01)
        assert trim[2] - trim[0] == pytest.approx(120 / 25.4 * 72, abs=0.01)
        assert first.BleedBox == first.MediaBox
        assert pdf.Root.ViewerPreferences.Direction == "/R2L"
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert pdf.Root.PageLayout == "/TwoPageRight"
        assert str(pdf.Root.Lang) == "de"
        assert str(pdf.docinfo.Title) == "Füchse"
        assert str(pdf.docinfo.Author) == "A. Writer"


def test_the_plan_is_attached_with_its_hash(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        assert pdf.attachments["plan.yaml"].get_file().read_bytes() == b"a: 1\n"
        assert str(pdf.docinfo[f"/{PLAN_HASH_KEY}"]) == hashlib.sha256(b"a: 1\n").hexdigest()


def test_the_same_book_is_the_same_bytes(page: PageDrawing, book: Path) -> None:
    assert pdf_bytes([page], metadata=METADATA) == book.read_bytes()


def test_a_picture_that_is_not_there_is_named(page: PageDrawing, tmp_path: Path) -> None:
    lost = msgspec.structs.replace(page.panels[0], picture=tmp_path / "lost.png")
    with pytest.raises(MissingError, match=r"lost\.png"):
        pdf_bytes([msgspec.structs.replace(page, panels=(lost,))], metadata=METADATA)


def test_text_is_drawn_inside_its_balloon_and_in_its_middle(page: PageDrawing, book: Path) -> None:
    with_text = numpy.asarray(next(page_pictures(book, dpi=DPI)), dtype=int)
    document = pypdfium2.PdfDocument(book)  # without its form: no text
    bare = document[0].render(scale=DPI / 72, grayscale=True, may_draw_forms=False).to_pil()
    bleed = mm_to_px(page.size.bleed_mm, DPI)
    height, width = with_text.shape
    without = numpy.asarray(bare, dtype=int)[bleed : bleed + height, bleed : bleed + width]
    document.close()
    ink = numpy.abs(with_text - without) > 64
    rest = ink.copy()
    for balloon in page.balloons:  # each has ink, and none is drawn anywhere else
        box = balloon.field_mm
        rows = slice(mm_to_px(box.top, DPI), mm_to_px(box.bottom, DPI) + 1)
        columns = slice(mm_to_px(box.left, DPI), mm_to_px(box.right, DPI) + 1)
        assert ink[rows, columns].any()
        rest[rows, columns] = False
    assert not rest.any()
    for balloon in page.balloons[:2]:
        box = balloon.body_mm
        left, top = mm_to_px(box.left, DPI), mm_to_px(box.top, DPI)
        part = ink[top : mm_to_px(box.bottom, DPI), left : mm_to_px(box.right, DPI)]
        rows, columns = numpy.nonzero(part)
        assert (columns.min() + columns.max()) / 2 == pytest.approx(part.shape[1] / 2, abs=3)
        assert (rows.min() + rows.max()) / 2 == pytest.approx(part.shape[0] / 2, abs=8)


def test_the_structure_tells_what_is_seen_and_said_in_reading_order(book: Path) -> None:
    with pikepdf.open(book) as pdf:
        tree = pdf.Root.StructTreeRoot
        (section,) = tree.K.K
        assert [str(part.S) for part in section.K] == ["/Figure", "/Form", "/Form", "/Form"]
        assert str(section.K[0].Alt) == "Mika sits up"
        targets = [part.K.Obj.objgen for part in section.K[1:]]
        assert targets == [widget.objgen for widget in pdf.pages[0].Annots]
        parents = list(tree.ParentTree.Nums)
        by_key = dict(zip(map(int, parents[::2]), parents[1::2], strict=True))
        marked = by_key[int(pdf.pages[0].StructParents)]
        assert [part.objgen for part in marked] == [section.K[0].objgen]
        for widget, part in zip(pdf.pages[0].Annots, section.K[1:], strict=True):
            assert by_key[int(widget.StructParent)].objgen == part.objgen
            assert str(widget.Lang) == "de"
        assert bool(pdf.Root.MarkInfo.Marked)


def test_viewers_show_the_pages_own_numbers_and_bookmarks(
    page: PageDrawing, prints: PrintFolder, tmp_path: Path
) -> None:
    pages = [msgspec.structs.replace(page, number=number) for number in (3, 4, 7)]
    for chapters, titles in (({}, ["3", "4", "7"]), ({4: "The Trap"}, ["The Trap"])):
        metadata = msgspec.structs.replace(METADATA, chapters=chapters)
        write_pdf(tmp_path / "b.pdf", pages, metadata=metadata, prints=prints)
        with pikepdf.open(tmp_path / "b.pdf") as pdf:
            assert [sheet.label for sheet in pdf.pages] == ["3", "4", "7"]
            with pdf.open_outline() as outline:
                assert [item.title for item in outline.root] == titles
                first = outline.root[0].destination[0]
            assert first.objgen == pdf.pages[1 if chapters else 0].objgen


def test_what_the_book_says_of_itself_agrees_in_both_places(book: Path) -> None:
    with pikepdf.open(book) as pdf, pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == "Füchse"
        assert metadata["dc:creator"] == ["A. Writer"]
        assert metadata["dc:language"] == {"de"}
        assert metadata["pdf:Producer"] == str(pdf.docinfo.Producer)


def test_a_balloon_left_blank_has_no_field(page: PageDrawing) -> None:
    blank = [msgspec.structs.replace(balloon, value="") for balloon in page.balloons]
    bare = msgspec.structs.replace(page, panels=(), balloons=tuple(blank))
    data = pdf_bytes([bare], metadata=METADATA)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert "/Annots" not in pdf.pages[0]


def test_a_book_is_written_page_by_page(
    page: PageDrawing, prints: PrintFolder, tmp_path: Path
) -> None:
    sizes = []

    def pages() -> Iterator[PageDrawing]:
        for number in range(1, 4):
            (part,) = tmp_path.glob(".tmp-*")
            sizes.append(part.stat().st_size)
            yield msgspec.structs.replace(page, number=number)

    write_pdf(tmp_path / "b.pdf", pages(), metadata=METADATA, prints=prints)
    assert sizes == sorted(sizes)
    assert sizes[2] > 8000


def test_a_page_that_fails_leaves_the_old_book(page: PageDrawing, tmp_path: Path) -> None:
    def pages() -> Iterator[PageDrawing]:
        yield page
        raise MissingError("no ink")

    (tmp_path / "b.pdf").write_bytes(b"old")
    with pytest.raises(MissingError, match="no ink"):
        write_pdf(tmp_path / "b.pdf", pages(), metadata=METADATA)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
