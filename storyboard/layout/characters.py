"""Character boxes: where the people of a panel stand, from the shot and their order alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from storyboard.geometry import Box
from storyboard.layout.faces import face_zone
from storyboard.plan import Shot


class Figure(msgspec.Struct, frozen=True):
    """How people are framed by a shot.

    Attributes:
        aspect: width over height of a character's box on paper.
        height: of the box, as a share of the stage, where no balloon needs room.
        least: share of the stage that the box keeps however many balloons there are.
        pitch: least distance between two middles, in box widths; below 1 bodies overlap.
        spread: distance between two middles where there is room, in box widths.
        feet: share of the stage left below the box; 0 where the frame cuts the body.
    """

    aspect: float
    height: float
    least: float
    pitch: float
    spread: float
    feet: float = 0.0


_FIGURES: dict[Shot, Figure] = {
    "wide": Figure(0.4, 0.55, 0.42, pitch=0.85, spread=1.35, feet=0.08),
    "full": Figure(0.4, 0.87, 0.56, pitch=0.8, spread=1.5, feet=0.035),
    "medium": Figure(0.8, 0.86, 0.56, pitch=0.62, spread=1.3),
    "close-up": Figure(0.95, 0.95, 0.64, pitch=0.7, spread=1.1),
    "detail": Figure(1.2, 0.72, 0.5, pitch=0.9, spread=1.0),
}
_FIRST_BALLOON_MM, _NEXT_BALLOON_MM = 19.0, 5.0
_VERTICAL_BALLOON_MM = 30.0
_ROOM_BESIDE_MM, _SPARED_BESIDE = 34.0, 0.6
_NUM_TRIES = 24


def place_characters(
    stage: Box,
    shot: Shot,
    given: Sequence[Box | None],
    num_dialogs: int,
    *,
    from_right: bool,
    under_vertical: bool = False,
) -> tuple[Box, ...]:
    """Return a box for every character, in mm, in the order of `given`.

    Args:
        stage: the part of the panel that people may stand in, in mm.
        shot: how they are framed.
        given: the box a writer chose for each, in mm, which is obeyed, or None.
        num_dialogs: how many balloons need room above or beside them.
        from_right: the first of several stands at the right, a lone speaker at the left.
        under_vertical: whether the balloons' lines go down, so that they are higher.
    """
    if not given:
        return ()
    boxes = _row(stage, shot, len(given), num_dialogs, under_vertical=under_vertical)
    if from_right:
        boxes = [_mirrored(box, stage) for box in boxes]
    placed = [box for box in given if box is not None]
    found: list[Box] = []
    for wanted, box in zip(given, boxes, strict=True):
        if wanted is None and placed:
            box = _clear_of(placed, box, stage, shot)
        if wanted is None and any(given):
            placed.append(box)
        found.append(wanted or box)
    return tuple(found)


def _row(
    stage: Box, shot: Shot, count: int, num_dialogs: int, *, under_vertical: bool
) -> list[Box]:
    """Return equal boxes side by side, the first at the left."""
    figure = _FIGURES[shot]
    widest = stage.width / (1 + figure.pitch * (count - 1))
    tall = min(_height(figure, stage, 0.0), widest / figure.aspect)
    room = _room_above(num_dialogs, under_vertical=under_vertical)
    if count == 1 and stage.width - tall * figure.aspect > _ROOM_BESIDE_MM:
        room *= 1 - _SPARED_BESIDE
    height = min(tall, _height(figure, stage, room))
    width = height * figure.aspect
    floor = stage.bottom - figure.feet * stage.height
    pitch = 0.0
    if count > 1:
        pitch = min(figure.spread * width, (stage.width - width) / (count - 1))
        if not figure.feet:  # who is framed closely shares the whole width
            pitch = max(pitch, min((stage.width - width) / (count - 1), stage.width / count))
    row = width + pitch * (count - 1)
    left = stage.left + (stage.width - row) * _start(count, num_dialogs)
    return [
        Box(left + n * pitch, floor - height, left + n * pitch + width, floor) for n in range(count)
    ]


def _height(figure: Figure, stage: Box, room_mm: float) -> float:
    """Return how tall figures may be below balloons that need `room_mm`."""
    free = stage.height * (1 - figure.feet) - room_mm
    return max(figure.least * stage.height, min(figure.height * stage.height, free))


def _room_above(num_dialogs: int, *, under_vertical: bool) -> float:
    """Return the height in mm that balloons need above the heads."""
    if not num_dialogs:
        return 0.0
    if under_vertical:  # they stand side by side
        return _VERTICAL_BALLOON_MM
    return _FIRST_BALLOON_MM + _NEXT_BALLOON_MM * (num_dialogs - 1)


def _start(count: int, num_dialogs: int) -> float:
    """Return the share of the free width before the row: a lone speaker leaves room in front."""
    return 0.8 if count == 1 and num_dialogs else 0.5


def _mirrored(box: Box, stage: Box) -> Box:
    width = stage.left + stage.right
    return Box(width - box.right, box.top, width - box.left, box.bottom)


def _clear_of(placed: Sequence[Box], box: Box, stage: Box, shot: Shot) -> Box:
    """Move a box sideways until its face is clear of those already placed, as little as needed."""
    free = stage.width - box.width
    lefts = [box.left, *(stage.left + free * n / _NUM_TRIES for n in range(_NUM_TRIES + 1))]
    moved = [Box(left, box.top, left + box.width, box.bottom) for left in lefts]

    def cost(candidate: Box) -> float:
        face = face_zone(candidate, shot)
        hidden = sum(face.overlap(face_zone(other, shot)) for other in placed) / (face.area or 1.0)
        bodies = sum(candidate.overlap(other) for other in placed) / candidate.area
        return 100 * hidden + 3 * bodies + abs(candidate.left - box.left) / stage.width

    return min(moved, key=cost)
