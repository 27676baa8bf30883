"""Where words may be divided, and which phrases of Japanese and Chinese belong together."""

from __future__ import annotations

import functools
from typing import Any, Protocol

from storyboard.lettering.scripts import primary

_SHORTEST = 6  # shorter words are not divided
_BEFORE, _AFTER = 3, 3  # letters that a divided word keeps on each line, at least


class _PhraseParser(Protocol):
    def parse(self, sentence: str) -> list[str]: ...


def division_places(word: str, language: str) -> tuple[int, ...]:
    """Return before which letters of a word a hyphen may divide it; none in unknown languages."""
    if len(word) < _SHORTEST or not word.isalpha():
        return ()
    divider = _divider(language)
    if divider is None:
        return ()
    small = word.lower()
    if len(small) != len(word):
        return ()
    places = divider.positions(small)
    return tuple(place for place in places if _BEFORE <= place <= len(word) - _AFTER)


def phrase_ends(text: str, language: str) -> frozenset[int]:
    """Return after which characters of a Japanese or Chinese text a phrase ends, from 1."""
    ends = []
    end = 0
    for phrase in _parser(primary(language), _is_traditional(language)).parse(text):
        end += len(phrase)
        ends.append(end)
    return frozenset(ends)


@functools.lru_cache(maxsize=8)
def _divider(language: str) -> Any:  # pyphen has no types
    import pyphen

    known = pyphen.language_fallback(language.replace("-", "_"))
    return pyphen.Pyphen(lang=known) if known else None


def _is_traditional(language: str) -> bool:
    return any(part in language.lower() for part in ("hant", "-tw", "-hk", "_tw", "_hk"))


@functools.cache
def _parser(tag: str, is_traditional: bool) -> _PhraseParser:
    import budoux

    if tag != "zh":
        return budoux.load_default_japanese_parser()
    if is_traditional:
        return budoux.load_default_traditional_chinese_parser()
    return budoux.load_default_simplified_chinese_parser()
