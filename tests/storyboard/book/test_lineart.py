from __future__ import annotations

from collections.abc import Sequence

import numpy
import pytest
from PIL import Image, ImageDraw

from storyboard.book.lineart import (
    FINE_DPI,
    PRINT_DPI,
    as_line_art,
    enlarge_line_art,
    is_line_art,
    print_picture,
)

LARGE = 1536
SMALL = 192


def drawing() -> Image.Image:
    """Line art as a panel has it: outlines, a solid black, a flat grey and thin lines."""
    picture = Image.new("L", (LARGE, LARGE), 255)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 1150, LARGE, LARGE), fill=150)
    pen.ellipse((200, 150, 1000, 900), outline=0, width=20)
    pen.ellipse((420, 400, 520, 500), fill=0)
    pen.line((1050, 100, 1450, 1000), fill=0, width=12)
    pen.line((100, 1050, 1400, 1000), fill=0, width=10)
    pen.polygon([(1100, 300), (1450, 250), (1400, 700)], fill=0)
    return picture


def edge_width_px(row: Sequence[int]) -> float:
    """The number of output pixels in which a row goes from 10 % to 90 % of its range."""
    values = numpy.asarray(row, dtype=float)
    low, high = values.min(), values.max()
    between = (values > low + 0.1 * (high - low)) & (values < low + 0.9 * (high - low))
    return float(between.sum())


def small_drawing() -> Image.Image:
    return drawing().resize((SMALL, SMALL), Image.Resampling.BOX)


def test_edges_are_crisp_where_plain_enlarging_blurs_them() -> None:
    step = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(step).rectangle((0, 0, 30, 63), fill=0)
    size = (64 * 8, 64 * 8)
    crisp = numpy.asarray(enlarge_line_art(step, size))[256]
    plain = numpy.asarray(step.resize(size, Image.Resampling.LANCZOS))[256]
    assert edge_width_px(crisp) <= 2
    assert edge_width_px(plain) >= 5


def test_enlarged_line_art_is_closer_to_the_original_than_plain_enlarging() -> None:
    original = numpy.asarray(drawing(), dtype=float)
    ours = numpy.asarray(enlarge_line_art(small_drawing(), (LARGE, LARGE)), dtype=float)
    plain = numpy.asarray(
        small_drawing().resize((LARGE, LARGE), Image.Resampling.LANCZOS), dtype=float
    )
    assert numpy.abs(ours - original).mean() < 0.7 * numpy.abs(plain - original).mean()


def test_thin_lines_are_not_broken() -> None:
    ours = numpy.asarray(enlarge_line_art(small_drawing(), (LARGE, LARGE)))
    columns = ours[930:1100, 150:1000]
    assert (columns.min(axis=0) < 80).all()


def test_a_flat_grey_keeps_its_tone() -> None:
    ours = numpy.asarray(enlarge_line_art(small_drawing(), (LARGE, LARGE)))
    assert numpy.abs(ours[1300:1500, 100:1400].astype(int) - 150).max() <= 3


@pytest.mark.parametrize("level", [0, 255])
def test_paper_and_ink_come_out_pure_in_spite_of_a_models_noise(level: int) -> None:
    noise = numpy.random.default_rng(1).integers(0, 7, (48, 48))
    noisy = Image.fromarray(numpy.abs(level - noise).astype(numpy.uint8))
    assert set(numpy.asarray(enlarge_line_art(noisy, (200, 200))).flat) == {level}


def test_a_small_picture_gets_the_resolution_of_print() -> None:
    printed = print_picture(small_drawing(), 80.0, 80.0)
    assert printed.width == round(80 / 25.4 * PRINT_DPI)
    assert printed.mode == "L"


def test_a_picture_of_print_resolution_passes_unchanged() -> None:
    width_mm = LARGE / (FINE_DPI + 1) * 25.4
    assert print_picture(drawing(), width_mm, width_mm).tobytes() == drawing().tobytes()


def test_bands_leave_no_seams() -> None:
    slope = Image.linear_gradient("L").resize((96, 96))
    rows = numpy.asarray(enlarge_line_art(slope, (64, 1200)), dtype=int).mean(axis=1)
    assert numpy.abs(numpy.diff(rows)).max() < 2


def test_soft_edges_are_line_art_and_tones_are_none() -> None:
    ink = drawing().point(lambda level: 255 * (level > 200))  # its flat grey becomes black
    assert is_line_art(ink.resize((600, 600)))
    assert not is_line_art(drawing())


def test_black_and_white_keeps_every_edge_in_its_place() -> None:
    step = Image.new("L", (100, 100), 255)
    step.paste(0, (0, 0, 50, 100))
    fine = as_line_art(step, 25.4 / 4, 25.4 / 4)  # 400 dots per inch become 600
    assert (fine.mode, fine.size) == ("1", (150, 150))
    row = [fine.getpixel((x, 75)) for x in range(150)]
    assert row == [0] * 75 + [255] * 75
