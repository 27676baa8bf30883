from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import sentencepiece
from golden_values import Golden
from published_checkpoint import write_toy_tokenizer
from transformers import LlamaTokenizer, PreTrainedTokenizerFast

from generator.mllm_tokens import AdapterTokens

GOLDEN = Golden("mllm_agent")
TEXT = ["a man runs at the cat", "a girl cries with a hat", "the cat looks at the man"]
NUM_IMAGES = 16


def write_sentencepiece_tokenizer(folder: Path, *, legacy: bool, special: bool) -> list[str]:
    """Write a tokenizer as the published one's files are laid out; give its pieces in order."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=320,
        byte_fallback=True,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
        num_threads=1,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(number) for number in range(processor.get_piece_size())]
    added = [*(f"<img_{number:05}>" for number in range(NUM_IMAGES)), "<img>", "</img>"]
    numbers = dict(zip(added, range(len(pieces), len(pieces) + len(added)), strict=True))
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    (folder / "added_tokens.json").write_text(json.dumps(numbers))
    about = {
        "tokenizer_class": "LlamaTokenizer",
        "legacy": legacy,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "added_tokens_decoder": {
            str(number): {"content": name, "special": special, "normalized": not special}
            for name, number in numbers.items()
        },
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return pieces + added


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("special", [False, True])
def test_the_layout_does_not_depend_on_the_tokenizers_flags(
    legacy: bool, special: bool, tmp_path: Path
) -> None:
    pieces = write_sentencepiece_tokenizer(tmp_path / "llama", legacy=legacy, special=special)
    tokens = AdapterTokens(LlamaTokenizer.from_pretrained(tmp_path / "llama"), NUM_IMAGES)
    images = ["<img>", *(f"<img_{number:05}>" for number in range(NUM_IMAGES)), "</img>"]
    assert [pieces[token] for token in tokens.chain] == ["▁", *images]
    assert [pieces[token] for token in tokens.prompt("a cat runs")] == [
        *("<s>", "▁a", "▁cat", "▁runs", "<0x0A>"),
        *images,
        "<0x0A>",
    ]
    assert [pieces[token] for token in tokens.prompt("")][:4] == ["<s>", "▁", "<0x0A>", "<img>"]
    assert pieces[tokens.eos] == "</s>"


@pytest.mark.parametrize("panel", range(3))
def test_the_prompt_and_answer_equal_the_published_ones(panel: int, tmp_path: Path) -> None:
    write_toy_tokenizer(GOLDEN.config["vocab"], tmp_path / "toy")
    tokens = AdapterTokens(PreTrainedTokenizerFast.from_pretrained(tmp_path / "toy"), NUM_IMAGES)
    prompt = tokens.prompt(GOLDEN.config["captions"][panel])
    length = int(GOLDEN["in/train/attention_mask"][panel].sum())
    expected = GOLDEN["in/train/input_ids"][panel][:length].tolist()
    assert [*prompt, *tokens.chain, tokens.eos] == expected


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"<img_00003>": None}, "has no token '<img_00003>'"),
        ({"\n": None}, "no token for a newline"),
        ({"</img>": 0, "<unk>": 36}, "must have the lowest id"),
    ],
)
def test_a_vocabulary_that_cannot_work_is_refused(
    change: dict[str, int | None], problem: str, tmp_path: Path
) -> None:
    vocabulary = {**GOLDEN.config["vocab"], **change}
    words = {word: number for word, number in vocabulary.items() if number is not None}
    write_toy_tokenizer(words, tmp_path / "toy")
    with pytest.raises(ValueError, match=problem):
        AdapterTokens(PreTrainedTokenizerFast.from_pretrained(tmp_path / "toy"), NUM_IMAGES)
