"""How much memory and arithmetic drawing takes, counted without doing it.

The real modules run on tensors without content (torch's meta device), built from configurations
alone; every operation they call is noted.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from generator.attention import MaskedCharacterAttnProcessor
from generator.components import Components
from generator.unet import add_characters

WITHOUT_CONTENT = torch.device("meta")
TEXT_TOKENS = 77
IMAGE_TOKENS = 16
"""Of one character, and of the background, in the published model."""
LIBRARY_MARGIN = 1.5
"""What convolutions and the allocator take besides, as a multiple of the tensors alive."""


@dataclass(frozen=True)
class Footprint:
    """What some work takes.

    Attributes:
        convolution_flops: multiplications and additions in convolutions.
        matrix_flops: in matrix products.
        attention_flops: in the products of attention.
        num_operations: calls into torch that make a tensor.
        written_bytes: of all tensors made.
        peak_bytes: of the tensors that live at the same time, weights and inputs not counted.
    """

    convolution_flops: int
    matrix_flops: int
    attention_flops: int
    num_operations: int
    written_bytes: int
    peak_bytes: int

    @property
    def flops(self) -> int:
        """All of them."""
        return self.convolution_flops + self.matrix_flops + self.attention_flops


@torch.no_grad()
def measure(work: Callable[[], object]) -> Footprint:
    """Note what some work on tensors without content calls."""
    ledger, attention = _Ledger(), _Attention()
    with FlopCounterMode(display=False) as counter, ledger, attention:
        result = work()
    del result
    counts = counter.get_flop_counts().get("Global", {})
    convolutions = sum(flops for kind, flops in counts.items() if "conv" in str(kind))
    return Footprint(
        convolution_flops=convolutions,
        matrix_flops=sum(counts.values()) - convolutions,
        attention_flops=attention.flops,
        num_operations=ledger.num_operations,
        written_bytes=ledger.written_bytes,
        peak_bytes=ledger.peak_bytes,
    )


def unet_footprint(
    config: Mapping[str, Any],
    latent_size: tuple[int, int],
    rows: int,
    *,
    max_characters: int,
    dtype: torch.dtype,
) -> Footprint:
    """Tell what one call of a U-Net with characters takes.

    Args:
        config: of the U-Net.
        latent_size: height and width of the latents.
        rows: panels in the batch, doubled by guidance.
        max_characters: slots of a panel.
        dtype: to compute in.
    """
    return _unet_footprint(_key(config), latent_size, rows, max_characters, dtype)


def decoder_footprint(
    config: Mapping[str, Any], latent_size: tuple[int, int], *, dtype: torch.dtype
) -> Footprint:
    """Tell what decoding one picture takes.

    Args:
        config: of an AutoencoderKL or AutoencoderDC, which it names as `_class_name`.
        latent_size: height and width of the latents, or of a tile of them.
        dtype: to compute in.
    """
    return _decoder_footprint(_key(config), latent_size, dtype)


@lru_cache
def _unet_footprint(
    config: str, size: tuple[int, int], rows: int, max_characters: int, dtype: torch.dtype
) -> Footprint:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    model: Any = UNet2DConditionModel
    with WITHOUT_CONTENT:
        unet: Any = model.from_config(json.loads(config)).eval()
        adapter = add_characters(unet)
        nn.Module.to(unet, dtype)  # diffusers' own `to` warns of what is no concern here
        num_tokens = TEXT_TOKENS + IMAGE_TOKENS * (1 + max_characters)
        tokens = torch.empty(rows, num_tokens, _cross_width(unet), dtype=dtype)
        sample = torch.empty(rows, unet.config["in_channels"], *size, dtype=dtype)
        boxes = torch.empty(rows, max_characters, 4)
        added = _added_conditions(unet, rows, dtype)
        timestep = torch.empty(())
    condition: AbstractContextManager[None] = adapter.condition(
        boxes,
        boxes,
        size,
        tokens_per_character=IMAGE_TOKENS,
        num_background_tokens=IMAGE_TOKENS,
        tokens=tokens,
    )
    with torch.no_grad(), condition:
        taken = measure(lambda: unet(sample, timestep, tokens, added_cond_kwargs=added))
    widths = [each.to_k_ip.out_features for each in unet.attn_processors.values() if _known(each)]
    kept = 2 * sum(widths) * tokens.shape[:2].numel() * dtype.itemsize
    return replace(taken, peak_bytes=taken.peak_bytes + kept)


def largest_batch(
    components: Components, latent_size: tuple[int, int], free_bytes: int, *, at_most: int
) -> int:
    """Return how many panels of a size can be denoised together, at least one.

    Args:
        components: tell the U-Net.
        latent_size: height and width of the latents.
        free_bytes: memory left once the weights are in place.
        at_most: more are not wanted.
    """
    settings = components.settings
    one = unet_footprint(
        components.unet.config,
        latent_size,
        2 if settings.guidance_scale > 1 else 1,
        max_characters=settings.max_characters,
        dtype=components.unet.dtype,
    )
    return max(1, min(at_most, free_bytes // working_bytes(one)))


def working_bytes(taken: Footprint) -> int:
    """Return the memory to count on, with what libraries need to work quickly."""
    return int(taken.peak_bytes * LIBRARY_MARGIN)


@lru_cache
def _decoder_footprint(config: str, size: tuple[int, int], dtype: torch.dtype) -> Footprint:
    import diffusers

    values = json.loads(config)
    model: Any = getattr(diffusers, values.get("_class_name", "AutoencoderKL"))
    with WITHOUT_CONTENT:
        vae: Any = nn.Module.to(model.from_config(values).eval(), dtype)
        latents = torch.empty(1, values["latent_channels"], *size, dtype=dtype)
    return measure(lambda: vae.decode(latents))


def _added_conditions(unet: Any, rows: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Give SDXL's pooled text and sizes, as wide as the U-Net expects them."""
    if unet.config["addition_embed_type"] is None:
        return {}
    sizes = 6 * unet.config["addition_time_embed_dim"]
    width = unet.config["projection_class_embeddings_input_dim"] - sizes
    pooled, time_ids = torch.empty(rows, width, dtype=dtype), torch.empty(rows, 6, dtype=dtype)
    return {"text_embeds": pooled, "time_ids": time_ids}


