"""Turns annotated pages into arrays that training reads without decoding anything.

    python -m training.data.cache --pages runs/peeps --output runs/cache

For every size bucket `panels-HxW.npy` (panels, height, width) uint8; `references.npy`
(boxes, 96, 96) uint8, one crop for every character box, and `references.json` what it shows;
`panels.json` says for every panel its bucket, caption, boxes and, for each of its characters, its
own row of the references and all rows of the page that show the same one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.data.annotations import (
    ALLOWED_BAD_SHARE,
    BadPageError,
    BadPages,
    BoxPx,
    FrameAnnotation,
    PageAnnotation,
    read_annotations,
    read_page,
    relative_box,
)
from training.data.buckets import MINI_SIZES, Size, nearest_size

REFERENCE_PX = 96
MIN_REFERENCE_PX = 24
"""Crops with a shorter side are too small to know anybody by."""


def bucket_name(size: Size) -> str:
    """Return the file stem of a bucket."""
    return f"panels-{size[0]}x{size[1]}"


def _whole_pixels(box: BoxPx) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(value) for value in box)
    return left, top, right, bottom


def _crop_panel(page: Image.Image, frame: FrameAnnotation, size: Size) -> np.ndarray:
    """Return the panel scaled to cover `size` and cut at the middle."""
    crop = page.crop(_whole_pixels(frame.bbox))
    scale = max(size[0] / crop.height, size[1] / crop.width)
    if scale != 1.0:
        scaled = (max(size[1], round(crop.width * scale)), max(size[0], round(crop.height * scale)))
        crop = crop.resize(scaled, Image.Resampling.BICUBIC)
    left, top = (crop.width - size[1]) // 2, (crop.height - size[0]) // 2
    return np.asarray(crop.crop((left, top, left + size[1], top + size[0])))


class _Cache:
    """Collects panels and references until they are written."""

    def __init__(self) -> None:
        self.panels: dict[Size, list[np.ndarray]] = defaultdict(list)
        self.references: list[np.ndarray] = []
        self.shown: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []

    def add(self, number: int, page: PageAnnotation, picture: Image.Image) -> None:
        rows_of: dict[int, list[int]] = defaultdict(list)
        records: list[dict[str, Any]] = []
        for frame in page.frames:
            height, width = frame.bbox[3] - frame.bbox[1], frame.bbox[2] - frame.bbox[0]
            size = nearest_size((round(height), round(width)), MINI_SIZES)
            characters = []
            for character in frame.characters:
                row = self._reference(picture, character.bbox)
                if row is not None:
                    rows_of[character.id].append(row)
                    self.shown.append(
                        {
                            "who": f"{number}/{character.id}",
                            "held_out": page.held_out,
                            "expression": character.expression,
                            "body": character.body,
                            "identity": character.identity,
                        }
                    )
                box = relative_box(character.bbox, frame.bbox)
                characters.append({"id": character.id, "box": box, "row": row})
            records.append(
                {
                    "page": number,
                    "held_out": page.held_out,
                    "size": size,
                    "index": len(self.panels[size]),
                    "caption": frame.caption,
                    "shot": frame.shot,
                    "place": frame.place,
                    "characters": characters,
                    "dialogs": [relative_box(dialog.bbox, frame.bbox) for dialog in frame.dialogs],
                }
            )
            self.panels[size].append(_crop_panel(picture, frame, size))
        for record in records:
            for character in record["characters"]:
                character["rows"] = rows_of[character["id"]]
        self.records += records

    def _reference(self, picture: Image.Image, box: BoxPx) -> int | None:
        if min(box[2] - box[0], box[3] - box[1]) < MIN_REFERENCE_PX:
            return None
        crop = picture.crop(_whole_pixels(box))
        crop = crop.resize((REFERENCE_PX, REFERENCE_PX), Image.Resampling.BICUBIC)
        self.references.append(np.asarray(crop))
        return len(self.references) - 1

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for size, panels in self.panels.items():
            np.save(folder / f"{bucket_name(size)}.npy", np.stack(panels))
        np.save(folder / "references.npy", np.stack(self.references))
        (folder / "references.json").write_text(json.dumps(self.shown), "utf-8")
        (folder / "panels.json").write_text(json.dumps(self.records), "utf-8")


def build_cache(pages: Path, folder: Path, *, allowed_bad_share: float = ALLOWED_BAD_SHARE) -> int:
    """Write the cache of all pages in `pages/annotations.json`; return how many panels it has.

    Pages whose picture is missing or damaged are left out and named.

    Raises:
        TooManyBadPagesError: their share is above the allowed one; nothing is written.
    """
    cache, bad = _Cache(), BadPages()
    annotated = read_annotations(pages / "annotations.json")
    for number, page in enumerate(annotated):
        try:
            picture = read_page(pages, page)
        except BadPageError as err:
            bad.add(page.image_path, err)
        else:
            cache.add(number, page, picture)
    bad.check(len(annotated), allowed_share=allowed_bad_share)
    if bad:
        print(bad.summary(), file=sys.stderr)  # noqa: T201  named, as they are left out
    cache.write(folder)
    return len(cache.records)


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pages", type=Path, default=Path("runs/peeps"))
    parser.add_argument("--output", type=Path, default=Path("runs/cache"))
    parser.add_argument(
        "--allow-missing", action="store_true", help="go on although many pages are bad"
    )
    given = parser.parse_args()
    allowed = 1.0 if given.allow_missing else ALLOWED_BAD_SHARE
    count = build_cache(given.pages, given.output, allowed_bad_share=allowed)
    print(count, "panels")  # noqa: T201  the command's result


if __name__ == "__main__":
    main()
