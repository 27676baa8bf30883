"""Sound effects: letters without a balloon, turned, and scaled to their box."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from storyboard.geometry import Box, Point, bounds_of, mm_to_pt, pt_to_mm
from storyboard.lettering.break_places import Freedom
from storyboard.lettering.breaking import break_lines, line_advance
from storyboard.lettering.kinds import (
    LARGEST_SOUND_PT,
    SMALLEST_SOUND_PT,
    SOUND_PT,
    SOUND_TILT_DEG,
)
from storyboard.lettering.outlines import Outline, convex_hull
from storyboard.lettering.pieces import Piece
from storyboard.lettering.profiles import line_text
from storyboard.lettering.runs import EM
from storyboard.lettering.setting import line_starts, lines_outline
from storyboard.lettering.texts import Hand, Text, prepared
from storyboard.lettering_style import Squeeze

_MOST_LINES = 6
_ALL_WAYS = 4  # words that are tried on lines in every way
_WIDENED = (1.0, 1.08, 1.16, 1.25, 1.35)  # how much wider or higher letters may get to fill a box
_RIM_OF_SIZE, _LEAST_RIM_MM, _MOST_RIM_MM = 0.115, 0.5, 1.8


class SoundText(NamedTuple):
    """A sound's letters, as they fill their box.

    Attributes:
        outline: level, in thousandths of an em, y up, (0, 0) in the middle of what is drawn.
        size_pt: of the letters.
        angle_deg: how far they are turned, anticlockwise.
        rim_mm: width of the white rim around them.
        width_mm: of letters and rim, turned.
        height_mm: of letters and rim, turned.
        texts: the lines as drawn.
        is_vertical: whether the lines go down.
        starts: where each line begins, as `line_starts` tells.
        lines: the pieces of each.
        stretch: how much wider and higher than in the font its letters are.
    """

    outline: Outline
    size_pt: float
    angle_deg: float
    rim_mm: float
    width_mm: float
    height_mm: float
    texts: tuple[str, ...]
    is_vertical: bool
    starts: tuple[Point, ...] = ()
    lines: tuple[tuple[Piece, ...], ...] = ()
    stretch: tuple[float, float] = (1.0, 1.0)


def natural_sound(
    text: str,
    hand: Hand,
    max_width_mm: float,
    max_height_mm: float,
    angle_deg: float | None = None,
    squeeze: Squeeze = Squeeze.ANYTHING,
) -> SoundText:
    """Return a sound at its natural size, or as large as fits within the limits.

    One that does not fit at the smallest size, or may not be squeezed, exceeds the limits.
    """
    limits = max_width_mm, max_height_mm
    ways = _ways(prepared(text, "sound", hand), _angle(angle_deg))
    best = max(ways, key=lambda way: min(_size_in(way.turned, *limits), SOUND_PT))
    least = SMALLEST_SOUND_PT if squeeze else SOUND_PT
    size_pt = max(min(_size_in(best.turned, *limits), SOUND_PT), least)
    return _sized(best, size_pt, (1.0, 1.0), _angle(angle_deg))


def sound_for_box(
    text: str, hand: Hand, width_mm: float, height_mm: float, angle_deg: float | None = None
) -> SoundText | None:
    """Return a sound that fills its box, or None when it cannot be read at that size.

    Letters that leave much of the box empty get a little wider or higher than they are drawn. A
    longer text never gets a larger size.
    """
    angle, box = _angle(angle_deg), (width_mm, height_mm)
    best = max(
        _ways(prepared(text, "sound", hand), angle), key=lambda way: _size_in(way.turned, *box)
    )
    size_pt = min(_size_in(best.turned, *box), LARGEST_SOUND_PT)
    if size_pt < SMALLEST_SOUND_PT * 0.996:
        return None
    stretches = [(wider, 1.0) for wider in _WIDENED] + [(1.0, higher) for higher in _WIDENED]
    fitting = [
        stretch
        for stretch in stretches
        if _size_in(_turned_bounds(best.hull, angle, stretch), *box) >= size_pt * 0.999
    ]
    return _sized(best, size_pt, max(fitting, key=math.prod, default=(1.0, 1.0)), angle)


def _angle(angle_deg: float | None) -> float:
    return SOUND_TILT_DEG if angle_deg is None else angle_deg


class _Way(NamedTuple):
    """A way to break a sound into lines.

    `hull` is the convex shape around the letters, `turned` the box around them as they are turned.
    """

    lines: tuple[tuple[Piece, ...], ...]
    outline: Outline
    starts: tuple[Point, ...]
    is_vertical: bool
    hull: tuple[Point, ...]
    turned: Box


@functools.lru_cache(maxsize=256)
def _ways(text: Text, angle_deg: float) -> tuple[_Way, ...]:
    ways = []
    for lines in _broken(text):
        longest = max(map(line_advance, lines)) / EM
        block = lines, text.metrics, len(lines), longest / 2
        outline = lines_outline(*block, is_vertical=text.is_vertical)
        x, y = outline.bounds.centre
        starts = tuple(
            (left - x, base - y) for left, base in line_starts(*block, is_vertical=text.is_vertical)
        )
        outline = outline.moved(-x, -y)
        hull = convex_hull(outline.points)
        bounds = _turned_bounds(hull, angle_deg)
        ways.append(_Way(lines, outline, starts, text.is_vertical, hull, bounds))
    return tuple(ways)


def _turned_bounds(
    points: Sequence[Point], angle_deg: float, stretch: tuple[float, float] = (1.0, 1.0)
) -> Box:
    """Return the box around points that are stretched and then turned."""
    angle = math.radians(angle_deg)
    cosine, sine = math.cos(angle), math.sin(angle)
    stretched = [(x * stretch[0], y * stretch[1]) for x, y in points]
    return bounds_of((x * cosine - y * sine, x * sine + y * cosine) for x, y in stretched)


def _broken(text: Text) -> Iterator[tuple[tuple[Piece, ...], ...]]:
    """Yield the lines a sound may have: so many that a longer one has no other way to fit."""
    written = text.pieces(Freedom.WORDS)
    if len(written) > 1:
        yield written
    elif len(written[0]) <= _ALL_WAYS:
        for ends in _all_ends(len(written[0])):
            yield tuple(written[0][start:end] for start, end in itertools.pairwise((0, *ends)))
    else:
        for num_lines in range(1, min(len(written[0]), _MOST_LINES) + 1):
            broken = break_lines(written, [1.0] * num_lines)
            if broken is not None:
                yield broken.lines


def _all_ends(count: int) -> Iterator[tuple[int, ...]]:
    """Yield the ends of lines for each way to break so many words."""
    for size in range(count):
        for inner in itertools.combinations(range(1, count), size):
            yield (*inner, count)


def _size_in(turned: Box, width_mm: float, height_mm: float) -> float:
    """Return the size at which letters and rim just fill a box."""
    sides = ((turned.width / EM, width_mm), (turned.height / EM, height_mm))
    return mm_to_pt(max(0.0, min(_em_within(ems, side_mm) for ems, side_mm in sides)))


def _em_within(ems: float, side_mm: float) -> float:
    """Return how many millimetres an em may have where letters and two rims have `side_mm`."""
    em_mm = side_mm / (ems + 2 * _RIM_OF_SIZE)
    if _RIM_OF_SIZE * em_mm < _LEAST_RIM_MM:
        return (side_mm - 2 * _LEAST_RIM_MM) / ems
    if _RIM_OF_SIZE * em_mm > _MOST_RIM_MM:
        return (side_mm - 2 * _MOST_RIM_MM) / ems
    return em_mm


def _sized(way: _Way, size_pt: float, stretch: tuple[float, float], angle_deg: float) -> SoundText:
    em_mm = pt_to_mm(size_pt)
    rim_mm = max(_LEAST_RIM_MM, min(_RIM_OF_SIZE * em_mm, _MOST_RIM_MM))
    bounds = _turned_bounds(way.hull, angle_deg, stretch)
    return SoundText(
        way.outline.scaled(*stretch),
        size_pt,
        angle_deg,
        rim_mm,
        bounds.width / EM * em_mm + 2 * rim_mm,
        bounds.height / EM * em_mm + 2 * rim_mm,
        tuple(map(line_text, way.lines)),
        way.is_vertical,
        tuple((x * stretch[0], y * stretch[1]) for x, y in way.starts),
        way.lines,
        stretch,
    )
