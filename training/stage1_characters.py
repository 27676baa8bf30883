"""Trains U-Net and resampler: captions, characters in their boxes, dialogs where they shall lie.

    python -m training.stage1_characters --steps 6000

The condition stage of DiffSensei (arXiv:2412.07589, section 3.3) at mini size, from scratch:
latents are read from the cache, half of the source pictures are the target's own crop, each
character is dropped in a twentieth of the cases and the caption likewise. Unlike the published
training, everything is dropped together now and then, because the negative branch of guidance is
just that, and a dropped character's tokens are those of an empty slot, as in drawing. The mini text
encoders were not trained on millions of captions, so, unlike the full model's, they go on learning
here; the picture encoders are frozen. The resampler starts from the one trained with them. A
checkpoint in the output folder is resumed; without one, `--init FOLDER` starts from the weights of
a model folder.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
    ViTMAEModel,
)

from generator.checkpoint import load_checkpoint, load_resampler
from generator.devices import pick_device
from generator.prompts import TextEncoders
from generator.unet import CharacterAdapter, add_characters
from training.data.buckets import MINI_SIZES, Size
from training.data.cache import REFERENCE_PX
from training.data.latents import latents_name
from training.data.tokens import with_other_words, without_looks
from training.encoders import NUM_PATCHES, RESAMPLER
from training.loop import LoopSettings, Training

CPU = torch.device("cpu")
MAX_CHARACTERS, MAX_DIALOGS = 4, 8
SELF_SHARE = 0.5
DROP_CHARACTER, DROP_CAPTION, DROP_ALL = 0.05, 0.05, 0.07
DROP_LOOK = 0.7
"""How often a caption keeps silent about hair, beard and glasses, which the picture shows."""
CHARACTER_WEIGHT, HEAD_WEIGHT = 2.0, 4.0
"""How much more an error in a character's box or head counts; most of a page is plain paper."""

HEAD_SHARE = {"close-up": 1.0, "medium": 0.55, "full": 0.25, "wide": 0.25}
"""How far down a character's box the head reaches, by shot."""

SHOT_WEIGHT = {"close-up": 3.0, "medium": 1.0, "full": 0.5, "wide": 0.4}
"""How often a panel is drawn from the data: most is learnt where a face has some size."""

CENTRAL_SHARE, LOG_SIGMA_MEAN, LOG_SIGMA_SPREAD = 0.85, 0.4, 1.2
"""Most noise levels are drawn where noise and signal are about equal, the others evenly.

On latents this small an even choice spends half of the steps where next to nothing can be told.
Who somebody is, though, is decided where there is more noise than signal.
"""

NOISE_SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "beta_end": 0.012, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}  # fmt: skip
"""SDXL's schedule, brought to no signal at its end (arXiv:2305.08891): paper must get white."""


def mini_unet(latent_channels: int = 8) -> tuple[UNet2DConditionModel, CharacterAdapter]:
    """Return an untrained U-Net of SDXL's form at mini size, with characters in it."""
    unet = UNet2DConditionModel(
        sample_size=24,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=(64, 160, 224),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=(2, 5, 7),  # heads; the name is diffusers' own slip
        cross_attention_dim=256,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=6 * 32 + 128,
    )
    return unet, add_characters(unet)


@dataclass(frozen=True)
class Batch:
    """Panels of one size: latents (batch, channels, height, width), boxes padded with zeros."""

    size: Size
    latents: Tensor
    captions: list[str]
    pictures: Tensor
    slots: Tensor
    character_boxes: Tensor
    head_boxes: Tensor
    dialog_boxes: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        moved: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)


