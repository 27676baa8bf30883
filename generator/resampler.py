"""Image features of each character become a few tokens the U-Net attends to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class CharacterResampler(nn.Module):
    """Perceiver resampler over CLIP patch features and the manga encoder's summary.

    Parameter names are the published ones. Source: DiffSensei, arXiv:2412.07589, section 3.2;
    Perceiver resampler, arXiv:2204.14198.
    """

    def __init__(
        self,
        *,
        width: int = 1280,
        num_layers: int = 4,
        head_width: int = 64,
        tokens_per_character: int = 16,
        num_background_tokens: int = 16,
        clip_width: int = 1280,
        magi_width: int = 768,
        output_width: int = 2048,
        inner_width: int | None = None,
        feed_forward_width: int | None = None,
    ) -> None:
        """Build with random weights; defaults are the released model's sizes.

        Args:
            width: of the latents.
            num_layers: attention and feed-forward pairs.
            head_width: of one attention head.
            tokens_per_character: tokens given for each character.
            num_background_tokens: learned tokens for where no character is.
            clip_width: of the CLIP features.
            magi_width: of the manga encoder's summary.
            output_width: the U-Net's cross-attention width.
            inner_width: all attention heads together; `width` by default.
            feed_forward_width: four times `width` by default.

        Raises:
            ValueError: the heads do not divide the attention's width.
        """
        super().__init__()
        inner_width = inner_width or width
        feed_forward_width = feed_forward_width or 4 * width
        if inner_width % head_width:
            raise ValueError(f"attention width {inner_width} is no multiple of {head_width}")
        self.head_width = head_width
        self.latents = nn.Parameter(torch.randn(1, tokens_per_character, width) / width**0.5)
        self.dummy_tokens = nn.Parameter(torch.randn(num_background_tokens, output_width))
        self.proj_in = nn.Linear(clip_width, width)
        self.proj_in_magi = nn.Linear(magi_width, width)
        self.proj_out = nn.Linear(width, output_width)
        self.norm_out = nn.LayerNorm(output_width)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    _PerceiverAttention(width, inner_width, head_width),
                    _feed_forward(width, feed_forward_width),
                ]
            )
            for _ in range(num_layers)
        )

    @classmethod
    def from_state_dict(
        cls, weights: Mapping[str, Tensor], *, head_width: int = 64
    ) -> CharacterResampler:
        """Build the resampler that these weights fit, and load them strictly.

        Args:
            weights: under the published names.
            head_width: the one size that the weights do not tell; 64 in the released model.

        Raises:
            KeyError: a weight that tells a size is missing.
            RuntimeError: names or shapes do not fit.
        """
        _, tokens_per_character, width = weights["latents"].shape
        num_background_tokens, output_width = weights["dummy_tokens"].shape
        with torch.device("meta"):
            resampler = cls(
                width=width,
                num_layers=len({name.split(".")[1] for name in weights if "layers." in name}),
                head_width=head_width,
                tokens_per_character=tokens_per_character,
                num_background_tokens=num_background_tokens,
                clip_width=weights["proj_in.weight"].shape[1],
                magi_width=weights["proj_in_magi.weight"].shape[1],
                output_width=output_width,
                inner_width=weights["layers.0.0.to_q.weight"].shape[0],
                feed_forward_width=weights["layers.0.1.1.weight"].shape[0],
            )
        resampler.load_state_dict(weights, strict=True, assign=True)
        return resampler

    @property
    def tokens_per_character(self) -> int:
        """How many tokens each character gets."""
        return self.latents.shape[1]

    @property
    def num_background_tokens(self) -> int:
        """How many tokens stand for the places without a character."""
        return self.dummy_tokens.shape[0]

    @property
    def clip_width(self) -> int:
        """Width of the CLIP features it reads."""
        return self.proj_in.in_features

    @property
    def magi_width(self) -> int:
        """Width of the manga encoder's summary it reads."""
        return self.proj_in_magi.in_features

    def forward(self, clip_features: Tensor, magi_features: Tensor) -> Tensor:
        """Give background tokens, then each character's tokens.

        Args:
            clip_features: (batch, characters, patches, clip width); zeros for an empty slot.
            magi_features: (batch, characters, magi width); zeros for an empty slot.

        Returns:
            (batch, background + characters * tokens_per_character, output width).
        """
        batch, characters = clip_features.shape[:2]
        patches = self.proj_in(clip_features.flatten(0, 1))
        summary = self.proj_in_magi(magi_features.reshape(batch * characters, 1, -1))
        features = torch.cat([patches, summary], dim=1)
        latents = self.latents.expand(batch * characters, -1, -1)
        for layer in self.layers:
            attention, feed_forward = cast(nn.ModuleList, layer)
            latents = latents + attention(features, latents)
            latents = latents + feed_forward(latents)
        tokens: Tensor = self.norm_out(self.proj_out(latents))
        tokens = tokens.reshape(batch, -1, tokens.shape[-1])
        background = self.dummy_tokens.to(tokens.dtype).expand(batch, -1, -1)
        return torch.cat([background, tokens], dim=1)


class _PerceiverAttention(nn.Module):
    """Latents attend to the features and to themselves."""

    def __init__(self, width: int, inner_width: int, head_width: int) -> None:
        super().__init__()
        self.head_width = head_width
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, inner_width, bias=False)
        self.to_kv = nn.Linear(width, 2 * inner_width, bias=False)
        self.to_out = nn.Linear(inner_width, width, bias=False)

    def forward(self, features: Tensor, latents: Tensor) -> Tensor:
        """(batch, features, width), (batch, latents, width) -> (batch, latents, width)."""
        features, latents = self.norm1(features), self.norm2(latents)
        query = self._split_heads(self.to_q(latents))
        keys, values = self.to_kv(torch.cat([features, latents], dim=1)).chunk(2, dim=-1)
        attended = functional.scaled_dot_product_attention(
            query, self._split_heads(keys), self._split_heads(values)
        )
        projected: Tensor = self.to_out(attended.transpose(1, 2).flatten(2))
        return projected

    def _split_heads(self, projected: Tensor) -> Tensor:
        return projected.reshape(*projected.shape[:2], -1, self.head_width).transpose(1, 2)


def _feed_forward(width: int, hidden_width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, hidden_width, bias=False),
        nn.GELU(),
        nn.Linear(hidden_width, width, bias=False),
    )
