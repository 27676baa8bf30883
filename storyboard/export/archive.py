"""Zip archives whose bytes depend on nothing but their content."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold
_READABLE_FILE = 0o100644 << 16


def add(archive: zipfile.ZipFile, name: str, data: bytes, *, packed: bool = True) -> None:
    """Put a file into an archive, deflated unless it already is packed as well as can be."""
    info = zipfile.ZipInfo(name, _LONG_AGO)
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    info.external_attr = _READABLE_FILE
    archive.writestr(info, data)


def png_bytes(picture: Image, *, dpi: float | None = None) -> bytes:
    """Return a picture as a PNG file that says its resolution, if there is one to say."""
    data = io.BytesIO()
    picture.save(data, "png", **({"dpi": (dpi, dpi)} if dpi else {}))
    return data.getvalue()
