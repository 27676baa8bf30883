from __future__ import annotations

import pytest

from storyboard.errors import StoryError
from storyboard.lettering.drawn_text import PLAIN_I, drawn_text
from storyboard.lettering.texts import Hand, check_text
from storyboard.lettering_style import LetteringStyle


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("I think I'll wait.", "I TH¡NK I’LL WA¡T."),
        ("It is Iris.", "¡T ¡S ¡R¡S."),
        ("Is that *I*?", "¡S THAT I?"),
    ],
)
def test_only_the_pronoun_i_has_bars(text: str, drawn: str) -> None:
    assert drawn_text(text).replace(PLAIN_I, "¡") == drawn


def test_no_i_has_bars_in_a_language_without_the_pronoun() -> None:
    assert drawn_text("I gatti così", "it") == f"{PLAIN_I} GATT{PLAIN_I} COS{PLAIN_I}\u0300"


def test_the_style_decides_about_bars() -> None:
    assert drawn_text("If I", style=LetteringStyle(barred_i="always")) == "IF I"
    plain = drawn_text("If I", style=LetteringStyle(barred_i="never"))
    assert plain == f"{PLAIN_I}F {PLAIN_I}"


@pytest.mark.parametrize(
    ("text", "language", "drawn"),
    [
        ("Größe", "de", "GRÖSSE"),
        ("ığüi", "tr", "IĞÜİ"),
        ("Ο Μάιος ήρθε χτες", "el", "Ο ΜΑΪΟΣ ΗΡΘΕ ΧΤΕΣ"),
        ("Ещё", "ru", "ЕЩЁ"),
        ("OKだよ", "ja", "OKだよ"),
    ],
)
def test_capitals_know_their_languages(text: str, language: str, drawn: str) -> None:
    assert drawn_text(text, language, LetteringStyle(barred_i="always")) == drawn


def test_capitals_can_be_left_out() -> None:
    assert drawn_text("If I may", style=LetteringStyle(capitals=False)) == "If I may"


@pytest.mark.parametrize(
    ("text", "language", "drawn"),
    [
        ("\"Yes,\" 'no' don't", "en", "“YES,” ‘NO’ DON’T"),
        ("get 'em", "en", "GET ’EM"),
        ('"Ja"', "de", "„JA“"),
        ('"Oui"', "fr", "«\u00a0OU¡\u00a0»"),
        ('"tak"', "pl", "„TAK”"),
    ],
)
def test_quotes_are_those_of_the_language(text: str, language: str, drawn: str) -> None:
    assert drawn_text(text, language).replace(PLAIN_I, "¡") == drawn


@pytest.mark.parametrize(
    ("text", "language", "drawn"),
    [
        ("what—now", "en", "WHAT--NOW"),
        ("war--ja", "de", "WAR—JA"),
        ("so… so...", "en", "SO... SO..."),
        ("でも...", "ja", "でも…"),
        ("但是--", "zh", "但是——"),
    ],
)
def test_dashes_and_ellipses_are_set_as_letterers_do(text: str, language: str, drawn: str) -> None:
    assert drawn_text(text, language) == drawn


def test_dashes_can_be_left_as_they_are() -> None:
    assert drawn_text("a—b--c", style=LetteringStyle(dashes="as-written")) == "A—B--C"


def test_white_space_becomes_single_spaces_and_line_breaks_stay() -> None:
    assert drawn_text("  go \t on\r\n now ") == "GO ON\nNOW"


@pytest.mark.parametrize(
    ("character", "language"), [("\U0001f600", "en"), ("한", "ja"), ("ก", "zh"), ("\u2400", "en")]
)
def test_a_character_no_font_has_is_named_with_its_balloon(character: str, language: str) -> None:
    with pytest.raises(StoryError, match=r"p01-2\.b1") as caught:
        check_text(f"Oh {character}", "speech", Hand(language), balloon="p01-2.b1")
    assert repr(character) in str(caught.value)
    assert "is in none of the fonts" in str(caught.value)


def test_a_character_of_a_reading_is_looked_for_too() -> None:
    with pytest.raises(StoryError, match="ก"):
        check_text("{漢字|ก}", "speech", Hand("ja"))


def test_writing_from_right_to_left_is_refused() -> None:
    with pytest.raises(StoryError, match="right to left"):
        check_text("שלום", "speech", Hand("he"))


def test_a_balloon_without_text_is_refused() -> None:
    with pytest.raises(StoryError, match="there is no text"):
        check_text("  \n ", "speech", Hand(), balloon="p01-2.b1")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Żółć! Příliš žluťoučký kůň, árvíztűrő. Ştiţi Țară? ¿Qué? «Sí»", "pl"),
        ("ĀČĒĢĪĶĻŅŠŪŽ ĄĘĖĮŲ ğĞİı ĉĝĥĵŝŭ ŵŷ ħġċ ŋđŧ þð ǎ", "lv"),
        ("Їжак ґанок Ђурђевак љубав Ѓорѓи ўсё", "uk"),
        ("Ἐν ἀρχῇ ἦν ὁ λόγος; Ελλάδα", "el"),
        ("♥ ♪ ★ № € £ 10°", "en"),
        ("鬱陶しい、麒麟と躊躇の檸檬〜♪ヴヶ①ｶﾞ", "ja"),
        ("《魑魅魍魉》——“龘”？".replace("龘", "龙"), "zh"),
    ],
)
def test_these_can_be_lettered(text: str, language: str) -> None:
    check_text(text, "speech", Hand(language))
    check_text(text, "sound", Hand(language))
