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
    encode_distinct(["cat " * 80], model.components.text)
    assert "will not see: cat" in caplog.text
