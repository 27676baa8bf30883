"""Runs: letters of one font drawn together, along a level line or down a vertical one.

Lengths are in thousandths of an em, y up. A level run starts at (0, 0) on the baseline and goes
right; a run of a vertical line starts at (0, 0) and goes down, its middle at x = 0.
"""

from __future__ import annotations

import functools
import math
from typing import Literal, NamedTuple

from storyboard.geometry import Box, Point
from storyboard.lettering.fonts import Font
from storyboard.lettering.outlines import Outline

EM = 1000
RUBY_SCALE = 0.5
SLANT = 0.2
_CELL_WIDTH = 920  # what stands upright side by side in one cell is made no wider than this
_BESIDE_TURNED = 90  # white before and after turned words

# What lies along the line, so that it is turned where a font leaves it level: these even where it
# has a form for vertical lines, which in some fonts is level as well ...
_LONG_MARKS = frozenset("…‥—―–─-−－ー〜～~")
# ... and these where it has none
_TURNED_MARKS = frozenset("=＝:：;；|｜→←()（）[]［］{}｛｝<>＜＞«»‹›")

Manner = Literal["level", "upright", "turned", "cell"]


class Run(NamedTuple):
    """Letters of one font, and how they stand: along a level line, or in one of three ways down.

    `turned` words lie on their side; the letters of a `cell` stand side by side in one square.
    """

    text: str
    font: Font
    is_slanted: bool = False
    manner: Manner = "level"


class Ink(NamedTuple):
    """How far a run reaches along its line, what it draws, and the box around that."""

    advance: float
    outline: Outline
    bounds: Box | None


@functools.lru_cache(maxsize=8192)
def ink(run: Run, scale: float = 1.0) -> Ink:
    """Return what a run draws, at a scale."""
    advance, outline = _drawn(run)
    if scale != 1:
        outline = outline.scaled(scale)
    return Ink(advance * scale, outline, outline.bounds if outline.commands else None)


def _drawn(run: Run) -> tuple[float, Outline]:
    """Return a run's advance and outline."""
    if run.manner == "upright":
        return _upright(run)
    advance, outline = _level(run)
    if run.manner == "turned":
        middle = 0.5 * run.font.cap_height * EM / run.font.units_per_em
        turned_outline = outline.mapped(lambda x, y: (y - middle, -x - _BESIDE_TURNED))
        return advance + 2 * _BESIDE_TURNED, turned_outline
    if run.manner == "cell":
        return EM, _in_cell(run, outline)
    return advance, outline


def _level(run: Run) -> tuple[float, Outline]:
    scale = EM / run.font.units_per_em
    outline = run.font.outline(run.text)
    if scale != 1:
        outline = outline.scaled(scale)
    if run.is_slanted:
        outline = outline.mapped(lambda x, y: (x + SLANT * y, y))
    return run.font.advance(run.text) * scale, outline


def _upright(run: Run) -> tuple[float, Outline]:
    scale = EM / run.font.units_per_em
    advance, outline, has_form = run.font.upright(run.text)
    outline = outline.scaled(scale) if scale != 1 else outline
    is_level = run.text in _TURNED_MARKS and not has_form
    if run.text in _LONG_MARKS and outline.commands:
        is_level = outline.bounds.width > outline.bounds.height
    if is_level:
        outline = _quarter_turned(outline, (0.0, -0.5 * advance * scale))
    return advance * scale, outline


def _quarter_turned(outline: Outline, middle: Point) -> Outline:
    x0, y0 = middle
    return outline.mapped(lambda x, y: (x0 + (y - y0), y0 - (x - x0)))


def _in_cell(run: Run, level: Outline) -> Outline:
    """Return the letters side by side in the middle of a square, narrowed where they must be."""
    if not level.commands:
        return level
    bounds = level.bounds
    squeeze = min(1.0, _CELL_WIDTH / bounds.width)
    x, y = bounds.centre
    if run.text.isdigit():
        y = 0.5 * run.font.cap_height * EM / run.font.units_per_em
    return level.mapped(lambda px, py: ((px - x) * squeeze, py - y - EM / 2))


def turned(outline: Outline, angle_deg: float) -> Outline:
    """Return an outline (y up) turned anticlockwise around (0, 0)."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return outline.mapped(lambda x, y: (x * cosine - y * sine, x * sine + y * cosine))
