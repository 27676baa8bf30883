from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_values import Golden, assert_equals, assert_gradient_equals
from published_checkpoint import write_toy_tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import generator.mllm
from generator.errors import AdapterError
from generator.mllm import CharacterMllm, blend
from generator.query_resampler import QueryResampler

GOLDEN = Golden("mllm_agent")
CAPTION = "a man runs at the cat"
ANSWERED = ("forced_format", "text_before_image", "no_prefix_zero_logit", "text_after_image")
PREFIX, IMG, FIRST_IMAGE, EOS = 4, 19, 20, 2


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    folder = tmp_path_factory.mktemp("tokenizers") / "toy"
    write_toy_tokenizer(GOLDEN.config["vocab"], folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


@pytest.fixture
def mllm(tokenizer: PreTrainedTokenizerFast) -> CharacterMllm:
    config = LlamaConfig(**GOLDEN.config["llm_config"], attn_implementation="sdpa")
    llm = LlamaForCausalLM(config)
    llm.load_state_dict(GOLDEN.group("weights/llm."), strict=True)
    resamplers = [
        QueryResampler.from_state_dict(
            GOLDEN.group(f"weights/{name}."), num_heads=GOLDEN.config["heads"]
        )
        for name in ("input_resampler", "output_resampler")
    ]
    return CharacterMllm(llm, *resamplers, tokenizer=tokenizer).eval()


def answering(mllm: CharacterMllm, case: str) -> CharacterMllm:
    """Give the model the output layer that makes it answer as recorded."""
    weight = GOLDEN[f"in/gen_{case}/lm_head.weight"]
    mllm.llm.lm_head.weight.data.copy_(weight)
    return mllm


def source(case: str = "forced_format") -> Tensor:
    """Recorded character tokens: (1, 4 characters, 4 tokens, width)."""
    return GOLDEN[f"in/gen_{case}/image_embeds"].reshape(1, 4, 4, -1)


@contextmanager
def counted_passes(mllm: CharacterMllm) -> Iterator[list[tuple[int, ...]]]:
    """Collect the (panels, tokens) of each pass of the language model."""
    passes: list[tuple[int, ...]] = []

    def note(_module: Any, _args: Any, inputs: dict[str, Any]) -> None:
        passes.append(tuple(inputs["inputs_embeds"].shape[:2]))

    hook = mllm.llm.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield passes
    finally:
        hook.remove()


@pytest.mark.parametrize("case", ANSWERED)
def test_adapted_tokens_equal_the_published_ones(case: str, mllm: CharacterMllm) -> None:
    expected = GOLDEN[f"out/gen_{case}/img_gen_feat"].reshape(1, 4, 4, -1)
    assert_equals(answering(mllm, case).adapt([CAPTION], source(case)), expected)
    assert_equals(mllm.adapt_stepwise([CAPTION], source(case)), expected)


@pytest.mark.parametrize(
    ("case", "passes"),
    [
        ("forced_format", [(1, 46)]),
        ("text_after_image", [(1, 46)]),
        ("no_prefix_zero_logit", [(1, 46), (1, 45)]),
        # the pass that is of no use, the prompt again, three words, and the rest at once
        ("text_before_image", [(1, 46), (1, 28), (1, 1), (1, 1), (1, 1), (1, 18)]),
    ],
)
def test_one_pass_does_unless_the_model_writes_text_first(
    case: str, passes: list[tuple[int, int]], mllm: CharacterMllm
) -> None:
    with counted_passes(answering(mllm, case)) as counted:
        mllm.adapt([CAPTION], source(case))
    assert counted == passes


def test_the_stepwise_way_takes_a_pass_for_each_token(mllm: CharacterMllm) -> None:
    with counted_passes(answering(mllm, "forced_format")) as counted:
        mllm.adapt_stepwise([CAPTION], source())
    assert counted == [(1, 28)] + [(1, 1)] * 18


@pytest.mark.parametrize("stepwise", [False, True])
def test_an_answer_without_an_image_names_the_caption(stepwise: bool, mllm: CharacterMllm) -> None:
    answering(mllm, "no_image")
    adapt = mllm.adapt_stepwise if stepwise else mllm.adapt
    with pytest.raises(AdapterError, match=r"without an image.*'a man runs at the cat'") as caught:
        adapt([CAPTION], source("no_image"))
    assert caught.value.caption == CAPTION


def prefer(mllm: CharacterMllm, *tokens: int) -> None:
    """Make each state's largest logit the first token's, the next one's, ... else negative."""
    head = mllm.llm.lm_head
    bias = torch.full((head.out_features,), -1.0)
    for rank, token in enumerate(tokens):
        bias[token] = 10.0 - rank
    head.weight.data.zero_()
    head.register_forward_hook(lambda *args: args[2] + bias)


def test_an_image_token_wins_where_all_other_logits_are_negative(mllm: CharacterMllm) -> None:
    """Zero is more than minus one; of equal logits the lowest id is taken, here `<img>`."""
    prefer(mllm)
    with counted_passes(mllm) as counted:
        mllm.adapt([CAPTION], source())
    assert counted == [(1, 46), (1, 45)]


def test_the_logits_of_image_tokens_themselves_do_not_count(mllm: CharacterMllm) -> None:
    prefer(mllm, IMG, FIRST_IMAGE, PREFIX)
    with counted_passes(mllm) as counted:
        mllm.adapt([CAPTION], source())
    assert counted == [(1, 46)]


def test_where_the_first_image_has_the_lowest_id_it_opens_the_answer(
    mllm: CharacterMllm, tmp_path: Path
) -> None:
    """As in the released vocabulary, where `<img>` comes behind the images."""
    names = sorted(GOLDEN.config["vocab"], key=lambda name: (name == "<img>", name == "<loc-0>"))
    numbers = dict(zip(names, range(len(names)), strict=True))
    write_toy_tokenizer(numbers, tmp_path / "toy")
    mllm = CharacterMllm(
        mllm.llm,
        mllm.input_resampler,
        mllm.output_resampler,
        tokenizer=PreTrainedTokenizerFast.from_pretrained(tmp_path / "toy"),
    )
    prefer(mllm)
    with counted_passes(mllm) as counted:
        actual = mllm.adapt([CAPTION], source())
    assert counted == [(1, 46), (1, 44)]
    assert_equals(actual, mllm.adapt_stepwise([CAPTION], source()))


def test_text_without_end_is_given_up(mllm: CharacterMllm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert generator.mllm.MAX_NEW_TOKENS == 500
    monkeypatch.setattr(generator.mllm, "MAX_NEW_TOKENS", 9)
    prefer(mllm, GOLDEN.config["vocab"]["cat"])
    with (
        counted_passes(mllm) as counted,
        pytest.raises(AdapterError, match="no image within 9 tokens"),
    ):
        mllm.adapt_stepwise([CAPTION], source())
    assert counted == [(1, 28)] + [(1, 1)] * 9


def test_the_whole_image_must_come_within_the_longest_answer(
    mllm: CharacterMllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three words, the prefix, `<img>`, sixteen images and `</img>` are 22 tokens."""
    answering(mllm, "text_before_image")
    monkeypatch.setattr(generator.mllm, "MAX_NEW_TOKENS", 22)
    mllm.adapt([CAPTION], source("text_before_image"))
    monkeypatch.setattr(generator.mllm, "MAX_NEW_TOKENS", 21)
    with pytest.raises(AdapterError, match="no image within 21 tokens"):
        mllm.adapt([CAPTION], source("text_before_image"))


CAPTIONS = [CAPTION, "girl cries", "a cat with hat looks away and runs", "", CAPTION, "the man"]


def panels(count: int) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(count, 4, 4, 32, generator=random)


@pytest.mark.parametrize("preferred", [(PREFIX,), ()], ids=["one pass", "two passes"])
def test_a_panel_does_not_depend_on_its_batch(
    preferred: tuple[int, ...], mllm: CharacterMllm
) -> None:
    prefer(mllm, *preferred)
    captions, tokens = CAPTIONS * 2, panels(12)
    together = mllm.adapt(captions, tokens)
    for index, caption in enumerate(captions):
        alone = mllm.adapt_stepwise([caption], tokens[index : index + 1])
        assert_equals(together[index : index + 1], alone, tolerance=1e-5)
    assert (together[0] - together[4]).abs().max() > 0.1


def test_a_batch_is_one_pass_of_the_language_model(mllm: CharacterMllm) -> None:
    prefer(mllm, PREFIX)
    with counted_passes(mllm) as counted:
        mllm.adapt(CAPTIONS * 2, panels(12))
    assert counted == [(8, 48), (4, 48)]


def test_only_the_panels_that_need_it_are_done_again(mllm: CharacterMllm) -> None:
    """Of four panels one begins its answer with text, and one without the prefix."""
    answering(mllm, "text_before_image")
    heads = torch.stack([GOLDEN[f"in/gen_{case}/lm_head.weight"] for case in ANSWERED])
    own_heads = iter([heads])

    def by_panel(_module: Any, args: tuple[Tensor], logits: Tensor) -> Tensor:
        heads = next(own_heads, None)
        return logits if heads is None else torch.einsum("pvw,pw->pv", heads, args[0])

    mllm.llm.lm_head.register_forward_hook(by_panel)
    with counted_passes(mllm) as counted:
        adapted = mllm.adapt([CAPTION] * 4, torch.cat([source(case) for case in ANSWERED]))
    assert counted == [(4, 46), (1, 45), (1, 28), (1, 1), (1, 1), (1, 1), (1, 18)]
    expected = torch.cat([GOLDEN[f"out/gen_{case}/img_gen_feat"] for case in ANSWERED])
    assert_equals(adapted.flatten(1, 2), expected)


def test_precision_and_shape_are_those_of_the_tokens(mllm: CharacterMllm) -> None:
    prefer(mllm, PREFIX)
    tokens = panels(2)
    mllm.to(torch.bfloat16)
    adapted = mllm.adapt(CAPTIONS[:2], tokens.half())
    assert adapted.dtype == torch.float16
    assert adapted.shape == tokens.shape
    exact = mllm.float().adapt(CAPTIONS[:2], tokens)
    assert (adapted - exact).abs().max() < 0.1


def test_tokens_of_another_model_are_refused(mllm: CharacterMllm) -> None:
    with pytest.raises(ValueError, match="3 characters of 4 tokens of width 32 do not fit"):
        mllm.adapt([CAPTION], panels(1)[:, :3])
    with pytest.raises(ValueError, match="1 captions, but tokens of 2 panels"):
        mllm.adapt([CAPTION], panels(2))


def test_a_caption_with_an_image_token_is_refused(mllm: CharacterMllm) -> None:
    with pytest.raises(AdapterError, match=r"may not have <img>, </img> in it.*'a <img> </img>'"):
        mllm.adapt(["a <img> </img>"], panels(1))


def test_parts_that_do_not_fit_together_are_refused(mllm: CharacterMllm) -> None:
    narrow = QueryResampler(grid=4, width=24, num_heads=4, input_width=48)
    with pytest.raises(ValueError, match="output width 24, expected 32"):
        CharacterMllm(mllm.llm, mllm.input_resampler, narrow, mllm.tokens.tokenizer)


def test_blending_shares_the_tokens_out() -> None:
    adapted, given = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 6.0])
    assert torch.equal(blend(adapted, given, 0), given)
    assert torch.equal(blend(adapted, given, 1), adapted)
    torch.testing.assert_close(blend(adapted, given, 0.4), torch.tensor([2.2, 4.4]))
    assert blend(adapted, given.half(), 0.4).dtype == torch.float16


def test_the_training_pass_and_its_gradients_equal_the_published_ones(mllm: CharacterMllm) -> None:
    """Losses as published: cross entropy of the marked labels, and 6 times the mean square."""
    features = GOLDEN["in/train/image_embeds"]
    given = features[GOLDEN["in/train/embeds_cmp_mask"].bool()]
    wanted = features[GOLDEN["in/train/embeds_gen_mask"].bool()]
    adapted, states = mllm(GOLDEN["in/train/input_ids"], given)
    assert_equals(adapted.detach(), GOLDEN["out/train/recon_image_embeds"])
    logits = mllm.llm.lm_head(states)[:, :-1]
    lm_loss = functional.cross_entropy(
        logits.flatten(0, 1), GOLDEN["in/train/labels"][:, 1:].flatten(), ignore_index=-100
    )
    loss = lm_loss + 6 * functional.mse_loss(adapted, wanted)
    assert_equals(loss.detach().reshape(1), GOLDEN["out/train_mse/total_loss"])
    loss.backward()
    parameters = dict(mllm.named_parameters())
    for name, expected in GOLDEN.group("out/train/grad/").items():
        assert_gradient_equals(parameters[name].grad, expected)
