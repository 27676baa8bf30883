"""Masked cross-attention to characters: the attention processor and what it looks up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

KeyValue = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class CharacterCondition:
    """What all layers of one U-Net call share about the characters.

    Attributes:
        masks: per number of latent cells, the mask of that level: Bool, (batch, 1, cells, tokens).
        num_tokens: background and character tokens at the end of `encoder_hidden_states`.
        scale: weight of the characters, 0 to 1.
    """

    masks: Mapping[int, Tensor]
    num_tokens: int
    scale: float
    _projected: dict[int, tuple[Tensor, KeyValue, KeyValue]] = field(default_factory=dict)

    def recall(self, layer: nn.Module, tokens: Tensor) -> tuple[KeyValue, KeyValue] | None:
        """Return what `remember` was given for the same layer and the same tokens, if anything."""
        known = self._projected.get(id(layer))
        if known is None or known[0] is not tokens or torch.is_grad_enabled():
            return None
        return known[1], known[2]

    def remember(
        self, layer: nn.Module, tokens: Tensor, text: KeyValue, characters: KeyValue
    ) -> None:
        """Keep a layer's keys and values for the next denoising step; not while training."""
        if not torch.is_grad_enabled():
            self._projected[id(layer)] = (tokens, text, characters)


@dataclass
class ConditionSlot:
    """The place where the processors of one U-Net find the condition of the running call."""

    condition: CharacterCondition | None = None

    def current(self) -> CharacterCondition:
        """Return the condition.

        Raises:
            RuntimeError: the U-Net was called outside `CharacterAdapter.condition`.
        """
        if self.condition is None:
            raise RuntimeError("call the U-Net inside `with adapter.condition(...)`")
        return self.condition


class MaskedCharacterAttnProcessor(nn.Module):
    """Cross-attention to the text plus, by its own keys and values, to the characters in place.

    `out = to_out(attend(q, text) + scale * attend(q, characters, mask))`, the two with separate
    softmaxes. Source: DiffSensei, arXiv:2412.07589, equation 3.
    """

    def __init__(self, attn: Any, slot: ConditionSlot) -> None:
        """Start from copies of the layer's own key and value projections.

        Args:
            attn: the diffusers cross-attention layer.
            slot: where the condition of the running call is found.
        """
        super().__init__()
        self.slot = slot
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
            ValueError: the number of cells is no level of the size given to the condition.
        """
        condition = self.slot.current()
        if encoder_hidden_states is None:
            raise ValueError("character attention needs encoder_hidden_states")
        text, characters = self._keys_and_values(attn, encoder_hidden_states, condition)
        query = _split_heads(attn.to_q(hidden_states), attn.heads)
        if attention_mask is not None:
            attention_mask = attention_mask[..., None, :, : text[0].shape[2]]
        attended = functional.scaled_dot_product_attention(query, *text, attn_mask=attention_mask)
        mask = _level_mask(condition, cells=hidden_states.shape[1], batch=hidden_states.shape[0])
        in_place = functional.scaled_dot_product_attention(query, *characters, attn_mask=mask)
        merged = (attended + condition.scale * in_place).transpose(1, 2).flatten(2)
        projected: Tensor = attn.to_out[0](merged)
        dropped: Tensor = attn.to_out[1](projected)
        return dropped

    def _keys_and_values(
        self, attn: Any, tokens: Tensor, condition: CharacterCondition
    ) -> tuple[KeyValue, KeyValue]:
        """Project text and character tokens, once per condition where no gradient is wanted."""
        known = condition.recall(self, tokens)
        if known is not None:
            return known
        num_text_tokens = tokens.shape[1] - condition.num_tokens
        if num_text_tokens < 1:
            raise ValueError(
                f"encoder_hidden_states has {tokens.shape[1]} tokens; expected text tokens "
                f"followed by {condition.num_tokens} background and character tokens"
            )
        words, pictures = tokens[:, :num_text_tokens], tokens[:, num_text_tokens:]
        heads: int = attn.heads
        text = _split_heads(attn.to_k(words), heads), _split_heads(attn.to_v(words), heads)
        characters = (
            _split_heads(self.to_k_ip(pictures), heads),
            _split_heads(self.to_v_ip(pictures), heads),
        )
        condition.remember(self, tokens, text, characters)
        return text, characters


def _level_mask(condition: CharacterCondition, *, cells: int, batch: int) -> Tensor:
    mask = condition.masks.get(cells)
    if mask is None:
        raise ValueError(
            f"no U-Net level has {cells} cells; the condition was made for "
            f"{', '.join(map(str, condition.masks))}: its latent_size differs from the latents"
        )
    if mask.shape[0] != batch:
        raise ValueError(f"{mask.shape[0]} rows of character boxes for a batch of {batch}")
    return mask


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
