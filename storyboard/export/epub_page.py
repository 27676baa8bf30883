"""One page of an EPUB: the picture, and over it each balloon's text where its letters are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import itemgetter
from xml.sax.saxutils import escape, quoteattr

from storyboard.book.page import PageDrawing
from storyboard.export.fontfaces import FontFaces
from storyboard.export.written import WrittenLines, written_lines
from storyboard.geometry import Box, pt_to_mm
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.markup import Letter, Marked
from storyboard.lettering.runs import EM

STYLE = """\
html, body { margin: 0; padding: 0; }
body { position: relative; overflow: hidden; }
img { position: absolute; left: 0; top: 0; }
p {
  position: absolute;
  margin: 0;
  color: transparent;
  text-align: center;
  white-space: pre-wrap;
}
p.vertical { writing-mode: vertical-rl; text-align: start; }
p::selection { background: rgba(0, 96, 255, 0.3); }
"""
_BASELINE = 0.35  # of a line's middle over its baseline, in ems
_SLACK = 1.0  # ems of room beside lines, because a reader's font may be wider


def page_xhtml(
    page: PageDrawing,
    *,
    title: str,
    image: str,
    described: str,
    size_px: tuple[int, int],
    language: str,
    emphasis: bool,
    faces: FontFaces,
) -> str:
    """Return the page's XHTML.

    Args:
        page: the page, for its balloons.
        title: of the page.
        image: path of its picture.
        described: what the picture shows.
        size_px: width and height of the picture.
        language: BCP 47 tag of the text.
        emphasis: whether stars mark it in the text as written.
        faces: are told of the letters that are used.
    """
    width, height = size_px
    px_per_mm = width / page.size.width_mm
    texts = "\n".join(
        _paragraph(each, written_lines(each.value, each.lines, emphasis=emphasis), px_per_mm, faces)
        for each in page.balloons
        if each.value
    )
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">
  <head>
    <title>{escape(title)}</title>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width={width}, height={height}"/>
    <link rel="stylesheet" type="text/css" href="../style.css"/>
  </head>
  <body style="width: {width}px; height: {height}px;">
    <img src={quoteattr(image)} alt={quoteattr(described)} width="{width}" height="{height}"/>
{texts}
  </body>
</html>
"""


def _paragraph(balloon: Balloon, written: WrittenLines, px_per_mm: float, faces: FontFaces) -> str:
    """Return a balloon's text as a paragraph that lies over its letters."""
    em = pt_to_mm(balloon.size_pt) * px_per_mm
    marked, lines = written
    divided = " <br/>" if _ends_words(lines, marked) else "<br/>"
    text = divided.join(_line(line, marked.readings) for line in lines)
    pitch = _pitch(balloon)
    box = _place(balloon, pitch)
    x, y = (length * px_per_mm for length in balloon.origin_mm)
    style = {
        "left": x + box.left * em,
        "top": y + box.top * em,
        "width": box.width * em,
        "height": box.height * em,
        "font-size": em,
        "line-height": pitch * em,
    }
    declared = " ".join(f"{name}: {length:.1f}px;" for name, length in style.items())
    named = faces.use(balloon.editing_font, marked.text)
    declared += f" font-family: '{named.family}', sans-serif; font-weight: {named.weight};"
    if balloon.angle_deg or balloon.stretch != (1.0, 1.0):
        declared += (
            f" transform-origin: {-box.left * em:.1f}px {-box.top * em:.1f}px;"
            f" transform: rotate({-balloon.angle_deg:g}deg)"
            f" scale({balloon.stretch[0]:g}, {balloon.stretch[1]:g});"
        )
    direction = ' class="vertical"' if balloon.is_vertical else ""
    return f'    <p id="text-{balloon.id}"{direction} style={quoteattr(declared)}>{text}</p>'


def _ends_words(lines: Sequence[Sequence[Letter]], marked: Marked) -> bool:
    """Whether lines end between words, so that a space belongs there."""
    words = ["".join(letter.text for letter in line).split() for line in lines]
    return sum(map(len, words)) == len(marked.text.split())


def _pitch(balloon: Balloon) -> float:
    """Return the distance from line to line in ems."""
    if len(balloon.starts) < 2:
        return 1.2
    axis = 0 if balloon.is_vertical else 1
    return (balloon.starts[0][axis] - balloon.starts[1][axis]) / EM / balloon.stretch[axis]


def _place(balloon: Balloon, pitch: float) -> Box:
    """Return the box around a text's lines, in ems from the middle of the text, y down."""
    if not balloon.starts:
        return Box(0, 0, 0, 0)
    ink = balloon.glyphs.scaled(1 / EM / balloon.stretch[0], -1 / EM / balloon.stretch[1]).bounds
    first = balloon.starts[0]
    x, y = first[0] / EM / balloon.stretch[0], -first[1] / EM / balloon.stretch[1]
    across = pitch * len(balloon.starts)
    if balloon.is_vertical:
        right = x + pitch / 2
        return Box(right - across, y, right, max(ink.bottom, y) + _SLACK)
    top = y - _BASELINE - pitch / 2
    return Box(ink.left - _SLACK, top, ink.right + _SLACK, top + across)


def _line(letters: Sequence[Letter], readings: Sequence[str]) -> str:
    """Return letters as XHTML, emphasis and readings included."""
    parts = []
    for (is_emphasised, group), found in itertools.groupby(letters, key=itemgetter(1, 2)):
        text = escape("".join(letter.text for letter in found))
        if group >= 0:
            text = f"<ruby>{text}<rt>{escape(readings[group])}</rt></ruby>"
        parts.append(f"<em>{text}</em>" if is_emphasised else text)
    return "".join(parts)
