"""Named page formats: trim, bleed, the frame panels are drawn in, the area safe for text."""

from __future__ import annotations

import msgspec

from storyboard.geometry import Box
from storyboard.story import PageFormat, PageSize


class _Format(msgspec.Struct, frozen=True):
    """A page size with its printer's inner frame and text-safe area, all in mm."""

    size: PageSize
    inner: tuple[float, float]
    safe: tuple[float, float]


# b5: manga manuscript; a4 and us-comic: no single standard, the middle of what printers ask for
_FORMATS = {
    "b5": _Format(PageSize(182.0, 257.0), inner=(150.0, 220.0), safe=(162.0, 237.0)),
    "a4": _Format(PageSize(210.0, 297.0), inner=(180.0, 265.0), safe=(190.0, 277.0)),
    "us-comic": _Format(
        PageSize(168.275, 260.35, 3.175), inner=(146.0, 228.6), safe=(152.4, 234.0)
    ),
    "tankobon": _Format(PageSize(128.0, 182.0), inner=(106.0, 156.0), safe=(114.0, 168.0)),
}


def page_size(page: PageFormat) -> PageSize:
    """Return the size of a named page format; a size given in mm is returned as it is."""
    return page if isinstance(page, PageSize) else _FORMATS[page].size


def trim_area(size: PageSize) -> Box:
    """Return the page as it is after cutting, in mm."""
    return Box(0.0, 0.0, size.width_mm, size.height_mm)


def bleed_area(size: PageSize) -> Box:
    """Return the page with the bleed that is cut away, in mm from the trim's top left."""
    bleed = size.bleed_mm
    return Box(-bleed, -bleed, size.width_mm + bleed, size.height_mm + bleed)


def inner_frame(size: PageSize) -> Box:
    """Return the rectangle that panels without bleed stay in, in mm."""
    return _centred(size, _format_like(size).inner)


def safe_area(size: PageSize) -> Box:
    """Return the rectangle that text stays in, in mm."""
    if size.safe_mm is not None:
        margin = size.safe_mm
        return Box(margin, margin, size.width_mm - margin, size.height_mm - margin)
    return _centred(size, _format_like(size).safe)


def _format_like(size: PageSize) -> _Format:
    """Return the named format of this trimmed size, else B5, whose proportions serve any page."""
    for known in _FORMATS.values():
        if (known.size.width_mm, known.size.height_mm) == (size.width_mm, size.height_mm):
            return known
    return _FORMATS["b5"]


def _centred(size: PageSize, area: tuple[float, float]) -> Box:
    trim = _format_like(size).size
    width = area[0] * size.width_mm / trim.width_mm
    height = area[1] * size.height_mm / trim.height_mm
    left, top = (size.width_mm - width) / 2, (size.height_mm - height) / 2
    return Box(left, top, left + width, top + height)
