"""A panel of the page as the generator is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.artist import ArtRequest, visible_part
from storyboard.geometry import Box

if TYPE_CHECKING:
    from PIL.Image import Image

    from generator.request import PanelRequest

# The model's dialog boxes hold the words; what it draws of a balloon stays under the one lettered.
_WORDS_IN_BALLOON = Box(0.13, 0.13, 0.87, 0.87)


SizePx = Callable[[float, float], tuple[int, int]]
"""Gives the height and width of a picture in pixels, from the panel's width and height in mm."""


def panel_requests(
    requests: Sequence[ArtRequest], size_px: SizePx, prompts: Mapping[str, str]
) -> dict[str, PanelRequest]:
    """Return what to ask for, by panel id; each picture of a character is opened once.

    Args:
        requests: the panels.
        size_px: of their pictures.
        prompts: what each is asked for with, by panel id.
    """
    paths = {path for one in requests for person in one.characters for path in person.images}
    pictures = {path: _opened(path) for path in sorted(paths)}
    return {
        request.panel_id: _panel_request(
            request,
            size_px(request.width_mm, request.height_mm),
            prompts[request.panel_id],
            pictures,
        )
        for request in requests
    }


def _panel_request(
    request: ArtRequest, size_px: tuple[int, int], prompt: str, pictures: Mapping[Path, Image]
) -> PanelRequest:
    """Return one; its boxes are of the part of the picture that the panel shows."""
    from generator.request import CharacterRequest, PanelRequest

    seen = visible_part(size_px, request.width_mm, request.height_mm)
    return PanelRequest(
        id=request.panel_id,
        caption=prompt,
        height_px=size_px[0],
        width_px=size_px[1],
        seed=request.seed,
        characters=tuple(
            CharacterRequest(
                images=tuple(pictures[path] for path in character.images),
                box=_corners(character.box.within(seen)),
            )
            for character in request.characters
        ),
        dialog_boxes=tuple(
            _corners(_WORDS_IN_BALLOON.within(box).within(seen)) for box in request.dialog_boxes
        ),
    )


def _corners(box: Box) -> tuple[float, float, float, float]:
    """Return a box of the picture, cut at the picture's edges."""
    left, top, right, bottom = (
        min(max(edge, 0.0), 1.0) for edge in (box.left, box.top, box.right, box.bottom)
    )
    return left, top, right, bottom


def _opened(path: Path) -> Image:
    """Return a character's picture on white, turned upright as the camera noted."""
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")
