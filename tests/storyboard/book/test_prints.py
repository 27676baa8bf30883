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


def test_line_art_is_packed_in_black_and_white_at_the_resolution_of_print(picture: Path) -> None:
    packed = PrintFolder().packed(picture, FRAME)
    assert (packed.bits, packed.packing) == (1, "fax")
    assert packed.width_px == round(40 / 25.4 * 600)
    assert len(packed.data) < packed.width_px * packed.height_px / 8 / 20


def test_a_picture_with_tones_stays_grey(tmp_path: Path) -> None:
    path = tmp_path / "panel.png"
    Image.linear_gradient("L").save(path)
    packed = PrintFolder().packed(path, FRAME)
    assert (packed.bits, packed.packing) == (8, "png")
    Image.new("L", (64, 48), 235).save(path)  # a light tone all over is one too
    assert PrintFolder().packed(path, FRAME).bits == 8


def test_a_picture_made_ready_for_print_is_kept(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    assert PrintFolder().packed(picture, FRAME) == first
    assert prints.packed(picture, Box(0, 0, 80, 60)).width_px == pytest.approx(
        2 * first.width_px, abs=1
    )
    monkeypatch.delattr("storyboard.book.pictures._packed")
    assert prints.packed(picture, FRAME) == first


@pytest.mark.parametrize("length", [0, 3, 200])
def test_a_damaged_print_is_made_again(picture: Path, tmp_path: Path, length: int) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    (kept,) = (tmp_path / "prints").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:length])
    assert prints.packed(picture, FRAME) == first
    assert kept.read_bytes() == whole


def test_a_changed_picture_is_printed_anew(picture: Path, tmp_path: Path) -> None:
    prints = PrintFolder(tmp_path / "prints")
    first = prints.packed(picture, FRAME)
    Image.new("L", (128, 96), "white").save(picture)
    assert prints.packed(picture, FRAME).data != first.data


def test_a_lost_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"gone\.png"):
        PrintFolder(tmp_path).packed(tmp_path / "gone.png", FRAME)
