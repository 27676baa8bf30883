"""Captions become SDXL's text conditioning."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import CLIPTokenizer
    from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

log = logging.getLogger(__name__)

ENCODING_BATCH = 16


@dataclass(frozen=True)
class TextEncoders:
    """SDXL's two text encoders with their tokenizers; arXiv:2307.01952, section 2.1."""

    tokenizer: CLIPTokenizer
    encoder: CLIPTextModel
    tokenizer_2: CLIPTokenizer
    encoder_2: CLIPTextModelWithProjection

    def encode(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Give the conditioning of each prompt.

        Returns:
            The last but one layers of both encoders side by side, (prompts, tokens, width), and
            the second encoder's pooled embedding, (prompts, pooled width).
        """
        for prompt in prompts:
            if unread := self.unread(prompt):
                log.info("the text encoders do not read to the end: %s", unread)
        first, _ = _encode(prompts, self.tokenizer, self.encoder)
        second, pooled = _encode(prompts, self.tokenizer_2, self.encoder_2)
        return torch.cat([first, second], dim=-1), pooled

    def unread(self, prompt: str) -> str:
        """Return the end of a prompt that the encoders do not read, empty if they read it all."""
        length = _length(self.tokenizer, self.encoder) - 2
        ids = self.tokenizer(prompt, add_special_tokens=False, verbose=False).input_ids
        return str(self.tokenizer.decode(ids[length:])) if len(ids) > length else ""


@dataclass(frozen=True)
class TextConditioning:
    """One prompt's embeddings: `prompt_embeds` (tokens, width), `pooled` (pooled width)."""

    prompt_embeds: Tensor
    pooled: Tensor

    def to(self, device: torch.device) -> TextConditioning:
        """Return the same on a device."""
        return TextConditioning(self.prompt_embeds.to(device), self.pooled.to(device))


def encode_distinct(
    prompts: Sequence[str], encoders: TextEncoders, *, batch_size: int = ENCODING_BATCH
) -> dict[str, TextConditioning]:
    """Encode each distinct prompt once, `batch_size` together.

    A prompt that is longer than the encoders read is logged, as information, with its unread end.
    """
    distinct = list(dict.fromkeys(prompts))
    encoded: dict[str, TextConditioning] = {}
    for start in range(0, len(distinct), batch_size):
        batch = distinct[start : start + batch_size]
        for prompt, embeds, pooled in zip(batch, *encoders.encode(batch), strict=True):
            encoded[prompt] = TextConditioning(embeds, pooled)
    return encoded


def _encode(prompts: Sequence[str], tokenizer: Any, encoder: Any) -> tuple[Tensor, Tensor]:
    """Give the last but one layer and the encoder's first output (pooled, of the second one)."""
    length = _length(tokenizer, encoder)
    ids = tokenizer(
        list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    ).input_ids
    output = encoder(ids.to(encoder.device), output_hidden_states=True)
    return output.hidden_states[-2], output[0]


def _length(tokenizer: Any, encoder: Any) -> int:
    return int(min(tokenizer.model_max_length, encoder.config.max_position_embeddings))
