"""The book for phones: its panels one below the other, in strips that are cut in gutters only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storyboard.book.page import FRAME_STROKE_MM, FramedPanel, PageDrawing
from storyboard.book.pdf import BookMetadata, pdf_bytes
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import cut_outs
from storyboard.export.phone_text import larger_text
from storyboard.geometry import MM_PER_INCH, Box
from storyboard.layout.page_sizes import inner_frame, trim_area
from storyboard.layout.staging import StagedPage
from storyboard.lettering.letterer import Balloon

if TYPE_CHECKING:
    from PIL.Image import Image

STRIP_WIDTH_PX = 800
STRIP_HEIGHT_PX = 1280  # the most that large platforms take
LEAST_STRIP_HEIGHT_PX = 400
_MARGIN_PX = 20
_PANEL_GAP_PX = 60
_PAGE_GAP_PX = 120
_LARGEST = 1.5  # how much larger than a panel of full width a narrow one is shown
_NEARLY_MM = 0.01


class Block(msgspec.Struct, frozen=True):
    """A panel, with the insets that lie on it, as a picture.

    Attributes:
        panel_id: of the panel.
        picture: mode L, as wide as the strip or less.
        gap_px: how much room there is above it.
    """

    panel_id: str
    picture: Image
    gap_px: int


def page_blocks(
    staged: StagedPage,
    page: PageDrawing,
    language: str,
    prints: Path,
    strip_height_px: int = STRIP_HEIGHT_PX,
) -> Iterator[Block]:
    """Yield the page's panels in reading order, as large as the strip allows.

    A panel as wide as the page fills the strip. A narrower one is shown larger than on paper, so
    that its text is easier to read, but not so large that it would not fit into a strip. Text that
    is small even then is set larger where there is room.

    Args:
        staged: the page; knows which panels are insets.
        page: its drawing.
        language: of the text.
        prints: folder that keeps pictures ready for print.
        strip_height_px: no block is higher, gaps included.
    """
    gap = _PAGE_GAP_PX
    framed = {panel.id: panel for panel in page.panels}
    for ids in _groups(staged):
        part = _part(page, [framed[panel_id] for panel_id in ids])
        area = _area(part)
        scale = _px_per_mm(area, page, strip_height_px - _PAGE_GAP_PX)
        part = _with_larger_text(part, staged, language, area, scale)
        yield Block(ids[0], _picture(part, area, scale, prints), gap)
        gap = _PANEL_GAP_PX


def strips(blocks: Iterable[Block], strip_height_px: int = STRIP_HEIGHT_PX) -> Iterator[Image]:
    """Yield strips that, shown without a seam, are one column; each cut halves a gap."""
    waiting: list[Block] = []
    height = 0
    for block in blocks:
        half_gap = block.gap_px // 2
        if waiting and height + 2 * half_gap + block.picture.height + _PAGE_GAP_PX // 2 > (
            strip_height_px
        ):
            yield _strip(waiting, below_px=half_gap)
            waiting, height = [], 0
        height += (2 * half_gap if waiting else half_gap) + block.picture.height
        waiting.append(block)
    if waiting:
        yield _strip(waiting, below_px=_PAGE_GAP_PX // 2)


def _strip(blocks: list[Block], below_px: int) -> Image:
    from PIL import Image as PillowImage

    tops: list[int] = []
    bottom = 0
    for block in blocks:
        half_gap = block.gap_px // 2
        tops.append(bottom + (2 * half_gap if tops else half_gap))
        bottom = tops[-1] + block.picture.height
    strip = PillowImage.new("L", (STRIP_WIDTH_PX, bottom + below_px), 255)
    for block, top in zip(blocks, tops, strict=True):
        strip.paste(block.picture, ((STRIP_WIDTH_PX - block.picture.width) // 2, top))
    return strip


def _groups(staged: StagedPage) -> list[list[str]]:
    """Return the ids of the panels, each with those of its insets."""
    groups: list[list[str]] = []
    for panel in staged.panels:
        if panel.is_inset and groups:
            groups[-1].append(panel.panel.id)
        else:
            groups.append([panel.panel.id])
    return groups


def _part(page: PageDrawing, panels: list[FramedPanel]) -> PageDrawing:
    ids = {panel.id for panel in panels}
    balloons = [balloon for balloon in page.balloons if _panel_of(balloon) in ids]
    return msgspec.structs.replace(page, panels=tuple(panels), balloons=tuple(balloons))


def _with_larger_text(
    part: PageDrawing, staged: StagedPage, language: str, area: Box, px_per_mm: float
) -> PageDrawing:
    drawn = {panel.id for panel in part.panels}
    balloons: list[Balloon] = []
    for panel in (panel for panel in staged.panels if panel.panel.id in drawn):
        own = [balloon for balloon in part.balloons if _panel_of(balloon) == panel.panel.id]
        shown = area if panel.panel.id == part.panels[0].id else panel.bounds_mm
        balloons += larger_text(panel, own, language, px_per_mm, shown, staged)
    return msgspec.structs.replace(part, balloons=tuple(balloons))


def _panel_of(balloon: Balloon) -> str:
    return balloon.id.rpartition(".")[0]


def _area(part: PageDrawing) -> Box:
    """Return what is shown of a panel, in mm: its frame's line too, but nothing that is cut off."""
    bounds, trim = part.panels[0].frame.bounds, trim_area(part.size)
    line = FRAME_STROKE_MM / 2
    return Box(
        max(bounds.left - line, trim.left),
        max(bounds.top - line, trim.top),
        min(bounds.right + line, trim.right),
        min(bounds.bottom + line, trim.bottom),
    )


def _px_per_mm(area: Box, page: PageDrawing, height_px: int) -> float:
    trim = trim_area(page.size)
    bleeds = area.left <= trim.left + _NEARLY_MM and area.right >= trim.right - _NEARLY_MM
    width_px = STRIP_WIDTH_PX if bleeds else STRIP_WIDTH_PX - 2 * _MARGIN_PX
    usual = (STRIP_WIDTH_PX - 2 * _MARGIN_PX) / inner_frame(page.size).width
    return min(width_px / area.width, usual * _LARGEST, height_px / area.height)


def _picture(part: PageDrawing, area: Box, px_per_mm: float, prints: Path) -> Image:
    from PIL import Image as PillowImage

    bleed = part.size.bleed_mm
    from_corner = Box(area.left + bleed, area.top + bleed, area.right + bleed, area.bottom + bleed)
    pdf = pdf_bytes([part], metadata=BookMetadata(""), prints=PrintFolder(prints))
    ((drawn, _),) = cut_outs(pdf, [from_corner], dpi=px_per_mm * MM_PER_INCH)
    picture = PillowImage.new("L", drawn.size, 255)
    picture.paste(drawn.getchannel("L"), mask=drawn.getchannel("A"))
    return picture
