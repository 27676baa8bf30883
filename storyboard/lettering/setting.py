"""Fitted text as an outline: lines put one after the other around the middle of their block.

Lengths are in thousandths of an em, y up, (0, 0) in the middle of the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storyboard.geometry import Point
from storyboard.lettering.outlines import Outline, placed
from storyboard.lettering.pieces import EMPHASIS_DOT, Part, Piece
from storyboard.lettering.profiles import FittedText
from storyboard.lettering.runs import EM, RUBY_SCALE, Ink, ink
from storyboard.lettering.texts import Metrics

_Mark = tuple[Ink, float, float]  # what is drawn, and where

_RUBY_GAP = 0.06 * EM
_KANA_DEPTH = 0.1 * EM * RUBY_SCALE


def text_outline(fitted: FittedText) -> Outline:
    """Return all lines of a balloon, readings included."""
    return lines_outline(
        fitted.lines,
        fitted.metrics,
        fitted.num_slots,
        fitted.shift_em,
        is_vertical=fitted.is_vertical,
    )


def text_starts(fitted: FittedText) -> tuple[Point, ...]:
    """Return where each line of a balloon begins; see `line_starts`."""
    return line_starts(
        fitted.lines,
        fitted.metrics,
        fitted.num_slots,
        fitted.shift_em,
        is_vertical=fitted.is_vertical,
    )


def lines_outline(
    lines: Sequence[Sequence[Piece]],
    metrics: Metrics,
    num_slots: int,
    shift_em: float,
    *,
    is_vertical: bool,
) -> Outline:
    """Return lines, readings included.

    Args:
        lines: the pieces of each.
        metrics: their measures.
        num_slots: of how many lines the block is, of which these are the first.
        shift_em: how far above the middle vertical lines begin.
        is_vertical: whether they go down.
    """
    marks: list[_Mark] = []
    for line, (dx, dy) in zip(
        lines,
        line_starts(lines, metrics, num_slots, shift_em, is_vertical=is_vertical),
        strict=True,
    ):
        letters, ruby = _drawn(line, metrics, is_vertical=is_vertical)
        marks += [(each, x + dx, y + dy) for each, x, y in letters + ruby]
    return placed((each.outline, x, y) for each, x, y in marks)


def line_starts(
    lines: Sequence[Sequence[Piece]],
    metrics: Metrics,
    num_slots: int,
    shift_em: float,
    *,
    is_vertical: bool,
) -> tuple[Point, ...]:
    """Return where each line begins: on its baseline, or at the top of its middle if it goes down.

    The arguments are those of `lines_outline`.
    """
    first = (metrics.across(num_slots) / 2 - metrics.ruby_before - metrics.above) * EM
    starts = []
    for index, line in enumerate(lines):
        across = first - index * metrics.pitch * EM
        if is_vertical:
            starts.append((across, shift_em * EM))
        else:
            letters, _ = _drawn(line, metrics, is_vertical=False)
            starts.append((-float(round(_middle(letters))), float(round(across))))
    return tuple(starts)


def _middle(letters: Sequence[_Mark]) -> float:
    """Return the middle of what a level line draws."""
    lefts = [each.bounds.left + x for each, x, _ in letters if each.bounds]
    rights = [each.bounds.right + x for each, x, _ in letters if each.bounds]
    return (min(lefts) + max(rights)) / 2 if lefts else 0.0


def _drawn(
    line: Sequence[Piece], metrics: Metrics, *, is_vertical: bool
) -> tuple[list[_Mark], list[_Mark]]:
    """Return a line's letters and the readings beside them, from (0, 0) on."""
    letters: list[_Mark] = []
    ruby: list[_Mark] = []
    place = 0.0
    for piece in line:
        for part in piece.parts:
            start = place + (part.advance - part.base_advance) / 2
            letters += _in_row(map(ink, part.runs), start, is_vertical=is_vertical)
            ruby += _ruby(part, place, metrics, is_vertical=is_vertical)
            place += part.advance
        if piece is line[-1] and piece.hyphen:
            letters += _in_row([ink(piece.hyphen)], place, is_vertical=is_vertical)
        place += piece.space
    return letters, ruby


def _in_row(
    inks: Iterable[Ink], start: float, *, is_vertical: bool, gap: float = 0.0
) -> list[_Mark]:
    row = []
    place = start
    for each in inks:
        row.append((each, 0.0, -place) if is_vertical else (each, place, 0.0))
        place += each.advance + gap
    return row


def _ruby(part: Part, place: float, metrics: Metrics, *, is_vertical: bool) -> list[_Mark]:
    """Return a part's reading, spread along it; a dot stands beside the letter's middle."""
    if not part.ruby:
        return []
    inks = [ink(run, RUBY_SCALE) for run in part.ruby]
    spare = part.advance - part.ruby_advance
    gap = spare / len(inks)
    row = _in_row(inks, place + gap / 2, is_vertical=is_vertical, gap=gap)
    if is_vertical:
        dx, dy = 0.5 * EM + _RUBY_GAP + RUBY_SCALE * EM / 2, 0.0
    elif metrics.ruby_after and part.ruby[0].text == EMPHASIS_DOT and inks[0].bounds:
        below = -metrics.below * EM - 0.5 * metrics.ruby_after * EM
        dx, dy = 0.0, below - inks[0].bounds.centre[1]
    else:
        dx, dy = 0.0, metrics.above * EM + _RUBY_GAP + _KANA_DEPTH
    return [(each, x + dx, y + dy) for each, x, y in row]
