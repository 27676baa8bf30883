"""Models of DiffSensei's form filled with random numbers: as slow and as large as trained ones.

Nothing is downloaded, and no weights of this project are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel

from benchmarks.model_sizes import MAX_CHARACTERS, TOKENS_PER_CHARACTER, EncoderSize, ModelSize
from generator.checkpoint import save_checkpoint
from generator.components import Components
from generator.encoders import CharacterEncoders
from generator.mllm import CharacterMllm
from generator.mllm_tokens import PREFIX
from generator.prompts import TextEncoders
from generator.query_resampler import PUBLISHED_NUM_HEADS, QueryResampler
from generator.resampler import CharacterResampler
from generator.settings import DrawSettings
from generator.unet import add_characters

PICTURE_PX = 224
CLIP_PATCH_PX = 14
MAGI_PATCH_PX = 16
TEXT_TOKENS = 77
SDXL_SCALING_FACTOR = 0.13025
HEAD_WIDTH = 64
"""Of the character resampler's attention."""

VOCABULARY = 32330
NUM_IMAGE_TOKENS = 100
MAX_POSITIONS = 4096
STEERING = 1000.0
"""So much larger than what random layers add that it decides the first answered token."""


@torch.no_grad()
def random_components(
    size: ModelSize, device: torch.device, dtype: torch.dtype, *, num_steps: int
) -> Components:
    """Return all parts but the language model, on the device; the autoencoder in float32."""
    torch.manual_seed(0)
    with _made_on(device, dtype):
        unet: Any = _from_config(UNet2DConditionModel, size.unet_config())
        adapter = add_characters(unet)
        resampler = CharacterResampler(
            width=size.resampler_width,
            head_width=min(HEAD_WIDTH, size.resampler_width),
            tokens_per_character=TOKENS_PER_CHARACTER,
            num_background_tokens=TOKENS_PER_CHARACTER,
            clip_width=size.clip.width,
            magi_width=size.magi.width,
            output_width=size.cross_width,
        ).eval()
        text, images = _text_encoders(size), _image_encoders(size)
    with _made_on(device, torch.float32):
        vae = _autoencoder(size)
    scheduler: Any = EulerDiscreteScheduler
    return Components(
        unet=unet,
        adapter=adapter,
        resampler=resampler,
        image_encoders=images,
        text=text,
        vae=vae,
        scheduler=scheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            timestep_spacing="leading",
            steps_offset=1,
        ),
        settings=DrawSettings(
            max_characters=MAX_CHARACTERS, num_inference_steps=num_steps, negative_prompt="lowres"
        ),
    )


@torch.no_grad()
def random_mllm(size: ModelSize, device: torch.device, dtype: torch.dtype) -> CharacterMllm:
    """Return a language model that, random as it is, begins every answer as a trained one does."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        **_transformer(size.llm), vocab_size=VOCABULARY, max_position_embeddings=MAX_POSITIONS
    )
    with _made_on(device, dtype):
        llm = transformers.LlamaForCausalLM(config)
    with _made_on(device, torch.float32):  # not every device draws their numbers in half precision
        mllm = CharacterMllm(
            llm,
            _query_resampler(size.grid, given=size.cross_width, wanted=size.llm.width),
            _query_resampler(size.grid, given=size.llm.width, wanted=size.cross_width),
            _llama_tokenizer(),
        )
    mllm.eval().to(device, dtype)
    prefix = mllm.tokens.chain[0]
    llm.model.embed_tokens.weight[mllm.tokens.newline, 0] = STEERING
    llm.lm_head.weight.zero_()
    llm.lm_head.weight[prefix, 0] = 1.0
    return mllm


def write_random_model(
    size: ModelSize, folder: Path, device: torch.device, dtype: torch.dtype, *, num_steps: int
) -> None:
    """Write a folder in the published layout, without a language model."""
    save_checkpoint(random_components(size, device, dtype, num_steps=num_steps), folder)


def _from_config(cls: Any, config: dict[str, Any]) -> Any:
    return _ready(cls.from_config(config))


@contextmanager
def _made_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Make modules at once where and as they are wanted: a float32 copy may not fit."""
    former = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            yield
    finally:
        torch.set_default_dtype(former)


def _autoencoder(size: ModelSize) -> Any:
    return _from_config(
        AutoencoderKL,
        {
            "block_out_channels": size.vae_channels,
            "down_block_types": ("DownEncoderBlock2D",) * 4,
            "up_block_types": ("UpDecoderBlock2D",) * 4,
            "layers_per_block": 2,
            "latent_channels": 4,
            "norm_num_groups": size.norm_groups,
            "sample_size": 1024,
            "scaling_factor": SDXL_SCALING_FACTOR,
            "force_upcast": True,
        },
    )


def _text_encoders(size: ModelSize) -> TextEncoders:
    tokenizer = _byte_tokenizer()
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    first, second = (
        transformers.CLIPTextConfig(
            **_transformer(encoder),
            **ids,
            vocab_size=49408,
            max_position_embeddings=TEXT_TOKENS,
            projection_dim=size.text[1].width,
        )
        for encoder in size.text
    )
    return TextEncoders(
        tokenizer,
        _ready(transformers.CLIPTextModel(first)),
        tokenizer,
        _ready(transformers.CLIPTextModelWithProjection(second)),
    )


def _image_encoders(size: ModelSize) -> CharacterEncoders:
    clip = transformers.CLIPVisionConfig(
        **_transformer(size.clip), image_size=PICTURE_PX, patch_size=CLIP_PATCH_PX
    )
    magi = transformers.ViTMAEConfig(
        **_transformer(size.magi), image_size=PICTURE_PX, patch_size=MAGI_PATCH_PX
    )
    side = {"height": PICTURE_PX, "width": PICTURE_PX}
    return CharacterEncoders(
        clip=_ready(transformers.CLIPVisionModelWithProjection(clip)),
        clip_processor=transformers.CLIPImageProcessorPil(
            size={"shortest_edge": PICTURE_PX}, crop_size=side
        ),
        magi=_ready(transformers.ViTMAEModel(magi)),
        magi_processor=transformers.ViTImageProcessorPil(size=side),
    )


def _query_resampler(grid: int, *, given: int, wanted: int) -> QueryResampler:
    return QueryResampler(grid=grid, width=wanted, num_heads=PUBLISHED_NUM_HEADS, input_width=given)


def _ready(module: Any) -> Any:
    return module.eval()


def _transformer(size: EncoderSize) -> dict[str, Any]:
    return {
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.inner_width,
    }


def _byte_tokenizer() -> Any:
    """Return a CLIP tokenizer that knows every byte and no merge."""
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return transformers.CLIPTokenizer(
        vocab=vocabulary,
        merges=[],
        unk_token="<|endoftext|>",  # noqa: S106  a word, not a password
        pad_token="<|endoftext|>",  # noqa: S106
        model_max_length=TEXT_TOKENS,
    )


def _llama_tokenizer() -> Any:
    """Return a tokenizer with the published markers that reads captions letter by letter."""
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), PREFIX]
    words += [chr(code) for code in range(33, 127)]
    words += [f"<img_{number:05}>" for number in range(NUM_IMAGE_TOKENS)]
    words += ["<img>", "</img>"]
    return transformers.LlamaTokenizer(
        vocab={word: number for number, word in enumerate(words)}, merges=[]
    )
