"""Trains the judges of drawn peeps: small networks that share nothing with the generator.

    python -m training.judges --steps 2500

- One looks at a character cut out of a panel: its embedding is near for the same hair, beard and
  glasses, however the person stands (supervised contrastive loss, arXiv:2004.11362), and it names
  the face that is drawn.
- One looks at a panel: it finds the figures (as the middles of their boxes, arXiv:1904.07850), and
  its embedding is near that of the panel's caption, which is read as a bag of words and pairs of
  words (contrastive loss, arXiv:2103.00020).

Held-out pages are left alone. Pictures are blurred and roughened at random, so that the judges do
not go by the sharpness of the data's lines. `training.evaluate` shows beside every score what the
same judge says of the data's own panels: no drawn panel can be expected to score higher.
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
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from generator.devices import pick_device
from training.data.buckets import MINI_SIZES, Size
from training.data.cache import bucket_name
from training.encoders import contrastive_loss
from training.judge_networks import (
    CaptionJudge,
    CharacterJudge,
    PanelJudge,
    figure_targets,
    hashed_words,
)
from training.loop import LoopSettings, Training
from training.peeps_judges import JudgeLabels, write_labels

PANEL_SHARE = 0.5
"""How many panels are looked at for each character."""


CENTRED_BY = 256
"""Pairs of pictures whose mean the looks of characters are taken from."""


class JudgeData:
    """Draws pairs of pictures of one person, and panels with their captions and figures."""

    def __init__(self, cache: Path) -> None:
        """Open a cache folder, leaving the held-out pages alone."""
        records = json.loads((cache / "panels.json").read_text("utf-8"))
        self.records: dict[Size, list[dict[str, Any]]] = {size: [] for size in MINI_SIZES}
        for record in records:
            if not record["held_out"]:
                self.records[tuple(record["size"])].append(record)
        self.records = {size: found for size, found in self.records.items() if found}
        self.panels = {
            size: np.load(cache / f"{bucket_name(size)}.npy", mmap_mode="r")
            for size in self.records
        }
        self.references = np.load(cache / "references.npy", mmap_mode="r")
        self.shown = json.loads((cache / "references.json").read_text("utf-8"))
        rows_of: dict[str, list[int]] = defaultdict(list)
        for row, reference in enumerate(self.shown):
            if not reference["held_out"]:
                rows_of[reference["who"]].append(row)
        self.people = [rows for rows in rows_of.values() if len(rows) > 1]
        self.labels = JudgeLabels.of(self.shown)

    def pairs(self, size: int, rng: random.Random) -> tuple[Tensor, Tensor]:
        """Return pictures (2 * size, 1, height, width), first and second ones, and their labels.

        Labels are (2 * size, parts and face), numbers of names.
        """
        chosen = [rng.sample(rows, 2) for rows in rng.sample(self.people, size)]
        rows = [row for column in zip(*chosen, strict=True) for row in column]
        labels = torch.tensor([self.labels.numbers(self.shown[row]) for row in rows])
        return roughened(np.stack([self.references[row] for row in rows]), rng), labels

    def captioned(
        self, size: int, rng: random.Random
    ) -> tuple[Tensor, list[str], list[list[tuple[float, float, float, float]]]]:
        """Return panels of one size, their captions and the boxes of their figures."""
        sizes = list(self.records)
        bucket = rng.choices(sizes, [len(self.records[one]) for one in sizes])[0]
        chosen = rng.sample(self.records[bucket], min(size, len(self.records[bucket])))
        panels = np.stack([self.panels[bucket][record["index"]] for record in chosen])
        boxes = [[tuple(one["box"]) for one in record["characters"]] for record in chosen]
        return roughened(panels, rng), [record["caption"] for record in chosen], boxes


def roughened(pictures: NDArray[np.uint8], rng: random.Random) -> Tensor:
    """Return pictures as (pictures, 1, height, width), -1 black to 1 white, some of them blurred.

    Half of the batches lose detail by a smaller size and back; all get a little noise and contrast.
    """
    pixels = torch.from_numpy(pictures)[:, None].float() / 127.5 - 1
    size = pixels.shape[-2:]
    if rng.random() < 0.5:
        scale = rng.uniform(0.4, 0.9)
        small = [max(1, round(edge * scale)) for edge in size]
        pixels = functional.interpolate(pixels, small, mode="area")
        pixels = functional.interpolate(pixels, size, mode="bilinear")
    noise = torch.from_numpy(
        np.random.default_rng(rng.getrandbits(32)).standard_normal(pixels.shape, np.float32)
    )
    return pixels * rng.uniform(0.8, 1.0) + rng.uniform(0.0, 0.1) * noise


def character_losses(judge: CharacterJudge, pictures: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return how badly people are told apart and their parts and faces named."""
    read = judge(pictures)
    first, second = read.embedding.chunk(2)
    same = contrastive_loss(first, second, judge.temperature)
    named = {
        kind: functional.cross_entropy(logits.float(), labels[:, column])
        for column, (kind, logits) in enumerate(read.logits.items())
    }
    return {"people": same, **named}


