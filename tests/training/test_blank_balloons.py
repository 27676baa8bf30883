from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training.balloons import find_balloons
from training.data.peeps.panels import compose
from training.metrics import count_boxes, matched_boxes

SIZE = (192, 192)
BOX = (40, 20, 130, 80)


def panel(kind: str = "white") -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(picture)
    if kind == "tone":
        for y in range(0, SIZE[1], 4):
            for x in range(y % 8 // 2, SIZE[0], 4):
                pen.point((x, y), 0)
                pen.point((x + 1, y), 0)
    if kind == "black":
        pen.rectangle((0, 0, *SIZE), fill=0)
    return picture, pen


def as_fractions(box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (edge / 192 for edge in box)
    return left, top, right, bottom


@pytest.mark.parametrize("background", ["white", "tone", "black"])
@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
def test_a_blank_outlined_balloon_is_found(background: str, shape: str) -> None:
    picture, pen = panel(background)
    getattr(pen, shape)(BOX, fill=255, outline=0, width=2)
    found = find_balloons(np.asarray(picture))
    assert len(found) == 1
    assert matched_boxes(found, [as_fractions(BOX)], min_iou=0.85)


def test_a_gap_of_a_pixel_in_the_outline_does_no_harm() -> None:
    picture, pen = panel()
    pen.ellipse(BOX, fill=255, outline=0, width=1)
    picture.putpixel((85, 20), 255)
    assert len(find_balloons(np.asarray(picture))) == 1


def test_two_balloons_are_two() -> None:
    picture, pen = panel("tone")
    boxes = [(10, 10, 90, 60), (100, 100, 185, 150)]
    for box in boxes:
        pen.ellipse(box, fill=255, outline=0, width=2)
    found = find_balloons(np.asarray(picture))
    assert count_boxes([found], [[as_fractions(box) for box in boxes]]).f1 == 1


def test_what_is_no_blank_balloon_is_not_found() -> None:
    lettered, pen = panel()
    pen.ellipse(BOX, fill=255, outline=0, width=2)
    pen.text((65, 40), "WHY NOT?", fill=0)
    grey, pen = panel()
    pen.ellipse(BOX, fill=140, outline=0, width=2)
    cut_off, pen = panel()
    pen.ellipse((-40, 20, 60, 80), fill=255, outline=0, width=2)
    triangle, pen = panel()
    pen.polygon([(40, 140), (85, 20), (130, 140)], fill=255, outline=0, width=2)
    tiny, pen = panel()
    pen.ellipse((40, 20, 66, 40), fill=255, outline=0, width=2)
    door, pen = panel()
    pen.rectangle((40, 20, 90, 150), fill=255, outline=0, width=2)
    empty, _ = panel()
    for picture in (lettered, grey, cut_off, triangle, tiny, door, empty):
        assert find_balloons(np.asarray(picture)) == []


def test_all_balloons_of_synthetic_places_are_found_and_little_else() -> None:
    panels = [compose([], SIZE, random.Random(f"balloons {seed}")) for seed in range(40)]
    counts = count_boxes(
        [find_balloons(one.ink) for one in panels],
        [[as_fractions(box) for box in one.dialogs] for one in panels],
    )
    assert counts.right == counts.asked > 30
    assert counts.found <= 1.2 * counts.asked  # crowns of trees are round and white too
