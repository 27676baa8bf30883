"""Pictures as they stand in the PDF: grey, sharp at print size, packed without loss."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storyboard.book.lineart import print_picture
from storyboard.book.page import placed_picture
from storyboard.errors import MissingError
from storyboard.geometry import Box

if TYPE_CHECKING:
    from PIL.Image import Image


class PackedPicture(msgspec.Struct, frozen=True):
    """A grey picture's pixels, filtered and deflated as PNG does; PDF can take them as they are."""

    width_px: int
    height_px: int
    bits: int
    data: bytes


def packed_picture(path: Path, frame: Box) -> PackedPicture:
    """Return the picture as it is printed when its middle covers a frame (millimetres).

    Raises:
        MissingError: the file is not there or is no picture.
    """
    from PIL import Image as PillowImage
    from PIL import UnidentifiedImageError

    try:
        with PillowImage.open(path) as opened:
            box = placed_picture(frame, opened.width, opened.height)
            grey = print_picture(opened, box.width, box.height)
    except (OSError, UnidentifiedImageError) as err:
        raise MissingError(
            f"{path}: cannot be read as a picture", hint="draw the panel again, or put it back"
        ) from err
    return _packed(grey)


def _packed(grey: Image) -> PackedPicture:
    levels = grey.histogram()
    is_line_art = sum(levels[1:255]) == 0
    picture = grey.point(lambda level: level, mode="1") if is_line_art else grey
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=6)
    data = b"".join(_image_data(file.getvalue()))
    return PackedPicture(grey.width, grey.height, 1 if is_line_art else 8, data)


def _image_data(png: bytes) -> Iterator[bytes]:
    """Yield the contents of a PNG file's IDAT chunks."""
    start = 8
    while start < len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        if png[start + 4 : start + 8] == b"IDAT":
            yield png[start + 8 : start + 8 + length]
        start += 12 + length