class Panels:
    """Draws batches of one size each from the cache, leaving the held-out pages alone."""

    def __init__(self, cache: Path, scaling_factor: float) -> None:
        """Open a cache folder; latents are multiplied by the autoencoder's scaling factor."""
        records = json.loads((cache / "panels.json").read_text("utf-8"))
        self.records: dict[Size, list[dict[str, Any]]] = {size: [] for size in MINI_SIZES}
        for record in records:
            if not record["held_out"]:
                self.records[tuple(record["size"])].append(record)
        self.weights = {
            size: list(accumulate(SHOT_WEIGHT[record["shot"]] for record in of_size))
            for size, of_size in self.records.items()
        }
        self.latents = {
            size: np.load(cache / f"{latents_name(size)}.npy", mmap_mode="r") for size in MINI_SIZES
        }
        self.references = np.load(cache / "references.npy", mmap_mode="r")
        self.scaling_factor = scaling_factor

    def batch(self, size: int, rng: random.Random) -> Batch:
        """Return one batch."""
        # 0 for a size without any panel
        shares = [sum(self.weights[bucket][-1:]) for bucket in MINI_SIZES]
        bucket = rng.choices(MINI_SIZES, shares)[0]
        chosen = rng.choices(self.records[bucket], cum_weights=self.weights[bucket], k=size)
        latents = np.stack([self.latents[bucket][record["index"]] for record in chosen])
        captions, pictures, slots = [], [], []
        boxes, dialogs = torch.zeros(size, MAX_CHARACTERS, 4), torch.zeros(size, MAX_DIALOGS, 4)
        head_share = torch.zeros(size, 1)
        for row, record in enumerate(chosen):
            if rng.random() < DROP_ALL:
                captions.append("")
                continue
            caption = "" if rng.random() < DROP_CAPTION else record["caption"]
            if rng.random() < DROP_LOOK:
                caption = without_looks(caption)
            captions.append(with_other_words(caption, rng) if caption else "")
            head_share[row] = HEAD_SHARE[record["shot"]]
            for slot, character in enumerate(record["characters"][:MAX_CHARACTERS]):
                boxes[row, slot] = torch.tensor(character["box"])
                picture = self._source(character, rng)
                if picture is not None and rng.random() >= DROP_CHARACTER:
                    pictures.append(picture)
                    slots.append((row, slot))
            for slot, box in enumerate(record["dialogs"][:MAX_DIALOGS]):
                dialogs[row, slot] = torch.tensor(box)
        stacked = (
            np.stack(pictures) if pictures else np.zeros((0, REFERENCE_PX, REFERENCE_PX), np.uint8)
        )
        heads = boxes.clone()
        heads[..., 3] = boxes[..., 1] + head_share * (boxes[..., 3] - boxes[..., 1])
        pixels = torch.from_numpy(stacked)[:, None].float().expand(-1, 3, -1, -1) / 127.5 - 1
        return Batch(
            bucket, torch.from_numpy(latents).float() * self.scaling_factor, captions, pixels,
            torch.tensor(slots, dtype=torch.long).reshape(-1, 2), boxes, heads, dialogs,
        )  # fmt: skip

    def _source(self, character: dict[str, Any], rng: random.Random) -> np.ndarray | None:
        """Return the target's own crop or any of the same person on the page; half are mirrored."""
        rows = character["rows"]
        if not rows:
            return None
        own = character["row"] is not None and rng.random() < SELF_SHARE
        picture: np.ndarray = self.references[character["row"] if own else rng.choice(rows)]
        return picture[:, ::-1] if rng.random() < 0.5 else picture


