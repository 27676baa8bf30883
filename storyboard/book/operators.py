"""Drawing instructions as PDF operators. Nothing here knows of files or objects."""

from __future__ import annotations

import math
from collections.abc import Sequence

from storyboard.book.page import FramedPanel, PageDrawing, placed_picture
from storyboard.geometry import Box, Point, mm_to_pt, pt_to_mm
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.outlines import Outline

_PATH_OPERATORS = {"M": "m", "L": "l", "C": "c", "Z": "h"}


def page_content(page: PageDrawing, pictures: dict[str, tuple[str, int, int]]) -> str:
    """Return the page's content: panels, frames and balloons, but no text.

    Args:
        pictures: by panel id, the name of the picture's object, its width and height in pixels.
    """
    bleed = page.size.bleed_mm
    scale = mm_to_pt(1.0)
    top = mm_to_pt(page.size.height_mm + bleed)
    parts = [
        "q",
        f"{_numbers(scale, 0, 0, -scale, mm_to_pt(bleed), top)} cm",
        "1 g 0 G 1 j",
    ]
    marks = page.marks
    for panel in page.panels:
        drawn = _panel(panel, pictures.get(panel.id))
        parts += [f"/Figure << /MCID {marks[panel.id]} >> BDC", *drawn, "EMC"]
    parts.append("/Artifact BMC")
    for balloon in page.balloons:
        if balloon.shape.commands:
            parts += _balloon(balloon)
    return "\n".join([*parts, "EMC", "Q"])


def appearance(balloon: Balloon) -> str:
    """Return the drawn text of a balloon's form field, in points from the field's lower left.

    Letters are outlines in font units; a sound has a white rim below its letters.
    """
    field = balloon.field_mm
    scale = balloon.size_pt / balloon.units_per_em
    cosine = scale * math.cos(math.radians(balloon.angle_deg))
    sine = scale * math.sin(math.radians(balloon.angle_deg))
    x = mm_to_pt(balloon.origin_mm[0] - field.left)
    y = mm_to_pt(field.bottom - balloon.origin_mm[1])
    letters = path(balloon.glyphs, digits=0)
    parts = [
        "/Tx BMC",
        "q",
        f"{_numbers(cosine, sine, -sine, cosine, x, y, digits=6)} cm",
    ]
    if balloon.outline_mm:
        rim = 2 * balloon.outline_mm / (pt_to_mm(balloon.size_pt) / balloon.units_per_em)
        parts += ["1 G 1 j", f"{_numbers(rim)} w", letters, "S"]
    return "\n".join([*parts, "0 g", letters, "f", "Q", "EMC"])


def path(outline: Outline, *, digits: int = 3) -> str:
    """Return an outline's path operators, coordinates rounded to `digits` decimals."""
    if digits == 0:  # as all letters are written, which are most of a page
        return "\n".join(
            [
                " ".join([*[str(round(one)) for one in numbers], _PATH_OPERATORS[operator]])
                for operator, numbers in outline.commands
            ]
        )
    return "\n".join(
        f"{_numbers(*numbers, digits=digits)} {_PATH_OPERATORS[operator]}".strip()
        for operator, numbers in outline.commands
    )


def _panel(panel: FramedPanel, picture: tuple[str, int, int] | None) -> list[str]:
    frame = _polyline(panel.frame.points) + " h"
    parts = []
    if panel.gutter_mm:
        rim = panel.stroke_mm + 2 * panel.gutter_mm
        parts += ["q 1 G", f"{_numbers(rim)} w", frame, "B", "Q"]
    if picture:
        name, width_px, height_px = picture
        box = placed_picture(panel.frame.bounds, width_px, height_px)
        placed = _numbers(box.width, 0, 0, -box.height, box.left, box.bottom)
        parts += ["q", frame, "W n", f"{placed} cm", f"/{name} Do", "Q"]
    parts.append(f"{_numbers(panel.stroke_mm)} w")
    for run in panel.strokes:
        closed = run[0] == run[-1]
        parts.append(_polyline(run[:-1] if closed else run) + (" s" if closed else " S"))
    return parts


def _balloon(balloon: Balloon) -> list[str]:
    outline = path(balloon.shape)
    if not balloon.dash_mm:
        return [f"{_numbers(balloon.stroke_mm)} w", outline, "B"]
    dashes = _numbers(*balloon.dash_mm)
    return ["q", f"{_numbers(balloon.stroke_mm)} w [{dashes}] 0 d 1 J", outline, "B", "Q"]


def _polyline(points: Sequence[Point]) -> str:
    steps = [f"{_numbers(*point)} {'l' if index else 'm'}" for index, point in enumerate(points)]
    return " ".join(steps)


def rectangle_pt(box: Box, page: PageDrawing) -> tuple[float, float, float, float]:
    """Return a box on the page as a PDF rectangle: left, bottom, right, top in points."""
    bleed, height = page.size.bleed_mm, page.size.height_mm
    return (
        mm_to_pt(box.left + bleed),
        mm_to_pt(height + bleed - box.bottom),
        mm_to_pt(box.right + bleed),
        mm_to_pt(height + bleed - box.top),
    )


def _numbers(*values: float, digits: int = 3) -> str:
    return " ".join(_number(value, digits) for value in values)


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
