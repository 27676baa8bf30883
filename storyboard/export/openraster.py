"""A page as OpenRaster, the layered format that Krita, GIMP and MyPaint share.

Source: the OpenRaster draft specification 0.0.5 of freedesktop.org.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree

from storyboard.export.archive import add, png_bytes
from storyboard.export.layers import GROUPS, Layer

if TYPE_CHECKING:
    from PIL.Image import Image

_THUMBNAIL_PX = 256


def write_openraster(file: BinaryIO, merged: Image, layers: Sequence[Layer], dpi: float) -> None:
    """Write a page into an open file.

    Args:
        file: where it goes.
        merged: the whole page.
        layers: what it consists of, from the bottom up.
        dpi: resolution of both.
    """
    sources = {id(layer): f"data/layer-{number:03}.png" for number, layer in enumerate(layers)}
    with zipfile.ZipFile(file, "w") as archive:
        add(archive, "mimetype", b"image/openraster", packed=False)  # first, for those who peek
        add(archive, "stack.xml", _stack(merged, layers, sources, dpi))
        add(archive, "data/paper.png", png_bytes(_paper(merged)), packed=False)
        for layer in layers:
            add(archive, sources[id(layer)], png_bytes(layer.picture), packed=False)
        add(archive, "mergedimage.png", png_bytes(merged, dpi=dpi), packed=False)
        small = merged.copy()
        small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        add(archive, "Thumbnails/thumbnail.png", png_bytes(small), packed=False)


def _paper(merged: Image) -> Image:
    from PIL import Image as PillowImage

    return PillowImage.new("L", merged.size, 255)


def _stack(merged: Image, layers: Sequence[Layer], sources: dict[int, str], dpi: float) -> bytes:
    """Return stack.xml, in which the first is on top."""
    size = {"w": str(merged.width), "h": str(merged.height)}
    resolution = {"xres": str(round(dpi)), "yres": str(round(dpi))}
    image = ElementTree.Element("image", {"version": "0.0.5", **size, **resolution})
    root = ElementTree.SubElement(image, "stack")
    for group in reversed(GROUPS):
        stack = ElementTree.SubElement(root, "stack", {"name": group, "isolation": "auto"})
        for layer in _from_the_top(layers, group):
            place = {"x": str(layer.left_px), "y": str(layer.top_px)}
            _add_layer(stack, layer.name, sources[id(layer)], place)
    _add_layer(root, "Paper", "data/paper.png", {"x": "0", "y": "0"})
    ElementTree.indent(image)
    data: bytes = ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)
    return data


def _from_the_top(layers: Sequence[Layer], group: str) -> Iterator[Layer]:
    return (layer for layer in reversed(layers) if layer.group == group)


def _add_layer(parent: ElementTree.Element, name: str, source: str, place: dict[str, str]) -> None:
    shown = {"opacity": "1.0", "visibility": "visible", "composite-op": "svg:src-over"}
    ElementTree.SubElement(parent, "layer", {"name": name, "src": source, **place, **shown})
