from __future__ import annotations

import pytest
import torch
from golden_values import assert_equals

from generator.pipeline import DiffSensei
from generator.prompts import encode_distinct


@torch.no_grad()
def test_each_distinct_prompt_is_encoded_once(model: DiffSensei) -> None:
    text, batches = model.components.text, []
    hook = text.encoder.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    try:
        encoded = encode_distinct(["a man", "cat", "a man"], text)
    finally:
        hook.remove()
    assert batches == [2]
    alone = encode_distinct(["cat"], text)["cat"]
    assert_equals(encoded["cat"].prompt_embeds, alone.prompt_embeds, 1e-5)


@torch.no_grad()
def test_words_that_the_encoder_cannot_read_are_logged(
    model: DiffSensei, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="generator.prompts"):
        encode_distinct(["cat " * 80], model.components.text)
    assert "do not read to the end: cat" in caplog.text


def test_the_unread_end_of_a_prompt_can_be_told_before_it_is_encoded(model: DiffSensei) -> None:
    text = model.components.text
    assert text.unread("a man and a cat") == ""
    many = " ".join(f"cat{number}" for number in range(80))
    assert text.unread(many).endswith("9")
    assert len(text.unread(many)) < len(many)
