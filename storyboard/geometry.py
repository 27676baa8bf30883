"""Boxes, polygons and units. Everything has its origin at the top left, y down."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

MM_PER_INCH = 25.4
PT_PER_INCH = 72.0


def mm_to_pt(length_mm: float) -> float:
    """Return a length in PostScript points."""
    return length_mm * PT_PER_INCH / MM_PER_INCH


def pt_to_mm(length_pt: float) -> float:
    """Return a length in millimetres."""
    return length_pt * MM_PER_INCH / PT_PER_INCH


def mm_to_px(length_mm: float, dpi: float) -> int:
    """Return a length in whole pixels at a resolution of `dpi` dots per inch."""
    return round(length_mm * dpi / MM_PER_INCH)


class Box(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A rectangle: left, top, right, bottom. In plans: fractions of the panel, 0 to 1.

    On pages the same struct holds millimetres; the name of the variable then ends in `_mm`.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Distance from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Distance from top to bottom."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """The middle as (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> float:
        """Width times height; 0 for a box that is inverted."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def overlap(self, other: Box) -> float:
        """Return the area shared with another box."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def within(self, frame: Box) -> Box:
        """Return this box, given as fractions of `frame`, in the frame's own coordinates."""
        return Box(
            frame.left + self.left * frame.width,
            frame.top + self.top * frame.height,
            frame.left + self.right * frame.width,
            frame.top + self.bottom * frame.height,
        )

    def relative_to(self, frame: Box) -> Box:
        """Return this box as fractions of `frame`: the inverse of `within`."""
        return Box(
            (self.left - frame.left) / frame.width,
            (self.top - frame.top) / frame.height,
            (self.right - frame.left) / frame.width,
            (self.bottom - frame.top) / frame.height,
        )


Point = tuple[float, float]


class Polygon(msgspec.Struct, frozen=True):
    """A closed outline of straight edges, points in drawing order."""

    points: tuple[Point, ...]

    @property
    def bounds(self) -> Box:
        """The smallest box around all points."""
        return bounds_of(self.points)


def bounds_of(points: Iterable[Point]) -> Box:
    """Return the smallest box around the points."""
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
