"""Text set larger for phones, where a panel has room for it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from storyboard.errors import StoryError
from storyboard.geometry import Box, pt_to_mm
from storyboard.layout.balloon_costs import reads_before
from storyboard.layout.staging import StagedPage, StagedPanel, face_zone
from storyboard.lettering.letterer import Balloon, letter_panel
from storyboard.lettering.texts import Hand
from storyboard.story import Reading

LEGIBLE_PX = 20.0  # of an em of speech, 800 of which fill the width of a phone
_STEPS = (1.0, 0.75, 0.5, 0.25)  # shares of the wanted enlargement that are tried
_HARDLY_MM2 = 1.0
_NEARLY_MM = 0.01
_FRAME_MM, _EDGE_MM = 0.7, 3.0  # from a frame, and from where a picture is cut
_APART_MM = 0.4  # half of what is left between two balloons


def larger_text(
    staged: StagedPanel,
    balloons: Sequence[Balloon],
    language: str,
    px_per_mm: float,
    shown: Box,
    page: StagedPage,
) -> tuple[Balloon, ...]:
    """Return a panel's balloons with text as large as is legible, or as near to it as they can be.

    Balloons that grow stay within what is shown and in their order, and cover neither each other
    nor more of the faces than before.

    Args:
        staged: the panel.
        balloons: its balloons as on paper.
        language: of the text.
        px_per_mm: how large the panel is shown.
        shown: what is shown of it, in mm on the page.
        page: that the panel is of.
    """
    _, own_pt, _ = Hand(language, staged.lettering).sizes_pt("speech")
    wanted = LEGIBLE_PX / (pt_to_mm(own_pt) * px_per_mm) - 1
    for step in _STEPS if wanted > 0 and balloons else ():
        size_pt = own_pt * (1 + wanted * step)
        style = msgspec.structs.replace(staged.lettering, size_pt=size_pt, smallest_pt=size_pt)
        try:
            larger = letter_panel(
                page.number, msgspec.structs.replace(staged, lettering=style), language
            )
        except StoryError:  # no room at this size
            continue
        if _is_clear(staged, larger, balloons, shown) and _in_order(larger, balloons, page.reading):
            return larger
    return tuple(balloons)


def _is_clear(
    staged: StagedPanel, larger: Sequence[Balloon], before: Sequence[Balloon], shown: Box
) -> bool:
    """Whether larger balloons stay well inside, apart from each other and off the faces."""
    inside = _inside(staged.bounds_mm, shown)
    if _outside(larger, inside) > _outside(before, inside) + _HARDLY_MM2:
        return False
    if _shared(larger) > _shared(before):
        return False
    return _covered(staged, larger) <= _covered(staged, before) + _HARDLY_MM2


def _in_order(larger: Sequence[Balloon], before: Sequence[Balloon], reading: Reading) -> bool:
    """Whether all that was read before another still is."""
    pairs = itertools.combinations(zip(larger, before, strict=True), 2)
    return all(
        reads_before(one.body_mm, other.body_mm, reading)
        for (one, one_before), (other, other_before) in pairs
        if reads_before(one_before.body_mm, other_before.body_mm, reading)
    )


def _inside(bounds: Box, shown: Box) -> Box:
    """Return where balloons may be: a little off the frame, farther off where it is cut away."""
    cut = (
        shown.left - bounds.left,
        shown.top - bounds.top,
        bounds.right - shown.right,
        bounds.bottom - shown.bottom,
    )
    left, top, right, bottom = (_EDGE_MM if side > _NEARLY_MM else _FRAME_MM for side in cut)
    return Box(shown.left + left, shown.top + top, shown.right - right, shown.bottom - bottom)


def _outside(balloons: Sequence[Balloon], inside: Box) -> float:
    """Return how much of the balloons is not inside, in square millimetres."""
    return sum(each.body_mm.area - each.body_mm.overlap(inside) for each in balloons)


def _shared(balloons: Sequence[Balloon]) -> float:
    """Return how much balloons and sounds overlap or nearly touch, in square millimetres."""
    bodies = [
        Box(
            each.body_mm.left - _APART_MM,
            each.body_mm.top - _APART_MM,
            each.body_mm.right + _APART_MM,
            each.body_mm.bottom + _APART_MM,
        )
        for each in balloons
    ]
    return sum(one.overlap(other) for one, other in itertools.combinations(bodies, 2))


def _covered(staged: StagedPanel, balloons: Sequence[Balloon]) -> float:
    """Return how much of the faces balloons cover, in square millimetres."""
    faces = [
        face_zone(person.box.within(staged.bounds_mm), staged.panel.shot)
        for person in staged.panel.characters
        if person.box is not None
    ]
    return sum(face.overlap(balloon.body_mm) for face in faces for balloon in balloons)
