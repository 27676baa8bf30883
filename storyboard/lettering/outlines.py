"""Outlines: closed shapes of lines and cubic curves, and joining several into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec
import pathops

from storyboard.geometry import Box, Point, bounds_of

Command = tuple[Literal["M", "L", "C", "Z"], tuple[float, ...]]

# skia's boolean operations lose small features below about a thousandth of a unit
_UNION_SCALE = 64.0


class Outline(msgspec.Struct, frozen=True):
    """Closed contours as drawing commands: M(x, y), L(x, y), C(x1, y1, x2, y2, x, y) and Z()."""

    commands: tuple[Command, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        """All end and control points, in drawing order."""
        return tuple(
            (numbers[index], numbers[index + 1])
            for _, numbers in self.commands
            for index in range(0, len(numbers), 2)
        )

    @property
    def bounds(self) -> Box:
        """The smallest box around end and control points, so never smaller than the shape."""
        return bounds_of(self.points)

    def scaled(self, x_scale: float, y_scale: float | None = None) -> Outline:
        """Return the outline with every coordinate multiplied."""
        vertical = x_scale if y_scale is None else y_scale
        return self.mapped(lambda x, y: (x * x_scale, y * vertical))

    def moved(self, dx: float, dy: float) -> Outline:
        """Return the outline shifted by (dx, dy)."""
        return Outline(tuple(_moved(self.commands, dx, dy)))

    def mapped(self, place: Callable[[float, float], Point]) -> Outline:
        """Return the outline with every point put where `place` says."""
        commands: list[Command] = []
        for operator, numbers in self.commands:
            points = [
                place(numbers[index], numbers[index + 1]) for index in range(0, len(numbers), 2)
            ]
            commands.append((operator, tuple(value for point in points for value in point)))
        return Outline(tuple(commands))

    def __add__(self, other: Outline) -> Outline:
        """Return both outlines' contours together, not joined."""
        return Outline(self.commands + other.commands)


def placed(outlines: Iterable[tuple[Outline, float, float]]) -> Outline:
    """Return all outlines as one, not joined, each shifted by the two numbers that follow it."""
    commands: list[Command] = []
    for outline, dx, dy in outlines:
        commands += _moved(outline.commands, dx, dy)
    return Outline(tuple(commands))


def _moved(commands: Iterable[Command], dx: float, dy: float) -> Iterator[Command]:
    for operator, numbers in commands:
        if len(numbers) == 6:
            x1, y1, x2, y2, x, y = numbers
            yield operator, (x1 + dx, y1 + dy, x2 + dx, y2 + dy, x + dx, y + dy)
        elif numbers:
            yield operator, (numbers[0] + dx, numbers[1] + dy)
        else:
            yield operator, ()


def convex_hull(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the corners of the smallest convex shape around the points."""
    ordered = sorted(set(points))
    sides: list[list[Point]] = []
    for way in (ordered, ordered[::-1]):
        side: list[Point] = []
        for point in way:
            while len(side) > 1 and not _turns_left(side[-2], side[-1], point):
                side.pop()
            side.append(point)
        sides.append(side[:-1])
    return tuple(sides[0] + sides[1])


def _turns_left(one: Point, other: Point, point: Point) -> bool:
    across = (other[0] - one[0]) * (point[1] - one[1])
    return across > (other[1] - one[1]) * (point[0] - one[0])


def polygon(points: Sequence[Point]) -> Outline:
    """Return the closed outline through the points."""
    first, *others = points
    return Outline((("M", first), *(("L", point) for point in others), ("Z", ())))


def rectangle(box: Box) -> Outline:
    """Return the box as an outline."""
    return polygon(
        [
            (box.left, box.top),
            (box.right, box.top),
            (box.right, box.bottom),
            (box.left, box.bottom),
        ]
    )


def rounded(box: Box, handle: float) -> Outline:
    """Return the round shape that touches the box's four sides in their middles.

    `handle` is how far the curves' control points reach from there towards the corners, as a
    share of the way: 0.5523 gives an ellipse, more a squarer shape.
    """
    x, y = box.centre
    a, b = box.width / 2, box.height / 2
    p, q = a * handle, b * handle
    return Outline(
        (
            ("M", (x + a, y)),
            ("C", (x + a, y + q, x + p, y + b, x, y + b)),
            ("C", (x - p, y + b, x - a, y + q, x - a, y)),
            ("C", (x - a, y - q, x - p, y - b, x, y - b)),
            ("C", (x + p, y - b, x + a, y - q, x + a, y)),
            ("Z", ()),
        )
    )


def united(outlines: Iterable[Outline]) -> Outline:
    """Return one outline around everything the given ones cover."""
    builder = pathops.OpBuilder(fix_winding=True)
    for outline in outlines:
        builder.add(_to_skia(outline), pathops.PathOp.UNION)
    return _from_skia(builder.resolve())


def _to_skia(outline: Outline) -> pathops.Path:
    path = pathops.Path()
    for operator, numbers in outline.commands:
        scaled = [value * _UNION_SCALE for value in numbers]
        if operator == "M":
            path.moveTo(*scaled)
        elif operator == "L":
            path.lineTo(*scaled)
        elif operator == "C":
            path.cubicTo(*scaled)
        else:
            path.close()
    return path


def _from_skia(path: pathops.Path) -> Outline:
    commands: list[Command] = []
    current: Point = (0.0, 0.0)
    for name, points in path.segments:
        placed = [(x / _UNION_SCALE, y / _UNION_SCALE) for x, y in points]
        if name == "qCurveTo":
            commands.extend(_cubics(current, placed))
        elif name in _OPERATORS:
            numbers = tuple(value for point in placed for value in point)
            commands.append((_OPERATORS[name], numbers))
        else:
            commands.append(("Z", ()))
        current = placed[-1] if placed else current
    return Outline(tuple(commands))


_OPERATORS: dict[str, Literal["M", "L", "C"]] = {"moveTo": "M", "lineTo": "L", "curveTo": "C"}


def _cubics(start: Point, points: Sequence[Point]) -> list[Command]:
    """Return cubic curves for a run of quadratic ones with implied points between controls."""
    *controls, end = points
    commands: list[Command] = []
    for index, control in enumerate(controls):
        last = index == len(controls) - 1
        following = controls[index + 1] if not last else end
        target = end if last else _middle(control, following)
        commands.append(quadratic(start, control, target))
        start = target
    return commands


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def quadratic(start: Point, control: Point, end: Point) -> Command:
    """Return the cubic command that draws the quadratic curve from `start`."""
    return (
        "C",
        (
            start[0] + (control[0] - start[0]) * 2 / 3,
            start[1] + (control[1] - start[1]) * 2 / 3,
            end[0] + (control[0] - end[0]) * 2 / 3,
            end[1] + (control[1] - end[1]) * 2 / 3,
            *end,
        ),
    )
