"""Reads page annotations in MangaZero's schema.

A file is a list of pages: `image_path` (relative to the image root), `frames`; a frame has `bbox`
(left, top, right, bottom in page pixels), `caption`, `characters` (`bbox`, `id`, `type`) and
`dialogs` (`bbox`). Ids are unique within a page only. Keys beyond these are kept out of the way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

BoxPx = tuple[float, float, float, float]


class CharacterAnnotation(msgspec.Struct, frozen=True):
    """One character's box in a frame; `type` 0 may serve as a source picture."""

    bbox: BoxPx
    id: int
    type: int = 0
    expression: str = ""
    body: str = ""
    identity: tuple[str, ...] = ()


class DialogAnnotation(msgspec.Struct, frozen=True):
    """Where lettering lies."""

    bbox: BoxPx


class FrameAnnotation(msgspec.Struct, frozen=True):
    """One panel of a page."""

    bbox: BoxPx
    caption: str
    characters: tuple[CharacterAnnotation, ...]
    dialogs: tuple[DialogAnnotation, ...]
    shot: str = ""
    place: str = ""


class PageAnnotation(msgspec.Struct, frozen=True):
    """One page with its panels."""

    image_path: str
    frames: tuple[FrameAnnotation, ...]
    meta: dict[str, Any] = {}
    held_out: bool = False


def read_annotations(path: Path) -> list[PageAnnotation]:
    """Return the pages of an annotation file.

    Raises:
        ValueError: the file is not in the schema; the message names the place.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[PageAnnotation])
    except msgspec.DecodeError as err:
        raise ValueError(f"{path} is not an annotation file: {err}") from err


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
