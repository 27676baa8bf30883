"""A page taken apart into layers that give the page when laid over each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from storyboard.book.page import FramedPanel, PageDrawing
from storyboard.book.pdf import BookMetadata, pdf_bytes
from storyboard.book.pictures import PrintFolder
from storyboard.book.raster import cut_outs
from storyboard.geometry import Box
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.outlines import Outline

if TYPE_CHECKING:
    from PIL.Image import Image

Group = Literal["Panels", "Balloons", "Text"]
GROUPS: tuple[Group, ...] = ("Panels", "Balloons", "Text")  # from the bottom up
_AROUND_MM = 0.5  # so that no soft edge is cut off


class Layer(msgspec.Struct, frozen=True):
    """One layer of a page, without the empty room around it.

    Attributes:
        picture: mode LA; see-through where nothing is drawn.
        left_px: where it lies on the page, bleed included, from the left.
        top_px: likewise from the top.
    """

    group: Group
    name: str
    picture: Image
    left_px: int
    top_px: int


class _Part(msgspec.Struct, frozen=True):
    """A page with only one thing on it, and the area in which that lies (mm from the trim)."""

    group: Group
    name: str
    page: PageDrawing
    area: Box


def page_layers(page: PageDrawing, dpi: float, prints: Path) -> tuple[Layer, ...]:
    """Return the page's layers from the bottom up, bleed included; layers without ink are left out.

    Every panel gives a picture and a frame, every balloon a shape and its text.

    Args:
        page: the page.
        dpi: resolution of the layers.
        prints: folder that keeps pictures ready for print.
    """
    parts = [*_panels(page), *_shapes(page), *_texts(page)]
    if not parts:
        return ()
    pdf = pdf_bytes(
        [part.page for part in parts], metadata=BookMetadata(""), prints=PrintFolder(prints)
    )
    bleed = page.size.bleed_mm
    areas = [_from_corner(part.area, bleed) for part in parts]
    layers = []
    for part, (picture, (left, top)) in zip(parts, cut_outs(pdf, areas, dpi=dpi), strict=True):
        ink = picture.getchannel("A").getbbox()
        if ink is not None:
            cut = picture.crop(ink)
            layers.append(Layer(part.group, part.name, cut, left + ink[0], top + ink[1]))
    return tuple(layers)


def _panels(page: PageDrawing) -> Iterator[_Part]:
    for panel in page.panels:
        art = msgspec.structs.replace(panel, strokes=())
        frame = msgspec.structs.replace(panel, picture=None, gutter_mm=0.0)
        area = _grown(panel.frame.bounds, panel.stroke_mm + panel.gutter_mm)
        yield _Part("Panels", f"{panel.id} picture", _only(page, panel=art), area)
        yield _Part("Panels", f"{panel.id} frame", _only(page, panel=frame), area)


def _shapes(page: PageDrawing) -> Iterator[_Part]:
    for balloon in page.balloons:
        if balloon.shape.commands:
            shape = msgspec.structs.replace(balloon, glyphs=Outline())
            area = _grown(balloon.shape.bounds, balloon.stroke_mm)
            yield _Part("Balloons", f"{balloon.id} balloon", _only(page, balloon=shape), area)


def _texts(page: PageDrawing) -> Iterator[_Part]:
    for balloon in page.balloons:
        if balloon.glyphs.commands:
            text = msgspec.structs.replace(balloon, shape=Outline())
            name = f"{balloon.id} {' '.join(balloon.value.split())}"
            yield _Part("Text", name, _only(page, balloon=text), balloon.field_mm)


def _only(
    page: PageDrawing, *, panel: FramedPanel | None = None, balloon: Balloon | None = None
) -> PageDrawing:
    return msgspec.structs.replace(
        page, panels=(panel,) if panel else (), balloons=(balloon,) if balloon else ()
    )


def _grown(box: Box, margin: float) -> Box:
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)


def _from_corner(area: Box, bleed: float) -> Box:
    """Return an area of the trim, a little larger, measured from the corner of the bleed."""
    box = _grown(area, _AROUND_MM)
    return Box(box.left + bleed, box.top + bleed, box.right + bleed, box.bottom + bleed)
