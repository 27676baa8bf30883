"""The language model adapter's folder, `mllm/`, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from generator.agent_weights import AgentWeights, read_agent
from generator.errors import CheckpointError
from generator.json_files import read_object, write_object
from generator.library_parts import read_part
from generator.mllm import CharacterMllm
from generator.quantization import Quantization, QuantizedLinear, quantizable, quantized
from generator.query_resampler import PUBLISHED_NUM_HEADS, QueryResampler
from generator.weight_files import find_weights
from generator.weights import (
    check_names,
    check_shapes,
    is_constant,
    read_weights,
    write_shards,
    write_weights,
)

if TYPE_CHECKING:
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

EMBEDDINGS = "model.embed_tokens.weight"
AGENT_CONFIG = "config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TOKENIZERS = {
    "LlamaTokenizer": "LlamaTokenizer",
    "LlamaTokenizerFast": "LlamaTokenizer",
    "PreTrainedTokenizerFast": "PreTrainedTokenizerFast",
    "TokenizersBackend": "PreTrainedTokenizerFast",
}
"""The classes that a tokenizer's configuration may name, and transformers' name for them."""
RESAMPLERS = ("input_resampler", "output_resampler")


def load_mllm(
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    quantize: Quantization | None = None,
    device: torch.device | None = None,
) -> CharacterMllm:
    """Load the adapter, ready for inference, each weight straight from the file to its place.

    Args:
        folder: holds `tokenizer/`, `llm/` and `agent/`.
        dtype: of what is not quantised.
        quantize: hold the linear layers between embeddings and output in fewer bits; each is
            quantised as soon as it is read.
        device: where it comes to life; the CPU by default.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    agent = read_agent(folder / "agent")
    resamplers = {
        name: _load_resampler(name, agent).to(device=device, dtype=dtype).eval()
        for name in RESAMPLERS
    }
    llm = _load_llm(folder / "llm", agent, dtype, quantize, device)
    tokenizer = _load_tokenizer(folder / "tokenizer")
    try:
        return CharacterMllm(llm, **resamplers, tokenizer=tokenizer).eval()
    except ValueError as error:
        raise CheckpointError(folder, f"its parts do not fit together: {error}") from error


def save_mllm(mllm: CharacterMllm, folder: Path) -> None:
    """Write the adapter in the published layout, as safetensors, into a folder that is not there.

    Raises:
        CheckpointError: the model is quantised.
    """
    if any(isinstance(child, QuantizedLinear) for child in mllm.llm.modules()):
        raise CheckpointError(folder, "a quantised language model cannot be written")
    llm, agent = folder / "llm", folder / "agent"
    mllm.tokens.tokenizer.save_pretrained(folder / "tokenizer")
    mllm.llm.config.save_pretrained(llm)
    write_shards(mllm.llm.state_dict(), llm, "model")
    agent.mkdir()
    weights = {
        name: tensor
        for name, tensor in mllm.state_dict().items()
        if name.partition(".")[0] in RESAMPLERS
    }
    write_weights(weights, agent / "model.safetensors")
    heads = {f"{name}_num_heads": getattr(mllm, name).num_heads for name in RESAMPLERS}
    write_object(heads, agent / AGENT_CONFIG)


def _load_resampler(name: str, agent: AgentWeights) -> QueryResampler:
    """Load one resampler; its number of heads is the published one unless `config.json` tells."""
    config = agent.path.parent / AGENT_CONFIG
    about = read_object(config) if config.exists() else {}
    num_heads = about.get(f"{name}_num_heads", PUBLISHED_NUM_HEADS)
    if not isinstance(num_heads, int) or num_heads < 1:
        raise CheckpointError(config, f"{name}_num_heads is {num_heads!r}; expected a number")
    try:
        return QueryResampler.from_state_dict(getattr(agent, name), num_heads=num_heads)
    except KeyError as error:
        raise CheckpointError(agent.path, f"missing: {name}.{error.args[0]}") from error
    except (RuntimeError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise CheckpointError(agent.path, f"{name}: {problem}") from error


def _load_llm(
    folder: Path,
    agent: AgentWeights,
    dtype: torch.dtype,
    quantize: Quantization | None,
    device: torch.device | None,
) -> LlamaForCausalLM:
    llm = _empty_llm(folder, device)
    weights = _checked_weights(folder, agent, llm.state_dict(), llm.config.tie_word_embeddings)
    to_quantize = {f"model.layers.{name}.weight" for name in quantizable(llm.model.layers)}
    placed: dict[str, Tensor] = {}
    while weights:
        name, tensor = weights.popitem()
        tensor = tensor.to(device=device)
        if name in agent.loras:
            tensor = agent.loras[name].added_to(tensor)
        if quantize is not None and name in to_quantize:
            layer = quantized(tensor, quantize)
            layer_name = name.removesuffix(".weight")
            llm.set_submodule(layer_name, layer)
            placed |= {f"{layer_name}.{key}": value for key, value in layer.state_dict().items()}
        else:
            placed[name] = tensor.to(dtype)
    llm.load_state_dict(placed, strict=True, assign=True)
    return llm


def _empty_llm(folder: Path, device: torch.device | None) -> LlamaForCausalLM:
    """Build the language model without memory, but for its table of positions."""
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM, LlamaRotaryEmbedding

    path = folder / "config.json"
    if (found := read_object(path).get("model_type")) != "llama":
        raise CheckpointError(path, f"model_type is {found!r}; expected 'llama'")
    config = read_part(folder, LlamaConfig)
    try:
        with torch.device("meta"):
            llm = LlamaForCausalLM(config)
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(path, f"makes no language model: {error}") from error
    llm.model.rotary_emb = LlamaRotaryEmbedding(config).to(device=device)
    return llm


def _checked_weights(
    folder: Path, agent: AgentWeights, expected: dict[str, Tensor], is_tied: bool
) -> dict[str, Tensor]:
    """Give the language model's weights, those of the agent in the place of the folder's own.

    Raises:
        CheckpointError: a weight is missing, belongs nowhere, or has another shape.
    """
    path = find_weights(folder)
    weights = read_weights(path)
    names = agent.llm.keys() | agent.loras.keys()
    check_names(agent.path, missing=(), unexpected=[f"llm.{x}" for x in names - expected.keys()])
    merged = {name: own for name, own in (weights | agent.llm).items() if not is_constant(name)}
    if is_tied and EMBEDDINGS in merged:
        merged.setdefault("lm_head.weight", merged[EMBEDDINGS])
    check_names(
        path, missing=expected.keys() - merged.keys(), unexpected=weights.keys() - expected.keys()
    )
    for own_path, own in ((path, weights), (agent.path, agent.llm), (agent.path, agent.loras)):
        names_here = own.keys() & expected.keys()
        check_shapes(own_path, found=own, expected={name: expected[name] for name in names_here})
    return merged


def _load_tokenizer(folder: Path) -> Any:
    import transformers

    path = folder / TOKENIZER_CONFIG
    name = read_object(path).get("tokenizer_class", "LlamaTokenizer")
    if name not in TOKENIZERS:
        raise CheckpointError(
            path, f"tokenizer_class is {name!r}; expected one of {', '.join(TOKENIZERS)}"
        )
    return read_part(folder, getattr(transformers, TOKENIZERS[name]))
