"""Trains what reads pictures and captions, before the U-Net: tokenizer, encoders, resampler.

    python -m training.encoders --steps 2500

As in the full model, one picture encoder (CLIP) gives patch features of a reference picture, the
other (ViT-MAE, as Magi's crop embedding) a summary that is the same for the same person, and the
resampler makes character tokens of both:

- linear readers, thrown away afterwards, name hair, beard, glasses, face and body from the
  character tokens, and paint the picture small, so that the tokens hold them: a U-Net that learns
  from untrained tokens learns to ignore them;
- two pictures of one person find each other among all others (arXiv:2004.11362), for the manga
  encoder;
- panels and their captions find each other (contrastive loss, arXiv:2103.00020), for both text
  encoders against the CLIP picture encoder, in every fourth step.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    ViTMAEConfig,
    ViTMAEModel,
)

from generator.resampler import CharacterResampler
from training.data.buckets import MINI_SIZES
from training.data.cache import REFERENCE_PX, bucket_name
from training.data.tokens import train_tokenizer, with_other_words
from training.loop import LoopSettings, Training

PATCH_PX = 12
RESAMPLER = "image_proj_model"
MINI_RESAMPLER = {
    "width": 256, "num_layers": 3, "clip_width": 192, "magi_width": 192, "output_width": 256
}  # fmt: skip
NUM_PATCHES = (REFERENCE_PX // PATCH_PX) ** 2
PROJECTION = 128
THUMBNAIL_PX = 24
CAPTIONS_EVERY = 4


def mini_encoders(vocabulary_size: int) -> dict[str, Any]:
    """Return the untrained encoders and resampler under the names of their folders."""
    text: dict[str, Any] = {
        "vocab_size": vocabulary_size, "hidden_size": 128, "intermediate_size": 384,
        "num_hidden_layers": 3, "num_attention_heads": 4, "max_position_embeddings": 77,
        "projection_dim": PROJECTION, "hidden_act": "gelu",
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
    }  # fmt: skip
    vision: dict[str, Any] = {
        "hidden_size": 192, "intermediate_size": 576, "num_hidden_layers": 3,
        "num_attention_heads": 3, "hidden_act": "gelu",
        "image_size": REFERENCE_PX, "patch_size": PATCH_PX,
    }  # fmt: skip
    return {
        "text_encoder": CLIPTextModel(CLIPTextConfig(**text)),
        "text_encoder_2": CLIPTextModelWithProjection(CLIPTextConfig(**text)),
        "clip_image_encoder": CLIPVisionModelWithProjection(
            CLIPVisionConfig(**vision, projection_dim=PROJECTION)
        ),
        "magi_image_encoder": ViTMAEModel(ViTMAEConfig(**vision, mask_ratio=0.0)),
        RESAMPLER: CharacterResampler(**MINI_RESAMPLER),
    }


def character_tokens(
    pictures: Tensor, clip: Any, magi: Any, resampler: CharacterResampler
) -> tuple[Tensor, Tensor]:
    """Return character tokens (pictures, tokens, width) and the manga encoder's summaries.

    Args:
        pictures: (pictures, 3, 96, 96), -1 black to 1 white.
        clip: gives patch features by its last but one layer.
        magi: sees all patches, in their order.
        resampler: of both.
    """
    patches = clip(pictures, output_hidden_states=True).hidden_states[-2]
    # patches are sorted by this noise: counting up keeps their order
    order = torch.arange(NUM_PATCHES, device=pictures.device).expand(len(pictures), -1)
    summary: Tensor = magi(pictures, noise=order).last_hidden_state[:, 0]
    tokens = resampler(patches[:, None], summary[:, None])
    return tokens[:, resampler.num_background_tokens :], summary


class _Readers(nn.Module):
    """Linear readers of what a reference picture shows; they are not shipped."""

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.of_tokens = nn.ModuleDict(
            {name: nn.Linear(16 * 256, size) for name, size in sizes.items()}
        )
        self.of_summary = nn.ModuleDict(
            {name: nn.Linear(192, sizes[name]) for name in ("hair", "beard", "accessory")}
        )
        self.thumbnail = nn.Linear(16 * 256, THUMBNAIL_PX**2)
        self.text = nn.Linear(128, PROJECTION)
        self.temperature = nn.Parameter(torch.tensor(2.3))


class EncoderData:
    """Draws panels with captions, and pairs of pictures of the same person."""

    KINDS = ("hair", "beard", "accessory", "expression", "body")

    def __init__(self, cache: Path) -> None:
        """Open a cache folder."""
        records = json.loads((cache / "panels.json").read_text("utf-8"))
        self.records = [record for record in records if not record["held_out"]]
        self.panels = {
            size: np.load(cache / f"{bucket_name(size)}.npy", mmap_mode="r") for size in MINI_SIZES
        }
        self.references = np.load(cache / "references.npy", mmap_mode="r")
        shown = json.loads((cache / "references.json").read_text("utf-8"))
        self.rows_of: dict[str, list[int]] = defaultdict(list)
        for row, reference in enumerate(shown):
            if not reference["held_out"]:
                self.rows_of[reference["who"]].append(row)
        self.people = [who for who, rows in self.rows_of.items() if len(rows) > 1]
        self.labels, self.num_labels = self._number(shown)

    def _number(self, shown: list[dict[str, Any]]) -> tuple[Tensor, dict[str, int]]:
        words = [(*item["identity"], item["expression"], item["body"]) for item in shown]
        columns, sizes = [], {}
        for kind, column in zip(self.KINDS, zip(*words, strict=True), strict=True):
            names = sorted(set(column))
            sizes[kind] = len(names)
            columns.append([names.index(name) for name in column])
        return torch.tensor(columns).T.contiguous(), sizes

    def captioned(self, size: int, rng: random.Random) -> tuple[Tensor, list[str]]:
        """Return panels as (size, 3, 96, 96) and their captions."""
        pictures, captions = [], []
        for record in rng.sample(self.records, size):
            panel = self.panels[tuple(record["size"])][record["index"]]
            pixels = torch.from_numpy(np.array(panel, np.float32))[None, None]
            pictures.append(
                functional.interpolate(pixels, (REFERENCE_PX, REFERENCE_PX), mode="area")[0]
            )
            captions.append(with_other_words(record["caption"], rng))
        return _normalised(torch.stack(pictures)), captions

    def pairs(self, size: int, rng: random.Random) -> tuple[Tensor, Tensor]:
        """Return (2 * size, 3, 96, 96), first and second pictures, and their labels."""
        rows = np.array([rng.sample(self.rows_of[who], 2) for who in rng.sample(self.people, size)])
        order = rows.T.reshape(-1)
        pixels = torch.from_numpy(np.stack([self.references[row] for row in order]))[
            :, None
        ].float()
        if rng.random() < 0.5:
            pixels[:size] = pixels[:size].flip(-1)
        return _normalised(pixels), self.labels[torch.from_numpy(order)]


def _normalised(pixels: Tensor) -> Tensor:
    """Return gray 0 to 255 as three channels from -1 to 1."""
    return (pixels / 127.5 - 1).expand(-1, 3, -1, -1)


def contrastive_loss(first: Tensor, second: Tensor, temperature: Tensor) -> Tensor:
    """Return the symmetric loss by which row i of one finds row i of the other.

    Args:
        first: (batch, width).
        second: (batch, width).
        temperature: logarithm of the factor on the cosines.
    """
    cosines = (
        functional.normalize(first.float(), dim=-1) @ functional.normalize(second.float(), dim=-1).T
    )
    logits = cosines * temperature.exp().clamp(max=100)
    target = torch.arange(len(logits), device=logits.device)
    return (
        functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    ) / 2


def _read(readers: nn.ModuleDict, features: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return {
        name: functional.cross_entropy(reader(features).float(), labels[:, column])
        for column, (name, reader) in enumerate(readers.items())
    }


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--output", type=Path, default=Path("runs/encoders"))
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=48, help="pairs of pictures")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="save and stop after these")
    given = parser.parse_args()
    torch.manual_seed(0)
    data = EncoderData(given.cache)
    tokenizer = _tokenizer(data, given.output)
    models = mini_encoders(len(tokenizer))
    readers = _Readers(data.num_labels)
    settings = LoopSettings(
        steps=given.steps, learning_rate=given.learning_rate, warmup=60, minutes=given.minutes
    )
    training = Training({**models, "readers": readers}, settings, given.output)

    def loss_of(step: int) -> dict[str, Tensor]:
        rng = random.Random(step)
        pictures, labels = data.pairs(given.batch, rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = _picture_losses(models, readers, pictures, labels)
            if step % CAPTIONS_EVERY == 0:
                panels, captions = data.captioned(given.batch, rng)
                ids = tokenizer(
                    captions, padding="longest", truncation=True, return_tensors="pt"
                ).input_ids
                losses["captions"] = _caption_loss(models, readers, ids, panels)
                losses["loss"] = losses["loss"] + losses["captions"]
        return losses

    training.run(loss_of)
    training.load_average()
    save_encoders(models, given.output)


def save_encoders(models: dict[str, Any], folder: Path) -> None:
    """Write each model into a folder of its name, as in the published layout."""
    for name, model in models.items():
        if name == RESAMPLER:
            (folder / name).mkdir(parents=True, exist_ok=True)
            save_file(model.state_dict(), folder / name / "model.safetensors")
        else:
            model.save_pretrained(folder / name)


def _picture_losses(
    models: dict[str, Any], readers: _Readers, pictures: Tensor, labels: Tensor
) -> dict[str, Tensor]:
    tokens, summary = character_tokens(
        pictures, models["clip_image_encoder"], models["magi_image_encoder"], models[RESAMPLER]
    )
    shown = tokens.flatten(1)
    read = _read(readers.of_tokens, shown, labels)
    known = _read(readers.of_summary, summary, labels)  # a summary is of who, not of how
    first, second = summary.chunk(2)
    people = contrastive_loss(first, second, readers.temperature)
    small = functional.interpolate(pictures[:, :1], (THUMBNAIL_PX, THUMBNAIL_PX), mode="area")
    thumbnail = (readers.thumbnail(shown).float() - small.flatten(1)).square().mean()
    loss = sum(read.values()) + 0.5 * sum(known.values()) + people + 5 * thumbnail
    return {"loss": loss, "people": people, "thumbnail": thumbnail, **read}


def _caption_loss(models: dict[str, Any], readers: _Readers, ids: Tensor, panels: Tensor) -> Tensor:
    seen = models["clip_image_encoder"](panels).image_embeds
    told = models["text_encoder_2"](ids).text_embeds
    also_told = readers.text(models["text_encoder"](ids).pooler_output)
    temperature = readers.temperature
    return contrastive_loss(seen, told, temperature) + contrastive_loss(
        seen, also_told, temperature
    )


def _tokenizer(data: EncoderData, output: Path) -> CLIPTokenizer:
    folder = output / "tokenizer"
    if (folder / "tokenizer.json").exists():
        known: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder)
        return known
    return train_tokenizer((record["caption"] for record in data.records[:20000]), folder)


if __name__ == "__main__":
    main()
