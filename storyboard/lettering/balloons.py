"""The shapes of balloons: body by kind, in millimetres, y down."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from storyboard.geometry import Box, Point
from storyboard.lettering.kinds import STYLES
from storyboard.lettering.outlines import (
    Outline,
    polygon,
    quadratic,
    rectangle,
    rounded,
    united,
)
from storyboard.plan import DialogKind

_ELLIPSE_HANDLE = 0.5523
_GOLDEN = 0.6180339887
_PUFF_MM = 4.6  # the way along the cloud's rim from one puff to the next
_SPIKE_MM = 5.2
_DOT_GAP_MM = 0.6
_JAG_MM = 3.4  # the way along a radio's rim from one corner to the next


def body(kind: DialogKind, box: Box, *, is_vertical: bool = False) -> Outline:
    """Return the balloon's body, without its tail, just as large as the box. Sounds have none.

    Around vertical lines round bodies are squarer.
    """
    if kind == "sound":
        return Outline()
    if kind == "narration":
        return rectangle(box)
    if kind == "shout":
        return burst(box)
    if kind == "thought":
        return cloud(box)
    if kind == "radio":
        return crackling(box)
    exponent = STYLES[kind].exponent_around(is_vertical=is_vertical)
    return rounded(box, _handle(exponent))


def _handle(exponent: float) -> float:
    """Return the curve handle that draws nearly a superellipse, the same on its diagonal."""
    return float((8 * 2 ** (-1 / exponent) - 4) / 3)


def burst(box: Box) -> Outline:
    """Return spikes all round, of uneven length and with hollow sides."""
    rim = perimeter(box)
    count = max(12, round(rim / _SPIKE_MM))
    inner = STYLES["shout"].inner_share
    tips, valleys = [], []
    for index in range(count):
        wobble = (index * _GOLDEN) % 1 - 0.5
        angle = 2 * math.pi * (index + 0.35 * wobble) / count
        reach = 1 - 0.13 * ((index * _GOLDEN * 1.7) % 1)
        tips.append(on_ellipse(box, angle, reach))
        valleys.append(on_ellipse(box, angle + math.pi / count, inner))
    outline = Outline((("M", valleys[-1]),))
    start = valleys[-1]
    for tip, valley in zip(tips, valleys, strict=True):
        rising = quadratic(start, _hollow(start, tip, box), tip)
        falling = quadratic(tip, _hollow(valley, tip, box), valley)
        outline += Outline((rising, falling))
        start = valley
    return outline + Outline((("Z", ()),))


def _hollow(valley: Point, tip: Point, box: Box) -> Point:
    """Return the control point that bends a spike's side a little towards the balloon's middle."""
    x, y = box.centre
    middle = (valley[0] + tip[0]) / 2, (valley[1] + tip[1]) / 2
    return middle[0] + (x - middle[0]) * 0.04, middle[1] + (y - middle[1]) * 0.04


def cloud(box: Box) -> Outline:
    """Return a round body rimmed with puffs of one size, which touch the box's sides."""
    num_puffs = max(7, round(perimeter(box) * 0.85 / _PUFF_MM))
    radius = min(0.6 * perimeter(box) * 0.85 / num_puffs, 0.3 * box.height, 0.3 * box.width)
    core = Box(box.left + radius, box.top + radius, box.right - radius, box.bottom - radius)
    puffs = [
        circle(on_ellipse(core, angle, 1.0), radius) for angle in _even_angles(core, num_puffs)
    ]
    return united([rounded(core, _ELLIPSE_HANDLE), *puffs])


def crackling(box: Box) -> Outline:
    """Return an angular body with a jagged rim: a voice from a wire or a loudspeaker."""
    style = STYLES["radio"]
    count = 2 * max(8, round(perimeter(box) / _JAG_MM / 2))
    points = []
    for index, angle in enumerate(_even_angles(box, count)):
        reach = 1.0 if index % 2 else style.inner_share
        points.append(_on_superellipse(box, angle, reach, style.exponent))
    return polygon(points)


def _on_superellipse(box: Box, angle: float, reach: float, exponent: float) -> Point:
    across, down = math.cos(angle), math.sin(angle)
    length = (abs(across) ** exponent + abs(down) ** exponent) ** (-1 / exponent)
    x, y = box.centre
    return (
        x + box.width / 2 * reach * length * across,
        y + box.height / 2 * reach * length * down,
    )


