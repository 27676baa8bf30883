from __future__ import annotations

import pytest

from storyboard.errors import StoryError
from storyboard.lettering.drawn_text import check_text, drawn_text


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("I think I'll wait.", "I THlNK I\u2019LL WAlT."),
        ("It is Iris.", "lT lS lRlS."),
    ],
)
def test_only_the_pronoun_i_has_crossbars(text: str, drawn: str) -> None:
    assert drawn_text(text) == drawn


def test_no_i_has_crossbars_in_a_language_without_the_pronoun() -> None:
    assert drawn_text("I gatti", language="it") == "l GATTl"


def test_capitals_know_their_languages() -> None:
    assert drawn_text("Größe") == "GRÖSSE"
    assert "İ" in drawn_text("gidiyor", "sound", "tr")


def test_quotes_are_typographic() -> None:
    assert drawn_text("\"Yes,\" 'no' don't") == "\u201cYES,\u201d \u2018NO\u2019 DON\u2019T"
    assert drawn_text("get 'em") == "GET \u2019EM"


def test_a_loose_mark_stays_with_its_word() -> None:
    assert drawn_text("allé ?", language="fr") == "ALLÉ\u00a0?"


def test_white_space_becomes_single_spaces_and_line_breaks_stay() -> None:
    assert drawn_text("  go \t on\r\n now ") == "GO ON\nNOW"


@pytest.mark.parametrize("character", ["こ", "\U0001f600", "ж", "ğ", "\u200b"])
def test_a_character_the_font_lacks_is_named_with_its_balloon(character: str) -> None:
    with pytest.raises(StoryError, match=r"p01-2\.b1") as caught:
        check_text(f"Oh {character}", balloon="p01-2.b1")
    assert repr(character.upper()) in str(caught.value)
    assert "horizontal Latin only so far" in (caught.value.hint or "")


def test_a_balloon_without_text_is_refused() -> None:
    with pytest.raises(StoryError, match="there is no text"):
        check_text("  \n ", balloon="p01-2.b1")


@pytest.mark.parametrize(
    "text", ["Żółć!", "Příliš žluťoučký kůň", "Árvíztűrő", "Ştiţi Țară", "¿Qué? «Sí»"]
)
def test_european_latin_can_be_lettered(text: str) -> None:
    check_text(text)
