"""Natural balloons: how large a balloon a text wants, and how little it can do with."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

from storyboard.geometry import pt_to_mm
from storyboard.lettering.break_places import Freedom
from storyboard.lettering.breaking import Broken, break_lines, line_advance
from storyboard.lettering.kinds import SPEECH_PT, STYLES
from storyboard.lettering.pieces import Piece
from storyboard.lettering.profiles import (
    MOST_LINES,
    FittedText,
    aspects_of,
    chords_beside,
    outer_length,
    profile_of,
    sizes_down,
    start_of_columns,
)
from storyboard.lettering.runs import EM
from storyboard.lettering.texts import Hand, Text, prepared
from storyboard.lettering_style import Squeeze
from storyboard.plan import DialogKind

_LONGEST, _SHORTEST = 20.0, 0.5  # block length / depth beyond which no balloon is tried
_STRETCHES = (1.12, 1.25, 1.4, 1.6, 1.9, 2.3)  # of a round balloon's depth over its text's
_EXCESS = 6  # how much more a balloon is worth that exceeds its limits less
_UNEVEN = 1.45  # phrases are torn apart where whole ones look worse by this
_HOPELESS = 1.0  # proportions so far off, as a logarithm, are not worth breaking the text for
_UNPLEASANT = {Squeeze.NOTHING: 1.7, Squeeze.SMALLER: 2.6, Squeeze.ANYTHING: math.inf}


def natural_text(
    text: str,
    kind: DialogKind,
    hand: Hand,
    max_width_mm: float,
    max_height_mm: float,
    squeeze: Squeeze = Squeeze.ANYTHING,
) -> FittedText:
    """Return the text in the best-looking balloon of at most the given size.

    If it does not fit so, it gets the balloon that looks best among those that exceed the limits
    little.

    Args:
        text: as the writer wrote it.
        kind: of the dialog, which is no sound.
        hand: how the book is lettered.
        max_width_mm: the greatest width that is wanted.
        max_height_mm: the greatest height that is wanted.
        squeeze: what may be done to the text to fit it.
    """
    ready = prepared(text, kind, hand)
    ways = list(_ways_to_squeeze(ready, hand, squeeze))
    for size_pt, freedom in ways:
        fitting = [
            each
            for each in _pleasant(ready, size_pt, freedom, squeeze)
            if each.width_mm <= max_width_mm and each.height_mm <= max_height_mm
        ]
        if fitting:
            return min(fitting, key=_natural_cost)
    return min(
        _pleasant(ready, *ways[-1], squeeze),
        key=lambda each: (
            _natural_cost(each)
            * max(each.width_mm / max_width_mm, each.height_mm / max_height_mm, 1.0) ** _EXCESS
        ),
    )


def _ways_to_squeeze(text: Text, hand: Hand, squeeze: Squeeze) -> Iterator[tuple[float, Freedom]]:
    """Yield sizes and freedoms of breaking, the best first."""
    smallest, own, _ = hand.sizes_pt(text.kind)
    natural = _natural_freedom(text)
    sizes = sizes_down(own, smallest) if squeeze else [own]
    yield from ((size_pt, natural) for size_pt in sizes)
    if squeeze == Squeeze.ANYTHING:
        if natural == Freedom.WORDS and text.is_east_asian:
            yield from ((size_pt, Freedom.CHARACTERS) for size_pt in sizes_down(own, smallest))
        if hand.style.hyphens:
            yield smallest, Freedom.SYLLABLES


@functools.lru_cache(maxsize=1024)
def _natural_freedom(text: Text) -> Freedom:
    """Return whether a text looks well with its phrases whole, or has to be broken anywhere."""
    if not text.is_east_asian:
        return Freedom.WORDS
    whole, torn = (
        min(map(_natural_cost, _sized(text, SPEECH_PT, freedom, any_shape=False)))
        for freedom in (Freedom.WORDS, Freedom.CHARACTERS)
    )
    return Freedom.WORDS if whole <= _UNEVEN * torn else Freedom.CHARACTERS


@functools.lru_cache(maxsize=1024)
def _pleasant(
    text: Text, size_pt: float, freedom: Freedom, squeeze: Squeeze
) -> tuple[FittedText, ...]:
    """Return the balloons of a size that do not look much worse than the best of them."""
    sized = _sized(text, size_pt, freedom, any_shape=squeeze == Squeeze.ANYTHING)
    most = _UNPLEASANT[squeeze] * min(map(_natural_cost, sized))
    return tuple(each for each in sized if _natural_cost(each) <= most)


def _natural_cost(fitted: FittedText) -> float:
    """Return the balloon's area, made dearer by unpleasant proportions and bad breaks."""
    excess = _excess(fitted.width_mm, fitted.height_mm, fitted.aspects)
    return fitted.width_mm * fitted.height_mm * (1 + 3 * excess + max(fitted.roughness, 0.0))