class Stage:
    """The models of this stage and its loss."""

    def __init__(self, encoders: Path, device: torch.device = CPU) -> None:
        """Load the encoders and make an untrained U-Net and resampler, all on `device`."""
        self.device = device
        tokenizer = CLIPTokenizer.from_pretrained(encoders / "tokenizer")
        self.text = TextEncoders(
            tokenizer,
            _loaded(CLIPTextModel, encoders / "text_encoder"),
            tokenizer,
            _loaded(CLIPTextModelWithProjection, encoders / "text_encoder_2"),
        )
        self.clip = _loaded(CLIPVisionModelWithProjection, encoders / "clip_image_encoder")
        self.magi = _loaded(ViTMAEModel, encoders / "magi_image_encoder")
        self.unet: Any
        self.unet, self.adapter = mini_unet()
        self.resampler = load_resampler(encoders / RESAMPLER).float()
        scheduler: Any = DDPMScheduler
        self.scheduler = scheduler(**NOISE_SCHEDULE)
        # a copy, because the scheduler takes its own to the device with the first noise it adds
        self.alphas_cumprod = self.scheduler.alphas_cumprod.clone()
        for module in (self.clip, self.magi, *self.trained().values()):
            module.to(device)

    def trained(self) -> dict[str, nn.Module]:
        """Return what this stage trains, under the names in its checkpoint."""
        return {
            "unet": self.unet,
            "resampler": self.resampler,
            "text_encoder": self.text.encoder,
            "text_encoder_2": self.text.encoder_2,
        }

    def start_from(self, folder: Path) -> None:
        """Take over the weights of a model folder with the same sizes."""
        given = load_checkpoint(folder)
        sources = {
            "unet": given.unet,
            "resampler": given.resampler,
            "text_encoder": given.text.encoder,
            "text_encoder_2": given.text.encoder_2,
        }
        for name, module in self.trained().items():
            module.load_state_dict(sources[name].state_dict(), strict=True)

    def image_tokens(self, batch: Batch) -> Tensor:
        """Return background and character tokens (batch, tokens, width).

        Only the pictures go through the resampler, and zero features once for all empty slots.
        """
        like, num_pictures = batch.latents, len(batch.pictures)
        patches = like.new_zeros(num_pictures + 1, NUM_PATCHES + 1, self.resampler.clip_width)
        summary = like.new_zeros(num_pictures + 1, self.resampler.magi_width)
        if num_pictures:
            # patches are sorted by this noise: counting up keeps their order
            order = torch.arange(NUM_PATCHES, device=self.device).expand(num_pictures, -1)
            with torch.no_grad():
                patches[1:] = self.clip(batch.pictures, output_hidden_states=True).hidden_states[-2]
                summary[1:] = self.magi(batch.pictures, noise=order).last_hidden_state[:, 0]
        tokens = self.resampler(patches[:, None], summary[:, None])
        background = tokens[0, : self.resampler.num_background_tokens]
        of_picture = torch.zeros(len(like), MAX_CHARACTERS, dtype=torch.long, device=self.device)
        of_picture[batch.slots[:, 0], batch.slots[:, 1]] = torch.arange(
            1, num_pictures + 1, device=self.device
        )
        characters = tokens[of_picture, self.resampler.num_background_tokens :].flatten(1, 2)
        return torch.cat([background.expand(len(like), -1, -1), characters], dim=1)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the error of the predicted velocity (arXiv:2202.00512)."""
        batch = batch.to(self.device)
        rows, height, width = len(batch.latents), *batch.size
        noise = torch.randn_like(batch.latents)
        timesteps = noise_levels(rows, self.alphas_cumprod).to(self.device)
        noisy = self.scheduler.add_noise(batch.latents, noise, timesteps)
        target = self.scheduler.get_velocity(batch.latents, noise, timesteps)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            prompt_embeds, pooled = self.text.encode(batch.captions)
            hidden_states = torch.cat([prompt_embeds, self.image_tokens(batch)], dim=1)
            time_ids = torch.tensor([[height, width, 0, 0, height, width]], device=self.device)
            time_ids = time_ids.expand(rows, -1)
            with self.adapter.condition(
                batch.character_boxes, batch.dialog_boxes, (noisy.shape[2], noisy.shape[3]),
                tokens_per_character=self.resampler.tokens_per_character,
                num_background_tokens=self.resampler.num_background_tokens,
            ):  # fmt: skip
                added = {"text_embeds": pooled, "time_ids": time_ids}
                predicted: Tensor = self.unet(
                    noisy, timesteps, hidden_states, added_cond_kwargs=added
                ).sample
        error = (predicted.float() - target).square().mean(1)
        weight = _weight(batch)
        return {"loss": (error * weight).sum() / weight.sum(), "mse": error.mean()}


def _loaded(encoder: Any, folder: Path) -> Any:
    return encoder.from_pretrained(folder, dtype=torch.float32).eval()


def noise_levels(count: int, alphas_cumprod: Tensor) -> Tensor:
    """Draw timesteps; see `CENTRAL_SHARE`. They are spread out, so that no batch lacks a level.

    ln(noise / signal) is normal, as in arXiv:2206.00364, table 1.
    """
    num_central = round(CENTRAL_SHARE * count)
    even = (torch.arange(count) + torch.rand(count)) / count
    order = torch.randperm(count)
    log_sigma = (((1 - alphas_cumprod) / alphas_cumprod.clamp_min(1e-8)).log() / 2).contiguous()
    drawn = LOG_SIGMA_MEAN + LOG_SIGMA_SPREAD * torch.special.ndtri(
        even[order].clamp(1e-4, 1 - 1e-4)
    )
    last = len(alphas_cumprod) - 1
    central = torch.searchsorted(log_sigma, drawn[:num_central]).clamp(max=last)
    rest = (torch.rand(count - num_central) * (last + 1)).long()
    return torch.cat([central, rest])


def _weight(batch: Batch) -> Tensor:
    """Return (batch, height, width): 1, more inside the boxes, most at the heads."""
    height, width = batch.latents.shape[2:]
    device = batch.latents.device
    y = ((torch.arange(height, device=device) + 0.5) / height)[None, None, :, None]
    x = ((torch.arange(width, device=device) + 0.5) / width)[None, None, None, :]

    def inside(boxes: Tensor) -> Tensor:
        left, top, right, bottom = boxes[..., None, None].unbind(2)
        return ((x >= left) & (x <= right) & (y >= top) & (y <= bottom)).any(1)

    weight = torch.where(inside(batch.character_boxes), CHARACTER_WEIGHT, 1.0)
    return torch.where(inside(batch.head_boxes), HEAD_WEIGHT, weight)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--encoders", type=Path, default=Path("runs/encoders"))
    parser.add_argument("--autoencoder", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--output", type=Path, default=Path("runs/stage1"))
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--minutes", type=float, default=math.inf, help="save and stop after these")
    parser.add_argument("--init", type=Path, help="model folder whose weights to start from")
    given = parser.parse_args()
    torch.manual_seed(0)
    scaling_factor = json.loads((given.autoencoder / "vae" / "config.json").read_text())[
        "scaling_factor"
    ]
    stage, panels = Stage(given.encoders, pick_device()), Panels(given.cache, scaling_factor)
    if given.init:
        stage.start_from(given.init)
    settings = LoopSettings(
        steps=given.steps, learning_rate=given.learning_rate, warmup=200, minutes=given.minutes
    )
    training = Training(stage.trained(), settings, given.output)

    def loss_of(step: int) -> dict[str, Tensor]:
        return stage.loss(panels.batch(given.batch, random.Random(f"panels {step}")))

    training.run(loss_of)


if __name__ == "__main__":
    main()
