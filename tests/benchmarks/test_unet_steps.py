"""The straightforward way is only a fair opponent if it draws the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from benchmarks.device_rates import step_operations
from benchmarks.model_sizes import TINY, TOKENS_PER_CHARACTER
from benchmarks.straightforward import Places, work_straightforwardly
from benchmarks.unet_steps import (
    SCALE,
    DifferentOutputsError,
    StepInputs,
    largest_difference,
    new_unet,
    open_condition,
    step_inputs,
)
from generator.unet import add_characters

torch.set_num_threads(1)
LATENTS = (12, 8)


@pytest.fixture(scope="module")
def inputs() -> StepInputs:
    return step_inputs(TINY.unet_config(), LATENTS)


@torch.inference_mode()
def ours(inputs: StepInputs) -> torch.Tensor:
    adapter = add_characters(new_unet(TINY.unet_config()))
    with open_condition(adapter, inputs):
        return inputs.call(adapter.unet, inputs.tokens)


@torch.inference_mode()
def straightforward(inputs: StepInputs) -> torch.Tensor:
    places = Places(
        inputs.character_boxes,
        inputs.dialog_boxes,
        LATENTS,
        tokens_per_character=TOKENS_PER_CHARACTER,
        scale=SCALE,
    )
    unet = work_straightforwardly(add_characters(new_unet(TINY.unet_config())), places)
    return inputs.call(unet, inputs.tokens)


def test_both_ways_draw_the_same(inputs: StepInputs) -> None:
    assert largest_difference(ours(inputs), straightforward(inputs)) < 1e-5


@pytest.mark.parametrize("boxes", ["character_boxes", "dialog_boxes"])
def test_a_moved_box_is_noticed(inputs: StepInputs, boxes: str) -> None:
    moved = getattr(inputs, boxes).clone()
    moved[1, 0] = torch.tensor([0.5, 0.5, 1.0, 1.0])
    with pytest.raises(DifferentOutputsError):
        largest_difference(ours(inputs), straightforward(replace(inputs, **{boxes: moved})))


def test_numbers_that_are_none_are_noticed() -> None:
    with pytest.raises(DifferentOutputsError):
        largest_difference(torch.tensor([1.0]), torch.tensor([float("nan")]))


def test_operations_are_those_of_all_layers(inputs: StepInputs) -> None:
    """Counted a second time, by hand; keys and values of the tokens are no part of a step."""
    unet = new_unet(TINY.unet_config())
    counted = 0

    def count(name: str, module: torch.nn.Module, output: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
        counted += 2 * output.numel() * module.weight[0].numel()
        if name.endswith("to_q"):
            cells = output.shape[1]
            counted += 4 * output.numel() * (cells if "attn1" in name else inputs.tokens.shape[1])

    for name, module in unet.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and not name.endswith(
            ("attn2.to_k", "attn2.to_v")
        ):
            module.register_forward_hook(
                lambda module, _given, output, name=name: count(name, module, output)
            )
    with torch.inference_mode():
        inputs.call(unet, inputs.tokens)
    assert step_operations(TINY, LATENTS) == counted
