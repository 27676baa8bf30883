"""What letters are, and what a language does with them: scripts, forbidden breaks, quotes."""

from __future__ import annotations

import functools
import unicodedata
from typing import Literal

Script = Literal["cjk", "cyrillic", "greek", "latin"]

# Marks that no line begins with, and none ends with. Those for Japanese are the rules of JIS X
# 4051; Chinese has the same where it has the marks.
_CLOSING = "!?,;:%)]}！？．，：；％）］｝〉》」』】〕〗〙〟｠、。・･｡､｣‼⁇⁈⁉♪♥♡☆★"
_SMALL_KANA = (
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿｧｨｩｪｫｬｭｮｯ"
)
_PROLONGING = "ーｰ々〻ゝゞヽヾ〜～゛゜"
NEVER_FIRST = frozenset(_CLOSING + _SMALL_KANA + _PROLONGING)
NEVER_LAST = frozenset("([{¿¡（［｛〈《「『【〔〖〘〝｟｢￥＄＃")
# these too where they stand between Chinese or Japanese; in alphabets they may lead a word
CJK_NEVER_FIRST = NEVER_FIRST | frozenset(".…‥—―─”’»›")
CJK_NEVER_LAST = NEVER_LAST | frozenset("“‘«‹")
# of two of these in a row, none is torn from the other
INSEPARABLE = frozenset("…‥—―─–〜～!?！？")
SENTENCE_END = frozenset("!?.…！？。‼⁇⁈⁉")

_CJK = (
    (0x2E80, 0x31FF),  # radicals, marks, kana, bopomofo
    (0x3200, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)
_CYRILLIC_LANGUAGES = frozenset("ru uk be bg sr mk kk ky mn tg".split())
_EAST_ASIAN_LANGUAGES = frozenset("ja zh yue wuu".split())


def primary(language: str) -> str:
    """Return a language's main subtag: "pt" of "pt-BR"."""
    return language.replace("_", "-").split("-")[0].strip().lower()


def script_of_language(language: str) -> Script:
    """Return the script that a language is written in, Latin where it is not known."""
    tag = primary(language)
    if tag in _EAST_ASIAN_LANGUAGES:
        return "cjk"
    subtags = language.lower().replace("_", "-").split("-")
    if tag in _CYRILLIC_LANGUAGES and "latn" not in subtags:
        return "cyrillic"
    return "greek" if tag == "el" else "latin"


@functools.lru_cache(maxsize=4096)
def is_cjk(character: str) -> bool:
    """Whether a character is one of Chinese or Japanese writing, its wide marks included."""
    code = ord(character[0])
    return code >= 0x2E80 and any(first <= code <= last for first, last in _CJK)


@functools.lru_cache(maxsize=4096)
def is_alphabetic(character: str) -> bool:
    """Whether a character is a letter of an alphabet: Latin, Cyrillic, Greek, none of CJK."""
    return character[0].isalpha() and not is_cjk(character)


def script_of_text(text: str) -> Script:
    """Return the script that decides how a text is set: CJK where there is any of it."""
    if any(map(is_cjk, text)):
        return "cjk"
    if any("\u0400" <= character <= "\u052f" for character in text):
        return "cyrillic"
    if any("\u0370" <= c <= "\u03ff" or "\u1f00" <= c <= "\u1fff" for c in text):
        return "greek"
    return "latin"


def is_attached(character: str) -> bool:
    """Whether a character is a mark drawn together with the one before it."""
    return unicodedata.combining(character) != 0


def runs_leftwards(character: str) -> bool:
    """Whether a character belongs to writing from right to left."""
    return unicodedata.bidirectional(character) in {"R", "AL"}


_QUOTES = {
    "„“": "de cs sk sl bg hr is lt et sq ka mk sr lb",
    "„”": "pl hu ro nl",
    "«»": "fr it es pt ru uk be el ca nn nb no hy",
    "””": "sv fi",
    "»«": "da",
    "「」": "ja",
}
_QUOTES_OF = {tag: marks for marks, tags in _QUOTES.items() for tag in tags.split()}


def quotes(language: str) -> tuple[str, str]:
    """Return the marks that open and close a quotation."""
    marks = _QUOTES_OF.get(primary(language), "“”")
    opening, closing = marks[0], marks[1]
    if primary(language) == "fr":
        return f"{opening}\u00a0", f"\u00a0{closing}"
    return opening, closing
