"""Draw the lettering gallery: every plan in docs/lettering-gallery/, with mannequins.

    python tools/lettering_gallery.py [folder]      # default: docs/images

A plan NAME.plan.yaml becomes lettering-NAME.png. Plans NAME-ANYTHING.plan.yaml share a picture.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from storyboard.book.raster import page_pictures
from storyboard.progress import SilentProgress
from storyboard.render import Work, render
from storyboard.workspace import PLAN_SUFFIX

ROOT = Path(__file__).parent.parent
PLANS = ROOT / "docs" / "lettering-gallery"
DPI = 120
GAP_PX, PAPER = 12, 236
GREYS = 16
COLUMNS = 2


def main() -> None:
    """Draw every plan's pages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    plans = sorted(PLANS.glob(f"*{PLAN_SUFFIX}"))
    for name, group in itertools.groupby(plans, key=picture_name):
        sheet = together([page for plan in group for page in pages_of(plan)])
        sheet.quantize(GREYS).save(folder / f"lettering-{name}.png", optimize=True)
        print(folder / f"lettering-{name}.png")


def picture_name(plan: Path) -> str:
    """Return the name of the picture that a plan is drawn in."""
    return plan.name.removesuffix(PLAN_SUFFIX).split("-")[0]


def pages_of(plan: Path) -> list[Image.Image]:
    """Return the pages of a plan, drawn with mannequins and lettered."""
    with tempfile.TemporaryDirectory() as work:
        copied = shutil.copy(plan, work)
        pdf = render(Work(Path(copied), rough=True), SilentProgress())
        return list(page_pictures(pdf, dpi=DPI))


def together(pages: Sequence[Image.Image]) -> Image.Image:
    """Return pages of one size on a sheet, side by side and below each other."""
    columns = min(COLUMNS, len(pages))
    rows = -(-len(pages) // columns)
    width, height = pages[0].width + GAP_PX, pages[0].height + GAP_PX
    sheet = Image.new("L", (columns * width + GAP_PX, rows * height + GAP_PX), PAPER)
    for number, page in enumerate(pages):
        row, column = divmod(number, columns)
        sheet.paste(page, (GAP_PX + column * width, GAP_PX + row * height))
    return sheet


if __name__ == "__main__":
    main()
