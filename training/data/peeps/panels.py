"""Composes one panel: people in their boxes, a setting behind them, blank balloons over them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from training.data.peeps.captions import caption
from training.data.peeps.figures import Figure, Identity, Raster, bodies, draw, parts
from training.data.peeps.settings import OVERSAMPLING, choose_setting, draw_setting

BoxPx = tuple[int, int, int, int]

HEAD_SHARE = {"close-up": (0.5, 0.72), "medium": (0.27, 0.42)}
"""Height of a head over the panel's height, for figures cut off by the panel's lower edge."""

FIGURE_SHARE = {"full": (0.68, 0.96), "wide": (0.34, 0.6)}
"""Height of a whole figure over the panel's height."""


@dataclass(frozen=True)
class Person:
    """One figure in a panel; boxes are left, top, right, bottom in panel pixels."""

    figure: Figure
    box: BoxPx
    head: BoxPx


@dataclass(frozen=True)
class Panel:
    """A composed panel: `ink` is (height, width) uint8, people are given from left to right."""

    ink: np.ndarray
    caption: str
    shot: str
    setting: str
    people: tuple[Person, ...]
    dialogs: tuple[BoxPx, ...]


def _pick_body(shot: str, outfit: str, rng: random.Random) -> str:
    if shot in HEAD_SHARE:
        return outfit if rng.random() < 0.6 else rng.choice(bodies("bust"))
    return rng.choice(bodies("standing" if rng.random() < 0.68 else "sitting"))


def _scale_for(
    raster: Raster, shot: str, size: tuple[int, int], slot: float, rng: random.Random
) -> float:
    width, height = size
    head_height = raster.head[3] - raster.head[1]
    if shot in HEAD_SHARE:
        share = rng.uniform(*HEAD_SHARE[shot]) * (1.3 if 2 * height < 1.4 * width else 1.0)
        share = min(share, 0.74)
        # a tall narrow panel is filled by its width, not its height
        scale = min(share * height / head_height, slot * 1.25 / raster.ink.shape[1] * 1.1)
        floor = 0.26 * min(height, 1.6 * width) / head_height
        return float(max(scale, floor))
    share = rng.uniform(*FIGURE_SHARE[shot])
    return float(min(share * height / raster.ink.shape[0], slot * 1.1 / raster.ink.shape[1]))


def _paste(canvas: Image.Image, raster: Raster, scale: float, x: int, y: int) -> None:
    size = (max(1, round(raster.ink.shape[1] * scale)), max(1, round(raster.ink.shape[0] * scale)))
    ink = Image.fromarray(np.ascontiguousarray(raster.ink))
    alpha = Image.fromarray(np.ascontiguousarray(raster.alpha))
    ink = ink.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    alpha = alpha.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    canvas.paste(ink, (x, y), alpha)


def _clip(box: Sequence[float], size: tuple[int, int]) -> BoxPx:
    left, top, right, bottom = (round(value) for value in box)
    return max(0, left), max(0, top), min(size[0], right), min(size[1], bottom)


def _place(
    canvas: Image.Image, figure: Figure, shot: str, slot: tuple[float, float], rng: random.Random
) -> Person:
    """Draw a figure around the middle of its slot (left, right) and say where it came to lie."""
    width, height = canvas.size
    raster = draw(figure)
    scale = _scale_for(raster, shot, canvas.size, slot[1] - slot[0], rng)
    w, h = raster.ink.shape[1] * scale, raster.ink.shape[0] * scale
    head_x = (raster.head[0] + raster.head[2]) / 2 * scale
    middle = (slot[0] + slot[1]) / 2 + rng.uniform(-0.12, 0.12) * (slot[1] - slot[0])
    x = middle - (head_x if shot in HEAD_SHARE else w / 2)
    if shot not in HEAD_SHARE:
        x = min(max(x, -0.06 * w), width - 0.94 * w)
        y = height - h - rng.uniform(0.0, 0.06) * height
    elif shot == "close-up":
        y = min(height * rng.uniform(0.03, 0.22), height - 0.8 * h)
        y = max(y, height - h + 1) if height - h > 0 else y
    else:
        y = height - h * rng.uniform(0.78, 0.99)
    _paste(canvas, raster, scale, round(x), round(y))
    head = [value * scale + offset for value, offset in zip(raster.head, (x, y, x, y), strict=True)]
    return Person(figure, _clip((x, y, x + w, y + h), canvas.size), _clip(head, canvas.size))