def panel_losses(
    judge: PanelJudge,
    captions: CaptionJudge,
    panels: Tensor,
    words: list[Tensor],
    boxes: list[list[tuple[float, float, float, float]]],
) -> dict[str, Tensor]:
    """Return how badly figures are found and captions recognised."""
    seen = judge(panels)
    target = figure_targets(boxes, (seen.middles.shape[1], seen.middles.shape[2]))
    middles, edges = target.middles.to(panels.device), target.edges.to(panels.device)
    is_middle = middles == 1
    chance = seen.middles.float().sigmoid().clamp(1e-4, 1 - 1e-4)
    # focal loss with less weight near the middles, arXiv:1904.07850, equation 1
    loss = -torch.where(
        is_middle,
        (1 - chance) ** 2 * chance.log(),
        (1 - middles) ** 4 * chance**2 * (1 - chance).log(),
    )
    num_figures = is_middle.sum().clamp(min=1)
    off = (seen.edges.float() - edges).abs().sum(-1)
    told = captions(words)
    return {
        "figures": loss.sum() / num_figures,
        "edges": (off * is_middle).sum() / num_figures,
        "captions": contrastive_loss(seen.embedding, told, judge.temperature),
    }


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--output", type=Path, default=Path("runs/judges"))
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument(
        "--batch", type=int, default=64, help="characters in a step, an even number"
    )
    parser.add_argument("--minutes", type=float, default=math.inf, help="save and stop after these")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    train(
        JudgeData(given.cache),
        LoopSettings(steps=given.steps, learning_rate=2e-3, warmup=50, minutes=given.minutes),
        given.output,
        batch=given.batch,
        seed=given.seed,
    )


def train(data: JudgeData, settings: LoopSettings, folder: Path, *, batch: int, seed: int) -> None:
    """Train the judges, or go on where they stopped, and write their folder."""
    torch.manual_seed(seed)
    device = pick_device()
    models: dict[str, Any] = {
        "characters": CharacterJudge(data.labels.sizes),
        "panels": PanelJudge(),
        "captions": CaptionJudge(),
    }
    for model in models.values():
        model.to(device, memory_format=torch.channels_last)
    training = Training(models, settings, folder)

    def loss_of(step: int) -> dict[str, Tensor]:
        rng = random.Random(f"judges {seed} {step}")
        pictures, labels = data.pairs(batch // 2, rng)
        panels, captions, boxes = data.captioned(round(batch * PANEL_SHARE), rng)
        words = [hashed_words(caption).to(device) for caption in captions]
        with torch.autocast(device.type, dtype=torch.bfloat16):
            of_characters = character_losses(
                models["characters"], pictures.to(device), labels.to(device)
            )
            of_panels = panel_losses(
                models["panels"], models["captions"], panels.to(device), words, boxes
            )
        edges = 5 * of_panels["edges"]
        loss = sum(of_characters.values(), of_panels["figures"] + edges + of_panels["captions"])
        return {"loss": loss, **of_characters, **of_panels}

    training.run(loss_of)
    training.load_average()
    some, _ = data.pairs(min(CENTRED_BY, len(data.people)), random.Random("centre"))
    models["characters"].centre(some.to(device))
    for name, model in models.items():
        weights = {
            key: value.float().cpu().contiguous() for key, value in model.state_dict().items()
        }
        save_file(weights, folder / f"{name}.safetensors")
    write_labels(data.labels, folder)


if __name__ == "__main__":
    main()
