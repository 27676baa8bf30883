"""Captions and pictures become what the U-Net is conditioned on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generator.components import Components
from generator.devices import CPU
from generator.encoders import (
    ENCODING_BATCH,
    character_tokens,
    empty_slot_tokens,
    zero_feature_tokens,
)
from generator.mllm import CharacterMllm, blend
from generator.prompts import TextConditioning, encode_distinct
from generator.request import PanelRequest


@dataclass(frozen=True)
class Conditioning:
    """What one panel is drawn from: text and image tokens of the wanted and the unwanted.

    Image tokens are (background + characters * tokens per character, width).
    """

    text: TextConditioning
    negative_text: TextConditioning
    image_tokens: Tensor
    negative_image_tokens: Tensor


TextPair = tuple[TextConditioning, TextConditioning]
"""Of the wanted and of the unwanted."""
ImagePair = tuple[Tensor, Tensor]
"""Image tokens of the wanted and of the unwanted."""


@torch.inference_mode()
def encode(panels: Sequence[PanelRequest], components: Components) -> list[Conditioning]:
    """Turn captions and pictures into tokens, each distinct one once."""
    texts, images = encode_captions(panels, components), encode_pictures(panels, components)
    return [Conditioning(*text, *image) for text, image in zip(texts, images, strict=True)]


@torch.inference_mode()
def encode_captions(
    panels: Sequence[PanelRequest], components: Components, *, batch_size: int = ENCODING_BATCH
) -> list[TextPair]:
    """Encode each distinct caption and negative prompt once; the results lie on the CPU."""
    pairs = [(panel.caption, negative_prompt(panel, components)) for panel in panels]
    texts = encode_distinct(
        [text for pair in pairs for text in pair], components.text, batch_size=batch_size
    )
    encoded = {text: of.to(CPU) for text, of in texts.items()}
    return [(encoded[caption], encoded[negative]) for caption, negative in pairs]


@torch.inference_mode()
def encode_pictures(
    panels: Sequence[PanelRequest], components: Components, *, batch_size: int = ENCODING_BATCH
) -> list[ImagePair]:
    """Encode each distinct picture once, and what is the same for all; on the CPU in the end."""
    encoders, resampler = components.image_encoders, components.resampler
    compatibility = components.settings.compatibility
    slots = components.settings.max_characters
    pictures = [character.images for panel in panels for character in panel.characters]
    tokens = iter(
        character_tokens(
            pictures, encoders, resampler, compatibility=compatibility, batch_size=batch_size
        )
    )
    empty = empty_slot_tokens(encoders, resampler, compatibility=compatibility)
    background = resampler.dummy_tokens.to(empty)
    nobody = torch.cat([background, *[zero_feature_tokens(encoders, resampler)] * slots]).to(CPU)
    pairs = []
    for panel in panels:
        filled = [next(tokens) for _ in panel.characters]
        filled += [empty] * (slots - len(filled))
        pairs.append((torch.cat([background, *filled]).to(CPU), nobody))
    return pairs


@torch.inference_mode()
def adapt(
    panels: Sequence[PanelRequest],
    images: Sequence[ImagePair],
    mllm: CharacterMllm,
    components: Components,
) -> list[ImagePair]:
    """Let the language model make each panel's character tokens agree with its caption.

    Args:
        panels: all in one batch.
        images: of the same panels.
        mllm: the language model.
        components: tell the tokens' layout and the share of the adapted ones.

    Raises:
        AdapterError: the language model gives no tokens for a caption.
    """
    resampler = components.resampler
    num_background = resampler.num_background_tokens
    source = torch.stack([wanted[num_background:] for wanted, _ in images])
    source = source.reshape(len(images), -1, resampler.tokens_per_character, source.shape[-1])
    adapted = mllm.adapt([panel.caption for panel in panels], source)
    blended = blend(adapted, source, components.settings.mllm_scale).flatten(1, 2)
    return [
        (torch.cat([wanted[:num_background], tokens]), unwanted)
        for (wanted, unwanted), tokens in zip(images, blended, strict=True)
    ]


def negative_prompt(panel: PanelRequest, components: Components) -> str:
    """Return what the panel's picture shall not show."""
    own = panel.negative_prompt
    return components.settings.negative_prompt if own is None else own
