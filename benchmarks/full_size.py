"""How long the published size of U-Net takes for a panel, and how much memory.

    python benchmarks/full_size.py --minutes 8

Weights of the published shapes filled with random numbers take as long and as much memory as
trained ones, so nothing is downloaded. Prints one line of JSON for every panel size and batch.
"""

from __future__ import annotations

import argparse
import json
import time

import torch
from diffusers import UNet2DConditionModel

from generator.devices import pick_device, pick_dtype
from generator.unet import CharacterAdapter, add_characters

LATENT_FACTOR = 8
SIZES_PX = ((512, 512), (768, 768), (1024, 1024), (1024, 1536))
BATCHES = (1, 4, 8)
NUM_STEPS = 30  # of one panel, each a call with and a call without guidance
NUM_CHARACTERS = 4
TOKENS_PER_CHARACTER = 16


def build(channels: int, device: torch.device, dtype: torch.dtype) -> CharacterAdapter:
    """Return the adapter in an SDXL U-Net whose first level is `channels` wide; 320 is SDXL's."""
    with torch.device(device):
        unet = UNet2DConditionModel(
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(channels, 2 * channels, 4 * channels),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ).to(dtype)
        return add_characters(unet.eval())


@torch.inference_mode()
def seconds_a_call(adapter: CharacterAdapter, size_px: tuple[int, int], batch: int) -> float:
    """Return the seconds one U-Net call takes, the better of two after one to warm up."""
    weight = adapter.unet.conv_in.weight
    height, width = (side // LATENT_FACTOR for side in size_px)
    num_tokens = 77 + TOKENS_PER_CHARACTER * (1 + NUM_CHARACTERS)
    boxes = torch.tensor([[0.0, 0.2, 0.5, 1.0], [0.5, 0.2, 1.0, 1.0]], device=weight.device)
    boxes = boxes.repeat(batch, NUM_CHARACTERS // 2, 1)
    inputs = {
        "sample": torch.randn(batch, 4, height, width).to(weight),
        "timestep": torch.tensor(500, device=weight.device),
        "encoder_hidden_states": torch.randn(batch, num_tokens, 2048).to(weight),
        "added_cond_kwargs": {
            "text_embeds": torch.randn(batch, 1280).to(weight),
            "time_ids": torch.zeros(batch, 6).to(weight),
        },
    }
    times_s = []
    with adapter.condition(
        boxes,
        boxes[:, :1],
        (height, width),
        tokens_per_character=TOKENS_PER_CHARACTER,
        num_background_tokens=TOKENS_PER_CHARACTER,
    ):
        for _ in range(3):
            start_s = time.perf_counter()
            adapter.unet(**inputs).sample.sum().item()  # waits for the device
            times_s.append(time.perf_counter() - start_s)
    return min(times_s[1:])


def main() -> None:
    """Measure until everything is measured or the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--channels", type=int, default=320, help="320 is SDXL's; less for a trial")
    options = parser.parse_args()
    deadline_s = time.monotonic() + 60 * options.minutes
    device = pick_device()
    adapter = build(options.channels, device, pick_dtype(device))
    for size_px, batch in ((size, batch) for size in SIZES_PX for batch in BATCHES):
        if time.monotonic() > deadline_s:
            break
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        call_s = seconds_a_call(adapter, size_px, 2 * batch)  # with and without guidance at once
        row: dict[str, float] = {
            "height_px": size_px[0],
            "width_px": size_px[1],
            "batch": batch,
            "seconds_a_panel": round(call_s * NUM_STEPS / batch, 3),
        }
        if device.type == "cuda":
            row["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