class _Candidate(NamedTuple):
    """A way to break a text, whatever its size: the inner outline it needs, in ems."""

    lines: tuple[tuple[Piece, ...], ...]
    half_along: float
    half_across: float
    cost: float
    shift: float


def _excess(width: float, height: float, aspects: tuple[float, float]) -> float:
    """Return by how much a balloon is too high or too wide, as a logarithm."""
    narrowest, widest = aspects
    return max(math.log(narrowest * height / width), math.log(width / height / widest), 0.0)


@functools.lru_cache(maxsize=1024)
def _candidates(text: Text, freedom: Freedom, *, any_shape: bool) -> tuple[_Candidate, ...]:
    """Return one to many lines, in flatter and taller balloons."""
    style, metrics = STYLES[text.kind], text.metrics
    length = sum(map(line_advance, text.pieces(Freedom.WORDS))) / EM
    found = []
    for num_lines in _line_counts(text, freedom):
        half = metrics.across(num_lines) / 2
        for stretch in _STRETCHES if style.is_round else (1.0,):
            chords = chords_beside(text, num_lines, half * stretch)
            profile = profile_of(chords, is_vertical=text.is_vertical)
            if not any_shape and profile:
                least = _outer_size(text, length / sum(profile) / 2, half * stretch, SPEECH_PT)
                if _excess(*least, aspects_of(text)) > _HOPELESS:
                    continue
            for broken in _ways_to_break(text, profile, freedom):
                along = broken.scale / EM / 2
                shift = start_of_columns(broken.lines, chords, along) if text.is_vertical else 0.0
                found.append(_Candidate(broken.lines, along, half * stretch, broken.cost, shift))
    if not found and not any_shape:
        return _candidates(text, freedom, any_shape=True)
    return tuple(found)


def _outer_size(
    text: Text, half_along: float, half_across: float, size_pt: float
) -> tuple[float, float]:
    """Return the balloon's width and height in mm for half sides of the inner outline in ems."""
    style, em_mm = STYLES[text.kind], pt_to_mm(size_pt)
    along = outer_length(style, half_along * em_mm)
    across = outer_length(style, half_across * em_mm)
    return (across, along) if text.is_vertical else (along, across)


def _ways_to_break(text: Text, profile: list[float], freedom: Freedom) -> Iterator[Broken]:
    """Yield the text broken where it reads well, and where it is free to be broken besides."""
    if not profile:
        return
    for level in Freedom:
        if level <= freedom and (level != Freedom.CHARACTERS or text.is_east_asian):
            broken = break_lines(text.pieces(level), profile, may_widen=True)
            if broken is not None:
                yield broken


def _line_counts(text: Text, freedom: Freedom) -> list[int]:
    """Return the numbers of lines worth trying: those that make neither a strip nor a tower."""
    written = text.pieces(freedom)
    if len(written) > 1:
        return [len(written)]
    most = min(MOST_LINES, len(written[0]))
    length = line_advance(written[0]) / EM
    counts = [
        count
        for count in range(1, most + 1)
        if _SHORTEST <= length / count / text.metrics.across(count) <= _LONGEST
    ]
    return counts or [most]


@functools.lru_cache(maxsize=512)
def _sized(
    text: Text, size_pt: float, freedom: Freedom, *, any_shape: bool
) -> tuple[FittedText, ...]:
    """Return the ways to break a text in balloons that just hold it at this size."""
    sized = []
    for each in _candidates(text, freedom, any_shape=any_shape):
        width, height = _outer_size(text, each.half_along, each.half_across, size_pt)
        sized.append(
            FittedText(
                each.lines,
                size_pt,
                width,
                height,
                fullness=1.0,
                roughness=each.cost,
                num_slots=len(each.lines),
                shift_em=each.shift,
                metrics=text.metrics,
                is_vertical=text.is_vertical,
                aspects=aspects_of(text),
            )
        )
    return tuple(sized)
