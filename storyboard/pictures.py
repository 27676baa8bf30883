"""Pictures that writers bring along: can they be read?"""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 80_000_000

# what Pillow's decoders raise on files that are cut off or made up
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)


def picture_fault(path: Path) -> str | None:
    """Return why the picture at `path` cannot be used, or None where it can.

    The whole picture is decoded, since a file that is cut off often still opens.
    """
    try:
        if not path.exists():
            return "there is no such picture"
        if not path.is_file():
            return "this is a folder, not a picture" if path.is_dir() else "this is not a file"
        return _decoding_fault(path)
    except _DECODING_ERRORS as err:
        reason = getattr(err, "strerror", None) or str(err) or type(err).__name__
        return f"the picture cannot be read: {reason}"


def _decoding_fault(path: Path) -> str | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; the size is checked below
            with Image.open(path, formats=PICTURE_FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    size = f"{picture.width} x {picture.height}"
                    return f"the picture is too large ({size} pixels)"
                picture.load()
    except UnidentifiedImageError:
        return "this is no picture that can be read"
    except Image.DecompressionBombError:
        return "the picture is too large"
    return None
