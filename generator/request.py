"""What is asked of the generator and what comes back: plain data, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generator.errors import RequestError
from generator.settings import DrawSettings

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_EDGE_PX = 64
MAX_EDGE_PX = 2048
SIZE_STEP_PX = 8

Corners = tuple[float, float, float, float]
"""Left, top, right, bottom: fractions of the panel, 0 to 1, y down."""


@dataclass(frozen=True)
class CharacterRequest:
    """One character in a panel.

    Attributes:
        images: pictures of the character; their tokens are averaged. Without any, the place is
            kept for a character whose look only the caption tells.
        box: where in the panel.
    """

    images: tuple[Image, ...]
    box: Corners


@dataclass(frozen=True)
class PanelRequest:
    """One panel to draw.

    Attributes:
        id: named in errors and given back with the picture.
        caption: what is drawn.
        height_px: height of the picture.
        width_px: width of the picture.
        seed: the same seed gives the same picture, whatever is drawn beside it.
        characters: at most the model's `max_characters`.
        dialog_boxes: where lettering will lie, at most the model's `max_dialogs`.
        negative_prompt: None for the model's own.
    """

    id: str
    caption: str
    height_px: int
    width_px: int
    seed: int
    characters: tuple[CharacterRequest, ...] = ()
    dialog_boxes: tuple[Corners, ...] = ()
    negative_prompt: str | None = None


@dataclass(frozen=True)
class DrawnPanel:
    """A picture and what it was drawn from.

    Attributes:
        request: the panel.
        image: its picture.
        provenance: everything else it depends on, as JSON values: `weights` (the model's
            fingerprint), `seed`, `prompt`, `negative_prompt`, `height_px`, `width_px`,
            `character_boxes`, `dialog_boxes`, `settings`, `scheduler`, `loras`, `dtype`, `mode`,
            `mllm` (how its language model was held, null if there was none), `tiled` and
            `versions` of the libraries.
    """

    request: PanelRequest
    image: Image
    provenance: Mapping[str, Any] = field(default_factory=dict)


def check_panels(
    panels: Sequence[PanelRequest], settings: DrawSettings, *, size_step_px: int = SIZE_STEP_PX
) -> None:
    """Refuse the first panel that the model cannot draw, before any work is done.

    Args:
        panels: to be drawn.
        settings: of the model.
        size_step_px: height and width must be multiples of it.

    Raises:
        RequestError: names the panel and what is allowed.
    """
    for panel in panels:
        _check_size(panel, settings, size_step_px)
        _check_count(panel, "characters", len(panel.characters), settings.max_characters)
        _check_count(panel, "dialogs", len(panel.dialog_boxes), settings.max_dialogs)
        for box in (*(character.box for character in panel.characters), *panel.dialog_boxes):
            _check_box(panel, box)


def _check_size(panel: PanelRequest, settings: DrawSettings, step: int) -> None:
    size = panel.height_px, panel.width_px
    if settings.sizes and size not in settings.sizes:
        allowed = ", ".join(f"{height} x {width}" for height, width in settings.sizes)
        raise RequestError(
            panel.id, f"{size[0]} x {size[1]} px; this model draws {allowed} (height x width)"
        )
    if any(edge % step or not MIN_EDGE_PX <= edge <= MAX_EDGE_PX for edge in size):
        raise RequestError(
            panel.id,
            f"{size[0]} x {size[1]} px; height and width must be multiples of {step} "
            f"from {MIN_EDGE_PX} to {MAX_EDGE_PX}",
        )


def _check_count(panel: PanelRequest, things: str, found: int, allowed: int) -> None:
    if found > allowed:
        raise RequestError(panel.id, f"{found} {things}; this model draws at most {allowed}")


def _check_box(panel: PanelRequest, box: Corners) -> None:
    left, top, right, bottom = box
    if not (0 <= left <= right <= 1 and 0 <= top <= bottom <= 1):
        raise RequestError(
            panel.id,
            f"box {list(box)}; expected left, top, right, bottom from 0 to 1 with "
            "left <= right and top <= bottom",
        )
