"""How a model is meant to be used: `settings.json` at the root of its folder."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from generator.errors import CheckpointError

SETTINGS_FILE = "settings.json"

Positive = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Oddity = Literal[
    "top-left-token",
    "guessed-grid",
    "random-masking",
    "half-precision-boxes",
    "black-empty-slots",
]
"""What the published code does that is a slip; docs/generator.md says what each one costs."""

TRAINED_ODDITIES: tuple[Oddity, ...] = ("top-left-token",)
"""Those that trained weights have learnt to live with."""

PUBLISHED_NEGATIVE_PROMPT = (
    "think lines, pure black background, colored, lowres, bad anatomy, worst quality, low quality"
)
"""As released, the slip of the pen included: the model was tuned with these words."""


class DrawSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model was trained for and draws best with; the defaults are the published demo's.

    Attributes:
        max_characters: characters in one panel.
        max_dialogs: dialogs in one panel.
        num_inference_steps: denoising steps.
        guidance_scale: 1 or less draws without a negative prompt.
        character_scale: weight of the character tokens, 0 to 1.
        mllm_scale: share of the language model's tokens in a character's, 0 to 1; without effect
            where the model has no `mllm`.
        negative_prompt: what the picture shall not show, where a panel does not say.
        sizes: the (height, width) in pixels it can draw; empty for any multiple of 8 from 64
            to 2048.
        compatibility: the published code's oddities to keep.
    """

    max_characters: Positive = 4
    max_dialogs: Annotated[int, msgspec.Meta(ge=0)] = 8
    num_inference_steps: Positive = 30
    guidance_scale: Annotated[float, msgspec.Meta(ge=0)] = 7.5
    character_scale: Share = 0.6
    mllm_scale: Share = 0.4
    negative_prompt: str = PUBLISHED_NEGATIVE_PROMPT
    sizes: tuple[tuple[Positive, Positive], ...] = ()
    compatibility: tuple[Oddity, ...] = TRAINED_ODDITIES


def read_settings(folder: Path) -> DrawSettings:
    """Return the settings of the model in a folder; the published ones if it names none.

    Raises:
        CheckpointError: the file is not JSON, or has an unknown name or a value out of range.
    """
    path = folder / SETTINGS_FILE
    if not path.exists():
        return DrawSettings()
    try:
        values = json.loads(path.read_bytes())
        _refuse_unknown_names(path, values)
        return msgspec.convert(values, DrawSettings)
    except (OSError, ValueError) as error:  # msgspec's and json's errors are ValueErrors
        raise CheckpointError(path, str(error)) from error


def write_settings(settings: DrawSettings, folder: Path) -> None:
    """Write `settings.json` into a model folder."""
    text = msgspec.json.format(msgspec.json.encode(settings), indent=2)
    (folder / SETTINGS_FILE).write_bytes(text + b"\n")


def _refuse_unknown_names(path: Path, values: object) -> None:
    if not isinstance(values, dict):
        raise CheckpointError(path, "expected an object with the settings' names")
    known = DrawSettings.__struct_fields__
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise CheckpointError(path, f"unknown setting {name!r}; {hint}")
