"""Where the face and the mouth lie in a character's box."""

from __future__ import annotations

from storyboard.geometry import Box, Point
from storyboard.plan import Shot

# share of the box's width and height that the head takes, from the top, in the middle
_HEADS: dict[Shot, tuple[float, float]] = {
    "wide": (0.5, 0.2),
    "full": (0.5, 0.2),
    "medium": (0.56, 0.46),
    "close-up": (0.68, 0.74),
    "detail": (0.0, 0.0),
}
_MOUTH_HEIGHT = 0.78


def face_zone(box: Box, shot: Shot) -> Box:
    """Return the part of a character's box that no lettering may cover: hair, face and chin.

    A detail shows a hand or a thing: its zone has no area.
    """
    width, height = _HEADS[shot]
    middle = box.centre[0]
    half = width * box.width / 2
    return Box(middle - half, box.top, middle + half, box.top + height * box.height)


def mouth(box: Box, shot: Shot) -> Point:
    """Return where the tail of a character's balloon points to, in the box's coordinates."""
    face = face_zone(box, shot)
    return face.centre[0], face.top + _MOUTH_HEIGHT * face.height
