"""The text as it is drawn: in capitals, with typographic quotes, and only what the font has."""

from __future__ import annotations

import re
import unicodedata

from storyboard.errors import StoryError
from storyboard.lettering.fonts import Font, dialogue_font, sound_font
from storyboard.plan import DialogKind

# letters that look right in another letter's clothes, where the font has only one of the two
_STAND_INS = str.maketrans({"Ţ": "Ț", "Ș": "Ş", "ș": "ş", "\u2010": "-", "\u2011": "-"})
_PRONOUN = re.compile(r"\bI\b(?!\.\w)")
_WHITE = re.compile(r"[ \t]+")
_LOOSE_MARK = re.compile(r" (?=[?!:;\u00bb\u2013\u2014]+(?:\s|$))")  # stays with the word before
_OPENING_QUOTE = re.compile(r"(^|[\s(\[\u2014\u201c\u2018-])([\"'])(?=\S)")


def font_for(kind: DialogKind) -> Font:
    """Return the font a kind of dialog is drawn in."""
    return sound_font() if kind == "sound" else dialogue_font()


def drawn_text(text: str, kind: DialogKind = "speech", language: str = "en") -> str:
    """Return the text as it will be drawn; what the writer wrote stays the field's value.

    Capitals follow the language (Turkish i becomes İ). In the dialogue font a capital I has
    crossbars only where it is the English pronoun; elsewhere it is the plain stroke, for which
    the font's small l stands in. Line breaks of the writer stay; other white space becomes one
    space.
    """
    lines = [_WHITE.sub(" ", line).strip() for line in _normal(text).splitlines()]
    joined = _typographic("\n".join(line for line in lines if line))
    joined = _LOOSE_MARK.sub("\u00a0", joined)
    capitals = _upper(joined, language).translate(_STAND_INS)
    if kind == "sound":
        return capitals
    if language.split("-")[0].lower() != "en":
        return capitals.replace("I", "l")
    return _plain_strokes(capitals)


def check_text(
    text: str, kind: DialogKind = "speech", language: str = "en", *, balloon: str = ""
) -> None:
    """Make sure the text can be lettered.

    Args:
        balloon: the balloon's id, for the message.

    Raises:
        StoryError: there is nothing to letter, or a character is missing from the font.
    """
    place = f"balloon {balloon}" if balloon else "a balloon"
    drawn = drawn_text(text, kind, language)
    if not drawn:
        raise StoryError(f"{place}: there is no text", hint="write its text or take it out")
    font = font_for(kind)
    for character in drawn:
        if character != "\n" and character not in font.characters:
            name = unicodedata.name(character, "a character without a name")
            raise StoryError(
                f"{place}: {character!r} ({name}) cannot be lettered",
                hint="lettering is horizontal Latin only so far; "
                f"the font {font.name} does not have this character",
            )


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _upper(text: str, language: str) -> str:
    if language.split("-")[0].lower() in {"tr", "az"}:
        text = text.replace("i", "İ").replace("ı", "I")
    return text.upper()


def _typographic(text: str) -> str:
    """Turn straight quotes into curly ones."""
    opened = _OPENING_QUOTE.sub(
        lambda match: match[1] + ("\u201c" if match[2] == '"' else _single(text, match)), text
    )
    return opened.replace('"', "\u201d").replace("'", "\u2019")


def _single(text: str, match: re.Match[str]) -> str:
    """Tell a quote that opens ('yes') from an apostrophe that leads a word ('em)."""
    closes = re.search(r"\S'(?!\w)", text[match.end() :])
    return "\u2018" if closes else "\u2019"


def _plain_strokes(capitals: str) -> str:
    pronouns = {match.start() for match in _PRONOUN.finditer(capitals)}
    return "".join(
        "l" if character == "I" and index not in pronouns else character
        for index, character in enumerate(capitals)
    )
