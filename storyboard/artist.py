"""Who draws a panel: the request and the Artist protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from storyboard.geometry import Box
from storyboard.story import Shot

if TYPE_CHECKING:
    from PIL.Image import Image

Settings = Mapping[str, Any]
"""How a picture was made, as JSON values; stored inside the picture."""

OnDrawn = Callable[[str, "Image", Settings], None]
"""Called with the panel's id, its picture and how it was made, the moment it is drawn."""


class ArtCharacter(msgspec.Struct, frozen=True):
    """A character to be drawn. `box` is in fractions of the panel; `images` may be empty."""

    name: str
    look: str
    acting: str
    images: tuple[Path, ...]
    box: Box


class ArtRequest(msgspec.Struct, frozen=True):
    """Everything a panel's picture depends on, apart from the artist.

    All boxes are fractions of the panel, whose size on the page is given in millimetres. Room
    for lettering is left in `dialog_boxes`.
    """

    panel_id: str
    caption: str
    style: str
    shot: Shot
    width_mm: float
    height_mm: float
    characters: tuple[ArtCharacter, ...]
    dialog_boxes: tuple[Box, ...]
    seed: int


class Artist(Protocol):
    """Draws panels."""

    @property
    def fingerprint(self) -> str:
        """Tells this artist's pictures from any other's: model, weights and settings."""

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        """Return (height, width) in pixels of the picture for a panel of this size on the page."""

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        """Draw every panel, and call `done` the moment one is there.

        The picture may have other proportions than the panel: its middle covers the panel
        (`visible_part`).

        Raises:
            PanelError: one panel cannot be drawn. The caller asks again for those that are left.
        """


def visible_part(size_px: tuple[int, int], width_mm: float, height_mm: float) -> Box:
    """Return the part of a picture that is seen when its middle covers a panel, as fractions.

    Args:
        size_px: height and width of the picture.
        width_mm: width of the panel.
        height_mm: height of the panel.
    """
    height_px, width_px = size_px
    stretch = (width_mm / height_mm) / (width_px / height_px)
    across, down = min(stretch, 1.0), min(1 / stretch, 1.0)
    return Box((1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2)


def nearest_size(
    sizes: Sequence[tuple[int, int]], width_mm: float, height_mm: float
) -> tuple[int, int]:
    """Return the (height, width) whose proportions are nearest to the panel's."""
    wanted = math.log(width_mm / height_mm)
    return min(sizes, key=lambda size: abs(math.log(size[1] / size[0]) - wanted))


def megapixel_sizes() -> tuple[tuple[int, int], ...]:
    """Return sizes an SDXL model knows: about one megapixel, multiples of 64, 1:4 to 4:1."""
    edges = range(512, 2049, 64)
    return tuple((h, w) for h in edges for w in edges if 0.9 <= h * w / 1024**2 <= 1.05)
