"""Where a line may end, and how well a break there reads."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import NamedTuple

from storyboard.lettering.drawn_text import PLAIN_I
from storyboard.lettering.hyphens import division_places, phrase_ends
from storyboard.lettering.markup import Letter
from storyboard.lettering.scripts import (
    CJK_NEVER_FIRST,
    CJK_NEVER_LAST,
    INSEPARABLE,
    NEVER_FIRST,
    NEVER_LAST,
    SENTENCE_END,
    is_cjk,
    primary,
    quotes,
)

SPACES = " \u3000"
BREAK_HINT, SOFT_HYPHEN = "\u200b", "\u00ad"
INVISIBLE = BREAK_HINT + SOFT_HYPHEN


class Freedom(enum.IntEnum):
    """Which breaks are allowed: those that read well, and then worse ones."""

    WORDS = 0
    CHARACTERS = 1  # inside a phrase of Japanese or Chinese
    SYLLABLES = 2  # inside a word, with a hyphen


class Place(NamedTuple):
    """A place where a line may end.

    `end` is the number of letters before it, `start` that of the next line's first letter: between
    them are spaces that a break swallows. `cost` is less than 0 where a break reads well.
    """

    end: int
    start: int
    cost: float
    has_hyphen: bool = False
    freedom: Freedom = Freedom.WORDS


_AFTER_SENTENCE, _AFTER_MARK = -0.12, -0.04
_FIRST_OF_SENTENCE = 0.15  # its first word alone at the end of a line
_HYPHENATED, _DIVIDED = 0.12, 0.9
_IN_PHRASE, _AFTER_BRACKET = 0.9, 0.4
_SHORT_WORDS = {1: 0.35, 2: 0.05}
_BARE_PREPOSITION = 1.0  # of one letter, which these languages never leave at a line's end
_BARE_PREPOSITIONS = {"cs": "kszvouai", "sk": "kszvouai", "pl": "wzouai", "ru": "вксоуяи"}
_BEFORE_NAME = 0.5
_TITLES = frozenset("mr mrs ms dr prof st m mme mlle sr sra d dña hr fr dott sig herr frau".split())
_WORD = re.compile(r"[^\W_]+")
_COUNT = 0.2  # between a number and what is counted
_LONE_BEFORE, _LONE_AFTER, _BEFORE_ENDING = 0.12, 0.06, 0.4
_CHINESE_ENDINGS = frozenset("了的地得着过们吗呢吧啊呀嘛儿")  # lean on what is before them
_PAUSES = frozenset("、，；：")
_BRACKETS = frozenset("」』）】》〉")


def break_places(letters: Sequence[Letter], language: str, freedom: Freedom) -> list[Place]:
    """Return the places where the letters of one line of text may be broken, in order."""
    text = "".join(letter.text[0] for letter in letters).replace(PLAIN_I, "I")
    is_east_asian = any(map(is_cjk, text))
    phrases = phrase_ends(text, language) if is_east_asian else frozenset[int]()
    found = []
    for end in range(1, len(text)):
        start = end
        while start < len(text) and text[start] in SPACES:
            start += 1
        if text[end - 1] in SPACES or start == len(text):
            continue
        if letters[end - 1].group >= 0 and letters[end - 1].group == letters[start].group:
            continue
        place = _place(text, end, start, language, phrases)
        if place is not None and place.freedom <= freedom:
            found.append(place)
    if freedom == Freedom.SYLLABLES:
        found += _divisions(letters, text, language)
    return sorted(found)


def _place(text: str, end: int, start: int, language: str, phrases: frozenset[int]) -> Place | None:
    """Return the place between two letters; None where no line may end.

    `phrases` holds the ends of phrases, and nothing where all is of alphabets.
    """
    before, after = text[end - 1], text[start]
    if BREAK_HINT in (before, after):
        return Place(end, start, 0.0) if before == BREAK_HINT else None
    if before == SOFT_HYPHEN:
        return Place(end, start, _HYPHENATED, has_hyphen=True)
    if _is_forbidden(text, end, start, language):
        return None
    if start > end:
        cost = _word_cost(text, end, start, language)
        return Place(end, start, min(cost, _AFTER_MARK) if is_cjk(before) else cost)
    if phrases and before in SENTENCE_END and before != ".":
        return Place(end, start, _AFTER_SENTENCE)
    if is_cjk(before) or is_cjk(after):
        if before in _PAUSES:
            return Place(end, start, _AFTER_MARK)
        if end in phrases:
            return Place(end, start, _between_phrases(text, end, language, phrases))
        cost = _AFTER_BRACKET if before in _BRACKETS else _IN_PHRASE
        return Place(end, start, cost, freedom=Freedom.CHARACTERS)
    return _place_in_word(text, end)


def _between_phrases(text: str, end: int, language: str, phrases: frozenset[int]) -> float:
    """Return what a break costs that stands between phrases: more where they are very short."""
    cost = _LONE_BEFORE * (end - 1 in phrases) + _LONE_AFTER * (end + 1 in phrases)
    if primary(language) == "zh" and text[end] in _CHINESE_ENDINGS:
        cost += _BEFORE_ENDING
    return cost


def _place_in_word(text: str, end: int) -> Place | None:
    """Return a place inside a Latin word: after a hyphen, a dash or an ellipsis."""
    before, after = text[end - 1], text[end]
    if not after.isalnum() or end < 2:
        return None
    if before in "-‐":
        if text[end - 2] == "-":
            return Place(end, end, 0.0)
        long_enough = text[end - 3 : end - 1].isalpha() and text[end : end + 2].isalpha()
        return Place(end, end, _HYPHENATED) if long_enough and end >= 3 else None
    if before in "—–" and not after.isdigit():
        return Place(end, end, 0.0)
    if before in "…" or text[end - 3 : end] == "...":
        has_word_before = any(letter.isalnum() for letter in text[max(0, end - 5) : end])
        return Place(end, end, _AFTER_MARK) if has_word_before else None
    return None


def _is_forbidden(text: str, end: int, start: int, language: str) -> bool:
    before, after = text[end - 1], text[start]
    if "\u00a0" in (before, after) or after in NEVER_FIRST or before in NEVER_LAST:
        return True
    if is_cjk(before) or is_cjk(after):
        if after in CJK_NEVER_FIRST or before in CJK_NEVER_LAST:
            return True
        if before.isdigit() and after.isdigit():
            return True
    if start == end:
        return before in INSEPARABLE and after in INSEPARABLE
    return _is_loose(text, end, start, language)


def _is_loose(text: str, end: int, start: int, language: str) -> bool:
    """Whether a space has only marks on one side that belong to the word on the other side."""
    opening = quotes(language)[0].strip("\u00a0")
    word = text[start : _next_space(text, start)]
    if word[0] == "." and not (word.startswith("..") or word[1:2].isdigit()):
        return True
    if not any(map(str.isalnum, word)) and word[0] != opening:
        return True
    return text[end - 1] == opening and (end == 1 or text[end - 2] in SPACES)


def _next_space(text: str, start: int) -> int:
    while start < len(text) and text[start] not in SPACES:
        start += 1
    return start


def _word_cost(text: str, end: int, start: int, language: str) -> float:
    """Return what a break at a space costs, from the words on both sides."""
    first = end
    while first > 0 and text[first - 1] not in SPACES + "\u00a0":
        first -= 1
    word = text[first:end]
    bare = "".join(_WORD.findall(word)).lower()
    if word.endswith(".") and bare in _TITLES:
        return _BEFORE_NAME
    if word[-1] in SENTENCE_END:
        return _AFTER_SENTENCE
    if text[first - 1 : first] == " " and text[first - 2] in SENTENCE_END:
        return _FIRST_OF_SENTENCE
    if not word[-1].isalnum():
        return _AFTER_MARK
    if len(word) == 1 and word.lower() in _BARE_PREPOSITIONS.get(primary(language), ""):
        return _BARE_PREPOSITION
    if word.isdigit() and text[start].isalpha():
        return _COUNT
    return _SHORT_WORDS.get(len(word), 0.0)


def _divisions(letters: Sequence[Letter], text: str, language: str) -> list[Place]:
    """Return the places inside words where a hyphen may stand."""
    found = []
    start = 0
    while start < len(text):
        end = start
        while end < len(text) and text[end].isalpha() and not is_cjk(text[end]):
            end += 1
        has_reading = any(letter.group >= 0 for letter in letters[start:end])
        if not has_reading:
            places = division_places(text[start:end], language)
            found += [Place(start + p, start + p, _DIVIDED, has_hyphen=True) for p in places]
        start = end + 1
    return found
