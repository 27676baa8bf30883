from __future__ import annotations

import pytest
import torch
from golden_values import assert_equals
from PIL import Image

from generator.encoders import character_tokens, empty_slot_tokens, to_gray
from generator.pipeline import DiffSensei

FIRST, SECOND = Image.effect_noise((40, 56), 80), Image.effect_noise((64, 30), 40)


@torch.no_grad()
def test_each_distinct_picture_is_encoded_once(model: DiffSensei) -> None:
    images, batches = model.components.image_encoders, []
    hook = images.clip.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    try:
        tokens = character_tokens(
            [(FIRST,), (SECOND,), (FIRST.copy(),)], images, model.components.resampler
        )
    finally:
        hook.remove()
    assert batches == [2]
    assert torch.equal(tokens[0], tokens[2])
    assert not torch.equal(tokens[0], tokens[1])


@torch.no_grad()
def test_the_tokens_of_several_pictures_are_averaged(model: DiffSensei) -> None:
    both, first, second = character_tokens(
        [(FIRST, SECOND), (FIRST,), (SECOND,)],
        model.components.image_encoders,
        model.components.resampler,
    )
    assert_equals(both, (first + second) / 2, 1e-6)


@torch.no_grad()
def test_a_character_without_pictures_is_an_empty_slot(model: DiffSensei) -> None:
    encoders, resampler = model.components.image_encoders, model.components.resampler
    [tokens] = character_tokens([()], encoders, resampler)
    assert torch.equal(tokens, empty_slot_tokens(encoders, resampler))


@torch.no_grad()
def test_encoding_draws_no_random_number(model: DiffSensei) -> None:
    """The manga encoder's library masks patches at random unless it is told not to."""
    images = model.components.image_encoders
    torch.manual_seed(0)
    before = torch.get_rng_state()
    (clip, magi), (clip_again, magi_again) = images.encode([FIRST]), images.encode([FIRST])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(clip, clip_again)
    assert torch.equal(magi, magi_again)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pictures_lie_on_white_paper(mode: str) -> None:
    picture = Image.new("RGBA", (4, 4), (200, 0, 0, 0)).convert(mode)
    if mode == "P":
        picture.info["transparency"] = picture.getpixel((0, 0))
    gray = to_gray(picture)
    assert gray.mode == "RGB"
    assert gray.getpixel((0, 0)) == (255, 255, 255)


def test_colours_become_gray() -> None:
    assert to_gray(Image.new("RGB", (2, 2), (255, 0, 0))).getpixel((0, 0)) == (76, 76, 76)


@torch.no_grad()
def test_random_masking_hides_three_quarters_of_a_picture_but_always_the_same(
    model: DiffSensei,
) -> None:
    images, lengths = model.components.image_encoders, list[int]()
    hook = images.magi.layernorm.register_forward_pre_hook(
        lambda _, inputs: lengths.append(inputs[0].shape[1] - 1)  # but the class token
    )
    torch.manual_seed(0)
    before = torch.get_rng_state()
    _, whole = images.encode([FIRST])
    _, masked = images.encode([FIRST], mask_at_random=True)
    _, together = images.encode([SECOND, FIRST], mask_at_random=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(whole, masked, atol=1e-3)
    assert_equals(masked, together[1:], 1e-5)
    _, whole_again = images.encode([FIRST])
    hook.remove()
    assert torch.equal(whole, whole_again)
    num_patches = images.magi.embeddings.patch_embeddings.num_patches
    assert lengths == [num_patches, num_patches // 4, num_patches // 4, num_patches]


@torch.no_grad()
def test_empty_slots_have_the_tokens_of_a_black_picture_only_as_an_oddity(
    model: DiffSensei,
) -> None:
    encoders, resampler = model.components.image_encoders, model.components.resampler
    [black] = character_tokens([(Image.new("RGB", (40, 40)),)], encoders, resampler)
    odd = empty_slot_tokens(encoders, resampler, compatibility=("black-empty-slots",))
    assert_equals(odd, black, 1e-5)
    assert not torch.allclose(empty_slot_tokens(encoders, resampler), black, atol=1e-3)
