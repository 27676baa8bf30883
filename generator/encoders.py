"""Pictures of characters become features: CLIP's patches and the manga encoder's summary."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from generator.settings import TRAINED_ODDITIES, Oddity

if TYPE_CHECKING:
    from transformers.models.clip.modeling_clip import CLIPVisionModelWithProjection
    from transformers.models.vit_mae.modeling_vit_mae import ViTMAEModel

    from generator.resampler import CharacterResampler

ENCODING_BATCH = 16
MASKED_SHARE = 0.75  # the library's default, with which the published code runs unawares


@dataclass(frozen=True)
class CharacterEncoders:
    """The two image encoders, each with the preprocessing it was trained with.

    Attributes:
        clip: CLIP's vision tower; its last but one layer is read.
        clip_processor: resizes, crops and normalises for it.
        magi: the masked autoencoder of Magi; its class token is read.
        magi_processor: resizes and normalises for it.
    """

    clip: CLIPVisionModelWithProjection
    clip_processor: Any
    magi: ViTMAEModel
    magi_processor: Any

    @property
    def clip_image_size(self) -> int:
        """Edge, in pixels, of the pictures that CLIP sees."""
        config: Any = self.clip.config
        return int(config.image_size)

    @property
    def num_clip_tokens(self) -> int:
        """How many patches, the class token among them, CLIP gives for a picture."""
        config: Any = self.clip.config
        return int(config.image_size // config.patch_size) ** 2 + 1

    def encode(
        self, pictures: Sequence[Image.Image], *, mask_at_random: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Give the features of each picture.

        Args:
            pictures: of any size and mode.
            mask_at_random: hide three quarters of each picture from the manga encoder, as the
                published code does without meaning to. Which ones depends on the picture alone.

        Returns:
            CLIP patches (pictures, patches, width) and Magi summaries (pictures, width).
        """
        gray = [to_gray(picture) for picture in pictures]
        return self._clip_features(gray), self._magi_features(gray, mask_at_random)

    def _clip_features(self, pictures: list[Image.Image]) -> Tensor:
        pixels = self.clip_processor(pictures, return_tensors="pt").pixel_values
        output: Any = self.clip(_like(self.clip, pixels), output_hidden_states=True)
        features: Tensor = output.hidden_states[-2]
        return features

    def _magi_features(self, pictures: list[Image.Image], mask_at_random: bool) -> Tensor:
        """Summarise pictures; unless told not to, the library masks patches at random even here."""
        pixels = _like(self.magi, self.magi_processor(pictures, return_tensors="pt").pixel_values)
        self.magi.config.mask_ratio = MASKED_SHARE if mask_at_random else 0.0
        num_patches: int = self.magi.embeddings.patch_embeddings.num_patches
        # patches are sorted by this noise and the last are hidden: counting up keeps their order
        order = torch.arange(num_patches).expand(len(pictures), -1)
        if mask_at_random:
            order = torch.stack([_shuffled(num_patches, picture) for picture in pictures])
        output: Any = self.magi(pixels, noise=order.to(pixels.device))
        summary: Tensor = output.last_hidden_state[:, 0]
        return summary


def _shuffled(count: int, picture: Image.Image) -> Tensor:
    """Give the same permutation for the same picture, and draw no number of anybody else's."""
    rng = torch.Generator().manual_seed(zlib.crc32(picture.tobytes()))
    return torch.randperm(count, generator=rng)


def to_gray(picture: Image.Image) -> Image.Image:
    """Return the picture in gray as RGB; what is transparent becomes white paper."""
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return picture.convert("L").convert("RGB")


def character_tokens(
    characters: Sequence[tuple[Image.Image, ...]],
    encoders: CharacterEncoders,
    resampler: CharacterResampler,
    *,
    compatibility: Collection[Oddity] = TRAINED_ODDITIES,
    batch_size: int = ENCODING_BATCH,
) -> list[Tensor]:
    """Give the tokens of each character, the average over its pictures.

    Each distinct picture is encoded once. A character without pictures gets the tokens of an
    empty slot.

    Args:
        characters: the pictures of each.
        encoders: on the resampler's device.
        resampler: makes the tokens.
        compatibility: the published code's oddities to keep.
        batch_size: pictures encoded together.

    Returns:
        (tokens, width) for each character.
    """
    distinct = {_key(picture): picture for pictures in characters for picture in pictures}
    encoded = _encode(
        list(distinct.values()),
        encoders,
        resampler,
        mask_at_random="random-masking" in compatibility,
        batch_size=batch_size,
    )
    tokens = dict(zip(distinct, encoded, strict=True))
    empty = empty_slot_tokens(encoders, resampler, compatibility=compatibility)
    return [
        torch.stack([tokens[_key(picture)] for picture in pictures]).mean(0) if pictures else empty
        for pictures in characters
    ]


def empty_slot_tokens(
    encoders: CharacterEncoders,
    resampler: CharacterResampler,
    *,
    compatibility: Collection[Oddity] = TRAINED_ODDITIES,
) -> Tensor:
    """Give the tokens (tokens, width) of a slot without a character.

    They are those of zero features, or with the oddity `black-empty-slots` of a black picture.
    """
    if "black-empty-slots" in compatibility:
        edge = encoders.clip_image_size
        mask = "random-masking" in compatibility
        black = [Image.new("RGB", (edge, edge))]
        return next(_encode(black, encoders, resampler, mask_at_random=mask, batch_size=1))
    return zero_feature_tokens(encoders, resampler)


def zero_feature_tokens(encoders: CharacterEncoders, resampler: CharacterResampler) -> Tensor:
    """Give the tokens (tokens, width) of zero features, which guidance steers away from."""
    like = resampler.latents
    # as many zeros as a picture has patches: their number changes what the resampler makes of them
    patches = like.new_zeros(1, 1, encoders.num_clip_tokens, resampler.clip_width)
    tokens = resampler(patches, like.new_zeros(1, 1, resampler.magi_width))
    return _without_background(tokens, resampler)[0]


def _encode(
    pictures: list[Image.Image],
    encoders: CharacterEncoders,
    resampler: CharacterResampler,
    *,
    mask_at_random: bool,
    batch_size: int,
) -> Iterator[Tensor]:
    """Give each picture's tokens (tokens, width)."""
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        clip, magi = encoders.encode(batch, mask_at_random=mask_at_random)
        yield from _without_background(resampler(clip[:, None], magi[:, None]), resampler)


def _without_background(tokens: Tensor, resampler: CharacterResampler) -> Tensor:
    return tokens[:, resampler.num_background_tokens :]


def _like(module: torch.nn.Module, pixels: Tensor) -> Tensor:
    parameter = next(module.parameters())
    return pixels.to(parameter.device, parameter.dtype)


def _key(picture: Image.Image) -> tuple[str, tuple[int, int], bytes]:
    return picture.mode, picture.size, picture.tobytes()
