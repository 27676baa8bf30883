"""The form of a page template, and how it cuts a page. Written left to right, mirrored for rtl.

docs/layout.md describes the form for those who edit the files in `templates/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from storyboard.geometry import Box, Point, Polygon
from storyboard.layout.cutting import (
    HalfPlane,
    corners,
    cut,
    gutter_between_columns,
    gutter_between_rows,
    mirrored,
    sides_of,
)
from storyboard.layout.page_sizes import bleed_area, inner_frame
from storyboard.plan import Shot
from storyboard.story import PageSize, Reading

Side = Literal["left", "top", "right", "bottom"]
Share = Annotated[float, msgspec.Meta(gt=0, le=100)]
Lean = Annotated[float, msgspec.Meta(ge=-30, le=30)]
GutterWidth = Annotated[float, msgspec.Meta(gt=0, le=30)]


class Inset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A panel laid over its host, read right after it. `box`: fractions of the host's bounds."""

    box: Box
    shots: tuple[Shot, ...] = ()


class StackedPanel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the panels above each other in a column of a tier."""

    height: Share = 1.0
    lean: Lean = 0.0
    shots: tuple[Shot, ...] = ()
    bleed: tuple[Side, ...] = ()
    insets: tuple[Inset, ...] = ()


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A panel of a tier, or with `stack` several above each other. Leans at its left gutter."""

    width: Share = 1.0
    lean: Lean = 0.0
    shots: tuple[Shot, ...] = ()
    bleed: tuple[Side, ...] = ()
    insets: tuple[Inset, ...] = ()
    stack: tuple[StackedPanel, ...] = ()


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of panels. Leans at the gutter above it."""

    panels: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    height: Share = 1.0
    lean: Lean = 0.0


class Gutters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Widths in mm: between the panels of a tier, and between tiers."""

    within: GutterWidth = 2.5
    tiers: GutterWidth = 5.0


class TemplateFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file in `templates/` holds. Its name is the template's."""

    tiers: Annotated[tuple[Tier, ...], msgspec.Meta(min_length=1)]
    gutters: Gutters = Gutters()


Leaf = Column | StackedPanel
Points = tuple[Point, ...]
Gutter = tuple[HalfPlane, ...]


class Position(msgspec.Struct, frozen=True):
    """One panel of a template. `host` is the position an inset lies over, else None."""

    outline: Polygon
    shots: tuple[Shot, ...]
    host: int | None = None
    bleed: tuple[Side, ...] = ()


class Template(msgspec.Struct, frozen=True):
    """How one page is cut into panels, in reading order."""

    name: str
    tiers: tuple[Tier, ...]
    gutters: Gutters = Gutters()

    def positions(self, size: PageSize, reading: Reading = "ltr") -> tuple[Position, ...]:
        """Return the panels in reading order, in mm from the top left of the trimmed page."""
        found = tuple(self._cut_page(size))
        if reading == "ltr":
            return found
        return tuple(
            msgspec.structs.replace(position, outline=mirrored(position.outline, size.width_mm))
            for position in found
        )

    def frames(self, size: PageSize, reading: Reading = "ltr") -> tuple[Polygon, ...]:
        """Return the panels' outlines in reading order, in mm; bleeding ones leave the page."""
        return tuple(position.outline for position in self.positions(size, reading))

    @property
    def num_panels(self) -> int:
        """How many panels a page of this template holds."""
        columns = [column for tier in self.tiers for column in tier.panels]
        leaves = [leaf for column in columns for leaf in column.stack or (column,)]
        return sum(1 + len(leaf.insets) for leaf in leaves)

    def _cut_page(self, size: PageSize) -> Iterator[Position]:
        inner, number = inner_frame(size), 0
        for leaf, points in self._leaves(inner, corners(bleed_area(size))):
            keep = [side for name, side in sides_of(inner).items() if name not in leaf.bleed]
            outline = Polygon(cut(points, keep))
            yield Position(outline, leaf.shots, bleed=leaf.bleed)
            for inset in leaf.insets:
                laid_over = Polygon(corners(inset.box.within(outline.bounds)))
                yield Position(laid_over, inset.shots, host=number)
            number += 1 + len(leaf.insets)

    def _leaves(self, inner: Box, page: Points) -> Iterator[tuple[Leaf, Points]]:
        """Cut the page into tiers, tiers into columns, columns into stacked panels."""
        within = self.gutters.within
        tiers = Spans(
            [tier.height for tier in self.tiers], inner.top, inner.bottom, self.gutters.tiers
        )
        bands = _split(
            page, tiers.lying_gutters([tier.lean for tier in self.tiers], inner.centre[0])
        )
        for tier, band, (top, bottom) in zip(self.tiers, bands, tiers.spans, strict=True):
            row = tier.panels
            columns = Spans([column.width for column in row], inner.left, inner.right, within)
            leans = [column.lean for column in row]
            cells = _split(band, columns.upright_gutters(leans, (top + bottom) / 2))
            for column, cell, (left, right) in zip(row, cells, columns.spans, strict=True):
                if not column.stack:
                    yield column, cell
                    continue
                levels = Spans([panel.height for panel in column.stack], top, bottom, within)
                leans = [panel.lean for panel in column.stack]
                pieces = _split(cell, levels.lying_gutters(leans, (left + right) / 2))
                yield from zip(column.stack, pieces, strict=True)


class Spans:
    """A length shared out by weight with gutters between; `spans` holds (start, end) of each."""

    def __init__(self, weights: Sequence[float], start: float, end: float, gutter: float) -> None:
        """Share out the length from start to end."""
        free = end - start - gutter * (len(weights) - 1)
        self.gutter = gutter
        self.spans: list[tuple[float, float]] = []
        for weight in weights:
            self.spans.append((start, start + free * weight / sum(weights)))
            start = self.spans[-1][1] + gutter

    def upright_gutters(self, leans: Sequence[float], y: float) -> list[Gutter]:
        """Return the gutter before each span but the first, leaning about the height `y`."""
        return [
            gutter_between_columns(start - self.gutter / 2, y, lean, self.gutter)
            for (start, _), lean in list(zip(self.spans, leans, strict=True))[1:]
        ]

    def lying_gutters(self, leans: Sequence[float], x: float) -> list[Gutter]:
        """Return the gutter above each span but the first, leaning about `x`."""
        return [
            gutter_between_rows(x, start - self.gutter / 2, lean, self.gutter)
            for (start, _), lean in list(zip(self.spans, leans, strict=True))[1:]
        ]


def _split(points: Points, gutters: Sequence[Gutter]) -> list[Points]:
    """Return the pieces before, between and after the gutters."""
    pieces = []
    for number in range(len(gutters) + 1):
        after = [gutter[1] for gutter in gutters[:number]]
        before = [gutter[0] for gutter in gutters[number:]]
        pieces.append(cut(points, after + before))
    return pieces
