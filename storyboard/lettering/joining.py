"""The shapes of a panel's balloons: bodies, links between those of one speaker, and tails."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from storyboard.geometry import Box
from storyboard.layout.balloon_costs import crosses
from storyboard.layout.staging import StagedPanel
from storyboard.lettering.balloons import body, neck
from storyboard.lettering.outlines import Outline, united
from storyboard.lettering.tails import (
    Course,
    Speaker,
    Wanted,
    speaker_in,
    tail,
    tail_courses,
)
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import Dialog

_JOIN_GAP_MM = 14.0
_NECK_MM = 1.5
_JOINED_KINDS = frozenset({"speech", "whisper", "thought", "radio"})


def speakers_in(staged: StagedPanel) -> dict[str, Speaker]:
    """Return where the faces in the picture are, by name."""
    return {
        placement.name: speaker_in(placement.box.within(staged.bounds_mm), staged.panel.shot)
        for placement in staged.panel.characters
        if placement.box is not None
    }


def panel_shapes(
    staged: StagedPanel, boxes: Sequence[Box], vertical: Sequence[bool], style: LetteringStyle
) -> tuple[list[Outline], list[str]]:
    """Return each balloon's shape, and the id of the balloon that it is joined to.

    A group of joined balloons has its shape at the first.

    Args:
        staged: the panel.
        boxes: of its balloons, on the page.
        vertical: whether the lines of each go down.
        style: may want no balloons at all.
    """
    speakers = speakers_in(staged)
    dialogs, name = staged.panel.dialogs, staged.panel.id
    shapes, joined_to = [Outline()] * len(dialogs), [""] * len(dialogs)
    if style.balloons == "none":
        return shapes, joined_to
    faces = [speaker.face for speaker in speakers.values()]
    groups = [
        group for group in _groups(dialogs, boxes, faces) if dialogs[group[0]].kind != "sound"
    ]
    starts, courses = _courses(staged, groups, boxes, speakers)
    for group, start, course in zip(groups, starts, courses, strict=True):
        kind = dialogs[group[0]].kind
        parts = [body(kind, boxes[index], is_vertical=vertical[index]) for index in group]
        parts += [
            neck(boxes[one].centre, boxes[other].centre, _NECK_MM)
            for one, other in itertools.pairwise(group)
        ]
        parts += tail(kind, start, course) if course else []
        shapes[group[0]] = united(parts) if len(parts) > 1 else parts[0]
        for index in group[1:]:
            joined_to[index] = f"{name}.b{group[0] + 1}"
    return shapes, joined_to


def _courses(
    staged: StagedPanel,
    groups: Sequence[Sequence[int]],
    boxes: Sequence[Box],
    speakers: dict[str, Speaker],
) -> tuple[list[Box], list[Course | None]]:
    """Return for each group the box that its tail starts from, and the tail's course."""
    dialogs = staged.panel.dialogs
    wanted: dict[int, Wanted] = {}
    starts = []
    for number, group in enumerate(groups):
        speaker = speakers.get(dialogs[group[0]].speaker)
        start = boxes[group[-1]]
        if speaker is not None:
            start = min(
                (boxes[index] for index in group),
                key=lambda box, mouth=speaker.mouth: math.dist(box.centre, mouth),  # type: ignore[misc]
            )
        starts.append(start)
        if dialogs[group[0]].kind != "narration":
            others = tuple(box for index, box in enumerate(boxes) if index not in group)
            wanted[number] = Wanted(start, speaker, others)
    faces = [speaker.face for speaker in speakers.values()]
    found = tail_courses(tuple(wanted.values()), faces, staged.bounds_mm)
    by_number = dict(zip(wanted, found, strict=True))
    return starts, [by_number.get(number) for number in range(len(groups))]


def _groups(
    dialogs: Sequence[Dialog], boxes: Sequence[Box], faces: Sequence[Box]
) -> list[list[int]]:
    """Return the numbers of dialogs whose balloons are joined: one speaker, near each other."""
    groups: list[list[int]] = []
    for index, dialog in enumerate(dialogs):
        before = groups[-1][-1] if groups else -1
        if before >= 0 and _is_same_voice(dialogs[before], dialog):
            others = [box for place, box in enumerate(boxes) if place not in (before, index)]
            if _can_join(boxes[before], boxes[index], [*faces, *others]):
                groups[-1].append(index)
                continue
        groups.append([index])
    return groups


def _is_same_voice(one: Dialog, other: Dialog) -> bool:
    return (one.speaker, one.kind) == (other.speaker, other.kind) and one.kind in _JOINED_KINDS


def _can_join(one: Box, other: Box, between: Sequence[Box]) -> bool:
    """Whether two balloons are near each other, with nothing in the way of a link."""
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    if math.hypot(max(across, 0.0), max(down, 0.0)) >= _JOIN_GAP_MM:
        return False
    return not any(box.area and crosses(one.centre, other.centre, box) for box in between)
