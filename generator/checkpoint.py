"""The published folder layout in and out.

A model folder holds `image_generator/` and, optionally, `settings.json`. Loading is strict: every
missing or unexpected weight is named. Weights are read from safetensors where there is such a
file, else from `.bin` without running any code in it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from generator.components import Components
from generator.encoders import CharacterEncoders
from generator.errors import CheckpointError
from generator.prompts import TextEncoders
from generator.resampler import CharacterResampler
from generator.settings import read_settings, write_settings
from generator.unet import CharacterAdapter, add_characters
from generator.weights import check_names, check_shapes, find_weights, read_weights, write_weights

IMAGE_GENERATOR = "image_generator"
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


def load_checkpoint(folder: Path, *, dtype: torch.dtype = torch.float32) -> Components:
    """Load a model folder on the CPU, ready for inference.

    The autoencoder stays in float32 where its configuration says that it must
    (`force_upcast`, as SDXL's does).

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    root = folder / IMAGE_GENERATOR
    if not root.is_dir():
        raise CheckpointError(root, "no such folder; expected a model in the published layout")
    index = _read_json(root / MODEL_INDEX)
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
    )


def load_unet(
    folder: Path, *, dtype: torch.dtype = torch.float32
) -> tuple[UNet2DConditionModel, CharacterAdapter]:
    """Load a U-Net with its characters from `config.json` and one weight file.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    config = _read_json(folder / "config.json")
    path = find_weights(folder)
    weights = read_weights(path)
    try:
        with torch.device("meta"):  # no random weights that are overwritten at once
            unet = UNet2DConditionModel.from_config(config)
            adapter = add_characters(unet)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise CheckpointError(folder / "config.json", f"makes no U-Net: {error}") from error
    expected = unet.state_dict()
    check_names(
        path, missing=expected.keys() - weights.keys(), unexpected=weights.keys() - expected.keys()
    )
    check_shapes(path, found=weights, expected=expected)
    weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
    unet.load_state_dict(weights, strict=True, assign=True)
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
    head_width = _read_json(config_path).get("head_width", 64) if config_path.exists() else 64
    try:
        return CharacterResampler.from_state_dict(weights, head_width=head_width).eval()
    except KeyError as error:
        raise CheckpointError(path, f"missing: {error.args[0]}") from error
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(path, " ".join(str(error).split())) from error


def save_checkpoint(components: Components, folder: Path) -> None:
    """Write a model folder in the published layout, as safetensors, all of it or nothing.

    Other files in the folder, such as a model card, stay.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as name:
            unfinished = Path(name)
            _write_image_generator(components, unfinished / IMAGE_GENERATOR)
            write_settings(components.settings, unfinished)
            old, new = folder / IMAGE_GENERATOR, unfinished / IMAGE_GENERATOR
            if old.exists():
                old.rename(unfinished / "replaced")
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
    write_weights(
        components.unet.state_dict(), root / "unet" / "diffusion_pytorch_model.safetensors"
    )
    resampler = root / "image_proj_model"
    resampler.mkdir()
    write_weights(components.resampler.state_dict(), resampler / "model.safetensors")
    _write_json({"head_width": components.resampler.head_width}, resampler / RESAMPLER_CONFIG)
    libraries = {"vae": "diffusers", "scheduler": "diffusers"}
    index = {
        name: [libraries.get(name, "transformers"), type(part).__name__]
        for name, part in parts.items()
    }
    _write_json(
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
    clip = _load_transformers(clip_folder, transformers.CLIPVisionModelWithProjection, dtype)
    magi = _load_transformers(magi_folder, transformers.ViTMAEModel, dtype)
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
        return _read_part(folder, cls)
    return cls(**published)


def _load_text_encoder(root: Path, name: str, index: dict[str, Any], dtype: torch.dtype) -> Any:
    return _load_transformers(root / name, _named_class(root, name, index), dtype)


def _load_part(root: Path, name: str, index: dict[str, Any]) -> Any:
    """Load a component without weights."""
    return _read_part(root / name, _named_class(root, name, index))


def _read_part(folder: Path, cls: Any) -> Any:
    if not folder.is_dir():
        raise CheckpointError(folder, "folder is missing from the model")
    try:
        return cls.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(folder, f"makes no {cls.__name__}: {error}") from error


def _load_vae(root: Path, index: dict[str, Any], dtype: torch.dtype) -> Any:
    cls = _named_class(root, "vae", index)
    if _read_json(root / "vae" / "config.json").get("force_upcast", False):
        dtype = torch.float32
    return _load_model(root / "vae", cls, torch_dtype=dtype)


def _load_transformers(folder: Path, cls: Any, dtype: torch.dtype) -> Any:
    return _load_model(folder, cls, dtype=dtype)


def _load_model(folder: Path, cls: Any, **options: Any) -> Any:
    """Load by the library's own loader, because it renames weights of older versions."""
    path = find_weights(folder)
    read_weights(path)  # gives a clear error for a damaged file
    try:
        with _no_progress_bars():
            model, info = cls.from_pretrained(
                folder, output_loading_info=True, local_files_only=True, **options
            )
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(folder, f"makes no {cls.__name__}: {error}") from error
    check_names(path, missing=info["missing_keys"], unexpected=info["unexpected_keys"])
    return model.eval()


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers' own bars off the screen; the caller reports progress."""
    library: Any = transformers.utils.logging
    were_on = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if were_on:
            library.enable_progress_bar()


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


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(path, "file is missing from the model") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(path, f"is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise CheckpointError(path, "expected an object")
    return values


def _write_json(values: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n")
