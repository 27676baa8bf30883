"""A page as a layered Photoshop file, which most drawing programs read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from storyboard.export.layers import GROUPS, Layer
from storyboard.geometry import Box, mm_to_px
from storyboard.layout.page_sizes import safe_area, trim_area
from storyboard.story import PageSize

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_NAME = 255
_FIXED_POINT = 1 << 16  # of resolutions
_GUIDE_UNITS = 32  # to a pixel
_GRID_UNITS = 576  # the usual distance of grid lines: 18 pixels
_VERTICAL, _HORIZONTAL = 0, 1


def write_psd(
    file: BinaryIO, merged: Image, layers: Sequence[Layer], dpi: float, size: PageSize
) -> None:
    """Write a page into an open file, with guides where it is cut and where text is safe.

    Args:
        file: where it goes.
        merged: the whole page, bleed included.
        layers: what it consists of, from the bottom up.
        dpi: resolution of both.
        size: of the page.
    """
    from PIL import Image as PillowImage
    from psd_tools.constants import Resource
    from psd_tools.psd.image_resources import GridGuidesInfo, ImageResource, ResoulutionInfo

    document = _document_class().frompil(merged)
    _add_layer(document, "Paper", PillowImage.new("LA", merged.size, (255, 255)), 0, 0)
    for group_name in GROUPS:
        group = document.create_group(name=group_name)
        for layer in (layer for layer in layers if layer.group == group_name):
            _add_layer(group, layer.name, layer.picture, layer.left_px, layer.top_px)
    resolution = round(dpi * _FIXED_POINT)
    resources: dict[Resource, Any] = {
        Resource.RESOLUTION_INFO: ResoulutionInfo(resolution, 1, 2, resolution, 1, 2),  # inch, cm
        Resource.GRID_AND_GUIDES_INFO: GridGuidesInfo(
            horizontal=_GRID_UNITS, vertical=_GRID_UNITS, data=_guides(size, dpi)
        ),
    }
    for key, data in resources.items():
        document.image_resources[key] = ImageResource(key=key.value, data=data)
    document.save(file)


@cache
def _document_class() -> Any:
    from psd_tools import PSDImage

    class Document(PSDImage):
        """A document whose merged picture is the page itself, and need not be put together."""

        def is_updated(self) -> bool:
            """Return that the merged picture is right."""
            return False

    return Document


def _add_layer(parent: Any, name: str, picture: Image, left: int, top: int) -> None:
    layer = parent.create_pixel_layer(picture, left=left, top=top)
    layer.name = name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _guides(size: PageSize, dpi: float) -> list[Any]:
    """Return position and direction of the guides along the trim and the safe area."""
    guides = []
    for area in (trim_area(size), safe_area(size)):
        for position, direction in _sides(area):
            pixels = mm_to_px(position + size.bleed_mm, dpi)
            guides.append((pixels * _GUIDE_UNITS, direction))
    return guides


def _sides(area: Box) -> tuple[tuple[float, int], ...]:
    return (
        (area.left, _VERTICAL),
        (area.right, _VERTICAL),
        (area.top, _HORIZONTAL),
        (area.bottom, _HORIZONTAL),
    )
