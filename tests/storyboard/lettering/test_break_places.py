from __future__ import annotations

import pytest

from storyboard.lettering.break_places import Freedom, break_places
from storyboard.lettering.drawn_text import drawn_letters


def pieces(text: str, language: str = "en", freedom: Freedom = Freedom.WORDS) -> list[str]:
    """What is left in one piece."""
    letters = drawn_letters(text, language).letters
    places = break_places(letters, language, freedom)
    starts, ends = [0, *(place.start for place in places)], [place.end for place in places]
    return [
        "".join(letter.text for letter in letters[start:end])
        for start, end in zip(starts, [*ends, len(letters)], strict=True)
    ]


def costs(text: str, language: str = "en") -> dict[str, float]:
    """What a break after each piece costs."""
    letters = drawn_letters(text, language).letters
    places = break_places(letters, language, Freedom.WORDS)
    return dict(zip(pieces(text, language), [place.cost for place in places], strict=False))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("allé ? oui", "fr", ["ALLÉ\u00a0?", "OUI"]),
        ("dit « oui » hier", "fr", ["DIT", "« OUI\u00a0»", "HIER"]),
        ("wait -- what", "en", ["WAIT\u00a0--", "WHAT"]),
        ("wait--what", "en", ["WAIT--", "WHAT"]),
        ("so...what", "en", ["SO...", "WHAT"]),
        ("...and then", "en", ["...AND", "THEN"]),
        ("well-known", "en", ["WELL-", "KNOWN"]),
        ("100 % sure", "en", ["100\u00a0%", "SURE"]),
        ("get 'em", "en", ["GET", "\u2019EM"]),
    ],
)
def test_marks_stay_with_their_words(text: str, language: str, expected: list[str]) -> None:
    found = pieces(text, language)
    assert [piece.replace("\ue000", "I") for piece in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "まさか、本当に来るとは思わなかった！",
            ["まさか、", "本当に", "来るとは", "思わなかった！"],
        ),
        ("「約束」だからな……", ["「約束」だからな……"]),
    ],
)
def test_japanese_is_broken_between_phrases(text: str, expected: list[str]) -> None:
    assert pieces(text, "ja") == expected


def test_japanese_may_be_broken_anywhere_but_at_forbidden_places() -> None:
    found = pieces("「ちょっと」……ラーメン!!12年", "ja", Freedom.CHARACTERS)
    assert "".join(found) == "「ちょっと」……ラーメン!!12年"
    assert found == ["「ちょっ", "と」……", "ラー", "メ", "ン!!", "12", "年"]


def test_a_reading_is_never_torn() -> None:
    assert pieces("{漢字|かんじ}だ", "ja", Freedom.CHARACTERS) == ["漢字", "だ"]


def test_chinese_is_broken_between_words() -> None:
    assert "打败" in pieces("你以为这样就能打败我吗？", "zh")
    assert pieces("你以为这样就能打败我吗？", "zh")[-1].endswith("吗？")


def test_words_are_divided_only_when_that_is_allowed() -> None:
    assert pieces("Donaudampfer", "de") == ["DONAUDAMPFER"]
    places = break_places(drawn_letters("Understanding", "en").letters, "en", Freedom.SYLLABLES)
    assert places
    assert all(place.has_hyphen for place in places)


def test_soft_hyphens_and_break_hints_of_the_writer_are_obeyed() -> None:
    (place,) = break_places(drawn_letters("Donau\u00addampf").letters, "en", Freedom.WORDS)
    assert place.has_hyphen
    (place,) = break_places(drawn_letters("Donau\u200bdampf").letters, "en", Freedom.WORDS)
    assert not place.has_hyphen


def test_breaks_after_short_words_titles_and_numbers_cost() -> None:
    found = costs("Mr. Smith saw a house of 12 rooms.")
    assert found["MR."] > 0.3
    assert found["A"] > 0.3
    assert found["12"] > 0.1
    assert found["HOUSE"] == 0


def test_slavic_prepositions_of_one_letter_hardly_ever_end_a_line() -> None:
    assert costs("był w domu", "pl")["W"] >= 1.0


def test_the_end_of_a_sentence_is_a_good_place_and_its_first_word_a_bad_one() -> None:
    found = costs("Come in. So late now?")
    assert found["\ue000N."] < 0
    assert found["SO"] > 0.1
