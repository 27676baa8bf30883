"""Panels to draw: four characters, three dialogs, one size."""

from __future__ import annotations

from PIL import Image

from benchmarks.unet_steps import CHARACTER_BOXES, DIALOG_BOXES
from generator.request import CharacterRequest, PanelRequest

CAPTION = "four people at a table, one points at the window, at night"


def panel_requests(count: int, size_px: tuple[int, int]) -> list[PanelRequest]:
    """Return panels with the same cast, height and width in pixels, each with another caption."""
    cast = [Image.effect_noise((256, 320), 20.0 + 10 * number) for number in range(4)]
    return [
        PanelRequest(
            id=f"panel {number}",
            caption=f"{CAPTION}, {number}",
            height_px=size_px[0],
            width_px=size_px[1],
            seed=number,
            characters=tuple(
                CharacterRequest((picture,), box)
                for picture, box in zip(cast, CHARACTER_BOXES, strict=True)
            ),
            dialog_boxes=DIALOG_BOXES,
        )
        for number in range(count)
    ]
