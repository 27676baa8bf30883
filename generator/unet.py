"""Put character attention and the dialog embedding into SDXL's U-Net, and take them out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from generator.attention import LayerCondition, MaskedCharacterAttnProcessor
from generator.masks import Grid, character_mask, dialog_map, level_sizes, published_grid
from generator.settings import TRAINED_ODDITIES, Oddity

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
        layers = {name: layer for name, layer in unet.named_modules() if name.endswith(".attn2")}
        if not layers:
            raise ValueError("this U-Net has no cross-attention layer (`attn2`)")
        self.unet = unet
        self._dialogs: Tensor | None = None
        self._layers: list[_Layer] = []
        for name, layer in layers.items():
            self._layers.append(_Layer(layer, layer.processor, _level(name, unet)))
            layer.set_processor(MaskedCharacterAttnProcessor(layer))
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
        for layer in self._layers:
            layer.attn.set_processor(layer.former_processor)
        self._layers.clear()

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
        compatibility: Collection[Oddity] = TRAINED_ODDITIES,
        tokens: Tensor | None = None,
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
            compatibility: the published code's oddities to keep.
            tokens: the `encoder_hidden_states` of all calls, if they share them: their keys and
                values are then projected once, here, and not in every call.

        Raises:
            ValueError: no background token; a position outside all boxes would see nothing.
        """
        if num_background_tokens < 1:
            raise ValueError("num_background_tokens must be at least 1")
        masks = [
            character_mask(
                character_boxes,
                grid,
                tokens_per_character=tokens_per_character,
                num_background_tokens=num_background_tokens,
                zero_boxes_hold_a_cell="top-left-token" in compatibility,
            ).unsqueeze(1)
            for grid in self._grids(latent_size, compatibility)
        ]
        if tokens is not None:
            masks = [_as_scores(mask, tokens.dtype) for mask in masks]
        num_tokens = num_background_tokens + character_boxes.shape[1] * tokens_per_character
        processors = [layer.attn.processor for layer in self._layers]
        outer = [processor.condition for processor in processors], self._dialogs
        try:
            for layer, processor in zip(self._layers, processors, strict=True):
                projected = None
                if tokens is not None:
                    projected = processor.project(layer.attn, tokens, num_tokens)
                processor.condition = LayerCondition(
                    masks[layer.level], num_tokens, character_scale, projected
                )
            self._dialogs = self._dialog_map(dialog_boxes, latent_size, compatibility)
            yield
        finally:
            for processor, condition in zip(processors, outer[0], strict=True):
                processor.condition = condition
            self._dialogs = outer[1]

    def _grids(self, latent_size: Grid, compatibility: Collection[Oddity]) -> Iterator[Grid]:
        """Give the height and width that the boxes are laid on, per level."""
        num_levels = len(self.unet.config["block_out_channels"])
        for height, width in level_sizes(*latent_size, num_levels):
            if "guessed-grid" in compatibility:
                yield published_grid(height * width, latent_size[0] / latent_size[1])
            else:
                yield height, width

    def _dialog_map(
        self, boxes: Tensor | None, latent_size: Grid, compatibility: Collection[Oddity]
    ) -> Tensor | None:
        """Give 1 where a dialog lies, else 0: (batch, 1, height, width)."""
        if boxes is None:
            return None
        dtype = self.unet.conv_in.weight.dtype
        precision = dtype if "half-precision-boxes" in compatibility else torch.float32
        return dialog_map(boxes, latent_size, precision=precision).unsqueeze(1).to(dtype)

    def _added_parameters(self) -> Iterator[nn.Parameter]:
        yield getattr(self.unet, DIALOG_EMBEDDING)
        for layer in self._layers:
            yield from layer.attn.processor.parameters()

    def _embed_dialogs(self, _conv_in: nn.Module, _inputs: Any, features: Tensor) -> Tensor:
        """Add the dialog vector to the first features at every cell a dialog covers, once."""
        if self._dialogs is None:
            return features
        placed = self._dialogs.shape[0], *self._dialogs.shape[2:]
        if placed != (features.shape[0], *features.shape[2:]):
            raise ValueError(
                f"dialogs were placed for (batch, height, width) {placed}, "
                f"the latents are {(features.shape[0], *features.shape[2:])}"
            )
        vector: Tensor = getattr(self.unet, DIALOG_EMBEDDING).to(features.dtype)
        dialogs = self._dialogs.to(features.dtype)
        return torch.addcmul(features, dialogs, vector[:, None, None])


def _as_scores(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn True into 0 and False into minus infinity."""
    return torch.zeros_like(allowed, dtype=dtype).masked_fill(~allowed, float("-inf"))


def compile_blocks(unet: UNet2DConditionModel, **options: Any) -> None:
    """Let torch compile the transformer blocks, characters included, at their first call.

    Blocks of one width share one graph, whatever the size of the panels and of the batch.

    Args:
        unet: with or without characters.
        options: of `torch.compile`.
    """
    model: Any = unet
    model.compile_repeated_blocks(dynamic=True, **options)


@dataclass(frozen=True)
class _Layer:
    """A cross-attention layer, the processor it had, and its level, counted from the top."""

    attn: Any
    former_processor: Any
    level: int


def _level(name: str, unet: UNet2DConditionModel) -> int:
    """Tell from a module's name at which level of the U-Net it works; the top one is 0."""
    deepest = len(unet.config["block_out_channels"]) - 1
    blocks, number, *_ = name.split(".")
    if blocks == "down_blocks":
        return int(number)
    return deepest - int(number) if blocks == "up_blocks" else deepest