def _known(processor: Any) -> bool:
    return isinstance(processor, MaskedCharacterAttnProcessor)


def _cross_width(unet: Any) -> int:
    width = unet.config["cross_attention_dim"]
    return int(width if isinstance(width, int) else width[0])


def _key(config: Mapping[str, Any]) -> str:
    """Put a configuration into a form that can be looked up; leave out what is no part of it."""
    return json.dumps(dict(config), sort_keys=True, default=str)


class _Attention(TorchFunctionMode):
    """Takes the place of attention, which on a device never holds its whole matrix of scores."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            query, key = args[:2]
            self.flops += 4 * query.numel() * key.shape[-2]
            return torch.empty_like(query)
        return func(*args, **(kwargs or {}))


class _Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own is not typed
    """Notes which tensors come and go."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # likewise
        self.num_operations = self.written_bytes = self.peak_bytes = 0
        self._alive_bytes = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):
            self._known.add(tensor.untyped_storage()._cdata)
        result = func(*args, **kwargs)
        for tensor in _tensors(result):
            self._note(tensor.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        """Count a new tensor's memory until it is gone."""
        address, size = storage._cdata, storage.nbytes()
        if address in self._known:
            return
        self._known.add(address)
        weakref.finalize(storage, self._forget, address, size)
        self.num_operations += 1
        self.written_bytes += size
        self._alive_bytes += size
        self.peak_bytes = max(self.peak_bytes, self._alive_bytes)

    def _forget(self, address: int, size: int) -> None:
        self._known.discard(address)
        self._alive_bytes -= size


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]
