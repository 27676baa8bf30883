"""Finds blank balloons in a drawn panel: closed white regions, round or square, outlined in dark.

It looks at the picture alone, never at what was asked for. It is made for line art whose balloons
are blank, as the generator draws them; balloons with lettering need a detector that was trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.metrics import Box, box_ious

LIGHT = 176
"""Paper is at least as light as this, of 255."""

OUTLINE_PX = 1
"""How much of a balloon's box its outline takes away on each side."""

GAPS_PX = (2, 4, 6)
"""Gaps in an outline that are overlooked, tried in turn: small balloons need the first."""

SAME_BALLOON_IOU = 0.5

MIN_WIDTH, MIN_HEIGHT = 0.225, 0.06
"""The smallest balloon, in fractions of the panel; what is smaller cannot be lettered."""

MAX_TALLNESS = 1.4
"""Height over width, beyond which a white shape is rather a door or a face."""

MIN_LIKENESS = 0.8
"""Smallest share of a shape and of the ellipse or rectangle in its box that they have in common."""

MAX_HOLES = 0.015
"""The largest share of a blank balloon's inside that may be dark."""

BoxPx = tuple[int, int, int, int]
"""Left, top, right, bottom."""

Picture = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""


class _Run(NamedTuple):
    """Light pixels in one row: from `start` up to, not including, `stop`."""

    row: int
    start: int
    stop: int


def find_balloons(picture: Picture) -> list[Box]:
    """Return the boxes of blank balloons, outline included, as fractions of the panel."""
    height, width = picture.shape
    found: list[Box] = []
    for gap_px in GAPS_PX:
        for left, top, right, bottom in _closed_at(picture, gap_px):
            box = (left / width, top / height, right / width, bottom / height)
            if not found or box_ious([box], found).max() < SAME_BALLOON_IOU:
                found.append(box)
    return found


def _closed_at(picture: Picture, gap_px: int) -> Iterator[BoxPx]:
    """Yield the boxes, in pixels, of balloons once gaps up to so many pixels are closed."""
    height, width = picture.shape
    # darkening each pixel's surroundings closes the gaps, and makes the inside smaller
    darkened = Image.fromarray(picture).filter(ImageFilter.MinFilter(gap_px + 1))
    lost_px = OUTLINE_PX + gap_px // 2
    for runs in _regions(np.asarray(darkened) >= LIGHT):
        top, bottom = runs[0].row, runs[-1].row + 1
        left, right = min(run.start for run in runs), max(run.stop for run in runs)
        if left == 0 or top == 0 or right == width or bottom == height:
            continue  # open towards the panel's edge
        box = (
            max(left - lost_px, 0),
            max(top - lost_px, 0),
            min(right + lost_px, width),
            min(bottom + lost_px, height),
        )
        if _is_balloon_sized(box, width, height) and _is_blank_balloon(
            _mask(runs, (left, top, right, bottom))
        ):
            yield box


def _is_balloon_sized(box: BoxPx, width: int, height: int) -> bool:
    across, down = box[2] - box[0], box[3] - box[1]
    return (
        across >= MIN_WIDTH * width
        and down >= MIN_HEIGHT * height
        and down <= MAX_TALLNESS * across
    )


def _runs_of(light: NDArray[np.bool_]) -> Iterator[list[_Run]]:
    """Yield each row's runs from left to right."""
    edges = np.diff(np.pad(light, ((0, 0), (1, 1))), axis=1)
    for number, row in enumerate(edges):
        columns = row.nonzero()[0].tolist()
        yield [
            _Run(number, start, stop)
            for start, stop in zip(columns[::2], columns[1::2], strict=True)
        ]


def _regions(light: NDArray[np.bool_]) -> Iterator[list[_Run]]:
    """Yield the connected light regions, each as its runs from top to bottom.

    Pixels are connected to their four neighbours.
    """
    runs: list[_Run] = []
    parents: list[int] = []

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    last = 0  # the first run of the row above
    for row in _runs_of(light):
        first = len(runs)
        runs += row
        parents += range(first, len(runs))
        here, above = first, last
        while here < len(runs) and above < first:  # both from left to right
            if runs[above].start < runs[here].stop and runs[here].start < runs[above].stop:
                parents[root(here)] = root(above)
            if runs[above].stop < runs[here].stop:
                above += 1
            else:
                here += 1
        last = first
    members: dict[int, list[_Run]] = {}
    for index, run in enumerate(runs):
        members.setdefault(root(index), []).append(run)
    yield from members.values()


def _mask(runs: list[_Run], box: BoxPx) -> NDArray[np.bool_]:
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), bool)
    for run in runs:
        mask[run.row - top, run.start - left : run.stop - left] = True
    return mask


def _is_blank_balloon(mask: NDArray[np.bool_]) -> bool:
    """Say whether a region, cut out at its box, is a whole ellipse or rectangle."""
    filled = _filled(mask)
    if 1 - mask.sum() / filled.sum() > MAX_HOLES:
        return False
    height, width = mask.shape
    y, x = np.mgrid[:height, :width]
    across, down = (x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1
    ellipse = across**2 + down**2 <= 1
    return any(
        (filled & shape).sum() >= MIN_LIKENESS * (filled | shape).sum()
        for shape in (ellipse, np.ones_like(filled))
    )


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the region with its holes: what no way from the box's edge reaches but through it."""
    outside = np.pad(~mask, 1, constant_values=True)
    holes = np.zeros_like(outside)
    for runs in _regions(outside):
        if runs[0].row > 0:  # the surroundings begin in the padding's first row
            for run in runs:
                holes[run.row, run.start : run.stop] = True
    return mask | holes[1:-1, 1:-1]
