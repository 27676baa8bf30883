"""Texts made ready to be put on lines: letters, fonts, direction and the measures of a line."""

from __future__ import annotations

import functools
import unicodedata
from typing import NamedTuple

from storyboard.errors import StoryError
from storyboard.lettering.break_places import INVISIBLE, Freedom
from storyboard.lettering.drawn_text import PLAIN_I, drawn_letters
from storyboard.lettering.kinds import SPEECH_PT, STYLES
from storyboard.lettering.markup import Marked
from storyboard.lettering.pieces import Piece, pieces
from storyboard.lettering.runs import RUBY_SCALE
from storyboard.lettering.scripts import (
    is_alphabetic,
    is_cjk,
    primary,
    runs_leftwards,
    script_of_language,
    script_of_text,
)
from storyboard.lettering.typefaces import Typeface, typeface
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import DialogKind

_CAPS_OF_LEADING = 0.667
_EAST_ASIAN_PT = 9.0
_LOWER_CASE_DEPTH = 0.2
_EAST_ASIAN_TOP, _EAST_ASIAN_DEPTH = 0.86, 0.1
_EAST_ASIAN_LEADING = 1.28
_RUBY_GAP = 0.06


class Hand(NamedTuple):
    """How the texts of a book are lettered."""

    language: str = "en"
    style: LetteringStyle = LetteringStyle()

    def sizes_pt(self, kind: DialogKind) -> tuple[float, float, float]:
        """Return the sizes of a kind of dialog but sounds: smallest, own and largest."""
        natural = _EAST_ASIAN_PT if script_of_language(self.language) == "cjk" else SPEECH_PT
        factor = (self.style.size_pt or natural) / SPEECH_PT
        smallest = self.style.smallest_pt
        own = max(STYLES[kind].size_pt * factor, smallest)
        return smallest, own, max(STYLES[kind].largest_pt * factor, own)


class Metrics(NamedTuple):
    """The measures of lines, in ems.

    Attributes:
        above: from the baseline to the top of a line; of a vertical one, from its middle.
        below: from the baseline to its foot.
        pitch: from one line to the next.
        ruby_before: room for readings before the first line.
        ruby_after: room for dots after the last line.
    """

    above: float
    below: float
    pitch: float
    ruby_before: float = 0.0
    ruby_after: float = 0.0

    @property
    def thickness(self) -> float:
        """How much of its pitch a line fills."""
        return self.above + self.below

    def across(self, num_lines: int) -> float:
        """Return how much lines and readings measure across the lines."""
        return self.ruby_before + (num_lines - 1) * self.pitch + self.thickness + self.ruby_after


class Text(NamedTuple):
    """A text ready to be broken into lines; `is_east_asian` if any of it is not of an alphabet."""

    marked: Marked
    face: Typeface
    kind: DialogKind
    language: str
    is_vertical: bool
    metrics: Metrics
    is_east_asian: bool

    def pieces(self, freedom: Freedom) -> tuple[tuple[Piece, ...], ...]:
        """Return the pieces of each line that the writer made."""
        return pieces(
            self.marked, self.face, self.language, is_vertical=self.is_vertical, freedom=freedom
        )


@functools.lru_cache(maxsize=1024)
def prepared(text: str, kind: DialogKind, hand: Hand) -> Text:
    """Return a dialog's text ready to be broken into lines.

    Raises:
        MissingError: a font of the writer's is not there.
        StoryError: its licence does not allow it to be embedded.
    """
    marked = drawn_letters(text, hand.language, hand.style)
    face = typeface(kind, hand.language, hand.style, marked.text)
    is_vertical = _is_vertical(marked.text, hand)
    metrics = _metrics(marked, face, kind, hand.language, is_vertical=is_vertical)
    is_east_asian = script_of_text(marked.text) == "cjk"
    return Text(marked, face, kind, hand.language, is_vertical, metrics, is_east_asian)


def check_text(text: str, kind: DialogKind, hand: Hand, *, balloon: str = "") -> None:
    """Make sure the text can be lettered.

    Args:
        balloon: the balloon's id, for the message.

    Raises:
        StoryError: there is nothing to letter, or a character is missing from all fonts.
    """
    message = trouble_with(text, kind, hand)
    if message:
        place = f"balloon {balloon}" if balloon else "a balloon"
        raise StoryError(f"{place}: {message}", hint="write its text with other characters")


def trouble_with(text: str, kind: DialogKind, hand: Hand) -> str:
    """Return why a text cannot be lettered; "" where it can."""
    ready = prepared(text, kind, hand)
    if not ready.marked.text.strip(INVISIBLE):
        return "there is no text"
    for letter in ready.marked.letters:
        if letter.text == "\n" or letter.text in INVISIBLE:
            continue
        if any(map(runs_leftwards, letter.text)):
            return f"{_named(letter.text)} belongs to writing from right to left, which is not set"
        if ready.face.face_for(letter.text, is_emphasised=letter.is_emphasised) is None:
            return f"{_named(letter.text)} is in none of the fonts: {_names(ready.face)}"
    for reading in ready.marked.readings:
        for character in reading:
            if ready.face.face_for(character) is None:
                return f"{_named(character)} is in none of the fonts: {_names(ready.face)}"
    return ""


def _named(letter: str) -> str:
    shown = letter.replace(PLAIN_I, "I")
    name = unicodedata.name(shown[0], "a character without a name")
    return f"{shown!r} (U+{ord(shown[0]):04X}, {name})"


def _names(face: Typeface) -> str:
    return ", ".join(dict.fromkeys(each.font.name for each in face.plain))


def _is_vertical(text: str, hand: Hand) -> bool:
    """Whether lines go down: as the style says, else in Japanese, but never for words alone."""
    if not hand.style.is_vertical_in(hand.language):
        return False
    return any(map(is_cjk, text)) or not any(map(is_alphabetic, text))


def _metrics(
    marked: Marked, face: Typeface, kind: DialogKind, language: str, *, is_vertical: bool
) -> Metrics:
    has_dots = any(letter.is_emphasised and is_cjk(letter.text) for letter in marked.letters)
    has_readings = bool(marked.readings)
    dots_follow = has_dots and not is_vertical and primary(language) == "zh"
    ruby = RUBY_SCALE + _RUBY_GAP
    before = ruby if has_readings or (has_dots and not dots_follow) else 0.0
    after = ruby * 0.6 if dots_follow else 0.0
    above, below, pitch = _line(marked.text, face, kind, is_vertical=is_vertical)
    if before or after:
        pitch = max(pitch, above + below + before + after + 0.04)
    return Metrics(above, below, pitch, before, after)


def _line(
    text: str, face: Typeface, kind: DialogKind, *, is_vertical: bool
) -> tuple[float, float, float]:
    """Return how far a line reaches up and down, and the pitch."""
    if is_vertical:
        return 0.5, 0.5, _EAST_ASIAN_LEADING
    if script_of_text(text) == "cjk":
        return _EAST_ASIAN_TOP, _EAST_ASIAN_DEPTH, _EAST_ASIAN_LEADING
    caps = face.main.cap_height / face.main.units_per_em
    leading = (STYLES[kind].leading if kind in STYLES else 0.86) * caps / _CAPS_OF_LEADING
    if any(map(str.islower, text)):
        return caps, _LOWER_CASE_DEPTH, leading + _LOWER_CASE_DEPTH * 0.75
    return caps, 0.0, leading
