"""One denoising step of a U-Net: plain, with characters our way, with characters step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from benchmarks.model_sizes import MAX_CHARACTERS, TOKENS_PER_CHARACTER
from benchmarks.pairing import Spread, ratio, spread, take_turns
from benchmarks.straightforward import Places, work_straightforwardly
from generator.masks import Grid
from generator.unet import CharacterAdapter, add_characters

NUM_STEPS = 30
"""Of one picture, each a call with and without guidance in one batch."""

TEXT_TOKENS = 77
SCALE = 0.6
TOLERANCE = 1e-4
"""Largest difference allowed between the two ways, as a share of the largest value above 1."""

CHARACTER_BOXES = (
    (0.0, 0.1, 0.45, 1.0), (0.4, 0.25, 0.75, 1.0), (0.7, 0.0, 1.0, 0.8), (0.1, 0.0, 0.3, 0.4),
)  # fmt: skip
DIALOG_BOXES = ((0.0, 0.0, 0.3, 0.25), (0.25, 0.1, 0.5, 0.3), (0.7, 0.75, 1.0, 0.95))
MAX_DIALOGS = 8


@dataclass(frozen=True)
class StepInputs:
    """What one U-Net call gets; the first row of each is the negative branch of guidance."""

    sample: Tensor
    timestep: Tensor
    tokens: Tensor
    added: Mapping[str, Tensor]
    character_boxes: Tensor
    dialog_boxes: Tensor

    def call(self, unet: Any, tokens: Tensor) -> Tensor:
        """Return the U-Net's prediction."""
        added = dict(self.added)
        predicted: Tensor = unet(self.sample, self.timestep, tokens, added_cond_kwargs=added).sample
        return predicted

    @property
    def latent_size(self) -> Grid:
        """Height and width in cells."""
        return self.sample.shape[2], self.sample.shape[3]

    def to(self, device: torch.device) -> StepInputs:
        """Return the same inputs on a device."""
        added = {name: tensor.to(device) for name, tensor in self.added.items()}
        fields = {name: value for name, value in vars(self).items() if name != "added"}
        moved = {name: tensor.to(device) for name, tensor in fields.items()}
        return StepInputs(added=added, **moved)


@dataclass(frozen=True)
class StepTimes:
    """Seconds of a step, and of a picture of `NUM_STEPS` as a ratio.

    Attributes:
        size: name of the U-Net's size.
        latents: a side of them, in cells.
        plain_s: diffusers' own U-Net, text alone.
        first_s: ours, with masks, keys and values prepared for the picture.
        later_s: ours, every other step.
        straightforward_s: everything done again in every layer.
        over_plain: a picture of ours over a plain one.
        speedup: a picture done straightforwardly over one of ours.
        difference: the largest between the two ways' outputs.
    """

    size: str
    latents: int
    plain_s: float
    first_s: float
    later_s: float
    straightforward_s: float
    over_plain: Spread
    speedup: Spread
    difference: float


class DifferentOutputsError(Exception):
    """The two ways of drawing characters do not agree, so their times say nothing."""


def step_inputs(config: Mapping[str, Any], latent_size: Grid) -> StepInputs:
    """Return random inputs for two rows, without and with four characters and three dialogs."""
    height, width = latent_size
    rng = torch.Generator().manual_seed(0)
    num_tokens = TEXT_TOKENS + TOKENS_PER_CHARACTER * (1 + MAX_CHARACTERS)
    time_width = 6 * config["addition_time_embed_dim"]
    pooled_width = config["projection_class_embeddings_input_dim"] - time_width

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng, device=rng.device)

    character_boxes = torch.zeros(2, MAX_CHARACTERS, 4)
    character_boxes[1] = torch.tensor(CHARACTER_BOXES)
    dialog_boxes = torch.zeros(2, MAX_DIALOGS, 4)
    dialog_boxes[1, : len(DIALOG_BOXES)] = torch.tensor(DIALOG_BOXES)
    size_px = [8.0 * height, 8.0 * width]
    time_ids = torch.tensor([[*size_px, 0, 0, *size_px]])
    return StepInputs(
        sample=normal(2, config.get("in_channels", 4), height, width),
        timestep=torch.tensor(500),
        tokens=normal(2, num_tokens, config["cross_attention_dim"]),
        added={"text_embeds": normal(2, pooled_width), "time_ids": time_ids.expand(2, -1)},
        character_boxes=character_boxes,
        dialog_boxes=dialog_boxes,
    )


