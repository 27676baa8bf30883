"""Draws people from Open Peeps parts (CC0): an identity, a face and a body become a figure.

The parts are SVG fragments in `parts.json`, made once by `export_parts.cjs`. Each is rasterised the
first time it is needed and kept, so that a figure costs a few pastes instead of an SVG rendering.
"""

from __future__ import annotations

import functools
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

PARTS_FILE = Path(__file__).with_name("parts.json")

SCALE = 0.32
"""Pixels per unit of the drawings; a head is about 420 units high."""

CANVAS = (-600, -140, 2300, 3200)
"""Left, top, width and height, in units, of the area in which every part lies."""

HEAD_BOX = (235.0, -10.0, 660.0, 500.0)
"""Where the head lies, in units: left, top, right, bottom."""

HEAD_OFFSETS = {"hair": (225, 0), "face": (384, 186), "beard": (348, 338), "accessory": (272, 241)}

EXPRESSIONS: dict[str, str] = {
    "Angry": "angry", "Awe": "amazed", "Blank": "blank", "Calm": "calm", "CalmNM": "calm",
    "Cheeky": "cheeky", "CheersNM": "cheerful", "Concerned": "worried",
    "ConcernedFear": "worried", "Contempt": "scornful", "Cute": "smiling", "Driven": "determined",
    "EatingHappy": "cheerful", "Explaining": "talking", "EyesClosed": "eyes closed",
    "Fear": "afraid", "Hectic": "nervous", "LoveGrin": "in love", "LoveGrinTeeth": "in love",
    "OldAged": "tired", "Rage": "shouting", "Serious": "serious", "Smile": "smiling",
    "SmileBig": "laughing", "SmileLol": "laughing", "SmileNM": "smiling",
    "SmileTeeth": "grinning", "Solemn": "sad", "Suspicious": "suspicious", "Tired": "tired",
    "VeryAngry": "furious",
}  # fmt: skip

POSES: dict[str, str] = {
    "ArmsCrossed": "arms crossed", "Coffee": "holding a cup", "Device": "looking at a phone",
    "Explaining": "explaining", "Gaming": "holding a gamepad", "Paper": "holding a paper",
    "PointingUp": "pointing up", "Whatever": "shrugging", "Bike": "riding a bicycle",
    "Wheelchair": "sitting in a wheelchair", "CrossedLegs": "sitting with crossed legs",
    "CrossedArmsBW": "standing with arms crossed", "CrossedArmsWB": "standing with arms crossed",
    "PointingFingerBW": "standing and pointing", "PointingFingerWB": "standing and pointing",
    "RoboDanceBW": "dancing", "RoboDanceOutline": "dancing", "RoboDanceWB": "dancing",
    "WalkingBW": "walking", "WalkingFilled": "walking", "WalkingWB": "walking",
}  # fmt: skip
"""Words for the bodies that do something; a bust without an entry is just there."""


@dataclass(frozen=True)
class Identity:
    """What makes a person the same person in every panel. Empty strings mean without."""

    hair: str
    beard: str = ""
    accessory: str = ""


@dataclass(frozen=True)
class Figure:
    """A person as drawn once. `body` is `bust/NAME`, `sitting/NAME` or `standing/NAME`."""

    identity: Identity
    face: str
    body: str
    is_mirrored: bool = False

    @property
    def posture(self) -> str:
        """Bust, sitting or standing."""
        return self.body.split("/")[0]

    @property
    def pose(self) -> str:
        """The pose in plain words, empty for a bust that does nothing."""
        posture, name = self.body.split("/")
        return POSES.get(name, "" if posture == "bust" else posture)


@dataclass(frozen=True)
class Raster:
    """A figure as picture: `ink` and `alpha` are (height, width) uint8, tight around the figure.

    `head` is the head's box in pixels of this picture.
    """

    ink: np.ndarray
    alpha: np.ndarray
    head: tuple[float, float, float, float]


@functools.cache
def parts() -> dict[str, dict[str, str]]:
    """Return the SVG fragments by kind and name."""
    loaded: dict[str, dict[str, str]] = json.loads(PARTS_FILE.read_text("utf-8"))
    return loaded


def bodies(posture: str) -> list[str]:
    """Return the names of all bodies of one posture, as `Figure.body` wants them."""
    return [f"{posture}/{name}" for name in parts()[posture]]


@functools.cache
def _part(kind: str, name: str) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Return one part as (x, y, ink, alpha) in pixels of the canvas."""
    left, top, width, height = CANVAS
    x, y = HEAD_OFFSETS.get(kind, (0, 0))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {width} {height}">'
        f'<g transform="translate({x} {y})">{parts()[kind][name]}</g></svg>'
    )
    png = resvg_py.svg_to_bytes(svg_string=svg, width=round(width * SCALE))
    picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    box = picture.getchannel("A").getbbox()
    if box is None:
        raise ValueError(f"the part {kind}/{name} is empty")
    pixels = np.asarray(picture.crop(box))
    return box[0], box[1], pixels[..., 0].copy(), pixels[..., 3].copy()


def draw(figure: Figure) -> Raster:
    """Return a figure as a picture, tight around it, at `SCALE` pixels per unit."""
    posture, name = figure.body.split("/")
    identity = figure.identity
    layers = [_part(posture, name), _part("hair", identity.hair), _part("face", figure.face)]
    layers += [
        _part(kind, part)
        for kind, part in (("beard", identity.beard), ("accessory", identity.accessory))
        if part
    ]
    x0, y0 = min(layer[0] for layer in layers), min(layer[1] for layer in layers)
    x1 = max(layer[0] + layer[2].shape[1] for layer in layers)
    y1 = max(layer[1] + layer[2].shape[0] for layer in layers)
    ink = np.full((y1 - y0, x1 - x0), 255, np.uint8)
    alpha = np.zeros_like(ink)
    for x, y, part_ink, part_alpha in layers:
        rows = slice(y - y0, y - y0 + part_ink.shape[0])
        columns = slice(x - x0, x - x0 + part_ink.shape[1])
        share = part_alpha.astype(np.uint16)
        ink[rows, columns] = (part_ink * share + ink[rows, columns] * (255 - share)) // 255
        np.maximum(alpha[rows, columns], part_alpha, out=alpha[rows, columns])
    left, top = CANVAS[0] + x0 / SCALE, CANVAS[1] + y0 / SCALE
    a, b, c, d = HEAD_BOX
    head = ((a - left) * SCALE, (b - top) * SCALE, (c - left) * SCALE, (d - top) * SCALE)
    if figure.is_mirrored:
        width = ink.shape[1]
        ink, alpha = ink[:, ::-1], alpha[:, ::-1]
        head = (width - head[2], head[1], width - head[0], head[3])
    return Raster(ink, alpha, head)
