"""A page as drawing instructions: which picture where, which frame, which balloons.

All lengths are millimetres on the trimmed page, origin at its top left, y down. What bleeds
lies outside the page's width and height.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from storyboard.geometry import Box, Point, Polygon
from storyboard.layout.staging import StagedPage
from storyboard.lettering.letterer import Balloon
from storyboard.story import PageSize

FRAME_STROKE_MM = 0.8
INSET_GUTTER_MM = 1.6
_NEARLY = 1e-6


class FramedPanel(msgspec.Struct, frozen=True):
    """A panel to draw: white, then its picture cut to the frame, then the frame's strokes.

    Attributes:
        picture: None leaves the panel white.
        strokes: the frame's edges as runs of points; a frame within the page is one closed run
            that ends where it began. Edges on the bleed have no stroke.
        gutter_mm: width of the white rim around a panel that lies on another one.
        place: its number in reading order, from 0.
        shows: what is drawn in it, for those who cannot see it.
    """

    id: str
    frame: Polygon
    picture: Path | None
    strokes: tuple[tuple[Point, ...], ...]
    stroke_mm: float = FRAME_STROKE_MM
    gutter_mm: float = 0.0
    place: int = 0
    shows: str = ""


class PageDrawing(msgspec.Struct, frozen=True):
    """One page, ready to be written: panels in painting order, balloons in reading order."""

    number: int
    size: PageSize
    panels: tuple[FramedPanel, ...]
    balloons: tuple[Balloon, ...]

    @property
    def marks(self) -> dict[str, int]:
        """The numbers, from 0 in reading order, that mark the panels in the page's content."""
        in_order = sorted(self.panels, key=lambda panel: panel.place)
        return {panel.id: mark for mark, panel in enumerate(in_order)}


def compose_page(
    page: StagedPage, pictures: Mapping[str, Path], balloons: Iterable[Balloon]
) -> PageDrawing:
    """Return the page's drawing instructions.

    Args:
        pictures: by panel id; a panel without one stays white.
        balloons: of all panels, in reading order.
    """
    framed = [
        FramedPanel(
            id=staged.panel.id,
            frame=staged.frame_mm,
            picture=pictures.get(staged.panel.id),
            strokes=_strokes(staged.frame_mm, page.size),
            gutter_mm=INSET_GUTTER_MM if staged.is_inset else 0.0,
            place=place,
            shows=staged.panel.caption,
        )
        for place, staged in sorted(enumerate(page.panels), key=lambda each: each[1].is_inset)
    ]
    return PageDrawing(page.number, page.size, tuple(framed), tuple(balloons))


def placed_picture(frame: Box, width_px: int, height_px: int) -> Box:
    """Return where a picture lies so that its middle covers the frame, proportions kept."""
    scale = max(frame.width / width_px, frame.height / height_px)
    x, y = frame.centre
    half_width, half_height = width_px * scale / 2, height_px * scale / 2
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _strokes(frame: Polygon, size: PageSize) -> tuple[tuple[Point, ...], ...]:
    """Return the frame's edges in runs, without those that lie wholly on or beyond the trim."""
    points = frame.points
    edges = list(zip(points, (*points[1:], points[0]), strict=True))
    drawn = [not _beyond(start, end, size) for start, end in edges]
    if all(drawn):
        return ((*points, points[0]),)
    first = drawn.index(False)  # start behind a gap, so that no run wraps around
    runs: list[list[Point]] = []
    for index in [*range(first, len(edges)), *range(first)]:
        start, end = edges[index]
        if not drawn[index]:
            continue
        if runs and runs[-1][-1] == start:
            runs[-1].append(end)
        else:
            runs.append([start, end])
    return tuple(map(tuple, runs))


def _beyond(start: Point, end: Point, size: PageSize) -> bool:
    limits = ((0, size.width_mm), (1, size.height_mm))
    return any(
        (start[axis] <= _NEARLY and end[axis] <= _NEARLY)
        or (start[axis] >= limit - _NEARLY and end[axis] >= limit - _NEARLY)
        for axis, limit in limits
    )
