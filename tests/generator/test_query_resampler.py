from __future__ import annotations

import pytest
import torch
from golden_values import Golden, assert_equals

from generator.query_resampler import QueryResampler, position_embedding

GOLDEN = Golden("qwen_resampler")
NAMES = ("input_resampler", "output_resampler")


def resampler(name: str) -> QueryResampler:
    return QueryResampler.from_state_dict(
        GOLDEN.group(f"weights/{name}."), num_heads=GOLDEN.config[name]["num_heads"]
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [9, 16, 25])
@torch.no_grad()
def test_what_it_reads_equals_the_published(name: str, length: int) -> None:
    actual = resampler(name)(GOLDEN[f"in/{name}/n{length}"])
    assert_equals(actual, GOLDEN[f"out/{name}/n{length}"])


@pytest.mark.parametrize("name", NAMES)
def test_sizes_and_names_come_from_the_weights(name: str) -> None:
    made, config = resampler(name), GOLDEN.config[name]
    assert made.num_queries == config["grid_size"] ** 2
    assert (made.input_width, made.output_width) == (config["kv_dim"], config["embed_dim"])
    assert set(made.state_dict()) == set(GOLDEN.group(f"weights/{name}."))


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_positions_depend_only_on_the_size_and_may_be_absent(name: str) -> None:
    weights = GOLDEN.group(f"weights/{name}.")
    recorded = weights.pop("pos_embed")
    config = GOLDEN.config[name]
    positions = position_embedding(config["grid_size"], config["embed_dim"])
    assert_equals(positions, recorded, tolerance=1e-6)
    made = QueryResampler.from_state_dict(weights, num_heads=config["num_heads"])
    assert_equals(made(GOLDEN[f"in/{name}/n16"]), GOLDEN[f"out/{name}/n16"])


def test_no_projection_where_the_widths_are_equal() -> None:
    made = QueryResampler(grid=2, width=8, num_heads=2, input_width=8)
    assert "kv_proj.weight" not in made.state_dict()
    assert made.input_width == 8
    QueryResampler.from_state_dict(made.state_dict(), num_heads=2)


def test_a_missing_weight_is_refused_by_name() -> None:
    weights = GOLDEN.group("weights/input_resampler.")
    del weights["ln_kv.bias"]
    with pytest.raises(RuntimeError, match=r"ln_kv\.bias"):
        QueryResampler.from_state_dict(weights, num_heads=4)


def test_sizes_that_make_no_square_or_no_heads_are_refused() -> None:
    weights = GOLDEN.group("weights/input_resampler.")
    with pytest.raises(ValueError, match="15 queries are no square"):
        QueryResampler.from_state_dict({**weights, "query": weights["query"][:15]}, num_heads=4)
    with pytest.raises(ValueError, match="width 48 is no multiple of 4 and of 5 heads"):
        QueryResampler.from_state_dict(weights, num_heads=5)
    with pytest.raises(ValueError, match="12 features are no square"):
        resampler("input_resampler")(torch.zeros(1, 12, 20))
