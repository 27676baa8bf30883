"""Builds synthetic manga pages with annotations in MangaZero's schema.

    python -m training.data.peeps.build --pages 8000 --output runs/peeps

writes `pages/*.png` and `annotations.json` (a list of pages, each with `image_path` and `frames`;
a frame has `bbox`, `caption`, `characters` and `dialogs`, see docs/training.md). A page shows two
or three people: a portrait of each, then panels in which they meet. The same seed gives the same
pages, whatever the number of workers, and pages already there are not made again.
"""

from __future__ import annotations

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.data.buckets import MINI_SIZES, Size
from training.data.peeps.figures import Identity, bodies, parts
from training.data.peeps.panels import Panel, compose

PAGE_WIDTH_PX = 608
GUTTER_PX = 8
HELD_OUT_SHARE = 0.04


def random_identity(rng: random.Random) -> Identity:
    """Return a person made of hair and, for some, a beard and something on the nose."""
    pieces = parts()
    beard = rng.choice(list(pieces["beard"])) if rng.random() < 0.28 else ""
    accessory = rng.choice(list(pieces["accessory"])) if rng.random() < 0.32 else ""
    return Identity(rng.choice(list(pieces["hair"])), beard, accessory)


def page_panels(rng: random.Random) -> list[tuple[Panel, list[int]]]:
    """Return one page's panels, each with the numbers of its people, left to right, from 0."""
    cast = [
        (random_identity(rng), rng.choice(bodies("bust"))) for _ in range(rng.choice((2, 2, 3)))
    ]
    panels = [compose([member], (192, 192), rng, is_portrait=True) for member in cast]
    for _ in range(rng.randint(3, 5)):
        height, width = rng.choice((*MINI_SIZES, MINI_SIZES[0]))
        count = min(len(cast), rng.choices((0, 1, 2, 3), (0.05, 0.5, 0.33, 0.12))[0])
        panels.append(compose(rng.sample(cast, count), (width, height), rng))
    numbers = {identity: number for number, (identity, _) in enumerate(cast)}
    return [
        (panel, [numbers[person.figure.identity] for person in panel.people]) for panel in panels
    ]


def shelve(sizes: list[Size]) -> list[tuple[int, int]]:
    """Return left and top of each panel, placed in rows from left to right."""
    places, left, top, row_height = [], 0, 0, 0
    for height, width in sizes:
        if left + width > PAGE_WIDTH_PX:
            left, top, row_height = 0, top + row_height + GUTTER_PX, 0
        places.append((left, top))
        left, row_height = left + width + GUTTER_PX, max(row_height, height)
    return places


def _moved(box: tuple[int, int, int, int], left: int, top: int) -> list[int]:
    return [box[0] + left, box[1] + top, box[2] + left, box[3] + top]


def _frame(panel: Panel, numbers: list[int], left: int, top: int) -> dict[str, Any]:
    height, width = panel.ink.shape
    characters = [
        {
            "bbox": _moved(person.box, left, top),
            "id": number,
            "type": 0,
            "expression": person.figure.face,
            "body": person.figure.body,
            "identity": [
                person.figure.identity.hair,
                person.figure.identity.beard,
                person.figure.identity.accessory,
            ],
        }
        for person, number in zip(panel.people, numbers, strict=True)
    ]
    return {
        "bbox": [left, top, left + width, top + height],
        "caption": panel.caption,
        "shot": panel.shot,
        "place": panel.setting,
        "characters": characters,
        "dialogs": [{"bbox": _moved(box, left, top)} for box in panel.dialogs],
    }


def make_page(number: int, *, seed: int, folder: Path) -> dict[str, Any]:
    """Write one page's picture and return its annotation."""
    rng = random.Random(f"peeps {seed} {number}")
    panels = page_panels(rng)
    places = shelve([panel.ink.shape for panel, _ in panels])
    height = max(
        top + panel.ink.shape[0] for (panel, _), (_, top) in zip(panels, places, strict=True)
    )
    page = Image.new("L", (PAGE_WIDTH_PX, height), 255)
    frames = []
    for (panel, numbers), (left, top) in zip(panels, places, strict=True):
        page.paste(Image.fromarray(np.ascontiguousarray(panel.ink)), (left, top))
        frames.append(_frame(panel, numbers, left, top))
    name = f"pages/{number:06d}.png"
    target = folder / name
    if not target.exists():
        unfinished = target.with_suffix(".part")
        page.save(unfinished, format="PNG", compress_level=1)
        unfinished.replace(target)
    return {
        "image_path": name,
        "meta": {},
        "held_out": rng.random() < HELD_OUT_SHARE,
        "frames": frames,
    }


def build(num_pages: int, folder: Path, *, seed: int = 0, workers: int = 2) -> None:
    """Write `num_pages` pages and their annotations into `folder`."""
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    make = partial(make_page, seed=seed, folder=folder)
    with ProcessPoolExecutor(workers) as pool:
        pages = list(pool.map(make, range(num_pages), chunksize=50))
    unfinished = folder / "annotations.json.part"
    unfinished.write_text(json.dumps(pages), "utf-8")
    unfinished.replace(folder / "annotations.json")


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=8000)
    parser.add_argument("--output", type=Path, default=Path("runs/peeps"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    build(given.pages, given.output, seed=given.seed, workers=given.workers)


if __name__ == "__main__":
    main()
