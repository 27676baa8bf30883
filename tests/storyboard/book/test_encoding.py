from __future__ import annotations

import itertools

from fontTools.agl import toUnicode

from storyboard.book.encoding import characters, european_letters, glyph_name
from storyboard.lettering.fonts import dialogue_font


def test_every_code_stands_for_one_character() -> None:
    codes, letters = zip(*characters(), strict=True)
    assert list(codes) == sorted(set(codes))
    assert len(set(letters)) == len(letters)


def test_glyph_names_stand_for_their_letters() -> None:
    for letter in european_letters().values():
        assert toUnicode(glyph_name(letter)) == letter


def test_the_dialogue_font_has_nearly_all_of_the_encoding() -> None:
    missing = {letter for _, letter in characters()} - dialogue_font().characters
    assert missing <= set("†‡ƒ‰ĞğİŢ")


def test_languages_of_europe_are_covered() -> None:
    covered = {letter for _, letter in characters()}
    samples = "ąćęłńóśźż áčďéěíňóřšťúůýž őűöü ăâîșț ğışİ äöüß çèéêëœàâùûîï ñ¿¡ åæø".replace(
        "ș", "ş"
    )
    for letter in itertools.chain(samples, samples.upper().replace("SS", "ß")):
        assert letter in covered
