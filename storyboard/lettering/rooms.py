"""The room each balloon gets: its box, or a larger one where its text does not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from storyboard.errors import StoryError
from storyboard.geometry import Box, Point
from storyboard.lettering.fitting import text_for_balloon
from storyboard.lettering.natural import natural_text
from storyboard.lettering.profiles import FittedText
from storyboard.lettering.sounds import SoundText, natural_sound, sound_for_box
from storyboard.lettering.texts import Hand
from storyboard.lettering_style import Squeeze
from storyboard.plan import Dialog

_PANEL_MARGIN_MM = 0.8
_GROWTH = 1.05
_STEPS = 64  # from a box to any panel
_APART_MM = 0.8
_NEXT_TO = (0.0, -0.25, 0.25, -0.5, 0.5, -0.8, 0.8)  # places tried, in shares of the box


class Room(NamedTuple):
    """A dialog's box on the page, and its text set for it."""

    box: Box
    text: FittedText | SoundText


def natural_size(
    dialog: Dialog,
    hand: Hand,
    max_width_mm: float,
    max_height_mm: float,
    squeeze: Squeeze = Squeeze.ANYTHING,
) -> FittedText | SoundText:
    """Return a dialog's text in the balloon it wants, within limits if it can be."""
    if dialog.kind == "sound":
        limits = max_width_mm, max_height_mm
        return natural_sound(dialog.text, hand, *limits, dialog.angle, squeeze)
    return natural_text(dialog.text, dialog.kind, hand, max_width_mm, max_height_mm, squeeze)


def set_in(dialog: Dialog, hand: Hand, width_mm: float, height_mm: float) -> Room | None:
    """Return a dialog's text for a balloon of just this size, or None when it cannot fit."""
    box = Box(0.0, 0.0, width_mm, height_mm)
    text: FittedText | SoundText | None
    if dialog.kind == "sound":
        text = sound_for_box(dialog.text, hand, width_mm, height_mm, dialog.angle)
    else:
        text = text_for_balloon(dialog.text, dialog.kind, hand, width_mm, height_mm)
    return Room(box, text) if text is not None else None


def rooms(
    dialogs: Sequence[Dialog],
    hand: Hand,
    panel: Box,
    faces: Sequence[Box],
    *,
    may_grow: Sequence[bool],
    name_of: Callable[[int], str],
) -> list[Room]:
    """Return the room of each dialog of a panel. All have boxes.

    Args:
        dialogs: of the panel.
        hand: how they are lettered.
        panel: the panel on the page.
        faces: that a balloon which grows should not cover.
        may_grow: for each dialog whether its box may become larger than it is.
        name_of: tells what a message calls a dialog.

    Raises:
        StoryError: a text does not fit its box, or not even the whole panel.
    """
    boxes = [dialog.box.within(panel) for dialog in dialogs if dialog.box is not None]
    found: list[Room | None] = []
    for dialog, box in zip(dialogs, boxes, strict=True):
        room = set_in(dialog, hand, box.width, box.height)
        found.append(room._replace(box=box) if room else None)
    for index, dialog in enumerate(dialogs):
        if found[index] is not None:
            continue
        if not may_grow[index]:
            raise _too_long(overflow(dialog, hand, boxes[index], name_of(index)))
        taken = [
            room.box if room else boxes[place]
            for place, room in enumerate(found)
            if place != index and dialogs[place].kind != "sound"
        ]
        grown = _grown(dialog, hand, boxes[index], panel, [*taken, *faces])
        if grown is None:
            inside = Box(0.0, 0.0, *_most(panel))
            raise _too_long(overflow(dialog, hand, inside, name_of(index), place="the panel"))
        found[index] = grown
    return [room for room in found if room is not None]


def _most(panel: Box) -> tuple[float, float]:
    return panel.width - 2 * _PANEL_MARGIN_MM, panel.height - 2 * _PANEL_MARGIN_MM


def _grown(dialog: Dialog, hand: Hand, box: Box, panel: Box, taken: Sequence[Box]) -> Room | None:
    """Return the text in a box just large enough, where it covers least of what is taken."""
    room = _smallest_room(dialog, hand, box, _most(panel))
    if room is None:
        return None
    width, height = room.box.width, room.box.height
    x, y = box.centre
    places = [
        _kept_within(panel, (x + dx * width, y + dy * height), width, height)
        for dx in _NEXT_TO
        for dy in _NEXT_TO
    ]
    best = min(places, key=lambda place: sum(_apart(place).overlap(other) for other in taken))
    return room._replace(box=best)


def _smallest_room(dialog: Dialog, hand: Hand, box: Box, most: tuple[float, float]) -> Room | None:
    """Return the text in the box made larger in steps, until it fits; None if it never does."""
    low, high = 0, _STEPS
    found = set_in(dialog, hand, *_grown_size(box, high, most))
    while found is not None and high - low > 1:
        middle = (low + high) // 2
        room = set_in(dialog, hand, *_grown_size(box, middle, most))
        if room is None:
            low = middle
        else:
            high, found = middle, room
    return found


def _grown_size(box: Box, steps: int, most: tuple[float, float]) -> tuple[float, float]:
    growth = _GROWTH**steps
    return min(box.width * growth, most[0]), min(box.height * growth, most[1])


def _apart(box: Box) -> Box:
    margin = _APART_MM
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)


def _kept_within(panel: Box, centre: Point, width: float, height: float) -> Box:
    margin = _PANEL_MARGIN_MM
    left = centre[0] - width / 2
    top = centre[1] - height / 2
    left = max(panel.left + margin, min(left, panel.right - margin - width))
    top = max(panel.top + margin, min(top, panel.bottom - margin - height))
    return Box(left, top, left + width, top + height)


def overflow(dialog: Dialog, hand: Hand, box: Box, name: str, *, place: str = "its box") -> str:
    """Return by how much a text is too large, even at the smallest size, for a box in mm."""
    needed = natural_size(dialog, hand, box.width, box.height)
    return (
        f"balloon {name}: at {needed.size_pt:g} pt, its smallest size, the text needs"
        f" {needed.width_mm:.0f} x {needed.height_mm:.0f} mm, and {place} has"
        f" {box.width:.0f} x {box.height:.0f} mm"
    )


def _too_long(message: str) -> StoryError:
    return StoryError(
        message, hint="shorten the text, split it over two balloons, or give it more room"
    )
