"""The published folder layout in and out.

A model folder holds `image_generator/` and, optionally, `mllm/` and `settings.json`. Loading is
strict: every missing or unexpected weight is named. Weights are read from safetensors where there
is such a file, else from `.bin` without running any code in it, and go straight from the file into
modules that had no memory before.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from generator.components import Components
from generator.conversion import convert_checkpoint
from generator.encoders import CharacterEncoders
from generator.errors import CheckpointError
from generator.json_files import read_object, write_object
from generator.library_parts import load_model, read_part
from generator.mllm_checkpoint import load_mllm, save_mllm
from generator.prompts import TextEncoders
from generator.quantization import Quantization
from generator.resampler import CharacterResampler
from generator.settings import read_settings, write_settings
from generator.sizes import PartSize, header_bytes
from generator.unet import CharacterAdapter, add_characters
from generator.weight_files import find_weights
from generator.weights import (
    check_names,
    check_shapes,
    place_weights,
    read_weights,
    write_shards,
    write_weights,
)

__all__ = [
    "PartSize",
    "convert_checkpoint",
    "header_bytes",
    "load_checkpoint",
    "load_mllm",
    "load_resampler",
    "load_unet",
    "save_checkpoint",
]

IMAGE_GENERATOR = "image_generator"
MLLM = "mllm"
MODEL_INDEX = "model_index.json"
PROCESSOR_FILE = "preprocessor_config.json"
RESAMPLER_CONFIG = "config.json"

CLASSES = {
    "vae": ("AutoencoderKL", "AutoencoderDC"),
    "text_encoder": ("CLIPTextModel",),
    "text_encoder_2": ("CLIPTextModelWithProjection",),
    "tokenizer": ("CLIPTokenizer", "CLIPTokenizerFast"),
    "tokenizer_2": ("CLIPTokenizer", "CLIPTokenizerFast"),
    "scheduler": (
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "DDIMScheduler",
        "DDPMScheduler",
        "DPMSolverMultistepScheduler",
        "HeunDiscreteScheduler",
        "PNDMScheduler",
        "UniPCMultistepScheduler",
    ),
}
"""The classes that a folder's `model_index.json` may name."""


def load_checkpoint(
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    mllm_dtype: torch.dtype | None = None,
    quantize: Quantization | None = None,
    with_mllm: bool = True,
) -> Components:
    """Load a model folder on the CPU, ready for inference.

    The autoencoder stays in float32 where its configuration says that it must
    (`force_upcast`, as SDXL's does).

    Args:
        folder: in the published layout.
        dtype: of all parts but the language model.
        mllm_dtype: of the language model; `dtype` by default.
        quantize: the bits of the language model's weights; see `load_mllm`.
        with_mllm: load the language model, if the folder has one. It is larger than all else
            together, so a caller may load it later, by `load_mllm(folder / "mllm")`.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    root = folder / IMAGE_GENERATOR
    if not root.is_dir():
        raise CheckpointError(root, "no such folder; expected a model in the published layout")
    index = read_object(root / MODEL_INDEX)
    unet, adapter = load_unet(root / "unet", dtype=dtype)
    return Components(
        unet=unet,
        adapter=adapter,
        resampler=load_resampler(root / "image_proj_model").to(dtype),
        image_encoders=_load_image_encoders(root, dtype),
        text=TextEncoders(
            tokenizer=_load_part(root, "tokenizer", index),
            encoder=_load_text_encoder(root, "text_encoder", index, dtype),
            tokenizer_2=_load_part(root, "tokenizer_2", index),
            encoder_2=_load_text_encoder(root, "text_encoder_2", index, dtype),
        ),
        vae=_load_vae(root, index, dtype),
        scheduler=_load_part(root, "scheduler", index),
        settings=read_settings(folder),
        mllm=load_mllm(folder / MLLM, dtype=mllm_dtype or dtype, quantize=quantize)
        if with_mllm and (folder / MLLM).is_dir()
        else None,
    )


def load_unet(
    folder: Path, *, dtype: torch.dtype = torch.float32
) -> tuple[UNet2DConditionModel, CharacterAdapter]:
    """Load a U-Net with its characters from `config.json` and its weights.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    config = read_object(folder / "config.json")
    path = find_weights(folder)
    weights = read_weights(path)
    try:
        with torch.device("meta"):
            unet = UNet2DConditionModel.from_config(config)
            adapter = add_characters(unet)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise CheckpointError(folder / "config.json", f"makes no U-Net: {error}") from error
    expected = unet.state_dict()
    check_names(
        path, missing=expected.keys() - weights.keys(), unexpected=weights.keys() - expected.keys()
    )
    check_shapes(path, found=weights, expected=expected)
    place_weights(unet, weights, dtype=dtype)
    return unet.eval(), adapter


