from __future__ import annotations

import json

import pytest
import torch
from golden_values import FOLDER, Golden
from hypothesis import given
from hypothesis import strategies as st

from generator.masks import character_mask, dialog_map, level_sizes, published_grid

ATTENTION = Golden("masked_ip_attention")
UNET = Golden("unet_forward")
fractions = st.floats(0, 1, width=32)


@pytest.mark.parametrize("case", ATTENTION.config["cases"])
def test_character_masks_equal_the_published_ones(case: str) -> None:
    sizes = ATTENTION.config["cases"][case]
    mask = character_mask(
        ATTENTION[f"in/{case}/bbox"],
        (sizes["token_h"], sizes["token_w"]),
        tokens_per_character=ATTENTION.config["num_vision_tokens"],
        num_background_tokens=ATTENTION.config["num_vision_tokens"],
    )
    assert torch.equal(mask, ATTENTION[f"out/{case}/mask_allowed"].bool())


@pytest.mark.parametrize(
    "case", [name for name, case in UNET.config["cases"].items() if case["has_dialog"]]
)
def test_dialog_maps_equal_the_published_ones(case: str) -> None:
    expected = UNET[f"out/{case}/dialog_mask"].bool()
    boxes = UNET[f"in/{case}/dialog_bbox"]
    assert torch.equal(dialog_map(boxes, tuple(expected.shape[1:])), expected)


@given(
    corners=st.tuples(fractions, fractions, fractions, fractions),
    grid=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_every_position_sees_either_characters_or_the_background(
    corners: tuple[float, float, float, float], grid: tuple[int, int]
) -> None:
    boxes = torch.tensor([[corners, (0.0, 0.0, 0.0, 0.0)]])
    mask = character_mask(boxes, grid, tokens_per_character=2, num_background_tokens=3)
    background, characters = mask[..., :3], mask[..., 3:]
    assert torch.equal(background.all(-1), ~characters.any(-1))
    assert torch.equal(background.all(-1), background.any(-1))
    assert mask.any(-1).all()


def test_the_box_of_an_empty_slot_holds_the_top_left_cell() -> None:
    mask = character_mask(
        torch.zeros(1, 1, 4), (3, 5), tokens_per_character=1, num_background_tokens=1
    )
    assert mask[0, :, 1].nonzero().flatten().tolist() == [0]


def test_the_box_of_an_empty_slot_holds_nothing_where_that_is_wanted() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]])
    mask = character_mask(
        boxes,
        (3, 5),
        tokens_per_character=1,
        num_background_tokens=1,
        zero_boxes_hold_a_cell=False,
    )
    assert not mask[..., 1].any()
    assert mask[..., 2].any()


def test_a_dialog_of_zeros_covers_nothing() -> None:
    assert not dialog_map(torch.zeros(2, 8, 4), (16, 24)).any()


def test_odd_sizes_are_halved_upwards() -> None:
    assert level_sizes(17, 23, 4) == ((17, 23), (9, 12), (5, 6), (3, 3))


def test_the_published_guess_of_the_grid_is_reproduced_with_its_mistakes() -> None:
    rows = json.loads((FOLDER / "grid_recovery.json").read_text())["rows"]
    guesses = [published_grid(row["token_h"] * row["token_w"], row["aspect_ratio"]) for row in rows]
    assert guesses == [(row["reference_h"], row["reference_w"]) for row in rows]
    assert any(guess[0] != row["token_h"] for guess, row in zip(guesses, rows, strict=True))
