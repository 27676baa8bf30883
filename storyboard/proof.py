"""What a printer would send back: text so near to the edge of the page that it may be cut off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from storyboard.geometry import Box, bounds_of, pt_to_mm
from storyboard.layout.page_sizes import safe_area, trim_area
from storyboard.layout.staging import StagedPage
from storyboard.lettering.letterer import Balloon, letter_panel
from storyboard.problems import Problem
from storyboard.yamlfile import NodePath, dotted, parse_yaml, read_text

_NEARLY_MM = 0.05  # less is not worth a word


def print_warnings(path: Path, pages: Sequence[StagedPage], language: str) -> tuple[Problem, ...]:
    """Return a problem for every dialog of a plan whose letters leave the area safe for text.

    Sounds are part of the drawing: theirs have to stay within the trim.

    Args:
        path: of the plan.
        pages: the plan's pages, staged.
        language: of the text.

    Raises:
        StoryError: a text cannot be lettered.
    """
    document = parse_yaml(read_text(path), path)
    return tuple(
        Problem(str(path), document.line_of(place), dotted(place), message, allowed)
        for page in pages
        for place, message, allowed in _outside(page, language)
    )


def _outside(page: StagedPage, language: str) -> Iterator[tuple[NodePath, str, str]]:
    """Yield place, message and what is allowed for each text of a page that is too far out."""
    for number, staged in enumerate(page.panels):
        for index, balloon in enumerate(letter_panel(page.number, staged, language)):
            if not balloon.glyphs.commands:
                continue
            is_sound = balloon.kind == "sound"
            area = trim_area(page.size) if is_sound else safe_area(page.size)
            side, beyond = _farthest_out(ink_mm(balloon), area)
            if beyond > _NEARLY_MM:
                place: NodePath = ("pages", page.number - 1, "panels", number, "dialogs", index)
                name = "the page" if is_sound else "the area safe for text"
                yield (
                    place,
                    f"the letters of balloon {balloon.id} leave {name} by {beyond:.1f} mm at the"
                    f" {side}",
                    f"the middle {area.width:.0f} x {area.height:.0f} mm of the page; move its"
                    " `box`, or leave the box out",
                )


def ink_mm(balloon: Balloon) -> Box:
    """Return the box around a balloon's letters, in millimetres on the page."""
    mm_per_unit = pt_to_mm(balloon.size_pt) / balloon.units_per_em
    angle = math.radians(balloon.angle_deg)
    cosine, sine = math.cos(angle) * mm_per_unit, math.sin(angle) * mm_per_unit
    x0, y0 = balloon.origin_mm
    placed = [
        (x0 + x * cosine - y * sine, y0 - x * sine - y * cosine) for x, y in balloon.glyphs.points
    ]
    return bounds_of(placed)


def _farthest_out(box: Box, area: Box) -> tuple[str, float]:
    """Return the side at which a box leaves an area the most, and by how much."""
    beyond = {
        "left": area.left - box.left,
        "top": area.top - box.top,
        "right": box.right - area.right,
        "bottom": box.bottom - area.bottom,
    }
    side = max(beyond, key=beyond.__getitem__)
    return side, beyond[side]
