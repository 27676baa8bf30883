from __future__ import annotations

import pytest
import torch
from golden_values import Golden
from torch.nn import functional

from generator.footprint import (
    decoder_footprint,
    largest_batch,
    measure,
    unet_footprint,
    working_bytes,
)
from generator.pipeline import DiffSensei

GOLDEN = Golden("unet_forward")
ONE_LEVEL = {
    "block_out_channels": (16,),
    "down_block_types": ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",),
    "attention_head_dim": 2,
    "transformer_layers_per_block": 1,
}


def test_operations_and_the_largest_sum_of_living_tensors_are_counted() -> None:
    a = torch.empty(10, 20, device="meta")

    def work() -> torch.Tensor:
        b = a @ a.T  # 400 bytes
        c = b + 1  # 400 more
        del b
        return c.view(100).relu()  # and 400 more, b's gone

    taken = measure(work)
    assert taken.matrix_flops == 2 * 10 * 20 * 10
    assert (taken.num_operations, taken.written_bytes, taken.peak_bytes) == (3, 1200, 800)


def test_attention_holds_no_matrix_of_scores() -> None:
    query = torch.empty(1, 2, 64, 8, device="meta")
    taken = measure(lambda: functional.scaled_dot_product_attention(query, query, query))
    assert taken.attention_flops == 4 * 2 * 64 * 64 * 8
    assert taken.peak_bytes == query.nbytes


def test_twice_the_panels_take_twice_the_work_and_half_precision_half_the_memory() -> None:
    config = {**GOLDEN.config["unet"], **ONE_LEVEL}
    one, two, half = (
        unet_footprint(config, (16, 16), rows, max_characters=2, dtype=dtype)
        for rows, dtype in ((2, torch.float32), (4, torch.float32), (2, torch.float16))
    )
    assert two.flops == pytest.approx(2 * one.flops, rel=0.01)
    assert two.peak_bytes == pytest.approx(2 * one.peak_bytes, rel=0.01)
    assert half.peak_bytes == pytest.approx(one.peak_bytes / 2, rel=0.05)


def test_a_larger_picture_takes_more_to_decode(model: DiffSensei) -> None:
    config = model.components.vae.config
    small, large = (
        decoder_footprint(config, size, dtype=torch.float32) for size in ((8, 8), (16, 16))
    )
    assert large.peak_bytes == pytest.approx(4 * small.peak_bytes, rel=0.1)


def test_as_many_panels_as_fit_are_drawn_together(model: DiffSensei) -> None:
    components = model.components
    one = working_bytes(
        unet_footprint(
            components.unet.config,
            (8, 8),
            2,
            max_characters=components.settings.max_characters,
            dtype=torch.float32,
        )
    )
    fitting = [
        largest_batch(components, (8, 8), free_bytes, at_most=8)
        for free_bytes in (0, one, int(3.5 * one), 100 * one)
    ]
    assert fitting == [1, 1, 3, 8]
