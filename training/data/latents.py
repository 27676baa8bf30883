"""Encodes all cached panels once, so that the U-Net's training never runs the autoencoder.

    python -m training.data.latents

writes `latents-HxW.npy`, float16, (panels, channels, height / 8, width / 8), beside the panels, and
the scaling factor that brings them to a standard deviation of 1 into the autoencoder's config.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderDC

from generator.devices import pick_device
from training.data.buckets import MINI_SIZES, Size
from training.data.cache import bucket_name

BATCH = 32


def latents_name(size: Size) -> str:
    """Return the file stem of a bucket's latents."""
    return f"latents-{size[0]}x{size[1]}"


@torch.no_grad()
def encode_bucket(vae: Any, panels: np.ndarray) -> np.ndarray:
    """Return the latents of (panels, height, width) uint8 in float16."""
    encoded = []
    for start in range(0, len(panels), BATCH):
        pixels = torch.from_numpy(np.array(panels[start : start + BATCH])).float()[:, None]
        pixels = (pixels / 127.5 - 1).expand(-1, 3, -1, -1).to(memory_format=torch.channels_last)
        with torch.autocast(vae.device.type, dtype=torch.bfloat16):
            latents = vae.encode(pixels.to(vae.device)).latent
        encoded.append(latents.float().cpu().numpy().astype(np.float16))
    return np.concatenate(encoded)


def main() -> None:
    """Read the command line and encode."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--autoencoder", type=Path, default=Path("runs/autoencoder"))
    given = parser.parse_args()
    folder = given.autoencoder / "vae"
    autoencoder: Any = AutoencoderDC
    vae = autoencoder.from_pretrained(folder).to(pick_device(), memory_format=torch.channels_last)
    for size in MINI_SIZES:
        panels = np.load(given.cache / f"{bucket_name(size)}.npy", mmap_mode="r")
        latents = encode_bucket(vae, panels)
        np.save(given.cache / f"{latents_name(size)}.npy", latents)
        if size == MINI_SIZES[0]:
            config = json.loads((folder / "config.json").read_text("utf-8"))
            config["scaling_factor"] = round(1 / float(latents.astype(np.float32).std()), 4)
            (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
