from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers.models.attention_processor import Attention
from golden_values import Golden, assert_equals

from generator.attention import LayerCondition, MaskedCharacterAttnProcessor
from generator.masks import character_mask

GOLDEN = Golden("masked_ip_attention")
TOKENS = GOLDEN.config["num_vision_tokens"]


@pytest.fixture
def layer() -> Attention:
    config = GOLDEN.config
    layer = Attention(
        query_dim=config["dim"],
        cross_attention_dim=config["cross_dim"],
        heads=config["heads"],
        dim_head=config["dim"] // config["heads"],
        bias=False,
    )
    layer.set_processor(MaskedCharacterAttnProcessor(layer))
    layer.load_state_dict(GOLDEN.group("weights/"), strict=True)
    return layer


def condition_of(case: str) -> LayerCondition:
    sizes = GOLDEN.config["cases"][case]
    grid = sizes["token_h"], sizes["token_w"]
    boxes = GOLDEN[f"in/{case}/bbox"]
    mask = character_mask(boxes, grid, tokens_per_character=TOKENS, num_background_tokens=TOKENS)
    return LayerCondition(mask.unsqueeze(1), TOKENS * (1 + boxes.shape[1]), sizes["ip_scale"])


@pytest.mark.parametrize("case", GOLDEN.config["cases"])
def test_attention_equals_the_published_one(case: str, layer: Attention) -> None:
    layer.processor.condition = condition_of(case)
    hidden_states = GOLDEN[f"in/{case}/hidden_states"]
    actual = layer(hidden_states, GOLDEN[f"in/{case}/encoder_hidden_states"])
    assert_equals(actual.detach(), GOLDEN[f"out/{case}/hidden_states"])


@torch.no_grad()
def test_keys_and_values_that_are_known_are_not_projected_again(layer: Attention) -> None:
    calls: list[int] = []
    for projection in (layer.to_k, layer.to_v, layer.processor.to_k_ip, layer.processor.to_v_ip):
        projection.register_forward_hook(lambda *_: calls.append(1))
    condition = condition_of("cfg_batch2")
    hidden_states = GOLDEN["in/cfg_batch2/hidden_states"]
    tokens = GOLDEN["in/cfg_batch2/encoder_hidden_states"]
    layer.processor.condition = condition
    expected = layer(hidden_states, tokens)
    projected = layer.processor.project(layer, tokens, condition.num_tokens)
    calls.clear()
    layer.processor.condition = replace(condition, projected=projected)
    assert torch.equal(layer(hidden_states, tokens), expected)
    assert not calls


def test_gradients_reach_the_projections(layer: Attention) -> None:
    layer.processor.condition = condition_of("cfg_batch2")
    tokens = GOLDEN["in/cfg_batch2/encoder_hidden_states"]
    for _ in range(2):
        layer(GOLDEN["in/cfg_batch2/hidden_states"], tokens).sum().backward()
    assert layer.processor.to_k_ip.weight.grad.abs().sum() > 0


def test_a_call_outside_a_condition_is_refused(layer: Attention) -> None:
    case = "in/cfg_batch2"
    with pytest.raises(RuntimeError, match=r"adapter\.condition"):
        layer(GOLDEN[f"{case}/hidden_states"], GOLDEN[f"{case}/encoder_hidden_states"])


def test_latents_of_another_size_than_the_condition_are_refused(layer: Attention) -> None:
    condition = condition_of("cfg_batch2")
    layer.processor.condition = condition
    cells = condition.mask.shape[2]
    with pytest.raises(ValueError, match=f"made for {cells} cells .* have {cells - 1}"):
        layer(
            GOLDEN["in/cfg_batch2/hidden_states"][:, :-1],
            GOLDEN["in/cfg_batch2/encoder_hidden_states"],
        )


def test_another_batch_than_the_conditions_is_refused(layer: Attention) -> None:
    layer.processor.condition = condition_of("cfg_batch2")
    with pytest.raises(ValueError, match="2 rows of character boxes for a batch of 1"):
        layer(
            GOLDEN["in/cfg_batch2/hidden_states"][:1],
            GOLDEN["in/cfg_batch2/encoder_hidden_states"][:1],
        )


def test_tokens_without_text_are_refused(layer: Attention) -> None:
    layer.processor.condition = condition_of("cfg_batch2")
    with pytest.raises(ValueError, match="15 background and character tokens"):
        layer(
            GOLDEN["in/cfg_batch2/hidden_states"],
            GOLDEN["in/cfg_batch2/encoder_hidden_states"][:, 5:],
        )
