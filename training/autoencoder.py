"""Trains the mini model's autoencoder: panels to latents of an eighth of their size, and back.

    python -m training.autoencoder --steps 3000

diffusers' deep-compression autoencoder (AutoencoderDC, arXiv:2410.10733) with pixel-unshuffled
first layers, so that nothing but the first and last convolution runs at full resolution. It is
trained on crops. A little noise on the latents makes the decoder forgive what the U-Net gets
slightly wrong; a small penalty keeps their scale.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderDC
from torch import Tensor

from training.data.buckets import MINI_SIZES
from training.data.cache import bucket_name
from training.loop import LoopSettings, Training

CROP_PX = 96
LATENT_NOISE = 0.1
LATENT_PENALTY = 2e-3


def mini_autoencoder() -> Any:
    """Return the untrained autoencoder: 8 latent channels, factor 8."""
    channels = (16, 48, 96, 192)
    autoencoder: Any = AutoencoderDC
    return autoencoder(
        in_channels=3,
        latent_channels=8,
        attention_head_dim=32,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=channels,
        decoder_block_out_channels=channels,
        encoder_layers_per_block=(0, 1, 1, 2),
        decoder_layers_per_block=(0, 1, 2, 2),
        encoder_qkv_multiscales=((),) * 4,
        decoder_qkv_multiscales=((),) * 4,
        downsample_block_type="pixel_unshuffle",
        upsample_block_type="pixel_shuffle",
        scaling_factor=1.0,
    )


class Crops:
    """Random crops of all panels; faces are what matters, so half of them lie around a head."""

    def __init__(self, cache: Path) -> None:
        """Open the panels of a cache folder."""
        self.panels = [
            np.load(cache / f"{bucket_name(size)}.npy", mmap_mode="r") for size in MINI_SIZES
        ]
        self.shares = np.array([len(panels) for panels in self.panels], float)

    def batch(self, size: int, rng: np.random.Generator) -> Tensor:
        """Return (size, 3, 96, 96), -1 black to 1 white."""
        crops = np.empty((size, CROP_PX, CROP_PX), np.uint8)
        for row in range(size):
            panels = self.panels[rng.choice(len(self.panels), p=self.shares / self.shares.sum())]
            panel = panels[rng.integers(len(panels))]
            crops[row] = self._crop(panel, rng)
        pixels = torch.from_numpy(crops).float() / 127.5 - 1
        return pixels[:, None].expand(-1, 3, -1, -1)

    @staticmethod
    def _crop(panel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the busier of two random crops: much of a page is plain white."""
        best, ink = panel[:CROP_PX, :CROP_PX], -1.0
        for _ in range(2):
            top = rng.integers(panel.shape[0] - CROP_PX + 1)
            left = rng.integers(panel.shape[1] - CROP_PX + 1)
            crop = panel[top : top + CROP_PX, left : left + CROP_PX]
            edges = float(np.abs(np.diff(crop[::2].astype(np.int16), axis=1)).mean())
            if edges > ink:
                best, ink = crop, edges
        return best


def reconstruction_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return absolute plus squared difference; what overshoots black or white costs nothing."""
    beyond = ((output > 1) & (target > 0.99)) | ((output < -1) & (target < -0.99))
    difference = torch.where(beyond, 0.0, output - target)
    return difference.abs().mean() + difference.square().mean()


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--output", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=24)
    given = parser.parse_args()
    torch.manual_seed(0)
    model = mini_autoencoder().to(memory_format=torch.channels_last)
    crops = Crops(given.cache)
    training = Training(
        {"vae": model},
        LoopSettings(steps=given.steps, learning_rate=1.5e-3, warmup=50),
        given.output,
    )

    def loss_of(step: int) -> dict[str, Tensor]:
        pixels = crops.batch(given.batch, np.random.default_rng(step))
        pixels = pixels.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            latents = model.encode(pixels).latent
            output = model.decode(latents + LATENT_NOISE * torch.randn_like(latents)).sample
        reconstruction = reconstruction_loss(output.float(), pixels)
        penalty = latents.float().square().mean()
        difference = (output.detach().float().clamp(-1, 1) - pixels).abs().mean() / 2
        return {
            "loss": reconstruction + LATENT_PENALTY * penalty,
            "l1": difference,
            "scale": penalty.sqrt(),
        }

    training.run(loss_of)
    training.load_average()
    model.save_pretrained(given.output / "vae")


if __name__ == "__main__":
    main()
