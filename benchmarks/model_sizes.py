"""The sizes at which things are measured: the published one, a middle one, a tiny one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

TOKENS_PER_CHARACTER = 16
MAX_CHARACTERS = 4


@dataclass(frozen=True)
class EncoderSize:
    """One transformer: text or image encoder, or the language model."""

    width: int
    layers: int
    heads: int
    inner_width: int


@dataclass(frozen=True)
class ModelSize:
    """What decides how long a model of DiffSensei's form takes and how much memory it needs.

    Attributes:
        name: for tables.
        channels: of the U-Net's three levels.
        heads: of the U-Net's attention layers, per level.
        transformer_layers: in each attention block, per level; the first level has no attention.
        norm_groups: of the U-Net's and the autoencoder's group norms.
        text: SDXL's two text encoders; their widths add up to the cross-attention's.
        clip: the image encoder; reads 224 pixels a side in patches of 14.
        magi: the manga encoder; reads 224 pixels a side in patches of 16.
        resampler_width: of the character resampler.
        vae_channels: of the autoencoder's four levels.
        llm: the language model.
        grid: a side of the square of queries of the language model's resamplers.
    """

    name: str
    channels: tuple[int, int, int]
    heads: tuple[int, int, int]
    transformer_layers: tuple[int, int, int]
    norm_groups: int
    text: tuple[EncoderSize, EncoderSize]
    clip: EncoderSize
    magi: EncoderSize
    resampler_width: int
    vae_channels: tuple[int, int, int, int]
    llm: EncoderSize
    grid: int = 8

    @property
    def cross_width(self) -> int:
        """Width of the tokens that the U-Net attends to."""
        return sum(encoder.width for encoder in self.text)

    def unet_config(self) -> dict[str, Any]:
        """Return the arguments of diffusers' UNet2DConditionModel."""
        time_width = 256 if self.cross_width >= 1024 else 32
        return {
            "sample_size": 128,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "block_out_channels": self.channels,
            "transformer_layers_per_block": self.transformer_layers,
            "attention_head_dim": self.heads,  # heads; the name is diffusers' own slip
            "cross_attention_dim": self.cross_width,
            "norm_num_groups": self.norm_groups,
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": time_width,
            "projection_class_embeddings_input_dim": 6 * time_width + self.text[1].width,
        }


FULL = ModelSize(
    name="full",
    channels=(320, 640, 1280),
    heads=(5, 10, 20),
    transformer_layers=(1, 2, 10),
    norm_groups=32,
    text=(EncoderSize(768, 12, 12, 3072), EncoderSize(1280, 32, 20, 5120)),
    clip=EncoderSize(1280, 32, 16, 5120),
    magi=EncoderSize(768, 12, 12, 3072),
    resampler_width=1280,
    vae_channels=(128, 256, 512, 512),
    llm=EncoderSize(5120, 40, 40, 13824),
)
"""The released model's: SDXL with ViT-H, ViT-MAE base and a Llama of 13 billion parameters."""

MIDDLE = ModelSize(
    name="middle",
    channels=(64, 128, 256),
    heads=(1, 2, 4),
    transformer_layers=(1, 10, 10),
    norm_groups=32,
    text=(EncoderSize(96, 4, 3, 384), EncoderSize(160, 4, 5, 640)),
    clip=EncoderSize(256, 8, 4, 1024),
    magi=EncoderSize(192, 6, 3, 768),
    resampler_width=256,
    vae_channels=(64, 128, 256, 256),
    llm=EncoderSize(512, 8, 8, 1376),
)
"""As deep as SDXL and a fifth as wide: what a CPU can still measure."""

MINI = replace(MIDDLE, name="mini", llm=EncoderSize(256, 4, 4, 688))
"""A small language model beside it; the mini model that ships has none."""

TINY = ModelSize(
    name="tiny",
    channels=(32, 32, 32),
    heads=(2, 2, 2),
    transformer_layers=(1, 1, 1),
    norm_groups=8,
    text=(EncoderSize(16, 2, 2, 32), EncoderSize(16, 2, 2, 32)),
    clip=EncoderSize(32, 2, 2, 64),
    magi=EncoderSize(32, 2, 2, 64),
    resampler_width=64,
    vae_channels=(8, 8, 8, 8),
    llm=EncoderSize(32, 2, 2, 64),
)
"""So small that it only shows whether a program works."""