def open_condition(adapter: CharacterAdapter, inputs: StepInputs) -> AbstractContextManager[None]:
    """Hold the inputs' characters and dialogs in place for the calls inside the `with`."""
    return adapter.condition(
        inputs.character_boxes,
        inputs.dialog_boxes,
        inputs.latent_size,
        tokens_per_character=TOKENS_PER_CHARACTER,
        num_background_tokens=TOKENS_PER_CHARACTER,
        character_scale=SCALE,
        tokens=inputs.tokens,
    )


def largest_difference(ours: Tensor, other: Tensor) -> float:
    """Return the largest difference, as a share of the largest value where that exceeds 1.

    Raises:
        DifferentOutputsError: it is above `TOLERANCE`, or something is not finite.
    """
    difference = float((ours - other).abs().max() / ours.abs().max().clamp(min=1.0))
    if not difference <= TOLERANCE:
        raise DifferentOutputsError(
            f"the outputs differ by {difference:.1e}; at most {TOLERANCE:.0e} is allowed"
        )
    return difference


@torch.inference_mode()
def measure_steps(name: str, config: Mapping[str, Any], side: int, rounds: int) -> StepTimes:
    """Time all ways in turns at one size of latents.

    Raises:
        DifferentOutputsError: ours and the straightforward way give different outputs.
    """
    inputs = step_inputs(config, (side, side))
    plain, adapter = new_unet(config), add_characters(new_unet(config))
    places = Places(
        inputs.character_boxes,
        inputs.dialog_boxes,
        inputs.latent_size,
        tokens_per_character=TOKENS_PER_CHARACTER,
        scale=SCALE,
    )
    other = work_straightforwardly(_copy_with_characters(adapter, config), places)
    words = inputs.tokens[:, :TEXT_TOKENS].contiguous()

    def first_step() -> Tensor:
        with open_condition(adapter, inputs):
            return inputs.call(adapter.unet, inputs.tokens)

    difference = largest_difference(first_step(), inputs.call(other, inputs.tokens))
    with ExitStack() as stack:
        stack.enter_context(open_condition(adapter, inputs))
        contenders: dict[str, Callable[[], object]] = {
            "plain": lambda: inputs.call(plain, words),
            "first": first_step,
            "later": lambda: inputs.call(adapter.unet, inputs.tokens),
            "straightforward": lambda: inputs.call(other, inputs.tokens),
        }
        seconds = take_turns(contenders, rounds)
    pictures = [
        first + (NUM_STEPS - 1) * later
        for first, later in zip(seconds["first"], seconds["later"], strict=True)
    ]
    medians = {contender: spread(values).median for contender, values in seconds.items()}
    return StepTimes(
        size=name,
        latents=side,
        plain_s=medians["plain"],
        first_s=medians["first"],
        later_s=medians["later"],
        straightforward_s=medians["straightforward"],
        over_plain=ratio(pictures, [NUM_STEPS * value for value in seconds["plain"]]),
        speedup=ratio([NUM_STEPS * value for value in seconds["straightforward"]], pictures),
        difference=difference,
    )


def new_unet(config: Mapping[str, Any]) -> Any:
    """Return a U-Net with the same random weights each time."""
    torch.manual_seed(0)
    model: Any = UNet2DConditionModel
    return model.from_config(dict(config)).eval()


def _copy_with_characters(adapter: CharacterAdapter, config: Mapping[str, Any]) -> CharacterAdapter:
    copy = add_characters(new_unet(config))
    copy.unet.load_state_dict(adapter.unet.state_dict(), strict=True)
    return copy
