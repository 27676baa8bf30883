"""The parts of a loaded model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from generator.encoders import CharacterEncoders
from generator.mllm import CharacterMllm
from generator.prompts import TextEncoders
from generator.resampler import CharacterResampler
from generator.settings import DrawSettings
from generator.unet import CharacterAdapter

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel


@dataclass(frozen=True)
class Components:
    """Everything a model folder holds.

    Attributes:
        unet: with the characters put in.
        adapter: of this U-Net.
        resampler: character tokens from image features.
        image_encoders: image features of the characters.
        text: text encoders and tokenizers.
        vae: AutoencoderKL or AutoencoderDC.
        scheduler: of diffusers; copied for each batch, because some keep a history.
        settings: how the model is meant to be used.
        mllm: makes character tokens agree with the caption; None where the folder has none.
    """

    unet: UNet2DConditionModel
    adapter: CharacterAdapter
    resampler: CharacterResampler
    image_encoders: CharacterEncoders
    text: TextEncoders
    vae: Any
    scheduler: Any
    settings: DrawSettings
    mllm: CharacterMllm | None = None

    def encoding_modules(self) -> tuple[nn.Module, ...]:
        """The modules that turn captions and pictures into tokens."""
        return (
            self.text.encoder,
            self.text.encoder_2,
            self.image_encoders.clip,
            self.image_encoders.magi,
            self.resampler,
        )
