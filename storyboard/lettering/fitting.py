"""Fitting text into balloons: how large a balloon a text needs, and the text for a given one.

A balloon's text stands in an inner outline, the body less its margin: a superellipse
|x/a|^e + |y/b|^e = 1 for round balloons, a rectangle for narration and sounds. Lines count with
their capitals only, from cap height to baseline, so that the block is centred as the eye sees it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from storyboard.geometry import pt_to_mm
from storyboard.lettering.breaking import Broken, break_text
from storyboard.lettering.drawn_text import drawn_text, font_for
from storyboard.plan import DialogKind

ROUND_EXPONENT = 2.15  # a little squarer than an ellipse, which is 2
ROUND_HANDLE = 0.6  # the curve handle that draws it
SMALLEST_PT = 7.0
LARGEST_PT = 11.0
_SIZE_STEP_PT = 0.25
_MOST_LINES = 24
_FLATTEST, _TALLEST = 20.0, 0.5  # block width / height beyond which no balloon is tried
_TOLERANCE = 1.004  # boxes pass through fractions of the panel and back
_ROOMY = 0.7  # text that uses less of its balloon than this may be set larger


class BalloonStyle(msgspec.Struct, frozen=True):
    """How one kind of dialog is set.

    `inner_share` is how much of the body's half axes the innermost edge of its outline leaves;
    `margin_mm` the white between that edge and the text; `aspects` the range of width / height
    that looks right; `tilt_deg` how far the text is turned, anticlockwise.
    """

    size_pt: float
    largest_pt: float
    smallest_pt: float
    leading: float
    margin_mm: float
    edge_mm: float = 0.0
    inner_share: float = 1.0
    exponent: float = ROUND_EXPONENT
    aspects: tuple[float, float] = (1.35, 2.0)
    tilt_deg: float = 0.0

    @property
    def is_round(self) -> bool:
        """Whether the text follows a curve instead of filling a rectangle."""
        return math.isfinite(self.exponent)


_SPEECH = BalloonStyle(
    size_pt=8.5, largest_pt=LARGEST_PT, smallest_pt=SMALLEST_PT, leading=1.06, margin_mm=2.0
)
STYLES: dict[DialogKind, BalloonStyle] = {
    "speech": _SPEECH,
    "whisper": msgspec.structs.replace(_SPEECH, size_pt=8.0),
    "thought": msgspec.structs.replace(_SPEECH, edge_mm=1.3, margin_mm=1.7),
    "shout": msgspec.structs.replace(_SPEECH, size_pt=9.5, inner_share=0.8, margin_mm=1.3),
    "narration": msgspec.structs.replace(
        _SPEECH, exponent=math.inf, margin_mm=1.9, aspects=(1.8, 8.0)
    ),
    "sound": BalloonStyle(
        size_pt=26.0,
        largest_pt=48.0,
        smallest_pt=11.0,
        leading=0.86,
        margin_mm=1.1,
        exponent=math.inf,
        aspects=(1.2, 8.0),
        tilt_deg=5.0,
    ),
}


class FittedText(NamedTuple):
    """Text broken and sized for a balloon.

    `width_mm` and `height_mm` are the whole balloon's. `fullness` is the share of the inner
    outline that the text reaches, `roughness` how uneven or badly broken its lines are.
    """

    lines: tuple[str, ...]
    size_pt: float
    width_mm: float
    height_mm: float
    fullness: float
    roughness: float


def natural_text(
    text: str, kind: DialogKind, language: str, max_width_mm: float, max_height_mm: float
) -> FittedText:
    """Return the text in the best-looking balloon of at most the given size.

    The text is set at its kind's size, smaller only where the balloon would not fit otherwise.
    A text too long even at the smallest size gets the balloon that exceeds the limits least.
    """
    style = STYLES[kind]
    drawn = drawn_text(text, kind, language)
    for size_pt in _sizes(style.size_pt, style.smallest_pt):
        candidates = _candidates(drawn, kind, size_pt)
        fitting = [
            each
            for each in candidates
            if each.width_mm <= max_width_mm and each.height_mm <= max_height_mm
        ]
        if fitting:
            return min(fitting, key=lambda each: _natural_cost(each, style))
    return min(
        _candidates(drawn, kind, style.smallest_pt),
        key=lambda each: max(each.width_mm / max_width_mm, each.height_mm / max_height_mm),
    )


def text_for_balloon(
    text: str, kind: DialogKind, language: str, width_mm: float, height_mm: float
) -> FittedText | None:
    """Return the text set for a balloon of just this size, or None when it cannot fit.

    The kind's own size is used where it fits, else the largest that does; in a balloon much too
    large for it the text is set larger.
    """
    style = STYLES[kind]
    drawn = drawn_text(text, kind, language)
    own = _at_size(drawn, kind, style.size_pt, width_mm, height_mm)
    if own is not None and own.fullness <= _ROOMY:
        for size_pt in _sizes(style.largest_pt, style.size_pt):
            larger = _at_size(drawn, kind, size_pt, width_mm, height_mm)
            if larger is not None and larger.fullness <= _ROOMY:
                return larger
    if own is not None:
        return own
    for size_pt in _sizes(style.size_pt, style.smallest_pt):
        smaller = _at_size(drawn, kind, size_pt, width_mm, height_mm)
        if smaller is not None:
            return smaller
    return None


def block_height_mm(kind: DialogKind, size_pt: float, num_lines: int) -> float:
    """Return the height from the first line's cap height to the last line's baseline."""
    font = font_for(kind)
    em_mm = pt_to_mm(size_pt)
    cap_mm = font.cap_height / font.units_per_em * em_mm
    return (num_lines - 1) * STYLES[kind].leading * em_mm + cap_mm


def _sizes(largest_pt: float, smallest_pt: float) -> Iterator[float]:
    steps = round((largest_pt - smallest_pt) / _SIZE_STEP_PT)
    return (largest_pt - step * _SIZE_STEP_PT for step in range(steps + 1))


def _width_of(kind: DialogKind, size_pt: float, text: str) -> float:
    font = font_for(kind)
    return _advance(kind, text) / font.units_per_em * pt_to_mm(size_pt)


@functools.lru_cache(maxsize=4096)
def _advance(kind: DialogKind, text: str) -> int:
    return font_for(kind).advance(text)


def _profile(kind: DialogKind, size_pt: float, num_lines: int, inner_b: float) -> list[float]:
    """Return each line's share of the inner outline's width; empty where one lies outside it."""
    style = STYLES[kind]
    height = block_height_mm(kind, size_pt, num_lines)
    if height / 2 > inner_b * _TOLERANCE:
        return []
    if not style.is_round:
        return [1.0] * num_lines
    leading_mm = style.leading * pt_to_mm(size_pt)
    cap_mm = height - (num_lines - 1) * leading_mm
    shares = []
    for line in range(num_lines):
        top = -height / 2 + line * leading_mm
        farthest = max(abs(top), abs(top + cap_mm))
        rest = 1 - (farthest / inner_b) ** style.exponent
        shares.append(max(rest, 0.0) ** (1 / style.exponent))
    return shares if min(shares) > 0 else []


def _inner_half(style: BalloonStyle, outer_mm: float) -> float:
    return outer_mm / 2 * style.inner_share - style.edge_mm - style.margin_mm


def _outer(style: BalloonStyle, inner_half_mm: float) -> float:
    return (inner_half_mm + style.edge_mm + style.margin_mm) / style.inner_share * 2


def _tilted(style: BalloonStyle, width: float, height: float) -> tuple[float, float]:
    """Return the upright size that holds a rectangle of the given size, tilted."""
    cosine, sine = math.cos(math.radians(style.tilt_deg)), math.sin(math.radians(style.tilt_deg))
    return width * cosine + height * sine, width * sine + height * cosine


def _levelled(
    style: BalloonStyle, width: float, height: float, text_height: float
) -> tuple[float, float]:
    """Return the size of the widest tilted rectangle in an upright one, for text this high."""
    if not style.tilt_deg:
        return width, height
    cosine, sine = math.cos(math.radians(style.tilt_deg)), math.sin(math.radians(style.tilt_deg))
    free = min((width - text_height * sine) / cosine, (height - text_height * cosine) / sine)
    return free, text_height


@functools.lru_cache(maxsize=512)
def _candidates(drawn: str, kind: DialogKind, size_pt: float) -> tuple[FittedText, ...]:
    """Return balloons for one to many lines, flatter and taller ones for each."""
    style = STYLES[kind]
    found = []
    for num_lines in _line_counts(drawn, kind, size_pt):
        half = block_height_mm(kind, size_pt, num_lines) / 2
        for stretch in (1.12, 1.25, 1.4, 1.6, 1.9, 2.3) if style.is_round else (1.0,):
            profile = _profile(kind, size_pt, num_lines, half * stretch)
            broken = _broken(drawn, kind, size_pt, profile, may_widen=True)
            if broken is not None:
                width, height = _tilted(
                    style, _outer(style, broken.scale / 2), _outer(style, half * stretch)
                )
                found.append(FittedText(broken.lines, size_pt, width, height, 1.0, broken.cost))
    return tuple(found)


def _line_counts(drawn: str, kind: DialogKind, size_pt: float) -> list[int]:
    """Return the numbers of lines worth trying: those that make neither a strip nor a tower."""
    if "\n" in drawn:
        return [drawn.count("\n") + 1]
    most = min(_MOST_LINES, drawn.count(" ") + 1)
    width = _width_of(kind, size_pt, drawn)
    counts = [
        count
        for count in range(1, most + 1)
        if _TALLEST <= width / count / block_height_mm(kind, size_pt, count) <= _FLATTEST
    ]
    return counts or [most]


def _broken(
    drawn: str,
    kind: DialogKind,
    size_pt: float,
    profile: list[float],
    *,
    may_widen: bool = False,
) -> Broken | None:
    if not profile:
        return None
    width_of = functools.partial(_width_of, kind, size_pt)
    return break_text(drawn, profile, width_of, may_widen=may_widen)


def _natural_cost(fitted: FittedText, style: BalloonStyle) -> float:
    """Return the balloon's area, made dearer by unpleasant proportions and bad breaks."""
    aspect = fitted.width_mm / fitted.height_mm
    flattest, widest = style.aspects
    excess = max(math.log(flattest / aspect), math.log(aspect / widest), 0.0)
    return fitted.width_mm * fitted.height_mm * (1 + 3 * excess + max(fitted.roughness, 0.0))


