"""What is good or bad about a place for a balloon. All lengths in mm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from storyboard.geometry import Box, Point
from storyboard.layout.cutting import HalfPlane, corners
from storyboard.plan import Dialog
from storyboard.story import Reading

_APART_MM = 1.2
_FACE_MARGIN_MM = 0.8
_SIDE_BY_SIDE = 0.35
_LOWER_BUT_FIRST = 0.25
_LEAVE_ROOM = 0.4
_ASPECT, _UPRIGHT_ASPECT = 1.3, 0.75


class Surroundings(msgspec.Struct, frozen=True):
    """What a balloon must heed in its panel. All in mm.

    Attributes:
        room: the box around where balloons may lie.
        edges: the half planes they must lie in besides, for slanted frames.
        faces: no balloon may lie here.
        bodies: better not here, by name.
        mouths: where tails point to, by name.
        taken: laid-over panels.
        reading: the book's direction.
        has_vertical_lines: whether balloons are rather high than wide.
    """

    room: Box
    edges: tuple[HalfPlane, ...]
    faces: Mapping[str, Box]
    bodies: Mapping[str, Box]
    mouths: Mapping[str, Point]
    taken: tuple[Box, ...]
    reading: Reading
    has_vertical_lines: bool = False


def reads_before(first: Box, second: Box, reading: Reading) -> bool:
    """Return whether a reader surely takes `first` before `second`.

    Boxes at about the same height are read across, the first one not much lower than the second;
    others from the top down.
    """
    lower = min(first.height, second.height)
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    if shared <= _SIDE_BY_SIDE * lower:
        return first.centre[1] < second.centre[1]
    across = second.centre[0] - first.centre[0]
    if reading == "rtl":
        across = -across
    return across > 0 and first.top <= second.top + _LOWER_BUT_FIRST * lower


def cost_alone(
    box: Box, number: int, dialogs: Sequence[Dialog], around: Surroundings, *, faces_allowed: bool
) -> float | None:
    """Return what is bad about a place whatever the other balloons do; None if it is forbidden."""
    dialog, room = dialogs[number], around.room
    if any(edge.depth(corner) < -1e-6 for edge in around.edges for corner in corners(box)):
        return None
    if any(touch(box, other) for other in around.taken):
        return None
    hidden = sum(
        _grown(face).overlap(box) / face.area for face in around.faces.values() if face.area
    )
    if hidden and not faces_allowed:
        return None
    cost = 60 * hidden + 0.8 * box.width * box.height / (room.width * room.height)
    for name, body in around.bodies.items():
        cost += (2.4 if name == dialog.speaker else 3.2) * box.overlap(body) / box.area
    cost += 1.1 * (box.top - room.top) / room.height
    to_come = len(dialogs) - 1 - number
    cost += _LEAVE_ROOM * to_come * (box.bottom - room.top) / room.height
    cost += 0.4 * min(_margins(box, room)) / min(room.width, room.height)
    best_aspect = _UPRIGHT_ASPECT if around.has_vertical_lines else _ASPECT
    cost += math.log(box.width / box.height / best_aspect) ** 2
    if dialog.kind == "narration":
        return cost + _off_corner(box, number, len(dialogs), around)
    if dialog.speaker in around.mouths:
        return cost + _off_speaker(box, dialog.speaker, around)
    return cost


def _off_speaker(box: Box, speaker: str, around: Surroundings) -> float:
    """Return the cost of a place far from, below, or with another face before, its speaker."""
    x, y = around.mouths[speaker]
    nearest = (min(max(x, box.left), box.right), min(max(y, box.top), box.bottom))
    diagonal = math.hypot(around.room.width, around.room.height)
    cost = 4 * math.dist((x, y), nearest) / diagonal + 1.5 * abs(box.centre[0] - x) / diagonal
    if box.centre[1] > y:
        cost += 0.5 + 1.5 * (box.centre[1] - y) / around.room.height
    for name, body in around.bodies.items():
        if name != speaker:
            cost += 4 * crosses(box.centre, (x, y), around.faces.get(name, body))
            cost += crosses(box.centre, (x, y), body)
    return cost


def _off_corner(box: Box, number: int, count: int, around: Surroundings) -> float:
    """Return how far narration lies from the corner where reading starts, or, last, ends."""
    room = around.room
    starts, ends = box.left - room.left, room.right - box.right
    if around.reading == "rtl":
        starts, ends = ends, starts
    distance = math.hypot(starts, box.top - room.top)
    if number == count - 1 > 0:
        distance = min(distance, math.hypot(ends, room.bottom - box.bottom))
    return 6 * distance / math.hypot(room.width, room.height)


def fits_in(
    box: Box,
    earlier: Sequence[Box],
    dialogs: Sequence[Dialog],
    given: Sequence[Box | None],
    reading: Reading,
) -> bool:
    """Return whether a place is free, and read after the balloons that the search has placed."""
    if any(touch(box, other) for other in earlier):
        return False
    if dialogs[len(earlier)].kind == "sound":
        return True
    return all(
        wanted or before.kind == "sound" or reads_before(other, box, reading)
        for other, before, wanted in zip(earlier, dialogs, given, strict=False)
    )


def tangles(boxes: Sequence[Box], dialogs: Sequence[Dialog], around: Surroundings) -> float:
    """Return what is bad about the last box beside the others: doubtful order, tails that meet."""
    *earlier, box = boxes
    dialog, cost = dialogs[len(earlier)], 0.0
    for other, before in zip(earlier, dialogs, strict=False):
        if not reads_before(other, box, around.reading):
            cost += 0.5 if "sound" in (dialog.kind, before.kind) else 3.0
        cost += _backwards(other, box, around)
        cost += _tangle(box, around.mouths.get(dialog.speaker), other)
        cost += _tangle(other, around.mouths.get(before.speaker), box)
        if dialog.speaker != before.speaker:
            tails = [around.mouths.get(speaker) for speaker in (dialog.speaker, before.speaker)]
            cost += 2 * _cross(box.centre, tails[0], other.centre, tails[1])
    return cost


def _backwards(first: Box, second: Box, around: Surroundings) -> float:
    """Return the cost of a second balloon that a hasty eye meets first: ahead, and little lower."""
    ahead = first.centre[0] - second.centre[0]
    if around.reading == "rtl":
        ahead = -ahead
    lower = max(0.0, second.top - first.bottom) / around.room.height
    return 2 * max(0.0, ahead / around.room.width - 0.15) * max(0.0, 1 - 5 * lower)


def _tangle(box: Box, speaker: Point | None, other: Box) -> float:
    """Return the cost of a tail that runs under another balloon."""
    return 2.5 if speaker and crosses(box.centre, speaker, other) else 0.0


def _cross(start: Point, end: Point | None, other_start: Point, other_end: Point | None) -> bool:
    """Return whether two tails cross; a balloon without a speaker has none."""
    if end is None or other_end is None:
        return False
    return _turn(start, end, other_start) != _turn(start, end, other_end) and (
        _turn(other_start, other_end, start) != _turn(other_start, other_end, end)
    )


def _turn(start: Point, end: Point, point: Point) -> bool:
    """Return on which side of the line from start to end a point lies."""
    along = (end[0] - start[0]) * (point[1] - start[1])
    return along > (end[1] - start[1]) * (point[0] - start[0])


def crosses(start: Point, end: Point, box: Box) -> bool:
    """Return whether the straight line from start to end meets the box."""
    enter, leave = 0.0, 1.0
    spans = ((box.left, box.right), (box.top, box.bottom))
    for here, there, (low, high) in zip(start, end, spans, strict=True):
        if here == there:
            if not low < here < high:
                return False
            continue
        first, second = sorted(((low - here) / (there - here), (high - here) / (there - here)))
        enter, leave = max(enter, first), min(leave, second)
    return enter < leave


def touch(box: Box, other: Box) -> bool:
    """Return whether two balloons are too near to each other."""
    return _grown(other, _APART_MM).overlap(box) > 0


def _grown(box: Box, margin: float = _FACE_MARGIN_MM) -> Box:
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)


def _margins(box: Box, room: Box) -> tuple[float, ...]:
    return (
        box.left - room.left,
        box.top - room.top,
        room.right - box.right,
        room.bottom - box.bottom,
    )
