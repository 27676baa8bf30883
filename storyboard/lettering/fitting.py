"""Fitting text into balloons of a given size."""

from __future__ import annotations

from collections.abc import Sequence

from storyboard.geometry import pt_to_mm
from storyboard.lettering.break_places import Freedom
from storyboard.lettering.breaking import break_lines, fill_lines, line_advance
from storyboard.lettering.kinds import STYLES
from storyboard.lettering.pieces import Piece
from storyboard.lettering.profiles import (
    TOLERANCE,
    FittedText,
    aspects_of,
    inner_half,
    sizes_down,
    slots_in,
    start_of_columns,
)
from storyboard.lettering.runs import EM
from storyboard.lettering.texts import Hand, Text, prepared
from storyboard.plan import DialogKind

_SIZE_STEP_PT = 0.25
_PER_LINE = 0.05  # what one line more costs where there is room for fewer
_ROOMY = 0.7  # text that uses less of its balloon than this may be set larger


def text_for_balloon(
    text: str, kind: DialogKind, hand: Hand, width_mm: float, height_mm: float
) -> FittedText | None:
    """Return the text set for a balloon of just this size, or None when it cannot fit.

    The kind's own size is used where it fits, else the largest that does; a text of one line is
    set larger in a balloon much too large for it. A longer text never gets a larger size.
    """
    ready = prepared(text, kind, hand)
    smallest, own, largest = hand.sizes_pt(kind)
    for size_pt in sizes_down(largest, own + _SIZE_STEP_PT):
        larger = _at_size(ready, size_pt, width_mm, height_mm, Freedom.WORDS, only_line=True)
        if larger is not None:
            return larger
    for size_pt in sizes_down(own, smallest):
        fitted = _at_size(ready, size_pt, width_mm, height_mm, Freedom.WORDS)
        if fitted is not None:
            return fitted
    if hand.style.hyphens:
        return _at_size(ready, smallest, width_mm, height_mm, Freedom.SYLLABLES)
    return None


def _at_size(
    text: Text,
    size_pt: float,
    width_mm: float,
    height_mm: float,
    freedom: Freedom,
    *,
    only_line: bool = False,
) -> FittedText | None:
    """Return the text at this size where it has most white around it, or None if none fits.

    Args:
        freedom: which breaks may be used; Chinese and Japanese may be broken anywhere if need be.
        only_line: whether it has to be on a single line with much white around it.
    """
    style, em_mm = STYLES[text.kind], pt_to_mm(size_pt)
    share = _ROOMY if only_line else 1.0
    inner = [share * inner_half(style, length) / em_mm for length in (width_mm, height_mm)]
    half_along, half_across = inner[::-1] if text.is_vertical else inner
    if half_along <= 0 or half_across <= 0:
        return None
    for level in (freedom, Freedom.CHARACTERS) if text.is_east_asian else (freedom,):
        written = text.pieces(level)
        found = _best_in(written, text, half_along, half_across, only_line=only_line)
        if found is None and not only_line:
            found = _filled_in(written, text, half_along, half_across)
        if found is not None:
            lines, num_slots, fullness, cost, shift = found
            return FittedText(
                lines,
                size_pt,
                width_mm,
                height_mm,
                fullness * share,
                cost,
                num_slots,
                shift,
                text.metrics,
                text.is_vertical,
                aspects_of(text),
            )
    return None


_Found = tuple[tuple[tuple[Piece, ...], ...], int, float, float, float]


def _best_in(
    written: Sequence[Sequence[Piece]],
    text: Text,
    half_along: float,
    half_across: float,
    *,
    only_line: bool = False,
) -> _Found | None:
    """Return the lines that leave most white, each of them filled."""
    length = sum(map(line_advance, written))
    best: tuple[float, _Found] | None = None
    for num_lines, chords, profile in slots_in(text, half_across):
        free = [2 * half_along * EM * share for share in profile]
        if only_line and num_lines > 1:
            break
        if sum(free) * TOLERANCE < length * 0.9 - num_lines * EM / 2:
            continue
        broken = break_lines(written, free)
        if broken is None or broken.scale > TOLERANCE:
            continue
        fullness = max(broken.scale, text.metrics.across(num_lines) / 2 / half_across)
        cost = fullness / 2 + broken.cost + _PER_LINE * num_lines
        if best is None or cost < best[0]:
            shift = start_of_columns(broken.lines, chords, half_along) if text.is_vertical else 0.0
            best = cost, (broken.lines, num_lines, fullness, broken.cost, shift)
    return best[1] if best else None


def _filled_in(
    written: Sequence[Sequence[Piece]], text: Text, half_along: float, half_across: float
) -> _Found | None:
    """Return lines that fill the first of several slots, where no even way fits.

    So a text fits wherever a longer one that begins with it does.
    """
    for num_slots, chords, profile in slots_in(text, half_across):
        free = [2 * half_along * EM * share * TOLERANCE for share in profile]
        lines = fill_lines(written, free)
        if lines is not None:
            shift = start_of_columns(lines, chords, half_along) if text.is_vertical else 0.0
            return lines, num_slots, 1.0, 1.0, shift
    return None