def load_resampler(folder: Path) -> CharacterResampler:
    """Load the resampler; its sizes are read from the weights.

    The width of an attention head cannot be. It is 64, as released, unless a `config.json`
    beside the weights says `{"head_width": ...}`.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    path = find_weights(folder)
    weights = read_weights(path)
    config_path = folder / RESAMPLER_CONFIG
    head_width = read_object(config_path).get("head_width", 64) if config_path.exists() else 64
    try:
        return CharacterResampler.from_state_dict(weights, head_width=head_width).eval()
    except KeyError as error:
        raise CheckpointError(path, f"missing: {error.args[0]}") from error
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(path, " ".join(str(error).split())) from error


def save_checkpoint(components: Components, folder: Path) -> None:
    """Write a model folder in the published layout, as safetensors, all of it or nothing.

    Other files in the folder, such as a model card, stay; so does its `mllm/` if the components
    have none.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as name:
            unfinished = Path(name)
            _write_image_generator(components, unfinished / IMAGE_GENERATOR)
            if components.mllm is not None:
                save_mllm(components.mllm, unfinished / MLLM)
            write_settings(components.settings, unfinished)
            for new in [path for path in unfinished.iterdir() if path.is_dir()]:
                old = folder / new.name
                if old.exists():
                    old.rename(unfinished / f"replaced-{new.name}")
                new.rename(old)
            for file in unfinished.glob("*.json"):
                file.replace(folder / file.name)
    except OSError as error:
        raise CheckpointError(folder, f"cannot be written: {error.strerror}") from error


def _write_image_generator(components: Components, root: Path) -> None:
    text, images = components.text, components.image_encoders
    parts = {
        "vae": components.vae,
        "text_encoder": text.encoder,
        "text_encoder_2": text.encoder_2,
        "tokenizer": text.tokenizer,
        "tokenizer_2": text.tokenizer_2,
        "scheduler": components.scheduler,
    }
    for name, part in parts.items():
        part.save_pretrained(root / name)
    for name, encoder, processor in (
        ("clip_image_encoder", images.clip, images.clip_processor),
        ("magi_image_encoder", images.magi, images.magi_processor),
    ):
        encoder.save_pretrained(root / name)
        processor.save_pretrained(root / name)
    components.unet.save_config(root / "unet")
    write_shards(components.unet.state_dict(), root / "unet", "diffusion_pytorch_model")
    resampler = root / "image_proj_model"
    resampler.mkdir()
    write_weights(components.resampler.state_dict(), resampler / "model.safetensors")
    write_object({"head_width": components.resampler.head_width}, resampler / RESAMPLER_CONFIG)
    libraries = {"vae": "diffusers", "scheduler": "diffusers"}
    index = {
        name: [libraries.get(name, "transformers"), type(part).__name__]
        for name, part in parts.items()
    }
    write_object(
        {
            "_class_name": "StableDiffusionXLPipeline",
            "_diffusers_version": diffusers.__version__,
            **index,
            "unet": ["diffusers", "UNet2DConditionModel"],
        },
        root / MODEL_INDEX,
    )


def _load_image_encoders(root: Path, dtype: torch.dtype) -> CharacterEncoders:
    clip_folder, magi_folder = root / "clip_image_encoder", root / "magi_image_encoder"
    clip = load_model(clip_folder, transformers.CLIPVisionModelWithProjection, dtype=dtype)
    magi = load_model(magi_folder, transformers.ViTMAEModel, dtype=dtype)
    return CharacterEncoders(
        clip=clip,
        clip_processor=_load_processor(
            clip_folder,
            transformers.CLIPImageProcessorPil,
            size={"shortest_edge": clip.config.image_size},
            crop_size={"height": clip.config.image_size, "width": clip.config.image_size},
        ),
        magi=magi,
        magi_processor=_load_processor(
            magi_folder,
            transformers.ViTImageProcessorPil,
            size={"height": magi.config.image_size, "width": magi.config.image_size},
        ),
    )


def _load_processor(folder: Path, cls: Any, **published: Any) -> Any:
    """Load the saved preprocessing; the published one, at the encoder's size, if none is saved."""
    if (folder / PROCESSOR_FILE).exists():
        return read_part(folder, cls)
    return cls(**published)


def _load_text_encoder(root: Path, name: str, index: dict[str, Any], dtype: torch.dtype) -> Any:
    return load_model(root / name, _named_class(root, name, index), dtype=dtype)


def _load_part(root: Path, name: str, index: dict[str, Any]) -> Any:
    """Load a component without weights."""
    return read_part(root / name, _named_class(root, name, index))


def _load_vae(root: Path, index: dict[str, Any], dtype: torch.dtype) -> Any:
    cls = _named_class(root, "vae", index)
    if read_object(root / "vae" / "config.json").get("force_upcast", False):
        dtype = torch.float32
    return load_model(root / "vae", cls, torch_dtype=dtype)


def _named_class(root: Path, name: str, index: dict[str, Any]) -> Any:
    """Return the class that the model index names, if it is one of `CLASSES`."""
    path = root / MODEL_INDEX
    match index.get(name):
        case ["diffusers" | "transformers" as library, str(cls)] if cls in CLASSES[name]:
            return getattr(diffusers if library == "diffusers" else transformers, cls)
        case found:
            raise CheckpointError(
                path, f"{name} is {found!r}; expected one of {', '.join(CLASSES[name])}"
            )
