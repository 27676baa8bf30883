"""Masked cross-attention to characters: the attention processor and what each layer is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

KeyValue = tuple[Tensor, Tensor]
"""Keys and values, each (batch, heads, tokens, width of a head)."""


@dataclass(frozen=True)
class LayerCondition:
    """What one cross-attention layer is told about the characters of the running U-Net calls.

    Attributes:
        mask: (batch, 1, cells, tokens): Bool, True where attention is allowed, or what is added
            to the scores, which spares every call the translation.
        num_tokens: background and character tokens at the end of `encoder_hidden_states`.
        scale: weight of the characters, 0 to 1.
        projected: keys and values of the text and of the characters where they stay the same for
            all calls; `encoder_hidden_states` is not looked at then.
    """

    mask: Tensor
    num_tokens: int
    scale: float
    projected: tuple[KeyValue, KeyValue] | None = None


class MaskedCharacterAttnProcessor(nn.Module):
    """Cross-attention to the text plus, by its own keys and values, to the characters in place.

    `out = to_out(attend(q, text) + scale * attend(q, characters, mask))`, the two with separate
    softmaxes. Source: DiffSensei, arXiv:2412.07589, equation 3.

    Attributes:
        condition: of the running calls; None outside `CharacterAdapter.condition`.
    """

    def __init__(self, attn: Any) -> None:
        """Start from copies of the layer's own key and value projections.

        Args:
            attn: the diffusers cross-attention layer.
        """
        super().__init__()
        self.condition: LayerCondition | None = None
        self.to_k_ip = _copy_weight(attn.to_k)
        self.to_v_ip = _copy_weight(attn.to_v)

    def forward(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,  # noqa: ARG002  part of diffusers' processor interface
    ) -> Tensor:
        """Attend from each image position.

        Args:
            attn: the layer that calls.
            hidden_states: (batch, cells, width).
            encoder_hidden_states: (batch, text + background + characters, cross width).
            attention_mask: added to the text's scores, (batch, 1, text or all tokens).
            temb: unused.

        Returns:
            (batch, cells, width).

        Raises:
            RuntimeError: the U-Net was called outside `CharacterAdapter.condition`.
            ValueError: the condition was made for latents of another size.
        """
        condition = self.condition
        if condition is None:
            raise RuntimeError("call the U-Net inside `with adapter.condition(...)`")
        _check_size(condition.mask, hidden_states)
        text, characters = condition.projected or self.project(
            attn, encoder_hidden_states, condition.num_tokens
        )
        query = _split_heads(attn.to_q(hidden_states), attn.heads)
        if attention_mask is not None:
            attention_mask = attention_mask[..., None, :, : text[0].shape[2]]
        attended = functional.scaled_dot_product_attention(query, *text, attn_mask=attention_mask)
        in_place = functional.scaled_dot_product_attention(
            query, *characters, attn_mask=condition.mask
        )
        merged = torch.add(attended, in_place, alpha=condition.scale).transpose(1, 2).flatten(2)
        projected: Tensor = attn.to_out[0](merged)
        dropped: Tensor = attn.to_out[1](projected)
        return dropped

    def project(
        self, attn: Any, tokens: Tensor | None, num_tokens: int
    ) -> tuple[KeyValue, KeyValue]:
        """Give keys and values of the text and of the characters.

        Args:
            attn: the layer this processor is in.
            tokens: (batch, text + background + characters, cross width).
            num_tokens: how many of them, at the end, are background and characters.

        Raises:
            ValueError: there are no tokens, or no text among them.
        """
        if tokens is None:
            raise ValueError("character attention needs encoder_hidden_states")
        num_text_tokens = tokens.shape[1] - num_tokens
        if num_text_tokens < 1:
            raise ValueError(
                f"encoder_hidden_states has {tokens.shape[1]} tokens; expected text tokens "
                f"followed by {num_tokens} background and character tokens"
            )
        words, pictures = tokens[:, :num_text_tokens], tokens[:, num_text_tokens:]
        heads: int = attn.heads
        text = _split_heads(attn.to_k(words), heads), _split_heads(attn.to_v(words), heads)
        characters = (
            _split_heads(self.to_k_ip(pictures), heads),
            _split_heads(self.to_v_ip(pictures), heads),
        )
        return text, characters


def _check_size(mask: Tensor, hidden_states: Tensor) -> None:
    if mask.shape[2] != hidden_states.shape[1]:
        raise ValueError(
            f"the condition was made for {mask.shape[2]} cells at this U-Net level, the latents "
            f"have {hidden_states.shape[1]}: its latent_size differs from theirs"
        )
    if mask.shape[0] != hidden_states.shape[0]:
        raise ValueError(
            f"{mask.shape[0]} rows of character boxes for a batch of {hidden_states.shape[0]}"
        )


def _split_heads(projected: Tensor, heads: int) -> Tensor:
    """(batch, tokens, heads * width) -> (batch, heads, tokens, width)."""
    return projected.reshape(*projected.shape[:2], heads, -1).transpose(1, 2)


def _copy_weight(projection: nn.Linear) -> nn.Linear:
    """Give a linear layer without bias that starts with the same weight."""
    weight = projection.weight
    copy = nn.Linear(
        projection.in_features,
        projection.out_features,
        bias=False,
        device=weight.device,
        dtype=weight.dtype,
    )
    copy.weight.data.copy_(weight.data)
    return copy
