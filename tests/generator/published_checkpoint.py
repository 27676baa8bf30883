"""Writes the recorded tiny model into a folder as the published model's files are laid out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from golden_values import Golden
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

SCHEDULER = "EulerDiscreteScheduler"
HEAD_WIDTH = 16
LLM_CONTEXT = 256
RESAMPLERS = ("input_resampler", "output_resampler")


def write_published_checkpoint(golden: Golden, folder: Path) -> None:
    """Use the old weight names and, for U-Net and resampler, `.bin` files, as published."""
    root = folder / "image_generator"
    config = golden.config
    models = config["models"]
    for name, model_type, architecture in (
        ("text_encoder", "clip_text_model", "CLIPTextModel"),
        ("text_encoder_2", "clip_text_model", "CLIPTextModelWithProjection"),
        ("clip_image_encoder", "clip_vision_model", "CLIPVisionModelWithProjection"),
        ("magi_image_encoder", "vit_mae", "ViTMAEModel"),
    ):
        about = {"model_type": model_type, "architectures": [architecture], **models[name]}
        _write_json(about, root / name / "config.json")
        save_file(_weights(golden, name), root / name / "model.safetensors", {"format": "pt"})
    _write_json({"_class_name": "AutoencoderKL", **models["vae"]}, root / "vae" / "config.json")
    save_file(_weights(golden, "vae"), root / "vae" / "diffusion_pytorch_model.safetensors")
    unet = {"_class_name": "UNet2DConditionModel", **models["unet"]}
    _write_json(unet, root / "unet" / "config.json")
    torch.save(_weights(golden, "unet"), root / "unet" / "pytorch_model.bin")
    _write_json({"head_width": HEAD_WIDTH}, root / "image_proj_model" / "config.json")
    torch.save(
        _weights(golden, "image_proj_model"), root / "image_proj_model" / "pytorch_model.bin"
    )
    scheduler = {"_class_name": SCHEDULER, **models["scheduler"]}
    _write_json(scheduler, root / "scheduler" / "scheduler_config.json")
    tokenizer = config["clip_tokenizer"]
    _write_tokenizer(root / "tokenizer", tokenizer, tokenizer["pad_token_1"])
    _write_tokenizer(root / "tokenizer_2", tokenizer, tokenizer["pad_token_2"])
    _write_json(_index(), root / "model_index.json")
    settings = {
        "num_inference_steps": config["num_inference_steps"],
        "negative_prompt": config["negative_prompt"],
    }
    _write_json(settings, folder / "settings.json")


def write_published_mllm(golden: Golden, folder: Path) -> None:
    """Add the recorded language model adapter, with the table old versions saved in every layer."""
    root = folder / "mllm"
    sizes, vocabulary = golden.config["models"]["agent"], golden.config["llm_vocab"]
    heads = sizes["heads"]
    _write_json({f"{name}_num_heads": heads for name in RESAMPLERS}, root / "agent/config.json")
    weights = _weights(golden, "agent")
    llm = {
        name.removeprefix("llm."): tensor
        for name, tensor in weights.items()
        if name.startswith("llm.")
    }
    agent = {name: tensor for name, tensor in weights.items() if not name.startswith("llm.")}
    torch.save(agent, root / "agent/pytorch_model.bin")
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": len(vocabulary),
        "hidden_size": sizes["hidden"],
        "intermediate_size": sizes["inter"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": heads,
        "max_position_embeddings": LLM_CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "torch_dtype": "float32",
    }
    _write_json(config, root / "llm/config.json")
    for layer in range(sizes["layers"]):
        llm[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = torch.ones(5)
    torch.save(llm, root / "llm/pytorch_model.bin")
    write_toy_tokenizer(vocabulary, root / "tokenizer")


def write_toy_tokenizer(vocabulary: dict[str, int], folder: Path) -> None:
    """Write the recorded tokenizer: always a prefix first, then word by word."""
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "<unk>"))
    tokenizer.normalizer = normalizers.Prepend("\N{LOWER ONE EIGHTH BLOCK} ")
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    _write_json(about, folder / "tokenizer_config.json")


def save_as(folder: Path, suffix: str) -> None:
    """Write the weights of every part again as `.bin` or `.safetensors` files."""
    for path in [path for path in folder.rglob("*") if path.suffix in (".bin", ".safetensors")]:
        read = load_file if path.suffix == ".safetensors" else torch.load
        weights = dict(read(path))
        path.unlink()
        if suffix == ".bin":
            is_vae = path.parent.name == "vae"
            name = "diffusion_pytorch_model.bin" if is_vae else "pytorch_model.bin"
            torch.save(weights, path.parent / name)
        else:
            name = "diffusion_pytorch_model" if path.parent.name in ("unet", "vae") else "model"
            save_file(weights, path.parent / f"{name}.safetensors", {"format": "pt"})


def _weights(golden: Golden, name: str) -> dict[str, torch.Tensor]:
    return golden.group(f"weights/{name}.")


def _index() -> dict[str, Any]:
    return {
        "_class_name": "StableDiffusionXLPipeline",
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", SCHEDULER],
        "unet": ["diffusers", "UNet2DConditionModel"],
    }


def _write_tokenizer(folder: Path, about: dict[str, Any], pad_token: str) -> None:
    alphabet = _clip_alphabet()
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    words += [merge.replace(" ", "") for merge in about["merges"]]
    words += ["<|startoftext|>", "<|endoftext|>"]
    _write_json({word: number for number, word in enumerate(words)}, folder / "vocab.json")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *about["merges"], ""]))
    special = {
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": pad_token,
        "model_max_length": about["model_max_length"],
        "tokenizer_class": "CLIPTokenizer",
    }
    _write_json(special, folder / "tokenizer_config.json")


def _clip_alphabet() -> list[str]:
    """One printable letter for each byte: the printable bytes themselves, then from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def _write_json(values: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))
