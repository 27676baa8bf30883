"""The text as it is drawn: typographic quotes and dashes, capitals, marks of emphasis taken in.

What the writer wrote stays the balloon's value; all this happens in the drawing alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from storyboard.lettering.markup import Letter, Marked, parse
from storyboard.lettering.scripts import primary, quotes, script_of_language
from storyboard.lettering_style import LetteringStyle

PLAIN_I = "\ue000"  # a capital I without bars, for fonts that have two
_DOTLESS_LANGUAGES = frozenset({"tr", "az", "tt", "crh"})
_GREEK_ACCENTS = frozenset("\u0300\u0301\u0313\u0314\u0342\u0345")

_WHITE = re.compile(r"[ \t]+")
_INVISIBLE = re.compile("[\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]")
# goes with the word before
_LOOSE_MARK = re.compile(r" (?=[?!:;%.\u00bb\u2013\u2014\u2026-]+(?:\s|$))")
_PRONOUN = re.compile(r"\bI\b(?!\.\w)")
_OPENING_QUOTE = re.compile(r"(^|[\s(\[\u2014\u201c\u2018-])([\"'])(?=\S)")
_CLOSING_SINGLE = re.compile(r"\S'(?!\w)")
_LONG_DASH = re.compile(r"(?<!-)--(?!-)")


def drawn_letters(text: str, language: str = "en", style: LetteringStyle | None = None) -> Marked:
    """Return the letters as they will be drawn. Line breaks of the writer stay.

    Capitals follow the language: Turkish i becomes İ, ß becomes SS, Greek loses its accents. A
    capital I that has no bars is `PLAIN_I`.
    """
    style = style or LetteringStyle()
    lines = [_WHITE.sub(" ", line).strip() for line in _normal(text).splitlines()]
    tidy = _LOOSE_MARK.sub("\u00a0", "\n".join(line for line in lines if line))
    marked = parse(tidy, emphasis=style.emphasis)
    letters = _quoted(marked.letters, language)
    letters = _dashed(letters, language, style)
    if style.capitals and script_of_language(language) != "cjk":
        letters = _capitals(letters, language)
        letters = _plain_strokes(letters, language, style)
    return Marked(tuple(letters), marked.readings)


def drawn_text(text: str, language: str = "en", style: LetteringStyle | None = None) -> str:
    """Return the drawn letters as one string."""
    return drawn_letters(text, language, style).text


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text))


def _quoted(letters: Sequence[Letter], language: str) -> list[Letter]:
    """Turn straight quotes into those of the language."""
    text = _flat(letters)
    opening, closing = quotes(language)
    signs: dict[int, str] = {}
    for match in _OPENING_QUOTE.finditer(text):
        is_double = match[2] == '"'
        signs[match.start(2)] = opening if is_double else _single(text, match.end())
    quoted = []
    for index, letter in enumerate(letters):
        if letter.text in "\"'":
            mark = signs.get(index, closing if letter.text == '"' else "’")
            quoted += [letter._replace(text=part) for part in mark]
        else:
            quoted.append(letter)
    return quoted


def _single(text: str, end: int) -> str:
    """Tell a quote that opens ('yes') from an apostrophe that leads a word ('em)."""
    return "‘" if _CLOSING_SINGLE.search(text, end) else "’"


def _dashed(letters: Sequence[Letter], language: str, style: LetteringStyle) -> list[Letter]:
    """Set dashes and ellipses as letterers do: two hyphens, three full stops."""
    is_cjk = script_of_language(language) == "cjk"
    habit = style.dashes or ("double" if primary(language) == "en" else "long")
    text = _flat(letters)
    doubles = {match.start() for match in _LONG_DASH.finditer(text)} if habit == "long" else set()
    drawn: list[Letter] = []
    for index, letter in enumerate(letters):
        if index in doubles:
            drawn += [letter._replace(text="—")] * (2 if is_cjk else 1)
        elif index - 1 in doubles:
            continue
        elif letter.text in "—―" and habit == "double" and not is_cjk:
            drawn += [letter._replace(text="-")] * 2
        elif letter.text == "…" and not is_cjk:
            drawn += [letter._replace(text=".")] * 3
        else:
            drawn.append(letter)
    return _joined_dots(drawn) if is_cjk else drawn


def _joined_dots(letters: Sequence[Letter]) -> list[Letter]:
    """Turn each three full stops in a row into one ellipsis."""
    joined: list[Letter] = []
    for letter in letters:
        joined.append(letter)
        if _flat(joined[-3:]) == "...":
            joined[-3:] = [letter._replace(text="…")]
    return joined


def _capitals(letters: Sequence[Letter], language: str) -> list[Letter]:
    tag = primary(language)
    capitals = []
    before = ""
    for letter in letters:
        text = letter.text
        if tag in _DOTLESS_LANGUAGES:
            text = text.replace("i", "İ").replace("ı", "I")
        if tag == "el":
            text = _without_accent(text, before)
        upper = unicodedata.normalize("NFC", text.upper())
        # one letter may become several, as ß does; marks stay with the letter they stand on
        parts = [upper] if unicodedata.combining(upper[-1]) else list(upper)
        capitals += [letter._replace(text=part) for part in parts]
        before = letter.text
    return capitals


def _without_accent(text: str, before: str) -> str:
    """Return a Greek letter as it is capitalised: without accents, diaereses kept.

    Where an accent kept two vowels apart (μάιος), a diaeresis does so in its stead (ΜΑΪΟΣ).
    """
    if text in ("ι", "υ") and before in ("ά", "έ", "ό", "ύ"):
        return text + "\u0308"
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if part not in _GREEK_ACCENTS)


def _plain_strokes(letters: Sequence[Letter], language: str, style: LetteringStyle) -> list[Letter]:
    """Take the bars off every I but those that the style gives them to."""
    if style.barred_i == "always":
        return list(letters)
    barred: set[int] = set()
    if style.barred_i == "pronoun" and primary(language) == "en":
        barred = {match.start() for match in _PRONOUN.finditer(_flat(letters))}
    return [
        letter if index in barred else letter._replace(text=_plain(letter.text))
        for index, letter in enumerate(letters)
    ]


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return PLAIN_I + parts[1:] if parts.startswith("I") else text


def _flat(letters: Sequence[Letter]) -> str:
    """Return the letters as a string with one character each."""
    return "".join(letter.text[0] for letter in letters)
