"""A balloon's letters as SVG text: an element for each line, so that lines can be edited."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from storyboard.export.fontfaces import PLAIN_I_FEATURE, FontFaces
from storyboard.geometry import Point, pt_to_mm
from storyboard.lettering.breaking import line_advance
from storyboard.lettering.drawn_text import PLAIN_I
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.pieces import Part, Piece
from storyboard.lettering.runs import EM, RUBY_SCALE, Run, ink

_RUBY_RISE = 0.84 * EM  # of a reading's baseline over that of the letters
_RUBY_ASIDE = 0.81 * EM  # of a reading's middle beside the letters' middle, going down
_CELL_BASELINE = 0.86 * EM  # of letters side by side in a square, from its top


class _Set(NamedTuple):
    """Text at a place: in thousandths of an em from the line's start, along it and beside it."""

    text: str
    run: Run
    along: float
    beside: float = 0.0
    scale: float = 1.0


def text_elements(balloon: Balloon, faces: FontFaces) -> Iterator[str]:
    """Yield the elements that draw a balloon's text; none where it has no text.

    Args:
        balloon: the balloon.
        faces: are told of the letters that are used.
    """
    if not balloon.pieces:
        return
    placed = _Placement(balloon)
    yield f"<g{placed.attributes}>"
    for line, start in zip(balloon.pieces, balloon.starts, strict=True):
        if balloon.is_vertical:
            yield from _column(line, start, placed, faces)
        else:
            yield from _level_line(line, start, placed, faces)
    yield "</g>"


class _Placement:
    """From thousandths of an em around the middle of a text to millimetres on the page."""

    def __init__(self, balloon: Balloon) -> None:
        self.size_mm = pt_to_mm(balloon.size_pt)
        self._stretch = balloon.stretch
        self._x, self._y = balloon.origin_mm
        self._is_plain = balloon.angle_deg == 0 and balloon.stretch == (1.0, 1.0)
        self.attributes = ""
        if not self._is_plain:
            self.attributes += (
                f' transform="translate({self._x:.3f} {self._y:.3f})'
                f' rotate({-balloon.angle_deg:g}) scale({self._stretch[0]:g} {self._stretch[1]:g})"'
            )
        if balloon.outline_mm:
            rim = 2 * balloon.outline_mm / max(self._stretch)
            self.attributes += (
                f' stroke="white" stroke-width="{rim:.3f}" stroke-linejoin="round"'
                ' paint-order="stroke"'
            )

    def place(self, start: Point, right: float, up: float) -> str:
        """Return the attributes x and y of a point beside where a line starts."""
        x = (start[0] / self._stretch[0] + right) / EM * self.size_mm
        y = -(start[1] / self._stretch[1] + up) / EM * self.size_mm
        if self._is_plain:
            x, y = x + self._x, y + self._y
        return f'x="{x:.3f}" y="{y:.3f}"'


def _level_line(
    line: Sequence[Piece], start: Point, placed: _Placement, faces: FontFaces
) -> Iterator[str]:
    spans = "".join(
        f"<tspan{_font(run, text, faces, has_plain_i=has_plain_i)}>{escape(text)}</tspan>"
        for run, text, has_plain_i in _joined(_level_runs(line))
    )
    place = placed.place(start, line_advance(line) / 2, 0)
    size = f'font-size="{placed.size_mm:.3f}"'
    yield f'<text {place} {size} text-anchor="middle" xml:space="preserve">{spans}</text>'
    for each in _readings(line):
        place = placed.place(start, each.along, _RUBY_RISE)
        yield _small(each, place, placed, faces, 'text-anchor="middle"')


def _level_runs(line: Sequence[Piece]) -> Iterator[tuple[Run, str, bool]]:
    """Yield the runs of a line with their text, spaces and hyphen included.

    The last value is whether a capital I is drawn without bars.
    """
    for index, piece in enumerate(line):
        is_last = index == len(line) - 1
        runs = [run for part in piece.parts for run in part.runs]
        for number, run in enumerate(runs):
            has_space = number == len(runs) - 1 and piece.space and not is_last
            yield run, _written(run, piece) + (" " if has_space else ""), _has_plain_i(piece)
        if is_last and piece.hyphen:
            yield piece.hyphen, piece.hyphen.text, _has_plain_i(piece)


