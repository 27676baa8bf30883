"""A cache that costs nothing to make: people are blocks, each of a gray and a width of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

NUM_PEOPLE = 14
PICTURES_EACH = 3
HEIGHT, WIDTH = 128, 288
FACES = ("Smile", "Rage", "CheersNM")


@pytest.fixture(scope="session")
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache of 42 panels of 14 people, 11 of them held out, each in three panels.

    Every second panel has a balloon.
    """
    folder = tmp_path_factory.mktemp("small-cache")
    rng = np.random.default_rng(0)
    panels, references, shown, records = [], [], [], []
    for who in range(NUM_PEOPLE):
        is_held_out = who >= 3
        for state in range(PICTURES_EACH):
            row = len(panels)
            left, top = (int(value) for value in rng.integers((10, 30), (60, 50)))
            figure = (left, top, left + 50 + 4 * (who % 4), top + 70)
            panel = Image.new("L", (WIDTH, HEIGHT), 255)
            pen = ImageDraw.Draw(panel)
            pen.rectangle((figure[0], figure[1], figure[2] - 1, figure[3] - 1), fill=15 * who)
            stripe = figure[1] + 8 + 16 * state  # what changes from panel to panel
            pen.rectangle((figure[0] + 8, stripe, figure[2] - 9, stripe + 6), fill=255)
            dialogs = []
            if row % 2:
                balloon = (150, 20, 250, 60)
                pen.ellipse(balloon, fill=255, outline=0, width=2)
                dialogs.append(fractions(balloon))
            panels.append(np.asarray(panel))
            references.append(np.asarray(panel.crop(figure).resize((96, 96))))
            face = FACES[state]
            shown.append({
                "who": f"{who}/0", "held_out": is_held_out, "expression": face,
                "identity": [f"hair {who}", "", ("", "glasses")[who % 2]], "body": "bust/Hoodie",
            })  # fmt: skip
            word = {"Smile": "happy", "Rage": "yelling", "CheersNM": "merry"}[face]
            records.append({
                "page": who, "held_out": is_held_out, "size": [HEIGHT, WIDTH], "index": row,
                "caption": f"medium shot, a woman, {word}", "shot": ("medium", "full")[state % 2],
                "place": "white", "dialogs": dialogs,
                "characters": [character(who, figure, row, state)],
            })  # fmt: skip
    np.save(folder / f"panels-{HEIGHT}x{WIDTH}.npy", np.stack(panels))
    np.save(folder / "references.npy", np.stack(references))
    (folder / "references.json").write_text(json.dumps(shown))
    (folder / "panels.json").write_text(json.dumps(records))
    return folder


def character(who: int, figure: tuple[int, ...], row: int, state: int) -> dict[str, Any]:
    first = row - state
    return {
        "id": who, "box": fractions(figure), "row": row,
        "rows": list(range(first, first + PICTURES_EACH)),
    }  # fmt: skip


def fractions(box: tuple[int, ...]) -> list[float]:
    return [edge / size for edge, size in zip(box, (WIDTH, HEIGHT) * 2, strict=True)]
