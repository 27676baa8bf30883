"""Where tails start, bend and end: towards the speaker's mouth, off faces, balloons, each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from storyboard.geometry import Box, Point
from storyboard.layout.faces import face_zone, mouth
from storyboard.lettering.balloons import bolt, dots, tapered
from storyboard.lettering.outlines import Outline, polygon
from storyboard.plan import DialogKind, Shot

_FACE_GAP_MM = 1.6
_EDGE_GAP_MM = 0.9
_SHORTEST_MM = 2.4
_LONGEST_MM = 17.0
_WAY_TO_MOUTH = 0.72  # letterers let a tail point at the mouth from most of the way there
_STEPS = 12
_TURNS = (0.0, 0.35, -0.35, 0.7, -0.7, 1.1, -1.1)
_SHARES = (1.0, 0.7, 0.45)  # of the wanted length, where a whole tail would cross something
_SWEEPS = 3
# radii of a thought's dots, in mm, on tails longer than so many mm
_DOTS = ((7.0, (1.4, 1.0, 0.65)), (4.0, (1.0, 0.6)), (0.0, (0.8,)))

_ON_FACE, _ON_TAIL, _ON_BALLOON = 30.0, 25.0, 8.0
_OUTSIDE = 20.0


class Speaker(msgspec.Struct, frozen=True):
    """Where a speaker's face and mouth are, on the page in millimetres."""

    face: Box
    mouth: Point


class Course(msgspec.Struct, frozen=True):
    """A tail's middle line: the quadratic curve from `base`, bent by `control`, to `tip`."""

    base: Point
    control: Point
    tip: Point

    def at(self, share: float) -> Point:
        """Return the point at a share of the way from base (0) to tip (1)."""
        rest = 1 - share
        x, y = (
            rest * rest * start + 2 * rest * share * bend + share * share * end
            for start, bend, end in zip(self.base, self.control, self.tip, strict=True)
        )
        return x, y

    @property
    def points(self) -> tuple[Point, ...]:
        """Points along the way, base and tip among them."""
        return tuple(self.at(step / _STEPS) for step in range(_STEPS + 1))


class Wanted(msgspec.Struct, frozen=True):
    """A balloon that needs a tail.

    Attributes:
        box: of the balloon it starts from.
        speaker: None is someone outside the picture.
        others: the boxes of all balloons but those joined to this one.
    """

    box: Box
    speaker: Speaker | None
    others: tuple[Box, ...]


def speaker_in(figure: Box, shot: Shot) -> Speaker:
    """Return where the face and mouth of a figure are, from its box and the shot."""
    return Speaker(face_zone(figure, shot), mouth(figure, shot))


def tail_courses(
    wanted: Sequence[Wanted], faces: Sequence[Box], panel: Box
) -> tuple[Course | None, ...]:
    """Return the tails of a panel, chosen together so that none crosses a face or another tail.

    Args:
        wanted: what they start from and point at.
        faces: all faces in the panel.
        panel: within which they stay.

    Returns:
        None for a balloon that covers its speaker's mouth, and so needs no tail.
    """
    options = [_options(one, panel) for one in wanted]
    costs = [
        [cost + _alone(course, one, faces, panel) for cost, course in ways]
        for one, ways in zip(wanted, options, strict=True)
    ]
    chosen: list[Course | None] = [
        ways[_least(own)][1] if ways else None for ways, own in zip(options, costs, strict=True)
    ]
    for _ in range(_SWEEPS):
        before = list(chosen)
        for index, (ways, own) in enumerate(zip(options, costs, strict=True)):
            others = [course for place, course in enumerate(chosen) if course and place != index]
            if ways:
                together = [
                    cost + _ON_TAIL * sum(_meet(course, other) for other in others)
                    for cost, (_, course) in zip(own, ways, strict=True)
                ]
                chosen[index] = ways[_least(together)][1]
        if chosen == before:
            break
    return tuple(chosen)


def _least(costs: Sequence[float]) -> int:
    return min(range(len(costs)), key=costs.__getitem__)


def _options(wanted: Wanted, panel: Box) -> list[tuple[float, Course]]:
    """Return the tails a balloon may have, each with how much it is liked less than the best."""
    if wanted.speaker is None:
        return _courses_to_edges(wanted.box, panel)
    return _courses_to_speaker(wanted.box, wanted.speaker)


def _courses_to_speaker(box: Box, speaker: Speaker) -> list[tuple[float, Course]]:
    """Return tails from the balloon in `box` towards the mouth, ending short of the face."""
    x, y = box.centre
    if _inside(box, speaker.mouth, 1.0):
        return []
    aim = math.atan2((speaker.mouth[1] - y) / box.height, (speaker.mouth[0] - x) / box.width)
    preferred = _towards_upright(aim)
    return [
        (
            0.5 * abs(turn - preferred) + 2.0 * (1 - share),
            _course(box, speaker, aim + turn, share),
        )
        for turn in _TURNS
        for share in _SHARES
    ]


def _courses_to_edges(box: Box, panel: Box) -> list[tuple[float, Course]]:
    """Return tails to the edges of the panel, for a speaker outside the picture."""
    x, y = box.centre
    hugging = _SHORTEST_MM + _EDGE_GAP_MM

    def height(gap: float) -> float:
        """Beside the balloon where there is room for a tail, else just below it."""
        beside = y + box.height * 0.3
        return beside if gap >= hugging else min(box.bottom + 3, panel.bottom - _EDGE_GAP_MM)

    left, right = box.left - panel.left, panel.right - box.right
    below, above = panel.bottom - box.bottom, box.top - panel.top
    edges = [
        (left, (panel.left + _EDGE_GAP_MM, height(left))),
        (right, (panel.right - _EDGE_GAP_MM, height(right))),
        (below + hugging, (x + box.width * 0.12, panel.bottom - _EDGE_GAP_MM)),
        (above + 3 * hugging, (x + box.width * 0.12, panel.top + _EDGE_GAP_MM)),
    ]
    return [(0.1 * distance, _course_to_edge(box, edge)) for distance, edge in edges]


