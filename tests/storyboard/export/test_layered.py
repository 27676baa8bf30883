"""Layered pages: what was written is put together again by others, and is the page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource

from storyboard.export.layers import GROUPS
from storyboard.geometry import mm_to_px

DPI = 72
SIZE = (mm_to_px(96, DPI), mm_to_px(126, DPI))  # with the bleed


def far_apart(one: Image.Image, other: Image.Image) -> int:
    """How far two pictures differ at the place where they differ the most, of 255."""
    first, second = (numpy.asarray(picture.convert("L"), dtype=int) for picture in (one, other))
    return int(abs(first - second).max())


def opened(archive: zipfile.ZipFile, name: str) -> Image.Image:
    return Image.open(io.BytesIO(archive.read(name)))


def from_the_bottom(stack: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for child in reversed(list(stack)):
        if child.tag == "stack":
            yield from from_the_bottom(child)
        else:
            yield child


@pytest.fixture(params=[1, 2])
def ora(request: pytest.FixtureRequest, out: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(out / f"fox.rough-{request.param:03}.ora")


@pytest.fixture(params=[1, 2])
def psd_file(request: pytest.FixtureRequest, out: Path) -> Path:
    return out / f"fox.rough-{request.param:03}.psd"


def test_an_ora_file_says_at_its_very_beginning_what_it_is(ora: zipfile.ZipFile) -> None:
    first = ora.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert ora.read("mimetype") == b"image/openraster"
    assert ora.testzip() is None


def test_the_layers_of_an_ora_file_laid_over_each_other_are_the_page(ora: zipfile.ZipFile) -> None:
    merged = opened(ora, "mergedimage.png")
    assert merged.size == pytest.approx(SIZE, abs=1)
    image = ElementTree.fromstring(ora.read("stack.xml"))
    assert (image.get("w"), image.get("h")) == tuple(map(str, merged.size))
    stack = image.find("stack")
    assert stack is not None
    canvas = Image.new("RGBA", merged.size, (0, 0, 0, 0))
    for layer in from_the_bottom(stack):
        picture = opened(ora, layer.attrib["src"]).convert("RGBA")
        canvas.alpha_composite(picture, (int(layer.attrib["x"]), int(layer.attrib["y"])))
    assert canvas.getextrema()[3] == (255, 255)
    assert far_apart(canvas, merged) <= 4


def test_an_ora_file_has_text_over_balloons_over_panels_over_paper(out: Path) -> None:
    with zipfile.ZipFile(out / "fox.rough-001.ora") as archive:
        image = ElementTree.fromstring(archive.read("stack.xml"))
        thumbnail = opened(archive, "Thumbnails/thumbnail.png")
        assert max(thumbnail.size) <= 256
    stack = image.find("stack")
    assert stack is not None
    assert [child.get("name") for child in stack] == [*reversed(GROUPS), "Paper"]
    texts = [layer.get("name") for layer in stack[0]]
    assert texts[-1] == "p01-1.b1 Hold still <now> & wait."
    assert len(texts) == 3


def test_the_layers_of_a_psd_file_laid_over_each_other_are_the_page(psd_file: Path) -> None:
    psd = PSDImage.open(psd_file)
    merged = psd.topil()
    assert merged is not None
    assert psd.size == pytest.approx(SIZE, abs=1)
    psd.mark_updated()  # so that the merged picture in the file is not simply returned
    assert far_apart(psd.composite(force=True), merged) <= 4


def test_a_psd_file_opens_in_another_reader_with_its_layers(psd_file: Path) -> None:
    psd = PSDImage.open(psd_file)
    with Image.open(psd_file) as picture:
        assert picture.format == "PSD"
        assert picture.size == psd.size
        merged = psd.topil()
        assert merged is not None
        assert far_apart(picture, merged) == 0
        pixels = [layer for layer in psd.descendants() if not layer.is_group()]
        boxes = [box for _, _, box, _ in picture.layers]  # type: ignore[attr-defined]
        assert {layer.bbox for layer in pixels} <= set(boxes)


def test_a_psd_file_has_its_groups_its_size_in_print_and_guides(out: Path) -> None:
    psd = PSDImage.open(out / "fox.rough-001.psd")
    assert [layer.name for layer in psd] == ["Paper", *GROUPS]
    resolution = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
    assert resolution.horizontal / 65536 == DPI
    guides = psd.image_resources.get_data(Resource.GRID_AND_GUIDES_INFO).data
    upright = sorted(position / 32 for position, direction in guides if direction == 0)
    expected = [mm_to_px(mm, DPI) for mm in (3, 3 + 5, 3 + 85, 3 + 90)]  # trim, and text 5 mm in
    assert upright == expected


def test_names_of_layers_may_hold_every_script(tmp_path: Path) -> None:
    from storyboard.export.layers import Layer
    from storyboard.export.psd import write_psd
    from storyboard.story import PageSize

    picture = Image.new("LA", (4, 4), (0, 255))
    names = ("名前「犬」", "Ёж", "x" * 400)
    layers = [Layer("Text", name, picture, 1, 1) for name in names]
    with (tmp_path / "a.psd").open("wb") as file:
        write_psd(file, Image.new("L", (9, 9), 255), layers, 72, PageSize(50, 50))
    (*_, text) = PSDImage.open(tmp_path / "a.psd")
    found = [layer.name for layer in text]
    assert found[:2] == list(names[:2])
    assert found[2].startswith("xxx")
    assert found[2].endswith("…")
