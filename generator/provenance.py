"""What a picture depends on, as JSON values."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from generator.components import Components
from generator.conditioning import negative_prompt
from generator.fingerprint import file_digest
from generator.loras import Lora
from generator.request import PanelRequest

LIBRARIES = ("torch", "diffusers", "transformers")


def about_panel(panel: PanelRequest, components: Components) -> dict[str, Any]:
    """Return what was asked for and how the model was told to draw it."""
    return {
        "seed": panel.seed,
        "prompt": panel.caption,
        "negative_prompt": negative_prompt(panel, components),
        "height_px": panel.height_px,
        "width_px": panel.width_px,
        "character_boxes": [list(character.box) for character in panel.characters],
        "dialog_boxes": [list(box) for box in panel.dialog_boxes],
        "settings": json.loads(msgspec.json.encode(components.settings)),
    }


def about_loras(loras: Sequence[Lora]) -> list[dict[str, Any]]:
    """Return name, SHA-256 and weight of each."""
    return [
        {"file": lora.path.name, "sha256": file_digest(lora.path), "weight": lora.weight}
        for lora in loras
    ]


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that compute a picture."""
    return {library: importlib.metadata.version(library) for library in LIBRARIES}
