"""RoughArtist: mannequins with names and expressions, as a manga artist's first draft of a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from storyboard.artist import ArtCharacter, ArtRequest, OnDrawn
from storyboard.geometry import MM_PER_INCH, Box
from storyboard.mannequin import Pen, draw_mannequin
from storyboard.mannequin_words import acting_in

if TYPE_CHECKING:
    from PIL.Image import Image

_DPI = 300
_LONGEST_SIDE_PX = 1600
_SHARPER = 2
_LINE_MM = 0.45
_HORIZONS = {"wide": 0.62, "full": 0.72, "medium": 0.5, "close-up": 0.0, "detail": 0.0}


class RoughArtist:
    """Draws every panel in milliseconds, without a model: to check pacing and lettering."""

    fingerprint = "rough/3"

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        """Return (height, width) of a panel's picture: 300 dpi, no side above 1600 pixels."""
        scale = min(_DPI / MM_PER_INCH, _LONGEST_SIDE_PX / max(width_mm, height_mm))
        return max(1, round(height_mm * scale)), max(1, round(width_mm * scale))

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        """Draw every panel, and call `done` the moment one is there."""
        for request in requests:
            size = self.size_px(request.width_mm, request.height_mm)
            done(request.panel_id, rough_panel(request, size), {"artist": self.fingerprint})


def rough_panel(request: ArtRequest, size_px: tuple[int, int]) -> Image:
    """Return a grey picture of (height, width) pixels: the ground, then the people on it."""
    from PIL import Image, ImageDraw

    height, width = size_px
    sharp = (width * _SHARPER, height * _SHARPER)
    picture = Image.new("L", sharp, 255)
    line = _LINE_MM * sharp[0] / request.width_mm
    pen = Pen(ImageDraw.Draw(picture), max(2.0, line))
    whole = Box(0.0, 0.0, *sharp)
    _draw_ground(pen, request, whole)
    people = [_with_acting(character, request) for character in request.characters]
    boxes = [character.box.within(whole) for character in people]
    for character, box in sorted(zip(people, boxes, strict=True), key=lambda pair: pair[1].bottom):
        draw_mannequin(pen, character, box, request.shot, towards=_others_side(box, boxes))
    return picture.reduce(_SHARPER)


def _with_acting(character: ArtCharacter, request: ArtRequest) -> ArtCharacter:
    """Return the character doing what the caption says, where the plan has no word of its own."""
    if character.acting:
        return character
    others = [other.name for other in request.characters if other.name != character.name]
    acting = acting_in(request.caption, character.name, others)
    return msgspec.structs.replace(character, acting=acting)


def _draw_ground(pen: Pen, request: ArtRequest, whole: Box) -> None:
    """Draw the horizon, and where feet are seen a shadow under them."""
    share = _HORIZONS[request.shot]
    if not share:
        return
    horizon = share * whole.height
    pen.line([(0, horizon), (whole.right, horizon)], grey=190)
    if request.shot == "medium":
        return
    for number in range(-4, 5):
        foot = (whole.centre[0] + number * whole.width / 3, whole.bottom)
        pen.line([(whole.centre[0] + number * whole.width / 9, horizon), foot], grey=228)
    for character in request.characters:
        box = character.box.within(whole)
        flat = box.width * 0.09
        pen.ellipse(
            Box(box.left, box.bottom - flat, box.right, box.bottom + flat), fill=215, outline=None
        )


def _others_side(box: Box, boxes: Sequence[Box]) -> float:
    """Return which way someone looks: -1 left to 1 right, towards the others, 0 when alone."""
    others = [other.centre[0] for other in boxes if other is not box]
    if not others:
        return 0.0
    aside = sum(others) / len(others) - box.centre[0]
    return math.copysign(min(1.0, abs(aside) / box.width), aside)
