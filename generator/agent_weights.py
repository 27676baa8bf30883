"""The adapter's own weight file: both resamplers, and what was trained in the language model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from generator.errors import CheckpointError
from generator.json_files import read_object
from generator.weight_files import find_weights
from generator.weights import check_names, read_weights

LORA_CONFIG = "adapter_config.json"
PUBLISHED_LORA_RANK = 64
"""Trained with alpha equal to it, so that the product counts once."""

_LORA = re.compile(r"(?P<layer>.+)\.lora_(?P<half>[AB])(\.\w+)?\.weight")
_WRAPPED = re.compile(r"(?P<layer>.+)\.(base_layer|modules_to_save(\.\w+)?)\.(?P<leaf>weight|bias)")
_REPLACED = ".original_module."


@dataclass(frozen=True)
class Lora:
    """A change of low rank to one weight: `scale * up @ down`; arXiv:2106.09685."""

    down: Tensor
    up: Tensor
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of the weight that it changes."""
        return self.up.shape[0], self.down.shape[1]

    def added_to(self, weight: Tensor) -> Tensor:
        """Return the changed weight, in float32."""
        change = self.up.to(weight.device).float() @ self.down.to(weight.device).float()
        return weight.float() + self.scale * change


@dataclass(frozen=True)
class AgentWeights:
    """What the file holds, sorted.

    Attributes:
        path: of the file.
        llm: weights of the language model that replace its folder's, under its own names.
        loras: changes to the language model's weights, by the weight's name.
        input_resampler: weights of the resampler in front of the language model.
        output_resampler: weights of the one behind it.
    """

    path: Path
    llm: dict[str, Tensor] = field(default_factory=dict)
    loras: dict[str, Lora] = field(default_factory=dict)
    input_resampler: dict[str, Tensor] = field(default_factory=dict)
    output_resampler: dict[str, Tensor] = field(default_factory=dict)


def read_agent(folder: Path) -> AgentWeights:
    """Sort the weights of the adapter's folder; each is used or refused, none is dropped.

    Names may be the language model's own, or those that peft's wrappers give to them.

    Raises:
        CheckpointError: the file is missing or damaged, or holds a weight that belongs nowhere.
    """
    path = find_weights(folder)
    agent = AgentWeights(path)
    halves: dict[str, dict[str, Tensor]] = {}
    unexpected: list[str] = []
    replaced: dict[str, str] = {}
    for name, tensor in read_weights(path).items():
        part, _, rest = name.partition(".")
        rest = rest.removeprefix("base_model.model.")
        if part in ("input_resampler", "output_resampler"):
            getattr(agent, part)[rest] = tensor
        elif part != "llm":
            unexpected.append(name)
        elif lora := _LORA.fullmatch(rest):
            _add(halves.setdefault(f"{lora['layer']}.weight", {}), lora["half"], tensor, path, name)
        elif _REPLACED in rest:
            replaced[rest.replace(_REPLACED, ".")] = name
        else:
            _add(agent.llm, _WRAPPED.sub(r"\g<layer>.\g<leaf>", rest), tensor, path, name)
    # peft keeps what a trained module replaced, but no longer uses it
    unexpected += [name for rest, name in replaced.items() if rest not in agent.llm]
    check_names(path, missing=(), unexpected=unexpected)
    if halves:
        _add_loras(agent, halves, folder / LORA_CONFIG)
    return agent


def _add(weights: dict[str, Tensor], key: str, tensor: Tensor, path: Path, name: str) -> None:
    if key in weights:
        raise CheckpointError(path, f"a second weight for the same place: {name}")
    weights[key] = tensor


def _add_loras(agent: AgentWeights, halves: dict[str, dict[str, Tensor]], config: Path) -> None:
    about = read_object(config) if config.exists() else None
    if about is not None and about.get("alpha_pattern"):
        raise CheckpointError(config, "alpha_pattern is not supported; merge the LoRA beforehand")
    for name, pair in halves.items():
        if pair.keys() != {"A", "B"}:
            raise CheckpointError(agent.path, f"half of the LoRA for {name} is missing")
        rank = len(pair["A"])
        if about is None and rank != PUBLISHED_LORA_RANK:
            raise CheckpointError(
                agent.path,
                f"has LoRA weights of rank {rank}, and {LORA_CONFIG} is missing; only with the "
                f"published rank of {PUBLISHED_LORA_RANK} it is known how strong they are",
            )
        scale = 1.0 if about is None else _scale(about, rank, config)
        agent.loras[name] = Lora(pair["A"], pair["B"], scale)


def _scale(about: dict[str, Any], rank: int, config: Path) -> float:
    alpha = about.get("lora_alpha")
    if not isinstance(alpha, int | float):
        raise CheckpointError(config, f"lora_alpha is {alpha!r}; expected a number")
    return float(alpha / (rank**0.5 if about.get("use_rslora") else rank))
