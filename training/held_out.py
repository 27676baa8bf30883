"""Chooses held-out panels of a cache and has a model draw them, keeping every picture."""

from __future__ import annotations

import difflib
import hashlib
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.pipeline import DiffSensei
from generator.request import DrawnPanel, PanelRequest
from generator.settings import DrawSettings
from training.samples import held_out_records, other_rows, panel_of, request_of
from training.scoring import Asked, Picture, asked_of

TOGETHER = 64
"""Panels asked for in one call; those of equal size are denoised together."""

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True)
class Panels:
    """Held-out panels of a cache.

    Attributes:
        requests: what the model is asked for.
        asked: the same, as scores are taken by it.
        others: as many further held-out panels, to see how far FID goes between equal sets; empty
            where there are not enough.
    """

    requests: list[PanelRequest]
    asked: Asked
    others: list[Picture]


def choose_panels(cache: Path, count: int, seed: int) -> Panels:
    """Choose panels by a seed; a larger count adds to those of a smaller one.

    Raises:
        ValueError: the cache has fewer of them.
    """
    records = held_out_records(cache)
    if len(records) < count:
        raise ValueError(f"{cache}: {len(records)} held-out panels fit, {count} were asked for")
    random.Random(f"evaluation {seed}").shuffle(records)
    chosen, others = records[:count], records[count : 2 * count]
    rows = [
        other_rows(record, random.Random(f"given {seed} {number}"))
        for number, record in enumerate(chosen)
    ]
    references = np.load(cache / "references.npy", mmap_mode="r")
    shown = json.loads((cache / "references.json").read_text("utf-8"))
    target = [panel_of(cache, record) for record in chosen]
    requests = [
        request_of(record, given, references, f"evaluation {seed} {number}")
        for number, (record, given) in enumerate(zip(chosen, rows, strict=True))
    ]
    return Panels(
        requests,
        asked_of(chosen, rows, shown, references, target),
        [panel_of(cache, record) for record in others] if len(others) == count else [],
    )


def with_changes(settings: DrawSettings, changes: Sequence[str]) -> DrawSettings:
    """Return the settings with `NAME=VALUE` changed in them.

    Raises:
        ValueError: there is no such setting, or the value is out of range.
    """
    values: dict[str, Any] = msgspec.to_builtins(settings)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in values:
            near = difflib.get_close_matches(name, values, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(values)}"
            raise ValueError(f"{change}: expected NAME=VALUE of a setting; {hint}")
        try:
            values[name] = json.loads(value)
        except json.JSONDecodeError:
            values[name] = value
    try:
        return msgspec.convert(values, DrawSettings)
    except msgspec.ValidationError as err:
        raise ValueError(f"{', '.join(changes)}: {err}") from err


def origin_of(model: DiffSensei, cache: Path, seed: int) -> dict[str, Any]:
    """Return what the pictures of an evaluation depend on, but for their number."""
    return {
        "model": model.fingerprint,
        "settings": msgspec.to_builtins(model.settings),
        "cache": hashlib.sha256((cache / "panels.json").read_bytes()).hexdigest(),
        "seed": seed,
    }


def claim_folder(folder: Path, origin: dict[str, Any]) -> None:
    """Make a folder for an evaluation's pictures, or go on with the one that is there.

    Raises:
        ValueError: the folder's pictures are of another origin.
    """
    path = folder / ORIGIN_FILE
    text = json.dumps(origin, indent=2) + "\n"
    if path.exists():
        known = json.loads(path.read_text("utf-8"))
        different = [name for name in origin if known.get(name) != json.loads(text)[name]]
        if different:
            raise ValueError(
                f"{folder} holds pictures of another {' and '.join(different)}; "
                "name another output folder, or remove this one"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def draw_missing(model: DiffSensei, requests: Sequence[PanelRequest], folder: Path) -> None:
    """Draw those panels whose picture is not in the folder yet; each is kept at once."""
    numbers = {request.id: number for number, request in enumerate(requests)}
    missing = [
        request for request in requests if not picture_path(folder, numbers[request.id]).exists()
    ]

    def keep(panel: DrawnPanel) -> None:
        path = picture_path(folder, numbers[panel.request.id])
        unfinished = path.with_suffix(".part")
        panel.image.convert("L").save(unfinished, format="PNG")
        unfinished.replace(path)

    for start in range(0, len(missing), TOGETHER):
        part = missing[start : start + TOGETHER]
        line = f"drawing panels {start + 1} to {start + len(part)} of {len(missing)}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a long run
        model.draw(part, on_panel=keep)


def picture_path(folder: Path, number: int) -> Path:
    """Return where the picture of a panel is kept."""
    return folder / f"{number:05d}.png"


def read_pictures(folder: Path, count: int) -> list[NDArray[np.uint8]]:
    """Return the first `count` drawn panels of a folder."""
    pictures = []
    for number in range(count):
        with Image.open(picture_path(folder, number)) as picture:
            pictures.append(np.asarray(picture.convert("L")))
    return pictures


def changed(model: DiffSensei, changes: Sequence[str]) -> DiffSensei:
    """Change settings of a loaded model, and return it.

    Raises:
        ValueError: there is no such setting, or the value is out of range.
    """
    settings = with_changes(model.settings, changes)
    model.components = replace(model.components, settings=settings)
    return model
