"""Dialog boxes: a small search for places that read in order, near the speaker, off the faces."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from storyboard.geometry import Box, Point
from storyboard.layout.cutting import HalfPlane, corners
from storyboard.plan import Dialog
from storyboard.story import Reading

Measure = Callable[[Dialog, float, float], tuple[float, float]]
"""(dialog, max_width_mm, max_height_mm) -> (width_mm, height_mm) of its balloon."""

_APART_MM = 1.2
_FACE_MARGIN_MM = 0.8
_BEAM = 10
_SIDE_BY_SIDE = 0.35
_LOWER_BUT_FIRST = 0.25


class Surroundings(msgspec.Struct, frozen=True):
    """What a balloon must heed in its panel. All in mm.

    Attributes:
        room: the box around where balloons may lie.
        edges: the half planes they must lie in.
        faces: no balloon may lie here.
        bodies: better not here, by name.
        mouths: where tails point to, by name.
        taken: laid-over panels.
        reading: the book's direction.
    """

    room: Box
    edges: tuple[HalfPlane, ...]
    faces: Mapping[str, Box]
    bodies: Mapping[str, Box]
    mouths: Mapping[str, Point]
    taken: tuple[Box, ...]
    reading: Reading


class _Effort(msgspec.Struct, frozen=True):
    """How hard a search tries: the widths and heights asked of `measure`, as shares of the room."""

    widths: tuple[float, ...]
    heights: tuple[float, ...] = (1.0,)
    steps: int = 9
    faces_allowed: bool = False


_EFFORTS = (
    _Effort(widths=(0.34, 0.5, 0.7)),
    _Effort(widths=(0.24, 0.34, 0.5, 0.7, 1.0), steps=15),
    _Effort(widths=(0.34, 0.5, 0.8), heights=(0.5, 0.3, 0.2), steps=15),
    _Effort(widths=(0.24, 0.34, 0.5, 1.0), heights=(1.0, 0.4, 0.25), steps=19, faces_allowed=True),
)


class NoRoomError(Exception):
    """A balloon found no place. `number` is the dialog's place in the panel, from 0."""

    def __init__(self, number: int) -> None:
        """Name the dialog that found no place."""
        super().__init__(f"no room for dialog {number + 1}")
        self.number = number


def place_dialogs(
    dialogs: Sequence[Dialog], given: Sequence[Box | None], around: Surroundings, measure: Measure
) -> tuple[Box, ...]:
    """Return a box in mm for every dialog; those of `given` that are not None stay as they are.

    The search tries natural shapes first, then narrower, wider and smaller ones; a face is
    covered only where nothing else is left.

    Raises:
        NoRoomError: there is no place even then.
    """
    for effort in _EFFORTS:
        try:
            return _search(dialogs, given, around, measure, effort)
        except NoRoomError as err:
            failed = err
    raise failed


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


def _search(
    dialogs: Sequence[Dialog],
    given: Sequence[Box | None],
    around: Surroundings,
    measure: Measure,
    effort: _Effort,
) -> tuple[Box, ...]:
    """Place one dialog after the other, keeping the best few ways so far."""
    fixed = [(box, dialog) for box, dialog in zip(given, dialogs, strict=True) if box]
    beam: list[tuple[float, tuple[Box, ...]]] = [(0.0, ())]
    for number, (dialog, wanted) in enumerate(zip(dialogs, given, strict=True)):
        if wanted:
            beam = [(cost, (*boxes, wanted)) for cost, boxes in beam]
            continue
        candidates = [
            (cost, box)
            for box in _candidates(dialog, around.room, measure, effort)
            if (cost := _cost_alone(box, number, dialogs, around, effort)) is not None
            and not any(_touch(box, other) for other, _ in fixed)
        ]
        longer = [
            (cost + cost_alone + cost_beside, (*boxes, box))
            for cost, boxes in beam
            for cost_alone, box in candidates
            if (cost_beside := _cost_beside(box, boxes, dialogs, given, around)) is not None
        ]
        if not longer:
            raise NoRoomError(number)
        beam = sorted(longer, key=lambda way: way[0])[:_BEAM]
    return beam[0][1]


def _candidates(dialog: Dialog, room: Box, measure: Measure, effort: _Effort) -> Iterator[Box]:
    """Yield the balloon in its possible shapes at the points of a grid that fills the room."""
    shapes = set()
    for width_share in effort.widths:
        for height_share in effort.heights:
            shape = measure(dialog, room.width * width_share, room.height * height_share)
            if shape[0] <= room.width + 1e-6 and shape[1] <= room.height + 1e-6:
                shapes.add(shape)
    for width, height in sorted(shapes):
        free_x, free_y = room.width - width, room.height - height
        for row in range(effort.steps):
            top = room.top + free_y * row / (effort.steps - 1)
            for column in range(effort.steps):
                left = room.left + free_x * column / (effort.steps - 1)
                yield Box(left, top, left + width, top + height)


def _cost_alone(
    box: Box, number: int, dialogs: Sequence[Dialog], around: Surroundings, effort: _Effort
) -> float | None:
    """Return what is bad about a place whatever the other balloons do; None if it is forbidden."""
    dialog, room = dialogs[number], around.room
    if any(edge.depth(corner) < -1e-6 for edge in around.edges for corner in corners(box)):
        return None
    if any(_touch(box, other) for other in around.taken):
        return None
    hidden = sum(
        _grown(face).overlap(box) / face.area for face in around.faces.values() if face.area
    )
    if hidden and not effort.faces_allowed:
        return None
    cost = 60 * hidden + 0.8 * box.width * box.height / (room.width * room.height)
    for name, body in around.bodies.items():
        cost += (1.6 if name == dialog.speaker else 2.6) * box.overlap(body) / box.area
    cost += 1.1 * (box.top - room.top) / room.height
    cost += 0.4 * min(_margins(box, room)) / min(room.width, room.height)
    cost += 0.6 * abs(math.log(box.width / box.height / 1.3))
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
    others = (face for name, face in around.faces.items() if name != speaker)
    return cost + 4 * sum(crosses(box.centre, (x, y), face) for face in others)


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


def _cost_beside(
    box: Box,
    earlier: Sequence[Box],
    dialogs: Sequence[Dialog],
    given: Sequence[Box | None],
    around: Surroundings,
) -> float | None:
    """Return what is bad about a place next to the balloons before it; None if forbidden."""
    cost, number = 0.0, len(earlier)
    dialog = dialogs[number]
    for other, before, wanted in zip(earlier, dialogs, given, strict=False):
        if _touch(box, other):
            return None
        if "sound" not in (dialog.kind, before.kind) and not reads_before(
            other, box, around.reading
        ):
            if not wanted:
                return None
            cost += 3
        if dialog.speaker in around.mouths:
            cost += 2.5 * crosses(box.centre, around.mouths[dialog.speaker], other)
        if before.speaker in around.mouths:
            cost += 2.5 * crosses(other.centre, around.mouths[before.speaker], box)
    return cost


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


def _touch(box: Box, other: Box) -> bool:
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