def _joined(runs: Iterator[tuple[Run, str, bool]]) -> Iterator[tuple[Run, str, bool]]:
    """Yield neighbours that look alike as one."""
    look = operator.attrgetter("font", "is_slanted")
    for _, group in itertools.groupby(runs, key=lambda each: (look(each[0]), each[2])):
        found = list(group)
        yield found[0][0], "".join(text for _, text, _ in found), found[0][2]


def _column(
    line: Sequence[Piece], start: Point, placed: _Placement, faces: FontFaces
) -> Iterator[str]:
    size = f'font-size="{placed.size_mm:.3f}"'
    down = 'writing-mode="vertical-rl" style="writing-mode: vertical-rl"'
    for each in _down(line):
        text = f"<tspan{_font(each.run, each.text, faces)}>{escape(each.text)}</tspan>"
        if each.run.manner == "cell":
            place = placed.place(start, 0, -each.along - _CELL_BASELINE)
            yield f'<text {place} {size} text-anchor="middle">{text}</text>'
        else:
            place = placed.place(start, 0, -each.along)
            yield f'<text {place} {size} {down} xml:space="preserve">{text}</text>'
    for each in _readings(line):
        place = placed.place(start, _RUBY_ASIDE, -each.along)
        yield _small(each, place, placed, faces, f'text-anchor="middle" {down}')


def _down(line: Sequence[Piece]) -> Iterator[_Set]:
    """Yield the runs of a column, those that follow each other in one manner as one."""
    waiting: _Set | None = None
    for piece, part, along in _parts(line):
        along += (part.advance - part.base_advance) / 2
        for run in part.runs:
            each = _Set(_written(run, piece), run, along)
            along += ink(run).advance
            if waiting and _follows(waiting.run, run):
                waiting = waiting._replace(text=waiting.text + each.text)
            else:
                if waiting:
                    yield waiting
                waiting = each
    if waiting:
        yield waiting


def _follows(before: Run, run: Run) -> bool:
    return before.manner == run.manner == "upright" and before.font == run.font


def _readings(line: Sequence[Piece]) -> Iterator[_Set]:
    """Yield the readings of a line, each at the middle of what it belongs to."""
    for _, part, along in _parts(line):
        if part.ruby:
            text = "".join(run.text for run in part.ruby)
            yield _Set(text, part.ruby[0], along + part.advance / 2, scale=RUBY_SCALE)


def _parts(line: Sequence[Piece]) -> Iterator[tuple[Piece, Part, float]]:
    """Yield the parts of a line and where they begin along it."""
    along = 0.0
    for piece in line:
        for part in piece.parts:
            yield piece, part, along
            along += part.advance
        along += piece.space


def _small(each: _Set, place: str, placed: _Placement, faces: FontFaces, manner: str) -> str:
    size = f'font-size="{placed.size_mm * each.scale:.3f}"'
    font = _font(each.run, each.text, faces)
    return f"<text {place} {size} {manner}{font}>{escape(each.text)}</text>"


def _font(run: Run, text: str, faces: FontFaces, *, has_plain_i: bool = False) -> str:
    """Return the attributes that choose a run's font."""
    named = faces.use(run.font, text, has_plain_i=has_plain_i)
    italic = ' font-style="italic"' if named.is_italic or run.is_slanted else ""
    family = quoteattr(f"'{named.family}', sans-serif")
    plain = f" style=\"font-feature-settings: '{PLAIN_I_FEATURE}'\"" if has_plain_i else ""
    return f' font-family={family} font-weight="{named.weight}"{italic}{plain}'


def _has_plain_i(piece: Piece) -> bool:
    """Whether the small letter l stands in for a capital I in what is drawn."""
    runs = [run.text for part in piece.parts for run in part.runs]
    return PLAIN_I in piece.text and "l" not in piece.text and any("l" in text for text in runs)


def _written(run: Run, piece: Piece) -> str:
    """Return a run's text with the letter I where another letter's shape stands in for it."""
    return run.text.replace("l", "I") if _has_plain_i(piece) else run.text
