from __future__ import annotations

import random
from pathlib import Path

from training.data.tokens import train_tokenizer, with_other_words, without_looks

CAPTIONS = ["medium shot, a man on the left, smiling, in a room", "close-up, a woman, angry"] * 20


def test_any_text_is_read_without_an_unknown_token(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(CAPTIONS, tmp_path)
    ids = tokenizer("Smiling foxes, 東京 löschte 12:30!").input_ids
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.eos_token_id not in ids[1:-1]


def test_words_of_the_captions_are_single_tokens(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(CAPTIONS, tmp_path)
    assert tokenizer.tokenize("a man, smiling") == ["a</w>", "man</w>", ",</w>", "smiling</w>"]


def test_other_words_leave_the_captions_own_in_order() -> None:
    caption = "medium shot, Mika, arms crossed, worried, in a room"
    for seed in range(30):
        mixed = iter(with_other_words(caption, random.Random(seed)).replace(",", "").split())
        assert all(word in mixed for word in caption.replace(",", "").split())


def test_a_look_is_taken_out_and_all_else_stays() -> None:
    told = "waist up, Omar with a hat and a beard on the left, with a smile; Ada with braids, calm"
    assert without_looks(told) == "waist up, Omar on the left, with a smile; Ada, calm"
