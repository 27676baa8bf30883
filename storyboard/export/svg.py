"""A page as SVG: pictures, frames and balloons as shapes, text as text.

Its unit is the millimetre on the trimmed page. Groups are layers in Inkscape.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import msgspec

from storyboard.book.page import FramedPanel, PageDrawing
from storyboard.export.archive import png_bytes
from storyboard.export.fontfaces import FontFaces
from storyboard.export.layers import Layer, page_layers
from storyboard.export.svg_text import text_elements
from storyboard.geometry import MM_PER_INCH, Point
from storyboard.layout.page_sizes import bleed_area
from storyboard.lettering.letterer import Balloon
from storyboard.lettering.outlines import Outline

_NAMESPACES = (
    'xmlns="http://www.w3.org/2000/svg"'
    ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # older editors read no other links
    ' xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
)


def write_svg(
    file: BinaryIO, page: PageDrawing, *, title: str, language: str, dpi: float, prints: Path
) -> None:
    """Write a page, bleed included, into an open file.

    Args:
        file: where it goes.
        page: the page.
        title: of the page.
        language: BCP 47 tag of the text.
        dpi: resolution of the pictures.
        prints: folder that keeps pictures ready for print.
    """
    box = bleed_area(page.size)
    faces = FontFaces()
    texts = [line for balloon in page.balloons for line in _text(balloon, faces)]
    style = f"<style>\n{faces.css()}\n</style>" if texts else ""
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<svg {_NAMESPACES} width="{_number(box.width)}mm" height="{_number(box.height)}mm"'
        f' viewBox="{_numbers((box.left, box.top))} {_numbers((box.width, box.height))}"'
        f" xml:lang={quoteattr(language)}>",
        f"<title>{escape(title)}</title>",
        style,
        f'<rect id="paper" x="{_number(box.left)}" y="{_number(box.top)}"'
        f' width="{_number(box.width)}" height="{_number(box.height)}" fill="white"/>',
        *_group("Panels", _panels(page, dpi, prints)),
        *_group("Balloons", map(_balloon, (each for each in page.balloons if each.shape.commands))),
        *_group("Text", texts),
        "</svg>",
    ]
    file.write("\n".join(filter(None, parts)).encode() + b"\n")


def _group(name: str, elements: Iterator[str] | Sequence[str]) -> Iterator[str]:
    label = f'inkscape:groupmode="layer" inkscape:label="{name}"'
    yield f'<g id="{name.lower()}" {label}>'
    yield from elements
    yield "</g>"


def _panels(page: PageDrawing, dpi: float, prints: Path) -> Iterator[str]:
    drawn = page_layers(msgspec.structs.replace(page, balloons=()), dpi, prints)
    pictures = {layer.name: layer for layer in drawn}
    for panel in page.panels:
        yield f'<g id="panel-{panel.id}">'
        yield f"<title>{escape(panel.shows)}</title>"
        if picture := pictures.get(f"{panel.id} picture"):
            yield _image(picture, page, dpi)
        yield from _frame(panel)
        yield "</g>"


def _image(layer: Layer, page: PageDrawing, dpi: float) -> str:
    data = base64.b64encode(png_bytes(layer.picture)).decode("ascii")
    mm_per_px, bleed = MM_PER_INCH / dpi, page.size.bleed_mm
    return (
        f'<image x="{_number(layer.left_px * mm_per_px - bleed)}"'
        f' y="{_number(layer.top_px * mm_per_px - bleed)}"'
        f' width="{_number(layer.picture.width * mm_per_px)}"'
        f' height="{_number(layer.picture.height * mm_per_px)}"'
        f' preserveAspectRatio="none" xlink:href="data:image/png;base64,{data}"/>'
    )


def _frame(panel: FramedPanel) -> Iterator[str]:
    for run in panel.strokes:
        is_closed = run[0] == run[-1]
        points = run[:-1] if is_closed else run
        path = f"M {' L '.join(map(_numbers, points))}{' Z' if is_closed else ''}"
        yield (
            f'<path d="{path}" fill="none" stroke="black" stroke-linejoin="round"'
            f' stroke-width="{_number(panel.stroke_mm)}"/>'
        )


def _balloon(balloon: Balloon) -> str:
    dashes = " ".join(map(_number, balloon.dash_mm))
    dashed = f' stroke-dasharray="{dashes}" stroke-linecap="round"' if dashes else ""
    return (
        f'<path id="balloon-{balloon.id}" d="{_path(balloon.shape)}" fill="white" stroke="black"'
        f' stroke-linejoin="round" stroke-width="{_number(balloon.stroke_mm)}"{dashed}/>'
    )


def _text(balloon: Balloon, faces: FontFaces) -> Iterator[str]:
    elements = list(text_elements(balloon, faces))
    if elements:
        yield f'<g id="text-{balloon.id}">'
        yield f"<title>{escape(_named(balloon))}</title>"
        yield from elements
        yield "</g>"


def _named(balloon: Balloon) -> str:
    who = f"{balloon.speaker}: " if balloon.speaker else ""
    return who + balloon.text


def _path(outline: Outline) -> str:
    return " ".join(
        f"{operator} {' '.join(map(_number, numbers))}".strip()
        for operator, numbers in outline.commands
    )


def _numbers(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
