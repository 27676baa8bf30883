"""Draw all page templates on one sheet: `python -m storyboard.layout.contact_sheet FILE.png`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.geometry import Polygon
from storyboard.layout.page_sizes import page_size
from storyboard.layout.templates import Template, load_templates
from storyboard.story import Reading

if TYPE_CHECKING:
    from PIL.Image import Image

_PX_PER_MM, _SHARPER, _COLUMNS, _LABEL_PX = 0.8, 3, 8, 18


def contact_sheet(templates: tuple[Template, ...], reading: Reading) -> Image:
    """Return one picture of all templates, panels numbered in reading order."""
    from PIL import Image

    size = page_size("b5")
    width, height = round(size.width_mm * _PX_PER_MM), round(size.height_mm * _PX_PER_MM)
    rows = -(-len(templates) // _COLUMNS)
    step_x, step_y = width + 14, height + _LABEL_PX + 10
    sheet = Image.new("L", (_COLUMNS * step_x + 14, rows * step_y + 10), 225)
    ordered = sorted(templates, key=lambda template: (template.num_panels, template.name))
    for number, template in enumerate(ordered):
        row, column = divmod(number, _COLUMNS)
        drawing = _draw_page(template, reading, (width, height + _LABEL_PX))
        sheet.paste(drawing, (14 + column * step_x, 10 + row * step_y))
    return sheet


def _draw_page(template: Template, reading: Reading, size_px: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    size, scale = page_size("b5"), _PX_PER_MM * _SHARPER
    sharp = (size_px[0] * _SHARPER, size_px[1] * _SHARPER)
    page_bottom = size.height_mm * scale
    picture = Image.new("L", sharp, 255)
    draw = ImageDraw.Draw(picture)
    for number, position in enumerate(template.positions(size, reading), start=1):
        if position.host is not None:
            border = _scaled(position.outline, scale)
            draw.line([*border, *border[:2]], fill=255, width=round(5 * scale), joint="curve")
        draw.polygon(_scaled(position.outline, scale), fill=205, outline=0, width=round(scale))
        bounds = position.outline.bounds
        middle = (bounds.centre[0] * scale, bounds.centre[1] * scale)
        draw.text(middle, str(number), fill=0, anchor="mm", font=ImageFont.load_default(20 * scale))
    draw.rectangle((0, page_bottom, *sharp), fill=225)
    font = ImageFont.load_default(12 * _SHARPER)
    draw.text(
        (sharp[0] / 2, page_bottom + 9 * _SHARPER), template.name, fill=0, anchor="mm", font=font
    )
    return picture.resize(size_px, Image.Resampling.LANCZOS)


def _scaled(outline: Polygon, scale: float) -> list[tuple[float, float]]:
    return [(x * scale, y * scale) for x, y in outline.points]


if __name__ == "__main__":
    reading: Reading = "rtl" if "rtl" in sys.argv[2:] else "ltr"
    contact_sheet(load_templates(), reading).quantize(16).save(Path(sys.argv[1]), optimize=True)
