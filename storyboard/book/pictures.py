"""Pictures as they stand in the PDF: grey, sharp at print size, packed without loss."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from storyboard.book.lineart import print_picture
from storyboard.book.page import placed_picture
from storyboard.errors import MissingError
from storyboard.files import write_atomically
from storyboard.gallery import is_whole_png, make_folder
from storyboard.geometry import Box

PRINT_FORM = 1  # one more whenever `print_picture` makes something else of a picture


class PackedPicture(msgspec.Struct, frozen=True):
    """A grey picture's pixels, filtered and deflated as PNG does; PDF can take them as they are."""

    width_px: int
    height_px: int
    bits: int
    data: bytes


class PrintFolder:
    """Makes pictures ready for print, and keeps what it made: that takes most of binding's time.

    What it keeps are PNG files, named by all they depend on. Deleting them loses only time.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Keep files in `folder`, which need not exist yet; None keeps nothing."""
        self._folder = folder

    def packed(self, picture: Path, frame: Box) -> PackedPicture:
        """Return the picture as it is printed when its middle covers a frame (millimetres).

        Raises:
            MissingError: the file is not there or is no picture.
            OutputError: the folder cannot be written to.
        """
        if self._folder is None:
            return _packed(_printed(picture, frame))
        kept = self._folder / f"{_name(picture, frame)}.png"
        if kept.is_file() and is_whole_png(kept):
            return _packed(kept.read_bytes())
        png = _printed(picture, frame)
        make_folder(self._folder)
        write_atomically(kept, png)
        return _packed(png)


def _name(picture: Path, frame: Box) -> str:
    size = f"{frame.width:.4f} {frame.height:.4f} {PRINT_FORM}".encode()
    return hashlib.sha256(_read(picture) + size).hexdigest()[:32]


def _printed(picture: Path, frame: Box) -> bytes:
    """Return the picture as PNG: grey, or black and white where it has no grey."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(_read(picture))) as opened:
            box = placed_picture(frame, opened.width, opened.height)
            grey = print_picture(opened, box.width, box.height)
    except (OSError, UnidentifiedImageError) as err:
        raise _unreadable(picture) from err
    is_line_art = sum(grey.histogram()[1:255]) == 0
    png = io.BytesIO()
    (grey.point(lambda level: level, mode="1") if is_line_art else grey).save(png, "png")
    return png.getvalue()


def _read(picture: Path) -> bytes:
    try:
        return picture.read_bytes()
    except OSError as err:
        raise _unreadable(picture) from err


def _unreadable(picture: Path) -> MissingError:
    return MissingError(
        f"{picture}: cannot be read as a picture", hint="draw the panel again, or put it back"
    )


def _packed(png: bytes) -> PackedPicture:
    width, height, bits = struct.unpack(">IIB", png[16:25])  # PNG's first chunk, IHDR
    return PackedPicture(width, height, bits, b"".join(_image_data(png)))


def _image_data(png: bytes) -> Iterator[bytes]:
    """Yield the contents of a PNG file's IDAT chunks."""
    start = 8
    while start < len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        if png[start + 4 : start + 8] == b"IDAT":
            yield png[start + 8 : start + 8 + length]
        start += 12 + length
