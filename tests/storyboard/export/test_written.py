from __future__ import annotations

import pytest

from storyboard.export.written import written_lines


def lines(value: str, *drawn: str) -> list[str]:
    return ["".join(letter.text for letter in line) for line in written_lines(value, drawn)[1]]


@pytest.mark.parametrize(
    ("value", "drawn", "expected"),
    [
        ("Hold still.", ["HOLD", "STILL."], ["Hold", "still."]),
        ("Wait -- *what*?  No!", ["WAIT —", "WHAT?", "NO!"], ["Wait --", "what?", "No!"]),
        ("Größe, ja?", ["GRÖSSE,", "JA?"], ["Größe,", "ja?"]),
        ("まさか、本当に", ["まさか、", "本当に"], ["まさか、", "本当に"]),
        ("{漢字|かんじ}は", ["漢字", "は"], ["漢字", "は"]),
        ("One\ntwo three", ["ONE", "TWO THREE"], ["One", "two three"]),
        ("  Yes. ", ["YES."], ["Yes."]),
    ],
)
def test_written_text_has_the_lines_that_were_drawn(
    value: str, drawn: list[str], expected: list[str]
) -> None:
    assert lines(value, *drawn) == expected


def test_a_text_whose_words_were_divided_stays_in_one_line() -> None:
    assert lines("unbelievable", "UNBELIEV-", "ABLE") == ["unbelievable"]


def test_what_is_marked_stays_marked() -> None:
    marked, ((word, *_), _) = written_lines("*So* {山|やま}", ["SO", "山"])
    assert word.is_emphasised
    assert marked.readings == ("やま",)