def circle(centre: Point, radius: float) -> Outline:
    """Return a circle."""
    x, y = centre
    return rounded(Box(x - radius, y - radius, x + radius, y + radius), _ELLIPSE_HANDLE)


def perimeter(box: Box) -> float:
    """Return the length of the rim of the box's ellipse (Ramanujan's approximation)."""
    a, b = box.width / 2, box.height / 2
    return math.pi * (3 * (a + b) - math.sqrt((3 * a + b) * (a + 3 * b)))


def on_ellipse(box: Box, angle: float, reach: float) -> Point:
    """Return the point at an angle of the box's ellipse, shrunk to `reach` of its half axes."""
    x, y = box.centre
    return (
        x + box.width / 2 * reach * math.cos(angle),
        y + box.height / 2 * reach * math.sin(angle),
    )


def _even_angles(box: Box, count: int) -> list[float]:
    """Return angles whose points on the ellipse are evenly spaced along its rim."""
    steps = 720
    points = [on_ellipse(box, 2 * math.pi * step / steps, 1.0) for step in range(steps + 1)]
    lengths = [0.0]
    for before, after in itertools.pairwise(points):
        lengths.append(lengths[-1] + math.dist(before, after))
    angles = []
    step = 0
    for index in range(count):
        while lengths[step] < lengths[-1] * (index + 0.25) / count:
            step += 1
        angles.append(2 * math.pi * step / steps)
    return angles


def tapered(base: Point, control: Point, tip: Point, half_width: float) -> Outline:
    """Return a curved tail that narrows from its base to a point.

    The middle of the tail is the quadratic curve base, control, tip.
    """
    across = _unit_normal(base, control)
    left = base[0] + across[0] * half_width, base[1] + across[1] * half_width
    right = base[0] - across[0] * half_width, base[1] - across[1] * half_width
    narrow = half_width * 0.42
    bend_left = control[0] + across[0] * narrow, control[1] + across[1] * narrow
    bend_right = control[0] - across[0] * narrow, control[1] - across[1] * narrow
    return Outline(
        (
            ("M", left),
            quadratic(left, bend_left, tip),
            quadratic(tip, bend_right, right),
            ("Z", ()),
        )
    )


def bolt(root: Point, tip: Point, half_width: float) -> Outline:
    """Return the tail of a voice from a wire: a flash of lightning."""
    across = _unit_normal(root, tip)

    def beside(share: float, offset: float) -> Point:
        return (
            root[0] + (tip[0] - root[0]) * share + across[0] * offset * half_width,
            root[1] + (tip[1] - root[1]) * share + across[1] * offset * half_width,
        )

    return polygon(
        [
            beside(0.0, 1.0),
            beside(0.62, 0.75),
            beside(0.52, 1.75),
            tip,
            beside(0.72, -0.35),
            beside(0.80, -1.0),
            beside(0.0, -1.0),
        ]
    )


def neck(one: Point, other: Point, half_width: float) -> Outline:
    """Return a bridge between two balloons of one speaker, narrower in the middle."""
    across = _unit_normal(one, other)
    wide, narrow = half_width * 1.6, half_width * 0.5
    middle = (one[0] + other[0]) / 2, (one[1] + other[1]) / 2

    def beside(point: Point, distance: float) -> Point:
        return point[0] + across[0] * distance, point[1] + across[1] * distance

    first, second = beside(one, wide), beside(other, -wide)
    return Outline(
        (
            ("M", first),
            quadratic(first, beside(middle, narrow), beside(other, wide)),
            ("L", second),
            quadratic(second, beside(middle, -narrow), beside(one, -wide)),
            ("Z", ()),
        )
    )


def dots(start: Point, tip: Point, radii_mm: Sequence[float]) -> list[Outline]:
    """Return the circles that lead from a thought at `start` to its thinker at `tip`."""
    length = math.dist(start, tip) or 1.0
    first = (radii_mm[0] + _DOT_GAP_MM) / length
    outlines = []
    for index, radius in enumerate(radii_mm):
        share = first + (1 - first) * index / max(len(radii_mm) - 1, 1)
        centre = (
            start[0] + (tip[0] - start[0]) * share,
            start[1] + (tip[1] - start[1]) * share,
        )
        outlines.append(circle(centre, radius))
    return outlines


def _unit_normal(start: Point, end: Point) -> Point:
    length = math.dist(start, end) or 1.0
    return -(end[1] - start[1]) / length, (end[0] - start[0]) / length
