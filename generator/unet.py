"""Put character attention and the dialog embedding into SDXL's U-Net, and take them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from generator.attention import CharacterCondition, ConditionSlot, MaskedCharacterAttnProcessor
from generator.masks import Grid, character_mask, dialog_map, level_sizes, published_grid

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

DIALOG_EMBEDDING = "dialog_bbox_embedding"
"""State-dict key, on the U-Net itself, of the vector added wherever a dialog will lie."""


def add_characters(unet: UNet2DConditionModel) -> CharacterAdapter:
    """Teach a U-Net to place characters and dialogs; the adapter takes it back.

    Every cross-attention layer gets a processor with copies of the layer's own key and value
    projections, and the U-Net a dialog vector drawn from N(0, 1).

    Raises:
        ValueError: the U-Net has no cross-attention, or has characters already.
    """
    return CharacterAdapter(unet)


class CharacterAdapter:
    """Character attention and dialog embedding in one U-Net, which stays diffusers' own class.

    `encoder_hidden_states` is then text, background and character tokens, in this order. The
    weights belong to the U-Net's state dict under the published names. Source: arXiv:2412.07589.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        """Put the modules in; see `add_characters`."""
        if hasattr(unet, DIALOG_EMBEDDING):
            raise ValueError("this U-Net has characters already")
        layers = [module for name, module in unet.named_modules() if name.endswith(".attn2")]
        if not layers:
            raise ValueError("this U-Net has no cross-attention layer (`attn2`)")
        self.unet = unet
        self._slot = ConditionSlot()
        self._dialogs: Tensor | None = None
        self._former_processors: list[tuple[Any, Any]] = []
        for layer in layers:
            self._put_processor(layer)
        conv_in: nn.Conv2d = unet.conv_in
        vector = torch.randn(
            conv_in.out_channels, device=conv_in.weight.device, dtype=conv_in.weight.dtype
        )
        unet.register_parameter(DIALOG_EMBEDDING, nn.Parameter(vector))
        self._hook = conv_in.register_forward_hook(self._embed_dialogs)

    @property
    def parameters_by_name(self) -> dict[str, nn.Parameter]:
        """The added parameters under their state-dict names."""
        added = {id(parameter) for parameter in self._added_parameters()}
        named: Iterator[tuple[str, nn.Parameter]] = self.unet.named_parameters()
        return {name: parameter for name, parameter in named if id(parameter) in added}

    def remove(self) -> None:
        """Give the U-Net back as it was before, weights and outputs bit for bit."""
        self._hook.remove()
        delattr(self.unet, DIALOG_EMBEDDING)
        for layer, processor in self._former_processors:
            layer.set_processor(processor)
        self._former_processors.clear()

    @contextmanager
    def condition(
        self,
        character_boxes: Tensor,
        dialog_boxes: Tensor | None,
        latent_size: Grid,
        *,
        tokens_per_character: int,
        num_background_tokens: int,
        character_scale: float = 1.0,
        compatibility: bool = False,
    ) -> Iterator[None]:
        """Hold characters and dialogs in these places for every U-Net call inside the `with`.

        With gradient checkpointing the backward pass belongs inside too.

        Args:
            character_boxes: (batch, characters, 4), fractions of the panel.
            dialog_boxes: (batch, dialogs, 4), or None for no dialog at all.
            latent_size: height and width of the latents.
            tokens_per_character: image tokens of one character.
            num_background_tokens: image tokens in front of the characters' own, at least 1.
            character_scale: weight of the image tokens; 0 leaves only the text.
            compatibility: guess the grids of the levels as the published code does, wrongly for
                some sizes.

        Raises:
            ValueError: no background token; a position outside all boxes would see nothing.
        """
        if num_background_tokens < 1:
            raise ValueError("num_background_tokens must be at least 1")
        masks = {
            height * width: character_mask(
                character_boxes,
                grid,
                tokens_per_character=tokens_per_character,
                num_background_tokens=num_background_tokens,
            ).unsqueeze(1)
            for height, width, grid in self._levels(latent_size, compatibility)
        }
        num_tokens = num_background_tokens + character_boxes.shape[1] * tokens_per_character
        outer = self._slot.condition, self._dialogs
        self._slot.condition = CharacterCondition(masks, num_tokens, character_scale)
        self._dialogs = None if dialog_boxes is None else dialog_map(dialog_boxes, latent_size)
        try:
            yield
        finally:
            self._slot.condition, self._dialogs = outer

    def _levels(self, latent_size: Grid, compatibility: bool) -> Iterator[tuple[int, int, Grid]]:
        """Give height, width and the grid that the boxes are laid on, per level."""
        num_levels = len(self.unet.config["block_out_channels"])
        for height, width in level_sizes(*latent_size, num_levels):
            if compatibility:
                aspect_ratio = latent_size[0] / latent_size[1]
                yield height, width, published_grid(height * width, aspect_ratio)
            else:
                yield height, width, (height, width)

    def _put_processor(self, layer: Any) -> None:
        self._former_processors.append((layer, layer.processor))
        layer.set_processor(MaskedCharacterAttnProcessor(layer, self._slot))

    def _added_parameters(self) -> Iterator[nn.Parameter]:
        yield getattr(self.unet, DIALOG_EMBEDDING)
        for layer, _ in self._former_processors:
            yield from layer.processor.parameters()

    def _embed_dialogs(self, _conv_in: nn.Module, _inputs: Any, features: Tensor) -> Tensor:
        """Add the dialog vector to the first features at every cell a dialog covers, once."""
        if self._dialogs is None:
            return features
        if self._dialogs.shape != (features.shape[0], *features.shape[2:]):
            raise ValueError(
                f"dialogs were placed for (batch, height, width) {tuple(self._dialogs.shape)}, "
                f"the latents are {(features.shape[0], *features.shape[2:])}"
            )
        vector: Tensor = getattr(self.unet, DIALOG_EMBEDDING).to(features.dtype)
        return features + self._dialogs.unsqueeze(1) * vector[:, None, None]
