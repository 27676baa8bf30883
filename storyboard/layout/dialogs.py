"""Dialog boxes: a small search for places that read in order, near the speaker, off the faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from storyboard.geometry import Box
from storyboard.layout.balloon_costs import Surroundings, cost_alone, fits_in, tangles, touch
from storyboard.lettering_style import Squeeze
from storyboard.plan import Dialog

Measure = Callable[[Dialog, float, float, Squeeze], tuple[float, float]]
"""(dialog, max_width_mm, max_height_mm, squeeze) -> (width_mm, height_mm) of its balloon.

A balloon that does not fit without more than the given squeeze exceeds the limits.
"""

_Way = tuple[float, tuple[Box, ...]]  # what it costs, and the boxes placed so far
_WEIGHED = 240
_CELLS, _ALIKE = 5, 2


class _Effort(msgspec.Struct, frozen=True):
    """How hard a search tries: the widths and heights asked of `measure`, as shares of the room.

    Around vertical lines the two change places.
    """

    widths: tuple[float, ...]
    heights: tuple[float, ...] = (1.0,)
    steps: int = 9
    beam: int = 12
    squeeze: Squeeze = Squeeze.NOTHING
    faces_allowed: bool = False


_FIRST_UPRIGHT_EFFORT = _Effort(widths=(0.22, 0.3, 0.45))
_EFFORTS = (
    _Effort(widths=(0.34, 0.5, 0.7), heights=(1.0, 0.3, 0.2)),
    _Effort(widths=(0.24, 0.34, 0.5, 0.7, 1.0), steps=15),
    _Effort(
        widths=(0.34, 0.5, 0.8),
        heights=(0.5, 0.3, 0.2),
        steps=15,
        beam=24,
        squeeze=Squeeze.SMALLER,
    ),
    _Effort(
        widths=(0.34, 0.5, 0.8),
        heights=(0.5, 0.3, 0.2),
        steps=15,
        beam=24,
        squeeze=Squeeze.ANYTHING,
    ),
    _Effort(
        widths=(0.24, 0.34, 0.5, 1.0),
        heights=(1.0, 0.4, 0.25),
        steps=19,
        squeeze=Squeeze.ANYTHING,
        faces_allowed=True,
    ),
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
    for effort in (_FIRST_UPRIGHT_EFFORT,) * around.has_vertical_lines + _EFFORTS:
        try:
            return _search(dialogs, given, around, measure, effort)
        except NoRoomError as err:
            failed = err
    raise failed


def _search(
    dialogs: Sequence[Dialog],
    given: Sequence[Box | None],
    around: Surroundings,
    measure: Measure,
    effort: _Effort,
) -> tuple[Box, ...]:
    """Place one dialog after the other, keeping a few good and different ways so far."""
    fixed = [box for box in given if box]
    ways: list[_Way] = [(0.0, ())]
    for number, (dialog, wanted) in enumerate(zip(dialogs, given, strict=True)):
        if wanted:
            ways = [(cost, (*boxes, wanted)) for cost, boxes in ways]
            continue
        candidates = [
            (cost, box)
            for box in _candidates(dialog, around, measure, effort)
            if (
                cost := cost_alone(box, number, dialogs, around, faces_allowed=effort.faces_allowed)
            )
            is not None
            and not any(touch(box, other) for other in fixed)
        ]
        longer = [
            (cost + added, (*boxes, box))
            for cost, boxes in ways
            for added, box in candidates
            if fits_in(box, boxes, dialogs, given, around.reading)
        ]
        if not longer:
            raise NoRoomError(number)
        longer.sort(key=_by_cost)
        weighed = [
            (cost + tangles(boxes, dialogs, around), boxes) for cost, boxes in longer[:_WEIGHED]
        ]
        ways = _different(sorted(weighed, key=_by_cost), around.room, effort.beam)
    return ways[0][1]


def _by_cost(way: _Way) -> float:
    return way[0]


def _different(ways: Sequence[_Way], room: Box, count: int) -> list[_Way]:
    """Return the first `count` ways, few of which end with a box at about the same place."""
    kept: list[_Way] = []
    seen: Counter[tuple[int, int]] = Counter()
    for way in ways:
        x, y = way[1][-1].relative_to(room).centre
        place = (int(x * _CELLS), int(y * _CELLS))
        if seen[place] < _ALIKE:
            seen[place] += 1
            kept.append(way)
        if len(kept) == count:
            break
    return kept


def _candidates(
    dialog: Dialog, around: Surroundings, measure: Measure, effort: _Effort
) -> Iterator[Box]:
    """Yield the balloon in its possible shapes at the points of a grid that fills the room."""
    room = around.room
    shapes = set()
    for width_share in effort.widths:
        for height_share in effort.heights:
            shares = (width_share, height_share)
            across, down = shares[::-1] if around.has_vertical_lines else shares
            shape = measure(dialog, room.width * across, room.height * down, effort.squeeze)
            if shape[0] <= room.width + 1e-6 and shape[1] <= room.height + 1e-6:
                shapes.add(shape)
    for width, height in sorted(shapes):
        free_x, free_y = room.width - width, room.height - height
        for row in range(effort.steps):
            top = room.top + free_y * row / (effort.steps - 1)
            for column in range(effort.steps):
                left = room.left + free_x * column / (effort.steps - 1)
                yield Box(left, top, left + width, top + height)
