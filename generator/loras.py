"""LoRAs, of a style or for fewer steps, put into the weights for good when a model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from generator.components import Components
from generator.errors import CheckpointError
from generator.weights import check_names

ADAPTER = "lora"


@dataclass(frozen=True)
class Lora:
    """A LoRA for SDXL.

    Attributes:
        path: a safetensors file in the form of diffusers, peft or kohya.
        weight: how strongly it counts; 1 as it was trained.
    """

    path: Path
    weight: float = 1.0


def merge_loras(components: Components, loras: Iterable[Lora]) -> None:
    """Add each LoRA to the weights of U-Net and text encoders, which stay as quick as before.

    Raises:
        CheckpointError: a file is missing or damaged, is no safetensors file, names a layer that
            the model has not, or does not fit it.
    """
    for lora in loras:
        _merge(components, lora)


def _merge(components: Components, lora: Lora) -> None:
    from diffusers.loaders.lora_pipeline import StableDiffusionXLLoraLoaderMixin as Loader

    parts: dict[str, Any] = {
        "unet": components.unet,
        "text_encoder": components.text.encoder,
        "text_encoder_2": components.text.encoder_2,
    }
    weights, alphas, metadata = _read(lora.path, components.unet)
    own = {name: _of_part(weights, name) for name in parts}
    about = {"network_alphas": alphas, "metadata": metadata, "adapter_name": ADAPTER}
    try:
        check_names(lora.path, missing=(), unexpected=_unknown(weights, own, parts))
        for name, part in parts.items():
            if not own[name]:
                continue
            if name == "unet":
                Loader.load_lora_into_unet(weights, unet=part, **about)
            else:
                Loader.load_lora_into_text_encoder(weights, text_encoder=part, prefix=name, **about)
            _merge_into_layers(part, lora.weight)
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(lora.path, f"does not fit: {_one_line(error)}") from error


def _unknown(
    weights: Mapping[str, Tensor], own: Mapping[str, dict[str, Tensor]], parts: Mapping[str, Any]
) -> set[str]:
    """Return the names that belong to no part, or to no layer of their part."""
    unknown = weights.keys() - {f"{part}.{key}" for part, keys in own.items() for key in keys}
    for name, part in parts.items():
        layers = {layer for layer, _ in part.named_modules()}
        unknown |= {
            f"{name}.{key}"
            for key in _in_peft_form(own[name], part, name)
            if key.split(".lora_")[0] not in layers
        }
    return unknown


def _read(path: Path, unet: Any) -> tuple[dict[str, Tensor], Any, Any]:
    """Return weights under diffusers' names, with what the file says of their scale."""
    from diffusers.loaders.lora_pipeline import StableDiffusionXLLoraLoaderMixin as Loader
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        raise CheckpointError(path, "expected a LoRA as a .safetensors file")
    try:
        with safe_open(path, "pt") as file:
            names = list(file.keys())
        if magnitudes := [name for name in names if "dora" in name or "magnitude" in name]:
            raise CheckpointError(path, f"is a DoRA, which is not supported: {magnitudes[0]}")
        weights, alphas, metadata = Loader.lora_state_dict(
            str(path),
            unet_config=unet.config,
            return_lora_metadata=True,
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, SafetensorError) as error:
        raise CheckpointError(path, f"cannot be read: {_one_line(error)}") from error
    except (ValueError, KeyError, IndexError) as error:
        raise CheckpointError(path, f"is no LoRA for SDXL: {_one_line(error)}") from error
    return weights, alphas, metadata


def _of_part(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in weights.items()
        if key.startswith(prefix)
    }


def _in_peft_form(weights: dict[str, Tensor], part: nn.Module, name: str) -> Iterable[str]:
    """Give the keys as diffusers' loader will look for them."""
    from diffusers.utils import state_dict_utils

    forms: Any = state_dict_utils
    if not weights or "lora_A" in next(iter(weights)):
        keys = list(weights)
    elif name == "unet":
        keys = list(forms.convert_unet_state_dict_to_peft(dict(weights)))
    else:
        named = forms.convert_state_dict_to_diffusers(dict(weights))
        keys = list(forms.convert_state_dict_to_peft(named))
    if name != "unet" and not hasattr(part, "text_model"):
        return [key.removeprefix("text_model.") for key in keys]
    return keys


def _merge_into_layers(part: Any, weight: float) -> None:
    """Add the low-rank products to the layers' own weights, and take peft's layers out again."""
    from diffusers.utils import peft_utils
    from peft.tuners.lora import LoraLayer

    for layer in part.modules():
        if isinstance(layer, LoraLayer):
            layer.scale_layer(weight)
            layer.merge(safe_merge=True)
    remove: Any = peft_utils.recurse_remove_peft_layers
    remove(part)
    del part.peft_config
    part._hf_peft_config_loaded = False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
