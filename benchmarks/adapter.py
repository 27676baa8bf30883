"""The language model adapter: one pass for a panel against one for every answered token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from benchmarks.model_sizes import MAX_CHARACTERS, TOKENS_PER_CHARACTER, ModelSize
from benchmarks.pairing import Spread, ratio, spread, take_turns
from benchmarks.random_model import random_mllm
from benchmarks.unet_steps import largest_difference
from generator.devices import CPU
from generator.mllm import CharacterMllm

CAPTION = "close-up, a girl looks out of the window"
FORCED = 10.0
"""How far the logit of a token that must follow is lifted above all others."""


@dataclass(frozen=True)
class AdapterTimes:
    """Seconds to adapt the characters of some panels.

    Attributes:
        size: name of the language model's size.
        parameters: of the language model.
        panels: adapted together.
        one_pass_s: all of them in one pass.
        stepwise_s: each token by token, by our own fallback.
        published_s: each token by token as the published code does it; see `adapt_as_published`.
        over_stepwise: how many times quicker one pass is than our fallback.
        over_published: how many times quicker than the published way.
        difference: the largest between the three ways' outputs.
    """

    size: str
    parameters: int
    panels: int
    one_pass_s: float
    stepwise_s: float
    published_s: float
    over_stepwise: Spread
    over_published: Spread
    difference: float


@torch.inference_mode()
def measure_adapter(size: ModelSize, panels: int, rounds: int) -> AdapterTimes:
    """Time all ways in turns.

    Raises:
        DifferentOutputsError: they give different tokens.
    """
    mllm = random_mllm(size, CPU, torch.float32)
    shape = panels, MAX_CHARACTERS, TOKENS_PER_CHARACTER, size.cross_width
    tokens = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    captions = [f"{CAPTION} {number}" for number in range(panels)]
    contenders: dict[str, Callable[[], Tensor]] = {
        "one pass": lambda: mllm.adapt(captions, tokens),
        "stepwise": lambda: mllm.adapt_stepwise(captions, tokens),
        "published": lambda: adapt_as_published(mllm, captions, tokens),
    }
    ours, *others = [adapt() for adapt in contenders.values()]
    seconds = take_turns(contenders, rounds)
    return AdapterTimes(
        size=size.name,
        parameters=sum(value.numel() for value in mllm.llm.parameters()),
        panels=panels,
        one_pass_s=spread(seconds["one pass"]).median,
        stepwise_s=spread(seconds["stepwise"]).median,
        published_s=spread(seconds["published"]).median,
        over_stepwise=ratio(seconds["stepwise"], seconds["one pass"]),
        over_published=ratio(seconds["published"], seconds["one pass"]),
        difference=max(largest_difference(ours, other) for other in others),
    )


class _ForcedSuccessor(LogitsProcessor):
    """Lets a token of the answer's chain be followed by the next one and nothing else."""

    def __init__(self, chain: Sequence[int]) -> None:
        self.successor = dict(pairwise(chain))
        self.images = list(chain[1:])

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        for row, ids in enumerate(input_ids):
            last = ids[-1].item() if len(ids) else None
            if last in self.successor:
                scores[row, self.successor[last]] = scores[row].max() + FORCED
            else:
                scores[row, self.images] = 0.0
        return scores


@torch.inference_mode()
def adapt_as_published(mllm: CharacterMllm, captions: Sequence[str], tokens: Tensor) -> Tensor:
    """Adapt panel by panel with transformers' own greedy generation.

    A rule changes the logits of the whole vocabulary in each step, and the states of all layers
    are kept, of which the last layer's at the image tokens are read. Written from a description.

    Args:
        mllm: answers at once with its block of images.
        captions: one for each panel.
        tokens: (panels, characters, tokens of a character, width).

    Returns:
        Adapted tokens as shaped.
    """
    llm: Any = mllm.llm
    chain, adapted = mllm.tokens.chain, []
    for caption, features in zip(captions, tokens.flatten(1, 2), strict=True):
        ids = torch.tensor([mllm.tokens.prompt(caption)], device=features.device)
        embeds = llm.get_input_embeddings()(ids)
        embeds[:, -mllm.num_images - 2 : -2] = mllm.input_resampler(features[None]).to(embeds)
        answer = llm.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones_like(ids),
            logits_processor=LogitsProcessorList([_ForcedSuccessor(chain)]),
            max_new_tokens=len(chain),
            do_sample=False,
            pad_token_id=mllm.tokens.eos,
            output_hidden_states=True,
            return_dict_in_generate=True,
        )
        if answer.sequences[0].tolist() != list(chain):
            raise ValueError("the language model answers with something else than its images")
        states = torch.cat([step[-1][:, -1:] for step in answer.hidden_states[3:]], dim=1)
        adapted.append(mllm.output_resampler(states))
    return torch.cat(adapted).reshape(tokens.shape)
