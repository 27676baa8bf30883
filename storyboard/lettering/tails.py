"""Where tails start, bend and end: towards the speaker's mouth, off the face and other balloons."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from storyboard.geometry import Box, Point
from storyboard.layout.faces import face_zone, mouth
from storyboard.lettering.balloons import dots, tapered
from storyboard.lettering.outlines import Outline, polygon
from storyboard.plan import DialogKind, Shot

_FACE_GAP_MM = 1.6
_EDGE_GAP_MM = 0.9
_SHORTEST_MM = 2.4
_LONGEST_MM = 17.0
_WAY_TO_MOUTH = 0.72  # letterers let a tail point at the mouth from most of the way there
_STEPS = 12


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


def speaker_in(figure: Box, shot: Shot) -> Speaker:
    """Return where the face and mouth of a figure are, from its box and the shot."""
    return Speaker(face_zone(figure, shot), mouth(figure, shot))


def course_to_speaker(box: Box, speaker: Speaker, others: Sequence[Box]) -> Course | None:
    """Return a tail from the balloon in `box` towards the mouth, ending short of the face.

    None when the balloon already covers the mouth. Of several bends the one is taken that
    crosses the least of the `others`, the boxes of the panel's other balloons.
    """
    x, y = box.centre
    if _inside(box, speaker.mouth, 1.0):
        return None
    aim = math.atan2((speaker.mouth[1] - y) / box.height, (speaker.mouth[0] - x) / box.width)
    courses = [_course(box, speaker, aim + turn) for turn in (0.0, 0.35, -0.35, 0.7, -0.7)]
    preferred = _towards_upright(aim)
    order = sorted(
        range(len(courses)),
        key=lambda index: (
            _crossed(courses[index], others),
            abs((0.0, 0.35, -0.35, 0.7, -0.7)[index] - preferred),
        ),
    )
    return courses[order[0]]


def course_to_edge(box: Box, panel: Box) -> Course:
    """Return a tail to the nearest edge of the panel, for a speaker outside the picture."""
    x, y = box.centre
    hugging = _SHORTEST_MM + _EDGE_GAP_MM

    def height(gap: float) -> float:
        """Beside the balloon where there is room for a tail, else just below it."""
        beside = y + box.height * 0.3
        return beside if gap >= hugging else min(box.bottom + 3, panel.bottom - _EDGE_GAP_MM)

    left, right = box.left - panel.left, panel.right - box.right
    below = panel.bottom - box.bottom
    edge = min(
        (left, (panel.left + _EDGE_GAP_MM, height(left))),
        (right, (panel.right - _EDGE_GAP_MM, height(right))),
        (below + hugging, (x + box.width * 0.12, panel.bottom - _EDGE_GAP_MM)),
    )[1]
    aim = math.atan2((edge[1] - y) / box.height, (edge[0] - x) / box.width)
    base = _rim(box, aim)
    length = math.dist(base, edge)
    tip = _along(base, edge, min(length, _LONGEST_MM))
    return Course(base, ((base[0] + tip[0]) / 2, (base[1] + tip[1]) / 2), tip)


def tail(kind: DialogKind, box: Box, course: Course) -> list[Outline]:
    """Return the tail's outlines. All but a thought's dots start inside the body."""
    if kind == "thought":
        is_far = math.dist(course.base, course.tip) > 7
        return dots(course.base, course.tip, (1.4, 1.0, 0.65) if is_far else (1.0, 0.6))
    half_width = min(max(0.12 * min(box.width, box.height), 1.2), 2.1)
    root = _along(course.base, box.centre, 0.3 * math.dist(course.base, box.centre))
    if kind == "shout":
        root = _along(course.base, box.centre, 0.45 * math.dist(course.base, box.centre))
        return [_spike(root, course.tip, half_width * 1.35)]
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


def _course(box: Box, speaker: Speaker, angle: float) -> Course:
    base = _rim(box, angle)
    distance = math.dist(base, speaker.mouth)
    length = min(distance * _WAY_TO_MOUTH, _LONGEST_MM, _way_to_face(base, speaker))
    tip = _along(base, speaker.mouth, max(length, _SHORTEST_MM))
    outward = _outward(box, angle)
    reach = 0.36 * math.dist(base, tip)
    control = base[0] + outward[0] * reach, base[1] + outward[1] * reach
    return Course(base, control, tip)


def _way_to_face(base: Point, speaker: Speaker) -> float:
    """Return how far one can go from `base` towards the mouth and stay clear of the face."""
    distance = math.dist(base, speaker.mouth)
    grown = Box(
        speaker.face.left - _FACE_GAP_MM,
        speaker.face.top - _FACE_GAP_MM,
        speaker.face.right + _FACE_GAP_MM,
        speaker.face.bottom + _FACE_GAP_MM,
    )
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


def _crossed(course: Course, others: Sequence[Box]) -> int:
    """Return how many points of the tail lie in other balloons."""
    points = [course.at(step / _STEPS) for step in range(1, _STEPS + 1)]
    return sum(_inside(other, point, 1.04) for other in others for point in points)


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
    x, y = box.centre
    across = (point[0] - x) / (box.width / 2 * reach)
    down = (point[1] - y) / (box.height / 2 * reach)
    return math.hypot(across, down) < 1


def _along(start: Point, end: Point, length: float) -> Point:
    """Return the point `length` millimetres from `start` towards `end`."""
    share = length / (math.dist(start, end) or 1.0)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
