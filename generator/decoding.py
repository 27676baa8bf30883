"""Latents become pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from generator.errors import DrawingError

TILE_PX = 512
"""Edge of a tile where a picture is decoded in tiles."""
TILE_OVERLAP = 0.25
"""Share of a tile that its neighbour decodes too, to blend the seam."""


def decode(latents: Tensor, vae: Any) -> Iterator[Image.Image]:
    """Give the pictures of (pictures, channels, height, width) latents one by one."""
    for one in latents:
        yield decode_one(one, vae)


@torch.inference_mode()
def decode_one(
    latents: Tensor, vae: Any, *, device: torch.device | None = None, tiled: bool = False
) -> Image.Image:
    """Turn the latents of one picture, as `denoise` gives them, into the picture.

    An autoencoder whose numbers overflow in half precision decodes in float32 from then on.

    Args:
        latents: (channels, height, width).
        vae: AutoencoderKL or AutoencoderDC.
        device: to compute on; by default where the autoencoder lies.
        tiled: decode in tiles of `TILE_PX` whose seams are blended: far less memory for a large
            picture, and slightly other pixels.

    Raises:
        DrawingError: the pixels are not finite, not even in float32.
    """
    config = vae.config
    latents = latents[None].to(device or vae.device) / config.scaling_factor
    if getattr(config, "latents_mean", None) and getattr(config, "latents_std", None):
        mean = latents.new_tensor(config.latents_mean).view(1, -1, 1, 1)
        latents = latents * latents.new_tensor(config.latents_std).view(1, -1, 1, 1) + mean
    with _tiling(vae) if tiled else nullcontext():
        pixels = _finite_pixels(latents, vae)
    levels = ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    array = levels.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array.squeeze(-1) if array.shape[-1] == 1 else array)


def latent_factor(vae: Any) -> int:
    """How many pixels a side one cell of the latents stands for."""
    if hasattr(vae, "spatial_compression_ratio"):
        return int(vae.spatial_compression_ratio)
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def _finite_pixels(latents: Tensor, vae: Any) -> Tensor:
    """Decode one picture, (channels, height, width) in float32."""
    pixels: Tensor = vae.decode(latents.to(vae.dtype)).sample[0].float()
    if pixels.isfinite().all():
        return pixels
    if vae.dtype == torch.float32:
        raise DrawingError("the autoencoder gives numbers that are no picture")
    vae.float()
    return _finite_pixels(latents, vae)


@contextmanager
def _tiling(vae: Any) -> Iterator[None]:
    """Let the autoencoder cut latents that are larger than a tile."""
    if hasattr(vae, "tile_sample_min_size"):
        vae.tile_sample_min_size = TILE_PX
        vae.tile_latent_min_size = TILE_PX // latent_factor(vae)
        vae.tile_overlap_factor = TILE_OVERLAP
        vae.enable_tiling()
    else:
        stride = int(TILE_PX * (1 - TILE_OVERLAP))
        vae.enable_tiling(TILE_PX, TILE_PX, stride, stride)
    try:
        yield
    finally:
        vae.disable_tiling()
