"""Puts the trained parts together as a model folder in the published layout.

    python -m training.export --output generator/mini

takes the running averages of the last checkpoints and stores them in float16.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderDC, DPMSolverMultistepScheduler
from torch import nn
from transformers import CLIPImageProcessorPil, ViTImageProcessorPil

from generator.checkpoint import save_checkpoint
from generator.components import Components
from generator.encoders import CharacterEncoders
from generator.settings import DrawSettings
from training.data.buckets import MINI_SIZES
from training.data.cache import REFERENCE_PX
from training.stage1_characters import MAX_CHARACTERS, MAX_DIALOGS, NOISE_SCHEDULE, Stage

SETTINGS = DrawSettings(
    max_characters=MAX_CHARACTERS,
    max_dialogs=MAX_DIALOGS,
    num_inference_steps=20,
    guidance_scale=2.5,
    character_scale=1.0,
    negative_prompt="",
    sizes=MINI_SIZES,
)


def trained_stage(encoders: Path, checkpoint: Path) -> tuple[Stage, int]:
    """Return the stage with the averaged weights of a checkpoint, and its step."""
    stage = Stage(encoders)
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    modules = nn.ModuleDict(stage.trained())
    modules.load_state_dict({**saved["modules"], **saved["average"]}, strict=True)
    return stage, int(saved["step"])


def mini_components(encoders: Path, autoencoder: Path, checkpoint: Path) -> Components:
    """Return the mini model from the stages' output folders."""
    stage, _ = trained_stage(encoders, checkpoint)
    vae: Any = AutoencoderDC
    solver: Any = DPMSolverMultistepScheduler
    look: dict[str, Any] = {
        "size": {"height": REFERENCE_PX, "width": REFERENCE_PX}, "do_center_crop": False,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3,
    }  # fmt: skip
    return Components(
        unet=stage.unet,
        adapter=stage.adapter,
        resampler=stage.resampler,
        image_encoders=CharacterEncoders(
            clip=stage.clip,
            clip_processor=CLIPImageProcessorPil(**look),
            magi=stage.magi,
            magi_processor=ViTImageProcessorPil(**look),
        ),
        text=stage.text,
        vae=vae.from_pretrained(autoencoder / "vae"),
        scheduler=solver(**NOISE_SCHEDULE),
        settings=SETTINGS,
    )


def main() -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--encoders", type=Path, default=Path("runs/encoders"))
    parser.add_argument("--autoencoder", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--checkpoint", type=Path, default=Path("runs/stage1/checkpoint.pt"))
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    components = mini_components(given.encoders, given.autoencoder, given.checkpoint)
    for part in (
        components.unet,
        components.vae,
        *components.encoding_modules(),
    ):
        part.half()
    save_checkpoint(components, given.output)


if __name__ == "__main__":
    main()
