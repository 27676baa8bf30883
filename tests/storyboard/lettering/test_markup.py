from __future__ import annotations

import pytest

from storyboard.lettering.markup import parse, plain_text


def emphasised(text: str) -> str:
    return "".join(letter.text for letter in parse(text).letters if letter.is_emphasised)


@pytest.mark.parametrize(
    ("text", "plain", "strong"),
    [
        ("I *never* said", "I never said", "never"),
        ("これは*本当*だ", "これは本当だ", "本当"),
        ("*two words* here", "two words here", "two words"),
        ("2 * 3 * 4", "2 * 3 * 4", ""),
        ("f**k you, a**hole", "f**k you, a**hole", ""),
        (r"a \*star\*", "a *star*", ""),
        ("*alone", "*alone", ""),
    ],
)
def test_stars_mark_emphasis(text: str, plain: str, strong: str) -> None:
    assert plain_text(text) == plain
    assert emphasised(text) == strong


def test_emphasis_can_be_switched_off() -> None:
    assert parse("*so*", emphasis=False).text == "*so*"


def test_braces_mark_readings() -> None:
    marked = parse("{漢字|かんじ}を{読|よ}む")
    assert marked.text == "漢字を読む"
    assert marked.readings == ("かんじ", "よ")
    assert [letter.group for letter in marked.letters] == [0, 0, -1, 1, -1]


@pytest.mark.parametrize("text", ["{a}", "{|b}", "{a|}", "{", "}", r"\{a|b\}"])
def test_other_braces_are_letters(text: str) -> None:
    marked = parse(text)
    assert marked.readings == ()
    assert marked.text == text.replace("\\", "")


def test_marks_are_joined_to_what_they_stand_on() -> None:
    assert [letter.text for letter in parse("x\u0302y").letters] == ["x\u0302", "y"]
