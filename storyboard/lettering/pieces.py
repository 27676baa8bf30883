"""Pieces: what of a text is never torn apart, measured, and ready to be put on lines."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storyboard.lettering.break_places import INVISIBLE, Freedom, Place, break_places
from storyboard.lettering.markup import Letter, Marked
from storyboard.lettering.runs import RUBY_SCALE, Manner, Run, ink
from storyboard.lettering.scripts import is_alphabetic, is_cjk, primary
from storyboard.lettering.typefaces import Face, Typeface, glyphs_of

EMPHASIS_DOT = "•"
_SHORT = 3  # letters; a word of so few is an orphan when it has the last line to itself
_SHORT_CJK = 1
_WIDE_DIGITS = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_IN_ONE_CELL = re.compile(
    r"(?<![0-9０-９])[0-9]{2}(?![0-9０-９])|(?<![!?！？])[!?！？]{2}(?![!?！？])"
)
_NARROW_MARKS = str.maketrans("！？", "!?")
_STANDING_QUOTES = str.maketrans("“”", "〝〟")  # in Japanese


class Part(NamedTuple):
    """Runs one after the other, and the reading or dot that stands beside them."""

    runs: tuple[Run, ...]
    advance: float
    ruby: tuple[Run, ...] = ()

    @property
    def ruby_advance(self) -> float:
        """How far the reading reaches at its own size."""
        return RUBY_SCALE * sum(ink(run).advance for run in self.ruby)

    @property
    def base_advance(self) -> float:
        """How far the runs themselves reach."""
        return sum(ink(run).advance for run in self.runs)


class Piece(NamedTuple):
    """What no line break tears apart. Lengths in thousandths of an em.

    Attributes:
        text: as drawn.
        space: white after it where no line ends.
        cost: of a line end after it.
        hyphen: drawn where a line ends after it.
        is_short: whether it looks forlorn on a last line of its own.
    """

    text: str
    parts: tuple[Part, ...]
    advance: float
    space: float
    cost: float
    hyphen: Run | None
    is_short: bool


@functools.lru_cache(maxsize=1024)
def pieces(
    marked: Marked, face: Typeface, language: str, *, is_vertical: bool, freedom: Freedom
) -> tuple[tuple[Piece, ...], ...]:
    """Return the pieces of a text, for each line that the writer made."""
    return tuple(
        _pieces_of_line(line, marked.readings, face, language, is_vertical, freedom)
        for line in _lines(marked.letters)
    )


def _lines(letters: Sequence[Letter]) -> Iterator[tuple[Letter, ...]]:
    line: list[Letter] = []
    for letter in letters:
        if letter.text == "\n":
            yield tuple(line)
            line = []
        else:
            line.append(letter)
    yield tuple(line)


def _pieces_of_line(
    letters: Sequence[Letter],
    readings: Sequence[str],
    face: Typeface,
    language: str,
    is_vertical: bool,
    freedom: Freedom,
) -> tuple[Piece, ...]:
    last = Place(len(letters), len(letters), 0.0)
    found = []
    start = 0
    setter = _Setter(readings, face, language, is_vertical)
    for place in [*break_places(letters, language, freedom), last]:
        if place.end <= start:
            continue
        inside = letters[start : place.end]
        parts = tuple(setter.parts(inside))
        spaces = letters[place.end : place.start]
        hyphen = setter.run("-", inside[-1].is_emphasised) if place.has_hyphen else None
        text = "".join(letter.text for letter in inside)
        found.append(
            Piece(
                text=text,
                parts=parts,
                advance=sum(part.advance for part in parts),
                space=sum(setter.space(letter.text) for letter in spaces),
                cost=place.cost,
                hyphen=hyphen,
                is_short=_is_short(text),
            )
        )
        start = place.start
    return tuple(found)


def _is_short(text: str) -> bool:
    wide = sum(map(is_cjk, text))
    if wide:
        return sum(letter.isalnum() for letter in text) <= _SHORT_CJK
    return len(text) <= _SHORT and not text.isdigit()


class _Setter:
    """Turns letters into parts."""

    def __init__(
        self, readings: Sequence[str], face: Typeface, language: str, is_vertical: bool
    ) -> None:
        self._is_japanese = primary(language) == "ja"
        self._readings = readings
        self._face = face
        self._is_vertical = is_vertical

    def parts(self, letters: Sequence[Letter]) -> Iterator[Part]:
        """Yield the parts of a piece: readings and dotted letters have one each."""
        for chunk in _chunks([letter for letter in letters if letter.text not in INVISIBLE]):
            runs = tuple(self._runs(chunk))
            if chunk[0].group >= 0:
                ruby = tuple(self._reading(self._readings[chunk[0].group]))
            elif _is_dotted(chunk[0]):
                ruby = (self.run(EMPHASIS_DOT, is_emphasised=False),)
            else:
                ruby = ()
            part = Part(runs, 0.0, ruby)
            yield part._replace(advance=max(part.base_advance, part.ruby_advance))

    def space(self, text: str) -> float:
        """Return how wide a space is."""
        face = self._face_for(text, is_emphasised=False)
        return ink(Run(text, face.font)).advance

    def run(self, text: str, is_emphasised: bool, manner: Manner | None = None) -> Run:
        """Return letters of one font as a run."""
        face = self._face_for(text[0], is_emphasised)
        manner = manner or ("upright" if self._is_vertical else "level")
        return Run(glyphs_of(text, face.font), face.font, face.is_slanted, manner)

    def _face_for(self, text: str, is_emphasised: bool) -> Face:
        face = self._face.face_for(text, is_emphasised=is_emphasised and not is_cjk(text))
        return face or self._face.plain[0]  # missing ones were reported before

    def _runs(self, letters: Sequence[Letter]) -> Iterator[Run]:
        if not self._is_vertical:
            yield from self._level_runs(letters, "level")
            return
        text = "".join(letter.text[0] for letter in letters)
        cells = {match.start(): match.end() for match in _IN_ONE_CELL.finditer(text)}
        index = 0
        while index < len(letters):
            letter = letters[index]
            if index in cells:
                end = cells[index]
                narrow = text[index:end].translate(_NARROW_MARKS)
                yield self.run(narrow, letter.is_emphasised, "cell")
            elif (end := _end_of_word(letters, index)) > index + 1:
                yield from self._level_runs(letters[index:end], "turned")
            else:
                end = index + 1
                yield self._upright(letter)
            index = end

    def _reading(self, text: str) -> Iterator[Run]:
        """Yield the runs of a reading: one for each letter that stands in a square."""
        if all(map(is_cjk, text)):
            yield from (self.run(character, is_emphasised=False) for character in text)
        else:
            yield from self._runs([Letter(character) for character in text])

    def _upright(self, letter: Letter) -> Run:
        wide = letter.text.translate(_WIDE_DIGITS)
        if self._is_japanese:
            wide = wide.translate(_STANDING_QUOTES)
        known = self._face.face_for(wide, is_emphasised=False) is not None
        return self.run(wide if known else letter.text, letter.is_emphasised)

    def _level_runs(self, letters: Sequence[Letter], manner: Manner) -> Iterator[Run]:
        """Yield runs of letters that have the same face."""
        text = ""
        current: Face | None = None
        for letter in letters:
            face = self._face_for(letter.text, letter.is_emphasised)
            if current is not None and face != current:
                yield Run(text, current.font, current.is_slanted, manner)
                text = ""
            text += glyphs_of(letter.text, face.font)
            current = face
        if current is not None:
            yield Run(text, current.font, current.is_slanted, manner)


def _chunks(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Yield letters that have one reading together, dotted ones alone, others in a row."""
    chunk: list[Letter] = []
    for letter in letters:
        if chunk and (
            _is_dotted(letter) or _is_dotted(chunk[-1]) or letter.group != chunk[-1].group
        ):
            yield chunk
            chunk = []
        chunk.append(letter)
    if chunk:
        yield chunk


def _is_dotted(letter: Letter) -> bool:
    """Whether a letter is emphasised by a dot beside it, as Chinese and Japanese do."""
    return (
        letter.is_emphasised and letter.group < 0 and is_cjk(letter.text) and letter.text.isalnum()
    )


def _end_of_word(letters: Sequence[Letter], start: int) -> int:
    """Return the end of the word of an alphabet, or of the long number, that starts here."""
    end = start
    while end < len(letters) and _is_of_word(letters[end].text[0]):
        end += 1
    word = "".join(letter.text[0] for letter in letters[start:end])
    return end if any(map(is_alphabetic, word)) and len(word) > 1 else start + 1


def _is_of_word(character: str) -> bool:
    return is_alphabetic(character) or character in "0123456789'’.-&+/\u00a0"
