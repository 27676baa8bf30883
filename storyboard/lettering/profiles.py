"""The outline that a text stands in, and how lines follow it.

A balloon's text stands in an inner outline, the body less its margin: a superellipse
|x/a|^e + |y/b|^e = 1 for round balloons, a rectangle for narration. Capitals count from cap height
to baseline, so that the block is centred as the eye sees it; Chinese and Japanese count in squares.
Lines run along one axis, level or down, and follow each other across it. Level lines are centred;
vertical ones begin at one height.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storyboard.lettering.break_places import BREAK_HINT, SOFT_HYPHEN
from storyboard.lettering.breaking import line_advance
from storyboard.lettering.drawn_text import PLAIN_I
from storyboard.lettering.kinds import STYLES, BalloonStyle
from storyboard.lettering.pieces import Piece
from storyboard.lettering.runs import EM
from storyboard.lettering.texts import Metrics, Text

MOST_LINES = 24
TOLERANCE = 1.004  # boxes pass through fractions of the panel and back
_SIZE_STEP_PT = 0.25


class FittedText(NamedTuple):
    """Text broken and sized for a balloon.

    Attributes:
        lines: the pieces of each line.
        size_pt: of the letters.
        width_mm: of the whole balloon.
        height_mm: of the whole balloon.
        fullness: the share of the inner outline that the text reaches.
        roughness: how uneven or badly broken its lines are.
        num_slots: the lines that there is room for, of which the first are filled.
        shift_em: how far vertical lines begin above the balloon's middle.
        metrics: of its lines.
        is_vertical: whether the lines go down.
        aspects: the range of width / height that looks right.
    """

    lines: tuple[tuple[Piece, ...], ...]
    size_pt: float
    width_mm: float
    height_mm: float
    fullness: float
    roughness: float
    num_slots: int
    shift_em: float
    metrics: Metrics
    is_vertical: bool
    aspects: tuple[float, float]

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as drawn, with their spaces and hyphens."""
        return tuple(map(line_text, self.lines))


def line_text(line: Sequence[Piece]) -> str:
    """Return a line as drawn."""
    text = "".join(piece.text + (" " if piece.space else "") for piece in line)
    text = text.rstrip().replace(PLAIN_I, "I").replace(SOFT_HYPHEN, "").replace(BREAK_HINT, "")
    return text + ("-" if line[-1].hyphen else "")


def sizes_down(largest_pt: float, smallest_pt: float) -> Iterator[float]:
    """Yield sizes from the largest to the smallest in even steps, the smallest in any case."""
    steps = math.floor((largest_pt - smallest_pt) / _SIZE_STEP_PT + 1e-6)
    yield from (largest_pt - step * _SIZE_STEP_PT for step in range(steps + 1))
    if steps >= 0 and largest_pt - steps * _SIZE_STEP_PT > smallest_pt + 1e-6:
        yield smallest_pt


def chords_beside(text: Text, num_lines: int, half_across: float) -> list[float]:
    """Return the share of the outline's half length beside each line; empty where one is outside.

    Args:
        text: whose lines have these measures.
        num_lines: how many they are.
        half_across: of the inner outline, in ems.
    """
    style, metrics = STYLES[text.kind], text.metrics
    depth = metrics.across(num_lines)
    if depth / 2 > half_across * TOLERANCE:
        return []
    if not style.is_round:
        return [1.0] * num_lines
    exponent = style.exponent_around(is_vertical=text.is_vertical)
    chords = []
    for line in range(num_lines):
        start = -depth / 2 + metrics.ruby_before + line * metrics.pitch
        end = start + metrics.thickness
        farthest = max(abs(start - metrics.ruby_before / 2), abs(end + metrics.ruby_after / 2))
        rest = 1 - (farthest / half_across) ** exponent
        chords.append(max(rest, 0.0) ** (1 / exponent))
    return chords if min(chords) > 0 else []


def profile_of(chords: Sequence[float], *, is_vertical: bool) -> list[float]:
    """Return each line's share of the outline's whole length.

    Level lines are centred. Vertical ones begin together, as high as the shortest may.
    """
    if not is_vertical:
        return list(chords)
    start = min(chords)
    return [(chord + start) / 2 for chord in chords]


def start_of_columns(
    lines: Sequence[Sequence[Piece]], chords: Sequence[float], half_along: float
) -> float:
    """Return how far above the middle vertical lines begin: centred if there is room, in ems."""
    lengths = [line_advance(line) / EM for line in lines]
    highest = half_along * min(chords)
    lowest = max(
        length - half_along * chord for length, chord in zip(lengths, chords, strict=False)
    )
    return max(min(max(lengths) / 2, highest), min(lowest, highest))


def inner_half(style: BalloonStyle, outer_mm: float) -> float:
    """Return half a side of the inner outline, in mm, for the whole balloon's side."""
    return outer_mm / 2 * style.inner_share - style.edge_mm - style.margin_mm


def outer_length(style: BalloonStyle, inner_half_mm: float) -> float:
    """Return the whole balloon's side for half a side of the inner outline, in mm."""
    return (inner_half_mm + style.edge_mm + style.margin_mm) / style.inner_share * 2


def slots_in(text: Text, half_across: float) -> Iterator[tuple[int, list[float], list[float]]]:
    """Yield each number of lines that there is room for, with their chords and shares."""
    for num_lines in range(1, MOST_LINES + 1):
        if text.metrics.across(num_lines) / 2 > half_across * TOLERANCE:
            return
        chords = chords_beside(text, num_lines, half_across)
        if chords:
            yield num_lines, chords, profile_of(chords, is_vertical=text.is_vertical)


def aspects_of(text: Text) -> tuple[float, float]:
    """Return the range of width / height that looks right around a text."""
    style = STYLES[text.kind]
    return style.upright_aspects if text.is_vertical else style.aspects
