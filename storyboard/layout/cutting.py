"""Cut convex outlines by straight lines: how a page becomes panels. Lengths in mm, y down."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from storyboard.geometry import Box, Point, Polygon

_TOUCHING_MM = 1e-6


class HalfPlane(msgspec.Struct, frozen=True):
    """The points with `normal_x * x + normal_y * y <= limit`; the normal has length 1."""

    normal_x: float
    normal_y: float
    limit: float

    def depth(self, point: Point) -> float:
        """Return how far inside the half plane a point lies; negative outside."""
        return self.limit - self.normal_x * point[0] - self.normal_y * point[1]

    @property
    def is_slanted(self) -> bool:
        """Whether the edge is neither upright nor level."""
        return min(abs(self.normal_x), abs(self.normal_y)) > _TOUCHING_MM

    def shrunk(self, margin: float) -> HalfPlane:
        """Return the half plane with its edge moved inwards."""
        return HalfPlane(self.normal_x, self.normal_y, self.limit - margin)


def gutter_between_columns(x: float, y: float, lean: float, width: float) -> tuple[HalfPlane, ...]:
    """Return the half planes left and right of an upright gutter through (x, y).

    `lean` in degrees moves its top end to the right, like a slash.
    """
    return _both_sides(math.cos(math.radians(lean)), math.sin(math.radians(lean)), x, y, width)


def gutter_between_rows(x: float, y: float, lean: float, width: float) -> tuple[HalfPlane, ...]:
    """Return the half planes above and below a lying gutter through (x, y).

    `lean` in degrees raises its right end.
    """
    return _both_sides(math.sin(math.radians(lean)), math.cos(math.radians(lean)), x, y, width)


def _both_sides(nx: float, ny: float, x: float, y: float, width: float) -> tuple[HalfPlane, ...]:
    middle = nx * x + ny * y
    before = HalfPlane(nx, ny, middle - width / 2)
    after = HalfPlane(-nx, -ny, -middle - width / 2)
    return before, after


def sides_of(box: Box) -> dict[str, HalfPlane]:
    """Return the half planes whose common part is the box, by the side they keep to."""
    return {
        "left": HalfPlane(-1.0, 0.0, -box.left),
        "top": HalfPlane(0.0, -1.0, -box.top),
        "right": HalfPlane(1.0, 0.0, box.right),
        "bottom": HalfPlane(0.0, 1.0, box.bottom),
    }


def edges_of(outline: Polygon) -> tuple[HalfPlane, ...]:
    """Return the half planes whose common part is a convex outline, drawn either way round."""
    points = outline.points
    turn = 1.0 if signed_area(points) > 0 else -1.0
    edges = []
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        length = math.hypot(x1 - x0, y1 - y0)
        normal_x, normal_y = turn * (y1 - y0) / length, -turn * (x1 - x0) / length
        edges.append(HalfPlane(normal_x, normal_y, normal_x * x0 + normal_y * y0))
    return tuple(edges)


def signed_area(points: Sequence[Point]) -> float:
    """Return the area inside the points; positive where they run clockwise on the page."""
    following = (*points[1:], points[0])
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, following, strict=True)) / 2


def corners(box: Box) -> tuple[Point, ...]:
    """Return the four corners of a box, clockwise from the top left."""
    return (
        (box.left, box.top),
        (box.right, box.top),
        (box.right, box.bottom),
        (box.left, box.bottom),
    )


def cut(points: Sequence[Point], half_planes: Sequence[HalfPlane]) -> tuple[Point, ...]:
    """Return the part of a convex outline inside all half planes; () where nothing is left."""
    for half_plane in half_planes:
        points = _cut_once(points, half_plane)
        if len(points) < 3:
            return ()
    return tuple(points)


def _cut_once(points: Sequence[Point], half_plane: HalfPlane) -> list[Point]:
    kept: list[Point] = []
    for here, there in zip(points, (*points[1:], points[0]), strict=True):
        depth_here, depth_there = half_plane.depth(here), half_plane.depth(there)
        if depth_here >= 0:
            kept.append(here)
        if (depth_here > 0 > depth_there) or (depth_here < 0 < depth_there):
            share = depth_here / (depth_here - depth_there)
            x = here[0] + share * (there[0] - here[0])
            kept.append((x, here[1] + share * (there[1] - here[1])))
    return [
        point
        for number, point in enumerate(kept)
        if math.dist(point, kept[number - 1]) > _TOUCHING_MM
    ]


def mirrored(outline: Polygon, width: float) -> Polygon:
    """Return the outline seen in a mirror on a page of this width, drawn the same way round."""
    return Polygon(tuple((width - x, y) for x, y in reversed(outline.points)))
