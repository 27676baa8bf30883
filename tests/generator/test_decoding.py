from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderDC

from generator.decoding import decode, latent_factor
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