def _overlap(a: BoxPx, b: BoxPx) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _balloons(
    canvas: Image.Image, heads: list[BoxPx], count: int, rng: random.Random
) -> list[BoxPx]:
    """Draw blank balloons, most of them off the heads and off each other."""
    width, height = canvas.size
    taken: list[BoxPx] = []
    large = canvas.resize((width * OVERSAMPLING, height * OVERSAMPLING), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(large)
    for _ in range(count * 30):
        if len(taken) == count:
            break
        w = int(rng.uniform(0.24, 0.56) * width)
        h = int(min(rng.uniform(0.12, 0.3) * height, w * rng.uniform(0.45, 1.2)))
        if h < 14 or w < 20:
            continue
        x = rng.randint(1, width - w - 2)
        y = round((height - h - 2) * rng.random() ** 1.8) + 1
        box = (x, y, x + w, y + h)
        if any(_overlap(box, other) for other in (*heads, *taken)):
            continue
        taken.append(box)
        outline = [value * OVERSAMPLING for value in box]
        shape = pen.rectangle if rng.random() < 0.18 else pen.ellipse
        shape(outline, fill=255, outline=0, width=OVERSAMPLING + 1)
    canvas.paste(large.resize(canvas.size, Image.Resampling.BOX))
    return taken


def choose_shot(num_people: int, size: tuple[int, int], rng: random.Random) -> str:
    """Return a shot that so many people fit into, in a panel of `size` (width, height)."""
    is_tall = size[1] > 1.5 * size[0]
    if num_people == 0:
        return "wide"
    shares = {
        "wide": 0.12,
        "full": 0.26,
        "medium": 0.4,
        "close-up": 0.22 if num_people == 1 else 0.04,
    }
    if is_tall and num_people > 1:
        shares |= {"medium": 0.1, "close-up": 0.0}
    return rng.choices(list(shares), list(shares.values()))[0]


def compose(
    cast: Sequence[tuple[Identity, str]],
    size: tuple[int, int],
    rng: random.Random,
    *,
    is_portrait: bool = False,
) -> Panel:
    """Return a panel of `size` (width, height) that shows these people, each (identity, outfit).

    The people stand in a random order. A portrait shows its one person from the chest up on white,
    without balloons, as cast pictures do.
    """
    people_order = list(cast)
    rng.shuffle(people_order)
    shot = "medium" if is_portrait else choose_shot(len(cast), size, rng)
    setting = "white" if is_portrait else choose_setting(rng)
    canvas = Image.new("L", size, 255) if is_portrait else draw_setting(setting, size, rng)
    figures = [
        Figure(
            identity,
            rng.choice(list(parts()["face"])),
            _pick_body(shot, outfit, rng),
            rng.random() < 0.5,
        )
        for identity, outfit in people_order
    ]
    if is_portrait:
        figures = [replace(figures[0], body=people_order[0][1])]
    edges = _slots(len(figures), size[0], rng)
    people = [
        _place(canvas, figure, shot, slot, rng) for figure, slot in zip(figures, edges, strict=True)
    ]
    count = 0 if is_portrait else rng.choices((0, 1, 2, 3), (0.3, 0.4, 0.22, 0.08))[0]
    dialogs = _balloons(canvas, [person.head for person in people], count, rng)
    text = caption(shot, figures, setting, rng)
    return Panel(np.asarray(canvas).copy(), text, shot, setting, tuple(people), tuple(dialogs))


def _slots(count: int, width: int, rng: random.Random) -> list[tuple[float, float]]:
    """Return `count` stretches of the panel's width, from left to right."""
    if count == 0:
        return []
    if count == 1:
        share = rng.uniform(0.55, 1.0)
        left = rng.uniform(0, 1 - share) * width
        return [(left, left + share * width)]
    margin = rng.uniform(0.0, 0.06) * width
    step = (width - 2 * margin) / count
    return [(margin + index * step, margin + (index + 1) * step) for index in range(count)]
