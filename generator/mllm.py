"""The language model rewrites character tokens so that they agree with the caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from generator.errors import AdapterError
from generator.mllm_tokens import AdapterTokens
from generator.query_resampler import QueryResampler

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from transformers.cache_utils import Cache
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

ADAPTING_BATCH = 8
MAX_NEW_TOKENS = 500
"""Longest answer that is waited for, as in the published demo."""


def blend(adapted: Tensor, source: Tensor, mllm_scale: float) -> Tensor:
    """Mix adapted tokens into those the character resampler gave.

    Args:
        adapted: what `CharacterMllm.adapt` returned.
        source: what it was given; the same shape.
        mllm_scale: share of the adapted tokens, 0 to 1.

    Returns:
        Tokens of the same shape, in the source's precision.
    """
    return torch.lerp(source, adapted.to(source), mllm_scale)


class CharacterMllm(nn.Module):
    """A language model between two resamplers: character tokens in, character tokens out.

    The prompt is the caption and a block of image tokens, whose embeddings are the characters'
    features; the answer is again a block of image tokens, and the states at its positions are the
    adapted features. Source: DiffSensei, arXiv:2412.07589.
    """

    def __init__(
        self,
        llm: LlamaForCausalLM,
        input_resampler: QueryResampler,
        output_resampler: QueryResampler,
        tokenizer: PreTrainedTokenizerBase,
    ) -> None:
        """Put the parts together.

        Raises:
            ValueError: their sizes do not fit together, or the tokenizer lacks a token.
        """
        super().__init__()
        self.llm = llm
        self.input_resampler = input_resampler
        self.output_resampler = output_resampler
        self.tokens = AdapterTokens(tokenizer, input_resampler.num_queries)
        vocabulary, width = llm.lm_head.weight.shape
        for what, found, expected in (
            ("output queries", output_resampler.num_queries, input_resampler.num_queries),
            ("output width", output_resampler.output_width, input_resampler.input_width),
            ("width into the language model", input_resampler.output_width, width),
            ("width out of the language model", output_resampler.input_width, width),
        ):
            if found != expected:
                raise ValueError(f"{what} {found}, expected {expected}")
        if (last := max(self.tokens.chain)) >= vocabulary:
            raise ValueError(f"image token {last}, but the vocabulary has {vocabulary}")

    @property
    def num_images(self) -> int:
        """Image tokens in prompt and answer, for all characters of a panel together."""
        return self.input_resampler.num_queries

    def forward(self, ids: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Run prompts with their answers given; serves training as well.

        Attention is causal, so padding on the right needs no mask.

        Args:
            ids: (panels, length), prompt and answer; what lies behind the answer's images changes
                nothing.
            features: (panels, image tokens, width), the character tokens of all slots in a row.

        Returns:
            The adapted features, (panels, image tokens, width), and the language model's last
            states, (panels, length, hidden width).
        """
        is_first_image = (ids == self.tokens.chain[2]).int()
        prompt_images = is_first_image.argmax(dim=1)
        answer_images = ids.shape[1] - 1 - is_first_image.flip(1).argmax(dim=1)
        embeds = self._with_features(self._embed(ids), features, prompt_images)
        states = self._run(embeds)
        return self.output_resampler(self._block(states, answer_images)), states

    @torch.no_grad()
    def adapt(self, captions: Sequence[str], tokens: Tensor) -> Tensor:
        """Give the adapted tokens of panels, in one pass of the language model for each batch.

        The answer's form is fixed, so it is given instead of generated, and the same pass tells
        whether the model would have begun it so. If it would have left out the prefix, a second
        pass does; only if it would have written text first, the panel is generated step by step.

        Args:
            captions: one for each panel, at least one.
            tokens: (panels, characters, tokens of a character, width), without background tokens;
                every slot of the panel, also the empty ones.

        Returns:
            Adapted tokens as shaped, on the device and in the precision of `tokens`; see `blend`.

        Raises:
            AdapterError: the model answers a caption with no image, or the caption cannot be put
                into a prompt.
            ValueError: there are other numbers of panels or tokens than the model was made for.
        """
        features = self._features(captions, tokens)
        adapted = [
            self._adapt_batch(captions[start:][:ADAPTING_BATCH], features[start:][:ADAPTING_BATCH])
            for start in range(0, len(captions), ADAPTING_BATCH)
        ]
        return torch.cat(adapted).reshape(tokens.shape).to(tokens)

    @torch.no_grad()
    def adapt_stepwise(self, captions: Sequence[str], tokens: Tensor) -> Tensor:
        """Do what `adapt` does as the published code does it: one pass for each answered token."""
        features = self._features(captions, tokens)
        adapted = [
            self._generate(caption, features[panel : panel + 1], tail_at_once=False)
            for panel, caption in enumerate(captions)
        ]
        return torch.cat(adapted).reshape(tokens.shape).to(tokens)

    def _features(self, captions: Sequence[str], tokens: Tensor) -> Tensor:
        """Check the tokens and lay each panel's in a row, where and how the model computes."""
        panels, characters, tokens_per_character, width = tokens.shape
        if panels != len(captions):
            raise ValueError(f"there are {len(captions)} captions, but tokens of {panels} panels")
        if (characters * tokens_per_character, width) != self.output_resampler.query.shape:
            raise ValueError(
                f"{characters} characters of {tokens_per_character} tokens of width {width} do not "
                f"fit an adapter of {tuple(self.output_resampler.query.shape)}"
            )
        return tokens.flatten(1, 2).to(self.input_resampler.query)

    def _adapt_batch(self, captions: Sequence[str], features: Tensor) -> Tensor:
        chain, starts = self.tokens.chain, self.tokens.starts
        prompts = [self._prompt(caption) for caption in captions]
        adapted: Tensor
        adapted, states = self(self._answered(prompts, chain[:-1]), features)
        last_of_prompt = states[range(len(prompts)), [len(prompt) - 1 for prompt in prompts]]
        firsts = self._choose(last_of_prompt).tolist()
        for position, start in enumerate(starts[1:], 1):
            rows = [row for row, first in enumerate(firsts) if first == start]
            if rows:
                ids = self._answered([prompts[row] for row in rows], chain[position:-1])
                adapted[rows] = self(ids, features[rows])[0]
        for row, (caption, first) in enumerate(zip(captions, firsts, strict=True)):
            if first not in starts:
                adapted[row] = self._generate(caption, features[row : row + 1], tail_at_once=True)
        return adapted

    def _generate(self, caption: str, features: Tensor, *, tail_at_once: bool) -> Tensor:
        """Let the model answer one caption greedily, up to its block of images.

        Once it has entered the chain, nothing is free any more: what is left can go in at once.
        """
        from transformers.cache_utils import DynamicCache

        cache = DynamicCache(config=self.llm.config)
        ids = torch.tensor([self._prompt(caption)], device=features.device)
        first_image = torch.tensor([ids.shape[1] - self.num_images - 2], device=ids.device)
        embeds = self._with_features(self._embed(ids), features, first_image)
        states = self._run(embeds, cache)
        tail = self._tail(caption, states, cache)
        steps = [tail] if tail_at_once else torch.split(tail, 1, dim=1)
        states = torch.cat([self._run(self._embed(step), cache) for step in steps], dim=1)
        adapted: Tensor = self.output_resampler(states[:, -self.num_images :])
        return adapted

    def _tail(self, caption: str, states: Tensor, cache: Cache) -> Tensor:
        """Let the model write text until it enters the chain; give what is left of the chain."""
        chain = self.tokens.chain
        for num_written in range(MAX_NEW_TOKENS):
            token = self._choose(states[:, -1])
            if (first := token.item()) in self.tokens.starts:
                tail = chain[chain.index(first) : -1]
                if num_written + len(tail) + 1 > MAX_NEW_TOKENS:
                    break
                return torch.tensor([tail], device=token.device)
            if first == self.tokens.eos:
                raise AdapterError(caption, "the language model answers without an image")
            states = self._run(self._embed(token[None]), cache)
        raise AdapterError(
            caption, f"the language model gives no image within {MAX_NEW_TOKENS} tokens"
        )

    def _choose(self, states: Tensor) -> Tensor:
        """Give the next token of each row where none is forced.

        The published rule takes the image tokens away by setting their logits to zero, not to minus
        infinity: one can still win where all others are negative, the lowest id among them.
        """
        logits: Tensor = self.llm.lm_head(states).float()
        logits[:, list(self.tokens.chain[1:])] = 0
        return logits.argmax(dim=-1)

    def _prompt(self, caption: str) -> list[int]:
        try:
            return self.tokens.prompt(caption)
        except ValueError as error:
            raise AdapterError(caption, str(error)) from error

    def _answered(self, prompts: Sequence[list[int]], answer: Sequence[int]) -> Tensor:
        """Append the answer to each prompt and pad on the right with the end token."""
        rows = [torch.tensor([*prompt, *answer]) for prompt in prompts]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.tokens.eos)
        return ids.to(self.input_resampler.query.device)

    def _embed(self, ids: Tensor) -> Tensor:
        embeds: Tensor = self.llm.get_input_embeddings()(ids)
        return embeds

    def _with_features(self, embeds: Tensor, features: Tensor, starts: Tensor) -> Tensor:
        """Write the characters' features over the embeddings of the prompt's image tokens."""
        read = self.input_resampler(features).to(embeds)
        return embeds.scatter(1, self._indices(starts, embeds.shape[-1]), read)

    def _block(self, states: Tensor, starts: Tensor) -> Tensor:
        return states.gather(1, self._indices(starts, states.shape[-1]))

    def _indices(self, starts: Tensor, width: int) -> Tensor:
        positions = starts[:, None] + torch.arange(self.num_images, device=starts.device)
        return positions[..., None].expand(-1, -1, width)

    def _run(self, embeds: Tensor, cache: Cache | None = None) -> Tensor:
        model: Any = self.llm.model
        output = model(inputs_embeds=embeds, past_key_values=cache, use_cache=cache is not None)
        states: Tensor = output.last_hidden_state
        return states
