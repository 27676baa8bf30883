"""Latents become pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor


def decode(latents: Tensor, vae: Any) -> Iterator[Image.Image]:
    """Give the pictures one by one, so that memory is needed for one only."""
    config, dtype = vae.config, vae.dtype
    latents = latents / config.scaling_factor
    if getattr(config, "latents_mean", None) and getattr(config, "latents_std", None):
        mean = latents.new_tensor(config.latents_mean).view(1, -1, 1, 1)
        latents = latents * latents.new_tensor(config.latents_std).view(1, -1, 1, 1) + mean
    for one in latents:
        pixels = vae.decode(one[None].to(vae.device, dtype)).sample[0].float()
        levels = ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        array = levels.permute(1, 2, 0).cpu().numpy()
        yield Image.fromarray(array.squeeze(-1) if array.shape[-1] == 1 else array)


def latent_factor(vae: Any) -> int:
    """How many pixels a side one cell of the latents stands for."""
    if hasattr(vae, "spatial_compression_ratio"):
        return int(vae.spatial_compression_ratio)
    return int(2 ** (len(vae.config.block_out_channels) - 1))
