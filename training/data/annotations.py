"""Reads and writes page annotations in MangaZero's schema, and the pages they belong to.

A file is a list of pages: `image_path` (relative to the image root), `frames`; a frame has `bbox`
(left, top, right, bottom in page pixels), `caption`, `characters` (`bbox`, `id`, `type`) and
`dialogs` (`bbox`). Ids are unique within a page only. Keys beyond these are kept out of the way.

Large collections hold pages that cannot be used: `BadPages` counts and names them, and is an error
once they are more than a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image, UnidentifiedImageError

BoxPx = tuple[float, float, float, float]

ALLOWED_BAD_SHARE = 0.01
NAMED_BAD_PAGES = 20


class CharacterAnnotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One character's box in a frame; `type` 0 may serve as a source picture.

    `face` is the box of the face in it, where the data have one.
    """

    bbox: BoxPx
    id: int
    type: int = 0
    expression: str = ""
    body: str = ""
    identity: tuple[str, ...] = ()
    face: BoxPx | None = None


class DialogAnnotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where lettering lies, and what it says where the data tell."""

    bbox: BoxPx
    text: str = ""


class FrameAnnotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One panel of a page."""

    bbox: BoxPx
    caption: str
    characters: tuple[CharacterAnnotation, ...]
    dialogs: tuple[DialogAnnotation, ...]
    shot: str = ""
    place: str = ""


class PageAnnotation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page with its panels."""

    image_path: str
    frames: tuple[FrameAnnotation, ...]
    meta: dict[str, Any] = {}
    held_out: bool = False


class BadPageError(ValueError):
    """A page cannot be used; says why, without its name."""


class TooManyBadPagesError(ValueError):
    """So many pages cannot be used that something is wrong with the collection."""


class BadPages:
    """Pages that could not be used: each with its name and the reason."""

    def __init__(self) -> None:
        """Begin with none."""
        self.reasons: dict[str, str] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self.reasons)

    def add(self, name: str, reason: object) -> None:
        """Count a page."""
        self.reasons[name] = str(reason)

    def summary(self) -> str:
        """Say how many there are, and name the first of them, a line each."""
        lines = [f"  {name}: {reason}" for name, reason in self.reasons.items()]
        more = len(lines) - NAMED_BAD_PAGES
        if more > 0:
            lines[NAMED_BAD_PAGES:] = [f"  and {more} more"]
        pages = "1 page" if len(self) == 1 else f"{len(self)} pages"
        return "\n".join([f"{pages} could not be used{':' if lines else ''}", *lines])

    def check(self, total: int, *, allowed_share: float = ALLOWED_BAD_SHARE) -> None:
        """Refuse to go on where too many of `total` pages are bad.

        Raises:
            TooManyBadPagesError: their share is above the allowed one.
        """
        if len(self) > allowed_share * total:
            raise TooManyBadPagesError(
                f"{len(self)} of {total} pages cannot be used, more than {allowed_share:.0%}\n"
                f"{self.summary()}"
            )


def read_annotations(path: Path) -> list[PageAnnotation]:
    """Return the pages of an annotation file.

    Raises:
        ValueError: the file is not in the schema; the message names the place.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[PageAnnotation])
    except msgspec.DecodeError as err:
        raise ValueError(f"{path} is not an annotation file: {err}") from err


def write_annotations(pages: Sequence[PageAnnotation], path: Path) -> None:
    """Write an annotation file, whole or not at all."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(msgspec.json.encode(list(pages)) + b"\n")
    unfinished.replace(path)


def read_page(root: Path, page: PageAnnotation) -> Image.Image:
    """Return a page's picture in gray, whole.

    Raises:
        BadPageError: the picture is missing, damaged or cut short, or a frame has no area.
    """
    for number, frame in enumerate(page.frames, 1):
        width, height = frame.bbox[2] - frame.bbox[0], frame.bbox[3] - frame.bbox[1]
        if round(width) < 1 or round(height) < 1:
            raise BadPageError(f"frame {number} is {width:g} x {height:g} px")
    try:
        with Image.open(root / page.image_path) as picture:
            return picture.convert("L")
    except FileNotFoundError as err:
        raise BadPageError("the picture is missing") from err
    except UnidentifiedImageError as err:
        raise BadPageError("not a picture") from err
    # what PIL raises depends on the format and on where the file is cut
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as err:
        raise BadPageError(f"damaged: {err}") from err


def relative_box(box: BoxPx, frame: BoxPx) -> BoxPx:
    """Return a page box as fractions of the frame, cut at its edges."""
    width, height = frame[2] - frame[0], frame[3] - frame[1]
    values = (
        (box[0] - frame[0]) / width,
        (box[1] - frame[1]) / height,
        (box[2] - frame[0]) / width,
        (box[3] - frame[1]) / height,
    )
    left, top, right, bottom = (min(max(value, 0.0), 1.0) for value in values)
    return left, top, right, bottom
