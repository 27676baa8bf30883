"""Places drawn behind the figures: tones, speed lines, rooms, streets, trees, nights.

Every function draws onto an "L" picture of twice the panel's size, which is halved afterwards, so
that lines are smooth; `u` is one panel pixel on that picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

OVERSAMPLING = 2


def _tone(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """Dots on a lattice turned by 45 degrees, even or growing towards one side."""
    width, height = size
    pitch = rng.uniform(4.0, 7.0) * OVERSAMPLING
    dark, grows = rng.uniform(0.16, 0.42), rng.random() < 0.5
    for row in range(int(height / pitch * 2) + 2):
        y = row * pitch / 2
        share = y / height if grows else 1.0
        radius = pitch * dark * math.sqrt(share)
        if radius < 0.8:
            continue
        for column in range(int(width / pitch) + 2):
            x = column * pitch + (row % 2) * pitch / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)


def _speed_lines(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """Wedges that run from the edges towards a centre."""
    width, height = size
    cx, cy = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.6)
    inner, outer = min(size) * rng.uniform(0.42, 0.55), math.hypot(width, height)
    for _ in range(rng.randint(50, 110)):
        angle = rng.uniform(0, 2 * math.pi)
        spread = rng.uniform(0.004, 0.018)
        start = inner * rng.uniform(0.9, 1.5)
        tip = (cx + start * math.cos(angle), cy + start * math.sin(angle))
        ends = [
            (cx + outer * math.cos(angle + side), cy + outer * math.sin(angle + side))
            for side in (-spread, spread)
        ]
        draw.polygon([tip, *ends], fill=0)


def _room(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """A floor line with a window, a picture, a door or a lamp on the wall."""
    width, height = size
    line = 2 * OVERSAMPLING // 2
    floor = height * rng.uniform(0.68, 0.86)
    draw.line((0, floor, width, floor), fill=0, width=line)
    unit = min(size)
    x = width * rng.uniform(0.04, 0.6)
    if rng.random() < 0.65:
        w, h = unit * rng.uniform(0.3, 0.42), unit * rng.uniform(0.3, 0.42)
        y = height * rng.uniform(0.05, 0.2)
        draw.rectangle((x, y, x + w, y + h), outline=0, width=line)
        draw.line((x + w / 2, y, x + w / 2, y + h), fill=0, width=line)
        draw.line((x, y + h / 2, x + w, y + h / 2), fill=0, width=line)
    else:
        w, top = unit * 0.3, floor - unit * rng.uniform(0.55, 0.65)
        draw.rectangle((x, top, x + w, floor), outline=0, width=line)
        knob = x + w * 0.82
        draw.ellipse((knob, top + unit * 0.3, knob + 6, top + unit * 0.3 + 6), fill=0)
    if rng.random() < 0.5:
        x = (x + width * 0.5) % (width * 0.8)
        y = height * rng.uniform(0.08, 0.22)
        draw.rectangle((x, y, x + unit * 0.16, y + unit * 0.2), outline=0, width=line)
        draw.rectangle((x + 6, y + 6, x + unit * 0.16 - 6, y + unit * 0.2 - 6), outline=0)


def _street(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """A row of houses with windows over a kerb, sometimes with a lamp."""
    width, height = size
    unit, ground = min(size), height * rng.uniform(0.7, 0.86)
    draw.line((0, ground, width, ground), fill=0, width=2)
    x = -unit * rng.uniform(0, 0.2)
    while x < width:
        w = unit * rng.uniform(0.28, 0.5)
        top = ground - unit * rng.uniform(0.35, 0.7)
        draw.rectangle((x, top, x + w, ground), outline=0, width=2)
        if rng.random() < 0.5:
            draw.polygon(
                [(x, top), (x + w / 2, top - unit * 0.14), (x + w, top)], outline=0, width=2
            )
        step = unit * 0.13
        y = top + step * 0.5
        while y + step * 0.6 < ground:
            wx = x + step * 0.45
            while wx + step * 0.5 < x + w:
                fill = 0 if rng.random() < 0.3 else 255
                draw.rectangle((wx, y, wx + step * 0.45, y + step * 0.6), outline=0, fill=fill)
                wx += step
            y += step * 1.3
        x += w + (unit * 0.06 if rng.random() < 0.4 else 0)


def _trees(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """Trees with round or pointed crowns on a ground line."""
    width, height = size
    unit, ground = min(size), height * rng.uniform(0.68, 0.86)
    draw.line((0, ground, width, ground), fill=0, width=2)
    is_fir, is_dark = rng.random() < 0.4, rng.random() < 0.35
    for index in range(rng.randint(2, 4) + width // unit):
        x = width * (index + rng.uniform(0, 1)) / 5
        size_of = unit * rng.uniform(0.28, 0.5)
        foot = ground + rng.uniform(0, unit * 0.04)
        trunk = size_of * 0.1
        fill = 0 if is_dark else 255
        draw.rectangle(
            (x - trunk, foot - size_of * 0.7, x + trunk, foot), outline=0, fill=255, width=2
        )
        if is_fir:
            for tier in range(3):
                y, half = foot - size_of * (0.5 + 0.35 * tier), size_of * (0.42 - 0.1 * tier)
                draw.polygon(
                    [(x - half, y), (x, y - size_of * 0.55), (x + half, y)],
                    outline=0,
                    fill=fill,
                    width=2,
                )
        else:
            for dx, dy, r in ((-0.25, -0.8, 0.26), (0.25, -0.8, 0.26), (0, -1.05, 0.32)):
                cx, cy, cr = x + dx * size_of, foot + dy * size_of, r * size_of
                draw.ellipse((cx - cr, cy - cr, cx + cr, cy + cr), outline=0, fill=fill, width=2)


def _night(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """A black sky with a moon and stars over white ground."""
    width, height = size
    unit, ground = min(size), height * rng.uniform(0.68, 0.86)
    draw.rectangle((0, 0, width, ground), fill=0)
    for _ in range(rng.randint(12, 30)):
        x, y, r = rng.uniform(0, width), rng.uniform(0, ground * 0.8), rng.uniform(1.0, 2.4)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    x, y, r = width * rng.uniform(0.1, 0.9), unit * rng.uniform(0.12, 0.25), unit * 0.09
    draw.ellipse((x - r, y - r, x + r, y + r), fill=255)


def _white(draw: ImageDraw.ImageDraw, size: tuple[int, int], rng: random.Random) -> None:
    """Nothing, or a ground line."""
    if rng.random() < 0.25:
        y = size[1] * rng.uniform(0.75, 0.9)
        draw.line((0, y, size[0], y), fill=0, width=2)


SETTINGS: dict[str, tuple[float, Callable[..., None], tuple[str, ...]]] = {
    "white": (0.3, _white, ("white background", "plain background", "")),
    "tone": (0.14, _tone, ("screentone background", "gray screentone", "dotted tone background")),
    "speed lines": (0.1, _speed_lines, ("speed lines", "dramatic speed lines", "focus lines")),
    "room": (0.16, _room, ("in a room", "indoors", "at home in a room", "in the room, window")),
    "street": (0.12, _street, ("on a street", "in the street, houses", "in town, houses behind")),
    "trees": (
        0.12,
        _trees,
        ("among trees", "in a park, trees", "in the forest", "outdoors, trees"),
    ),
    "night": (0.06, _night, ("at night", "under a night sky, moon and stars", "night, black sky")),
}
"""Name -> (share of panels, how it is drawn, how captions say it)."""


def choose_setting(rng: random.Random) -> str:
    """Return the name of a setting, drawn by share."""
    names = list(SETTINGS)
    return rng.choices(names, [SETTINGS[name][0] for name in names])[0]


def draw_setting(name: str, size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Return the named setting as "L" picture of `size` (width, height)."""
    large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    picture = Image.new("L", large, 255)
    SETTINGS[name][1](ImageDraw.Draw(picture), large, rng)
    return picture.resize(size, Image.Resampling.BOX)
