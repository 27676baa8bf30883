from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyboard.planner.sentences import normalise, number_sentences, split_speech


def sentences(prose: str) -> list[str]:
    return [sentence.text for sentence in number_sentences(normalise(prose))]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Mr. Fox met Dr. A. Crow. They ate.", ["Mr. Fox met Dr. A. Crow.", "They ate."]),
        ('"Stop!" Mika said. "Now."', ['"Stop!" Mika said.', '"Now."']),
        ('"Who?" asked Tom. No answer.', ['"Who?" asked Tom.', "No answer."]),
        ("He waited... and waited. Then he left.", ["He waited... and waited.", "Then he left."]),
        ("雪が降った。狐がいた。", ["雪が降った。", "狐がいた。"]),
        ("One line\nof prose.\n\nAnother.", ["One line of prose.", "Another."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(prose: str, expected: list[str]) -> None:
    assert sentences(prose) == expected


@given(st.text(alphabet="ab A.!?,;'\"“”\n—…。「」", max_size=120))
def test_sentences_keep_every_word_in_order(prose: str) -> None:
    kept = "".join("".join(sentence.split()) for sentence in sentences(prose))
    assert kept == "".join(prose.split())


@given(st.text(max_size=300))
def test_normal_text_stays_normal(prose: str) -> None:
    lines = normalise(prose).split("\n")
    assert all(line == " ".join(line.split()) for line in lines)


@given(st.text(alphabet="abc .,;!?。", max_size=400), st.integers(10, 140))
def test_pieces_of_a_speech_are_the_speech(text: str, longest: int) -> None:
    pieces = split_speech(text, longest)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece.strip() for piece in pieces)
    assert all(len(piece) <= longest or " " not in piece for piece in pieces)


def test_a_speech_is_cut_at_its_sentences_first() -> None:
    assert split_speech("I came home late, and tired. Nobody was there, not even the cat.", 50) == [
        "I came home late, and tired.",
        "Nobody was there, not even the cat.",
    ]
