"""Pictures as they stand in the PDF: sharp at print size, packed small.

Line art becomes black and white at 600 dots per inch, packed as fax machines do: a tenth to a
twentieth of the same drawing in greys. A picture with tones stays grey, packed without loss.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from storyboard.book.kept import KeptFolder, stamp_of
from storyboard.book.lineart import as_line_art, is_line_art, print_picture
from storyboard.book.page import placed_picture
from storyboard.errors import MissingError
from storyboard.geometry import Box

if TYPE_CHECKING:
    from PIL.Image import Image

_SOURCES = ("book/pictures.py", "book/lineart.py", "book/page.py")  # what makes prints


class PackedPicture(msgspec.Struct, frozen=True):
    """A picture's pixels as PDF can take them.

    Attributes:
        bits: 1 for black and white, 8 for grey.
        packing: "fax" is CCITT group 4; "png" is deflated, rows filtered as in PNG files.
    """

    width_px: int
    height_px: int
    bits: int
    packing: Literal["fax", "png"]
    data: bytes


class PrintFolder:
    """Makes pictures ready for print, and keeps what it made: that takes most of binding's time."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep files in `folder`, which need not exist yet; None keeps nothing."""
        self.kept = KeptFolder(folder)

    def packed(self, picture: Path, frame: Box) -> PackedPicture:
        """Return the picture as it is printed when its middle covers a frame (millimetres).

        Raises:
            MissingError: the file is not there or is no picture.
            OutputError: the folder cannot be written to.
        """
        made = self.kept.get(
            "print",
            print_name(picture, frame).encode(),
            lambda: msgspec.msgpack.encode(_packed(picture, frame)),
            _SOURCES,
        )
        return msgspec.msgpack.decode(made, type=PackedPicture)


def print_name(picture: Path, frame: Box) -> str:
    """Return what tells a picture at one size in print from every other.

    Raises:
        MissingError: the file is not there.
    """
    try:
        stamp = stamp_of(picture)
    except OSError as err:
        raise _unreadable(picture) from err
    return f"{picture.parent.name}/{picture.name} {stamp} {frame.width:.4f} {frame.height:.4f}"


def _packed(picture: Path, frame: Box) -> PackedPicture:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(picture) as opened:
            box = placed_picture(frame, opened.width, opened.height)
            grey = print_picture(opened, box.width, box.height)
    except (OSError, UnidentifiedImageError) as err:
        raise _unreadable(picture) from err
    if is_line_art(grey):
        return _as_fax(as_line_art(grey, box.width, box.height))
    return _as_png(grey)


def _as_fax(picture: Image) -> PackedPicture:
    """Return a picture of mode 1 packed by CCITT group 4, which Pillow does for TIFF files."""
    from PIL import ImageChops
    from PIL.TiffImagePlugin import STRIPBYTECOUNTS, STRIPOFFSETS, TiffImageFile

    tiff = io.BytesIO()
    ink = ImageChops.invert(picture)  # Pillow's TIFF counts what is 0 as paper
    ink.save(tiff, "tiff", compression="group4", strip_size=1 << 30)
    tiff.seek(0)
    with TiffImageFile(tiff) as opened:
        (start,), (length,) = (opened.tag_v2[tag] for tag in (STRIPOFFSETS, STRIPBYTECOUNTS))
    data = tiff.getvalue()[start : start + length]
    return PackedPicture(picture.width, picture.height, 1, "fax", data)


def _as_png(picture: Image) -> PackedPicture:
    png = io.BytesIO()
    picture.save(png, "png", compress_level=9)
    data = b"".join(_image_data(png.getvalue()))
    return PackedPicture(picture.width, picture.height, 8, "png", data)


def _image_data(png: bytes) -> Iterator[bytes]:
    """Yield the contents of a PNG file's IDAT chunks."""
    start = 8
    while start < len(png):
        (length,) = struct.unpack(">I", png[start : start + 4])
        if png[start + 4 : start + 8] == b"IDAT":
            yield png[start + 8 : start + 8 + length]
        start += 12 + length


def _unreadable(picture: Path) -> MissingError:
    return MissingError(
        f"{picture}: cannot be read as a picture", hint="draw the panel again, or put it back"
    )
