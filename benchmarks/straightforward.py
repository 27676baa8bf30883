"""Character attention and dialogs done the way the published code does them: again in every call.

Each cross-attention layer of each call guesses its grid from the number of its cells, builds the
mask box by box in Python loops, widens it to every token and head, and projects keys and values
anew; dialogs are marked box by box in each call. The outputs are those of `generator.unet`, which
is what makes the comparison of their times fair. Written from a description of that behaviour.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.unet import DIALOG_EMBEDDING, CharacterAdapter

OUTSIDE = -10_000.0
"""Added to the score of a token that a position must not see."""


class Places:
    """Where characters and dialogs of the running calls are, as the layers look it up.

    Attributes:
        character_boxes: (batch, characters, 4), fractions of the panel.
        dialog_boxes: (batch, dialogs, 4).
        aspect_ratio: the latents' height over their width.
        num_tokens: background and character tokens at the end of `encoder_hidden_states`.
        scale: weight of the characters.
    """

    def __init__(
        self,
        character_boxes: Tensor,
        dialog_boxes: Tensor,
        latent_size: tuple[int, int],
        *,
        tokens_per_character: int,
        scale: float,
    ) -> None:
        """Keep the places; the background has as many tokens as a character."""
        self.character_boxes = character_boxes
        self.dialog_boxes = dialog_boxes
        self.aspect_ratio = latent_size[0] / latent_size[1]
        self.tokens_per_character = tokens_per_character
        self.num_tokens = tokens_per_character * (1 + character_boxes.shape[1])
        self.scale = scale


def work_straightforwardly(adapter: CharacterAdapter, places: Places) -> Any:
    """Take the adapter out of its U-Net, and let the U-Net work this way, for these places.

    Returns:
        The U-Net, which now holds the adapter's weights in the layers of this module.
    """
    unet: Any = adapter.unet
    layers = [module for name, module in unet.named_modules() if name.endswith(".attn2")]
    processors = [
        _LoopingProcessor(layer.processor.to_k_ip, layer.processor.to_v_ip, places)
        for layer in layers
    ]
    vector: Tensor = getattr(unet, DIALOG_EMBEDDING)
    adapter.remove()
    for layer, processor in zip(layers, processors, strict=True):
        layer.set_processor(processor)
    unet.conv_in.register_forward_hook(
        lambda _module, _inputs, features: _mark_dialogs(features, places.dialog_boxes, vector)
    )
    return unet


class _LoopingProcessor(nn.Module):
    def __init__(self, to_k_ip: nn.Linear, to_v_ip: nn.Linear, places: Places) -> None:
        super().__init__()
        self.to_k_ip = to_k_ip
        self.to_v_ip = to_v_ip
        self.places = places

    def forward(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002  diffusers' interface
        temb: Tensor | None = None,  # noqa: ARG002  likewise
    ) -> Tensor:
        places = self.places
        words = encoder_hidden_states[:, : -places.num_tokens]
        pictures = encoder_hidden_states[:, -places.num_tokens :]
        query = _heads(attn.to_q(hidden_states), attn.heads)
        attended = functional.scaled_dot_product_attention(
            query, _heads(attn.to_k(words), attn.heads), _heads(attn.to_v(words), attn.heads)
        )
        in_place = functional.scaled_dot_product_attention(
            query,
            _heads(self.to_k_ip(pictures), attn.heads),
            _heads(self.to_v_ip(pictures), attn.heads),
            attn_mask=_looped_mask(places, hidden_states, attn.heads),
        )
        merged = (attended + places.scale * in_place).transpose(1, 2).flatten(2)
        projected: Tensor = attn.to_out[1](attn.to_out[0](merged))
        return projected


def _looped_mask(places: Places, hidden_states: Tensor, heads: int) -> Tensor:
    """Give what is added to the scores: (batch, heads, cells, background and character tokens)."""
    batch, num_cells = hidden_states.shape[:2]
    device, dtype = hidden_states.device, hidden_states.dtype
    height, width = _guessed_grid(num_cells, places.aspect_ratio)
    x = torch.linspace(0, 1, width, device=device).repeat(height)
    y = torch.linspace(0, 1, height, device=device).repeat_interleave(width)
    num_slots = 1 + places.character_boxes.shape[1]
    mask = torch.full((batch, num_slots, num_cells), OUTSIDE, device=device, dtype=dtype)
    for row, boxes in enumerate(places.character_boxes):
        in_any = torch.zeros(num_cells, dtype=torch.bool, device=device)
        for slot, (left, top, right, bottom) in enumerate(boxes, start=1):
            inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
            mask[row, slot][inside] = 0.0
            in_any = in_any | inside
        mask[row, 0][~in_any] = 0.0
    mask = mask.repeat_interleave(places.tokens_per_character, dim=1).transpose(1, 2)
    return mask.unsqueeze(1).repeat(1, heads, 1, 1)


def _guessed_grid(num_cells: int, aspect_ratio: float) -> tuple[int, int]:
    width = int(math.sqrt(num_cells / aspect_ratio))
    height = num_cells // width
    while width * height != num_cells:
        width += 1
        height = num_cells // width
    return height, width


def _mark_dialogs(features: Tensor, dialog_boxes: Tensor, vector: Tensor) -> Tensor:
    """Add the vector wherever a dialog lies; dialogs that overlap count once."""
    height, width = features.shape[2:]
    added = torch.zeros_like(features)
    for row, boxes in enumerate(dialog_boxes):
        for left, top, right, bottom in boxes:
            rows = slice(max(0, int(top * height)), min(height, int(bottom * height)))
            columns = slice(max(0, int(left * width)), min(width, int(right * width)))
            added[row, :, rows, columns] = vector[:, None, None].to(features.dtype)
    return features + added


def _heads(projected: Tensor, heads: int) -> Tensor:
    return projected.reshape(*projected.shape[:2], heads, -1).transpose(1, 2)
