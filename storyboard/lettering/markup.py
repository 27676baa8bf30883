r"""What a writer marks in a text: `*emphasis*` and readings, `{漢字|かんじ}`.

A backslash before a star or a brace takes its meaning away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from storyboard.lettering.scripts import is_attached

_ESCAPE = r"\\[*{}|\\]"
_RUBY = re.compile(r"\{([^{}|\n]+)\|([^{}|\n]+)\}")
_STARS = re.compile(r"(?<![*\\])\*(?![*\s])((?:[^*\\]|\\.)+)(?<![\s\\])\*(?!\*)")
_TOKEN = re.compile(rf"(?P<escape>{_ESCAPE})|(?P<ruby>{_RUBY.pattern})|(?P<plain>.)", re.DOTALL)


class Letter(NamedTuple):
    """One drawn character, marks attached to it included.

    `group` is the number of the reading it belongs to, from 0; -1 where it has none.
    """

    text: str
    is_emphasised: bool = False
    group: int = -1


class Marked(NamedTuple):
    """Letters, and the readings of those that have one."""

    letters: tuple[Letter, ...]
    readings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The letters as plain text, without their readings."""
        return "".join(letter.text for letter in self.letters)


def parse(text: str, *, emphasis: bool = True) -> Marked:
    """Return the letters of a text as written, with what is marked about them.

    Args:
        text: as the writer wrote it.
        emphasis: whether stars mark emphasis; if not, they are letters like others.
    """
    stars = _star_places(text) if emphasis else frozenset()
    letters: list[Letter] = []
    readings: list[str] = []
    is_emphasised = False
    for match in _TOKEN.finditer(text):
        if match["ruby"]:
            letters += _letters(match[3], is_emphasised, len(readings))
            readings.append(match[4])
        elif match["escape"]:
            letters.append(Letter(match["escape"][1], is_emphasised))
        elif match.start() in stars:
            is_emphasised = not is_emphasised
        else:
            letters += _letters(match["plain"], is_emphasised, -1)
    return Marked(_attached(letters), tuple(readings))


def plain_text(text: str) -> str:
    """Return a text without the marks for emphasis and readings, as it is read aloud."""
    return parse(text).text


def _star_places(text: str) -> frozenset[int]:
    """Return where the stars are that begin and end an emphasis."""
    spans = [match.span() for match in _STARS.finditer(text)]
    return frozenset(place for start, end in spans for place in (start, end - 1))


def _letters(text: str, is_emphasised: bool, group: int) -> list[Letter]:
    return [Letter(character, is_emphasised, group) for character in text]


def _attached(letters: Sequence[Letter]) -> tuple[Letter, ...]:
    """Return the letters with combining marks joined to what they stand on."""
    joined: list[Letter] = []
    for letter in letters:
        if joined and is_attached(letter.text):
            joined[-1] = joined[-1]._replace(text=joined[-1].text + letter.text)
        else:
            joined.append(letter)
    return tuple(joined)
