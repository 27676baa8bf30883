from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from diffusers import AutoencoderDC

from generator.decoding import decode, decode_one, latent_factor
from generator.errors import DrawingError
from generator.pipeline import DiffSensei


@pytest.fixture
def deep_autoencoder() -> AutoencoderDC:
    torch.manual_seed(0)
    return AutoencoderDC(
        latent_channels=4,
        attention_head_dim=4,
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        encoder_layers_per_block=(1, 1, 1),
        decoder_layers_per_block=(1, 1, 1),
        encoder_qkv_multiscales=((), (), ()),
        decoder_qkv_multiscales=((), (), ()),
    ).eval()


@torch.no_grad()
def test_latents_become_pictures_of_their_size(deep_autoencoder: AutoencoderDC) -> None:
    factor = latent_factor(deep_autoencoder)
    first, second = decode(torch.randn(2, 4, 6, 8), deep_autoencoder)
    assert first.size == second.size == (8 * factor, 6 * factor)
    assert first.mode == "RGB"
    assert first.tobytes() != second.tobytes()


def test_autoencoders_tell_how_many_pixels_a_cell_has(
    deep_autoencoder: AutoencoderDC, model: DiffSensei
) -> None:
    assert latent_factor(deep_autoencoder) == 4
    assert latent_factor(model.components.vae) == 8


@pytest.mark.parametrize("kind", ["kl", "deep"])
def test_a_picture_decoded_in_tiles_has_the_same_size_and_nearly_the_same_pixels(
    kind: str,
    deep_autoencoder: AutoencoderDC,
    model: DiffSensei,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("generator.decoding.TILE_PX", 64)
    vae = deep_autoencoder if kind == "deep" else copy.deepcopy(model.components.vae)
    sizes: list[int] = []
    vae.decoder.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[-1]))
    cells = 64 // latent_factor(vae)
    # smooth latents, as a picture's are: in noise every tile's neighbour counts
    latents = torch.ones(4, 2 * cells, 3 * cells) * torch.linspace(0, 0.1, 3 * cells)
    whole, tiled = (decode_one(latents, vae, tiled=tiled) for tiled in (False, True))
    assert sizes[0] == 3 * cells
    assert max(sizes[1:]) == cells
    assert tiled.size == whole.size == (3 * 64, 2 * 64)
    difference = np.asarray(tiled).astype(int) - np.asarray(whole)
    assert 0 < np.abs(difference).mean() < 40
    assert not vae.use_tiling


def test_an_autoencoder_that_overflows_in_half_precision_goes_on_in_float32(
    model: DiffSensei,
) -> None:
    vae = copy.deepcopy(model.components.vae)
    with torch.no_grad():
        vae.decoder.conv_in.weight.mul_(1e5)  # undone by the norm behind it
    latents = torch.randn(4, 8, 8)
    expected = decode_one(latents, vae)
    half = vae.half()
    picture = decode_one(latents, half)
    assert half.dtype == torch.float32
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(expected)).max() <= 8


def test_pixels_that_are_never_finite_are_an_error(model: DiffSensei) -> None:
    latents = torch.full((4, 8, 8), float("nan"))
    with pytest.raises(DrawingError, match="no picture"):
        decode_one(latents, model.components.vae)
