"""Draws held-out panels beside what they should be: a contact sheet to look at.

    python -m training.samples --model generator/mini --output runs/samples.png

Every column shows the panel of the data, the one drawn from its caption, boxes and another picture
of each character, and below those pictures. Prints, for the drawn panels and for the data, which
share of the dialogs' inside is white on other than white backgrounds, and which share of the ink
lies in the characters' boxes on white ones.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generator.pipeline import DiffSensei
from generator.request import CharacterRequest, PanelRequest
from training.data.cache import bucket_name

CELL_PX = 224
REFERENCE_CELL_PX = 72
LIGHT = 200


def held_out_records(cache: Path) -> list[dict[str, Any]]:
    """Return records of held-out panels in which every character has a picture elsewhere."""
    return [
        record
        for record in json.loads((cache / "panels.json").read_text("utf-8"))
        if record["held_out"] and all(len(one["rows"]) > 1 for one in record["characters"])
    ]


def held_out(cache: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Return some of them, drawn by a seed."""
    return random.Random(seed).sample(held_out_records(cache), count)


def other_rows(record: dict[str, Any], rng: random.Random) -> list[int]:
    """Return for each character the row of a picture that is not the panel's own."""
    return [
        rng.choice([row for row in one["rows"] if row != one["row"]])
        for one in record["characters"]
    ]


def request_of(
    record: dict[str, Any], rows: list[int], references: np.ndarray, name: str
) -> PanelRequest:
    """Return the request that asks for a held-out panel."""
    return PanelRequest(
        id=name,
        caption=record["caption"],
        height_px=record["size"][0],
        width_px=record["size"][1],
        seed=zlib.crc32(name.encode()),
        characters=tuple(
            CharacterRequest(images=(Image.fromarray(references[row]),), box=tuple(one["box"]))
            for one, row in zip(record["characters"], rows, strict=True)
        ),
        dialog_boxes=tuple(tuple(box) for box in record["dialogs"]),
    )


def white_in_dialogs(panel: np.ndarray, dialogs: Sequence[Sequence[float]]) -> list[float]:
    """Return for each dialog the share of light pixels in the ellipse half its size.

    Args:
        panel: (height, width) uint8.
        dialogs: left, top, right, bottom as fractions of the panel.
    """
    height, width = panel.shape
    y, x = np.mgrid[:height, :width]
    shares = []
    for left, top, right, bottom in dialogs:
        across = ((x + 0.5) / width - (left + right) / 2) / ((right - left) / 4)
        down = ((y + 0.5) / height - (top + bottom) / 2) / ((bottom - top) / 4)
        inside = panel[across**2 + down**2 <= 1]
        if inside.size:
            shares.append(float((inside > LIGHT).mean()))
    return shares


def ink_in_boxes(panel: np.ndarray, boxes: Sequence[Sequence[float]]) -> float:
    """Return the share of a panel's ink that lies in any of the boxes, given as fractions."""
    height, width = panel.shape
    inside = np.zeros(panel.shape, bool)
    for left, top, right, bottom in boxes:
        rows = slice(round(top * height), round(bottom * height))
        inside[rows, round(left * width) : round(right * width)] = True
    ink = 255.0 - panel
    return float(ink[inside].sum() / max(ink.sum(), 1.0))


def panel_of(cache: Path, record: dict[str, Any]) -> np.ndarray:
    """Return the panel of the data, (height, width) uint8."""
    panels = np.load(cache / f"{bucket_name(tuple(record['size']))}.npy", mmap_mode="r")
    return np.array(panels[record["index"]])


def _measures(records: list[dict[str, Any]], panels: list[np.ndarray]) -> dict[str, float]:
    white, ink = [], []
    for record, panel in zip(records, panels, strict=True):
        if record["place"] != "white":  # where blank does not come by itself
            white += white_in_dialogs(panel, record["dialogs"])
        boxes = [one["box"] for one in record["characters"]]
        if record["place"] == "white" and boxes and not record["dialogs"]:
            ink.append(ink_in_boxes(panel, boxes))
    return {
        "white_in_dialogs": round(float(np.mean(white)), 3),
        "ink_in_boxes": round(float(np.mean(ink)), 3),
    }


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--model", type=Path, default=Path("generator/mini"))
    parser.add_argument("--output", type=Path, default=Path("runs/samples.png"))
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    records = held_out(given.cache, given.count, given.seed)
    references = np.load(given.cache / "references.npy", mmap_mode="r")
    rng = random.Random(given.seed)
    rows = [other_rows(record, rng) for record in records]
    requests = [
        request_of(record, chosen, references, str(number))
        for number, (record, chosen) in enumerate(zip(records, rows, strict=True))
    ]
    drawn = DiffSensei.load(given.model).draw(requests)
    wanted = [panel_of(given.cache, record) for record in records]
    for name, panels in (
        ("data", wanted),
        ("drawn", [np.asarray(panel.image.convert("L")) for panel in drawn]),
    ):
        print(name, json.dumps(_measures(records, panels)))  # noqa: T201  the command's result
    columns = min(8, given.count)
    row_height = 2 * CELL_PX + REFERENCE_CELL_PX
    sheet = Image.new("L", (columns * CELL_PX, -(-given.count // columns) * row_height), 200)
    for number, (original, chosen, panel) in enumerate(zip(wanted, rows, drawn, strict=True)):
        left, top = number % columns * CELL_PX, number // columns * row_height
        for offset, picture in (
            (0, Image.fromarray(original)),
            (CELL_PX, panel.image.convert("L")),
        ):
            picture.thumbnail((CELL_PX - 6, CELL_PX - 6))
            sheet.paste(picture, (left + 3, top + offset + 3))
        for place, row in enumerate(chosen):
            reference = Image.fromarray(references[row]).resize((REFERENCE_CELL_PX - 6,) * 2)
            sheet.paste(reference, (left + place * REFERENCE_CELL_PX + 3, top + 2 * CELL_PX))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(given.output)


if __name__ == "__main__":
    main()
