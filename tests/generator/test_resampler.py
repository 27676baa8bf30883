from __future__ import annotations

import pytest
import torch
from golden_values import Golden, assert_equals

from generator.resampler import CharacterResampler

GOLDEN = Golden("resampler")


@pytest.fixture
def resampler() -> CharacterResampler:
    return CharacterResampler.from_state_dict(
        GOLDEN.group("weights/"), head_width=GOLDEN.config["dim_head"]
    )


def test_sizes_are_read_from_the_weights(resampler: CharacterResampler) -> None:
    config = GOLDEN.config
    assert resampler.tokens_per_character == config["num_queries"]
    assert resampler.num_background_tokens == config["num_dummy_tokens"]
    assert resampler.clip_width == config["embedding_dim"]
    assert resampler.magi_width == config["magi_embedding_dim"]
    assert len(resampler.layers) == config["depth"]


def test_the_keys_are_the_published_ones(resampler: CharacterResampler) -> None:
    assert set(resampler.state_dict()) == set(GOLDEN.group("weights/"))


@torch.no_grad()
def test_tokens_equal_the_published_ones(resampler: CharacterResampler) -> None:
    clip, magi = GOLDEN["in/clip_features"], GOLDEN["in/magi_features"]
    assert_equals(resampler(clip, magi), GOLDEN["out/tokens"])
    zeros = resampler(torch.zeros_like(clip), torch.zeros_like(magi))
    assert_equals(zeros, GOLDEN["out/tokens_zero_features"])
    clip[:, -1], magi[:, -1] = 0, 0
    assert_equals(resampler(clip, magi), GOLDEN["out/tokens_last_slot_zero"])


@torch.no_grad()
def test_a_single_panel_may_come_with_two_dimensional_summaries(
    resampler: CharacterResampler,
) -> None:
    actual = resampler(GOLDEN["in/clip_features_b1"], GOLDEN["in/magi_features_2d"])
    assert_equals(actual, GOLDEN["out/tokens_b1"])


def test_a_missing_weight_is_refused_by_name() -> None:
    weights = GOLDEN.group("weights/")
    del weights["layers.1.0.norm1.bias"]
    with pytest.raises(RuntimeError, match=r"layers\.1\.0\.norm1\.bias"):
        CharacterResampler.from_state_dict(weights, head_width=8)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        CharacterResampler(width=30, head_width=8)
