"""A balloon's text as it was written, divided into lines as it was drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storyboard.lettering.markup import Letter, Marked, parse


class WrittenLines(NamedTuple):
    """A text as written: all of it, and its letters line by line."""

    marked: Marked
    lines: tuple[tuple[Letter, ...], ...]


def written_lines(value: str, drawn: Sequence[str], *, emphasis: bool = True) -> WrittenLines:
    """Return a text as written, with its letters line by line.

    Drawn text differs from written one in capitals, quotes and dashes, so lines are found by
    counting words, or letters where there are no words. Where neither agrees, as when a word was
    divided, all letters are in one line.

    Args:
        value: the text as written, with marks for emphasis and readings.
        drawn: the lines as drawn.
        emphasis: whether stars mark it; if not, they are letters like others.
    """
    marked = parse(value, emphasis=emphasis)
    given = tuple(_split(marked.letters, _ends_of_given_lines(marked.letters)))
    if len(drawn) <= 1 or len(given) == len(drawn):
        return WrittenLines(marked, given)
    for ends_of in (_ends_of_words, _ends_of_letters):
        ends = ends_of(marked.letters, drawn)
        if ends:
            return WrittenLines(marked, tuple(_split(marked.letters, ends)))
    return WrittenLines(marked, given)


def _ends_of_given_lines(letters: Sequence[Letter]) -> list[int]:
    return [index for index, letter in enumerate(letters) if letter.text == "\n"] + [len(letters)]


def _ends_of_words(letters: Sequence[Letter], drawn: Sequence[str]) -> list[int]:
    """Return where lines end if they are of as many words as those drawn; else nothing."""
    ends = [
        index
        for index, (letter, following) in enumerate(itertools.pairwise((*letters, Letter(" "))), 1)
        if not letter.text.isspace() and following.text.isspace()
    ]
    counts = [len(line.split()) for line in drawn]
    if sum(counts) != len(ends) or 0 in counts:
        return []
    return [ends[count - 1] for count in itertools.accumulate(counts)]


def _ends_of_letters(letters: Sequence[Letter], drawn: Sequence[str]) -> list[int]:
    """Return where lines end if they are of as many letters as those drawn; else nothing."""
    ends = [index for index, letter in enumerate(letters, 1) if not letter.text.isspace()]
    counts = [sum(not character.isspace() for character in line) for line in drawn]
    if sum(counts) != len(ends) or 0 in counts:
        return []
    return [ends[count - 1] for count in itertools.accumulate(counts)]


def _split(letters: Sequence[Letter], ends: Sequence[int]) -> Iterator[tuple[Letter, ...]]:
    """Yield the letters up to each end, without white space around them."""
    start = 0
    for end in ends:
        line = list(letters[start:end])
        while line and line[0].text.isspace():
            line.pop(0)
        while line and line[-1].text.isspace():
            line.pop()
        yield tuple(line)
        start = end
