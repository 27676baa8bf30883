"""The words of a final copy: text that can be searched, copied and read aloud.

Level lines are set as text in the fonts themselves, glyph by glyph where the lettering put them.
What a PDF's text cannot do, as vertical lines with readings beside them, stays drawn as outlines,
and its words lie over them unseen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from storyboard.book.editfonts import EditFont
from storyboard.book.objects import number, written
from storyboard.book.operators import appearance
from storyboard.book.page import PageDrawing
from storyboard.geometry import mm_to_pt, pt_to_mm
from storyboard.lettering.fonts import Font
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.runs import EM, SLANT, Run, ink

LAYER = "Dialogue"  # the layer's name in viewers, and in a page's resources
_FILLED, _STROKED, _UNSEEN = 0, 1, 3


class _Placed(NamedTuple):
    """A run and where it starts, in thousandths of an em from the middle of the block, y up."""

    run: Run
    x: float
    y: float


def text_content(page: PageDrawing, first_mark: int) -> tuple[str, dict[str, EditFont]]:
    """Return the operators for all dialogue of a page, and the fonts that they name.

    Args:
        page: the page.
        first_mark: the number that marks the first balloon's words in the page's content.
    """
    fonts: dict[str, EditFont] = {}
    parts = [f"/OC /{LAYER} BDC"]
    for mark, balloon in enumerate(page.balloons, start=first_mark):
        parts.append(f"/P << /MCID {mark} >> BDC")
        runs = list(_runs(balloon))
        if all(one.run.manner == "level" for one in runs) and not _has_readings(balloon):
            words = _set(balloon, runs, fonts)
        else:
            parts += _outlines(balloon, page)
            words = _unseen(balloon, fonts)
        # as written, not in capitals; poppler loses it where the text is turned, and outside `q`
        is_level = not balloon.angle_deg and not balloon.is_vertical
        said = {"ActualText": balloon.text} if is_level else {}
        parts += ["q", _matrix(balloon, page), "cm", f"/Span {written(said)} BDC", *words]
        parts += ["EMC", "Q", "EMC"]
    return "\n".join([*parts, "EMC"]), fonts


def wide_font(font: Font) -> EditFont:
    """Return a font in which glyphs are named by their number."""
    return EditFont(font.name, str(font.path), is_wide=True)


def _matrix(balloon: Balloon, page: PageDrawing) -> str:
    """Return the way from thousandths of an em around the block's middle to the page."""
    bleed, height = page.size.bleed_mm, page.size.height_mm
    scale = balloon.size_pt / balloon.units_per_em
    angle = math.radians(balloon.angle_deg)
    x = mm_to_pt(balloon.origin_mm[0] + bleed)
    y = mm_to_pt(height + bleed - balloon.origin_mm[1])
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return " ".join(number(value, 6) for value in (cosine, sine, -sine, cosine, x, y))


def _outlines(balloon: Balloon, page: PageDrawing) -> list[str]:
    x = mm_to_pt(balloon.field_mm.left + page.size.bleed_mm)
    y = mm_to_pt(page.size.height_mm + page.size.bleed_mm - balloon.field_mm.bottom)
    drawn = appearance(balloon).removeprefix("/Tx BMC\n").removesuffix("\nEMC")
    return ["q", f"1 0 0 1 {number(x)} {number(y)} cm", drawn, "Q"]


def _set(balloon: Balloon, runs: list[_Placed], fonts: dict[str, EditFont]) -> list[str]:
    shown = [line for one in runs for line in _shown(one, balloon.stretch, fonts)]
    parts = []
    if balloon.outline_mm:
        rim = 2 * balloon.outline_mm / (pt_to_mm(balloon.size_pt) / balloon.units_per_em)
        parts += [f"1 G 1 j {number(rim)} w", "BT", f"{_STROKED} Tr", *shown, "ET"]
    return [*parts, "0 g", "BT", f"{_FILLED} Tr", *shown, "ET"]


def _shown(one: _Placed, stretch: tuple[float, float], fonts: dict[str, EditFont]) -> list[str]:
    """Return the operators that show a run's glyphs, kerned as they were shaped."""
    font = fonts.setdefault(wide_font(one.run.font).key, wide_font(one.run.font))
    across, up = stretch
    slant = SLANT if one.run.is_slanted else 0.0
    place = (across, 0.0, slant * across, up, one.x, one.y)
    matrix = " ".join(number(value, 4) for value in place)
    glyphs = []
    for glyph, advance, kerning in one.run.font.shaped_glyphs(one.run.text):
        move = -1000 * (kerning - advance) / one.run.font.units_per_em
        glyphs.append(f"<{glyph:04x}>" + (f" {number(move)}" if abs(move) > 0.01 else ""))
    return [f"/{font.key} {EM} Tf {matrix} Tm", f"[ {' '.join(glyphs)} ] TJ"]


def _unseen(balloon: Balloon, fonts: dict[str, EditFont]) -> list[str]:
    """Return a balloon's words as text that is not painted, over the lines that are."""
    font = balloon.editing_font
    edit = fonts.setdefault(wide_font(font).key, wide_font(font))
    parts = ["BT", f"{_UNSEEN} Tr", f"/{edit.key} {EM} Tf"]
    for line, (x, y) in zip(balloon.lines, balloon.starts, strict=True):
        turn = "0 -1 1 0" if balloon.is_vertical else "1 0 0 1"
        codes = "".join(f"{glyph:04x}" for glyph, *_ in font.shaped_glyphs(line))
        parts.append(f"{turn} {number(x)} {number(y)} Tm <{codes}> Tj")
    return [*parts, "ET"]


def _runs(balloon: Balloon) -> Iterator[_Placed]:
    """Yield the runs of a balloon with their places; see `lettering.setting`."""
    across, _ = balloon.stretch
    for line, (x, y) in zip(balloon.pieces, balloon.starts, strict=True):
        along = 0.0
        for piece in line:
            for part in piece.parts:
                place = along + (part.advance - part.base_advance) / 2
                for run in part.runs:
                    yield _Placed(run, x + place * across, y)
                    place += ink(run).advance
                along += part.advance
            if piece is line[-1] and piece.hyphen:
                yield _Placed(piece.hyphen, x + along * across, y)
            along += piece.space


def _has_readings(balloon: Balloon) -> bool:
    return any(part.ruby for line in balloon.pieces for piece in line for part in piece.parts)