def _course_to_edge(box: Box, edge: Point) -> Course:
    x, y = box.centre
    aim = math.atan2((edge[1] - y) / box.height, (edge[0] - x) / box.width)
    base = _rim(box, aim)
    tip = _along(base, edge, min(math.dist(base, edge), _LONGEST_MM))
    return Course(base, ((base[0] + tip[0]) / 2, (base[1] + tip[1]) / 2), tip)


def _alone(course: Course, wanted: Wanted, faces: Sequence[Box], panel: Box) -> float:
    """Return what a tail costs for what it lies on, whatever the other tails do."""
    points = course.points[1:]
    cost = 0.0
    for face in faces:
        is_own = wanted.speaker is not None and face == wanted.speaker.face
        cost += _ON_FACE * sum(_inside(face, point, 0.9 if is_own else 1.05) for point in points)
    for other in wanted.others:
        cost += _ON_BALLOON * sum(_inside(other, point, 1.06) for point in points)
    return cost + _OUTSIDE * sum(not _within(panel, point) for point in points)


def _meet(one: Course, other: Course) -> bool:
    """Whether two tails cross, or come very near each other's tips."""
    if min(math.dist(one.tip, point) for point in other.points) < _EDGE_GAP_MM:
        return True
    return any(
        _cross(first, second)
        for first in itertools.pairwise(one.points)
        for second in itertools.pairwise(other.points)
    )


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    return _sides_differ(one, other) and _sides_differ(other, one)


def _sides_differ(line: tuple[Point, Point], ends: tuple[Point, Point]) -> bool:
    (x0, y0), (x1, y1) = line
    first, second = ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for x, y in ends)
    return first * second < 0


def tail(kind: DialogKind, box: Box, course: Course) -> list[Outline]:
    """Return the tail's outlines. All but a thought's dots start inside the body."""
    if kind == "thought":
        length = math.dist(course.base, course.tip)
        radii = next(radii for least, radii in _DOTS if length > least)
        return dots(course.base, course.tip, radii)
    half_width = min(max(0.12 * min(box.width, box.height), 1.2), 2.1)
    to_middle = math.dist(course.base, box.centre)
    root = _along(course.base, box.centre, 0.3 * to_middle)
    if kind == "shout":
        root = _along(course.base, box.centre, 0.45 * to_middle)
        return [_spike(root, course.tip, half_width * 1.35)]
    if kind == "radio":
        return [bolt(root, course.tip, half_width * 0.9)]
    return [tapered(root, course.control, course.tip, half_width)]


def _spike(root: Point, tip: Point, half_width: float) -> Outline:
    length = math.dist(root, tip) or 1.0
    across = -(tip[1] - root[1]) / length * half_width, (tip[0] - root[0]) / length * half_width
    return polygon(
        [
            (root[0] + across[0], root[1] + across[1]),
            tip,
            (root[0] - across[0], root[1] - across[1]),
        ]
    )


def _course(box: Box, speaker: Speaker, angle: float, share: float) -> Course:
    base = _rim(box, angle)
    distance = math.dist(base, speaker.mouth)
    length = share * min(distance * _WAY_TO_MOUTH, _LONGEST_MM, _way_to_face(base, speaker))
    tip = _along(base, speaker.mouth, max(length, _SHORTEST_MM))
    outward = _outward(box, angle)
    reach = 0.36 * math.dist(base, tip)
    control = base[0] + outward[0] * reach, base[1] + outward[1] * reach
    return Course(base, control, tip)


def _way_to_face(base: Point, speaker: Speaker) -> float:
    """Return how far one can go from `base` towards the mouth and stay clear of the face."""
    distance = math.dist(base, speaker.mouth)
    grown = _grown(speaker.face, _FACE_GAP_MM)
    for step in range(1, 101):
        if _inside(grown, _along(base, speaker.mouth, distance * step / 100), 1.0):
            return distance * (step - 1) / 100
    return distance


def _towards_upright(aim: float) -> float:
    """Return the turn that moves a tail's start from the aim towards straight up or down.

    A tail then leaves the balloon's long side and bends to the speaker.
    """
    upright = math.copysign(math.pi / 2, math.sin(aim))
    return max(-0.35, min(0.35, upright - aim))


def _grown(box: Box, margin: float) -> Box:
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)


def _within(box: Box, point: Point) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


def _rim(box: Box, angle: float) -> Point:
    x, y = box.centre
    return x + box.width / 2 * math.cos(angle), y + box.height / 2 * math.sin(angle)


def _outward(box: Box, angle: float) -> Point:
    """Return the unit vector that leaves the ellipse of the box at a right angle."""
    x, y = math.cos(angle) / box.width, math.sin(angle) / box.height
    length = math.hypot(x, y)
    return x / length, y / length


def _inside(box: Box, point: Point, reach: float) -> bool:
    """Whether a point lies in the ellipse of the box, its half axes multiplied by `reach`."""
    if not box.area:
        return False
    x, y = box.centre
    across = (point[0] - x) / (box.width / 2 * reach)
    down = (point[1] - y) / (box.height / 2 * reach)
    return math.hypot(across, down) < 1


def _along(start: Point, end: Point, length: float) -> Point:
    """Return the point `length` millimetres from `start` towards `end`."""
    share = length / (math.dist(start, end) or 1.0)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