def _at_size(
    drawn: str, kind: DialogKind, size_pt: float, width_mm: float, height_mm: float
) -> FittedText | None:
    """Return the text at this size where it has most white around it, or None if none fits."""
    style = STYLES[kind]
    text_width, space = _width_of(kind, size_pt, drawn), _width_of(kind, size_pt, " ")
    best: tuple[float, FittedText] | None = None
    for num_lines in _line_counts(drawn, kind, size_pt):
        half_height = block_height_mm(kind, size_pt, num_lines) / 2
        level = _levelled(style, width_mm, height_mm, _outer(style, half_height))
        inner_a, inner_b = _inner_half(style, level[0]), _inner_half(style, level[1])
        if inner_a <= 0 or inner_b <= 0:
            continue
        shares = _profile(kind, size_pt, num_lines, inner_b)
        free = [2 * inner_a * share for share in shares]
        if sum(free) * _TOLERANCE < text_width - num_lines * space:
            continue
        broken = _broken(drawn, kind, size_pt, free)
        if broken is None or broken.scale > _TOLERANCE:
            continue
        fullness = max(broken.scale, half_height / inner_b)
        if style.tilt_deg:
            needed = _tilted(
                style, _outer(style, broken.scale * inner_a), _outer(style, half_height)
            )
            fullness = max(needed[0] / width_mm, needed[1] / height_mm)
        cost = fullness + broken.cost / 2
        if best is None or cost < best[0]:
            fitted = FittedText(broken.lines, size_pt, width_mm, height_mm, fullness, broken.cost)
            best = cost, fitted
    return best[1] if best else None
