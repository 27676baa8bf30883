from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from storyboard.book.pictures import PrintFolder
from storyboard.errors import MissingError
from storyboard.geometry import Box

FRAME = Box(0, 0, 40, 30)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = Image.new("L", (128, 96), "white")
    ImageDraw.Draw(image).ellipse((20, 20, 90, 70), fill="black")
    path = tmp_path / "panel.png"
    image.save(path)
    return path


def test_a_picture_made_ready_for_print_is_kept(picture: Path, tmp_path: Path) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    (kept,) = (tmp_path / "prints").iterdir()
    with Image.open(kept) as image:
        assert image.size == (first.width_px, first.height_px)
        # what is kept is what is printed: paint it and see it come back
        Image.new(image.mode, image.size, 1).save(kept)
    assert prints.packed(picture, FRAME).data != first.data
    assert prints.packed(picture, Box(0, 0, 80, 60)).width_px == 2 * first.width_px
    assert PrintFolder().packed(picture, FRAME) == first


def test_a_damaged_print_is_made_again(picture: Path, tmp_path: Path) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    (kept,) = (tmp_path / "prints").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert prints.packed(picture, FRAME) == first
    assert kept.read_bytes() == whole


def test_a_changed_picture_is_printed_anew(picture: Path, tmp_path: Path) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    Image.new("L", (128, 96), "white").save(picture)
    assert prints.packed(picture, FRAME).data != first.data


def test_a_lost_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="gone.png"):
        PrintFolder(tmp_path).packed(tmp_path / "gone.png", FRAME)
