"""Captions for training: which words the tokenizer learns, and what may stand around them.

Writers' captions hold words that no synthetic panel shows ("a fox in a trap"). So that the small
text encoders pass over them, words that mean nothing here are mixed into the captions.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import (
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import CLIPTokenizer

VOCABULARY_SIZE = 2048
START, END = "<|startoftext|>", "<|endoftext|>"

OTHER_WORDS = (
    "the a an of and with from to over under behind near his her their its this that old new"
    " big small red blue warm cold quiet loud early late morning evening door key letter book"
    " cat dog bird fish horse mouse fox wolf bread table cup lamp clock coat bag stone river"
    " hill sea boat train car bridge shop market school church tower garden flower snow rain"
    " wind storm fire smoke light shadow dream secret story friend brother sister mother father"
    " child king queen soldier doctor teacher baker captain stranger neighbour holds takes gives"
    " finds opens closes carries throws reads writes eats drinks waits listens looks turns runs"
    " falls jumps hides follows asks answers remembers forgets promises leaves arrives suddenly"
    " slowly again together alone scene moment manga screentone soft winter summer style ink"
    " while as he she they"
).split()


def with_other_words(caption: str, rng: random.Random) -> str:
    """Return the caption with a few words that the picture does not show mixed in."""
    if rng.random() < 0.4:
        return caption
    parts = caption.split(", ")
    for _ in range(rng.randint(1, 3)):
        words = rng.sample(OTHER_WORDS, rng.randint(1, 4))
        if rng.random() < 0.3:
            letters = "bcdfghjklmnprstvwz", "aeiou"
            words.append(
                "".join(rng.choice(letters[index % 2]) for index in range(rng.randint(3, 8)))
            )
        place = rng.randint(0, len(parts))
        if place == len(parts) or rng.random() < 0.6:
            parts.insert(place, " ".join(words))
        else:
            parts[place] += " " + " ".join(words)
    return ", ".join(parts)


def without_looks(caption: str) -> str:
    """Return the caption of a peeps panel without what marks the people in it."""
    return re.sub(r"(?<!,) with [^,;]+?(?= on the | in the middle|[,;]|$)", "", caption)


def train_tokenizer(captions: Iterable[str], folder: Path) -> CLIPTokenizer:
    """Learn a byte-level BPE of CLIP's form from captions and write it to `folder`."""
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=[START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
    )
    tokenizer.train_from_iterator([*captions, " ".join(OTHER_WORDS)], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    learned = json.loads(tokenizer.to_str())["model"]
    vocabulary = learned["vocab"]
    for letter in pre_tokenizers.ByteLevel.alphabet():
        # every byte must be known, also as the last of a word
        for token in (letter, letter + "</w>"):
            vocabulary.setdefault(token, len(vocabulary))
    merges = [
        tuple(merge) if isinstance(merge, list) else tuple(merge.split(" "))
        for merge in learned["merges"]
    ]
    tokenizer_class: Any = CLIPTokenizer
    result: CLIPTokenizer = tokenizer_class(
        vocab=vocabulary, merges=merges, model_max_length=77,
        bos_token=START, eos_token=END, pad_token=END, unk_token=END,
    )  # fmt: skip
    result.save_pretrained(folder)
    return result
