from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import Attention
from golden_values import Golden, assert_equals

from generator.attention import CharacterCondition, ConditionSlot, MaskedCharacterAttnProcessor
from generator.masks import character_mask

GOLDEN = Golden("masked_ip_attention")
TOKENS = GOLDEN.config["num_vision_tokens"]


@pytest.fixture
def slot() -> ConditionSlot:
    return ConditionSlot()


@pytest.fixture
def layer(slot: ConditionSlot) -> Attention:
    config = GOLDEN.config
    layer = Attention(
        query_dim=config["dim"],
        cross_attention_dim=config["cross_dim"],
        heads=config["heads"],
        dim_head=config["dim"] // config["heads"],
        bias=False,
    )
    layer.set_processor(MaskedCharacterAttnProcessor(layer, slot))
    layer.load_state_dict(GOLDEN.group("weights/"), strict=True)
    return layer


def condition_of(case: str) -> CharacterCondition:
    sizes = GOLDEN.config["cases"][case]
    grid = sizes["token_h"], sizes["token_w"]
    boxes = GOLDEN[f"in/{case}/bbox"]
    mask = character_mask(boxes, grid, tokens_per_character=TOKENS, num_background_tokens=TOKENS)
    num_tokens = TOKENS * (1 + boxes.shape[1])
    return CharacterCondition({mask.shape[1]: mask.unsqueeze(1)}, num_tokens, sizes["ip_scale"])


@pytest.mark.parametrize("case", GOLDEN.config["cases"])
def test_attention_equals_the_published_one(
    case: str, layer: Attention, slot: ConditionSlot
) -> None:
    slot.condition = condition_of(case)
    hidden_states = GOLDEN[f"in/{case}/hidden_states"]
    actual = layer(hidden_states, GOLDEN[f"in/{case}/encoder_hidden_states"])
    assert_equals(actual.detach(), GOLDEN[f"out/{case}/hidden_states"])


def test_keys_and_values_are_projected_once_for_the_same_tokens(
    layer: Attention, slot: ConditionSlot
) -> None:
    calls: list[int] = []
    layer.processor.to_k_ip.register_forward_hook(lambda *_: calls.append(1))
    slot.condition = condition_of("cfg_batch2")
    hidden_states = GOLDEN["in/cfg_batch2/hidden_states"]
    tokens = GOLDEN["in/cfg_batch2/encoder_hidden_states"]
    with torch.no_grad():
        first, second = layer(hidden_states, tokens), layer(hidden_states, tokens)
        assert len(calls) == 1
        layer(hidden_states, tokens.clone())
    assert len(calls) == 2
    assert torch.equal(first, second)


def test_nothing_is_remembered_while_gradients_flow(layer: Attention, slot: ConditionSlot) -> None:
    slot.condition = condition_of("cfg_batch2")
    tokens = GOLDEN["in/cfg_batch2/encoder_hidden_states"]
    for _ in range(2):
        layer(GOLDEN["in/cfg_batch2/hidden_states"], tokens).sum().backward()
    assert layer.processor.to_k_ip.weight.grad.abs().sum() > 0


def test_a_call_outside_a_condition_is_refused(layer: Attention) -> None:
    case = "in/cfg_batch2"
    with pytest.raises(RuntimeError, match=r"adapter\.condition"):
        layer(GOLDEN[f"{case}/hidden_states"], GOLDEN[f"{case}/encoder_hidden_states"])


def test_latents_of_another_size_than_the_condition_are_refused(
    layer: Attention, slot: ConditionSlot
) -> None:
    slot.condition = condition_of("cfg_batch2")
    with pytest.raises(ValueError, match="no U-Net level has 71 cells"):
        layer(
            GOLDEN["in/cfg_batch2/hidden_states"][:, :71],
            GOLDEN["in/cfg_batch2/encoder_hidden_states"],
        )


def test_tokens_without_text_are_refused(layer: Attention, slot: ConditionSlot) -> None:
    slot.condition = condition_of("cfg_batch2")
    with pytest.raises(ValueError, match="15 background and character tokens"):
        layer(
            GOLDEN["in/cfg_batch2/hidden_states"],
            GOLDEN["in/cfg_batch2/encoder_hidden_states"][:, 5:],
        )
